"""Start a run: settings, the private directory of a distributed run, the per-test hooks."""

from __future__ import annotations

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.plugin import CATEGORIES, SUITES, is_asked_for
from pytest_goldenpath.plugin.collection import category_of, is_check, requirements_of
from pytest_goldenpath.plugin.distributed import (
    INPUT,
    MEETING,
    Distributed,
    Listener,
    Refusal,
    Watch,
)
from pytest_goldenpath.plugin.outcomes import Letters, Outcomes
from pytest_goldenpath.plugin.run import RUN, Run
from pytest_goldenpath.plugin.session import Collector, WorkerEnd, only_lists
from pytest_goldenpath.plugin.settings import check_installation, evidence_folder, read_settings
from pytest_goldenpath.plugin.warming import ControllerWarming, Warming, needs_target
from pytest_goldenpath.report.files import forget, prepare_folder

COLLECTOR: pytest.StashKey[Collector] = pytest.StashKey()


def configure(config: pytest.Config) -> None:
    """Do what has to be done before collection: read settings early, prepare a distributed run.

    Raises:
        pytest.UsageError: a setting is wrong.

    """
    if config.option.showfixtures:
        _register_fixtures(config)
    if is_asked_for(config) or (_is_controller(config) and _names_suites(config)):
        _begin(config)
    if not _is_controller(config) or only_lists(config):
        return
    config.pluginmanager.register(Listener(), "goldenpath_listener")
    folder = Path(tempfile.mkdtemp(prefix="goldenpath-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    if RUN not in config.stash:
        watch = Watch(lambda: _wake(config), folder)
        config.pluginmanager.register(watch, "goldenpath_watch")
        return
    run = config.stash[RUN]
    config.pluginmanager.register(ControllerWarming(config, run), "goldenpath_warming")
    run.folder = folder
    config.pluginmanager.register(Distributed(run), "goldenpath_distributed")


def collected(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the checks of a run and get it going.

    Raises:
        pytest.UsageError: a setting or a marker is wrong.

    """
    try:
        _prepare(config, items)
    except pytest.UsageError as error:
        if not hasattr(config, "workerinput"):
            raise
        config.pluginmanager.register(Refusal(str(error)), "goldenpath_refusal")
        items.clear()


def _prepare(config: pytest.Config, items: list[pytest.Item]) -> None:
    if RUN not in config.stash:
        _begin(config)
    run = config.stash[RUN]
    _select(config, items, run.settings.categories)
    checks = [item for item in items if is_check(item)]
    if not checks or only_lists(config):
        return
    reads_journey = any("golden_journey" in getattr(i, "fixturenames", ()) for i in checks)
    codes = [code for item in checks for code in requirements_of(item)]
    run.want(codes, *(("journey",) if reads_journey else ()))
    for item in checks:
        category_of(item)
    run.selected = tuple(item.nodeid for item in checks)
    _hook_in(config, run, checks)


def _begin(config: pytest.Config, *, is_under_way: bool = False) -> None:
    worker_input: dict[str, Any] | None = getattr(config, "workerinput", None)
    try:
        settings = read_settings(config)
        if not only_lists(config) and worker_input is None:
            prepare_folder(settings.evidence_dir, source=settings.sources["evidence_dir"])
            if not is_under_way:
                forget(settings.evidence_dir)
            check_installation(settings, config)
    except ConfigError as error:
        if not only_lists(config) and worker_input is None:
            forget(evidence_folder(config))
        raise pytest.UsageError(f"goldenpath: {error}") from None
    told = worker_input or {}
    folder, meeting = (Path(told[key]) if key in told else None for key in (INPUT, MEETING))
    run = Run(settings, folder, meeting)
    config.stash[RUN] = run
    config.add_cleanup(run.stop_backend)
    if worker_input is None:
        config.stash[COLLECTOR] = collector = Collector(config, run)
        config.pluginmanager.register(collector, "goldenpath_collector")
        config.pluginmanager.register(Letters(), "goldenpath_letters")


def _hook_in(config: pytest.Config, run: Run, items: list[pytest.Item]) -> None:
    """Register what runs for each test, and let the embedded backend boot meanwhile."""
    run.start_backend()
    _register_fixtures(config)
    config.pluginmanager.register(Outcomes(), "goldenpath_outcomes")
    if any(needs_target(item) for item in items):
        run.ask_for_warmth()
        config.pluginmanager.register(Warming(config, run), "goldenpath_warming")
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(WorkerEnd(run), "goldenpath_worker_end")


def _register_fixtures(config: pytest.Config) -> None:
    from pytest_goldenpath.plugin import live

    if not config.pluginmanager.is_registered(live):
        config.pluginmanager.register(live, "goldenpath_live")


def _wake(config: pytest.Config) -> Collector:
    _begin(config, is_under_way=True)
    return config.stash[COLLECTOR]


def _names_suites(config: pytest.Config) -> bool:
    """Tell whether the arguments lead to a folder of suites, so that a run is sure to come."""
    for argument in config.args:
        path = config.invocation_params.dir / argument.partition("::")[0]
        parts = path.parts
        if any(part == SUITES and CATEGORIES.count(nxt) for part, nxt in pairwise(parts)):
            return True
        if path.name == SUITES and any((path / name).is_dir() for name in CATEGORIES):
            return True
    return False


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
