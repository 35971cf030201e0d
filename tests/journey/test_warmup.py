"""The warm-up against real servers: it ends at readiness, at a final error, or at its budget."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_goldenpath import infrastructure_resilience_check
from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.journey.database import ask_database
from pytest_goldenpath.journey.warmup import Plan, warm_up
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import PasswordLogin, ReadyToken, Target, Wallet
from pytest_goldenpath.verdict.warmup import FIXED, ResilienceReport
from servers import Answering, Raw, Service, closed_port, raw_server, silent

PASSWORD = "correct-horse-9"
HEALTH, LOGIN, MADE = "GET /health", "POST /auth/login", "POST /api/threads"
READY = "GET /health/ready"
Reply = tuple[int, object] | None


def healthy(line: str, _count: int) -> Reply:
    """Answer as a small target does whose every part works."""
    answers: dict[str, Reply] = {
        HEALTH: (200, {"status": "ok", "revision": "abc123"}),
        LOGIN: (200, {"access_token": "t-o-k-e-n", "user": {"id": "u1"}}),
        MADE: (200, {"id": "thread-1"}),
        "GET /api/threads/thread-1": (200, {"id": "thread-1"}),
        "DELETE /api/threads/thread-1": (200, {"deleted": True}),
    }
    return answers.get(line, (404, {"detail": "Not Found"}))


def but(**changes: Callable[[int], Reply]) -> Answering:
    """Answer healthily but for some requests, named by the constants above in lower case."""
    lines = {"health": HEALTH, "login": LOGIN, "made": MADE, "ready": READY}
    lines["read"] = "GET /api/threads/thread-1"

    def answer(line: str, count: int) -> Reply:
        for name, change in changes.items():
            if line == lines[name]:
                return change(count)
        return healthy(line, count)

    return answer


def always(status: int, document: object) -> Callable[[int], Reply]:
    """Answer the same each time."""
    return lambda _count: (status, document)


def warmed(
    server: Raw,
    *,
    plan: Plan | None = None,
    tell: Callable[[str], None] | None = None,
    wallet: Wallet | None = None,
    **target: object,
) -> ResilienceReport:
    """Warm up a target of these manners, with generous budgets."""

    async def go() -> ResilienceReport:
        async with raw_server(server) as url:
            where = Target("here", url, url, url.replace("http", "ws"))
            where = replace(where, **{"vpc_budget_s": 30.0, "db_budget_s": 30.0, **target})
            first = PasswordLogin("a@example.com", Secret(PASSWORD))
            return await warm_up(where, wallet or Wallet(first), Redactor(), plan or Plan(), tell)

    return asyncio.run(go())


def test_warm_target_is_asked_a_few_times_only() -> None:
    """Three health answers, one login, and a thread that is written, read and removed."""
    service = Service(healthy)

    report = warmed(service)

    assert report
    assert sorted(set(service.asked)) == sorted(
        [HEALTH, LOGIN, MADE, "GET /api/threads/thread-1", "DELETE /api/threads/thread-1"]
    )
    assert service.asked.count(HEALTH) == report.probe("vpc").probes == 3
    assert service.asked.count(LOGIN) == report.probe("db").probes == 1
    assert report.probe("db").proof == "a thread was written, read and removed"
    assert 0 < report.probe("vpc").took_s <= report.took_s
    assert 0 < report.probe("db").took_s <= report.took_s


@pytest.mark.parametrize(
    "cold",
    [
        (503, "<html>no backend</html>"),
        (503, {"status": "unhealthy", "startup_in_progress": True}),
        (502, "<html>bad gateway</html>"),
        (504, "<html>gateway time-out</html>"),
        None,
    ],
    ids=["gateway-503", "starting", "502", "504", "reset"],
)
def test_cold_target_is_asked_until_it_answers(cold: Reply) -> None:
    """What a gateway says, and a start under way, is "not yet"; a single good answer is luck."""
    service = Service(but(health=lambda n: cold if n < 3 or n == 4 else (200, {"status": "ok"})))

    report = warmed(service)

    assert report
    assert service.asked.count(HEALTH) == report.probe("vpc").probes == 7
    assert "backend health" in report.probe("vpc").last_error


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_what_the_product_says_of_itself_is_an_answer(status: int) -> None:
    """A product that calls itself degraded, or fails, is there: the suites judge it."""
    report = warmed(Service(but(health=always(status, {"status": "degraded"}))))

    assert report.probe("vpc").ready
    assert report.probe("vpc").probes == 3


@pytest.mark.parametrize("step", ["login", "made", "read"])
@pytest.mark.parametrize("status", [500, 503])
def test_database_that_wakes_up_late_is_waited_for(step: str, status: int) -> None:
    """A step that fails on the server's side is tried again until it works."""
    good = {"login": LOGIN, "made": MADE, "read": "GET /api/threads/thread-1"}[step]
    late = {step: lambda n: (status, {"detail": "no"}) if n < 3 else healthy(good, n)}

    report = warmed(Service(but(**late)))

    assert report
    assert report.probe("db").probes == 3
    assert str(status) in report.probe("db").last_error


