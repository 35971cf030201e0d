"""Whose trouble a symptom is: a table over structural signs, never over free text.

The rows are those of the platform's attribution table; before readiness the unknown is
infrastructure, after it the unknown is the product. The first row that matches decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.symptom import FAILED, HEALTHY, Kind, Symptom

#: A trouble that lasts as long as this, retries included, is no blip (gates E4, trigger window).
TRIGGER_WINDOW_S = 120.0
#: This share of an allowed time is "near" it.
_NEAR = 0.9
#: When we did not listen for this share of a wait, the wait is ours.
_LAGGED = 0.5


class Retry(StrEnum):
    """Whether what met a trouble may be made again."""

    NEVER = "never"
    ONCE = "once"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Attributed:
    """A verdict on one trouble.

    Attributes:
        attribution: whose it is.
        row: the row of the table that decided, for the record.
        retry: whether what met it may be made again.
    """

    attribution: Attribution
    row: str
    retry: Retry = Retry.NEVER


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        name: its number in the platform's table.
        sign: what is met, in one line.
        matches: whether a symptom has these signs.
        before_ready: whose trouble it is until the warm-up is over.
        after_ready: whose it is later.
        retry: whether what met it may be made again.
        escalates: it is the product's when it outlives retries and trigger window while a
            neutral host answers.
    """

    name: str
    sign: str
    matches: Callable[[Symptom], bool]
    before_ready: Attribution
    after_ready: Attribution
    retry: Retry = Retry.NEVER
    escalates: bool = False

    def decide(self, symptom: Symptom) -> Attributed:
        """Attribute a symptom that matches."""
        whose = self.after_ready if symptom.ready else self.before_ready
        lasts = symptom.ready and symptom.outlived_s >= TRIGGER_WINDOW_S
        if self.escalates and lasts and symptom.control == HEALTHY:
            return Attributed(Attribution.PRODUCT, f"{self.name}+E")
        return Attributed(whose, self.name, self.retry)


def _kind(*kinds: Kind) -> Callable[[Symptom], bool]:
    return lambda symptom: symptom.kind in kinds


def _status(*statuses: int, app_made: bool | None = None) -> Callable[[Symptom], bool]:
    return lambda symptom: symptom.status in statuses and app_made in {None, symptom.app_made}


def _close(*codes: int) -> Callable[[Symptom], bool]:
    return lambda symptom: symptom.kind in _CLOSES and symptom.code in codes


def _provider(*codes: int) -> Callable[[Symptom], bool]:
    return lambda symptom: symptom.kind is Kind.PROVIDER and symptom.code in codes


def _refused_login(*statuses: int) -> Callable[[Symptom], bool]:
    return lambda symptom: symptom.status in statuses and symptom.phase.startswith("login")


def _is_offline(symptom: Symptom) -> bool:
    """Tell whether the runner reaches nobody: a neutral host failed as well."""
    return symptom.control == FAILED and (
        symptom.kind in _ROADS or any(row.escalates for row in ROWS if row.matches(symptom))
    )


def _is_lagged(symptom: Symptom) -> bool:
    """Tell whether most of a wait went by while we did not listen."""
    waited = symptom.kind in _WAITS or (symptom.code == _INTERNAL and symptom.sent_by_us)
    return waited and symptom.lag_s > 0 and symptom.lag_s >= _LAGGED * symptom.elapsed_s


def _is_at_the_limit(symptom: Symptom) -> bool:
    """Tell whether a gateway gave up when the time that the product has was nearly over."""
    spent = symptom.limit_s > 0 and symptom.elapsed_s >= _NEAR * symptom.limit_s
    return symptom.status == _GATEWAY_TIMEOUT and spent


_INFRA = Attribution.INFRASTRUCTURE
_CAPACITY = Attribution.CAPACITY
_PRODUCT = Attribution.PRODUCT
_AUTH = Attribution.AUTH
_UPSTREAM = Attribution.UPSTREAM
_HARNESS = Attribution.HARNESS
_NEVER, _ONCE, _YES = Retry.NEVER, Retry.ONCE, Retry.YES
_GATEWAY_TIMEOUT = 504
_INTERNAL = 1011
_CLOSES = frozenset({Kind.WS_CLOSE, Kind.RESET})
_WAITS = frozenset({Kind.ANSWER_TIMEOUT, Kind.CONNECT_TIMEOUT})
_ROADS = frozenset({Kind.ANSWER_TIMEOUT, Kind.DNS_TEMPORARY, Kind.DNS_UNKNOWN})
_SERVER_ERRORS = range(500, 600)
_OTHER_ANSWERS = range(300, 500)
_OWN_CLOSES = range(4000, 5000)
#: A success is a symptom only when another server than the product's answered.
_PAGES = (frozenset(_SERVER_ERRORS) - {500, 502, 503, 504}) | frozenset(range(200, 300))


