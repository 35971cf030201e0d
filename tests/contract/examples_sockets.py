"""What breaks the promises about sockets and about company: one survey for each example."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from builders import (
    THREAD,
    USER,
    exchange,
    flood,
    healthy_entries,
    heard,
    journey,
    messages,
    offering,
    run_of,
    said,
    stranger,
    survey,
    talks,
)
from pytest_goldenpath.contract.rules.company import KEPT_AFTER, KEPT_BEFORE
from pytest_goldenpath.contract.rules.sockets import MISUSES, NEIGHBOUR, OVERSIZED
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Entry, Kind, Transcript

OPENED = Entry(0.01, Kind.OPENED)
OTHER = "u-98765432-dcba"
_KNOWN, _MALFORMED = MISUSES[0][0], MISUSES[1][0]


def closed(code: int = 1011) -> Entry:
    """Build a close by the target."""
    return Entry(0.2, Kind.CLOSED, "the target", "main mode error", code)


def company(**changes: Any) -> Survey:
    """Build a survey with other further conversations."""
    return survey(talks={**talks(), **changes})


def cut(transcript: Transcript, *entries: Entry, keep: int = 2) -> Transcript:
    """Keep the beginning of a conversation and let it end otherwise."""
    return replace(transcript, entries=(*transcript.entries[:keep], *entries))


def overheard(mine: Transcript, other: Transcript) -> Transcript:
    """Let a connection hear the other's completion as well."""
    word = next(entry for entry in other.entries if "agent_completed" in entry.text)
    return replace(mine, entries=(*mine.entries[:-1], word, mine.entries[-1]))


def told(mine: Transcript, **fields: object) -> Transcript:
    """Let a connection hear one more frame."""
    frame = heard({"type": "thread_update", **fields}, 0.13)
    return replace(mine, entries=(*mine.entries[:-1], frame, mine.entries[-1]))


def returned(before: int, after: int) -> dict[str, tuple[Any, ...]]:
    """Build what reading the thread gave before and after coming back."""
    return {
        "again": (
            exchange({}, purpose=KEPT_BEFORE, status=before),
            exchange({}, purpose=KEPT_AFTER, status=after),
        )
    }


def reread(*after: tuple[str, object]) -> dict[str, tuple[Any, ...]]:
    """Build what a thread of two messages held before, and what it holds after coming back."""
    return {
        "again": (
            exchange(messages(*SAID), purpose=KEPT_BEFORE),
            exchange(messages(*after), purpose=KEPT_AFTER),
        )
    }


def eavesdropping(user: str, thread: str = THREAD) -> Transcript:
    """Build an idle connection that hears an event of this user."""
    event = {"type": "agent_thinking", "user_id": user, "thread_id": thread, "run_id": "run-x"}
    return cut(IDLE, heard(event, 1), *IDLE.entries[2:])


SAID = (("user", "Hello"), ("assistant", "Good day"))
UNWELCOME = Entry(3.1, Kind.MISSED, "welcome")
FIRST, SECOND = talks()["pair"]
THIRD = run_of("many users, third", user="u-third-01-abcd", number=33)
ADA, GRACE = talks()["crowd"]
MISUSE, IDLE = talks()["misuse"][0], talks()["idle"][0]
SILENT = journey(healthy_entries()[:5])
TOO_LARGE, NEIGHBOURLY, *_ = talks()["limits"]

