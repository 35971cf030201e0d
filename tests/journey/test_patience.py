"""A survey whose road breaks looks again at what broke off, once the road is back."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator

import pytest

from gateway import Gateway
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.journey.embedded import EmbeddedBackend, Started
from pytest_goldenpath.journey.outage import OutageKeeper, conduct_patiently
from pytest_goldenpath.journey.warmup import run_come_back
from pytest_goldenpath.secrets import Redactor
from pytest_goldenpath.target.model import PasswordLogin, Target, Wallet
from pytest_goldenpath.target.urls import socket_of
from pytest_goldenpath.verdict.outage import Patience
from servers import serving

SMOKE = [code for code, rule in RULES.items() if "smoke" in rule.categories]
WANTED = frozenset(need for code in SMOKE for need in RULES[code].needs)


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    """Run a healthy backend."""
    backend = EmbeddedBackend()
    try:
        yield backend.wait()
    finally:
        backend.stop()


def look(
    started: Started, url: str, patience: Patience, *, budget_s: float | None = None
) -> tuple[Survey, OutageKeeper]:
    """Make a smoke survey of the backend over a road, with this much patience."""
    redactor = Redactor()
    target = Target("gateway", url, started.auth, socket_of(url), run_deadline_s=20.0)
    keeper = OutageKeeper(patience, lambda within_s: run_come_back(target, redactor, within_s))
    wallet = Wallet(PasswordLogin(*started.users[0]), started.expired_token)
    made = conduct_patiently(target, wallet, redactor, WANTED, outages=keeper, budget_s=budget_s)
    return asyncio.run(made), keeper


def is_upgrade(line: str) -> bool:
    """Tell whether a request asks for a WebSocket."""
    return line.partition("?")[0] == "GET /ws"


def verdicts(survey: Survey) -> dict[str, str]:
    """Say of each smoke promise whether it is proven, broken or undecided."""
    words = {}
    for code in SMOKE:
        found = judge(code, survey)
        words[code] = "broken" if found.broken else "proven" if found.proven else "undecided"
    return words


def test_whole_road_needs_no_second_look(started: Started) -> None:
    """The healthy twin: everything is proven and nothing was waited for."""
    gateway = Gateway(started.backend)
    with serving(gateway) as url:
        survey, keeper = look(started, url, Patience())

    assert set(verdicts(survey).values()) == {"proven"}
    assert (keeper.known().recoveries, keeper.known().waited_s, survey.overcome) == (0, 0.0, ())


def test_outage_in_the_middle_is_waited_out(started: Started) -> None:
    """The road breaks while the journey is under way and comes back: everything is proven."""
    sockets: list[str] = []

    def away(line: str) -> str:
        if is_upgrade(line) and not sockets:
            sockets.append(line)
            gateway.cut(1.5)
        return ""

    gateway = Gateway(started.backend, away)
    with serving(gateway) as url:
        survey, keeper = look(started, url, Patience(3, 10.0))

    assert set(verdicts(survey).values()) == {"proven"}, verdicts(survey)
    known = keeper.known()
    assert (known.recoveries, known.gone) == (1, False)
    assert 0.5 <= known.waited_s <= 1.5 + 2.0
    assert survey.overcome
    assert survey.journey
    assert survey.journey.answer()


def test_road_that_stays_broken_accuses_nobody(started: Started) -> None:
    """A target that dies in mid-run costs the budget once, and nothing is broken."""

    def away(line: str) -> str:
        if is_upgrade(line):
            gateway.cut(60.0)
        return ""

    gateway = Gateway(started.backend, away)
    began_s = time.monotonic()
    with serving(gateway) as url:
        survey, keeper = look(started, url, Patience(2, 1.0))
    took_s = time.monotonic() - began_s

    assert "broken" not in verdicts(survey).values(), verdicts(survey)
    assert verdicts(survey)["GP-501"] == "undecided"
    assert keeper.known().gone
    assert took_s < 2 * 1.0 + 2.0 + 6.0


def test_second_look_keeps_to_the_run_s_budget(started: Started) -> None:
    """A run that has little time left does not wait longer than that."""
    gateway = Gateway(started.backend, lambda line: "reset" if is_upgrade(line) else "")
    began_s = time.monotonic()
    with serving(gateway) as url:
        survey, _ = look(started, url, Patience(3, 30.0), budget_s=3.0)

    assert time.monotonic() - began_s < 3.0 + 2.0
    assert "broken" not in verdicts(survey).values(), verdicts(survey)


def test_unavailability_that_was_overcome_is_told(started: Started) -> None:
    """A 503 that a second look survived is counted by GP-109, and is nobody's defect."""
    refused: list[str] = []

    def once(line: str) -> str:
        if is_upgrade(line) and not refused:
            refused.append(line)
            return "503"
        return ""

    with serving(Gateway(started.backend, once)) as url:
        survey, keeper = look(started, url, Patience(3, 10.0))

    words = verdicts(survey)
    assert {code for code, word in words.items() if word != "proven"} == {"GP-109"}
    assert words["GP-109"] == "undecided"
    assert "got 1" in judge("GP-109", survey).excused[0].message
    assert keeper.known().blips == 1


@pytest.mark.parametrize("seed", range(3))
def test_road_that_fails_at_random_accuses_nobody(started: Started, seed: int) -> None:
    """Every twentieth request gets a 503 or a reset: never a defect, never a hang."""
    dice = random.Random(seed)  # noqa: S311  # a road, not a secret

    def fate(_line: str) -> str:
        return dice.choice(["503", "reset"]) if dice.random() < 0.05 else ""

    with serving(Gateway(started.backend, fate)) as url:
        survey, _ = look(started, url, Patience(3, 2.0), budget_s=40.0)

    assert "broken" not in verdicts(survey).values(), verdicts(survey)
