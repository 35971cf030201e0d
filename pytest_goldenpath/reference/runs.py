"""Runs, and the API that asks for them (protocol.md 6.1, 6.2).

In a run the question is stored, the agent works, its events are sent, the answer is stored.
"""

import time
import uuid
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pytest_goldenpath.reference import wire
from pytest_goldenpath.reference.agent import DATA, SUPERVISOR, Task, topic_of
from pytest_goldenpath.reference.events import COMPLETED, STARTED, Event, Item, Odd, Raw, disturbed
from pytest_goldenpath.reference.fault import Close
from pytest_goldenpath.reference.identity import Claims
from pytest_goldenpath.reference.threads import (
    add_message,
    blank_messages,
    create_thread,
    delete_thread,
    owner_of,
    threads_of,
)
from pytest_goldenpath.reference.twin import Connection, Twin
from pytest_goldenpath.reference.web import (
    ApiError,
    Routes,
    clean,
    invalid,
    iso,
    json_body,
    text_field,
)
from pytest_goldenpath.reference.wire import SHAPES

_AGENTS = ("supervisor", "triage", "data", "optimization")


class Forbidden(Exception):
    """The thread belongs to another user."""


class Runs:
    """Starts runs and keeps what is said in threads."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._seams = twin.settings.seams
        self._shape = SHAPES[twin.settings.events]
        self._audience = self._seams.at("deliver.to", str) or "asker"
        self._first_user = ""  # who asked first over a socket; only a fault looks at it

    async def task(
        self, prompt: str, user_id: str, thread_id: str, run_id: str = "", *, door: str
    ) -> Task:
        """Return the task for a request in this thread, which is created if it is new.

        ``door`` is where the request came in: socket, message or v2.
        """
        database = self._twin.database
        thread_id = thread_id or f"thread_{uuid.uuid4().hex[:16]}"
        owner = await database.call(owner_of, thread_id)
        if owner is None:
            title = topic_of(prompt)
            await database.call(create_thread, user_id, title, {}, thread_id)
        elif owner != user_id and door not in self._seams.every("runs.any_thread", str):
            raise Forbidden(thread_id)
        run_id = self._seams.at("run.id", str) or run_id or f"run_{uuid.uuid4().hex[:16]}"
        return Task(prompt, user_id, thread_id, run_id, self.spares(user_id, door))

    def spares(self, user_id: str, door: str) -> bool:
        """Tell whether the faults of runs leave this one alone: the first one, or its user's."""
        whom = self._seams.at("run.spares", str)
        if whom is None:
            return False
        is_first = door == "socket" and not self._first_user
        if is_first:
            self._first_user = user_id
        if whom == "first question":
            return door != "socket"  # the connection knows
        return is_first or (whom == "first user" and self._first_user in {"", user_id})

    async def forget(self, user_id: str, what: str) -> None:
        """Lose the user's threads, or the texts in them; no healthy server does."""
        for thread in await self._twin.database.call(threads_of, user_id, 1000, 0):
            lose = delete_thread if what == "threads" else blank_messages
            await self._twin.database.call(lose, thread.id)

    async def quietly(self, task: Task) -> str:
        """Do a task for which nobody listens; return the answer."""
        await self._keep(task, "user", task.prompt)
        answer = await self._twin.agent.answer(task)
        await self._keep(task, "assistant", answer)
        return answer

    async def watched(self, task: Task, asker: Connection) -> None:
        """Do a task and send its events to whoever asked."""
        async with asker.runs:
            late = self._seams.on("store.late_question")
            if not late:
                await self._keep(task, "user", task.prompt)
            async for item in disturbed(self._worked(task), self._seams, spared=task.spared):
                await self._send(item, asker)
            if late:
                await self._keep(task, "user", task.prompt)

    async def _worked(self, task: Task) -> AsyncIterator[Item]:
        async for event in self._twin.agent.run(task):
            final = event.name == COMPLETED and event.agent == SUPERVISOR
            if final:
                # Before it is told, so that who has the answer can also read it back.
                await self._keep(task, "assistant", event.text("answer"))
            yield event
            if event.name == STARTED and event.agent == DATA:
                yield Raw(_progress(task))

    async def _send(self, item: Item, asker: Connection) -> None:
        if isinstance(item, Close):
            await asker.close(item.code, item.reason)
            return
        for connection in self._twin.hub.audience(asker, self._audience):
            match item:
                case Odd(event, way):
                    await connection.send_encoded(wire.oddly(self._shape(event), way))
                case Raw(frame):
                    await connection.send(frame)
                case Event():
                    await connection.send(self._shape(item))

    async def _keep(self, task: Task, role: str, content: str) -> None:
        if role in self._seams.every("store.skip", str) and not task.spared:
            return
        template = self._seams.at(f"store.{role}_text", str)
        if template is not None:
            content = template.format(content=content)
        times = 2 if role in self._seams.every("store.twice", str) else 1
        thread_id = task.thread_id
        if self._seams.on("store.elsewhere"):
            thread_id = f"{thread_id}-lost"
        shelves = [thread_id] * times
        if role in self._seams.every("store.foreign", str):
            shelves += await self._foreign_threads(task.user_id)
        for shelf in shelves:
            await self._twin.database.call(
                add_message, shelf, role, content, {"run_id": task.run_id}
            )

    async def _foreign_threads(self, user_id: str) -> list[str]:
        """Return the newest thread of everybody else who is connected; only a fault wants it."""
        others = {c.user_id for c in self._twin.hub.everybody()} - {user_id}
        found = [await self._twin.database.call(threads_of, other, 1, 0) for other in others]
        return [thread.id for threads in found for thread in threads]


