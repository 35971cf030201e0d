"""Start a run: settings, the private directory of a distributed run, the per-test hooks."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.plugin.collection import category_of, is_check, requirements_of
from pytest_goldenpath.plugin.outcomes import ATTRIBUTE, Letters, Outcomes
from pytest_goldenpath.plugin.run import RUN, Run
from pytest_goldenpath.plugin.session import Collector, WorkerEnd
from pytest_goldenpath.plugin.settings import read_settings
from pytest_goldenpath.report.files import prepare_folder

#: Key of what the controller tells its workers.
INPUT = "goldenpath_folder"
COLLECTOR: pytest.StashKey[Collector] = pytest.StashKey()


def configure(config: pytest.Config) -> None:
    """Read the settings early, because an option asked for golden path checks.

    Raises:
        pytest.UsageError: a setting is wrong.

    """
    _begin(config)
    if _is_controller(config) and not config.option.collectonly:
        run = config.stash[RUN]
        run.folder = Path(tempfile.mkdtemp(prefix="goldenpath-"))
        config.add_cleanup(lambda: shutil.rmtree(run.folder or "", ignore_errors=True))
        config.pluginmanager.register(_Distributed(run), "goldenpath_distributed")


def watch(config: pytest.Config) -> None:
    """Wait, in xdist's controller, for the first worker that meets a golden path check."""
    if _is_controller(config) and not config.option.collectonly:
        config.pluginmanager.register(_Watch(config), "goldenpath_watch")


def collected(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the checks of a run and get it going.

    Raises:
        pytest.UsageError: a setting or a marker is wrong.

    """
    if RUN not in config.stash:
        _begin(config)
    run = config.stash[RUN]
    _select(config, items, run.settings.categories)
    checks = [item for item in items if is_check(item)]
    if not checks or config.option.collectonly:
        return
    run.selected = tuple(item.nodeid for item in checks)
    reads_journey = any("golden_journey" in getattr(i, "fixturenames", ()) for i in checks)
    codes = [code for item in checks for code in requirements_of(item)]
    run.want(codes, *(("journey",) if reads_journey else ()))
    for item in checks:
        category_of(item)
    _hook_in(config, run)


class _Distributed:
    """The controller's part under xdist: one backend for all workers, and where to find it."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Start the embedded backend before any worker is spawned."""
        self._run.start_backend()
        self._run.target()

    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401  # xdist is not typed
        """Tell a worker where the run's private directory is."""
        node.workerinput[INPUT] = str(self._run.folder)


class _Watch:
    """The controller of a run for which no option of ours was given: it cannot know by itself."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Wake up at the first report of a check; foreign failures so far are pytest's affair."""
        if getattr(report, ATTRIBUTE, None) is not None and RUN not in self._config.stash:
            _begin(self._config)
            self._config.pluginmanager.unregister(self)
            # This report was handed out before the collector was there to take it.
            self._config.stash[COLLECTOR].pytest_runtest_logreport(report)


def _begin(config: pytest.Config) -> None:
    try:
        settings = read_settings(config)
        if not config.option.collectonly:
            prepare_folder(settings.evidence_dir, source=settings.sources["evidence_dir"])
    except ConfigError as error:
        raise pytest.UsageError(f"goldenpath: {error}") from None
    worker_input: dict[str, Any] | None = getattr(config, "workerinput", None)
    folder = (worker_input or {}).get(INPUT)
    run = Run(settings, Path(folder) if folder else None)
    config.stash[RUN] = run
    config.add_cleanup(run.stop_backend)
    if worker_input is None:
        config.stash[COLLECTOR] = collector = Collector(config, run)
        config.pluginmanager.register(collector, "goldenpath_collector")
        config.pluginmanager.register(Letters(), "goldenpath_letters")


def _hook_in(config: pytest.Config, run: Run) -> None:
    """Register what runs for each test, and let the embedded backend boot meanwhile."""
    run.start_backend()
    from pytest_goldenpath.plugin import live

    config.pluginmanager.register(live, "goldenpath_live")
    config.pluginmanager.register(Outcomes(), "goldenpath_outcomes")
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(WorkerEnd(run), "goldenpath_worker_end")


def _select(config: pytest.Config, items: list[pytest.Item], categories: tuple[str, ...]) -> None:
    if not categories:
        return
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        (kept if category_of(item) in categories else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def _is_controller(config: pytest.Config) -> bool:
    distributed = config.getoption("dist", "no") != "no" or config.getoption("numprocesses", None)
    return bool(distributed) and not hasattr(config, "workerinput")
