"""Look at a target, and look again at what the road kept from being seen (design 3).

A survey is the journey of many checks, so it is here that their retries are made: only what broke
off is looked at again, and the wait is the run's one wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import replace

from pytest_goldenpath.contract.mending import broken_off, first_trouble, mended, outlived
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.journey.conduct import conduct
from pytest_goldenpath.journey.outage import OutageKeeper
from pytest_goldenpath.secrets import Redactor
from pytest_goldenpath.target.model import Target, Wallet


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
