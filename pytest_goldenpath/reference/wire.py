"""From an event to what is sent: usually a JSON object in text, with faults something else."""

import json
from collections.abc import Callable
from typing import NoReturn

_HUGE = 1_500_000


class BadText(str):
    """Text that encodes to something that is not UTF-8; a server cannot send that by honest means."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return the text with two bytes in it that UTF-8 does not know."""
        return b"\xff\xfe" + super().encode(encoding, errors)


def text(frame: object) -> str:
    """Return the frame as JSON text."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def oddly(frame: dict[str, object], way: str) -> str | bytes:
    """Return the frame encoded in the wrong way that is asked for."""
    return _WAYS.get(way, _unknown)(frame)


def _renamed(frame: dict[str, object]) -> str:
    names = {"agent_started": "start_agent", "agent_completed": "agent_response_complete"}
    return text(frame | {"type": names.get(str(frame.get("type")), "agent_progress")})


def _unknown(_: dict[str, object]) -> NoReturn:
    raise ValueError("a fault asks for an encoding that wire.py does not know")


_WAYS: dict[str, Callable[[dict[str, object]], str | bytes]] = {
    "array": lambda frame: text([frame]),
    "binary": lambda frame: text(frame).encode(),
    "broken-json": lambda frame: text(frame)[:-3],
    "huge": lambda frame: text(frame | {"padding": "x" * _HUGE}),
    "nan": lambda frame: text(frame | {"score": float("nan")}),
    "not-utf8": lambda frame: BadText(text(frame)),
    "renamed": _renamed,
    "two-objects": lambda frame: text(frame) + "\n" + text(frame),
}
