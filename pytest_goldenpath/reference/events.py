"""The events of a run before they have a shape, and what faults do to them on their way."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from pytest_goldenpath.reference.fault import (
    Close,
    CloseAt,
    Edit,
    Encode,
    Insert,
    Move,
    Pause,
    Seams,
    Select,
)

STARTED = "agent_started"
THINKING = "agent_thinking"
EXECUTING = "tool_executing"
TOOL_DONE = "tool_completed"
COMPLETED = "agent_completed"
FIVE = (STARTED, THINKING, EXECUTING, TOOL_DONE, COMPLETED)

_OF_THE_RUN = ("name", "run_id", "user_id", "thread_id", "agent", "at")

T = TypeVar("T")


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


@dataclass(frozen=True, slots=True)
class Odd:
    """An event that a fault wants to have encoded in a wrong way."""

    event: Event
    way: str


Item: TypeAlias = Event | Raw | Odd | Close
Items: TypeAlias = AsyncIterator[Item]


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


class Picker:
    """Tells which items of one run are selected; knows how to count."""

    def __init__(self, select: Select) -> None:
        self._select = select
        self._seen = 0

    def picks(self, item: Item) -> bool:
        """Tell whether the item is selected."""
        if not isinstance(item, Event) or not matches(self._select, item):
            return False
        self._seen += 1
        return self._select.nth in {0, self._seen}


def disturbed(items: Items, seams: Seams, *, spared: bool = False) -> Items:
    """Return the items as the active faults leave them, in the order in which faults were given."""
    for seam, argument in () if spared else seams.under("events."):
        items = _KINDS[seam](items, argument)
    return items


async def _drop(items: Items, argument: object) -> Items:
    picker = Picker(_select(argument))
    async for item in items:
        if not picker.picks(item):
            yield item


async def _twice(items: Items, argument: object) -> Items:
    picker = Picker(_select(argument))
    async for item in items:
        yield item
        if picker.picks(item):
            yield item


async def _edit(items: Items, argument: object) -> Items:
    edit = _is(argument, Edit)
    picker = Picker(edit.select)
    async for item in items:
        if isinstance(item, Event) and picker.picks(item):
            yield item.edited(edit.fields, edit.remove)
        else:
            yield item


async def _shift(items: Items, argument: object) -> Items:
    pause = _is(argument, Pause)
    picker = Picker(pause.select)
    async for item in items:
        picked = isinstance(item, Event) and picker.picks(item)
        yield shifted(item, pause.seconds) if picked and isinstance(item, Event) else item


async def _insert(items: Items, argument: object) -> Items:
    insert = _is(argument, Insert)
    picker = Picker(insert.select)
    async for item in items:
        if not isinstance(item, Event) or not picker.picks(item):
            yield item
            continue
        if not insert.before:
            yield item
        yield _inserted(insert, item)
        if insert.before:
            yield item


def _inserted(insert: Insert, beside: Event) -> Item:
    if insert.frame is not None:
        return Raw(insert.frame)
    bare = Event(
        insert.name or beside.name,
        beside.run_id,
        beside.user_id,
        beside.thread_id,
        insert.agent,
        beside.at,
    )
    return bare.edited(insert.fields)


async def _move(items: Items, argument: object) -> Items:
    move = _is(argument, Move)
    picker = Picker(move.select)
    kept: list[Item] = []
    async for item in items:
        # To the front: all that is not selected waits until the rest has come.
        if picker.picks(item) == (move.to == "end"):
            kept.append(item)
        else:
            yield item
    for item in kept:
        yield item


async def _hold(items: Items, _: object) -> Items:
    for item in [item async for item in items]:
        yield item


async def _pause(items: Items, argument: object) -> Items:
    pause = _is(argument, Pause)
    picker = Picker(pause.select)
    async for item in items:
        if picker.picks(item):
            await asyncio.sleep(pause.seconds)
        yield item


async def _stop(items: Items, argument: object) -> Items:
    picker = Picker(_select(argument))
    async for item in items:
        yield item
        if picker.picks(item):
            return


async def _close(items: Items, argument: object) -> Items:
    end = _is(argument, CloseAt)
    picker = Picker(end.select)
    async for item in items:
        yield item
        if picker.picks(item):
            yield end.close


async def _encode(items: Items, argument: object) -> Items:
    encode = _is(argument, Encode)
    picker = Picker(encode.select)
    async for item in items:
        picked = isinstance(item, Event) and picker.picks(item)
        yield Odd(item, encode.way) if picked and isinstance(item, Event) else item


_KINDS: dict[str, Callable[[Items, object], Items]] = {
    "events.close": _close,
    "events.drop": _drop,
    "events.edit": _edit,
    "events.encode": _encode,
    "events.hold": _hold,
    "events.insert": _insert,
    "events.move": _move,
    "events.pause": _pause,
    "events.shift": _shift,
    "events.stop": _stop,
    "events.twice": _twice,
}


def _select(argument: object) -> Select:
    return _is(argument, Select)


def _is(argument: object, kind: type[T]) -> T:
    if not isinstance(argument, kind):
        raise TypeError(f"a fault gives {argument!r} where {kind.__name__} is wanted")
    return argument
