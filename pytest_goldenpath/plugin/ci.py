"""What a run tells the system that it runs in: JUnit XML, GitHub Actions, the kept history.

Registered beside the collector, and only when one of them is asked for; the collector decides,
this only passes on.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import LogXML, xml_key

from pytest_goldenpath.plugin.leaks import holds_secret, remove_content
from pytest_goldenpath.plugin.run import Run
from pytest_goldenpath.plugin.session import Collector
from pytest_goldenpath.report import ci
from pytest_goldenpath.report.markdown import markdown
from pytest_goldenpath.report.trend import keep
from pytest_goldenpath.verdict.checks import Check, Outcome

_SUMMARY = "GITHUB_STEP_SUMMARY"


class Continuous:
    """Passes a run's checks and its verdict on; lives where the collector lives."""

    def __init__(self, config: pytest.Config, run: Run, collector: Collector) -> None:
        """Take the configuration, the run, and who decides it."""
        self._config = config
        self._run = run
        self._collector = collector
        self._places: dict[str, tuple[str, int]] = {}
        self._notes: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, None, None]:
        """Add what is known of a check to its report before, and mend its XML afterwards."""
        check = self._collector.known(report)
        if check is None:
            yield
            return
        self._place(report, check)
        report.user_properties.extend(ci.of_check(check))
        xml = self._config.stash.get(xml_key, None)
        # The element of a test is finished by its teardown; that of a crash has no such phase.
        message = self._run.redactor.redact(ci.message_of(check))
        if xml is not None and report.when == "teardown":
            _tell_plainly(xml, report, check, message)
        yield
        if xml is not None and report.when not in {"setup", "call", "teardown"}:
            _tell_plainly(xml, report, check, message)
            for name, value in ci.of_check(check):
                xml.node_reporter(report).add_property(name, value)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Pass the verdict on; registered after the collector, so it is there."""
        verdict, evidence = self._collector.verdict, self._collector.evidence
        if verdict is None:
            return
        xml = self._config.stash.get(xml_key, None)
        if xml is not None:
            for name, value in ci.of_run(verdict, evidence=evidence):
                xml.add_global_property(name, value)
            # It wrote its file before anybody could know the verdict.
            xml.pytest_sessionfinish()
            self._keep_clean(Path(xml.logfile))
        if self._run.settings.history_dir:
            self._keep(self._run.settings.history_dir, verdict)
        if os.environ.get(_SUMMARY):
            self._summarise(Path(os.environ[_SUMMARY]), verdict)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, None, None]:
        """Let GitHub obey our commands, and none that a target smuggled into what is printed."""
        verdict = self._collector.verdict
        if verdict is None or not _is_github():
            yield
        else:
            token = secrets.token_hex(16)
            terminalreporter.ensure_newline()
            terminalreporter.write_line(f"::stop-commands::{token}")
            try:
                yield
            finally:
                terminalreporter.ensure_newline()
                terminalreporter.write_line(f"::{token}::")
            for line in ci.annotate(verdict, self._places):
                terminalreporter.write_line(line)
        for note in self._notes:
            terminalreporter.write_line(f"goldenpath: {note}", yellow=True)

    def _keep_clean(self, path: Path) -> None:
        """Take away again what the last look at the files has taken away before."""
        if holds_secret(path, self._run.redactor):
            remove_content(path)

    def _place(self, report: pytest.TestReport, check: Check) -> None:
        if check.outcome in {Outcome.PASSED, Outcome.SKIPPED}:
            return
        file, line, _ = report.location
        path = ci.relative_to_workspace(self._config.rootpath / file)
        if path and line is not None:
            self._places[report.nodeid] = path, line + 1

    def _keep(self, folder: Path, verdict: dict[str, Any]) -> None:
        try:
            keep(folder, verdict)
        except OSError as error:
            self._notes.append(f"the history in {folder} was not written: {error.strerror}")

    def _summarise(self, path: Path, verdict: dict[str, Any]) -> None:
        text = markdown(verdict, evidence=self._collector.evidence)
        try:
            if not ci.append_summary(path, text):
                self._notes.append(f"{_SUMMARY} is full; nothing was added")
        except OSError as error:
            self._notes.append(f"{_SUMMARY} was not written: {error.strerror}")


def _is_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _tell_plainly(xml: LogXML, report: pytest.TestReport, check: Check, message: str) -> None:
    """Say in the XML what pytest could not know: an undecided check is an error, no failure."""
    for node in xml.node_reporter(report).nodes:
        if node.tag == "failure" and check.outcome is Outcome.INCONCLUSIVE:
            node.tag = "error"
            xml.stats["failure"] -= 1
            xml.stats["error"] += 1
        if node.tag in {"failure", "error"}:
            node.set("message", message)
            node.set("type", f"{ci.PREFIX}.{check.attribution or check.outcome}")
