"""The readiness score: how much of what the outage broke is proven again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pytest_goldenpath.verdict.checks import Check, Outcome

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
