"""What is announced again counts once, what is tried again is no duplicate, and errors are no results."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from builders import EPOCH, healthy_entries, journey, survey
from pytest_goldenpath.contract.findings import Severity
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Entry, Kind

CODES = ("GP-403", "GP-406", "GP-407", "GP-408", "GP-409", "GP-410", "GP-411", "GP-412")
STARTED, THINKING, EXECUTING, COMPLETED_TOOL, COMPLETED = range(5)


def events() -> list[dict[str, object]]:
    """Return the documents of a healthy run's events, without ids of their calls."""
    heard = [json.loads(e.text) for e in healthy_entries() if e.kind is Kind.HEARD]
    told = [document for document in heard if document["type"].startswith(("agent_", "tool_"))]
    return [{k: v for k, v in one.items() if k not in {"execution_id", "step"}} for one in told]


def run(*told: dict[str, object], before: tuple[dict[str, object], ...] = ()) -> Survey:
    """Build a survey whose run tells these events, a hundredth of a second apart."""
    entries = healthy_entries()
    asked = next(i for i, entry in enumerate(entries) if entry.label == "request")
    early = [Entry(0.045, Kind.HEARD, text=json.dumps(one)) for one in before]
    made = []
    for number, one in enumerate(told):
        at_s = 0.06 + number / 100
        stamped = {"timestamp": EPOCH + at_s, **{k: v for k, v in one.items() if k != "timestamp"}}
        stamped["timestamp"] = one.get("own", stamped["timestamp"])
        made.append(Entry(at_s, Kind.HEARD, text=json.dumps(stamped)))
    return survey(journey=journey((*entries[:asked], *early, entries[asked], *made)))


def found(observed: Survey) -> set[str]:
    """Return the codes of these promises that are broken."""
    judged = {code: judge(code, observed).findings for code in CODES}
    return {c for c, fs in judged.items() if any(f.severity is Severity.MUST for f in fs)}


def again(event: dict[str, object], **fields: object) -> dict[str, object]:
    """Return an event once more, with other fields."""
    return {**event, **fields}


A, T, X, R, C = events()
SKEWED = {"agent_name": "data", "own": EPOCH - 3.0}
TRACE = 'Traceback (most recent call last):\n  File "x", line 1'
FAILED = again(R, result={"error": "refused"})
LATE = {"own": EPOCH - 3.0}
BEFORE = {"run_id": "run-of-yesterday", "recovered": True}
CALLS_OF_NUMBERS = [again(e, execution_id=number) for number in (1, 2) for e in (X, R)]


def nameless(event: dict[str, object]) -> dict[str, object]:
    """Return a tool event as the manager tells it: without an agent (protocol 4.2)."""
    return {k: v for k, v in event.items() if k != "agent_name"}


