"""The ``goldenpath`` command: one function a command, heavy imports inside it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
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
    return _overview(arguments)


def run(arguments: Sequence[str]) -> int:
    """Run the suites that came with the package; takes every option of pytest.

    The configuration of the folder it is called in stays out of it: only its targets file and
    its env file are read.
    """
    import pytest

    suites = suites_folder()
    return int(pytest.main([str(suites), f"--rootdir={suites.parent}", *_RUN_OPTIONS, *arguments]))


def backend(arguments: Sequence[str]) -> int:
    """Run the reference backend by hand, until it is interrupted."""
    from pytest_goldenpath.reference.__main__ import main as serve

    return serve(list(arguments))


def suites_folder() -> Path:
    """Return the folder of the suites: in an installed package, or in a checkout beside it."""
    package = Path(__file__).parent.parent
    installed = package / "suites"
    return installed if installed.is_dir() else package.parent / "suites"


def _overview(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="goldenpath", description="Decide whether a deployment may serve users."
    )
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    commands.add_parser("run", help="run the suites; takes every option of pytest")
    commands.add_parser("backend", help="run the reference backend by hand")
    if not arguments:
        parser.print_help()
        return _USAGE
    parser.parse_args(arguments)
    return 0
