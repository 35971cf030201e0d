"""What a run may wait for: one budget for all its tests, and one recovery for one outage."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.verdict.outage import Move, Outages, Patience, from_plain, pause_s

GONE = Symptom(Kind.REFUSED, "journey", "http://x", ready=True)
PATIENCE = Patience(3, 30.0)


def waited(known: Outages, took_s: float, **facts: bool) -> Outages:
    """Return what is known after one more wait that ended at its time."""
    back, seen = facts.get("back", True), facts.get("seen", True)
    met_s = known.back_at_s
    return known.waited(
        GONE,
        took_s,
        met_at_s=met_s,
        now_s=met_s + took_s,
        back=back,
        seen=seen,
        patience=PATIENCE,
    )


def test_first_trouble_is_waited_out() -> None:
    """Nothing has been waited for, so everything may be."""
    assert Outages().move(1.0, PATIENCE) is Move.WAIT


def test_same_outage_is_not_waited_for_twice() -> None:
    """Trouble from before the recovery is over; trouble from after it is another outage."""
    known = waited(Outages(), 5.0)

    assert known.move(4.9, PATIENCE) is Move.GO_ON
    assert known.move(5.0, PATIENCE) is Move.WAIT


def test_budget_is_spent_by_recoveries() -> None:
    """After the last one nothing is waited for any more, but the target is not called gone."""
    known = waited(waited(waited(Outages(), 1.0), 1.0), 1.0)

    assert (known.recoveries, known.gone) == (3, False)
    assert known.move(9.0, PATIENCE) is Move.GIVE_UP


def test_target_that_did_not_come_back_is_gone() -> None:
    """The last wait was in vain, so nobody waits, whenever the trouble was met."""
    known = Outages()
    for _ in range(3):
        known = waited(known, 30.0, back=False)

    assert known.gone
    assert known.move(0.0, PATIENCE) is Move.GIVE_UP
    assert known.lasted_s == 90.0


def test_trouble_before_a_recovery_does_not_count_for_the_next() -> None:
    """How long it has lasted is told of the trouble that stayed, from when it was met."""
    known = waited(Outages(), 20.0)
    for _ in range(2):
        known = waited(known, 30.0, back=False)

    assert known.gone
    assert known.lasted_s == 60.0


def test_trouble_that_health_does_not_show_is_bounded_by_time() -> None:
    """A target that looks well is no outage, yet nothing is waited for without end."""
    known = Outages()
    while known.move(known.back_at_s, PATIENCE) is Move.WAIT:
        known = waited(known, 30.0, seen=False)

    assert (known.recoveries, known.blips) == (0, 3)
    assert known.waited_s == PATIENCE.total_s


@pytest.mark.parametrize(
    ("again", "asked_s", "pause"),
    [(1, None, 1.0), (2, None, 4.0), (3, None, 16.0), (4, None, 30.0), (1, 7.0, 7.0), (1, 99, 30)],
)
def test_pauses_grow_and_a_target_s_own_word_counts(
    again: int, asked_s: float | None, pause: float
) -> None:
    """Pauses grow up to the limit; Retry-After takes their place, up to the limit."""
    assert pause_s(again, 30.0, asked_s) == pause


@given(
    st.lists(st.tuples(st.floats(0.0, 30.0), st.booleans(), st.booleans()), max_size=40),
)
def test_waits_never_exceed_the_budget(waits: list[tuple[float, bool, bool]]) -> None:
    """Whatever happens, a run waits no longer than its budget and one wait."""
    known = Outages()
    for took_s, back, seen in waits:
        if known.move(known.back_at_s, PATIENCE) is Move.WAIT:
            limit_s = min(took_s, PATIENCE.total_s - known.waited_s)
            known = waited(known, limit_s, back=back, seen=seen)

    assert known.waited_s <= PATIENCE.total_s + 1e-6
    assert known.recoveries <= PATIENCE.recoveries


def test_another_process_reads_the_same() -> None:
    """All of it survives JSON, the trouble's signs included."""
    known = waited(Outages(), 2.5)

    assert from_plain(json.loads(json.dumps(known.plain()))) == known
    assert from_plain(json.loads(json.dumps(Outages().plain()))) == Outages()
