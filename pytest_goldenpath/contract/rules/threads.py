"""Threads: the database by its behaviour, what is kept of a journey, and whose it is.

GP-107, GP-505 and GP-602.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import Attribution, Finding
from pytest_goldenpath.contract.observed import (
    Message,
    listed_threads,
    messages_in,
    thread_id_of,
)
from pytest_goldenpath.contract.rules.content import words
from pytest_goldenpath.contract.rules.events import BEFORE_THE_REQUEST
from pytest_goldenpath.contract.rules.every_run import later_runs
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript

CREATED = "thread created"
WRITTEN = "message written"
READ = "thread read"
MESSAGES = "messages read"
LISTED = "threads listed"
CHANGED = "thread changed"
DELETED = "thread deleted"
READ_AFTER = "thread read after its deletion"
LISTED_AFTER = "threads listed after the deletion"
#: What the first user does in the part about two users; the steps are named as above.
OWNER = "owner: "
#: What the owner reads before the other user comes: only what was there can be lost.
READ_BEFORE = "messages read before"
#: What the second user tries there.
OTHER = "other user: "
OTHERS_LISTED = f"{OTHER}{LISTED}"
OTHERS_HISTORY = f"{OTHER}history read"
OTHERS_CONVERSATIONS = f"{OTHER}conversations listed"
OTHERS_READ = f"{OTHER}{READ}"
OTHERS_MESSAGES = f"{OTHER}{MESSAGES}"
OTHERS_WRITTEN = f"{OTHER}{WRITTEN}"
OTHERS_CHANGED = f"{OTHER}{CHANGED}"
OTHERS_RUN = f"{OTHER}agent asked in the thread"
OTHERS_START = f"{OTHER}agent started in the thread"
OTHERS_CHAT = f"{OTHER}chat messages read"
#: The name of the second user's conversation in that thread.
OTHERS_TALK = "asking in the thread of another"
#: What is done to a thread by who has no token.
NOBODY = "no token: "
NOBODY_CREATED = f"{NOBODY}{CREATED}"
NOBODY_WRITTEN = f"{NOBODY}{WRITTEN}"
NOBODY_CHANGED = f"{NOBODY}{CHANGED}"
NOBODY_DELETED = f"{NOBODY}{DELETED}"
#: The same words in the other store of the platform (protocol 6.4).
CHATTED = "chat message written"
NOBODY_CHATTED = f"{NOBODY}{CHATTED}"
#: Asked because some builds serve them; that they are missing or slow proves nothing.
OPTIONAL = frozenset({OTHERS_RUN, OTHERS_START, OTHERS_CHAT, f"{OWNER}{CHATTED}", NOBODY_CHATTED})
OTHERS_DELETED = f"{OTHER}{DELETED}"

_NOT_FOUND = 404
_REFUSALS = range(400, 500)
_SERVER_ERRORS = range(500, 600)
_UNAUTHORIZED = frozenset({401, 403})
#: Roles whose words are no question of the user, and those whose words are no answer; a role
#: that is not told may be either.
_NO_ASKERS = frozenset({"assistant", "agent", "ai", "bot", "model", "supervisor", "system", "tool"})
_NO_ANSWERERS = frozenset({"user", "human", "customer", "system", "tool"})


def database_works(survey: Survey) -> Ruling:
    """GP-107: a thread can be created, written, read back, listed and deleted, then it is gone."""
    asked = survey.asked.get("thread", ())
    if not any(exchange.symptom is None for exchange in asked):
        return Unlooked("no thread was touched")
    return tuple(_database_findings(asked))


def journey_is_kept(survey: Survey) -> Ruling:
    """GP-505: the journey's thread holds question and answer, once each, in order."""
    journey = survey.journey
    if journey is None or journey.request is None or not journey.answer():
        return Unlooked("there is no answer", blocked_by=("GP-501", *BEFORE_THE_REQUEST))
    asked = survey.asked.get("kept", ())
    if not asked or asked[-1].symptom:
        return Unlooked("the thread was not read back")
    found = tuple(_lost(asked[-1], journey))
    return found or tuple(_lost_in_a_crowd(survey))