def test_wrong_password_stops_at_once_and_is_left_to_the_suites() -> None:
    """Credentials that are refused do not get better: one login, no wait, nothing blocked."""
    service = Service(but(login=always(401, {"detail": "Incorrect e-mail or password"})))

    report = warmed(service)

    db = report.probe("db")
    assert not report
    assert (db.ready, db.final, db.probes) == (False, True, 1)
    assert service.asked.count(LOGIN) == 1
    assert "credentials were refused" in db.last_error
    assert PASSWORD not in str(report)
    assert report.blocking is None
    assert "credentials were refused" in report.doubt


def test_wrong_revision_stops_at_once() -> None:
    """Another build than the expected one does not turn into it by waiting."""
    service = Service(healthy)

    report = warmed(service, revision="def456")

    vpc = report.probe("vpc")
    assert (vpc.ready, vpc.final) == (False, True)
    assert vpc.last_error == "expected revision def456, got abc123"
    assert service.asked.count(HEALTH) == 1
    assert report.blocking is None
    assert report.doubt


def test_expected_revision_is_warm() -> None:
    """The build that is expected is as warm as any."""
    assert warmed(Service(healthy), revision="abc123")


def test_unknown_host_stops_at_once() -> None:
    """A name that nobody knows is a mistake of the set-up."""
    url = "http://no-such-host.invalid"
    where = Target("x", url, url, "ws://no-such-host.invalid/ws")
    wallet = Wallet(ReadyToken(Secret("t")))

    report = asyncio.run(warm_up(where, wallet, Redactor(), Plan()))

    symptom = report.blocking
    assert symptom
    if symptom.kind.value == "unknown host name":  # a resolver that is away may only say "later"
        assert report.probe("vpc").final
        assert report.probe("vpc").probes == 1


@pytest.mark.parametrize("server", [silent, None], ids=["silent", "refused"])
def test_dead_target_ends_at_its_budget(server: Raw | None) -> None:
    """A target that never answers is given up at the budget, with the last error and a count."""
    if server is None:
        wallet = Wallet(ReadyToken(Secret("t")))
        with closed_port() as url:
            where = Target("x", url, url, "ws://x", vpc_budget_s=0.5)
            report = asyncio.run(warm_up(where, wallet, Redactor(), Plan()))
    else:
        report = warmed(server, vpc_budget_s=0.5)

    vpc, db = report.probe("vpc"), report.probe("db")
    assert not vpc.ready
    assert vpc.probes >= 1
    assert 0.5 <= vpc.took_s < 2.5
    assert vpc.last_error
    assert (db.ready, db.probes, db.last_error) == (False, 0, "the target was not reached")
    symptom = report.blocking
    assert symptom
    assert symptom.phase == "warm-up vpc"


def test_hanging_request_does_not_hide_a_target_that_has_become_ready() -> None:
    """While a request hangs, others are made beside it."""
    first = True

    async def swallow_the_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal first
        if first:
            first = False
            await reader.read()
        else:
            await service(reader, writer)

    service = Service(healthy)

    report = warmed(swallow_the_first)

    assert report.probe("vpc").ready
    assert report.probe("vpc").took_s < 8.0  # the first request would hang for ten seconds


def test_gateway_before_the_threads_blocks_and_a_failing_product_does_not() -> None:
    """Trouble on the road leaves every check undecided; the product's own is for the suites."""
    gateway = warmed(Service(but(made=always(502, "<html>"))), db_budget_s=0.5)
    product = warmed(Service(but(made=always(500, {"detail": "x"}))), db_budget_s=0.5)

    assert gateway.blocking
    assert gateway.blocking.phase == "warm-up db"
    assert product.blocking is None
    assert "500" in product.doubt


def test_thread_that_cannot_be_read_back_is_no_working_database() -> None:
    """A write that left nothing behind is told at once, and is the suites' affair."""
    report = warmed(Service(but(read=always(404, {"detail": "Not Found"}))))

    db = report.probe("db")
    assert (db.ready, db.final, db.probes) == (False, True, 1)
    assert report.blocking is None


@pytest.mark.parametrize("status", [401, 403, 404, 405, 422])
def test_words_count_where_nothing_can_be_written(status: int) -> None:
    """Without a threads route that may be used, the readiness endpoint is asked, and it is said."""
    service = Service(
        but(made=always(status, {"detail": "no"}), ready=always(200, {"status": "ready"}))
    )

    report = warmed(service)

    assert report
    assert report.probe("db").proof == (
        f"by word only, /health/ready says ready; POST /api/threads answered {status}"
    )


