"""Whose trouble a symptom is: a table over structural signs, never over free text.

The rows are those of the platform's attribution table; before readiness the unknown is
infrastructure, after it the unknown is the product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.symptom import Kind, Symptom


@dataclass(frozen=True, slots=True)
class Attributed:
    """A verdict on one trouble.

    Attributes:
        attribution: whose it is.
        row: the row of the table that decided, for the record.
    """

    attribution: Attribution
    row: str


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    matches: Callable[[Symptom], bool]
    before_ready: Attribution
    after_ready: Attribution


def _kind(*kinds: Kind) -> Callable[[Symptom], bool]:
    return lambda symptom: symptom.kind in kinds


def _status(status: int, *, app_made: bool | None = None) -> Callable[[Symptom], bool]:
    return lambda symptom: symptom.status == status and app_made in {None, symptom.app_made}


def _close(*codes: int) -> Callable[[Symptom], bool]:
    return lambda symptom: symptom.kind is Kind.WS_CLOSE and symptom.code in codes


_INFRA = Attribution.INFRASTRUCTURE
_PRODUCT = Attribution.PRODUCT
_ROWS = (
    _Row("E4-2", _status(502), _INFRA, _INFRA),
    _Row("E4-3", _status(503, app_made=False), _INFRA, _INFRA),
    _Row("E4-4", _status(503, app_made=True), _INFRA, _PRODUCT),
    _Row("E4-5", _status(504), _INFRA, _INFRA),
    _Row("E4-6", _status(429, app_made=False), Attribution.CAPACITY, Attribution.CAPACITY),
    _Row("E4-7", _status(429, app_made=True), Attribution.HARNESS, Attribution.HARNESS),
    _Row("E4-12", _kind(Kind.REFUSED), _INFRA, _INFRA),
    _Row("E4-13", _kind(Kind.RESET), _INFRA, _INFRA),
    _Row("E4-14", _kind(Kind.DNS_TEMPORARY), _INFRA, _INFRA),
    _Row("E4-15", _kind(Kind.DNS_UNKNOWN), Attribution.HARNESS, Attribution.HARNESS),
    _Row("E4-16", _kind(Kind.TLS_HANDSHAKE), _INFRA, _INFRA),
    _Row("E4-17", _kind(Kind.TLS_CERTIFICATE), _PRODUCT, _PRODUCT),
    _Row("E4-18", _kind(Kind.CONNECT_TIMEOUT), _INFRA, _INFRA),
    _Row("E4-19", _kind(Kind.ANSWER_TIMEOUT), _INFRA, _PRODUCT),
    _Row("E4-23", _close(1001, 1005, 1006, 1012, 1014, 3008), _INFRA, _INFRA),
    _Row("E4-31", _close(1013), Attribution.CAPACITY, Attribution.CAPACITY),
    _Row("E4-39", _kind(Kind.PROVIDER), Attribution.UPSTREAM, Attribution.UPSTREAM),
    _Row("E4-46", _kind(Kind.HARNESS, Kind.BUDGET), Attribution.HARNESS, Attribution.HARNESS),
)


def attribute(symptom: Symptom) -> Attributed:
    """Say whose trouble a symptom is, and by which row."""
    for row in _ROWS:
        if row.matches(symptom):
            return Attributed(row.after_ready if symptom.ready else row.before_ready, row.name)
    return Attributed(_PRODUCT if symptom.ready else _INFRA, "unknown")
