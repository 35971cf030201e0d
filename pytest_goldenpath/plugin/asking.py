"""What the ``journey`` fixture gives: a journey with a prompt of one's own."""

from __future__ import annotations

from typing import Protocol

from pytest_goldenpath.contract.transcript import Transcript


class Asker(Protocol):
    """Ask the agent something and return the whole conversation."""

    async def __call__(self, prompt: str) -> Transcript:
        """Hold one conversation; never raises for what the target does."""
        ...
