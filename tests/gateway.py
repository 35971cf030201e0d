"""A road to a real backend that can break: request by request, or altogether for a while."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from urllib.parse import urlsplit

#: What becomes of a request, by its line: '' lets it pass, 'reset' hangs up, '503' answers so.
Decide = Callable[[str], str]
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html\r\ncontent-length: 22\r\n"
    b"connection: close\r\n\r\n<h1>no instances</h1>\r\n"
)


class Gateway:
    """Forwards each request to a server, over a connection of its own, unless the road is cut.

    Use it as the handler of ``serving``. ``asked`` holds every request line that came.
    """

    def __init__(self, upstream: str, decide: Decide = lambda _line: "") -> None:
        """Take the server's address, and what decides about each request."""
        place = urlsplit(upstream)
        self._host, self._port = place.hostname or "", place.port or 80
        self._decide = decide
        self._away_until_s = 0.0
        self._open: set[asyncio.StreamWriter] = set()
        self.asked: list[str] = []

    def cut(self, for_s: float) -> None:
        """Break every connection, and refuse to serve for so long."""
        self._away_until_s = time.monotonic() + for_s
        for writer in self._open:
            writer.transport.abort()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: one request, or one WebSocket."""
        self._open.add(writer)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            self._open.discard(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line = b" ".join(head.split(b" ", 2)[:2]).decode()
        self.asked.append(line)
        fate = self._decide(line)
        if fate == "reset" or time.monotonic() < self._away_until_s:
            writer.transport.abort()
            return
        if fate == "503":
            writer.write(_BUSY)
            await writer.drain()
            return
        upgrades = b"\r\nupgrade: websocket" in head.lower()
        if not upgrades:
            lines = [n for n in head.split(b"\r\n") if not n.lower().startswith(b"connection:")]
            head = b"\r\n".join([lines[0], b"connection: close", *lines[1:]])
        theirs, ours = await asyncio.open_connection(self._host, self._port)
        self._open.add(ours)
        ours.write(head)
        there = asyncio.create_task(_pump(reader, ours))
        try:
            await _pump(theirs, writer)
        finally:
            there.cancel()
            self._open.discard(ours)
            ours.close()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await there


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while chunk := await source.read(65_536):
        sink.write(chunk)
        await sink.drain()
