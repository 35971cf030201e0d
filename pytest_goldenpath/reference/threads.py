"""The threads API: conversations and their messages, each user's own (protocol.md 6.3)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pytest_goldenpath.reference import conversations
from pytest_goldenpath.reference.conversations import ANYBODY, Thread
from pytest_goldenpath.reference.identity import Claims
from pytest_goldenpath.reference.twin import Twin
from pytest_goldenpath.reference.web import ApiError, Routes, clean, invalid, json_body, text_field

_MAX_LIMIT = 100
_HISTORY = 20


class Threads:
    """The routes under /api/threads, and the two that only list."""

    def __init__(self, twin: Twin) -> None:
        self._database = twin.database
        self._gate = twin.http_gate
        self._seams = twin.settings.seams

    def add_to(self, routes: Routes) -> None:
        """Serve the routes of this API."""
        routes.add("threads.list", "/api/threads /api/threads/", self.list)
        routes.add("threads.create", "/api/threads /api/threads/", self.create, "POST")
        routes.add("threads.get", "/api/threads/{id}", self.get)
        routes.add("threads.change", "/api/threads/{id}", self.change, "PUT")
        routes.add("threads.delete", "/api/threads/{id}", self.delete, "DELETE")
        routes.add("messages.list", "/api/threads/{id}/messages", self.messages)
        routes.add("messages.create", "/api/threads/{id}/messages", self.say, "POST")
        routes.add("conversations", "/api/conversations", self.conversations)
        routes.add("history", "/api/history", self.history)

    async def list(self, request: Request) -> Response:
        """List the user's threads, newest first."""
        limit, offset = _page(request, _MAX_LIMIT)
        owner = await self._owner(request)
        found = await self._database.call(conversations.of, owner, limit, offset)
        return JSONResponse([thread.public() for thread in found])

    async def create(self, request: Request) -> Response:
        """Start a thread."""
        user = await self._gate.user(request)
        body = await json_body(request)
        title, metadata = _title(body) or "New conversation", _metadata(body) or {}
        thread = await self._database.call(conversations.create, user.user_id, title, metadata)
        if self._seams.on("threads.lost"):
            await self._database.call(conversations.delete, thread.id)
        return JSONResponse(thread.public())

    async def get(self, request: Request) -> Response:
        """Show one thread."""
        return JSONResponse((await self._thread(request)).public())

    async def change(self, request: Request) -> Response:
        """Give a thread another title or metadata."""
        thread = await self._thread(request)
        body = await json_body(request)
        await self._database.call(conversations.change, thread.id, _title(body), _metadata(body))
        return JSONResponse((await self._thread(request)).public())

    async def delete(self, request: Request) -> Response:
        """Remove a thread."""
        thread = await self._thread(request, anybody=self._seams.on("threads.deletable"))
        if not self._seams.on("threads.undeletable"):
            await self._database.call(conversations.delete, thread.id)
        return JSONResponse({"message": "Thread deleted", "id": thread.id, "deleted": True})

    async def messages(self, request: Request) -> Response:
        """List what was said in a thread, in order."""
        limit, offset = _page(request, _MAX_LIMIT)
        thread = await self._thread(request)
        found = await self._database.call(conversations.said, thread.id, limit, offset)
        shown = [message.public() for message in found]
        if self._seams.on("messages.reversed"):
            shown.reverse()
        body: dict[str, object] = {"messages": shown, "thread_id": thread.id}
        return JSONResponse(
            body | {"total": thread.message_count, "limit": limit, "offset": offset}
        )

    async def say(self, request: Request) -> Response:
        """Add a message of the user to a thread."""
        thread = await self._thread(request)
        body = await json_body(request)
        text = text_field(body, "message")
        message = await self._database.call(
            conversations.say, thread.id, "user", text, _metadata(body) or {}
        )
        if self._seams.on("messages.lost"):
            await self._database.call(conversations.unsay, message.id)
        return JSONResponse(message.public())

    async def conversations(self, request: Request) -> Response:
        """List the user's threads with their number."""
        limit, offset = _page(request, _MAX_LIMIT)
        owner = await self._owner(request)
        found = await self._database.call(conversations.of, owner, limit, offset)
        shown = [thread.public() for thread in found]
        return JSONResponse({"conversations": shown, "total": len(shown)})

    async def history(self, request: Request) -> Response:
        """List what was said lately in the user's threads."""
        owner = await self._owner(request)
        shown: list[dict[str, object]] = []
        for thread in await self._database.call(conversations.of, owner, _HISTORY, 0):
            found = await self._database.call(conversations.said, thread.id, _MAX_LIMIT, 0)
            shown += [message.public() for message in found]
        return JSONResponse({"history": shown, "total": len(shown)})

    async def _owner(self, request: Request) -> str:
        user: Claims = await self._gate.user(request)
        return ANYBODY if self._seams.on("threads.list_all") else user.user_id

    async def _thread(self, request: Request, *, anybody: bool = False) -> Thread:
        user = await self._gate.user(request)
        owner = ANYBODY if anybody or self._seams.on("threads.open") else user.user_id
        thread_id = clean(request.path_params["id"])
        thread = await self._database.call(conversations.find, thread_id, owner)
        if thread is None:
            # The same answer for a missing and for another user's thread.
            raise ApiError(404, {"detail": "Thread not found"})
        return thread


def _page(request: Request, maximum: int) -> tuple[int, int]:
    numbers: dict[str, int] = {}
    for name, default in (("limit", 20), ("offset", 0)):
        raw = request.query_params.get(name, str(default))
        if not raw.isascii() or not raw.isdigit() or len(raw) > len("999999"):
            raise invalid(("query", name), "int_parsing", "Input should be a natural number")
        numbers[name] = int(raw)
    if not 1 <= numbers["limit"] <= maximum:
        raise invalid(("query", "limit"), "range", f"Input should be between 1 and {maximum}")
    return numbers["limit"], numbers["offset"]


def _title(body: dict[str, object]) -> str | None:
    title = body.get("title")
    if title is None:
        return None
    if not isinstance(title, str):
        raise invalid(("body", "title"), "string_type", "Input should be a valid string")
    return clean(title)[:300]


def _metadata(body: dict[str, object]) -> dict[str, object] | None:
    metadata = body.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise invalid(("body", "metadata"), "dict_type", "Input should be a valid object")
    return metadata
