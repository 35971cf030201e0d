"""Every fault is found and named, every healthy variant passes: real runs, one for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_goldenpath.contract.findings import Severity
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.reference.catalogue import FAULTS, VARIANTS
from running import Ran, run

#: Verdicts of faults that are none of the product's, or are only reported.
OTHER_VERDICTS = {"upstream-429": "INCONCLUSIVE", "welcome-no-user": "PASS"}
SMOKE_FAULTS = sorted(name for name, fault in FAULTS.items() if "smoke" in fault.categories)
EXITS = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 75}

pytestmark = pytest.mark.matrix


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_healthy_variant_passes(tmp_path: Path, name: str) -> None:
    """No dialect of a healthy platform is accused."""
    ran = run(tmp_path, "--category=smoke", f"--variant={name}")

    assert (ran.code, ran.verdict["verdict"], ran.codes()) == (0, "PASS", set()), ran.out


@pytest.mark.parametrize("name", SMOKE_FAULTS)
def test_fault_is_found_and_named(tmp_path: Path, name: str) -> None:
    """A fault gives its verdict and its codes, and no finding that it does not imply."""
    ran = smoke(tmp_path, name)
    fault = FAULTS[name]
    wanted = {code for code in fault.codes if proven_in_smoke(code)}
    must = {code for code in wanted if RULES[code].severity is Severity.MUST}
    verdict = OTHER_VERDICTS.get(name, "FAIL" if must else "PASS")

    assert wanted
    assert wanted <= ran.codes() | ran.codes("should")
    assert ran.codes() <= {*fault.codes, *fault.implied}
    assert (ran.code, ran.verdict["verdict"]) == (EXITS[verdict], verdict), ran.out


def smoke(folder: Path, name: str) -> Ran:
    """Run smoke with a fault; silences are cut short, and a revision is expected if it matters."""
    revision = ("--expect-revision=ref-deployed",) if name == "stale-revision" else ()
    return run(
        folder, "--category=smoke", f"--fault={name}", *revision, GOLDENPATH_EVENT_DEADLINE_S="3"
    )


def proven_in_smoke(code: str) -> bool:
    """Tell whether the smoke suite proves a promise."""
    return code in RULES and "smoke" in RULES[code].categories
