"""Work with threads over HTTP: as their owner, after a journey, and as somebody else."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.observed import (
    listed_threads,
    messages_in,
    thread_id_of,
    usable_id,
)
from pytest_goldenpath.contract.rules import threads as steps
from pytest_goldenpath.contract.rules.events import BEFORE_THE_REQUEST
from pytest_goldenpath.contract.survey import Missing
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.journey.asking import Ask
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.expedition import Expedition
from pytest_goldenpath.journey.golden import new_request
from pytest_goldenpath.journey.login import User
from pytest_goldenpath.journey.sockets import talk

_THREADS, _CHAT = "/api/threads", "/api/chat/messages"
_WITHIN_S = 10.0
#: The largest page that the platform gives (protocol 6.3).
_PAGE = 100
#: A list may have its newest threads at its end; nobody's is longer than this.
_MOST_PAGES = 10
#: Storing may lag behind the answer by this much.
_STORED_WITHIN_S = 5.0
_NOT_FOUND = 404
#: A thread cannot be waited for, only asked for again; this keeps the questions apart.
_PACE_S = 0.25
_MOVED = frozenset({307, 308})

Words = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Api:
    """The threads API as one user sees it; keeps every exchange, in order.

    Attributes:
        trip: the survey under way.
        user: as whom.
        role: put before the purpose of every exchange.
        tokenless: nothing is sent that says who asks.
        sent: what the answers are held against, kept with every exchange.
        kept: what was asked so far.
    """

    trip: Expedition
    user: User
    role: str = ""
    tokenless: bool = False
    sent: Words = ()
    kept: list[Exchange] = field(default_factory=list)

    async def ask(
        self,
        purpose: str,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        *,
        sent: Words = (),
        within_s: float = _WITHIN_S,
    ) -> Exchange:
        """Make one request; a redirect to the same path with a slash is followed."""
        url = f"{self.trip.target.backend}{path}"
        exchange = await self._once(purpose, method, url, json, within_s)
        if exchange.status in _MOVED:
            bare, mark, query = url.partition("?")
            if urlsplit(exchange.header("location")).path == f"{urlsplit(bare).path}/":
                url = f"{bare}/{mark}{query}"
                exchange = await self._once(purpose, method, url, json, within_s)
        exchange = replace(exchange, sent=(*self.sent, *sent))
        self.kept.append(exchange)
        return exchange

    async def _once(
        self, purpose: str, method: str, url: str, json: Mapping[str, Any] | None, within_s: float
    ) -> Exchange:
        answer = await self.trip.web.exchange(
            f"{self.role}{purpose}",
            method,
            url,
            within_s=within_s,
            json=json,
            token=None if self.tokenless else self.user.token,
        )
        return answer.exchange

    async def listed(self, purpose: str, thread_id: str) -> None:
        """Ask for the list, page by page, until the thread is in it or it ends."""
        for page in range(_MOST_PAGES):
            path = f"{_THREADS}?limit={_PAGE}&offset={page * _PAGE}"
            found = listed_threads(await self.ask(purpose, "GET", path)) or ()
            if thread_id in found or len(found) < _PAGE:
                return

    @asynccontextmanager
    async def thread(self, title: str) -> AsyncIterator[str]:
        """Create a thread and delete it at the end, whatever happens; yields its id, or ''."""
        body = {"title": title, "metadata": {}}
        created = await self.ask(steps.CREATED, "POST", _THREADS, body)
        thread_id = thread_id_of(created.json()) if created.accepted else ""
        if not thread_id:
            yield ""
            return
        self.sent = (*self.sent, ("thread", thread_id))
        try:
            yield thread_id
        finally:
            await self.ask(steps.DELETED, "DELETE", f"{_THREADS}/{thread_id}")


async def use_database(trip: Expedition, user: User) -> None:
    """Create, write, read, list and delete a thread: the observation ``thread``."""
    word = _word()
    text = f"Please keep in mind for later that the cost review has the number {word}."
    api = _Api(trip, user, sent=(("text", text),))
    async with api.thread(f"Cost review {word}") as thread_id:
        if thread_id:
            path = f"{_THREADS}/{thread_id}"
            await api.ask(steps.WRITTEN, "POST", f"{path}/messages", {"message": text})
            await asyncio.gather(
                api.ask(steps.READ, "GET", path),
                api.ask(steps.MESSAGES, "GET", f"{path}/messages?limit={_PAGE}"),
                api.listed(steps.LISTED, thread_id),
            )
    if thread_id:
        await asyncio.gather(
            api.ask(steps.READ_AFTER, "GET", f"{_THREADS}/{thread_id}"),
            api.listed(steps.LISTED_AFTER, thread_id),
        )
    trip.keep_exchanges("thread", api.kept)


async def read_back(trip: Expedition, user: User) -> None:
    """Read the golden journey's thread until all of it is there: the observation ``kept``."""
    await trip.asked_all.wait()
    journey: Transcript | None = trip.parts.get("journey")
    if journey is None or not journey.answer():
        blocked_by = ("GP-501", *BEFORE_THE_REQUEST)
        trip.missing["kept"] = Missing("there is no answer to read back", blocked_by)
        return
    thread_id = thread_of(journey)
    api = _Api(trip, user, sent=(("thread", thread_id),))
    path = f"{_THREADS}/{thread_id}/messages?limit={_PAGE}"
    last = await until_kept(lambda: api.ask(steps.MESSAGES, "GET", path), journey)
    if last.status == _NOT_FOUND and not _named_threads(journey):
        trip.skip("kept", "the target chose a thread of its own, and no event says which")
        return
    trip.asked["kept"] = tuple(api.kept)
    # What was in the way while the thread was asked for again is over.
    trip.note_trouble("kept", [last.symptom])


