"""Connections of one user: who is turned away for too many of them knocks again, for a while."""

from __future__ import annotations

import pytest

from builders import handshake, healthy_entries, heard, journey
from pytest_goldenpath.contract.rules.handshake import is_turned_away
from pytest_goldenpath.contract.transcript import Entry, Kind, Transcript
from pytest_goldenpath.journey.expedition import Lines

OPENED = Entry(0.01, Kind.OPENED)
LET_IN = handshake("header", "main_1")


def ended(*entries: Entry) -> Transcript:
    """Build a conversation that went this way."""
    return journey((OPENED, *entries))


def limited(**frame: object) -> Transcript:
    """Build a conversation that was refused by a frame and a close."""
    closed = Entry(0.03, Kind.CLOSED, "the target", "", 1008)
    return ended(heard({"type": "error_message", **frame}, 0.02), closed)


@pytest.mark.parametrize(
    "transcript",
    [
        limited(error_code="CONNECTION_LIMIT"),
        limited(error_code="X", error_message="Too many active connections"),
        limited(data={"error_message": "at most 3 connections per user"}),
        limited(error_code="QUOTA_EXCEEDED", error_message="Connection quota exceeded"),
        journey((Entry(0.01, Kind.REFUSED, text="", code=429),)),
        ended(Entry(0.03, Kind.CLOSED, "the target", "Maximum connections exceeded", 1008)),
        journey((Entry(0.01, Kind.REFUSED, text='{"detail":"too many connections"}', code=429),)),
    ],
)
def test_limit_of_connections_is_understood(transcript: Transcript) -> None:
    """Platforms say in many ways that a user has too many connections."""
    assert is_turned_away(transcript)


@pytest.mark.parametrize(
    "transcript",
    [
        LET_IN,
        journey(healthy_entries()),
        limited(error_code="AUTH_FAILED", error_message="Authentication failed"),
        limited(error_code="CONNECTION_ERROR", error_message="Connection error in main mode"),
        journey((Entry(0.01, Kind.REFUSED, text="", code=403),)),
        ended(),
    ],
)
def test_other_ends_are_no_limit(transcript: Transcript) -> None:
    """A refused token, a broken connection and a good one are not asked again."""
    assert not is_turned_away(transcript)


@pytest.mark.asyncio
async def test_place_that_gets_free_is_taken() -> None:
    """Who is turned away once knocks again, and lines are given back later from then on."""
    lines, answers = Lines(waits_s=(0.01, 0.3)), [limited(error_code="CONNECTION_LIMIT"), LET_IN]

    async def hold() -> Transcript:
        return answers.pop(0)

    assert await lines.once_free(hold) is LET_IN
    assert (answers, lines.freed_s) == ([], 0.25)


@pytest.mark.asyncio
async def test_place_that_is_never_free_is_waited_for_once() -> None:
    """The last refusal is what was seen; nobody waits a second time."""
    lines, refusal = Lines(waits_s=(0.01, 0.3)), limited(error_code="CONNECTION_LIMIT")
    tries: list[Transcript] = []

    async def hold() -> Transcript:
        tries.append(refusal)
        return refusal

    assert await lines.once_free(hold) is refusal
    assert (len(tries), lines.freed_s) == (3, 0.3)
    assert await lines.once_free(hold) is refusal
    assert len(tries) == 4