def _lost(read: Exchange, said: Transcript, where: str = "") -> Iterator[Finding]:
    """Yield what is wrong with what was read back of a conversation."""
    messages = messages_in(read)
    if not read.accepted or messages is None:
        came = _came(read) if not read.accepted else "no list of messages"
        message = f"expected the thread to be read back with its messages, got {came}{where}"
        yield broken("GP-505", message, read.evidence(), attribution=_blame(read))
        return
    for expected, came, absence in flaws(messages, said):
        message = f"expected {expected}, got {came}{where}"
        yield broken("GP-505", message, read.evidence(), absence=absence)


def _lost_in_a_crowd(survey: Survey) -> Iterator[Finding]:
    """Yield what is wrong with what was kept of the users who asked at the same time."""
    talks = {talk.purpose: talk for talk in later_runs(survey, ("crowd",)) if talk.answer()}
    for read in survey.asked.get("crowd", ()):
        said = talks.get(read.purpose)
        if said is None or read.symptom:
            continue
        named = any(heard.frame.words("thread_id") for heard in said.events())
        if named or read.status != _NOT_FOUND:
            yield from _lost(read, said, f" (on {read.purpose})")


def flaws(messages: tuple[Message, ...], journey: Transcript) -> Iterator[tuple[str, str, bool]]:
    """Tell what is wrong with what was kept of a journey; nothing for a faithful record.

    Args:
        messages: the thread's messages in the order in which they were read.
        journey: the journey, with its request and its answer.

    Yields:
        What was expected, what came, and whether something did not come.

    """
    prompt = journey.request.text if journey.request else ""
    questions = _places(messages, prompt, _NO_ASKERS)
    answers = _places(messages, journey.answer(), _NO_ANSWERERS)
    for what, places in (("question", questions), ("answer", answers)):
        if len(places) != 1:
            yield (
                f"the thread to hold the journey's {what} once",
                f"it {len(places)} times among {len(messages)} messages",
                not places,
            )
    if questions and answers and questions[0] > answers[0]:
        yield "the question before the answer", "it behind the answer", False


def users_are_apart(survey: Survey) -> Ruling:
    """GP-602: a second user cannot list, read or write the first user's threads and messages."""
    asked = survey.asked.get("trespass", ())
    before = _of(asked, f"{OWNER}{READ_BEFORE}")
    if not any(_holds_text(messages_in(e), e.said("text")) for e in before if e.accepted):
        return Unlooked("the first user has no thread to trespass on", blocked_by=("GP-107",))
    marks = {exchange.said("mark") for exchange in asked} - {""}
    overheard = _overheard(survey.talks.get("trespass", ()), marks)
    findings = (*_trespasses(asked), *overheard)
    if findings:
        return findings
    if not any(exchange.accepted for exchange in _of(asked, OTHERS_LISTED)):
        # Who is refused everything proves nothing by being refused this.
        return Unlooked("the second user cannot list threads at all", blocked_by=("GP-107",))
    checked = (*_of(asked, f"{OWNER}{READ}"), *_of(asked, f"{OWNER}{MESSAGES}"))
    if not checked or not all(exchange.accepted for exchange in checked):
        return Unlooked("the first user could not look afterwards", blocked_by=("GP-107",))
    return ()


def _database_findings(asked: tuple[Exchange, ...]) -> Iterator[Finding]:
    for purpose, expected, holds in _STEPS:
        for exchange in _of(asked, purpose):
            if not exchange.accepted:
                yield _refused("GP-107", exchange, expected)
            elif not holds(exchange):
                yield _unlike("GP-107", exchange, expected)
    if any(exchange.accepted for exchange in _of(asked, WRITTEN)):
        for exchange in _of(asked, MESSAGES):
            messages, text = messages_in(exchange), exchange.said("text")
            if exchange.accepted and messages is not None and not _holds_text(messages, text):
                yield _unlike("GP-107", exchange, "the written message to be read back")
    yield from _list_findings(asked)
    if any(exchange.accepted for exchange in _of(asked, DELETED)):
        yield from _after_deletion(asked)


