"""A conversation of two questions is read as two, each with the handshake before it."""

from __future__ import annotations

from dataclasses import replace

from builders import healthy_entries, journey, run_of
from pytest_goldenpath.contract.rules.company import SECOND_TURN
from pytest_goldenpath.contract.transcript import Kind
from pytest_goldenpath.journey.company import turns

FIRST, SECOND = run_of("reconnect", number=1), run_of(SECOND_TURN, number=2)


def test_each_question_has_its_own_events() -> None:
    """The second run begins with its request; welcome and ping are those of the connection."""
    assert FIRST.request
    assert SECOND.request
    asked = next(i for i, entry in enumerate(SECOND.entries) if entry.label == "request")
    both = (*FIRST.entries[:-1], *SECOND.entries[asked:])

    first, second = turns(replace(FIRST, entries=both), FIRST.request, SECOND.request)

    assert (first.purpose, second.purpose) == ("reconnect", SECOND_TURN)
    assert [h.frame.name for h in first.events()] == [h.frame.name for h in FIRST.events()]
    assert [h.frame.name for h in second.events()] == [h.frame.name for h in SECOND.events()]
    assert first.answer() == FIRST.answer() != second.answer() == SECOND.answer()
    assert second.welcome()
    assert second.sent("ping")
    assert not first.left
    assert second.left


def test_close_in_the_first_run_leaves_one_conversation() -> None:
    """What was never asked is no run."""
    request = FIRST.request
    assert request
    cut = tuple(entry for entry in healthy_entries() if entry.kind is not Kind.LEFT)

    assert turns(journey(cut), request, request) == [replace(journey(cut), request=request)]
