"""The backend's health and application, and running it beside the auth service.

Both run on one event loop, from bound ports to a clean end. Health is in the long form or the
short one (protocol.md 1.1, 1.2).
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp
from uvicorn import Config, Server

from pytest_goldenpath.reference import identity, store
from pytest_goldenpath.reference.auth_app import Accounts, auth_app
from pytest_goldenpath.reference.runs import AgentsApi, Runs
from pytest_goldenpath.reference.session import Sockets
from pytest_goldenpath.reference.settings import (
    HEARTBEAT_S,
    MAX_MESSAGE_BYTES,
    VERSION,
    Settings,
)
from pytest_goldenpath.reference.store import User
from pytest_goldenpath.reference.threads import Chat, Threads
from pytest_goldenpath.reference.twin import Twin, assembled
from pytest_goldenpath.reference.web import ApiError, Routes, application, iso

SERVICE = "netra-ai-platform"
_METHODS = "GET HEAD OPTIONS"
_MODES = ["main"]

_MAX_FRAME_BYTES = 4 * 1024 * 1024
_HOUR_S = 3600
_LOG = logging.getLogger("uvicorn.error")


class Health:
    """The health family of the backend."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._short = twin.settings.health == "health-short"

    def add_to(self, routes: Routes) -> None:
        """Serve the routes of this family."""
        routes.add("root", "/", self.root)
        routes.add("health", "/health /health/", self.health, _METHODS)
        routes.add("live", "/health/live /health/startup", self.live, _METHODS)
        routes.add("ready", "/health/ready", self.ready, _METHODS)
        routes.add("capabilities", "/health/backend", self.capabilities, _METHODS)
        routes.add("database", "/health/database", self.database, _METHODS)
        routes.add("infrastructure", "/health/infrastructure", self.infrastructure, _METHODS)
        routes.add("pool", "/health/pool-metrics", self.pool, _METHODS)
        routes.add("breakers", "/health/circuit-breakers", self.breakers, _METHODS)
        routes.add("ws.stats", "/ws/stats", self.ws_stats)
        routes.add("ws.health", "/ws/health", self.ws_health)
        routes.add("ws.config", "/ws/config", self.ws_config)
        routes.add("ws.beacon", "/ws/beacon", self.ws_beacon, _METHODS)

    async def root(self, _: Request) -> Response:
        """Greet."""
        return JSONResponse({"message": "Welcome to Netra API"})

    async def health(self, request: Request) -> Response:
        """Say that the process answers; as in the platform this asks nothing else."""
        if request.method == "OPTIONS":
            return JSONResponse({"status": "ok", "message": "CORS preflight"})
        if self._short:
            return JSONResponse({"status": "ok"})
        return JSONResponse(self._said(request, "healthy") | {"timestamp": time.time()})

    async def live(self, request: Request) -> Response:
        """Say that the process lives."""
        if self._short:
            return JSONResponse({"status": "ok"})
        return JSONResponse(self._said(request, "healthy"))

    async def ready(self, request: Request) -> Response:
        """Say whether requests can be served; the database is asked."""
        connected = await self._connected()
        if not connected:
            return JSONResponse({"detail": "Core database unavailable"}, 503)
        if self._short:
            return JSONResponse({"status": "ready"})
        websocket = {"status": "ready", "websocket_ready": True, "details": {}}
        body = self._said(request, "ready") | {
            "timestamp": time.time(),
            "core_db": "connected",
            "clickhouse_db": "skipped_optional",
            "redis_db": "skipped_optional",
            "websocket_readiness": websocket,
            "details": {},
        }
        return JSONResponse(body)

    async def capabilities(self, request: Request) -> Response:
        """Say what of the golden path this service can do."""
        if self._short:
            return JSONResponse({"status": "ok"})
        connected = await self._connected()
        names = ("agent_execution", "tool_system", "llm_integration", "websocket_integration")
        body = self._said(request, "healthy" if connected else "degraded")
        body["service"] = "backend-service"
        body["capabilities"] = dict.fromkeys(names, True) | {"database_connectivity": connected}
        body["golden_path_ready"] = connected
        body["readiness_score"] = 1.0 if connected else 0.8
        body["warnings"] = [] if connected else ["database not reachable"]
        return JSONResponse(body)

    async def database(self, request: Request) -> Response:
        """Say how the database is."""
        connected = await self._connected()
        body = self._said(request, "healthy" if connected else "unhealthy")
        body["connected"] = connected
        return JSONResponse(body, 200 if connected else 503)

    async def infrastructure(self, request: Request) -> Response:
        """Say how what this service stands on is; 200 also when it is degraded, as in staging."""
        connected = await self._connected()
        word = "healthy" if connected else "degraded"
        if self._short:
            return JSONResponse({"status": "ok" if connected else "degraded"})
        parts = {
            "database": {"status": word, "component": "database", "critical": True},
            "websocket": {"status": "healthy", "component": "websocket", "critical": True},
        }
        body = self._said(request, word) | {
            "service": "infrastructure-monitoring",
            "infrastructure_components": parts,
            "degraded_components": [] if connected else ["database"],
            "infrastructure_ready": connected,
        }
        return JSONResponse(body)

    async def pool(self, _: Request) -> Response:
        """Say how full the way to the database is: one connection, and who waits for it."""
        if self._short:
            raise ApiError(404, {"detail": "Not Found"})
        left = 0 if self._twin.database.busy else 1
        body = {
            "pool_configuration": {"pool_size": 1, "max_overflow": 0, "total_capacity": 1},
            "pool_utilization": {
                "utilization_percent": 100.0 * (1 - left),
                "sessions_remaining": left,
            },
            "health_status": "healthy" if left else "critical",
            "timestamp": iso(),
        }
        return JSONResponse(body)

    async def breakers(self, _: Request) -> Response:
        """Say which circuit breakers are open: this service has none."""
        names: list[str] = []
        counts = dict.fromkeys(("closed_breakers", "open_breakers", "half_open_breakers"), 0)
        body = {"overall_health": "healthy", "total_circuit_breakers": 0, **counts}
        return JSONResponse(body | {"open_breaker_names": names, "timestamp": iso()})

    async def ws_stats(self, _: Request) -> Response:
        """Say how many connections are open, and how many this process may have at most."""
        everybody = self._twin.hub.everybody()
        body: dict[str, object] = {
            "active_connections": len(everybody),
            "active_users": len({connection.user_id for connection in everybody}),
            "max_connections_per_user": self._twin.settings.places.count,
            "timestamp": iso(),
        }
        return JSONResponse(body | _most_connections())

    async def ws_health(self, _: Request) -> Response:
        """Say how the WebSocket part is."""
        parts = dict.fromkeys(("manager", "message_router", "connection_monitor"), True)
        return JSONResponse(
            {
                "status": "healthy",
                "timestamp": iso(),
                "mode": "ssot_consolidated",
                "components": parts,
            }
        )

    async def ws_config(self, _: Request) -> Response:
        """Tell a client the limits, and the true ones."""
        config = {
            "heartbeat_interval": self._twin.settings.heartbeat_s or HEARTBEAT_S,
            "connection_timeout": 300,
            "max_message_size": MAX_MESSAGE_BYTES,
            "compression_enabled": True,
        }
        return JSONResponse(
            {"websocket_config": config, "manager_available": True, "timestamp": iso()}
        )

    async def ws_beacon(self, _: Request) -> Response:
        """Say that the WebSocket part is there."""
        return JSONResponse(
            {
                "service": "websocket_ssot",
                "status": "operational",
                "consolidation": "complete",
                "modes": _MODES,
                "ssot_compliance": True,
                "timestamp": iso(),
            }
        )

    def _said(self, request: Request, status: str) -> dict[str, object]:
        return {
            "status": status,
            "service": SERVICE,
            "version": VERSION,
            "revision": request.state.revision,
            "timestamp": iso(),
            "environment": self._twin.settings.environment,
        }

    async def _connected(self) -> bool:
        try:
            await self._twin.database.ping()
        except SQLAlchemyError:
            return False
        return True


