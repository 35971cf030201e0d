"""Threads and their messages, each user's own: in the database and as an API (protocol.md 6.3)."""

import json
import time
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pytest_goldenpath.reference.identity import Claims
from pytest_goldenpath.reference.store import messages, threads
from pytest_goldenpath.reference.twin import Twin
from pytest_goldenpath.reference.web import ApiError, Routes, clean, invalid, json_body, text_field

ANYBODY = ""  # as owner: no check; only faults use it

_MAX_LIMIT = 100
_HISTORY = 20


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation of one user."""

    id: str
    user_id: str
    title: str
    metadata: dict[str, object]
    created_at: int
    updated_at: int
    message_count: int

    def public(self) -> dict[str, object]:
        """Return the thread as the API shows it."""
        return {
            "id": self.id,
            "object": "thread",
            "title": self.title,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "metadata": self.metadata,
            "message_count": self.message_count,
        }


@dataclass(frozen=True, slots=True)
class Message:
    """One thing said in a thread."""

    id: str
    thread_id: str
    role: str
    content: str
    metadata: dict[str, object]
    created_at: float

    def public(self) -> dict[str, object]:
        """Return the message as the API shows it."""
        return {
            "id": self.id,
            "thread_id": self.thread_id,
            "role": self.role,
            "content": self.content,
            "metadata": self.metadata,
            "created_at": self.created_at,
        }


def owner_of(connection: Connection, thread_id: str) -> str | None:
    """Return whose thread this is, None if there is no such thread."""
    found = connection.execute(select(threads.c.user_id).where(threads.c.id == thread_id))
    return found.scalar_one_or_none()


def create_thread(
    connection: Connection,
    user_id: str,
    title: str,
    metadata: dict[str, object],
    thread_id: str = "",
) -> Thread:
    """Start a thread, with the given id or a new one."""
    now = int(time.time())
    thread = Thread(
        thread_id or f"thread_{uuid.uuid4().hex[:16]}", user_id, title, metadata, now, now, 0
    )
    connection.execute(
        threads.insert().values(
            id=thread.id,
            user_id=user_id,
            title=title,
            metadata=json.dumps(metadata),
            created_at=now,
            updated_at=now,
        )
    )
    return thread


def find_thread(connection: Connection, thread_id: str, user_id: str) -> Thread | None:
    """Return the user's thread with this id, None if it is missing or another user's."""
    query = select(threads).where(threads.c.id == thread_id)
    if user_id != ANYBODY:
        query = query.where(threads.c.user_id == user_id)
    row = connection.execute(query).first()
    return _thread(connection, row) if row else None


def threads_of(connection: Connection, user_id: str, limit: int, offset: int) -> list[Thread]:
    """Return the user's threads, newest first."""
    query = select(threads).order_by(threads.c.updated_at.desc(), threads.c.id)
    if user_id != ANYBODY:
        query = query.where(threads.c.user_id == user_id)
    rows = connection.execute(query.limit(limit).offset(offset)).all()
    return [_thread(connection, row) for row in rows]


def change_thread(
    connection: Connection, thread_id: str, title: str | None, metadata: dict[str, object] | None
) -> None:
    """Give the thread another title or metadata."""
    values: dict[str, object] = {"updated_at": int(time.time())}
    if title is not None:
        values["title"] = title
    if metadata is not None:
        values["metadata"] = json.dumps(metadata)
    connection.execute(threads.update().where(threads.c.id == thread_id).values(**values))


def delete_thread(connection: Connection, thread_id: str) -> None:
    """Remove the thread and what was said in it."""
    connection.execute(messages.delete().where(messages.c.thread_id == thread_id))
    connection.execute(threads.delete().where(threads.c.id == thread_id))


def add_message(
    connection: Connection, thread_id: str, role: str, content: str, metadata: dict[str, object]
) -> Message:
    """Add a message at the end of the thread."""
    message = Message(
        f"msg_{uuid.uuid4().hex[:16]}", thread_id, role, content, metadata, time.time()
    )
    connection.execute(
        messages.insert().values(
            id=message.id,
            thread_id=thread_id,
            role=role,
            content=content,
            metadata=json.dumps(metadata),
            created_at=message.created_at,
        )
    )
    now = int(message.created_at)
    connection.execute(threads.update().where(threads.c.id == thread_id).values(updated_at=now))
    return message


def remove_message(connection: Connection, message_id: str) -> None:
    """Remove one message; no healthy server does."""
    connection.execute(messages.delete().where(messages.c.id == message_id))


def blank_messages(connection: Connection, thread_id: str) -> None:
    """Lose what was said in the thread; no healthy server does."""
    connection.execute(
        messages.update().where(messages.c.thread_id == thread_id).values(content="")
    )


def messages_of(connection: Connection, thread_id: str, limit: int, offset: int) -> list[Message]:
    """Return the messages of the thread in the order in which they were said."""
    query = select(messages).where(messages.c.thread_id == thread_id).order_by(messages.c.number)
    rows = connection.execute(query.limit(limit).offset(offset)).all()
    return [
        Message(row.id, row.thread_id, row.role, row.content, _loaded(row.metadata), row.created_at)
        for row in rows
    ]


