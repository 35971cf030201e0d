"""What probe reports mean together, and what they do to a verdict."""

from __future__ import annotations

import json

import pytest

from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.verdict.checks import Check, Outcome
from pytest_goldenpath.verdict.decide import Verdict, decide
from pytest_goldenpath.verdict.warmup import ProbeReport, ResilienceReport, from_plain

REFUSED = Symptom(Kind.REFUSED, "backend health", "http://h/health", detail="ConnectError")
READY = ProbeReport("vpc", ready=True, took_s=0.2, budget_s=60, probes=3, proof="3 quick answers")
LATE = ProbeReport("vpc", ready=False, took_s=60, budget_s=60, probes=63, last_error="refused")
PASSED = Check("a", "smoke", ("GP-101",), Outcome.PASSED)


def test_truth_needs_probes_that_are_all_ready() -> None:
    """No probe is no readiness, and one that is late is enough to be false."""
    db = ProbeReport("db", ready=True)

    assert not ResilienceReport()
    assert not ResilienceReport(probes=(LATE, db))
    assert ResilienceReport(probes=(READY, db))


@pytest.mark.parametrize(
    ("symptom", "blocks"),
    [
        (REFUSED, True),
        (Symptom(Kind.HTTP_STATUS, "x", status=503), True),
        (Symptom(Kind.HTTP_STATUS, "x", status=429), True),
        (Symptom(Kind.DNS_UNKNOWN, "x"), True),
        (Symptom(Kind.TLS_CERTIFICATE, "x"), False),
        (Symptom(Kind.HTTP_STATUS, "x", status=503, app_made=True, ready=True), False),
        (Symptom(Kind.ANSWER_TIMEOUT, "x", ready=True), False),
        (None, False),
    ],
)
def test_only_trouble_that_does_not_accuse_the_product_blocks(
    symptom: Symptom | None, blocks: bool
) -> None:
    """What the product itself does is for the checks, but it keeps a run from being proven."""
    late = ProbeReport("vpc", ready=False, probes=1, last_error="x", symptom=symptom)
    report = ResilienceReport(probes=(late,))

    assert bool(report.blocking) is blocks
    assert bool(report.doubt) is not blocks


def test_blocking_trouble_names_the_probe_the_error_and_the_numbers() -> None:
    """The sentence is what every undecided check shows."""
    late = ProbeReport("vpc", ready=False, took_s=60.04, budget_s=60, probes=63, symptom=REFUSED)
    symptom = ResilienceReport(probes=(late,)).blocking

    assert symptom
    assert symptom.sentence() == (
        "warm-up vpc: connection refused at http://h/health "
        "(63 probes in 60.0 of 60 s; ConnectError)"
    )


def test_nothing_blocks_when_nothing_was_waited_for() -> None:
    """A bypass or ``off`` leaves everything to the checks."""
    late = ProbeReport("vpc", ready=False, probes=1, symptom=REFUSED)
    report = ResilienceReport(probes=(late,), skipped="a bypass")

    assert (report.blocking, report.doubt) == (None, "")


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (READY, "vpc ready in 0.2 s, 3 probes (3 quick answers)"),
        (LATE, "vpc not ready within 60 s: 60.0 s, 63 probes; last error: refused"),
        (
            ProbeReport("db", ready=False, took_s=0.1, probes=1, last_error="401", final=True),
            "db given up after 0.1 s, 1 probe; last error: 401",
        ),
        (ProbeReport("db", ready=False, last_error="off"), "db not asked: off"),
    ],
)
def test_probe_is_told_in_one_line(report: ProbeReport, sentence: str) -> None:
    """Ready, late, hopeless and never asked read differently."""
    assert report.sentence() == sentence


def test_probe_that_was_not_made_says_why() -> None:
    """Asking for a probe of a warm-up that was skipped gives its reason."""
    probe = ResilienceReport("off", skipped="switched off").probe("db")

    assert (probe.ready, probe.last_error) == (False, "switched off")


def test_report_travels_between_processes() -> None:
    """Through JSON and back nothing is lost."""
    late = ProbeReport("db", ready=False, took_s=1.5, last_error="x", symptom=REFUSED)
    report = ResilienceReport("fixed", (READY, late), 2.5)

    assert from_plain(json.loads(json.dumps(report.plain()))) == report
    assert type(report.plain()["probes"][1]["symptom"]["kind"]) is str


def test_passed_checks_of_a_target_that_was_not_ready_prove_nothing() -> None:
    """A doubt about the whole run turns PASS into INCONCLUSIVE, and never touches FAIL."""
    failed = Check("b", "smoke", ("GP-102",), Outcome.FAILED)
    doubts = ("warm-up: db not ready",)

    assert decide([PASSED]).verdict is Verdict.PASS
    assert decide([PASSED], doubts=doubts).verdict is Verdict.INCONCLUSIVE
    assert decide([PASSED], doubts=doubts).reasons == doubts
    assert decide([PASSED, failed], doubts=doubts).verdict is Verdict.FAIL
