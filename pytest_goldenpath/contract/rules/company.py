"""Several connections and several users: GP-310, GP-601 and GP-603 to GP-605."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import Attribution, Finding, excerpt
from pytest_goldenpath.contract.frames import Sort, is_resent
from pytest_goldenpath.contract.observed import messages_in
from pytest_goldenpath.contract.rules.handshake import connection_id
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Heard, Request, Transcript

KEPT_BEFORE, KEPT_AFTER = "thread before reconnecting", "thread after reconnecting"
#: What the second question on one connection is called.
SECOND_TURN = "second turn"
_TWO = 2
#: Observations of a user whose connections ask nothing, beside the carriers.
_SILENT = ("idle", "offers")
_SIGNS = re.compile(r"[^a-z0-9]+")
_NO_PAIR = Unlooked("no two connections were opened", blocked_by=("GP-301", "GP-304"))


def connections_differ(survey: Survey) -> Ruling:
    """GP-310: two connections of one user have two identities."""
    welcomes = [w for t in survey.talks.get("pair", ()) if (w := t.welcome())]
    named = [(name, w) for w in welcomes if (name := connection_id(w.frame))]
    if len(named) < _TWO:
        return Unlooked("no two connections were welcomed", blocked_by=("GP-304", "GP-604"))
    (first, _), (second, welcome) = named[:2]
    if first != second:
        return ()
    message = f"expected two connections of one user to have two identities, both are {first}"
    return (broken("GP-310", message, welcome.evidence()),)


def users_are_apart(survey: Survey) -> Ruling:
    """GP-601: no user hears an event, id, marker or message of another."""
    talks = tuple(t for t in survey.talks.get("crowd", ()) if t.welcome())
    if len(talks) < _TWO:
        return Unlooked("no two users were connected at once", blocked_by=("GP-301", "GP-304"))
    earlier = (survey.journey,) if survey.journey and survey.journey.request else ()
    found = leaks(talks, users=True, earlier=earlier)
    heard = tuple(
        broken(
            "GP-601",
            f"expected users to be apart, but on {mine.purpose} came {what} of "
            f"{other.purpose}{_and_others(len(found))}",
            heard.evidence(),
            attribution=Attribution.AUTH,
        )
        for mine, other, what, heard in found[:1]
    )
    overheard = () if heard else _overheard(survey, users=True)
    return (*heard, *overheard, *_strange_threads(survey.asked.get("crowd", ()), talks))


def _and_others(count: int) -> str:
    """Say on how many connections the same was seen; one of them is proof enough."""
    return f" (the like on {count} connections)" if count > 1 else ""


def _strange_threads(read: Sequence[Exchange], talks: Sequence[Transcript]) -> Iterator[Finding]:
    """Yield that what is kept of one user's conversation holds a marker of another's."""
    markers = {talk.purpose: talk.request.marker for talk in talks if talk.request}
    for exchange in read:
        for purpose, marker in markers.items():
            if marker and purpose != exchange.purpose and marker in exchange.body:
                yield broken(
                    "GP-601",
                    f"expected users to be apart, but the thread of {exchange.purpose} holds the "
                    f"marker {marker} of {purpose}",
                    exchange.evidence(),
                    attribution=Attribution.AUTH,
                )
                return


def connections_are_apart(survey: Survey) -> Ruling:
    """GP-603: the events of a request go to the connection that asked."""
    talks = tuple(t for t in survey.talks.get("pair", ()) if t.welcome())
    if len(talks) < _TWO:
        return _NO_PAIR
    found = leaks(talks, users=False)
    astray = tuple(
        broken(
            "GP-603",
            "expected events on the connection that asked, "
            f"but on {mine.purpose} came {what} of {other.purpose}{_and_others(len(found))}",
            heard.evidence(),
        )
        for mine, other, what, heard in found[:1]
    )
    return astray or tuple(_overheard(survey, users=False))


def _overheard(survey: Survey, *, users: bool) -> Iterator[Finding]:
    """Yield the first event on a connection on which nothing was asked.

    What the user's other runs tell, which no connection of ours asked for, is the platform's own.

    Args:
        survey: what was observed.
        users: whether events of another user are looked for, or those of our own requests.

    """
    silent = (*survey.carriers, *(t for name in _SILENT for t in survey.talks.get(name, ())))
    asked = [t.request for t in survey.transcripts() if t.request]
    for talk in silent:
        for heard in talk.of_sort(Sort.EVENT):
            if is_resent(heard.frame):  # what was lost is told on whatever connection is there
                continue
            foreign = bool(set(heard.frame.words("user_id")) - {talk.user_id})
            if foreign if users else not foreign and any(_is_of(heard, one) for one in asked):
                yield broken(
                    "GP-601" if users else "GP-603",
                    f"expected no events on {talk.purpose}, where nothing was asked, "
                    f"got {heard.frame.name}",
                    heard.evidence(),
                    attribution=Attribution.AUTH if users else Attribution.PRODUCT,
                )
                return


def _is_of(heard: Heard, request: Request) -> bool:
    """Tell whether an event is of this request: it names its ids or holds its marker."""
    if request.marker and bare(request.marker) in bare(heard.raw):
        return True
    return any(word and word in heard.raw for word in (request.thread_id, request.run_id))


def second_connection_is_harmless(survey: Survey) -> Ruling:
    """GP-604: a second login or connection does not break the first."""
    talks = survey.talks.get("pair", ())
    if not any(t.opened for t in talks):
        return _NO_PAIR
    alone = (*survey.carriers, *survey.talks.get("again", ()))
    if not any(t.of_sort(Sort.PONG) and not was_thrown_out(t) for t in alone):
        blockers = ("GP-301", "GP-304", "GP-305", "GP-705")
        return Unlooked("not even one connection works by itself", blocked_by=blockers)
    findings = [
        broken(
            "GP-604",
            "expected two connections and two logins of one user side by side, "
            f"but on {transcript.purpose} {transcript.last_words()}",
        )
        for transcript in talks
        if was_thrown_out(transcript) and not transcript.symptom
    ]
    return tuple(findings)


def reconnecting_works(survey: Survey) -> Ruling:
    """GP-605: reconnecting gives a new connection and the user's own state."""
    talks = survey.talks.get("again", ())
    if not talks or not any(t.of_sort(Sort.PONG) for t in survey.carriers):
        reason = "nobody came back" if not talks else "no earlier connection was usable"
        return Unlooked(reason, blocked_by=("GP-301", "GP-304", "GP-305"))
    findings = [finding for transcript in talks for finding in _return_findings(transcript, survey)]
    asked = {exchange.purpose: exchange for exchange in survey.asked.get("again", ())}
    before, after = asked.get(KEPT_BEFORE), asked.get(KEPT_AFTER)
    if before and after and before.accepted and not after.symptom and not after.accepted:
        findings.append(
            broken(
                "GP-605",
                "expected the user's own thread to be there after reconnecting, "
                f"got HTTP {after.status}",
                after.evidence(),
            )
        )
    findings += _forgotten(before, after)
    return tuple(findings)


