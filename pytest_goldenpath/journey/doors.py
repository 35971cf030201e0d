"""Knock at doors: validation, refreshing, protected routes, roots."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.rules.doors import ANONYMOUS, LEAK, leaks
from pytest_goldenpath.contract.rules.token import (
    FRESH,
    JUDGES,
    ME,
    REFRESH,
    RENEWED,
    SECOND,
    SUCCESSES,
)
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.journey.channel import HEADER, SUBPROTOCOL, Call
from pytest_goldenpath.journey.expedition import Expedition
from pytest_goldenpath.journey.login import TOKEN_KEYS, User, usable
from pytest_goldenpath.journey.strangers import BYPASS_HEADERS, GARBAGE, meet, stranger_tokens
from pytest_goldenpath.journey.threads import is_same_user, thread_of
from pytest_goldenpath.journey.web import Answer
from pytest_goldenpath.secrets import Secret

WITHIN_S = 10.0
_UNAVAILABLE = 503
_REDIRECTS = frozenset({301, 302, 307, 308})
#: Routes that want a token; those of V18 only may be missing (protocol 2.1, 6.3, 6.4).
_BACKEND = (
    ("backend threads", "/api/threads"),
    ("backend conversations", "/api/conversations"),
    ("backend history", "/api/history"),
)
_AUTH = ((ME, "/auth/me"),)
#: What the rules look at in answers about a good token; the rest is nobody's business.
_TELLING = frozenset({"valid", "error", "user_id", "sub", "id", "message"})
#: A web page of nobody, to see whether answers are shared with it.
_ORIGIN = {"origin": "https://origin.example"}


async def show_tokens(trip: Expedition, user: User) -> None:
    """Show the auth service the fresh token, and others that nobody may believe."""
    truncated = Secret(user.token.reveal()[:-8])
    tokens = {
        FRESH: user.token,
        "a truncated token": truncated,
        **stranger_tokens(user, trip.expired),
    }
    judged = (_judged(trip, what, token) for what, token in tokens.items())
    answers = await asyncio.gather(*judged, _show_second(trip, user))
    keep(trip, "validations", (exchange for pair in answers for exchange in pair))


async def _show_second(trip: Expedition, user: User) -> tuple[Exchange, ...]:
    """Show the auth service the second user's token: it may not know one user alone."""
    other = await trip.second_user()
    if other is None or is_same_user(user, other):
        return ()
    judged, known = await asyncio.gather(
        _judged(trip, SECOND, other.token),
        _ask(trip, f"{ME} with {SECOND}", f"{trip.target.auth}/auth/me", other.token),
    )
    return (*judged, known)


async def compare_services(trip: Expedition, user: User) -> None:
    """Ask every protected route with the fresh token."""
    keep(trip, "agreement", await _knock(trip, FRESH, user.token))


async def knock_without_token(trip: Expedition, user: User) -> None:
    """Ask every protected route without a token and with garbage, and some with forgeries.

    An agent may be asked without one by contract (protocol 6.1), so nothing is asked of it.
    """
    garbage = Secret(f"garbage-{secrets.token_urlsafe(24)}")
    agent = trip.web.exchange(
        f"backend agents {ANONYMOUS}",
        "POST",
        f"{trip.target.backend}/api/agents/execute",
        within_s=WITHIN_S,
        json={},
    )
    asked, without, with_garbage, forged = await asyncio.gather(
        agent,
        _knock(trip, ANONYMOUS.removeprefix("with "), None),
        _knock(trip, GARBAGE, garbage),
        _knock_with_forgeries(trip, user),
    )
    answers = (masked(asked), *without, *with_garbage, *forged)
    keep(trip, "unauthorized", (_without_leaks(trip, exchange) for exchange in answers))


