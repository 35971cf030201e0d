"""What an Allure result says about a check: its place, weight, links, status and message; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pytest_goldenpath.contract.findings import Finding, Severity
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.report.sequence import is_about
from pytest_goldenpath.verdict.checks import Outcome

EPIC = "Golden path"
BYPASS = "bypass"
#: The most conversations beside the journey that a result shows.
MOST_TALKS = 12
#: The most pictures that a failed result carries.
MOST_PICTURES = 3
_PARTS = {
    "1": "Health",
    "2": "Login and token",
    "3": "Handshake",
    "4": "The five events",
    "5": "The answer",
    "6": "Isolation",
    "7": "UserExecutionContext",
    "8": "Bypass and deployment",
    "9": "Success metrics",
}
_STATUS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.INCONCLUSIVE: "broken",
    Outcome.SKIPPED: "skipped",
}
_LONGEST = 4000


def title(name: str, docstring: str, param_id: str = "") -> str:
    """Return what a person reads: the first sentence of the docstring, else the test's name."""
    lines = docstring.strip().splitlines()
    said = lines[0].strip().removesuffix(".") if lines else name
    return f"{said} [{param_id}]" if lines and param_id else said


def description(docstring: str, requirements: Iterable[str]) -> str:
    """Return the docstring and the promises, in Markdown."""
    promises = [
        f"- **{code}** ({RULES[code].severity.value}): {RULES[code].promise}"
        for code in requirements
    ]
    return "\n\n".join(filter(None, [docstring.strip(), "\n".join(promises)]))


def labels(
    category: str, requirements: Sequence[str], record: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return the labels of a result as names and values, most of them for the report's trees."""
    feature = category.replace("_", " ").capitalize() or "No category"
    # One story only: a check with two would be counted twice in the tree of behaviours.
    story = _PARTS[requirements[0][3]] if requirements else feature
    told = [
        ("epic", EPIC),
        ("feature", feature),
        ("story", story),
        ("severity", weight(category, requirements)),
        *(("tag", code) for code in requirements),
        ("verdict", record["outcome"]),
    ]
    if record["attribution"]:
        told.append(("attribution", record["attribution"]))
    return told


def weight(category: str, requirements: Iterable[str]) -> str:
    """Return the severity of a check: what its heaviest promise weighs."""
    if all(RULES[code].severity is Severity.SHOULD for code in requirements):
        return "normal"
    return "blocker" if category == "smoke" else "critical"


def status(record: Mapping[str, Any]) -> str:
    """Return Allure's word for an outcome."""
    return _STATUS[Outcome(record["outcome"])]


def message(record: Mapping[str, Any], attempt_name: str = "") -> str:
    """Return the status message; for trouble it begins with whose it is, in square brackets.

    Args:
        record: what became of the check.
        attempt_name: which attempt it was, such as ``attempt 2 of 3``, '' for an only one.

    """
    outcome = Outcome(record["outcome"])
    told = _findings(record) or [record["reason"]]
    if outcome is Outcome.PASSED:
        told = [f"note: {line}" for line in _findings(record)]
    elif outcome is not Outcome.SKIPPED:
        if outcome is Outcome.INCONCLUSIVE:
            told = [record["reason"], *_findings(record)]
        told[0] = f"[{blame(record)}] {told[0]}"
    if attempt_name:
        told = [*told[:1], f"({attempt_name})", *told[1:]] if told else [attempt_name]
    return "\n".join(told)[:_LONGEST]


def attempt(number: int, most: int) -> str:
    """Name an attempt, 0 standing for any number of them."""
    return f"attempt {number} of {most}" if most else f"attempt {number}"


def blame(record: Mapping[str, Any]) -> str:
    """Return the word that a category is chosen by: the attribution, or ``bypass``."""
    accused = [f["code"] for f in record["findings"] if f["severity"] == Severity.MUST.value]
    if Outcome(record["outcome"]) is Outcome.FAILED and accused and accused[0][3] == "8":
        return BYPASS
    return record["attribution"] or "harness"


def read_by(requirements: Iterable[str], survey: Survey) -> tuple[Transcript, ...]:
    """Return the conversations that promises look at, the journey first."""
    needs = dict.fromkeys(need for code in requirements for need in RULES[code].needs)
    found: list[Transcript] = []
    if "journey" in needs and survey.journey:
        found.append(survey.journey)
    for need in needs:
        known = {"carriers": survey.carriers, "strangers": survey.strangers}
        found.extend(known.get(need, survey.talks.get(need, ())))
    return tuple(found)


def told_of(
    conversations: Collection[Transcript], findings: Collection[Finding], *, is_bad: bool
) -> tuple[Transcript, ...]:
    """Return the conversations to draw: those that findings are about, and any journey.

    Args:
        conversations: those that the check looked at.
        findings: what it found.
        is_bad: whether it did not pass; then something is drawn whenever there is anything.

    """
    about = [t for t in conversations if any(is_about(finding, t) for finding in findings)]
    journeys = [t for t in conversations if t.purpose == "journey"]
    chosen = [*about[:MOST_PICTURES], *journeys]
    if not chosen and is_bad:
        chosen = list(conversations)[:1]
    return tuple(dict.fromkeys(chosen))


def _findings(record: Mapping[str, Any]) -> list[str]:
    ordered = sorted(record["findings"], key=lambda finding: finding["severity"])
    return [
        f"{finding['code']} {finding['message']}"
        + (f"\n    seen: {finding['evidence']}" if finding["evidence"] else "")
        for finding in ordered
    ]
