"""What the parts of one running backend share, first of all its hub of open connections."""

import asyncio
import secrets
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from pytest_goldenpath.reference import wire
from pytest_goldenpath.reference.agent import Agent
from pytest_goldenpath.reference.identity import Gate, Tokens
from pytest_goldenpath.reference.settings import MESSAGES_PER_MINUTE, Settings
from pytest_goldenpath.reference.store import Database
from pytest_goldenpath.reference.web import Build

_MINUTE_S = 60.0


class Connection:
    """A connection after its user is known."""

    def __init__(self, websocket: WebSocket, user_id: str, connection_id: str) -> None:
        self._websocket = websocket
        self.user_id = user_id
        self.id = connection_id
        self.thread_id = f"thread_{connection_id}"  # for requests that name none
        self.runs = asyncio.Lock()  # one run after the other
        self.has_asked = self.is_deaf = False  # only faults look at them
        self._recent: deque[float] = deque(maxlen=MESSAGES_PER_MINUTE)

    @property
    def is_open(self) -> bool:
        """Whether anything can still be sent."""
        return self._websocket.application_state is WebSocketState.CONNECTED

    async def send(self, frame: object) -> None:
        """Send a frame; if the client has gone, nobody misses it."""
        await self.send_encoded(wire.text(frame))

    async def send_encoded(self, data: str | bytes) -> None:
        """Send what is already encoded: bytes become a binary frame."""
        if not self.is_open:
            return
        kind = "text" if isinstance(data, str) else "bytes"
        try:
            await self._websocket.send({"type": "websocket.send", kind: data})
        except WebSocketDisconnect:
            return

    async def close(self, code: int, reason: str = "") -> None:
        """Close, if it is still open."""
        if not self.is_open:
            return
        try:
            await self._websocket.close(code, reason)
        except WebSocketDisconnect:
            return

    def too_many(self) -> bool:
        """Count a message; tell whether it is one too many in this minute."""
        now = asyncio.get_running_loop().time()
        full = len(self._recent) == self._recent.maxlen
        if full and now - self._recent[0] < _MINUTE_S:
            return True
        self._recent.append(now)
        return False


class Hub:
    """Knows the connections of every user and the work that goes on for them."""

    def __init__(self) -> None:
        self._open: list[Connection] = []
        self._work: set[asyncio.Task[None]] = set()
        self._seen: set[str] = set()  # only faults look at it, and at those below
        self._stranded: list[Connection] = []

    def add(self, connection: Connection) -> None:
        """Take in a new connection."""
        self._open.append(connection)
        self._seen.add(connection.user_id)

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is over."""
        if connection in self._open:
            self._open.remove(connection)

    def strand(self, connection: Connection) -> None:
        """Keep the place of a connection that is over; no healthy server does."""
        self.remove(connection)
        self._stranded.append(connection)

    def stranded(self, user_id: str) -> list[Connection]:
        """Return the user's connections that are over and keep their places."""
        return [connection for connection in self._stranded if connection.user_id == user_id]

    def everybody(self) -> list[Connection]:
        """Return all open connections, oldest first."""
        return list(self._open)

    def was_here(self, user_id: str) -> bool:
        """Tell whether the user has ever connected."""
        return user_id in self._seen

    def of(self, user_id: str) -> list[Connection]:
        """Return the connections of one user, oldest first."""
        return [connection for connection in self._open if connection.user_id == user_id]

    def audience(self, asker: Connection, rule: str) -> list[Connection]:
        """Return who gets an event: the one who asked, unless a fault has another rule."""
        mine = self.of(asker.user_id)
        audiences = {
            "user": mine,
            "newest-of-user": mine[-1:],
            "idle-of-user": [one for one in mine if one is asker or not one.has_asked],
            "others-of-user": [one for one in mine if one is not asker] or [asker],
            "everyone": self._open,
            "everyone-when-busy": self._open if self.busy > 1 else [asker],
            "newest": self._open[-1:],
            "nobody": [],
        }
        return list(audiences.get(rule, [asker]))

    @property
    def busy(self) -> int:
        """How many runs go on."""
        return len(self._work)

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Let some work go on beside the connection that asked for it."""
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def close(self) -> None:
        """Say goodbye to everybody and stop what goes on."""
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*(connection.close(1001, "going away") for connection in self._open))


@dataclass(frozen=True, slots=True)
class Twin:
    """The parts of one process, put together once."""

    settings: Settings
    database: Database
    tokens: Tokens
    auth_gate: Gate
    http_gate: Gate
    ws_gate: Gate
    agent: Agent
    hub: Hub
    auth_build: Build
    build: Build


def assembled(settings: Settings) -> Twin:
    """Put the parts together for these settings."""
    seams = settings.seams
    database = Database(settings.database)
    secret = seams.at("tokens.secret", str) or settings.secret
    tokens = Tokens(secret, settings.environment, seams)
    known = tokens
    if seams.on("backend.secret"):
        known = Tokens(secrets.token_urlsafe(48), settings.environment, seams)
    revisions = seams.at("backend.revisions", tuple) or ("{revision}",)
    return Twin(
        settings=settings,
        database=database,
        tokens=tokens,
        auth_gate=Gate("auth", tokens, database, seams),
        http_gate=Gate("http", known, database, seams),
        ws_gate=Gate("ws", known, database, seams),
        agent=Agent(database, seams),
        hub=Hub(),
        auth_build=Build((settings.revision,)),
        build=Build(
            [str(name).format(revision=settings.revision) for name in revisions],
            of_api=seams.at("backend.api_revision", str) or "",
        ),
    )
