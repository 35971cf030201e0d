"""Every mutation of a healthy run is found by some rule, no legal transformation is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import ANSWER, EPOCH, healthy_entries, journey, survey
from pytest_goldenpath.contract.frames import EVENTS
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Entry, Kind

STARTED, THINKING, EXECUTING, TOOL_COMPLETED, COMPLETED = EVENTS
FIRST = 5  # the place of the first event in the builder's journey
Event = dict[str, Any]
#: What may stand between the events (protocol 4.8).
IGNORABLE = (
    {"type": "heartbeat", "data": {"stats": {}}},
    {"type": "agent_progress", "data": {"progress": 0.5}},
    {"type": "progress_update", "payload": {"percent": 40}},
    {"type": "ack", "received_type": "execute_agent"},
    {"type": "thread_updated", "data": {"title": "costs"}},
    {"type": "partial_result", "data": {"content": "The"}},
    {"type": "stream_chunk", "data": {"content": "reference"}},
    {"type": "quality_metrics", "data": {"score": 0.9}},
)
#: Pairs whose places matter; a thought may stand anywhere between start and end.
ORDERED = [
    (STARTED, THINKING),
    (STARTED, EXECUTING),
    (STARTED, COMPLETED),
    (THINKING, COMPLETED),
    (EXECUTING, TOOL_COMPLETED),
    (EXECUTING, COMPLETED),
    (TOOL_COMPLETED, COMPLETED),
]
#: The fields without which an event is none, by event (protocol 4.6).
NEEDED = {
    STARTED: ("agent_name", "timestamp"),
    THINKING: ("thought", "timestamp"),
    EXECUTING: ("tool_name", "timestamp"),
    TOOL_COMPLETED: ("tool_name", "result", "timestamp"),
    COMPLETED: ("final_response", "timestamp"),
}
names = st.sampled_from(EVENTS)


def healthy_run() -> list[Event]:
    """Return the five events of the healthy journey as documents."""
    return [json.loads(entry.text) for entry in healthy_entries()[FIRST : FIRST + 5]]


def observed(events: list[Event | str], times: list[float] | None = None) -> Survey:
    """Build a survey whose run consists of these events, with the fence right after them."""
    at = times or [0.06 + number / 100 for number in range(len(events))]
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
    run = [Entry(t, Kind.HEARD, text=text) for t, text in zip(at, texts, strict=True)]
    entries = healthy_entries()
    rest = [replace(entry, at_s=at[-1] + 0.01) for entry in entries[FIRST + 5 :]]
    return survey(journey=journey((*entries[:FIRST], *run, *rest)))


def accusations(seen: Survey) -> set[str]:
    """Return the codes of the musts that are broken."""
    return {code for code in RULES if judge(code, seen).broken}


def place_of(name: str) -> int:
    """Return an event's place in the healthy run."""
    return EVENTS.index(name)


@given(names)
def test_dropped_event_is_found(name: str) -> None:
    """An event that does not come is missed by its own rule."""
    events = [event for event in healthy_run() if event["type"] != name]

    assert f"GP-40{place_of(name) + 1}" in accusations(observed(list(events)))


@given(names)
def test_duplicated_event_is_found(name: str) -> None:
    """The same step told twice is found, wherever it stands."""
    events: list[Event | str] = []
    for event in healthy_run():
        events += [event, event] if event["type"] == name else [event]

    assert accusations(observed(events)) & {"GP-406", "GP-408"}


@given(st.sampled_from(ORDERED))
def test_swapped_events_are_found(pair: tuple[str, str]) -> None:
    """Two events in the wrong order are found."""
    events: list[Event | str] = [*healthy_run()]
    first, second = (place_of(name) for name in pair)
    events[first], events[second] = events[second], events[first]

    assert accusations(observed(events)) & {"GP-406", "GP-407"}


@given(names, st.floats(15.5, 40))
def test_long_silence_is_found(name: str, silence_s: float) -> None:
    """An event that comes too long after the one before it is found."""
    run, times, now = healthy_run(), [], 0.06
    for event in run:
        now += silence_s if event["type"] == name else 0.01
        times.append(now)
        event["timestamp"] = EPOCH + now

    assert "GP-413" in accusations(observed([*run], times))


