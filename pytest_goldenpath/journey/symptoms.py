"""Exceptions of httpx, websockets and the operating system become structural symptoms."""

from __future__ import annotations

import errno
import math
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime

from pytest_goldenpath.contract.exchange import parse_json
from pytest_goldenpath.contract.findings import printable
from pytest_goldenpath.contract.rules.revision import REVISION_HEADERS
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.journey.clock import wall_clock

_TEMPORARY_DNS = frozenset({socket.EAI_AGAIN, getattr(socket, "EAI_NODATA", socket.EAI_AGAIN)})
_BROKEN_ROADS = (
    ConnectionResetError,
    ConnectionAbortedError,
    BrokenPipeError,
    EOFError,
)
_REFUSALS = frozenset(
    {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL}
)
#: How h11 begins its complaint when the other side hung up, as against one that broke HTTP.
_HUNG_UP = "peer "


#: Answers of the road, or of a limiter on it, and not of the product (gates E4, rows 2 to 7).
_GATEWAY_STATUSES = frozenset({429, 502, 503, 504})
#: Others of that kind are told by their page of HTML (row 38); a 500 is always the product's.
_OTHER_ERRORS = range(501, 600)
_SUCCESSES = range(200, 300)
#: What is read of a body to see whether the product wrote it.
_READ_BYTES = 65_536
#: A target may ask for any wait; none that is longer helps a run.
LONGEST_WAIT_S = 300.0


def symptom_of_answer(
    status: int,
    headers: tuple[tuple[str, str], ...],
    body: str,
    *,
    phase: str,
    where: str,
    ready: bool,
    elapsed_s: float = 0.0,
    limit_s: float = 0.0,
    upgrade: bool = False,
    foreign: bool = False,
) -> Symptom | None:
    """Return the symptom of an answer that something in front of the product may have written.

    Args:
        status: HTTP status.
        headers: pairs of lower-case name and value.
        body: the beginning of the body.
        phase: the part of the run.
        where: the address.
        ready: whether the target had been ready before.
        elapsed_s: seconds until the answer.
        limit_s: seconds that it was allowed.
        upgrade: whether it answers a WebSocket upgrade.
        foreign: whether another server answered than the one that gave documents here.

    """
    values = dict(reversed(headers))
    app_made = isinstance(parse_json(body), dict) or any(map(values.get, REVISION_HEADERS))
    html = values.get("content-type", "").lower().lstrip().startswith("text/html")
    page = html and not app_made
    of_a_proxy = page and (status in _OTHER_ERRORS or (foreign and status in _SUCCESSES))
    if status not in _GATEWAY_STATUSES and not of_a_proxy:
        return None
    return Symptom(
        Kind.HTTP_STATUS,
        phase,
        where,
        status=status,
        app_made=app_made,
        ready=ready,
        retry_after_s=retry_after(values.get("retry-after", ""), wall_clock()),
        upgrade=upgrade,
        html=html,
        elapsed_s=elapsed_s,
        limit_s=limit_s,
    )


class Servers:
    """Knows which servers answer at which address: a page of another one is none of the product's."""

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[str, set[str]] = {}

    def is_foreign(self, address: str, server: str, *, is_document: bool) -> bool:
        """Tell whether another server answered than those that gave documents at this address.

        Args:
            address: host and port.
            server: the header of that name, or ''.
            is_document: whether the answer is a JSON object, as the product gives them.

        """
        known = self._known.setdefault(address, set())
        if is_document:
            known.add(server)
        return bool(server and known) and server not in known


