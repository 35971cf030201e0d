"""Fast feedback: the whole run within its budget, whatever the target or a check does.

Three moments, each a little before the end. The survey is given up first, so that what it has
found is judged. Then the check that is under way is ended by force, and no other one begins. At
last, should something hang that no exception reaches, the process decides by what it knows.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import pytest

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.target.sources import Setting

SHORTEST_S, LONGEST_S = 5.0, 120.0
_MOST_RESERVE_S = 10.0
#: A check that swallows what ended it gets it again this often.
_AGAIN_S = 0.5
_LOOK_S = 0.1
#: Nobody else's signal, so pytest-timeout keeps SIGALRM; Windows has no such thing.
_SIGNAL: int | None = getattr(signal, "SIGVTALRM", None)


class TimeIsOver(BaseException):
    """The run's time is over, or its verdict certain; no ``except Exception`` keeps it."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When what ends, in the seconds of ``time.monotonic``, which all processes share.

    Attributes:
        begun_s: when the run began.
        budget_s: how long it may take.
    """

    begun_s: float
    budget_s: float

    @property
    def reserve_s(self) -> float:
        """What is kept back for ending, judging and reporting."""
        return min(_MOST_RESERVE_S, self.budget_s / 4)

    @property
    def survey_until_s(self) -> float:
        """When a survey is given up."""
        return self._before_end_s(1.0)

    @property
    def checks_until_s(self) -> float:
        """When the check that is under way is ended, and none begins any more."""
        return self._before_end_s(0.6)

    def gives_up_at_s(self, *, is_worker: bool) -> float:
        """When a process ends itself; a worker before the controller, which tells of it."""
        return self._before_end_s(0.4 if is_worker else 0.2)

    def patience(self, waits_s: float) -> float:
        """Return the share of a wait that leaves a survey its least time, from 0 to 1."""
        least_s = self.budget_s / 24
        left_s = self.survey_until_s - least_s - time.monotonic()
        return min(1.0, max(0.01, left_s / waits_s))

    def _before_end_s(self, share: float) -> float:
        return self.begun_s + self.budget_s - share * self.reserve_s


class Guard:
    """Holds one process to the timetable: a thread looks at the clock beside the tests."""

    def __init__(
        self,
        times: Timetable,
        is_certain: Callable[[], bool],
        give_up: Callable[[], None],
        *,
        is_worker: bool,
    ) -> None:
        """Take the times, who knows that the verdict is certain, and the last resort."""
        self._times = times
        self._is_certain = is_certain
        self._give_up = give_up
        self._gives_up_at_s = times.gives_up_at_s(is_worker=is_worker)
        self._in_check = False
        self._again_at_s = 0.0
        self.over = ""
        self._stopped = threading.Event()
        self._handles = False
        self._thread = threading.Thread(target=self._watch, name="fast feedback", daemon=True)

    def start(self) -> None:
        """Begin to look at the clock."""
        is_main = threading.current_thread() is threading.main_thread()
        if _SIGNAL is not None and is_main and signal.getsignal(_SIGNAL) is signal.SIG_DFL:
            signal.signal(_SIGNAL, self._end_check)
            self._handles = True
        self._thread.start()

    def stop(self) -> None:
        """Look no longer."""
        self._stopped.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(_AGAIN_S)
        if self._handles and _SIGNAL is not None:
            signal.signal(_SIGNAL, signal.SIG_DFL)
            self._handles = False

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Be off guard once the verdict is written and the workers have ended."""
        try:
            return (yield)
        finally:
            self.stop()

    @contextmanager
    def endable(self) -> Iterator[None]:
        """Let what is done meanwhile be ended."""
        self._in_check = True
        try:
            yield
        finally:
            self._in_check = False

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_S):
            now_s = time.monotonic()
            if now_s >= self._gives_up_at_s:
                self._give_up()
                return
            self.over = self.over or self._why(now_s)
            if self.over and self._in_check and now_s >= self._again_at_s and self._handles:
                self._again_at_s = now_s + _AGAIN_S
                main = threading.main_thread().ident
                if main is not None and _SIGNAL is not None:
                    signal.pthread_kill(main, _SIGNAL)

    def _why(self, now_s: float) -> str:
        if now_s >= self._times.checks_until_s:
            return f"ended because the {self._times.budget_s:g} s of fast_feedback were over"
        return "ended because the verdict was certain" if self._is_certain() else ""

    def _end_check(self, _number: int, _frame: FrameType | None) -> None:
        # Between the phases of a check an exception would hit pytest itself.
        if self._in_check:
            raise TimeIsOver(self.over)


class CheckEnds:
    """What the guard does for each check; registered last, so that no retry goes before it."""

    def __init__(self, guard: Guard) -> None:
        """Take the guard of this process."""
        self._guard = guard

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> bool | None:
        """Let no check begin any more; it counts as one that did not run."""
        return True if self._guard.over else None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Let what a check asks for be ended."""
        with self._guard.endable():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Let the check be ended."""
        with self._guard.endable():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Let what clears up after a check be ended."""
        with self._guard.endable():
            return (yield)


def read_budget(setting: Setting) -> float:
    """Return the budget of fast feedback in seconds.

    Raises:
        ConfigError: it is no number from 5 to 120.

    """
    try:
        budget_s = float(setting.value)
    except ValueError:
        budget_s = 0.0
    if not SHORTEST_S <= budget_s <= LONGEST_S:
        raise ConfigError(
            "fast_budget_s",
            setting.value,
            "no number of seconds in range",
            source=setting.source,
            remedy=f"write a number from {SHORTEST_S:g} to {LONGEST_S:g}",
        )
    return budget_s
