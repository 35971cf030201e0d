"""What a run says at its end, held word by word: one green run, and failures of every kind.

The verdict documents of real runs lie in ``tests/snapshots`` beside what is to be said of them.
``GOLDENPATH_TEST_WRITE_SNAPSHOTS=1 pytest tests/report/test_terminal.py -k said_at_the_end`` makes the runs again and
writes both; read what changed before it is committed.
"""

from __future__ import annotations

import copy
import difflib
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_goldenpath.contract.attribution import ROWS
from pytest_goldenpath.contract.findings import printable
from pytest_goldenpath.report.terminal import finding_lines
from pytest_goldenpath.report.terminal_summary import _sign, summary_lines
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.document import schema
from running import run
from servers import closed_port

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"
_WRITE = bool(os.environ.get("GOLDENPATH_TEST_WRITE_SNAPSHOTS"))
_BYPASS = {"EMERGENCY_DEVELOPMENT_MODE": "true"}
#: name -> options and variables of the run
RUNS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "green": ((), {}),
    "missing-event": (("--fault=missing-agent-thinking",), {}),
    "mock-answer": (("--fault=mock-answer",), {}),
    "login-500": (("--fault=login-500",), {}),
    "health-degraded": (("--fault=health-degraded",), {}),
    "target-down": (("--target=DOWN",), {"GOLDENPATH_VPC_BUDGET_S": "1"}),
    "provider-failure": (("--fault=upstream-429",), {}),
    "bypass-active": ((), {**_BYPASS, "EMERGENCY_BYPASS_EXPIRY": "2099-01-01"}),
    "bypass-expired": ((), {**_BYPASS, "EMERGENCY_BYPASS_EXPIRY": "2020-01-01"}),
    "two-faults": (
        ("--fault=missing-tool-completed", "--fault=stale-revision", "--expect-revision=2.0.0"),
        {},
    ),
}
_MOST_LINES = 34
_MOST_GREEN_LINES = 8


def saved(name: str) -> dict[str, Any]:
    """Return a saved verdict document."""
    loaded: dict[str, Any] = json.loads((SNAPSHOTS / f"{name}.json").read_text())
    return loaded


def made(name: str, folder: Path) -> dict[str, Any]:
    """Make a run, and return its verdict document."""
    options, variables = RUNS[name]
    with closed_port() as down:
        given = [option.replace("DOWN", down) for option in options]
        variables = {"GOLDENPATH_SEED": "snapshots", **variables}
        return run(folder, "--category=smoke", *given, **variables).verdict


def steady(text: str) -> str:
    """Replace what differs from run to run: ports, revisions, moments and identifiers."""
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:4711", text)
    text = re.sub(r"ref-[0-9a-f]{8}", "ref-1a2b3c4d", text)
    text = re.sub(r"\b\d{10}\.\d+", "1790000000.0", text)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "00000000-0000-0000", text)


def bypass_of(document: dict[str, Any]) -> Bypass:
    """Return the tester's bypass that a document tells of."""
    told = document["bypass"]
    expires = datetime.fromisoformat(told["expires"]) if told["expires"] else None
    return Bypass(tuple(told["sources"]), expires, told["expired"], told["problem"])


def told(document: dict[str, Any], verbosity: int = 0) -> str:
    """Return what is said of a document, a line each."""
    lines = summary_lines(
        document,
        evidence=".goldenpath/verdict.json",
        bypass=bypass_of(document),
        verbosity=verbosity,
    )
    return "".join(f"{line.text}\n" for line in lines)


def compare(name: str, text: str) -> None:
    """Compare a text with its snapshot, or write it when asked to."""
    path = SNAPSHOTS / f"{name}.txt"
    if _WRITE:
        path.write_text(text)
    changed = difflib.unified_diff(
        path.read_text().splitlines(), text.splitlines(), f"{path.name}, saved", "now", lineterm=""
    )

    assert "\n".join(changed) == ""


