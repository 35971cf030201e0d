"""Plain functions that build data for tests: a healthy survey, and ways to change it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.observed import ContextFacts, Home, Trial
from pytest_goldenpath.contract.rules import threads as steps
from pytest_goldenpath.contract.rules.answer import AGENTS_API
from pytest_goldenpath.contract.rules.doors import BACKENDS_LOGIN
from pytest_goldenpath.contract.rules.sockets import FLOOD, MISUSES, NEIGHBOUR, OVERSIZED
from pytest_goldenpath.contract.survey import Login, Survey, TokenFacts
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
NEW_PAIR = {"access_token": "a new", "refresh_token": "a new"}
SAFE_HEADERS = (("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"))
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
    url: str = "http://target/health",
    headers: tuple[tuple[str, str], ...] = (),
) -> Exchange:
    """Build an exchange; the body is JSON unless it is a text."""
    value = HEALTHY if body is None else body
    text = value if isinstance(value, str) else json.dumps(value)
    return Exchange(
        purpose,
        "GET",
        url,
        at_s,
        elapsed_s,
        status,
        (("content-type", content_type), *headers),
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


def run_of(
    purpose: str,
    *,
    user: str = USER,
    number: int = 1,
    connection: str = "",
    kind: str = "execute_agent",
) -> Transcript:
    """Build another healthy run, with ids, a marker and a user of its own."""
    marker, thread = f"HERON-{number:04}", f"thr-{number}-of-its-own"
    text = ANSWER.replace("KESTREL-4821", marker).replace(
        "17 plus 25 is 42", f"{number} plus 50 is {number + 50}"
    )
    entries = tuple(
        replace(
            entry,
            text=entry.text.replace(f'"{RUN}"', f'"run-{number}-of-its-own"')
            .replace(THREAD, thread)
            .replace(USER, user)
            .replace("u-123456...", f"{user[:8]}...")
            .replace("main_1", connection or f"main_{purpose}"),
        )
        for entry in healthy_entries(text)
    )
    request = Request(
        PROMPT.replace("KESTREL-4821", marker),
        kind,
        thread,
        f"run-{number}-of-its-own",
        f"msg-{number}",
        marker=marker,
        expected=str(number + 50),
    )
    return Transcript(
        purpose, "ws://target/ws", "header", (), user, 3.0, request, entries, epoch_s=EPOCH
    )


def said(purpose: str, *labels: str, connection: str = "") -> Transcript:
    """Build a conversation without a run: what was said was replied to, and then a ping."""
    replies = [
        (Entry(0.03, Kind.SENT, label, "{}"), heard({"type": "ack"}, 0.04)) for label in labels
    ]
    entries = (
        Entry(0.01, Kind.OPENED),
        welcome(connection=connection or f"main_{purpose}"),
        *(entry for pair in replies for entry in pair),
        Entry(0.05, Kind.SENT, "ping", '{"type": "ping"}'),
        heard({"type": "pong"}, 0.06),
        Entry(0.07, Kind.LEFT),
    )
    return Transcript(purpose, "ws://target/ws", "header", (), USER, 3.0, None, entries)


def offering(chosen: str) -> Transcript:
    """Build a handshake that offers one subprotocol and gets this one."""
    made = handshake("subprotocol, alone", "main_4")
    entries = (Entry(0.01, Kind.OPENED, chosen), *made.entries[1:])
    return replace(made, offered=("jwt.***",), entries=entries)


def flood(count: int = 12, *, let_in: int = 10) -> tuple[Transcript, ...]:
    """Build many connections of one user, of which some are let in."""
    refused = (
        Entry(0.01, Kind.OPENED),
        heard({"type": "error_message", "error_code": "CONNECTION_LIMIT"}, 0.02),
        Entry(0.03, Kind.CLOSED, "the target", "", 1008),
    )
    talks = (said(FLOOD, connection=f"main_flood{number}") for number in range(count))
    return tuple(
        talk if number < let_in else replace(talk, entries=refused)
        for number, talk in enumerate(talks)
    )


def talks() -> dict[str, tuple[Transcript, ...]]:
    """Build the further conversations of a healthy survey."""
    too_large = (
        *said(OVERSIZED).entries[:2],
        Entry(0.03, Kind.SENT, OVERSIZED, "{}"),
        Entry(0.04, Kind.CLOSED, "the target", "Message too large", 1009),
    )
    return {
        "refresh_socket": (stranger(purpose="a refresh token for an access token"),),
        "side_doors": (stranger(purpose="the side door /ws/test without a token"),),
        "offers": (offering("jwt.***"),),
        "misuse": (said("misuse", *(label for label, _ in MISUSES)),),
        "idle": (said("idle"),),
        "message_types": (run_of("ask by chat", number=11, kind="chat"),),
        "pair": (run_of("one user, first", number=21), run_of("one user, second", number=22)),
        "crowd": (
            run_of("many users, first", number=31),
            run_of("many users, second", user="u-98765432-dcba", number=32),
        ),
        "again": (said("reconnect"),),
        "limits": (
            replace(said(OVERSIZED), entries=too_large),
            said(NEIGHBOUR),
            *flood(),
        ),
    }


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
        token=token_facts(),
    )
    return replace(good, **changes)


def token_facts(**changes: Any) -> TokenFacts:
    """Build what a healthy token says of itself."""
    good = TokenFacts(
        EPOCH,
        "HS256",
        signed=True,
        issuer="netra-auth-service",
        audiences=("netra-platform",),
        issued_at_s=EPOCH - 1,
        expires_at_s=EPOCH + 899,
    )
    return replace(good, **changes)


def closed_doors() -> dict[str, tuple[Exchange, ...]]:
    """Build what a healthy target answers to wrong logins, tokens and strangers."""
    refused = {"detail": "Invalid credentials"}
    return {
        "refused_logins": tuple(
            exchange(refused, purpose=purpose, status=status)
            for purpose, status in (
                ("a wrong password", 401),
                ("a login without a password", 422),
                (f"{BACKENDS_LOGIN} /auth/login", 404),
            )
        ),
        "giveaways": (
            exchange(refused, purpose="the trial login without a key", status=401),
            exchange(
                {"detail": "Not Found"}, purpose="a token asked for by a stranger", status=404
            ),
        ),
        "validations": tuple(
            exchange(body, purpose=f"{route} with {what}")
            for route in ("validate", "verify", "verify by GET")
            for what, body in (
                ("the fresh token", {"valid": True, "user_id": USER}),
                ("a garbage token", {"valid": False, "error": "invalid_token"}),
            )
        ),
        "agreement": knocks("the fresh token", 200),
        "unauthorized": (
            *knocks("no token", 401),
            *knocks("a garbage token", 401),
            *knocks("a wrongly signed token", 401),
            *knocks("bypass headers and no token", 401),
        ),
        "stranger_writes": stranger_writes_part(),
        "roots": (exchange(purpose="backend root", headers=SAFE_HEADERS),),
        "refresh": (
            *knocks("the refresh token", 401),
            exchange(NEW_PAIR, purpose="refresh"),
            *knocks("the refreshed token", 200),
            exchange(NEW_PAIR, purpose="second refresh"),
        ),
    }


def knocks(what: str, status: int) -> tuple[Exchange, ...]:
    """Build what the protected routes answer to one token."""
    body = {"error": "authentication_failed"} if status != 200 else '"list"'
    return tuple(
        exchange(body, purpose=f"{route} with {what}", status=status)
        for route in ("backend threads", "auth me")
    )


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


def stranger_writes_part() -> tuple[Exchange, ...]:
    """Build what a platform answers to who has no token and writes all the same."""
    sent, refused = {"thread": THREAD}, {"error": "authentication_failed"}
    deeds = (
        steps.NOBODY_CREATED,
        steps.NOBODY_WRITTEN,
        steps.NOBODY_CHATTED,
        steps.NOBODY_CHANGED,
        steps.NOBODY_DELETED,
    )
    return (
        step(f"{steps.OWNER}{steps.CREATED}", {"id": THREAD}, **sent),
        *(step(deed, refused, 401, **sent) for deed in deeds),
        step(f"{steps.OWNER}{steps.DELETED}", {"deleted": True}, **sent),
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
        asked={**closed_doors(), **healthy_parts()},
        talks=talks(),
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
