"""How long a target took, in the figures that are compared from run to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript, last_completion

#: Every figure in the order in which a journey meets it, with its name for people.
NAMES = {
    "health_p50_s": "health, median",
    "health_p95_s": "health, 95th percentile",
    "login_s": "login",
    "welcome_s": "welcome",
    "first_event_s": "first event",
    "run_s": "agent run",
}


def timings(survey: Survey) -> dict[str, float]:
    """Return what a survey shows, seconds; a figure that was not seen is not there."""
    return {name: round(seconds, 4) for name, seconds in _figures(survey)}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed.

    Args:
        values: at least one.
        share: above 0, at most 1.

    """
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def _figures(survey: Survey) -> Iterator[tuple[str, float]]:
    answers = [exchange.answer_s for exchange in survey.health if exchange.symptom is None]
    if answers:
        yield "health_p50_s", percentile(answers, 0.5)
        yield "health_p95_s", percentile(answers, 0.95)
    login = survey.login.exchange if survey.login else None
    if login is not None and login.symptom is None:
        yield "login_s", login.answer_s
    if survey.journey is not None:
        yield from _of_journey(survey.journey)


def _of_journey(journey: Transcript) -> Iterator[tuple[str, float]]:
    opened, welcome = journey.opened, journey.welcome()
    if opened is not None and welcome is not None:
        yield "welcome_s", max(0.0, welcome.at_s - opened.at_s)
    asked, events = journey.sent("request"), journey.events()
    if asked is None or not events:
        return
    yield "first_event_s", events[0].at_s - asked.at_s
    end = last_completion(events)
    if end is not None:
        yield "run_s", events[end].at_s - asked.at_s
