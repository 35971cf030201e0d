"""What is known of a target's capacity, held against the platform's thresholds.

Pure: answers and measurements in, a report out. What is not shown is never taken for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import printable
from pytest_goldenpath.verdict.shown import (
    EXCEEDED,
    FACT,
    OK,
    WARNING,
    WORST_FIRST,
    Figure,
    Part,
    Threshold,
    figure_of,
    shown,
)

SCHEMA = "goldenpath-capacity/1"
WITHIN, UNKNOWN = "within", "unknown"
EXITS = {WITHIN: 0, EXCEEDED: 1, UNKNOWN: 75}
_MIB = 2**20
#: Nobody else's numbers: files for the connections of a run, memory for its tasks, and a loop
#: that listens, or the answer times are its own.
_SPARE_FILES, _FILES_PER_USER = 64, 6
_SCARCE_MIB, _TIGHT_MIB = 128, 512
_LAG = (Threshold("ours", 10, 50),)


@dataclass(frozen=True, slots=True)
class Runner:
    """The machine that looks; None where it cannot say.

    Attributes:
        files_used, files_limit: open files of this process, and how many it may have.
        memory_bytes: memory that is still to be had.
        cpus: processors that this process may use.
        lag_percent: share of the time in which it did not get round to listening.
    """

    files_used: int | None = None
    files_limit: int | None = None
    memory_bytes: int | None = None
    cpus: int | None = None
    lag_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What was asked, and what came: several answers of ``/health``, and one of each page."""

    health: tuple[Exchange, ...]
    pages: Mapping[str, Exchange]
    runner: Runner
    users: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """The report.

    Attributes:
        status: ``within``, ``exceeded`` or ``unknown``.
        reasons: why, the weightiest first.
        figures: what was learnt.
        hidden: what was not, with the reason.
    """

    status: str
    reasons: tuple[str, ...]
    figures: tuple[Figure, ...]
    hidden: tuple[tuple[str, str], ...]

    @property
    def exit_code(self) -> int:
        """0 within, 1 exceeded, 75 unknown."""
        return EXITS[self.status]

    def document(self, *, name: str, backend: str) -> dict[str, Any]:
        """Return the report as ``goldenpath-capacity/1``."""
        return {
            "schema": SCHEMA,
            "status": self.status,
            "exit_code": self.exit_code,
            "target": {"name": name, "backend": backend},
            "reasons": list(self.reasons),
            "figures": [asdict(figure) for figure in self.figures],
            "not_shown": [{"name": what, "reason": reason} for what, reason in self.hidden],
        }


def judge_capacity(look: Look) -> Capacity:
    """Hold everything that was learnt against its threshold.

    A threshold that the target passes decides before all else. ``within`` needs an answer of
    ``/health``, at least one figure of load, and a runner that could listen; anything less is
    ``unknown``, because what is not shown proves nothing.
    """
    found: list[Figure] = []
    hidden: list[tuple[str, str]] = []
    for part in (*shown(look.health, look.pages), *_of_runner(look)):
        if isinstance(part, Figure):
            found.append(part)
        else:
            hidden.append(part)
    found.sort(key=lambda figure: WORST_FIRST.index(figure.level))
    past = [figure for figure in found if figure.level == EXCEEDED]
    of_target = [_sentence(figure) for figure in past if figure.source != "runner"]
    if of_target:
        return Capacity(EXCEEDED, tuple(of_target), tuple(found), tuple(hidden))
    doubts = [f"the runner is short: {_sentence(figure)}" for figure in past]
    if any(exchange.status is None for exchange in look.health) or not look.health:
        doubts.insert(0, f"the target did not always answer: {_trouble(look.health)}")
    elif not any(figure.is_load for figure in found):
        doubts.append(
            "the target shows no figure of its load (pool, vpc, connections, memory, cpu)"
        )
    return Capacity(UNKNOWN if doubts else WITHIN, tuple(doubts), tuple(found), tuple(hidden))


def _of_runner(look: Look) -> Iterator[Part]:
    """Our own limits: what a run with these users needs, not what the platform promises."""
    runner = look.runner
    if runner.files_limit is None or runner.files_used is None:
        yield "open files of the runner", "this system does not say"
    else:
        # Three connections a user (3.9), and as many again for what else a run has open.
        need = _FILES_PER_USER * look.users + _SPARE_FILES
        free = max(0, runner.files_limit - runner.files_used)
        level = EXCEEDED if free < need else WARNING if free < 2 * need else OK
        told = f"at least {need} [ours, {look.users} users]"
        yield Figure("free open files", float(free), "", level, told, "runner")
    if runner.memory_bytes is None:
        yield "free memory of the runner", "this system does not say"
    else:
        mib = runner.memory_bytes / _MIB
        level = EXCEEDED if mib < _SCARCE_MIB else WARNING if mib < _TIGHT_MIB else OK
        told = f"at least {_TIGHT_MIB} / {_SCARCE_MIB} [ours]"
        yield Figure("free memory", round(mib), "MiB", level, told, "runner")
    if runner.cpus is not None:
        yield Figure("processors", float(runner.cpus), "", FACT, "", "runner")
    if runner.lag_percent is not None:
        yield figure_of("loop lag", runner.lag_percent, "%", _LAG, "runner")


def _trouble(health: tuple[Exchange, ...]) -> str:
    symptom = next((exchange.symptom for exchange in health if exchange.symptom), None)
    return printable(symptom.sentence()) if symptom else "nothing was asked"


def _sentence(figure: Figure) -> str:
    value = figure.value if isinstance(figure.value, str) else f"{figure.value:g}"
    unit = f" {figure.unit}" if figure.unit else ""
    return f"{figure.name}: {value}{unit}, threshold {figure.thresholds} ({figure.source})"
