"""Understanding what a client sends over the socket (protocol.md 3.5)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_goldenpath.reference.web import clean

STARTERS = frozenset(
    (
        *("user_message", "chat_message", "message", "user", "user_input", "chat"),
        *("agent_request", "agent", "start_agent", "execute_agent", "EXECUTE_AGENT"),
        *("agent_task", "run_agent", "agent_message"),
    )
)
_TEXT_KEYS = ("content", "message", "user_request", "text", "query")
_CONTAINERS = ("payload", "data", "request")
_MAX_ID = 64


class Unreadable(Exception):
    """The message cannot be understood; the code is that of the error frame."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """A message of the client: its type and, if it asks for an agent, what it asks."""

    kind: str
    text: str = ""
    thread_id: str = ""
    run_id: str = ""


def understood(raw: str | bytes) -> ClientMessage:
    """Return the message, or raise Unreadable."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unreadable("JSON_PARSE_ERROR", "The message is not valid JSON") from error
    if not isinstance(body, dict):
        raise Unreadable("INVALID_FORMAT", "The message must be a JSON object")
    kind = body.get("type")
    if not isinstance(kind, str) or not kind:
        raise Unreadable("INVALID_FORMAT", "The message needs a type")
    if kind not in STARTERS:
        return ClientMessage(kind)
    text = _text(body)
    if not text:
        raise Unreadable("AGENT_REQUEST_ERROR", "The request has no text")
    return ClientMessage(kind, text, _id(body, "thread_id"), _id(body, "run_id"))


def _text(body: dict[str, object]) -> str:
    for level in _levels(body):
        for key in _TEXT_KEYS:
            value = level.get(key)
            if isinstance(value, str) and clean(value).strip():
                return clean(value).strip()
    return ""


def _levels(body: dict[str, object]) -> Iterator[dict[str, object]]:
    yield body
    for key in _CONTAINERS:
        inner = body.get(key)
        if isinstance(inner, dict):
            # The older handler wants payload.request.query, hence not only one level.
            yield from _levels(inner)


def _id(body: dict[str, object], key: str) -> str:
    for level in _levels(body):
        value = level.get(key)
        if value is None:
            continue
        if not isinstance(value, str) or len(value) > _MAX_ID or clean(value) != value:
            raise Unreadable("INVALID_FORMAT", f"{key} must be a text of at most {_MAX_ID} letters")
        if value:
            return value
    return ""
