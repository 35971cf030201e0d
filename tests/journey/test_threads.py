"""Work with threads over real HTTP: tolerant, patient, and nothing is left behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from builders import ANSWER, PROMPT, THREAD, journey, knocks, login, refusal
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.rules import threads as steps
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.symptom import Kind as Trouble
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.expedition import Expedition
from pytest_goldenpath.journey.golden import ask_over_http
from pytest_goldenpath.journey.login import User
from pytest_goldenpath.journey.threads import (
    read_back,
    trespass,
    use_database,
    write_without_token,
)
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import PasswordLogin, Target, Wallet
from servers import raw_server

FIRST, SECOND = (
    User("u-1", Secret("token-of-the-first")),
    User("u-2", Secret("token-of-the-second")),
)
OTHER = PasswordLogin("second@example.com", Secret("a-made-up-password"))
Part = Callable[[Expedition, User], Coroutine[Any, Any, None]]
Reply = tuple[int, object]


@dataclass
class Shelf:
    """A threads API in memory; its manners can be changed by overriding a step.

    Attributes:
        threads: by id, the messages of each thread.
        asked: every request, as method and path.
        bodies: the JSON of every request that had one.
        prefix: what other threads are in the list before those of ours.
        slashed: the list is served under a path with a slash, and the other path redirects.
        broken: paths' ends that are answered with 500.
        empty_reads: so many times messages are read as none.
        runs: an agent can be asked, and answers in a new thread.
    """

    threads: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    prefix: int = 0
    slashed: bool = False
    broken: tuple[str, ...] = ()
    empty_reads: int = 0
    runs: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and hang up."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            (int(x[15:]) for x in head.lower().split("\r\n") if "content-length:" in x), 0
        )
        body = json.loads(await reader.readexactly(length)) if length else {}
        method, url, *_ = head.split()
        self.asked.append(f"{method} {url}")
        self.bodies += [body] if body else []
        status, answer = self.answer(method, url, body)
        location = "location: " + url.replace("/threads", "/threads/") + "\r\n"
        text = json.dumps(answer).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n"
            f"{location if status == 307 else ''}content-length: {len(text)}\r\n\r\n".encode()
            + text
        )
        await writer.drain()

    def answer(self, method: str, url: str, body: dict[str, Any]) -> Reply:
        """Return status and JSON of an answer."""
        path, _, query = url.partition("?")
        failing = any(f"{method} {path}".endswith(end) for end in self.broken)
        if failing or (self.slashed and path == "/api/threads"):
            return (500, {"detail": "boom"}) if failing else (307, {})
        parts = path.removeprefix("/api/").strip("/").split("/")
        if parts == ["agents", "execute"]:
            return 200, {"status": "success", "response": f"I read: {body['message']}"}
        if parts == ["agent", "message"] and self.runs:
            return 200, {"message": "Done.", "thread_id": self.create()[1]["id"]}
        if parts == ["threads"]:
            return self.create() if method == "POST" else (200, self.listed(query))
        if parts[0] != "threads" or parts[1] not in self.threads:
            return 404, {"detail": "Not Found"}
        return self.touch(method, parts[1], body, in_messages=len(parts) == 3)

    def create(self) -> tuple[int, dict[str, str]]:
        """Start a thread."""
        name = f"thr-{len(self.asked)}"
        self.threads[name] = []
        return 201, {"id": name}

    def listed(self, query: str) -> list[dict[str, str]]:
        """List a page of threads, the oldest first."""
        numbers = dict(pair.split("=") for pair in query.split("&"))
        limit, offset = int(numbers["limit"]), int(numbers["offset"])
        names = [*(f"old-{number}" for number in range(self.prefix)), *self.threads]
        return [{"id": name} for name in names[offset : offset + limit]]

    def touch(self, method: str, name: str, body: dict[str, Any], *, in_messages: bool) -> Reply:
        """Read, write or delete one thread."""
        if method == "DELETE":
            del self.threads[name]
            return 204, {}
        if method == "POST":
            self.threads[name].append({"role": "user", "content": body["message"]})
        if not in_messages:
            return 200, {"id": name}
        if method == "GET" and self.empty_reads:
            self.empty_reads -= 1
            return 200, {"messages": []}
        return 200, {"messages": self.threads[name]}


@asynccontextmanager
async def trip_to(shelf: Shelf, *, second: User | None = None) -> AsyncIterator[Expedition]:
    """Yield a survey under way whose golden journey is over, and whose second user may exist."""
    async with raw_server(shelf.serve) as url, Web(url, Redactor(), Stopwatch()) as web:
        web.ready = True
        target = Target("t", url, url, url.replace("http", "ws", 1))
        wallet = Wallet(OTHER, second=OTHER if second else None)
        trip = Expedition(target, wallet, Redactor(), (), web)
        trip.welcomed.set()
        trip.asked_all.set()
        if second:

            async def logged_in() -> User | None:
                return second

            trip._second = asyncio.create_task(logged_in())
        yield trip


def survey_of(part: Part, shelf: Shelf, *, second: User | None = None, **parts: object) -> Survey:
    """Make one part of a survey and return what was seen."""

    async def go() -> Survey:
        async with trip_to(shelf, second=second) as trip:
            trip.parts.update(parts)
            await part(trip, FIRST)
            return Survey(asked=trip.asked, missing=trip.missing, **trip.parts)

    return asyncio.run(go())


def purposes(exchanges: tuple[Exchange, ...]) -> list[str]:
    """Return what was done, in order."""
    return [exchange.purpose for exchange in exchanges]


def test_working_database_is_proven_and_left_empty() -> None:
    """A thread is created, used and deleted, and the survey proves it."""
    shelf = Shelf()
    seen = survey_of(use_database, shelf)

    assert judge("GP-107", seen).proven
    assert shelf.threads == {}


def test_who_writes_without_a_token_leaves_nothing_behind() -> None:
    """Where nobody asks for a token the promise is broken, and every thread is taken away."""
    shelf = Shelf()
    seen = survey_of(write_without_token, shelf)
    ours = {"agreement": knocks("the fresh token", 200), "unauthorized": knocks("no token", 401)}
    told = str(judge("GP-207", replace(seen, asked={**seen.asked, **ours})).broken)

    assert all(f"HTTP {came}" in told for came in ("201: thread created", "200: message written"))
    assert all(f"HTTP {came}" in told for came in ("200: thread changed", "204: thread deleted"))
    assert shelf.threads == {}


@pytest.mark.parametrize("broken", ["/messages", "GET /api/threads"])
def test_thread_is_deleted_although_something_fails(broken: str) -> None:
    """What fails in between is found, and nothing stays behind."""
    shelf = Shelf(broken=(broken,))
    seen = survey_of(use_database, shelf)

    assert judge("GP-107", seen).broken
    assert shelf.threads == {}


def test_thread_is_deleted_when_the_survey_is_given_up() -> None:
    """A part that is cancelled at work still takes its thread away."""
    waiting = asyncio.Event()

    class Telling(Shelf):
        """Tells when the thread is in use."""

        def touch(
            self, method: str, name: str, body: dict[str, Any], *, in_messages: bool
        ) -> Reply:
            """Tell, and answer."""
            waiting.set()
            return super().touch(method, name, body, in_messages=in_messages)

    shelf = Telling()

    async def go() -> None:
        async with trip_to(shelf) as trip:
            task = asyncio.create_task(use_database(trip, FIRST))
            await waiting.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(go())

    assert shelf.threads == {}


def test_refused_creation_ends_the_part() -> None:
    """Without a thread nothing else is asked."""
    seen = survey_of(use_database, Shelf(broken=("POST /api/threads",)))

    assert purposes(seen.asked["thread"]) == [steps.CREATED]
    assert judge("GP-107", seen).broken


def test_slash_is_followed_and_no_other_redirect() -> None:
    """A framework that wants a slash at the end is healthy."""
    shelf = Shelf(slashed=True)

    assert judge("GP-107", survey_of(use_database, shelf)).proven
    assert shelf.threads == {}


def test_list_is_read_page_by_page() -> None:
    """A thread behind many others is found in the list."""
    assert judge("GP-107", survey_of(use_database, Shelf(prefix=250))).proven


def test_endless_list_ends() -> None:
    """A list that gives full pages for ever is left after some of them."""
    shelf = Shelf(prefix=100_000)
    seen = survey_of(use_database, shelf)

    assert purposes(seen.asked["thread"]).count(steps.LISTED) == 10
    assert judge("GP-107", seen).broken


def stored() -> dict[str, list[dict[str, str]]]:
    """Return the golden journey's thread as it is kept."""
    said = (("user", PROMPT), ("assistant", ANSWER))
    return {THREAD: [{"role": role, "content": content} for role, content in said]}


