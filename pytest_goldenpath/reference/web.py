"""What all HTTP routes share: routes with a seam, JSON in, JSON errors out, headers."""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pytest_goldenpath.reference.fault import Reply, Seams
from pytest_goldenpath.reference.settings import VERSION

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

_MAX_BODY_BYTES = 256 * 1024
_SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
)


class ApiError(Exception):
    """An answer that is an error, raised from anywhere in a route."""

    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.response = JSONResponse(body, status, headers)


class Routes:
    """Collects routes; every answer passes the seam ``http.<name>``."""

    def __init__(self, seams: Seams) -> None:
        self.seams = seams
        self.all: list[BaseRoute] = []

    def add(self, name: str, paths: str, endpoint: Endpoint, methods: str = "GET") -> None:
        """Serve the space-separated paths by the endpoint; the name is that of the seam."""
        alterations = [Alteration(reply) for reply in self.seams.every(f"http.{name}", Reply)]

        async def answer(request: Request) -> Response:
            try:
                response = await endpoint(request)
            except ApiError as error:
                response = error.response
            for alteration in alterations:
                response = await alteration.of(response)
            return response

        self.all += [Route(path, answer, methods=methods.split()) for path in paths.split()]


class Alteration:
    """One fault's change of the answers of one route; counts the answers."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._seen = 0

    async def of(self, response: Response) -> Response:
        """Return the answer as the fault wants it."""
        reply = self._reply
        if reply.only is not None and response.status_code != reply.only:
            return response
        self._seen += 1
        ill = self._seen - reply.after
        if ill < 1 or ill % reply.every:
            return response
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        return self._changed(response)

    def _changed(self, response: Response) -> Response:
        reply = self._reply
        status = reply.status or response.status_code
        headers = dict(reply.headers)
        if reply.raw is not None:
            return Response(reply.raw, status, headers, media_type=reply.content_type)
        body = reply.replace if reply.replace is not None else json.loads(bytes(response.body))
        if isinstance(body, dict):
            kept = {key: value for key, value in body.items() if key not in reply.drop}
            body = kept | dict(reply.merge)
        return JSONResponse(body, status, headers)


class Stamp:
    """Puts the service's name, its build and the usual protective headers on every answer."""

    def __init__(self, app: ASGIApp, service: str, build: "Build", *, protective: bool) -> None:
        self._app = app
        self._build = build
        self._headers = [
            (b"x-service-name", service.encode()),
            (b"x-service-version", VERSION.encode()),
            *(_SAFE_HEADERS if protective else ()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; sockets have no headers that we could put there."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        revision = self._build.revision(scope["path"])
        scope.setdefault("state", {})["revision"] = revision

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [*self._headers, (b"x-service-revision", revision.encode())]
                message["headers"] = [*message.get("headers", ()), *own]
            await send(message)

        await self._app(scope, receive, stamped)


class Build:
    """Which build answers; a stale or a mixed rollout answers with another one."""

    def __init__(self, revisions: Sequence[str], *, of_api: str = "") -> None:
        self._revisions = revisions
        self._of_api = of_api
        self._answers = 0

    def revision(self, path: str) -> str:
        """Return the revision of the instance that gives the next answer, to this path."""
        if self._of_api and path.startswith("/api/"):
            return self._of_api
        self._answers += 1
        return self._revisions[self._answers % len(self._revisions)]


def application(routes: Routes, service: str, build: Build) -> ASGIApp:
    """Return the ASGI application of one service."""
    app = Starlette(
        routes=routes.all,
        exception_handlers={HTTPException: _http_error, Exception: _server_error},
    )
    return Stamp(app, service, build, protective=not routes.seams.on("headers.unsafe"))


async def json_body(request: Request) -> dict[str, object]:
    """Return the JSON object of the request's body, or raise a structured 4xx."""
    raw = await request.body()
    if len(raw) > _MAX_BODY_BYTES:
        raise ApiError(413, {"detail": "Request body too large"})
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as error:
        raise invalid(("body",), "json_invalid", "JSON decode error") from error
    if not isinstance(body, dict):
        raise invalid(("body",), "dict_type", "Input should be a valid object")
    return body


def invalid(where: Sequence[str], kind: str, message: str) -> ApiError:
    """Return the 422 that names the field which is wrong."""
    return ApiError(422, {"detail": [{"type": kind, "loc": list(where), "msg": message}]})


def text_field(body: dict[str, object], key: str) -> str:
    """Return a non-empty text field of the body, or raise the 422 that says what is wrong."""
    value = body.get(key)
    if value is None:
        raise invalid(("body", key), "missing", "Field required")
    if not isinstance(value, str) or not value.strip():
        raise invalid(("body", key), "string_type", "Input should be a non-empty string")
    return clean(value)


def clean(text: str) -> str:
    """Return the text without what a database or a client could choke on."""
    kept = "".join(char for char in text if char.isprintable() or char in "\n\t")
    return kept.encode("utf-8", "ignore").decode()


def iso(at: float | None = None) -> str:
    """Return the time, by default now, in ISO 8601 with its zone."""
    return datetime.fromtimestamp(time.time() if at is None else at, UTC).isoformat()


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "Internal Server Error"
    return JSONResponse({"detail": detail}, status)


async def _server_error(_: Request, __: Exception) -> Response:
    # The unified error model; the traceback goes to stderr, never to a client.
    body = {
        "error": True,
        "error_code": "INTERNAL_ERROR",
        "message": "Internal Server Error",
        "user_message": "Something went wrong on our side.",
        "details": {},
        "trace_id": str(uuid.uuid4()),
        "timestamp": iso(),
        "request_id": None,
    }
    return JSONResponse(body, 500)
