"""The terminal in real runs: progress, letters, failure sections, bytes of a stranger."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
from pathlib import Path
from queue import Empty, Queue
from types import SimpleNamespace

import pytest

from builders import healthy_entries, heard
from pytest_goldenpath.contract.transcript import Entry, Kind
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.conduct import _telling
from pytest_goldenpath.journey.expedition import Expedition, awaited
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.plugin.outcomes import ATTRIBUTE, Letters
from pytest_goldenpath.plugin.progress import Relay, shower
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import ReadyToken, Target, Wallet
from running import command, environment, run

_WAITS = ("--category=smoke", "--fault=no-welcome", "-k", "welcome")
_TOLD = "goldenpath: looking at the target, "
_WITHIN_S = 120.0


def trip(*wanted: str) -> Expedition:
    """Return an expedition that has just set out; it never asks anything."""
    target = Target("here", "http://127.0.0.1:9", "http://127.0.0.1:9", "ws://127.0.0.1:9/ws")
    wallet = Wallet(ReadyToken(Secret("a token")))
    redactor = Redactor()
    return Expedition(target, wallet, redactor, wanted, Web(target.backend, redactor, Stopwatch()))


async def told_while(waiting_s: float, every_s: float, budget_s: float = 9.0) -> list[str]:
    """Return what is told while a part waits so long."""
    lines: list[str] = []
    part = asyncio.create_task(asyncio.sleep(waiting_s))
    await _telling({part}, budget_s, trip("idle"), lines.append, every_s=every_s)
    part.cancel()
    return lines


def test_short_wait_is_silent() -> None:
    """A survey that is over before the first line is due says nothing, a longer one does."""
    assert asyncio.run(told_while(0.01, every_s=5.0)) == []
    assert asyncio.run(told_while(0.3, every_s=0.1))[0].startswith("looking at the target, 0 s")


def test_telling_keeps_the_budget() -> None:
    """However often it tells, the wait ends with its budget."""
    watch = Stopwatch()
    lines = asyncio.run(told_while(30.0, every_s=0.05, budget_s=0.2))

    assert watch.now() < 5.0
    assert lines


@pytest.mark.parametrize(
    ("count", "waits_for"),
    [
        (0, "the welcome"),
        (2, "the welcome"),
        (3, "a pong"),
        (5, "agent_started"),
        (7, "tool_executing"),
        (9, "agent_completed"),
        (10, "the end of the run"),
    ],
)
def test_what_a_journey_waits_for(count: int, waits_for: str) -> None:
    """What is waited for is what has not been heard yet."""
    assert awaited(healthy_entries()[:count]) == waits_for


def test_hostile_frames_do_not_reach_the_progress() -> None:
    """A name that a target makes up is never a part of the line."""
    entries = [*healthy_entries()[:5], heard({"type": "\x1b[2Jevil"}, 0.06), Entry(1, Kind.MISSED)]

    assert awaited(entries) == "agent_started"


def test_progress_is_bounded() -> None:
    """The names of what is under way are counted when they are many."""
    wide = trip(*(f"part{number:02}" for number in range(30)))

    assert wide.progress() == "under way: part00, part01, part02, part03 and 26 more"
    assert trip().progress() == "nearly done"


class Loop:
    """Stands where xdist has its own: it asks a queue and gives up after a moment."""

    def __init__(self) -> None:
        self.queue: Queue[str] = Queue()

    def ask(self) -> str:
        """Ask the queue, as xdist does."""
        try:
            return self.queue.get(timeout=0.01)
        except Empty:
            return ""


class Terminal:
    """Keeps the lines that a terminal would show."""

    def __init__(self, *, isatty: bool = False, hasmarkup: bool = False) -> None:
        self.isatty, self.hasmarkup = isatty, hasmarkup
        self.lines: list[str] = []
        self.passing: list[str] = []
        self._tw = SimpleNamespace(fullwidth=80)

    def ensure_newline(self) -> None:
        """Begin a line."""

    def flush(self) -> None:
        """Show it."""

    def rewrite(self, line: str, *, erase: bool) -> None:
        """Take a line that the next one hides."""
        assert erase
        self.passing.append(line)

    def write_line(self, line: str) -> None:
        """Take a line."""
        self.lines.append(line)


def test_controller_tells_each_line_once(pytester: pytest.Pytester) -> None:
    """What a worker left is told when xdist's queue is empty, once, and nothing else is lost."""
    config = pytester.parseconfig("-p", "no:terminal")
    loop, terminal = Loop(), Terminal()
    config.pluginmanager.register(loop, "dsession")
    config.pluginmanager.register(terminal, "terminalreporter")
    Relay(config, pytester.path).pytest_runtestloop()

    assert loop.ask() == ""
    (pytester.path / "progress").write_text("looking\x1b[2J\nforged")
    assert [loop.ask(), loop.ask()] == ["", ""]
    loop.queue.put("an event")
    assert loop.ask() == "an event"
    assert terminal.lines == ["goldenpath: looking\\x1b[2J forged"]


