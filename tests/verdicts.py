"""Verdict documents for tests, made as a run makes them, and strategies that draw them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
from pytest_goldenpath.target.model import Target
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.checks import Check, Outcome, readiness
from pytest_goldenpath.verdict.decide import decide
from pytest_goldenpath.verdict.document import RunFacts, document
from pytest_goldenpath.verdict.excerpt import Step
from pytest_goldenpath.verdict.outage import Outages
from pytest_goldenpath.verdict.warmup import DB, VPC, ProbeReport, ResilienceReport

TARGET = Target(
    "staging", "https://api.example.com", "https://auth.example.com", "wss://api.example.com/ws"
)
BEGAN = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
WARM = ResilienceReport(
    "auto",
    (
        ProbeReport(VPC, ready=True, took_s=0.4, budget_s=60.0, probes=3, proof="quick answers"),
        ProbeReport(DB, ready=True, took_s=0.6, budget_s=45.0, probes=1, proof="read back"),
    ),
    0.6,
)
FINDING = Finding(
    "GP-502",
    Severity.MUST,
    "expected a real answer, got a mock",
    "answer: Mock response for: a question",
)
NOTE = Finding("GP-105", Severity.SHOULD, "expected a deep body, got a shallow one")


def check(number: int, outcome: Outcome = Outcome.PASSED, **changes: Any) -> Check:
    """Build a check that fits its outcome."""
    made = Check(f"suites/smoke/test_it.py::test_{number}", "smoke", ("GP-101",), outcome)
    if outcome is Outcome.FAILED:
        told = {"attribution": Attribution.PRODUCT, "findings": (FINDING,), "reason": "GP-502 mock"}
        made = replace(made, requirements=("GP-502",), **told)
    if outcome is Outcome.INCONCLUSIVE:
        made = replace(
            made, attribution=Attribution.INFRASTRUCTURE, reason="health: refused", row="E4-12"
        )
    if outcome is Outcome.SKIPPED:
        made = replace(made, reason="GP-601: there is no second user")
    return replace(made, **changes)


def verdict(
    *checks: Check,
    target: Target = TARGET,
    bypass: Bypass | None = None,
    exit_code: int | None = None,
    unfinished: tuple[str, ...] = (),
    **facts: Any,
) -> dict[str, Any]:
    """Build the document of a run with these checks; one that passed when there are none."""
    made = checks or (check(1),)
    decision = decide(made, bypass=bypass, unfinished=unfinished)
    known = RunFacts(
        target,
        facts.pop("revision", "1.4.2"),
        "seed",
        ("smoke",),
        "full",
        facts.pop("began", BEGAN).isoformat(timespec="seconds"),
        facts.pop("duration_s", 12.0),
        bypass or Bypass(),
        facts.pop("http_503", 0),
        readiness(made),
        facts.pop("warmup", WARM),
        facts.pop("outages", Outages()),
        facts.pop("slowest", (Step("login (password)", 0.5),)),
        facts.pop("command", "goldenpath run --target staging"),
        facts.pop("timings", {"run_s": 1.5}),
    )
    code = int(decision.exit_code) if exit_code is None else exit_code
    return document(decision, made, known, exit_code=code)


_CHECKS = st.builds(
    lambda number, outcome, **changes: check(
        number, outcome, category="smoke" if number % 2 else "remediation", **changes
    ),
    st.integers(1, 4),
    st.sampled_from(Outcome),
    duration_s=st.floats(0, 10),
    attempts=st.integers(1, 3),
)
_TARGETS = st.sampled_from(
    [
        TARGET,
        replace(TARGET, name="local", backend="http://127.0.0.1:4001", embedded=True),
        replace(TARGET, name="local", backend="http://127.0.0.1:4002", embedded=True),
        replace(TARGET, name="preview", backend="https://preview.example.com"),
    ]
)
_BYPASSES = st.sampled_from(
    [
        None,
        Bypass(("environment DEMO_MODE",), BEGAN + timedelta(days=9)),
        Bypass(("environment DEMO_MODE",), BEGAN, expired=True, problem="expired"),
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the document of any run."""
    unique = {one.id: one for one in draw(st.lists(_CHECKS, min_size=1, max_size=4))}
    return verdict(
        *unique.values(),
        target=draw(_TARGETS),
        bypass=draw(_BYPASSES),
        unfinished=draw(st.sampled_from([(), ("suites/smoke/test_it.py::test_9",)])),
        revision=draw(st.sampled_from(["", "1.4.2", "1.4.3"])),
        began=BEGAN + timedelta(seconds=draw(st.integers(0, 1000))),
        duration_s=draw(st.floats(0, 100)),
        http_503=draw(st.integers(0, 3)),
        outages=Outages(draw(st.integers(0, 3)), waited_s=draw(st.floats(0, 30))),
    )
