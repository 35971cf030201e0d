"""The classifier as a function: total, decided by structure, and never softened by accident."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_goldenpath.contract.attribution import (
    ELSEWHERE,
    OFFLINE,
    ROWS,
    TRIGGER_WINDOW_S,
    UNKNOWN,
    Retry,
    attribute,
    row_of_code,
)
from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import FAILED, HEALTHY, Kind, Symptom, with_control
from pytest_goldenpath.report.files import survey_from_text, survey_to_text
from pytest_goldenpath.verdict.warmup import ProbeReport, ResilienceReport, from_plain

_CODES = (429, 401, 403, 500, 529, *range(1000, 1016), 3000, 3003, 3008, 4000, 4001, 4401, 4999)
_SECONDS = st.floats(0, 1e6)
SYMPTOMS = st.builds(
    Symptom,
    st.sampled_from(Kind),
    st.sampled_from(["login (password)", "journey", "health"]),
    status=st.none() | st.integers(100, 599),
    code=st.none() | st.sampled_from(_CODES),
    app_made=st.booleans(),
    ready=st.booleans(),
    retry_after_s=st.none() | _SECONDS,
    upgrade=st.booleans(),
    html=st.booleans(),
    sent_by_us=st.booleans(),
    elapsed_s=_SECONDS,
    limit_s=_SECONDS,
    lag_s=_SECONDS,
    control=st.sampled_from(["", HEALTHY, FAILED]),
    outlived_s=st.floats(0, 300),
)
EVERY_ROW = (OFFLINE, *ROWS, UNKNOWN)
#: What must never become one another, row by row: the table as the platform wrote it.
AFTER = {
    "product": {1, 4, 5, 10, 11, 17, 19, 22, 24, 28, 33, 40},
    "auth": {8, 9, 27, 32, 33},
    "infrastructure": {2, 3, 5, 12, 13, 14, 16, 18, 23, 25, 26, 29, 30, 32, 38},
    "capacity": {6, 31},
    "upstream": {39},
    "harness": {7, 15, 46, 47, 48},
}
ESCALATING = {2, 3, 5, 6, 12, 13, 16, 18, 23, 25, 26, 29, 30, 31, 32, 38}


def number(name: str) -> int:
    """Return the number of a row."""
    return int(name.removeprefix("E4-"))


def test_rows_are_never_exchanged() -> None:
    """After readiness each row blames whom the platform's table blames."""
    found: dict[str, set[int]] = {}
    for row in EVERY_ROW[:-1]:
        found.setdefault(row.after_ready.value, set()).add(number(row.name))

    assert found == AFTER
    assert {number(row.name) for row in ROWS if row.escalates} == ESCALATING


def test_every_row_of_the_platform_has_a_place() -> None:
    """1 to 48 are rows of the table or decided elsewhere, and none is both."""
    named = {number(row.name) for row in EVERY_ROW[:-1]}
    elsewhere = set(map(number, ELSEWHERE))

    assert named | elsewhere == set(range(1, 49))
    assert not named & elsewhere


def test_no_row_hides_another() -> None:
    """Each row of the table is the first to match for some symptom."""
    signs = [
        Symptom(kind, phase, status=status, code=code, app_made=made, html=html, sent_by_us=ours)
        for kind, statuses, codes in (
            (Kind.HTTP_STATUS, (*range(300, 530),), (None,)),
            (Kind.WS_CLOSE, (None,), _CODES),
            (Kind.PROVIDER, (None,), _CODES),
            *((kind, (None,), (None,)) for kind in Kind),
        )
        for status in statuses
        for code in codes
        for phase in ("login", "journey")
        for made in (True, False)
        for html in (True, False)
        for ours in (True, False)
    ]
    signs += [
        Symptom(Kind.HTTP_STATUS, "journey", status=401, upgrade=True),
        Symptom(Kind.HTTP_STATUS, "journey", status=504, elapsed_s=9.5, limit_s=10.0),
        Symptom(Kind.REFUSED, "journey", control=FAILED),
    ]
    first = {next(row for row in EVERY_ROW if row.matches(sign)).sign for sign in signs}

    assert {row.sign for row in EVERY_ROW} == first


def test_signs_tell_rows_apart() -> None:
    """No two rows are told in the same words, and every retry is one of three."""
    assert max(Counter(row.sign for row in EVERY_ROW).values()) == 1
    assert {row.retry for row in EVERY_ROW} == set(Retry)


@given(SYMPTOMS)
def test_classifier_is_total_and_certain(symptom: Symptom) -> None:
    """Every symptom is attributed, twice in the same way, by a row that has a name."""
    decided = attribute(symptom)

    assert decided == attribute(symptom)
    assert re.fullmatch(r"E4-\d+(\+E)?|unknown", decided.row)


@given(SYMPTOMS, st.text(), st.text())
def test_free_text_changes_nothing(symptom: Symptom, detail: str, where: str) -> None:
    """What a target says in prose never changes whose trouble it is."""
    assert attribute(replace(symptom, detail=detail, where=where)) == attribute(symptom)


@given(SYMPTOMS)
def test_unknown_depends_on_readiness_alone(symptom: Symptom) -> None:
    """Before readiness the unknown is infrastructure, after it the product."""
    decided = attribute(symptom)
    assume(decided.row == UNKNOWN.name)
    whose = Attribution.PRODUCT if symptom.ready else Attribution.INFRASTRUCTURE

    assert decided.attribution is whose


