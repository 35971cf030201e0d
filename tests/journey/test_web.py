"""HTTP exchanges: bounded, never redirected, without secrets; nothing a target does raises."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path

import pytest
import trustme

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.symptom import Kind
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.web import MOST_BYTES, Answer, Web
from pytest_goldenpath.secrets import Redactor, Secret
from servers import Raw, hang_up, raw_server, replying, silent

OK = "HTTP/1.1 200 OK\ncontent-type: application/json\nconnection: close"


def ask(server: Raw, **options: object) -> Answer:
    """Make one request to a server of these manners."""

    async def go() -> Answer:
        async with raw_server(server) as url:
            redactor = Redactor()
            async with Web(url, redactor, Stopwatch()) as web:
                within_s = float(options.pop("within_s", 5.0))  # type: ignore[arg-type]
                return await web.exchange(
                    "health",
                    "GET",
                    f"{url}/health",
                    within_s=within_s,
                    **options,  # type: ignore[arg-type]
                )

    return asyncio.run(go())


def exchange_of(server: Raw, **options: object) -> Exchange:
    """Make one request and return its record."""
    return ask(server, **options).exchange


def test_answer_is_recorded() -> None:
    """Status, headers, body and time of an answer are kept."""
    exchange = exchange_of(replying(OK, b'{"status":"ok"}'))

    assert exchange.status == 200
    assert exchange.header("content-type") == "application/json"
    assert exchange.document() == {"status": "ok"}
    assert exchange.symptom is None
    assert 0 < exchange.elapsed_s < 5


def test_secrets_of_an_answer_are_cut_out_at_once() -> None:
    """The tokens of an answer are usable, and its record has never held them."""
    answer = ask(replying(OK, b'{"access_token":"s3cr3t-value"}'), secret_keys=("access_token",))

    assert answer.document["access_token"] == "s3cr3t-value"
    assert answer.exchange.document() == {"access_token": "***"}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("session=s3cr3t", "session=***"),
        ("session=s3cr3t; Path=/; HttpOnly", "session=***; Path=/; HttpOnly"),
        ("session=s3cr3t;samesite=Lax ;Secure", "session=***; samesite=Lax; Secure"),
        ("session=a; b=s3cr3t; Max-Age=60", "session=***; Max-Age=60"),
        ("s3cr3t; HttpOnly", "***; HttpOnly"),
        ("session=s3cr3t=; Expires=Thu, 01 Jan 2026 00:00:00 GMT; s3cr3t", None),
    ],
)
def test_of_a_cookie_its_attributes_are_kept(sent: str, kept: str | None) -> None:
    """A cookie's value never reaches the record; who may read it does."""
    header = exchange_of(replying(f"{OK}\nset-cookie: {sent}", b"{}")).header("set-cookie")

    assert "s3cr3t" not in header
    assert header == (kept or "session=***; Expires=Thu, 01 Jan 2026 00:00:00 GMT")


@pytest.mark.parametrize("word", ["degraded", "emergency_mode", "Mock", '"emergency":true,"mode"'])
def test_target_cannot_blot_out_words(word: str) -> None:
    """A cookie or a token that is a word stays readable, or a target could hide what it says."""
    body = json.dumps({"session": word, "status": word})
    answer = ask(replying(f"{OK}\nset-cookie: a={word}", body.encode()), secret_keys=("session",))

    assert answer.exchange.document()["status"] == word


def test_flood_of_cookies_is_not_learnt() -> None:
    """Every known secret is looked for in every text, so only some cookies of an answer count."""
    cookies = "".join(f"\nset-cookie: c{n}=value-of-{n:08}" for n in range(2000))
    body = json.dumps({"first": "value-of-00000000", "last": "value-of-00001999"})
    document = exchange_of(replying(f"{OK}{cookies}", body.encode())).document()

    assert document == {"first": "***", "last": "value-of-00001999"}


def test_redirect_is_not_followed() -> None:
    """A redirect is an answer like any other, so no token travels to another host."""
    head = "HTTP/1.1 302 Found\nlocation: http://elsewhere.example/\nconnection: close"
    exchange = exchange_of(replying(head), token=Secret("token-value"))

    assert exchange.status == 302


