"""One open WebSocket of one user: sending that never fails, closing that happens once."""

import asyncio
from collections import deque

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from pytest_goldenpath.reference import wire
from pytest_goldenpath.reference.settings import MESSAGES_PER_MINUTE

_MINUTE_S = 60.0


class Connection:
    """A connection after its user is known."""

    def __init__(self, websocket: WebSocket, user_id: str, connection_id: str) -> None:
        self._websocket = websocket
        self.user_id = user_id
        self.id = connection_id
        self.thread_id = f"thread_{connection_id}"  # for requests that name none
        self.runs = asyncio.Lock()  # one run after the other
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
