"""The agent: a supervisor and its data agent, which really look up and really compute."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from pytest_goldenpath.reference import prompts
from pytest_goldenpath.reference.answers import Findings, composed
from pytest_goldenpath.reference.costs import CostReport, look_up
from pytest_goldenpath.reference.events import (
    COMPLETED,
    EXECUTING,
    STARTED,
    THINKING,
    TOOL_DONE,
    Event,
)
from pytest_goldenpath.reference.fault import Seams
from pytest_goldenpath.reference.store import Database

SUPERVISOR = "supervisor"
DATA = "data"
LOOKUP = "cost_lookup"
CALCULATOR = "calculator"
_STEP_S = 0.01


@dataclass(frozen=True, slots=True)
class Task:
    """One request of one user."""

    prompt: str
    user_id: str
    thread_id: str
    run_id: str


class Agent:
    """Answers requests; every run is a stream of events that ends with the answer."""

    def __init__(self, database: Database, seams: Seams) -> None:
        self._database = database
        self._seams = seams
        self._latest = Task("", "", "", "")  # only faults look at it
        self._first: str = ""  # the first answer of the process, for the same reason

    async def answer(self, task: Task) -> str:
        """Return only the answer."""
        final = ""
        async for event in self.run(task):
            final = event.text("answer")
        return final

    async def run(self, task: Task) -> AsyncIterator[Event]:
        """Do the work and yield what happens while it happens."""
        run = _Run(task)
        self._latest = task
        topic = prompts.topic(task.prompt)
        yield run.event(STARTED, SUPERVISOR, task=f"Answer the request: {topic}")
        await asyncio.sleep(_STEP_S)
        yield run.thought(SUPERVISOR, f"The request is about: {topic}. The data agent looks it up.")
        report = CostReport({}, {}, "", "")
        async for item in self._delegated(run, topic):
            if isinstance(item, CostReport):
                report = item
            else:
                yield item
        calculations = prompts.sums(task.prompt) or [report.as_sum()]
        found = Findings(report, calculations, prompts.markers(task.prompt))
        async for event in self._calculated(run, found):
            yield event
        results = ", ".join(str(one.result) for one in found.sums)
        yield run.thought(SUPERVISOR, f"Calculated {results}; now the answer about {topic}.")
        await asyncio.sleep(_STEP_S)
        text = self._final(task, found)
        yield run.event(COMPLETED, SUPERVISOR, answer=text, figures=report.newest, **run.took())

    async def _delegated(self, run: "_Run", topic: str) -> AsyncIterator[Event | CostReport]:
        began = time.monotonic()
        yield run.event(STARTED, DATA, task=f"Find the cost figures for: {topic}")
        await asyncio.sleep(_STEP_S)
        yield run.thought(DATA, f"Looking for services that are named in: {topic}")
        services = sorted(set(run.task.prompt.lower().replace(",", " ").split()))
        execution = uuid.uuid4().hex
        parameters: dict[str, object] = {"months": 2, "query": topic}
        yield run.tool(DATA, LOOKUP, execution, parameters)
        await asyncio.sleep(_STEP_S)
        report = await self._database.call(look_up, services)
        results = {"rows": len(report.newest), "month": report.month, "usd": report.newest}
        yield run.tool_done(DATA, LOOKUP, execution, results, began)
        yield run.thought(DATA, f"Found {len(report.newest)} services in {report.month}.")
        await asyncio.sleep(_STEP_S)
        said = (
            f"The costs of {report.month} are {report.total} USD in {len(report.newest)} services."
        )
        yield run.event(COMPLETED, DATA, answer=said, figures=report.newest, **_took(began))
        yield report

    async def _calculated(self, run: "_Run", found: Findings) -> AsyncIterator[Event]:
        for calculation in found.sums:
            began = time.monotonic()
            execution = uuid.uuid4().hex
            parameters: dict[str, object] = {"expression": calculation.words}
            yield run.tool(SUPERVISOR, CALCULATOR, execution, parameters)
            await asyncio.sleep(_STEP_S)
            results = {"expression": calculation.words, "value": calculation.result}
            yield run.tool_done(SUPERVISOR, CALCULATOR, execution, results, began)

    def _final(self, task: Task, found: Findings) -> str:
        if self._seams.on("agent.shared_state"):
            # The mistake of a singleton: the state of whoever asked last.
            task = self._latest
            sums = prompts.sums(task.prompt) or [found.report.as_sum()]
            found = Findings(found.report, sums, prompts.markers(task.prompt))
        text = composed(task.prompt, found, self._seams)
        self._first = self._first or text
        return self._first if self._seams.on("agent.cached_answer") else text


class _Run:
    def __init__(self, task: Task) -> None:
        self.task = task
        self._began = time.monotonic()
        self._thoughts = 0

    def event(self, name: str, agent: str, **fields: object) -> Event:
        task = self.task
        return Event(name, task.run_id, task.user_id, task.thread_id, agent, time.time(), fields)

    def thought(self, agent: str, text: str) -> Event:
        self._thoughts += 1
        return self.event(THINKING, agent, reasoning=text, step=self._thoughts)

    def tool(self, agent: str, tool: str, execution: str, parameters: dict[str, object]) -> Event:
        return self.event(
            EXECUTING, agent, tool=tool, execution_id=execution, parameters=parameters
        )

    def tool_done(
        self, agent: str, tool: str, execution: str, results: dict[str, object], began: float
    ) -> Event:
        return self.event(
            TOOL_DONE, agent, tool=tool, execution_id=execution, results=results, **_took(began)
        )

    def took(self) -> dict[str, float]:
        return _took(self._began)


def _took(began: float) -> dict[str, float]:
    return {"duration_ms": round((time.monotonic() - began) * 1000, 2)}
