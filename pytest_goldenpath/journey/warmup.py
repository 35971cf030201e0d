"""Wait until the infrastructure is ready, as long as that takes and no longer (design 6).

Two probes: ``vpc`` asks both services for their health until each has given several quick answers
in a row; ``db`` begins at the backend's first answer, because before it nothing can be known of
a database, and proves it by behaviour. So both together end within the sum of their budgets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.rules.health import QUICK_S
from pytest_goldenpath.contract.rules.revision import revisions_of
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.database import Database, Seen
from pytest_goldenpath.journey.health import ask_health
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import DevelopmentLogin, Target, Wallet
from pytest_goldenpath.verdict.warmup import AUTO, DB, FIXED, VPC, ProbeReport, ResilienceReport

_T = TypeVar("_T")
Tell = Callable[[str], None]
#: So many quick answers in a row are no single lucky one.
_QUICK_IN_A_ROW = 3
#: A process that answers so often in a row is there, however slow: speed is GP-103's affair.
_IN_A_ROW = 5
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S, _GROWTH = 0.1, 1.0, 1.5
#: A request that hangs this long gets another beside it: on a road that swallowed the first
#: packets, the first request would learn only after a long back-off that the road is open.
_HANGS_S = 0.8
_MOST_AT_ONCE = 12
#: When nothing is to be waited for, a target gets this long to answer once.
_AT_ONCE_S = 2.0
_QUIET_S, _BETWEEN_LINES_S = 2.0, 4.0
#: What waiting cannot cure.
_FINAL = frozenset({Kind.DNS_UNKNOWN, Kind.TLS_CERTIFICATE})


@dataclass(frozen=True, slots=True)
class Plan:
    """How to warm up.

    Attributes:
        mode: ``auto``, or ``fixed`` for a plain wait of both budgets before anything is asked.
        impatient: why nothing is to be waited for, such as a bypass, or ''.
        database_url: the database's own address, or a blank.
    """

    mode: str = AUTO
    impatient: str = ""
    database_url: Secret = field(default_factory=lambda: Secret(""))


async def warm_up(
    target: Target, wallet: Wallet, redactor: Redactor, plan: Plan, tell: Tell | None = None
) -> ResilienceReport:
    """Wait until a target is ready, or its budgets are spent; never raises for what it does.

    Args:
        target: where; its budgets bound the probes.
        wallet: as whom the database is proven.
        redactor: learns every secret that is met.
        plan: how.
        tell: gets a line of progress every few seconds; a short wait is silent.

    """
    return await _WarmUp(target, wallet, redactor, plan).run(tell or _say_nothing)


def run_come_back(target: Target, redactor: Redactor, within_s: float) -> ProbeReport:
    """Wait until both services answer again, from synchronous code; see :func:`warm_up`.

    Args:
        target: where.
        redactor: the secrets of this process.
        within_s: how many seconds that may take.

    Returns:
        The probe ``vpc``; its ``last_error`` is '' when nothing was seen to be away.

    """
    # Health is asked for without credentials, so whose they are does not matter.
    plan, wallet = Plan(), Wallet(DevelopmentLogin())
    warmth = _WarmUp(replace(target, vpc_budget_s=within_s), wallet, redactor, plan)
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(warmth.reach())


def run_warm_up(
    target: Target, wallet: Wallet, redactor: Redactor, plan: Plan, tell: Tell | None = None
) -> ResilienceReport:
    """Do what :func:`warm_up` does from synchronous code, on an event loop of its own."""
    # A factory keeps the runner from touching the process's current event loop.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(warm_up(target, wallet, redactor, plan, tell))


class _Probe:
    """One probe under way: what it has asked and heard so far."""

    def __init__(self, name: str, budget_s: float) -> None:
        self.name = name
        self.budget_s = budget_s
        self.watch: Stopwatch | None = None
        self.asked = 0
        self.last = Seen(ready=False)
        self.final = False
        self.report: ProbeReport | None = None

    def heard(self, seen: Seen) -> None:
        """Keep the last trouble; a success does not hide it."""
        if not seen.ready:
            self.last = seen
            self.final = seen.final

    def finish(self, *, proof: str = "") -> None:
        """Write the report, once; a proof means that the probe is ready."""
        took_s = self.watch.now() if self.watch else 0.0
        if self.report is None:
            self.report = ProbeReport(
                self.name,
                bool(proof),
                took_s,
                self.budget_s,
                self.asked,
                self.last.error or ("" if proof else "nothing was answered in time"),
                self.final,
                proof,
                None if proof else self.last.symptom,
            )

    def progress(self) -> str:
        """Tell how far it is."""
        if self.report:
            return f"{self.name} {'ready' if self.report.ready else 'given up'}"
        if self.watch is None:
            return f"{self.name} has not begun"
        error = f", last error: {self.last.error}" if self.last.error else ""
        spent = f"{self.watch.now():.0f} of {self.budget_s:.4g} s"
        return f"{self.name} {spent}, {self.asked} asked{error}"


class _Row:
    """How a service has answered lately: nothing but the good answers in a row counts."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._quick = 0
        self.good = 0

    def add(self, answer: Exchange, *, is_good: bool) -> None:
        """Count an answer."""
        self.good = self.good + 1 if is_good else 0
        self._quick = self._quick + 1 if is_good and answer.elapsed_s <= QUICK_S else 0

    @property
    def steady(self) -> str:
        """How it answered, once that is steady; '' before."""
        if self._quick >= self._wanted:
            return f"{self._quick} quick answer{'s in a row' if self._quick > 1 else ''}"
        return f"{self.good} answers in a row, slow ones" if self.good >= _IN_A_ROW else ""


