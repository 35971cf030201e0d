"""A verdict as one screen of Markdown, for a job summary, a merge request or a chat.

Everything that a target said stands inside ``<code>`` with its punctuation as character
references, so that it is neither markup, nor a link, nor a mention.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_goldenpath.contract.findings import excerpt, printable
from pytest_goldenpath.report.terminal_summary import ACTIONS, in_words

_PROMISES = 12
_LINES = 8
_SLOWEST = 5
#: A check below this is nobody's concern, seconds.
_SLOW_S = 0.05
_LONGEST = 240
#: A command is of use only as a whole.
_LONGEST_COMMAND = 1000
_MARKUP = re.compile(r"[^\w ,;/=%?'\"()+-]|_|(?<=www)\.", re.ASCII)
_EXPECTED = re.compile(r"expected (?P<expected>.+?),? (?:but )?got (?P<got>.+)", re.DOTALL)


def markdown(verdict: Mapping[str, Any], *, evidence: str) -> str:
    """Tell a verdict document; the result ends with a blank line.

    Args:
        verdict: a ``goldenpath-verdict/1`` document.
        evidence: where it was written.

    """
    word, command = verdict["verdict"], verdict.get("command", "")
    target = verdict["target"]
    revision = f", revision {literal(target['revision'])}" if target["revision"] else ""
    lines = [
        f"## Golden path: {word} (exit {verdict['exit_code']})",
        "",
        f"**{in_words(verdict)}**: {literal(target['name'])} {literal(target['backend'])}{revision}",
        "",
        *_promises(verdict),
        *_undecided(verdict),
        *_facts(verdict),
        *_slowest(verdict),
        f"- verdict file: {literal(evidence)}",
        *([f"- run again: {literal(command, _LONGEST_COMMAND)}"] if command else []),
    ]
    return "\n".join(lines) + "\n\n"


def literal(text: str, limit: int = _LONGEST) -> str:
    """Give a text that renders as itself, in one line, whatever is in it."""
    told = excerpt(" ".join(printable(text).split()), limit)
    shown = _MARKUP.sub(lambda found: f"&#{ord(found[0])};", told)
    return f"<code>{shown}</code>" if shown else ""


def promises(verdict: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Return each broken promise with the checks that met it, in order of their codes.

    A check that failed for a reason without a code is a promise of its own.
    """
    found: dict[tuple[str, str], tuple[Mapping[str, Any], list[str]]] = {}
    for check in verdict["checks"]:
        accusing = [
            finding
            for finding in check["findings"]
            if finding["severity"] == "must"
            and finding.get("attribution", "product") in {"product", "auth"}
        ]
        if check["outcome"] == "failed" and not accusing:
            whose = check["attribution"] or "product"
            reason = {"code": "", "message": check.get("reason", ""), "evidence": ""}
            accusing = [{**reason, "attribution": whose}]
        for finding in accusing:
            key = (finding["code"] or check["id"], finding["message"])
            found.setdefault(key, (finding, []))[1].append(check["id"])
    return [found[key] for key in sorted(found)]


def expected_and_got(message: str) -> tuple[str, str]:
    """Split the sentence of a finding; what is no such sentence is all of it what came."""
    match = _EXPECTED.fullmatch(message)
    return (match["expected"], match["got"]) if match else ("", message)


def _promises(verdict: Mapping[str, Any]) -> Iterator[str]:
    broken = promises(verdict)
    if not broken:
        return
    yield "| promise | expected | got | seen |"
    yield "|---|---|---|---|"
    for finding, checks in broken[:_PROMISES]:
        expected, got = expected_and_got(finding["message"])
        name = finding["code"] or literal(checks[0])
        yield f"| {name} | {literal(expected)} | {literal(got)} | {literal(finding['evidence'])} |"
    yield ""
    if len(broken) > _PROMISES:
        yield f"{len(broken) - _PROMISES} more are in the verdict file."
        yield ""
    for whose in sorted({finding.get("attribution", "product") for finding, _ in broken}):
        yield f"**{whose}**: {ACTIONS[whose]}"
        yield ""


