"""Conduct a survey: one run's look at a target, everything that can wait waiting at once."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.rules.handshake import shut_out
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import Kind as Trouble
from pytest_goldenpath.contract.symptom import Symptom
from pytest_goldenpath.contract.transcript import Kind, Request, Transcript
from pytest_goldenpath.journey.channel import HEADER, SUBPROTOCOL, Call, hold
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.conversation import Ask, AwaitWelcome, Conversation, Ping
from pytest_goldenpath.journey.health import ask_health, ask_readiness, sample_health
from pytest_goldenpath.journey.login import User, log_in
from pytest_goldenpath.journey.scrub import scrub
from pytest_goldenpath.journey.strangers import meet, stranger_calls
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import Credentials, Target

#: The first connection after warm-up may find a cold instance (rules GP-304).
_FIRST_WELCOME_S = 10.0
_WELCOME_S = 3.0
_PONG_S = 5.0
_FENCE_S = 2.0
#: No part of a survey waits this long by its own deadlines, which is the last resort.
_BUDGET_S = 90.0
_LONGEST_RUNS = 1.5
_MESSAGE_TYPE = "execute_agent"
_NEEDS_LOGIN = frozenset({"login", "carriers", "strangers", "journey"})


@dataclass(slots=True)
class Expedition:
    """What the parts of a survey share while it is under way.

    Attributes:
        target: where.
        credentials: as whom.
        expired: a real token that has expired, or a blank one.
        redactor: the secrets of this process.
        wanted: names of the observations to make.
        web: the HTTP client.
    """

    target: Target
    credentials: Credentials
    expired: Secret
    redactor: Redactor
    wanted: Collection[str]
    web: Web
    welcomed: asyncio.Event = field(default_factory=asyncio.Event)
    parts: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, Missing] = field(default_factory=dict)

    def note_welcome(self, conversation: Conversation) -> None:
        """Let the other connections start once the instance is warm, or nothing will warm it."""
        entries = conversation.entries
        if conversation.welcomed or (entries and entries[-1].kind is Kind.MISSED):
            self.welcomed.set()

    def wants(self, *names: str) -> bool:
        """Tell whether one of the observations is to be made."""
        return any(name in self.wanted for name in names)


async def conduct(
    target: Target,
    credentials: Credentials,
    expired: Secret,
    redactor: Redactor,
    wanted: Collection[str],
    *,
    budget_s: float | None = None,
) -> Survey:
    """Make the wanted observations and return them; never raises for what the target does.

    Args:
        target: where.
        credentials: as whom.
        expired: a real token of the target that has expired, or a blank one.
        redactor: learns every secret that is met.
        wanted: names of the observations.
        budget_s: seconds after which what is unfinished is given up.

    """
    async with Web(target.backend, redactor, Stopwatch()) as web:
        trip = Expedition(target, credentials, expired, redactor, wanted, web)
        first = await ask_health(web, "backend health", target.backend)
        if first.symptom is not None:
            return _unreachable(trip, first)
        web.ready = True
        await _within(budget_s or _BUDGET_S + _LONGEST_RUNS * target.run_deadline_s, trip, first)
    return scrub(Survey(target.revision, **trip.parts, missing=trip.missing), redactor)


def _unreachable(trip: Expedition, first: Exchange) -> Survey:
    missing = {
        name: Missing("the backend did not answer", symptom=first.symptom) for name in trip.wanted
    }
    if first.symptom and attribute(first.symptom).attribution.accuses:
        blocked = Missing("the backend could not be asked", blocked_by=("GP-101",))
        missing = dict.fromkeys(trip.wanted, blocked)
        missing["health"] = Missing("the backend did not answer", symptom=first.symptom)
    return Survey(trip.target.revision, health=(first,), missing=missing)


async def _within(budget_s: float, trip: Expedition, first: Exchange) -> None:
    parts: list[Coroutine[Any, Any, None]] = []
    if trip.wants("health"):
        parts.append(_health(trip, first))
    if trip.wants("auth_health", "readiness"):
        parts.append(_readiness(trip))
    if trip.wants(*_NEEDS_LOGIN):
        parts.append(_conversations(trip))
    if not parts:
        return
    tasks = {asyncio.create_task(part) for part in parts}
    try:
        done, pending = await asyncio.wait(tasks, timeout=budget_s)
    finally:
        # Also when the run is interrupted: no part may outlive the client that it uses.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    if pending:
        _give_up(trip)


def _give_up(trip: Expedition) -> None:
    symptom = Symptom(Trouble.BUDGET, "survey", ready=True)
    for name in trip.wanted:
        if name not in trip.parts:
            trip.missing.setdefault(name, Missing(symptom.sentence(), symptom=symptom))


async def _health(trip: Expedition, first: Exchange) -> None:
    answers = await sample_health(trip.web, first)
    trip.parts["health"] = answers
    _note_trouble(trip, "health", [exchange.symptom for exchange in answers])


async def _readiness(trip: Expedition) -> None:
    auth, ready = await ask_readiness(trip.web, trip.target)
    trip.parts["auth_health"], trip.parts["readiness"] = auth, ready
    _note_trouble(trip, "auth_health", [exchange.symptom for exchange in auth])


async def _conversations(trip: Expedition) -> None:
    login, user = await log_in(trip.target, trip.credentials, trip.web, trip.redactor)
    trip.parts["login"] = login
    symptom = login.exchange.symptom if login.exchange else None
    if symptom:
        trip.missing["login"] = Missing("the login was not answered", symptom=symptom)
    async with asyncio.TaskGroup() as group:
        if trip.wants("strangers"):
            group.create_task(_strangers(trip, user))
        if user is not None:
            group.create_task(_journey(trip, user))
            group.create_task(_carriers(trip, user))
    if user is None:
        blocked = Missing("nobody could log in", blocked_by=("GP-201",))
        for name in ("carriers", "journey"):
            trip.missing[name] = blocked


async def _strangers(trip: Expedition, user: User | None) -> None:
    calls = stranger_calls(trip.target.ws, user, trip.expired)
    transcripts = await asyncio.gather(*(meet(call, trip.redactor) for call in calls))
    trip.parts["strangers"] = tuple(transcripts)
    _note_trouble(trip, "strangers", [transcript.symptom for transcript in transcripts])


async def _journey(trip: Expedition, user: User) -> None:
    if not trip.wants("journey"):
        trip.welcomed.set()
        return
    try:
        transcript = await hold_journey(
            trip.target, user, trip.redactor, on_progress=trip.note_welcome
        )
    finally:
        trip.welcomed.set()
    trip.parts["journey"] = transcript
    _note_trouble(trip, "journey", [transcript.symptom])


async def hold_journey(
    target: Target,
    user: User,
    redactor: Redactor,
    *,
    on_progress: Callable[[Conversation], None] | None = None,
) -> Transcript:
    """Make one journey, by the carrier that browsers use, or by the header if that is refused.

    Args:
        target: where, what to ask and how long to wait.
        user: as whom.
        redactor: what to cut out of the record.
        on_progress: called after each thing that happened.

    """
    request = new_request(target)
    transcript = await _ask(target, user, redactor, request, SUBPROTOCOL, on_progress)
    if shut_out(transcript) and not transcript.symptom:
        transcript = await _ask(target, user, redactor, request, HEADER, on_progress)
    return transcript


async def _ask(
    target: Target,
    user: User,
    redactor: Redactor,
    request: Request,
    carrier: str,
    on_progress: Callable[[Conversation], None] | None,
) -> Transcript:
    steps = (
        AwaitWelcome(_FIRST_WELCOME_S),
        Ping(_PONG_S),
        Ask(request, user.user_id),
        Ping(_FENCE_S, "fence"),
    )
    call = Call(
        "journey",
        target.ws,
        carrier,
        user.token,
        user_id=user.user_id,
        welcome_within_s=_FIRST_WELCOME_S,
        request=request,
    )
    return await hold(call, Conversation(steps), redactor, ready=True, on_progress=on_progress)


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
        conversation = Conversation((AwaitWelcome(_WELCOME_S), Ping(_PONG_S)))
        transcripts.append(await hold(call, conversation, trip.redactor, ready=True))
    trip.parts["carriers"] = tuple(transcripts)
    _note_trouble(trip, "carriers", [transcript.symptom for transcript in transcripts])


def new_request(target: Target) -> Request:
    """Draw a request whose answer cannot be canned: a marker and a sum of its own."""
    marker = f"{secrets.choice(_BIRDS)}-{secrets.randbelow(9000) + 1000}"
    first, second = secrets.randbelow(80) + 11, secrets.randbelow(80) + 11
    prompt = target.prompt
    sets_task = "{first}" in prompt and "{second}" in prompt
    return Request(
        prompt.replace("{marker}", marker)
        .replace("{first}", str(first))
        .replace("{second}", str(second)),
        _MESSAGE_TYPE,
        str(uuid.uuid4()),
        f"run-{uuid.uuid4()}",
        f"msg-{uuid.uuid4()}",
        marker=marker if "{marker}" in prompt else "",
        expected=str(first + second) if sets_task else "",
        first_event_s=target.first_event_s,
        silence_s=target.event_deadline_s,
        run_s=target.run_deadline_s,
    )


_BIRDS = ("KESTREL", "HERON", "PLOVER", "OSPREY", "LAPWING", "SISKIN", "DUNLIN", "WRYNECK")


def _note_trouble(trip: Expedition, name: str, symptoms: list[Symptom | None]) -> None:
    first = next((symptom for symptom in symptoms if symptom), None)
    if first:
        reason = f"an observation broke off: {first.sentence()}"
        trip.missing[name] = Missing(reason, symptom=replace(first, ready=True))
