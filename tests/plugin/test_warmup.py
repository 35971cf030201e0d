"""The warm-up of a run: once, before the first test, told in the verdict, never in the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest

from pytest_goldenpath.verdict.document import schema
from servers import Service, closed_port, serving

DISTRIBUTED = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two-workers"])
HEALTH, LOGIN = "GET /health", "POST /auth/login"
INI = "[pytest]\nasyncio_default_fixture_loop_scope = session\n"
CHECKS = """
import pytest

pytestmark = pytest.mark.category("smoke")


@pytest.mark.parametrize("number", range(4))
@pytest.mark.requirement("GP-101")
def test_it(number, warm_target, vpc_warmup, db_warmup):
    assert vpc_warmup.ready and db_warmup.ready
    assert vpc_warmup.took_s > 0 and vpc_warmup.probes >= 3
    assert warm_target.backend.startswith("http://127.0.0.1:")
"""
ASIDE = """
import pytest


@pytest.mark.category("smoke")
def test_needs_no_target():
    assert "smoke"
"""


@dataclass
class Place:
    """A service, where it is, and how often it was asked for something."""

    service: Service
    url: str

    def count(self, line: str) -> int:
        """Tell how often this was asked."""
        return self.service.asked.count(line)


@pytest.fixture
def answering() -> Callable[[str, int], tuple[int, object] | None]:
    """Return what makes the answers of a healthy service; tests override it."""
    answers: dict[str, tuple[int, object]] = {
        HEALTH: (200, {"status": "ok"}),
        LOGIN: (200, {"access_token": "t-o-k-e-n"}),
        "POST /api/threads": (200, {"id": "1"}),
        "GET /api/threads/1": (200, {"id": "1"}),
        "DELETE /api/threads/1": (200, {}),
    }
    return lambda line, _count: answers.get(line, (404, {}))


@pytest.fixture
def place(
    answering: Callable[[str, int], tuple[int, object] | None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """Serve, and give the credentials of its user."""
    monkeypatch.setenv("GOLDENPATH_EMAIL", "a@example.com")
    monkeypatch.setenv("GOLDENPATH_PASSWORD", "correct-horse-9")
    service = Service(answering)
    with serving(service) as url:
        yield Place(service, url)


@pytest.fixture
def checked(pytester: pytest.Pytester) -> Callable[..., tuple[pytest.RunResult, dict[str, Any]]]:
    """Return a function that runs the checks above and reads the verdict."""
    pytester.makeini(INI)

    def run(*options: str, source: str = CHECKS) -> tuple[pytest.RunResult, dict[str, Any]]:
        pytester.makepyfile(source)
        result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options, timeout=120)
        path = pytester.path / ".goldenpath" / "verdict.json"
        verdict = json.loads(path.read_text()) if path.exists() else {}
        if verdict:
            jsonschema.validate(verdict, schema())
        return result, verdict

    return run


Checked = Callable[..., tuple[pytest.RunResult, dict[str, Any]]]


@pytest.fixture
def closed() -> Iterator[str]:
    """Yield an address that refuses every connection."""
    with closed_port() as url:
        yield url


@DISTRIBUTED
def test_run_warms_up_once(place: Place, checked: Checked, workers: tuple[str, ...]) -> None:
    """One warm-up for the whole run, however many processes; its result is in the verdict."""
    result, verdict = checked(f"--target={place.url}", *workers)

    assert result.ret == 0, result.outlines
    assert (place.count(HEALTH), place.count(LOGIN)) == (3, 1)
    warmup = verdict["warmup"]
    assert (warmup["mode"], warmup["skipped"]) == ("auto", "")
    assert (warmup["vpc"]["ready"], warmup["vpc"]["probes"], warmup["vpc"]["budget_s"]) == (
        True,
        3,
        60,
    )
    assert (warmup["db"]["ready"], warmup["db"]["budget_s"]) == (True, 45)
    assert warmup["vpc"]["took_s"] > 0
    result.stdout.fnmatch_lines(["warm-up: vpc ready in * s (3 quick answers in a row); db ready*"])


@DISTRIBUTED
def test_run_that_only_the_environment_names_warms_up_once(
    place: Place, checked: Checked, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    """Without any option the controller cannot know of the checks; the first worker warms up."""
    monkeypatch.setenv("GOLDENPATH_TARGET", place.url)

    result, verdict = checked(*workers)

    assert result.ret == 0, result.outlines
    assert (place.count(HEALTH), place.count(LOGIN)) == (3, 1)
    assert verdict["warmup"]["db"]["ready"]


@DISTRIBUTED
@pytest.mark.parametrize(
    "options", [("--collect-only",), ("--setup-plan",), ("-k", "nothing_like_it")]
)
def test_nothing_is_asked_when_nothing_runs(
    place: Place, checked: Checked, options: tuple[str, ...], workers: tuple[str, ...]
) -> None:
    """No selected test, no request."""
    checked(f"--target={place.url}", *options, *workers)

    assert place.service.asked == []


@DISTRIBUTED
def test_nothing_is_asked_when_no_check_needs_the_target(
    place: Place, checked: Checked, workers: tuple[str, ...]
) -> None:
    """A check that never touches the target waits for nothing."""
    _, verdict = checked(f"--target={place.url}", *workers, source=ASIDE)

    assert place.service.asked == []
    assert "no check that needs the target" in verdict["warmup"]["skipped"]


def test_nothing_is_asked_when_collection_failed(place: Place, checked: Checked) -> None:
    """A run that pytest ends for its errors does not wait before."""
    result, _ = checked(f"--target={place.url}", source=f"{CHECKS}\nimport no_such_module\n")

    assert result.ret == 2
    assert place.service.asked == []


@DISTRIBUTED
def test_dead_target_costs_its_budget_once(
    checked: Checked, monkeypatch: pytest.MonkeyPatch, closed: str, workers: tuple[str, ...]
) -> None:
    """Every check is undecided by the infrastructure, and only the first waits."""
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "1")
    source = CHECKS.replace("range(4)", "range(100)")

    result, verdict = checked(f"--target={closed}", *workers, source=source)

    assert (result.ret, verdict["verdict"]) == (75, "INCONCLUSIVE")
    assert verdict["counts"]["inconclusive"] == 100
    assert {check["attribution"] for check in verdict["checks"]} == {"infrastructure"}
    assert len(verdict["reasons"]) == 1
    result.stderr.no_fnmatch_line("*serialize*")
    result.stdout.no_fnmatch_line("*serialize*")
    assert "warm-up vpc: connection refused" in verdict["reasons"][0]
    vpc = verdict["warmup"]["vpc"]
    assert not vpc["ready"]
    assert 1 <= vpc["took_s"] < 3
    assert sum(check["duration_s"] for check in verdict["checks"]) < 5
    result.stdout.fnmatch_lines(["warm-up: vpc not ready (1.0 of 1 s, * probes): *refused*"])


def test_wait_is_in_no_tests_time_out(
    checked: Checked, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    """A time-out shorter than the warm-up ends no test: nothing of the wait is inside one."""
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "3")

    result, verdict = checked(f"--target={closed}", "--timeout=1")

    assert result.ret == 75
    assert {check["attribution"] for check in verdict["checks"]} == {"infrastructure"}


@DISTRIBUTED
def test_progress_is_told_while_it_waits(
    checked: Checked, monkeypatch: pytest.MonkeyPatch, closed: str, workers: tuple[str, ...]
) -> None:
    """A wait of seconds is told in the terminal, also by a controller, and not when silenced."""
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "3")

    told, _ = checked(f"--target={closed}", *workers)
    silenced, _ = checked(f"--target={closed}", "-qq", *workers)

    told.stdout.fnmatch_lines(["goldenpath: warm-up: vpc 2 of 3 s, * asked, last error: *refused*"])
    silenced.stdout.no_fnmatch_line("goldenpath: warm-up:*")


@DISTRIBUTED
def test_warm_up_can_be_switched_off(
    checked: Checked, closed: str, workers: tuple[str, ...]
) -> None:
    """Nothing is asked or waited for, and the verdict says so."""
    source = CHECKS.replace("assert vpc_warmup.ready", "assert not vpc_warmup.ready #")
    source = source.replace("assert vpc_warmup.took_s", "assert vpc_warmup.probes == 0 #")

    result, verdict = checked(f"--target={closed}", "--warmup=off", *workers, source=source)

    assert result.ret == 0
    assert verdict["warmup"] == {"mode": "off", "skipped": "switched off by --warmup off"}
    result.stdout.fnmatch_lines(["warm-up: switched off by --warmup off"])


def test_fixed_wait_comes_before_the_probes(
    place: Place, checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seed's way waits for both budgets, and then asks."""
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "2")
    monkeypatch.setenv("GOLDENPATH_DB_BUDGET_S", "2")

    result, verdict = checked(f"--target={place.url}", "--goldenpath-warmup=fixed")

    assert result.ret == 0
    assert verdict["warmup"]["mode"] == "fixed"
    assert verdict["duration_s"] >= 4.0


