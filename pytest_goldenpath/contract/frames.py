"""Tolerant decoding of one WebSocket frame (protocol 0.3); judging is done elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pytest_goldenpath.contract.exchange import parse_json

#: The five events of the golden path, in the order of a run (protocol 4).
EVENTS = ("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed")

_EMPTY: Mapping[str, object] = {}
_NAME_PATHS = (
    ("type",),
    ("event",),
    ("data", "type"),
    ("data", "event"),
    ("data", "event_type"),
    ("payload", "type"),
    ("payload", "event"),
)
_WELCOMES = frozenset(
    {"connection_established", "connect", "connection_ready", "authentication_success"}
)
_FAILURES = frozenset(
    {
        "error",
        "error_message",
        "authentication_error",
        "connection_error",
        "system_error",
        "agent_error",
        "agent_failed",
        "agent_fallback",
        "agent_death",
        "tool_error",
    }
)
_FAILED_WORDS = frozenset(
    {"error", "failed", "failure", "timeout", "cancelled", "canceled", "dead", "aborted"}
)
_ANSWER_KEYS = ("final_response", "result", "response", "final_answer", "content", "message")
_ANSWER_INNER_KEYS = (
    "final_response",
    "final_answer",
    "response",
    "answer",
    "content",
    "text",
    "summary",
    "message",
)


#: Characters of a frame whose decoded form is kept.
_SHORT = 1024


class Sort(StrEnum):
    """What a frame is for a client."""

    WELCOME = "welcome"
    PONG = "pong"
    EVENT = "event"
    FAILURE = "failure"
    OTHER = "other"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded message.

    Attributes:
        sort: what it is for a client.
        name: the event's name for an event, else the first type or event name found.
        document: the decoded JSON object, empty when malformed.
    """

    sort: Sort
    name: str
    document: Mapping[str, object]

    def find(self, *keys: str) -> object:
        """Return the first value under one of the keys, in the places of protocol 0.3.5.

        Keys are tried in the order given, each at the root, in ``data``, in ``payload``
        and in ``data.payload``; None when there is none.
        """
        places = list(self._places())
        for key in keys:
            for place in places:
                if place.get(key) is not None:
                    return place[key]
        return None

    def word(self, *keys: str) -> str:
        """Return the first of the keys whose value is a text or a whole number, as text, or ''."""
        return next(iter(self.words(*keys)), "")

    def words(self, *keys: str) -> tuple[str, ...]:
        """Return what all places hold under the keys, texts and whole numbers as texts."""
        found = (place.get(key) for key in keys for place in self._places())
        kept = (v for v in found if isinstance(v, str | int) and not isinstance(v, bool))
        return tuple(dict.fromkeys(str(value) for value in kept if str(value).strip()))

    def reports_failure(self) -> bool:
        """Tell whether the frame says of itself that what it completes has failed."""
        inner = (place.get(key) for place in self._places() for key in ("result", "results"))
        places = (*self._places(), *(value for value in inner if isinstance(value, dict)))
        return any(
            place.get("success") is False
            or str(place.get("status", "")).lower() in _FAILED_WORDS
            or (isinstance(place.get("error"), str | dict) and bool(place.get("error")))
            for place in places
        )

    def text(self, *keys: str) -> str:
        """Return the first of the keys whose value is a text that is not blank, or ''."""
        places = list(self._places())
        for key in keys:
            for place in places:
                value = place.get(key)
                if isinstance(value, str) and value.strip():
                    return value
        return ""

    def answer(self) -> str:
        """Return the final text of an ``agent_completed`` (protocol 0.3.7), or ''.

        A ``message`` often is a word about the status; it counts as the answer only when the
        frame has no place for an answer that was left blank.
        """
        blank = False
        for key in _ANSWER_KEYS:
            for place in self._places():
                if key == "message" and blank:
                    continue
                found = _text_of(place.get(key))
                if found:
                    return found
                blank = blank or _is_blank(place.get(key))
        return self._structured()

    def _structured(self) -> str:
        """Return a result that is data and no prose, as JSON text (protocol 4.6)."""
        for place in self._places():
            value = place.get("result")
            if isinstance(value, dict | list) and value and not _is_blank(value):
                return json.dumps(value)
        return ""

    def _places(self) -> Iterator[Mapping[str, object]]:
        yield self.document
        data = _mapping(self.document, "data")
        yield data
        yield _mapping(self.document, "payload")
        yield _mapping(data, "payload")


def is_resent(frame: Frame) -> bool:
    """Tell whether a frame announces that it is sent again (protocol 4.7.6)."""
    attempt = frame.find("attempt")
    again = isinstance(attempt, int) and attempt > 1
    return again or any(bool(frame.find(mark)) for mark in ("recovered", "original_failure"))


def decode(raw: str) -> Frame:
    """Decode one text message; anything but a JSON object is a malformed frame."""
    # Rules ask for the same frames again and again; a large one may decode to far more memory.
    return _decode_short(raw) if len(raw) <= _SHORT else _decode(raw)


def _decode(raw: str) -> Frame:
    value = parse_json(raw)
    if not isinstance(value, dict):
        return Frame(Sort.MALFORMED, "", _EMPTY)
    names = tuple(_names(value))
    failure = next((name for name in names if _is_failure(name)), None)
    if failure is not None:
        # A connection_error tells in data.event_type which event it stands for: not that event.
        return Frame(Sort.FAILURE, failure, value)
    event = next((name for name in names if name in EVENTS), None)
    if event is not None:
        return Frame(Sort.EVENT, event, value)
    return Frame(_sort_of(names), names[0] if names else "", value)


_decode_short = lru_cache(maxsize=4096)(_decode)


def is_heartbeat(frame: Frame) -> bool:
    """Tell whether a frame is only a sign of life, which may come at any time (protocol 3.7)."""
    return "heartbeat" in frame.name or frame.name == "ping"


def _is_failure(name: str) -> bool:
    return name.lower() in _FAILURES or name.lower().endswith(("_error", "_failed"))


def _sort_of(names: tuple[str, ...]) -> Sort:
    outer = names[0] if names else ""
    if outer in _WELCOMES or (outer == "system_message" and "connection_established" in names):
        return Sort.WELCOME
    if outer == "pong":
        return Sort.PONG
    return Sort.OTHER


def _names(document: Mapping[str, object]) -> Iterator[str]:
    for path in _NAME_PATHS:
        value: object = document
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str):
            yield value


def _mapping(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = document.get(key)
    return value if isinstance(value, dict) else _EMPTY


def _is_blank(value: object) -> bool:
    if isinstance(value, dict):
        return any(_is_blank(value.get(key)) for key in _ANSWER_INNER_KEYS)
    return isinstance(value, str)


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        for key in _ANSWER_INNER_KEYS:
            inner = value.get(key)
            if isinstance(inner, str) and inner.strip():
                return inner.strip()
    return ""
