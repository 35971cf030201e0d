"""Each row that loopback can make is made, and attributed as the table says."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import socket
import ssl
from contextlib import AbstractContextManager
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme

from pytest_goldenpath.contract.attribution import Retry, attribute
from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.ruling import sign_of_exchange, sign_of_talk
from pytest_goldenpath.contract.symptom import Symptom
from roads import (
    ask,
    closing,
    closing_without_code,
    end_of_file,
    full_backlog,
    garbage,
    half_a_body,
    of_app,
    of_proxy,
    reset_at_once,
    saying,
    talk_to,
    tls_server,
    vanishing,
    writing,
)
from servers import Raw, Talk, closed_port, hang_up, raw_server, silent, socket_server

INFRA, PRODUCT, AUTH = Attribution.INFRASTRUCTURE, Attribution.PRODUCT, Attribution.AUTH
HARNESS, CAPACITY = Attribution.HARNESS, Attribution.CAPACITY
LOGIN = "login (password)"


def both(sign: Symptom | None) -> tuple[str, Attribution, Attribution]:
    """Attribute a sign before and after readiness; returns the row, and whose it was each time."""
    assert sign is not None
    after = attribute(sign)
    before = attribute(replace(sign, ready=False))
    assert before.row == after.row
    return after.row, before.attribution, after.attribution


ANSWERS = {
    "500": (of_app(500), "", "E4-1", INFRA, PRODUCT),
    "502": (of_proxy(502), "", "E4-2", INFRA, INFRA),
    "503-html": (of_proxy(503), "", "E4-3", INFRA, INFRA),
    "503-empty": (saying(503), "", "E4-3", INFRA, INFRA),
    "503-json": (of_app(503), "", "E4-4", INFRA, PRODUCT),
    "503-app-header": (of_proxy(503, "x-revision: 1.2"), "", "E4-4", INFRA, PRODUCT),
    "503-server-header": (of_proxy(503, "server: nginx"), "", "E4-3", INFRA, INFRA),
    "504": (of_proxy(504), "", "E4-5", INFRA, INFRA),
    "429-proxy": (of_proxy(429), "", "E4-6", CAPACITY, CAPACITY),
    "429-app": (of_app(429), "", "E4-7", HARNESS, HARNESS),
    "401-login": (of_app(401), LOGIN, "E4-8", HARNESS, AUTH),
    "403-login": (of_proxy(403), LOGIN, "E4-8", HARNESS, AUTH),
    "423-login": (of_app(423), LOGIN, "E4-48", HARNESS, HARNESS),
    "423-elsewhere": (of_app(423), "", "E4-11", PRODUCT, PRODUCT),
    "404": (of_app(404), "", "E4-10", INFRA, PRODUCT),
    "405": (of_app(405), "", "E4-10", INFRA, PRODUCT),
    "302": (saying(302, "location: /login"), "", "E4-11", PRODUCT, PRODUCT),
    "422": (of_app(422), "", "E4-11", PRODUCT, PRODUCT),
    "520-html": (of_proxy(520), "", "E4-38", INFRA, INFRA),
    "520-json": (of_app(520), "", "unknown", INFRA, PRODUCT),
    "reset-in-body": (half_a_body, "", "E4-13", INFRA, INFRA),
    "reset-at-connect": (reset_at_once, "", "E4-13", INFRA, INFRA),
    "hang-up": (hang_up, "", "E4-13", INFRA, INFRA),
    "end-of-file": (end_of_file, "", "E4-13", INFRA, INFRA),
    "no-answer": (silent, "", "E4-19", INFRA, PRODUCT),
}


@pytest.mark.parametrize(
    ("server", "purpose", "row", "before", "after"), ANSWERS.values(), ids=ANSWERS
)
def test_answer(
    server: Raw, purpose: str, row: str, before: Attribution, after: Attribution
) -> None:
    """What comes of a request is attributed by its structure."""

    async def go() -> Symptom | None:
        async with raw_server(server) as url:
            within_s = 0.3 if server is silent else 5.0
            return sign_of_exchange(await ask(url, purpose or "health", within_s=within_s))

    assert both(asyncio.run(go())) == (row, before, after)


def test_good_answer_is_no_trouble() -> None:
    """The healthy twin: nothing is attributed to anybody."""

    async def go() -> Symptom | None:
        async with raw_server(of_app(200)) as url:
            return sign_of_exchange(await ask(url))

    assert asyncio.run(go()) is None


ROADS = {
    "refused": (closed_port(), "E4-12"),
    "full-backlog": (full_backlog(), "E4-18"),
}


@pytest.mark.parametrize(("road", "row"), ROADS.values(), ids=ROADS)
def test_road_without_an_end(road: AbstractContextManager[str], row: str) -> None:
    """No connection comes about, for requests and for sockets: that is the road's, later too."""

    async def go(url: str) -> tuple[Symptom | None, Symptom | None]:
        socket_url = f"{url.replace('http', 'ws')}/ws"
        exchange, talk = await asyncio.gather(
            ask(url, within_s=0.5), talk_to(socket_url, open_within_s=0.5)
        )
        return sign_of_exchange(exchange), sign_of_talk(talk)

    with road as url:
        signs = asyncio.run(go(url))

    assert [both(sign) for sign in signs] == [(row, INFRA, INFRA)] * 2