async def until_kept(read: Callable[[], Awaitable[Exchange]], said: Transcript) -> Exchange:
    """Read a conversation's thread until all of it is there, for a while; returns the last look."""
    stopwatch = Stopwatch()
    while True:
        last = await read()
        messages = messages_in(last) if last.accepted else None
        if messages is not None and not any(steps.flaws(messages, said)):
            return last
        if not said.answer() or stopwatch.now() + _PACE_S > _STORED_WITHIN_S:
            return last
        await asyncio.sleep(_PACE_S)


async def trespass(trip: Expedition, user: User) -> None:
    """Let the second user try the first one's thread: the observation ``trespass``."""
    other = await trip.second_user()
    if other is None or is_same_user(user, other):
        _say_why_not(trip, other)
        return
    mark, foreign = _word(), _word()
    text = f"Please treat the offer with the number {mark} as confidential."
    words: Words = (("mark", mark), ("foreign mark", foreign), ("text", text))
    owner = _Api(trip, user, steps.OWNER, sent=words)
    async with owner.thread(f"Offer {mark}") as thread_id:
        if thread_id:
            path = f"{_THREADS}/{thread_id}"
            await owner.ask(steps.WRITTEN, "POST", f"{path}/messages", {"message": text})
            chat = {"content": text, "thread_id": thread_id, "message_type": "user"}
            await owner.ask(steps.CHATTED, "POST", _CHAT, chat)
            await owner.ask(steps.READ_BEFORE, "GET", f"{path}/messages?limit={_PAGE}")
            intruder = _Api(trip, other, sent=owner.sent, kept=owner.kept)
            await _intrude(intruder, thread_id, foreign)
            await asyncio.gather(
                owner.ask(steps.READ, "GET", path),
                owner.ask(steps.MESSAGES, "GET", f"{path}/messages?limit={_PAGE}"),
                owner.listed(steps.LISTED, thread_id),
            )
    trip.asked["trespass"] = tuple(owner.kept)
    # An agent that takes its time keeps nobody from knowing whose threads are whose.
    troubles = [e.symptom for e in owner.kept if e.purpose not in steps.OPTIONAL]
    trip.note_trouble("trespass", troubles)


async def write_without_token(trip: Expedition, user: User) -> None:
    """Change a thread of our own without a token: the observation ``stranger_writes``."""
    word = _word()
    note, title = f"Please add the number {word} to the review.", {"title": f"Review {word}"}
    owner = _Api(trip, user, steps.OWNER)
    nobody = _Api(trip, user, steps.NOBODY, tokenless=True, kept=owner.kept)
    async with owner.thread("Review of a quarter") as thread_id:
        if thread_id:
            path = f"{_THREADS}/{thread_id}"
            chat = {"content": note, "thread_id": thread_id, "message_type": "user"}
            await asyncio.gather(
                _create_without_token(nobody, owner),
                nobody.ask(steps.WRITTEN, "POST", f"{path}/messages", {"message": note}),
                nobody.ask(steps.CHATTED, "POST", _CHAT, chat),
                nobody.ask(steps.CHANGED, "PUT", path, title),
            )
            await nobody.ask(steps.DELETED, "DELETE", path)
    trip.asked["stranger_writes"] = tuple(owner.kept)
    troubles = [e.symptom for e in owner.kept if e.purpose not in steps.OPTIONAL]
    trip.note_trouble("stranger_writes", troubles)


