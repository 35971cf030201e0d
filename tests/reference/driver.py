"""Starting reference backends as real processes, and talking to them as a client does."""

import asyncio
import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PROMPT = (
    "Please look up what compute and storage cost, tell me what 17 plus 25 is, "
    "and use the code word KESTREL-4821."
)
FIVE = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]
USERS = [
    {"email": "ada@example.com", "password": "ada-password-1", "name": "Ada"},
    {"email": "bob@example.com", "password": "bob-password-1", "name": "Bob"},
]
DEADLINE_S = 10.0


@dataclass
class Twin:
    """A running reference backend and what its ready line said."""

    process: subprocess.Popen[bytes]
    backend: str
    auth: str
    ws: str
    revision: str
    expired_token: str

    def login(self, who: int = 0) -> httpx.Response:
        """Log a user in."""
        user = {key: USERS[who][key] for key in ("email", "password")}
        return self.post(f"{self.auth}/auth/login", json=user)

    def token(self, who: int = 0) -> str:
        """Return a fresh access token."""
        token = self.login(who).json()["access_token"]
        assert isinstance(token, str)
        return token

    def get(self, url: str, token: str = "") -> httpx.Response:
        """GET, with a token if there is one."""
        return httpx.get(url, headers=bearer(token), timeout=DEADLINE_S)

    def post(self, url: str, token: str = "", **more: object) -> httpx.Response:
        """POST, with a token if there is one."""
        return httpx.post(url, headers=bearer(token), timeout=DEADLINE_S, **more)  # type: ignore[arg-type]


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries the token."""
    return {"authorization": f"Bearer {token}"} if token else {}


@contextlib.contextmanager
def started(*options: str) -> Iterator[Twin]:
    """Run a supervised backend as long as the context lasts."""
    command = [sys.executable, "-m", "pytest_goldenpath.reference", "--supervised", *options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    with process:
        process.stdin.write(json.dumps({"users": USERS}).encode() + b"\n")
        process.stdin.flush()
        ready = json.loads(process.stdout.readline())
        try:
            yield Twin(process, **ready)
        finally:
            process.stdin.close()
            process.wait(DEADLINE_S)


class Client:
    """A WebSocket client with a deadline on everything."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **message: object) -> None:
        """Send a message."""
        await self.socket.send(json.dumps(message))

    async def hear(self) -> dict[str, object]:
        """Return the next frame."""
        frame = json.loads(await asyncio.wait_for(self.socket.recv(), DEADLINE_S))
        assert isinstance(frame, dict)
        return frame

    async def hear_type(self, kind: str) -> dict[str, object]:
        """Return the next frame of this type."""
        while (frame := await self.hear()).get("type") != kind:
            pass
        return frame

    async def ask(self, prompt: str = PROMPT, **more: object) -> list[dict[str, object]]:
        """Send a request and return the frames up to the supervisor's completion."""
        await self.send(type="execute_agent", content=prompt, **more)
        return await self.heard_run()

    async def heard_run(self) -> list[dict[str, object]]:
        """Return the frames up to the supervisor's completion."""
        frames = [await self.hear()]
        while not ended(frames[-1]):
            frames.append(await self.hear())
        return frames

    async def closed(self) -> int:
        """Read to the end and return the close code."""
        async with asyncio.timeout(DEADLINE_S):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code


def ended(frame: dict[str, object]) -> bool:
    """Tell whether this is the end of a run, in any of the shapes."""
    text = json.dumps(frame)
    return "agent_completed" in text and "supervisor" in text and "golden_path_events" not in text


def names(frames: list[dict[str, object]]) -> list[str]:
    """Return the names of the five in the order in which they came."""
    found = []
    for frame in frames:
        data = frame.get("data")
        inner = data.get("event") if isinstance(data, dict) else None
        found += [str(name) for name in (frame.get("type"), inner) if name in FIVE]
    return found


def talk(
    twin: Twin,
    work: Callable[[Client], Awaitable[object]],
    *,
    token: str | None = None,
    protocols: list[str] | None = None,
    headers: dict[str, str] | None = None,
) -> object:
    """Connect as the first user and let the client work; return what that returns."""

    async def session() -> object:
        carried = twin.token() if token is None and protocols is None else token or ""
        async with connect(
            twin.ws, additional_headers=headers or bearer(carried), subprotocols=protocols
        ) as socket:
            return await work(Client(socket))

    return asyncio.run(session())


def as_subprotocol(token: str) -> str:
    """Return the subprotocol that carries the token."""
    return "jwt." + base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode()