EACH = pytest.mark.parametrize("name", list(RUNS))


@EACH
def test_what_is_said_at_the_end(name: str, tmp_path: Path) -> None:
    """Every kind of run is told as it was read and approved, on one screen."""
    if _WRITE:
        anew = steady(json.dumps(made(name, tmp_path), indent=1))
        (SNAPSHOTS / f"{name}.json").write_text(f"{anew}\n")
    document = saved(name)
    text = told(document)

    jsonschema.validate(document, schema())
    compare(name, text)
    assert text.count("\n") <= (_MOST_GREEN_LINES if document["verdict"] == "PASS" else _MOST_LINES)


@EACH
def test_quiet_runs_say_less(name: str) -> None:
    """With -q there are the heading and the reasons, with -qq the heading alone."""
    whole, quiet, quietest = (
        told(saved(name), verbosity).splitlines() for verbosity in (0, -1, -2)
    )

    assert quietest == whole[:1]
    assert quiet == whole[: len(quiet)]
    assert not any(line.startswith(("warm-up:", "checks:", "repeat:")) for line in quiet)


@EACH
def test_each_run_says_what_to_do(name: str) -> None:
    """A run that is not green says whose it is within its first lines, and how to repeat it."""
    document = saved(name)
    lines = told(document).splitlines()
    is_green = document["underlying"] == "PASS"

    assert any(": ours;" in line or ": not " in line for line in lines[:4]) is not is_green
    assert any(line.startswith("repeat: ") for line in lines) is (document["verdict"] != "PASS")


def worn_down(text: str) -> str:
    """Replace every time and what depends on the machine's speed, to compare two runs."""
    text = re.sub(r"slowest: .*", "slowest: ...", steady(text))
    text = re.sub(r"[(]conversations.*", "...", re.sub(r"evidence: \S+", "evidence: ...", text))
    return re.sub(r" *\d+[.]\d+ s\b", " 0.0 s", text)


def test_distributed_run_says_the_same(tmp_path: Path) -> None:
    """With -n 2 the controller tells what one process would have told, word by word.

    The failure above it is the finding alone: the source of a check says nothing.
    """
    options, variables = RUNS["missing-event"]
    variables = {"GOLDENPATH_SEED": "snapshots", **variables}
    out = run(tmp_path, "--category=smoke", "-n2", *options, **variables).out
    summary = out[out.rindex("golden path: ") :].partition("====")
    words = (SNAPSHOTS / "missing-event.txt").read_text().splitlines()
    lines = f"{summary[0].rstrip(' =')}\n{summary[2].lstrip('=')}".splitlines()
    failure = out.partition("= FAILURES =")[2].partition("golden path:")[0]

    assert worn_down("\n".join(filter(None, lines))).startswith(worn_down("\n".join(words)))
    assert "GP-402 expected: agent_thinking for our request" in failure
    assert "def test_" not in failure
    assert "ContractBroken" not in out


_TEXTS = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(
    [
        "\x1b]0;owned\x07",
        "\u202egnp",
        "a\u0301\u0301\u0301\u0301\u0301\u0301",
        "\u200b\ufeff",
        "\U0001f600",
    ]
)


def _spoilt(value: object, text: str) -> object:
    """Put a text into every text of a document that a target has a hand in."""
    if isinstance(value, dict):
        free = {"message", "evidence", "reason", "type", "last_error", "proof", "step", "revision"}
        return {k: f"{v}{text}" if k in free else _spoilt(v, text) for k, v in value.items()}
    return [_spoilt(part, text) for part in value] if isinstance(value, list) else value


@settings(max_examples=60, deadline=None)
@given(text=_TEXTS, times=st.integers(1, 60))
def test_nothing_that_a_target_says_is_obeyed(text: str, times: int) -> None:
    """Whatever stands in a document, each line is one line, of bounded length, and printable."""
    document = saved("two-faults")
    lines = told(copy.deepcopy(_spoilt(document, text * times))).split("\n")

    assert len(lines) <= _MOST_LINES
    assert all(line.isprintable() and len(line) <= 1000 for line in lines)