def retry_after(value: str, now_s: float) -> float | None:
    """Read a ``Retry-After``: seconds or an HTTP date, as seconds from now, bounded.

    Args:
        value: of the header.
        now_s: our clock's time, epoch seconds.

    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        try:
            seconds = zoned.timestamp() - now_s
        except (ValueError, OverflowError):
            return None
    return min(LONGEST_WAIT_S, max(0.0, seconds)) if math.isfinite(seconds) else LONGEST_WAIT_S


def symptom_of(error: BaseException, *, phase: str, where: str, ready: bool) -> Symptom:
    """Reduce an exception to its structural signs; its text is kept for people only.

    Args:
        error: what was raised; its causes are looked at as well.
        phase: the part of the run.
        where: the address.
        ready: whether the target had been ready before.

    """
    answered = _answer_in(error)
    if answered:
        status, headers, body = answered
        told = symptom_of_answer(status, headers, body, phase=phase, where=where, ready=ready)
        return told or Symptom(Kind.HTTP_STATUS, phase, where, status=status, ready=ready)
    kind = next((k for k in map(_kind, _chain(error)) if k), Kind.PROTOCOL)
    detail = f"{type(error).__name__}: {error}".strip().rstrip(":")
    return Symptom(kind, phase, where, ready=ready, detail=printable(detail[:300]))


def _answer_in(error: BaseException) -> tuple[int, tuple[tuple[str, str], ...], str] | None:
    """Return status, headers and body of an answer that a client made an exception of.

    httpx, requests and websockets keep the answer as ``response``, urllib is the answer.
    """
    answer = getattr(error, "response", None)
    if answer is not None:
        status, source = getattr(answer, "status_code", None), getattr(answer, "headers", None)
    elif type(error).__module__ == "urllib.error":
        status, source = getattr(error, "code", None), getattr(error, "headers", None)
    else:
        return None
    if not isinstance(status, int) or source is None:
        return None
    items = source.raw_items() if hasattr(source, "raw_items") else source.items()
    headers = tuple((str(name).lower(), str(value)) for name, value in items)
    # httpx keeps what was read there; a body that was not read says nothing.
    body = getattr(answer, "_content", None) or getattr(answer, "body", None) or b""
    return status, headers, bytes(body[:_READ_BYTES]).decode("utf-8", "replace")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk an exception and what caused it, the innermost first."""
    causes: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in causes:
        causes.append(current)
        current = current.__cause__ or current.__context__
    for cause in reversed(causes):
        if isinstance(cause, BaseExceptionGroup):
            yield from cause.exceptions
        yield cause


def _kind(error: BaseException) -> Kind | None:
    match error:
        case ssl.SSLCertVerificationError():
            kind: Kind | None = Kind.TLS_CERTIFICATE
        case ssl.SSLError():
            kind = Kind.TLS_HANDSHAKE
        case socket.gaierror():
            kind = Kind.DNS_TEMPORARY if error.errno in _TEMPORARY_DNS else Kind.DNS_UNKNOWN
        case OSError() if error.errno in _REFUSALS:
            kind = Kind.REFUSED
        case _ if isinstance(error, _BROKEN_ROADS) or type(error) is ConnectionError:
            kind = Kind.RESET
        case _ if type(error).__module__.partition(".")[0] == "h11":
            kind = Kind.RESET if str(error).startswith(_HUNG_UP) else Kind.PROTOCOL
        case _:
            kind = _KINDS_BY_NAME.get(type(error).__name__)
    return kind


#: Names of httpx and websockets exceptions, so that neither has to be imported to ask.
_KINDS_BY_NAME = {
    "ConnectTimeout": Kind.CONNECT_TIMEOUT,
    "PoolTimeout": Kind.HARNESS,
    "ReadTimeout": Kind.ANSWER_TIMEOUT,
    "WriteTimeout": Kind.ANSWER_TIMEOUT,
    "TimeoutError": Kind.ANSWER_TIMEOUT,
    "ConnectError": Kind.REFUSED,
    "ReadError": Kind.RESET,
    "WriteError": Kind.RESET,
    "RemoteProtocolError": Kind.RESET,
    "ProxyError": Kind.REFUSED,
    "ConnectionClosedError": Kind.RESET,
}
