"""Each fault shows its symptom, over real sockets; and alone the events it is about differ."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import httpx
import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus, NegotiationError

from pytest_goldenpath.reference import wire
from pytest_goldenpath.reference.agent import Agent, Task
from pytest_goldenpath.reference.events import Event, Item, disturbed
from pytest_goldenpath.reference.fault import Seams
from pytest_goldenpath.reference.faults import FAULTS
from pytest_goldenpath.reference.store import Database
from pytest_goldenpath.reference.wire import SHAPES
from reference.driver import FIVE, PROMPT, Client, Twin, bearer, names, started, talk

FOREIGN = jwt.encode({"sub": "eve", "token_type": "access"}, "x" * 40, algorithm="HS256")
UNTIMED = {
    "first-event-late",
    "later-runs-slow",
    "long-gap",
    "run-too-long",
    "all-at-the-end",
    "upstream-429",
}


def run_of(fault: str) -> list[dict[str, object]]:
    """Return the frames of a run under the fault, up to its end."""
    with started("--fault", fault) as twin:

        async def work(client: Client) -> list[dict[str, object]]:
            await client.hear()
            return await client.ask()

        frames = talk(twin, work)
    assert isinstance(frames, list)
    return frames


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("health-500", 500, "Internal Server Error"),
        ("health-degraded", 200, '"degraded"'),
        ("health-html", 200, "<html>"),
        ("health-not-json", 200, "OK"),
        ("emergency-flag-in-health", 200, '"emergency_mode":true'),
        ("degraded-start-flag", 200, '"emergency_degraded"'),
        ("stale-revision", 200, '"ref-before"'),
    ],
)
def test_ill_health(fault: str, status: int, text: str) -> None:
    """The backend's health says what the fault makes it say."""
    with started("--fault", fault) as twin:
        answer = twin.get(f"{twin.backend}/health")

    assert answer.status_code == status
    assert text in answer.text


def test_faults_compose() -> None:
    """Two faults act together."""
    with started("--fault", "health-degraded", "--fault", "login-500") as twin:
        assert twin.get(f"{twin.backend}/health").json()["status"] == "degraded"
        assert twin.login().status_code == 500


def test_random_503_spares_the_first_answers() -> None:
    """After four good answers each fourth one is a 503."""
    with started("--fault", "random-503") as twin:
        codes = [twin.get(f"{twin.backend}/health").status_code for _ in range(12)]

    assert codes == [200] * 7 + [503] + [200] * 3 + [503]


def test_mixed_revision_alternates() -> None:
    """Two builds answer in turn."""
    with started("--fault", "mixed-revision") as twin:
        seen = {twin.get(f"{twin.backend}/health").json()["revision"] for _ in range(4)}

    assert seen == {"ref-before", twin.revision}


@pytest.mark.parametrize(
    ("fault", "status", "missing"),
    [("login-500", 500, "access_token"), ("login-no-token", 200, "access_token")],
)
def test_ill_login(fault: str, status: int, missing: str) -> None:
    """The login with the right password does not give what it should."""
    with started("--fault", fault) as twin:
        answer = twin.login()

    assert answer.status_code == status
    assert missing not in answer.json()


@pytest.mark.parametrize(
    ("fault", "code", "kinds"),
    [
        ("ws-1011-after-accept", 1011, []),
        ("ws-1011-after-welcome", 1011, ["connection_established", "error_message"]),
        ("ws-1000-first-message", 1000, ["connection_established"]),
        ("closes-on-ping", 1000, ["connection_established"]),
    ],
)
def test_unexpected_close(fault: str, code: int, kinds: list[str]) -> None:
    """The socket closes as the fault says, after the frames it says."""
    with started("--fault", fault) as twin:

        async def work(client: Client) -> tuple[int, list[str]]:
            heard = [json.loads(frame)["type"] async for frame in quietly(client)]
            return await client.closed(), heard

        assert talk(twin, work) == (code, kinds)


async def quietly(client: Client) -> AsyncIterator[str | bytes]:
    """Send a ping and yield frames until the connection ends, however and whenever it does."""
    with contextlib.suppress(ConnectionClosed):
        await client.send(type="ping")
    with contextlib.suppress(ConnectionClosed):
        async for frame in client.socket:
            yield frame


@pytest.mark.parametrize("name", FIVE)
def test_missing_event(name: str) -> None:
    """With each of the five left out, the four others still come."""
    fault = f"missing-{name.replace('_', '-')}"
    if name == "agent_completed":
        with started("--fault", fault) as twin:

            async def work(client: Client) -> list[dict[str, object]]:
                await client.hear()
                await client.send(type="execute_agent", content=PROMPT)
                thoughts = 0
                frames = []
                while thoughts < 4:
                    frames.append(await client.hear())
                    thoughts += frames[-1]["type"] == "agent_thinking"
                return frames

            frames = talk(twin, work)
    else:
        frames = run_of(fault)

    assert isinstance(frames, list)
    assert set(names(frames)) == set(FIVE) - {name}


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("mock-answer", f"Mock triage agent response for: {PROMPT}"),
        ("placeholder-answer", "Task completed"),
        ("echo-answer", PROMPT),
        ("empty-answer", ""),
    ],
)
def test_ill_answer(fault: str, answer: str) -> None:
    """The answer is the one of the fault."""
    final = run_of(fault)[-1]["data"]

    assert isinstance(final, dict)
    assert final["result"]["response"] == answer


