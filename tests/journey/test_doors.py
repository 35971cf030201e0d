"""Knocking at doors of all manners: nothing raises, and nobody's secrets are kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from builders import survey
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.rules.doors import leaks
from pytest_goldenpath.journey import doors, giveaways
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.expedition import Expedition
from pytest_goldenpath.journey.login import User
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.secrets import Redactor, Secret, scrub
from pytest_goldenpath.target.model import DevelopmentLogin, PasswordLogin, Target, Wallet
from servers import raw_server

ADA = User(
    "u-1",
    Secret("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1LTEifQ.c2lnbmF0dXJlLW9uZQ"),
    Secret("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1LTEifQ.c2lnbmF0dXJlLXR3bw"),
)
PASSWORD = PasswordLogin("ada@example.com", Secret("ada-password-1"))
REFUSAL = (401, "", b'{"detail":"Not authenticated"}')
Part = Callable[[Expedition, User], Awaitable[None]]
Answer = tuple[int, str, bytes]


@dataclass
class Desk:
    """A server that answers each path by a script, and notes what it was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and hang up."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        path = head.split(" ")[1]
        lines = [line for line in head.splitlines() if line.lower().startswith("authorization:")]
        self.asked.append((path, "".join(lines)))
        status, headers, body = self.answers.get(path, REFUSAL)
        lines = [
            f"HTTP/1.1 {status} X",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "connection: close",
            *([headers] if headers else []),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        await writer.drain()


def visit(
    part: Part, desk: Desk, *, first: PasswordLogin | DevelopmentLogin = PASSWORD, user: User = ADA
) -> Expedition:
    """Make one observation at a desk."""

    async def go() -> Expedition:
        async with raw_server(desk.serve) as url:
            redactor = Redactor()
            target = Target("desk", url, url, f"{url.replace('http', 'ws')}/ws")
            async with Web(url, redactor, Stopwatch()) as web:
                trip = Expedition(target, Wallet(first), redactor, (), web)
                trip.web.ready = True
                trip.welcomed.set()
                trip.asked_all.set()
                await part(trip, user)
                return trip

    return asyncio.run(go())


def test_slash_at_the_end_is_the_same_place() -> None:
    """A redirect to the same path with a slash is followed, once, and to no other place."""
    moved = (307, "location: /api/threads/", b"")
    away = (307, "location: https://elsewhere.example/api/history/", b"")
    desk = Desk({"/api/threads": moved, "/api/threads/": (200, "", b"[]"), "/api/history": away})
    trip = visit(doors.compare_services, desk)
    found = {e.purpose: e.status for e in trip.asked["agreement"]}

    assert found["backend threads with the fresh token"] == 200
    assert found["backend history with the fresh token"] == 307
    assert len(desk.asked) == 5


def test_place_that_is_none_is_no_place() -> None:
    """A redirect to nonsense is an answer like any other."""
    desk = Desk({"/api/threads": (307, "location: http://[nonsense/", b"")})
    trip = visit(doors.compare_services, desk)

    assert trip.asked["agreement"][0].status == 307


def test_of_what_belongs_to_the_user_only_the_shape_is_kept() -> None:
    """Threads, profile and history of a user are in no record."""
    profile = json.dumps({"user_id": "u-1", "email": "ada@example.com", "name": ["Ada"]}).encode()
    private = b'[{"title":"my own affairs"}]'
    desk = Desk({"/api/threads": (200, "", private), "/auth/me": (200, "", profile)})
    bodies = [e.body for e in visit(doors.compare_services, desk).asked["agreement"]]

    assert bodies[0] == '"list"'
    assert json.loads(bodies[3]) == {"user_id": "u-1", "email": "str", "name": "list"}


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        ({"error": "x", "details": {"JWT_SECRET_KEY": "0b7c1e8f5a2d49c6"}}, "0b7c1e8f5a2d49c6"),
        ({"detail": "no: postgresql://app:hunter-22@db/netra"}, "hunter-22"),
        ({"detail": ["SERVICE_SECRET=open-sesame-please"]}, "open-sesame-please"),
        ({"error": "x", "api_key": 'k3y-"quoted"-and-\u00e4'}, 'k3y-"quoted"-and-\u00e4'),
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_secret_that_a_target_shows_is_not_repeated(
    body: dict[str, object], secret: str, *, ascii_only: bool
) -> None:
    """Of a leaked secret only its place and length are kept, and the rule still sees it."""
    shown = json.dumps(body, ensure_ascii=ascii_only).encode()
    trip = visit(doors.knock_without_token, Desk({"/api/threads": (401, "", shown)}))
    exchange = trip.asked["unauthorized"][1]

    assert exchange.purpose == "backend threads with no token"
    assert leaks(exchange.json())
    assert secret not in str(trip.asked)
    assert json.dumps(secret)[1:-1] not in str(trip.asked)
    assert trip.redactor.redact(secret) == "***"


def test_stranger_brings_no_token() -> None:
    """Without a token means without one, nobody's own is sent, and an agent does nothing."""
    desk = Desk()
    trip = visit(doors.knock_without_token, desk)
    carried = [header for _, header in desk.asked]
    forged = [header for header in carried if header and "garbage-" not in header]

    # The agents, four routes without a token, and two that are told of a trial.
    assert sum(1 for header in carried if not header) == 7
    assert sum("garbage-" in header for header in carried) == 4
    assert len(forged) == len(set(forged)) * 2 == 8
    assert not any(ADA.token.reveal() in header for header in carried)
    assert all(trip.redactor.redact(header) != header for header in forged)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"nonsense",
        b'{"access_token":null,"refresh_token":7}',
        '{"access_token":"t\u00f6ken","refresh_token":"x\\r\\ny: z"}'.encode(),
        b'{"access_token":["a"],"refresh_token":{"b":1}}',
        b"[" * 100_000,
    ],
)
def test_hostile_pair_is_an_answer(body: bytes) -> None:
    """Whatever a refresh answers, it is recorded, and nothing is asked with it."""
    desk = Desk({"/auth/refresh": (200, "", body)})
    trip = visit(doors.refresh, desk)
    purposes = [exchange.purpose for exchange in trip.asked["refresh"]]

    assert purposes[-1] == "refresh"
    assert trip.asked["refresh"][-1].document() == {}


