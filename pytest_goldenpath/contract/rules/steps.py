"""The steps that events tell of: which are the same, which is told again, and which twice."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain

from pytest_goldenpath.contract.frames import EVENTS, is_resent
from pytest_goldenpath.contract.transcript import Heard, agent_of

STARTED, THINKING, EXECUTING, TOOL_COMPLETED, COMPLETED = EVENTS
#: Fields of a frame that an announced re-send may change (protocol 4.7.6).
_TIMES = frozenset(
    {"timestamp", "event_id", "message_id", "critical", "attempt", "recovered", "original_failure"}
)


def tool_of(heard: Heard) -> str:
    """Return the name of the tool that an event is about, or ''."""
    return heard.frame.text("tool_name", "tool")


def run_of(heard: Heard) -> str:
    """Return the run that an event says it belongs to, or ''."""
    return heard.frame.word("run_id")


def call_of(heard: Heard) -> str:
    """Return the id that a tool event gives its call, or ''."""
    return heard.frame.word("execution_id")


def of_the_run(events: tuple[Heard, ...]) -> tuple[Heard, ...]:
    """Leave out what an earlier run had lost and is announced now (protocol 4.2)."""
    runs = {run_of(heard) for heard in events if not is_resent(heard.frame)} - {""}
    return tuple(
        heard
        for heard in events
        if not (runs and is_resent(heard.frame) and run_of(heard) not in {"", *runs})
    )


def once(events: tuple[Heard, ...]) -> tuple[Heard, ...]:
    """Leave out what is announced as sent again and had come: it counts once (protocol 4.7.6)."""
    kept, seen = [], set()
    for heard in of_the_run(events):
        key = step_of(heard)
        if not (is_resent(heard.frame) and key in seen):
            kept.append(heard)
        seen.add(key)
    return tuple(kept)


def repeated(events: tuple[Heard, ...]) -> Iterator[tuple[str, Heard]]:
    """Yield the events that tell a step once more, each with the name of its step."""
    counted = {heard.index for heard in once(events)}
    seen: set[str] = set()
    of_kind: dict[str, list[str]] = defaultdict(list)
    for heard in of_the_run(events):
        key = step_of(heard)
        for kind in _ended_by(heard):
            seen.difference_update(of_kind.pop(kind, ()))
        if heard.index not in counted:
            continue
        if key in seen:
            yield key, heard
        seen.add(key)
        if kind := _repeatable(heard):
            of_kind[kind].append(key)


def unpaired(events: tuple[Heard, ...]) -> tuple[list[Heard], list[Heard]]:
    """Return the completions that close no call, and the calls that stay open.

    A lost call may be told after its end. A call that is announced once more after its end has
    been tried again when another end follows, and was only told again when none does.
    """
    counted = {heard.index for heard in once(events)}
    calls = [h for h in of_the_run(events) if h.frame.name in {EXECUTING, TOOL_COMPLETED}]
    steps = {heard.index: step_of(heard) for heard in calls}
    late = [h for h in calls if h.frame.name == EXECUTING and is_resent(h.frame)]
    running = [heard for heard in late if heard.index in counted]
    spare: list[Heard] = []
    closing: list[Heard] = []
    for heard in calls:
        is_counted = heard.index in counted
        if heard.frame.name == TOOL_COMPLETED:
            opener = next((h for h in chain(running, spare) if _is_same_call(h, heard)), None)
            if is_counted and opener is None:
                closing.append(heard)
            elif is_counted and opener is not None:
                (running if opener in running else spare).remove(opener)
        elif not is_resent(heard.frame):
            running.append(heard)
        elif not is_counted and all(steps[h.index] != steps[heard.index] for h in running):
            spare.append(heard)
    return closing, running


def _is_same_call(executing: Heard, completed: Heard) -> bool:
    calls = (call_of(executing), call_of(completed))
    return tool_of(executing) == tool_of(completed) and (not all(calls) or calls[0] == calls[1])


def _repeatable(heard: Heard) -> str:
    """Name the kind of a step that may come again once something else has been told, or ''.

    So may a call without an id of its own, when the one before is closed, and a thought without a
    number (protocol 4.7.3).
    """
    name, frame = heard.frame.name, heard.frame
    if name == THINKING:
        return "" if frame.find("step", "step_number") is not None else THINKING
    if name in {EXECUTING, TOOL_COMPLETED} and not call_of(heard):
        return f"{name}/{agent_of(heard)}/{tool_of(heard)}"
    return ""


def _ended_by(heard: Heard) -> tuple[str, ...]:
    """Return the kinds of steps that may come again after this event."""
    other = {EXECUTING: TOOL_COMPLETED, TOOL_COMPLETED: EXECUTING}.get(heard.frame.name)
    thought = () if heard.frame.name == THINKING else (THINKING,)
    if other is None:
        return thought
    return (*thought, f"{other}/{agent_of(heard)}/{tool_of(heard)}")


def step_of(heard: Heard) -> str:
    """Name what an event tells: the agent's start or end, the tool call, or its whole content."""
    name, frame = heard.frame.name, heard.frame
    owner = f"{run_of(heard)}/{agent_of(heard)}"
    call = call_of(heard)
    if name in {STARTED, COMPLETED} and agent_of(heard):
        return f"{name}/{owner}"
    if call:
        return f"{name}/{owner}/{tool_of(heard)}/{call}"
    return f"{name}/{owner}/{json.dumps(_content(frame.document), sort_keys=True)}"


def _content(value: object) -> object:
    if isinstance(value, dict):
        return {key: _content(inner) for key, inner in value.items() if key not in _TIMES}
    return value
