"""The marker ``infra_retry``: a test whose road broke is made again once the road is back.

A broken promise and a failed assertion are never retried. Each attempt has a time-out of its own;
fixtures of the test's own scope are renewed, wider ones are kept unless their set-up failed; only
the last attempt is reported to others, so that a test is one test in every report.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest
from _pytest.runner import call_and_report

from pytest_goldenpath.contract.mending import passing
from pytest_goldenpath.contract.symptom import Symptom, with_control
from pytest_goldenpath.plugin.collection import is_check
from pytest_goldenpath.plugin.outcomes import ATTRIBUTE, explain_again, road_trouble
from pytest_goldenpath.plugin.proof import trouble
from pytest_goldenpath.plugin.run import Run
from pytest_goldenpath.plugin.warming import warmth_of

MARKER = "infra_retry"
#: Fixtures with which a check talks to the target by itself, and so is retried by default.
_TALKS = frozenset({"http", "journey", "second_user", "user"})
#: The marker by which other plugins run a test again: pytest-rerunfailures, pytest-retry, flaky.
_RIVAL = "flaky"
_LONGEST_S, _MOST_ATTEMPTS = 3600.0, 20
#: The number of the attempt that is under way, and how many there may be.
ATTEMPT: pytest.StashKey[tuple[int, int]] = pytest.StashKey()
_MET: pytest.StashKey[tuple[Symptom, float]] = pytest.StashKey()


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a test may be made, and how long one wait between two attempts may take.

    Attributes:
        attempts: at least 1, which means that it is never made again.
        delay_s: seconds.
    """

    attempts: int
    delay_s: float


def retries_of(item: pytest.Item, run: Run) -> Retries:
    """Return how often a test may be made: its marker's word, else the target's for a check.

    Raises:
        pytest.UsageError: the marker is malformed, or another plugin's stands beside it.

    """
    marker = item.get_closest_marker(MARKER)
    target = run.known_target()
    if marker is None:
        talks = is_check(item) and not _TALKS.isdisjoint(getattr(item, "fixturenames", ()))
        return Retries(target.infra_attempts if talks else 1, target.infra_delay_s)
    if item.get_closest_marker(_RIVAL):
        raise pytest.UsageError(
            f"{item.nodeid}: {MARKER} and {_RIVAL} would both make this test again; "
            f"leave out one of the two markers"
        )
    if marker.args or not set(marker.kwargs) <= {"attempts", "delay"}:
        given = ", ".join((*map(repr, marker.args), *marker.kwargs))
        raise pytest.UsageError(
            f"{item.nodeid}: {MARKER}({given}): write {MARKER}(attempts=3, delay=30.0); "
            "both are optional and there are no others"
        )
    attempts = marker.kwargs.get("attempts", target.infra_attempts)
    delay_s = marker.kwargs.get("delay", target.infra_delay_s)
    if type(attempts) is not int or not 1 <= attempts <= _MOST_ATTEMPTS:
        raise pytest.UsageError(
            f"{item.nodeid}: {MARKER}(attempts={attempts!r}): "
            f"write a whole number from 1 to {_MOST_ATTEMPTS}"
        )
    if type(delay_s) not in {int, float} or not (
        math.isfinite(delay_s) and 0 <= delay_s <= _LONGEST_S
    ):
        raise pytest.UsageError(
            f"{item.nodeid}: {MARKER}(delay={delay_s!r}): "
            f"write seconds as a number from 0 to {_LONGEST_S:g}"
        )
    return Retries(attempts, float(delay_s))


