"""What a rule may say: findings, or why it could not look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_goldenpath.contract.attribution import Attributed
from pytest_goldenpath.contract.findings import Attribution, Finding, Severity, excerpt, printable
from pytest_goldenpath.contract.survey import Survey

#: Characters of a finding; a stranger's words in it may be as long as he likes.
_LONGEST_MESSAGE, _LONGEST_EVIDENCE = 800, 1200


@dataclass(frozen=True, slots=True)
class Unlooked:
    """The rule could not look.

    Attributes:
        reason: a sentence for people.
        blocked_by: codes whose breach explains it.
        skipped: this target offers nothing to look at, and is not to blame for it.
    """

    reason: str
    blocked_by: tuple[str, ...] = ()
    skipped: bool = False


#: A rule's answer: no finding means that the promise is proven.
Ruling = tuple[Finding, ...] | Unlooked


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise of a healthy golden path.

    Attributes:
        code: ``GP-nnn``; its meaning never changes.
        severity: must fails the run, should is reported.
        categories: where it is proven.
        promise: one sentence.
        section: the place in the platform's contract.
        needs: observations it looks at, by name.
        check: the pure function that judges.
    """

    code: str
    severity: Severity
    categories: tuple[str, ...]
    promise: str
    section: str
    needs: tuple[str, ...]
    check: Callable[[Survey], Ruling]


def broken(
    code: str,
    message: str,
    evidence: str = "",
    *,
    severity: Severity = Severity.MUST,
    absence: bool = False,
    attribution: Attribution | Attributed = Attribution.PRODUCT,
    row: str = "",
) -> Finding:
    """Build a finding in the words of a rule; a stranger's bytes in it are made printable."""
    decided = attribution if isinstance(attribution, Attributed) else Attributed(attribution, row)
    return Finding(
        code,
        severity,
        printable(excerpt(message, _LONGEST_MESSAGE)).replace("\n", " "),
        printable(excerpt(evidence, _LONGEST_EVIDENCE)).replace("\n", " "),
        absence=absence,
        attribution=decided.attribution,
        row=decided.row,
    )