def test_journey_is_read_back_once_when_it_is_there() -> None:
    """A thread that holds all is not asked for again."""
    seen = survey_of(read_back, Shelf(stored()), journey=journey())

    assert len(seen.asked["kept"]) == 1
    assert judge("GP-505", seen).proven


def test_storing_may_lag() -> None:
    """What is there a moment later is kept."""
    seen = survey_of(read_back, Shelf(stored(), empty_reads=2), journey=journey())

    assert len(seen.asked["kept"]) == 3
    assert judge("GP-505", seen).proven


def test_what_is_never_stored_is_found() -> None:
    """Waiting for a thread ends, and what is missing is told."""
    seen = survey_of(read_back, Shelf(), journey=journey())

    assert judge("GP-505", seen).broken
    assert len(seen.asked["kept"]) > 2


def test_server_s_own_thread_is_read() -> None:
    """A server that chooses threads of its own says in its events which."""
    own = journey()
    moved = tuple(replace(e, text=e.text.replace(THREAD, "theirs")) for e in own.entries)
    shelf = Shelf({"theirs": stored()[THREAD]})

    assert judge("GP-505", survey_of(read_back, shelf, journey=replace(own, entries=moved))).proven


@pytest.mark.parametrize("held", [None, journey(())])
def test_without_an_answer_nothing_is_read_back(held: Transcript | None) -> None:
    """A journey that broke off has nothing to be read back."""
    shelf = Shelf()
    seen = survey_of(read_back, shelf, **({"journey": held} if held else {}))

    assert shelf.asked == []
    assert "GP-501" in seen.missing["kept"].blocked_by


