"""The auth service: its health, logins and tokens (protocol.md 1.4, 2.1, 2.2)."""

import asyncio
import hmac
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from pytest_goldenpath.reference import identity, store
from pytest_goldenpath.reference.identity import Claims, Refusal, bearer
from pytest_goldenpath.reference.settings import VERSION
from pytest_goldenpath.reference.store import User
from pytest_goldenpath.reference.twin import Twin
from pytest_goldenpath.reference.web import ApiError, Routes, application, clean, iso, json_body

SERVICE = "auth-service"
_MIN_PASSWORD = 8
# What an unknown address is compared with, so that it takes as long as a wrong password.
_NOBODY = identity.hashed_password("nobody")


def auth_app(twin: Twin) -> ASGIApp:
    """Return the application of the auth service."""
    routes = Routes(twin.settings.seams)
    AuthHealth(twin, SERVICE).add_to(routes)
    accounts, tokens = Accounts(twin), TokenDesk(twin)
    routes.add("login", "/auth/login", accounts.login, "POST")
    routes.add("google", "/auth/login", accounts.google)
    routes.add("register", "/auth/register", accounts.register, "POST")
    routes.add("dev_login", "/auth/dev/login", accounts.dev_login, "POST")
    routes.add("e2e", "/auth/e2e/test-auth", accounts.e2e, "POST")
    routes.add("validate", "/auth/validate", tokens.validate, "POST")
    routes.add("verify", "/auth/verify", tokens.verify, "GET POST")
    routes.add("refresh", "/auth/refresh", tokens.refresh, "POST")
    routes.add("logout", "/auth/logout", tokens.logout, "POST")
    routes.add("me", "/auth/me", tokens.me)
    return application(routes, SERVICE, twin.auth_build)


