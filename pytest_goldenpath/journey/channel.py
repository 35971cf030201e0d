"""One WebSocket connection: drives a conversation over a real socket."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
)
from websockets.frames import CloseCode, Frame
from websockets.protocol import Event
from websockets.typing import Subprotocol

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.findings import printable
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.contract.transcript import Kind as EntryKind
from pytest_goldenpath.contract.transcript import Request, Transcript
from pytest_goldenpath.journey.clock import Stopwatch, wall_clock
from pytest_goldenpath.journey.confided import is_plain, looks_secret
from pytest_goldenpath.journey.conversation import Conversation
from pytest_goldenpath.journey.login import learn_issued
from pytest_goldenpath.journey.symptoms import symptom_of, symptom_of_answer
from pytest_goldenpath.journey.web import clean_headers, tls_context
from pytest_goldenpath.secrets import MASK, Redactor, Secret
from pytest_goldenpath.target.urls import is_loopback

#: At DEBUG the library's own logger writes every header and frame, tokens included.
_SILENT = logging.getLogger("pytest_goldenpath.silent")
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL + 1)
#: How a token may travel (protocol 3.2).
HEADER, SUBPROTOCOL, NONE = "header", "subprotocol", "none"
#: Other ways to offer the same token, about which negotiation has to be right too (3.3).
SWAPPED, ALONE = "subprotocol, swapped", "subprotocol, alone"
#: Carriers that only some builds know, so only strangers use them (3.2).
JWT_AUTH, BEARER = "subprotocol jwt-auth.", "subprotocol bearer."
QUERY, TICKET = "query", "ticket"
_QUERIES = {
    QUERY: ("token", "jwt", "auth_token", "access_token"),
    TICKET: ("ticket", "auth_ticket", "ticket_id"),
}
_MOST_MESSAGE_BYTES = 524_288
#: The answer to an upgrade, with its body if it is a refusal.
_MOST_UPGRADE_BYTES = 262_144
#: Frames of one connection: parts of messages, pings and pongs included.
_MOST_FRAMES = 8192
#: Messages that wait to be read, before the target has to wait as well.
_MOST_WAITING = 4
#: What is looked at in one go: a read may hold a hundred thousand frames.
_PIECE_BYTES = 16_384
_OPEN_WITHIN_S = 10.0
_CLOSE_WITHIN_S = 1.0
#: After its close nothing comes from a target, and no promise depends on how it hangs up.
_HANGS_UP_WITHIN_S = 0.25
_ABNORMAL = 1006


@dataclass(frozen=True, slots=True)
class Call:
    """A connection to be made, and why.

    Attributes:
        purpose: for the record.
        url: the WebSocket address.
        carrier: how the token travels: one of this module's words.
        token: what is carried; None for a stranger without a token.
        headers: more headers to send.
        user_id: whose token it is, '' for a stranger's.
        welcome_within_s: budget of the welcome, for the record.
        request: what is asked, for the record.
        open_within_s: seconds that road and upgrade may take together.
    """

    purpose: str
    url: str
    carrier: str
    token: Secret | None = None
    headers: tuple[tuple[str, str], ...] = ()
    user_id: str = ""
    welcome_within_s: float = 3.0
    request: Request | None = None
    open_within_s: float = _OPEN_WITHIN_S


@dataclass(frozen=True, slots=True)
class _Watch:
    """Who wants to know how a conversation goes on."""

    on_progress: Callable[[Conversation], None] | None
    before_request: Callable[[], Awaitable[None]] | None


class _Frugal(ClientConnection):
    """A connection that hangs up on a flood, also of frames that make no message.

    The library bounds messages; pings, pongs and the parts of a message that never ends it
    answers or collects for as long as they come.
    """

    _frames = 0
    _bytes = 0
    _hang_up: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Take what came piece by piece, and nothing more after a flood."""
        self._bytes += len(data)
        if self.response is None and self._bytes > _MOST_UPGRADE_BYTES:
            self.transport.abort()
            return
        for start in range(0, len(data), _PIECE_BYTES):
            if self._frames <= _MOST_FRAMES:
                super().data_received(data[start : start + _PIECE_BYTES])
        if self._hang_up is None and self.protocol.close_expected():
            # The library waits until the target hangs up after its close, however long.
            self._hang_up = self.loop.call_later(_HANGS_UP_WITHIN_S, self.transport.abort)

    def process_event(self, event: Event) -> None:
        """Count frames, and fail the connection at the first one too many."""
        self._frames += isinstance(event, Frame)
        if self._frames <= _MOST_FRAMES:
            super().process_event(event)
        elif self._frames == _MOST_FRAMES + 1:
            self.protocol.fail(CloseCode.MESSAGE_TOO_BIG, f"more than {_MOST_FRAMES} frames")
            self.send_data()
            self.transport.abort()