def _most_connections() -> dict[str, object]:
    """Return how many connections the operating system lets this process have."""
    try:
        import resource
    except ImportError:  # Windows sets no such limit
        return {}
    return {"max_connections": resource.getrlimit(resource.RLIMIT_NOFILE)[0]}


def backend_app(twin: Twin) -> ASGIApp:
    """Return the application of the backend."""
    routes, runs = Routes(twin.settings.seams), Runs(twin)
    Health(twin).add_to(routes)
    Threads(twin).add_to(routes)
    Chat(twin).add_to(routes)
    AgentsApi(twin, runs).add_to(routes)
    if twin.settings.seams.on("login.at_backend"):
        routes.add("backend.login", "/auth/login", Accounts(twin).backends_login, "POST")
    sockets = Sockets(twin, runs)
    unguarded = identity.UNGUARDED if twin.settings.seams.on("ws.unguarded") else ()
    paths = ("/ws", "/api/v1/websocket", *unguarded)
    routes.all += [WebSocketRoute(path, sockets.serve) for path in paths]
    return application(routes, SERVICE, twin.build)


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user whom the caller wants to be there."""

    email: str
    password: str = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True)
class Ready:
    """What a caller must know once both servers accept."""

    backend: str
    auth: str
    ws: str
    revision: str
    expired_token: str = field(repr=False)


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