def _list_findings(asked: tuple[Exchange, ...]) -> Iterator[Finding]:
    pages = _of(asked, LISTED)
    for page in pages:
        if not page.accepted:
            yield _refused("GP-107", page, "a list of the user's threads")
        elif listed_threads(page) is None:
            yield _unlike("GP-107", page, "a list of the user's threads")
    if pages and all(page.accepted for page in pages) and not any(_lists(p) for p in pages):
        yield _unlike("GP-107", pages[-1], "the created thread in the list of threads")


def _after_deletion(asked: tuple[Exchange, ...]) -> Iterator[Finding]:
    for exchange in _of(asked, READ_AFTER):
        if exchange.status not in _REFUSALS:
            expected = f"HTTP {_NOT_FOUND} for a deleted thread"
            yield broken("GP-107", f"expected {expected}, got {_came(exchange)}", _proof(exchange))
    for page in _of(asked, LISTED_AFTER):
        if not page.accepted:
            yield _refused("GP-107", page, "a list of the user's threads")
        elif _lists(page):
            message = "expected a deleted thread to be gone, but it is still in the list"
            yield broken("GP-107", message, _proof(page))


def _trespasses(asked: tuple[Exchange, ...]) -> Iterator[Finding]:
    for exchange in asked:
        if exchange.purpose.startswith(OTHER) and exchange.symptom is None:
            deed = exchange.purpose.removeprefix(OTHER)
            if _leaks(exchange):
                message = f"expected another user to see nothing of a thread, but: {deed}"
                yield broken("GP-602", message, _proof(exchange))
            elif _is_let_in(exchange) or _is_fumbled(exchange):
                message = f"expected a refusal of another user, got {_came(exchange)}: {deed}"
                yield broken("GP-602", message, _proof(exchange))
    yield from _damages(asked)


def _overheard(talks: tuple[Transcript, ...], marks: set[str]) -> Iterator[Finding]:
    """Tell what of the thread came over the second user's socket."""
    for heard in (heard for talk in talks for heard in talk.all_heard()):
        if any(mark in heard.raw for mark in marks):
            message = "expected another user to hear nothing of a thread on asking in it"
            yield broken("GP-602", message, heard.evidence())
            return


def _damages(asked: tuple[Exchange, ...]) -> Iterator[Finding]:
    """Tell what the owner finds changed; the intruder's words carry a mark of their own."""
    for exchange in _of(asked, f"{OWNER}{READ}"):
        if exchange.status == _NOT_FOUND:
            message = "expected the thread to outlive another user's DELETE, but it is gone"
            yield broken("GP-602", message, _proof(exchange))
    for purpose in (READ, MESSAGES):
        for exchange in _of(asked, f"{OWNER}{purpose}"):
            marks = [value for name, value in exchange.sent if name == "foreign mark"]
            if exchange.accepted and any(mark in exchange.body for mark in marks):
                message = "expected nothing of another user in the thread, but the owner reads it"
                yield broken("GP-602", f"{message} ({purpose})", _proof(exchange))
    for exchange in _of(asked, f"{OWNER}{MESSAGES}"):
        text = exchange.said("text")
        if exchange.accepted and not _holds_text(messages_in(exchange), text):
            message = "expected the owner's message to outlive the trespass, but it is gone"
            yield broken("GP-602", message, _proof(exchange), absence=True)


