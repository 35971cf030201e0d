"""``goldenpath summary`` and ``goldenpath trend``: files in, words and exit codes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_goldenpath.cli.main import main
from pytest_goldenpath.report.trend import keep
from pytest_goldenpath.verdict.checks import Outcome
from pytest_goldenpath.verdict.document import schema
from verdicts import check, verdict


def saved(folder: Path, name: str, document: object) -> str:
    """Write a document and return its path."""
    path = folder / name
    path.write_text(json.dumps(document))
    return str(path)


@pytest.fixture
def shards(tmp_path: Path) -> list[str]:
    """Return the verdict files of two shards: one passed, one failed."""
    failed = verdict(check(2, Outcome.FAILED), check(3, Outcome.SKIPPED))
    return [
        saved(tmp_path, "one.json", verdict(check(1))),
        saved(tmp_path, "two.json", failed),
    ]


def test_shards_are_told_as_one_run(shards: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is the merged one; the words name the verdict, the proof and the parts."""
    code = main(["summary", *shards])
    said = capsys.readouterr().out

    assert code == 1
    assert "== golden path: FAIL (exit 1) ==" in said
    assert "answer: Mock response" in said
    assert "checks: 1 passed, 1 failed, 1 skipped" in said
    assert (
        f"part: staging PASS (exit 0), 1 passed, 0 failed, 0 inconclusive, 0 skipped: {shards[0]}"
        in said
    )


def test_merged_document_is_printed_and_taken_again(
    shards: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--json`` keeps the schema, whatever the order, and is an input like any other."""
    assert main(["summary", "--json", *shards]) == 1
    merged: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert main(["summary", "--json", *reversed(shards), shards[0]]) == 1
    assert json.loads(capsys.readouterr().out) == merged

    jsonschema.validate(merged, schema())
    again = saved(tmp_path, "merged.json", merged)
    assert main(["summary", "--json", again, shards[1]]) == 1
    assert json.loads(capsys.readouterr().out) == merged


def test_markdown_is_printed(shards: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """``--markdown`` prints what a job summary shows."""
    assert main(["summary", "--markdown", *shards]) == 1
    assert "## Golden path: FAIL (exit 1)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("outcome", "code"), [(Outcome.PASSED, 0), (Outcome.FAILED, 1), (Outcome.INCONCLUSIVE, 75)]
)
def test_exit_code_is_the_verdicts(tmp_path: Path, outcome: Outcome, code: int) -> None:
    """A single file gives its own exit code."""
    assert main(["summary", saved(tmp_path, "one.json", verdict(check(1, outcome)))]) == code


def test_bad_file_is_named_with_the_reason(
    shards: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One bad file is a usage error: a verdict of the others would be half of the truth."""
    lying = saved(tmp_path, "lying.json", {**verdict(check(1, Outcome.FAILED)), "exit_code": 0})
    code = main(["summary", *shards, lying, str(tmp_path / "none.json")])
    said = capsys.readouterr()

    assert code == 4
    assert said.out == ""
    assert f"{lying}: exit_code 0 contradicts its verdict FAIL" in said.err
    assert "none.json: it cannot be read" in said.err


@pytest.mark.parametrize("arguments", [["summary"], ["summary", "--nope"], ["trend"]])
def test_wrong_call_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing to read is exit code 4."""
    assert main(arguments) == 4
    assert "usage: goldenpath" in capsys.readouterr().err


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command explains itself."""
    for command in ("summary", "trend"):
        assert main([command, "--help"]) == 0
        assert f"usage: goldenpath {command}" in capsys.readouterr().out


def test_trend_prints_and_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables on the terminal, a page in a file, and 0 whatever they say."""
    keep(tmp_path / "history", verdict(check(1, Outcome.FAILED)))
    page = tmp_path / "page.html"
    code = main(["trend", str(tmp_path / "history"), "--html", str(page)])

    assert code == 0
    assert "1 runs (1 FAIL); success rate 0.0 % of 1 decided" in capsys.readouterr().out
    assert page.read_text().startswith("<!doctype html>")


def test_trend_without_runs_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without a verdict, or none at all, has nothing to say; so has no page."""
    (tmp_path / "other.json").write_text("{}")
    page = tmp_path / "page.html"

    assert main(["trend", str(tmp_path), "--html", str(page)]) == 4
    said = capsys.readouterr()
    assert "skipped: " in said.out
    assert "no verdict of ours" in said.err
    assert main(["trend", str(tmp_path / "none")]) == 4
    assert "no such folder" in capsys.readouterr().err
    assert not page.exists()


def test_page_that_cannot_be_written_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's own path is named."""
    keep(tmp_path, verdict())
    page = tmp_path / "none" / "page.html"

    assert main(["trend", str(tmp_path), "--html", str(page)]) == 4
    assert str(page) in capsys.readouterr().err
