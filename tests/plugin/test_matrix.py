"""Every fault is found and named, every healthy variant passes: real runs, one for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_goldenpath.contract.findings import Severity
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.reference.catalogue import FAULTS, VARIANTS
from running import Ran, run

PRODUCT = {"product", "auth"}
#: Verdict and attribution of faults that are none of the product's.
OTHER = {"upstream-429": ("INCONCLUSIVE", {"upstream"})}
#: Faults that a rule of must weight only reports: a healthy platform may be like that as well.
REPORTED = {"welcome-no-user", "canonical-types-swallowed", "auth-failed-1011"}
#: Faults about time are judged by the promised budgets, which takes that long; so only the check
#: that has to find them is run.
SLOW = {
    "first-event-late": "events_come_in_time",
    "long-gap": "events_come_in_time",
    "run-too-long": "events_come_in_time",
    "late-welcome": "welcome",
}
EXITS = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 75}
#: Silences are cut short, and a few users do for a crowd.
HURRY = {"GOLDENPATH_HEARTBEAT_S": "0.5", "GOLDENPATH_USERS": "4"}
#: Plugins of other people that these runs load for nothing; they cost a fifth of the time.
LEAN = [f"-pno:{name}" for name in ("allure_pytest", "hypothesispytest", "rerunfailures", "xdist")]
IMPATIENT = {"GOLDENPATH_EVENT_DEADLINE_S": "3"}

pytestmark = pytest.mark.matrix


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_healthy_variant_passes(tmp_path: Path, name: str) -> None:
    """No dialect of a healthy platform is accused, whatever the category."""
    ran = run(tmp_path, f"--variant={name}", *LEAN, **HURRY)

    assert (ran.code, ran.verdict["verdict"], ran.codes()) == (0, "PASS", set()), ran.out


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_fault_is_found_and_named(tmp_path: Path, name: str) -> None:
    """A fault gives its verdict and its codes, and no finding that it does not imply."""
    ran = run_with(tmp_path, name)
    fault = FAULTS[name]
    found = ran.codes()
    must = {code for code in fault.codes if RULES[code].severity is Severity.MUST}
    verdict, blamed = OTHER.get(name, ("FAIL", PRODUCT) if found else ("PASS", set()))

    assert set(fault.codes) <= found | ran.codes("should"), ran.out
    assert found <= {*fault.codes, *fault.implied}, ran.out
    assert must <= found or name in REPORTED, ran.out
    assert ran.attributions() <= blamed, ran.out
    assert (ran.code, ran.verdict["verdict"]) == (EXITS[verdict], verdict), ran.out


def run_with(folder: Path, name: str) -> Ran:
    """Run all suites with a fault; a revision is expected if it matters."""
    revision = ("--expect-revision=ref-deployed",) if name == "stale-revision" else ()
    if name in SLOW:
        return run(
            folder, f"--fault={name}", "--category=mission_critical", "-k", SLOW[name], *LEAN
        )
    return run(folder, f"--fault={name}", *revision, *LEAN, **HURRY, **IMPATIENT)
