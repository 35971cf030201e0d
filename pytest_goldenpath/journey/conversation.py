"""The conversation without I/O: what to send next, when a step is over, which deadline applies.

Frames and times go in, decisions come out; any driver with a socket and a clock can run it.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_goldenpath.contract.frames import Frame, Sort, decode, is_heartbeat
from pytest_goldenpath.contract.symptom import Symptom
from pytest_goldenpath.contract.transcript import Entry, Kind

#: After a failure frame the target has this long to close (rules GP-303).
_CLOSE_WITHIN_S = 2.0
#: More entries than any honest run has, and more text, in bytes of our memory: no more is kept.
MOST_ENTRIES, MOST_BYTES = 2000, 524_288
_TOO_BIG = 1009


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send, and the label under which the transcript keeps it."""

    label: str
    text: str


class Step:
    """One thing to say and to wait for; over when heard, or at its deadline."""

    label = ""

    def begin(self, at_s: float) -> tuple[Outgoing, ...]:
        """Enter the step; returns what is to be sent."""
        raise NotImplementedError

    def hear(self, at_s: float, frame: Frame) -> bool:
        """Take a frame; True when the step is over."""
        raise NotImplementedError

    def deadline_s(self) -> float:
        """Return the moment at which waiting ends."""
        raise NotImplementedError

    def is_late(self) -> bool:
        """Tell whether reaching the deadline means that something is missing."""
        return True


class AwaitWelcome(Step):
    """Wait for the welcome; anything else is kept and does not end the wait."""

    label = "welcome"

    def __init__(self, within_s: float) -> None:
        """Take the budget in seconds from the upgrade."""
        self._within_s = within_s
        self._until_s = 0.0

    def begin(self, at_s: float) -> tuple[Outgoing, ...]:
        """Send nothing: the server has a race at the handshake (protocol 3.4)."""
        self._until_s = at_s + self._within_s
        return ()

    def hear(self, at_s: float, frame: Frame) -> bool:  # noqa: ARG002
        """End with the welcome."""
        return frame.sort is Sort.WELCOME

    def deadline_s(self) -> float:
        """Return the end of the budget."""
        return self._until_s


class AwaitRefusal(Step):
    """Wait to be thrown out, asking for service meanwhile; being served ends the wait at once."""

    label = "refusal"

    def __init__(self, within_s: float, messages: tuple[Outgoing, ...] = ()) -> None:
        """Take the time in seconds that the target has to refuse, and what a stranger says."""
        self._within_s = within_s
        self._messages = messages
        self._until_s = 0.0
        self._refused = False

    def begin(self, at_s: float) -> tuple[Outgoing, ...]:
        """Say what a stranger says: a target that answers it has let the stranger in."""
        self._until_s = at_s + self._within_s
        return self._messages

    def hear(self, at_s: float, frame: Frame) -> bool:
        """End when served; the first failure frame gives the target a little time to close."""
        if frame.sort is not Sort.FAILURE:
            return True
        if not self._refused:
            self._until_s = at_s + _CLOSE_WITHIN_S
            self._refused = True
        return False

    def deadline_s(self) -> float:
        """Return the end of the wait."""
        return self._until_s


class Ping(Step):
    """Send a ping and wait for its pong.

    After a run it is a fence as well: frames are ordered, so all that the target had queued
    before the pong has been heard when the pong comes, without any sleep.
    """

    def __init__(self, within_s: float, label: str = "ping") -> None:
        """Take the budget in seconds and the label of the message."""
        self.label = label
        self._within_s = within_s
        self._until_s = 0.0

    def begin(self, at_s: float) -> tuple[Outgoing, ...]:
        """Send the ping."""
        self._until_s = at_s + self._within_s
        return (Outgoing(self.label, json.dumps({"type": "ping", "timestamp": at_s})),)

    def hear(self, at_s: float, frame: Frame) -> bool:  # noqa: ARG002
        """End with a pong."""
        return frame.sort is Sort.PONG

    def deadline_s(self) -> float:
        """Return the end of the budget."""
        return self._until_s


class Provoke(Step):
    """Send something that is no request, and wait for any reply to it."""

    def __init__(self, message: Outgoing, within_s: float) -> None:
        """Take the message, and the time in seconds that a reply may take."""
        self.label = message.label
        self._message = message
        self._within_s = within_s
        self._until_s = 0.0

    def begin(self, at_s: float) -> tuple[Outgoing, ...]:
        """Send the message."""
        self._until_s = at_s + self._within_s
        return (self._message,)

    def hear(self, at_s: float, frame: Frame) -> bool:  # noqa: ARG002
        """End with whatever is no sign of life."""
        return not is_heartbeat(frame)

    def deadline_s(self) -> float:
        """Return the end of the wait."""
        return self._until_s


