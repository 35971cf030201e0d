"""Health: GP-101 to GP-105, GP-108 and GP-109; GP-106 is in ``revision.py``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import Finding, Severity
from pytest_goldenpath.contract.ruling import (
    Ruling,
    Unlooked,
    broken,
    row_of,
    sign_of_exchange,
    sign_of_talk,
)
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.symptom import Kind, Symptom

#: Words that mean "up" (protocol 0.3.1).
UP_WORDS = frozenset({"healthy", "ok", "ready"})
#: A health answer within this time is a quick one (rules GP-103).
QUICK_S = 2.0
#: The share of health answers that must be quick (rules GP-103).
QUICK_SHARE = 0.95
_READY_WITHIN_S = 3.0
_OK = 200
_NOT_FOUND = 404
#: Asked for what it says when it is there; a middleware may answer 503 in its place (1.3).
OPTIONAL = frozenset({"websocket health"})
_UNAVAILABLE = 503
_DEPENDENCY_WORDS = ("database", "db", "redis", "cache", "checks", "dependencies", "components")
#: Words of a dependency that is ill; an optional one has words of its own (protocol 1.1).
_ILL = frozenset(
    {"unhealthy", "error", "failed", "failing", "down", "disconnected"}
    | {"unavailable", "unreachable", "offline", "critical"}
)
#: A plain text by the name of a dependency may tell how much it matters.
_WEIGHTS = frozenset({"critical"})
_STATE_KEYS = ("status", "state", "health", "health_status", "overall_status")
_NAME_KEYS = ("name", "service", "component", "dependency")
#: What the golden path cannot do without, as the words of a name, and words that change nothing.
_NEEDED = frozenset({"database", "db", "postgres", "postgresql", "auth", "authentication"})
_MORE_WORDS = frozenset(
    {"core", "main", "primary", "service", "server", "status", "state", "health", "check"}
    | {"connection", "connectivity"}
)
_DEPENDENCIES = _NEEDED | {"redis", "cache", "clickhouse", "websocket", "llm", "queue", "storage"}
#: Keys that hold dependencies, or more about one.
_HOLDERS = frozenset(
    {"checks", "check", "dependencies", "components", "services", "infrastructure", "result"}
    | {"infrastructure_components", "service_details", "details", "data", "info", "results"}
)
#: What was, what may be, and what nobody needs.
_ELSEWHERE = frozenset(
    {"history", "previous", "last", "recent", "log", "logs", "alerts", "errors", "events"}
    | {"incidents", "capabilities", "features", "optional"}
)
_DISMISSED = {"optional": True, "required": False, "critical": False, "critical_to_chat": False}
_DEEPEST = 5
_NAME_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


def backend_answers(survey: Survey) -> Ruling:
    """GP-101: ``/health`` answers 200 with a JSON object and nothing else."""
    if not any(exchange.symptom is None for exchange in survey.health):
        return Unlooked("no health answer came")
    return _answers("GP-101", survey.health)


def backend_is_up(survey: Survey) -> Ruling:
    """GP-102: the body says that the backend is up."""
    return _is_up("GP-102", "GP-101", survey.health)


def health_is_quick(survey: Survey) -> Ruling:
    """GP-103: at least 95 % of the health answers come within 2 s."""
    times = sorted(
        exchange.answer_s
        for exchange in survey.health
        if exchange.symptom is None or (_timed_out(exchange) and exchange.symptom.ready)
    )
    if not times:
        return Unlooked("no health answer came")
    quick = sum(1 for time in times if time <= QUICK_S)
    if quick >= QUICK_SHARE * len(times):
        return ()
    p95 = times[min(len(times) - 1, int(QUICK_SHARE * len(times)))]
    return (
        broken(
            "GP-103",
            f"expected {QUICK_SHARE:.0%} of health answers within {QUICK_S:g} s, "
            f"got {quick} of {len(times)}; the 95th percentile is {p95:.2f} s",
            max(survey.health, key=lambda exchange: exchange.answer_s).evidence(),
        ),
    )


def auth_is_healthy(survey: Survey) -> Ruling:
    """GP-104: the auth service is healthy by the same rules as the backend."""
    answers = _answers("GP-104", survey.auth_health)
    if answers:
        return answers
    return _is_up("GP-104", "GP-104", survey.auth_health)


def health_is_deep(survey: Survey) -> Ruling:
    """GP-105: the backend's health or readiness names the dependencies it looked at."""
    ready = (e for e in survey.readiness if e.purpose == "backend readiness")
    answers = [exchange for exchange in (*survey.health, *ready) if exchange.document()]
    if not answers:
        return Unlooked("no health answer is a JSON object", blocked_by=("GP-101",))
    if any(_names_dependency(exchange.document()) for exchange in answers):
        return ()
    return (
        broken(
            "GP-105",
            "expected a health body that names its dependencies, got only shallow ones, "
            "which prove nothing about database or cache",
            answers[0].evidence(),
            severity=Severity.SHOULD,
        ),
    )