def count_messages(connection: Connection, thread_id: str) -> int:
    """Return how many messages the thread has."""
    query = select(func.count()).select_from(messages).where(messages.c.thread_id == thread_id)
    return connection.execute(query).scalar_one()


def _thread(connection: Connection, row: Row[tuple[object, ...]]) -> Thread:
    return Thread(
        row.id,
        row.user_id,
        row.title,
        _loaded(row.metadata),
        row.created_at,
        row.updated_at,
        count_messages(connection, row.id),
    )


def _loaded(text: str) -> dict[str, object]:
    loaded = json.loads(text)
    return loaded if isinstance(loaded, dict) else {}


class Chat:
    """The routes under /api/chat/messages, which keep what is said in memory (6.4)."""

    def __init__(self, twin: Twin) -> None:
        self._gate = twin.http_gate
        self._seams = twin.settings.seams
        self._said: list[dict[str, object]] = []

    def add_to(self, routes: Routes) -> None:
        """Serve the routes of this API."""
        routes.add("chat.list", "/api/chat/messages", self.list)
        routes.add("chat.create", "/api/chat/messages", self.say, "POST")

    async def list(self, request: Request) -> Response:
        """List what the user said in a thread."""
        user = await self._gate.user(request)
        thread_id = request.query_params.get("thread_id", "")
        shown = [
            message
            for message in self._said
            if message["thread_id"] == thread_id
            and (message["user_id"] == user.user_id or self._seams.on("chat.unfiltered"))
        ]
        page: dict[str, object] = {"page": 1, "page_size": _MAX_LIMIT, "has_more": False}
        return JSONResponse({"messages": shown, "total_count": len(shown)} | page)

    async def say(self, request: Request) -> Response:
        """Keep a message of the user."""
        user = await self._gate.user(request)
        body = await json_body(request)
        message: dict[str, object] = {
            "id": f"chat_{uuid.uuid4().hex[:16]}",
            "content": text_field(body, "content"),
            "user_id": user.user_id,
            "thread_id": text_field(body, "thread_id"),
            "timestamp": time.time(),
            "message_type": "user",
        }
        self._said = [*self._said[-_MAX_LIMIT:], message]
        return JSONResponse({"message": message, "status": "created"})


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
        found = await self._database.call(threads_of, owner, limit, offset)
        return JSONResponse([thread.public() for thread in found])

    async def create(self, request: Request) -> Response:
        """Start a thread."""
        user = await self._gate.user(request)
        body = await json_body(request)
        title, metadata = _title(body) or "New conversation", _metadata(body) or {}
        thread = await self._database.call(create_thread, user.user_id, title, metadata)
        if self._seams.on("threads.lost"):
            await self._database.call(delete_thread, thread.id)
        return JSONResponse(thread.public())

    async def get(self, request: Request) -> Response:
        """Show one thread."""
        return JSONResponse((await self._thread(request)).public())

    async def change(self, request: Request) -> Response:
        """Give a thread another title or metadata."""
        thread = await self._thread(request)
        body = await json_body(request)
        await self._database.call(change_thread, thread.id, _title(body), _metadata(body))
        return JSONResponse((await self._thread(request)).public())

    async def delete(self, request: Request) -> Response:
        """Remove a thread."""
        thread = await self._thread(request, anybody=self._seams.on("threads.deletable"))
        if not self._seams.on("threads.undeletable"):
            await self._database.call(delete_thread, thread.id)
        return JSONResponse({"message": "Thread deleted", "id": thread.id, "deleted": True})

    async def messages(self, request: Request) -> Response:
        """List what was said in a thread, in order."""
        limit, offset = _page(request, _MAX_LIMIT)
        thread = await self._thread(request)
        found = await self._database.call(messages_of, thread.id, limit, offset)
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
            add_message, thread.id, "user", text, _metadata(body) or {}
        )
        if self._seams.on("messages.lost"):
            await self._database.call(remove_message, message.id)
        return JSONResponse(message.public())

    async def conversations(self, request: Request) -> Response:
        """List the user's threads with their number."""
        limit, offset = _page(request, _MAX_LIMIT)
        owner = await self._owner(request)
        found = await self._database.call(threads_of, owner, limit, offset)
        shown = [thread.public() for thread in found]
        return JSONResponse({"conversations": shown, "total": len(shown)})

    async def history(self, request: Request) -> Response:
        """List what was said lately in the user's threads."""
        owner = await self._owner(request)
        shown: list[dict[str, object]] = []
        for thread in await self._database.call(threads_of, owner, _HISTORY, 0):
            found = await self._database.call(messages_of, thread.id, _MAX_LIMIT, 0)
            shown += [message.public() for message in found]
        return JSONResponse({"history": shown, "total": len(shown)})

    async def _owner(self, request: Request) -> str:
        user: Claims = await self._gate.user(request)
        return ANYBODY if self._seams.on("threads.list_all") else user.user_id

    async def _thread(self, request: Request, *, anybody: bool = False) -> Thread:
        shown = self._seams.on("threads.shown") and request.method == "GET"
        owner = ANYBODY if shown else (await self._gate.user(request)).user_id
        if anybody or self._seams.on("threads.open"):
            owner = ANYBODY
        thread_id = clean(request.path_params["id"])
        thread = await self._database.call(find_thread, thread_id, owner)
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
