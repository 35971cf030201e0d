"""The golden journey: what a user asks, in words that no canned answer fits."""

from __future__ import annotations

import asyncio
import random
import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.rules.answer import AGENTS_API
from pytest_goldenpath.contract.rules.handshake import shut_out
from pytest_goldenpath.contract.transcript import Request, Transcript
from pytest_goldenpath.journey.asking import Ask
from pytest_goldenpath.journey.channel import HEADER, SUBPROTOCOL, Call, hold
from pytest_goldenpath.journey.conversation import AwaitWelcome, Conversation, Ping
from pytest_goldenpath.journey.expedition import Expedition
from pytest_goldenpath.journey.login import User
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import Target

#: The first connection after warm-up may find a cold instance (rules GP-304).
_FIRST_WELCOME_S = 10.0
_PONG_S = 5.0
_FENCE_S = 2.0
#: What the target is configured to be asked by (protocol 0.3.9).
MESSAGE_TYPE = "execute_agent"
#: An agent that each build offers over HTTP (protocol 6.1).
_AGENT = "triage"


async def hold_journey(
    target: Target,
    user: User,
    redactor: Redactor,
    *,
    on_progress: Callable[[str, Conversation], None] | None = None,
) -> Transcript:
    """Make one journey, by the carrier that browsers use, or by the header if that is refused.

    Args:
        target: where, what to ask and how long to wait.
        user: as whom.
        redactor: what to cut out of the record.
        on_progress: called with the carrier after each thing that happened.

    """
    request = new_request(target, "journey")
    transcript = await _ask(target, user, redactor, request, SUBPROTOCOL, on_progress)
    if shut_out(transcript) and not transcript.symptom:
        transcript = await _ask(target, user, redactor, request, HEADER, on_progress)
    return transcript


async def ask_over_http(trip: Expedition, user: User) -> None:
    """Ask an agent by one request, with our token and without: the observation ``agents_api``.

    No connection of the user is open then, for a platform may tell of this run on each of them.
    """
    request = new_request(trip.target, "agents API")

    async def ask(purpose: str, token: Secret | None) -> Exchange:
        answer = await trip.web.exchange(
            purpose,
            "POST",
            f"{trip.target.backend}/api/agents/execute",
            within_s=trip.target.run_deadline_s,
            json={"type": _AGENT, "message": request.text},
            token=token,
        )
        asked = {"text": request.text, "marker": request.marker, "expected": request.expected}
        return replace(answer.exchange, sent=tuple(asked.items()))

    exchanges = await asyncio.gather(
        ask(AGENTS_API, user.token), ask(f"{AGENTS_API} without a token", None)
    )
    trip.keep_exchanges("agents_api", exchanges)


async def _ask(
    target: Target,
    user: User,
    redactor: Redactor,
    request: Request,
    carrier: str,
    on_progress: Callable[[str, Conversation], None] | None,
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
    note = partial(on_progress, carrier) if on_progress else None
    return await hold(call, Conversation(steps), redactor, ready=True, on_progress=note)


def new_request(target: Target, name: str) -> Request:
    """Draw a request whose answer cannot be canned: a marker and a sum of its own.

    Args:
        target: what to ask, how long to wait, and the seed; a blank one gives a new draw each time.
        name: which of the run's requests it is; with a seed, the same name asks the same again.

    """
    draw = random.Random(f"{target.seed or secrets.token_hex(8)}/{name}")  # noqa: S311  # no secret
    marker = f"{draw.choice(_BIRDS)}-{draw.randrange(1000, 10_000)}"
    first, second = draw.randrange(11, 91), draw.randrange(11, 91)
    prompt = target.prompt
    sets_task = "{first}" in prompt and "{second}" in prompt
    return Request(
        prompt.replace("{marker}", marker)
        .replace("{first}", str(first))
        .replace("{second}", str(second)),
        MESSAGE_TYPE,
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