def _is_own_close(symptom: Symptom) -> bool:
    return symptom.kind is Kind.WS_CLOSE and symptom.code in _OWN_CLOSES


#: Signs that say more than the rest of a symptom, because they are about us.
_FIRST = (
    Row(
        "E4-46",
        "we did not listen for half of a wait, or our own tool or its time failed",
        lambda symptom: _is_lagged(symptom) or symptom.kind in {Kind.HARNESS, Kind.BUDGET},
        _HARNESS,
        _HARNESS,
        _YES,
    ),
)
_ANSWERS = (
    Row("E4-1", "HTTP 500", _status(500), _INFRA, _PRODUCT),
    Row("E4-2", "HTTP 502", _status(502), _INFRA, _INFRA, _YES, escalates=True),
    Row(
        "E4-3",
        "HTTP 503 of the platform",
        _status(503, app_made=False),
        _INFRA,
        _INFRA,
        _YES,
        escalates=True,
    ),
    Row("E4-4", "HTTP 503 of the product", _status(503, app_made=True), _INFRA, _PRODUCT, _ONCE),
    Row(
        "E4-5", "HTTP 504 near the time that was allowed", _is_at_the_limit, _INFRA, _PRODUCT, _ONCE
    ),
    Row("E4-5", "HTTP 504 before that", _status(504), _INFRA, _INFRA, _ONCE, escalates=True),
    Row(
        "E4-6",
        "HTTP 429 of the platform",
        _status(429, app_made=False),
        _CAPACITY,
        _CAPACITY,
        _YES,
        escalates=True,
    ),
    Row("E4-7", "HTTP 429 of the product's limiter", _status(429), _HARNESS, _HARNESS, _YES),
    Row(
        "E4-48",
        "HTTP 423 to a login: the account is locked",
        _refused_login(423),
        _HARNESS,
        _HARNESS,
    ),
    Row("E4-8", "HTTP 401 or 403 to a login", _refused_login(401, 403), _HARNESS, _AUTH),
    Row(
        "E4-9",
        "HTTP 401 or 403 to a WebSocket upgrade",
        lambda symptom: symptom.upgrade and symptom.status in {401, 403},
        _AUTH,
        _AUTH,
    ),
    Row("E4-10", "HTTP 404 or 405", _status(404, 405), _INFRA, _PRODUCT),
    Row("E4-11", "another HTTP 3xx or 4xx", _status(*_OTHER_ANSWERS), _PRODUCT, _PRODUCT),
    Row(
        "E4-38",
        "another HTTP 5xx, or a success, with a page of HTML, of a proxy",
        lambda symptom: symptom.html and not symptom.app_made and symptom.status in _PAGES,
        _INFRA,
        _INFRA,
        _YES,
        escalates=True,
    ),
)
_CLOSED = (
    Row("E4-22", "close 1000 before the end of a run", _close(1000), _PRODUCT, _PRODUCT),
    Row("E4-23", "close 1001, going away", _close(1001), _INFRA, _INFRA, _YES, escalates=True),
    Row(
        "E4-24", "close 1002, 1003, 1007, 1009", _close(1002, 1003, 1007, 1009), _PRODUCT, _PRODUCT
    ),
    Row(
        "E4-25", "close 1005, without a status", _close(1005), _INFRA, _INFRA, _YES, escalates=True
    ),
    Row("E4-26", "close 1006, abnormal", _close(1006), _INFRA, _INFRA, _YES, escalates=True),
    Row("E4-27", "close 1008, policy violation", _close(1008), _HARNESS, _AUTH),
    Row(
        "E4-29",
        "close 1011 that we sent, a ping went unanswered",
        lambda symptom: symptom.sent_by_us and _close(_INTERNAL)(symptom),
        _INFRA,
        _INFRA,
        _YES,
        escalates=True,
    ),
    Row("E4-28", "close 1011 that the target sent", _close(_INTERNAL), _INFRA, _PRODUCT),
    Row("E4-30", "close 1012, service restart", _close(1012), _INFRA, _INFRA, _YES, escalates=True),
    Row(
        "E4-31",
        "close 1013, try again later",
        _close(1013),
        _CAPACITY,
        _CAPACITY,
        _YES,
        escalates=True,
    ),
    Row(
        "E4-32",
        "close 1014, bad gateway, or 3008, time-out",
        _close(1014, 3008),
        _INFRA,
        _INFRA,
        _YES,
        escalates=True,
    ),
    Row("E4-32", "close 3000, unauthorised, or 3003, forbidden", _close(3000, 3003), _AUTH, _AUTH),
    Row("E4-33", "close 4001, 4401, 4403", _close(4001, 4401, 4403), _AUTH, _AUTH),
    Row("E4-33", "another close of 4000 to 4999", _is_own_close, _PRODUCT, _PRODUCT),
)
_ROAD = (
    Row("E4-12", "connection refused", _kind(Kind.REFUSED), _INFRA, _INFRA, _YES, escalates=True),
    Row(
        "E4-13",
        "connection reset, broken pipe, end of file",
        _kind(Kind.RESET),
        _INFRA,
        _INFRA,
        _YES,
        escalates=True,
    ),
    Row("E4-14", "name look-up failed for now", _kind(Kind.DNS_TEMPORARY), _INFRA, _INFRA, _YES),
    Row("E4-15", "unknown host name", _kind(Kind.DNS_UNKNOWN), _HARNESS, _HARNESS),
    Row(
        "E4-16",
        "TLS handshake reset or timed out",
        _kind(Kind.TLS_HANDSHAKE),
        _INFRA,
        _INFRA,
        _YES,
        escalates=True,
    ),
    Row(
        "E4-17",
        "TLS certificate expired, of another name, or of nobody known",
        _kind(Kind.TLS_CERTIFICATE),
        _PRODUCT,
        _PRODUCT,
    ),
    Row(
        "E4-18",
        "no connection in time",
        _kind(Kind.CONNECT_TIMEOUT),
        _INFRA,
        _INFRA,
        _YES,
        escalates=True,
    ),
    Row("E4-19", "no answer in time", _kind(Kind.ANSWER_TIMEOUT), _INFRA, _PRODUCT, _ONCE),
)
_BEYOND = (
    Row(
        "E4-39",
        "a provider's 429 or 5xx",
        _provider(429, *_SERVER_ERRORS),
        _UPSTREAM,
        _UPSTREAM,
        _YES,
    ),
    Row("E4-40", "a provider's 401 or 403", _provider(401, 403), _PRODUCT, _PRODUCT),
)
ROWS = (*_FIRST, *_ANSWERS, *_CLOSED, *_ROAD, *_BEYOND)
#: Rows that are no symptoms: a promise of the contract, or another place, decides them. The codes
#: beside a row are the promises whose findings carry it.
ELSEWHERE = {
    "E4-20": ("the first event never comes on a live socket", ("GP-413",)),
    "E4-21": ("health slower than 2 s, more often than 1 in 20", ("GP-103",)),
    "E4-34": (
        "an event of the run is missing",
        ("GP-401", "GP-402", "GP-403", "GP-404", "GP-405", "GP-501"),
    ),
    "E4-35": ("the end of a run is missing and the socket closed: the row of the close", ()),
    "E4-36": ("events out of order or twice", ("GP-406", "GP-408")),
    "E4-37": ("a frame is no JSON object", ("GP-417",)),
    "E4-41": ("an empty answer or a placeholder", ("GP-502",)),
    "E4-42": ("a metric of memory or instances cannot be read: no client sees one", ()),
    "E4-43": ("memory above its limit: no client sees it", ()),
    "E4-44": ("another revision answers; the warm-up does not wait for it", ("GP-106",)),
    "E4-45": ("a fixture, an import or pytest itself failed: `verdict/checks.py`", ()),
}
_BY_CODE = {code: row for row, (_, codes) in ELSEWHERE.items() for code in codes}


def row_of_code(code: str) -> str:
    """Return the row that a promise decides, '' when the table has none."""
    return _BY_CODE.get(code, "")


#: A neutral host cannot be reached either.
OFFLINE = Row(
    "E4-47",
    "the control host cannot be reached either: the runner is offline",
    _is_offline,
    _HARNESS,
    _HARNESS,
    _YES,
)
UNKNOWN = Row("unknown", "anything else", lambda _: True, _INFRA, _PRODUCT)


def attribute(symptom: Symptom) -> Attributed:
    """Say whose trouble a symptom is, and by which row."""
    table = (OFFLINE, *ROWS, UNKNOWN)
    decided = next(row for row in table if row.matches(symptom)).decide(symptom)
    if symptom.override not in set(Attribution):
        return decided
    whose = Attribution(symptom.override)
    retry = Retry.NEVER if whose.accuses else decided.retry
    return Attributed(whose, symptom.rule or decided.row, retry)