BROKEN: list[tuple[str, str, Survey]] = [
    ("GP-302", "not offered", company(offers=(offering("jwt-auth"),))),
    ("GP-302", "none chosen", company(offers=(offering(""),))),
    (
        "GP-302",
        "a broken upgrade",
        company(
            offers=(
                replace(
                    offering(""), entries=(Entry(0.01, Kind.REFUSED, text="a broken", code=101),)
                ),
            )
        ),
    ),
    ("GP-306", "closes", company(misuse=(cut(MISUSE, MISUSE.entries[2], closed()),))),
    (
        "GP-306",
        "no reply",
        company(misuse=(cut(MISUSE, Entry(5.0, Kind.MISSED, _MALFORMED), keep=4),)),
    ),
    (
        "GP-306",
        "deaf afterwards",
        company(misuse=(cut(MISUSE, Entry(9.0, Kind.MISSED, "ping"), keep=9),)),
    ),
    ("GP-307", "dies", company(idle=(cut(IDLE, closed(1000)),))),
    (
        "GP-307",
        "deaf afterwards",
        company(idle=(cut(IDLE, Entry(9.0, Kind.MISSED, "ping"), keep=3),)),
    ),
    (
        "GP-307",
        "strange heartbeat",
        company(idle=(cut(IDLE, heard({"type": "legacy_heartbeat"}, 1), *IDLE.entries[2:]),)),
    ),
    ("GP-308", "in a run", survey(journey=journey((*healthy_entries()[:8], closed(1011))))),
    ("GP-308", "after a run", survey(journey=journey((*healthy_entries()[:10], closed(1000))))),
    ("GP-308", "by itself", company(idle=(cut(IDLE, closed(1000)),))),
    (
        "GP-308",
        "stranger by 1011",
        survey(strangers=(stranger(OPENED, closed(1011)),)),
    ),
    (
        "GP-308",
        "stranger by 1000",
        survey(strangers=(stranger(OPENED, heard({"type": "error"}, 0.1), closed(1000)),)),
    ),
    ("GP-309", "any size", company(limits=(said(OVERSIZED), NEIGHBOURLY, *flood()))),
    ("GP-309", "any number", company(limits=(TOO_LARGE, NEIGHBOURLY, *flood(let_in=12)))),
    (
        "GP-309",
        "neighbour harmed",
        company(
            limits=(TOO_LARGE, replace(said(NEIGHBOUR), entries=(OPENED, closed(1008))), *flood())
        ),
    ),
    (
        "GP-310",
        "one identity",
        company(
            pair=tuple(
                run_of(t.purpose, number=n, connection="main_x")
                for n, t in enumerate((FIRST, SECOND), start=21)
            )
        ),
    ),
    (
        "GP-418",
        "configured type swallowed",
        survey(journey=replace(SILENT, entries=(*SILENT.entries, heard({"type": "pong"}, 9.0)))),
    ),
    ("GP-601", "an event", company(crowd=(overheard(ADA, GRACE), GRACE))),
    ("GP-601", "a user", company(crowd=(told(ADA, user_id=OTHER), GRACE))),
    ("GP-601", "a thread", company(crowd=(ADA, told(GRACE, note="see thr-31-of-its-own")))),
    ("GP-601", "a marker", company(crowd=(ADA, told(GRACE, text="asked about HERON-0031")))),
    ("GP-601", "a run", company(crowd=(ADA, told(GRACE, run_id="run-31-of-its-own")))),
    (
        "GP-601",
        "a marker in other letters",
        company(crowd=(ADA, told(GRACE, text="asked about heron 0031"))),
    ),
    (
        "GP-601",
        "another's answer in the thread",
        survey(asked={"crowd": (exchange(["HERON-0031"], purpose=GRACE.purpose),)}),
    ),
    ("GP-601", "another's event where nothing was asked", company(idle=(eavesdropping(OTHER),))),
    ("GP-603", "its own event where nothing was asked", company(idle=(eavesdropping(USER),))),
    (
        "GP-301",
        "one of many users refused",
        company(crowd=(ADA, GRACE, cut(THIRD, closed(1008), keep=1))),
    ),
    (
        "GP-304",
        "one of many users unwelcome",
        company(crowd=(ADA, GRACE, cut(THIRD, UNWELCOME, keep=1))),
    ),
    (
        "GP-305",
        "deaf to one of many users",
        company(crowd=(ADA, GRACE, cut(THIRD, THIRD.entries[2]))),
    ),
    (
        "GP-308",
        "one of many users closed",
        company(crowd=(ADA, GRACE, cut(THIRD, closed(1000), keep=9))),
    ),
    ("GP-603", "the other's event", company(pair=(FIRST, overheard(SECOND, FIRST)))),
    ("GP-604", "first one closed", company(pair=(cut(FIRST, closed(1008), keep=5), SECOND))),
    (
        "GP-604",
        "first token refused",
        company(pair=(replace(FIRST, entries=(Entry(0.1, Kind.REFUSED, code=403),)), SECOND)),
    ),
    ("GP-605", "not welcomed", company(again=(cut(said("reconnect"), closed(1008), keep=1),))),
    ("GP-605", "same connection", company(again=(said("reconnect", connection="main_2"),))),
    ("GP-605", "deaf", company(again=(cut(said("reconnect"), keep=3),))),
    ("GP-605", "forgotten", survey(asked=returned(200, 404))),
    ("GP-605", "blank", survey(asked=reread(("user", "Hello"), ("user", "")))),
    ("GP-605", "twice", survey(asked=reread(*SAID, *SAID))),
    ("GP-605", "fewer", survey(asked=reread(("user", "Hello")))),
    (
        "GP-409",
        "one run id for all",
        company(
            pair=(
                replace(
                    FIRST,
                    entries=tuple(
                        replace(e, text=e.text.replace("run-21-of-its-own", "run-1"))
                        for e in FIRST.entries
                    ),
                ),
                SECOND,
            )
        ),
    ),
    (
        "GP-503",
        "the first answer for all",
        company(
            pair=(
                replace(
                    FIRST,
                    entries=tuple(
                        replace(e, text=e.text.replace("HERON-0021", "KESTREL-4821"))
                        for e in FIRST.entries
                    ),
                ),
                SECOND,
            )
        ),
    ),
]

HEALTHY: list[tuple[str, Survey]] = [
    (
        "closed by a code of its own",
        survey(strangers=(stranger(OPENED, heard({"type": "error"}, 0.1), closed(4401)),)),
    ),
    ("a run of the platform's own", company(idle=(eavesdropping(USER, "thr-nightly-report"),))),
    ("no such thread before", survey(asked=returned(404, 404))),
    ("more was said since", survey(asked=reread(*SAID, ("user", "Thanks")))),
    (
        "a heartbeat in the silence",
        company(idle=(cut(IDLE, heard({"type": "heartbeat"}, 1), *IDLE.entries[2:]),)),
    ),
    (
        "an error frame for a reply",
        company(
            misuse=(
                cut(
                    MISUSE,
                    heard({"type": "error", "message": "JSON_PARSE_ERROR"}, 1),
                    *MISUSE.entries[2:],
                ),
            )
        ),
    ),
    ("own ids shown", company(crowd=(told(ADA, user_id=USER, text="HERON-0031"), GRACE))),
]
