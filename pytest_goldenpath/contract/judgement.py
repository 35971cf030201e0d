"""Apply one rule to one survey, and weigh what the rule said against what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.findings import Finding, Severity
from pytest_goldenpath.contract.registry import NO_SOCKET, OWNERS, RULES, SOCKETS
from pytest_goldenpath.contract.ruling import Rule, Unlooked, broken
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import Symptom


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known about one promise.

    Attributes:
        code: the rule.
        findings: its own findings; a must among them that accuses breaks the promise.
        undecided: why the promise could not be judged, or ''.
        symptom: the road's trouble that keeps it from being judged, if that is why.
        blocking: findings of other rules that keep it from being judged.
        skipped: the target offers nothing to look at.
    """

    code: str
    findings: tuple[Finding, ...] = ()
    undecided: str = ""
    symptom: Symptom | None = None
    blocking: tuple[Finding, ...] = ()
    skipped: bool = False

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The findings that fail the check: must, and attributed to the product."""
        return tuple(
            f for f in self.findings if f.severity is Severity.MUST and f.attribution.accuses
        )

    @property
    def excused(self) -> tuple[Finding, ...]:
        """The must findings that somebody else is to blame for."""
        return tuple(
            f for f in self.findings if f.severity is Severity.MUST and not f.attribution.accuses
        )

    @property
    def proven(self) -> bool:
        """Tell whether the promise was looked at and kept; a should finding does not break it."""
        return not (self.broken or self.excused or self.undecided or self.skipped)


def judge(code: str, survey: Survey) -> Judgement:
    """Judge one promise.

    Findings win over trouble, but for findings of absence: when an observation broke off for
    the road's sake, what did not come proves nothing.

    Args:
        code: a code of the registry.
        survey: what was observed.

    """
    rule = RULES[code]
    ruling = rule.check(survey)
    missing = [survey.missing[need] for need in rule.needs if need in survey.missing]
    trouble = next((entry for entry in missing if entry.symptom), None)
    findings = () if isinstance(ruling, Unlooked) else _weightiest(ruling)
    if trouble:
        findings = tuple(finding for finding in findings if not finding.absence)
    if any(finding.severity is Severity.MUST for finding in findings):
        return Judgement(code, findings)
    if trouble and trouble.symptom and attribute(trouble.symptom).attribution.accuses:
        return _accused(rule, trouble.symptom, survey)
    if missing:
        return _undecided(rule, missing[0] if trouble is None else trouble, findings, survey)
    if isinstance(ruling, Unlooked):
        blocked = Missing(ruling.reason, ruling.blocked_by, skipped=ruling.skipped)
        return _undecided(rule, blocked, (), survey)
    return Judgement(code, findings)


def _weightiest(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Keep the findings that weigh most: a flood of frames may break a promise a thousand times."""
    if len(findings) <= _MOST_FINDINGS:
        return findings
    weights = sorted(
        findings,
        key=lambda f: (f.severity is not Severity.MUST, not f.attribution.accuses, f.absence),
    )
    return tuple(weights[:_MOST_FINDINGS])


_MOST_FINDINGS = 10


def _accused(rule: Rule, symptom: Symptom, survey: Survey) -> Judgement:
    """A trouble of the product's own making breaks the promise that owns the observation."""
    broken_off = {n for n in rule.needs if n in survey.missing and survey.missing[n].symptom}
    owners = {OWNERS[need] for need in broken_off}
    if rule.code != NO_SOCKET and broken_off & SOCKETS and judge(NO_SOCKET, survey).broken:
        owners = {NO_SOCKET}
    if rule.code in owners:
        accusation = attribute(symptom)
        finding = broken(
            rule.code,
            f"expected an answer, got {symptom.sentence()}",
            severity=rule.severity,
            attribution=accusation,
        )
        return Judgement(rule.code, (finding,))
    reason = f"the observation broke off: {symptom.sentence()}"
    return _undecided(rule, Missing(reason, blocked_by=tuple(sorted(owners))), (), survey)


def _undecided(
    rule: Rule, missing: Missing, findings: tuple[Finding, ...], survey: Survey
) -> Judgement:
    if missing.skipped:
        return Judgement(rule.code, findings, undecided=missing.reason, skipped=True)
    blocking: tuple[Finding, ...] = ()
    excused: tuple[Finding, ...] = ()
    symptom = missing.symptom
    for code in missing.blocked_by:
        if code != rule.code:
            cause = judge(code, survey)
            blocking = blocking or cause.broken
            excused = excused or cause.excused
            symptom = symptom or cause.symptom
    return Judgement(
        rule.code, findings, undecided=missing.reason, symptom=symptom, blocking=blocking or excused
    )
