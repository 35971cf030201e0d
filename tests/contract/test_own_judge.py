"""What a project's own judge says is data, and the rule of the answer weighs it."""

from __future__ import annotations

from builders import PROMPT, healthy_entries, journey, survey
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.survey import Missing


def test_judge_that_failed_leaves_the_answer_undecided() -> None:
    """A project's judge that broke down accuses nobody, and hides no breach that the rules see."""
    failed = {"own judge": Missing("the project's own judge of answers failed: KeyError")}
    fine = judge("GP-502", survey(missing=failed))
    mock = journey(healthy_entries(f"Mock triage agent response for: {PROMPT}"))

    assert (fine.proven, fine.findings) == (False, ())
    assert "KeyError" in fine.undecided
    assert judge("GP-502", survey(journey=mock, missing=failed)).broken
