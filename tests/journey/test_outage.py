"""The wait itself: its probe, its control host, and what other processes of the run learn."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.journey.outage import OutageKeeper
from pytest_goldenpath.verdict.outage import Patience
from pytest_goldenpath.verdict.warmup import VPC, ProbeReport

REFUSED = Symptom(Kind.REFUSED, "journey", "http://x", ready=True)
AWAY = ProbeReport(VPC, ready=False, last_error="connection refused")
BACK = ProbeReport(VPC, ready=True, last_error="connection refused", proof="3 quick answers")
WELL = ProbeReport(VPC, ready=True, proof="3 quick answers")


def test_wait_tells_when_it_begins_and_ends() -> None:
    """A person at a terminal learns what is waited for, and how it went."""
    told: list[str] = []
    keeper = OutageKeeper(Patience(3, 5.0), lambda _s: BACK, tell=told.append)

    assert keeper.wait(REFUSED, time.monotonic())
    assert len(told) == 2
    assert told[0].startswith("outage: journey: connection refused at http://x; waiting up to 5 s")
    assert told[1].startswith("outage: back after")


def test_probe_gets_what_is_left_of_the_budget() -> None:
    """No wait is longer than the marker's, the target's, or what the run has left."""
    limits: list[float] = []

    def probe(within_s: float) -> ProbeReport:
        limits.append(within_s)
        return BACK

    keeper = OutageKeeper(Patience(3, 5.0), probe)
    keeper.wait(REFUSED, time.monotonic(), delay_s=2.0)
    keeper.wait(REFUSED, time.monotonic(), delay_s=60.0)

    assert limits == [2.0, 5.0]


def test_no_delay_means_no_wait() -> None:
    """``delay=0`` tries again at once, and asks nobody."""
    keeper = OutageKeeper(Patience(), lambda _s: pytest.fail("the target was asked"))

    assert keeper.wait(REFUSED, time.monotonic(), delay_s=0)
    assert keeper.known().waited_s == 0.0


@pytest.mark.parametrize(
    ("control", "delay_s", "whose", "row"),
    [
        ("", 200.0, Attribution.INFRASTRUCTURE, "E4-12"),
        ("healthy", 200.0, Attribution.PRODUCT, "E4-12+E"),
        ("healthy", 20.0, Attribution.INFRASTRUCTURE, "E4-12"),
        ("failed", 200.0, Attribution.HARNESS, "E4-47"),
    ],
)
def test_target_that_is_gone_is_whose_the_control_host_says(
    control: str, delay_s: float, whose: Attribution, row: str
) -> None:
    """Only trouble that outlived the trigger window while a neutral host answers is the product's."""
    keeper = OutageKeeper(Patience(1, 300.0), lambda _s: AWAY, control=lambda: control)

    assert not keeper.wait(REFUSED, time.monotonic() - delay_s)
    symptom = keeper.known().symptom
    assert symptom
    decided = attribute(symptom)
    assert (decided.attribution, decided.row) == (whose, row)


def test_control_host_is_asked_only_when_the_target_is_gone() -> None:
    """A target that comes back needs no neutral host."""
    keeper = OutageKeeper(
        Patience(), lambda _s: BACK, control=lambda: pytest.fail("the control host was asked")
    )

    assert keeper.wait(REFUSED, time.monotonic())


def test_processes_of_a_run_share_one_wait(tmp_path: Path) -> None:
    """Whoever comes while another waits goes on from the same recovery, and asks nobody."""
    begun, goes_on = threading.Event(), threading.Event()

    def probe(_within_s: float) -> ProbeReport:
        begun.set()
        assert goes_on.wait(10.0)
        return BACK

    first = OutageKeeper(Patience(), probe, tmp_path)
    second = OutageKeeper(Patience(), lambda _s: pytest.fail("asked twice"), tmp_path)
    met_s = time.monotonic()
    results: list[bool] = []
    waiting = [
        threading.Thread(target=lambda k=keeper: results.append(k.wait(REFUSED, met_s)))
        for keeper in (first, second)
    ]
    waiting[0].start()
    assert begun.wait(10.0)
    waiting[1].start()
    goes_on.set()
    for thread in waiting:
        thread.join(10.0)

    assert results == [True, True]
    assert second.known() == first.known()
    assert second.known().recoveries == 1


def test_trouble_of_a_target_that_looks_well_gets_a_pause() -> None:
    """It cannot be seen to pass, so it is given a little time; the target may name that."""
    began_s = time.monotonic()
    keeper = OutageKeeper(Patience(3, 0.3), lambda _s: WELL)

    assert keeper.wait(REFUSED, began_s)
    assert 0.3 <= time.monotonic() - began_s < 2.0
    assert (keeper.known().blips, keeper.known().recoveries) == (1, 0)
