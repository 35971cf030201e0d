"""What is promised of a run is promised of the second user's and of the later ones as well."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from builders import exchange, healthy_entries, heard, journey, messages, run_of, survey, talks
from contract.test_rules import BROKEN, CLOSED_1011, answered, late
from pytest_goldenpath.contract.findings import Finding, Severity
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.rules.every_run import LATER_RUNS, later_runs
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.contract.transcript import Transcript

OF_RUNS = sorted(code for code, rule in RULES.items() if rule.reads == LATER_RUNS)
BACK = "reconnect"
RESET = Symptom(Kind.RESET, "again")
SILENT = replace(journey(healthy_entries()[:5]), purpose=BACK)
EXAMPLES = [
    pytest.param(code, observed, id=f"{code} {name}")
    for code, name, observed in BROKEN
    if code in OF_RUNS
    and observed.journey not in {None, journey()}
    and observed.journey.sent("request")
]


def coming_back(run: Transcript, **changes: object) -> Survey:
    """Build a survey that is healthy but for the run after coming back."""
    back = replace(run, purpose=BACK, **changes)
    return survey(talks={**talks(), "again": (back,)})


def must(code: str, observed: Survey) -> tuple[Finding, ...]:
    """Return the findings of must weight."""
    return tuple(f for f in judge(code, observed).findings if f.severity is Severity.MUST)


@pytest.mark.parametrize(("code", "observed"), EXAMPLES)
def test_what_breaks_the_journey_breaks_a_later_run(code: str, observed: Survey) -> None:
    """Each example is found where it is the last run that went wrong, which is named."""
    run = observed.journey
    assert run is not None

    found = must(code, coming_back(run))

    assert found
    assert all(BACK in finding.message for finding in found)


@pytest.mark.parametrize("code", OF_RUNS)
def test_healthy_later_run_is_not_accused(code: str) -> None:
    """The twin: another whole run with ids of its own."""
    assert judge(code, coming_back(run_of(BACK, number=41))).proven


def test_every_promise_of_a_run_has_an_example() -> None:
    """No promise is read on later runs without a proof that it is found there."""
    assert {str(param.values[0]) for param in EXAMPLES} >= set(OF_RUNS)


def test_fault_of_all_runs_is_told_once() -> None:
    """When the journey breaks a promise, the others say nothing new."""
    observed = replace(answered("Task completed"), talks=coming_back(SILENT).talks)

    assert [BACK in finding.message for finding in must("GP-502", observed)] == [False]


def test_provider_of_one_run_excuses_no_other() -> None:
    """The run that accuses the product is told, whichever was first."""
    busy = run_of("one user, first", number=21)
    failure = (
        '{"type": "agent_error", "data": {"error_context": {"provider": "x", "status_code": 429}}}'
    )
    index = next(i for i, e in enumerate(busy.entries) if "agent_completed" in e.text)
    entries = (*busy.entries[:index], replace(busy.entries[index], text=failure))
    pair = (replace(busy, entries=entries), talks()["pair"][1])

    excused = must("GP-405", survey(talks={**talks(), "pair": pair}))
    accused = must("GP-405", survey(talks={**talks(), "pair": pair, "again": (SILENT,)}))

    assert [finding.attribution for finding in excused] == ["upstream"]
    assert [finding.attribution for finding in accused] == ["product"]


def test_trouble_of_the_journey_hides_no_later_fault() -> None:
    """A provider that failed the journey, or a mere notice about it, says nothing of another run."""
    provider = {"error_context": {"provider": "x", "status_code": 429}}
    failure = heard({"type": "agent_error", "data": provider}, 0.2)
    again_told = json.loads(healthy_entries()[6].text) | {"recovered": True}
    noticed = journey((*healthy_entries()[:7], heard(again_told, 0.2), *healthy_entries()[7:]))
    excused = journey((*healthy_entries()[:6], failure))
    twice = replace(run_of(BACK, number=41), purpose=BACK)
    twice = replace(twice, entries=(*twice.entries[:7], twice.entries[6], *twice.entries[7:]))

    assert must("GP-405", replace(survey(), journey=excused))[0].attribution == "upstream"
    assert must("GP-405", replace(coming_back(SILENT), journey=excused))[0].attribution == "product"
    assert judge("GP-408", replace(survey(), journey=noticed)).findings
    assert not must("GP-408", replace(survey(), journey=noticed))
    assert must("GP-408", replace(coming_back(twice), journey=noticed))


def test_broken_road_excuses_what_did_not_come() -> None:
    """A later run that was reset proves nothing by its silence."""
    assert not must("GP-405", coming_back(SILENT, symptom=RESET))
    assert must("GP-405", coming_back(SILENT))


def test_runs_that_hear_each_other_are_not_told_apart() -> None:
    """Whose an event is cannot be known where events go astray, which is found by itself."""
    first, second = talks()["pair"]
    word = next(entry for entry in first.entries if "agent_completed" in entry.text)
    mixed = replace(second, entries=(*second.entries[:-1], word, second.entries[-1]))
    observed = survey(talks={**talks(), "pair": (first, mixed)})

    assert not {"one user, first", "one user, second"} & {t.purpose for t in later_runs(observed)}
    assert must("GP-603", observed)


@pytest.mark.parametrize("code", ["GP-409", "GP-503"])
def test_second_turn_is_judged_although_it_shares_the_thread(code: str) -> None:
    """Two questions on one connection name one thread; the answer of the first is none to both."""
    first = run_of(BACK, number=41)
    second = replace(first, purpose="second turn", request=run_of("x", number=42).request)
    thread = replace(second.request, thread_id=first.request.thread_id)
    again = (first, replace(second, request=thread))

    found = must(code, survey(talks={**talks(), "again": again}))

    assert found
    assert "second turn" in found[0].message or BACK in found[0].message


def test_slow_crowd_is_a_matter_of_capacity() -> None:
    """How long each of many users waits is not promised; how long one waits who came back is."""
    slow = late(8.0).journey
    ada, grace = talks()["crowd"]
    crowd = (ada, replace(slow, purpose=grace.purpose))

    assert judge("GP-413", survey(talks={**talks(), "crowd": crowd})).proven
    assert must("GP-413", coming_back(slow))


@pytest.mark.parametrize(
    ("body", "status", "kept"),
    [
        ([], 200, False),
        (["question", "answer"], 200, True),
        (["question", "answer", "answer"], 200, False),
        (["answer", "question"], 200, False),
        ("gone", 404, False),
    ],
)
def test_what_the_second_user_said_is_kept(body: object, status: int, kept: bool) -> None:
    """Question and answer of each of many users are read back, once each and in order."""
    grace = talks()["crowd"][1]
    words = {"question": ("user", grace.request.text), "answer": ("assistant", grace.answer())}
    told = messages(*(words[word] for word in body)) if isinstance(body, list) else {"detail": body}
    read = exchange(told, purpose=grace.purpose, status=status)

    judged = judge("GP-505", survey(asked={**survey().asked, "crowd": (read,)}))

    assert judged.proven is kept
    assert all(grace.purpose in finding.message for finding in judged.findings)


def test_thrown_out_neighbour_is_told_by_its_own_promise() -> None:
    """That the target closed one connection of two is no missing event."""
    first, second = talks()["pair"]
    observed = survey(talks={**talks(), "pair": (replace(first, entries=CLOSED_1011), second)})

    assert must("GP-604", observed)
    assert not must("GP-405", observed)
