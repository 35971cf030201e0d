"""What was observed, as the rules take it: threads that an answer shows, and an imported context.

The threads API (protocol 6.3) is decoded tolerantly, and the UserExecutionContext is plain data;
judging is done elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import excerpt

#: A thread's name that can be put into a path and stays one step of it.
_USABLE_ID = re.compile(r"(?=.*\w)[\w.:~-]{1,200}", re.ASCII)
_ID_KEYS = ("id", "thread_id", "threadId")
_HOLDERS = ("thread", "data", "conversation", "result")
_THREAD_LISTS = ("threads", "conversations", "items", "data", "results")
_MESSAGE_LISTS = ("messages", "history", "items", "data", "results")
_ROLE_KEYS = ("role", "sender", "author", "message_type", "type")
_TEXT_KEYS = ("content", "text", "message", "value", "parts", "response", "answer")
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a thread as a client understands it.

    Attributes:
        role: who said it, lower case, '' when it is not told.
        text: what was said; several parts are put together.
    """

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was done with the imported class, and what came of it.

    Attributes:
        name: what was done, such as ``refuse run_id=None``.
        raised: class names of the exception, its own before its bases'; empty when it returned.
        message: the exception's, cut and printable.
        seen: what could be seen afterwards; texts as they are, other values as Python writes them.
    """

    name: str
    raised: tuple[str, ...] = ()
    message: str = ""
    seen: dict[str, str] | None = None

    def shows(self, name: str) -> str:
        """Return what was seen under a name, '' when nothing was."""
        return (self.seen or {}).get(name, "")

    def outcome(self) -> str:
        """Say in a few words what came."""
        if not self.raised:
            return "no exception"
        return f"{self.raised[0]}: {self.message}" if self.message else self.raised[0]

    def evidence(self) -> str:
        """Give the trial as a person reads it, in one line."""
        seen = ", ".join(f"{name}={value}" for name, value in (self.seen or {}).items())
        return excerpt(f"{self.name} -> {self.outcome()}{f'; {seen}' if seen else ''}", 400)


@dataclass(frozen=True, slots=True)
class Home:
    """Where one of the documented names was found.

    Attributes:
        name: such as ``ExecutionState``.
        module: where it is, or ''.
        reason: why it was not found, or ''.
        foreign: the reason lies in this machine, such as a library that is not installed.
    """

    name: str
    module: str = ""
    reason: str = ""
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class ContextFacts:
    """What a probe saw of an imported class.

    Attributes:
        path: import path of the class.
        signature: the parameters of ``from_request``, as Python writes them.
        given: the ids that contexts were made with.
        homes: the documented names that belong to it.
        trials: what was done, in order.
    """

    path: str
    signature: str
    given: dict[str, str]
    homes: tuple[Home, ...] = ()
    trials: tuple[Trial, ...] = ()

    def trial(self, name: str) -> Trial | None:
        """Return the trial of a name, or None when it was not made."""
        return next((trial for trial in self.trials if trial.name == name), None)


def usable_id(value: object) -> str:
    """Return a thread's name as text when it can stand in a path, else ''."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _USABLE_ID.fullmatch(text) else ""


def thread_id_of(value: object, depth: int = _DEPTH) -> str:
    """Return the name of the thread that an answer shows, or ''."""
    if not isinstance(value, dict):
        return ""
    own = next((found for key in _ID_KEYS if (found := usable_id(value.get(key)))), "")
    inner = (thread_id_of(value.get(key), depth - 1) for key in _HOLDERS if depth)
    # An envelope may have an id of its own, such as that of the request: the thread is inside.
    return next((found for found in inner if found), own)


def listed_threads(exchange: Exchange) -> tuple[str, ...] | None:
    """Return the names of the threads in a list, or None when the answer is no list."""
    items = _list_in(exchange.json(), _THREAD_LISTS)
    if items is None:
        return None
    return tuple(thread_id_of(i) if isinstance(i, dict) else usable_id(i) for i in items)


def messages_in(exchange: Exchange) -> tuple[Message, ...] | None:
    """Return the messages in an answer, or None when there is no list of them."""
    items = _list_in(exchange.json(), _MESSAGE_LISTS)
    if items is None:
        return None
    return tuple(_message(item) for item in items if isinstance(item, dict))


def _list_in(value: object, keys: tuple[str, ...], depth: int = _DEPTH) -> list[object] | None:
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or not depth:
        return None
    found = (_list_in(value[key], keys, depth - 1) for key in keys if key in value)
    return next((items for items in found if items is not None), None)


def _message(item: Mapping[str, object]) -> Message:
    return Message(_role(item), "".join(_texts(item)).strip())


def _role(item: Mapping[str, object]) -> str:
    for key in _ROLE_KEYS:
        value = item.get(key)
        if isinstance(value, dict):
            value = value.get("role")
        if isinstance(value, str) and value.strip():
            return value.strip().lower()
    return ""


def _texts(value: object, depth: int = _DEPTH) -> Iterator[str]:
    """Give the text of a message's content: a text, parts with texts, or data as JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth:
        for part in value:
            yield from _texts(part, depth - 1)
    elif isinstance(value, dict) and depth:
        inner = next((value[key] for key in _TEXT_KEYS if value.get(key)), None)
        if inner is not None:
            yield from _texts(inner, depth - 1)
        elif depth < _DEPTH and value:
            yield json.dumps(value)
