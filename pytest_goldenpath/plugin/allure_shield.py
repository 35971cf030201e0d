"""Cuts secrets out of every file that Allure writes, whoever has put them there.

A masked parameter keeps its raw value in the file, and the arguments of an attachment cannot be
changed by a hook. So the part of Allure that writes files is replaced by one that asks our
redactor first, and handed back at the end, for allure-pytest takes it away by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import allure_commons
import pytest
from allure_commons.logger import AllureFileLogger

from pytest_goldenpath.plugin.run import Run

_SHIELDED: pytest.StashKey[bool] = pytest.StashKey()
#: Fixtures of the machinery, which tell a reader nothing.
_MACHINERY = frozenset({"event_loop_policy", "prove", "pytestconfig", "request"})
_RUNNER = "_scoped_runner"
_OURS = "_goldenpath_"


class Shield:
    """Writes what Allure's file logger writes, without secrets."""

    def __init__(self, logger: Any, run: Run) -> None:  # noqa: ANN401  # Allure is not typed
        """Take who writes, and who knows the secrets."""
        self._logger = logger
        self._run = run

    @allure_commons.hookimpl
    def report_result(self, result: object) -> None:
        """Write the result of a test."""
        self._clean(result)
        self._logger.report_result(result)

    @allure_commons.hookimpl
    def report_container(self, container: Any) -> None:  # noqa: ANN401
        """Write the fixtures around tests, if there are any but machinery."""
        for name in ("befores", "afters"):
            kept = [f for f in getattr(container, name) if _is_telling(f.name)]
            for fixture in kept:
                fixture.name = fixture.name.removeprefix(_OURS)
            setattr(container, name, kept)
        if container.befores or container.afters:
            self._clean(container)
            self._logger.report_container(container)

    @allure_commons.hookimpl
    def report_globals(self, globals_item: object) -> None:
        """Write what is about the run as a whole."""
        self._clean(globals_item)
        self._logger.report_globals(globals_item)

    @allure_commons.hookimpl
    def report_attached_data(self, body: str | bytes, file_name: str) -> None:
        """Write an attachment."""
        self._logger.report_attached_data(self._redacted(body), file_name)

    @allure_commons.hookimpl
    def report_attached_file(self, source: str, file_name: str) -> None:
        """Write a file as an attachment; it is copied as it is when it holds no secret."""
        body = Path(source).read_bytes()
        redacted = self._redacted(body)
        if redacted == body:
            self._logger.report_attached_file(source, file_name)
        else:
            self._logger.report_attached_data(redacted, file_name)

    def _redacted(self, body: str | bytes) -> str | bytes:
        if isinstance(body, str):
            return self._redact(body)
        try:
            return self._redact(body.decode("utf-8")).encode("utf-8")
        except UnicodeDecodeError:
            # No text: bytes that look like a secret are still one, such as in an archive's names.
            return self._redact(body.decode("latin-1")).encode("latin-1")

    def _clean(self, item: object) -> None:
        """Redact every text of an item in place, if there is a secret in any of them."""
        whole = "\n".join(_texts(item))
        if self._redact(whole) != whole:
            self._rewrite(item)

    def _redact(self, text: str) -> str:
        """Cut what any process of the run knows to be a secret."""
        self._run.hear()
        return self._run.redactor.redact(text)

    def _rewrite(self, value: object) -> object:
        if isinstance(value, str):
            return self._run.redactor.redact(value)
        if isinstance(value, list):
            value[:] = [self._rewrite(inner) for inner in value]
        elif _is_record(value):
            for name, inner in vars(value).items():
                setattr(value, name, self._rewrite(inner))
        return value


def shield(config: pytest.Config, run: Run) -> Path:
    """Replace Allure's file logger, once, and return the folder that it writes to.

    Raises:
        pytest.UsageError: it is not there, so nobody could keep secrets out of the folder.

    """
    # As allure-pytest does it, so that both mean the same folder.
    folder = Path(os.path.abspath(config.option.allure_report_dir))  # noqa: PTH100
    if config.stash.get(_SHIELDED, False):
        return folder
    config.stash[_SHIELDED] = True
    manager = allure_commons.plugin_manager
    loggers = [known for known in manager.get_plugins() if isinstance(known, AllureFileLogger)]
    # It does not say where it writes, and a nested run has one of its own.
    mine = [logger for logger in loggers if logger._report_dir == folder]  # noqa: SLF001
    if not mine:
        raise pytest.UsageError("goldenpath: allure-pytest writes to --alluredir in an unknown way")
    for logger in mine:
        _replace(config, logger, Shield(logger, run))
    return folder


def _replace(config: pytest.Config, logger: AllureFileLogger, shielded: Shield) -> None:
    manager = allure_commons.plugin_manager
    name = manager.get_name(logger)
    manager.unregister(logger)
    manager.register(shielded)

    def hand_back() -> None:
        # Clean-ups run last in, first out: allure-pytest's own, which wants its logger, comes later.
        manager.unregister(shielded)
        manager.register(logger, name)

    config.add_cleanup(hand_back)


def _is_telling(name: str) -> bool:
    fixture, is_end, _ = name.partition("::")
    if is_end and fixture.startswith(_OURS):
        return False
    return fixture not in _MACHINERY and not fixture.endswith(_RUNNER)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif _is_record(value):
        for inner in vars(value).values():
            yield from _texts(inner)


def _is_record(value: object) -> bool:
    return hasattr(type(value), "__attrs_attrs__")
