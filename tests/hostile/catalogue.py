"""Hostile servers: what each does, and what a run must say of it.

``says`` is the code of a promise that has to be broken, or an attribution that has to be given, or
``late``, or a blank for a target that is odd and keeps every promise that is asked about.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from itertools import count

from hostile.wire import (
    CLOSE,
    HEALTHY,
    OK,
    PING,
    PONG,
    Handler,
    asked,
    completed,
    deflated,
    dripping,
    event,
    floods,
    forever,
    frame,
    gzipped,
    hang_up,
    ok,
    plain,
    pour,
    pouring,
    said,
    sends,
    silent,
    switched,
    upgraded,
)

HTTP, SOCKET = "http", "socket"
INFRA = "infrastructure"
#: The product is slow, unless our own process was too busy to hear: then nobody is accused.
LATE = "late"
ALONE, QUICK, PATIENT = "alone", "quick", "patient"


@dataclass(frozen=True)
class Case:
    """One hostile server.

    Attributes:
        name: for the test's id.
        over: ``http`` or ``socket``: what is asked of it.
        handler: what it does with a connection.
        says: what has to be said of it.
        tls: which certificate it shows, '' for none.
        pace: ``alone`` when it keeps its client busy, ``quick`` when it is over at once, and
            ``patient`` when it lasts until a deadline.
    """

    name: str
    over: str
    handler: Handler
    says: str
    tls: str = ""
    pace: str = QUICK


def web(name: str, handler: Handler, says: str, *, tls: str = "", pace: str = QUICK) -> Case:
    """Describe a server that is asked for its health."""
    return Case(name, HTTP, handler, says, tls, pace)


def talk(name: str, handler: Handler, says: str, *, tls: str = "", pace: str = QUICK) -> Case:
    """Describe a server that is asked for an agent's run."""
    return Case(name, SOCKET, handler, says, tls, pace)


def _many_headers(number: int, line: str = "x-{0}: y") -> list[str]:
    return [line.format(place) for place in range(number)]


async def _numbered_events(writer: asyncio.StreamWriter) -> None:
    await pour(writer, (frame(event("agent_thinking", step=number)) for number in count()))


async def _drip(writer: asyncio.StreamWriter) -> None:
    """Begin a frame, and send of it a byte now and then."""
    writer.write(b"\x81\x7e\xff\xff")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


_NASTY = "\x1b[31mred\x1b]0;title\x07\r\x00\x9b2J\u202eevil\u2066\x7f"
_HUGE = b"9" * 200_000
_STARTED = OK.encode() + b"\r\n"

