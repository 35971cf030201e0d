"""What faults do to the events of a run: one small stream transformer for each kind of change."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias, TypeVar

from pytest_goldenpath.reference.events import Event, Raw, matches, shifted
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
from pytest_goldenpath.reference.wire import Odd

Item: TypeAlias = Event | Raw | Odd | Close
Items: TypeAlias = AsyncIterator[Item]
T = TypeVar("T")


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


def disturbed(items: Items, seams: Seams) -> Items:
    """Return the items as the active faults leave them, in the order in which faults were given."""
    for seam, argument in seams.under("events."):
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
