"""``goldenpath summary`` and ``goldenpath trend``: several verdicts become one, or are compared."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_goldenpath.contract.findings import printable
from pytest_goldenpath.errors import EvidenceError
from pytest_goldenpath.report.files import write_whole
from pytest_goldenpath.report.history import read_folder, read_verdict
from pytest_goldenpath.report.markdown import markdown
from pytest_goldenpath.report.terminal_summary import summary_lines
from pytest_goldenpath.report.trend import trend_lines
from pytest_goldenpath.report.trend_page import trend_page
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.merge import merge

_USAGE = 4


def summary(arguments: Sequence[str]) -> int:
    """Merge verdict files and print the result; returns the exit code of the merged verdict."""
    try:
        parsed = _summary_parser().parse_args(arguments)
    except SystemExit as ended:  # argparse ends with 2, which means "interrupted" here
        return _USAGE if ended.code else 0
    documents, complaints = _read(parsed.files)
    if complaints:
        sys.stderr.write("".join(f"goldenpath summary {line}\n" for line in complaints))
        return _USAGE
    merged = merge(documents.values())
    evidence = ", ".join(map(str, documents))
    if parsed.json:
        sys.stdout.write(json.dumps(merged, indent=1, ensure_ascii=False) + "\n")
    elif parsed.markdown:
        sys.stdout.write(markdown(merged, evidence=evidence))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _words(merged, documents, evidence)))
    return int(merged["exit_code"])


def _summary_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="goldenpath summary",
        description="Merge verdict files of shards or of several targets into one verdict. "
        "The exit code is that of the merged verdict; 4 for a file that cannot be used.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a verdict.json")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the merged verdict document")
    form.add_argument("--markdown", action="store_true", help="print one screen of Markdown")
    return parser


def _read(paths: Sequence[Path]) -> tuple[dict[Path, dict[str, Any]], list[str]]:
    documents: dict[Path, dict[str, Any]] = {}
    complaints = []
    for path in paths:
        try:
            documents[path] = read_verdict(path)
        except EvidenceError as error:
            complaints.append(f"{path}: {printable(str(error))}")
    return documents, complaints


def _words(
    merged: Mapping[str, Any], documents: Mapping[Path, Mapping[str, Any]], evidence: str
) -> Iterator[str]:
    heading, *lines = summary_lines(merged, evidence=evidence, bypass=_bypass(merged["bypass"]))
    yield f"== {heading.text} =="
    yield from (line.text for line in lines)
    for path, document in documents.items():
        counts = ", ".join(f"{number} {name}" for name, number in document["counts"].items())
        told = f"{document['target']['name']} {document['verdict']} (exit {document['exit_code']})"
        yield printable(f"part: {told}, {counts}: {path}")


def _bypass(told: Mapping[str, Any]) -> Bypass:
    ends = datetime.fromisoformat(told["expires"]) if told["expires"] else None
    return Bypass(tuple(told["sources"]), ends, told["expired"], told.get("problem", ""))


def trend(arguments: Sequence[str]) -> int:
    """Print the tables and write the page; 0 whatever they say, 4 when there is nothing to say."""
    try:
        parsed = _trend_parser().parse_args(arguments)
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


def _trend_parser() -> argparse.ArgumentParser:
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
