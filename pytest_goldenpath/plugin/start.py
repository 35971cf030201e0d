"""Start a run: settings, the private directory of a distributed run, the per-test hooks."""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.plugin import is_asked_for, redaction
from pytest_goldenpath.plugin.collection import (
    CATEGORIES,
    SMOKE,
    SUITES,
    category_of,
    is_check,
    requirements_of,
)
from pytest_goldenpath.plugin.distributed import (
    BEGUN,
    INPUT,
    MEETING,
    SEAL,
    Distributed,
    Listener,
    Refusal,
    Watch,
)
from pytest_goldenpath.plugin.fast import CheckEnds, Guard, Timetable
from pytest_goldenpath.plugin.judging import know_hooks, refuse_unknown_hooks
from pytest_goldenpath.plugin.outcomes import Letters, Outcomes
from pytest_goldenpath.plugin.progress import Relay, teller
from pytest_goldenpath.plugin.retry import Retrying, retries_of
from pytest_goldenpath.plugin.run import RUN, Run
from pytest_goldenpath.plugin.session import Collector, WorkerEnd, leave, only_lists
from pytest_goldenpath.plugin.settings import (
    RESULTS,
    Settings,
    check_installation,
    evidence_folder,
    files_of_pytest,
    read_settings,
)
from pytest_goldenpath.plugin.warming import ControllerWarming, Warming, needs_target
from pytest_goldenpath.report.files import forget, prepare_file, prepare_folder
from pytest_goldenpath.secrets import Vault
from pytest_goldenpath.target.keys import env_name
from pytest_goldenpath.target.model import REFERENCE_CONTEXT
from pytest_goldenpath.verdict.checks import REMEDIATION

#: Categories with promises that are proven by import.
_IMPORTING = frozenset({"mission_critical", "remediation"})
_KEY_BYTES = 32
COLLECTOR: pytest.StashKey[Collector] = pytest.StashKey()
GUARD: pytest.StashKey[Guard] = pytest.StashKey()


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
    config.pluginmanager.register(Relay(config, folder), "goldenpath_relay")
    vault = Vault(folder, os.urandom(_KEY_BYTES))
    if RUN not in config.stash:
        watch = Watch(lambda: _wake(config, vault), vault)
        config.pluginmanager.register(watch, "goldenpath_watch")
        return
    run = config.stash[RUN]
    config.pluginmanager.register(ControllerWarming(config, run), "goldenpath_warming")
    run.folder = folder
    run.share(vault)
    config.pluginmanager.register(Distributed(run, vault), "goldenpath_distributed")


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
        _begin(config, is_used=any(map(needs_target, items)))
    run = config.stash[RUN]
    _select(config, items, run.settings.categories)
    _check_secrets(config, run, items)
    checks = [item for item in items if is_check(item)]
    if checks and only_lists(config):
        _register_fixtures(config)
    if not checks or only_lists(config):
        return
    reads_journey = any("golden_journey" in getattr(i, "fixturenames", ()) for i in checks)
    codes = [code for item in checks for code in requirements_of(item)]
    beyond = [c for item in checks if category_of(item) != SMOKE for c in requirements_of(item)]
    run.want(codes, beyond, *(("journey",) if reads_journey else ()))
    remediation = tuple(i.nodeid for i in checks if category_of(i) == REMEDIATION)
    run.keep_selected(tuple(item.nodeid for item in checks))
    run.remediation = remediation
    _hook_in(config, run, checks)


def _begin(config: pytest.Config, *, is_under_way: bool = False, is_used: bool = True) -> None:
    know_hooks(config)
    refuse_unknown_hooks(config)
    settings = _settings(config, is_under_way=is_under_way, is_used=is_used)
    run = Run(settings, *_places(config))
    config.stash[RUN] = run
    redaction.start(config, run)
    config.add_cleanup(run.stop_backend)
    run.tell = teller(config, run, is_lasting=True)
    if not hasattr(config, "workerinput"):
        config.stash[COLLECTOR] = collector = Collector(config, run)
        config.pluginmanager.register(collector, "goldenpath_collector")
        config.pluginmanager.register(Letters(), "goldenpath_letters")
        _listen(config, run, collector)
    if _is_controller(config) and not only_lists(config):
        _hear_signals(config)
    if run.times and not only_lists(config):
        _hurry(config, run, run.times)


def _settings(config: pytest.Config, *, is_under_way: bool, is_used: bool) -> Settings:
    """Read the settings; the process that decides also makes room for what it will write.

    Raises:
        pytest.UsageError: a setting is wrong.

    """
    decides = not only_lists(config) and not hasattr(config, "workerinput")
    try:
        settings = read_settings(config)
        if decides:
            _make_room(config, settings, is_under_way=is_under_way)
            if is_used:
                check_installation(settings, config)
            _check_context(settings)
    except ConfigError as error:
        if decides:
            forget(evidence_folder(config))
            if error.setting == RESULTS:
                _write_no_results(config)
        raise pytest.UsageError(f"goldenpath: {error}") from None
    return settings


def _make_room(config: pytest.Config, settings: Settings, *, is_under_way: bool) -> None:
    prepare_folder(settings.evidence_dir, source=settings.sources["evidence_dir"])
    if settings.history_dir:
        source = settings.sources["history_dir"]
        prepare_folder(settings.history_dir, source=source, setting="history_dir")
    if not is_under_way:
        forget(settings.evidence_dir)
    for option, path, source in files_of_pytest(config):
        prepare_file(path, source=source, setting=option)


