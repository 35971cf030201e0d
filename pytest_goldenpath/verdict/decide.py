"""The verdict of a run: one function, decided once (design 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from pytest_goldenpath.contract.findings import Finding
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.checks import Check, Outcome


class Verdict(StrEnum):
    """What a run says about a deployment."""

    PASS = "PASS"  # noqa: S105  # a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    BYPASSED = "BYPASSED"


class Exit(IntEnum):
    """Exit codes: 75 is EX_TEMPFAIL, "try again later"; 80 collides with nothing known."""

    PASS = 0
    FAIL = 1
    INTERRUPTED = 2
    INCONCLUSIVE = 75
    BYPASSED = 80


@dataclass(frozen=True, slots=True)
class Rulebook:
    """How strictly a run is judged.

    Attributes:
        gate: a skip outside ``allowed_skips`` is not green.
        allowed_skips: codes whose checks may be skipped under a gate.
        accept_bypass: a bypassed run exits with 0.
    """

    gate: bool = False
    allowed_skips: Collection[str] = ()
    accept_bypass: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its reasons.

    Attributes:
        verdict: what the run says, the bypass taken into account.
        underlying: what it would say without the bypass.
        exit_code: of the process, as far as the checks decide it.
        reasons: sentences, the weightiest first; each begins with a code where there is one.
        counts: number of checks by outcome.
        unfinished: ids of the selected checks that did not run, sorted.
    """

    verdict: Verdict
    underlying: Verdict
    exit_code: int
    reasons: tuple[str, ...] = ()
    counts: Counter[Outcome] = field(default_factory=Counter)
    unfinished: tuple[str, ...] = ()


def decide(
    checks: Collection[Check],
    *,
    unfinished: Collection[str] = (),
    bypass: Bypass | None = None,
    rulebook: Rulebook | None = None,
    doubts: Collection[str] = (),
) -> Decision:
    """Decide a run from its checks.

    Args:
        checks: every check that ran.
        unfinished: ids of selected checks that did not run.
        bypass: the tester's bypass.
        rulebook: how strictly to judge.
        doubts: why the run as a whole is not proven, whatever its checks say.

    """
    rules = rulebook or Rulebook()
    counts: Counter[Outcome] = Counter(check.outcome for check in checks)
    ids = tuple(sorted(unfinished))
    accusations = tuple(f for check in checks for f in check.accusations)
    failed = [c for c in checks if c.outcome is Outcome.FAILED and not c.accusations]
    if accusations or failed:
        reasons = (
            *_told(accusations),
            *(f"{c.id}: {c.reason}" for c in failed),
            *_unfinished(unfinished),
        )
        return Decision(Verdict.FAIL, Verdict.FAIL, Exit.FAIL, reasons, counts, ids)
    doubts = (*_doubts(checks, unfinished, rules, counts), *doubts)
    if doubts:
        undecided = Verdict.INCONCLUSIVE
        return Decision(undecided, undecided, Exit.INCONCLUSIVE, doubts, counts, ids)
    if bypass is not None and bypass.active:
        code = Exit.PASS if rules.accept_bypass else Exit.BYPASSED
        reason = f"GP-810 a bypass is active: {', '.join(bypass.sources)}"
        return Decision(Verdict.BYPASSED, Verdict.PASS, code, (reason,), counts)
    return Decision(Verdict.PASS, Verdict.PASS, Exit.PASS, (), counts)


def _told(findings: Iterable[Finding]) -> tuple[str, ...]:
    told = dict.fromkeys(f"{finding.code} {finding.message}" for finding in findings)
    return tuple(sorted(told))


def _unfinished(ids: Collection[str]) -> tuple[str, ...]:
    if not ids:
        return ()
    return (f"{len(ids)} selected checks did not run, such as {min(ids)}",)


def _doubts(
    checks: Collection[Check],
    unfinished: Collection[str],
    rules: Rulebook,
    counts: Counter[Outcome],
) -> Iterable[str]:
    troubles: dict[str, list[str]] = {}
    for check in checks:
        if check.outcome is Outcome.INCONCLUSIVE:
            whose = f"[{check.attribution}] " if check.attribution else ""
            codes = check.requirements or (check.id,)
            troubles.setdefault(f"{whose}{check.reason}", []).extend(codes)
    for reason, named in troubles.items():
        yield f"{reason} - not judged: {', '.join(dict.fromkeys(named))}"
    yield from _unfinished(unfinished)
    if rules.gate:
        for check in checks:
            allowed = set(check.requirements) <= set(rules.allowed_skips) and check.requirements
            if check.outcome is Outcome.SKIPPED and not allowed:
                yield f"{', '.join(check.requirements) or check.id} skipped under --gate: {check.reason}"
    if not counts[Outcome.PASSED] and not troubles:
        yield "nothing was proven: no check passed"