def test_open_threads_are_found_and_taken_away() -> None:
    """A platform that does not look whose a thread is lets the second user delete it."""
    shelf = Shelf()
    seen = survey_of(trespass, shelf, second=SECOND)

    assert judge("GP-602", seen).broken
    assert shelf.threads == {}


def test_intruder_deletes_last_and_the_owner_looks_afterwards() -> None:
    """The deletion would hide what the other attempts did, so it is tried last."""
    done = purposes(survey_of(trespass, Shelf(), second=SECOND).asked["trespass"])
    theirs = [purpose for purpose in done if purpose.startswith(steps.OTHER)]

    assert theirs[-1] == steps.OTHERS_DELETED
    assert done.index(steps.OTHERS_DELETED) < done.index(f"{steps.OWNER}{steps.READ}")
    assert done[-1] == f"{steps.OWNER}{steps.DELETED}"


def test_thread_that_an_agent_began_is_taken_away() -> None:
    """A platform that gives the second user's request a thread of its own keeps none of it."""
    shelf = Shelf(runs=True)
    survey_of(trespass, shelf, second=SECOND)

    assert "POST /api/agent/message" in shelf.asked
    assert shelf.threads == {}


def test_one_user_is_no_two() -> None:
    """Without a second user, or with the same one again, isolation is not looked at."""
    alone, same = Shelf(), Shelf()
    without = survey_of(trespass, alone)
    twice = survey_of(trespass, same, second=User(FIRST.user_id, SECOND.token))

    assert without.missing["trespass"].skipped
    assert twice.missing["trespass"].skipped
    assert alone.asked == same.asked == []


def test_users_without_names_are_two() -> None:
    """Tokens that cannot be read name nobody, and are of two users all the same."""
    nobody = User("", FIRST.token)

    async def as_nobody(trip: Expedition, _: User) -> None:
        await trespass(trip, nobody)

    unknown = survey_of(as_nobody, Shelf(), second=User("", SECOND.token))
    same = survey_of(as_nobody, Shelf(), second=nobody)

    assert judge("GP-602", unknown).broken
    assert same.missing["trespass"].skipped


@pytest.mark.parametrize(
    ("kind", "excused"), [(Trouble.RESET, True), (Trouble.ANSWER_TIMEOUT, False), (None, False)]
)
def test_second_user_s_trouble_is_told(kind: Trouble | None, *, excused: bool) -> None:
    """When the second user cannot log in, the road is named if it was the road."""

    async def go() -> Expedition:
        async with trip_to(Shelf(), second=SECOND) as trip:

            async def refused() -> User | None:
                return None

            trip._second = asyncio.create_task(refused())
            made = login().exchange
            assert made
            trouble = refusal(kind, ready=True) if kind else None
            trip.parts["second_login"] = login(exchange=replace(made, symptom=trouble))
            await trespass(trip, FIRST)
            return trip

    missing = asyncio.run(go()).missing["trespass"]

    assert missing.blocked_by == ("GP-201",)
    assert (missing.symptom is not None) is excused


def test_agents_are_asked_with_a_token_and_without() -> None:
    """The agents API is asked the same twice, and only once by somebody."""
    shelf = Shelf()

    async def go() -> Survey:
        async with trip_to(shelf) as trip:
            await ask_over_http(trip, FIRST)
            return Survey(asked=trip.asked)

    seen = asyncio.run(go())

    assert shelf.asked == ["POST /api/agents/execute"] * 2
    assert len({body["message"] for body in shelf.bodies}) == 1
    assert judge("GP-507", seen).broken


def test_thread_that_no_event_names_accuses_nobody() -> None:
    """A server with threads of its own, whose events name none, cannot be read back."""
    own = journey()
    nameless = tuple(replace(e, text=e.text.replace("thread_id", "other")) for e in own.entries)
    seen = survey_of(read_back, Shelf(), journey=replace(own, entries=nameless))

    assert "kept" not in seen.asked
    assert judge("GP-505", seen).skipped
