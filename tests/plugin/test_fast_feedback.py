"""Fast feedback ends in time, whatever hangs, and names what it left undecided."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import jsonschema
import pytest

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.plugin.fast import CheckEnds, Guard, TimeIsOver, Timetable, read_budget
from pytest_goldenpath.plugin.outcomes import _explain
from pytest_goldenpath.report.terminal_summary import summary_lines
from pytest_goldenpath.target.model import Target
from pytest_goldenpath.target.sources import Setting
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.checks import Check, Outcome
from pytest_goldenpath.verdict.decide import decide
from pytest_goldenpath.verdict.document import RunFacts, document, schema
from running import environment, read_verdict, run
from servers import Raw, Service, serving, silent

BUDGET_S = 9.0
#: What a starved machine adds to the end of a run; what is not ended hangs for ever.
_SLACK_S = 15.0
#: For checks that do not ask for the target, so nobody listens there.
_NOBODY = "http://127.0.0.1:9"
_FAST = ("--execution-mode=fast_feedback", "-p", "no:cacheprovider")

AWAITS = "async def test_it():\n    await asyncio.Event().wait()"
BLOCKS = "def test_it():\n    threading.Event().wait()"
STUBBORN = """
    def test_it():
        while True:
            try:
                threading.Event().wait()
            except BaseException:
                pass
"""
_HEAD = """
import asyncio
import threading

import pytest

pytestmark = [pytest.mark.category("smoke")LOOP]
"""


def checks(body: str, others: int = 12) -> str:
    """Return a file of checks: one that passes, the one of this body, and others after it."""
    passing = "def test_{}():\n    assert asyncio.all_tasks\n\n"
    more = "".join(passing.format(f"z{number}") for number in range(others))
    loop = ', pytest.mark.asyncio(loop_scope="session")' if "async" in body else ""
    head = _HEAD.replace("LOOP", loop)
    return f"{head}\n{passing.format('a')}\n{dedent(body)}\n\n{more}"


class Hurried:
    """A run of fast feedback from a folder with one file of checks."""

    def __init__(self, folder: Path, body: str, *options: str, **variables: str) -> None:
        """Run it, and keep what came of it."""
        (folder / "test_own.py").write_text(body)
        (folder / "pytest.ini").write_text(
            "[pytest]\nasyncio_default_fixture_loop_scope = session\n"
        )
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "test_own.py",
                *_FAST,
                f"--target={_NOBODY}",
                *options,
            ],
            cwd=folder,
            env=environment(GOLDENPATH_FAST_BUDGET_S=f"{BUDGET_S:g}", **variables),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.code, self.out = done.returncode, done.stdout + done.stderr
        self.verdict = read_verdict(folder / ".goldenpath")

    def outcome(self) -> str:
        """Return what became of the check that hangs."""
        found = [c["outcome"] for c in self.verdict["checks"] if c["id"].endswith("::test_it")]
        return str(found[0]) if found else "did not run"


def assert_in_time(verdict: Mapping[str, Any], selected: int) -> None:
    """A run that ended by its budget says so in a valid document, and its numbers agree.

    On a starved machine the time may be over before anything was selected.
    """
    jsonschema.validate(verdict, schema(), format_checker=jsonschema.FormatChecker())
    assert verdict["duration_s"] <= BUDGET_S + _SLACK_S
    assert (verdict["verdict"], verdict["exit_code"]) == ("INCONCLUSIVE", 75)
    assert sum(verdict["counts"].values()) == len(verdict["checks"])
    assert {c["id"] for c in verdict["checks"]}.isdisjoint(verdict["unfinished"])
    assert len(verdict["checks"]) + len(verdict["unfinished"]) in {0, selected}


@pytest.mark.parametrize(
    ("hanging", "workers"),
    [(AWAITS, ()), (BLOCKS, ("-n", "2")), (STUBBORN, ("-n", "2"))],
    ids=["awaits", "blocks", "stubborn"],
)
def test_check_that_hangs_keeps_no_run(
    tmp_path: Path, hanging: str, workers: tuple[str, ...]
) -> None:
    """The run ends with a verdict; the check is undecided, and those behind it are listed."""
    ran = Hurried(tmp_path, checks(hanging), *workers)

    assert_in_time(ran.verdict, 14)
    assert ran.code == 75, ran.out
    assert ran.outcome() in {"inconclusive", "did not run"}
    assert "golden path: INCONCLUSIVE (exit 75)" in ran.out
    assert f"{BUDGET_S:g} s of fast_feedback were over" in ran.out


def test_collection_that_hangs_is_ended(tmp_path: Path) -> None:
    """A file that hangs when it is imported leaves a verdict about nothing, in time."""
    ran = Hurried(tmp_path, "import threading\nthreading.Event().wait()\n")

    assert_in_time(ran.verdict, 0)
    assert ran.code == 75, ran.out
    assert "did not end by itself" in ran.out


async def hanging_login(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer health at once, and anything else by a byte now and then, for ever."""
    head = await reader.readuntil(b"\r\n\r\n")
    if b"/health" in head:
        again = asyncio.StreamReader()
        again.feed_data(head)
        await Service(lambda _line, _count: (200, {"status": "healthy"}))(again, writer)
        return
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("answer", "workers"), [(silent, ()), (hanging_login, ("-n", "2"))], ids=["hangs", "drips"]
)
def test_target_that_hangs_is_given_up(
    tmp_path: Path, answer: Raw, workers: tuple[str, ...]
) -> None:
    """Warm-up and survey are cut to the budget, and every check is accounted for."""
    with serving(answer) as url:
        ran = run(
            tmp_path,
            *_FAST,
            f"--target={url}",
            *workers,
            GOLDENPATH_FAST_BUDGET_S=f"{BUDGET_S:g}",
        )

    assert_in_time(ran.verdict, 24)
    assert ran.code == 75, ran.out


