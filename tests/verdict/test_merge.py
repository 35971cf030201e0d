"""Several verdicts become one, exactly and in any order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.checks import Outcome
from pytest_goldenpath.verdict.document import schema
from pytest_goldenpath.verdict.merge import merge, problem_of
from pytest_goldenpath.verdict.outage import Outages
from verdicts import BEGAN, FINDING, NOTE, TARGET, check, documents, verdict

_COMPLETE = jsonschema.Draft202012Validator(schema())
PASSED = verdict(check(1))
FAILED = verdict(check(2, Outcome.FAILED))
UNSURE = verdict(check(3, Outcome.INCONCLUSIVE))
BYPASSED = verdict(check(4), bypass=Bypass(("DEMO_MODE",), BEGAN + timedelta(days=1)))


@settings(max_examples=40)
@given(documents(), documents())
def test_order_is_irrelevant(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Merging is commutative."""
    assert merge([one, other]) == merge([other, one])


@settings(max_examples=40)
@given(documents(), documents(), documents())
def test_grouping_is_irrelevant(
    one: dict[str, Any], other: dict[str, Any], third: dict[str, Any]
) -> None:
    """Merging is associative: merged verdicts can be merged again."""
    at_once = merge([one, other, third])

    assert merge([merge([one, other]), third]) == at_once
    assert merge([one, merge([other, third])]) == at_once


