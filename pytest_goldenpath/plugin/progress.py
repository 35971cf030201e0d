"""What a run says while it waits: a line now and then, in the one process that has a terminal.

Under xdist a worker cannot print. It leaves its line in the run's private folder, and the
controller looks there whenever xdist's own loop, which asks its queue every two seconds, has
found nothing in it. So no thread is needed, a busy run is not slowed down, and nothing else is
written to the terminal at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from pytest_goldenpath.contract.findings import excerpt, printable
from pytest_goldenpath.plugin.run import PROGRESS_FILE, Run

_SILENT = -2
_LONGEST_LINE = 300

Tell = Callable[[str], None]


def teller(config: pytest.Config, run: Run, *, is_lasting: bool = False) -> Tell:
    """Return what takes lines of progress and shows them to whoever watches the run.

    Args:
        config: of this process.
        run: knows the secrets, and where a controller looks.
        is_lasting: whether every line stays, also on a terminal where one could be rewritten.

    """
    if hasattr(config, "workerinput"):
        return lambda line: run.tell_controller(run.redactor.redact(line))
    show = shower(config, is_lasting=is_lasting)
    return lambda line: show(run.redactor.redact(line))


def shower(config: pytest.Config, *, is_lasting: bool = False) -> Tell:
    """Return what shows lines of progress on this process's terminal; silent with ``-qq``."""

    def show(line: str) -> None:
        # Looked up late: settings are read before pytest has a terminal.
        terminal: Any = config.pluginmanager.getplugin("terminalreporter")
        if terminal is None or config.getoption("verbose", 0) <= _SILENT:
            return
        text = f"goldenpath: {excerpt(printable(line).replace(chr(10), ' '), _LONGEST_LINE)}"
        capture: Any = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            terminal.ensure_newline()
            # pytest knows of NO_COLOR and of terminals that are none: it writes plain text there.
            if terminal.isatty and terminal.hasmarkup and not is_lasting:
                terminal.rewrite(text[: terminal._tw.fullwidth - 1], erase=True)  # noqa: SLF001
            else:
                terminal.write_line(text)
            terminal.flush()

    return show


class Relay:
    """Shows in the controller what a worker has left to be told."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        """Take the configuration and the folder where workers leave their lines."""
        self._config = config
        self._place = folder / PROGRESS_FILE
        self._told = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """Look for a line whenever xdist has waited for its workers in vain."""
        queue: Any = getattr(self._config.pluginmanager.getplugin("dsession"), "queue", None)
        if queue is None:
            return
        ask, show = queue.get, shower(self._config)

        def ask_and_look(*args: object, **kwargs: object) -> object:
            try:
                return ask(*args, **kwargs)
            except Empty:
                self._look(show)
                raise

        queue.get = ask_and_look

    def _look(self, show: Tell) -> None:
        try:
            line = self._place.read_text(encoding="utf-8")
        except OSError:
            return
        if line != self._told:
            self._told = line
            show(line)
