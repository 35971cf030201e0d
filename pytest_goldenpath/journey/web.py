"""HTTP exchanges: bounded in size and time, never redirected, secrets cut out at once.

The control probe is one of them: a target that cannot be reached, from a runner that reaches nobody,
is no news of the target.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

import httpx

from pytest_goldenpath.contract.exchange import Exchange, parse_object
from pytest_goldenpath.contract.symptom import FAILED, HEALTHY, Kind, Symptom
from pytest_goldenpath.journey.clock import LagMeter, Stopwatch
from pytest_goldenpath.journey.confided import claims_of, cookie_secrets, looks_secret, names_in
from pytest_goldenpath.journey.symptoms import Servers, symptom_of, symptom_of_answer
from pytest_goldenpath.secrets import MASK, Redactor, Secret
from pytest_goldenpath.target.urls import is_loopback

#: No honest answer of this contract is larger.
MOST_BYTES = 262_144
#: What is kept of a larger one, to be shown.
_SHOWN_BYTES = 4096
_MOST_HEADERS = 100
#: Every secret that is known is looked for in every text, so a flood of them would be felt.
_MOST_COOKIES_LEARNT = 200
#: zlib's word for "gzip or deflate, whatever it is".
_ANY_WINDOW = 47
_LONGEST_HEADER = 2000
#: A neutral host that takes longer tells nothing good about our road.
_CONTROL_WITHIN_S = 5.0
_SERVER_ERRORS = range(500, 600)
#: The attributes of RFC 6265 and its successor; anything else may be a part of the value.
_ATTRIBUTES = frozenset(
    {"domain", "expires", "httponly", "max-age", "partitioned", "path", "samesite", "secure"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An exchange that may be shown, beside the decoded body that may not.

    Attributes:
        exchange: the record, without secrets.
        document: the body as a JSON object, with secrets; empty when it is none.
    """

    exchange: Exchange
    document: Mapping[str, Any] = field(repr=False)