@given(SYMPTOMS)
def test_escalation_asks_for_everything(symptom: Symptom) -> None:
    """A road's trouble accuses only after readiness, window and a healthy control host."""
    alone = attribute(replace(symptom, control="", outlived_s=0.0))
    decided = attribute(symptom)
    asked = symptom.ready and symptom.outlived_s >= TRIGGER_WINDOW_S
    if decided.row.endswith("+E"):
        assert asked
        assert symptom.control == HEALTHY
        assert decided.attribution is Attribution.PRODUCT
        assert decided.row == f"{alone.row}+E"
        assert not alone.attribution.accuses
    elif symptom.control != FAILED:
        assert decided == alone


@given(SYMPTOMS)
def test_offline_runner_accuses_less(symptom: Symptom) -> None:
    """A failed control host turns trouble of the road into ours, and an answer into nothing else."""
    offline, alone = (
        attribute(replace(symptom, control=FAILED)),
        attribute(replace(symptom, control="")),
    )
    if offline.row == OFFLINE.name:
        assert offline.attribution is Attribution.HARNESS
        assert symptom.status not in {500, 401, 403, 404}
    else:
        assert offline == alone


@given(SYMPTOMS, st.sampled_from(Attribution))
def test_own_rule_wins(symptom: Symptom, word: Attribution) -> None:
    """A project's own attribution is taken, and its row says which row it replaced."""
    row = f"own:{attribute(symptom).row}"
    decided = attribute(replace(symptom, override=word.value, rule=row))

    assert (decided.attribution, decided.row) == (word, row)
    assert not (word.accuses and decided.retry is not Retry.NEVER)


@given(SYMPTOMS)
def test_strange_override_is_no_crash(symptom: Symptom) -> None:
    """A word that is no attribution is not obeyed; the edge has told of it."""
    assert attribute(replace(symptom, override="nobody")) == attribute(symptom)


@pytest.mark.parametrize(
    ("symptom", "row", "whose"),
    [
        (Symptom(Kind.ANSWER_TIMEOUT, "p", ready=True, elapsed_s=10, lag_s=6), 46, "harness"),
        (Symptom(Kind.ANSWER_TIMEOUT, "p", ready=True, elapsed_s=10, lag_s=4), 19, "product"),
        (
            Symptom(Kind.WS_CLOSE, "p", code=1011, sent_by_us=True, ready=True, lag_s=6),
            46,
            "harness",
        ),
        (Symptom(Kind.WS_CLOSE, "p", code=1011, sent_by_us=True, ready=True), 29, "infrastructure"),
        (Symptom(Kind.WS_CLOSE, "p", code=1011, ready=True, lag_s=6), 28, "product"),
        (
            Symptom(Kind.HTTP_STATUS, "p", status=504, ready=True, elapsed_s=9.5, limit_s=10),
            5,
            "product",
        ),
        (
            Symptom(Kind.HTTP_STATUS, "p", status=504, ready=True, elapsed_s=2, limit_s=10),
            5,
            "infrastructure",
        ),
        (Symptom(Kind.PROVIDER, "p", code=529, ready=True), 39, "upstream"),
        (Symptom(Kind.PROVIDER, "p", code=401, ready=True), 40, "product"),
    ],
)
def test_second_signals_decide(symptom: Symptom, row: int, whose: str) -> None:
    """Our own lag, who closed, how long it took and a provider's code tell neighbours apart."""
    decided = attribute(symptom)

    assert (number(decided.row), decided.attribution.value) == (row, whose)


@pytest.mark.parametrize(
    ("control", "outlived_s", "row", "whose"),
    [
        ("", 0.0, "E4-12", "infrastructure"),
        (HEALTHY, 119.0, "E4-12", "infrastructure"),
        (HEALTHY, 120.0, "E4-12+E", "product"),
        ("", 600.0, "E4-12", "infrastructure"),
        (FAILED, 600.0, "E4-47", "harness"),
        (FAILED, 0.0, "E4-47", "harness"),
    ],
)
def test_escalation(control: str, outlived_s: float, row: str, whose: str) -> None:
    """A refusal that outlives everything is the product's if our own road is proven."""
    refused = Symptom(Kind.REFUSED, "journey", ready=True)
    decided = attribute(with_control(refused, control, outlived_s))

    assert (decided.row, decided.attribution.value) == (row, whose)
    assert attribute(replace(refused, ready=False)).row == "E4-12"


def test_codes_of_rows_are_promises() -> None:
    """What is decided by promises names promises, each once."""
    codes = [code for _, codes in ELSEWHERE.values() for code in codes]

    assert set(codes) <= set(RULES)
    assert len(codes) == len(set(codes))
    assert row_of_code("GP-502") == "E4-41"
    assert row_of_code("GP-601") == ""


@given(SYMPTOMS)
def test_symptoms_travel(symptom: Symptom) -> None:
    """Every signal survives the way between processes, in a survey and in a warm-up."""
    survey = Survey(missing={"journey": Missing("broken", symptom=symptom)})
    warmth = ResilienceReport(probes=(ProbeReport("vpc", ready=False, symptom=symptom),))

    assert survey_from_text(survey_to_text(survey)) == survey
    assert from_plain(warmth.plain()) == warmth
    assert all(
        type(v) in {int, float, str, bool, type(None), Kind} for v in asdict(symptom).values()
    )
