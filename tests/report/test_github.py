"""Annotations and job summary within GitHub's limits, and no command from a target."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.contract.findings import Finding, Severity
from pytest_goldenpath.report.ci import (
    MOST,
    SUMMARY_BYTES,
    annotate,
    append_summary,
    command,
    relative_to_workspace,
)
from pytest_goldenpath.report.terminal_summary import ACTIONS
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.checks import Outcome
from verdicts import BEGAN, NOTE, check, verdict


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as the runner does: kind, properties, message."""
    assert line.startswith("::")
    heading, _, data = line[2:].partition("::")
    kind, _, told = heading.partition(" ")
    pairs = dict(pair.split("=", 1) for pair in told.split(",") if pair)
    return kind, {name: unescaped(value) for name, value in pairs.items()}, unescaped(data)


def unescaped(text: str) -> str:
    """Undo the escapes, in the runner's order."""
    for escape, character in (
        ("%3A", ":"),
        ("%2C", ","),
        ("%0D", "\r"),
        ("%0A", "\n"),
        ("%25", "%"),
    ):
        text = text.replace(escape, character)
    return text


@given(st.text(max_size=200), st.text(max_size=50))
def test_any_text_stays_one_command(message: str, title: str) -> None:
    """Nothing in a message or a title ends the command or begins another one."""
    line = command("error", message, title=title)

    assert len(line.splitlines()) == 1
    kind, properties, data = parsed(line)
    assert (kind, set(properties)) == ("error", {"title"})
    if message.isprintable():
        assert data == message


def test_lines_of_a_message_are_kept() -> None:
    """Line ends, per cents and commas survive as GitHub escapes them."""
    line = command("warning", "50 %\nnext", title="a: b, c")

    assert line == "::warning title=a%3A b%2C c::50 %25%0Anext"


def test_promise_is_annotated_once_with_its_place() -> None:
    """One error for a promise, however many checks met it, at the check's own line."""
    broken = verdict(check(1, Outcome.FAILED), check(2, Outcome.FAILED), check(3))
    place = {check(2).id: ("suites/smoke/test_it.py", 12)}
    kind, properties, data = parsed(*annotate(broken, place))

    assert kind == "error"
    assert properties == {
        "title": "golden path: GP-502",
        "file": "suites/smoke/test_it.py",
        "line": "12",
    }
    assert "expected a real answer, got a mock\nseen: " in data
    assert f"product: {ACTIONS['product']}" in data


def test_clean_run_is_not_annotated() -> None:
    """A pass leaves GitHub's page as it is."""
    assert annotate(verdict(check(1)), {}) == []


def test_doubts_notes_and_bypass_are_warnings() -> None:
    """What is undecided, a note and a bypass accuse nobody."""
    active = Bypass(("DEMO_MODE",), BEGAN + timedelta(days=1))
    unsure = verdict(check(1, Outcome.INCONCLUSIVE), check(2, findings=(NOTE,)), bypass=active)
    told = [parsed(line) for line in annotate(unsure, {})]

    assert {kind for kind, _, _ in told} == {"warning"}
    assert [properties["title"] for _, properties, _ in told] == [
        "golden path: undecided",
        "golden path: bypass active",
        "golden path: GP-105 (note)",
    ]
    assert f"infrastructure: {ACTIONS['infrastructure']}" in told[0][2]


def test_run_that_stopped_early_is_annotated() -> None:
    """A verdict that is undecided although no check is, says why."""
    (line,) = annotate(verdict(check(1), unfinished=("suites/test_never",)), {})

    assert "1 selected checks did not run" in line


def test_more_than_github_shows_is_counted() -> None:
    """Beyond the limit the last annotation says how many there are."""
    many = [
        check(
            number,
            Outcome.FAILED,
            findings=(Finding(f"GP-{number:03}", Severity.MUST, "expected a, got b"),),
        )
        for number in range(1, 31)
    ]
    lines = annotate(verdict(*many), {})

    assert len(lines) == MOST < 10
    assert "22 more are in the verdict file" in lines[-1]


def test_summary_is_appended(tmp_path: Path) -> None:
    """What another command of the step wrote stays."""
    path = tmp_path / "summary.md"
    path.write_text("before")

    assert append_summary(path, "## ours\n")
    assert path.read_text() == "before\n\n## ours\n"


@pytest.mark.parametrize(("room", "fits"), [(8, False), (9, True)])
def test_summary_never_exceeds_the_limit(tmp_path: Path, room: int, *, fits: bool) -> None:
    """GitHub refuses a larger one as a whole, so nothing is added then."""
    path = tmp_path / "summary.md"
    path.write_bytes(b"x" * (SUMMARY_BYTES - room))

    assert append_summary(path, "1234567") is fits
    assert path.stat().st_size == (SUMMARY_BYTES if fits else SUMMARY_BYTES - room)


def test_only_files_of_the_repository_are_named(tmp_path: Path) -> None:
    """A check that came with the package is no file of the repository."""
    environment = {"GITHUB_WORKSPACE": str(tmp_path)}

    assert relative_to_workspace(tmp_path / "a" / "test_it.py", environment) == "a/test_it.py"
    assert relative_to_workspace(tmp_path.parent / "test_it.py", environment) == ""