class _Heedless(list[Subprotocol]):
    """What a stranger offers, who takes any answer: a wrong one would hide that he was let in."""

    def __contains__(self, _: object) -> bool:
        """Let the library believe that it was offered."""
        return True


def _noting(road: asyncio.Event) -> type[_Frugal]:
    """Return a kind of connection that notes when its road is open, TLS included.

    One deadline holds for road and upgrade, and who is late is told by which of them was missing.
    """

    class Noting(_Frugal):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            road.set()

    return Noting


class _Straight(connect):
    """A connect that follows no redirect: a token in a subprotocol would travel along."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Return the exception, which means that no redirect is followed."""
        return exc


async def hold(
    call: Call,
    conversation: Conversation,
    redactor: Redactor,
    *,
    ready: bool = False,
    on_progress: Callable[[Conversation], None] | None = None,
    before_request: Callable[[], Awaitable[None]] | None = None,
) -> Transcript:
    """Hold a conversation and return its transcript; never raises for what the target does.

    Args:
        call: the connection.
        conversation: what to say and wait for.
        redactor: what to cut out of the record.
        ready: whether the target had been ready before.
        on_progress: called after each thing that happened.
        before_request: awaited before the request is sent, so that others can ask together.

    """
    stopwatch, epoch_s, road = Stopwatch(), wall_clock(), asyncio.Event()
    try:
        async with asyncio.timeout(call.open_within_s):
            connection = await _opener(call, road)
    except InvalidStatus as error:
        _refuse(conversation, stopwatch, error, redactor, call, ready=ready)
    except (InvalidHandshake, InvalidURI, OSError, EOFError, TimeoutError, ValueError) as error:
        is_open = road.is_set()
        _fail(conversation, stopwatch, error, redactor, call, ready=ready, is_open=is_open)
    else:
        watch = _Watch(on_progress, before_request)
        await _drive(connection, conversation, stopwatch, redactor, call, watch)
    if on_progress:
        on_progress(conversation)
    return _transcript(call, conversation, redactor, epoch_s)


def _opener(call: Call, road: asyncio.Event) -> _Straight:
    headers = list(call.headers)
    subprotocols: list[Subprotocol] | None = None
    if call.token is not None and call.carrier == HEADER:
        headers.append(("Authorization", f"Bearer {call.token.reveal()}"))
    if call.token is not None:
        offered = _offered(call.carrier, token_subprotocols(call.token), call.token.reveal())
        kind = list if call.user_id else _Heedless
        subprotocols = kind(map(Subprotocol, offered)) or None
    return _Straight(
        _address(call),
        additional_headers=headers,
        subprotocols=subprotocols,
        user_agent_header="pytest-goldenpath",
        open_timeout=call.open_within_s,
        ping_interval=None,
        close_timeout=_CLOSE_WITHIN_S,
        max_size=_MOST_MESSAGE_BYTES,
        max_queue=_MOST_WAITING,
        proxy=None if is_loopback(call.url) else True,
        ssl=tls_context() if call.url.startswith("wss") else None,
        logger=_SILENT,
        create_connection=_noting(road),
    )


def token_subprotocols(token: Secret) -> tuple[str, str]:
    """Return the pair that browsers offer: ``jwt-auth`` and ``jwt.<base64url(token)>``."""
    encoded = base64.urlsafe_b64encode(token.reveal().encode()).decode().rstrip("=")
    return "jwt-auth", f"jwt.{encoded}"


def _offered(carrier: str, pair: tuple[str, str], raw: str) -> tuple[str, ...]:
    """Return the subprotocols by which a carrier carries a token, if it does so by any."""
    plain, bearing = pair
    if carrier in {JWT_AUTH, BEARER}:
        return (f"{carrier.rsplit(maxsplit=1)[-1]}{raw}",)
    return {SUBPROTOCOL: pair, SWAPPED: (bearing, plain), ALONE: (bearing,)}.get(carrier, ())


def _address(call: Call) -> str:
    """Return where to connect; a token in the query stands in no record of the connection."""
    if call.token is None or call.carrier not in _QUERIES:
        return call.url
    query = urlencode(dict.fromkeys(_QUERIES[call.carrier], call.token.reveal()))
    return f"{call.url}{'&' if '?' in call.url else '?'}{query}"


