"""Conversations over real sockets: whatever the target does becomes a transcript."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.typing import Subprotocol

from builders import USER
from hostile.wire import CLOSE, frame, pour, upgraded
from pytest_goldenpath.contract.frames import Sort
from pytest_goldenpath.contract.symptom import Kind as Trouble
from pytest_goldenpath.contract.transcript import Kind, Transcript
from pytest_goldenpath.journey.channel import (
    ALONE,
    BEARER,
    HEADER,
    JWT_AUTH,
    QUERY,
    SUBPROTOCOL,
    TICKET,
    Call,
    hold,
    token_subprotocols,
)
from pytest_goldenpath.journey.conversation import (
    AwaitRefusal,
    AwaitWelcome,
    Conversation,
    Outgoing,
    Ping,
)
from pytest_goldenpath.secrets import Redactor, Secret
from servers import Talk, hang_up, raw_server, replying, socket_server

TOKEN = Secret("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1LTEifQ.c2lnbmF0dXJl")
WELCOME = '{"type":"connection_established","data":{"connection_id":"c1"}}'


async def talk_to(url: str, carrier: str = HEADER) -> Transcript:
    """Wait for a welcome and send a ping."""
    redactor = Redactor()
    redactor.learn(TOKEN)
    conversation = Conversation((AwaitWelcome(0.3), Ping(0.3)))
    return await hold(Call("talk", url, carrier, TOKEN, user_id=USER), conversation, redactor)


def talk(server: Talk, carrier: str = HEADER, **options: object) -> Transcript:
    """Hold a conversation with a server of these manners."""

    async def go() -> Transcript:
        async with socket_server(server, **options) as url:
            return await talk_to(url, carrier)

    return asyncio.run(go())


def kinds(transcript: Transcript) -> list[Kind]:
    """Return what happened, in order."""
    return [entry.kind for entry in transcript.entries]


async def polite(connection: ServerConnection) -> None:
    """Welcome, answer every message with a pong, and tell the token that was sent."""
    await connection.send(WELCOME)
    async for _ in connection:
        sent = connection.request.headers.get("Authorization", "") if connection.request else ""
        await connection.send('{"type":"pong","echo":"' + sent + '"}')


def test_whole_conversation_is_recorded() -> None:
    """Opening, welcome, ping, pong and good-bye are in the transcript, with rising times."""
    transcript = talk(polite)
    times = [entry.at_s for entry in transcript.entries]

    assert kinds(transcript) == [Kind.OPENED, Kind.HEARD, Kind.SENT, Kind.HEARD, Kind.LEFT]
    assert times == sorted(times)
    assert transcript.symptom is None


def test_echoed_token_is_cut_out() -> None:
    """A target that sends our token back does not get it into the record."""
    transcript = talk(polite)

    assert TOKEN.reveal() not in str(transcript)
    assert "Bearer ***" in str(transcript)


def test_issued_token_is_cut_out() -> None:
    """A token or ticket that a frame gives us is a secret everywhere; other words stay as they are."""
    session, ticket = "opaque-session-7f3a9c1d2e", "tick-55e0b1c9a7"

    async def generous(connection: ServerConnection) -> None:
        given = f'"session":{{"access_token":"{session}"}},"ticket_id":"{ticket}"'
        await connection.send(WELCOME.replace('"data":{', f'"data":{{{given},"token":"piece-1",'))
        async for _ in connection:
            await connection.send(f'{{"type":"pong","seen":["{ticket}","{session}","piece-1"]}}')

    told = " ".join(entry.text for entry in talk(generous).entries)

    assert session not in told
    assert ticket not in told
    assert told.count("piece-1") == 2


def test_subprotocols_carry_the_token() -> None:
    """The pair of browsers is offered, and what the server chose is kept without the token."""
    chosen = token_subprotocols(TOKEN)[1]
    transcript = talk(polite, SUBPROTOCOL, subprotocols=[chosen])

    assert transcript.opened is not None
    assert transcript.opened.label == "jwt.***"
    assert transcript.offered == ("jwt-auth", "jwt.***")


@pytest.mark.parametrize("carrier", [ALONE, JWT_AUTH, BEARER, QUERY, TICKET])
def test_token_of_a_further_carrier_arrives_and_is_in_no_record(carrier: str) -> None:
    """Each carrier carries the token, which stands in no record of the connection."""
    requests: list[str] = []

    async def note(connection: ServerConnection) -> None:
        sent = connection.request
        assert sent is not None
        requests.append(f"{sent.path} {sent.headers.get('Sec-WebSocket-Protocol', '')}")
        await polite(connection)

    def first(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return next(iter(offered), None)

    transcript = talk(note, carrier, select_subprotocol=first)
    wanted = token_subprotocols(TOKEN)[1] if carrier == ALONE else TOKEN.reveal()

    assert transcript.welcome()
    assert wanted in requests[0]
    assert wanted not in f"{transcript} {transcript.url}"
    assert bool(transcript.offered) is (carrier not in {QUERY, TICKET})


@pytest.mark.parametrize(("user", "let_in"), [("", True), (USER, False)])
def test_stranger_takes_a_subprotocol_that_was_not_offered(user: str, *, let_in: bool) -> None:
    """A wrong answer to an offer hides from no stranger that the socket opened."""
    other = "jwt.eyJhbGciOiJIUzI1NiJ9-of-somebody-else-0001"

    async def go() -> Transcript:
        async with socket_server(polite, select_subprotocol=lambda *_: other) as url:
            conversation = Conversation((AwaitWelcome(0.3),))
            call = Call("talk", url, JWT_AUTH, TOKEN, user_id=user)
            return await hold(call, conversation, Redactor())

    transcript = asyncio.run(go())

    assert bool(transcript.welcome()) is let_in
    assert other.removeprefix("jwt.") not in str(transcript) or not let_in


def test_close_is_recorded_with_code_and_reason() -> None:
    """A close by the target tells its code and reason."""

    async def slam(connection: ServerConnection) -> None:
        await connection.close(1011, "main mode error")

    closed = talk(slam).closed

    assert closed is not None
    assert (closed.code, closed.text, closed.label) == (1011, "main mode error", "the target")


@pytest.mark.parametrize("code", [1001, 1012, 1013])
def test_closes_of_the_road_are_symptoms(code: int) -> None:
    """Going away, restart and try-again-later tell of the road, not of the product."""

    async def leave(connection: ServerConnection) -> None:
        await connection.close(code, "later")

    symptom = talk(leave).symptom

    assert symptom is not None
    assert (symptom.kind, symptom.code) == (Trouble.WS_CLOSE, code)


def test_reset_is_a_symptom() -> None:
    """A connection that breaks without a close frame is a lost connection."""

    async def drop(connection: ServerConnection) -> None:
        await connection.send(WELCOME)
        connection.transport.abort()

    symptom = talk(drop).symptom

    assert symptom is not None
    assert symptom.kind is Trouble.RESET


def test_silence_misses_each_wait() -> None:
    """A target that says nothing is left after its deadlines."""

    async def mute(connection: ServerConnection) -> None:
        await connection.wait_closed()

    transcript = talk(mute)

    assert [e.label for e in transcript.entries if e.kind is Kind.MISSED] == ["welcome", "ping"]


@pytest.mark.parametrize(
    ("manners", "code"),
    [("invalid", 1007), ("huge", 1009)],
)
def test_what_cannot_be_read_is_the_targets_fault(manners: str, code: int) -> None:
    """Invalid UTF-8 and oversized frames end the conversation with our close code."""

    async def rude(connection: ServerConnection) -> None:
        if manners == "huge":
            await connection.send("x" * 2_000_000)
        else:
            await connection.send(b"\xff\xfe", text=True)
        await connection.wait_closed()

    closed = talk(rude).closed

    assert closed is not None
    assert (closed.code, closed.label) == (code, "we")


def test_binary_frames_are_kept_and_mean_nothing() -> None:
    """A binary frame is no welcome."""

    async def binary(connection: ServerConnection) -> None:
        await connection.send(WELCOME.encode())
        await connection.wait_closed()

    transcript = talk(binary)

    assert transcript.welcome() is None
    assert [entry.binary for entry in transcript.entries if entry.kind is Kind.HEARD] == [True]


def test_redirect_never_carries_the_token() -> None:
    """A redirect at the upgrade is a refusal; the other host is never asked."""
    asked: list[bytes] = []

    async def go() -> Transcript:
        async def elsewhere(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.read(1000))

        async with raw_server(elsewhere) as other:
            head = f"HTTP/1.1 302 Found\nlocation: {other.replace('http', 'ws')}/ws"
            async with raw_server(replying(head)) as url:
                return await talk_to(url.replace("http", "ws"), SUBPROTOCOL)

    transcript = asyncio.run(go())

    assert transcript.refused is not None
    assert transcript.refused.code == 302
    assert asked == []


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_refused_upgrade_is_recorded(status: int) -> None:
    """An HTTP answer in place of the upgrade is kept with its status and body."""

    async def go() -> Transcript:
        head = f"HTTP/1.1 {status} No\ncontent-type: text/plain\ncontent-length: 4"
        async with raw_server(replying(head, b"nope")) as url:
            return await talk_to(url.replace("http", "ws"))

    transcript = asyncio.run(go())

    assert transcript.refused is not None
    assert (transcript.refused.code, transcript.refused.text) == (status, "nope")
    assert transcript.symptom is None


def test_gateway_answer_is_the_roads() -> None:
    """A 502 at the upgrade is a symptom."""

    async def go() -> Transcript:
        head = "HTTP/1.1 502 Bad Gateway\ncontent-length: 0"
        async with raw_server(replying(head)) as url:
            return await talk_to(url.replace("http", "ws"))

    symptom = asyncio.run(go()).symptom

    assert symptom is not None
    assert symptom.status == 502


def test_reset_at_the_upgrade_is_the_roads() -> None:
    """A connection that is reset in the handshake is a lost connection."""

    async def go() -> Transcript:
        async with raw_server(hang_up) as url:
            return await talk_to(url.replace("http", "ws"))

    symptom = asyncio.run(go()).symptom

    assert symptom is not None
    assert symptom.kind is Trouble.RESET


def test_subprotocol_that_was_not_offered_is_refused() -> None:
    """A server that chooses a subprotocol nobody offered has broken the upgrade."""

    async def go() -> Transcript:
        async with socket_server(
            polite, select_subprotocol=lambda _connection, _offered: "surprise"
        ) as url:
            return await talk_to(url, SUBPROTOCOL)

    transcript = asyncio.run(go())

    assert transcript.refused is not None
    assert "surprise" in transcript.refused.text


def test_what_came_before_a_close_is_kept() -> None:
    """A refusal that was sent before the close is heard, even by who is speaking just then."""

    async def refuse(connection: ServerConnection) -> None:
        await connection.send('{"type":"error_message","error_code":"AUTH_FAILED"}')
        await connection.close(1011, "Authentication failed")

    def busy(_: Conversation) -> None:
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            pass

    async def go() -> Transcript:
        async with socket_server(refuse) as url:
            said = (Outgoing("ping", '{"type":"ping"}'), Outgoing("intrusion", "{}"))
            conversation = Conversation((AwaitRefusal(2.0, said * 200),))
            call = Call("talk", url, HEADER, TOKEN, user_id=USER)
            return await hold(call, conversation, Redactor(), on_progress=busy)

    transcript = asyncio.run(go())

    assert transcript.closed is not None
    assert transcript.closed.code == 1011
    assert [heard.frame.sort for heard in transcript.heard()] == [Sort.FAILURE]


def test_close_is_noticed_although_nobody_hangs_up() -> None:
    """A target that says good-bye and stays on the line has closed all the same."""

    async def go() -> tuple[Transcript, float]:
        goodbye = frame(b"\x03\xf3no more", CLOSE)
        async with raw_server(upgraded(lambda w: pour(w, [goodbye]), welcome=False)) as url:
            started = time.monotonic()
            call = Call("talk", url.replace("http", "ws"), HEADER, TOKEN)
            held = await hold(call, Conversation((AwaitWelcome(20.0),)), Redactor())
            return held, time.monotonic() - started

    transcript, took_s = asyncio.run(go())

    assert transcript.closed is not None
    assert (transcript.closed.code, transcript.closed.text) == (1011, "no more")
    assert took_s < 10.0
