"""What is learnt from cookies: sessions, and no names, words or dates."""

from __future__ import annotations

import asyncio
import json

import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.confided import cookie_secrets, is_plain, learn_cookies, names_in
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.secrets import Redactor, Secret
from servers import Raw, raw_server, replying

USER = "3f0b5c1e-7d42-4c3a-9a51-2f6f0e8f9d10"
EMAIL = "user1@example.com"
RANDOM = "q8Zk2vXw0Rj5Lm7Tn4Bc"
OK = "HTTP/1.1 200 OK\ncontent-type: application/json\nconnection: close"


def setting(*values: str) -> httpx.Response:
    """Return an answer that sets cookies with these values."""
    headers = [("set-cookie", f"c{n}={value}; Path=/") for n, value in enumerate(values)]
    return httpx.Response(200, headers=headers, request=httpx.Request("GET", "http://target/"))


NAMES = names_in({"user": {"id": USER, "email": EMAIL}, "org_id": 48151623})


@pytest.mark.parametrize(
    "value",
    [
        USER,
        USER.upper(),
        f'"{USER}"',
        EMAIL,
        EMAIL.replace("@", "%40"),
        "48151623",
        "connection_established",
        "agent_completed_",
        "netra-auth-service",
        "netra-platform1",
        "Europe-West4",
        "1.0.0",
        "2025-09",
        "2025-09-14T12:00:00Z",
        f"v1.{USER}",
        f"%7B%22id%22%3A%22{USER}%22%7D",
    ],
)
def test_cookie_that_is_a_name_is_no_secret(value: str) -> None:
    """Who the user is, what a service is called and the day are told openly."""
    assert cookie_secrets(setting(value), NAMES) == []


@pytest.mark.parametrize(
    "value",
    [
        RANDOM,
        "s3cr3t-value",
        "0f9e8d7c6b5a49382716",
        "7d42c3a1-9a51-4f6f-8e8f-3f0b5c1e9d10",
        "thisisalongonewithoutnumbers",
        "aGVsbG8gd29ybGQ-X_1",
    ],
)
def test_session_is_a_secret(value: str) -> None:
    """A random value is a secret, also one of the form of an id that nobody told."""
    assert cookie_secrets(setting(value), NAMES) == [value]


@pytest.mark.parametrize("value", [f"{USER}.{RANDOM}", f"s%3A{USER}|{RANDOM}", f"{RANDOM}:{EMAIL}"])
def test_signed_name_leaves_the_name(value: str) -> None:
    """Of a name with its signature only the signature is a secret."""
    assert cookie_secrets(setting(value), NAMES) == [RANDOM]


def test_names_are_those_of_their_keys() -> None:
    """Ids and addresses are names at any depth; what a session is known by is none."""
    told = {"data": [{"thread_id": "thr-1234", "userId": 77_123}], "iss": "netra", "note": "word"}
    kept = {"session_id": "sess-1234", "token_id": "tok-1234", "key_id": "key-1234", "sid": "1234"}

    assert names_in({**told, **kept}) == {"thr-1234", "77123", "netra"}


@given(st.binary(min_size=12, max_size=32))
def test_no_random_session_is_plain(raw: bytes) -> None:
    """Hexadecimal numbers of a session's length are no words, unless they lack digits."""
    assert not is_plain(raw.hex()) or not any(map(str.isdigit, raw.hex()))


def logged_in(cookie: str, body: dict[str, object], then: Raw | None = None) -> Redactor:
    """Log in at a server that sets a cookie, or sets it only with its next answer."""
    redactor = Redactor()

    async def go() -> None:
        first = replying(OK if then else f"{OK}\nset-cookie: {cookie}", json.dumps(body).encode())
        replies = iter((first, then or first))

        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await next(replies)(reader, writer)

        async with raw_server(reply) as url, Web(url, redactor, Stopwatch()) as web:
            sent = {"email": EMAIL}
            keys = ("access_token",)
            await web.exchange("login", "POST", url, within_s=5, json=sent, secret_keys=keys)
            if then:
                await web.exchange("page", "GET", url, within_s=5)

    asyncio.run(go())
    return redactor


@pytest.mark.parametrize("later", [False, True], ids=["with the login", "later"])
def test_user_of_a_login_stays_readable(later: bool) -> None:
    """The user of the answer, of its token and of the request can be told apart; a session cannot."""
    token = jwt.encode({"sub": f"sub-{USER}", "iss": "netra-1-auth"}, "k" * 32)
    body: dict[str, object] = {"access_token": token, "user": {"id": USER}}
    cookies = f"a={USER}\nset-cookie: b={EMAIL}\nset-cookie: c=sub-{USER}\nset-cookie: d={RANDOM}"
    then = replying(f"{OK}\nset-cookie: {cookies}", b"{}") if later else None
    redactor = logged_in(cookies, body, then)

    assert redactor.redact(f"{USER} {EMAIL} sub-{USER} netra-1-auth") == (
        f"{USER} {EMAIL} sub-{USER} netra-1-auth"
    )
    assert redactor.redact(f"{RANDOM} {token}") == "*** ***"


def test_client_of_a_check_knows_whose_token_it_sends() -> None:
    """The user of the token that was sent is told openly as well."""
    token = jwt.encode({"sub": USER}, "k" * 32)
    response = setting(USER, RANDOM)
    response.request = httpx.Request(
        "GET", "http://target/", headers={"authorization": f"Bearer {token}"}
    )
    redactor = Redactor()
    redactor.learn(Secret(token))
    learn_cookies(response, redactor)

    assert redactor.redact(f"{USER} {RANDOM}") == f"{USER} ***"