def _leaks(exchange: Exchange) -> bool:
    """Tell whether another user was shown something of the thread."""
    mark = exchange.said("mark")
    if mark and mark in exchange.body:
        return True
    if not exchange.accepted:
        return False
    if exchange.purpose in {OTHERS_LISTED, OTHERS_CONVERSATIONS}:
        return _lists(exchange)
    if exchange.purpose == OTHERS_MESSAGES:
        return bool(messages_in(exchange))
    return exchange.purpose == OTHERS_READ and _shows(exchange)


def _is_let_in(exchange: Exchange) -> bool:
    """Tell whether another user's write succeeded."""
    return exchange.purpose in _WRITES and is_done(exchange)


def is_done(exchange: Exchange) -> bool:
    """Tell whether a write succeeded; a success may say of itself that nothing was done."""
    document = exchange.document()
    declined = document.get("success") is False or bool(document.get("error"))
    return exchange.accepted and not declined


def _is_fumbled(exchange: Exchange) -> bool:
    """Tell whether an attempt broke something, and was not refused."""
    return exchange.purpose in {*_READS, *_WRITES} and exchange.status in _SERVER_ERRORS


def _shows(exchange: Exchange) -> bool:
    return thread_id_of(exchange.json()) == exchange.said("thread")


def _lists(exchange: Exchange) -> bool:
    return exchange.said("thread") in (listed_threads(exchange) or ())


def _holds_text(messages: tuple[Message, ...] | None, text: str) -> bool:
    return bool(_places(messages or (), text, frozenset()))


def _places(messages: Iterable[Message], text: str, others: frozenset[str]) -> list[int]:
    """Return where a text was said by somebody who is none of the others."""
    return [
        place
        for place, message in enumerate(messages)
        if message.role not in others and _says(message.text, text)
    ]


def _says(text: str, wanted: str) -> bool:
    """Tell whether a text holds another word for word, whatever became of spaces and markup."""
    needle = " ".join(words(wanted))
    if not needle:
        return wanted.strip() in text
    return f" {needle} " in f" {' '.join(words(text))} "


def _of(asked: Iterable[Exchange], purpose: str) -> tuple[Exchange, ...]:
    """Return the answered exchanges of one purpose; the road's trouble is judged elsewhere."""
    return tuple(e for e in asked if e.purpose == purpose and e.symptom is None)


def _refused(code: str, exchange: Exchange, expected: str) -> Finding:
    message = f"expected {expected}, got {_came(exchange)}"
    return broken(code, message, _proof(exchange), attribution=_blame(exchange))


def _unlike(code: str, exchange: Exchange, expected: str) -> Finding:
    message = f"expected {expected}, got another answer"
    return broken(code, message, _proof(exchange), absence=True)


def _proof(exchange: Exchange) -> str:
    return f"{exchange.purpose}: {exchange.evidence()}"


def _came(exchange: Exchange) -> str:
    if exchange.status == _NOT_FOUND and not exchange.said("thread"):
        return f"HTTP {_NOT_FOUND}: the route is missing"
    return f"HTTP {exchange.status}"


def _blame(exchange: Exchange) -> Attribution:
    """Tell whose it is that a fresh token's user is refused."""
    return Attribution.AUTH if exchange.status in _UNAUTHORIZED else Attribution.PRODUCT


#: What a good answer to each step is, beside a success.
_STEPS: tuple[tuple[str, str, Callable[[Exchange], bool]], ...] = (
    (
        CREATED,
        "a thread to be created and its id to be told",
        lambda e: bool(thread_id_of(e.json())),
    ),
    (WRITTEN, "a message to be written into the thread", lambda _: True),
    (READ, "the created thread to be read back", _shows),
    (MESSAGES, "the thread's messages to be read back", lambda e: messages_in(e) is not None),
    (DELETED, "the thread to be deleted", lambda _: True),
)
#: What a second user does to a thread that is not theirs. A read that shows nothing is as good
#: as a refusal; a write is not.
_READS = frozenset({OTHERS_READ, OTHERS_MESSAGES})
_WRITES = frozenset({OTHERS_WRITTEN, OTHERS_CHANGED, OTHERS_DELETED})
