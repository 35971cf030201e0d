"""Earlier runs as one HTML page: no script, nothing that is fetched, dark or light as the reader is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import floor, log10
from typing import Any

from pytest_goldenpath.contract.findings import excerpt, printable
from pytest_goldenpath.report.trend import (
    DEVIATIONS,
    LEAST,
    SHARE,
    WINDOW,
    Group,
    History,
    Metric,
    comparison,
    figure,
    groups,
    success_of,
)

_LAST = 30
_SKIPPED = 50
_WIDTH, _HEIGHT = 440, 190
#: A scale with finer steps is in milliseconds.
_SMALL_S = 0.1
_LEFT, _RIGHT, _TOP, _BOTTOM = 68, 8, 10, 26
_INNER_WIDTH = _WIDTH - _LEFT - _RIGHT
_INNER_HEIGHT = _HEIGHT - _TOP - _BOTTOM
_TICKS = 4
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2128; --soft: #5d6672; --line: #d5dae1; --page: #fff;
  --pass: #1a7f37; --fail: #c9252d; --inconclusive: #9a6700; --bypassed: #8250df; --trace: #2f6fb3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa4b1; --line: #363d47;
  --page: #14181d; --pass: #3fb950; --fail: #ff7b72; --inconclusive: #d6a02a; --bypassed: #b48cff;
  --trace: #6cb0f5; } }
body { margin: 2rem auto; max-width: 86rem; padding: 0 1rem; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 0.5rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 0; } p { margin: 0.4rem 0; } .soft { color: var(--soft); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: 0.25rem 0.9rem 0.25rem 0; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
.runs th, .runs td { text-align: left; }
td.why { white-space: normal; min-width: 18rem; overflow-wrap: anywhere; }
.worse { color: var(--fail); font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1.2rem; }
figure { margin: 0; border: 1px solid var(--line); border-radius: 6px; padding: 0.8rem; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font-size: 13px; } svg .tick { text-anchor: end; }
svg .axis { text-anchor: middle; } svg .grid { stroke: var(--line); }
svg polyline { fill: none; stroke: var(--trace); stroke-width: 1.5; }
svg .usual { stroke: var(--soft); stroke-dasharray: 2 4; stroke-width: 1.5; }
svg .limit { stroke: var(--fail); stroke-dasharray: 6 4; }
svg .pass { fill: var(--pass); } svg .fail { fill: var(--fail); }
svg .inconclusive { fill: var(--inconclusive); } svg .bypassed { fill: var(--bypassed); }
.PASS { color: var(--pass); } .FAIL { color: var(--fail); } .INCONCLUSIVE { color: var(--inconclusive); }
.BYPASSED { color: var(--bypassed); }
"""
_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'\">"
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    f"<title>Golden path: earlier runs</title><style>{_STYLE}</style></head><body>"
)


def trend_page(history: History) -> str:
    """Write the page."""
    parts = [_HEAD, "<h1>Golden path: earlier runs</h1>", _legend()]
    for group in groups(history.runs):
        parts += _group(group)
    parts += _skipped(history)
    return "".join((*parts, "</body></html>\n"))


def _legend() -> str:
    words = " ".join(
        f'<span class="{word}">&#9679; {word}</span>'
        for word in ("PASS", "FAIL", "INCONCLUSIVE", "BYPASSED")
    )
    return (
        f'<p>{words}</p><p class="soft">The newest run is compared with the {LEAST} to {WINDOW} '
        f"runs before it. It is pointed out where it lies above their median (dotted) by more than "
        f"{DEVIATIONS:g} scaled median absolute deviations and by more than {SHARE:.0%}: above the "
        "dashed line. That decides nothing by itself.</p>"
    )


def _group(group: Group) -> Iterator[str]:
    told = ", ".join(f"{number} {word}" for word, number in group.verdicts.items())
    yield f"<h2>{_text(group.name)}</h2>"
    yield f"<p>{len(group.runs)} runs ({told}); {success_of(group)}.</p>"
    for metric in group.worse:
        yield f'<p class="worse">Worse than usual: {_text(comparison(metric))}.</p>'
    yield from _figures(group)
    verdicts = [run["verdict"] for run in group.runs]
    titles = [f"{run['started']} {run['verdict']}" for run in group.runs]
    yield '<div class="plots">'
    for metric in group.metrics:
        picture = _plot(metric, verdicts, titles)
        yield f"<figure><h3>{_text(metric.name)}</h3>{picture}</figure>"
    yield "</div>"
    yield from _runs(group)


def _figures(group: Group) -> Iterator[str]:
    yield '<div class="scroll"><table><thead><tr>'
    for name in ("figure", "newest", "usual", "limit", "median", "95th percentile"):
        yield f"<th>{name}</th>"
    yield "</tr></thead><tbody>"
    for metric in group.metrics:
        pointed_out = ' class="worse"' if metric.is_worse else ""
        yield f"<tr{pointed_out}><td>{_text(metric.name)}</td>"
        yield from (f"<td>{cell}</td>" for cell in _cells(metric))
        yield "</tr>"
    yield "</tbody></table></div>"


def _cells(metric: Metric) -> Iterator[str]:
    values = (metric.newest, metric.usual, metric.limit, metric.share(0.5), metric.share(0.95))
    yield from (figure(metric, value) for value in values)


