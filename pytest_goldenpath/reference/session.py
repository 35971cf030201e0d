"""The life of one WebSocket: handshake, authentication, welcome, messages (protocol.md 3)."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from pytest_goldenpath.reference import wire
from pytest_goldenpath.reference.fault import Close, Reply
from pytest_goldenpath.reference.identity import Doorman, Refusal, chosen_subprotocol
from pytest_goldenpath.reference.runs import Forbidden, Runs
from pytest_goldenpath.reference.settings import MAX_MESSAGE_BYTES
from pytest_goldenpath.reference.twin import Connection, Twin
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

_CONTROL = ("ping", "heartbeat")


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
    """Return the message (protocol.md 3.5), or raise Unreadable."""
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


class Sockets:
    """Serves the WebSocket routes."""

    def __init__(self, twin: Twin, runs: Runs) -> None:
        self._twin = twin
        self._runs = runs
        self._doorman = Doorman(twin.ws_gate, twin.settings.seams)

    async def serve(self, websocket: WebSocket) -> None:
        """Live through one connection."""
        with contextlib.suppress(WebSocketDisconnect):
            await self._serve(websocket)

    async def _serve(self, websocket: WebSocket) -> None:
        seams = self._twin.settings.seams
        refused = seams.at("ws.upgrade", Reply)
        if refused is not None:
            await websocket.send_denial_response(
                Response(
                    refused.raw, refused.status or 500, dict(refused.headers), refused.content_type
                )
            )
            return
        offered = websocket.scope.get("subprotocols", [])
        early = self._twin.settings.events in {"V11", "V13"}
        name = chosen_subprotocol(offered, prefer_plain=early)
        if offered and name is None:
            await websocket.close(1003)
            return
        name = seams.at("ws.subprotocol", str) if seams.on("ws.subprotocol") else name
        await websocket.accept(subprotocol=name or None)
        try:
            user_id = await self._doorman.admit(websocket)
        except Refusal as refusal:
            await self._refuse(websocket, refusal)
            return
        await self._connected(websocket, user_id)

    async def _refuse(self, websocket: WebSocket, refusal: Refusal) -> None:
        seams = self._twin.settings.seams
        connection = Connection(websocket, "", "")
        await connection.send(wire.error("AUTH_FAILED", f"Authentication failed: {refusal}"))
        code = seams.at("ws.refusal_code", int)
        if code == 0:
            while (await websocket.receive())["type"] != "websocket.disconnect":
                await connection.send(wire.error("CONNECTION_ERROR", "Message routing failed"))
            return
        await connection.close(code or 1008, "Authentication failed")

    async def _connected(self, websocket: WebSocket, user_id: str) -> None:
        hub, seams = self._twin.hub, self._twin.settings.seams
        connection = Connection(websocket, user_id, self._connection_id(user_id))
        mine = hub.of(user_id)
        counted = hub.everybody() if seams.on("limits.shared") else mine + hub.stranded(user_id)
        if len(counted) >= self._twin.settings.places.count and not seams.on("limits.connections"):
            await connection.send(wire.error("CONNECTION_LIMIT", "Too many connections"))
            await connection.close(1008, "Too many connections")
            return
        if seams.on("ws.one_per_user"):
            for older in mine:
                await older.close(1008, "Replaced by a newer connection")
        is_back = hub.was_here(user_id) and not mine
        connection.is_deaf = is_back and seams.on("reconnect.deaf")
        hub.add(connection)
        try:
            for what in seams.every("reconnect.forgets", str) if is_back else ():
                await self._runs.forget(user_id, what)
            await Session(self._twin, self._runs, websocket, connection).live()
        finally:
            freed_s = self._twin.settings.places.freed_s
            if seams.on("places.leak"):
                hub.strand(connection)
            elif freed_s:
                asyncio.get_running_loop().call_later(freed_s, hub.remove, connection)
            else:
                hub.remove(connection)

    def _connection_id(self, user_id: str) -> str:
        seams = self._twin.settings.seams
        if seams.on("connection.same_id"):
            return f"main_{user_id[:8]}"
        return f"main_{uuid.uuid4().hex[:8]}"


class Session:
    """A connection whose user is known, from its welcome to its end."""

    def __init__(
        self, twin: Twin, runs: Runs, websocket: WebSocket, connection: Connection
    ) -> None:
        self._twin = twin
        self._seams = twin.settings.seams
        self._runs = runs
        self._websocket = websocket
        self._connection = connection
        self._control: dict[str, Callable[[ClientMessage], Awaitable[None]]] = {
            "ping": self._ping,
            "heartbeat": self._heartbeat,
            "connect": self._connect,
            "disconnect": self._disconnect,
        }

    async def live(self) -> None:
        """Welcome the client and serve it until either side has enough."""
        if await self._closed_by("ws.before_welcome"):
            return
        await self._welcome()
        if await self._closed_by("ws.after_welcome"):
            return
        while self._connection.is_open:
            raw = await self._received()
            if raw is None:
                return
            if await self._closed_by("ws.first_message"):
                return
            await self._handle(raw)

    async def _closed_by(self, seam: str) -> bool:
        fault = self._seams.at(seam, Close)
        if fault is None:
            return False
        if fault.frame is not None:
            await self._connection.send({**fault.frame, "timestamp": time.time()})
        await self._connection.close(fault.code, fault.reason)
        return True

    async def _welcome(self) -> None:
        if self._seams.on("welcome.none"):
            return
        await asyncio.sleep(self._seams.at("welcome.delay", float) or 0.0)
        make = wire.WELCOMES[self._twin.settings.welcome]
        frame = make(self._connection.user_id, self._connection.id)
        for edit in self._seams.every("welcome.edit", dict):
            frame = _edited(frame, edit)
        await self._connection.send(frame)

    async def _received(self) -> str | bytes | None:
        """Return the next message; None when the client has gone. Idle clients get heartbeats."""
        while True:
            try:
                async with asyncio.timeout(self._twin.settings.heartbeat_s):
                    message = await self._websocket.receive()
            except TimeoutError:
                if await self._closed_by("ws.idle"):
                    return None
                kind = self._seams.at("heartbeat.type", str) or "heartbeat"
                await self._connection.send(wire.heartbeat(kind, self._connection.id))
                continue
            if message["type"] != "websocket.receive":
                return None
            text: str | None = message.get("text")
            return text if text is not None else bytes(message.get("bytes") or b"")

    async def _handle(self, raw: str | bytes) -> None:
        size = len(raw) if isinstance(raw, bytes) else len(raw.encode("utf-8", "replace"))
        if size > MAX_MESSAGE_BYTES and not self._seams.on("limits.size"):
            text = f"A message has at most {MAX_MESSAGE_BYTES} bytes"
            await self._connection.send(wire.error("MESSAGE_TOO_LARGE", text))
            await self._connection.close(1009, "Message too large")
            return
        try:
            message = understood(raw)
        except Unreadable as error:
            if await self._closed_by("ws.malformed") or self._seams.on("ws.malformed_ignored"):
                return
            await self._connection.send(wire.error(error.code, str(error)))
            return
        if message.kind not in _CONTROL and self._connection.too_many():
            text = "Too many messages in a minute"
            await self._connection.send(wire.error("RATE_LIMITED", text))
            return
        await self._route(message)

    async def _route(self, message: ClientMessage) -> None:
        if message.kind in self._control:
            await self._control[message.kind](message)
        elif message.kind in STARTERS and not self._swallows(message.kind):
            await self._ask(message)
        elif not await self._closed_by("ws.unknown"):
            await self._connection.send(wire.ack(message.kind, self._connection.user_id))

    def _swallows(self, kind: str) -> bool:
        return any(
            kind in kinds or "*" in kinds for kinds in self._seams.every("ws.swallow", tuple)
        )

    async def _ask(self, message: ClientMessage) -> None:
        user_id = self._connection.user_id
        thread_id = message.thread_id or self._connection.thread_id
        try:
            task = await self._runs.task(
                message.text, user_id, thread_id, message.run_id, door="socket"
            )
        except Forbidden:
            text = "This thread belongs to another user"
            await self._connection.send(wire.error("FORBIDDEN", text))
            return
        if self._seams.at("run.spares", str) == "first question":
            task = replace(task, spared=not self._connection.has_asked)
        await self._connection.send(wire.ack(message.kind, user_id))
        second = self._connection.has_asked and self._seams.on("ws.second_ignored")
        if self._connection.is_deaf or second:
            return
        if self._connection.has_asked and await self._closed_by("ws.second_request"):
            return
        self._connection.has_asked = True
        self._twin.hub.start(self._runs.watched(task, self._connection))

    async def _ping(self, _: ClientMessage) -> None:
        if await self._closed_by("ws.ping") or self._seams.on("ws.ping_ignored"):
            return
        await self._connection.send(wire.pong(self._connection.user_id))

    async def _heartbeat(self, _: ClientMessage) -> None:
        await self._connection.send(wire.heartbeat_ack())

    async def _connect(self, _: ClientMessage) -> None:
        data: wire.Frame = {"status": "connected", "connection_id": self._connection.id}
        await self._connection.send(wire.server_message("system_message", data))

    async def _disconnect(self, _: ClientMessage) -> None:
        data: wire.Frame = {"status": "disconnect_acknowledged"}
        await self._connection.send(wire.server_message("system_message", data))


def _edited(frame: wire.Frame, edit: dict[str, object]) -> wire.Frame:
    """Return the frame with other values wherever the keys stand; None takes a key away."""
    changed: wire.Frame = {}
    for key, value in frame.items():
        if key in edit:
            if edit[key] is not None:
                changed[key] = edit[key]
        else:
            changed[key] = _edited(value, edit) if isinstance(value, dict) else value
    return changed