class Idle(Step):
    """Say nothing for a while, and keep what is heard."""

    label = "idle"

    def __init__(self, for_s: float) -> None:
        """Take how long to be silent, in seconds."""
        self._for_s = for_s
        self._until_s = 0.0

    def begin(self, at_s: float) -> tuple[Outgoing, ...]:
        """Say nothing."""
        self._until_s = at_s + self._for_s
        return ()

    def hear(self, at_s: float, frame: Frame) -> bool:  # noqa: ARG002
        """Go on."""
        return False

    def deadline_s(self) -> float:
        """Return the end of the silence."""
        return self._until_s

    def is_late(self) -> bool:
        """Tell that nothing is missing when nobody spoke."""
        return False


class Conversation:
    """A sequence of steps over one connection, and the record of it.

    The driver calls one of the ``on_`` methods for each thing that happens, then sends what
    :meth:`take_outgoing` returns, then waits no longer than :attr:`deadline_s`.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        """Take the steps in their order."""
        self._steps = deque(steps)
        self._step: Step | None = None
        self._outgoing: deque[Outgoing] = deque()
        self.entries: list[Entry] = []
        self.symptom: Symptom | None = None
        self.finished = False
        self.welcomed = False
        self._since = self._size = 0

    @property
    def deadline_s(self) -> float:
        """The moment at which :meth:`on_time` is due."""
        return self._step.deadline_s() if self._step else 0.0

    def take_outgoing(self) -> tuple[Outgoing, ...]:
        """Return what is to be sent now; the driver reports each by :meth:`on_sent`."""
        outgoing = tuple(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def on_opened(
        self, at_s: float, subprotocol: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """The upgrade succeeded."""
        self._add(Entry(at_s, Kind.OPENED, subprotocol, headers=headers))
        self._next(at_s)

    def on_refused(
        self, at_s: float, status: int, body: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """The upgrade was answered with something else."""
        self._add(Entry(at_s, Kind.REFUSED, text=body, code=status, headers=headers))
        self.finished = True

    def on_sent(self, at_s: float, message: Outgoing) -> None:
        """A message left; a second question begins to count anew."""
        again = any(e.kind is Kind.SENT and e.label == "request" for e in self.entries)
        self._add(Entry(at_s, Kind.SENT, message.label, message.text))
        if again and message.label == "request":
            self._since, self._size = len(self.entries), 0

    def on_text(self, at_s: float, text: str) -> None:
        """A text frame came."""
        self._add(Entry(at_s, Kind.HEARD, text=text))
        if self.finished:
            return
        frame = decode(text)
        self.welcomed = self.welcomed or frame.sort is Sort.WELCOME
        if self._step and self._step.hear(at_s, frame):
            self._next(at_s)

    def on_binary(self, at_s: float, text: str) -> None:
        """A binary frame came; it is kept, and means nothing in this protocol."""
        self._add(Entry(at_s, Kind.HEARD, text=text, binary=True))

    def on_frame(self, at_s: float, heard: str | bytes) -> None:
        """A frame came, as the socket gives it."""
        if isinstance(heard, str):
            self.on_text(at_s, heard)
        else:
            self.on_binary(at_s, heard.decode("utf-8", "replace"))

    def on_rest(self, at_s: float, heard: str | bytes) -> None:
        """A frame that had come before a close: it is kept, and nothing follows from it."""
        binary = isinstance(heard, bytes)
        text = heard.decode("utf-8", "replace") if isinstance(heard, bytes) else heard
        self._add(Entry(at_s, Kind.HEARD, text=text, binary=binary))

    def on_time(self, at_s: float) -> None:
        """The deadline passed: what was waited for is missed, and the next step is due."""
        if self._step:
            if self._step.is_late():
                self._add(Entry(at_s, Kind.MISSED, self._step.label))
            self._next(at_s)

    def on_closed(self, at_s: float, code: int, reason: str, by: str = "the target") -> None:
        """The target closed the connection, or we had to for what it sent."""
        self.entries.append(Entry(at_s, Kind.CLOSED, by, reason, code))
        self.finished = True

    def on_trouble(self, symptom: Symptom) -> None:
        """The road broke."""
        self.symptom = symptom
        self.finished = True

    def _next(self, at_s: float) -> None:
        if not self._steps:
            self._step = None
            self.finished = True
            self._add(Entry(at_s, Kind.LEFT))
            return
        self._step = self._steps.popleft()
        self._outgoing.extend(self._step.begin(at_s))

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._size += sys.getsizeof(entry.text)
        if self.finished:
            return
        if len(self.entries) - self._since >= MOST_ENTRIES:
            self.on_closed(entry.at_s, _TOO_BIG, f"more than {MOST_ENTRIES} frames", by="we")
        elif self._size > MOST_BYTES:
            self.on_closed(entry.at_s, _TOO_BIG, f"more than {MOST_BYTES} bytes", by="we")
