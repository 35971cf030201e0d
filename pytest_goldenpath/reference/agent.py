"""The agent: it reads a prompt, really looks up and really computes, and answers in sentences."""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pytest_goldenpath.reference.events import (
    COMPLETED,
    EXECUTING,
    STARTED,
    THINKING,
    TOOL_DONE,
    Event,
)
from pytest_goldenpath.reference.fault import Seams
from pytest_goldenpath.reference.store import Database, cloud_costs

# Also the signs that typographers prefer: U+2212 minus, U+00D7 times, U+00B7 dot.
_SIGNS = {"+": "+", "plus": "+", "-": "-", "\N{MINUS SIGN}": "-", "minus": "-", "*": "*"}
_SIGNS |= {"\N{MULTIPLICATION SIGN}": "*", "\N{MIDDLE DOT}": "*"}
_SIGNS |= {"x": "*", "times": "*", "multiplied by": "*"}
_NUMBER = r"\d{1,15}"
_OPERATOR = r"\s*[+*\u00d7\u00b7]\s*|\s+(?:-|\u2212|x|plus|minus|times|multiplied\s+by)\s+"
_CHAIN = re.compile(rf"(?<![\w.-]){_NUMBER}(?:(?:{_OPERATOR}){_NUMBER})+(?![\w])", re.IGNORECASE)
_PHRASES = (
    (re.compile(rf"\bsum of ({_NUMBER}) and ({_NUMBER})\b", re.IGNORECASE), "+"),
    (re.compile(rf"\badd ({_NUMBER}) (?:and|to) ({_NUMBER})\b", re.IGNORECASE), "+"),
    (re.compile(rf"\bproduct of ({_NUMBER}) and ({_NUMBER})\b", re.IGNORECASE), "*"),
    (re.compile(rf"\bmultiply ({_NUMBER}) (?:and|by|with) ({_NUMBER})\b", re.IGNORECASE), "*"),
    (re.compile(rf"\bdifference (?:of|between) ({_NUMBER}) and ({_NUMBER})\b", re.IGNORECASE), "-"),
)
_SUBTRACT = re.compile(rf"\bsubtract ({_NUMBER}) from ({_NUMBER})\b", re.IGNORECASE)
_WORDS = {"+": "plus", "-": "minus", "*": "times"}

# Behind a strong label any word is meant, behind a weak one only what looks like a code.
_STRONG = r"code ?word|keyword|marker(?: word)?|the word"
_WEAK = r"reference(?: code| word)?|code|token|tag|label|ticket|phrase|id"
_BEHIND = r"\s*(?:is\s+|:\s*|=\s*)?[\"'`«“]?([A-Za-z0-9][\w-]{2,60})"
_AFTER_STRONG = re.compile(rf"\b(?:{_STRONG}){_BEHIND}", re.IGNORECASE)
_AFTER_WEAK = re.compile(rf"\b(?:{_WEAK}){_BEHIND}", re.IGNORECASE)
_CAPITALS = re.compile(r"\b(?:[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)+|[A-Z]{3,}\d{2,})\b")
_ORDINARY = {"and", "the", "with", "for", "that", "this", "review", "back", "data", "your", "you"}
_MAX_MARKERS = 5

SUPERVISOR = "supervisor"
DATA = "data"
LOOKUP = "cost_lookup"
CALCULATOR = "calculator"
_STEP_S = 0.01


@dataclass(frozen=True, slots=True)
class Sum:
    """Some arithmetic of a prompt: in words, as numbers and signs, and its result."""

    words: str
    numbers: tuple[int, ...]
    result: int


def sums_in(prompt: str) -> list[Sum]:
    """Return the arithmetic that the prompt asks for."""
    found = [_chain(match.group()) for match in _CHAIN.finditer(prompt)]
    for pattern, sign in _PHRASES:
        found += [
            _sum([int(match[1]), int(match[2])], [sign]) for match in pattern.finditer(prompt)
        ]
    found += [_sum([int(m[2]), int(m[1])], ["-"]) for m in _SUBTRACT.finditer(prompt)]
    return found


def markers_in(prompt: str) -> list[str]:
    """Return the words that the prompt wants to see again."""
    strong = [word for word in _AFTER_STRONG.findall(prompt) if word.lower() not in _ORDINARY]
    weak = [word for word in _AFTER_WEAK.findall(prompt) if re.search(r"\d|[A-Z]{3}", word)]
    found = [*_CAPITALS.findall(prompt), *strong, *weak]
    return list(dict.fromkeys(word.rstrip("-") for word in found))[:_MAX_MARKERS]


def topic_of(prompt: str, length: int = 60) -> str:
    """Return the beginning of the prompt, as plain words that no browser would run."""
    plain = re.sub(r"[^\w\s.,:+*?-]", " ", prompt)
    words = " ".join(plain.split())
    if len(words) > length:
        words = words[:length].rpartition(" ")[0]
    return words or "an empty request"


