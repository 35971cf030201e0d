"""Logins that must give nobody a token: wrong passwords, and what only developers may use."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.rules.doors import BACKENDS_LOGIN
from pytest_goldenpath.journey.doors import WITHIN_S, keep, masked
from pytest_goldenpath.journey.expedition import Expedition
from pytest_goldenpath.journey.login import TOKEN_KEYS, User, learn_issued, login_request
from pytest_goldenpath.secrets import Secret
from pytest_goldenpath.target.login import is_development
from pytest_goldenpath.target.model import PasswordLogin, Target

_UNAVAILABLE = 503
#: Where old builds of the backend log in by themselves (protocol 2.3).
_BACKENDS_LOGINS = ("/auth/login", "/api/v1/auth/login")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login that must fail.

    Attributes:
        purpose: for the record.
        url: address.
        body: what is sent.
        headers: what is sent beside it.
    """

    purpose: str
    url: str
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


async def try_wrong_logins(trip: Expedition, _: User) -> None:
    """Log in with a wrong password, as nobody, and without a password."""
    first = trip.wallet.first
    if not isinstance(first, PasswordLogin):
        reason = f"the user logs in by {first.way}, so there is no password to be wrong"
        trip.skip("refused_logins", reason)
        return
    wrong = Secret(f"wrong-{secrets.token_urlsafe(18)}")
    nobody = f"nobody-{secrets.token_hex(8)}@example.com"
    url, known = _address(trip, first.email, wrong)
    unknown = _address(trip, nobody, wrong)[1]
    attempts = (
        Attempt("a wrong password", url, known),
        Attempt("an unknown user", url, unknown),
        Attempt("a login without a password", url, {"email": first.email}),
    )
    # Few of them, and one alone with the user's name: nobody may be locked out for our sake.
    bodies = (known, unknown)
    beside = (
        Attempt(f"{BACKENDS_LOGIN} {path}", f"{trip.target.backend}{path}", body)
        for path, body in zip(_BACKENDS_LOGINS, bodies, strict=True)
        if f"{trip.target.backend}{path}" != url
    )
    answers, at_backend = await asyncio.gather(
        asyncio.gather(*(_try(trip, attempt) for attempt in attempts)),
        asyncio.gather(*(_try(trip, attempt) for attempt in beside)),
    )
    keep(trip, "refused_logins", (*answers, *_answered(at_backend)))


async def try_giveaways(trip: Expedition, _: User | None) -> None:
    """Ask for a token as a stranger, wherever some build gives one to a developer or a trial."""
    attempts = giveaways(trip.target)
    answers = await asyncio.gather(*(_try(trip, attempt) for attempt in attempts))
    trip.asked["giveaways"] = _answered(answers)
    # Most of these doors are nowhere to be found, so trouble at some is no news of the target.
    if not trip.asked["giveaways"]:
        trip.note_trouble("giveaways", [exchange.symptom for exchange in answers])


def giveaways(target: Target) -> Iterator[Attempt]:
    """Give the logins that no stranger may get through (protocol 2.1, 2.3).

    The development login is a developer's own on a target that is one, where this tool uses it too.

    Args:
        target: whose.

    """
    key = {"X-E2E-Bypass-Key": f"wrong-{secrets.token_urlsafe(18)}"}
    trial = f"{target.auth}/auth/e2e/test-auth"
    yield Attempt("the trial login without a key", trial)
    yield Attempt("the trial login with a wrong key", trial, headers=key)
    made_up = {"user_id": "stranger-0001", "email": "stranger@example.com"}
    yield Attempt("a token asked for by a stranger", f"{target.auth}/auth/create-token", made_up)
    service = {"service_id": "netra-backend", "service_secret": f"wrong-{secrets.token_urlsafe()}"}
    yield Attempt("a service with a wrong secret", f"{target.auth}/auth/service-token", service)
    if not is_development(target):
        yield Attempt("the development login", f"{target.auth}/auth/dev/login")
        path = "/api/v1/auth/dev_login"
        yield Attempt("the backend's development login", f"{target.backend}{path}")


def _address(trip: Expedition, email: str, password: Secret) -> tuple[str, Mapping[str, Any]]:
    path, body, _ = login_request(PasswordLogin(email, password), trip.redactor)
    return f"{trip.target.auth}{path}", body


async def _try(trip: Expedition, attempt: Attempt) -> Exchange:
    """Make an attempt; what it gives us all the same is a secret."""
    answer = await trip.web.exchange(
        attempt.purpose,
        "POST",
        attempt.url,
        within_s=WITHIN_S,
        json=attempt.body,
        headers=attempt.headers,
        secret_keys=TOKEN_KEYS,
    )
    learn_issued((json.dumps(answer.document),), trip.redactor)
    return masked(answer)


def _answered(exchanges: tuple[Exchange, ...] | list[Exchange]) -> tuple[Exchange, ...]:
    """Leave out doors that nobody answered at; one that is out of order lets nobody in.

    A trial login for which no key was set up says so with 503 (protocol 2.1).
    """
    return tuple(e for e in exchanges if not e.symptom and e.status != _UNAVAILABLE)
