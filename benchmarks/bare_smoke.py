"""The smoke check as a bare script: the same requests and frames, with httpx and websockets only.

Usage: ``python bare_smoke.py BACKEND AUTH WS``, with GOLDENPATH_EMAIL and GOLDENPATH_PASSWORD.
It stops with an exception at the first wrong answer, so that no work can be left out.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

_SAMPLES, _AT_ONCE = 20, 4
_WITHIN_S, _RUN_S = 10.0, 60.0
_EVENTS = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]
_WELCOMES = {"connection_established", "connect", "connection_ready", "authentication_success"}
_BYPASS = {
    "X-Test-Type": "E2E",
    "X-E2E-Test": "true",
    "X-Test-Mode": "true",
    "X-Test-Environment": "staging",
    "X-E2E-Bypass": "true",
}


class WrongAnswer(Exception):
    """The target did not do what the smoke check demands."""


def demand(fact: object, what: str) -> None:
    """Stop unless something is as it must be."""
    if not fact:
        raise WrongAnswer(what)


async def main(backend: str, auth: str, ws: str) -> None:
    """Make the smoke check's observations, as many at once as the product does."""
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=None) as web:  # noqa: S113, S501  # loopback; deadlines are set below
        await healthy(web, f"{backend}/health")
        async with asyncio.TaskGroup() as group:
            group.create_task(sample_health(web, f"{backend}/health"))
            for url in (f"{auth}/health", f"{backend}/ws/health"):
                group.create_task(healthy(web, url))
            for url in (f"{backend}/health/ready", f"{auth}/health/ready"):
                group.create_task(get(web, url))
            group.create_task(converse(web, auth, ws))


