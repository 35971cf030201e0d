"""What the parts of a survey share while it is under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.frames import EVENTS, decode
from pytest_goldenpath.contract.rules.handshake import is_turned_away
from pytest_goldenpath.contract.survey import Missing
from pytest_goldenpath.contract.symptom import Symptom
from pytest_goldenpath.contract.transcript import Entry, Kind, Transcript
from pytest_goldenpath.journey.channel import SUBPROTOCOL
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.conversation import Conversation
from pytest_goldenpath.journey.login import User, log_in
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import Target, Wallet

#: Connections that every user may have at once (protocol 3.9, ``WebSocketConfig``).
LINES_PER_USER = 3
_FREED_S = 0.25
#: Waits before who is turned away knocks again, seconds.
_PLACE_FREED_S = (0.5, 1.0, 1.5)
#: Names of observations in a line of progress.
_MOST_NAMES = 4


@dataclass(slots=True)
class Lines:
    """The connections that one user may hold at once; a part takes all it needs, or waits."""

    free: int = LINES_PER_USER
    returned: asyncio.Event = field(default_factory=asyncio.Event)
    freed_s: float = _FREED_S
    waits_s: tuple[float, ...] = _PLACE_FREED_S

    @asynccontextmanager
    async def take(self, count: int = 1) -> AsyncIterator[None]:
        """Hold this many connections; nobody waits with a part of them in hand."""
        while self.free < count:
            self.returned.clear()
            await self.returned.wait()
        self.free -= count
        try:
            yield
        finally:
            # A server frees a place a moment after the close, and nobody tells the client when.
            asyncio.get_running_loop().call_later(self.freed_s, self._give_back, count)

    def _give_back(self, count: int) -> None:
        self.free += count
        self.returned.set()

    async def once_free(self, hold: Callable[[], Awaitable[Transcript]]) -> Transcript:
        """Hold a conversation on a line that is taken; again, if the server has no place yet.

        A server may free the place of a connection a while after the close, and then all give
        it that time; one that never frees a place is found, as it turns us away to the end.
        """
        transcript = await hold()
        for wait_s in self.waits_s:
            if not is_turned_away(transcript):
                return transcript
            self.freed_s = max(self.freed_s, wait_s)
            await asyncio.sleep(wait_s)
            transcript = await hold()
        if is_turned_away(transcript):
            self.waits_s = ()  # having waited once in vain is enough
        return transcript


@dataclass(slots=True)
class Expedition:
    """What the parts of a survey share while it is under way.

    Attributes:
        target: where.
        wallet: as whom.
        redactor: the secrets of this process.
        wanted: names of the observations to make.
        web: the HTTP client.
        welcomed: set when the first connection of the survey is over its welcome.
        asked_all: set when the golden journey is over.
        carrier: how the journey's token travels, which is how it does on the other connections.
        lines: the first user's connections.
        parts: what was observed, by the names of the survey's own fields.
        asked: HTTP exchanges by name of the observation.
        talks: conversations by name of the observation.
        missing: why an observation could not be made.
        so_far: what the golden journey has heard.
        asking: since when it waits for the end of its run.
    """

    target: Target
    wallet: Wallet
    redactor: Redactor
    wanted: Collection[str]
    web: Web
    welcomed: asyncio.Event = field(default_factory=asyncio.Event)
    asked_all: asyncio.Event = field(default_factory=asyncio.Event)
    carrier: str = SUBPROTOCOL
    lines: Lines = field(default_factory=Lines)
    parts: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, tuple[Exchange, ...]] = field(default_factory=dict)
    talks: dict[str, tuple[Transcript, ...]] = field(default_factory=dict)
    missing: dict[str, Missing] = field(default_factory=dict)
    so_far: Sequence[Entry] = ()
    asking: Stopwatch | None = None
    _second: asyncio.Task[User | None] | None = None

    @property
    def expired(self) -> Secret:
        """A real token of the target that has expired, or a blank one."""
        return self.wallet.expired_token

    def note_welcome(self, carrier: str, conversation: Conversation) -> None:
        """Let the other connections start once the instance is warm, or nothing will warm it."""
        entries = conversation.entries
        self.carrier = carrier
        if conversation.welcomed or (entries and entries[-1].kind is Kind.MISSED):
            self.welcomed.set()

    def note_journey(self, carrier: str, conversation: Conversation) -> None:
        """Follow the golden journey: its welcome lets the others start, the rest is progress."""
        self.note_welcome(carrier, conversation)
        self.so_far = conversation.entries
        if self.asking is None and any(_is_request(entry) for entry in self.so_far):
            self.asking = Stopwatch()

    def progress(self) -> str:
        """Tell in one line what is still waited for."""
        known = {*self.parts, *self.asked, *self.talks, *self.missing}
        rest = sorted(name for name in self.wanted if name not in known | {"journey"})
        told = []
        if "journey" in self.wanted and "journey" not in known and self.so_far:
            spent_s = f"{self.asking.now():.0f} of " if self.asking else ""
            whole_s = f", {spent_s}{self.target.run_deadline_s:g} s" if self.asking else ""
            told.append(f"the journey waits for {awaited(self.so_far)}{whole_s}")
        if rest:
            more = f" and {len(rest) - _MOST_NAMES} more" if len(rest) > _MOST_NAMES else ""
            told.append(f"under way: {', '.join(rest[:_MOST_NAMES])}{more}")
        return "; ".join(told) or "nearly done"

    def wants(self, *names: str) -> bool:
        """Tell whether one of the observations is to be made."""
        return any(name in self.wanted for name in names)

    def keep_exchanges(self, name: str, exchanges: Iterable[Exchange]) -> None:
        """Keep the exchanges of an observation, and note the trouble that is in them."""
        self.asked[name] = tuple(exchanges)
        self.note_trouble(name, [exchange.symptom for exchange in self.asked[name]])

    def keep_talks(self, name: str, transcripts: Iterable[Transcript]) -> None:
        """Keep the conversations of an observation, and note the trouble that is in them."""
        self.talks[name] = tuple(transcripts)
        self.note_trouble(name, [transcript.symptom for transcript in self.talks[name]])

    def skip(self, name: str, reason: str) -> None:
        """Say that an observation cannot be made on this target, which is nobody's fault."""
        self.missing[name] = Missing(reason, skipped=True)

    def note_trouble(self, name: str, symptoms: list[Symptom | None]) -> None:
        """Say that an observation broke off, if the road did that to it."""
        first = next((symptom for symptom in symptoms if symptom), None)
        if first:
            reason = f"an observation broke off: {first.sentence()}"
            self.missing[name] = Missing(reason, symptom=replace(first, ready=True))

    async def second_user(self) -> User | None:
        """Log the second user in, once; None without credentials, or when that fails."""
        if self.wallet.second is None:
            return None
        if self._second is None:
            self._second = asyncio.create_task(self._log_second_in())
        return await asyncio.shield(self._second)

    def why_no_second_user(self) -> Missing:
        """Say why the second user's login gave nobody, and what to look at."""
        login = self.parts.get("second_login")
        exchange = login.exchange if login else None
        symptom = exchange.symptom if exchange else None
        excuse = symptom if symptom and not attribute(symptom).attribution.accuses else None
        seen = f": {exchange.evidence()}" if exchange else ""
        reason = (
            "the second user could not log in (GOLDENPATH_EMAIL_2 and GOLDENPATH_PASSWORD_2, or "
            f"GOLDENPATH_TOKEN_2){seen}"
        )
        return Missing(reason, blocked_by=("GP-201",), symptom=excuse)

    async def _log_second_in(self) -> User | None:
        if self.wallet.second is None:
            return None
        login, user = await log_in(self.target, self.wallet.second, self.web, self.redactor)
        self.parts["second_login"] = login
        return user


def awaited(entries: Iterable[Entry]) -> str:
    """Tell what a journey that is under way waits for."""
    waits_for, heard = "the welcome", set()
    for entry in entries:
        if entry.kind is Kind.SENT:
            waits_for = "" if entry.label == "request" else "a pong"
        elif entry.kind is Kind.HEARD:
            heard.add(decode(entry.text).name)
    return waits_for or next((name for name in EVENTS if name not in heard), "the end of the run")


def _is_request(entry: Entry) -> bool:
    return entry.kind is Kind.SENT and entry.label == "request"
