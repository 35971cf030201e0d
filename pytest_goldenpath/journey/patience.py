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
    ends_s = None if budget_s is None else time.monotonic() + budget_s
    met_s = time.monotonic()
    survey = await conduct(target, wallet, redactor, wanted, budget_s=budget_s, tell=tell)
    looks = 1
    while names := broken_off(survey, wanted, looks):
        symptom = first_trouble(survey, names)
        left_s = None if ends_s is None else ends_s - time.monotonic()
        if symptom is None or (left_s is not None and left_s <= 0):
            break
        if not await asyncio.to_thread(outages.wait, symptom, met_s, again=looks, delay_s=left_s):
            break
        looks += 1
        left_s = None if ends_s is None else ends_s - time.monotonic()
        if left_s is not None and left_s <= 0:
            break
        met_s = time.monotonic()
        again = await conduct(
            replace(target, seed=survey.seed),
            wallet,
            redactor,
            names,
            budget_s=left_s,
            earlier=survey,
            tell=tell,
        )
        survey = mended(survey, again, names)
    known = outages.known()
    if known.gone and known.symptom:
        return outlived(survey, known.symptom.control, known.lasted_s)
    return survey