def _forgotten(before: Exchange | None, after: Exchange | None) -> Iterator[Finding]:
    """Yield that messages of the user's own thread, or their texts, are gone after coming back."""
    if before is None or after is None or not (before.accepted and after.accepted):
        return
    had, has = (Counter(messages_in(exchange) or ()) for exchange in (before, after))
    lost, more = (
        had - has,
        {message: has[message] for message in had if has[message] > had[message]},
    )
    if more and not lost:
        yield broken(
            "GP-605",
            "expected the user's own thread to be as it was before reconnecting, but a message "
            f"of it stands there {max(more.values())} times",
            after.evidence(),
        )
    if lost:
        kept = had.total() - lost.total()
        yield broken(
            "GP-605",
            f"expected the {had.total()} messages of the user's own thread after reconnecting, "
            f"got {kept} of them",
            f"{after.evidence()}; gone: {next(iter(lost)).role or 'somebody'} said "
            f"{excerpt(next(iter(lost)).text, 120)!r}",
        )


def was_thrown_out(transcript: Transcript) -> bool:
    """Tell whether the target refused a connection, or closed it."""
    closed = transcript.closed
    return bool(transcript.refused or (closed and closed.label != "we"))


def _return_findings(transcript: Transcript, survey: Survey) -> Iterator[Finding]:
    welcome = transcript.welcome()
    if welcome is None:
        if not transcript.symptom:
            yield broken(
                "GP-605",
                f"expected to be welcomed on coming back, but {transcript.last_words()}",
                absence=True,
            )
        return
    name = connection_id(welcome.frame)
    earlier = (t.welcome() for t in (*survey.first_talks(), *survey.talks.get("pair", ())))
    if name and name in {connection_id(w.frame) for w in earlier if w}:
        yield broken(
            "GP-605",
            f"expected a new connection on coming back, got {name} again",
            welcome.evidence(),
        )
    if not transcript.of_sort(Sort.PONG):
        yield broken(
            "GP-605",
            f"expected a usable connection on coming back, but {transcript.last_words()}",
            welcome.evidence(),
            absence=True,
        )


@lru_cache(maxsize=8)
def leaks(
    talks: tuple[Transcript, ...], *, users: bool, earlier: tuple[Transcript, ...] = ()
) -> tuple[tuple[Transcript, Transcript, str, Heard], ...]:
    """Return the first thing on each connection that belongs to another one.

    Args:
        talks: conversations that were held at the same time.
        users: whether they are of different users, whose names then tell them apart.
        earlier: conversations that were over by then, and nothing of which may come again.

    """
    found = (
        next(
            (
                (mine, other, what, heard)
                for heard in mine.all_heard()
                for other in (*talks, *earlier)
                if other is not mine
                and (not users or other.user_id != mine.user_id)
                and (what := _belongs_to(heard, other, users=users))
            ),
            None,
        )
        for mine in talks
    )
    return tuple(leak for leak in found if leak)


def _belongs_to(heard: Heard, other: Transcript, *, users: bool) -> str:
    """Tell what in a frame is another connection's, or ''."""
    request = other.request
    if users and other.user_id in heard.frame.words("user_id"):
        return f"a frame of user {other.user_id}"
    if request is None:
        return ""
    if not users and heard.frame.sort is not Sort.EVENT:
        return ""
    if request.marker and bare(request.marker) in bare(heard.raw):
        return f"the marker {request.marker}"
    for word, what in ((request.thread_id, "the thread"), (request.run_id, "the run")):
        if word and word in heard.raw:
            return f"{what} {word}"
    return ""


@lru_cache(maxsize=4096)
def bare(text: str) -> str:
    """Strip a text to letters and digits: a word is the same word in other letters and signs."""
    return _SIGNS.sub("", text.lower())