def test_bad_words_are_waited_for() -> None:
    """A readiness endpoint that says no is "not yet"."""
    words = {1: (503, {"detail": "Core database unavailable"}), 2: (200, {"status": "unhealthy"})}
    service = Service(
        but(
            made=always(404, {}),
            ready=lambda n: words.get(n, (200, {"status": "ready", "core_db": "connected"})),
        )
    )

    report = warmed(service)

    assert report
    assert report.probe("db").probes == 3


def test_target_without_any_place_to_ask_is_said_to_be_unproven() -> None:
    """With neither threads nor readiness endpoints nothing is proven, and nothing is waited for."""
    report = warmed(Service(but(made=always(404, {}))))

    assert report
    assert report.probe("db").proof.startswith("not proven: no readiness endpoint")


@pytest.mark.parametrize(
    ("mode", "impatient"), [("auto", "a bypass"), (FIXED, "a bypass")], ids=["auto", "fixed"]
)
def test_impatient_warm_up_asks_once(mode: str, impatient: str) -> None:
    """A bypass skips the waiting: one attempt, no verdict of its own."""
    service = Service(but(health=always(503, "<html>")))

    report = warmed(service, plan=Plan(mode, impatient))

    assert not report
    assert service.asked == [HEALTH]
    assert (report.blocking, report.doubt, report.skipped) == (None, "", "a bypass")


def test_impatient_warm_up_still_proves_a_warm_target() -> None:
    """Where nothing has to be waited for, a bypass changes little."""
    service = Service(healthy)

    assert warmed(service, plan=Plan(impatient="a bypass"))
    assert service.asked.count(HEALTH) == 1


def test_fixed_wait_is_the_sum_of_the_budgets() -> None:
    """The seed's way: nothing is asked before both budgets have gone by."""
    report = warmed(Service(healthy), plan=Plan(FIXED), vpc_budget_s=1.0, db_budget_s=1.0)

    assert report
    assert report.took_s >= 2.0 + report.probe("vpc").took_s


def test_progress_is_told_once_it_is_a_wait() -> None:
    """A long wait is told with numbers and the last error, a short one not at all."""
    lines: list[str] = []
    short: list[str] = []

    warmed(Service(but(health=always(503, "<html>"))), tell=lines.append, vpc_budget_s=3.0)
    warmed(Service(healthy), tell=short.append)

    assert len(lines) == 1
    assert "vpc 2 of 3 s" in lines[0]
    assert "HTTP status 503" in lines[0]
    assert short == []


def test_auth_service_of_its_own_is_reached_as_well() -> None:
    """Where the auth service has an address of its own, the road to it is part of the road."""
    auth = Service(lambda line, n: (502, "<html>") if n < 3 else healthy(line, n))

    async def go() -> ResilienceReport:
        async with raw_server(Service(healthy)) as backend, raw_server(auth) as other:
            where = Target("two", backend, other, "ws://x", vpc_budget_s=30.0)
            wallet = Wallet(PasswordLogin("a@example.com", Secret(PASSWORD)))
            return await warm_up(where, wallet, Redactor(), Plan())

    report = asyncio.run(go())

    assert report
    assert auth.asked.count(HEALTH) == 5
    assert "auth health" in report.probe("vpc").last_error


def test_database_that_answers_at_its_own_address(tmp_path: Path) -> None:
    """DATABASE_URL is asked directly, and settles what the target does not let us show."""
    file = tmp_path / "some.db"
    sqlite3.connect(file).close()
    file.touch()
    url = Secret(f"sqlite+aiosqlite:///{file}")

    assert ask_database(url, Redactor()) == ""
    report = warmed(Service(but(made=always(404, {}))), plan=Plan(database_url=url))
    assert report.probe("db").proof.startswith("DATABASE_URL was asked directly")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////no/such/file.db", "is no file"),
        ("oracle://u:hunter22@h/db", "no driver for oracle"),
        ("nonsense hunter22", "no answer (ArgumentError"),
    ],
)
def test_database_that_cannot_be_asked_is_said(url: str, said: str) -> None:
    """What keeps a DATABASE_URL from being asked is told without its password."""
    told = ask_database(Secret(url), Redactor())

    assert said in told
    assert "hunter22" not in told


def test_scripts_get_a_report_that_is_true_only_when_ready() -> None:
    """The public function starts the embedded backend and proves it."""
    report = infrastructure_resilience_check("local")

    assert report
    assert report.probe("db").proof == "a thread was written, read and removed"


def test_scripts_get_false_for_a_dead_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target's address is enough; the budgets come from the environment."""
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "0.2")
    with closed_port() as url:
        by_address = infrastructure_resilience_check(url)
        by_target = infrastructure_resilience_check(Target("x", url, url, url, vpc_budget_s=0.2))

    assert not by_address
    assert not by_target


def test_scripts_are_told_of_an_unknown_target() -> None:
    """A name that nobody has given is a mistake, not a target that is down."""
    with pytest.raises(ConfigError, match="unknown target"):
        infrastructure_resilience_check("stagign")
