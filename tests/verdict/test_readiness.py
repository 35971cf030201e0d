"""The readiness score: the share of remediation checks that are proven, never flattered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.verdict.checks import NEEDED, REMEDIATION, Check, Outcome, readiness


def check(number: int, outcome: Outcome, category: str = REMEDIATION) -> Check:
    """Build a check of which only this matters."""
    return Check(f"{category}::{number:04}", category, ("GP-101",), outcome)


def test_no_remediation_check_has_no_score() -> None:
    """A run of other categories says nothing of readiness."""
    assert readiness(()) is None
    assert readiness((check(1, Outcome.PASSED, "smoke"),)) is None


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.PASSED])
def test_what_is_not_proven_is_missing(outcome: Outcome) -> None:
    """A check that failed, was skipped or undecided is missing, and is named."""
    scored = readiness((check(1, Outcome.PASSED), check(2, outcome)))

    assert scored is not None
    assert (scored.score, scored.proven, scored.selected) == (50.0, 1, 2)
    assert scored.missing == (f"{REMEDIATION}::0002",)


def test_check_that_did_not_run_is_missing() -> None:
    """A selected check of which nothing is known is not proven, and counts once."""
    scored = readiness(
        (check(1, Outcome.PASSED),), selected=(f"{REMEDIATION}::0001", f"{REMEDIATION}::0002")
    )

    assert scored is not None
    assert (scored.score, scored.missing) == (50.0, (f"{REMEDIATION}::0002",))


def test_score_is_rounded_down() -> None:
    """What lacks a hair of the needed share does not reach it on paper."""
    checks = [check(n, Outcome.PASSED if n < 1699 else Outcome.FAILED) for n in range(2000)]
    scored = readiness(checks)

    assert scored is not None
    assert scored.score == 84.9 < NEEDED


@given(st.lists(st.sampled_from(Outcome), min_size=1, max_size=60))
def test_score_agrees_with_its_parts(outcomes: list[Outcome]) -> None:
    """Score, numbers and names tell the same, whatever the outcomes and their order."""
    checks = [check(number, outcome) for number, outcome in enumerate(outcomes)]
    scored = readiness(checks)

    assert scored is not None
    assert scored == readiness(checks[::-1])
    assert scored.proven == outcomes.count(Outcome.PASSED)
    assert scored.proven + len(scored.missing) == scored.selected == len(outcomes)
    assert 0 <= scored.score <= 100 * scored.proven / scored.selected
    assert (scored.score >= NEEDED) is (100 * scored.proven >= NEEDED * scored.selected)
