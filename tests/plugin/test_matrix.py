"""Every fault is found and named, every healthy variant passes: all promises against a real backend.

Each case has a reference backend of its own, in a process of its own. The survey, the rules and the
verdict are those of a run; what pytest itself adds is proven by whole runs for the first faults,
for the slow ones and for every way in which a run can end.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_goldenpath.contract.findings import Finding, Severity
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.registry import OWNERS, RULES
from pytest_goldenpath.journey.conduct import conduct
from pytest_goldenpath.journey.embedded import EmbeddedBackend
from pytest_goldenpath.plugin.proof import require
from pytest_goldenpath.reference.faults import FAULTS, VARIANTS
from pytest_goldenpath.secrets import Redactor
from pytest_goldenpath.target.model import REFERENCE_CONTEXT, PasswordLogin, Target, Wallet
from pytest_goldenpath.verdict.checks import Check, Outcome, explain
from pytest_goldenpath.verdict.decide import Decision, decide
from running import run

PRODUCT = {"product", "auth"}
#: Verdict and attribution of faults that are none of the product's.
UPSTREAM = ("INCONCLUSIVE", {"upstream"})
OTHER = {"upstream-429": UPSTREAM, "later-runs-upstream-429": UPSTREAM}
#: Faults that a rule of must weight only reports: a healthy platform may be like that as well.
REPORTED = {"welcome-no-user", "canonical-types-swallowed", "auth-failed-1011"}
#: Faults about time are judged by the promised budgets, which takes that long; so only the check
#: that has to find them is run.
SLOW = {
    "first-event-late": "events_come_in_time",
    "long-gap": "events_come_in_time",
    "run-too-long": "events_come_in_time",
    "later-runs-slow": "events_come_in_time or connections_are_apart",
    "late-welcome": "welcome",
}
#: Faults that whole runs of pytest are made with: one or more for each part of the golden path.
WHOLE = (
    "health-500",
    "health-degraded",
    "login-500",
    "ws-1011-after-accept",
    "missing-agent-started",
    "missing-agent-thinking",
    "missing-tool-executing",
    "missing-tool-completed",
    "missing-agent-completed",
    "mock-answer",
    "upstream-429",
    "welcome-no-user",
    "events-to-everyone",
    "context-without-client-id",
    "threads-503",
)
EXITS = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 75}
#: Silences are cut short, and a few users do for a crowd.
HURRY = {"GOLDENPATH_HEARTBEAT_S": "0.5", "GOLDENPATH_USERS": "4"}
IMPATIENT = {"GOLDENPATH_EVENT_DEADLINE_S": "3"}
#: Ask every promise about every fault, which takes a quarter of an hour; else those that may know.
EVERYTHING = bool(os.environ.get("GOLDENPATH_TEST_EVERYTHING"))
#: A 503, or an old build, that only one part of the API answers: the promise reads whatever was
#: looked at. And places run out only when everything is looked at.
SEEN_BY_ALL = {"threads-503", "places-leak", "stale-api"}
#: Faults that smoke does not meet, so the other runs and doors have to be looked at.
BEYOND_SMOKE = {
    *(name for name, fault in FAULTS.items() if "run.spares" in dict(fault.effects)),
    "closes-long-after-run",
    "closes-on-second-request",
    "event-long-after-completion",
    "events-to-my-idle-connections",
    "reconnect-deaf",
    "second-request-ignored",
    "accepts-forged-query",
    "accepts-forged-whole-subprotocol",
    "accepts-unsigned-subprotocol",
    "trial-login-open",
    "unguarded-sockets",
}
USERS, HEARTBEAT_S, EVENT_DEADLINE_S = 4, 0.5, 3.0

pytestmark = pytest.mark.matrix


@dataclass(frozen=True)
class Judged:
    """All promises judged against one backend."""

    findings: tuple[Finding, ...]
    decision: Decision

    def codes(self, severity: Severity = Severity.MUST) -> set[str]:
        """Return the codes of the findings of one weight."""
        return {f.code for f in self.findings if f.severity is severity}

    def told(self) -> str:
        """Return every finding as text, for who reads a failure."""
        return "\n".join(finding.text() for finding in self.findings)


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_healthy_variant_passes(name: str) -> None:
    """No dialect of a healthy platform is accused, whatever the promise."""
    judged = look(variant=name)

    assert (judged.decision.verdict, judged.codes()) == ("PASS", set()), judged.told()


@pytest.mark.parametrize("name", sorted(set(FAULTS) - set(SLOW)))
def test_fault_is_found_and_named(name: str) -> None:
    """A fault gives its verdict and its codes, and no finding that it does not imply."""
    judged = look(fault=name)
    fault, found = FAULTS[name], judged.codes()
    must = {code for code in fault.codes if RULES[code].severity is Severity.MUST}
    verdict, blamed = OTHER.get(name, ("FAIL", PRODUCT) if found else ("PASS", set()))

    assert set(fault.codes) <= found | judged.codes(Severity.SHOULD), judged.told()
    assert found <= {*fault.codes, *fault.implied}, judged.told()
    assert must <= found or name in REPORTED, judged.told()
    assert whom(judged) <= blamed, judged.told()
    assert (judged.decision.verdict, judged.decision.exit_code) == (verdict, EXITS[verdict])


@pytest.mark.parametrize("name", [*SLOW, *WHOLE])
def test_whole_run_says_the_same(tmp_path: Path, name: str) -> None:
    """A run of the suites in a process of its own finds the fault and ends as its verdict says."""
    if name in SLOW:
        ran = run(tmp_path, f"--fault={name}", "--category=mission_critical", "-k", SLOW[name])
    else:
        ran = run(tmp_path, f"--fault={name}", **HURRY, **IMPATIENT)
    fault, found = FAULTS[name], ran.codes()
    verdict, blamed = OTHER.get(name, ("FAIL", PRODUCT) if found else ("PASS", set()))

    assert set(fault.codes) <= found | ran.codes("should"), ran.out
    assert found <= {*fault.codes, *fault.implied}, ran.out
    assert ran.attributions() <= blamed, ran.out
    assert (ran.code, ran.verdict["verdict"]) == (EXITS[verdict], verdict), ran.out


def test_whole_healthy_run_passes(tmp_path: Path) -> None:
    """A run of all suites against the healthy backend is green and proves everything."""
    ran = run(tmp_path, **HURRY)

    assert (ran.code, ran.verdict["verdict"], ran.codes()) == (0, "PASS", set()), ran.out
    assert set(ran.verdict["counts"]) >= {"passed"}
    assert ran.verdict["counts"]["passed"] == len(ran.verdict["checks"])


def whom(judged: Judged) -> set[str]:
    """Return whom the findings of must weight blame."""
    return {f.attribution for f in judged.findings if f.severity is Severity.MUST}


def observations(fault: str) -> frozenset[str]:
    """Return what to look at: all for a variant, and what the fault's promises and smoke read."""
    if not fault or fault in SEEN_BY_ALL or EVERYTHING:
        return frozenset(OWNERS)
    smoke = {need for rule in RULES.values() if "smoke" in rule.categories for need in rule.needs}
    rules = [RULES[code] for code in FAULTS[fault].codes]
    needs = {need for rule in rules for need in rule.needs}
    reads = {name for rule in rules for name in rule.reads if fault in BEYOND_SMOKE}
    return frozenset(smoke | needs | reads)


