"""The end of a run, in the one process that decides it: verdict, file, exit code, summary."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import pytest

from pytest_goldenpath.contract.rules.health import count_503
from pytest_goldenpath.contract.rules.revision import revisions_of
from pytest_goldenpath.plugin.leaks import Leaks
from pytest_goldenpath.plugin.options import TAKEN, command_of
from pytest_goldenpath.plugin.outcomes import check_of
from pytest_goldenpath.plugin.run import Run
from pytest_goldenpath.report.files import write_verdict
from pytest_goldenpath.report.terminal import Line, header_lines
from pytest_goldenpath.report.terminal_summary import summary_lines
from pytest_goldenpath.secrets import scrub
from pytest_goldenpath.verdict.checks import Check, Outcome, readiness
from pytest_goldenpath.verdict.decide import Decision, Exit, Verdict, decide
from pytest_goldenpath.verdict.document import RunFacts, document
from pytest_goldenpath.verdict.excerpt import Step, slowest, timings
from pytest_goldenpath.verdict.outage import Outages
from pytest_goldenpath.verdict.outage import from_plain as outages_from_plain
from pytest_goldenpath.verdict.warmup import NOT_NEEDED, ResilienceReport, from_plain

#: Key of what a worker tells the controller at its end.
OUTPUT = "goldenpath"
#: Key of a worker's refusal of a wrong setting or marker.
REFUSAL = "goldenpath_refusal"
_NOTHING_MET = {"http_503": 0, "revision": "", "seed": "", "slowest": (), "timings": {}}
_WORST_FIRST = (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.SKIPPED, Outcome.PASSED)


class WorkerEnd:
    """A worker's last words: what it selected and what it met."""

    def __init__(self, run: Run) -> None:
        """Take the worker's run."""
        self._run = run

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over plain data only; xdist carries nothing else."""
        output: dict[str, Any] = getattr(session.config, "workeroutput", {})
        target, warmth = self._run.known_target(), self._run.recall_warmth()
        output[OUTPUT] = {
            "selected": list(self._run.selected),
            "remediation": list(self._run.remediation),
            "warmup": None if warmth is None else warmth.plain(),
            "outages": json.dumps(self._run.outages().known().plain()),
            "addresses": {"backend": target.backend, "auth": target.auth, "ws": target.ws},
            **_met(self._run),
        }


class Collector:
    """Gathers reports and decides; lives in the controller, or in the only process."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        """Take the configuration and the run."""
        self._config = config
        self._run = run
        self._checks: dict[str, Check] = {}
        self._selected: set[str] = set()
        self._remediation: set[str] = set()
        self._met: dict[str, Any] = dict(_NOTHING_MET)
        self._addresses: dict[str, str] = {}
        self._outages = Outages()
        self._started = datetime.now(UTC)
        self._clock = monotonic()
        self._foreign_failures = 0
        self._was_stopped = False
        #: The name of the signal that interrupted the run, or ''.
        self.interrupted_by = ""
        #: The decision is being made, and no signal may change it any more.
        self.concluding = False
        #: What the verdict file says of the exit code, once it is written.
        self.code: int | None = None
        self._was_refused = False
        self._lost_worker = False
        self._gave_up = False
        self._stops_early = run.settings.execution_mode == "fast_feedback"
        self._told: list[Line] = []
        #: Who else is told the verdict as a document, however the run ends.
        self.listeners: list[Callable[[dict[str, Any]], None]] = []
        self._header_told = False
        self._session: pytest.Session | None = None
        self._leaks = Leaks(config, run)
        self._leaked: tuple[str, ...] = ()
        #: The verdict document, None until the run is decided, and where it was written.
        self.verdict: dict[str, Any] | None = None
        self.evidence = ""

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Remember the session, to stop it when the verdict is certain."""
        self._session = session

    def pytest_report_header(self) -> list[str]:
        """Say what is going to be validated, and where each setting came from."""
        self._header_told = True
        taken = [
            f"  {name} belongs to another plugin; ours is --goldenpath-{name.lstrip('-')}"
            for name in self._config.stash.get(TAKEN, ())
        ]
        return [*header_lines(self._run.settings), *taken]

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say the same when it became clear only now that there are checks."""
        if self._header_told or not self._run.selected:
            return []
        return header_lines(self._run.settings)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a phase's report; the worst of a test's phases counts."""
        told = check_of(report)
        if told is None:
            self._foreign_failures += report.failed
            return
        self._add(told)
        check = self._checks[report.nodeid]
        if self._stops_early and (check.outcome is Outcome.FAILED or check.accusations):
            self._stop()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401  # xdist is not typed
        """Take a worker's last words; a crashed worker has none."""
        output = getattr(node, "workeroutput", None)
        self._lost_worker = self._lost_worker or output is None
        self._was_refused = self._was_refused or REFUSAL in (output or {})
        said = (output or {}).get(OUTPUT)
        if said:
            self._selected |= set(said["selected"])
            self._remediation |= set(said["remediation"])
            self._met["http_503"] = max(self._met["http_503"], said["http_503"])
            self._met["revision"] = self._met["revision"] or said["revision"]
            self._met["seed"] = self._met["seed"] or said["seed"]
            self._met["slowest"] = self._met["slowest"] or said["slowest"]
            self._met["timings"] = self._met["timings"] or said["timings"]
            self._addresses = said["addresses"]
            told = outages_from_plain(json.loads(said["outages"]))
            self._outages = max(self._outages, told, key=lambda known: known.recoveries)
            if said["warmup"] and self._run.warmth is None:
                self._run.warmth = from_plain(said["warmup"])

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell a person's Ctrl-C from a session that stops itself at ``--maxfail``."""
        module = type(excinfo.value).__module__
        self._was_stopped = not module.startswith("xdist")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Decide, write the verdict, and set the exit code that agrees with it."""
        self._selected |= self._run.recall_selected()
        self._remediation |= set(self._run.remediation)
        if not self._selected and not self._checks and not self.interrupted_by:
            self._tell_of_nothing(session, exitstatus)
            return
        session.exitstatus = self.conclude(exitstatus)

    def give_up(self) -> None:
        """End a process that nothing else ends: decide by what is known, write it and tell it."""
        self._gave_up = True
        code = int(Exit.INCONCLUSIVE)
        try:
            code = self.conclude(pytest.ExitCode.TESTS_FAILED)
            listener = self._config.pluginmanager.getplugin("goldenpath_ci")
            if listener is not None:
                listener.pytest_sessionfinish()
            terminal, capture = map(
                self._config.pluginmanager.getplugin, ("terminalreporter", "capturemanager")
            )
            if capture is not None:
                capture.suspend_global_capture(in_=True)
            if terminal is not None:
                terminal.ensure_newline()
                self.pytest_terminal_summary(terminal)
                terminal.flush()
        finally:
            os._exit(code)

    def conclude(self, exitstatus: int) -> int:
        """Decide and write the verdict, whatever is missing; returns the exit code."""
        self.concluding = True
        self._selected |= self._run.recall_selected()
        # A worker that died has told nothing; what it observed for all is in the run's folder.
        if self._run.selected or (not self._met["seed"] and self._run.recall()):
            self._met = _met(self._run)
        self._leaked = self._leaks.look()
        decision = self._decide(exitstatus)
        code = self._exit_code(decision, exitstatus)
        if self._foreign_failures:
            others = (
                f"other tests, which are no golden path checks, failed: {self._foreign_failures}"
            )
            decision = replace(decision, reasons=(*decision.reasons, others))
        plain = document(decision, self._checks.values(), self._facts(), exit_code=code)
        verdict: dict[str, Any] = scrub(plain, self._run.redactor)
        folder = self._run.settings.evidence_dir
        try:
            path = str(write_verdict(folder, verdict))
        except OSError as error:
            path = f"not written: {error.strerror}"
            code = code or Exit.INCONCLUSIVE
        self.verdict, self.evidence, self.code = verdict, path, int(code)
        self._told = summary_lines(
            verdict,
            evidence=path,
            bypass=self._run.settings.bypass,
            verbosity=self._config.getoption("verbose", 0),
        )
        for listener in self.listeners:
            listener(verdict)
        return self.code

    def known(self, report: pytest.TestReport) -> Check | None:
        """Return what is known of a report's check, the report included; None for other tests."""
        told = (self._checks.get(report.nodeid), check_of(report))
        known = [check for check in told if check is not None]
        return min(known, key=lambda one: _WORST_FIRST.index(one.outcome), default=None)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the verdict after everything else."""
        if not self._told:
            return
        heading, *lines = self._told
        terminalreporter.section(heading.text, "=", bold=True, **{heading.style: True})
        for line in lines:
            terminalreporter.line(line.text, **({line.style: True} if line.style else {}))

    def _tell_of_nothing(self, session: pytest.Session, exitstatus: int) -> None:
        """Say that no check was selected although one was asked for; that is never green."""
        if (
            self._was_refused
            or only_lists(self._config)
            or exitstatus
            not in {
                pytest.ExitCode.OK,
                pytest.ExitCode.NO_TESTS_COLLECTED,
            }
        ):
            return
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
        categories = ", ".join(self._run.settings.categories) or "any category"
        self._told = [
            Line("golden path: nothing was validated (exit 5)", "yellow"),
            Line(
                f"no golden path check of {categories} was selected; in a folder without checks, "
                "'goldenpath run' runs those that came with the package"
            ),
        ]

    def _add(self, check: Check) -> None:
        known = self._checks.get(check.id)
        if known is None:
            self._checks[check.id] = check
            return
        worst = min(known, check, key=lambda one: _WORST_FIRST.index(one.outcome))
        self._checks[check.id] = _with_duration(worst, known.duration_s + check.duration_s)

    def _stop(self) -> None:
        if self._session is not None:
            self._session.shouldfail = "goldenpath: the verdict is FAIL"
        distributor = self._config.pluginmanager.getplugin("dsession")
        if distributor is not None:
            distributor.shouldstop = "goldenpath: the verdict is FAIL"
        self._run.call_off()

    def _decide(self, exitstatus: int) -> Decision:
        unfinished = self._selected - set(self._checks)
        decision = decide(
            tuple(self._checks.values()),
            unfinished=unfinished,
            bypass=self._run.settings.bypass,
            rulebook=self._run.settings.rulebook,
            doubts=tuple(self._doubts(unfinished)),
        )
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR and decision.verdict is Verdict.PASS:
            reason = ("the test run ended with an internal error",)
            undecided = Verdict.INCONCLUSIVE
            return Decision(undecided, undecided, Exit.INCONCLUSIVE, reason, decision.counts)
        if decision.verdict is Verdict.FAIL:
            return replace(decision, reasons=(*decision.reasons, *self._leaked))
        return decision

    def _warmth(self) -> ResilienceReport:
        # A report of a target that is not ready is false, so it is compared with None.
        found = self._run.warmth
        if found is None:
            return ResilienceReport(self._run.settings.warmup, skipped=NOT_NEEDED)
        return found

    def _doubts(self, unfinished: set[str]) -> Iterator[str]:
        if self.interrupted_by:
            yield f"the run was interrupted by {self.interrupted_by}"
        warmth, times = self._run.warmth, self._run.times
        if warmth is not None and warmth.doubt:
            yield warmth.doubt
        if warmth is None and self._run.settings.rulebook.gate:
            yield f"{NOT_NEEDED}, and --gate wants it looked at"
        is_cut_off = unfinished or self._lost_worker
        if times and (self._gave_up or (is_cut_off and monotonic() >= times.checks_until_s)):
            end = ", and the run did not end by itself" if self._gave_up else ""
            yield f"the {times.budget_s:g} s of fast_feedback were over{end}"
        yield from self._leaked

    def _exit_code(self, decision: Decision, exitstatus: int) -> int:
        own = {pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR}
        if self.interrupted_by:
            return int(pytest.ExitCode.INTERRUPTED)
        if exitstatus in own or self._was_stopped:
            return int(exitstatus)
        if self._foreign_failures and decision.exit_code != Exit.FAIL:
            return int(Exit.FAIL)
        return int(decision.exit_code)

    def _facts(self) -> RunFacts:
        settings = self._run.settings
        categories = settings.categories or tuple(
            sorted({check.category for check in self._checks.values() if check.category})
        )
        target = self._run.known_target()
        told = self._addresses
        if told and not target.backend:
            target = replace(target, backend=told["backend"], auth=told["auth"], ws=told["ws"])
        return RunFacts(
            target,
            self._met["revision"],
            self._met["seed"],
            categories,
            settings.execution_mode,
            self._started.isoformat(timespec="seconds"),
            monotonic() - self._clock,
            settings.bypass,
            self._met["http_503"],
            readiness(self._checks.values(), selected=self._remediation),
            self._warmth(),
            max(self._outages, self._run.outages().known(), key=lambda known: known.recoveries),
            tuple(Step(**step) for step in self._met["slowest"]),
            command_of(self._config, settings, self._met["seed"]),
            self._met["timings"],
        )


def leave() -> None:
    """End a worker that nothing else ends; the controller tells of it as of a crash."""
    os._exit(Exit.INCONCLUSIVE)


def only_lists(config: pytest.Config) -> bool:
    """Tell whether nothing was to be run at all."""
    option = config.option
    names = ("collectonly", "setupplan", "show_fixtures_per_test", "showfixtures")
    return any(getattr(option, name, False) for name in names)


def _with_duration(check: Check, duration_s: float) -> Check:
    return replace(check, duration_s=duration_s)


def _met(run: Run) -> dict[str, Any]:
    survey = run.survey
    if survey is None:
        return dict(_NOTHING_MET)
    named = (revisions_of(exchange) for exchange in survey.health)
    return {
        "http_503": count_503(survey),
        "revision": next((names[0] for names in named if names), ""),
        "seed": survey.seed,
        "slowest": [asdict(step) for step in slowest(survey)],
        "timings": timings(survey),
    }
