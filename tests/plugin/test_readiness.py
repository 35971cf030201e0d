"""The readiness score of real runs: in the summary and in the verdict, alone and distributed."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from pytest_goldenpath.verdict.document import schema
from running import run

pytestmark = pytest.mark.matrix

DISTRIBUTED = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "-n 2"])
REMEDIATION = "--category=remediation"


@DISTRIBUTED
def test_healthy_target_is_wholly_ready(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Every remediation check is proven, and the summary says so."""
    ran = run(tmp_path, REMEDIATION, *workers)
    found = ran.verdict["readiness"]

    jsonschema.validate(ran.verdict, schema())
    assert (ran.code, found["score"], found["missing"]) == (0, 100, [])
    assert found["proven"] == found["selected"] == len(ran.verdict["checks"])
    assert f"readiness: 100 % ({found['proven']} of {found['selected']} remediation" in ran.out


@DISTRIBUTED
def test_what_is_missing_is_listed(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Each check that is not proven is named, with the share of the others."""
    ran = run(tmp_path, REMEDIATION, "--fault=context-manager-missing", *workers)
    found = ran.verdict["readiness"]
    failed = [check["id"] for check in ran.verdict["checks"] if check["outcome"] == "failed"]

    jsonschema.validate(ran.verdict, schema())
    assert ran.code == 1
    assert found["missing"] == failed != []
    assert found["score"] == 1000 * found["proven"] // found["selected"] / 10
    assert all(f"not proven: {name}" in ran.out for name in failed)


@DISTRIBUTED
def test_checks_that_did_not_run_are_not_proven(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Stopping at the first failure does not flatter the score."""
    ran = run(tmp_path, REMEDIATION, "-x", "--fault=health-500", *workers)
    found = ran.verdict["readiness"]

    assert found["selected"] > len(ran.verdict["checks"])
    assert len(found["missing"]) == found["selected"] - found["proven"]


def test_other_categories_have_no_score(tmp_path: Path) -> None:
    """A smoke run says nothing of readiness."""
    ran = run(tmp_path, "--category=smoke")

    assert "readiness" not in ran.verdict
    assert "readiness:" not in ran.out