HTTP_CASES = (
    web("healthy", ok(HEALTHY), ""),
    web("endless-body", pouring(_STARTED, forever(b"x" * 65_536, 1)), "GP-101"),
    web("endless-spaces", pouring(_STARTED, forever(b" " * 65_536, 1)), "GP-101"),
    web("endless-headers", pouring(OK.encode(), forever(b"x-more: y\r\n")), "GP-101"),
    web("endless-header", pouring(b"HTTP/1.1 200 OK\r\nx-long: ", forever(b"y")), "GP-101"),
    web("endless-status-line", pouring(b"HTTP/1.1 200 ", forever(b"O")), "GP-101"),
    web(
        "endless-continue",
        pouring(b"", forever(b"HTTP/1.1 100 Continue\r\n\r\n")),
        LATE,
        pace=PATIENT,
    ),
    web("gzip-bomb", ok(gzipped(), "content-encoding: gzip"), "GP-101"),
    web("deflate-bomb", ok(b"\x78\x9c" + deflated(), "content-encoding: deflate"), "GP-101"),
    web("gzip-of-gzip", ok(gzipped(), "content-encoding: gzip, gzip"), "GP-101"),
    web("brotli", ok(b"\x8b\x01\x80{}\x03", "content-encoding: br"), "GP-101"),
    web("broken-gzip", ok(b"\x1f\x8b\x08\x00nonsense", "content-encoding: gzip"), "GP-101"),
    web("nesting-bomb", ok(b"[" * 200_000), "GP-101"),
    web("nesting-of-objects", ok(b'{"a":' * 50_000 + b"1" + b"}" * 50_000), "GP-101"),
    web("enormous-number", ok(b'{"status":"ok","n":' + _HUGE + b"}"), "GP-101"),
    web("infinite-number", ok(b'{"status":"ok","n":1e999999}'), ""),
    web("no-number", ok(b'{"status":NaN}'), "GP-102"),
    web("twice-a-key", ok(b'{"status":"ok","status":"unhealthy"}'), "GP-102"),
    web("endless-word", ok(b'{"status":"' + b"x" * 200_000 + b'"}'), "GP-102"),
    web("control-characters", ok(json.dumps({"status": _NASTY}).encode()), "GP-102"),
    web("lone-surrogate", ok(b'{"status":"\\ud800"}'), "GP-102"),
    web("invalid-utf-8", ok(b'{"status":"\xff\xfe"}'), "GP-102"),
    web("utf-16", ok('{"status":"ok"}'.encode("utf-16")), "GP-101"),
    web("html", ok(b"<script>alert(1)</script>"), "GP-101"),
    web("jwt-flood", ok(b'{"status":"' + b"eyJ" * 80_000 + b'"}'), "GP-102"),
    web("dots-flood", ok(b'{"status":"' + b"eyJhbGci." * 25_000 + b'"}'), "GP-102"),
    web("cookie-flood", ok(HEALTHY, *_many_headers(3000, "set-cookie: c{0}=v{0}-12345678")), ""),
    web("blotting-cookies", ok(b'{"status":"degraded"}', "set-cookie: a=degraded"), "GP-102"),
    web("header-flood", ok(HEALTHY, *_many_headers(4000)), ""),
    web("huge-header", ok(HEALTHY, "x-huge: " + "y" * 80_000), ""),
    web("drip-in-the-head", dripping(b"HTTP/1.1 200 OK\r\nx: ", b"y"), LATE, pace=PATIENT),
    web("drip-in-the-body", dripping(_STARTED, b" "), LATE, pace=PATIENT),
    web("silence", silent, LATE, pace=PATIENT),
    web("reset", hang_up, INFRA),
    web("nothing", pouring(b"", ()), INFRA),
    web("body-cut-short", ok(b'{"st', "content-length: 100"), INFRA),
    web("body-longer-than-told", ok(HEALTHY, "content-length: 3"), "GP-101"),
    web("length-below-zero", ok(HEALTHY, "content-length: -1"), "GP-101"),
    web("two-lengths", ok(HEALTHY, "content-length: 1", "content-length: 2"), "GP-101"),
    web("bad-chunk-size", ok(b"zz\r\n{}\r\n0\r\n\r\n", "transfer-encoding: chunked"), "GP-101"),
    web("huge-chunk-size", ok(b"f" * 16 + b"\r\n{}", "transfer-encoding: chunked"), INFRA),
    web(
        "tiny-chunks",
        pouring(f"{OK}transfer-encoding: chunked\r\n\r\n".encode(), forever(b"1\r\nx\r\n", 10_000)),
        LATE,
        pace=ALONE,
    ),
    web("http-0.9", pouring(HEALTHY, ()), INFRA),
    web("no-http", pouring(HEALTHY + b"\r\n\r\n", ()), "GP-101"),
    web("another-protocol", pouring(b"SSH-2.0-OpenSSH_9.6\r\n", ()), INFRA),
    web("strange-status", said("HTTP/1.1 999 Odd\r\nconnection: close\r\n", b"{}"), "GP-101"),
    web(
        "redirect-elsewhere", said("HTTP/1.1 302 F\r\nlocation: http://127.0.0.1:9/\r\n"), "GP-101"
    ),
    web("redirect-to-itself", said("HTTP/1.1 307 F\r\nlocation: /health/\r\n"), "GP-101"),
    web("self-signed", ok(HEALTHY), "GP-101", tls="unknown"),
    web("expired-certificate", ok(HEALTHY), "GP-101", tls="expired"),
    web("wrong-name", ok(HEALTHY), "GP-101", tls="wrong name"),
    web("good-certificate", ok(HEALTHY), "", tls="good"),
    web("plain-on-a-tls-port", plain, INFRA, tls="none"),
    web("silence-in-tls", silent, INFRA, tls="none", pace=PATIENT),
)