@pytest.mark.parametrize("source", ["option", "environment"])
@DISTRIBUTED
def test_unknown_mode_is_refused(
    checked: Checked, monkeypatch: pytest.MonkeyPatch, source: str, workers: tuple[str, ...]
) -> None:
    """A word that is none of the three is a usage error that names the closest."""
    if source == "environment":
        monkeypatch.setenv("GOLDENPATH_WARMUP", "autp")
    options = ["--warmup=autp"] if source == "option" else ["--category=smoke"]

    result, verdict = checked(*options, *workers)

    assert (result.ret, verdict) == (4, {})
    result.stderr.fnmatch_lines(["*--warmup = 'autp'*did you mean auto?*"])


def test_wrong_password_stops_at_once(
    checked: Checked, monkeypatch: pytest.MonkeyPatch, answering: Callable[..., Any]
) -> None:
    """Refused credentials are not waited out, block nothing, and keep a run from being PASS."""
    monkeypatch.setenv("GOLDENPATH_EMAIL", "a@example.com")
    monkeypatch.setenv("GOLDENPATH_PASSWORD", "wrong-horse-9")
    service = Service(lambda line, n: (401, {}) if line == LOGIN else answering(line, n))
    source = CHECKS.replace("and db_warmup.ready", "and db_warmup.final")

    with serving(service) as url:
        result, verdict = checked(f"--target={url}", source=source)

    assert service.asked.count(LOGIN) == 1
    assert (result.ret, verdict["verdict"]) == (75, "INCONCLUSIVE")
    assert verdict["counts"]["passed"] == 4
    assert "credentials were refused" in verdict["reasons"][0]
    assert verdict["warmup"]["db"]["final"]


