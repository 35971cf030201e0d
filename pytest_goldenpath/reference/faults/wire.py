"""Faults of the frames themselves: what is sent is not one JSON object in text."""

from pytest_goldenpath.reference.fault import Encode, Select
from pytest_goldenpath.reference.faults.words import EVENTS, NO_END, ill

_ONE = Select("tool_executing", tool="calculator")
_LOST = "GP-403 GP-407"

FAULTS = (
    ill("renamed-types", "events have only the renamed outer types of old builds", "F47",
        "GP-415", f"{EVENTS} {NO_END} GP-409 GP-410", "c r",
        ("events.encode", Encode(Select(), "renamed"))),
    ill("frame-binary", "an event is a binary frame", "", "GP-417", _LOST, "c",
        ("events.encode", Encode(_ONE, "binary"))),
    ill("frame-not-utf8", "an event is not valid UTF-8", "", "GP-417",
        f"{_LOST} GP-308 {NO_END}", "c", ("events.encode", Encode(_ONE, "not-utf8"))),
    ill("frame-array", "an event is wrapped in a JSON array", "", "GP-417", _LOST, "c",
        ("events.encode", Encode(_ONE, "array"))),
    ill("frame-broken-json", "an event breaks off in the middle", "", "GP-417", _LOST, "c",
        ("events.encode", Encode(_ONE, "broken-json"))),
    ill("frame-two-objects", "two events are in one frame", "", "GP-417", _LOST, "c",
        ("events.encode", Encode(_ONE, "two-objects"))),
    ill("frame-nan", "an event has a NaN, which is no JSON", "", "GP-417", _LOST, "c",
        ("events.encode", Encode(_ONE, "nan"))),
    ill("frame-huge", "an event has one and a half megabytes", "", "GP-417",
        f"{_LOST} GP-308 {NO_END}", "c", ("events.encode", Encode(_ONE, "huge"))),
)  # fmt: skip