_EVENT = frame(event("agent_thinking"))
SOCKET_CASES = (
    talk("healthy", asked(*completed("It costs 42 USD a month.")), ""),
    talk("silence-at-the-upgrade", silent, "GP-301", pace=PATIENT),
    talk("drip-at-the-upgrade", dripping(b"HTTP/1.1 101 S\r\nx: ", b"y"), "GP-301", pace=PATIENT),
    talk("reset-at-the-upgrade", hang_up, INFRA),
    talk("wrong-accept-key", switched(accept="bm90aGluZw=="), "GP-301"),
    talk("subprotocol-of-its-own", switched(subprotocol="surprise"), "GP-301"),
    talk("extension-of-its-own", switched(extension="x-bomb"), "GP-301"),
    talk("bare-101", said("HTTP/1.1 101 Switching Protocols\r\n"), "GP-301"),
    talk(
        "upgrade-loop", said("HTTP/1.1 302 F\r\nlocation: /ws\r\ncontent-length: 0\r\n"), "GP-301"
    ),
    talk("html-at-the-upgrade", ok(b"<html>"), "GP-301"),
    talk("http-0.9-at-the-upgrade", pouring(b"{}", ()), INFRA),
    talk("no-http-at-the-upgrade", pouring(b"{}\r\n\r\n", ()), "GP-301"),
    talk(
        "endless-headers-at-the-upgrade",
        pouring(OK.encode(), forever(b"x: y\r\n")),
        "GP-301",
        pace=ALONE,
    ),
    talk(
        "endless-body-at-the-upgrade",
        pouring(b"HTTP/1.1 403 No\r\n\r\n", forever(b"x" * 65_536, 1)),
        "GP-301",
        pace=ALONE,
    ),
    talk("event-flood", upgraded(_numbered_events), "GP-417", pace=ALONE),
    talk("same-event-flood", floods(_EVENT, 500), "GP-417", pace=ALONE),
    talk("ping-flood", floods(frame(b"p" * 125, PING)), "GP-417", pace=ALONE),
    talk("pong-flood", floods(frame(b"", PONG), 10_000), "GP-417", pace=ALONE),
    talk("empty-parts", floods(b"\x00\x00", 10_000), "GP-417", pace=ALONE),
    talk(
        "empty-parts-of-a-message",
        upgraded(lambda w: pour(w, [frame("", fin=False), *([b"\x00\x00" * 10_000] * 1000)])),
        "GP-417",
        pace=ALONE,
    ),
    talk(
        "endless-message",
        upgraded(
            lambda w: pour(w, [frame("x", fin=False), *([frame("x" * 60_000, 0, fin=False)] * 500)])
        ),
        "GP-417",
        pace=ALONE,
    ),
    talk("huge-message", sends(frame("x" * 3_000_000)), "GP-417"),
    talk("huge-message-announced", sends(b"\x81\x7f" + b"\x7f" + b"\xff" * 7), "GP-417"),
    talk("flood-of-large-messages", floods(frame("x" * 500_000), 1), "GP-417", pace=ALONE),
    talk("memory-bomb", floods(frame('{"a":[' + "[]," * 160_000 + "0]}"), 1), "GP-417", pace=ALONE),
    talk(
        "nesting-bomb",
        asked('{"type":' * 50_000, *completed("It costs 42 USD.")),
        "GP-417",
        pace=ALONE,
    ),
    talk(
        "deflate-bomb",
        upgraded(
            lambda w: pour(w, [frame(deflated(), rsv=0x40)]),
            extension="permessage-deflate",
        ),
        "GP-417",
        pace=ALONE,
    ),
    talk("reserved-bits", sends(frame("{}", rsv=0x30)), "GP-417"),
    talk("reserved-opcode", sends(frame("{}", 5)), "GP-417"),
    talk("masked-frame", sends(b"\x81\x82\x00\x00\x00\x00{}"), "GP-417"),
    talk("long-ping", sends(frame("x" * 200, PING)), "GP-417"),
    talk("invalid-utf-8", sends(frame(b"\xff\xfe")), "GP-417"),
    talk("close-of-one-byte", sends(frame(b"\x03", CLOSE)), "GP-417"),
    talk("close-code-of-nobody", sends(frame(b"\x03\xe7", CLOSE)), "GP-417"),
    talk("nasty-close", sends(frame(b"\x03\xf3" + _NASTY.encode(), CLOSE)), "GP-305"),
    talk("nasty-close-of-the-road", sends(frame(b"\x03\xf4" + _NASTY.encode(), CLOSE)), INFRA),
    talk("half-a-frame", sends(frame("x" * 100)[:50], leave=True), INFRA),
    talk("drip-in-a-frame", upgraded(_drip), "GP-305", pace=PATIENT),
    talk("no-welcome", upgraded(lambda w: w.drain(), welcome=False), "GP-304", pace=PATIENT),
    talk(
        "faster-than-asked",
        asked(*completed("It costs 42 USD."), early=frame(event("agent_started", run_id="r1"))),
        "GP-406",
    ),
    talk("endless-run", asked(*[event("agent_thinking")] * 3), "GP-405", pace=PATIENT),
    talk(
        "numbers-of-no-size",
        asked(
            event("agent_started").replace("}", ',"timestamp":1e999999}'),
            event("tool_executing").replace("}", ',"timestamp":-1e308,"tool_name":NaN}'),
            event("tool_completed").replace("}", ',"timestamp":' + "9" * 4000 + "}"),
            *completed("It costs 42 USD a month."),
        ),
        "GP-412",
    ),
    talk("nasty-answer", asked(*completed(f"It costs 42 USD{_NASTY}.")), "GP-506"),
    talk("script-in-the-answer", asked(*completed("<script>alert(1)</script> 42 USD.")), "GP-506"),
    talk("surrogate-in-the-answer", asked(*completed("It costs \ud800 42 USD a month.")), ""),
    talk(
        "spaces-in-the-answer", asked(*completed("<" + " " * 400_000 + "42")), "GP-504", pace=ALONE
    ),
    talk("tags-in-the-answer", asked(*completed("<a" * 60_000 + " 42 USD")), "", pace=ALONE),
    talk(
        "lines-in-the-answer",
        asked(*completed("x\n" + "\n" * 400_000 + "42 USD a month.")),
        "",
        pace=ALONE,
    ),
    talk(
        "words-in-the-answer",
        asked(*completed("{" + "a" * 400_000 + " 42 USD a month.")),
        "",
        pace=ALONE,
    ),
    talk(
        "letters-in-the-answer",
        asked(*completed("a " * 100_000 + "42 USD a month.")),
        "",
        pace=ALONE,
    ),
    talk("jwt-flood", sends(frame("eyJ" * 170_000)), "GP-417", pace=ALONE),
    talk(
        "many-faults",
        asked(*[event("tool_completed", tool_name=f"tool-{n}") for n in range(1500)]),
        "GP-407",
        pace=PATIENT,
    ),
    talk("self-signed", sends(b""), "GP-301", tls="unknown"),
    talk("expired-certificate", sends(b""), "GP-301", tls="expired"),
    talk("plain-on-a-tls-port", plain, INFRA, tls="none"),
)
CASES = (*HTTP_CASES, *SOCKET_CASES)
