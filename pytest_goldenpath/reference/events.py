"""An agent event before anything is decided about its shape on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pytest_goldenpath.reference.fault import Select

STARTED = "agent_started"
THINKING = "agent_thinking"
EXECUTING = "tool_executing"
TOOL_DONE = "tool_completed"
COMPLETED = "agent_completed"
FIVE = (STARTED, THINKING, EXECUTING, TOOL_DONE, COMPLETED)

_OF_THE_RUN = ("name", "run_id", "user_id", "thread_id", "agent", "at")


@dataclass(frozen=True, slots=True)
class Event:
    """One of the five, with the fields its name calls for."""

    name: str
    run_id: str
    user_id: str
    thread_id: str
    agent: str
    at: float
    fields: Mapping[str, object] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Return a field as text, empty if it is missing."""
        value = self.fields.get(key)
        return "" if value is None else str(value)

    def edited(self, changes: Mapping[str, object], remove: tuple[str, ...] = ()) -> "Event":
        """Return the event with other fields, its own ones or those of the run."""
        own = {key: value for key, value in changes.items() if key not in _OF_THE_RUN}
        kept = {key: value for key, value in self.fields.items() if key not in remove}
        outer = {key: str(changes[key]) for key in _OF_THE_RUN[:-1] if key in changes}
        outer |= {key: "" for key in remove if key in _OF_THE_RUN[:-1]}
        at = changes.get("at", 0.0 if "at" in remove else self.at)
        return Event(
            name=outer.get("name", self.name),
            run_id=outer.get("run_id", self.run_id),
            user_id=outer.get("user_id", self.user_id),
            thread_id=outer.get("thread_id", self.thread_id),
            agent=outer.get("agent", self.agent),
            at=at if isinstance(at, float) else self.at,
            fields=kept | own,
        )


@dataclass(frozen=True, slots=True)
class Raw:
    """A frame that is sent as it is."""

    frame: Mapping[str, object]


def matches(select: Select, event: Event) -> bool:
    """Tell whether the event is one of the selected; nth is counted by the caller."""
    return (
        select.name in {"", event.name}
        and select.agent in {"", event.agent}
        and select.tool in {"", event.text("tool")}
    )


def shifted(event: Event, seconds: float) -> Event:
    """Return the event with another time stamp."""
    return replace(event, at=event.at + seconds)