class _WarmUp:
    def __init__(self, target: Target, wallet: Wallet, redactor: Redactor, plan: Plan) -> None:
        self._target = target
        self._wallet = wallet
        self._redactor = redactor
        self._plan = plan
        patient = not plan.impatient
        budgets = (target.vpc_budget_s, target.db_budget_s)
        limits = budgets if patient else tuple(min(_AT_ONCE_S, budget) for budget in budgets)
        self._vpc, self._db = _Probe(VPC, limits[0]), _Probe(DB, limits[1])
        self._watch = Stopwatch()
        self._answered: set[str] = set()
        self._reached = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self, tell: Tell) -> ResilienceReport:
        teller = asyncio.create_task(self._tell(tell))
        try:
            if self._plan.mode == FIXED and not self._plan.impatient:
                await asyncio.sleep(self._target.vpc_budget_s + self._target.db_budget_s)
            async with Web(self._target.backend, self._redactor, self._watch) as web:
                await _all(self._reach(web), self._use(web))
        finally:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)
        reports = tuple(probe.report for probe in (self._vpc, self._db) if probe.report)
        return ResilienceReport(
            self._plan.mode, reports, self._watch.now(), skipped=self._plan.impatient
        )

    async def reach(self) -> ProbeReport:
        """Make the probe ``vpc`` alone."""
        async with Web(self._target.backend, self._redactor, self._watch) as web:
            await self._reach(web)
        return self._vpc.report or ProbeReport(VPC, ready=False)

    async def _reach(self, web: Web) -> None:
        """The probe ``vpc``: every service steady within the budget."""
        probe = self._vpc
        probe.watch = Stopwatch()
        bases = dict.fromkeys((self._target.backend, self._target.auth))
        try:
            async with asyncio.timeout(probe.budget_s):
                steady = await _all(*(self._steady(web, base) for base in bases))
            if all(steady):
                probe.finish(proof="; ".join(dict.fromkeys(filter(None, steady))))
        except TimeoutError:
            if not probe.last.error and not self._reached.is_set():
                probe.heard(self._silence())
        probe.finish()
        if not (probe.report and probe.report.ready):
            self._stop.set()

    def _silence(self) -> Seen:
        """Describe a service that has not answered anything, which no request lived to see."""
        bases = (self._target.backend, self._target.auth)
        silent = next(base for base in bases if base not in self._answered)
        symptom = Symptom(Kind.ANSWER_TIMEOUT, "health", silent)
        return Seen(ready=False, error=symptom.sentence(), symptom=symptom)

    async def _steady(self, web: Web, base: str) -> str:
        """Ask one service until it is steady; returns how it was, '' when that is hopeless."""
        row = _Row(1 if self._plan.impatient else _QUICK_IN_A_ROW)
        pause_s = _SHORTEST_PAUSE_S
        pending: set[asyncio.Task[Exchange]] = set()
        try:
            while not self._stop.is_set():
                if len(pending) < _MOST_AT_ONCE:
                    purpose = f"{'backend' if base == self._target.backend else 'auth'} health"
                    pending.add(asyncio.create_task(ask_health(web, purpose, base)))
                    self._vpc.asked += 1
                done, pending = await asyncio.wait(
                    pending, timeout=_HANGS_S, return_when=asyncio.FIRST_COMPLETED
                )
                for answer in (task.result() for task in done):
                    seen = self._look(answer, base)
                    row.add(answer, is_good=seen.ready)
                    self._vpc.heard(seen)
                if row.good:
                    self._answers(base)
                if self._vpc.final:
                    self._stop.set()
                elif row.steady or (done and self._plan.impatient):
                    return row.steady
                elif done and not row.good:
                    await _pause(self._stop, pause_s)
                    pause_s = min(_LONGEST_PAUSE_S, pause_s * _GROWTH)
        finally:
            await _end(pending)
        return ""

    def _answers(self, base: str) -> None:
        self._answered.add(base)
        if {self._target.backend, self._target.auth} <= self._answered:
            self._reached.set()

    def _look(self, answer: Exchange, base: str) -> Seen:
        """Judge one health answer: anything that the product itself says is an answer."""
        symptom = answer.symptom
        is_backend = base == self._target.backend
        if symptom is not None and not (symptom.app_made and not is_backend):
            final = symptom.kind in _FINAL
            before = replace(symptom, ready=False)
            return Seen(ready=False, error=symptom.sentence(), symptom=before, final=final)
        names = revisions_of(answer) if is_backend and self._target.revision else ()
        if names and self._target.revision not in names:
            error = f"expected revision {self._target.revision}, got {', '.join(names)}"
            return Seen(ready=False, error=error, final=True)
        return Seen(ready=True)

    async def _use(self, web: Web) -> None:
        """The probe ``db``: begins when the services answer."""
        probe = self._db
        stopped = asyncio.create_task(self._stop.wait())
        reached = asyncio.create_task(self._reached.wait())
        try:
            await asyncio.wait({stopped, reached}, return_when=asyncio.FIRST_COMPLETED)
            if not self._reached.is_set():
                probe.heard(Seen(ready=False, error="the target was not reached"))
                probe.finish()
                return
            web.ready = True  # from here on, what the product itself answers is its own
            probe.watch = Stopwatch()
            using = asyncio.create_task(self._prove(web))
            await asyncio.wait({stopped, using}, return_when=asyncio.FIRST_COMPLETED)
            await _end({using})
        finally:
            await _end({stopped, reached})
        if probe.report is None:
            probe.heard(replace(probe.last, error=probe.last.error or "vpc was given up"))
        probe.finish()

    async def _prove(self, web: Web) -> None:
        probe = self._db
        database = Database(
            self._target, self._wallet, web, self._redactor, self._plan.database_url
        )
        pause_s = _SHORTEST_PAUSE_S
        try:
            async with asyncio.timeout(probe.budget_s):
                while True:
                    probe.asked += 1
                    seen = await database.attempt()
                    if seen.ready:
                        probe.finish(proof=seen.proof)
                        return
                    probe.heard(seen)
                    if seen.final or self._plan.impatient:
                        break
                    await asyncio.sleep(pause_s)
                    pause_s = min(_LONGEST_PAUSE_S, pause_s * _GROWTH)
        except TimeoutError:
            pass
        probe.finish()

    async def _tell(self, tell: Tell) -> None:
        """Tell the progress every few seconds, once it is a wait."""
        await asyncio.sleep(_QUIET_S)
        while True:
            if self._vpc.watch is None:
                total_s = self._target.vpc_budget_s + self._target.db_budget_s
                tell(f"warm-up: fixed wait, {self._watch.now():.0f} of {total_s:g} s")
            else:
                tell(f"warm-up: {self._vpc.progress()}; {self._db.progress()}")
            await asyncio.sleep(_BETWEEN_LINES_S)


async def _all(*parts: Coroutine[Any, Any, _T]) -> list[_T]:
    """Do several things at once; none outlives the others' end."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part) for part in parts]
    return [task.result() for task in tasks]


async def _end(tasks: set[asyncio.Task[_T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _pause(stop: asyncio.Event, pause_s: float) -> None:
    """Wait a little, unless everything is over."""
    try:
        async with asyncio.timeout(pause_s):
            await stop.wait()
    except TimeoutError:
        return


def _say_nothing(_line: str) -> None:
    """Take a line of progress that nobody wants to see."""
