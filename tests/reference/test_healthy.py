"""What a healthy backend does, over real sockets."""

import asyncio
import json

import httpx
import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from pytest_goldenpath.reference.faults import VARIANTS
from reference.driver import FIVE, Client, Twin, as_subprotocol, bearer, names, started, talk

EVENTS = [name for name, variant in VARIANTS.items() if variant.family == "events"]
WELCOMES = [name for name, variant in VARIANTS.items() if variant.family == "welcome"]


def test_health_is_deep_and_names_the_build(healthy: Twin) -> None:
    """The long health body names service, version and revision."""
    body = healthy.get(f"{healthy.backend}/health").json()

    assert (body["status"], body["service"]) == ("healthy", "netra-ai-platform")
    assert body["revision"] == healthy.revision


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health/ready", "ready"), ("/health/database", "healthy"), ("/health/live", "healthy")],
)
def test_health_family(healthy: Twin, path: str, status: str) -> None:
    """The other health routes of the backend say that all is well."""
    answer = healthy.get(healthy.backend + path)

    assert (answer.status_code, answer.json()["status"]) == (200, status)


@pytest.mark.parametrize(
    "path",
    ["/", "/health", "/health/ready", "/readiness", "/health/auth", "/auth/health", "/auth/status"],
)
def test_auth_health_family(healthy: Twin, path: str) -> None:
    """The health routes of the auth service say that all is well."""
    answer = healthy.get(healthy.auth + path)

    assert answer.json()["status"] in {"healthy", "ready", "running"}
    assert answer.headers["x-service-name"] == "auth-service"


def test_short_health() -> None:
    """The short health variant says ok and nothing else; the header names the build."""
    with started("--variant", "health-short") as twin:
        answer = twin.get(f"{twin.backend}/health")

    assert answer.json() == {"status": "ok"}
    assert answer.headers["x-service-revision"] == twin.revision


def test_login_gives_a_token_that_keeps_its_promises(healthy: Twin) -> None:
    """The token is for the user, of 900 seconds, and expires_in says so."""
    body = healthy.login().json()
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})

    assert claims["sub"] == body["user"]["id"]
    assert (claims["iss"], claims["aud"]) == ("netra-auth-service", "netra-platform")
    assert claims["exp"] - claims["iat"] == body["expires_in"] == 900


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "ada@example.com", "password": "wrong"}, 401),
        ({"email": "nobody@example.com", "password": "wrong"}, 401),
        ({"email": "ada@example.com"}, 422),
        ([], 422),
    ],
)
def test_bad_logins_are_refused(healthy: Twin, body: object, status: int) -> None:
    """Wrong credentials get a structured refusal."""
    answer = healthy.post(f"{healthy.auth}/auth/login", json=body)

    assert answer.status_code == status
    assert "detail" in answer.json()


def test_register_once(healthy: Twin) -> None:
    """A new user is made once, a second time it is a conflict."""
    new = {"email": "cleo@example.com", "password": "cleo-password-1", "name": "Cleo"}
    first = healthy.post(f"{healthy.auth}/auth/register", json=new)
    second = healthy.post(f"{healthy.auth}/auth/register", json=new)

    assert (first.status_code, second.status_code) == (200, 409)
    assert first.json()["user"]["name"] == "Cleo"


def bad_tokens(twin: Twin) -> dict[str, str]:
    """Return tokens that nobody may accept."""
    good = twin.token()
    claims = jwt.decode(good, options={"verify_signature": False})
    return {
        "garbage": "garbage-token-garbage",
        "truncated": good[:-12],
        "expired": twin.expired_token,
        "foreign": jwt.encode(claims, "x" * 40, algorithm="HS256"),
        "unsigned": jwt.encode(claims, "", algorithm="none"),
        "refresh": twin.login().json()["refresh_token"],
    }


