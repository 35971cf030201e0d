"""Monotonic seconds since a moment; the only place that asks what time it is."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Self


class Stopwatch:
    """Counts seconds from its creation, or from a shared moment."""

    __slots__ = ("_start",)

    def __init__(self, start: float | None = None) -> None:
        """Start now, or at a value that ``time.monotonic`` gave earlier."""
        self._start = time.monotonic() if start is None else start

    def now(self) -> float:
        """Return the seconds that have passed."""
        return time.monotonic() - self._start


class LagMeter:
    """Adds up the seconds in which this process did not get round to listening.

    A runner that is short of CPU hears answers late; that time is not the target's. Use it as
    an asynchronous context manager; it looks after itself while the event loop runs.
    """

    def __init__(self) -> None:
        """Start at nothing."""
        self.total_s = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to look."""
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Look no longer."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(_LOOK_EVERY_S)
            self.total_s += max(0.0, time.monotonic() - before - _LOOK_EVERY_S)


#: Often enough to see a stall within any answer that is called slow, and cheap.
_LOOK_EVERY_S = 0.05


def wall_clock() -> float:
    """Return the time of day in epoch seconds, to hold a target's time stamps against."""
    return time.time()
