"""Plain functions that build data for tests: a healthy survey, and ways to change it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.rules import threads as steps
from pytest_goldenpath.contract.rules.answer import AGENTS_API
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
NOTE = "Please keep in mind for later that the cost review has the number 4711-cafe."
GONE = {"detail": "Thread not found"}
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


def step(purpose: str, body: object, status: int = 200, **sent: str) -> Exchange:
    """Build one exchange of a part, with what was sent in it."""
    made = exchange(body, purpose=purpose, status=status)
    return replace(made, sent=tuple(sent.items()))


def messages(*said: tuple[str, object]) -> dict[str, object]:
    """Build a list of messages out of roles and contents."""
    return {"messages": [{"role": role, "content": content} for role, content in said]}


def changed_steps(
    part: tuple[Exchange, ...], purpose: str, body: object, status: int = 200
) -> tuple[Exchange, ...]:
    """Give the exchanges of one purpose another answer."""
    text = body if isinstance(body, str) else json.dumps(body)
    return tuple(
        replace(made, body=text, status=status) if made.purpose == purpose else made
        for made in part
    )


def thread_part() -> tuple[Exchange, ...]:
    """Build what a working database answers to all that is done with a thread."""
    thread, sent = {"id": THREAD, "title": "Cost review"}, {"thread": THREAD, "text": NOTE}
    return (
        step(steps.CREATED, thread, text=NOTE),
        step(steps.WRITTEN, {"id": "m-1", "role": "user", "content": NOTE}, **sent),
        step(steps.READ, thread, **sent),
        step(steps.MESSAGES, messages(("user", NOTE)), **sent),
        step(steps.LISTED, {"threads": [{"id": "thr-0"}, thread]}, **sent),
        step(steps.DELETED, {"deleted": True}, **sent),
        step(steps.READ_AFTER, GONE, 404, **sent),
        step(steps.LISTED_AFTER, {"threads": [{"id": "thr-0"}]}, **sent),
    )


def trespass_part() -> tuple[Exchange, ...]:
    """Build what a platform answers to two users that it keeps apart."""
    thread = {"id": THREAD, "title": "Offer 1a2b"}
    text = "The offer has the number 1a2b."
    own = messages(("user", text))
    sent = {"mark": "1a2b", "foreign mark": "9f8e", "text": text, "thread": THREAD}
    refused = (
        steps.OTHERS_READ,
        steps.OTHERS_MESSAGES,
        steps.OTHERS_WRITTEN,
        steps.OTHERS_CHANGED,
        steps.OTHERS_RUN,
        steps.OTHERS_DELETED,
    )
    return (
        step(f"{steps.OWNER}{steps.CREATED}", thread, mark="1a2b"),
        step(f"{steps.OWNER}{steps.WRITTEN}", {"id": "m-2", "content": text}, **sent),
        step(f"{steps.OWNER}{steps.READ_BEFORE}", own, **sent),
        step(steps.OTHERS_LISTED, [{"id": "thr-7"}], **sent),
        step(steps.OTHERS_CONVERSATIONS, GONE, 404, **sent),
        step(steps.OTHERS_HISTORY, GONE, 404, **sent),
        *(step(purpose, GONE, 404, **sent) for purpose in refused),
        step(f"{steps.OWNER}{steps.READ}", thread, **sent),
        step(f"{steps.OWNER}{steps.MESSAGES}", own, **sent),
        step(f"{steps.OWNER}{steps.DELETED}", {"deleted": True}, **sent),
    )


def agents_part(answer: object = ANSWER, *, status: int = 200) -> tuple[Exchange, ...]:
    """Build what the agents API answers: a text becomes a success, all else is the body."""
    body = {"status": "success", "response": answer} if isinstance(answer, str) else answer
    sent = {"text": PROMPT, "marker": "KESTREL-4821", "expected": "42"}
    refused = {"error": "authentication_failed"}
    return (
        step(AGENTS_API, body, status, **sent),
        step(f"{AGENTS_API} without a token", refused, 401, **sent),
    )


def healthy_parts() -> dict[str, tuple[Exchange, ...]]:
    """Build the further HTTP exchanges of a healthy survey, by name of the observation."""
    kept = messages(("user", PROMPT), ("assistant", ANSWER))
    return {
        "thread": thread_part(),
        "kept": (step(steps.MESSAGES, kept, thread=THREAD),),
        "trespass": trespass_part(),
        "agents_api": agents_part(),
    }


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
        asked=healthy_parts(),
    )
    return replace(good, **changes)


def without(name: str) -> tuple[Entry, ...]:
    """Build the healthy journey's entries without the frames of one name."""
    return tuple(entry for entry in healthy_entries() if f'"type": "{name}"' not in entry.text)


def refusal(kind: Trouble = Trouble.REFUSED, *, ready: bool = False) -> Symptom:
    """Build a trouble of the road."""
    return Symptom(kind, "backend health", "http://target/health", ready=ready)
