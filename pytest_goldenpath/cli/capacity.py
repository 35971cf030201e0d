"""``goldenpath capacity``: what can be told about a target's capacity from outside."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.journey.capacity import look
from pytest_goldenpath.journey.embedded import BackendNotStarted
from pytest_goldenpath.target.model import Target
from pytest_goldenpath.target.resolve import Options, Resolved, resolve
from pytest_goldenpath.verdict.capacity import UNKNOWN, Capacity, judge_capacity
from pytest_goldenpath.verdict.shown import Figure

_USAGE = 4
_WORDS = {
    "within": "within the thresholds, as far as the target shows it",
    "exceeded": "a threshold is passed",
    "unknown": "nothing can be said",
}
#: Never sent: nobody is logged in here, and the resolver wants to know who would be.
_NO_LOGIN = {"GOLDENPATH_TOKEN": "no-login-is-made-here"}


def capacity(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code: 0, 1, 4 or 75."""
    try:
        parsed = _parser().parse_args(list(arguments))
    except SystemExit as ended:  # argparse ends with 2, which means "interrupted" here
        return _USAGE if ended.code else 0
    blank = [name for name, value in vars(parsed).items() if value == ""]
    if blank:
        sys.stderr.write(f"goldenpath capacity: --{blank[0].replace('_', '-')}: it is blank\n")
        return _USAGE
    options = Options(
        target=parsed.target or "",
        staging=parsed.staging,
        auth_url=parsed.auth_url or "",
        ws_url=parsed.ws_url or "",
        env_file=parsed.env_file or "",
    )
    try:
        target, looked = look(_resolved(options).target)
    except ConfigError as error:
        sys.stderr.write(f"goldenpath capacity: {error}\n")
        return _USAGE
    except BackendNotStarted as error:
        report = Capacity(UNKNOWN, (str(error),), (), ())
        _tell(report, Target("local", "", "", ""), as_json=parsed.json)
        return report.exit_code
    report = judge_capacity(looked)
    _tell(report, target, as_json=parsed.json)
    return report.exit_code


def table(report: Capacity, target: Target) -> Iterator[str]:
    """Tell a report to people, the worst first."""
    yield f"capacity of {target.name} {target.backend}: {_WORDS[report.status]}"
    yield from (f"  {reason}" for reason in report.reasons)
    rows = [
        (figure.level, figure.name, _value(figure), figure.thresholds, figure.source)
        for figure in report.figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield f"  {'  '.join(cells)}  {row[-1]}"
    if report.hidden:
        yield "not shown:"
    yield from (f"  {name}: {reason}" for name, reason in report.hidden)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="goldenpath capacity",
        allow_abbrev=False,
        description="Tell what a target shows of its capacity, held against the platform's thresholds.",
    )
    parser.add_argument("--target", metavar="NAME|URL", help="where (default: local)")
    parser.add_argument("--staging", action="store_true", help="the same as --target staging")
    parser.add_argument("--auth-url", metavar="URL", help="address of the auth service")
    parser.add_argument("--ws-url", metavar="URL", help="address of the WebSocket")
    parser.add_argument("--env-file", metavar="PATH", help="a dotenv file under the environment")
    parser.add_argument("--json", action="store_true", help="print goldenpath-capacity/1")
    return parser


def _resolved(options: Options) -> Resolved:
    folders = (Path.cwd(),)
    try:
        return resolve(options, os.environ, folders)
    except ConfigError as error:
        if error.setting != "login":
            raise
    return resolve(options, {**os.environ, **_NO_LOGIN}, folders)


def _tell(report: Capacity, target: Target, *, as_json: bool) -> None:
    if as_json:
        document = report.document(name=target.name, backend=target.backend)
        sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        return
    sys.stdout.write("".join(f"{line}\n" for line in table(report, target)))


def _value(figure: Figure) -> str:
    if isinstance(figure.value, str):
        return figure.value
    return f"{figure.value:g} {figure.unit}".rstrip()