async def _create_without_token(nobody: _Api, owner: _Api) -> None:
    """Try to create a thread; whose it became is not known, so both take it away again."""
    async with nobody.thread("Review of nobody") as stray:
        if stray:
            await owner.ask("stray thread deleted", "DELETE", f"{_THREADS}/{stray}")


async def _intrude(api: _Api, thread_id: str, foreign: str) -> None:
    """Read, write and at last delete what belongs to somebody else."""
    path = f"{_THREADS}/{thread_id}"
    note = f"Please add the number {foreign} to the offer."
    await asyncio.gather(
        api.listed(steps.OTHERS_LISTED, thread_id),
        api.ask(steps.OTHERS_CONVERSATIONS, "GET", f"/api/conversations?limit={_PAGE}"),
        api.ask(steps.OTHERS_HISTORY, "GET", f"/api/history?limit={_PAGE}"),
        api.ask(steps.OTHERS_READ, "GET", path),
        api.ask(steps.OTHERS_MESSAGES, "GET", f"{path}/messages?limit={_PAGE}"),
        api.ask(steps.OTHERS_CHAT, "GET", f"{_CHAT}?thread_id={thread_id}"),
    )
    await api.ask(steps.OTHERS_WRITTEN, "POST", f"{path}/messages", {"message": note})
    await api.ask(steps.OTHERS_CHANGED, "PUT", path, {"title": f"Offer {foreign}"})
    # An agent at work for somebody else would disturb the golden journey's times.
    await api.trip.asked_all.wait()
    await _ask_in(api, thread_id, note, steps.OTHERS_START, "/api/agent/v2/execute")
    await _talk_in(api, thread_id, note)
    await _ask_in(api, thread_id, note, steps.OTHERS_RUN, "/api/agent/message")
    await api.ask(steps.OTHERS_DELETED, "DELETE", path)


async def _ask_in(api: _Api, thread_id: str, note: str, purpose: str, route: str) -> None:
    """Ask an agent in somebody else's thread; a thread of its own is taken away again."""
    budget_s = api.trip.target.run_deadline_s
    body = {"message": note, "thread_id": thread_id}
    run = await api.ask(purpose, "POST", route, body, within_s=budget_s)
    own = usable_id(run.document().get("thread_id")) if run.accepted else ""
    if own not in {"", thread_id}:
        await api.ask("own thread deleted", "DELETE", f"{_THREADS}/{own}")


async def _talk_in(api: _Api, thread_id: str, note: str) -> None:
    """Ask in somebody else's thread over the socket, and hear what comes of it."""
    request = replace(
        new_request(api.trip.target, steps.OTHERS_TALK), thread_id=thread_id, text=note
    )
    asking = Ask(request, api.user.user_id, only_start=True)
    said = await talk(api.trip, api.user, steps.OTHERS_TALK, (asking,), lines=0)
    api.trip.talks["trespass"] = (said,)


def _say_why_not(trip: Expedition, other: User | None) -> None:
    if trip.wallet.second is None:
        trip.skip("trespass", "there are no credentials of a second user")
        return
    if other is not None:
        trip.skip("trespass", "both credentials log the same user in")
        return
    trip.missing["trespass"] = trip.why_no_second_user()


def is_same_user(user: User, other: User) -> bool:
    """Tell whether two logins are of one user; a token that cannot be read names nobody."""
    named = bool(user.user_id) and user.user_id == other.user_id
    return named or user.token.reveal() == other.token.reveal()


def thread_of(journey: Transcript) -> str:
    """Return our thread, unless the events name only others, for a server may choose its own."""
    ours = journey.request.thread_id if journey.request else ""
    named = _named_threads(journey)
    return ours if ours in named else next(iter(named), ours)


def _named_threads(journey: Transcript) -> list[str]:
    named = (name for heard in journey.events() for name in heard.frame.words("thread_id"))
    return [name for name in named if usable_id(name)]


def _word() -> str:
    """Draw a word that stands nowhere else."""
    return f"{secrets.token_hex(4)}-{secrets.token_hex(4)}"
