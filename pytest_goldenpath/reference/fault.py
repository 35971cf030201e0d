"""The words in which faults and variants are written: plain frozen data, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    family: str  # events, welcome or health


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
