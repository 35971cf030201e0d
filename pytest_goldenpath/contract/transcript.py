"""The record of one WebSocket conversation: everything sent and heard, with times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pytest_goldenpath.contract.findings import excerpt
from pytest_goldenpath.contract.frames import EVENTS, Frame, Sort, decode
from pytest_goldenpath.contract.symptom import Symptom


class Kind(StrEnum):
    """What one entry of a transcript tells."""

    OPENED = "opened"
    REFUSED = "refused"
    SENT = "sent"
    HEARD = "heard"
    MISSED = "missed"
    CLOSED = "closed"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a transcript.

    Attributes:
        at_s: seconds since the connection attempt began, monotonic.
        kind: what happened.
        label: what was sent or waited for; for ``opened`` the subprotocol chosen.
        text: the frame, the reason of a close, or the body of a refusal.
        code: HTTP status of ``refused``, close code of ``closed``.
        binary: the frame was a binary one.
        headers: response headers of ``opened`` and ``refused``.
    """

    at_s: float
    kind: Kind
    label: str = ""
    text: str = ""
    code: int | None = None
    binary: bool = False
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked, and what makes the answer recognisable.

    Attributes:
        text: the prompt.
        message_type: the ``type`` of the client message.
        thread_id, run_id, message_id: identifiers we chose and sent.
        marker: a word that the answer has to hold, '' when the prompt asks for none.
        expected: the result that the answer has to hold, '' when the prompt sets no task.
        first_event_s, silence_s, run_s: budgets of the run, seconds (protocol 3.9).
    """

    text: str
    message_type: str
    thread_id: str
    run_id: str
    message_id: str
    marker: str = ""
    expected: str = ""
    first_event_s: float = 5.0
    silence_s: float = 15.0
    run_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A received frame with its place in the transcript."""

    index: int
    at_s: float
    raw: str
    frame: Frame

    def evidence(self) -> str:
        """Give the frame as a person reads it, in one line."""
        return f"frame {self.index} at {self.at_s:.3f} s: {excerpt(self.raw, 400)}"


