"""When things come: time stamps, gaps, streaming (GP-412 to GP-414)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

from pytest_goldenpath.contract.findings import Finding, Severity
from pytest_goldenpath.contract.rules.events import BEFORE_THE_REQUEST
from pytest_goldenpath.contract.rules.sequence import COMPLETED
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.signs import blame_for_silence
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Heard, Transcript, last_completion

#: Agents tell their events side by side, so stamps of neighbours may cross by this much.
BACKWARDS_S = 1.0
#: Clocks of two machines may differ by this much; tokens allow 60 s as well (protocol 2.4).
CLOCK_S = 120.0
#: A run shorter than this is too short to tell streaming from sending at the end.
STREAMING_RUN_S = 1.0
_STREAMING_SHARE = 0.9
_MILLISECONDS_FROM = 1e11
#: The last millisecond of the year 9999.
_LATEST_MILLISECOND = 253_402_300_800_000
_NO_EVENTS = Unlooked("no event of ours came", blocked_by=("GP-401", *BEFORE_THE_REQUEST))


def stamps_are_right(survey: Survey) -> Ruling:
    """GP-412: time stamps are there, parse, do not run backwards and are near the clock."""
    journey = survey.journey
    events = journey.events() if journey else ()
    if journey is None or not events:
        return _NO_EVENTS
    found: dict[str, Finding] = {}
    latest = float("-inf")
    for heard in events:
        problem = ""
        stamp = stamp_of(heard)
        if heard.frame.find("timestamp", "created_at") is None:
            problem = "none"
        elif stamp is None:
            problem = "one that is no time"
        elif stamp < latest - BACKWARDS_S:
            problem = "one that runs backwards"
        elif journey.epoch_s and abs(stamp - journey.epoch_s - heard.at_s) > CLOCK_S:
            problem = f"one that is {abs(stamp - journey.epoch_s - heard.at_s):.0f} s off the clock"
        latest = max(latest, stamp) if stamp is not None else latest
        if problem:
            key = problem.partition(" s off")[0].rstrip("0123456789 ")
            message = f"expected a time stamp near the clock, rising, got {problem}"
            found.setdefault(key, broken("GP-412", message, heard.evidence()))
    return tuple(found.values())


def events_come_in_time(survey: Survey) -> Ruling:
    """GP-413: the first event within 5 s, no gap over 15 s, the whole run within 60 s."""
    journey = survey.journey
    if journey is None or journey.request is None or journey.sent("request") is None:
        return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
    if not journey.events():
        return _NO_EVENTS
    return tuple(_lateness(journey))


def events_stream(survey: Survey) -> Ruling:
    """GP-414: events arrive when they happen, not all at the end."""
    journey = survey.journey
    asked = journey.sent("request") if journey else None
    events = journey.events() if journey else ()
    if journey is None or asked is None or not events:
        return _NO_EVENTS
    whole = events[-1].at_s - asked.at_s
    silence = events[0].at_s - asked.at_s
    if whole < STREAMING_RUN_S or silence < _STREAMING_SHARE * whole:
        return ()
    return (
        broken(
            "GP-414",
            f"expected events while the agent works, got all {len(events)} of them in the last "
            f"{whole - silence:.2f} s of {whole:.1f} s",
            severity=Severity.SHOULD,
        ),
    )


def stamp_of(heard: Heard) -> float | None:
    """Return an event's time as epoch seconds; None when there is none or it is no time."""
    value = heard.frame.find("timestamp", "created_at")
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        # NaN is near every clock, and some whole numbers are too large to be divided.
        if not -_LATEST_MILLISECOND < value < _LATEST_MILLISECOND:
            return None
        return value / 1000 if value > _MILLISECONDS_FROM else float(value)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _lateness(journey: Transcript) -> Iterator[Finding]:
    request, asked, events = journey.request, journey.sent("request"), journey.events()
    if request is None or asked is None:
        return
    waits = [events[0].at_s - asked.at_s]
    waits += [later.at_s - sooner.at_s for sooner, later in pairwise(events)]
    if waits[0] > request.first_event_s:
        yield _late(journey, f"the first event within {request.first_event_s:g} s", waits[0])
    longest = max(waits[1:], default=0.0)
    if longest > request.silence_s:
        yield _late(journey, f"no gap over {request.silence_s:g} s", longest)
    elif journey.missed("request") and last_completion(events) is None:
        silence = journey.entries[-1].at_s - events[-1].at_s
        if silence >= request.silence_s:
            yield _late(journey, f"no gap over {request.silence_s:g} s", silence)
    whole = events[-1].at_s - asked.at_s
    ended = any(heard.frame.name == COMPLETED for heard in events)
    if whole > request.run_s or (
        journey.missed("request") and not ended and whole >= request.run_s
    ):
        yield _late(journey, f"the whole run within {request.run_s:g} s", whole)


def _late(journey: Transcript, promise: str, took_s: float) -> Finding:
    return broken(
        "GP-413",
        f"expected {promise}, got {took_s:.1f} s",
        absence=True,
        attribution=blame_for_silence(journey),
    )
