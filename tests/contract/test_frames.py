"""Decoding is tolerant: every shape a healthy platform has spoken is understood."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.contract.frames import EVENTS, Sort, decode

CAPTURES = Path(__file__).parent.parent / "data" / "captures"
_HEARD = re.compile(r"^\[\s*[\d.]+\] <- (?P<frame>\{.*\})$")

SHAPES = [
    ("root type", '{"type":"agent_started"}'),
    ("root event", '{"event":"agent_started"}'),
    ("data type", '{"type":"system_message","data":{"type":"agent_started"}}'),
    ("data event", '{"type":"agent_progress","data":{"event":"agent_started"}}'),
    ("data event_type", '{"type":"x","data":{"event_type":"agent_started"}}'),
    ("payload type", '{"type":"x","payload":{"type":"agent_started"}}'),
    ("payload event", '{"type":"x","payload":{"event":"agent_started"}}'),
]
WELCOMES = [
    '{"type":"connection_established","data":{"connection_id":"c"}}',
    '{"type":"connect","data":{"connection_id":"c"}}',
    '{"type":"system_message","data":{"event":"connection_established","connection_id":"c"}}',
    '{"type":"connection_ready","connection_id":"c"}',
    '{"type":"authentication_success","event":"auth_success","connection_id":"c"}',
    '{"type":"connection_established","payload":{"connection_id":"c"}}',
]
ANSWERS = [
    ("final_response", '{"type":"agent_completed","final_response":"forty-two"}'),
    ("result text", '{"type":"agent_completed","data":{"result":"forty-two"}}'),
    ("result.response", '{"type":"agent_completed","data":{"result":{"response":"forty-two"}}}'),
    ("payload.result", '{"type":"agent_completed","payload":{"result":{"content":"forty-two"}}}'),
    ("response", '{"type":"agent_completed","response":"forty-two"}'),
    (
        "data.payload",
        '{"type":"x","data":{"type":"agent_completed","payload":{"content":"forty-two"}}}',
    ),
    ("message", '{"type":"agent_completed","message":"forty-two"}'),
]


@pytest.mark.parametrize("raw", [raw for _, raw in SHAPES], ids=[name for name, _ in SHAPES])
def test_event_name_is_found_in_every_place(raw: str) -> None:
    """The event's name is found wherever a platform has put it."""
    frame = decode(raw)

    assert (frame.sort, frame.name) == (Sort.EVENT, "agent_started")


@pytest.mark.parametrize("raw", WELCOMES)
def test_every_welcome_is_one(raw: str) -> None:
    """Each shape of welcome is recognised, and names its connection."""
    frame = decode(raw)

    assert frame.sort is Sort.WELCOME
    assert frame.text("connection_id") == "c"


@pytest.mark.parametrize("raw", [raw for _, raw in ANSWERS], ids=[name for name, _ in ANSWERS])
def test_answer_is_found_in_every_place(raw: str) -> None:
    """The final text is found under each key that a platform has used."""
    assert decode(raw).answer() == "forty-two"


def test_status_message_is_no_answer_when_the_answer_is_blank() -> None:
    """A word about the status does not stand in for an answer that was left blank."""
    raw = '{"type":"agent_completed","data":{"result":{"response":""},"message":"has finished"}}'

    assert decode(raw).answer() == ""


def test_failure_that_names_an_event_is_not_that_event() -> None:
    """A connection_error tells which event was lost; it is no evidence of that event."""
    frame = decode('{"type":"connection_error","data":{"event_type":"agent_completed"}}')

    assert frame.sort is Sort.FAILURE


@pytest.mark.parametrize(
    "raw",
    ["", "no json", "[1]", '"text"', "null", "[" * 100_000, "1" * 10_000, '{"type":'],
    ids=["empty", "text", "list", "string", "null", "deep", "digits", "cut"],
)
def test_anything_but_an_object_is_malformed(raw: str) -> None:
    """What is no JSON object is a malformed frame, and never an exception."""
    assert decode(raw).sort is Sort.MALFORMED


@given(st.text())
def test_decoding_never_raises(raw: str) -> None:
    """No text makes the decoder raise."""
    assert decode(raw).sort in set(Sort)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(["type", "event", "data", "payload", "result", "message", "final_response"]),
)
def test_fields_of_any_type_never_raise(value: object, key: str) -> None:
    """A field of an unexpected type is no event, no answer, and no exception."""
    import json

    frame = decode(json.dumps({"type": "agent_completed", key: value}))

    assert isinstance(frame.answer(), str)
    assert isinstance(frame.text("connection_id"), str)


def test_every_captured_frame_decodes() -> None:
    """Every frame recorded on running builds decodes, and none is malformed."""
    frames = [decode(raw) for raw in captured("ws_closes_1000", "ws_closes_1011", "ws_mended")]

    assert len(frames) > 50
    assert {frame.sort for frame in frames} >= {Sort.WELCOME, Sort.EVENT, Sort.PONG, Sort.FAILURE}
    assert Sort.MALFORMED not in {frame.sort for frame in frames}


def test_all_five_events_are_found_in_the_mended_build() -> None:
    """The mended build's frames hold all five events."""
    names = {decode(raw).name for raw in captured("ws_mended")}

    assert set(EVENTS) <= names


def captured(*names: str) -> list[str]:
    """Return the frames that were heard in these captures."""
    lines = (line for name in names for line in (CAPTURES / f"{name}.txt").read_text().splitlines())
    return [match["frame"] for line in lines if (match := _HEARD.match(line))]
