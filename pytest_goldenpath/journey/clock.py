"""Monotonic seconds since a moment; the only place that asks what time it is."""

from __future__ import annotations

import time


class Stopwatch:
    """Counts seconds from its creation, or from a shared moment."""

    __slots__ = ("_start",)

    def __init__(self, start: float | None = None) -> None:
        """Start now, or at a value that ``time.monotonic`` gave earlier."""
        self._start = time.monotonic() if start is None else start

    def now(self) -> float:
        """Return the seconds that have passed."""
        return time.monotonic() - self._start


def wall_clock() -> float:
    """Return the time of day in epoch seconds, to hold a target's time stamps against."""
    return time.time()