def _runs(group: Group) -> Iterator[str]:
    yield '<div class="scroll"><table class="runs"><thead><tr>'
    for name in ("started", "verdict", "exit", "took", "build", "first reason"):
        yield f"<th>{name}</th>"
    yield "</tr></thead><tbody>"
    for run in reversed(group.runs[-_LAST:]):
        yield _run(run)
    yield "</tbody></table></div>"
    left = len(group.runs) - _LAST
    if left > 0:
        yield f'<p class="soft">{left} earlier runs are only in the pictures.</p>'


def _run(run: Mapping[str, Any]) -> str:
    reason = excerpt(run["reasons"][0], 200) if run["reasons"] else ""
    return (
        f"<tr><td>{_text(run['started'])}</td>"
        f'<td class="{_text(run["verdict"])}">{_text(run["verdict"])}</td>'
        f"<td>{run['exit_code']}</td><td>{run['duration_s']:.1f} s</td>"
        f"<td>{_text(excerpt(run['target']['revision'], 40))}</td>"
        f'<td class="why">{_text(reason)}</td></tr>'
    )


def _skipped(history: History) -> Iterator[str]:
    if not history.skipped:
        return
    yield "<h2>Skipped files</h2><ul>"
    for path, reason in history.skipped[:_SKIPPED]:
        yield f"<li>{_text(str(path))}: {_text(excerpt(reason, 200))}</li>"
    yield "</ul>"
    left = len(history.skipped) - _SKIPPED
    if left > 0:
        yield f"<p>{left} more files are none of ours.</p>"


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def _plot(metric: Metric, verdicts: Sequence[str], titles: Sequence[str]) -> str:
    """Draw a figure: a line, a point for each run in the colour of its verdict, the limit.

    Args:
        metric: the figure.
        verdicts: the verdict of each run.
        titles: what is said about each run when one points at it.

    """
    known = [value for value in metric.values if value is not None]
    top = max((*known, metric.limit or 0.0))
    step = _step(top)
    highest = step * max(1, -int(-top // step))
    told = escape(f"{metric.name} over {len(metric.values)} runs", quote=True)
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{told}">',
        *_grid(step, highest, metric.unit),
        *_rule(metric.usual, highest, "usual"),
        *_rule(metric.limit, highest, "limit"),
        *_line(metric.values, highest),
        *_points(metric, verdicts, titles, highest),
        "</svg>",
    ]
    return "".join(parts)


def _step(top: float) -> float:
    """Return a round distance between grid lines, about four of which reach the top."""
    if top <= 0:
        return 1.0
    rough = top / _TICKS
    power = 10.0 ** floor(log10(rough))
    return next(factor * power for factor in _STEPS if factor * power >= rough * 0.999)


def _grid(step: float, highest: float, unit: str) -> Iterator[str]:
    for number in range(round(highest / step) + 1):
        value = number * step
        y = _y(value, highest)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
        told = _tick(value, step, unit)
        yield f'<text class="tick" x="{_LEFT - 6}" y="{y}" dy="0.35em">{escape(told)}</text>'
    middle = _LEFT + _INNER_WIDTH / 2
    yield (
        f'<text class="axis" x="{middle:g}" y="{_HEIGHT - 6}">runs, the newest at the right</text>'
    )


def _tick(value: float, step: float, unit: str) -> str:
    """Give a value of the scale so that it has room beside it."""
    if unit == "s" and step < _SMALL_S:
        return f"{value * 1000:g} ms"
    return f"{value:g}{' ' if unit else ''}{unit}"


def _rule(value: float | None, highest: float, name: str) -> Iterator[str]:
    if value is None:
        return
    y = _y(value, highest)
    yield f'<line class="{name}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'


def _line(values: Sequence[float | None], highest: float) -> Iterator[str]:
    """Connect neighbours; a run that does not tell leaves a gap."""
    stretch: list[str] = []
    for place, value in enumerate((*values, None)):
        if value is not None:
            stretch.append(f"{_x(place, len(values))},{_y(value, highest)}")
            continue
        if len(stretch) > 1:
            yield f'<polyline points="{" ".join(stretch)}"/>'
        stretch = []


def _points(
    metric: Metric, verdicts: Sequence[str], titles: Sequence[str], highest: float
) -> Iterator[str]:
    told = zip(metric.values, verdicts, titles, strict=True)
    for place, (value, verdict, title) in enumerate(told):
        if value is None:
            continue
        shown = f"{value:.3g}{' ' if metric.unit else ''}{metric.unit}"
        worse = place == len(metric.values) - 1 and metric.is_worse
        radius = 6.0 if worse else 2.5 if verdict == "PASS" else 4.5
        yield (
            f'<circle class="{escape(verdict.lower(), quote=True)}" r="{radius:g}" '
            f'cx="{_x(place, len(metric.values))}" cy="{_y(value, highest)}">'
            f"<title>{escape(title)}: {escape(shown)}</title></circle>"
        )


def _x(place: int, count: int) -> float:
    share = place / (count - 1) if count > 1 else 0.5
    return round(_LEFT + 8 + share * (_INNER_WIDTH - 16), 1)


def _y(value: float, highest: float) -> float:
    return round(_TOP + _INNER_HEIGHT * (1 - value / highest), 1)
