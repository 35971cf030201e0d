"""Plain functions that build data for tests: a healthy survey, and ways to change it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pytest_goldenpath.contract.context import ContextFacts, Home, Trial
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.survey import Login, Survey
from pytest_goldenpath.contract.symptom import Kind as Trouble
from pytest_goldenpath.contract.symptom import Symptom
from pytest_goldenpath.contract.transcript import Entry, Kind, Request, Transcript

USER = "u-12345678-abcd"
THREAD = "thr-1"
RUN = "run-1"
EPOCH = 1_790_000_000.0
PROMPT = (
    "Please include the reference code KESTREL-4821 in your answer, work out what 17 plus 25 is, "
    "and name one way to lower our cloud cost."
)
ANSWER = (
    "The reference code is KESTREL-4821. 17 plus 25 is 42. One way to lower the bill is to move "
    "idle databases to a smaller size."
)
ROWS = {"rows": 3}
HEALTHY = {"status": "healthy", "service": "netra-ai-platform", "version": "1.0.0"}


def exchange(
    body: object = None,
    *,
    purpose: str = "backend health",
    status: int | None = 200,
    at_s: float = 0.0,
    elapsed_s: float = 0.01,
    content_type: str = "application/json",
    symptom: Symptom | None = None,
) -> Exchange:
    """Build an exchange; the body is JSON unless it is a text."""
    value = HEALTHY if body is None else body
    text = value if isinstance(value, str) else json.dumps(value)
    return Exchange(
        purpose,
        "GET",
        "http://target/health",
        at_s,
        elapsed_s,
        status,
        (("content-type", content_type),),
        text if status is not None else "",
        symptom=symptom,
    )


def event(name: str, at_s: float, **fields: object) -> Entry:
    """Build a received agent event with its fields at the root."""
    ids = {"run_id": RUN, "user_id": USER, "thread_id": THREAD}
    document = {"type": name, **ids, "timestamp": EPOCH + at_s, **fields}
    return heard(document, at_s)


def heard(document: object, at_s: float) -> Entry:
    """Build a received frame out of any JSON value or text."""
    text = document if isinstance(document, str) else json.dumps(document)
    return Entry(at_s, Kind.HEARD, text=text)


def welcome(
    at_s: float = 0.02, *, connection: object = "main_1", user: str = "u-123456..."
) -> Entry:
    """Build a welcome of the default shape."""
    data = {"user_id": user, "connection_id": connection}
    return heard({"type": "connection_established", "data": data}, at_s)


def healthy_entries(answer: str = ANSWER) -> tuple[Entry, ...]:
    """Build a whole healthy journey."""
    return (
        Entry(0.01, Kind.OPENED, "jwt.***"),
        welcome(),
        Entry(0.03, Kind.SENT, "ping", '{"type": "ping"}'),
        heard({"type": "pong"}, 0.04),
        Entry(0.05, Kind.SENT, "request", '{"type": "execute_agent"}'),
        event("agent_started", 0.06, agent_name="supervisor"),
        event("agent_thinking", 0.07, agent_name="supervisor", thought="looking at the costs"),
        event("tool_executing", 0.08, agent_name="supervisor", tool_name="cost_lookup"),
        event(
            "tool_completed", 0.09, agent_name="supervisor", tool_name="cost_lookup", result=ROWS
        ),
        event("agent_completed", 0.1, agent_name="supervisor", final_response=answer),
        Entry(0.11, Kind.SENT, "fence", '{"type": "ping"}'),
        heard({"type": "pong"}, 0.12),
        Entry(0.12, Kind.LEFT),
    )


def journey(
    entries: tuple[Entry, ...] | None = None, *, symptom: Symptom | None = None
) -> Transcript:
    """Build the golden journey."""
    request = Request(
        PROMPT, "execute_agent", THREAD, RUN, "msg-1", marker="KESTREL-4821", expected="42"
    )
    return Transcript(
        "journey",
        "ws://target/ws",
        "subprotocol",
        ("jwt-auth", "jwt.***"),
        USER,
        10.0,
        request,
        healthy_entries() if entries is None else entries,
        symptom,
        EPOCH,
    )


def handshake(carrier: str, connection: str) -> Transcript:
    """Build a handshake by one carrier."""
    entries = (
        Entry(0.01, Kind.OPENED),
        welcome(connection=connection),
        Entry(0.03, Kind.SENT, "ping", '{"type": "ping"}'),
        heard({"type": "pong"}, 0.04),
        Entry(0.05, Kind.LEFT),
    )
    return Transcript(
        f"handshake by {carrier}", "ws://target/ws", carrier, (), USER, 3.0, None, entries
    )


def stranger(*entries: Entry, purpose: str = "a stranger without a token") -> Transcript:
    """Build the meeting with a stranger; refused at the upgrade unless told otherwise."""
    refused = (Entry(0.01, Kind.REFUSED, text='{"detail":"Not authenticated"}', code=403),)
    return Transcript(purpose, "ws://target/ws", "none", (), "", 3.0, None, entries or refused)


def login(**changes: Any) -> Login:
    """Build a healthy login."""
    body = {"access_token": "***", "token_type": "Bearer", "expires_in": 900}
    good = Login(
        "password",
        exchange(body, purpose="login (password)"),
        has_access_token=True,
        has_refresh_token=True,
        token_type="Bearer",
        expires_in_s=900.0,
        user_id=USER,
        answered_user_id=USER,
        subject=USER,
    )
    return replace(good, **changes)


def survey(**changes: Any) -> Survey:
    """Build a healthy survey; every part can be replaced by name."""
    ready = {"status": "ready", "core_db": "connected"}
    good = Survey(
        health=tuple(exchange(at_s=number / 100) for number in range(20)),
        auth_health=(exchange(purpose="auth health"),),
        readiness=(exchange(ready, purpose="backend readiness"),),
        login=login(),
        carriers=(handshake("header", "main_2"), handshake("subprotocol", "main_3")),
        strangers=(stranger(),),
        journey=journey(),
        context=context(),
    )
    return replace(good, **changes)


def without(name: str) -> tuple[Entry, ...]:
    """Build the healthy journey's entries without the frames of one name."""
    return tuple(entry for entry in healthy_entries() if f'"type": "{name}"' not in entry.text)