async def _drive(
    connection: ClientConnection,
    conversation: Conversation,
    stopwatch: Stopwatch,
    redactor: Redactor,
    call: Call,
    watch: _Watch,
) -> None:
    pairs = list(connection.response.headers.raw_items()) if connection.response else []
    chosen = connection.subprotocol or ""
    if looks_secret(bearing := chosen.partition(".")[2]) and not is_plain(bearing):
        redactor.learn(Secret(bearing))
    headers = clean_headers(pairs, redactor)
    conversation.on_opened(stopwatch.now(), redactor.redact(chosen), headers)
    try:
        while not conversation.finished:
            if watch.on_progress:
                watch.on_progress(conversation)
            try:
                # A flood keeps the receive queue full, and then recv() never gives way.
                await asyncio.sleep(0)
                async with asyncio.timeout(max(0.0, conversation.deadline_s - stopwatch.now())):
                    for message in conversation.take_outgoing():
                        if watch.before_request and message.label == "request":
                            await watch.before_request()
                        conversation.on_sent(stopwatch.now(), message)
                        await connection.send(message.text)
                    heard = await connection.recv()
            except TimeoutError:
                conversation.on_time(stopwatch.now())
            else:
                conversation.on_frame(stopwatch.now(), heard)
                if stopwatch.now() >= conversation.deadline_s and not conversation.finished:
                    conversation.on_time(stopwatch.now())
    except ConnectionClosed as error:
        await _hear_the_rest(connection, conversation, stopwatch)
        _close(conversation, stopwatch.now(), error, redactor, call)
    finally:
        await connection.close()


async def _hear_the_rest(
    connection: ClientConnection, conversation: Conversation, stopwatch: Stopwatch
) -> None:
    """Keep what had come before the close: whoever notices it while sending has not read it."""
    # The library asserts when the rest begins in the middle of a message.
    with contextlib.suppress(ConnectionClosed, AssertionError):
        while not conversation.finished:
            conversation.on_rest(stopwatch.now(), await connection.recv())


def _close(
    conversation: Conversation,
    now_s: float,
    error: ConnectionClosed,
    redactor: Redactor,
    call: Call,
) -> None:
    said = error.rcvd or error.sent
    by_us = error.rcvd is None and error.sent is not None
    symptom = Symptom(
        Kind.WS_CLOSE if said else Kind.RESET,
        call.purpose,
        call.url,
        code=said.code if said else _ABNORMAL,
        ready=True,
        detail=printable(redactor.redact(said.reason)) if said else "",
        sent_by_us=by_us,
        elapsed_s=now_s,
    )
    if attribute(symptom).attribution.accuses:
        by = "we" if by_us else "the target"
        conversation.on_closed(now_s, symptom.code or _ABNORMAL, symptom.detail, by=by)
    else:
        conversation.on_trouble(symptom)


def _refuse(
    conversation: Conversation,
    stopwatch: Stopwatch,
    error: InvalidStatus,
    redactor: Redactor,
    call: Call,
    *,
    ready: bool,
) -> None:
    response = error.response
    body = redactor.redact(bytes(response.body or b"")[:2000].decode("utf-8", "replace"))
    headers = clean_headers(list(response.headers.raw_items()), redactor)
    conversation.on_refused(stopwatch.now(), response.status_code, body, headers)
    symptom = symptom_of_answer(
        response.status_code,
        headers,
        body,
        phase=call.purpose,
        where=call.url,
        ready=ready,
        elapsed_s=stopwatch.now(),
        limit_s=call.open_within_s,
        upgrade=True,
    )
    if symptom:
        conversation.on_trouble(symptom)


def _fail(
    conversation: Conversation,
    stopwatch: Stopwatch,
    error: Exception,
    redactor: Redactor,
    call: Call,
    *,
    ready: bool,
    is_open: bool,
) -> None:
    symptom = symptom_of(error, phase=call.purpose, where=call.url, ready=ready)
    detail = redactor.redact(symptom.detail)
    if symptom.kind is Kind.ANSWER_TIMEOUT and not is_open:
        symptom = replace(symptom, kind=Kind.CONNECT_TIMEOUT)
    if symptom.kind is Kind.PROTOCOL:
        conversation.on_refused(stopwatch.now(), 101, f"a broken upgrade ({detail})")
        return
    conversation.on_trouble(
        replace(symptom, detail=detail, elapsed_s=stopwatch.now(), limit_s=call.open_within_s)
    )


def _transcript(
    call: Call, conversation: Conversation, redactor: Redactor, epoch_s: float
) -> Transcript:
    offered = _offered(call.carrier, ("jwt-auth", f"jwt.{MASK}"), MASK)
    learn_issued((e.text for e in conversation.entries if e.kind is EntryKind.HEARD), redactor)
    entries = tuple(
        replace(entry, text=redactor.redact(entry.text)) for entry in conversation.entries
    )
    return Transcript(
        call.purpose,
        call.url,
        call.carrier,
        offered,
        call.user_id,
        call.welcome_within_s,
        call.request,
        entries,
        conversation.symptom,
        epoch_s,
    )
