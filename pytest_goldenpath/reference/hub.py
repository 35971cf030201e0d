"""All open connections, and who gets the events of a run."""

import asyncio
from collections.abc import Coroutine

from pytest_goldenpath.reference.connection import Connection


class Hub:
    """Knows the connections of every user and the work that goes on for them."""

    def __init__(self) -> None:
        self._open: list[Connection] = []
        self._work: set[asyncio.Task[None]] = set()
        self._seen: set[str] = set()  # only a fault looks at it

    def add(self, connection: Connection) -> None:
        """Take in a new connection."""
        self._open.append(connection)
        self._seen.add(connection.user_id)

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is over."""
        if connection in self._open:
            self._open.remove(connection)

    def everybody(self) -> list[Connection]:
        """Return all open connections, oldest first."""
        return list(self._open)

    def was_here(self, user_id: str) -> bool:
        """Tell whether the user has ever connected."""
        return user_id in self._seen

    def of(self, user_id: str) -> list[Connection]:
        """Return the connections of one user, oldest first."""
        return [connection for connection in self._open if connection.user_id == user_id]

    def audience(self, asker: Connection, rule: str) -> list[Connection]:
        """Return who gets an event: the one who asked, unless a fault has another rule."""
        mine = self.of(asker.user_id)
        audiences = {
            "user": mine,
            "newest-of-user": mine[-1:],
            "others-of-user": [one for one in mine if one is not asker] or [asker],
            "everyone": self._open,
            "everyone-when-busy": self._open if self.busy > 1 else [asker],
            "newest": self._open[-1:],
            "nobody": [],
        }
        return list(audiences.get(rule, [asker]))

    @property
    def busy(self) -> int:
        """How many runs go on."""
        return len(self._work)

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Let some work go on beside the connection that asked for it."""
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def close(self) -> None:
        """Say goodbye to everybody and stop what goes on."""
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*(connection.close(1001, "going away") for connection in self._open))
