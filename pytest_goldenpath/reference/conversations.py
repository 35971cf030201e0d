"""Threads and their messages, always asked for in the name of one user."""

import json
import time
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from pytest_goldenpath.reference.store import messages, threads

ANYBODY = ""  # as owner: no check; only faults use it


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


def owner(connection: Connection, thread_id: str) -> str | None:
    """Return whose thread this is, None if there is no such thread."""
    found = connection.execute(select(threads.c.user_id).where(threads.c.id == thread_id))
    return found.scalar_one_or_none()


def create(
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


def find(connection: Connection, thread_id: str, user_id: str) -> Thread | None:
    """Return the user's thread with this id, None if it is missing or another user's."""
    query = select(threads).where(threads.c.id == thread_id)
    if user_id != ANYBODY:
        query = query.where(threads.c.user_id == user_id)
    row = connection.execute(query).first()
    return _thread(connection, row) if row else None


def of(connection: Connection, user_id: str, limit: int, offset: int) -> list[Thread]:
    """Return the user's threads, newest first."""
    query = select(threads).order_by(threads.c.updated_at.desc(), threads.c.id)
    if user_id != ANYBODY:
        query = query.where(threads.c.user_id == user_id)
    rows = connection.execute(query.limit(limit).offset(offset)).all()
    return [_thread(connection, row) for row in rows]


def change(
    connection: Connection, thread_id: str, title: str | None, metadata: dict[str, object] | None
) -> None:
    """Give the thread another title or metadata."""
    values: dict[str, object] = {"updated_at": int(time.time())}
    if title is not None:
        values["title"] = title
    if metadata is not None:
        values["metadata"] = json.dumps(metadata)
    connection.execute(threads.update().where(threads.c.id == thread_id).values(**values))


def delete(connection: Connection, thread_id: str) -> None:
    """Remove the thread and what was said in it."""
    connection.execute(messages.delete().where(messages.c.thread_id == thread_id))
    connection.execute(threads.delete().where(threads.c.id == thread_id))


def say(
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


def unsay(connection: Connection, message_id: str) -> None:
    """Remove one message; no healthy server does."""
    connection.execute(messages.delete().where(messages.c.id == message_id))


def said(connection: Connection, thread_id: str, limit: int, offset: int) -> list[Message]:
    """Return the messages of the thread in the order in which they were said."""
    query = select(messages).where(messages.c.thread_id == thread_id).order_by(messages.c.number)
    rows = connection.execute(query.limit(limit).offset(offset)).all()
    return [
        Message(row.id, row.thread_id, row.role, row.content, _loaded(row.metadata), row.created_at)
        for row in rows
    ]


def count(connection: Connection, thread_id: str) -> int:
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
        count(connection, row.id),
    )


def _loaded(text: str) -> dict[str, object]:
    loaded = json.loads(text)
    return loaded if isinstance(loaded, dict) else {}