def test_certain_verdict_ends_what_is_under_way(tmp_path: Path) -> None:
    """Under xdist a check that hangs elsewhere does not keep a run that is FAIL."""
    body = checks(BLOCKS).replace("assert asyncio.all_tasks", "assert not asyncio.all_tasks", 1)
    (tmp_path / "test_own.py").write_text(body)
    ran = run(
        tmp_path,
        str(tmp_path / "test_own.py"),
        *_FAST,
        "-n",
        "2",
        "--dist=load",
        "-k",
        "test_own",
        GOLDENPATH_FAST_BUDGET_S="120",
        GOLDENPATH_TARGET=_NOBODY,
    )

    assert (ran.code, ran.verdict["verdict"]) == (1, "FAIL"), ran.out
    assert len(ran.verdict["checks"]) + len(ran.verdict["unfinished"]) == 14
    assert ran.verdict["duration_s"] < 100


@contextmanager
def guarding(ends_in_s: float, *, certain: bool = False) -> Iterator[Guard]:
    """Guard this process by a timetable that ends checks in so many seconds."""
    times = Timetable(time.monotonic() - 114.0 + ends_in_s, 120.0)
    guard = Guard(times, lambda: certain, lambda: None, is_worker=False)
    guard.start()
    try:
        yield guard
    finally:
        guard.stop()


def blocks() -> None:
    """Wait for ever."""
    threading.Event().wait()


def swallows() -> None:
    """Wait for ever, and once more when that is ended."""
    try:
        blocks()
    except BaseException:  # noqa: BLE001  # what a careless check does
        blocks()


def awaits() -> None:
    """Wait for ever on an event loop."""
    with asyncio.Runner() as runner:
        runner.run(forever())


