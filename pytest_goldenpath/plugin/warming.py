"""When a run warms up: once, before its first test, outside of every test's time-out.

A fixture would be inside one: pytest-timeout counts set-up. So the only process of a run warms up
after collection, before the test loop. Under xdist the controller does it, where the terminal is:
a worker that has collected a check leaves a note in the run's folder, and the controller finds it
when that worker reports its collection, before any test is handed out.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

import pytest

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.plugin import FIXTURES
from pytest_goldenpath.plugin.collection import is_check
from pytest_goldenpath.plugin.judging import own_probes
from pytest_goldenpath.plugin.proof import trouble
from pytest_goldenpath.plugin.run import Run
from pytest_goldenpath.verdict.warmup import DB, OFF, VPC, ProbeReport, ResilienceReport


class Warming:
    """Warms up in a process that runs tests, and blocks its checks when that was in vain."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        """Take the configuration and the run."""
        self._config = config
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Warm up, unless the controller has done so or no test is going to run."""
        ends = session.testsfailed and not session.config.option.continue_on_collection_errors
        if ends or self._run.folder is not None:
            return
        with self._run.warmup_turn():
            if self._run.recall_warmth() is None:
                warm(self._config, self._run)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave a check undecided at once when the target was not ready in time."""
        __tracebackhide__ = True
        symptom = warmth_of(self._run).blocking
        if symptom is not None and is_check(item) and needs_target(item):
            raise trouble(symptom)


class ControllerWarming:
    """Warms up in the controller of a distributed run."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        """Take the configuration and the run."""
        self._config = config
        self._run = run

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """Warm up as soon as one worker has collected a check that needs the target."""
        if self._run.warmth is None and self._run.is_warmth_asked_for():
            warm(self._config, self._run)


def needs_target(item: pytest.Item) -> bool:
    """Tell whether a check asks for something that touches the target."""
    return not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def warmth_of(run: Run) -> ResilienceReport:
    """Return what the warm-up found; without one, a report that says so."""
    found = run.recall_warmth()
    return ResilienceReport(skipped="there was no warm-up") if found is None else found


def warm(config: pytest.Config, run: Run) -> None:
    """Warm up and keep the result for every process of the run.

    Raises:
        pytest.UsageError: a probe of the project's own is malformed.

    """
    if run.settings.warmup == OFF:
        run.keep_warmth(ResilienceReport(OFF, skipped="switched off by --warmup off"))
        return
    embedded = _embedded(run) if run.known_target().embedded else None
    try:
        probes = own_probes(config, run.known_target())
    except ConfigError as error:
        raise pytest.UsageError(f"goldenpath: {error}") from None
    if not probes or run.settings.bypass.active:
        run.keep_warmth(_probed(run) if embedded is None else embedded)
        return
    from pytest_goldenpath.journey.resilience import OwnProbes

    asked = OwnProbes(probes, run.hurried_target().vpc_budget_s)
    # A report of a target that is not ready is false.
    ours = _probed(run) if embedded is None else embedded
    run.keep_warmth(replace(ours, probes=(*ours.probes, *asked.reports())))


def _embedded(run: Run) -> ResilienceReport:
    """Wait for the embedded backend; what it says at its start proves both.

    It says that it listens once both of its servers do and the users of this run are in its
    database, and its parent reads that from a pipe. Asking it again would prove no more, and
    would wait for what a fault was chosen to break.
    """
    from pytest_goldenpath.journey.embedded import BackendNotStarted

    started_s = monotonic()
    try:
        target = run.target()
    except BackendNotStarted:
        return ResilienceReport(run.settings.warmup, skipped="the embedded backend did not start")
    took_s = monotonic() - started_s
    proofs = {VPC: "the embedded backend listens", DB: "it has stored the users of this run"}
    budgets = {VPC: target.vpc_budget_s, DB: target.db_budget_s}
    probes = tuple(
        ProbeReport(name, ready=True, took_s=took_s, budget_s=budgets[name], proof=proof)
        for name, proof in proofs.items()
    )
    return ResilienceReport(run.settings.warmup, probes, took_s)


def _probed(run: Run) -> ResilienceReport:
    from pytest_goldenpath.journey.resilience import database_url_of
    from pytest_goldenpath.journey.warmup import Plan, run_warm_up

    settings = run.settings
    bypassed = "an emergency bypass is active, so nothing was waited for"
    plan = Plan(
        settings.warmup,
        bypassed if settings.bypass.active else "",
        database_url_of(settings.resolved.environment),
    )
    return run_warm_up(run.hurried_target(), run.wallet(), run.redactor, plan, run.tell)