def look(fault: str = "", variant: str = "") -> Judged:
    """Survey a reference backend with this fault or variant, and judge every promise."""
    wanted = observations(fault)
    faults, variants = [name for name in (fault,) if name], [name for name in (variant,) if name]
    backend = EmbeddedBackend(faults, variants, users=USERS, heartbeat_s=HEARTBEAT_S)
    try:
        started = backend.wait()
        target = Target(
            "local",
            started.backend,
            started.auth,
            started.ws,
            embedded=True,
            revision="ref-deployed" if fault == "stale-revision" else "",
            context_api=REFERENCE_CONTEXT,
            faults=tuple(faults),
            first_event_s=EVENT_DEADLINE_S,
            event_deadline_s=EVENT_DEADLINE_S,
            heartbeat_s=HEARTBEAT_S,
            users=USERS,
        )
        first, second, *crowd = (PasswordLogin(email, word) for email, word in started.users)
        wallet = Wallet(first, started.expired_token, second=second, crowd=tuple(crowd))
        survey = asyncio.run(conduct(target, wallet, Redactor(), wanted))
    finally:
        backend.stop()
    codes = [code for code, rule in RULES.items() if set(rule.needs) <= wanted]
    judgements = [judge(code, survey) for code in codes]
    checks = [_checked(code, judgement) for code, judgement in zip(codes, judgements, strict=True)]
    return Judged(tuple(f for j in judgements for f in j.findings), decide(checks))


def _checked(code, judgement) -> Check:  # noqa: ANN001  # as the prove fixture does
    try:
        require((judgement,))
    except BaseException as error:  # noqa: BLE001  # a skip is one as well
        told = explain(error)
        return Check(code, "", (code,), told.outcome, told.attribution, told.findings, told.reason)
    return Check(code, "", (code,), Outcome.PASSED, None, judgement.findings, "")
