"""What became of one check, and how many of those that the outage broke are proven again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from pytest_goldenpath.contract.attribution import Attributed, attribute, row_of_code
from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
from pytest_goldenpath.errors import CheckBlocked, CheckSkipped, ContractBroken, InfraError
from pytest_goldenpath.verdict.excerpt import Excerpt


class Outcome(StrEnum):
    """What is known after a check has run."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a run.

    Attributes:
        id: the test's node id.
        category: ``smoke``, ``mission_critical``, ``remediation`` or ''.
        requirements: codes that the check proves.
        outcome: what is known.
        attribution: whose trouble it is; None for a check that passed or was skipped.
        findings: everything that was found, shoulds as well.
        reason: a sentence for an outcome that is not ``passed``.
        row: the row of the attribution table that decided, when one did.
        attempts: how often the check was made.
        duration_s: seconds.
        excerpt: the frames around what it found; None when no conversation shows it.
    """

    id: str
    category: str
    requirements: tuple[str, ...]
    outcome: Outcome
    attribution: Attribution | None = None
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    row: str = ""
    attempts: int = 1
    duration_s: float = 0.0
    excerpt: Excerpt | None = None

    @property
    def accusations(self) -> tuple[Finding, ...]:
        """The findings that fail a run, whether they are this check's own or blocked it."""
        return tuple(
            f for f in self.findings if f.severity is Severity.MUST and f.attribution.accuses
        )


@dataclass(frozen=True, slots=True)
class Explained:
    """What an exception says about a check; the fields are those of :class:`Check`."""

    outcome: Outcome
    attribution: Attribution | None
    findings: tuple[Finding, ...]
    reason: str
    row: str = ""


def explain(error: BaseException) -> Explained:
    """Say what an exception that ended a check means.

    A broken promise and a failed assertion accuse the product; trouble is attributed by its
    structure; anything else is a fault of the check itself.
    """
    match error:
        case ContractBroken():
            reason = str(error).partition("\n")[0]
            return _by_finding(Outcome.FAILED, error.findings, reason, _UNEXPLAINED)
        case CheckBlocked():
            blame = Attributed(Attribution.HARNESS, "")  # the reason itself says what is missing
            return _by_finding(Outcome.INCONCLUSIVE, error.findings, str(error), blame)
        case CheckSkipped():
            return Explained(Outcome.SKIPPED, None, (), str(error))
        case InfraError():
            decided = attribute(error.symptom)
            accused = decided.attribution.accuses
            outcome = Outcome.FAILED if accused else Outcome.INCONCLUSIVE
            return Explained(outcome, decided.attribution, (), str(error), decided.row)
        case AssertionError():
            reason = str(error).partition("\n")[0] or "an assertion failed"
            return Explained(Outcome.FAILED, Attribution.PRODUCT, (), reason)
        case _:
            reason = f"the check itself failed: {type(error).__name__}: {error}"
            return Explained(
                Outcome.INCONCLUSIVE, Attribution.HARNESS, (), reason.partition("\n")[0], OWN_FAULT
            )


#: The row of a fault of the check itself.
OWN_FAULT = "E4-45"
_UNEXPLAINED = Attributed(Attribution.PRODUCT, "")


def _by_finding(
    outcome: Outcome, findings: tuple[Finding, ...], reason: str, otherwise: Attributed
) -> Explained:
    """Attribute a check as the first of its findings is, or as it is without one."""
    if not findings:
        return Explained(outcome, otherwise.attribution, (), reason, otherwise.row)
    first = findings[0]
    row = first.row or row_of_code(first.code)
    return Explained(outcome, first.attribution, findings, reason, row)


REMEDIATION = "remediation"
#: Per cent of the remediation checks (protocol 9, validation 10).
NEEDED = 85


@dataclass(frozen=True, slots=True)
class Readiness:
    """The share of remediation checks that are proven.

    Attributes:
        proven, selected: numbers of checks.
        missing: ids of those that are not proven, whatever the reason.
    """

    proven: int
    selected: int
    missing: tuple[str, ...]

    @property
    def score(self) -> float:
        """Per cent, one decimal, rounded down, so that nothing looks better than it is."""
        return 1000 * self.proven // self.selected / 10


def readiness(checks: Collection[Check], *, selected: Collection[str] = ()) -> Readiness | None:
    """Score a run; None when no remediation check was in it.

    Args:
        checks: every check that ran, of any category.
        selected: ids of selected remediation checks; those that did not run are not proven.

    """
    outcomes = dict.fromkeys(selected, "")
    outcomes |= {check.id: check.outcome for check in checks if check.category == REMEDIATION}
    if not outcomes:
        return None
    missing = tuple(sorted(id_ for id_, outcome in outcomes.items() if outcome != Outcome.PASSED))
    return Readiness(len(outcomes) - len(missing), len(outcomes), missing)
