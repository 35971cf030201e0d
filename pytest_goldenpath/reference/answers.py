"""Putting what was found into sentences."""

from dataclasses import dataclass

from pytest_goldenpath.reference.costs import CostReport
from pytest_goldenpath.reference.fault import Seams
from pytest_goldenpath.reference.prompts import Sum


@dataclass(frozen=True, slots=True)
class Findings:
    """What one run has found out."""

    report: CostReport
    sums: list[Sum]
    markers: list[str]


def composed(prompt: str, found: Findings, seams: Seams) -> str:
    """Return the answer; a fault may have it in other words."""
    words = {
        "prompt": prompt,
        "answer": sentences(found, seams),
        "costs": _costs(found.report),
        "sums": _sums(found, seams),
        "markers": _markers(found),
    }
    template = seams.at("answer.template", str)
    text = words["answer"] if template is None else template.format_map(words)
    cut = seams.at("answer.cut", float)
    return text if cut is None else text[: int(len(text) * cut)]


def sentences(found: Findings, seams: Seams) -> str:
    """Return the healthy answer."""
    parts = (_costs(found.report), _sums(found, seams), _markers(found))
    return " ".join(part for part in parts if part)


def _costs(report: CostReport) -> str:
    items = [f"{service} {usd} USD" for service, usd in report.newest.items()]
    listed = ", ".join(items[:-1]) + f" and {items[-1]}" if len(items) > 1 else items[0]
    largest = max(report.newest, key=lambda service: report.newest[service])
    share = round(100 * report.newest[largest] / report.total)
    change = "more" if report.growth >= 0 else "less"
    return (
        f"I looked up the cloud costs of {report.month}: {listed}. "
        f"Together that is {report.total} USD, {abs(report.growth)} USD {change} than in "
        f"{report.month_before}. The largest item is {largest} with {share} percent of it, "
        "so that is where saving pays most."
    )


def _sums(found: Findings, seams: Seams) -> str:
    off = seams.at("answer.off_by", int) or 0
    return " ".join(f"The result of {one.words} is {one.result + off}." for one in found.sums)


def _markers(found: Findings) -> str:
    if not found.markers:
        return ""
    return f"Your reference for this answer is {', '.join(found.markers)}."
