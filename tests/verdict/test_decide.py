"""One verdict, decided by precedence: FAIL, INCONCLUSIVE, BYPASSED, PASS."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.errors import CheckBlocked, ContractBroken, InfraError, TargetUnreachable
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.checks import Check, Outcome, explain
from pytest_goldenpath.verdict.decide import Exit, Rulebook, Verdict, decide

MUST = Finding("GP-101", Severity.MUST, "expected 200, got 500")
SHOULD = Finding("GP-105", Severity.SHOULD, "shallow")
PASSED = Check("t::passed", "smoke", ("GP-101",), Outcome.PASSED)
NOTED = Check("t::noted", "smoke", ("GP-105",), Outcome.PASSED, findings=(SHOULD,))
FAILED = Check(
    "t::failed", "smoke", ("GP-101",), Outcome.FAILED, Attribution.PRODUCT, (MUST,), "broken"
)
UNSURE = Check(
    "t::unsure",
    "smoke",
    ("GP-405",),
    Outcome.INCONCLUSIVE,
    Attribution.INFRASTRUCTURE,
    reason="refused",
)
BLOCKED = Check(
    "t::blocked", "smoke", ("GP-405",), Outcome.INCONCLUSIVE, Attribution.PRODUCT, (MUST,), "no"
)
SKIPPED = Check("t::skipped", "smoke", ("GP-201",), Outcome.SKIPPED, reason="ready token")
ACTIVE = Bypass(("environment SKIP_CAPACITY_CHECKS",), datetime(2099, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("checks", "verdict", "code"),
    [
        ((PASSED,), Verdict.PASS, 0),
        ((PASSED, NOTED), Verdict.PASS, 0),
        ((PASSED, SKIPPED), Verdict.PASS, 0),
        ((PASSED, FAILED), Verdict.FAIL, 1),
        ((PASSED, FAILED, UNSURE), Verdict.FAIL, 1),
        ((PASSED, UNSURE), Verdict.INCONCLUSIVE, 75),
        ((UNSURE,), Verdict.INCONCLUSIVE, 75),
        ((SKIPPED,), Verdict.INCONCLUSIVE, 75),
        ((), Verdict.INCONCLUSIVE, 75),
        ((PASSED, BLOCKED), Verdict.FAIL, 1),
    ],
)
def test_precedence(checks: tuple[Check, ...], verdict: Verdict, code: int) -> None:
    """A product finding wins over doubt, doubt over a pass, and nothing proven is no pass."""
    decision = decide(checks)

    assert (decision.verdict, decision.exit_code) == (verdict, code)


def test_order_of_checks_is_irrelevant() -> None:
    """The same checks in any order give the same verdict, exit code and counts."""
    decisions = [decide(order) for order in permutations((PASSED, FAILED, UNSURE, SKIPPED))]

    assert {(d.verdict, d.exit_code) for d in decisions} == {(Verdict.FAIL, 1)}


def test_unfinished_checks_are_doubt() -> None:
    """A selected check that did not run keeps a run from passing."""
    decision = decide((PASSED,), unfinished=("t::never",))

    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "t::never" in decision.reasons[0]


def test_bypass_wraps_a_pass_and_nothing_else() -> None:
    """A bypass turns PASS into BYPASSED, and leaves every other verdict as it is."""
    assert decide((PASSED,), bypass=ACTIVE).verdict is Verdict.BYPASSED
    assert decide((PASSED,), bypass=ACTIVE).underlying is Verdict.PASS
    assert decide((PASSED,), bypass=ACTIVE).exit_code == Exit.BYPASSED
    assert decide((FAILED,), bypass=ACTIVE).verdict is Verdict.FAIL
    assert decide((UNSURE,), bypass=ACTIVE).verdict is Verdict.INCONCLUSIVE


def test_accepted_bypass_exits_with_zero_and_keeps_its_name() -> None:
    """``--accept-bypass`` changes the exit code and not the verdict."""
    decision = decide((PASSED,), bypass=ACTIVE, rulebook=Rulebook(accept_bypass=True))

    assert (decision.verdict, decision.exit_code) == (Verdict.BYPASSED, 0)


def test_expired_bypass_changes_nothing() -> None:
    """A bypass that does not count leaves a pass a pass."""
    expired = Bypass(ACTIVE.sources, ACTIVE.expires, expired=True, problem="expired")

    assert decide((PASSED,), bypass=expired).verdict is Verdict.PASS


def test_gate_refuses_a_skip_outside_the_allow_list() -> None:
    """Under a gate a skipped check is not green, unless its code is allowed."""
    strict, allowed = Rulebook(gate=True), Rulebook(gate=True, allowed_skips=("GP-201",))

    assert decide((PASSED, SKIPPED), rulebook=strict).verdict is Verdict.INCONCLUSIVE
    assert decide((PASSED, SKIPPED), rulebook=allowed).verdict is Verdict.PASS


@given(st.lists(st.sampled_from([PASSED, FAILED, UNSURE, SKIPPED, BLOCKED, NOTED]), max_size=8))
def test_more_evidence_of_a_breach_never_helps(checks: list[Check]) -> None:
    """Adding a failed check always gives FAIL; adding doubt never gives PASS."""
    assert decide((*checks, FAILED)).verdict is Verdict.FAIL
    assert decide((*checks, UNSURE)).verdict in {Verdict.FAIL, Verdict.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("error", "outcome", "whose"),
    [
        (ContractBroken((MUST,)), Outcome.FAILED, Attribution.PRODUCT),
        (AssertionError("user wrote this"), Outcome.FAILED, Attribution.PRODUCT),
        (
            TargetUnreachable(Symptom(Kind.REFUSED, "p")),
            Outcome.INCONCLUSIVE,
            Attribution.INFRASTRUCTURE,
        ),
        (
            InfraError(Symptom(Kind.ANSWER_TIMEOUT, "p", ready=True)),
            Outcome.FAILED,
            Attribution.PRODUCT,
        ),
        (CheckBlocked(("GP-405",), "no login", (MUST,)), Outcome.INCONCLUSIVE, Attribution.PRODUCT),
        (KeyError("bug"), Outcome.INCONCLUSIVE, Attribution.HARNESS),
    ],
)
def test_exceptions_are_explained(
    error: BaseException, outcome: Outcome, whose: Attribution
) -> None:
    """Each family of exceptions has one meaning for a check."""
    explained = explain(error)

    assert (explained.outcome, explained.attribution) == (outcome, whose)