def _write_no_results(config: pytest.Config) -> None:
    """Keep pytest from failing once more, with a traceback, over the file that was refused."""
    from _pytest.junitxml import xml_key

    if xml_key in config.stash:
        config.pluginmanager.unregister(config.stash[xml_key])
        del config.stash[xml_key]


def _places(config: pytest.Config) -> tuple[Path | None, Path | None, float | None, Vault | None]:
    """Return what a worker was told: the run's folders, its begin, and its vault."""
    told: dict[str, Any] = getattr(config, "workerinput", {})
    folder, meeting = (Path(told[key]) if key in told else None for key in (INPUT, MEETING))
    place = folder or meeting
    vault = Vault(place, bytes.fromhex(told[SEAL])) if place else None
    return folder, meeting, told.get(BEGUN), vault


def _listen(config: pytest.Config, run: Run, collector: Collector) -> None:
    """Let the reports that others read hear of the verdict."""
    _pass_on(config, run, collector)
    if _writes_for_allure(config):
        from pytest_goldenpath.plugin import allure

        allure.conclude(config, run, collector)


def _hurry(config: pytest.Config, run: Run, times: Timetable) -> None:
    """Hold this process to the time that a fast run has."""
    is_worker = hasattr(config, "workerinput")
    give_up = leave if is_worker else config.stash[COLLECTOR].give_up
    guard = Guard(times, run.is_called_off, give_up, is_worker=is_worker)
    config.stash[GUARD] = guard
    guard.start()
    config.add_cleanup(guard.stop)
    config.pluginmanager.register(guard, "goldenpath_guard")


def _check_secrets(config: pytest.Config, run: Run, items: list[pytest.Item]) -> None:
    """Refuse a hook that names no secrets, and a secret in a test's name, which is told everywhere."""
    problem = redaction.gather(config, run)
    if problem:
        raise pytest.UsageError(f"goldenpath: {problem}")
    for item in items:
        name, _, parameters = item.nodeid.partition("[")
        if run.redactor.holds(parameters):
            raise pytest.UsageError(
                f"goldenpath: {name}: a parameter of it holds a secret, and so does its name; "
                "give the parameters ids of their own"
            )


def _pass_on(config: pytest.Config, run: Run, collector: Collector) -> None:
    """Let a system around this run hear of its checks and its verdict, when one wants to."""
    asked = (config.getoption("xmlpath", None), run.settings.history_dir)
    github = (os.environ.get("GITHUB_ACTIONS"), os.environ.get("GITHUB_STEP_SUMMARY"))
    if any(asked) or any(github):
        from pytest_goldenpath.plugin.ci import Continuous

        config.pluginmanager.register(Continuous(config, run, collector), "goldenpath_ci")


def _check_context(settings: Settings) -> None:
    """Refuse an import path whose module is there and whose class is not.

    A module that cannot be imported here refuses nothing: the checks that need it say so.
    """
    target = settings.resolved.target
    chosen = set(settings.categories or CATEGORIES)
    if target.context_api in {"", REFERENCE_CONTEXT} or chosen.isdisjoint(_IMPORTING):
        return
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from pytest_goldenpath.journey.imports import look

    # A thread of its own: the event loop of this one belongs to somebody else.
    with ThreadPoolExecutor(1) as pool:
        looked = pool.submit(asyncio.run, look(target, only_import=True)).result()
    if looked.refused:
        source = settings.sources["context_api"]
        variable = env_name("context_api")
        raise ConfigError(
            variable if variable in source else f"targets.{target.name}.context_api",
            target.context_api,
            looked.refused,
            source=source,
            remedy="name a class of the module, as package.module:Class",
        )


def _hook_in(config: pytest.Config, run: Run, items: list[pytest.Item]) -> None:
    """Register what runs for each test, and let the embedded backend boot meanwhile."""
    if run.selected and COLLECTOR in config.stash:
        _hear_signals(config)
    is_used = any(map(needs_target, items))
    if is_used:
        run.start_backend()
    _register_fixtures(config)
    config.pluginmanager.register(Outcomes(), "goldenpath_outcomes")
    if any(retries_of(item, run).attempts > 1 for item in items):
        config.pluginmanager.register(Retrying(run), "goldenpath_retrying")
    if _writes_for_allure(config):
        from pytest_goldenpath.plugin import allure

        allure.hook_in(config, run)
    if is_used:
        run.ask_for_warmth()
        config.pluginmanager.register(Warming(config, run), "goldenpath_warming")
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(WorkerEnd(run), "goldenpath_worker_end")
    if GUARD in config.stash:
        config.pluginmanager.register(CheckEnds(config.stash[GUARD]), "goldenpath_check_ends")


def _writes_for_allure(config: pytest.Config) -> bool:
    """Tell whether allure-pytest is there and has a folder to write to."""
    return bool(getattr(config.option, "allure_report_dir", None))


def _hear_signals(config: pytest.Config) -> None:
    from pytest_goldenpath.plugin.interrupts import Interrupts

    if not config.pluginmanager.hasplugin("goldenpath_interrupts"):
        interrupts = Interrupts(config, config.stash[COLLECTOR])
        config.pluginmanager.register(interrupts, "goldenpath_interrupts")


def _register_fixtures(config: pytest.Config) -> None:
    from pytest_goldenpath.plugin import live

    if not config.pluginmanager.is_registered(live):
        config.pluginmanager.register(live, "goldenpath_live")


def _wake(config: pytest.Config, vault: Vault) -> Collector:
    _begin(config, is_under_way=True)
    config.stash[RUN].share(vault)
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
