"""Running both services on one event loop, from bound ports to a clean end."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp
from uvicorn import Config, Server

from pytest_goldenpath.reference import identity, store
from pytest_goldenpath.reference.auth_app import auth_app
from pytest_goldenpath.reference.backend_app import backend_app
from pytest_goldenpath.reference.settings import Settings
from pytest_goldenpath.reference.store import User
from pytest_goldenpath.reference.twin import Twin, assembled

_MAX_FRAME_BYTES = 4 * 1024 * 1024
_HOUR_S = 3600
_LOG = logging.getLogger("uvicorn.error")


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user whom the caller wants to be there."""

    email: str
    password: str
    name: str


@dataclass(frozen=True, slots=True)
class Ready:
    """What a caller must know once both servers accept."""

    backend: str
    auth: str
    ws: str
    revision: str
    expired_token: str


@contextlib.asynccontextmanager
async def running(
    settings: Settings, ports: tuple[socket.socket, socket.socket], wanted: Sequence[NewUser]
) -> AsyncIterator[Ready]:
    """Serve on the two listening sockets (backend, auth) as long as the context lasts."""
    _LOG.addFilter(_worth_telling)
    twin = assembled(settings)
    try:
        await twin.database.prepare()
        people = [await _created(twin, user) for user in wanted]
        servers = [
            await _started(app, listening)
            for app, listening in zip((backend_app(twin), auth_app(twin)), ports, strict=True)
        ]
        ticks = [asyncio.create_task(server.main_loop()) for server in servers]
        try:
            yield _ready(twin, ports, people)
        finally:
            await twin.hub.close()
            for tick in ticks:
                tick.cancel()
            for server in servers:
                await _stopped(server)
    finally:
        twin.database.close()


async def _started(app: ASGIApp, listening: socket.socket) -> Server:
    config = Config(
        app,
        http="h11",
        ws="websockets-sansio",
        ws_max_size=_MAX_FRAME_BYTES,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=75,
    )
    config.load()
    server = Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    return server


def _worth_telling(record: logging.LogRecord) -> bool:
    # uvicorn says this whenever an upgrade is answered by HTTP, which some faults do on purpose.
    return "without completing handshake" not in record.getMessage()


async def _stopped(server: Server) -> None:
    # What is cancelled here would otherwise be reported as a failure.
    _LOG.disabled = True
    # Not Server.shutdown: that waits for clients, and a parent that died must not be waited for.
    for listener in server.servers:
        listener.close()
    for connection in list(server.server_state.connections):
        connection.shutdown()
    tasks = list(server.server_state.tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _created(twin: Twin, user: NewUser) -> User:
    hashed = await asyncio.to_thread(identity.hashed_password, user.password)
    return await twin.database.call(store.put_user, user.email, user.name, hashed)


def _ready(twin: Twin, ports: tuple[socket.socket, socket.socket], people: Sequence[User]) -> Ready:
    host = twin.settings.host
    shown = f"[{host}]" if ":" in host else host
    backend, auth = (f"{shown}:{listening.getsockname()[1]}" for listening in ports)
    # Issued so long ago that every lifetime a fault may give it is over.
    long_ago = int(time.time()) - twin.tokens.lifetime - _HOUR_S
    return Ready(
        backend=f"http://{backend}",
        auth=f"http://{auth}",
        ws=f"ws://{backend}/ws",
        revision=twin.settings.revision,
        expired_token=twin.tokens.access(people[0], long_ago) if people else "",
    )
