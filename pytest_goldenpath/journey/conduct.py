"""Conduct a survey: one run's look at a target, everything that can wait waiting at once."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import Kind as Trouble
from pytest_goldenpath.contract.symptom import Symptom
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.journey import company, sockets
from pytest_goldenpath.journey.channel import HEADER, SUBPROTOCOL, Call, hold
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.conversation import AwaitWelcome, Conversation, Ping
from pytest_goldenpath.journey.doors import DOORS, REFRESHING, refresh
from pytest_goldenpath.journey.expedition import Expedition
from pytest_goldenpath.journey.giveaways import try_giveaways, try_wrong_logins
from pytest_goldenpath.journey.golden import ask_over_http, hold_journey
from pytest_goldenpath.journey.health import ask_health, ask_readiness, sample_health
from pytest_goldenpath.journey.imports import observe_context
from pytest_goldenpath.journey.login import User, log_in
from pytest_goldenpath.journey.strangers import meet, side_door_calls, stranger_calls
from pytest_goldenpath.journey.threads import (
    read_back,
    trespass,
    use_database,
    write_without_token,
)
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.secrets import Redactor, scrub
from pytest_goldenpath.target.model import Target, Wallet

#: A wait is told this often; a survey that is over sooner says nothing.
_TELL_EVERY_S = 5.0
_WELCOME_S = 3.0
_PONG_S = 5.0
#: No part of a survey waits this long by its own deadlines, which is the last resort.
_BUDGET_S = 90.0
_LONGEST_RUNS = 1.5
#: The observations that smoke makes do with; the others are in ``_FURTHER``.
_NEEDS_LOGIN = frozenset({"login", "carriers", "strangers", "side_doors", "giveaways", "journey"})
_Part = Callable[[Expedition, User], Coroutine[Any, Any, None]]
#: What makes the further observations, by their names; each begins once the user is logged in.
_FURTHER: dict[tuple[str, ...], _Part] = {
    **DOORS,
    ("refused_logins",): try_wrong_logins,
    ("idle",): sockets.idle,
    ("offers",): sockets.offers,
    ("misuse",): sockets.misuse,
    ("message_types",): sockets.message_types,
    ("pair",): company.pair,
    ("crowd",): company.crowd,
    ("again",): company.remember,
    ("thread",): use_database,
    ("kept",): read_back,
    ("stranger_writes",): write_without_token,
    ("trespass",): trespass,
}
#: What needs all of a user's connections closed, for it may be told on each of them, or has to harm
#: nobody else; one by one, at last.
_LAST: dict[tuple[str, ...], _Part] = {
    ("agents_api",): ask_over_http,
    ("again",): company.again,
    ("limits",): sockets.limits,
    REFRESHING: refresh,
}
_ALL_FURTHER = frozenset(name for names in (*_FURTHER, *_LAST) for name in names)


async def conduct(
    target: Target,
    wallet: Wallet,
    redactor: Redactor,
    wanted: Collection[str],
    *,
    budget_s: float | None = None,
    earlier: Survey | None = None,
    tell: Callable[[str], None] | None = None,
) -> Survey:
    """Make the wanted observations and return them; never raises for what the target does.

    Args:
        target: where.
        wallet: as whom.
        redactor: learns every secret that is met.
        wanted: names of the observations.
        budget_s: seconds after which what is unfinished is given up.
        earlier: a first look at the same target, whose journey is read when it is not made again.
        tell: takes a line of progress every few seconds of a long survey.

    """
    seed = target.seed or secrets.token_hex(4)
    async with Web(target.backend, redactor, Stopwatch()) as web:
        trip = Expedition(replace(target, seed=seed), wallet, redactor, wanted, web)
        first = await ask_health(web, "backend health", target.backend)
        if first.symptom is not None:
            return _unreachable(trip, first)
        web.ready = True
        if earlier and earlier.journey and not trip.wants("journey"):
            trip.parts["journey"] = earlier.journey
        longest_s = budget_s or _BUDGET_S + _LONGEST_RUNS * target.run_deadline_s
        await _within(longest_s, trip, first, tell or _say_nothing)
    found = Survey(
        target.revision,
        seed,
        **trip.parts,
        asked=trip.asked,
        talks=trip.talks,
        missing=trip.missing,
    )
    return scrub(found, redactor)


def _unreachable(trip: Expedition, first: Exchange) -> Survey:
    missing = {
        name: Missing("the backend did not answer", symptom=first.symptom) for name in trip.wanted
    }
    if first.symptom and attribute(first.symptom).attribution.accuses:
        blocked = Missing("the backend could not be asked", blocked_by=("GP-101",))
        missing = dict.fromkeys(trip.wanted, blocked)
        missing["health"] = Missing("the backend did not answer", symptom=first.symptom)
    return Survey(trip.target.revision, trip.target.seed, health=(first,), missing=missing)


def _say_nothing(_line: str) -> None:
    """Keep progress to oneself."""


async def _within(
    budget_s: float, trip: Expedition, first: Exchange, tell: Callable[[str], None]
) -> None:
    parts: list[Coroutine[Any, Any, None]] = []
    if trip.wants("health"):
        parts.append(_health(trip, first))
    if trip.wants("auth_health", "readiness"):
        parts.append(_readiness(trip))
    if trip.wants("context"):
        parts.append(observe_context(trip))
    if trip.wants(*_NEEDS_LOGIN, *_ALL_FURTHER):
        parts.append(_conversations(trip))
    if not parts:
        return
    tasks = {asyncio.create_task(part) for part in parts}
    try:
        done, pending = await _telling(tasks, budget_s, trip, tell)
    finally:
        # Also when the run is interrupted: no part may outlive the client that it uses.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    if pending:
        _give_up(trip)


async def _telling(
    tasks: set[asyncio.Task[None]],
    budget_s: float,
    trip: Expedition,
    tell: Callable[[str], None],
    *,
    every_s: float = _TELL_EVERY_S,
) -> tuple[set[asyncio.Task[None]], set[asyncio.Task[None]]]:
    """Wait for the parts, and tell after each while what they wait for."""
    watch = Stopwatch()
    while True:
        left_s = budget_s - watch.now()
        done, pending = await asyncio.wait(tasks, timeout=max(0.0, min(every_s, left_s)))
        if not pending or left_s <= every_s:
            return done, pending
        tell(f"looking at the target, {watch.now():.0f} s: {trip.progress()}")


def _give_up(trip: Expedition) -> None:
    symptom = Symptom(Trouble.BUDGET, "survey", ready=True)
    for name in trip.wanted:
        if name not in {*trip.parts, *trip.asked, *trip.talks}:
            trip.missing.setdefault(name, Missing(symptom.sentence(), symptom=symptom))


async def _health(trip: Expedition, first: Exchange) -> None:
    answers = await sample_health(trip.web, first)
    trip.parts["health"] = answers
    trip.note_trouble("health", [exchange.symptom for exchange in answers])


async def _readiness(trip: Expedition) -> None:
    auth, ready = await ask_readiness(trip.web, trip.target)
    trip.parts["auth_health"], trip.parts["readiness"] = auth, ready
    trip.note_trouble("auth_health", [exchange.symptom for exchange in auth])


async def _conversations(trip: Expedition) -> None:
    login, user = await log_in(trip.target, trip.wallet.first, trip.web, trip.redactor)
    trip.parts["login"] = login
    symptom = login.exchange.symptom if login.exchange else None
    if symptom:
        trip.missing["login"] = Missing("the login was not answered", symptom=symptom)
    async with asyncio.TaskGroup() as group:
        for name, of_strangers in _OF_STRANGERS.items():
            if trip.wants(name):
                group.create_task(of_strangers(trip, user))
        if user is not None:
            _begin_as(user, trip, group)
    if user is None:
        blocked = Missing("nobody could log in", blocked_by=("GP-201",))
        for name in ("carriers", "journey", *_ALL_FURTHER):
            trip.missing[name] = blocked
        return
    for names, part in _LAST.items():
        if trip.wants(*names):
            await part(trip, user)


def _begin_as(user: User, trip: Expedition, group: asyncio.TaskGroup) -> None:
    group.create_task(_journey(trip, user))
    group.create_task(_carriers(trip, user))
    for names, part in _FURTHER.items():
        if trip.wants(*names):
            group.create_task(part(trip, user))


async def _strangers(trip: Expedition, user: User | None) -> None:
    calls = stranger_calls(trip.target.ws, user, trip.expired)
    transcripts = await asyncio.gather(*(meet(call, trip.redactor) for call in calls))
    trip.parts["strangers"] = tuple(transcripts)
    trip.note_trouble("strangers", [transcript.symptom for transcript in transcripts])


async def _side_doors(trip: Expedition, user: User | None) -> None:
    calls = side_door_calls(trip.target.ws, user)
    transcripts = await asyncio.gather(*(meet(call, trip.redactor) for call in calls))
    # Most of these doors are nowhere to be found, so trouble there is no news of the target.
    answered = [transcript for transcript in transcripts if not transcript.symptom]
    trip.keep_talks("side_doors", answered or transcripts)


#: What is tried although nobody could log in.
_OF_STRANGERS: dict[str, Callable[[Expedition, User | None], Coroutine[Any, Any, None]]] = {
    "strangers": _strangers,
    "side_doors": _side_doors,
    "giveaways": try_giveaways,
}


async def _journey(trip: Expedition, user: User) -> None:
    try:
        if not trip.wants("journey"):
            return
        async with trip.lines.take():
            transcript = await hold_journey(
                trip.target, user, trip.redactor, on_progress=trip.note_journey
            )
    finally:
        trip.welcomed.set()
        trip.asked_all.set()
    trip.parts["journey"] = transcript
    trip.note_trouble("journey", [transcript.symptom])


async def _shake_hands(trip: Expedition, call: Call) -> Transcript:
    conversation = Conversation((AwaitWelcome(_WELCOME_S), Ping(_PONG_S)))
    return await hold(call, conversation, trip.redactor, ready=True)


async def _carriers(trip: Expedition, user: User) -> None:
    if not trip.wants("carriers"):
        return
    await trip.welcomed.wait()
    transcripts = []
    for carrier in (HEADER, SUBPROTOCOL):
        call = Call(
            f"handshake by {carrier}",
            trip.target.ws,
            carrier,
            user.token,
            user_id=user.user_id,
            welcome_within_s=_WELCOME_S,
        )
        async with trip.lines.take():
            transcripts.append(await trip.lines.once_free(partial(_shake_hands, trip, call)))
    trip.parts["carriers"] = tuple(transcripts)
    trip.note_trouble("carriers", [transcript.symptom for transcript in transcripts])
