"""What a controller and its workers tell each other under xdist; plain data only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from pytest_goldenpath.plugin.outcomes import ATTRIBUTE
from pytest_goldenpath.plugin.run import Run
from pytest_goldenpath.plugin.session import REFUSAL, Collector
from pytest_goldenpath.secrets import Vault

#: Key of what the controller tells its workers: the run's private folder.
INPUT = "goldenpath_folder"
#: Key of when a run began that has to end in time.
BEGUN = "goldenpath_begun"
#: Key of the place where workers meet whose controller could not know of their checks.
MEETING = "goldenpath_meeting"
#: Key of what unseals the secrets in either of them; it is in no file.
SEAL = "goldenpath_seal"


class Refusal:
    """A worker's last words when a setting or a marker is wrong; xdist would lose the sentence."""

    def __init__(self, sentence: str) -> None:
        """Take what the worker would have said."""
        self._sentence = sentence

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand the sentence to the controller."""
        output: dict[str, Any] = getattr(session.config, "workeroutput", {})
        output[REFUSAL] = self._sentence


class Listener:
    """The controller's ear for a worker's refusal: one sentence on stderr, exit code 4."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self._sentence = ""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401  # xdist is not typed
        """Take the sentence."""
        self._sentence = self._sentence or getattr(node, "workeroutput", {}).get(REFUSAL, "")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Give the run the exit code that it would have had without workers."""
        if self._sentence:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            sys.stderr.write(f"ERROR: {self._sentence}\n")


class Distributed:
    """The controller's part under xdist: one backend for all workers, and where to find it."""

    def __init__(self, run: Run, vault: Vault) -> None:
        """Take the controller's run, and by what its processes share their secrets."""
        self._run = run
        self._vault = vault

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Start the embedded backend before any worker is spawned."""
        from pytest_goldenpath.journey.embedded import BackendNotStarted

        try:
            self._run.start_backend()
            self._run.target()
        except BackendNotStarted as error:
            raise pytest.UsageError(f"goldenpath: {error}") from None

    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401  # xdist is not typed
        """Tell a worker where the run's private directory is."""
        node.workerinput[INPUT] = str(self._run.folder)
        if self._run.times:
            node.workerinput[BEGUN] = self._run.times.begun_s
        node.workerinput[SEAL] = self._vault.key.hex()


class Watch:
    """The controller of a run for which no option of ours was given: it cannot know by itself."""

    def __init__(self, wake: Callable[[], Collector], vault: Vault) -> None:
        """Take what is to be done at the first report of a check, and the workers' meeting place."""
        self._wake = wake
        self._vault = vault
        self._collector: Collector | None = None
        self._failed: list[pytest.TestReport] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401  # xdist is not typed
        """Tell a worker where the first of them leaves what is for all."""
        node.workerinput[MEETING] = str(self._vault.folder)
        node.workerinput[SEAL] = self._vault.key.hex()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Wake up at the first report of a check, and hand over the foreign failures so far."""
        if self._collector is not None:
            return
        if getattr(report, ATTRIBUTE, None) is None:
            self._failed += [report] if report.failed else []
            return
        self._collector = self._wake()
        # These reports were handed out before the collector was there to take them.
        for missed in (*self._failed, report):
            self._collector.pytest_runtest_logreport(missed)