@pytest.mark.parametrize(
    "kind", ["garbage", "truncated", "expired", "foreign", "unsigned", "refresh"]
)
def test_bad_tokens_are_refused_everywhere(healthy: Twin, kind: str) -> None:
    """Validate, verify, the backend's HTTP and the socket refuse each bad token."""
    token = bad_tokens(healthy)[kind]

    async def work(client: Client) -> tuple[object, int]:
        return (await client.hear())["error_code"], await client.closed()

    validated = healthy.post(f"{healthy.auth}/auth/validate", json={"token": token})
    verified = healthy.get(f"{healthy.auth}/auth/verify", token)
    assert validated.json()["valid"] is False
    assert verified.json()["valid"] is False
    assert healthy.get(f"{healthy.backend}/api/threads", token).status_code == 401
    assert talk(healthy, work, token=token) == ("AUTH_FAILED", 1008)


def test_no_token_and_bypass_header_are_refused(healthy: Twin) -> None:
    """A socket without a token is closed, whatever its headers claim."""

    async def work(client: Client) -> int:
        return await client.closed()

    claims = {"X-Test-Type": "E2E", "X-E2E-Test": "true", "X-User-ID": "somebody"}
    assert talk(healthy, work, token="", headers=claims) == 1008


def test_refresh_uses_up_the_old_token(healthy: Twin) -> None:
    """A refresh gives a working pair, and the same refresh token works only once."""
    token = healthy.login().json()["refresh_token"]
    first = healthy.post(f"{healthy.auth}/auth/refresh", json={"refresh_token": token})
    second = healthy.post(f"{healthy.auth}/auth/refresh", json={"refresh_token": token})

    assert healthy.get(f"{healthy.auth}/auth/me", first.json()["access_token"]).status_code == 200
    assert second.status_code == 401


def test_logout_withdraws_the_token(healthy: Twin) -> None:
    """After a logout the token is good for nothing."""
    token = healthy.token()
    healthy.post(f"{healthy.auth}/auth/logout", token)

    assert healthy.get(f"{healthy.backend}/api/threads", token).status_code == 401


def test_thread_life(healthy: Twin) -> None:
    """A thread is made, written, read back, renamed, listed and deleted."""
    token, base = healthy.token(), f"{healthy.backend}/api/threads"
    thread = healthy.post(base, token, json={"title": "Costs"}).json()
    said = healthy.post(f"{base}/{thread['id']}/messages", token, json={"message": "Hello"})
    read = healthy.get(f"{base}/{thread['id']}/messages", token).json()
    renamed = httpx.put(f"{base}/{thread['id']}", headers=bearer(token), json={"title": "New"})
    listed = [one["id"] for one in healthy.get(base, token).json()]
    httpx.delete(f"{base}/{thread['id']}", headers=bearer(token))

    assert [message["id"] for message in read["messages"]] == [said.json()["id"]]
    assert renamed.json()["title"] == "New"
    assert thread["id"] in listed
    assert healthy.get(f"{base}/{thread['id']}", token).status_code == 404


def test_threads_are_private(healthy: Twin) -> None:
    """Another user's thread is not found, neither over HTTP nor over the socket."""
    base = f"{healthy.backend}/api/threads"
    thread = healthy.post(base, healthy.token(1), json={"title": "Private"}).json()["id"]

    async def work(client: Client) -> dict[str, object]:
        await client.send(type="execute_agent", content="What does it cost?", thread_id=thread)
        return await client.hear_type("error_message")

    answer = talk(healthy, work)
    assert healthy.get(f"{base}/{thread}", healthy.token()).status_code == 404
    assert isinstance(answer, dict)
    assert answer["error_code"] == "FORBIDDEN"
    assert healthy.get(f"{base}/{thread}", healthy.token(1)).json()["message_count"] == 0


def test_agents_over_http_compute(healthy: Twin) -> None:
    """The agents API gives a computed answer to users and a 401 to strangers."""
    url, body = f"{healthy.backend}/api/agents/execute", {"type": "triage", "message": "6 * 7"}

    assert "42" in healthy.post(url, healthy.token(), json=body).json()["response"]
    assert healthy.post(url, json=body).status_code == 401
    assert healthy.post(url, healthy.token(), json={"type": "triage"}).status_code == 422