def readiness_agrees(survey: Survey) -> Ruling:
    """GP-108: ready endpoints answer in time and do not contradict ``/health``."""
    if not survey.readiness:
        return Unlooked("no ready endpoint was asked")
    return (
        *_readiness_findings(survey.readiness),
        *_contradictions("GP-108", survey.readiness, severity=Severity.SHOULD),
    )


def no_503_after_readiness(survey: Survey) -> Ruling:
    """GP-109: nothing answers 503 once the target has been ready."""
    if _ready_at(survey) is None:
        return Unlooked("the target was never ready", blocked_by=("GP-101",))
    met = _unavailable(survey)
    if not met:
        return ()
    blames = [attribute(sign) for _, sign in met]
    accusing = (blame for blame in blames if blame.attribution.accuses)
    return (
        broken(
            "GP-109",
            f"expected no HTTP 503 after readiness, got {len(met)}",
            met[0][0],
            attribution=next(accusing, blames[0]),
        ),
    )


def count_503(survey: Survey) -> int:
    """Count the answers with 503 that GP-109 names: all of them after readiness."""
    if _ready_at(survey) is None:
        return sum(1 for exchange in survey.exchanges() if exchange.status == _UNAVAILABLE)
    return len(_unavailable(survey))


def _ready_at(survey: Survey) -> float | None:
    """Return the moment of the first good health answer, None without one."""
    answers = (e for e in survey.health if e.status == _OK and not e.symptom)
    return min((exchange.at_s + exchange.elapsed_s for exchange in answers), default=None)


def _unavailable(survey: Survey) -> list[tuple[str, Symptom]]:
    """Return what was answered with 503 after readiness: requests, upgrades, what was overcome."""
    ready_at = _ready_at(survey) or 0.0
    late = (
        (exchange.evidence(), sign_of_exchange(exchange))
        for exchange in survey.exchanges()
        if exchange.purpose not in OPTIONAL and exchange.at_s + exchange.elapsed_s >= ready_at
    )
    talks = ((talk.last_words(), sign_of_talk(talk)) for talk in survey.transcripts())
    overcome = (
        (f"overcome: {symptom.sentence()}", symptom)
        for symptom in survey.overcome
        if symptom.ready and symptom.phase not in OPTIONAL
    )
    met = (*late, *talks, *overcome)
    return [(words, sign) for words, sign in met if sign and sign.status == _UNAVAILABLE]


def _answers(code: str, exchanges: tuple[Exchange, ...]) -> tuple[Finding, ...]:
    problems: dict[str, Exchange] = {}
    for exchange in exchanges:
        if exchange.symptom is None:
            for problem in _shape_problems(exchange):
                problems.setdefault(problem, exchange)
    return tuple(
        broken(
            code,
            f"expected 200 with a JSON object, got {problem}",
            exchange.evidence(),
            row=row_of(exchange),
        )
        for problem, exchange in problems.items()
    )


def _shape_problems(exchange: Exchange) -> Iterator[str]:
    content_type = exchange.header("content-type").partition(";")[0].strip().lower()
    if exchange.status != _OK:
        yield f"HTTP {exchange.status}"
    elif exchange.oversized:
        yield "a body larger than the limit"
    elif not isinstance(exchange.json(), dict):
        yield f"{content_type or 'no content type'} that is no JSON object"
    elif content_type != "application/json" and not content_type.endswith("+json"):
        yield f"content type {content_type or '(none)'}"


def _is_up(code: str, blocker: str, exchanges: tuple[Exchange, ...]) -> Ruling:
    answers = [e for e in exchanges if e.status == _OK and isinstance(e.json(), dict)]
    if not answers:
        return Unlooked("no answer is a JSON object with 200", blocked_by=(blocker,))
    words: dict[str, Exchange] = {}
    for exchange in answers:
        words.setdefault(str(exchange.document().get("status", "(no status)")), exchange)
    down = tuple(
        broken(
            code,
            f"expected a status of {', '.join(sorted(UP_WORDS))}, got {word}",
            exchange.evidence(),
        )
        for word, exchange in words.items()
        if word.lower() not in UP_WORDS
    )
    return (*down, *_contradictions(code, answers, severity=Severity.MUST))