X7, R7 = (again(nameless(event), tool_name="t7") for event in (X, R))
LEGAL = {
    "as it is": run(A, T, X, R, C),
    "a call announced again": run(A, T, X, again(X, attempt=2), R, C),
    "a result announced again": run(A, T, X, R, again(R, recovered=True), C),
    "a thought that comes late": run(A, T, X, R, again(T, recovered=True, own=EPOCH - 30), C),
    "a lost result sent later": run(A, T, X, again(R, recovered=True), C),
    "a lost thought of before": run(A, T, X, R, C, before=(again(T, recovered=True),)),
    "first attempts": run(*(again(event, attempt=1) for event in (A, T, X, R, C))),
    "a call tried again": run(A, T, X, again(R, success=False), X, R, C),
    "a thought thought again": run(A, T, X, R, T, C),
    "ids of whole numbers": run(*(again(e, run_id=7, thread_id=None) for e in (A, T, X, R, C))),
    "a lost start told late": run(T, again(A, recovered=True), X, R, C),
    "a lost call told late": run(A, T, R, again(X, recovered=True), C),
    "a lost call told at the end": run(A, T, X, R, R7, C, again(X7, recovered=True)),
    "attempts of a tool": run(
        A, T, X, FAILED, again(X, attempt=2), again(FAILED, attempt=2), again(X, attempt=3), R, C
    ),
    "attempts of a tool that end alike": run(A, T, X, FAILED, again(X, attempt=2), FAILED, X, R, C),
    "a call told again after its end": run(A, T, X, R, again(X, recovered=True), C),
    "a call of a numbered id": run(A, T, *CALLS_OF_NUMBERS, C),
    "lost events of a run before": run(A, *(again(e, **BEFORE) for e in (T, X, R, C)), T, X, R, C),
    "a lost event of an hour ago": run(A, T, again(T, recovered=True, own=EPOCH - 3600), X, R, C),
    "clocks of tools that name no agent": run(
        A, T, nameless(X), nameless(R), again(X7, **LATE), again(R7, **LATE), C
    ),
    "a traceback, then a result": run(A, T, X, again(R, result=TRACE), X, R, C),
    "a log that holds a traceback": run(A, T, X, again(R, result={"app": TRACE, "rows": 3}), C),
    "an empty cell": run(A, T, X, again(R, result={"rows": 0, "note": None}), C),
    "completions without a name": run(
        A,
        again(A, agent_name="data"),
        T,
        again(C, agent_name=None, final_response="The costs of May are known now."),
        X,
        R,
        again(C, agent_name=None),
    ),
    "a clock of its own": run(A, T, again(A, **SKEWED), X, R, again(C, **SKEWED), C),
}
ILLEGAL = {
    "a call twice": (run(A, T, X, X, R, C), "GP-408"),
    "a result twice": (run(A, T, X, R, R, C), "GP-408"),
    "a thought twice": (run(A, T, T, X, R, C), "GP-408"),
    "all twice as first attempts": (
        run(*(again(e, attempt=1) for e in (A, A, T, T, X, X, R, R, C))),
        "GP-408",
    ),
    "a numbered thought once more": (run(A, again(T, step=1), X, R, again(T, step=1), C), "GP-408"),
    "a thought of before": (run(A, T, X, R, C, before=(T,)), "GP-406"),
    "its own clock runs backwards": (run(A, T, X, again(R, own=EPOCH - 30), C), "GP-412"),
    "nothing but errors": (run(A, T, X, again(R, success=False), C), "GP-411"),
    "an error for a result": (run(A, T, X, again(R, result={"error": "refused"}), C), "GP-411"),
    "a traceback for a result": (
        run(A, T, X, again(R, result=TRACE), C),
        "GP-411",
    ),
    "a traceback inside": (run(A, T, X, again(R, result={"out": TRACE, "n": None}), C), "GP-411"),
    "only errors in a list": (run(A, T, X, again(R, result=[{"error": "refused"}]), C), "GP-411"),
    "an error as JSON text": (run(A, T, X, again(R, result='{"error": "no"}'), C), "GP-411"),
    "blanks": (run(A, T, X, again(R, result={"rows": " ", "usd": [None, ""]}), C), "GP-411"),
    "keys without values as text": (run(A, T, X, again(R, result='{"usd": []}'), C), "GP-411"),
    "a start that comes late": (run(T, A, X, R, C), "GP-406"),
    "a call that comes late": (run(A, T, R, X, C), "GP-407"),
    "a lost call that never ends": (run(A, T, again(X, recovered=True), X7, R7, C), "GP-407"),
    "a numbered call twice": (
        run(A, T, *(again(e, execution_id=7) for e in (X, R, X, R)), C),
        "GP-408",
    ),
    "a number of another call": (
        run(A, T, again(X, execution_id=1), again(R, execution_id=2), C),
        "GP-407",
    ),
    "a result twice beside an announced call": (
        run(A, T, X, again(X, attempt=2), R, again(R, result={"rows": 9}), C),
        "GP-407",
    ),
    "lost events of before for our own": (
        run(A, T, again(X, **BEFORE), again(R, **BEFORE), C),
        "GP-403",
    ),
    "two runs": (run(A, again(T, run_id="another"), X, R, C), "GP-409"),
    "a lost event of tomorrow": (
        run(A, T, again(T, recovered=True, own=EPOCH + 3600), X, R, C),
        "GP-412",
    ),
    "a tool without an agent runs backwards": (
        run(A, T, nameless(X), again(nameless(R), own=EPOCH - 30), C),
        "GP-412",
    ),
    "keys without values": (run(A, T, X, again(R, result={"rows": None, "usd": {}}), C), "GP-411"),
}


@pytest.mark.parametrize("observed", LEGAL.values(), ids=LEGAL)
def test_legal_run_is_not_accused(observed: Survey) -> None:
    """A platform may send again, try again, and run on more than one machine."""
    assert found(observed) == set()


@pytest.mark.parametrize(("observed", "code"), ILLEGAL.values(), ids=ILLEGAL)
def test_twin_is_found(observed: Survey, code: str) -> None:
    """The same without a reason is a finding."""
    assert code in found(observed)


def test_examples_differ_from_the_healthy_run() -> None:
    """No example says by mistake what the healthy one says."""
    plain = LEGAL["as it is"].journey
    others = [o.journey for name, o in LEGAL.items() if name != "as it is"]

    assert plain is not None
    assert all(replace(other, purpose=plain.purpose) != plain for other in others if other)


def test_lost_event_of_before_is_no_first_sign_of_life() -> None:
    """What an earlier run had lost does not make a late run one in time."""
    told = run(again(T, **BEFORE), A, T, X, R, C).journey
    assert told is not None
    asked = next(i for i, entry in enumerate(told.entries) if entry.label == "request")
    late = [replace(entry, at_s=entry.at_s + 6) for entry in told.entries[asked + 2 :]]
    observed = survey(journey=replace(told, entries=(*told.entries[: asked + 2], *late)))

    assert judge("GP-413", observed).broken
    assert not judge("GP-413", run(again(T, **BEFORE), A, T, X, R, C)).broken


def test_announced_events_are_reported() -> None:
    """What was sent again is told of once, and only then."""
    told = judge("GP-408", run(A, T, X, again(X, attempt=2), R, again(R, recovered=True), C))

    assert [finding.severity for finding in told.findings] == [Severity.SHOULD]
    assert "2 announced as sent again (tool_executing, tool_completed)" in told.findings[0].message
    assert judge("GP-408", LEGAL["first attempts"]).findings == ()