def welcome_of(twin: Twin, token: str, headers: dict[str, str] | None = None) -> str:
    """Return the first frame for a stranger."""

    async def work(client: Client) -> str:
        return json.dumps(await client.hear())

    welcome = talk(twin, work, token=token, headers=headers)
    assert isinstance(welcome, str)
    return welcome


@pytest.mark.parametrize(
    ("fault", "token", "user"),
    [
        ("accepts-no-token", "", "guest-"),
        ("accepts-garbage-token", "garbage-token-garbage", "guest-"),
        ("accepts-wrong-signature", FOREIGN, "eve"),
        ("demo-user", "", "demo-use..."),
        ("relaxed-user", "garbage-token-garbage", "relaxed_..."),
        ("emergency-user", "", "emergenc..."),
    ],
)
def test_strangers_are_let_in(fault: str, token: str, user: str) -> None:
    """A stranger is welcomed, and under the name that gives the fault away."""
    with started("--fault", fault) as twin:
        welcome = welcome_of(twin, token, {"authorization": f"Bearer {token}"})

    assert "connection_established" in welcome
    assert user in welcome


def test_expired_token_is_let_in() -> None:
    """The expired token of the ready line opens the socket."""
    with started("--fault", "accepts-expired-token") as twin:
        assert "connection_established" in welcome_of(twin, twin.expired_token)


def test_header_bypass_lets_in() -> None:
    """A spoofed header opens the socket without a token."""
    with started("--fault", "accepts-header-bypass") as twin:
        assert "connection_established" in welcome_of(twin, "", {"X-E2E-Test": "true"})


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("ws-500-upgrade", InvalidStatus),
        ("ws-503-upgrade", InvalidStatus),
        ("subprotocol-not-offered", NegotiationError),
    ],
)
def test_handshake_fails(fault: str, error: type[Exception]) -> None:
    """A client library gives up at the handshake."""

    async def work(client: Client) -> None:
        await client.hear()

    with started("--fault", fault) as twin, pytest.raises(error):
        talk(twin, work)


def test_secret_mismatch() -> None:
    """The auth service says valid, the backend refuses the same token."""
    with started("--fault", "secret-mismatch") as twin:
        token = twin.token()
        validated = twin.post(f"{twin.auth}/auth/validate", json={"token": token}).json()
        refused = twin.get(f"{twin.backend}/api/threads", token).status_code

    assert (validated["valid"], refused) == (True, 401)


def test_threads_open() -> None:
    """With open threads a user reads another user's thread."""
    with started("--fault", "threads-open") as twin:
        base = f"{twin.backend}/api/threads"
        thread = twin.post(base, twin.token(0), json={"title": "Private"}).json()["id"]

        assert twin.get(f"{base}/{thread}", twin.token(1)).status_code == httpx.codes.OK


def test_thread_deletable_by_all() -> None:
    """A user who cannot read another's thread can delete it."""
    with started("--fault", "thread-deletable-by-all") as twin:
        base = f"{twin.backend}/api/threads"
        thread = twin.post(base, twin.token(0), json={"title": "Private"}).json()["id"]
        foreign = bearer(twin.token(1))

        assert twin.get(f"{base}/{thread}", twin.token(1)).status_code == httpx.codes.NOT_FOUND
        assert httpx.delete(f"{base}/{thread}", headers=foreign).status_code == httpx.codes.OK
        assert twin.get(f"{base}/{thread}", twin.token(0)).status_code == httpx.codes.NOT_FOUND


def test_message_lost() -> None:
    """A message is accepted and cannot be read."""
    with started("--fault", "message-lost") as twin:
        token = twin.token()
        base = f"{twin.backend}/api/threads"
        messages = f"{base}/{twin.post(base, token, json={}).json()['id']}/messages"

        assert twin.post(messages, token, json={"message": "Hello"}).status_code == httpx.codes.OK
        assert twin.get(messages, token).json()["messages"] == []


async def frames_under(fault: str) -> list[str]:
    """Return the frames of a run under the fault, without a server and without what varies."""
    database = Database("")
    seams = Seams([FAULTS[fault]] if fault else [])
    await database.prepare()
    try:
        run = Agent(database, seams).run(Task(PROMPT, "user", "thread", "run"))
        return [comparable(item) async for item in disturbed(run, seams)]
    finally:
        database.close()


def comparable(item: Item) -> str:
    """Return the item without times and random ids."""
    if not isinstance(item, Event):
        return repr(type(item))
    varying = {"duration_ms": 1.0, "at": round(item.at / 20) * 20.0 if item.at else 0.0}
    if len(item.text("execution_id")) == 32:
        varying["execution_id"] = 0.0
    kept = {key: value for key, value in varying.items() if key in item.fields or key == "at"}
    return wire.text(SHAPES["manager"](item.edited(kept)))


@pytest.mark.parametrize(
    "fault",
    [
        name
        for name, one in FAULTS.items()
        if name not in UNTIMED | {"cached-answer", "shared-supervisor"}
        and any(seam.startswith(("events.", "answer.")) for seam, _ in one.effects)
    ],
)
def test_disturbance_is_visible(fault: str) -> None:
    """The events under the fault are not those of a healthy run."""
    healthy = asyncio.run(frames_under(""))

    assert asyncio.run(frames_under(fault)) != healthy


def test_healthy_runs_are_comparable() -> None:
    """Without a fault two runs are the same: the test above can fail."""
    assert asyncio.run(frames_under("")) == asyncio.run(frames_under(""))
