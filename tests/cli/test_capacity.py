"""``goldenpath capacity``: what a target shows, held against thresholds; what it hides is no pass."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.cli import reports as face
from pytest_goldenpath.cli.main import main
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.target.resolve import Options
from pytest_goldenpath.verdict.capacity import Capacity, Look, Runner, judge_capacity
from pytest_goldenpath.verdict.shown import PAGES
from servers import Service, closed_port, serving

WELL = Runner(20, 1024, 2**32, 2, 1.0)
POOL = "/health/pool-metrics"
INFRASTRUCTURE = "/health/infrastructure"


def pool(percent: object) -> dict[str, object]:
    """Return a pool that says how full it is."""
    return {"pool_utilization": {"utilization_percent": percent, "sessions_remaining": 10}}


def look(
    pages: Mapping[str, object],
    *,
    health: object = None,
    runner: Runner = WELL,
    took_s: float = 0.1,
) -> Look:
    """Return a look at a target with these pages; the others are not there."""

    def answered(path: str, document: object, status: int = 200) -> Exchange:
        url = f"http://x{path}"
        return Exchange(path, "GET", url, 0.0, took_s, status, body=json.dumps(document))

    said = {
        path: answered(path, pages.get(path, {}), 200 if path in pages else 404) for path in PAGES
    }
    body = {"status": "healthy"} if health is None else health
    return Look((answered("/health", body),) * 20, said, runner, 8)


def level_of(report: Capacity, name: str) -> str:
    """Return how a figure stands, or 'not shown'."""
    return next((f.level for f in report.figures if f.name == name), "not shown")


@pytest.mark.parametrize(
    ("percent", "level", "status"),
    [
        (0, "ok", "within"),
        (75, "ok", "within"),
        (75.1, "warning", "within"),
        (90, "warning", "within"),
        (90.1, "exceeded", "exceeded"),
        (130, "exceeded", "exceeded"),
    ],
)
def test_pool_is_held_against_both_sections(percent: float, level: str, status: str) -> None:
    """The pool warns above 75 and is too full above 90 (7.6), before the plan of 8.2 says so."""
    report = judge_capacity(look({POOL: pool(percent)}))

    assert (level_of(report, "pool"), report.status) == (level, status)


def test_pool_is_computed_when_no_share_is_told() -> None:
    """What remains of the whole capacity says how full it is."""
    told = {
        "pool_configuration": {"total_capacity": 50},
        "pool_utilization": {"sessions_remaining": 2},
    }

    assert judge_capacity(look({POOL: told})).status == "exceeded"


@pytest.mark.parametrize(
    ("name", "path", "good", "bad"),
    [
        ("open breakers", "/health/circuit-breakers", {"open_breakers": 0}, {"open_breakers": 1}),
        (
            "open breakers",
            INFRASTRUCTURE,
            {"circuit_breakers": {"open_breakers": 0}},
            {"circuit_breakers": {"open_breakers": 2}},
        ),
        (
            "vpc",
            INFRASTRUCTURE,
            {"vpc_connectivity": {"utilization_percent": 40}},
            {"vpc_connectivity": {"utilization_percent": 85}},
        ),
        (
            "connections",
            "/ws/stats",
            {"active_connections": 10, "max_connections": 100},
            {"active_connections": 86, "max_connections": 100},
        ),
        ("cpu", "/health/system", {"cpu_percent": 12.5}, {"cpu_percent": 99}),
        ("memory", "/health/system", {"memory_mb": 900}, {"memory_mb": 3600}),
        ("readiness", "/health/ready", {"status": "ready"}, {"status": "not_ready"}),
        (
            "database failures",
            INFRASTRUCTURE,
            {"infrastructure": {"service_details": {"database": {"success_rate": 0.99}}}},
            {"infrastructure": {"service_details": {"database": {"success_rate": 0.5}}}},
        ),
        (
            "high timeout rate",
            INFRASTRUCTURE,
            {"diagnostics": {"infrastructure_pressure_indicators": {"high_timeout_rate": False}}},
            {"diagnostics": {"infrastructure_pressure_indicators": {"high_timeout_rate": True}}},
        ),
    ],
)
def test_each_figure_has_a_threshold(
    name: str, path: str, good: dict[str, object], bad: dict[str, object]
) -> None:
    """A good figure is within; a bad one is named as the reason, with the place of its threshold."""
    well = judge_capacity(look({POOL: pool(10), path: good}))
    ill = judge_capacity(look({POOL: pool(10), path: bad}))

    assert (level_of(well, name), well.status) == ("ok", "within")
    assert (level_of(ill, name), ill.status, ill.exit_code) == ("exceeded", "exceeded", 1)
    assert ill.reasons[0].startswith(f"{name}: ")
    assert "[" in ill.reasons[0]


def test_slow_answers_are_told_as_percentiles() -> None:
    """Two seconds are too much (8.2), whatever the figures say."""
    report = judge_capacity(look({POOL: pool(10)}, took_s=2.0))

    assert level_of(report, "answer time p95") == "exceeded"
    assert report.exit_code == 1


def test_nothing_shown_is_no_pass() -> None:
    """A healthy target that shows no load is unknown, and each missing figure is named."""
    report = judge_capacity(look({}))

    assert (report.status, report.exit_code) == ("unknown", 75)
    assert "no figure of its load" in report.reasons[0]
    assert {"pool", "vpc", "connections", "cpu", "memory"} <= {name for name, _ in report.hidden}


@pytest.mark.parametrize(
    "raw",
    [float("nan"), float("inf"), -1, "12", True, None, [], {}, 1e300, 10**400],
    ids=lambda raw: f"{type(raw).__name__} {str(raw)[:5]}",
)
def test_hostile_figure_counts_as_not_shown(raw: object) -> None:
    """What is no sensible number is neither good nor bad."""
    report = judge_capacity(look({POOL: pool(raw)}))

    assert (level_of(report, "pool"), report.status) == ("not shown", "unknown")
    assert "pool" in dict(report.hidden)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "status",
                    "infrastructure",
                    "service_details",
                    "circuit_breakers",
                    "open_breakers",
                    "success_rate",
                    "vpc_connectivity",
                    "utilization_percent",
                    "pool_utilization",
                    "pool_configuration",
                    "total_capacity",
                    "sessions_remaining",
                    "websocket_config",
                    "diagnostics",
                    "active_connections",
                    "max_connections",
                    "memory_gb",
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(PAGES), _JSON), _JSON)
def test_no_document_breaks_it(pages: dict[str, object], health: object) -> None:
    """Whatever is answered there is a report, it can be written down, and is told in full."""
    report = judge_capacity(look(pages, health=health))
    document = report.document(name="x", backend="http://x")

    assert json.loads(json.dumps(document, allow_nan=False))["exit_code"] in {0, 1, 75}


@pytest.mark.parametrize(
    "runner",
    [
        Runner(1000, 1024, 2**32, 2, 1.0),
        Runner(20, 1024, 2**20, 2, 1.0),
        Runner(20, 1024, 2**32, 2, 80.0),
    ],
    ids=["files", "memory", "lag"],
)
def test_short_runner_accuses_nobody(runner: Runner) -> None:
    """A runner without room of its own can say nothing, unless the target passes a threshold."""
    good = judge_capacity(look({POOL: pool(10)}, runner=runner))
    bad = judge_capacity(look({POOL: pool(99)}, runner=runner))

    assert (good.status, bad.status) == ("unknown", "exceeded")
    assert good.reasons[0].startswith("the runner is short: ")


def test_runner_that_cannot_say_is_told() -> None:
    """On a system without such figures they are not shown, and nothing else changes."""
    report = judge_capacity(look({POOL: pool(10)}, runner=Runner()))

    assert report.status == "within"
    assert {"open files of the runner", "free memory of the runner"} <= dict(report.hidden).keys()


def test_embedded_backend_is_within(capsys: pytest.CaptureFixture[str]) -> None:
    """The reference backend shows its pool, breakers and connections, and is at rest."""
    code = main(["capacity", "--json"])
    told = json.loads(capsys.readouterr().out)
    named = {figure["name"]: figure for figure in told["figures"]}

    assert told["schema"] == "goldenpath-capacity/1"
    assert {"pool", "open breakers", "connections", "infrastructure"} <= set(named)
    target_levels = {f["level"] for f in told["figures"] if f["source"].startswith("/")}
    assert "exceeded" not in target_levels, told["reasons"]
    assert code == told["exit_code"]


def answering(pages: dict[str, Any]) -> Service:
    """Serve these pages, and 404 for all others."""
    return Service(
        lambda line, _count: (
            (200, pages[path]) if (path := line.partition(" ")[2]) in pages else (404, {})
        )
    )


@pytest.mark.parametrize(("percent", "code", "word"), [(12, 0, "within"), (99, 1, "passed")])
def test_command_asks_gently_and_tells_a_table(
    capsys: pytest.CaptureFixture[str], percent: int, code: int, word: str
) -> None:
    """Nothing but GET is sent, a few dozen times; the table names figure, threshold and source."""
    service = answering({"/health": {"status": "ok"}, POOL: pool(percent)})
    with serving(service) as url:
        ended = main(["capacity", "--target", url])
    out = capsys.readouterr().out
    pool_line = next(line for line in out.splitlines() if " pool " in line and "%" in line)

    assert ended == code, out
    assert word in out.splitlines()[0]
    assert "75 / 90 [7.6], 80 / 95 [8.2]" in pool_line
    assert {line.partition(" ")[0] for line in service.asked} == {"GET"}
    assert len(service.asked) == 20 + len(PAGES)


def test_command_on_a_closed_port_knows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A refused connection is exit 75, and says so."""
    with closed_port() as url:
        code = main(["capacity", "--target", url])

    assert code == 75
    assert "connection refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [("--target=nowhere",), ("--nope",), ("--target=",), ("--staging", "--target=local")],
    ids=["target", "option", "blank", "both"],
)
def test_wrong_usage_is_refused(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    """A wrong setting is exit code 4 and one sentence."""
    monkeypatch.chdir(tmp_path)

    assert main(["capacity", *arguments]) == 4
    assert "goldenpath capacity" in capsys.readouterr().err


def test_nobody_has_to_log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote target needs no credentials here, although a run would."""
    monkeypatch.chdir(tmp_path)
    resolved = face._resolved(Options(target="https://api.preview.example.com"))

    assert resolved.target.backend == "https://api.preview.example.com"