class Retrying:
    """Runs the tests of a process that may be made again."""

    def __init__(self, run: Run) -> None:
        """Take the run, whose outages are shared by all its tests."""
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Make a test until it is decided, or nothing is left to wait for."""
        retries = retries_of(item, self._run)
        if retries.attempts == 1:
            return None
        notes: list[str] = []
        reports: list[pytest.TestReport] = []
        number = 0
        for number in range(1, retries.attempts + 1):
            item.stash[ATTEMPT] = (number, retries.attempts)
            is_last = number == retries.attempts
            reports, met = self._attempt(item, nextitem, Retries(not is_last, retries.delay_s))
            if met is None:
                break
            notes.append(f"attempt {number} of {retries.attempts}: {met.sentence()}")
        for report in reports:
            _note_attempts(report, number, notes)
            item.ihook.pytest_runtest_logreport(report=report)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave a test undecided at once when the target is gone and no wait is left."""
        __tracebackhide__ = True
        known = self._run.outages().known()
        if known.gone and known.symptom and retries_of(item, self._run).attempts > 1:
            raise trouble(known.symptom)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Remember the road's trouble that ended an attempt, with the time when it was met."""
        report = yield
        if call.when != "teardown" and call.excinfo is not None and report.failed:
            symptom = road_trouble(call.excinfo.value, item.config)
            tries, _ = item.stash.get(ATTEMPT, (1, 1))
            if passing(symptom, tries) and symptom:
                item.stash[_MET] = (symptom, time.monotonic())
        return report

    def _attempt(
        self, item: pytest.Item, nextitem: pytest.Item | None, left: Retries
    ) -> tuple[list[pytest.TestReport], Symptom | None]:
        """Make a test once; returns the trouble as well when it is to be made again."""
        if _MET in item.stash:
            del item.stash[_MET]
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        if getattr(item, "_request", True) is False:
            item._initrequest()  # type: ignore[attr-defined]  # noqa: SLF001  # as pytest does
        again = None
        try:
            reports = [call_and_report(item, "setup", log=False)]
            if reports[0].passed and not item.config.option.setuponly:
                reports.append(call_and_report(item, "call", log=False))
            if left.attempts and self._waits(item, left.delay_s):
                again = item.stash[_MET][0]
            elif _MET in item.stash:
                self._tell_of_the_end(item.stash[_MET][0], reports[-1])
            after = _sibling(item) if again else nextitem
            ends = item.session.shouldfail or item.session.shouldstop
            reports.append(
                call_and_report(item, "teardown", log=False, nextitem=None if ends else after)
            )
            if again:
                _forget_failed_fixtures(item)
        finally:
            if hasattr(item, "_request"):
                item._request = False  # noqa: SLF001  # as pytest does
                item.funcargs = None  # type: ignore[attr-defined]
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return reports, again

    def _waits(self, item: pytest.Item, delay_s: float) -> bool:
        """Wait out the trouble of an attempt, with no time-out running; False when it stands."""
        met = item.stash.get(_MET, None)
        if met is None or warmth_of(self._run).blocking or self._run.outages().known().gone:
            return False
        if item.session.shouldfail or item.session.shouldstop:
            return False
        timer = _Timer(item)
        timer.cancel()
        number, _ = item.stash[ATTEMPT]
        back = self._run.outages().wait(*met, again=number, delay_s=delay_s)
        timer.set()
        return back

    def _tell_of_the_end(self, met: Symptom, report: pytest.TestReport) -> None:
        """Add to the trouble of a target that is gone for how long it was, and whose network is."""
        known = self._run.outages().known()
        if known.gone and known.symptom:
            explain_again(report, with_control(met, known.symptom.control, known.lasted_s))


class _Timer:
    """The time-out of a test, when pytest-timeout watches it as a whole; else nothing."""

    def __init__(self, item: pytest.Item) -> None:
        plugin: Any = item.config.pluginmanager.getplugin("timeout")
        settings = plugin._get_item_settings(item) if plugin else None  # noqa: SLF001
        watched = settings and settings.timeout and settings.timeout > 0 and not settings.func_only
        self._settings = settings if watched else None
        self._item = item

    def cancel(self) -> None:
        """Stop the clock."""
        if self._settings:
            self._item.ihook.pytest_timeout_cancel_timer(item=self._item)

    def set(self) -> None:
        """Start it anew, for the next attempt or for the teardown."""
        if self._settings:
            self._item.ihook.pytest_timeout_set_timer(item=self._item, settings=self._settings)


def _sibling(item: pytest.Item) -> pytest.Item | None:
    """Return a stand-in for a test beside this one, for which wider fixtures are kept.

    pytest tears down what the next item does not need: none would end the session's fixtures,
    and the item itself would be taken for set up already.
    """
    if item.parent is None:
        return None
    beside: pytest.Item = _Beside.from_parent(item.parent, name="goldenpath: the next attempt")
    return beside


class _Beside(pytest.Item):
    def runtest(self) -> None:
        """Never run."""


def _forget_failed_fixtures(item: pytest.Item) -> None:
    """Let the next attempt set up again what failed; pytest would repeat the failure by heart."""
    info, request = getattr(item, "_fixtureinfo", None), getattr(item, "_request", None)
    for definitions in info.name2fixturedefs.values() if info else ():
        for definition in definitions:
            cached = definition.cached_result
            if cached is not None and cached[2] is not None:
                definition.finish(request)


def _note_attempts(report: pytest.TestReport, number: int, notes: list[str]) -> None:
    record: dict[str, Any] | None = getattr(report, ATTRIBUTE, None)
    if record is not None:
        record["attempts"] = number
    if notes and (report.when == "call" or (report.when == "setup" and report.failed)):
        report.sections.append(("golden path attempts", "\n".join(notes)))
