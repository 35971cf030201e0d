"""The run of events: that they come, in which order, whose they are, and when.

These are GP-401 to GP-409, GP-412 to GP-414 and GP-416.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise

from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
from pytest_goldenpath.contract.frames import EVENTS, Sort, is_resent
from pytest_goldenpath.contract.rules.steps import (
    call_of,
    of_the_run,
    once,
    repeated,
    run_of,
    tool_of,
    unpaired,
)
from pytest_goldenpath.contract.ruling import (
    Ruling,
    Unlooked,
    blame_for_failure,
    blame_for_silence,
    broken,
)
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Heard, Transcript, agent_of, last_completion

STARTED, THINKING, EXECUTING, TOOL_COMPLETED, COMPLETED = EVENTS
#: What may have kept a request from being sent, most telling first.
BEFORE_THE_REQUEST = ("GP-201", "GP-301", "GP-304", "GP-305")
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


def event_arrives(code: str, name: str) -> Callable[[Survey], Ruling]:
    """Build the rule that one event arrives for a real request (GP-401 to GP-405)."""

    def check(survey: Survey) -> Ruling:
        journey = survey.journey
        if journey is None or journey.sent("request") is None:
            return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
        events = of_the_run(journey.events())
        if name == EVENTS[-1] and last_completion(events) is not None:
            return ()
        if name != EVENTS[-1] and any(heard.frame.name == name for heard in events):
            return ()
        return (
            broken(
                code,
                f"expected {name} for our request, but {_what_came(journey, name)}",
                _order_of_events(journey),
                absence=True,
                attribution=blame_for_silence(journey),
            ),
        )

    return check


def no_failure_frame(survey: Survey) -> Ruling:
    """GP-416: no failure frame comes in a good run; a provider's failure is upstream's."""
    journey = survey.journey
    if journey is None or journey.sent("request") is None:
        return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
    failures = [(h, h.frame.name) for h in journey.of_sort(Sort.FAILURE)]
    failures += [
        (heard, f"an {EVENTS[-1]} that reports a failure")
        for heard in journey.events()
        if heard.frame.name == EVENTS[-1] and heard.frame.reports_failure()
    ]
    return tuple(
        broken(
            "GP-416",
            f"expected no failure frame, got {what}",
            heard.evidence(),
            attribution=blame_for_failure(heard.frame),
        )
        for heard, what in failures
    )


def stamps_are_right(survey: Survey) -> Ruling:
    """GP-412: time stamps are there, parse, do not run backwards and are near the clock."""
    journey = survey.journey
    events = journey.events() if journey else ()
    if journey is None or not events:
        return _NO_EVENTS
    found: dict[str, Finding] = {}
    latest: dict[str, float] = {}  # of each teller, for they may have clocks of their own
    for heard in events:
        stamp, teller = stamp_of(heard), agent_of(heard) or f"{tool_of(heard)}/{call_of(heard)}"
        problem = _wrong_stamp(heard, stamp, journey.epoch_s, latest.get(teller))
        if stamp is not None:
            latest[teller] = max(latest.get(teller, stamp), stamp)
        if problem:
            key = problem.partition(" s off")[0].rstrip("0123456789 ")
            message = f"expected a time stamp near the clock, rising, got {problem}"
            found.setdefault(key, broken("GP-412", message, heard.evidence()))
    return tuple(found.values())


def _wrong_stamp(heard: Heard, stamp: float | None, epoch_s: float, latest: float | None) -> str:
    """Say what is wrong with a stamp, or ''; what is sent again may carry that of its own time."""
    if stamp is None:
        told = heard.frame.find("timestamp", "created_at")
        return "none" if told is None else "one that is no time"
    resent = is_resent(heard.frame)
    if latest is not None and stamp < latest - BACKWARDS_S and not resent:
        return "one that runs backwards"
    off_s = stamp - epoch_s - heard.at_s if epoch_s else 0.0
    if off_s > CLOCK_S or (off_s < -CLOCK_S and not resent):
        return f"one that is {abs(off_s):.0f} s off the clock"
    return ""


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


def _what_came(journey: Transcript, name: str) -> str:
    foreign = [heard for heard in journey.strangers() if heard.frame.name == name]
    if foreign:
        frame = foreign[0].frame
        return (
            f"the only one heard is of user {frame.find('user_id')} "
            f"and thread {frame.find('thread_id')}"
        )
    return journey.last_words()


def _order_of_events(journey: Transcript) -> str:
    names = [heard.frame.name for heard in journey.events()]
    return f"events heard: {', '.join(names) or 'none'} (of {', '.join(EVENTS)})"


def _lateness(journey: Transcript) -> Iterator[Finding]:
    request, asked = journey.request, journey.sent("request")
    events = of_the_run(journey.events())
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
    ended = any(heard.frame.name == EVENTS[-1] for heard in events)
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


def events_are_in_order(survey: Survey) -> Ruling:
    """GP-406: started first, completed last, nothing before the welcome or after the end."""
    journey = survey.journey
    events = journey.events() if journey else ()
    if journey is None or not events:
        return _NO_EVENTS
    return tuple(_order_findings(journey, once(events)))


def tools_are_paired(survey: Survey) -> Ruling:
    """GP-407: each completed tool closes an executing one, and none stays open."""
    events = survey.journey.events() if survey.journey else ()
    if not events:
        return _NO_EVENTS
    return tuple(_pair_findings(events, survey.journey))


def nothing_comes_twice(survey: Survey) -> Ruling:
    """GP-408: no step, tool call or agent is told twice; an announced re-send counts once."""
    events = survey.journey.events() if survey.journey else ()
    if not events:
        return _NO_EVENTS
    found = {
        key: broken(
            "GP-408",
            f"expected each step once, got {heard.frame.name} of the same step twice",
            heard.evidence(),
        )
        for key, heard in repeated(events)
    }
    return (*found.values(), *_announced(events))


def _announced(events: tuple[Heard, ...]) -> Iterator[Finding]:
    """Yield one word about what was sent again: legal, and a sign of trouble on the way."""
    again = [heard for heard in events if is_resent(heard.frame)]
    if again:
        names = ", ".join(dict.fromkeys(heard.frame.name for heard in again))
        yield broken(
            "GP-408",
            f"expected each event to arrive at once, got {len(again)} announced as sent again "
            f"({names}): counted once",
            again[0].evidence(),
            severity=Severity.SHOULD,
        )


def identity_is_ours(survey: Survey) -> Ruling:
    """GP-409: run, thread and user of every event are ours and stay the same."""
    journey = survey.journey
    if journey is None or journey.request is None or journey.sent("request") is None:
        return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
    if not journey.events() and not journey.strangers():
        return _NO_EVENTS
    later = (*survey.talks.get("pair", ()), *survey.talks.get("again", ()))
    return (*_identity_findings(journey), *_shared_runs(journey, later))


def _order_findings(journey: Transcript, events: tuple[Heard, ...]) -> Iterator[Finding]:
    first = events[0]
    # A start that was lost comes late, and says so.
    starts = [heard for heard in events if heard.frame.name == STARTED]
    if starts and not is_resent(starts[0].frame) and first.frame.name != STARTED:
        yield _out_of_order(f"expected {STARTED} first, got {first.frame.name} before it", first)
    end = last_completion(events)
    for heard in events[end + 1 :] if end is not None else ():
        if not is_resent(heard.frame):
            yield _out_of_order(
                f"expected nothing after the final {COMPLETED}, got {heard.frame.name}", heard
            )
            break
    early = (heard for heard in journey.early_events() if not is_resent(heard.frame))
    for heard in islice(early, 1):
        yield _out_of_order(f"expected no event before a request, got {heard.frame.name}", heard)


def _out_of_order(message: str, heard: Heard) -> Finding:
    return broken("GP-406", message, heard.evidence())


def _pair_findings(events: tuple[Heard, ...], journey: Transcript | None) -> Iterator[Finding]:
    closing, running = unpaired(events)
    for heard in closing:
        yield broken(
            "GP-407",
            f"expected {TOOL_COMPLETED} to close an open {EXECUTING} of the same tool, "
            f"but none of {tool_of(heard) or 'a nameless tool'} is open",
            heard.evidence(),
        )
    for heard in running:
        yield broken(
            "GP-407",
            f"expected each {EXECUTING} to be closed by {TOOL_COMPLETED}, "
            f"but {tool_of(heard) or 'a nameless tool'} stays open",
            heard.evidence(),
            absence=True,
            attribution=blame_for_silence(journey) if journey else Attribution.PRODUCT,
        )


def _shared_runs(journey: Transcript, later: tuple[Transcript, ...]) -> Iterator[Finding]:
    """Yield the first run id that a later request has in common with the journey."""
    runs = {run_of(heard) for heard in journey.events()} - {""}
    for talk in later:
        for heard in of_the_run(talk.events()) if talk is not journey else ():
            if run_of(heard) in runs:
                yield broken(
                    "GP-409",
                    "expected a run of its own for each request, "
                    f"got {run_of(heard)} for {journey.purpose} and for {talk.purpose}",
                    heard.evidence(),
                )
                return


def _identity_findings(journey: Transcript) -> Iterator[Finding]:
    mine = journey.request.thread_id if journey.request else ""
    events = of_the_run(journey.events())
    elsewhere = [h for h in events if h.frame.words("thread_id") not in {(), (mine,)}]
    for heard in (*journey.strangers(), *elsewhere)[:1]:
        yield broken(
            "GP-409",
            f"expected only events of user {journey.user_id} and our thread, got one of "
            f"user {heard.frame.find('user_id')}, thread {heard.frame.find('thread_id')}",
            heard.evidence(),
            attribution=Attribution.AUTH,
        )
    runs: dict[str, Heard] = {}
    for heard in events:
        if run_of(heard):
            runs.setdefault(run_of(heard), heard)
    if len(runs) > 1:
        told = " and ".join(sorted(runs))
        yield broken(
            "GP-409",
            f"expected one run for one request, got {told}",
            [*runs.values()][1].evidence(),
        )
