"""Several connections and several users at once: who hears what (rules GP-6nn, GP-310)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.rules.company import KEPT_AFTER, KEPT_BEFORE, SECOND_TURN
from pytest_goldenpath.contract.survey import Missing
from pytest_goldenpath.contract.transcript import Kind, Request, Transcript
from pytest_goldenpath.journey.asking import Ask
from pytest_goldenpath.journey.channel import Call, hold
from pytest_goldenpath.journey.conversation import AwaitWelcome, Conversation, Idle, Ping
from pytest_goldenpath.journey.expedition import LINES_PER_USER, Expedition
from pytest_goldenpath.journey.golden import new_request
from pytest_goldenpath.journey.login import User, log_in
from pytest_goldenpath.journey.sockets import talk
from pytest_goldenpath.journey.threads import thread_of, until_kept
from pytest_goldenpath.target.model import Credentials, ReadyToken

_WELCOME_S = 3.0
_PONG_S = 5.0
_FENCE_S = 2.0
_TWO = 2
_ANSWER_S = 10.0
#: What comes this long after the end of a run is heard.
_LINGER_S = 1.0
#: The observation under which logins are kept that nothing but the run itself needed.
_LOGINS = "further logins"
#: Whoever is not welcomed by then is no longer waited for.
_TOGETHER_S = 3.0


class Together:
    """Lets conversations ask only once all of them are welcomed, so that their runs overlap."""

    def __init__(self, count: int) -> None:
        """Take how many there are."""
        self._missing = count
        self._all = asyncio.Event()

    async def arrive(self) -> None:
        """Say that one may ask, and wait for the others, but not for ever."""
        self.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TOGETHER_S):
                await self._all.wait()

    def leave(self) -> None:
        """Say that one need not be waited for any longer."""
        self._missing -= 1
        if self._missing <= 0:
            self._all.set()


async def pair(trip: Expedition, user: User) -> None:
    """Ask on two connections of one user at once; the later one has a login of its own."""
    await trip.asked_all.wait()
    again = await _log_in_again(trip, user)
    async with trip.lines.take(2):
        talks = await _at_once(trip, (user, again), "one user")
    trip.keep_talks("pair", talks)


async def crowd(trip: Expedition, user: User) -> None:
    """Let every user that can log in ask at once (GP-601)."""
    second = await trip.second_user()
    if trip.wallet.second is None:
        reason = (
            "there is no second user; set GOLDENPATH_EMAIL_2 and GOLDENPATH_PASSWORD_2, "
            "or GOLDENPATH_TOKEN_2"
        )
        trip.skip("crowd", reason)
        return
    if second is None:
        trip.missing["crowd"] = trip.why_no_second_user()
        return
    others = await asyncio.gather(
        *(_login(trip, who) for who in trip.wallet.crowd[: trip.target.users - 2])
    )
    users = [user, second, *(other for other in others if other)]
    if len({someone.user_id for someone in users}) < len(users):
        trip.missing["crowd"] = Missing("two logins are one and the same user", ("GP-801",))
        return
    await trip.welcomed.wait()
    async with trip.lines.take():
        talks = await _at_once(trip, users, "many users")
    trip.keep_talks("crowd", talks)
    read = (
        until_kept(partial(_read_thread, trip, who, said), said)
        for who, said in zip(users, talks, strict=True)
    )
    trip.asked["crowd"] = tuple(await asyncio.gather(*read))


async def _read_thread(trip: Expedition, user: User, said: Transcript) -> Exchange:
    """Read what is kept of a conversation; its purpose is that of the conversation."""
    url = f"{trip.target.backend}/api/threads/{thread_of(said)}/messages?limit=100"
    answer = await trip.web.exchange(said.purpose, "GET", url, within_s=_ANSWER_S, token=user.token)
    return answer.exchange


async def remember(trip: Expedition, user: User) -> None:
    """Read the journey's thread while the user is still there: what coming back is held against.

    It is waited for until all of it is there: a text that was still being written is no lost one.
    """
    await trip.asked_all.wait()
    await _read_back(trip, user, KEPT_BEFORE, settled=True)


async def again(trip: Expedition, user: User) -> None:
    """Come back when every connection is closed: a new connection, and the user's own state.

    Two questions are asked on it, for a chat has more than one.
    """
    first = new_request(trip.target, "reconnect")
    second = replace(new_request(trip.target, SECOND_TURN), thread_id=first.thread_id)
    asking = Ask(first, user.user_id)
    steps = (
        Ping(_PONG_S),
        asking,
        Ping(_FENCE_S, "fence"),
        Ask(second, user.user_id, after=asking),
        Ping(_FENCE_S, "fence"),
    )
    async with trip.lines.take(LINES_PER_USER):
        back = await talk(trip, user, "reconnect", steps, lines=0, carrier=_other_carrier(trip))
    trip.keep_talks("again", turns(back, first, second))
    await _read_back(trip, user, KEPT_AFTER)


def _other_carrier(trip: Expedition) -> str:
    """Return the carrier that the journey did not use, if it opens the socket as well.

    So a request is made by each: a welcome alone does not show that one is answered.
    """
    carriers: tuple[Transcript, ...] = trip.parts.get("carriers", ())
    others = [t.carrier for t in carriers if t.carrier != trip.carrier and t.welcome()]
    return next(iter(others), "")


def turns(said: Transcript, first: Request, second: Request) -> list[Transcript]:
    """Part a conversation of two questions into two, each with the handshake before it."""
    asked = [
        place
        for place, entry in enumerate(said.entries)
        if entry.kind is Kind.SENT and entry.label == "request"
    ]
    if len(asked) < _TWO:
        return [replace(said, request=first)]
    begin, then = asked[:_TWO]
    return [
        replace(said, request=first, entries=said.entries[:then]),
        replace(
            said,
            purpose=SECOND_TURN,
            request=second,
            entries=(*said.entries[:begin], *said.entries[then:]),
        ),
    ]


async def _read_back(trip: Expedition, user: User, purpose: str, *, settled: bool = False) -> None:
    journey: Transcript | None = trip.parts.get("journey")
    if journey is None or journey.request is None:
        return
    read = partial(_read_thread, trip, user, journey)
    exchange = await (until_kept(read, journey) if settled else read())
    trip.asked["again"] = (*trip.asked.get("again", ()), replace(exchange, purpose=purpose))


async def _log_in_again(trip: Expedition, user: User) -> User:
    """Log the first user in once more; a ready token is used twice."""
    if isinstance(trip.wallet.first, ReadyToken):
        return user
    return await _login(trip, trip.wallet.first) or user


async def _login(trip: Expedition, credentials: Credentials) -> User | None:
    login, user = await log_in(trip.target, credentials, trip.web, trip.redactor)
    if login.exchange:
        trip.asked[_LOGINS] = (*trip.asked.get(_LOGINS, ()), login.exchange)
    return user


async def _at_once(trip: Expedition, users: Sequence[User], what: str) -> list[Transcript]:
    """Let every user ask on a connection of its own, all at the same moment."""
    calls = zip(users, _distinct_requests(trip, what, len(users)), strict=True)
    together = Together(len(users))
    first = users[0].user_id
    return await asyncio.gather(
        *(
            # Only the first user has other connections, whose places may not be free yet.
            _ask(
                trip,
                user,
                request,
                f"{what}, connection {number}",
                together,
                patient=user.user_id == first,
            )
            for number, (user, request) in enumerate(calls, start=1)
        )
    )


def _distinct_requests(trip: Expedition, what: str, count: int) -> list[Request]:
    requests: dict[str, Request] = {}
    numbers = itertools.count(1)
    while len(requests) < count:
        request = new_request(trip.target, f"{what} {next(numbers)}")
        requests[request.marker or request.run_id] = request
    return list(requests.values())


async def _ask(
    trip: Expedition,
    user: User,
    request: Request,
    purpose: str,
    together: Together,
    *,
    patient: bool,
) -> Transcript:
    call = Call(
        purpose,
        trip.target.ws,
        trip.carrier,
        user.token,
        user_id=user.user_id,
        welcome_within_s=_WELCOME_S,
        request=request,
    )
    asked = False

    async def before_request() -> None:
        nonlocal asked
        asked = True
        await together.arrive()

    async def once() -> Transcript:
        steps = (
            AwaitWelcome(_WELCOME_S),
            Ping(_PONG_S),
            Ask(request, user.user_id),
            Ping(_FENCE_S, "fence"),
            Idle(_LINGER_S),
        )
        conversation = Conversation(steps)
        return await hold(
            call, conversation, trip.redactor, ready=True, before_request=before_request
        )

    try:
        return await (trip.lines.once_free(once) if patient else once())
    finally:
        if not asked:
            together.leave()