@dataclass(frozen=True, slots=True)
class Transcript:
    """One conversation, finished and immutable.

    Attributes:
        purpose: why it was held, such as ``journey`` or ``stranger: no token``.
        url: the WebSocket address without credentials.
        carrier: how the token travelled: ``header``, ``subprotocol`` or ``none``.
        offered: the subprotocols we offered, secrets replaced.
        user_id: whose token was used, empty for a stranger.
        welcome_budget_s: how long the welcome may take on this connection.
        request: what was asked, or None when nothing was to be asked.
        entries: what happened, in order.
        symptom: why the conversation broke, when it was the road's doing.
        epoch_s: our clock's time at the beginning, epoch seconds; 0 when it is not known.
    """

    purpose: str
    url: str
    carrier: str
    offered: tuple[str, ...]
    user_id: str
    welcome_budget_s: float
    request: Request | None
    entries: tuple[Entry, ...]
    symptom: Symptom | None = None
    epoch_s: float = 0.0

    @property
    def opened(self) -> Entry | None:
        """The upgrade, when it succeeded."""
        return self._first(Kind.OPENED)

    @property
    def refused(self) -> Entry | None:
        """The HTTP answer that refused the upgrade, if one did."""
        return self._first(Kind.REFUSED)

    @property
    def closed(self) -> Entry | None:
        """The close that the target sent or made necessary, if it did."""
        return self._first(Kind.CLOSED)

    @property
    def left(self) -> Entry | None:
        """The moment we hung up ourselves, if we did."""
        return self._first(Kind.LEFT)

    def heard(self) -> tuple[Heard, ...]:
        """Return every received text frame, decoded."""
        return tuple(
            Heard(index, entry.at_s, entry.text, decode(entry.text))
            for index, entry in enumerate(self.entries)
            if entry.kind is Kind.HEARD and not entry.binary
        )

    def all_heard(self) -> tuple[Heard, ...]:
        """Return every received frame, decoded, whatever it travelled as."""
        return tuple(
            Heard(index, entry.at_s, entry.text, decode(entry.text))
            for index, entry in enumerate(self.entries)
            if entry.kind is Kind.HEARD
        )

    def of_sort(self, sort: Sort) -> tuple[Heard, ...]:
        """Return the received frames of one sort."""
        return tuple(heard for heard in self.heard() if heard.frame.sort is sort)

    def welcome(self) -> Heard | None:
        """Return the first welcome, if one came."""
        return next(iter(self.of_sort(Sort.WELCOME)), None)

    def sent(self, label: str) -> Entry | None:
        """Return the first message sent under this label, such as ``ping``."""
        return next((e for e in self.entries if e.kind is Kind.SENT and e.label == label), None)

    def missed(self, label: str) -> bool:
        """Tell whether a wait of this label ran into its deadline."""
        return any(e.kind is Kind.MISSED and e.label == label for e in self.entries)

    def events(self) -> tuple[Heard, ...]:
        """Return the agent events that may belong to our request: ours, and heard after it."""
        asked = self._asked_at()
        heard = (h for h in self.of_sort(Sort.EVENT) if h.index > asked)
        return tuple(h for h in heard if self.is_mine(h.frame))

    def early_events(self) -> tuple[Heard, ...]:
        """Return the agent events that came before anything was asked."""
        asked = self._asked_at()
        return tuple(h for h in self.of_sort(Sort.EVENT) if h.index < asked)

    def strangers(self) -> tuple[Heard, ...]:
        """Return the agent events that say they belong to another user or thread."""
        return tuple(heard for heard in self.of_sort(Sort.EVENT) if not self.is_mine(heard.frame))

    def is_mine(self, frame: Frame) -> bool:
        """Tell whether nothing in the frame says that it is somebody else's (0.3.12)."""
        return is_mine(frame, self.user_id, self.request)

    def answer(self) -> str:
        """Return the text of the completion that ended our run, or ''."""
        events = self.events()
        end = last_completion(events)
        return "" if end is None else events[end].frame.answer()

    def last_words(self) -> str:
        """Tell how the conversation ended, for the message of a finding."""
        if self.refused:
            body = excerpt(" ".join(self.refused.text.split()), 200)
            return f"the upgrade was answered with HTTP {self.refused.code} {body}".rstrip()
        if self.closed:
            reason = f" ({excerpt(self.closed.text, 120)})" if self.closed.text else ""
            return (
                f"{self.closed.label} closed with {self.closed.code}{reason} "
                f"at {self.closed.at_s:.3f} s"
            )
        if self.symptom:
            return self.symptom.sentence()
        names = ", ".join(dict.fromkeys(self._heard_names())) or "nothing"
        return f"heard {names} in {self.entries[-1].at_s:.3f} s" if self.entries else "nothing"

    def _asked_at(self) -> int:
        """Return the place of the request among the entries; nothing counts before it."""
        for index, entry in enumerate(self.entries):
            if entry.kind is Kind.SENT and entry.label == "request":
                return index
        return len(self.entries) if self.request else -1

    def _heard_names(self) -> Iterator[str]:
        for heard in self.heard():
            yield heard.frame.name or heard.frame.sort.value

    def _first(self, kind: Kind) -> Entry | None:
        return next((entry for entry in self.entries if entry.kind is kind), None)


def agent_of(heard: Heard) -> str:
    """Return the name of the agent that an event is about, or ''."""
    return heard.frame.text("agent_name", "agent", "agent_id")


def last_completion(events: tuple[Heard, ...]) -> int | None:
    """Return the place of the completion that ends the run (protocol 4.7.4), None without one.

    It is the first completion of the agent that started first, unless another agent starts
    after it: agents in a row have nobody above them, and the last of them ends the run.
    """
    started, completed = EVENTS[0], EVENTS[-1]
    first = next((place for place, h in enumerate(events) if h.frame.name == started), None)
    lead = None if first is None else agent_of(events[first])
    ends = [place for place, heard in enumerate(events) if heard.frame.name == completed]
    if not lead:
        return ends[-1] if ends else None
    leads = [place for place in ends if agent_of(events[place]) == lead]
    if not leads:
        # Where completions name no agent, the last of them is the lead's (protocol 4.2).
        return next((place for place in reversed(ends) if not agent_of(events[place])), None)
    if first is not None and leads[0] < first:
        return leads[0]
    later = (heard for heard in events[leads[0] + 1 :] if heard.frame.name == started)
    return ends[-1] if any(agent_of(heard) != lead for heard in later) else leads[0]


def is_mine(frame: Frame, user_id: str, request: Request | None) -> bool:
    """Tell whether nothing in the frame says that it is somebody else's (protocol 0.3.12).

    Every place of the frame is looked at: one that names another user settles it. Our user's
    name makes it ours whatever the thread, for a server may choose threads of its own. A frame
    without a user or thread is taken as ours, for it came over our connection.
    """
    users = frame.words("user_id")
    if users and user_id:
        return all(user == user_id for user in users)
    threads = frame.words("thread_id")
    return not request or all(thread == request.thread_id for thread in threads)