@pytest.mark.parametrize(
    ("isatty", "hasmarkup", "verbose", "kept", "written_over"),
    [
        (True, True, 0, 0, 2),
        (True, False, 0, 2, 0),
        (False, False, -1, 2, 0),
        (False, True, 0, 2, 0),
        (True, True, -2, 0, 0),
    ],
    ids=["terminal", "NO_COLOR or TERM=dumb", "-q to a file", "FORCE_COLOR to a file", "-qq"],
)
def test_how_progress_is_shown(
    pytester: pytest.Pytester,
    isatty: bool,
    hasmarkup: bool,
    verbose: int,
    kept: int,
    written_over: int,
) -> None:
    """A line is written over where that can be done and plain text was not asked for."""
    config = pytester.parseconfig("-p", "no:terminal")
    config.option.verbose = verbose
    terminal = Terminal(isatty=isatty, hasmarkup=hasmarkup)
    config.pluginmanager.register(terminal, "terminalreporter")
    show = shower(config)
    show("5 s")
    show("10 s")

    assert (len(terminal.lines), len(terminal.passing)) == (kept, written_over)


@pytest.mark.parametrize(
    ("attempts", "letter"), [(1, None), (2, ("passed", "r", ("RETRIED", {"yellow": True})))]
)
def test_letter_of_a_retry(attempts: int, letter: object) -> None:
    """A check that passed after a retry has a letter of its own, and is counted as passed."""
    report = pytest.TestReport("a", ("a", 1, "a"), {}, "passed", None, "call")
    setattr(report, ATTRIBUTE, {"outcome": "passed", "attempts": attempts})

    assert Letters().pytest_report_teststatus(report) == letter


def test_retried_check_is_passed(pytester: pytest.Pytester) -> None:
    """Pytest's closing line counts it as passed, ours says that it needed a retry."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_logreport(report):
            if getattr(report, "goldenpath", None):
                report.goldenpath["attempts"] = 2
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.category("smoke")
        def test_nothing_of_the_target():
            assert True
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", timeout=_WITHIN_S)

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*test_retried_check_is_passed.py r *"])
    result.stdout.fnmatch_lines(["retries: 1 check needed a retry (*, at most 2 attempts)"])
    result.stdout.fnmatch_lines(["=* 1 passed in *"])


_HOSTILE = "\x1b]0;owned\x07 \u202egnp \x9b2J \u200b" + "x" * 5000


def test_hostile_words_are_spelt_out(pytester: pytest.Pytester) -> None:
    """What a stranger says is escaped in every section, also when all of a failure is shown."""
    pytester.makeconftest(
        f"""
        import pytest

        @pytest.hookimpl(optionalhook=True)
        def pytest_goldenpath_judge_answer(question, answer):
            return {_HOSTILE!r}
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.requirement("GP-502")
        def test_answer_is_real(prove):
            prove()
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-vv", timeout=_WITHIN_S)
    shown = result.stdout.str()

    assert result.ret == 1
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "\\x1b]0;owned\\x07 \\u202egnp" in shown
    assert ">       prove()" in shown


def test_long_look_is_told_from_a_worker(tmp_path: Path) -> None:
    """A wait of seconds is told by the controller, in whole lines."""
    out = run(tmp_path, *_WAITS, "-n2").out
    lines = [line for line in out.splitlines() if _TOLD in line]

    assert all(line.startswith(_TOLD) for line in lines)
    assert any("the journey waits for the welcome" in line for line in lines)
    assert "\r" not in out
    assert "\x1b" not in out


def test_terminal_line_is_rewritten(tmp_path: Path) -> None:
    """On a terminal the line is written over."""
    surroundings = {**environment(), "TERM": "xterm"}
    del surroundings["NO_COLOR"]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(f"--evidence-dir={tmp_path / 'evidence'}", *_WAITS),
        cwd=tmp_path,
        env=surroundings,
        stdout=theirs,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
    )
    os.close(theirs)
    out = _read_all(ours)
    process.wait(_WITHIN_S)

    assert f"\r{_TOLD}" in out.replace("\r\n", "\n")


def _read_all(terminal: int) -> str:
    """Read a terminal until nobody writes to it any longer."""
    read = bytearray()
    while True:
        try:
            some = os.read(terminal, 65536)
        except OSError:  # Linux says so when the last writer has gone
            break
        if not some:
            break
        read += some
    os.close(terminal)
    return read.decode()