async def forever() -> None:
    """Wait for what never comes."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("hangs", [blocks, swallows, awaits])
def test_what_hangs_is_ended_by_an_exception(hangs: Callable[[], None]) -> None:
    """Blocking, awaiting or swallowing: the exception comes, and no check begins after it."""
    with guarding(0.3) as guard:
        assert CheckEnds(guard).pytest_runtest_protocol() is None
        with pytest.raises(TimeIsOver, match="120 s of fast_feedback were over"), guard.endable():
            hangs()

        assert CheckEnds(guard).pytest_runtest_protocol() is True


def test_certain_verdict_ends_a_check_at_once() -> None:
    """What is under way when another process knows the verdict is ended long before its time."""
    with (
        guarding(100.0, certain=True) as guard,
        pytest.raises(TimeIsOver, match="the verdict was certain"),
        guard.endable(),
    ):
        blocks()


def test_check_that_ends_in_time_is_left_alone() -> None:
    """Nothing is raised before the time, nor between the phases of a check after it."""
    with guarding(0.2) as guard:
        with guard.endable():
            pass
        threading.Event().wait(0.6)

        assert guard.over


def test_process_that_does_not_end_gives_up() -> None:
    """The last resort is called by the clock itself, whatever the main thread is at."""
    gave_up = threading.Event()
    times = Timetable(time.monotonic() - 118.0, 120.0)
    guard = Guard(times, lambda: False, gave_up.set, is_worker=False)
    guard.start()

    assert gave_up.wait(30.0)
    guard.stop()


def test_end_by_force_is_the_harness_s_trouble(pytestconfig: pytest.Config) -> None:
    """A check that was ended is inconclusive, of the row of spent budgets."""
    with pytest.raises(TimeIsOver) as caught:
        raise TimeIsOver("ended because the 9 s of fast_feedback were over")
    explained = _explain(pytestconfig, caught, is_call=True)

    assert (explained.outcome, explained.row) == (Outcome.INCONCLUSIVE, "E4-46")
    assert explained.attribution == "harness"
    assert "9 s of fast_feedback were over" in explained.reason


def test_times_of_the_longest_and_of_the_shortest_run() -> None:
    """What ends first is the survey, then the check, then a worker, then the controller."""
    for budget_s, survey_s in ((120.0, 110.0), (5.0, 3.75)):
        times = Timetable(100.0, budget_s)
        moments = [
            times.survey_until_s,
            times.checks_until_s,
            times.gives_up_at_s(is_worker=True),
            times.gives_up_at_s(is_worker=False),
            100.0 + budget_s,
        ]

        assert moments == sorted(set(moments))
        assert moments[0] == pytest.approx(100.0 + survey_s)


def test_warmup_is_patient_as_far_as_the_budget_goes() -> None:
    """60 s + 45 s fit into 120 s as they are, and are cut to what a shorter run has."""
    assert Timetable(time.monotonic(), 120.0).patience(105.0) == pytest.approx(1.0, abs=0.01)
    assert Timetable(time.monotonic(), 30.0).patience(105.0) == pytest.approx(0.2, abs=0.02)
    assert Timetable(time.monotonic() - 200.0, 120.0).patience(105.0) == 0.01


@pytest.mark.parametrize("value", ["4.9", "121", "nan", "inf", "-5", "soon", ""])
def test_budget_out_of_range_is_refused(value: str) -> None:
    """Only a number from 5 to 120 is a budget."""
    with pytest.raises(ConfigError, match="from 5 to 120"):
        read_budget(Setting(value, "environment GOLDENPATH_FAST_BUDGET_S"))


@pytest.mark.parametrize(("value", "seconds"), [("5", 5.0), ("120", 120.0), ("7.5", 7.5)])
def test_budget_in_range_is_taken(value: str, seconds: float) -> None:
    """Both ends belong to the range."""
    assert read_budget(Setting(value, "default")) == seconds


def test_checks_that_did_not_run_are_listed_whatever_the_mode() -> None:
    """The verdict names all of them, sorted; the summary names ten, and both count the same."""
    ids = [f"t.py::test_{number:02}" for number in range(12)]
    passed = Check("t.py::test_a", "smoke", ("GP-101",), Outcome.PASSED)
    decision = decide((passed,), unfinished=set(ids))
    target, bypass = Target("x", "http://x", "http://x", "ws://x/ws"), Bypass()
    begun = "2025-09-16T12:00:00+00:00"
    facts = RunFacts(target, "", "", ("smoke",), "full", begun, 1.0, bypass)
    told = document(decision, (passed,), facts, exit_code=decision.exit_code)
    lines = [line.text for line in summary_lines(told, evidence="v.json", bypass=bypass)]

    jsonschema.validate(told, schema(), format_checker=jsonschema.FormatChecker())
    assert (told["verdict"], told["unfinished"]) == ("INCONCLUSIVE", ids)
    assert f"did not run: {', '.join(ids[:10])} and 2 more" in lines
    assert any("1 passed, 12 did not run" in line for line in lines)
