"""What a run passes on to the system that it runs in; real runs, also with workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pytest_goldenpath.report.trend import read_folder

#: Checks that need no target, so that none is started: one of each outcome, and a foreign test.
_CHECKS = """
    import pytest

    pytestmark = pytest.mark.category("smoke")

    @pytest.fixture
    def broken():
        yield
        raise RuntimeError("left broken")

    def test_passes():
        pass

    @pytest.mark.requirement("GP-502")
    def test_fails():
        pytest.fail("expected a price, got <b>none</b>\\n::error::smuggled\\n##[add-mask]e")

    @pytest.mark.requirement("GP-413")
    def test_is_undecided():
        raise RuntimeError("no idea")

    def test_is_skipped():
        pytest.skip("nothing to look at")

    def test_breaks_afterwards(broken):
        pass
"""
_LIVE = """
    import os

    import pytest

    def test_answers(golden_journey):
        assert golden_journey.answer()

    @pytest.mark.category("smoke")
    def test_kills_its_worker():
        os._exit(3)
"""
_WITHIN_S = 60


@pytest.fixture
def run(pytester: pytest.Pytester) -> Any:
    """Return a function that runs the checks in a process of their own."""
    pytester.makepyfile(test_own=_CHECKS)

    def go(*options: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(
            "--target=http://127.0.0.1:9",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:rerunfailures",
            *options,
            timeout=_WITHIN_S,
        )

    return go


@pytest.fixture(autouse=True)
def _outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    # With CI set pytest shows whole messages in its summary, and a line of one may begin with "::".
    for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


def properties(element: ET.Element) -> dict[str, str]:
    """Return the properties directly below an element."""
    return {one.attrib["name"]: one.attrib["value"] for one in element.findall("properties/*")}


@pytest.mark.parametrize("workers", [(), ("-n2", "--target=local")], ids=["alone", "workers"])
def test_junit_tells_checks_and_verdict(
    run: Any, pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    """Each test case says what is known of it, the suite says the verdict, and the counts agree.

    The run with workers has a target, and so knows how long it took; one of them dies.
    """
    if workers:
        pytester.makepyfile(test_live=_LIVE)
    ended = run("--junitxml=junit.xml", *workers)
    (suite,) = ET.parse(pytester.path / "junit.xml").getroot()  # noqa: S314  # our own
    verdict = json.loads((pytester.path / ".goldenpath" / "verdict.json").read_text())
    cases = {case.attrib["name"]: case for case in suite.findall("testcase")}
    told = {name: properties(case) for name, case in cases.items()}

    assert ended.ret == verdict["exit_code"] == 1
    assert not [line for line in ended.outlines if line.startswith("::")]
    whole = properties(suite)
    assert whole["goldenpath.verdict"] == verdict["verdict"] == "FAIL"
    assert whole["goldenpath.exit_code"] == "1"
    target = verdict["target"]
    assert whole["goldenpath.target"] == f"{target['name']} {target['backend']}"
    assert whole["goldenpath.bypass"] == "none"
    assert whole["goldenpath.warmup.vpc" if workers else "goldenpath.warmup.skipped"]
    assert ("run_s" in verdict.get("timings", {})) is bool(workers)
    for outcome, number in verdict["counts"].items():
        assert whole[f"goldenpath.counts.{outcome}"] == str(number)
        same = [name for name in told if told[name]["goldenpath.outcome"] == outcome]
        assert len(same) == number
    assert told["test_fails"] == {
        "goldenpath.outcome": "failed",
        "goldenpath.category": "smoke",
        "goldenpath.requirements": "GP-502",
        "goldenpath.attribution": "product",
        "goldenpath.attempts": "1",
    }
    assert told["test_is_undecided"]["goldenpath.row"] == "E4-45"
    assert told["test_breaks_afterwards"]["goldenpath.outcome"] == "inconclusive"
    if workers:
        assert told["test_kills_its_worker"]["goldenpath.row"] == "E4-46"
        (crash,) = cases["test_kills_its_worker"].findall("error")
        assert crash.attrib["message"].startswith("undecided: worker ")
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("1", "3" if workers else "2")
    (failure,), (error,) = cases["test_fails"][1:], cases["test_is_undecided"][1:]
    assert (failure.tag, failure.attrib["type"]) == ("failure", "goldenpath.product")
    assert failure.attrib["message"] == "expected a price, got <b>none</b>"
    assert (error.tag, error.attrib["type"]) == ("error", "goldenpath.harness")
    assert error.attrib["message"].startswith("undecided: the check itself failed")


def test_run_without_checks_is_left_alone(pytester: pytest.Pytester) -> None:
    """Other tests in a run of their own have the XML that pytest writes."""
    pytester.makepyfile(test_own="def test_other(): pass")
    pytester.runpytest_subprocess("--junitxml=junit.xml", "-p", "no:cacheprovider")

    assert "goldenpath" not in (pytester.path / "junit.xml").read_text()


def test_github_gets_a_summary_and_annotations(
    run: Any, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One screen in the job's summary, one annotation a promise, and no smuggled command.

    The same run keeps a copy of its verdict in the folder that the environment names.
    """
    monkeypatch.setenv("GOLDENPATH_HISTORY_DIR", "kept")
    summary = pytester.path / "summary.md"
    summary.write_text("an earlier command\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path))
    lines = run("--color=no").outlines
    text = summary.read_text()

    (begin,) = [n for n, line in enumerate(lines) if line.startswith("::stop-commands::")]
    token = lines[begin].removeprefix("::stop-commands::")
    end = lines.index(f"::{token}::")
    smuggled = [n for n, line in enumerate(lines) if "smuggled" in line or "##[add-mask]" in line]
    assert smuggled
    commands = [line for n, line in enumerate(lines) if line.startswith("::") and n > end]
    assert all(begin < n < end or lines[n] in commands for n in smuggled)
    errors = [line for line in commands if line.startswith("::error ")]
    assert len(errors) == 1
    assert "file=test_own.py,line=13::expected a price" in errors[0]
    assert sum(line.startswith("::warning ") for line in commands) == 2
    assert text.startswith("an earlier command\n\n\n## Golden path: FAIL (exit 1)\n")
    assert "pytest --target http&#58;//127" in text
    assert "<b>" not in text
    (kept,) = read_folder(pytester.path / "kept").runs
    assert kept == json.loads((pytester.path / ".goldenpath" / "verdict.json").read_text())


def test_history_that_cannot_be_written_is_a_wrong_setting(
    run: Any, pytester: pytest.Pytester
) -> None:
    """A folder below a file is refused before anything is started."""
    (pytester.path / "goldenpath.toml").write_text('history_dir = "test_own.py/kept"\n')
    ended = run()

    assert ended.ret == 4
    ended.stderr.fnmatch_lines("*history_dir = *nothing can be written there*")


def test_summary_that_cannot_be_written_is_said(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict stands, whatever becomes of the summary."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(Path("none") / "summary.md"))
    ended = run("-k", "passes")

    assert ended.ret == 0
    ended.stdout.fnmatch_lines("*GITHUB_STEP_SUMMARY was not written: No such file*")
