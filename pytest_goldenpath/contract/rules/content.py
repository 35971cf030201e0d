"""What the events hold: fields, real content, visible names, whole frames (GP-410, 411, 415, 417)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from pytest_goldenpath.contract.findings import Finding
from pytest_goldenpath.contract.frames import Frame, Sort
from pytest_goldenpath.contract.rules.events import BEFORE_THE_REQUEST
from pytest_goldenpath.contract.rules.sequence import (
    COMPLETED,
    EXECUTING,
    STARTED,
    THINKING,
    TOOL_COMPLETED,
    tool_of,
)
from pytest_goldenpath.contract.rules.substance import is_placeholder
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Heard, Kind, agent_of

#: A thought and a final text have to be longer than this (protocol 4.6).
THOUGHT_CHARACTERS = 10
ANSWER_CHARACTERS = 20
_THOUGHT_KEYS = ("reasoning", "thought", "thinking", "message", "content")
_RESULT_KEYS = ("results", "result", "output")
#: Values that a platform fills in when it has none (protocol 4.2).
_PLACEHOLDER_TEXTS = frozenset(
    {"processing request", "agent is processing...", "agent is thinking...", "task completed"}
)
_PLACEHOLDER_NAMES = frozenset(
    {"unknown", "none", "null", "undefined", "placeholder", "default", "dummy", "n/a", "todo"}
)
#: Outer types into which one build renamed the events (protocol 4.3).
_RENAMED = {"start_agent": STARTED, "agent_response_complete": COMPLETED}
_UNREADABLE = frozenset({1002, 1003, 1007, 1009})
_NO_EVENTS = Unlooked("no event of ours came", blocked_by=("GP-401", *BEFORE_THE_REQUEST))


def fields_are_there(survey: Survey) -> Ruling:
    """GP-410: the must-have fields of each event are there."""
    events = survey.journey.events() if survey.journey else ()
    if not events:
        return _NO_EVENTS
    found: dict[str, Finding] = {}
    for heard in events:
        for lack in _lacks(heard):
            message = f"expected {heard.frame.name} to have {lack}"
            found.setdefault(message, broken("GP-410", message, heard.evidence()))
    return tuple(found.values())


def content_is_real(survey: Survey) -> Ruling:
    """GP-411: no placeholder names, texts or empty results stand in for content."""
    events = survey.journey.events() if survey.journey else ()
    if not events:
        return _NO_EVENTS
    found: dict[str, Finding] = {}
    for heard in events:
        for sign in _placeholders(heard):
            message = f"expected real content in {heard.frame.name}, got {sign}"
            found.setdefault(message, broken("GP-411", message, heard.evidence()))
    thoughts = [heard for heard in events if heard.frame.name == THINKING]
    if thoughts and all(is_placeholder(h.frame.text(*_THOUGHT_KEYS), "") for h in thoughts):
        message = "expected some thought to tell what it is about, got only words about progress"
        found.setdefault(message, broken("GP-411", message, thoughts[0].evidence()))
    return tuple(found.values())


def names_are_visible(survey: Survey) -> Ruling:
    """GP-415: events carry their names in a form that a client can see."""
    journey = survey.journey
    if journey is None or journey.sent("request") is None:
        return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
    heard = {h.frame.name for h in journey.events()}
    hidden = [
        h
        for h in journey.of_sort(Sort.OTHER)
        if h.frame.name in _RENAMED and _RENAMED[h.frame.name] not in heard
    ]
    return tuple(
        broken(
            "GP-415",
            f"expected {_RENAMED[h.frame.name]} under its own name, got {h.frame.name}",
            h.evidence(),
        )
        for h in hidden[:1]
    )


def frames_are_whole(survey: Survey) -> Ruling:
    """GP-417: every frame is text, valid UTF-8, one JSON object, within the size limit."""
    journey = survey.journey
    if journey is None or journey.opened is None:
        return Unlooked("no conversation was held", blocked_by=BEFORE_THE_REQUEST)
    problems: dict[str, str] = {}
    for entry in journey.entries:
        if entry.kind is Kind.HEARD and entry.binary:
            problems.setdefault("a binary frame", entry.text[:200])
        elif entry.kind is Kind.HEARD and not _is_strict_object(entry.text):
            problems.setdefault("a frame that is no JSON object", entry.text[:200])
    closed = journey.closed
    if closed and closed.label == "we" and closed.code in _UNREADABLE:
        problems[f"a frame that cannot be read (closed with {closed.code})"] = closed.text
    return tuple(
        broken("GP-417", f"expected whole text frames of one JSON object each, got {what}", proof)
        for what, proof in problems.items()
    )


def _is_strict_object(text: str) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return isinstance(json.loads(text, parse_constant=refuse), dict)
    except (ValueError, RecursionError):
        return False


def _has_results(frame: Frame) -> bool:
    value = frame.find(*_RESULT_KEYS)
    return value is not None and value not in ({}, [], "")


def _is_answered(frame: Frame) -> bool:
    structured = frame.find("final_response", "result")
    return len(frame.answer()) > ANSWER_CHARACTERS or (
        isinstance(structured, dict) and bool(structured)
    )


def _thinks(frame: Frame) -> bool:
    return len(frame.text(*_THOUGHT_KEYS)) > THOUGHT_CHARACTERS


_MUST_HAVE: dict[str, tuple[tuple[str, Callable[[Heard], bool]], ...]] = {
    STARTED: (("an agent name", lambda heard: bool(agent_of(heard))),),
    THINKING: (
        (f"a thought over {THOUGHT_CHARACTERS} characters", lambda heard: _thinks(heard.frame)),
    ),
    EXECUTING: (("a tool name", lambda heard: bool(tool_of(heard))),),
    TOOL_COMPLETED: (
        ("a tool name", lambda heard: bool(tool_of(heard))),
        ("results", lambda heard: _has_results(heard.frame)),
    ),
    COMPLETED: (
        (
            f"a final text over {ANSWER_CHARACTERS} characters or a structured result",
            lambda heard: _is_answered(heard.frame),
        ),
    ),
}


def _lacks(heard: Heard) -> Iterator[str]:
    if not heard.frame.text("run_id", "thread_id"):
        yield "a run or a thread"
    for what, is_there in _MUST_HAVE[heard.frame.name]:
        if not is_there(heard):
            yield what


def _placeholders(heard: Heard) -> Iterator[str]:
    for kind, name in (("agent", agent_of(heard)), ("tool", tool_of(heard))):
        word = name.lower().strip()
        bare = word.removesuffix(f"_{kind}").removesuffix(f"-{kind}")
        if bare in _PLACEHOLDER_NAMES:
            yield f"the {kind} name {name!r}"
    for key in ("message", "reasoning", "thought", "task_description", "final_response"):
        text = heard.frame.text(key)
        if text.strip().lower() in _PLACEHOLDER_TEXTS:
            yield repr(text)
    if heard.frame.name == TOOL_COMPLETED:
        value = heard.frame.find(*_RESULT_KEYS)
        if value in ({}, [], "") or (isinstance(value, str) and is_placeholder(value, "")):
            yield "an empty result"
