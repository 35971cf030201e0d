"""The sequence picture: what it shows, what it marks, and that nothing gets out of it."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import event, healthy_entries, heard, journey, run_of, stranger
from pytest_goldenpath.contract.findings import Finding, Severity
from pytest_goldenpath.contract.frames import EVENTS
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.symptom import Kind as Trouble
from pytest_goldenpath.contract.symptom import Symptom
from pytest_goldenpath.contract.transcript import Entry, Kind, Transcript
from pytest_goldenpath.report.sequence import MOST_ROWS, Way, is_about, picture, rows

_SVG = "{http://www.w3.org/2000/svg}"
_MOST_BYTES = 100_000


def red(transcript: Transcript, *findings: Finding) -> list[tuple[str, str]]:
    """Return the rows that are marked, with what is said beside them."""
    return [(row.name, row.trouble) for row in rows(transcript, findings) if row.trouble]


def without(*names: str) -> Transcript:
    """Build a journey in which these events never came."""
    kept = (e for e in healthy_entries() if not any(f'"{name}"' in e.text for name in names))
    return journey(tuple(kept))


def words(svg: str) -> list[str]:
    """Return what a person reads in a picture."""
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{_SVG}text")]  # noqa: S314  # our own


def test_healthy_journey_has_nothing_red() -> None:
    """Every row is there in its order, with its milliseconds, and none is marked."""
    told = rows(journey())

    assert red(journey()) == []
    assert [row.name for row in told if row.way is Way.TO_BACKEND] == [
        "connect",
        "ping",
        "request",
        "fence",
        "close",
    ]
    assert [row.name for row in told if row.name in EVENTS] == list(EVENTS)
    assert [row.at_s for row in told] == sorted(row.at_s or 0.0 for row in told)
    assert {"client", "backend", "60 ms", "journey (nothing wrong)"} <= set(
        words(picture(journey()))
    )


@pytest.mark.parametrize("name", EVENTS)
def test_missing_event_is_red_in_its_place(name: str) -> None:
    """An event that did not come stands where it belongs, and no other row is red."""
    told = rows(without(name))
    order = [row.name for row in told if row.name in EVENTS]

    assert red(without(name)) == [(name, "missing")]
    assert order == list(EVENTS)
    assert "did not come" in picture(without(name))


def test_nothing_but_the_welcome_came() -> None:
    """All five events are missed, in their order, after the request."""
    told = [row.name for row in rows(without(*EVENTS))]

    assert told[told.index("request") + 1 :][:5] == list(EVENTS)


def test_missing_event_names_the_promise() -> None:
    """With the findings of a run, a missing event says which promise it breaks."""
    lacking = without("agent_thinking")
    findings = judge("GP-402", Survey(journey=lacking)).findings

    assert red(lacking, *findings) == [("agent_thinking", "GP-402")]


def test_frame_that_a_finding_cites_is_red() -> None:
    """A frame is found by its place, its time and its words, in this conversation only."""
    doubled = journey(
        (*healthy_entries()[:6], event("agent_started", 0.065), *healthy_entries()[6:])
    )
    wrong = replace(doubled.heard()[3], raw='{"type": "other"}').evidence()
    right = Finding("GP-408", Severity.MUST, "twice", doubled.heard()[3].evidence())

    assert red(doubled, right) == [("agent_started", "GP-408")]
    assert red(doubled, replace(right, evidence=wrong)) == []
    assert is_about(right, doubled)
    assert not is_about(right, journey())


def test_finding_that_says_a_purpose_is_about_it() -> None:
    """A purpose is found as words of its own: connection 1 is not connection 10."""
    said = Finding("GP-601", Severity.MUST, "but on many users, connection 10 came an event")

    assert is_about(said, run_of("many users, connection 10"))
    assert not is_about(said, run_of("many users, connection 1"))


def test_failure_frame_is_red_in_a_run_only() -> None:
    """An error in a run is wrong; where something wrong was said, it is the answer to expect."""
    error = heard({"type": "error_message", "error": "no"}, 0.085)
    in_run = journey((*healthy_entries()[:8], error, *healthy_entries()[8:]))
    told_off = replace(in_run, request=None, purpose="misuse")

    assert red(in_run) == [("error_message", "failure")]
    assert red(told_off) == []


def test_close_and_refusal_are_red_in_a_run_only() -> None:
    """A stranger has to be refused, a user must not be."""
    refused = stranger()
    mine = journey(refused.entries)
    closed = Entry(0.09, Kind.CLOSED, "the target", "internal error", 1011)

    assert red(refused) == []
    assert red(mine) == [("HTTP 403", "refused")]
    assert ("the target closed with 1011", "closed") in red(
        journey((*healthy_entries()[:8], closed))
    )


def test_malformed_frame_is_red() -> None:
    """What is no JSON object is never right."""
    assert red(replace(journey((heard("nonsense", 0.1),)), request=None)) == [
        ("malformed", "malformed")
    ]


def test_conversation_that_leaves_early_lacks_nothing() -> None:
    """Who leaves at the first event on purpose has not missed the others."""
    only_start = replace(without(*EVENTS[1:]), purpose="ask by chat")

    assert red(only_start) == []


def test_broken_road_is_told() -> None:
    """The road's trouble is a row of its own."""
    lost = journey(healthy_entries()[:7], symptom=Symptom(Trouble.RESET, "journey", ready=True))

    assert ("the road broke", "trouble") in red(lost)


def test_text_of_a_target_stays_text() -> None:
    """Markup and control characters of a target are told, and never obeyed."""
    hostile = "</text><script>alert(1)</script>\x1b[31m\x00\ud800]]>&amp;"
    entries = (*healthy_entries(hostile), heard({"type": hostile}, 0.2))
    drawn = picture(replace(journey(entries), purpose=hostile, url=hostile, user_id=hostile))

    tags = {element.tag.removeprefix(_SVG) for element in ET.fromstring(drawn).iter()}  # noqa: S314
    assert tags == {"svg", "title", "defs", "marker", "path", "rect", "text", "tspan"}
    assert "\x1b" not in drawn
    assert any("<script>alert(1)</script>" in word for word in words(drawn))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_gives_a_whole_picture(name: str, said: str) -> None:
    """Whatever is said, the picture is well-formed and can be written as UTF-8."""
    entries = (heard({"type": name, "message": said}, 0.1), heard(said, 0.2))
    drawn = picture(replace(journey(entries), purpose=name, url=said))

    assert ET.fromstring(drawn.encode()).tag == f"{_SVG}svg"  # noqa: S314


def test_picture_is_bounded() -> None:
    """Ten thousand frames fit into one picture, and what is red in the middle is kept."""
    many = [event("agent_thinking", 0.07 + n / 1e5, thought="x" * 2000) for n in range(10_000)]
    many[5000] = heard({"type": "agent_error", "error": "in the middle"}, 0.12)
    drawn = picture(journey((*healthy_entries()[:6], *many, *healthy_entries()[7:])))

    assert len(drawn.encode()) < _MOST_BYTES
    assert drawn.count("marker-end") <= MOST_ROWS
    assert any(word.startswith("agent_error") for word in words(drawn))
    assert any("more rows left out" in word for word in words(drawn))
