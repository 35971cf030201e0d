"""The agents over HTTP: real answers or structured errors (protocol.md 6.1, 6.2)."""

import time
import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pytest_goldenpath.reference.agent import Task
from pytest_goldenpath.reference.identity import Claims
from pytest_goldenpath.reference.runs import Forbidden, Runs
from pytest_goldenpath.reference.twin import Twin
from pytest_goldenpath.reference.web import ApiError, Routes, clean, invalid, json_body, text_field

_AGENTS = ("supervisor", "triage", "data", "optimization")


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
        task = await self._task(request)
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
        task = await self._task(request)
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

    async def _task(self, request: Request) -> Task:
        user = await self._twin.http_gate.user(request)
        body = await json_body(request)
        message = text_field(body, "message")
        thread_id = body.get("thread_id") or ""
        if not isinstance(thread_id, str):
            raise invalid(("body", "thread_id"), "string_type", "Input should be a valid string")
        try:
            return await self._runs.task(message, user.user_id, clean(thread_id)[:64])
        except Forbidden as error:
            raise ApiError(404, {"detail": "Thread not found"}) from error

    async def _answered(self, user: Claims, agent: str, message: str) -> Response:
        began = time.monotonic()
        task = Task(message, user.user_id, "", f"run_{uuid.uuid4().hex[:16]}")
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