async def get(web: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Return the JSON object that an address answers with 200."""
    async with asyncio.timeout(_WITHIN_S):
        response = await web.get(url)
    demand(response.status_code == httpx.codes.OK, f"{url}: {response.status_code}")
    document: dict[str, Any] = response.json()
    return document


async def healthy(web: httpx.AsyncClient, url: str) -> None:
    """Demand that a service says that it is up."""
    document = await get(web, url)
    demand(document.get("status") in {"healthy", "ok", "up"}, f"{url}: {document}")


async def sample_health(web: httpx.AsyncClient, url: str) -> None:
    """Ask for the health as often as the product, and as many times at once."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def ask() -> None:
        async with slots:
            await healthy(web, url)

    await asyncio.gather(*(ask() for _ in range(_SAMPLES - 1)))


async def converse(web: httpx.AsyncClient, auth: str, ws: str) -> None:
    """Log in; then be refused seven times, ask the agent, and shake hands in both ways."""
    login = {"email": os.environ["GOLDENPATH_EMAIL"], "password": os.environ["GOLDENPATH_PASSWORD"]}
    async with asyncio.timeout(_WITHIN_S):
        response = await web.post(f"{auth}/auth/login", json=login)
    demand(response.status_code == httpx.codes.OK, f"login: {response.status_code}")
    document = response.json()
    token, user_id = document["access_token"], document["user"]["id"]
    welcomed = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for headers in stranger_headers(token):
            group.create_task(be_refused(ws, headers))
        for stranger in (f"garbage-{secrets.token_urlsafe(24)}", f"{token[:-8]}AAAAAAAA"):
            group.create_task(be_refused(ws, {}, token_subprotocols(stranger)))
        group.create_task(journey(ws, token, user_id, welcomed))
        group.create_task(shake_hands(ws, token, welcomed))


def stranger_headers(token: str) -> list[dict[str, str]]:
    """Return the headers of those who must not get in."""
    claims = json.loads(_decoded(token.split(".")[1]))
    key = secrets.token_bytes(48)
    foreign = {**claims, "iss": "https://issuer.example", "aud": "another-platform"}
    tokens = [
        f"garbage-{secrets.token_urlsafe(24)}",
        _signed(claims, key),
        _signed({**claims, "exp": int(time.time()) - 3600}, key),
        _signed(foreign, key),
        _signed(claims, None),
    ]
    return [{}, *({"Authorization": f"Bearer {token}"} for token in tokens), _BYPASS]


async def be_refused(
    ws: str, headers: dict[str, str], offered: list[Subprotocol] | None = None
) -> None:
    """Demand that a stranger who asks is refused, and told nothing but errors."""
    try:
        async with asyncio.timeout(_WITHIN_S), opened(ws, headers, offered) as connection:
            await connection.send(json.dumps({"type": "ping"}))
            await connection.send(request("stranger-0001", "What did my neighbour ask?"))
            while True:
                frame = json.loads(await connection.recv())
                demand(str(frame.get("type")).startswith("error"), f"a stranger heard {frame}")
    except InvalidStatus as error:
        demand(error.response.status_code in {401, 403}, f"refused with {error}")
    except ConnectionClosed as error:
        demand(error.rcvd is not None and error.rcvd.code == 1008, f"closed with {error}")  # noqa: PLR2004


async def journey(ws: str, token: str, user_id: str, welcomed: asyncio.Event) -> None:
    """Ask the agent and read until it has completed, and all that was queued before a pong."""
    async with opened(ws, subprotocols=token_subprotocols(token)) as connection:
        await hear(connection, _WELCOMES)
        welcomed.set()
        await ping(connection)
        marker = f"KESTREL-{secrets.randbelow(9000) + 1000}"
        await connection.send(request(user_id, f"Repeat {marker} and add 12 and 30."))
        frames = await hear_run(connection)
        answer = json.dumps(frames[-1])
        frames += await ping(connection)
    seen = [frame["type"] for frame in frames if frame["type"] in _EVENTS]
    demand(seen[0] == _EVENTS[0] and set(seen) == set(_EVENTS), f"events: {seen}")
    demand(marker in answer, f"the answer is not to this request: {answer}")
    demand(all(frame.get("user_id", user_id) == user_id for frame in frames), "another's frame")


async def hear_run(connection: ClientConnection) -> list[dict[str, Any]]:
    """Return all frames up to the supervisor's completion."""
    frames: list[dict[str, Any]] = []
    while not (frames and _is_last(frames[-1])):
        frames += await hear(connection, set(_EVENTS), _RUN_S)
    return frames


async def shake_hands(ws: str, token: str, welcomed: asyncio.Event) -> None:
    """Once the instance is warm, open the socket by each carrier, one after the other."""
    await welcomed.wait()
    bearer = {"Authorization": f"Bearer {token}"}
    for headers, offered in ((bearer, None), ({}, token_subprotocols(token))):
        async with opened(ws, headers, offered) as connection:
            await hear(connection, _WELCOMES)
            await ping(connection)
            demand(not offered or connection.subprotocol, "no subprotocol was chosen")


async def ping(connection: ClientConnection) -> list[dict[str, Any]]:
    """Send a ping and return all frames up to its pong."""
    await connection.send(json.dumps({"type": "ping", "timestamp": time.monotonic()}))
    return await hear(connection, {"pong"})


async def hear(
    connection: ClientConnection, types: set[str], within_s: float = _WITHIN_S
) -> list[dict[str, Any]]:
    """Return all frames up to one of these types."""
    frames: list[dict[str, Any]] = []
    async with asyncio.timeout(within_s):
        while not (frames and _type(frames[-1]) in types):
            frames.append(json.loads(await connection.recv()))
            demand("error" not in str(frames[-1].get("type")), f"heard {frames[-1]}")
    return frames


@asynccontextmanager
async def opened(
    ws: str,
    headers: dict[str, str] | None = None,
    subprotocols: list[Subprotocol] | None = None,
) -> AsyncIterator[ClientConnection]:
    """Open a socket with the product's options, and close it."""
    connection = await connect(
        ws,
        additional_headers=headers,
        subprotocols=subprotocols,
        open_timeout=_WITHIN_S,
        close_timeout=1.0,
        ping_interval=None,
        max_size=1_048_576,
        proxy=None,
    )
    try:
        yield connection
    finally:
        await connection.close()


def token_subprotocols(token: str) -> list[Subprotocol]:
    """Return what a browser offers."""
    return [Subprotocol("jwt-auth"), Subprotocol(f"jwt.{_encoded(token.encode())}")]


def request(user_id: str, text: str) -> str:
    """Return the message that starts a run, with all fields that some handler reads."""
    texts = dict.fromkeys(("content", "message", "user_request", "text"), text)
    names = {
        "thread_id": str(uuid.uuid4()),
        "run_id": f"run-{uuid.uuid4()}",
        "message_id": f"msg-{uuid.uuid4()}",
    }
    kind = {"type": "execute_agent", "agent_type": "supervisor", "user_id": user_id}
    return json.dumps({**kind, **texts, **names})


def _type(frame: dict[str, Any]) -> str:
    """Return a frame's type; a welcome may be wrapped in a system message."""
    inner = frame.get("data")
    wrapped = frame.get("type") == "system_message" and isinstance(inner, dict)
    return str(inner.get("event") if wrapped and isinstance(inner, dict) else frame.get("type"))


def _is_last(frame: dict[str, Any]) -> bool:
    return frame.get("type") == _EVENTS[-1] and "supervisor" in json.dumps(frame).lower()


def _signed(claims: dict[str, Any], key: bytes | None) -> str:
    header = {"alg": "HS256" if key else "none", "typ": "JWT"}
    text = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    signature = hmac.digest(key, text.encode(), hashlib.sha256) if key else b""
    return f"{text}.{_encoded(signature)}"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
