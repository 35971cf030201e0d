"""The wire by hand: what no library would send."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable
from itertools import repeat

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Hostility = Callable[[asyncio.StreamWriter], Awaitable[None]]
OK = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
HEALTHY = b'{"status":"healthy","version":"1.4.2","database":"ok"}'
WELCOME = '{"type":"connection_established","data":{"connection_id":"c1","user_id":"u1"}}'
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#: Far more than anybody may read, and still an end, so that a test of a broken bound ends.
_PLENTY = 400_000_000


def frame(payload: bytes | str, opcode: int = TEXT, *, fin: bool = True, rsv: int = 0) -> bytes:
    """Write a server's frame, right or wrong."""
    data = payload.encode() if isinstance(payload, str) else payload
    first = bytes([(0x80 if fin else 0) | rsv | opcode])
    if len(data) < 126:
        return first + bytes([len(data)]) + data
    if len(data) < 65_536:
        return first + b"\x7e" + len(data).to_bytes(2, "big") + data
    return first + b"\x7f" + len(data).to_bytes(8, "big") + data


def said(head: str, body: bytes = b"") -> Handler:
    """Answer every request with these bytes, then hang up."""
    return pouring(f"{head}\r\n".encode() + body, ())


def ok(body: bytes, *headers: str) -> Handler:
    """Answer every request with 200, more headers, and a body."""
    return said(OK + "".join(f"{header}\r\n" for header in headers), body)


def pouring(first: bytes, then: Iterable[bytes]) -> Handler:
    """Answer every request with some bytes and then others, as long as somebody reads."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        await pour(writer, then)

    return answer


def dripping(first: bytes, drop: bytes) -> Handler:
    """Answer with some bytes and then a drop now and then, until the other side leaves."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        await drip(writer, drop)

    return answer


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Accept a connection and never answer."""
    await reader.read()


async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer whatever begins in plain HTTP."""
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read a request and reset the connection."""
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


async def pour(writer: asyncio.StreamWriter, pieces: Iterable[bytes]) -> None:
    """Write pieces as fast as they are taken."""
    poured = 0
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        poured += len(piece)
        if poured > _PLENTY:
            return


async def drip(writer: asyncio.StreamWriter, drop: bytes) -> None:
    """Write a drop twenty times a second: nothing that counts the silence ever sees one."""
    while not writer.is_closing():
        writer.write(drop)
        await writer.drain()
        await asyncio.sleep(0.05)


def forever(piece: bytes, times: int = 1000) -> Iterable[bytes]:
    """Repeat a small piece without end, many at once."""
    return repeat(piece * times)


def upgraded(hostility: Hostility, *, welcome: bool = True, extension: str = "") -> Handler:
    """Upgrade properly, say welcome, and then be hostile; reads whatever comes meanwhile."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(switching(head, extension=extension))
        if welcome:
            writer.write(frame(WELCOME))
        listening = asyncio.create_task(reader.read(-1))
        try:
            await hostility(writer)
            await listening
        finally:
            listening.cancel()

    return serve


def asked(*texts: str, early: bytes = b"") -> Handler:
    """Upgrade, answer every ping, and answer the request with these frames."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(switching(head) + frame(WELCOME) + early)
        while True:
            message = await _message(reader)
            if message.get("type") == "ping":
                writer.write(frame('{"type":"pong"}'))
            else:
                for text in texts:
                    filled = text
                    for name in ("run_id", "thread_id", "user_id"):
                        filled = filled.replace(f"%{name}%", str(message.get(name, "")))
                    writer.write(frame(filled))
            await writer.drain()

    return serve


async def _message(reader: asyncio.StreamReader) -> dict[str, object]:
    """Read one of our own messages, which are masked and never fragmented."""
    _, length = await reader.readexactly(2)
    size = length & 0x7F
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    mask = await reader.readexactly(4)
    data = await reader.readexactly(size)
    plain = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
    try:
        loaded: dict[str, object] = json.loads(plain)
    except ValueError:  # a close frame
        raise asyncio.IncompleteReadError(b"", None) from None
    return loaded


def switching(
    head: bytes, *, extension: str = "", subprotocol: str = "", accept: str = ""
) -> bytes:
    """Answer an upgrade, right or wrong."""
    key = re.search(rb"sec-websocket-key: (\S+)", head, re.IGNORECASE)
    digest = hashlib.sha1((key[1] if key else b"") + _GUID, usedforsecurity=False).digest()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "upgrade: websocket",
        "connection: Upgrade",
        f"sec-websocket-accept: {accept or base64.b64encode(digest).decode()}",
    ]
    if extension:
        lines.append(f"sec-websocket-extensions: {extension}")
    if subprotocol:
        lines.append(f"sec-websocket-protocol: {subprotocol}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def switched(**wrong: str) -> Handler:
    """Answer an upgrade with something wrong in it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(switching(head, **wrong))
        await reader.read()

    return serve


def floods(piece: bytes, times: int = 1000) -> Handler:
    """Upgrade and repeat some bytes without end."""
    return upgraded(lambda writer: pour(writer, forever(piece, times)))


def sends(data: bytes, *, leave: bool = False) -> Handler:
    """Upgrade and send some bytes, once; then stay, or hang up."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if leave:
            writer.close()

    return upgraded(send)


def deflated(megabytes: int = 500) -> bytes:
    """Compress that many zeros: a block that refers to nothing before it can be repeated."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (engine.compress(b"0" * 1_000_000) + engine.flush(zlib.Z_FULL_FLUSH)) * megabytes


def gzipped() -> bytes:
    """Write half a gigabyte as gzip, without the sum at its end."""
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + deflated()


def event(name: str, **more: object) -> str:
    """Write an event of the run that asks."""
    ours = {"run_id": "%run_id%", "thread_id": "%thread_id%", "user_id": "%user_id%"}
    return json.dumps({"type": name, "agent_name": "triage", **ours, **more})


def completed(answer: str) -> tuple[str, ...]:
    """Write a run that ends with an answer."""
    return (
        event("agent_started", timestamp=1.0),
        event("agent_completed", result={"final_answer": answer}, timestamp=2.0),
    )
