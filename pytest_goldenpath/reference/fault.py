"""The words in which faults and variants are written, and the seams where the server asks for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to be ill: what it does to the server, and which findings it must cause."""

    name: str
    description: str
    row: str  # row of protocol.md section 10, or ""
    codes: tuple[str, ...]  # findings that must be made
    implied: tuple[str, ...]  # further findings that may follow from it
    categories: tuple[str, ...]  # where it can be seen
    effects: tuple[tuple[str, object], ...]  # seam name -> argument


@dataclass(frozen=True, slots=True)
class Variant:
    """One healthy dialect that a tolerant client must understand."""

    name: str
    description: str
    family: str  # events, welcome, health or places


@dataclass(frozen=True, slots=True)
class Reply:
    """What becomes of the answer of one HTTP route (seam ``http.<route>``)."""

    status: int | None = None
    merge: Mapping[str, object] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    replace: object = None
    raw: str | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    after: int = 0  # the first answers stay healthy
    every: int = 1  # then each so-manyth one is ill
    only: int | None = None  # only answers that would have had this status


@dataclass(frozen=True, slots=True)
class Close:
    """A close the server should not make, and the frame it sends before it, if any."""

    code: int
    reason: str = ""
    frame: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Select:
    """Some events of a run: by name, by agent, by tool; empty means any; nth counts from 1."""

    name: str = ""
    agent: str = ""
    tool: str = ""
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Edit:
    """Selected events with other fields; ``event fields`` are run_id, user_id, and so on."""

    select: Select
    fields: Mapping[str, object] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Insert:
    """A frame or an event put behind the selected events (or before them)."""

    select: Select
    frame: Mapping[str, object] | None = None  # sent as it is
    name: str = ""  # or an event of the run with this name
    agent: str = "supervisor"
    fields: Mapping[str, object] = field(default_factory=dict)
    before: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """The selected events kept back until after the last event, or brought out first."""

    select: Select
    to: str  # "end" or "front"


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence before the selected events."""

    select: Select
    seconds: float


@dataclass(frozen=True, slots=True)
class Encode:
    """Selected events put on the wire in a wrong way (see ``wire.py`` for the ways)."""

    select: Select
    way: str


@dataclass(frozen=True, slots=True)
class CloseAt:
    """A close in the middle of a run, behind the selected events."""

    select: Select
    close: Close


class Seams:
    """The effects of all active faults, by seam; several faults compose."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._effects = [effect for fault in faults for effect in fault.effects]

    def at(self, seam: str, kind: type[T]) -> T | None:
        """Return the argument of the seam (that of the last fault given), or None if it is healthy."""
        arguments = self.every(seam, kind)
        return arguments[-1] if arguments else None

    def every(self, seam: str, kind: type[T]) -> list[T]:
        """Return the arguments of all faults that act on the seam."""
        found = [argument for name, argument in self._effects if name == seam]
        for argument in found:
            if not isinstance(argument, kind):
                raise TypeError(f"seam {seam} wants {kind.__name__}, a fault gives {argument!r}")
        return [argument for argument in found if isinstance(argument, kind)]

    def on(self, seam: str) -> bool:
        """Tell whether any fault acts on the seam; for seams that are only switched."""
        return any(name == seam for name, _ in self._effects)

    def under(self, prefix: str) -> list[tuple[str, object]]:
        """Return the effects whose seam starts with the prefix, in the order of the faults."""
        return [(name, argument) for name, argument in self._effects if name.startswith(prefix)]


#: Short words for writing faults down.
_CATEGORIES = {"s": "smoke", "c": "mission_critical", "r": "remediation"}

EVENTS = "GP-401 GP-402 GP-403 GP-404 GP-405"
# What follows when a connection is of no use.
NO_RUN = f"GP-107 GP-304 GP-305 GP-306 GP-307 GP-308 GP-310 GP-705 {EVENTS} GP-501"
# What follows when a run breaks off.
NO_END = "GP-404 GP-405 GP-406 GP-407 GP-413 GP-501 GP-502 GP-503 GP-504 GP-505"
# What follows when the answer is not one.
NO_ANSWER = "GP-410 GP-411 GP-501 GP-502 GP-503 GP-504 GP-507"


def ill(
    name: str,
    description: str,
    row: str,
    codes: str,
    implied: str,
    seen: str,
    *effects: tuple[str, object],
) -> Fault:
    """Write down a fault; codes and categories are words in one text."""
    musts = tuple(codes.split())
    return Fault(
        name=name,
        description=description,
        row=row,
        codes=musts,
        implied=tuple(code for code in dict.fromkeys(implied.split()) if code not in musts),
        categories=tuple(_CATEGORIES[letter] for letter in seen.split()),
        effects=effects,
    )
