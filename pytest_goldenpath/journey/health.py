"""Ask both services how they are, often enough to speak of a percentile."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.rules.health import QUICK_S
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.target.model import Target

_WITHIN_S = 10.0
#: 19 quick answers of 20 are the promised 95 %.
_SAMPLES = 20
#: A borderline sample is settled by more answers, so that chance accuses nobody: at a true
#: share of 99 %, more than 3 slow ones of 60 come in 3 of 1000 runs.
_MORE_SAMPLES = 40
_CLEARLY_SLOW = 5
_AT_ONCE = 4
_REDIRECTS = frozenset({301, 302, 307, 308})
#: Characters of a health answer: 60 of them are kept, so less is allowed than for one answer.
_MOST_CHARACTERS, _SHOWN_CHARACTERS = 65_536, 4096


async def ask_health(web: Web, purpose: str, base: str) -> Exchange:
    """Ask a service for its health once.

    Some frameworks answer ``/health`` by a redirect to ``/health/``, which is the same place.
    """
    url = f"{base}/health"
    first = await _ask(web, purpose, url)
    if first.status in _REDIRECTS and first.header("location") in {f"{url}/", "/health/"}:
        return await _ask(web, purpose, f"{url}/")
    return first


async def _ask(web: Web, purpose: str, url: str) -> Exchange:
    exchange = (await web.exchange(purpose, "GET", url, within_s=_WITHIN_S)).exchange
    if len(exchange.body) <= _MOST_CHARACTERS:
        return exchange
    return replace(exchange, body=exchange.body[:_SHOWN_CHARACTERS], oversized=True)


async def sample_health(web: Web, first: Exchange) -> tuple[Exchange, ...]:
    """Ask for the backend's health until 95 % within 2 s is proven or disproven.

    Args:
        web: the client.
        first: the answer that is already there; its address is asked again.

    """
    answers = [first]
    slots = asyncio.Semaphore(_AT_ONCE)

    async def ask() -> None:
        async with slots:
            if _slow(answers) < _CLEARLY_SLOW:
                answers.append(await _ask(web, "backend health", first.url))

    await asyncio.gather(*(ask() for _ in range(_SAMPLES - 1)))
    if 1 < _slow(answers) < _CLEARLY_SLOW:
        await asyncio.gather(*(ask() for _ in range(_MORE_SAMPLES)))
    return tuple(sorted(answers, key=lambda exchange: exchange.at_s))


async def ask_readiness(
    web: Web, target: Target
) -> tuple[tuple[Exchange, ...], tuple[Exchange, ...]]:
    """Ask for the auth service's health, and both services whether they are ready."""
    auth, *ready = await asyncio.gather(
        ask_health(web, "auth health", target.auth),
        _ask(web, "backend readiness", f"{target.backend}/health/ready"),
        _ask(web, "auth readiness", f"{target.auth}/health/ready"),
        _ask(web, "websocket health", f"{target.backend}/ws/health"),
    )
    return (auth,), tuple(ready)


def _slow(answers: list[Exchange]) -> int:
    return sum(1 for exchange in answers if exchange.answer_s > QUICK_S)