def test_endless_body_is_cut() -> None:
    """A body without end is read up to the limit, and no further."""

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        except ConnectionError:
            return

    exchange = exchange_of(pour)

    assert exchange.oversized
    assert len(exchange.body) < MOST_BYTES


def test_slow_drip_ends_at_the_deadline() -> None:
    """A byte now and then does not keep a request alive: the deadline is for the whole answer."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.wait_for(reader.read(1), 0.02)
        except (TimeoutError, ConnectionError):
            await reader.read()

    exchange = exchange_of(drip, within_s=0.3)

    assert exchange.symptom is not None
    assert exchange.symptom.kind is Kind.ANSWER_TIMEOUT


@pytest.mark.parametrize(
    ("server", "kind"),
    [(silent, Kind.ANSWER_TIMEOUT), (hang_up, Kind.RESET)],
    ids=["silent", "reset"],
)
def test_broken_roads_are_symptoms(server: Raw, kind: Kind) -> None:
    """Silence and resets are recorded by their structure."""
    exchange = exchange_of(server, within_s=0.3)

    assert exchange.status is None
    assert exchange.symptom is not None
    assert exchange.symptom.kind is kind


def test_closed_port_is_a_refusal() -> None:
    """A port where nobody listens is a refused connection."""

    async def go() -> Exchange:
        async with raw_server(silent) as url:
            pass
        async with Web(url, Redactor(), Stopwatch()) as web:
            return (await web.exchange("health", "GET", url, within_s=5)).exchange

    symptom = asyncio.run(go()).symptom

    assert symptom is not None
    assert symptom.kind is Kind.REFUSED


@pytest.mark.parametrize(
    ("body", "app_made"), [(b'{"error":"x"}', True), (b"<html>", False)], ids=["json", "html"]
)
def test_503_knows_who_wrote_it(body: bytes, app_made: bool) -> None:
    """A 503 with a JSON object is the application's own, any other is a proxy's."""
    head = "HTTP/1.1 503 Service Unavailable\nconnection: close"
    symptom = exchange_of(replying(head, body)).symptom

    assert symptom is not None
    assert (symptom.status, symptom.app_made) == (503, app_made)


def test_page_of_another_server_is_the_roads() -> None:
    """A page of HTML with 200 is the product's own, unless another server made it (E4-38)."""
    page = "HTTP/1.1 200 OK\ncontent-type: text/html\nconnection: close\nserver: "
    answers = [
        (OK + "\nserver: uvicorn", b'{"status":"ok"}'),
        (page + "uvicorn", b"<html>"),
        (page + "nginx", b"<html>Please wait</html>"),
        (page.rpartition("\n")[0], b"<html>"),
    ]

    async def go() -> list[Exchange]:
        replies = iter(answers)

        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await replying(*next(replies))(reader, writer)

        async with raw_server(reply) as url, Web(url, Redactor(), Stopwatch()) as web:
            asked = [await web.exchange("page", "GET", url, within_s=5.0) for _ in answers]
        return [answer.exchange for answer in asked]

    symptoms = [exchange.symptom for exchange in asyncio.run(go())]

    assert [symptom is not None for symptom in symptoms] == [False, False, True, False]
    assert symptoms[2] is not None
    assert attribute(symptoms[2]).row == "E4-38"
    assert attribute(symptoms[2]).attribution == "infrastructure"


def test_unknown_certificate_is_told_from_a_broken_handshake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An untrusted certificate is refused as such; SSL_CERT_FILE makes it trusted."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))

    async def go() -> Exchange:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await replying(OK, b"{}")(reader, writer)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        async with server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with Web(url, Redactor(), Stopwatch()) as web:
                return (await web.exchange("health", "GET", url, within_s=5)).exchange

    refused = asyncio.run(go())
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    trusted = asyncio.run(go())

    assert refused.symptom is not None
    assert refused.symptom.kind is Kind.TLS_CERTIFICATE
    assert trusted.status == 200
