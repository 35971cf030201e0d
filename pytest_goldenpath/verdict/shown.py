"""Figures in the answers of a stranger: each with its threshold, or why there is none.

A figure that makes no sense - a text, a negative or endless number - counts as one not shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import excerpt, printable
from pytest_goldenpath.contract.rules.health import UP_WORDS

OK, WARNING, EXCEEDED, FACT = "ok", "warning", "exceeded", "fact"
WORST_FIRST = (EXCEEDED, WARNING, OK, FACT)
#: What a target says of itself, by address (protocol 1.1 to 1.3).
PAGES = (
    "/health/ready",
    "/health/infrastructure",
    "/health/pool-metrics",
    "/health/circuit-breakers",
    "/health/system",
    "/ws/stats",
    "/ws/config",
)
#: No honest figure of this kind is larger.
_MOST = 1e15
_MOST_PERCENT = 1000.0
_MOST_SERVICES = 20
_LONGEST_WORD = 60
_FIRST_ERROR = 400
_MIB, _GIB = 2**20, 2**30
#: Words that are worse than "something is slow", of 1.2 and 1.6.
_DOWN_WORDS = frozenset({"unhealthy", "critical", "error", "failed", "not_ready", "unavailable"})
_FRAYED_WORDS = frozenset({"degraded", "recovering", "warning"})


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where a figure becomes a warning, and where it is too much; the section says who wrote it.

    Attributes:
        section: place in the platform's contract, or "ours".
        warning, exceeded: the bounds.
        inclusive: whether the bound itself is already past it.
    """

    section: str
    warning: float
    exceeded: float
    inclusive: bool = False

    def level(self, value: float) -> str:
        """Return how a value stands."""
        for bound, level in ((self.exceeded, EXCEEDED), (self.warning, WARNING)):
            if value > bound or (self.inclusive and value == bound):
                return level
        return OK

    def text(self) -> str:
        """Tell the bounds and their place."""
        return f"{self.warning:g} / {self.exceeded:g} [{self.section}]"