async def _knock_with_forgeries(trip: Expedition, user: User) -> tuple[Exchange, ...]:
    """Ask one route of each service with every forged token, and as if it were a trial.

    Who verifies tokens verifies them in one place, so one route tells of its service.
    """
    doors = (
        ("backend threads", f"{trip.target.backend}/api/threads"),
        (ME, f"{trip.target.auth}/auth/me"),
    )
    tokens = stranger_tokens(user, trip.expired)
    for token in tokens.values():
        trip.redactor.learn(token)
    forged = (
        _ask(trip, f"{route} with {what}", url, token)
        for route, url in doors
        for what, token in tokens.items()
        if what != GARBAGE
    )
    headed = (
        _ask(trip, f"{route} with bypass headers and no token", url, None, dict(BYPASS_HEADERS))
        for route, url in doors
    )
    return tuple(await asyncio.gather(*forged, *headed))


async def look_at_roots(trip: Expedition, _: User) -> None:
    """Ask both services for their roots, as the web page of nobody would."""
    bases = dict.fromkeys((trip.target.backend, trip.target.auth))
    names = ("backend root", "auth root")
    answers = await asyncio.gather(
        *(
            trip.web.exchange(name, "GET", f"{base}/", within_s=WITHIN_S, headers=_ORIGIN)
            for name, base in zip(names, bases, strict=False)
        )
    )
    keep(trip, "roots", (answer.exchange for answer in answers))


async def refresh(trip: Expedition, user: User) -> None:
    """Try the refresh token as an access token, then for what it is, and what it gives.

    Everything else is over by then: nobody promises that an older token outlives a refresh.
    """
    token = user.refresh_token
    if not token:
        for name in ("refresh", "refresh_socket"):
            trip.skip(name, "no refresh token that a header can carry came with the login")
        return
    trip.redactor.learn(token)
    tried, judged, _ = await asyncio.gather(
        _knock(trip, REFRESH, token),
        _judged(trip, REFRESH, token),
        _try_socket(trip, token),
    )
    kept = [*tried, *judged]
    exchange, pair = await _renew(trip, "refresh", user.token, token)
    kept.append(exchange)
    if pair:
        access, again = pair
        kept += await _knock(trip, RENEWED, access)
        second, _ = await _renew(trip, "second refresh", access, again)
        kept.append(second)
    keep(trip, "refresh", kept)


async def _try_socket(trip: Expedition, token: Secret) -> None:
    await trip.welcomed.wait()
    calls = [
        Call(
            f"a refresh token for an access token in the {carrier}", trip.target.ws, carrier, token
        )
        for carrier in (HEADER, SUBPROTOCOL)
    ]
    async with trip.lines.take(len(calls)):
        met = await asyncio.gather(*(meet(call, trip.redactor) for call in calls))
    trip.keep_talks("refresh_socket", met)


async def _renew(
    trip: Expedition, purpose: str, access: Secret, token: Secret
) -> tuple[Exchange, tuple[Secret, Secret] | None]:
    """Refresh once; returns the record and the new pair, None unless both tokens came."""
    answer = await trip.web.exchange(
        purpose,
        "POST",
        f"{trip.target.auth}/auth/refresh",
        within_s=WITHIN_S,
        json={"refresh_token": token.reveal()},
        secret_keys=TOKEN_KEYS,
    )
    if answer.exchange.status not in SUCCESSES:
        return answer.exchange, None
    before = {"access_token": access, "refresh_token": token}
    found = {name: usable(answer.document.get(name)) for name in before}
    came = {name: value for name, value in found.items() if value}
    shape = {name: "the same" if came[name] == before[name] else "a new" for name in came}
    record = replace(answer.exchange, body=json.dumps(shape))
    if len(came) < len(before):
        return record, None
    return record, (came["access_token"], came["refresh_token"])


async def _judged(trip: Expedition, what: str, token: Secret) -> tuple[Exchange, ...]:
    """Ask the auth service about one token, by each of its routes."""
    trip.redactor.learn(token)
    body = {"token": token.reveal()}
    answers = await asyncio.gather(
        *(
            trip.web.exchange(
                f"{route} with {what}",
                method,
                f"{trip.target.auth}{path}",
                within_s=WITHIN_S,
                json=body if method == "POST" else None,
                token=None if route == "validate" else token,
            )
            for route, (method, path) in JUDGES.items()
        )
    )
    return tuple(masked(answer) for answer in answers)


