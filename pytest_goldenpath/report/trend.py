"""Verdicts of earlier runs, kept in a folder, and how runs compare with the runs before them.

A run is compared with runs of the same target, categories and mode, for no others take as long.
The newest is pointed out where it lies above the median of up to 20 earlier ones by more than
three scaled median absolute deviations, by more than a quarter, and by more than what a person
would notice. Almost half of the earlier runs may be strange, and it still holds.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from pytest_goldenpath.contract.findings import excerpt, printable
from pytest_goldenpath.errors import EvidenceError
from pytest_goldenpath.report.files import VERDICT_FILE, write_whole
from pytest_goldenpath.verdict.excerpt import NAMES, percentile
from pytest_goldenpath.verdict.merge import label_of, problem_of

#: How many runs a folder keeps.
KEPT = 200
_LARGEST = 32 * 1024 * 1024
_OURS = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}\.json")
#: How many earlier runs the newest is compared with, and how many it takes at least.
WINDOW, LEAST = 20, 5
#: Above the median by so many deviations, and by this share of the median.
DEVIATIONS, SHARE = 3.0, 0.25
#: Makes the median absolute deviation of a bell curve its standard deviation.
_SCALE = 1.4826
#: Less than this is noticed by nobody: seconds, and numbers of attempts or answers.
_SECONDS, _NUMBER = 0.05, 0.5
_DECIDED = {"PASS": True, "BYPASSED": True, "FAIL": False}
_COLUMNS = ("figure", "newest", "usual", "limit", "median", "95th", "")
_TOLD = 10
_SKIPPED = 10

Run = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """What a folder holds.

    Attributes:
        runs: the verdict documents, the oldest first, each once.
        skipped: the files that are none, each with the reason.
    """

    runs: tuple[Run, ...]
    skipped: tuple[tuple[Path, str], ...] = ()


def read_verdict(path: Path) -> dict[str, Any]:
    """Read one verdict document.

    Raises:
        EvidenceError: it cannot be read, is cut off, or contradicts itself or its schema.

    """
    try:
        if path.stat().st_size > _LARGEST:
            raise EvidenceError("it is too large for a verdict")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EvidenceError(f"it cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise EvidenceError("this is no JSON, or it is cut off") from None
    if not isinstance(document, dict) or "verdict" not in document:
        raise EvidenceError("this is no verdict of ours")
    problem = problem_of(document)
    if problem:
        raise EvidenceError(problem)
    return document


def keep(folder: Path, verdict: Mapping[str, Any]) -> Path:
    """Keep a copy of a verdict, and no more than :data:`KEPT` of them; returns its path.

    Files of other names are nobody's business here, and stay.

    Raises:
        OSError: nothing can be written there.

    """
    text = json.dumps(verdict, indent=1, ensure_ascii=False) + "\n"
    began = datetime.fromisoformat(verdict["started"]).astimezone(UTC)
    name = f"{began:%Y%m%dT%H%M%SZ}-{sha256(text.encode(errors='replace')).hexdigest()[:8]}.json"
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / name, text)
    ours = sorted(path for path in folder.iterdir() if _OURS.fullmatch(path.name))
    for old in ours[:-KEPT]:
        # Two runs may end at the same time, and both see the same old file.
        with contextlib.suppress(OSError):
            old.unlink(missing_ok=True)
    return folder / name


def read_folder(folder: Path) -> History:
    """Read the verdicts of a folder: its own ``*.json`` and every ``verdict.json`` below it.

    Raises:
        EvidenceError: there is no such folder.

    """
    if not folder.is_dir():
        raise EvidenceError("there is no such folder")
    runs: dict[str, dict[str, Any]] = {}
    skipped: list[tuple[Path, str]] = []
    for path in sorted({*folder.glob("*.json"), *folder.rglob(VERDICT_FILE)}):
        try:
            document = read_verdict(path)
        except EvidenceError as error:
            skipped.append((path, str(error)))
        else:
            runs[json.dumps(document, sort_keys=True)] = document
    # A merged verdict stands for several runs, whose own files tell more.
    whole = (document for document in runs.values() if "parts" not in document)
    ordered = sorted(whole, key=lambda run: (datetime.fromisoformat(run["started"]), str(run)))
    return History(tuple(ordered), tuple(skipped))


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of the runs of a group.

    Attributes:
        key: stable name.
        name: name for people.
        unit: ``s`` or ''.
        values: one for each run of the group, None where the run does not tell.
        usual: median of the earlier runs that the newest is compared with; None without enough.
        limit: what the newest may not exceed without being pointed out; None without enough.
    """

    key: str
    name: str
    unit: str
    values: tuple[float | None, ...]
    usual: float | None = None
    limit: float | None = None

    @property
    def newest(self) -> float | None:
        """The figure of the newest run."""
        return self.values[-1]

    @property
    def is_worse(self) -> bool:
        """Whether the newest run is to be pointed out."""
        return self.newest is not None and self.limit is not None and self.newest > self.limit

    def share(self, share: float) -> float | None:
        """Return a percentile over all runs, None when no run tells."""
        known = [value for value in self.values if value is not None]
        return percentile(known, share) if known else None