def _chain(text: str) -> Sum:
    numbers = [int(number) for number in re.findall(_NUMBER, text)]
    signs = re.split(_NUMBER, text)[1:-1]
    return _sum(numbers, [_SIGNS[" ".join(sign.lower().split())] for sign in signs])


def _sum(numbers: list[int], signs: list[str]) -> Sum:
    words = str(numbers[0])
    terms = [numbers[0]]  # products first, then the sum of what is left
    for sign, number in zip(signs, numbers[1:], strict=True):
        words += f" {_WORDS[sign]} {number}"
        if sign == "*":
            terms[-1] *= number
        else:
            terms.append(number if sign == "+" else -number)
    return Sum(words, tuple(numbers), sum(terms))


@dataclass(frozen=True, slots=True)
class CostReport:
    """US dollars of the newest month and of the one before, by service."""

    newest: dict[str, int]
    before: dict[str, int]
    month: str
    month_before: str

    @property
    def total(self) -> int:
        """What the newest month cost."""
        return sum(self.newest.values())

    @property
    def growth(self) -> int:
        """How much more that is than the month before."""
        return self.total - sum(self.before.values())

    def as_sum(self) -> Sum:
        """Return the total as arithmetic, for a prompt that has none of its own."""
        figures = tuple(self.newest.values())
        return Sum(" plus ".join(str(figure) for figure in figures), figures, sum(figures))


def look_up(connection: Connection, services: list[str]) -> CostReport:
    """Return the costs of the named services, of all of them if none is named."""
    costs = cloud_costs
    rows = connection.execute(select(costs).order_by(costs.c.month, costs.c.service)).all()
    months = sorted({row.month for row in rows})[-2:]
    known = {row.service for row in rows}
    wanted = known & set(services) or known
    figures = {
        month: {
            row.service: row.usd for row in rows if row.month == month and row.service in wanted
        }
        for month in months
    }
    return CostReport(figures[months[-1]], figures[months[0]], months[-1], months[0])


@dataclass(frozen=True, slots=True)
class Findings:
    """What one run has found out."""

    report: CostReport
    sums: list[Sum]
    markers: list[str]


def composed(prompt: str, found: Findings, seams: Seams) -> str:
    """Return the answer; a fault may have it in other words."""
    words = {
        "prompt": prompt,
        "answer": sentences(found, seams),
        "costs": _costs(found.report),
        "sums": _sums(found, seams),
        "markers": _markers(found),
    }
    template = seams.at("answer.template", str)
    text = words["answer"] if template is None else template.format_map(words)
    cut = seams.at("answer.cut", float)
    return text if cut is None else text[: int(len(text) * cut)]


def sentences(found: Findings, seams: Seams) -> str:
    """Return the healthy answer."""
    parts = (_costs(found.report), _sums(found, seams), _markers(found))
    return " ".join(part for part in parts if part)


def _costs(report: CostReport) -> str:
    items = [f"{service} {usd} USD" for service, usd in report.newest.items()]
    listed = ", ".join(items[:-1]) + f" and {items[-1]}" if len(items) > 1 else items[0]
    largest = max(report.newest, key=lambda service: report.newest[service])
    share = round(100 * report.newest[largest] / report.total)
    change = "more" if report.growth >= 0 else "less"
    return (
        f"I looked up the cloud costs of {report.month}: {listed}. "
        f"Together that is {report.total} USD, {abs(report.growth)} USD {change} than in "
        f"{report.month_before}. The largest item is {largest} with {share} percent of it, "
        "so that is where saving pays most."
    )


def _sums(found: Findings, seams: Seams) -> str:
    off = seams.at("answer.off_by", int) or 0
    return " ".join(f"The result of {one.words} is {one.result + off}." for one in found.sums)


def _markers(found: Findings) -> str:
    if not found.markers:
        return ""
    return f"Your reference for this answer is {', '.join(found.markers)}."


@dataclass(frozen=True, slots=True)
class Task:
    """One request of one user."""

    prompt: str
    user_id: str
    thread_id: str
    run_id: str
    spared: bool = False  # by the faults of runs


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
        topic = topic_of(task.prompt)
        yield run.event(STARTED, SUPERVISOR, task=f"Answer the request: {topic}")
        await asyncio.sleep(_STEP_S)
        yield run.thought(SUPERVISOR, f"The request is about: {topic}. The data agent looks it up.")
        report = CostReport({}, {}, "", "")
        async for item in self._delegated(run, topic):
            if isinstance(item, CostReport):
                report = item
            else:
                yield item
        calculations = sums_in(task.prompt) or [report.as_sum()]
        found = Findings(report, calculations, markers_in(task.prompt))
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
            sums = sums_in(task.prompt) or [found.report.as_sum()]
            found = Findings(found.report, sums, markers_in(task.prompt))
        text = composed(task.prompt, found, Seams() if task.spared else self._seams)
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
