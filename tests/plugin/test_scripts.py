"""Each file of checks called by its name, as runbooks do, is pytest on that file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reference.driver import USERS, Twin, started
from running import SUITES, environment, read_verdict

pytestmark = pytest.mark.matrix

SCRIPTS = [
    "mission_critical/test_basic_service_health.py",
    "mission_critical/test_websocket_agent_events_suite.py",
    "remediation/test_issue_358_golden_path_validation.py",
]
_WITHIN_S = 120


@pytest.fixture(params=["", "health-500"], ids=["healthy", "broken"])
def staging(request: pytest.FixtureRequest) -> Iterator[Twin]:
    """Run a backend that stands where staging is."""
    with started(*([f"--fault={request.param}"] if request.param else [])) as twin:
        yield twin


def called(
    folder: Path, command: list[str], twin: Twin | None = None
) -> tuple[int, str, dict[str, Any]]:
    """Call a command; returns its exit code, what it printed, and its verdict."""
    folder.mkdir()
    variables = addresses(twin) if twin else {}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, read_verdict(folder / ".goldenpath")


def addresses(twin: Twin) -> dict[str, str]:
    """Return the variables that put a backend in staging's place."""
    return {
        "NETRA_BACKEND_URL": twin.backend,
        "AUTH_SERVICE_URL": twin.auth,
        "WEBSOCKET_URL": twin.ws,
        "GOLDENPATH_EMAIL": USERS[0]["email"],
        "GOLDENPATH_PASSWORD": USERS[0]["password"],
        "GOLDENPATH_EVENT_DEADLINE_S": "3",
    }


def outcomes(verdict: dict[str, Any]) -> dict[str, str]:
    """Return what became of each check, by its name."""
    return {check["id"].rpartition("::")[2]: check["outcome"] for check in verdict["checks"]}


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_is_pytest_on_its_file(tmp_path: Path, staging: Twin, script: str) -> None:
    """``python FILE --staging`` gives the checks, outcomes and exit code of pytest."""
    file = str(SUITES / script)
    code, out, verdict = called(tmp_path / "script", [file, "--staging"], staging)
    expected = called(tmp_path / "pytest", ["-m", "pytest", file, "--staging"], staging)

    assert code == expected[0], out
    assert outcomes(verdict) == outcomes(expected[2])
    assert outcomes(verdict)
    assert verdict["verdict"] == expected[2]["verdict"] in {"PASS", "FAIL"}
    assert verdict["target"]["name"] == "staging"


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "two-workers"])
def test_script_without_a_target_starts_the_embedded_one(
    tmp_path: Path, options: list[str]
) -> None:
    """Called with nothing, a script validates the reference backend."""
    code, out, verdict = called(tmp_path / "script", [str(SUITES / SCRIPTS[0]), *options])

    assert (code, verdict["verdict"]) == (0, "PASS"), out


def test_wrong_option_of_a_script_is_refused(tmp_path: Path) -> None:
    """An option that is not there ends a script as it ends pytest."""
    code, out, verdict = called(tmp_path / "script", [str(SUITES / SCRIPTS[0]), "--stagin-g"])

    assert (code, verdict) == (4, {})
    assert "--stagin-g" in out
