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
#: Faults that no single journey shows: they need a second request.
OUT_OF_SIGHT = {"cached-answer", "run-id-shared"}
#: Faults about time are judged by the promised budgets, which takes that long.
SLOW = {"first-event-late", "long-gap", "run-too-long", "late-welcome"}
EXITS = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 75}

pytestmark = pytest.mark.matrix


def proven_in(category: str, code: str) -> bool:
    """Tell whether a suite proves a promise."""
    return code in RULES and category in RULES[code].categories


def seen_by(category: str) -> list[str]:
    """Return the faults that some promise of a suite has to find."""
    return [
        name
        for name, fault in FAULTS.items()
        if category in fault.categories
        and any(proven_in(category, code) for code in fault.codes)
        and name not in OUT_OF_SIGHT
    ]


SMOKE = seen_by("smoke")
MISSION = [name for name in seen_by("mission_critical") if name not in SMOKE]
REST = [name for name in seen_by("remediation") if name not in {*SMOKE, *MISSION}]
CASES = [
    *(("smoke", name) for name in SMOKE),
    *(("mission_critical", name) for name in MISSION),
    *(("remediation", name) for name in REST),
]


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_healthy_variant_passes(tmp_path: Path, name: str) -> None:
    """No dialect of a healthy platform is accused, whatever the category."""
    ran = run(tmp_path, f"--variant={name}")

    assert (ran.code, ran.verdict["verdict"], ran.codes()) == (0, "PASS", set()), ran.out


@pytest.mark.parametrize(("category", "name"), CASES, ids=[f"{c}-{n}" for c, n in CASES])
def test_fault_is_found_and_named(tmp_path: Path, category: str, name: str) -> None:
    """A fault gives its verdict and its codes, and no finding that it does not imply."""
    ran = run_with(tmp_path, category, name)
    fault = FAULTS[name]
    wanted = {code for code in fault.codes if proven_in(category, code)}
    must = {code for code in wanted if RULES[code].severity is Severity.MUST}
    verdict = OTHER_VERDICTS.get(name, "FAIL" if must else "PASS")

    assert wanted <= ran.codes() | ran.codes("should"), ran.out
    assert ran.codes() <= {*fault.codes, *fault.implied}, ran.out
    assert (ran.code, ran.verdict["verdict"]) == (EXITS[verdict], verdict), ran.out


def run_with(folder: Path, category: str, name: str) -> Ran:
    """Run a suite with a fault; silences are cut short, a revision is expected if it matters."""
    revision = ("--expect-revision=ref-deployed",) if name == "stale-revision" else ()
    hurry = {} if name in SLOW else {"GOLDENPATH_EVENT_DEADLINE_S": "3"}
    return run(folder, f"--category={category}", f"--fault={name}", *revision, **hurry)
