"""What CI systems read: GitHub's annotations and job summary, and properties in JUnit XML.

Limits of GitHub: a step shows 10 errors and 10 warnings, and its summary holds 1 MiB; beyond it
the whole summary is refused. The runner itself adds one error to a step that ends with a code.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_goldenpath.contract.findings import excerpt, printable
from pytest_goldenpath.report.markdown import promises
from pytest_goldenpath.report.terminal_summary import ACTIONS, WORDS
from pytest_goldenpath.verdict.checks import Check, Outcome

#: How the name of every property begins.
PREFIX = "goldenpath"
#: Annotations of each kind; the tenth error is the runner's.
MOST = 9
#: Bytes of one step's summary.
SUMMARY_BYTES = 1024 * 1024
_LONGEST = 1000
_BLANK = "\n\n"

#: File and line of a check, by its id; a check that has none is annotated without a place.
Places = Mapping[str, tuple[str, int]]


def annotate(verdict: Mapping[str, Any], places: Places) -> list[str]:
    """Return the workflow commands of a verdict: one for each broken promise, doubt and note."""
    errors = _errors(verdict, places)
    warnings = [*_doubts(verdict, places), *_bypass(verdict), *_notes(verdict)]
    return [*_bounded("error", errors), *_bounded("warning", warnings)]


def append_summary(path: Path, text: str) -> bool:
    """Append to a step's summary, if it stays within the limit; returns whether it did.

    Raises:
        OSError: the file cannot be written.

    """
    data = text.encode("utf-8", errors="replace")
    taken = path.stat().st_size if path.exists() else 0
    before = _BLANK.encode() if taken else b""
    if taken + len(before) + len(data) > SUMMARY_BYTES:
        return False
    with path.open("ab") as stream:
        stream.write(before + data)
    return True


def relative_to_workspace(path: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Return a path as GitHub wants it, '' when it is none of the repository's files."""
    workspace = Path(environment.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    whole = path.resolve()
    return whole.relative_to(workspace).as_posix() if whole.is_relative_to(workspace) else ""


def command(kind: str, message: str, **properties: object) -> str:
    """Write one workflow command; nothing in the message or the properties can end it."""
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{kind}{' ' if told else ''}{told}::{_data(message)}"


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


def _bounded(kind: str, told: Iterable[tuple[str, dict[str, object]]]) -> Iterator[str]:
    commands = [command(kind, message, **properties) for message, properties in told]
    if len(commands) <= MOST:
        yield from commands
        return
    yield from commands[: MOST - 1]
    left = len(commands) - MOST + 1
    yield command(kind, f"{left} more are in the verdict file", title="golden path")


def _errors(verdict: Mapping[str, Any], places: Places) -> Iterator[tuple[str, dict[str, object]]]:
    """Give each broken promise once, whatever number of checks met it."""
    grouped: dict[str, list[tuple[Mapping[str, Any], list[str]]]] = {}
    for finding, checks in promises(verdict):
        grouped.setdefault(finding["code"] or checks[0], []).append((finding, checks))
    for name, found in grouped.items():
        checks = list(dict.fromkeys(check for _, ids in found for check in ids))
        lines = []
        for finding, _ in found:
            lines += [finding["message"]]
            lines += [f"seen: {finding['evidence']}"] if finding["evidence"] else []
        whose = found[0][0].get("attribution", "product")
        lines += [f"{whose}: {ACTIONS[whose]}", f"check: {', '.join(checks[:3])}"]
        yield "\n".join(lines), {"title": f"golden path: {name}", **_place(checks, places)}


def _doubts(verdict: Mapping[str, Any], places: Places) -> Iterator[tuple[str, dict[str, object]]]:
    """Give each reason for which something is not known, once."""
    undecided = [c for c in verdict["checks"] if c["outcome"] == "inconclusive"]
    for reason in dict.fromkeys(c.get("reason", "") for c in undecided if not c["findings"]):
        same = [check for check in undecided if check.get("reason", "") == reason]
        whose = same[0]["attribution"]
        codes = {code for check in same for code in check["requirements"] or [check["id"]]}
        action = [f"{whose}: {ACTIONS[whose]}"] if whose else []
        message = "\n".join([reason, *action, f"not judged: {', '.join(sorted(codes))}"])
        place = _place([check["id"] for check in same], places)
        yield message, {"title": "golden path: undecided", **place}
    if verdict["underlying"] == "INCONCLUSIVE" and not undecided:
        for reason in verdict["reasons"]:
            yield reason, {"title": "golden path: undecided"}


def _bypass(verdict: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, object]]]:
    if verdict["bypass"]["active"]:
        asked = ", ".join(verdict["bypass"]["sources"])
        until = verdict["bypass"]["expires"] or "no end"
        message = f"{WORDS['BYPASSED']}, until {until}: {asked}"
        yield message, {"title": "golden path: bypass active"}


def _notes(verdict: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, object]]]:
    told: set[str] = set()
    for check in verdict["checks"]:
        for finding in check["findings"]:
            if finding["severity"] == "should" and finding["code"] not in told:
                told.add(finding["code"])
                yield finding["message"], {"title": f"golden path: {finding['code']} (note)"}


def _place(checks: Iterable[str], places: Places) -> dict[str, object]:
    for check in checks:
        if check in places:
            file, line = places[check]
            return {"file": file, "line": line}
    return {}


def _data(text: str) -> str:
    told = excerpt(printable(text.replace("\r\n", "\n")), _LONGEST)
    return told.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


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