def test_bypass_skips_the_waiting_and_no_check(
    checked: Checked, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    """With a valid bypass a dead target costs one attempt, and the checks still look."""
    monkeypatch.setenv("BYPASS_INFRASTRUCTURE_VALIDATION", "true")
    monkeypatch.setenv("EMERGENCY_BYPASS_EXPIRY", "2999-01-01")
    source = CHECKS.replace("assert vpc_warmup.ready", "assert not vpc_warmup.ready #")
    source = source.replace("assert vpc_warmup.took_s", "assert vpc_warmup.probes == 1 #")

    result, verdict = checked(f"--target={closed}", source=source)

    assert (result.ret, verdict["verdict"]) == (80, "BYPASSED")
    assert verdict["warmup"]["vpc"]["took_s"] < 10
    assert "bypass" in verdict["warmup"]["skipped"]


def test_expired_bypass_skips_nothing(
    checked: Checked, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    """A bypass whose day is over is no bypass."""
    monkeypatch.setenv("BYPASS_INFRASTRUCTURE_VALIDATION", "true")
    monkeypatch.setenv("EMERGENCY_BYPASS_EXPIRY", "2020-01-01")
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "1")

    result, verdict = checked(f"--target={closed}")

    assert result.ret == 75
    assert verdict["warmup"]["vpc"]["probes"] > 1