async def _knock(trip: Expedition, what: str, token: Secret | None) -> tuple[Exchange, ...]:
    """Ask every protected route, with this token or without any."""
    if token:
        trip.redactor.learn(token)
    target = trip.target
    # A list may be closed and a single thread open; the journey's is there once it is over.
    await trip.asked_all.wait()
    journey: Transcript | None = trip.parts.get("journey")
    kept = [("backend messages", f"/api/threads/{thread_of(journey)}/messages")] if journey else []
    routes = (
        *((route, f"{target.backend}{path}") for route, path in (*_BACKEND, *kept)),
        *((route, f"{target.auth}{path}") for route, path in _AUTH),
    )
    asked = (_ask(trip, f"{route} with {what}", url, token) for route, url in routes)
    return tuple(await asyncio.gather(*asked))


async def _ask(
    trip: Expedition,
    purpose: str,
    url: str,
    token: Secret | None,
    headers: Mapping[str, str] | None = None,
) -> Exchange:
    """Ask a protected route, or the same with a slash when it leads there."""

    async def once(place: str) -> Answer:
        return await trip.web.exchange(
            purpose, "GET", place, within_s=WITHIN_S, token=token, headers=headers
        )

    answer = await once(url)
    again = f"{url}/"
    if answer.exchange.status in _REDIRECTS and _leads_to(answer.exchange, again):
        answer = await once(again)
    return masked(answer)


def _leads_to(exchange: Exchange, url: str) -> bool:
    """Tell whether a redirect leads there; behind a proxy it may name the wrong scheme."""
    try:
        there = urlsplit(urljoin(exchange.url, exchange.header("location")))
    except ValueError:
        return False
    here = urlsplit(url)
    return (there.hostname, there.path) == (here.hostname, here.path)


def masked(answer: Answer) -> Exchange:
    """Keep of a good answer its shape, and what the rules look at; the rest is the user's own."""
    exchange = answer.exchange
    document = exchange.json()
    if exchange.status not in SUCCESSES or document is None:
        return exchange
    return replace(exchange, body=json.dumps(_shape(document)))


def _shape(value: object, depth: int = 2) -> object:
    if not isinstance(value, dict) or depth == 0:
        return type(value).__name__
    return {
        str(key): inner
        if inner in (None, "") or isinstance(inner, bool) or _is_telling(key, inner)
        else _shape(inner, depth - 1)
        for key, inner in value.items()
    }


def _is_telling(key: object, value: object) -> bool:
    return key in _TELLING and isinstance(value, str | int | float)


#: More secrets in one answer are a flood; what is not cut out singly goes with the whole body.
_MOST_LEAKS = 20
_TELLING_LEAK = 8


def _without_leaks(trip: Expedition, exchange: Exchange) -> Exchange:
    """Replace secrets that the target shows by their lengths; no report may repeat them."""
    document = exchange.json()
    body = exchange.body
    found = dict.fromkeys(value for _, value in leaks(body if document is None else document))
    for value in islice(found, _MOST_LEAKS):
        # A short word stands in honest texts too, and to cut it out there would garble them.
        if len(value) >= _TELLING_LEAK:
            trip.redactor.learn(Secret(value))
        # As it stands in the body: the value is written in JSON's manner there.
        for form in {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}:
            body = body.replace(form, LEAK.format(len(value)))
    if len(found) > _MOST_LEAKS:
        body = LEAK.format(len(body))
    return replace(exchange, body=body)


def keep(trip: Expedition, name: str, exchanges: Iterable[Exchange]) -> None:
    """Keep an observation; a 503 of the product's own is found by GP-109, and by no other rule."""
    trip.asked[name] = tuple(exchanges)
    symptoms = (exchange.symptom for exchange in trip.asked[name])
    trip.note_trouble(
        name, [s for s in symptoms if s and not (s.status == _UNAVAILABLE and s.app_made)]
    )


#: The observations that this module makes, by their names.
DOORS: dict[tuple[str, ...], Callable[[Expedition, User], Coroutine[Any, Any, None]]] = {
    ("validations",): show_tokens,
    ("agreement",): compare_services,
    ("unauthorized",): knock_without_token,
    ("roots",): look_at_roots,
}
#: The names of what :func:`refresh` observes.
REFRESHING = ("refresh", "refresh_socket")