def refusal(kind: Trouble = Trouble.REFUSED, *, ready: bool = False) -> Symptom:
    """Build a trouble of the road."""
    return Symptom(kind, "backend health", "http://target/health", ready=ready)


CONTEXT_IDS = {
    "user_id": "0b5c-user",
    "thread_id": "0b5c-thread",
    "run_id": "0b5c-run",
    "websocket_client_id": "wsc-1",
}
_BASE = {
    **CONTEXT_IDS,
    "websocket_connection_id": "wsc-1",
    "request_id": "req-0",
    "operation_depth": "0",
}
_INVALID = ("InvalidContextError", "ValueError", "Exception", "BaseException")
_RETURNED: dict[str, dict[str, str]] = {
    "request with client id": _BASE,
    "supervisor": _BASE,
    "base": _BASE,
    "assign": {"refused_by": "FrozenInstanceError", "kept": "True"},
    "mix": {"leaked": "False"},
    "rewire": {"new": "another", "old": "wsc-1"},
    "same ids": {"distinct": "True"},
    "verify isolation": {"result": "True"},
    "child": {
        **_BASE,
        "request_id": "req-1",
        "parent_request_id": "req-0",
        "operation_depth": "1",
    },
    "child's context": {"operation_name": "lookup"},
    "grandchild": {"operation_depth": "2"},
    **{f"level {number}": {"operation_depth": str(number)} for number in range(3, 11)},
    "exceptions": {"are_exceptions": "True"},
    "states": {
        name: name.lower()
        for name in (
            "PENDING",
            "STARTING",
            "RUNNING",
            "COMPLETING",
            "COMPLETED",
            "FAILED",
            "TIMEOUT",
            "DEAD",
            "CANCELLED",
        )
    },
    "bridge": {},
    "configuration": {"websocket_connection_timeout": "60", "ws_config.connection_timeout": "None"},
    "manager": {},
    "set": {},
    "get": _BASE,
    "clear": {"first": "True"},
    "clear again": {"second": "False"},
}
_RAISED: dict[str, tuple[str, ...]] = {
    "foreign object": ("ContextIsolationError", "RuntimeError", "Exception", "BaseException"),
    "level 11": _INVALID,
    "refuse user_id=None": ("TypeError", "Exception", "BaseException"),
    "refuse user_id='mock'": _INVALID,
    "refuse run_id=None": _INVALID,
    "refuse a reserved key in agent_context": _INVALID,
    "validate a dict": ("TypeError", "Exception", "BaseException"),
    "get a missing key": ("KeyError", "LookupError", "Exception", "BaseException"),
    "get an empty key": ("ValueError", "Exception", "BaseException"),
    "set an empty key": ("ValueError", "Exception", "BaseException"),
    "set no context": _INVALID,
}
_NAMES = (
    "UserContextManager",
    "InvalidContextError",
    "ContextIsolationError",
    "ExecutionState",
    "create_agent_websocket_bridge",
    "get_unified_config",
)


def context(
    *changed: Trial, without: tuple[str, ...] = (), homes: tuple[Home, ...] = ()
) -> ContextFacts:
    """Build what a healthy imported class shows, with these trials and homes in others' place."""
    healthy = [Trial(name, seen=seen) for name, seen in _RETURNED.items()]
    healthy += [Trial(name, raised, "no") for name, raised in _RAISED.items()]
    by_name = {trial.name: trial for trial in (*healthy, *changed) if trial.name not in without}
    found = {name: Home(name, "platform") for name in _NAMES} | {home.name: home for home in homes}
    return ContextFacts(
        "platform:UserExecutionContext",
        "(user_id, thread_id, run_id, websocket_client_id=None)",
        CONTEXT_IDS,
        tuple(found.values()),
        tuple(by_name.values()),
    )