@given(names, st.text(st.characters(categories=["Ll", "Lu"]), min_size=1, max_size=20))
def test_relabelled_event_is_found(name: str, label: str) -> None:
    """An event under a name that no client knows is missed."""
    run = healthy_run()
    run[place_of(name)]["type"] = f"x_{label}"

    assert f"GP-40{place_of(name) + 1}" in accusations(observed([*run]))


@given(names, st.uuids().map(str))
def test_readdressed_event_is_found(name: str, stranger: str) -> None:
    """An event that says it is another user's is found."""
    run = healthy_run()
    run[place_of(name)]["user_id"] = stranger

    assert "GP-409" in accusations(observed([*run]))


@given(names, st.data())
def test_truncated_frame_is_found(name: str, data: st.DataObject) -> None:
    """A frame that is cut off anywhere is no JSON object, and its event is missed."""
    run: list[Event | str] = [*healthy_run()]
    text = json.dumps(run[place_of(name)])
    run[place_of(name)] = text[: data.draw(st.integers(0, len(text) - 1))]

    assert {"GP-417", f"GP-40{place_of(name) + 1}"} <= accusations(observed(run))


@given(names, st.data(), st.sampled_from(["", "   ", None, {}, []]))
def test_blanked_field_is_found(name: str, data: st.DataObject, blank: object) -> None:
    """A field without which the event says nothing is found when it is blank."""
    run = healthy_run()
    run[place_of(name)][data.draw(st.sampled_from(NEEDED[name]))] = blank

    assert accusations(observed([*run])) & {"GP-410", "GP-411", "GP-412", "GP-501"}


@given(names, st.sampled_from(["yesterday", "NaN", True, [1], -1.0, EPOCH * 10, "1999-01-01"]))
def test_corrupted_time_is_found(name: str, time: object) -> None:
    """A time stamp that is none, or is far from the clock, is found."""
    run = healthy_run()
    run[place_of(name)]["timestamp"] = time

    assert accusations(observed([*run])) & {"GP-410", "GP-412"}


@pytest.mark.parametrize("name", [EXECUTING, TOOL_COMPLETED])
def test_corrupted_tool_is_found(name: str) -> None:
    """A tool event of another tool than its twin is found."""
    run = healthy_run()
    run[place_of(name)]["tool_name"] = "another_tool"

    assert "GP-407" in accusations(observed([*run]))


@given(st.integers(1, len(ANSWER) - 2))
def test_cut_answer_is_found(length: int) -> None:
    """An answer that breaks off before its last sentence is over is found."""
    run = healthy_run()
    run[-1]["final_response"] = ANSWER[:length].rstrip(". ")

    assert accusations(observed([*run])) & {"GP-501", "GP-502", "GP-503", "GP-504", "GP-410"}


def in_container(event: Event, container: str) -> Event:
    """Move what an event tells into ``data`` or ``payload``, as other builds do."""
    root = {k: event[k] for k in ("type", "run_id", "user_id", "thread_id", "timestamp")}
    inner = {k: v for k, v in event.items() if k not in root}
    return {**root, container: inner}


def renamed(event: Event, outer: str) -> Event:
    """Carry the name in ``data.event`` under an outer type of the envelope's own."""
    return {**event, "type": outer, "data": {"event": event["type"]}}


SHAPES: list[Callable[[Event], Event]] = [
    lambda event: event,
    lambda event: in_container(event, "data"),
    lambda event: in_container(event, "payload"),
    lambda event: renamed(event, "system_message"),
    lambda event: dict(reversed(event.items())),
    lambda event: dict(sorted(event.items())),
]