@dataclass(frozen=True, slots=True)
class _Ailing:
    """A dependency that a body says is ill."""

    name: str
    word: str

    @property
    def needed(self) -> bool:
        """Whether the golden path cannot do without it."""
        words = _words(self.name) - _MORE_WORDS
        return bool(words) and words <= _NEEDED


def _contradictions(
    code: str, exchanges: Iterable[Exchange], *, severity: Severity
) -> Iterator[Finding]:
    """Tell of bodies that say up above a dependency that is ill; one not needed is a should."""
    told: set[str] = set()
    for exchange in exchanges:
        document = exchange.document()
        word = str(document.get("status", "")).lower()
        for ailing in _ailing(document, "", _DEEPEST) if word in UP_WORDS else ():
            message = (
                f"expected a status of {word} to hold for the dependencies as well, "
                f"got {ailing.name} {ailing.word}"
            )
            if message not in told:
                told.add(message)
                weight = severity if ailing.needed else Severity.SHOULD
                yield broken(code, message, exchange.evidence(), severity=weight)


def _ailing(value: object, name: str, depth: int) -> Iterator[_Ailing]:
    """Walk a body; a dependency is known by the last key that holds no others."""
    if depth == 0 or not isinstance(value, dict):
        return
    if any(value.get(key) is dismissed for key, dismissed in _DISMISSED.items()):
        return
    words = (str(value.get(key)).strip().lower() for key in _STATE_KEYS if name)
    yield from (_Ailing(name, word) for word in words if word in _ILL)
    for key, inner in value.items():
        if _words(key) & _ELSEWHERE:
            continue
        if isinstance(inner, str):
            if key not in _STATE_KEYS and _is_ill(key, inner):
                yield _Ailing(key, inner.strip().lower())
        elif isinstance(inner, list):
            yield from _ailing_in_list(key, inner, name, depth)
        else:
            yield from _ailing(inner, (name or key) if key in _HOLDERS else key, depth - 1)


def _ailing_in_list(key: str, values: list[object], name: str, depth: int) -> Iterator[_Ailing]:
    words = _words(key) - _HOLDERS
    ill = sorted(words) if words <= _ILL - _WEIGHTS else []
    for value in values:
        if isinstance(value, dict):
            names = (value.get(name_key) for name_key in _NAME_KEYS)
            named = next((told for told in names if isinstance(told, str) and told), name or key)
            yield from _ailing(value, named, depth - 1)
        elif ill and isinstance(value, str) and _words(value) & _DEPENDENCIES:
            yield _Ailing(value, ill[0])


def _is_ill(name: str, word: str) -> bool:
    return bool(_words(name) & _DEPENDENCIES) and word.strip().lower() in _ILL - _WEIGHTS


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _NAME_WORD.findall(name))


def _readiness_findings(exchanges: Iterable[Exchange]) -> Iterator[Finding]:
    for exchange in exchanges:
        word = str(exchange.document().get("status", "(no status)")).lower()
        late = _timed_out(exchange) or exchange.elapsed_s > _READY_WITHIN_S
        if exchange.symptom and not late and exchange.status is None:
            continue
        if exchange.status == _NOT_FOUND and exchange.purpose in OPTIONAL:
            continue
        if late or exchange.status != _OK or word not in UP_WORDS:
            came = f"HTTP {exchange.status} {word}" if exchange.status else "no answer"
            yield broken(
                "GP-108",
                f"expected ready with 200 within {_READY_WITHIN_S:g} s, as /health says, "
                f"got {came} after {exchange.elapsed_s:.2f} s",
                exchange.evidence(),
                severity=Severity.SHOULD,
            )


def _timed_out(exchange: Exchange) -> bool:
    return exchange.symptom is not None and exchange.symptom.kind is Kind.ANSWER_TIMEOUT


def _names_dependency(value: object, depth: int = 4) -> bool:
    if not isinstance(value, dict) or depth == 0:
        return False
    for key, inner in value.items():
        if any(word in str(key).lower().split("_") for word in _DEPENDENCY_WORDS):
            return True
        if _names_dependency(inner, depth - 1):
            return True
    return False