@pytest.mark.parametrize("offer", ["pair", "only"])
def test_subprotocol_carries_the_token(healthy: Twin, offer: str) -> None:
    """A token in the subprotocol is accepted, and what is chosen was offered."""
    bearing = as_subprotocol(healthy.token())
    offered = ["jwt-auth", bearing] if offer == "pair" else [bearing]

    async def work(client: Client) -> tuple[object, object]:
        return (await client.hear())["type"], client.socket.subprotocol

    assert talk(healthy, work, protocols=offered) == ("connection_established", bearing)


def test_unknown_subprotocol_is_refused(healthy: Twin) -> None:
    """Who offers only unknown subprotocols does not get a socket."""

    async def work(_: Client) -> None:
        return None

    with pytest.raises(InvalidStatus):
        talk(healthy, work, protocols=["chat-of-the-future"])


def test_run_has_all_events_and_a_true_answer(healthy: Twin) -> None:
    """A request gets the five events in order, and an answer that was computed and is stored."""
    user_id = healthy.login().json()["user"]["id"]

    async def work(client: Client) -> list[dict[str, object]]:
        welcome = await client.hear()
        data = welcome["data"]
        assert isinstance(data, dict)
        assert data["user_id"] == user_id[:8] + "..."
        return await client.ask(thread_id="thread-of-a-test", run_id="run-of-a-test")

    frames = talk(healthy, work)
    assert isinstance(frames, list)
    events = [frame for frame in frames if names([frame])]
    assert set(names(events)) == set(FIVE)
    assert names(events)[0] == "agent_started"
    assert {frame["run_id"] for frame in events} == {"run-of-a-test"}
    assert {frame["user_id"] for frame in events} == {user_id}
    answer = events[-1]["data"]["result"]["response"]
    assert "42" in answer
    assert "KESTREL-4821" in answer
    url = f"{healthy.backend}/api/threads/thread-of-a-test/messages"
    stored = healthy.get(url, healthy.token()).json()["messages"]
    assert [message["role"] for message in stored] == ["user", "assistant"]
    assert stored[1]["content"] == answer


@pytest.mark.parametrize("variant", EVENTS)
def test_every_event_variant_gives_the_five(variant: str) -> None:
    """Each dialect delivers the five events, run ids and the answer."""
    with started("--variant", variant) as twin:

        async def work(client: Client) -> list[dict[str, object]]:
            await client.hear()
            return await client.ask(run_id="run-of-a-test")

        frames = talk(twin, work)
    assert isinstance(frames, list)
    assert set(names(frames)) == set(FIVE)
    assert "KESTREL-4821" in json.dumps(frames[-1])
    assert all("run-of-a-test" in json.dumps(frame) for frame in frames if names([frame]))


@pytest.mark.parametrize("variant", WELCOMES)
def test_every_welcome_variant_names_connection_and_user(variant: str) -> None:
    """Each kind of welcome names the connection and the user."""
    with started("--variant", variant) as twin:

        async def work(client: Client) -> str:
            return json.dumps(await client.hear())

        welcome = talk(twin, work)
        user_id = twin.login().json()["user"]["id"]
    assert isinstance(welcome, str)
    assert user_id[:8] in welcome
    assert "main_" in welcome


@pytest.mark.parametrize("early", ["V11", "V13"])
def test_early_builds_choose_the_plain_subprotocol(early: str) -> None:
    """V11 and V13 answer the pair by jwt-auth and welcome by connect."""
    with started("--variant", early) as twin:

        async def work(client: Client) -> tuple[object, object]:
            return (await client.hear())["type"], client.socket.subprotocol

        offered = ["jwt-auth", as_subprotocol(twin.token())]
        assert talk(twin, work, protocols=offered) == ("connect", "jwt-auth")


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"type": "ping"}, "pong"),
        ({"type": "heartbeat"}, "heartbeat_ack"),
        ({"type": "connect"}, "system_message"),
        ({"type": "disconnect"}, "system_message"),
        ({"type": "dance"}, "ack"),
        ({"type": "user_message", "content": " "}, "error_message"),
        ({"no": "type"}, "error_message"),
        ([1, 2], "error_message"),
    ],
)
def test_replies(healthy: Twin, sent: object, kind: str) -> None:
    """Each message gets its reply, and ping still works after it."""

    async def work(client: Client) -> str:
        await client.hear()
        await client.socket.send(json.dumps(sent))
        reply = await client.hear()
        await client.send(type="ping")
        await client.hear_type("pong")
        return str(reply["type"])

    assert talk(healthy, work) == kind