@given(text=st.text(st.characters(codec=None)))
def test_printable_shows_everything_and_obeys_nothing(text: str) -> None:
    """Only what is seen is left as it is, line feeds apart, and doing it twice changes nothing."""
    shown = printable(text)

    assert shown.replace("\n", "").isprintable()
    assert shown.count("\n") == text.count("\n")
    assert printable(shown) == shown
    assert shown.encode().decode() == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, größer, 日本語, Tiếng Việt", "plain, größer, 日本語, Tiếng Việt"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]8;;http://x\x07", "\\x1b]8;;http://x\\x07"),
        ("a\rb\tc\x7f\x9b", "a\\x0db\\x09c\\x7f\\x9b"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\u200b\ufeff\u2060\u00ad", "\\u200b\\ufeff\\u2060\\xad"),
        ("\u3164\u2800\ufe0f", "\\u3164\\u2800\\ufe0f"),
        ("\U000e0041\U000e0100", "\\U000e0041\\U000e0100"),
        ("\ud800", "\\ud800"),
        ("\U0001d518", "\U0001d518"),
        ("e" + "\u0301" * 6, "e" + "\u0301" * 4 + "\\u0301\\u0301"),
        ("\u2028\u2029\x85", "\\u2028\\u2029\\x85"),
    ],
)
def test_printable_by_example(text: str, shown: str) -> None:
    """What a terminal would obey or hide is spelt out; what people write is not."""
    assert printable(text) == shown


def test_every_row_is_put_into_words() -> None:
    """What a row of the attribution table looks at can be read by somebody who has not seen it."""
    names = [*(row.name for row in ROWS), "E4-34", "E4-45", "E4-12+E", "unknown"]

    assert [name for name in names if not _sign(name)] == []


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        ("expected a pong, got none", ["expected: a pong", "got:      none"]),
        (
            "expected a reply, but a ping, got lost",
            ["expected: a reply", "got:      a ping, got lost"],
        ),
        (
            "expected users to be apart, but: read",
            ["expected: users to be apart", "got:      read"],
        ),
        ("somebody else's words", ["somebody else's words"]),
    ],
)
def test_finding_is_told_as_expected_and_got(message: str, facts: list[str]) -> None:
    """A rule's sentence is taken apart where it can be."""
    first, *rest = facts
    expected = [f"GP-101 {first}", *(f"       {fact}" for fact in rest), "       seen:     there"]

    assert finding_lines("GP-101", message, "there")[: len(facts)] == expected[:-1]
    assert finding_lines("GP-101", message, "there")[-1] == expected[-1]


def test_retries_are_told_and_count_as_they_ended() -> None:
    """Checks that passed after a retry are passed, and named."""
    document = saved("green")
    for check in document["checks"][:2]:
        check["attempts"] = 3
    text = told(document)

    assert "retries: 2 checks needed a retry (" in text
    assert ", at most 3 attempts)" in text
    assert "checks: 24 passed" in text


def test_a_long_list_is_counted() -> None:
    """Of many broken promises three are told whole, the others by their codes."""
    document = saved("two-faults")
    check = next(check for check in document["checks"] if check["findings"])
    sample = check["findings"][0] | {"severity": "must", "attribution": "product"}
    check["findings"] = [sample | {"code": f"GP-4{n:02}"} for n in range(1, 40)]
    text = told(document)

    assert "more in verdict.json: " in text
    assert text.count("seen:") == 3
    assert text.count("\n") <= _MOST_LINES


def test_expiry_of_a_bypass_is_utc() -> None:
    """The saved bypass documents carry a time zone, as the heading tells them."""
    document = saved("bypass-active")

    assert datetime.fromisoformat(document["bypass"]["expires"]).tzinfo == UTC
