"""Real servers on loopback for the tests of the edge."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from threading import Thread

from websockets.asyncio.server import ServerConnection, serve

Talk = Callable[[ServerConnection], Awaitable[None]]
Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def socket_server(talk: Talk, **options: object) -> AsyncIterator[str]:
    """Serve WebSocket connections; yields the address."""
    async with serve(talk, "127.0.0.1", 0, **options) as server:  # type: ignore[arg-type]
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}/ws"


@asynccontextmanager
async def raw_server(answer: Raw) -> AsyncIterator[str]:
    """Serve bytes over TCP; yields the address as a web address."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@contextmanager
def closed_port() -> Iterator[str]:
    """Yield a web address that refuses every connection, and goes on to do so.

    The port is bound and nobody listens: a port that was given back may be anybody's a moment
    later, and tests that run beside this one start servers all the time.
    """
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def replying(head: str, body: bytes = b"") -> Raw:
    """Answer any request with these bytes, then hang up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return answer


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Accept a connection and never answer."""
    await reader.read()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read a request and reset the connection."""
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


Answering = Callable[[str, int], tuple[int, object] | None]


class Service:
    """A small web service: each answer is made from the request line and how often it came.

    None instead of an answer hangs up. ``asked`` holds every request line.
    """

    def __init__(self, answering: Answering) -> None:
        """Take what makes the answers."""
        self._answering = answering
        self.asked: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and hang up."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return
        line = " ".join(head.split(" ", 2)[:2])
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        self.asked.append(line)
        answer = self._answering(line, self.asked.count(line))
        if answer is None:
            writer.transport.abort()
            return
        status, document = answer
        body = json.dumps(document).encode() if not isinstance(document, str) else document.encode()
        kind = "text/html" if isinstance(document, str) else "application/json"
        writer.write(
            f"HTTP/1.1 {status} Said\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()


@contextmanager
def serving(answer: Raw) -> Iterator[str]:
    """Serve from a thread of its own, for clients that are other processes; yields the address."""
    up: Future[str] = Future()
    over: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve_until_over() -> None:
        event = asyncio.Event()
        async with raw_server(answer) as url:
            over.set_result((asyncio.get_running_loop(), event))
            up.set_result(url)
            await event.wait()

    thread = Thread(target=lambda: asyncio.run(serve_until_over()), daemon=True)
    thread.start()
    try:
        yield up.result(10.0)
    finally:
        loop, event = over.result(10.0)
        loop.call_soon_threadsafe(event.set)
        thread.join(10.0)
