"""The run of events: order, pairing, duplicates and identity (GP-406 to GP-409)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from pytest_goldenpath.contract.findings import Attribution, Finding
from pytest_goldenpath.contract.frames import EVENTS
from pytest_goldenpath.contract.rules.events import BEFORE_THE_REQUEST
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.signs import blame_for_silence
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Heard, Transcript, agent_of, last_completion

STARTED, THINKING, EXECUTING, TOOL_COMPLETED, COMPLETED = EVENTS
#: Fields of a frame that an announced re-send may change (protocol 4.7.6).
_RESEND_MARKS = ("attempt", "recovered", "original_failure")
_TIMES = frozenset({"timestamp", "event_id", "message_id", "critical", *_RESEND_MARKS})
_NO_EVENTS = Unlooked("no event of ours came", blocked_by=("GP-401", *BEFORE_THE_REQUEST))


def events_are_in_order(survey: Survey) -> Ruling:
    """GP-406: started first, completed last, nothing before the welcome or after the end."""
    journey = survey.journey
    events = journey.events() if journey else ()
    if journey is None or not events:
        return _NO_EVENTS
    return tuple(_order_findings(journey, events))


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
    found: dict[str, Finding] = {}
    seen: Counter[str] = Counter()
    for heard in events:
        if any(heard.frame.find(mark) for mark in _RESEND_MARKS):
            continue
        key = _step_of(heard)
        seen[key] += 1
        if seen[key] > 1:
            message = f"expected each step once, got {heard.frame.name} of the same step twice"
            found.setdefault(key, broken("GP-408", message, heard.evidence()))
    return tuple(found.values())


def identity_is_ours(survey: Survey) -> Ruling:
    """GP-409: run, thread and user of every event are ours and stay the same."""
    journey = survey.journey
    if journey is None or journey.request is None or journey.sent("request") is None:
        return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
    if not journey.events() and not journey.strangers():
        return _NO_EVENTS
    return (*_identity_findings(journey), *_shared_runs(journey, survey.talks.get("pair", ())))


def tool_of(heard: Heard) -> str:
    """Return the name of the tool that an event is about, or ''."""
    return heard.frame.text("tool_name", "tool")


def run_of(heard: Heard) -> str:
    """Return the run that an event says it belongs to, or ''."""
    return heard.frame.text("run_id")


def _order_findings(journey: Transcript, events: tuple[Heard, ...]) -> Iterator[Finding]:
    first = events[0]
    started = any(heard.frame.name == STARTED for heard in events)
    if started and first.frame.name != STARTED:
        yield _out_of_order(f"expected {STARTED} first, got {first.frame.name} before it", first)
    end = last_completion(events)
    for heard in events[end + 1 :] if end is not None else ():
        if not any(heard.frame.find(mark) for mark in _RESEND_MARKS):
            yield _out_of_order(
                f"expected nothing after the final {COMPLETED}, got {heard.frame.name}", heard
            )
            break
    for heard in journey.early_events()[:1]:
        yield _out_of_order(f"expected no event before a request, got {heard.frame.name}", heard)


def _out_of_order(message: str, heard: Heard) -> Finding:
    return broken("GP-406", message, heard.evidence())


def _pair_findings(events: tuple[Heard, ...], journey: Transcript | None) -> Iterator[Finding]:
    running: list[Heard] = []
    for heard in events:
        if heard.frame.name == EXECUTING:
            running.append(heard)
        elif heard.frame.name == TOOL_COMPLETED:
            opener = next((other for other in running if _same_call(other, heard)), None)
            if opener is None:
                yield broken(
                    "GP-407",
                    f"expected {TOOL_COMPLETED} to close an open {EXECUTING} of the same tool, "
                    f"but none of {tool_of(heard) or 'a nameless tool'} is open",
                    heard.evidence(),
                )
            else:
                running.remove(opener)
    for heard in running:
        yield broken(
            "GP-407",
            f"expected each {EXECUTING} to be closed by {TOOL_COMPLETED}, "
            f"but {tool_of(heard) or 'a nameless tool'} stays open",
            heard.evidence(),
            absence=True,
            attribution=blame_for_silence(journey) if journey else Attribution.PRODUCT,
        )


def _same_call(executing: Heard, completed: Heard) -> bool:
    ids = [heard.frame.text("execution_id") for heard in (executing, completed)]
    if all(ids):
        return ids[0] == ids[1] and tool_of(executing) == tool_of(completed)
    return tool_of(executing) == tool_of(completed)


def _step_of(heard: Heard) -> str:
    """Name what an event tells: the agent's start or end, the tool call, or its whole content."""
    name, frame = heard.frame.name, heard.frame
    owner = f"{run_of(heard)}/{agent_of(heard)}"
    call = frame.text("execution_id")
    if name in {STARTED, COMPLETED}:
        return f"{name}/{owner}"
    if call:
        return f"{name}/{owner}/{tool_of(heard)}/{call}"
    return f"{name}/{owner}/{json.dumps(_content(frame.document), sort_keys=True)}"


def _content(value: object) -> object:
    if isinstance(value, dict):
        return {key: _content(inner) for key, inner in value.items() if key not in _TIMES}
    return value


def _shared_runs(journey: Transcript, later: tuple[Transcript, ...]) -> Iterator[Finding]:
    """Yield the first run id that a later request has in common with the journey."""
    runs = {run_of(heard) for heard in journey.events()} - {""}
    for talk in later:
        for heard in talk.events():
            if run_of(heard) in runs:
                yield broken(
                    "GP-409",
                    "expected a run of its own for each request, "
                    f"got {run_of(heard)} for the journey and for {talk.purpose}",
                    heard.evidence(),
                )
                return


def _identity_findings(journey: Transcript) -> Iterator[Finding]:
    mine = journey.request.thread_id if journey.request else ""
    elsewhere = [h for h in journey.events() if h.frame.words("thread_id") not in {(), (mine,)}]
    for heard in (*journey.strangers(), *elsewhere)[:1]:
        yield broken(
            "GP-409",
            f"expected only events of user {journey.user_id} and our thread, got one of "
            f"user {heard.frame.find('user_id')}, thread {heard.frame.find('thread_id')}",
            heard.evidence(),
            attribution=Attribution.AUTH,
        )
    runs: dict[str, Heard] = {}
    for heard in journey.events():
        if run_of(heard):
            runs.setdefault(run_of(heard), heard)
    if len(runs) > 1:
        told = " and ".join(sorted(runs))
        yield broken(
            "GP-409",
            f"expected one run for one request, got {told}",
            [*runs.values()][1].evidence(),
        )
