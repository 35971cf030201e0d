"""The warm-up for scripts, by a target's name or address, and the probes of a project's own.

These tell what only a project can, and are asked beside those of the warm-up.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.embedded import EmbeddedBackend
from pytest_goldenpath.journey.warmup import Plan, Tell, run_warm_up
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.login import wallet_of
from pytest_goldenpath.target.model import PasswordLogin, Target, Wallet
from pytest_goldenpath.target.resolve import Options, resolve
from pytest_goldenpath.target.sources import Environment
from pytest_goldenpath.verdict.warmup import ProbeReport, ResilienceReport

#: Says None or '' once it is ready, else one sentence that says what is missing; it is somebody
#: else's, and may return anything.
Ask = Callable[[], object]
_PAUSE_S = 0.5


def infrastructure_resilience_check(
    target: Target | str, *, tell: Tell | None = None
) -> ResilienceReport:
    """Wait until a target's infrastructure is ready; for scripts, not for coroutines.

    Args:
        target: a name or a backend's address, as after ``--target``, or a :class:`Target`;
            ``local`` starts an embedded backend and stops it again.
        tell: gets a line of progress every few seconds.

    Returns:
        What each probe found; it is true only when every one is ready.

    Raises:
        ConfigError: the target is unknown, or credentials or a setting are wrong or missing.
        BackendNotStarted: the target is ``local``, and its backend did not start.

    """
    if isinstance(target, str):
        resolved = resolve(Options(target=target), os.environ, (Path.cwd(),))
        where, wallet, environment = resolved.target, resolved.wallet, resolved.environment
    else:
        where, wallet, environment = target, None, Environment(os.environ)
    redactor = Redactor()
    if where.embedded and not where.backend:
        embedded = EmbeddedBackend(users=2)
        try:
            started = embedded.wait()
            where = replace(where, backend=started.backend, auth=started.auth, ws=started.ws)
            wallet = Wallet(PasswordLogin(*started.users[0]))
            return run_warm_up(where, wallet, redactor, Plan(), tell)
        finally:
            embedded.stop()
    plan = Plan(database_url=database_url_of(environment))
    return run_warm_up(where, wallet or wallet_of(where, environment)[0], redactor, plan, tell)


def database_url_of(environment: Environment) -> Secret:
    """Return the address of the target's database, a blank when none was given."""
    found = environment.get("DATABASE_URL")
    return Secret(found.value if found else "")


class OwnProbes:
    """Asks each probe until it is ready or its budget is spent, all at the same time.

    Each has a thread of its own, which ends with the process: somebody else's code may hang.
    """

    def __init__(self, probes: Mapping[str, Ask], budget_s: float) -> None:
        """Begin to ask; the budget, in seconds, holds for each of them."""
        self._budget_s = budget_s
        self._watch = Stopwatch()
        self._reports: dict[str, ProbeReport] = {}
        self._errors = dict.fromkeys(probes, "it has not answered")
        self._asked = dict.fromkeys(probes, 0)
        self._over = threading.Event()
        self._threads = {
            name: threading.Thread(target=self._go_on, args=(name, ask), daemon=True)
            for name, ask in probes.items()
        }
        for thread in self._threads.values():
            thread.start()

    def reports(self) -> tuple[ProbeReport, ...]:
        """Wait for all of them, no longer than their budget, and return what they found."""
        for thread in self._threads.values():
            thread.join(max(0.0, self._budget_s - self._watch.now()))
        self._over.set()
        return tuple(self._reports.get(name) or self._late(name) for name in self._threads)

    def _go_on(self, name: str, ask: Ask) -> None:
        while not self._over.is_set():
            self._asked[name] += 1
            word = _said(ask)
            if not word:
                took_s = self._watch.now()
                self._reports[name] = ProbeReport(
                    name,
                    ready=True,
                    took_s=took_s,
                    budget_s=self._budget_s,
                    probes=self._asked[name],
                    proof="the project's own probe says so",
                )
                return
            self._errors[name] = word
            self._over.wait(_PAUSE_S)

    def _late(self, name: str) -> ProbeReport:
        error = self._errors[name]
        return ProbeReport(
            name,
            ready=False,
            took_s=self._watch.now(),
            budget_s=self._budget_s,
            probes=self._asked[name],
            last_error=error,
            symptom=Symptom(Kind.OWN_PROBE, f"probe {name}", detail=error),
        )


def _said(ask: Ask) -> str:
    try:
        word = ask()
    except Exception as error:  # noqa: BLE001  # somebody else's probe may raise anything
        return f"{type(error).__name__}: {error}"
    if word is None or isinstance(word, str):
        return word or ""
    return f"it returned {type(word).__name__}, no text and no None"
