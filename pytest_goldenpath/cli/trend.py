"""``goldenpath trend``: how the verdicts of earlier runs compare."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_goldenpath.contract.findings import printable
from pytest_goldenpath.errors import EvidenceError
from pytest_goldenpath.report.files import write_whole
from pytest_goldenpath.report.history import read_folder
from pytest_goldenpath.report.trend import trend_lines
from pytest_goldenpath.report.trend_page import trend_page

_USAGE = 4


def trend(arguments: Sequence[str]) -> int:
    """Print the tables and write the page; 0 whatever they say, 4 when there is nothing to say."""
    try:
        parsed = _parser().parse_args(arguments)
    except SystemExit as ended:  # argparse ends with 2, which means "interrupted" here
        return _USAGE if ended.code else 0
    try:
        history = read_folder(parsed.folder)
        if parsed.html and history.runs:
            write_whole(parsed.html, trend_page(history))
    except (EvidenceError, OSError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        return _refuse(parsed.html if isinstance(error, OSError) else parsed.folder, told)
    sys.stdout.write("".join(f"{line}\n" for line in trend_lines(history)))
    if not history.runs:
        return _refuse(parsed.folder, "no verdict of ours is there")
    if parsed.html:
        sys.stdout.write(f"page: {parsed.html}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="goldenpath trend",
        description="Compare the verdict files of a folder, such as the one that "
        "GOLDENPATH_HISTORY_DIR names. A comparison never changes the exit code.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of verdict files")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots")
    return parser


def _refuse(path: Path, problem: str | None) -> int:
    sys.stderr.write(printable(f"goldenpath trend {path}: {problem}") + "\n")
    return _USAGE
