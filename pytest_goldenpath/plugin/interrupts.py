"""What becomes of a run that is told to stop: it ends as an interruption, and says what it knew.

A CI system that cancels a job, or a container that is stopped, sends SIGTERM, of which Python dies
without a word. So it is taken for a Ctrl-C. Once the run is ending, a signal may not tear the
verdict apart: the first one is noted, and the second one has the verdict written and leaves.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import pytest

from pytest_goldenpath.plugin.session import Collector

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """The signal handlers of the one process that decides a run; never those of a worker."""

    def __init__(self, config: pytest.Config, collector: Collector) -> None:
        """Take over SIGTERM, unless somebody else has, until the configuration is undone."""
        self._collector = collector
        self._before: dict[signal.Signals, object] = {}
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._take(signal.SIGTERM, self._interrupt)
        config.add_cleanup(self._give_back)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note who interrupted, and let nothing interrupt the end."""
        if excinfo.type is KeyboardInterrupt:
            self._note(signal.SIGINT)
        self._end()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Let nothing interrupt the end."""
        self._end()

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        """Do what a Ctrl-C does, also where an event loop has its own way to be interrupted."""
        self._note(number)
        if callable(signal.getsignal(signal.SIGINT)):
            signal.raise_signal(signal.SIGINT)
        else:
            raise KeyboardInterrupt

    def _hurry(self, number: int, _frame: FrameType | None) -> None:
        """Note the first signal; at the second one leave, once there is a verdict."""
        if self._note(number):
            return
        if self._collector.concluding and self._collector.code is None:
            return
        if self._collector.code is None:
            self._collector.conclude(pytest.ExitCode.INTERRUPTED)
        os._exit(self._collector.code or 0)

    def _note(self, number: int) -> bool:
        """Keep the name of the first signal; False when it was not the first."""
        is_first = not self._collector.interrupted_by
        if is_first:
            self._collector.interrupted_by = signal.Signals(number).name
        return is_first

    def _end(self) -> None:
        if signal.SIGTERM in self._before:
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._take(number, self._hurry)

    def _take(self, number: signal.Signals, handler: signal.Handlers | object) -> None:
        previous = signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.setdefault(number, previous)

    def _give_back(self) -> None:
        """Give the signals back; a run that was interrupted before it began has a verdict, too."""
        if self._collector.interrupted_by and not self._collector.concluding:
            self._collector.conclude(pytest.ExitCode.INTERRUPTED)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()
