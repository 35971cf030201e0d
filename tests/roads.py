"""Broken roads and rude servers on loopback: each makes one row of the attribution table."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from websockets.asyncio.server import ServerConnection

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.journey.channel import NONE, Call, hold
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.conversation import AwaitWelcome, Conversation
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.secrets import Redactor
from servers import Raw, Talk, replying

JSON = "content-type: application/json"
HTML = "content-type: text/html; charset=utf-8"
PAGE = b"<html><body>Error</body></html>"
_WELCOME = '{"type":"connection_established","data":{"connection_id":"c1"}}'


def saying(status: int, *headers: str, body: bytes = b"") -> Raw:
    """Answer any request with this status, these headers and this body, then hang up."""
    lines = (f"HTTP/1.1 {status} Said", *headers, f"content-length: {len(body)}")
    return replying("\n".join((*lines, "connection: close")), body)


def of_app(status: int, *headers: str) -> Raw:
    """Answer in the manner of an application: a JSON object."""
    return saying(status, JSON, *headers, body=b'{"detail":"no"}')


def of_proxy(status: int, *headers: str) -> Raw:
    """Answer in the manner of a proxy: a page of HTML."""
    return saying(status, HTML, *headers, body=PAGE)


async def half_a_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Promise a body, send a part of it and reset the connection."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    await writer.drain()
    reset(writer)


async def reset_at_once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept a connection and reset it."""
    reset(writer)


async def end_of_file(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Read a request and hang up politely, without an answer."""
    await reader.readuntil(b"\r\n\r\n")


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a TLS greeting with something else."""
    await reader.read(16)
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n" * 20)
    await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection by a reset, not by an end."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def full_backlog() -> Iterator[str]:
    """Yield an address whose queue of connections is full: further ones are never answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        callers = [socket.socket() for _ in range(4)]
        try:
            for caller in callers:
                caller.settimeout(0.0)
                caller.connect_ex(listener.getsockname())
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for caller in callers:
                caller.close()


@asynccontextmanager
async def tls_server(context: ssl.SSLContext) -> AsyncIterator[str]:
    """Serve TLS with this certificate; yields the address by its name."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(200, JSON, body=b"{}")(reader, writer)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


def closing(code: int) -> Talk:
    """Close every connection with this code, after a welcome."""

    async def talk(connection: ServerConnection) -> None:
        await connection.send(_WELCOME)
        await connection.close(code)

    return talk


async def closing_without_code(connection: ServerConnection) -> None:
    """Send a close frame without a code, which is 1005 to whoever reads it."""
    connection.transport.write(b"\x88\x00")
    await connection.wait_closed()


async def vanishing(connection: ServerConnection) -> None:
    """Drop the connection without a close frame, which is 1006 to whoever notices."""
    connection.transport.abort()


def writing(frame: bytes) -> Talk:
    """Write a frame that no client may accept, so that the client has to close."""

    async def talk(connection: ServerConnection) -> None:
        connection.transport.write(frame)
        await connection.wait_closed()

    return talk


async def ask(url: str, purpose: str = "backend health", *, within_s: float = 5.0) -> Exchange:
    """Make one request of a target that is ready."""
    async with Web(url, Redactor(), Stopwatch()) as web:
        web.ready = True
        return (await web.exchange(purpose, "GET", f"{url}/health", within_s=within_s)).exchange


async def talk_to(url: str, *, open_within_s: float = 5.0) -> Transcript:
    """Open a socket of a target that is ready, and listen until it is closed."""
    call = Call("journey", url, NONE, user_id="u-1", open_within_s=open_within_s)
    steps = (AwaitWelcome(1.0), AwaitWelcome(1.0))
    return await hold(call, Conversation(steps), Redactor(), ready=True)
