"""What a verdict adds to JUnit XML: properties as pairs of name and value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_goldenpath.contract.findings import printable
from pytest_goldenpath.verdict.checks import Check, Outcome

PREFIX = "goldenpath"


def of_check(check: Check) -> list[tuple[str, str]]:
    """Return the properties of one test case; what is not known is not there."""
    facts = {
        "outcome": check.outcome.value,
        "category": check.category,
        "requirements": " ".join(check.requirements),
        "attribution": check.attribution.value if check.attribution else "",
        "attempts": str(check.attempts),
        "row": check.row,
    }
    return [(f"{PREFIX}.{name}", value) for name, value in facts.items() if value]


def of_run(verdict: Mapping[str, Any], *, evidence: str) -> list[tuple[str, str]]:
    """Return the properties of the whole suite."""
    return [(f"{PREFIX}.{name}", printable(value)) for name, value in _facts(verdict, evidence)]


def message_of(check: Check) -> str:
    """Say in one line why a check did not pass: what was found, else the reason.

    An undecided check says so first, because a reader of XML sees nothing but this.
    """
    found = [f"{finding.code} {finding.message}" for finding in check.findings]
    told = " | ".join(dict.fromkeys(found)) if check.outcome is Outcome.FAILED else ""
    undecided = "undecided: " if check.outcome is Outcome.INCONCLUSIVE else ""
    return printable(" ".join(f"{undecided}{told or check.reason}".split()))


def _facts(verdict: Mapping[str, Any], evidence: str) -> Iterator[tuple[str, str]]:
    target, bypass = verdict["target"], verdict["bypass"]
    yield "verdict", verdict["verdict"]
    yield "underlying", verdict["underlying"]
    yield "exit_code", str(verdict["exit_code"])
    yield "target", f"{target['name']} {target['backend']}".rstrip()
    yield "revision", target["revision"]
    yield "categories", " ".join(verdict["categories"])
    yield "http_503", str(verdict["http_503"])
    for name, probe in verdict["warmup"].items():
        if isinstance(probe, dict):
            state = "ready" if probe["ready"] else "not ready"
            yield f"warmup.{name}", f"{state} in {probe['took_s']:.3f} of {probe['budget_s']:g} s"
    yield "warmup.mode", verdict["warmup"]["mode"]
    yield "warmup.skipped", verdict["warmup"]["skipped"]
    if "outages" in verdict:
        yield "outages.recoveries", str(verdict["outages"]["recoveries"])
        yield "outages.waited_s", f"{verdict['outages']['waited_s']:g}"
    yield "bypass", "active" if bypass["active"] else ("ignored" if bypass["sources"] else "none")
    if bypass["sources"]:
        yield "bypass.sources", ", ".join(bypass["sources"])
        yield "bypass.expires", bypass["expires"] or ""
    for name, count in verdict["counts"].items():
        yield f"counts.{name}", str(count)
    if "readiness" in verdict:
        yield "readiness", f"{verdict['readiness']['score']:g}"
    for place, reason in enumerate(verdict["reasons"], 1):
        yield f"reason.{place}", reason
    yield "evidence", evidence
