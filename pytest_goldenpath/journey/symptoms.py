"""Exceptions of httpx, websockets and the operating system become structural symptoms."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

from pytest_goldenpath.contract.symptom import Kind, Symptom

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


def symptom_of(error: BaseException, *, phase: str, where: str, ready: bool) -> Symptom:
    """Reduce an exception to its structural signs; its text is kept for people only.

    Args:
        error: what was raised; its causes are looked at as well.
        phase: the part of the run.
        where: the address.
        ready: whether the target had been ready before.

    """
    kind = next((k for k in map(_kind, _chain(error)) if k), Kind.PROTOCOL)
    detail = f"{type(error).__name__}: {error}".strip().rstrip(":")
    return Symptom(kind, phase, where, ready=ready, detail=detail[:300])


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
        case _ if isinstance(error, _BROKEN_ROADS):
            kind = Kind.RESET
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
    "InvalidMessage": Kind.RESET,
}
