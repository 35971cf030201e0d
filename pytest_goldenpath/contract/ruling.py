"""What a rule may say: findings, or why it could not look; and whose trouble it is.

The road's trouble is kept as a symptom where it is met. What the product itself answers is judged
by the rules; the signs say under which row of the attribution table its answer stands, by the
structure of the answer or of the end of a conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pytest_goldenpath.contract.attribution import UNKNOWN, Attributed, attribute
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import Attribution, Finding, Severity, excerpt, printable
from pytest_goldenpath.contract.frames import Frame, Sort
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.contract.transcript import Transcript

#: Characters of a finding; a stranger's words in it may be as long as he likes.
_LONGEST_MESSAGE, _LONGEST_EVIDENCE = 800, 1200
#: Who closed a conversation that we left.
_US = "we"
_FIRST_ERROR = 300
_PROVIDER_KEYS = ("provider", "upstream", "llm_provider", "upstream_provider")
#: They count beside or below a provider's name: the product has codes of its own.
_CODE_KEYS = (
    *("provider_status", "provider_code", "upstream_status", "status_code", "http_status"),
    *("code", "error_code", "status"),
)
_INNER_KEYS = ("data", "payload", "details", "error", "error_context", "provider_error")
#: Frames nest a provider's error in that of an agent, which stands in the frame's data.
_DEPTH = 5
_CODE_DIGITS = len("429")


@dataclass(frozen=True, slots=True)
class Unlooked:
    """The rule could not look.

    Attributes:
        reason: a sentence for people.
        blocked_by: codes whose breach explains it.
        skipped: this target offers nothing to look at, and is not to blame for it.
    """

    reason: str
    blocked_by: tuple[str, ...] = ()
    skipped: bool = False


#: A rule's answer: no finding means that the promise is proven.
Ruling = tuple[Finding, ...] | Unlooked


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise of a healthy golden path.

    Attributes:
        code: ``GP-nnn``; its meaning never changes.
        severity: must fails the run, should is reported.
        categories: where it is proven.
        promise: one sentence.
        section: the place in the platform's contract.
        needs: observations it looks at, by name.
        reads: observations that it looks at as well if they are made: beyond smoke, or for another
            promise. It is proven without them.
        check: the pure function that judges.
    """

    code: str
    severity: Severity
    categories: tuple[str, ...]
    promise: str
    section: str
    needs: tuple[str, ...]
    check: Callable[[Survey], Ruling]
    reads: tuple[str, ...] = ()


def broken(
    code: str,
    message: str,
    evidence: str = "",
    *,
    severity: Severity = Severity.MUST,
    absence: bool = False,
    attribution: Attribution | Attributed = Attribution.PRODUCT,
    row: str = "",
) -> Finding:
    """Build a finding in the words of a rule; a stranger's bytes in it are made printable."""
    decided = attribution if isinstance(attribution, Attributed) else Attributed(attribution, row)
    return Finding(
        code,
        severity,
        printable(excerpt(message, _LONGEST_MESSAGE)).replace("\n", " "),
        printable(excerpt(evidence, _LONGEST_EVIDENCE)).replace("\n", " "),
        absence=absence,
        attribution=decided.attribution,
        row=decided.row,
    )


def sign_of_exchange(exchange: Exchange) -> Symptom | None:
    """Return the symptom of an exchange, or that of its status when that is no success."""
    if exchange.symptom or exchange.status is None or exchange.status < _FIRST_ERROR:
        return exchange.symptom
    return Symptom(
        Kind.HTTP_STATUS,
        exchange.purpose,
        exchange.url,
        status=exchange.status,
        app_made=isinstance(exchange.json(), dict),
        ready=True,
        elapsed_s=exchange.elapsed_s,
        lag_s=exchange.lag_s,
    )


def sign_of_talk(talk: Transcript) -> Symptom | None:
    """Return the symptom of a conversation, or that of its refusal or close; None without one."""
    if talk.symptom:
        return talk.symptom
    if talk.refused:
        return Symptom(
            Kind.HTTP_STATUS,
            talk.purpose,
            talk.url,
            status=talk.refused.code,
            ready=True,
            upgrade=True,
            elapsed_s=talk.refused.at_s,
        )
    if talk.closed:
        return Symptom(
            Kind.WS_CLOSE,
            talk.purpose,
            talk.url,
            code=talk.closed.code,
            ready=True,
            sent_by_us=talk.closed.label == _US,
            elapsed_s=talk.closed.at_s,
        )
    return None


def row_of(record: Exchange | Transcript) -> str:
    """Return the row of the table that says what an answer or a close means, '' for neither."""
    sign = sign_of_talk(record) if isinstance(record, Transcript) else sign_of_exchange(record)
    return attribute(sign).row if sign else ""


def blame_for_failure(frame: Frame) -> Attributed:
    """Say whose failure a frame reports, by a provider's name and code in fields of their own.

    The provider's refusal of our load wins over what else the frame reports.
    """
    decided = [
        attribute(Symptom(Kind.PROVIDER, "failure frame", code=code, ready=True))
        for code in _provider_codes(frame.document, named=False, depth=_DEPTH)
    ]
    known = [one for one in decided if one.row != UNKNOWN.name]
    upstream = (one for one in known if not one.attribution.accuses)
    return next(upstream, None) or next(iter(known), Attributed(Attribution.PRODUCT, ""))


def blame_for_silence(talk: Transcript) -> Attributed:
    """Say whose fault a missing event is: a provider's reported failure explains it."""
    for heard in talk.of_sort(Sort.FAILURE):
        decided = blame_for_failure(heard.frame)
        if decided.attribution is Attribution.UPSTREAM:
            return decided
    return Attributed(Attribution.PRODUCT, row_of(talk))


def _provider_codes(place: Mapping[str, object], *, named: bool, depth: int) -> Iterator[int]:
    """Walk the objects of a frame under which an error may be told."""
    names = [place.get(key) for key in _PROVIDER_KEYS]
    named = named or any(isinstance(name, str | dict) and name for name in names)
    for key in _CODE_KEYS if named else ():
        code = _number(place.get(key))
        if code is not None:
            yield code
    for key in (*_INNER_KEYS, *_PROVIDER_KEYS) if depth else ():
        inner = place.get(key)
        if isinstance(inner, dict):
            yield from _provider_codes(inner, named=named, depth=depth - 1)


def _number(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or len(value) != _CODE_DIGITS:
        return None
    return int(value) if value.isascii() and value.isdigit() else None
