"""The rules by import: odd builds are not accused, and whatever a probe saw can be judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import context, survey
from contract import examples_context
from pytest_goldenpath.contract.findings import Severity
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.observed import ContextFacts, Home

_TRIALS = [trial.name for trial in context().trials]


@pytest.mark.parametrize(
    "facts",
    [facts for _, facts in examples_context.HEALTHY],
    ids=[name for name, _ in examples_context.HEALTHY],
)
def test_odd_context_is_not_accused(facts: ContextFacts) -> None:
    """What builds differ in, or accept although it is odd, breaks no promise by import."""
    codes = ("GP-701", "GP-702", "GP-703", "GP-704")

    assert [c for c in codes if not judge(c, survey(context=facts)).proven] == []


def test_unimportable_neighbour_is_skipped() -> None:
    """A library that this machine lacks accuses nobody, and proves nothing."""
    foreign = Home("get_unified_config", reason="No module named 'redis'", foreign=True)
    facts = context(homes=(foreign,), without=("configuration",))
    judgement = judge("GP-704", survey(context=facts))

    assert (judgement.skipped, judgement.proven, judgement.findings) == (True, False, ())
    assert "redis" in judgement.undecided


def test_configuration_that_fails_here_is_only_reported() -> None:
    """A configuration that lacks its environment on the tester's machine is a should."""
    facts = context(examples_context.raised("configuration", "RuntimeError"))
    findings = judge("GP-704", survey(context=facts)).findings

    assert {finding.severity for finding in findings} == {Severity.SHOULD}


def test_context_that_cannot_be_made_blocks_what_needs_one() -> None:
    """When from_request accepts nothing, only GP-701 accuses."""
    facts = context(
        examples_context.raised("request with client id"), without=("base", "child", "supervisor")
    )
    observed = survey(context=facts)

    assert judge("GP-701", observed).broken
    for code in ("GP-702", "GP-703"):
        assert judge(code, observed).findings == ()
        assert [f.code for f in judge(code, observed).blocking] == ["GP-701"]


@given(st.dictionaries(st.sampled_from(_TRIALS), st.booleans()))
def test_any_trials_can_be_judged(kept: dict[str, bool]) -> None:
    """Whatever trials are missing or raised, rules say something and never fail."""
    gone = tuple(name for name, is_there in kept.items() if not is_there)
    loud = [examples_context.raised(name) for name, is_there in kept.items() if is_there]
    facts = context(*loud, without=gone)
    codes = ("GP-701", "GP-702", "GP-703", "GP-704")

    assert [judge(code, survey(context=facts)).code for code in codes] == list(codes)