@dataclass(frozen=True, slots=True)
class Group:
    """The runs that can be compared with each other, the oldest first.

    Attributes:
        name: target, categories and mode.
        runs: the documents.
        metrics: the figures that at least one run tells.
    """

    name: str
    runs: tuple[Run, ...]
    metrics: tuple[Metric, ...]

    @property
    def verdicts(self) -> dict[str, int]:
        """How often each verdict was given."""
        told = [run["verdict"] for run in self.runs]
        return {word: told.count(word) for word in dict.fromkeys(sorted(told))}

    @property
    def success(self) -> float | None:
        """The share of passes among the runs that decided anything; None without one."""
        decided = [_DECIDED[v] for run in self.runs if (v := run["verdict"]) in _DECIDED]
        return sum(decided) / len(decided) if decided else None

    @property
    def worse(self) -> tuple[Metric, ...]:
        """The figures in which the newest run is worse than usual."""
        return tuple(metric for metric in self.metrics if metric.is_worse)


def groups(runs: Iterable[Run]) -> tuple[Group, ...]:
    """Sort runs into comparable groups, by name.

    Args:
        runs: verdict documents, the oldest first.

    """
    sorted_out: dict[str, list[Run]] = {}
    for run in runs:
        sorted_out.setdefault(_name(run), []).append(run)
    return tuple(
        Group(name, tuple(sorted_out[name]), _metrics(sorted_out[name]))
        for name in sorted(sorted_out)
    )


def limit_of(earlier: Sequence[float], floor: float) -> tuple[float, float]:
    """Return the median of earlier values, and what a new one may not exceed."""
    middle = median(earlier)
    deviation = _SCALE * median(abs(value - middle) for value in earlier)
    return middle, middle + max(DEVIATIONS * deviation, SHARE * middle, floor)


def trend_lines(history: History) -> list[str]:
    """Tell the runs of a folder: a table for each group, and what was skipped."""
    lines = [line for group in groups(history.runs) for line in (*_group(group), "")]
    lines += [
        f"skipped: {path}: {excerpt(reason, 200)}" for path, reason in history.skipped[:_SKIPPED]
    ]
    left = len(history.skipped) - _SKIPPED
    lines += [f"skipped: {left} more files that are none of ours"] if left > 0 else []
    return [printable(line) for line in lines]


def success_of(group: Group) -> str:
    """Say the success rate in words; runs that decided nothing are not in it."""
    if group.success is None:
        return "no run has decided anything"
    decided = sum(n for word, n in group.verdicts.items() if word != "INCONCLUSIVE")
    return f"success rate {100 * group.success:.1f} % of {decided} decided"


def figure(metric: Metric, value: float | None) -> str:
    """Give one value with its unit; a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:.2f} s" if metric.unit else f"{value:g}"


def comparison(metric: Metric) -> str:
    """Point out a figure that is worse than usual, in a sentence."""
    newest, usual = figure(metric, metric.newest), figure(metric, metric.usual)
    return f"{metric.name}: {newest}, where {usual} is usual and {figure(metric, metric.limit)} the limit"


def _name(run: Run) -> str:
    categories = ", ".join(run["categories"]) or "no category"
    return f"{label_of(run['target'])}: {categories}, {run['execution_mode']}"


def _metrics(runs: Sequence[Run]) -> tuple[Metric, ...]:
    figures = {
        "duration_s": ("whole validation", "s", [run["duration_s"] for run in runs]),
        **{
            key: (name, "s", [run.get("timings", {}).get(key) for run in runs])
            for key, name in NAMES.items()
        },
        "warmup_s": ("warm-up", "s", [_warmup_s(run) for run in runs]),
        "retries": ("retries", "", [_retries(run) for run in runs]),
        "outages": ("outages waited for", "", [_recoveries(run) for run in runs]),
        "http_503": ("answers with 503", "", [float(run["http_503"]) for run in runs]),
    }
    return tuple(
        _metric(key, name, unit, values)
        for key, (name, unit, values) in figures.items()
        if any(value is not None for value in values)
    )


def _metric(key: str, name: str, unit: str, values: Sequence[float | None]) -> Metric:
    earlier = [value for value in values[:-1] if value is not None][-WINDOW:]
    if len(earlier) < LEAST:
        return Metric(key, name, unit, tuple(values))
    usual, limit = limit_of(earlier, _SECONDS if unit else _NUMBER)
    return Metric(key, name, unit, tuple(values), usual, limit)


def _warmup_s(run: Run) -> float | None:
    """Return how long a run waited: the probes go side by side, so it is the longest of them."""
    took = [float(probe["took_s"]) for probe in run["warmup"].values() if isinstance(probe, dict)]
    return max(took, default=None)


def _recoveries(run: Run) -> float | None:
    """Return how often a run waited for the target to come back; older verdicts do not tell."""
    return float(run["outages"]["recoveries"]) if "outages" in run else None


def _retries(run: Run) -> float:
    return float(sum(check["attempts"] - 1 for check in run["checks"]))


def _group(group: Group) -> Iterator[str]:
    told = ", ".join(f"{number} {word}" for word, number in group.verdicts.items())
    yield f"{group.name}"
    yield f"  {len(group.runs)} runs ({told}); {success_of(group)}"
    last = " ".join(run["verdict"] for run in group.runs[-_TOLD:])
    yield f"  last runs, the newest at the end: {last}"
    yield from (f"  {row}" for row in _table([_COLUMNS, *map(_row, group.metrics)]))
    if len(group.runs) <= LEAST:
        yield f"  nothing is compared yet: that takes {LEAST} earlier runs"
    for metric in group.worse:
        yield f"  WORSE THAN USUAL {comparison(metric)}"


def _row(metric: Metric) -> tuple[str, ...]:
    values = (metric.newest, metric.usual, metric.limit, metric.share(0.5), metric.share(0.95))
    return (
        metric.name,
        *(figure(metric, value) for value in values),
        "worse" if metric.is_worse else "",
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join((first, *others)).rstrip()
