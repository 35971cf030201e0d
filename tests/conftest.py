"""Shields every test from the machine's settings, and runs the suites as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A machine that is busy with other tests is no reason to call an example slow.
settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")

pytest_plugins = ["pytester"]

SMOKE = Path(__file__).parent.parent / "suites" / "smoke"
FORKING = Path(__file__).parent / "forking"
#: Elsewhere, or when told so, each process of the tests is a Python of its own from the beginning.
CAN_FORK = sys.platform == "linux" and "GOLDENPATH_TEST_REAL_PYTHON" not in os.environ
_PREFIXES = ("GOLDENPATH_", "EMERGENCY_", "BYPASS_", "SKIP_", "PYTEST_XDIST_")
_NAMES = (
    "NETRA_BACKEND_URL",
    "AUTH_SERVICE_URL",
    "WEBSOCKET_URL",
    "FRONTEND_URL",
    "E2E_OAUTH_SIMULATION_KEY",
    "DEMO_MODE",
    "PYTEST_ADDOPTS",
)
_WITHIN_S = 120.0


@pytest.fixture(autouse=True)
def _untouched_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.startswith(_PREFIXES) or name in _NAMES:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def forked_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the path of a Python that has imported everything before: see forking/server.py.

    Beside it are ``pytest`` and ``goldenpath`` as they are beside the Python that is installed.
    """
    folder = tmp_path_factory.mktemp("forking")
    server, python = folder / "server", folder / "python"
    client = (FORKING / "client.py").read_text()
    known = client.replace('"", ""', f"{str(server)!r}, {sys.executable!r}", 1)
    python.write_text(f"#!{sys.executable} -IS\n{known}")
    for command in ("pytest", "goldenpath"):
        script = Path(sysconfig.get_path("scripts")) / command
        (folder / command).write_text(f'#!/bin/sh\nexec "{python}" "{script}" "$@"\n')
        (folder / command).chmod(0o700)
    python.chmod(0o700)
    with subprocess.Popen(
        [sys.executable, "-P", str(FORKING / "server.py"), str(server)],
        cwd=folder,
        stdin=subprocess.PIPE,
    ) as process:
        yield str(python)
        assert process.stdin
        process.stdin.close()


@pytest.fixture(autouse=True)
def _forked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if CAN_FORK and not request.node.get_closest_marker("real_python"):
        monkeypatch.setattr(sys, "executable", request.getfixturevalue("forked_python"))


@pytest.fixture
def run_suite(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Return a function that runs the smoke suite from the empty folder of this test.

    Without an evidence folder no option of ours is added.
    """

    def run(*options: str, evidence: str = "evidence") -> pytest.RunResult:
        ours = [f"--evidence-dir={pytester.path / evidence}"] if evidence else []
        return pytester.runpytest_subprocess(
            str(SMOKE),
            f"--rootdir={SMOKE.parent.parent}",
            "-p",
            "no:cacheprovider",
            *ours,
            *options,
            timeout=_WITHIN_S,
        )

    return run
