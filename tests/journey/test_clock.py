"""The clocks of a survey."""

from __future__ import annotations

import asyncio
import time

from pytest_goldenpath.journey.clock import LagMeter


def test_lag_is_what_the_loop_was_kept_from() -> None:
    """A loop that somebody blocks is late by about as long; one that waits is not."""

    async def go() -> tuple[float, float]:
        async with LagMeter() as meter:
            await asyncio.sleep(0.2)
            idle_s = meter.total_s
            _block_for(0.5)
            await asyncio.sleep(0.2)
            return idle_s, meter.total_s - idle_s

    idle_s, blocked_s = asyncio.run(go())

    assert blocked_s > 0.4
    assert blocked_s > idle_s


def _block_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
