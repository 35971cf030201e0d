"""How the backend says that it is well: the long form or the short one (protocol.md 1.1, 1.2)."""

import time

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pytest_goldenpath.reference.settings import HEARTBEAT_S, MAX_MESSAGE_BYTES, VERSION
from pytest_goldenpath.reference.twin import Twin
from pytest_goldenpath.reference.web import Routes, iso

SERVICE = "netra-ai-platform"
_METHODS = "GET HEAD OPTIONS"
_MODES = ["main"]


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
