"""Wait for the end of an outage, once for all processes of a run, and look again (design 3).

The decision is :class:`~pytest_goldenpath.verdict.outage.Outages`; here are the clock, the probe and
the file through which the workers of a run know of each other's waits. A survey is the journey of
many checks, so it is here that their retries are made: only what broke off is looked at again, and
the wait is the run's one wait.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

from pytest_goldenpath.contract.mending import broken_off, first_trouble, mended, outlived
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.symptom import Symptom, with_control
from pytest_goldenpath.journey.conduct import conduct
from pytest_goldenpath.secrets import Redactor
from pytest_goldenpath.target.model import Target, Wallet
from pytest_goldenpath.verdict.outage import Move, Outages, Patience, from_plain, pause_s
from pytest_goldenpath.verdict.warmup import ProbeReport

_FILE, _LOCK = "outages.json", "outages.lock"
#: No wait is longer than an hour, which is the longest that a setting may ask for.
_LOCK_WITHIN_S = 3700.0
#: Waits until the target is back, at most so many seconds; None when there is nobody to ask.
Probe = Callable[[float], ProbeReport | None]


class OutageKeeper:
    """What a process knows of the run's outages, and its way to wait for the end of one.

    Args:
        patience: the run's budget.
        probe: waits for the target.
        folder: a private folder of the whole run, or None when this is its only process.
        control: asks a neutral host, once the target is gone; '' means that there is none.
        tell: gets a sentence when a wait begins and when it ends.

    """

    def __init__(
        self,
        patience: Patience,
        probe: Probe,
        folder: Path | None = None,
        *,
        control: Callable[[], str] = str,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Take the budget, the probe, and the place where other processes leave their word."""
        self._patience = patience
        self._probe = probe
        self._folder = folder
        self._control = control
        self._tell = tell
        self._known = Outages()

    def known(self) -> Outages:
        """Return what the run has waited for, in whichever process."""
        if self._folder and (self._folder / _FILE).exists():
            text = (self._folder / _FILE).read_text(encoding="utf-8")
            self._known = from_plain(json.loads(text))
        return self._known

    def wait(
        self, symptom: Symptom, met_at_s: float, *, again: int = 1, delay_s: float | None = None
    ) -> bool:
        """Wait until another attempt makes sense; blocks, and never raises for what a target does.

        Args:
            symptom: the trouble that was met.
            met_at_s: when, on ``time.monotonic``, which all processes of a machine share.
            again: how often the same thing was tried in vain.
            delay_s: how long this wait may take; the run's own limit when None.

        Returns:
            False when there is nothing left to wait for: the trouble stands.

        """
        with self._turn():
            known = self.known()
            move = known.move(met_at_s, self._patience)
            left_s = self._patience.total_s - known.waited_s
            limits = (left_s, self._patience.delay_s, *([] if delay_s is None else [delay_s]))
            if move is Move.WAIT and delay_s != 0:
                known = self._wait(known, symptom, met_at_s, min(limits), again)
                self._keep(known)
        return move is not Move.GIVE_UP and not known.gone

    def _wait(
        self, known: Outages, symptom: Symptom, met_at_s: float, limit_s: float, again: int
    ) -> Outages:
        began_s = time.monotonic()
        number = f"{known.recoveries + 1} of {self._patience.recoveries}"
        self._tell(f"outage: {symptom.sentence()}; waiting up to {limit_s:.3g} s ({number})")
        report = self._probe(limit_s)
        seen, back = bool(report and report.last_error), report is None or report.ready
        if back and not seen:
            at_least_s = pause_s(again, limit_s, symptom.retry_after_s)
            Event().wait(max(0.0, at_least_s - (time.monotonic() - began_s)))
        now_s = time.monotonic()
        word = "back" if back else f"still away, {report.last_error if report else ''}"
        self._tell(f"outage: {word} after {now_s - began_s:.1f} s")
        after = known.waited(
            symptom,
            now_s - began_s,
            met_at_s=met_at_s,
            now_s=now_s,
            back=back,
            seen=seen,
            patience=self._patience,
        )
        return self._asked_control(after) if after.gone else after

    def _asked_control(self, known: Outages) -> Outages:
        """Let a neutral host say whether it is the target that is gone, or our own network."""
        word = self._control()
        if word:
            self._tell(f"outage: the control host is {word}")
        symptom = known.symptom
        if symptom is None:
            return known
        return replace(known, symptom=with_control(symptom, word, known.lasted_s))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let one process wait; the others are told of its end by their own turn."""
        if self._folder is None:
            yield
            return
        from filelock import FileLock

        with FileLock(self._folder / _LOCK, timeout=_LOCK_WITHIN_S):
            yield

    def _keep(self, known: Outages) -> None:
        self._known = known
        if self._folder:
            whole = self._folder / f"{_FILE}.new"
            whole.write_text(json.dumps(known.plain()), encoding="utf-8")
            whole.replace(self._folder / _FILE)


async def conduct_patiently(
    target: Target,
    wallet: Wallet,
    redactor: Redactor,
    wanted: Collection[str],
    *,
    outages: OutageKeeper,
    budget_s: float | None = None,
    tell: Callable[[str], None] | None = None,
) -> Survey:
    """Make the wanted observations, again where the road broke and came back.

    Args:
        target: where.
        wallet: as whom.
        redactor: learns every secret that is met.
        wanted: names of the observations.
        outages: the run's way to wait.
        budget_s: seconds for all of it, waits included; None when own deadlines bound it.
        tell: takes a line of progress every few seconds of a long look.

    """
    left = _Left(budget_s)
    looks, met_s = 1, time.monotonic()
    survey = await conduct(target, wallet, redactor, wanted, budget_s=budget_s, tell=tell)
    while names := broken_off(survey, wanted, looks):
        symptom = first_trouble(survey, names)
        if symptom is None or left.is_over:
            break
        back = await asyncio.to_thread(
            outages.wait, symptom, met_s, again=looks, delay_s=left.seconds
        )
        if not back or left.is_over:
            break
        looks, met_s = looks + 1, time.monotonic()
        same = replace(target, seed=survey.seed)
        again = await conduct(
            same, wallet, redactor, names, budget_s=left.seconds, earlier=survey, tell=tell
        )
        survey = mended(survey, again, names)
    known = outages.known()
    if known.gone and known.symptom:
        return outlived(survey, known.symptom.control, known.lasted_s)
    return survey


class _Left:
    """What is left of a budget, None without one."""

    def __init__(self, budget_s: float | None) -> None:
        self._ends_s = None if budget_s is None else time.monotonic() + budget_s

    @property
    def seconds(self) -> float | None:
        """Seconds until it is over, at least 0."""
        return None if self._ends_s is None else max(0.0, self._ends_s - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Tell whether nothing is left."""
        return self.seconds == 0.0