def iso(seconds: float) -> str:
    """Write a time as the platform's other half does."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def tool_call(number: int, agent: str) -> list[Event]:
    """Build one more tool call of its own."""
    ids = {k: healthy_run()[0][k] for k in ("run_id", "user_id", "thread_id")}
    call = {**ids, "agent_name": agent, "tool_name": f"tool_{number}", "execution_id": f"e{number}"}
    return [
        {**call, "type": EXECUTING, "parameters": {"number": number}},
        {**call, "type": TOOL_COMPLETED, "result": {"rows": number + 1}},
    ]


def sub_agent(number: int) -> list[Event]:
    """Build the run of one more agent below the supervisor."""
    ids = {k: healthy_run()[0][k] for k in ("run_id", "user_id", "thread_id")}
    own = {**ids, "agent_name": f"helper_{number}"}
    return [
        {**own, "type": STARTED},
        {**own, "type": THINKING, "thought": f"looking into part {number} of the question"},
        *tool_call(100 + number, f"helper_{number}"),
        {**own, "type": COMPLETED, "result": {"summary": f"part {number} is understood well"}},
    ]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    tools=st.integers(0, 4),
    agents=st.integers(0, 3),
    shape=st.sampled_from(SHAPES),
    as_text=st.booleans(),
    ignored=st.lists(st.tuples(st.integers(0, 30), st.sampled_from(IGNORABLE)), max_size=6),
    pace=st.floats(0.001, 2.0),
)
def test_legal_transformation_is_not_accused(
    *,
    tools: int,
    agents: int,
    shape: Callable[[Event], Event],
    as_text: bool,
    ignored: list[tuple[int, Event]],
    pace: float,
) -> None:
    """Other shapes, orders, time formats, more tools and agents, and patience break no must."""
    run = healthy_run()
    more = [event for number in range(tools) for event in tool_call(number, "supervisor")]
    more += [event for number in range(agents) for event in sub_agent(number)]
    run = [*run[:4], *more, run[4]]
    step = min(pace, 50 / len(run))
    times = [0.06 + step * number for number in range(len(run))]
    for event, at in zip(run, times, strict=True):
        event["timestamp"] = iso(EPOCH + at) if as_text else EPOCH + at
    told: list[tuple[float, Event]] = list(zip(times, map(shape, run), strict=True))
    for place, frame in ignored:
        told.insert(min(place, len(told)), (times[min(place, len(times) - 1)], frame))
    told = sorted(told, key=lambda pair: pair[0])

    assert accusations(observed([e for _, e in told], [t for t, _ in told])) == set()


#: How a platform announces what it sends again (protocol 4.2, 4.7.6).
MARKS = (
    {"attempt": 2},
    {"recovered": True},
    {"recovered": True, "original_failure": "send timeout"},
)


def tried_again(run: list[Event], times: int) -> list[Event]:
    """Let the tool of the healthy run fail this often before it works, each time called alike."""
    failed = {**run[3], "result": {"error": "warehouse timeout"}}
    return [*run[:2], *([run[2], failed] * times), *run[2:]]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    failures=st.integers(0, 2),
    again=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.sampled_from(MARKS))),
    shape=st.sampled_from(SHAPES),
    skew_s=st.floats(-60, 60),
    number=st.one_of(st.none(), st.integers(1)),
)
def test_mended_run_is_not_accused(
    *,
    failures: int,
    again: list[tuple[int, int, Event]],
    shape: Callable[[Event], Event],
    skew_s: float,
    number: int | None,
) -> None:
    """Announced events, tools tried again, clocks of machines and numbered runs break no must."""
    run = tried_again(healthy_run(), failures)
    run = [*run[:-1], run[1], *sub_agent(1), *tool_call(2, "supervisor"), run[-1]]
    run = [{**event, "run_id": number or event["run_id"]} for event in run]
    for place, event in enumerate(run):
        own = skew_s if event["agent_name"] == "helper_1" else 0.0
        event["timestamp"] = EPOCH + 0.06 + place / 100 + own
    told = [(float(place), event) for place, event in enumerate(run)]
    for place, later, mark in again:
        source = place % len(run)
        told.append((source + later + 0.5, {**run[source], **mark}))
    told = sorted(told, key=lambda pair: pair[0])

    assert accusations(observed([shape(event) for _, event in told])) == set()


@given(
    st.sampled_from([EXECUTING, TOOL_COMPLETED]),
    st.one_of(st.none(), st.integers(1)),
    st.booleans(),
)
def test_step_twice_in_a_mended_run_is_found(name: str, call: int | None, announced: bool) -> None:
    """A second telling without a word about it is found, also beside one that is announced."""
    run = [{**event, "execution_id": call} for event in healthy_run()]
    place = place_of(name)
    more = [{**run[place], **MARKS[0]}] if announced else []
    events: list[Event | str] = [*run[: place + 1], *more, run[place], *run[place + 1 :]]

    assert "GP-408" in accusations(observed(events))
