"""How the auth service says that it is well (protocol.md 1.4)."""

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pytest_goldenpath.reference.settings import VERSION
from pytest_goldenpath.reference.twin import Twin
from pytest_goldenpath.reference.web import Routes, iso


class AuthHealth:
    """The health family of the auth service; each answer has asked the database."""

    def __init__(self, twin: Twin, service: str) -> None:
        self._twin = twin
        self._service = service

    def add_to(self, routes: Routes) -> None:
        """Serve the routes of this family."""
        routes.add("auth.root", "/", self.root)
        routes.add("auth.health", "/health /health/", self.health, "GET HEAD")
        routes.add("auth.ready", "/health/ready /readiness", self.ready, "GET HEAD")
        routes.add("auth.capabilities", "/health/auth", self.capabilities)
        routes.add("auth.database", "/auth/health", self.database)
        routes.add("auth.status", "/auth/status", self.status)
        routes.add("auth.config", "/auth/config", self.config)

    async def root(self, request: Request) -> Response:
        """Say what this is."""
        return JSONResponse(self._said(request, "running"))

    async def status(self, request: Request) -> Response:
        """Say that the process runs."""
        return JSONResponse(self._said(request, "running"))

    async def health(self, request: Request) -> Response:
        """Say whether logins can work."""
        if not await self._connected():
            reason = {"reason": "Database unavailable"}
            return JSONResponse(self._said(request, "unhealthy") | reason, 503)
        return JSONResponse(self._said(request, "healthy") | {"database_status": "connected"})

    async def ready(self, request: Request) -> Response:
        """Say whether this process may get traffic."""
        if not await self._connected():
            reason = {"reason": "Database unavailable"}
            return JSONResponse(self._said(request, "not_ready") | reason, 503)
        return JSONResponse(self._said(request, "ready") | {"database_status": "connected"})

    async def capabilities(self, request: Request) -> Response:
        """Say what of the golden path this service can do."""
        connected = await self._connected()
        body = self._said(request, "healthy" if connected else "degraded")
        body["capabilities"] = {
            "jwt_validation": True,
            "session_management": connected,
            "oauth_configured": False,
            "database_connected": connected,
        }
        body["golden_path_ready"] = connected
        return JSONResponse(body)

    async def database(self, request: Request) -> Response:
        """Say how the database is, always with 200."""
        connected = await self._connected()
        body = self._said(request, "healthy" if connected else "unhealthy")
        body["database_status"] = "connected" if connected else "disconnected"
        return JSONResponse(body)

    async def config(self, request: Request) -> Response:
        """Tell a browser where to log in."""
        base = str(request.base_url).rstrip("/")
        names = {"login": "login", "logout": "logout", "callback": "callback", "user": "me"}
        endpoints = {name: f"{base}/auth/{path}" for name, path in names.items()}
        development = self._twin.settings.environment == "development"
        if development:
            endpoints["dev_login"] = f"{base}/auth/dev/login"
        body = {
            "google_client_id": "",
            "oauth_enabled": False,
            "development_mode": development,
            "endpoints": endpoints,
            "authorized_javascript_origins": [],
            "authorized_redirect_uris": [],
        }
        return JSONResponse(body)

    def _said(self, request: Request, status: str) -> dict[str, object]:
        return {
            "status": status,
            "service": self._service,
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