def test_unknown_name() -> None:
    """A name of the reserved domain is nobody's; a resolver that fails for now is the road's."""
    try:
        socket.getaddrinfo("nowhere.invalid", 80)
    except socket.gaierror as error:
        is_final = error.errno == socket.EAI_NONAME
    else:
        pytest.fail("a reserved name was resolved")
    sign = sign_of_exchange(asyncio.run(ask("http://nowhere.invalid")))
    expected = ("E4-15", HARNESS, HARNESS) if is_final else ("E4-14", INFRA, INFRA)

    assert both(sign) == expected


def certificate(folder: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool) -> trustme.CA:
    """Make an authority, and let this process trust it or another one."""
    authority = trustme.CA()
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(folder / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    return authority


@pytest.mark.parametrize("what", ["expired", "another name", "unknown issuer", "good"])
def test_certificate(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that no client may accept is the product's configuration, at any time."""
    authority = certificate(tmp_path, monkeypatch, trusted=what != "unknown issuer")
    name = "elsewhere.test" if what == "another name" else "localhost"
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    issued = authority.issue_cert(name, not_after=yesterday if what == "expired" else None)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued.configure_cert(context)

    async def go() -> tuple[Symptom | None, Symptom | None]:
        async with tls_server(context) as url:
            socket_url = f"{url.replace('https', 'wss')}/ws"
            exchange, talk = await asyncio.gather(ask(url), talk_to(socket_url))
            return sign_of_exchange(exchange), talk.symptom

    signs = asyncio.run(go())

    assert (signs[0] is None) == (what == "good")
    if what != "good":
        assert [both(sign) for sign in signs] == [("E4-17", PRODUCT, PRODUCT)] * 2


# asyncio leaves a transport behind whose TLS handshake is given up; it is collected here.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("server", [garbage, reset_at_once, silent])
def test_tls_handshake(server: Raw) -> None:
    """A greeting that is answered by garbage, by a reset or not at all is the road's."""

    async def go() -> Symptom | None:
        async with raw_server(server) as url:
            return sign_of_exchange(await ask(url.replace("http", "https"), within_s=0.5))

    sign = asyncio.run(go())
    gc.collect()

    assert both(sign) == ("E4-16", INFRA, INFRA)


CLOSES: dict[int | str, tuple[Talk, str, Attribution, Attribution]] = {
    1000: (closing(1000), "E4-22", PRODUCT, PRODUCT),
    1001: (closing(1001), "E4-23", INFRA, INFRA),
    1002: (closing(1002), "E4-24", PRODUCT, PRODUCT),
    1003: (closing(1003), "E4-24", PRODUCT, PRODUCT),
    1005: (closing_without_code, "E4-25", INFRA, INFRA),
    1006: (vanishing, "E4-26", INFRA, INFRA),
    1007: (closing(1007), "E4-24", PRODUCT, PRODUCT),
    1008: (closing(1008), "E4-27", HARNESS, AUTH),
    1009: (closing(1009), "E4-24", PRODUCT, PRODUCT),
    1011: (closing(1011), "E4-28", INFRA, PRODUCT),
    1012: (closing(1012), "E4-30", INFRA, INFRA),
    1013: (closing(1013), "E4-31", CAPACITY, CAPACITY),
    1014: (closing(1014), "E4-32", INFRA, INFRA),
    3000: (closing(3000), "E4-32", AUTH, AUTH),
    3003: (closing(3003), "E4-32", AUTH, AUTH),
    3008: (closing(3008), "E4-32", INFRA, INFRA),
    4001: (closing(4001), "E4-33", AUTH, AUTH),
    4401: (closing(4401), "E4-33", AUTH, AUTH),
    4403: (closing(4403), "E4-33", AUTH, AUTH),
    4999: (closing(4999), "E4-33", PRODUCT, PRODUCT),
    "1007 by us": (writing(b"\x81\x02\xff\xfe"), "E4-24", PRODUCT, PRODUCT),
    "1002 by us": (writing(b"\xf1\x00"), "E4-24", PRODUCT, PRODUCT),
}


@pytest.mark.parametrize(
    ("server", "row", "before", "after"), CLOSES.values(), ids=map(str, CLOSES)
)
def test_close(server: Talk, row: str, before: Attribution, after: Attribution) -> None:
    """How a socket is closed is attributed by the code, and by who closed it."""

    async def go() -> Symptom | None:
        async with socket_server(server) as url:
            return sign_of_talk(await talk_to(url))

    sign = asyncio.run(go())

    assert both(sign) == (row, before, after)
    assert sign is not None
    assert sign.sent_by_us == (server in {CLOSES["1007 by us"][0], CLOSES["1002 by us"][0]})


UPGRADES = {
    "401": (of_app(401), "E4-9", AUTH, AUTH),
    "403": (saying(403), "E4-9", AUTH, AUTH),
    "404": (of_app(404), "E4-10", INFRA, PRODUCT),
    "429": (of_proxy(429), "E4-6", CAPACITY, CAPACITY),
    "500": (saying(500), "E4-1", INFRA, PRODUCT),
    "502": (of_proxy(502), "E4-2", INFRA, INFRA),
    "503": (of_proxy(503), "E4-3", INFRA, INFRA),
    "503-json": (of_app(503), "E4-4", INFRA, PRODUCT),
    "504": (of_proxy(504), "E4-5", INFRA, INFRA),
    "reset": (hang_up, "E4-13", INFRA, INFRA),
    "end-of-file": (end_of_file, "E4-13", INFRA, INFRA),
    "no-answer": (silent, "E4-19", INFRA, PRODUCT),
}


@pytest.mark.parametrize(("server", "row", "before", "after"), UPGRADES.values(), ids=UPGRADES)
def test_upgrade(server: Raw, row: str, before: Attribution, after: Attribution) -> None:
    """What comes of an upgrade is attributed as it is for requests."""

    async def go() -> Symptom | None:
        async with raw_server(server) as url:
            within_s = 0.3 if server is silent else 5.0
            socket_url = f"{url.replace('http', 'ws')}/ws"
            return sign_of_talk(await talk_to(socket_url, open_within_s=within_s))

    assert both(asyncio.run(go())) == (row, before, after)


def in_a_minute() -> str:
    """Write the time in a minute as HTTP does."""
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    return format_datetime(moment, usegmt=True)


WAITS = {
    "seconds": ("7", 7.0, 7.0),
    "zero": ("0", 0.0, 0.0),
    "date": ("", 40.0, 60.0),
    "past": ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0, 0.0),
    "far": ("999999999999999999999", 300.0, 300.0),
    "far-date": ("Fri, 31 Dec 9999 23:59:59 -1200", 300.0, 300.0),
}


@pytest.mark.parametrize(("value", "least_s", "most_s"), WAITS.values(), ids=WAITS)
def test_retry_after(value: str, least_s: float, most_s: float) -> None:
    """Seconds and dates are read, and bounded; a blank one is of the date in a minute."""

    async def go() -> list[Symptom | None]:
        said = f"retry-after: {value or in_a_minute()}"
        async with raw_server(of_proxy(503, said)) as url:
            talk = await talk_to(f"{url.replace('http', 'ws')}/ws")
            return [(await ask(url)).symptom, talk.symptom]

    for sign in asyncio.run(go()):
        assert sign is not None
        assert sign.retry_after_s is not None
        assert least_s <= sign.retry_after_s <= most_s
        assert attribute(sign).retry is Retry.YES


@pytest.mark.parametrize("value", ["soon", "-5", "1.5", "٣", "Wed, 99 Oct 2015 07:28:00 GMT"])
def test_retry_after_that_is_none(value: str) -> None:
    """What is neither seconds nor a date is as good as nothing."""

    async def go() -> Symptom | None:
        async with raw_server(of_proxy(503, f"retry-after: {value}")) as url:
            return (await ask(url)).symptom

    sign = asyncio.run(go())

    assert sign is not None
    assert sign.retry_after_s is None