@pytest.mark.parametrize("raw", ["{", "[" * 5000, "\ud7ff{}", "null"])
def test_malformed_messages_leave_the_connection_usable(healthy: Twin, raw: str) -> None:
    """What is no JSON object gets an error frame and nothing breaks."""

    async def work(client: Client) -> object:
        await client.hear()
        await client.socket.send(raw)
        error = await client.hear_type("error_message")
        await client.send(type="ping")
        await client.hear_type("pong")
        return error["error_code"]

    assert talk(healthy, work) in {"JSON_PARSE_ERROR", "INVALID_FORMAT"}


def test_limits(healthy: Twin) -> None:
    """Too large closes with 1009, too many in a minute is refused but stays open."""

    async def large(client: Client) -> int:
        await client.hear()
        await client.send(type="user_message", content="x" * 9000)
        assert (await client.hear())["error_code"] == "MESSAGE_TOO_LARGE"
        return await client.closed()

    async def many(client: Client) -> object:
        await client.hear()
        for _ in range(31):
            await client.send(type="typing")
        error = await client.hear_type("error_message")
        await client.send(type="ping")
        await client.hear_type("pong")
        return error["error_code"]

    assert talk(healthy, large) == 1009
    assert talk(healthy, many) == "RATE_LIMITED"


def test_eleventh_connection_of_a_user_is_refused(healthy: Twin) -> None:
    """A user has at most ten connections; another user is not harmed by that."""

    async def session() -> tuple[int, str]:
        headers = bearer(healthy.token())
        sockets = [await connect(healthy.ws, additional_headers=headers) for _ in range(10)]
        for socket in sockets:
            await Client(socket).hear()
        async with connect(healthy.ws, additional_headers=headers) as eleventh:
            code = await Client(eleventh).closed()
        async with connect(healthy.ws, additional_headers=bearer(healthy.token(1))) as other:
            kind = str((await Client(other).hear())["type"])
        await asyncio.gather(*(socket.close() for socket in sockets))
        return code, kind

    assert asyncio.run(session()) == (1008, "connection_established")


def test_idle_connection_gets_heartbeats(healthy: Twin) -> None:
    """An idle connection lives and hears heartbeats."""

    async def work(client: Client) -> None:
        await client.hear_type("heartbeat")
        await client.hear_type("heartbeat")

    talk(healthy, work)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "user_message", "payload": {"content": "What is 6 times 7?"}},
        {"type": "chat", "message": "What is 6 times 7?"},
        {"type": "start_agent", "payload": {"user_request": "What is 6 times 7?"}},
        {"type": "start_agent", "payload": {"request": {"query": "What is 6 times 7?"}}},
        {"type": "agent_request", "text": "What is 6 times 7?"},
        {"type": "agent_task", "data": {"query": "What is 6 times 7?"}},
    ],
)
def test_every_kind_of_request_starts_the_agent(healthy: Twin, message: dict[str, object]) -> None:
    """All client message types of the contract get an answer, wherever the text stands."""

    async def work(client: Client) -> str:
        await client.hear()
        await client.send(**message)
        return json.dumps((await client.heard_run())[-1])

    answer = talk(healthy, work)
    assert isinstance(answer, str)
    assert "42" in answer


def test_users_do_not_hear_each_other(healthy: Twin) -> None:
    """Two users at the same time each hear only their own run."""

    async def one(who: int) -> list[dict[str, object]]:
        headers = bearer(healthy.token(who))
        async with connect(healthy.ws, additional_headers=headers) as socket:
            client = Client(socket)
            await client.hear()
            return await client.ask(f"What is 2 plus {who}? Use the code word USER-{who}000.")

    async def both() -> list[list[dict[str, object]]]:
        return await asyncio.gather(one(0), one(1))

    first, second = (json.dumps(frames) for frames in asyncio.run(both()))
    assert "USER-0000" in first
    assert "USER-1000" not in first
    assert "USER-1000" in second
    assert "USER-0000" not in second