#: 7.6 colours the pool's own health (> 75, > 90), 8.2 plans 80 / 95; the stricter one counts.
POOL = (Threshold("7.6", 75, 90), Threshold("8.2", 80, 95, inclusive=True))
VPC = (Threshold("8.2", 70, 85, inclusive=True),)
#: The pressure bands of 8.2: HIGH from 70, CRITICAL from 85.
PRESSURE = (Threshold("8.2", 70, 85, inclusive=True),)
CPU = (Threshold("8.2", 70, 80, inclusive=True),)
#: 8.2 wants less than 3 GiB, and rolls back above 3.5.
MEMORY = (Threshold("8.2", 3, 3.5),)
ANSWERS = (Threshold("8.2", 1.0, 2.0, inclusive=True),)
#: 8.2: under 1 % errors is success, 5 % of 4xx and 5xx the most.
ERRORS = (Threshold("8.2", 1, 5, inclusive=True),)
BREAKERS = (Threshold("7.5", 0, 0),)
#: Pressure of 1.2: connections over 5 s, success under 90 %, told here as failures over 10 %.
SLOW = (Threshold("1.2", 2, 5),)
FAILURES = (Threshold("1.2", 5, 10),)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure and how it stands.

    Attributes:
        name: what it is of, such as ``pool``.
        value: a number, or the target's own word.
        unit: ``%``, ``s``, ``GiB``, or ''.
        level: ``ok``, ``warning``, ``exceeded``, or ``fact`` when nothing is held against it.
        thresholds: the bounds, in words.
        source: who said it: an address, or ``runner``.
        is_load: it tells how full something is, which is what capacity means.
    """

    name: str
    value: float | str
    unit: str
    level: str
    thresholds: str
    source: str
    is_load: bool = False


#: A figure, or the name of one that is not shown and the reason.
Part: TypeAlias = Figure | tuple[str, str]


def shown(health: tuple[Exchange, ...], pages: Mapping[str, Exchange]) -> Iterator[Part]:
    """Read the answers of ``/health`` and of each page."""
    yield from _answers(health)
    documents = {path: _document(exchange) for path, exchange in pages.items()}
    if health:
        yield _word("health", health[0], "status", "/health")
    yield _word("readiness", pages.get("/health/ready"), "status", "/health/ready")
    infrastructure = documents.get("/health/infrastructure", {})
    page = pages.get("/health/infrastructure")
    yield _word("infrastructure", page, "status", "/health/infrastructure")
    yield from _services(infrastructure)
    yield _vpc(infrastructure, page)
    yield _pool(documents.get("/health/pool-metrics", {}), pages.get("/health/pool-metrics"))
    own = documents.get("/health/circuit-breakers", {})
    nested = _below(infrastructure, "circuit_breakers")
    where = "/health/circuit-breakers" if own else "/health/infrastructure"
    told = _below(own, "circuit_breakers") or own or nested
    yield _number("open breakers", told, ("open_breakers",), "", BREAKERS, where)
    system = documents.get("/health/system", {})
    yield _number("cpu", system, ("cpu_percent",), "%", CPU, "/health/system", is_load=True)
    yield _memory(system)
    yield _connections(documents.get("/ws/stats", {}))
    yield from _config(_below(documents.get("/ws/config", {}), "websocket_config"))


def _answers(health: tuple[Exchange, ...]) -> Iterator[Part]:
    """Percentiles of the answers, and the share of those that refuse (8.2: < 2 s, < 1 %)."""
    answered = [exchange for exchange in health if exchange.status is not None]
    if not answered:
        yield "answer time", "no answer came"
        return
    times = sorted(exchange.answer_s for exchange in answered)
    for percent in (50, 95):
        value = times[max(0, math.ceil(len(times) * percent / 100) - 1)]
        yield figure_of(f"answer time p{percent}", value, "s", ANSWERS, "/health")
    bad = sum(1 for exchange in answered if (exchange.status or 0) >= _FIRST_ERROR)
    yield figure_of("refused answers", 100 * bad / len(answered), "%", ERRORS, "/health")


def _word(name: str, exchange: Exchange | None, key: str, path: str) -> Part:
    """A word of status, judged like 1.6: up, frayed or down; an unknown word is a fact."""
    word = _document(exchange).get(key) if exchange else None
    if not isinstance(word, str) or not word.strip():
        return name, _why_not(exchange, path)
    shown = printable(excerpt(" ".join(word.split()), _LONGEST_WORD))
    level = OK if word in UP_WORDS else FACT
    level = WARNING if word in _FRAYED_WORDS else EXCEEDED if word in _DOWN_WORDS else level
    return Figure(name, shown, "", level, "up [1.6]" if level != FACT else "", path)


def _services(infrastructure: Mapping[str, object]) -> Iterator[Part]:
    """Signs of pressure, and the services behind the target, by the thresholds of 1.2."""
    signs = _below(_below(infrastructure, "diagnostics"), "infrastructure_pressure_indicators")
    for sign in ("slow_connections", "high_timeout_rate", "low_success_rate"):
        if isinstance(signs.get(sign), bool):
            level = EXCEEDED if signs[sign] else OK
            word = str(signs[sign]).lower()
            yield Figure(
                sign.replace("_", " "), word, "", level, "false [1.2]", "/health/infrastructure"
            )
    details = _below(_below(infrastructure, "infrastructure"), "service_details")
    for name, told in list(details.items())[:_MOST_SERVICES]:
        if not isinstance(told, dict):
            continue
        what = printable(excerpt(" ".join(name.split()), _LONGEST_WORD))
        where = "/health/infrastructure"
        yield _number(f"{what} answers in", told, ("average_response_time",), "s", SLOW, where)
        rate = _usable(told.get("success_rate"), 1.0)
        if isinstance(rate, float):
            yield figure_of(f"{what} failures", round(100 - 100 * rate, 6), "%", FAILURES, where)
        else:
            yield f"{what} failures", rate


def _vpc(infrastructure: Mapping[str, object], page: Exchange | None) -> Part:
    keys = ("utilization_percent", "connector_utilization_percent", "capacity_percent")
    for name in ("vpc_connectivity", "vpc_connector"):
        told = _below(infrastructure, name)
        if any(key in told for key in keys):
            where = "/health/infrastructure"
            return _number("vpc", told, keys, "%", VPC, where, is_load=True)
    return "vpc", _why_not(page, "/health/infrastructure")


def _pool(document: Mapping[str, object], page: Exchange | None) -> Part:
    """The database pool; 7.6 warns that the size it is computed from may be wrong."""
    inner = _below(document, "pool_metrics") or document
    told = _below(inner, "pool_utilization")
    size, left = (
        _usable(_below(inner, part).get(key), _MOST)
        for part, key in (
            ("pool_configuration", "total_capacity"),
            ("pool_utilization", "sessions_remaining"),
        )
    )
    path = "/health/pool-metrics"
    if "utilization_percent" in told:
        return _number("pool", told, ("utilization_percent",), "%", POOL, path, is_load=True)
    if isinstance(size, float) and isinstance(left, float) and size > 0 and left <= size:
        return figure_of("pool", 100 * (size - left) / size, "%", POOL, path, is_load=True)
    return "pool", _why_not(page, path)


def _memory(system: Mapping[str, object]) -> Part:
    for key, unit in (("memory_bytes", 1), ("memory_mb", _MIB), ("memory_gb", _GIB)):
        if key in system:
            value = _usable(system[key], _MOST)
            if isinstance(value, str):
                return "memory", value
            gib = value * unit / _GIB
            return figure_of("memory", gib, "GiB", MEMORY, "/health/system", is_load=True)
    return "memory", "/health/system: not told"


def _connections(stats: Mapping[str, object]) -> Part:
    """Open connections of those that there may be, by the pressure bands of 8.2."""
    used, most = (
        _usable(stats.get(key), _MOST) for key in ("active_connections", "max_connections")
    )
    if isinstance(used, str) or isinstance(most, str) or not most:
        reason = used if isinstance(used, str) else most if isinstance(most, str) else "of none"
        return "connections", f"/ws/stats: {reason}"
    return figure_of("connections", 100 * used / most, "%", PRESSURE, "/ws/stats", is_load=True)


def _config(told: Mapping[str, object]) -> Iterator[Part]:
    """Facts only: 1.3 says that these numbers disagree with the enforced ones."""
    for key in ("heartbeat_interval", "connection_timeout", "max_message_size"):
        value = _usable(told.get(key), _MOST)
        name = f"websocket {key.replace('_', ' ')}"
        if isinstance(value, float):
            yield Figure(name, value, "", FACT, "", "/ws/config")
        else:
            yield name, f"/ws/config: {value}"


def _number(
    name: str,
    told: Mapping[str, object],
    keys: tuple[str, ...],
    unit: str,
    thresholds: tuple[Threshold, ...],
    source: str,
    *,
    is_load: bool = False,
) -> Part:
    raw = next((told[key] for key in keys if key in told), None)
    value = _usable(raw, _MOST_PERCENT if unit == "%" else _MOST)
    if isinstance(value, str):
        return name, f"{source}: {value}"
    return figure_of(name, value, unit, thresholds, source, is_load=is_load)


def figure_of(
    name: str,
    value: float,
    unit: str,
    thresholds: tuple[Threshold, ...],
    source: str,
    *,
    is_load: bool = False,
) -> Figure:
    """Hold a number against its thresholds; the strictest one decides."""
    worst = min((t.level(value) for t in thresholds), key=WORST_FIRST.index)
    bounds = ", ".join(threshold.text() for threshold in thresholds)
    return Figure(name, round(value, 3), unit, worst, bounds, source, is_load)


def _usable(raw: object, most: float) -> float | str:
    """Return a figure of a stranger as a number, or why it is none."""
    if raw is None:
        return "not told"
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return f"no number ({type(raw).__name__})"
    try:
        value = float(raw)
    except OverflowError:
        return "no number that makes sense (huge)"
    if not math.isfinite(value) or not 0 <= value <= most:
        return f"no number that makes sense ({value:g})"
    return value


def _document(exchange: Exchange | None) -> dict[str, object]:
    return {} if exchange is None or exchange.oversized else exchange.document()


def _below(document: Mapping[str, object], key: str) -> dict[str, object]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _why_not(exchange: Exchange | None, path: str) -> str:
    if exchange is None:
        return f"{path}: not asked"
    if exchange.status is None:
        return f"{path}: {exchange.symptom.kind.value if exchange.symptom else 'no answer'}"
    return f"{path}: HTTP {exchange.status}, not told"