class Web:
    """A client for one target; use it as an asynchronous context manager."""

    def __init__(self, backend: str, redactor: Redactor, stopwatch: Stopwatch) -> None:
        """Take the address that decides about proxies, the secrets, and the time."""
        self._redactor = redactor
        self._stopwatch = stopwatch
        self._lag = LagMeter()
        self._cookies = 0
        self._names: frozenset[str] = frozenset()
        self._servers = Servers()
        self.ready = False
        self._client = httpx.AsyncClient(
            verify=tls_context() if backend.startswith("https") else False,
            trust_env=not is_loopback(backend),
            follow_redirects=False,
            timeout=None,  # noqa: S113  # every request runs under its own total deadline
            headers={"user-agent": "pytest-goldenpath", "accept-encoding": "identity"},
            # No cookie of one answer may travel with the next request, which is somebody else's.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def __aenter__(self) -> Self:
        """Open nothing yet: connections are made when they are needed."""
        await self._lag.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        await self._lag.__aexit__()
        await self._client.aclose()

    async def exchange(
        self,
        purpose: str,
        method: str,
        url: str,
        *,
        within_s: float,
        json: Mapping[str, Any] | None = None,
        token: Secret | None = None,
        headers: Mapping[str, str] | None = None,
        secret_keys: tuple[str, ...] = (),
    ) -> Answer:
        """Make one request and never raise for what the target or the road does.

        Args:
            purpose: why, for the record.
            method: HTTP method.
            url: address.
            within_s: seconds until the whole answer must be there.
            json: body to send.
            token: bearer token to send.
            headers: more headers to send.
            secret_keys: keys of the answer whose values are secrets from now on.

        """
        sent = _signed(headers, token)
        started_s, lag_before_s = self._stopwatch.now(), self._lag.total_s
        record, opening = _Record(purpose, method, url, started_s, within_s), _Opening()
        try:
            async with (
                asyncio.timeout(within_s),
                self._stream(record, opening, json, sent) as response,
            ):
                body, oversized = await _read(response)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            lag_s = self._lag.total_s - lag_before_s
            symptom = self._symptom(error, record, opening, lag_s)
            return Answer(record.failed(self._stopwatch.now(), symptom, self._redactor), {})
        answered = parse_object(body.decode("utf-8", "replace"))
        if secret_keys or token:
            self._names |= _told_openly(json or {}, answered, token, secret_keys)
        self._learn(response, answered, secret_keys)
        foreign = self._servers.is_foreign(*_server(response), is_document=bool(answered))
        now_s, ready = self._stopwatch.now(), self.ready
        exchange = record.answered(
            now_s, response, body, self._redactor, oversized, ready=ready, foreign=foreign
        )
        return Answer(replace(exchange, lag_s=self._lag.total_s - lag_before_s), answered)

    def _stream(
        self,
        record: _Record,
        opening: _Opening,
        json: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> AbstractAsyncContextManager[httpx.Response]:
        # A connection that is cancelled half-way is never closed; one that gives up is.
        patience = httpx.Timeout(None, connect=record.within_s / 2)
        return self._client.stream(
            record.method,
            record.url,
            json=json,
            headers=headers,
            timeout=patience,
            extensions={"trace": opening},
        )

    def _learn(
        self, response: httpx.Response, answered: Mapping[str, Any], keys: tuple[str, ...]
    ) -> None:
        """Learn what an answer gave us in confidence; nobody may blot out words of his own."""
        for key in keys:
            if looks_secret(answered.get(key)):
                self._redactor.learn(Secret(answered[key]))
        for value in cookie_secrets(response, self._names):
            if self._cookies < _MOST_COOKIES_LEARNT:
                self._cookies += 1
                self._redactor.learn(Secret(value))

    def _symptom(
        self, error: Exception, record: _Record, opening: _Opening, lag_s: float
    ) -> Symptom:
        """Describe why no answer came; a time-out by what was being waited for."""
        symptom = symptom_of(error, phase=record.purpose, where=record.url, ready=self.ready)
        kind = (
            opening.unfinished if isinstance(error, TimeoutError | httpx.ConnectTimeout) else None
        )
        return replace(symptom, kind=kind or symptom.kind, lag_s=lag_s)


def _server(response: httpx.Response) -> tuple[str, str]:
    """Return the address that answered, and the name that it gives itself, or ''."""
    return str(response.url.netloc), response.headers.get("server", "")


class _Opening:
    """Knows how far a connection has come, for one deadline holds for all of a request."""

    def __init__(self) -> None:
        """Nothing has begun; a connection that is used again opens nothing."""
        self.unfinished: Kind | None = None

    async def __call__(self, name: str, _info: Mapping[str, Any]) -> None:
        """Take a step that the transport tells of."""
        step, _, state = name.rpartition(".")
        if step in _OPENING_STEPS:
            self.unfinished = None if state == "complete" else _OPENING_STEPS[step]


#: The transport's names of what comes before a request, and what its time-out is.
_OPENING_STEPS = {
    "connection.connect_tcp": Kind.CONNECT_TIMEOUT,
    "connection.start_tls": Kind.TLS_HANDSHAKE,
}


def _told_openly(
    sent: Mapping[str, Any],
    answered: Mapping[str, Any],
    token: Secret | None,
    keys: tuple[str, ...],
) -> frozenset[str]:
    """Return the names that a request and its answer tell, and the tokens of both."""
    given = (answered.get(key) for key in keys)
    tokens = (*(Secret(value) for value in given if isinstance(value, str)), token or Secret(""))
    return names_in(sent, answered, *map(claims_of, tokens))


def _signed(headers: Mapping[str, str] | None, token: Secret | None) -> dict[str, str]:
    bearer = {"authorization": f"Bearer {token.reveal()}"} if token else {}
    return {**(headers or {}), **bearer}


def tls_context() -> ssl.SSLContext:
    """Return a context with the system's trust store; ``SSL_CERT_FILE`` overrides it."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class _Record:
    purpose: str
    method: str
    url: str
    at_s: float
    within_s: float

    def failed(self, now_s: float, symptom: Symptom, redactor: Redactor) -> Exchange:
        elapsed_s = now_s - self.at_s
        clean = replace(
            symptom,
            detail=redactor.redact(symptom.detail),
            elapsed_s=elapsed_s,
            limit_s=self.within_s,
        )
        return Exchange(
            self.purpose,
            self.method,
            self.url,
            self.at_s,
            elapsed_s,
            symptom=clean,
            lag_s=symptom.lag_s,
        )

    def answered(
        self,
        now_s: float,
        response: httpx.Response,
        body: bytes,
        redactor: Redactor,
        oversized: bool,
        *,
        ready: bool,
        foreign: bool,
    ) -> Exchange:
        plain = body.decode("utf-8", "replace")
        text = redactor.redact(plain)
        headers = clean_headers(response.headers.multi_items(), redactor)
        symptom = symptom_of_answer(
            response.status_code,
            headers,
            text,
            phase=self.purpose,
            where=self.url,
            ready=ready,
            elapsed_s=now_s - self.at_s,
            limit_s=self.within_s,
            foreign=foreign,
        )
        return Exchange(
            self.purpose,
            self.method,
            self.url,
            self.at_s,
            now_s - self.at_s,
            response.status_code,
            headers,
            text,
            oversized,
            symptom,
            held_secret=text != plain,
        )


def clean_headers(pairs: list[tuple[str, str]], redactor: Redactor) -> tuple[tuple[str, str], ...]:
    """Return at most 100 headers, lower-case, cut and without secrets or values of cookies."""

    def cleaned(name: str, value: str) -> str:
        if name == "authorization":
            return MASK
        shown = _cookie(value) if name == "set-cookie" else value
        return redactor.redact(shown[:_LONGEST_HEADER])

    return tuple(
        (name.lower(), cleaned(name.lower(), value)) for name, value in pairs[:_MOST_HEADERS]
    )


def _cookie(value: str) -> str:
    """Keep of a cookie its name and the attributes that say who may read it."""
    pair, *attributes = value.split(";")
    name, equals, _ = pair.partition("=")
    known = (a.strip() for a in attributes if a.partition("=")[0].strip().lower() in _ATTRIBUTES)
    return "; ".join((f"{name.strip()}={MASK}" if equals else MASK, *known))


async def _read(response: httpx.Response) -> tuple[bytes, bool]:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw(65_536):
        chunks.append(chunk)
        size += len(chunk)
        if size > MOST_BYTES:
            return b"".join(chunks)[:_SHOWN_BYTES], True
    return _inflated(b"".join(chunks), response.headers.get("content-encoding", ""))


def _inflated(body: bytes, encoding: str) -> tuple[bytes, bool]:
    """Inflate a body that came compressed although none was asked for, up to the limit."""
    if encoding.strip().lower() not in {"gzip", "deflate"}:
        return body, False
    engine = zlib.decompressobj(_ANY_WINDOW)
    try:
        inflated = engine.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        return body, False
    oversized = len(inflated) > MOST_BYTES
    return (inflated[:_SHOWN_BYTES] if oversized else inflated), oversized


def run_ask_control(url: str) -> str:
    """Do what :func:`ask_control` does from synchronous code, on an event loop of its own."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(ask_control(url))


async def ask_control(url: str, *, within_s: float = _CONTROL_WITHIN_S) -> str:
    """Ask a neutral host whether it is there: ``healthy`` or ``failed``; never raises for it.

    Any answer below 500 will do, for only the road to it matters. Nothing of the run is sent: no
    credential, no cookie, no body; a redirect is an answer and not followed.

    Args:
        url: the control host's address.
        within_s: seconds until the head of the answer must be there.

    """
    try:
        async with (
            asyncio.timeout(within_s),
            httpx.AsyncClient(
                verify=tls_context() if url.startswith("https") else False,
                trust_env=not is_loopback(url),
                follow_redirects=False,
                timeout=None,  # noqa: S113  # it runs under its own total deadline
                headers={"user-agent": "pytest-goldenpath"},
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                # Not even what an address carries before an @.
                auth=httpx.Auth(),
            ) as client,
            client.stream("GET", url) as response,
        ):
            return FAILED if response.status_code in _SERVER_ERRORS else HEALTHY
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError):
        return FAILED
