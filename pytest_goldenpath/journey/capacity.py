"""Look at a target's capacity from outside: a few requests, one after the other, no login."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.journey.clock import LagMeter, Stopwatch
from pytest_goldenpath.journey.embedded import EmbeddedBackend
from pytest_goldenpath.journey.health import ask_health
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.secrets import Redactor
from pytest_goldenpath.target.model import Target
from pytest_goldenpath.verdict.capacity import Look, Runner
from pytest_goldenpath.verdict.shown import PAGES

#: Enough for a 95th percentile that is not simply the worst answer.
_SAMPLES = 20
_WITHIN_S = 10.0
#: A slow target is asked less often, so that nobody waits long to learn that it is slow.
_HEALTH_S = 20.0
_KIB = 1024


def look(target: Target) -> tuple[Target, Look]:
    """Ask a target; the embedded one is started and stopped. Returns it with its address.

    Raises:
        BackendNotStarted: the target is embedded, and its backend did not start.

    """
    if not target.embedded or target.backend:
        return target, _look(target)
    embedded = EmbeddedBackend()
    try:
        started = embedded.wait()
        there = replace(target, backend=started.backend, auth=started.auth, ws=started.ws)
        return there, _look(there)
    finally:
        embedded.stop()


def _look(target: Target) -> Look:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(_ask(target))


async def _ask(target: Target) -> Look:
    watch, meter = Stopwatch(), LagMeter()
    async with Web(target.backend, Redactor(), watch) as web, meter:
        health = await _health(web, target, watch)
        pages: dict[str, Exchange] = {}
        if health[0].status is not None:
            for path in PAGES:
                url = f"{target.backend}{path}"
                answer = await web.exchange(path, "GET", url, within_s=_WITHIN_S)
                pages[path] = answer.exchange
    spent_s = max(watch.now(), meter.total_s)
    return Look(health, pages, _runner(100 * meter.total_s / spent_s), target.users)


async def _health(web: Web, target: Target, watch: Stopwatch) -> tuple[Exchange, ...]:
    """Ask for the health until there are enough answers, the time is over, or none comes."""
    answers = [await ask_health(web, "backend health", target.backend)]
    url = answers[0].url
    while len(answers) < _SAMPLES and watch.now() < _HEALTH_S and answers[-1].status is not None:
        answer = await web.exchange("backend health", "GET", url, within_s=_WITHIN_S)
        answers.append(answer.exchange)
    return tuple(answers)


def _runner(lag_percent: float) -> Runner:
    used, limit = _files()
    return Runner(used, limit, _memory(), _processors(), lag_percent)


def _files() -> tuple[int | None, int | None]:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return None, None
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    for folder in ("/proc/self/fd", "/dev/fd"):
        if Path(folder).is_dir():
            return len(os.listdir(folder)), limit  # noqa: PTH208  # names are enough
    return None, limit


def _memory() -> int | None:
    """Return the memory that can be had without swapping, where Linux says so."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * _KIB
    return None


def _processors() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
