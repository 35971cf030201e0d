"""What a socket has to bear: other offers, misuse, silence, every way to ask, and its limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_goldenpath.contract.rules.sockets import (
    FLOOD,
    MISUSES,
    NEIGHBOUR,
    OVERSIZED,
    OVERSIZED_BYTES,
)
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.journey.asking import Ask
from pytest_goldenpath.journey.channel import ALONE, SWAPPED, Call, hold
from pytest_goldenpath.journey.conversation import (
    AwaitWelcome,
    Conversation,
    Idle,
    Outgoing,
    Ping,
    Provoke,
    Step,
)
from pytest_goldenpath.journey.expedition import LINES_PER_USER, Expedition
from pytest_goldenpath.journey.golden import new_request
from pytest_goldenpath.journey.login import User

_WELCOME_S = 3.0
_PONG_S = 5.0
_REPLY_S = 5.0
#: Two heartbeat intervals, and a little for the second one to arrive (rules GP-307).
_HEARTBEATS = 2
_MARGIN_S = 0.5
#: Ways to ask beside the one that the target is configured to use (protocol 3.5, 3.6).
OTHER_TYPES = ("user_message", "chat", "start_agent", "agent_request", "chat_message")
#: More connections than any documented budget allows (protocol 3.9: 3, 10).
_FLOOD = 12
_STAY_S = 1.5


async def talk(
    trip: Expedition,
    user: User,
    purpose: str,
    steps: Sequence[Step],
    *,
    carrier: str = "",
    lines: int = 1,
    patient: bool = True,
) -> Transcript:
    """Hold one further conversation once the instance is warm.

    Args:
        trip: the survey under way.
        user: as whom.
        purpose: why, for the record.
        steps: what is said and waited for after the welcome.
        carrier: how the token travels; the journey's way when blank.
        lines: connections that are taken of the user's budget; 0 when the caller holds one.
        patient: whether to knock again when no place is free yet.

    """
    await trip.welcomed.wait()
    call = Call(
        purpose,
        trip.target.ws,
        carrier or trip.carrier,
        user.token,
        user_id=user.user_id,
        welcome_within_s=_WELCOME_S,
    )

    async def once() -> Transcript:
        conversation = Conversation((AwaitWelcome(_WELCOME_S), *steps))
        return await hold(call, conversation, trip.redactor, ready=True)

    async with trip.lines.take(lines):
        return await (trip.lines.once_free(once) if patient else once())


async def offers(trip: Expedition, user: User) -> None:
    """Offer the token in the other documented ways (GP-302)."""
    talks = [
        await talk(trip, user, f"handshake by {carrier}", (), carrier=carrier)
        for carrier in (SWAPPED, ALONE)
    ]
    trip.keep_talks("offers", talks)


async def misuse(trip: Expedition, user: User) -> None:
    """Say what no client should say, then see whether the connection still works (GP-306)."""
    wrong = [Provoke(Outgoing(label, text), _REPLY_S) for label, text in MISUSES]
    trip.keep_talks("misuse", [await talk(trip, user, "misuse", (*wrong, Ping(_PONG_S)))])


async def idle(trip: Expedition, user: User) -> None:
    """Say nothing for two heartbeat intervals; begins early, for it takes long (GP-307)."""
    silence = Idle(_HEARTBEATS * trip.target.heartbeat_s + _MARGIN_S)
    trip.keep_talks("idle", [await talk(trip, user, "idle", (silence, Ping(_PONG_S)))])


async def message_types(trip: Expedition, user: User) -> None:
    """Ask by every documented type, and leave at the first event (GP-418)."""

    async def ask(kind: str) -> Transcript:
        request = replace(new_request(trip.target, kind), message_type=kind)
        asking = Ask(request, user.user_id, only_start=True)
        said = await talk(trip, user, f"ask by {kind}", (asking, Ping(_PONG_S)))
        return replace(said, request=request)

    await trip.asked_all.wait()
    trip.keep_talks("message_types", await asyncio.gather(*(ask(kind) for kind in OTHER_TYPES)))


async def limits(trip: Expedition, user: User) -> None:
    """Send too much and open too many, then ask a neighbour; nothing else goes on (GP-309)."""
    second = await trip.second_user()
    message = json.dumps({"type": "ping", "padding": "x" * OVERSIZED_BYTES})
    oversized = Provoke(Outgoing(OVERSIZED, message), _REPLY_S)
    talks = [await talk(trip, user, OVERSIZED, (oversized,))]
    settled: set[Conversation] = set()
    full = asyncio.Event()

    def note(conversation: Conversation) -> None:
        if conversation.welcomed or conversation.finished:
            settled.add(conversation)
        if len(settled) == _FLOOD:
            full.set()

    async with trip.lines.take(LINES_PER_USER), asyncio.TaskGroup() as group:
        flood = [group.create_task(_stay(trip, user, note)) for _ in range(_FLOOD)]
        if second is not None and second.user_id != user.user_id:
            await full.wait()
            asking = talk(trip, second, NEIGHBOUR, (Ping(_PONG_S),), lines=0, patient=False)
            talks.append(await asking)
    trip.keep_talks("limits", [*talks, *(task.result() for task in flood)])


async def _stay(trip: Expedition, user: User, note: Callable[[Conversation], None]) -> Transcript:
    """Open one connection of many and keep it while the neighbour is asked."""
    call = Call(FLOOD, trip.target.ws, trip.carrier, user.token, user_id=user.user_id)
    conversation = Conversation((AwaitWelcome(_WELCOME_S), Idle(_STAY_S)))
    return await hold(call, conversation, trip.redactor, ready=True, on_progress=note)
