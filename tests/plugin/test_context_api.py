"""Promises by import through real runs: told apart, told as unimportable, never a silent skip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reference.driver import USERS, started
from running import Ran, run

pytestmark = pytest.mark.matrix

DISTRIBUTED = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "-n 2"])
IMPORTED = str(Path(__file__).parent.parent / "imported")
PARAMETER = ("--category=mission_critical", "-k", "test_client_id_is_accepted")


def imported(folder: Path, path: str, *options: str) -> Ran:
    """Run the check of the parameter with this class."""
    folder.mkdir()
    variables = {"GOLDENPATH_CONTEXT_API": path, "PYTHONPATH": IMPORTED}
    return run(folder, *PARAMETER, *options, **variables)


def only_check(ran: Ran) -> dict[str, Any]:
    """Return the one check of a run."""
    (check,) = ran.verdict["checks"]
    found: dict[str, Any] = check
    return found


@DISTRIBUTED
def test_builds_are_told_apart(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """The build of before the outage was mended is FAIL by GP-701, that of after it is PASS."""
    now = imported(tmp_path / "now", "platform_now:UserExecutionContext", *workers)
    before = imported(tmp_path / "before", "platform_before:UserExecutionContext", *workers)

    assert (now.code, now.verdict["verdict"]) == (0, "PASS"), now.out
    assert (before.code, before.codes()) == (1, {"GP-701"}), before.out
    assert "websocket_client_id" in before.verdict["reasons"][0]
    assert "TypeError" in before.verdict["reasons"][0]


@DISTRIBUTED
def test_module_that_cannot_be_imported_is_told(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """It is no wrong setting: the check is skipped by name, and a gate is not green."""
    path = "platform_of_nobody.context:UserExecutionContext"
    plain = imported(tmp_path / "plain", path, *workers)
    gated = imported(tmp_path / "gated", path, "--gate", *workers)

    assert only_check(plain)["outcome"] == "skipped"
    assert f"{path} cannot be imported" in only_check(plain)["reason"]
    assert "No module named 'platform_of_nobody'" in only_check(plain)["reason"]
    assert plain.code == gated.code == 75
    assert "GP-701 skipped under --gate" in gated.out


def test_target_without_a_class_says_so(tmp_path: Path) -> None:
    """Of a target that names no class nothing is imported, and the check says why."""
    with started() as twin:
        ran = run(
            tmp_path,
            *PARAMETER,
            f"--target={twin.backend}",
            f"--auth-url={twin.auth}",
            f"--ws-url={twin.ws}",
            GOLDENPATH_EMAIL=USERS[0]["email"],
            GOLDENPATH_PASSWORD=USERS[0]["password"],
        )

    assert only_check(ran)["outcome"] == "skipped"
    assert "no context_api is set" in only_check(ran)["reason"]