@settings(max_examples=40)
@given(documents(), documents())
def test_the_same_file_counts_once(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Merging is idempotent, also for what was merged already."""
    merged = merge([one, other])

    assert merge([one, other, one]) == merged
    assert merge([merged, other]) == merged
    assert merge([merged]) == merged


@settings(max_examples=40)
@given(st.lists(documents(), min_size=1, max_size=3))
def test_merged_document_keeps_the_schema(parts: list[dict[str, Any]]) -> None:
    """A merged verdict is a verdict, agrees with itself, and survives being a file."""
    merged = merge(parts)

    assert _COMPLETE.is_valid(merged)
    assert problem_of(merged) == ""
    assert merge([json.loads(json.dumps(merged))]) == merged


@settings(max_examples=40)
@given(st.lists(documents(), min_size=1, max_size=3))
def test_nothing_looks_better_than_its_worst_part(parts: list[dict[str, Any]]) -> None:
    """No part that is not clean gets lost, and no finding does."""
    merged = merge(parts)
    order = ("FAIL", "INCONCLUSIVE", "BYPASSED", "PASS")

    worst = min((part["verdict"] for part in parts), key=order.index)
    assert order.index(merged["verdict"]) <= order.index(worst)
    assert (merged["exit_code"] == 0) == (merged["verdict"] == "PASS")
    for part in parts:
        found = [finding for one in merged["checks"] for finding in one["findings"]]
        assert all(finding in found for one in part["checks"] for finding in one["findings"])


def test_counts_are_those_of_the_shards() -> None:
    """Checks that no two shards share are counted as often as the shards count them."""
    shards = [
        verdict(check(1), check(2, Outcome.FAILED)),
        verdict(check(3), check(4, Outcome.SKIPPED), http_503=2),
        verdict(check(5, Outcome.INCONCLUSIVE), http_503=1),
    ]
    merged = merge(shards)

    for outcome in Outcome:
        assert merged["counts"][outcome] == sum(shard["counts"][outcome] for shard in shards)
    assert merged["http_503"] == 3


@pytest.mark.parametrize(
    ("parts", "word", "code"),
    [
        ((PASSED,), "PASS", 0),
        ((PASSED, BYPASSED), "BYPASSED", 80),
        ((PASSED, BYPASSED, UNSURE), "INCONCLUSIVE", 75),
        ((PASSED, BYPASSED, UNSURE, FAILED), "FAIL", 1),
        ((PASSED, verdict(check(5), exit_code=1)), "PASS", 1),
        ((FAILED, verdict(check(5), exit_code=2)), "FAIL", 2),
        ((FAILED, verdict(check(5), exit_code=4)), "FAIL", 4),
        ((UNSURE, verdict(check(5), exit_code=6)), "INCONCLUSIVE", 6),
    ],
)
def test_precedence(parts: tuple[dict[str, Any], ...], word: str, code: int) -> None:
    """Verdict and exit code follow the precedence of a single run, in every order."""
    merged = [merge(order) for order in permutations(parts)]

    assert {(one["verdict"], one["exit_code"]) for one in merged} == {(word, code)}


def test_worst_outcome_of_a_check_counts() -> None:
    """A check that two shards ran has the worse outcome, and the findings of both."""
    one = verdict(check(1, findings=(NOTE,), attempts=3, duration_s=2.0))
    other = verdict(check(1, Outcome.FAILED, duration_s=5.0))
    (found,) = merge([one, other])["checks"]

    assert (found["outcome"], found["attribution"]) == ("failed", "product")
    assert {finding["code"] for finding in found["findings"]} == {NOTE.code, FINDING.code}
    assert (found["attempts"], found["duration_s"]) == (3, 5.0)


def test_check_of_two_targets_is_two_checks() -> None:
    """The same check of another target stands for itself, and each reason names its target."""
    preview = replace(TARGET, name="preview", backend="https://preview.example.com")
    merged = merge([PASSED, verdict(check(1, Outcome.FAILED), target=preview)])

    assert merged["counts"] == {"passed": 1, "failed": 1, "inconclusive": 0, "skipped": 0}
    assert merged["target"]["name"] == "preview, staging"
    assert merged["reasons"] == [f"preview: {FINDING.code} {FINDING.message}"]


def test_shards_of_different_builds_prove_neither() -> None:
    """A rollout in the middle of a sharded run leaves it undecided; a target that is silent does not."""
    other, silent = verdict(check(2), revision="1.4.3"), verdict(check(2), revision="")

    assert merge([PASSED, other])["verdict"] == "INCONCLUSIVE"
    assert merge([PASSED, other])["exit_code"] == 75
    assert "1.4.2, 1.4.3" in merge([PASSED, other])["reasons"][-1]
    assert merge([PASSED, silent])["verdict"] == "PASS"
    assert merge([FAILED, other])["verdict"] == "FAIL"


def test_readiness_is_scored_over_all_parts() -> None:
    """A remediation check that one shard did not prove is missing, whoever proved it elsewhere."""
    proven = [check(number, category="remediation") for number in range(1, 4)]
    unproven = check(3, Outcome.INCONCLUSIVE, category="remediation")
    merged = merge([verdict(*proven), verdict(unproven)])

    assert (merged["readiness"]["proven"], merged["readiness"]["selected"]) == (2, 3)
    assert merged["readiness"]["missing"] == [unproven.id]
    assert merged["readiness"]["score"] == 66.6


def test_span_is_from_first_start_to_last_end() -> None:
    """Shards that ran side by side took as long as the last of them needed."""
    late = verdict(check(2), began=BEGAN + timedelta(seconds=10), duration_s=20.0)

    assert merge([PASSED, late])["duration_s"] == 30.0
    assert merge([PASSED, late])["started"] == PASSED["started"]


def test_bypass_of_one_part_is_the_bypass_of_all() -> None:
    """An active bypass is told with its end, beside a part that had none."""
    merged = merge([PASSED, BYPASSED])

    assert merged["bypass"]["active"]
    assert merged["bypass"]["sources"] == ["DEMO_MODE"]
    assert merged["underlying"] == "PASS"


def test_probe_that_was_not_ready_once_is_not_ready() -> None:
    """The worst of each probe is told."""
    late = json.loads(json.dumps(UNSURE))
    late["warmup"]["db"] |= {"ready": False, "took_s": 45.0, "last_error": "refused"}
    merged = merge([PASSED, late])

    assert merged["warmup"]["db"]["last_error"] == "refused"
    assert merged["warmup"]["vpc"]["ready"]


def test_waits_of_all_parts_are_added_up() -> None:
    """What the parts waited for is told as one; a verdict that is older tells nothing."""
    waited = verdict(check(2), outages=Outages(2, 1, 30.5, gone=True))
    older = {name: value for name, value in PASSED.items() if name != "outages"}
    merged = merge([verdict(check(3), outages=Outages(1, 0, 0.25)), waited, older])

    assert merged["outages"] == {
        "recoveries": 3,
        "blips": 1,
        "waited_s": 30.75,
        "gone": True,
        "cause": "",
    }
    assert "outages" not in merge([older])


def changed(**changes: Any) -> dict[str, Any]:
    """Return a good document with these changes."""
    return {**json.loads(json.dumps(FAILED)), **changes}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, "no object"),
        ([], "no object"),
        (changed(verdict="MAYBE"), "verdict is 'MAYBE'"),
        (changed(schema="goldenpath-verdict/2"), "schema is"),
        (changed(exit_code=0), "contradicts its verdict FAIL"),
        (changed(verdict="PASS", exit_code=0), "a failed check contradicts"),
        (changed(counts={**FAILED["counts"], "failed": 2}), "counts are not those"),
        (changed(started="yesterday"), "no time with a zone"),
        (changed(started="2026-11-01T12:00:00"), "no time with a zone"),
        (changed(started=True), "started is no string"),
        (changed(http_503=-1), "http_503 is -1"),
        (changed(duration_s=float("nan")), "duration_s is nan"),
        (changed(surprise=1), "surprise is unknown"),
        (changed(checks=[{}]), "checks[0].id is missing"),
        (changed(parts=[{"id": "no"}]), "parts[0].verdict is missing"),
        ({k: v for k, v in FAILED.items() if k != "target"}, "target is missing"),
    ],
)
def test_what_is_wrong_is_named(document: object, problem: str) -> None:
    """A document that cannot be trusted is refused by a sentence; the good one is not."""
    assert problem in problem_of(document)
    assert problem_of(FAILED) == ""


def test_part_of_a_merged_document_is_looked_at() -> None:
    """A merged file in which a part was edited is refused like any other."""
    merged = json.loads(json.dumps(merge([PASSED, FAILED])))
    merged["parts"][0]["started"] = "yesterday"

    assert problem_of(merged).startswith("parts[0]: started")