def _undecided(verdict: Mapping[str, Any]) -> Iterator[str]:
    """Tell what is not known, and why; for a verdict that is undecided, with what to do."""
    told = verdict["reasons"] if verdict["underlying"] == "INCONCLUSIVE" else _other(verdict)
    yield from (f"- undecided: {literal(reason)}" for reason in told[:_LINES])
    if len(told) > _LINES:
        yield f"- {len(told) - _LINES} more reasons are in the verdict file"
    if verdict["underlying"] == "INCONCLUSIVE":
        whose = {c["attribution"] for c in verdict["checks"] if c["outcome"] == "inconclusive"}
        yield from (f"- **{name}**: {ACTIONS[name]}" for name in sorted(filter(None, whose)))
    if told:
        yield ""


def _other(verdict: Mapping[str, Any]) -> list[str]:
    """Return why single checks could not be decided beside a verdict that stands."""
    undecided = [c for c in verdict["checks"] if c["outcome"] == "inconclusive"]
    return list(dict.fromkeys(c.get("reason", "") for c in undecided if not c["findings"]))


def _facts(verdict: Mapping[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{number} {name}" for name, number in verdict["counts"].items() if number)
    refused = f", {verdict['http_503']} answers with 503" if verdict["http_503"] else ""
    retried = sum(check["attempts"] > 1 for check in verdict["checks"])
    again = f", {retried} needed more than one attempt" if retried else ""
    yield f"- checks: {counts or 'none'}{refused}{again}, in {verdict['duration_s']:.1f} s"
    outages = verdict.get("outages")
    if outages and (outages["recoveries"] or outages["gone"]):
        gone = "; it did not come back in the end" if outages["gone"] else ""
        yield (
            f"- waited {outages['recoveries']} times for the target to come back, "
            f"{outages['waited_s']:.1f} s{gone}: {literal(outages['cause'])}"
        )
    skipped = [check for check in verdict["checks"] if check["outcome"] == "skipped"]
    for reason in list(dict.fromkeys(check.get("reason", "") for check in skipped))[:_LINES]:
        yield f"- not looked at: {literal(reason)}"
    yield from _warmup(verdict["warmup"])
    yield from _bypass(verdict["bypass"])
    found = verdict.get("readiness")
    if found:
        enough = "" if found["score"] >= found["needed"] else ", which is not enough"
        yield (
            f"- readiness: {found['score']:g} % ({found['proven']} of {found['selected']} "
            f"remediation checks proven), {found['needed']:g} % needed{enough}"
        )


def _warmup(warmup: Mapping[str, Any]) -> Iterator[str]:
    probes = {name: probe for name, probe in warmup.items() if isinstance(probe, dict)}
    told = [
        f"{name} {'ready' if probe['ready'] else 'not ready'} in {probe['took_s']:.1f} "
        f"of {probe['budget_s']:g} s"
        for name, probe in probes.items()
    ]
    told += [literal(warmup["skipped"])] if warmup["skipped"] else []
    if told:
        yield f"- warm-up: {'; '.join(told)}"
    for name, probe in probes.items():
        if not probe["ready"] and probe.get("last_error"):
            yield f"- warm-up, {name}: {literal(probe['last_error'])}"


def _bypass(bypass: Mapping[str, Any]) -> Iterator[str]:
    if not bypass["sources"]:
        return
    asked = literal(", ".join(bypass["sources"]))
    if bypass["active"]:
        yield f"- **BYPASS ACTIVE** until {literal(bypass['expires'] or 'no end')}: {asked}"
    else:
        yield f"- bypass ignored: {literal(bypass.get('problem', ''))} ({asked})"


def _slowest(verdict: Mapping[str, Any]) -> Iterator[str]:
    """Tell what took longest: the checks, and what the target was asked."""
    checks = [(check["duration_s"], check["id"]) for check in verdict["checks"]]
    steps = [(step["took_s"], step["step"]) for step in verdict.get("slowest", ())]
    for name, took in (("checks", checks), ("steps", steps)):
        slow = sorted((one for one in took if one[0] >= _SLOW_S), key=lambda one: (-one[0], one[1]))
        told = [f"{literal(text)} {seconds:.2f} s" for seconds, text in slow[:_SLOWEST]]
        if told:
            yield f"- slowest {name}: {', '.join(told)}"
