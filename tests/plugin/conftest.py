"""What a run leaves behind: the processes it started, and the files it wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

#: Python runs it in every process of a sub-run, because their path starts with the test's folder.
_SPY = """
import sys
from pathlib import Path

if "pytest_goldenpath.reference" in sys.orig_argv:
    with (Path(__file__).parent / "started.txt").open("a") as stream:
        stream.write("a reference backend\\n")
"""


@pytest.fixture
def started(pytester: pytest.Pytester) -> Callable[[], int]:
    """Return a function that tells how many reference backends sub-runs have started."""
    pytester.path.joinpath("sitecustomize.py").write_text(_SPY)
    log = pytester.path / "started.txt"
    return lambda: len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def written(pytester: pytest.Pytester) -> Callable[[], list[str]]:
    """Return a function that names the files that sub-runs wrote as evidence."""

    def files() -> list[str]:
        folders = (pytester.path / "evidence", pytester.path / ".goldenpath")
        found: list[Path] = [path for folder in folders for path in folder.rglob("*")]
        return sorted(str(path.relative_to(pytester.path)) for path in found if path.is_file())

    return files


@pytest.fixture
def left(
    started: Callable[[], int], written: Callable[[], list[str]]
) -> Callable[[], tuple[int, list[str]]]:
    """Return a function that tells both: (0, []) is a run that has not begun."""
    return lambda: (started(), written())
