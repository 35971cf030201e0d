"""A project's own rules of attribution: asked once for each trouble, obeyed, and never trusted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from builders import exchange, journey, survey
from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.plugin.judging import Hooks, with_own_attribution
from pytest_goldenpath.secrets import Redactor, Secret

SLOW = Symptom(Kind.ANSWER_TIMEOUT, "journey", ready=True, detail="too slow")
BUSY = Symptom(Kind.HTTP_STATUS, "health", status=503, app_made=True, ready=True)
Rule = Callable[[Symptom], object]


class Own:
    """A conftest with a rule."""

    def __init__(self, rule: Rule) -> None:
        """Take the rule."""
        self._rule = rule
        self.asked: list[Symptom] = []

    @pytest.hookimpl
    def pytest_goldenpath_attribute(self, symptom: Symptom) -> object:
        """Note what was asked, and apply the rule."""
        self.asked.append(symptom)
        return self._rule(symptom)


def troubled() -> Survey:
    """Build a survey with trouble in an exchange, a conversation and a missing observation."""
    late = exchange({"detail": "busy"}, status=503, at_s=1.0, symptom=BUSY)
    return survey(
        health=(exchange(), late),
        journey=journey((), symptom=SLOW),
        missing={"journey": Missing("it broke off", symptom=SLOW)},
    )


def ruled(pytester: pytest.Pytester, observed: Survey, *rules: Own) -> Survey:
    """Apply these rules to a survey, in the order of pytest: the last one is asked first."""
    config = pytester.parseconfig()
    config.pluginmanager.add_hookspecs(Hooks)
    for rule in rules:
        config.pluginmanager.register(rule)
    redactor = Redactor()
    redactor.learn(Secret("s3cr3t-value"))
    return with_own_attribution(config, observed, redactor)


def test_without_a_rule_nothing_changes(pytester: pytest.Pytester) -> None:
    """The very same survey comes back, and so it does from a rule that has no opinion."""
    observed = troubled()

    assert ruled(pytester, observed) is observed
    assert ruled(pytester, observed, Own(lambda _: None)) == observed


def test_every_trouble_is_asked_about_once(pytester: pytest.Pytester) -> None:
    """The same trouble stands in several places of a survey, and is one question."""
    own = Own(lambda _: "upstream")
    seen = ruled(pytester, troubled(), own)
    symptoms = (seen.health[1].symptom, seen.journey and seen.journey.symptom)

    assert sorted(own.asked, key=str) == sorted([SLOW, BUSY], key=str)
    assert [s and (s.override, s.rule) for s in (*symptoms, seen.missing["journey"].symptom)] == [
        ("upstream", "own:E4-4"),
        ("upstream", "own:E4-19"),
        ("upstream", "own:E4-19"),
    ]


def test_broken_promise_becomes_doubt_and_no_more(pytester: pytest.Pytester) -> None:
    """What the table calls the product's is left undecided by the project's word, not proven."""
    plain = troubled()
    seen = ruled(pytester, plain, Own(lambda _: "infrastructure"))

    assert judge("GP-109", plain).broken
    assert judge("GP-109", seen).excused[0].row == "own:E4-4"
    assert [judge(code, seen).proven for code in ("GP-109", "GP-405", "GP-501")] == [False] * 3
    assert judge("GP-405", seen).broken == ()


def test_doubt_may_become_an_accusation(pytester: pytest.Pytester) -> None:
    """A project that knows better than the table may call its gateway's 503 the product's."""
    proxy = Symptom(Kind.HTTP_STATUS, "health", status=503, ready=True)
    late = exchange("<html>", status=503, at_s=1.0, symptom=proxy)
    seen = ruled(pytester, survey(health=(exchange(), late)), Own(lambda _: "product"))

    assert judge("GP-109", seen).broken[0].row == "own:E4-3"


def test_first_word_counts(pytester: pytest.Pytester) -> None:
    """Of several rules the first one with an opinion decides."""
    seen = ruled(pytester, troubled(), Own(lambda _: "upstream"), Own(lambda _: "capacity"))

    assert seen.missing["journey"].symptom is not None
    assert seen.missing["journey"].symptom.override == "capacity"


def _raise(_: Symptom) -> object:
    raise KeyError("s3cr3t-value")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (lambda _: "nobody", "it returned 'nobody', none of product, auth, infrastructure"),
        (lambda _: "PRODUCT", "it returned 'PRODUCT', none of"),
        (lambda _: "", "it returned '', none of"),
        (lambda _: 5, "it returned 5, none of"),
        (lambda _: ["product"], "it returned ['product'], none of"),
        (lambda _: "x" * 5000, "more…"),
        (lambda _: "s3cr3t-value", "it returned '***', none of"),
        (_raise, "KeyError: '***'"),
    ],
)
def test_word_that_is_none_is_ours(pytester: pytest.Pytester, rule: Rule, told: str) -> None:
    """A wrong word and a rule that breaks down leave the trouble undecided, and are told."""
    symptom = ruled(pytester, troubled(), Own(rule)).missing["journey"].symptom
    assert symptom is not None

    assert attribute(symptom).attribution is Attribution.HARNESS
    assert told in symptom.sentence()
    assert "too slow; the project's own rule failed" in symptom.sentence()
    assert "s3cr3t-value" not in str(symptom)
    assert len(symptom.detail) < 800
