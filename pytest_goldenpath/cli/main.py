"""The ``goldenpath`` command: one function a command, heavy imports inside it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

_USAGE = 4
#: What a project's own configuration would say; an installed package has none to read.
_RUN_OPTIONS = (
    "--import-mode=importlib",
    "-p",
    "no:cacheprovider",
    "-o",
    "asyncio_default_fixture_loop_scope=session",
    "-o",
    "asyncio_default_test_loop_scope=session",
    # This very command has imported the package, which pytest would have to be told.
    "-W",
    "ignore:Module already imported:pytest.PytestAssertRewriteWarning",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        argv: the arguments; those of the process when None.

    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "run":
        return run(rest)
    if command == "backend":
        return backend(rest)
    if command == "capacity":
        from pytest_goldenpath.cli.reports import capacity

        return capacity(rest)
    if command == "summary":
        from pytest_goldenpath.cli.reports import summary

        return summary(rest)
    if command == "trend":
        from pytest_goldenpath.cli.reports import trend

        return trend(rest)
    return _command(arguments)


def run(arguments: Sequence[str]) -> int:
    """Run the suites that came with the package; takes every option of pytest.

    The configuration of the folder it is called in stays out of it: only its targets file and
    its env file are read.
    """
    import pytest

    suites = suites_folder()
    options = (f"--rootdir={suites.parent}", *_RUN_OPTIONS, *_own_conftest(arguments))
    _forget_verdict(arguments)
    return int(pytest.main([str(suites), *options, *arguments]))


def _own_conftest(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return what loads the conftest of the folder, which holds a project's hooks.

    pytest looks for one beside the tests only, and these tests are in the installed package; with
    a path of the folder among the arguments it finds the conftest by itself.
    """
    paths = (
        value.partition("::")[0]
        for before, value in pairwise(("", *arguments))
        if not value.startswith("-") and not before.startswith("--")
    )
    if not Path("conftest.py").is_file() or any(Path(path).exists() for path in paths):
        return ()
    return ("-p", "pytest_goldenpath.cli.folder")


def _forget_verdict(arguments: Sequence[str]) -> None:
    """Remove an old verdict at once: a call that pytest refuses never comes to our own code."""
    from pytest_goldenpath.report.files import forget

    folder = ".goldenpath"
    for name, value in pairwise((*arguments, "")):
        option, _, told = name.partition("=")
        if option in {"--evidence-dir", "--goldenpath-evidence-dir"}:
            folder = told or value
    forget(Path(folder))


def run_file(path: str) -> int:
    """Run one file of suites, called as a script, as pytest does; returns its exit code.

    Args:
        path: the file; the options are those that the script was called with.

    """
    import pytest

    file = Path(path).resolve()
    root = file.parents[2]
    return int(pytest.main([str(file), f"--rootdir={root}", *_RUN_OPTIONS, *sys.argv[1:]]))


def backend(arguments: Sequence[str]) -> int:
    """Run the reference backend by hand, until it is interrupted."""
    from pytest_goldenpath.reference.__main__ import main as serve

    return serve(list(arguments), "goldenpath backend")


def suites_folder() -> Path:
    """Return the folder of the suites: in an installed package, or in a checkout beside it."""
    package = Path(__file__).parent.parent
    installed = package / "suites"
    return installed if installed.is_dir() else package.parent / "suites"


def replay(path: Path) -> int:
    """Judge a saved transcript again and print what is found."""
    from pytest_goldenpath.cli.reports import replay as judge_again
    from pytest_goldenpath.errors import EvidenceError

    try:
        code, lines = judge_again(path)
    except EvidenceError as error:
        sys.stderr.write(f"goldenpath replay {path}: {error}\n")
        return _USAGE
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


def explain(code: str) -> int:
    """Print what a finding's code means."""
    from pytest_goldenpath.cli.reports import explain as page_of
    from pytest_goldenpath.contract.registry import RULES
    from pytest_goldenpath.target.sources import closest

    if code.upper() not in RULES:
        sys.stderr.write(f"goldenpath explain {code}: unknown code; {closest(code, RULES)}\n")
        return _USAGE
    sys.stdout.write("".join(f"{line}\n" for line in page_of(code.upper())))
    return 0


def _command(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="goldenpath", description="Decide whether a deployment may serve users."
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {version('pytest-goldenpath')}"
    )
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", dest="command")
    commands.add_parser("run", help="run the suites; takes every option of pytest")
    commands.add_parser("backend", help="run the reference backend by hand")
    commands.add_parser("capacity", help="tell what a target shows of its capacity")
    commands.add_parser("summary", help="merge verdict files into one verdict")
    commands.add_parser("trend", help="compare the verdicts of earlier runs")
    again = commands.add_parser("replay", help="judge a saved transcript again")
    again.add_argument("file", type=Path, help="a file of .goldenpath/transcripts")
    about = commands.add_parser("explain", help="tell what a finding's code means")
    about.add_argument("code", help="such as GP-101")
    if not arguments:
        parser.print_help()
        return _USAGE
    try:
        parsed = parser.parse_args(arguments)
    except SystemExit as ended:  # argparse ends with 2, which means "interrupted" here
        return _USAGE if ended.code else 0
    return replay(parsed.file) if parsed.command == "replay" else explain(parsed.code)
