"""The last look at what a run has written; whatever gets out all the same makes it not green."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_goldenpath.plugin.redaction import gather
from pytest_goldenpath.plugin.run import Run
from pytest_goldenpath.plugin.settings import log_file
from pytest_goldenpath.secrets import Redactor

#: Where pytest and plugins that are often beside it keep the names of their files, or folders.
_PLACES = (
    "xmlpath",
    "allure_report_dir",
    "debug",
    "htmlpath",
    "json_report_file",
    "report_log",
)
_SUMMARY = "GITHUB_STEP_SUMMARY"
#: File systems round the time of writing.
_ROUNDING_S = 2.0


class Leaks:
    """Knows the files of a run; lives where the verdict is decided."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        """Take the configuration and the run, and note what stands in files that grow."""
        self._config = config
        self._run = run
        self._since_s = time.time() - _ROUNDING_S
        self._begins = {path: _size(path) for path in self._growing()}

    def look(self) -> tuple[str, ...]:
        """Look at every file; returns a sentence for each that held a secret."""
        gather(self._config, self._run)
        self._flush()
        places = [*self._places(), *self._begins]
        found = dict.fromkeys(files_below(places, since_s=self._since_s))
        told = tuple(sentence for path in found if (sentence := self._judge(path)))
        self._flush()
        return told

    def _judge(self, path: Path) -> str:
        begin = self._begins.get(path, 0)
        shown = self._run.redactor.redact(os.path.relpath(path, self._config.invocation_params.dir))
        try:
            if not holds_secret(path, self._run.redactor, begin=begin):
                return ""
            remove_content(path, begin=begin)
        except OSError as error:
            return f"[harness] {shown} could not be looked at for secrets: {error.strerror}"
        return f"[harness] a secret reached {shown}; its content was removed"

    def _places(self) -> list[Path]:
        given = (self._config.getoption(name, None) for name in _PLACES)
        named = [self._path(place) for place in given if isinstance(place, str) and place]
        log = log_file(self._config)
        return [self._run.settings.evidence_dir, *named, *([log] if log else [])]

    def _growing(self) -> list[Path]:
        """Return the files that a run adds to, so that only its own part is its business."""
        log = log_file(self._config)
        adds = log is not None and "a" in (self._config.getini("log_file_mode") or "w")
        summary = os.environ.get(_SUMMARY)
        return [*([log] if log and adds else []), *([Path(summary)] if summary else [])]

    def _path(self, name: str) -> Path:
        return self._config.invocation_params.dir / name

    def _flush(self) -> None:
        """Let the log file's writer go on where the file ends, wherever that is now."""
        logger: Any = self._config.pluginmanager.getplugin("logging-plugin")
        stream = getattr(getattr(logger, "log_file_handler", None), "stream", None)
        if stream is not None and stream.seekable():
            stream.flush()
            stream.seek(0, os.SEEK_END)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


REMOVED = "pytest-goldenpath removed this content: it held a secret of the run.\n"
#: What is read at once, and how much of it is read again, so that no secret falls between two.
_CHUNK, _OVERLAP = 4_194_304, 65_536


def files_below(places: Iterable[Path], *, since_s: float) -> Iterator[Path]:
    """Give every file at or below some places that was written since a moment."""
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.stat().st_mtime >= since_s:
                yield path


def holds_secret(path: Path, redactor: Redactor, *, begin: int = 0) -> bool:
    """Tell whether a file holds a secret, from a place in it on."""
    with path.open("rb") as stream:
        stream.seek(begin)
        kept = b""
        while chunk := stream.read(_CHUNK):
            if redactor.holds((kept + chunk).decode("utf-8", "replace")):
                return True
            kept = chunk[-_OVERLAP:]
    return False


def remove_content(path: Path, *, begin: int = 0) -> None:
    """Replace a file's content by one sentence, from a place in it on; it stays the same file."""
    with path.open("r+b") as stream:
        stream.truncate(begin)
        stream.seek(begin)
        stream.write(REMOVED.encode())