class Accounts:
    """Ways to become a known user."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._seams = twin.settings.seams
        self._latest: dict[str, str] = {}  # user id -> token of the last login, for one fault

    async def login(self, request: Request) -> Response:
        """Give tokens for an address and its password."""
        email, password = _credentials(await json_body(request))
        user = await self._twin.database.call(store.find_user, email)
        stored = user.password if user else _NOBODY
        matches = await asyncio.to_thread(identity.password_matches, password, stored)
        if user is None or not (matches or self._seams.on("login.any_password")):
            raise ApiError(401, {"detail": "Invalid credentials"})
        welcome = self._twin.tokens.pair(user)
        if self._seams.on("login.overheard"):
            self._twin.http_gate.overheard = {"debug": f"{email} came with {password}"}
        if self._seams.on("login.revokes"):
            await self._forget_earlier(user, str(welcome["access_token"]))
        return JSONResponse({**welcome, "user": {"id": user.id, "email": user.email}})

    async def _forget_earlier(self, user: User, token: str) -> None:
        if user.id in self._latest:
            await self._twin.database.call(store.revoke, self._latest[user.id])
        self._latest[user.id] = self._twin.tokens.read(token).jti

    async def backends_login(self, request: Request) -> Response:
        """Log in at the backend, as a fault does: by any password and for any address."""
        email, _ = _credentials(await json_body(request))
        user = await self._known(f"backend-{email.partition('@')[0]}"[:64], email, "Somebody")
        return self._welcome(user, id=user.id, email=user.email)

    async def google(self, request: Request) -> Response:
        """Say that no other login provider is configured."""
        provider = request.query_params.get("provider")
        if provider != "google":
            raise ApiError(400, {"detail": "Provider missing or unsupported"})
        raise ApiError(503, {"detail": "OAuth is not configured"})

    async def register(self, request: Request) -> Response:
        """Create a user and log them in."""
        body = await json_body(request)
        email, password = _credentials(body)
        if "@" not in email or len(password) < _MIN_PASSWORD:
            raise ApiError(
                422, {"detail": f"A valid email and {_MIN_PASSWORD} characters of password needed"}
            )
        name = clean(str(body.get("name") or email.partition("@")[0]))[:200]
        hashed = await asyncio.to_thread(identity.hashed_password, password)
        user = await self._twin.database.call(store.add_user, email, name, hashed)
        if user is None:
            raise ApiError(409, {"detail": "User already exists"})
        return self._welcome(user, id=user.id, email=user.email, name=user.name)

    async def dev_login(self, _: Request) -> Response:
        """Log in the developer, in development only."""
        if self._twin.settings.environment not in {"development", "test"}:
            raise ApiError(403, {"detail": "Development login is not available"})
        user = await self._known("dev-user-001", "dev@example.com", "Developer")
        return self._welcome(user, id=user.id, email=user.email)

    async def e2e(self, request: Request) -> Response:
        """Log in a simulated user for whoever has the key."""
        if not self._seams.on("e2e.keyless"):
            self._demand_key(request.headers.get("x-e2e-bypass-key", ""))
        body = await json_body(request)
        email = clean(str(body.get("email") or "e2e-test@example.com"))
        name = clean(str(body.get("name") or "E2E user"))[:200]
        user = await self._known(f"e2e-{email.partition('@')[0]}"[:64], email, name)
        return self._welcome(
            user,
            id=user.id,
            email=user.email,
            name=name,
            permissions=body.get("permissions") or ["read", "write"],
            oauth_simulated=True,
        )

    def _demand_key(self, key: str) -> None:
        expected = self._twin.settings.e2e_key
        if not key:
            raise ApiError(401, {"detail": "E2E bypass key required"})
        if not expected:
            raise ApiError(503, {"detail": "E2E authentication not configured"})
        if not hmac.compare_digest(key.encode(), expected.encode()):
            raise ApiError(401, {"detail": "Invalid E2E bypass key"})

    async def _known(self, user_id: str, email: str, name: str) -> User:
        # Without a password: these users have no other way in.
        await self._twin.database.call(store.add_user, email, name, _NOBODY, user_id)
        user = await self._twin.database.call(store.find_user, email)
        if user is None:
            raise LookupError(email)
        return user

    def _welcome(self, user: User, **shown: object) -> Response:
        return JSONResponse({**self._twin.tokens.pair(user), "user": shown})


class TokenDesk:
    """What can be asked about, or done with, a token."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._gate = twin.auth_gate
        self._seams = twin.settings.seams
        self._first: Claims | None = None  # only a fault looks at it

    async def _check(self, token: str) -> Claims:
        claims = await self._gate.check(token)
        if not self._seams.on("validate.remembers_first"):
            return claims
        self._first = self._first or claims
        return self._first

    async def validate(self, request: Request) -> Response:
        """Say whether a token is good, always with 200."""
        token = (await json_body(request)).get("token")
        if not isinstance(token, str) or not token:
            return _invalid("missing_token", "Token is required")
        try:
            claims = await self._check(token)
        except Refusal:
            return _invalid("invalid_token", "Invalid or expired token")
        return JSONResponse({"valid": True, **_shown(claims), "expires_at": _until(claims)})

    async def verify(self, request: Request) -> Response:
        """Say whether the bearer token, or that of the body, is good."""
        token = bearer(request.headers.get("authorization", ""))
        if not token and request.method == "POST":
            body = await json_body(request)
            token = str(body.get("token") or body.get("access_token") or "")
        if request.method == "GET" and self._seams.on("verify.open_to_get"):
            return JSONResponse({"valid": True, "user_id": "demo-user-001"})
        try:
            claims = await self._check(token)
        except Refusal as refusal:
            missing = "No token provided in Authorization header or request body"
            error = missing if refusal.reason == "missing" else "Invalid or expired token"
            return JSONResponse({"valid": False, "error": error})
        return JSONResponse({"valid": True, **_shown(claims), "exp": _until(claims)})

    async def refresh(self, request: Request) -> Response:
        """Give a new pair for a refresh token, which is used up by it."""
        body = await json_body(request)
        token = body.get("refresh_token") or body.get("refreshToken") or body.get("token")
        if not isinstance(token, str) or not token:
            received = ", ".join(sorted(body)) or "none"
            raise ApiError(422, {"detail": f"refresh_token is required; received keys: {received}"})
        try:
            claims = await self._gate.check(token, "refresh")
        except Refusal as refusal:
            raise ApiError(401, {"detail": "Invalid refresh token"}) from refusal
        fresh = await self._twin.database.call(store.revoke, claims.jti)
        user = await self._twin.database.call(store.user_by_id, claims.user_id)
        if user is None or not fresh:
            raise ApiError(401, {"detail": "Invalid refresh token"})
        return JSONResponse(self._twin.tokens.pair(user))

    async def logout(self, request: Request) -> Response:
        """Withdraw the bearer token, if there is a good one."""
        try:
            claims = await self._gate.check(bearer(request.headers.get("authorization", "")))
        except Refusal:
            return JSONResponse({"message": "Successfully logged out", "status": "success"})
        await self._twin.database.call(store.revoke, claims.jti)
        return JSONResponse({"message": "Successfully logged out", "status": "success"})

    async def me(self, request: Request) -> Response:
        """Say who the bearer token belongs to."""
        try:
            claims = await self._gate.check(bearer(request.headers.get("authorization", "")))
        except Refusal as refusal:
            raise ApiError(
                401, {"detail": "Not authenticated"}, {"www-authenticate": "Bearer"}
            ) from refusal
        return JSONResponse({**_shown(claims), "token_expires_at": _until(claims)})


def _credentials(body: dict[str, object]) -> tuple[str, str]:
    email, password = body.get("email"), body.get("password")
    if not (isinstance(email, str) and email and isinstance(password, str) and password):
        raise ApiError(422, {"detail": "Email and password are required"})
    return clean(email)[:320], password


def _invalid(error: str, message: str) -> Response:
    return JSONResponse({"valid": False, "error": error, "message": message})


def _shown(claims: Claims) -> dict[str, object]:
    return {
        "user_id": claims.user_id,
        "email": claims.email,
        "permissions": list(claims.permissions),
    }


def _until(claims: Claims) -> str:
    return datetime.fromtimestamp(claims.expires_at, UTC).isoformat()


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
