"""Shields every test from the machine's settings, and runs the suites as a user does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# A machine that is busy with other tests is no reason to call an example slow.
settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")

pytest_plugins = ["pytester"]

SMOKE = Path(__file__).parent.parent / "suites" / "smoke"
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