def test_new_pair_is_tried_and_not_kept() -> None:
    """A new pair is told from an old one, tried, and in no record."""
    old = json.dumps(
        {"access_token": ADA.token.reveal(), "refresh_token": "r3fr3sh-t0k3n-number-two"}
    )
    desk = Desk({"/auth/refresh": (200, "", old.encode())})
    trip = visit(doors.refresh, desk)
    bodies = {e.purpose: e.body for e in trip.asked["refresh"]}

    assert json.loads(bodies["refresh"]) == {"access_token": "the same", "refresh_token": "a new"}
    assert json.loads(bodies["second refresh"])["refresh_token"] == "the same"
    assert "backend threads with the refreshed token" in bodies
    assert "r3fr3sh" not in str(trip.asked)
    assert trip.talks["refresh_socket"][0].refused


def test_without_a_refresh_token_nothing_is_refreshed() -> None:
    """A ready token cannot be refreshed, which is nobody's fault."""
    desk = Desk()
    trip = visit(doors.refresh, desk, user=User("u-1", ADA.token))

    assert {name: m.skipped for name, m in trip.missing.items()} == {
        "refresh": True,
        "refresh_socket": True,
    }
    assert desk.asked == []


def test_wrong_logins_are_three_and_tell_no_password() -> None:
    """A wrong password, an unknown user and no password are tried, none of them twice."""
    desk = Desk({"/auth/login": (200, "", b'{"access_token":"t0k3n-for-anybody","x":null}')})
    trip = visit(giveaways.try_wrong_logins, desk)

    # Where both services are one, the backend's own login is the login.
    assert [path for path, _ in desk.asked[:3]] == ["/auth/login"] * 3
    assert [path for path, _ in desk.asked[3:]] == ["/api/v1/auth/login"]
    assert "t0k3n-for-anybody" not in str(trip.asked)
    assert trip.asked["refused_logins"][0].document() == {"access_token": "str", "x": None}


def test_token_given_to_a_stranger_is_a_secret() -> None:
    """What a trial login gives without a key is found, and neither it nor its place is shown."""
    session = "opaque-session-7f3a9c1d2e"
    body = f'{{"data":{{"access_token":"{session}"}},"error":"{session}"}}'.encode()
    answers = {"/auth/e2e/test-auth": (200, "", body), "/auth/create-token": (400, "", body)}
    trip = visit(giveaways.try_giveaways, Desk(answers))
    found = judge("GP-801", survey(asked=trip.asked)).broken

    assert len(found) == 3
    assert trip.redactor.redact(session) == "***"
    assert session not in str(scrub(trip.asked, trip.redactor))


def test_door_that_is_out_of_order_lets_nobody_in() -> None:
    """A 503 of a trial login, and of others, is no news of the target's health."""
    busy = (503, "", b'{"detail":"E2E authentication not configured"}')
    trip = visit(giveaways.try_giveaways, Desk({"/auth/e2e/test-auth": busy}))
    answered = [exchange.purpose for exchange in trip.asked["giveaways"]]

    assert answered == ["a token asked for by a stranger", "a service with a wrong secret"]
    assert trip.missing == {}


@pytest.mark.parametrize(
    ("name", "host", "tried"),
    [
        ("staging", "https://api.example.com", True),
        ("api.example.com", "https://api.example.com", True),
        ("dev", "https://dev.example.com", False),
        ("local", "http://127.0.0.1:8000", False),
        ("staging", "http://localhost:8000", False),
    ],
)
def test_development_login_is_a_developers_own(name: str, host: str, *, tried: bool) -> None:
    """A development login is tried as a stranger but where a developer may use it."""
    target = Target(name, host, host, f"{host.replace('http', 'ws')}/ws")
    attempts = [attempt.purpose for attempt in giveaways.giveaways(target)]

    assert ("the development login" in attempts) is tried
    assert ("the backend's development login" in attempts) is tried
    assert "the trial login with a wrong key" in attempts


def test_login_without_password_is_not_tried_with_a_wrong_one() -> None:
    """A target that logs in otherwise is asked for no password."""
    desk = Desk()
    trip = visit(giveaways.try_wrong_logins, desk, first=DevelopmentLogin())

    assert trip.missing["refused_logins"].skipped
    assert desk.asked == []


def test_own_503_is_left_to_another_promise() -> None:
    """A 503 of the application is kept, and no observation breaks off for it."""
    busy = (503, "", b'{"error":"busy"}')
    trip = visit(doors.compare_services, Desk({"/api/threads": busy}))
    proxied = visit(doors.compare_services, Desk({"/api/threads": (503, "", b"<html>")}))

    assert trip.missing == {}
    assert proxied.missing["agreement"].symptom


def test_one_service_has_one_root() -> None:
    """Where backend and auth service are one host, its root is asked once."""
    desk = Desk({"/": (200, "x-frame-options: DENY", b"{}")})
    trip = visit(doors.look_at_roots, desk)

    assert [path for path, _ in desk.asked] == ["/"]
    assert trip.asked["roots"][0].header("x-frame-options") == "DENY"