def _progress(task: Task) -> wire.Frame:
    return {
        "type": "agent_progress",
        "data": {"run_id": task.run_id, "user_id": task.user_id, "message": "Half of it is done."},
        "timestamp": iso(),
    }


class AgentsApi:
    """The routes under /api/agents and /api/agent."""

    def __init__(self, twin: Twin, runs: Runs) -> None:
        self._twin = twin
        self._runs = runs

    def add_to(self, routes: Routes) -> None:
        """Serve the routes of this API."""
        routes.add("agents.execute", "/api/agents/execute", self.execute, "POST")
        paths = " ".join(f"/api/agents/{name}" for name in _AGENTS[1:])
        routes.add("agents.named", paths, self.named, "POST")
        routes.add("agent.execute", "/api/agent/v2/execute", self.start, "POST")
        routes.add("agent.message", "/api/agent/message", self.message, "POST")

    async def execute(self, request: Request) -> Response:
        """Let an agent answer; its name is the body's type."""
        user = await self._twin.http_gate.user(request)
        body = await json_body(request)
        agent = text_field(body, "type")
        if agent not in _AGENTS:
            known = ", ".join(_AGENTS)
            raise invalid(("body", "type"), "enum", f"Input should be one of {known}")
        return await self._answered(user, agent, text_field(body, "message"))

    async def named(self, request: Request) -> Response:
        """Let the agent of this path answer."""
        user = await self._twin.http_gate.user(request)
        message = text_field(await json_body(request), "message")
        return await self._answered(user, request.url.path.rpartition("/")[2], message)

    async def start(self, request: Request) -> Response:
        """Start a run in a thread and do not wait for it."""
        task = await self._task(request, "v2")
        self._twin.hub.start(self._unwatched(task))
        return JSONResponse(
            {
                "run_id": task.run_id,
                "status": "started",
                "message": "The agent has started to work.",
                "user_id": task.user_id,
                "thread_id": task.thread_id,
                "session_scoped": True,
            }
        )

    async def message(self, request: Request) -> Response:
        """Answer a message in a thread."""
        task = await self._task(request, "message")
        return JSONResponse(
            {
                "message": await self._runs.quietly(task),
                "run_id": task.run_id,
                "user_id": task.user_id,
                "thread_id": task.thread_id,
                "request_scoped": True,
            }
        )

    async def _unwatched(self, task: Task) -> None:
        await self._runs.quietly(task)

    async def _task(self, request: Request, door: str) -> Task:
        user = await self._twin.http_gate.user(request)
        body = await json_body(request)
        message = text_field(body, "message")
        thread_id = body.get("thread_id") or ""
        if not isinstance(thread_id, str):
            raise invalid(("body", "thread_id"), "string_type", "Input should be a valid string")
        try:
            name = clean(thread_id)[:64]
            return await self._runs.task(message, user.user_id, name, door=door)
        except Forbidden as error:
            raise ApiError(404, {"detail": "Thread not found"}) from error

    async def _answered(self, user: Claims, agent: str, message: str) -> Response:
        began = time.monotonic()
        spared = self._runs.spares(user.user_id, "agents")
        task = Task(message, user.user_id, "", f"run_{uuid.uuid4().hex[:16]}", spared)
        answer = await self._twin.agent.answer(task)
        return JSONResponse(
            {
                "status": "success",
                "agent": agent,
                "response": answer,
                "execution_time": round(time.monotonic() - began, 4),
                "circuit_breaker_state": "CLOSED",
                "error": None,
                "run_id": task.run_id,
                "user_id": user.user_id,
            }
        )
