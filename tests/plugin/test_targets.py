"""Where a run goes: precedence, sources in the header, secrets hidden, a target that is down."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from servers import closed_port

pytestmark = pytest.mark.matrix

RunSuite = Callable[..., pytest.RunResult]
DISTRIBUTED = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two-workers"])
_FACT = re.compile(r"  (\w+): (.*) \[(.*)\]")
_FIRST = re.compile(r"goldenpath: target (.*) \[(.*)\]")


def told(result: pytest.RunResult) -> dict[str, tuple[str, str]]:
    """Return what the header tells: by setting its value and its source."""
    facts = {m[1]: (m[2], m[3]) for line in result.outlines if (m := _FACT.fullmatch(line))}
    first = [(m[1], m[2]) for line in result.outlines if (m := _FIRST.fullmatch(line))]
    assert first, "the run has no header of ours"
    return {"target": first[0], **facts}


@pytest.fixture(name="closed_port")
def port_that_refuses(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield an address that refuses every connection, and let nobody wait for it for long."""
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "1")
    with closed_port() as url:
        yield url


def assert_inconclusive(result: pytest.RunResult, verdict: dict[str, Any]) -> None:
    """The verdict says in all its places that the infrastructure is to blame."""
    assert result.ret == 75
    assert (verdict["verdict"], verdict["exit_code"]) == ("INCONCLUSIVE", 75)
    assert verdict["counts"] == {"passed": 0, "failed": 0, "inconclusive": 24, "skipped": 0}
    assert {check["outcome"] for check in verdict["checks"]} == {"inconclusive"}
    assert {check["attribution"] for check in verdict["checks"]} == {"infrastructure"}
    assert "connection refused" in verdict["reasons"][0]


@DISTRIBUTED
def test_refused_connection_is_inconclusive(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    monkeypatch: pytest.MonkeyPatch,
    closed_port: str,
    workers: tuple[str, ...],
) -> None:
    """A target that refuses the connection is blamed on the infrastructure: exit 75."""
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "1")

    result = run_suite(f"--target={closed_port}", *workers)

    verdict = json.loads(pytester.path.joinpath("evidence/verdict.json").read_text())
    assert_inconclusive(result, verdict)
    assert verdict["target"]["backend"] == closed_port


@DISTRIBUTED
def test_refused_connection_is_inconclusive_without_any_option(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    monkeypatch: pytest.MonkeyPatch,
    closed_port: str,
    workers: tuple[str, ...],
) -> None:
    """It makes no difference that the target is named by the environment only."""
    monkeypatch.setenv("GOLDENPATH_TARGET", closed_port)
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "1")

    result = run_suite(*workers, evidence="")

    assert_inconclusive(
        result, json.loads(pytester.path.joinpath(".goldenpath/verdict.json").read_text())
    )


@DISTRIBUTED
def test_run_without_any_option_writes_its_verdict(
    pytester: pytest.Pytester, run_suite: RunSuite, workers: tuple[str, ...]
) -> None:
    """Without any option the checks still get a verdict that agrees with the exit code."""
    result = run_suite(*workers, evidence="")

    verdict = json.loads(pytester.path.joinpath(".goldenpath/verdict.json").read_text())
    assert (result.ret, verdict["verdict"]) == (0, "PASS")
    assert verdict["counts"] == {"passed": 24, "failed": 0, "inconclusive": 0, "skipped": 0}


@DISTRIBUTED
def test_run_without_any_option_has_one_backend_and_a_header(
    run_suite: RunSuite, started: Callable[[], int], workers: tuple[str, ...]
) -> None:
    """Without any option the run is told in the header, and shares one backend."""
    result = run_suite(*workers, evidence="")

    assert told(result)["target"] == ("local (embedded reference backend)", "default")
    assert started() == 1


@pytest.mark.parametrize(
    ("layers", "host", "source"),
    [
        ({"option", "environment", "env-file", "file"}, "option.example.com", "option --target"),
        (
            {"environment", "env-file", "file"},
            "environment.example.com",
            "environment GOLDENPATH_TARGET",
        ),
        ({"env-file", "file"}, "env-file.example.com", "GOLDENPATH_TARGET in {folder}/ci.env"),
        ({"file", "pyproject"}, "file.example.com", "{folder}/goldenpath.toml"),
        ({"pyproject"}, "pyproject.example.com", "{folder}/pyproject.toml"),
        (set(), "local (embedded reference backend)", "default"),
    ],
    ids=["option", "environment", "env-file", "goldenpath-toml", "pyproject-toml", "default"],
)
def test_nearest_layer_names_the_target(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    monkeypatch: pytest.MonkeyPatch,
    layers: set[str],
    host: str,
    source: str,
) -> None:
    """Option, environment, env file, targets file, default: the first that speaks is obeyed."""
    monkeypatch.setenv("GOLDENPATH_TOKEN", "hunter22")
    options = ["--collect-only"]
    if "option" in layers:
        options.append("--target=https://option.example.com")
    if "environment" in layers:
        monkeypatch.setenv("GOLDENPATH_TARGET", "https://environment.example.com")
    if "env-file" in layers:
        options.append("--env-file=ci.env")
        pytester.path.joinpath("ci.env").write_text(
            "GOLDENPATH_TARGET=https://env-file.example.com\n"
        )
    if "file" in layers:
        pytester.path.joinpath("goldenpath.toml").write_text('target = "https://file.example.com"')
    if "pyproject" in layers:
        pytester.path.joinpath("pyproject.toml").write_text(
            '[tool.goldenpath]\ntarget = "https://pyproject.example.com"'
        )

    result = run_suite(*options)

    assert result.ret == 0
    assert told(result)["target"] == (host, source.format(folder=pytester.path))


def test_header_names_the_source_of_each_setting(
    pytester: pytest.Pytester, run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each setting is told with its value and where the value came from."""
    pytester.path.joinpath("goldenpath.toml").write_text(
        'target = "prelive"\ncategory = ["smoke", "remediation"]\n'
        '[targets.prelive]\nbackend = "https://api.example.com"\nevent_deadline_s = 7.5\n'
        "db_budget_s = 12.5\n"
    )
    pytester.path.joinpath("ci.env").write_text(
        "GOLDENPATH_EMAIL=ada@example.com\nGOLDENPATH_PASSWORD=hunter22\n"
    )
    monkeypatch.setenv("GOLDENPATH_RUN_DEADLINE_S", "20")
    monkeypatch.setenv("GOLDENPATH_ENV_FILE", "ci.env")
    file = str(pytester.path / "goldenpath.toml")

    result = run_suite("--collect-only", "--ws-url=wss://ws.example.com/chat")

    assert told(result) == {
        "target": ("prelive", file),
        "backend": ("https://api.example.com", file),
        "auth": ("https://api.example.com", "backend"),
        "ws": ("wss://ws.example.com/chat", "option --ws-url"),
        "login": (
            "password of ada@example.com, ***",
            f"GOLDENPATH_EMAIL in {pytester.path}/ci.env",
        ),
        "second_login": ("none, so no isolation check", "default"),
        "event_deadline_s": ("7.5", file),
        "run_deadline_s": ("20", "environment GOLDENPATH_RUN_DEADLINE_S"),
        "heartbeat_s": ("15", "default"),
        "users": ("8", "default"),
        "warmup": ("auto", "default"),
        "vpc_budget_s": ("60", "default"),
        "db_budget_s": ("12.5", file),
        "infra_attempts": ("3", "default"),
        "infra_delay_s": ("30", "default"),
        "category": ("smoke, remediation", file),
        "execution_mode": ("full", "default"),
        "evidence_dir": (str(pytester.path / "evidence"), "option --evidence-dir"),
    }


@pytest.mark.parametrize("option", ["--gate", "--accept-bypass"])
def test_header_tells_what_changes_the_exit_code(run_suite: RunSuite, option: str) -> None:
    """A setting that changes the exit code is told in the header as every other setting is."""
    result = run_suite("--collect-only", option)

    assert f"[option {option}]" in str(result.stdout)


@pytest.mark.parametrize(
    "variables",
    [
        {"GOLDENPATH_EMAIL": "ada@example.com", "GOLDENPATH_PASSWORD": "hunter22"},
        {"GOLDENPATH_TOKEN": "hunter22"},
        {"E2E_OAUTH_SIMULATION_KEY": "hunter22"},
        {"GOLDENPATH_EXPIRED_TOKEN": "hunter22"},
    ],
    ids=["password", "token", "key", "expired-token"],
)
def test_secret_never_appears(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    monkeypatch: pytest.MonkeyPatch,
    closed_port: str,
    variables: dict[str, str],
) -> None:
    """No output and no evidence shows a credential, also when the run goes wrong."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    result = run_suite(f"--target={closed_port}", "-vv", "--showlocals", "--tb=long", "-rA")

    evidence = pytester.path.joinpath("evidence/verdict.json").read_text()
    assert result.ret == 75
    assert "hunter22" not in f"{result.stdout}{result.stderr}{evidence}"
    assert ("***" in told(result)["login"][0]) is ("GOLDENPATH_EXPIRED_TOKEN" not in variables)


def test_staging_reads_its_own_env_file_and_variables(
    pytester: pytest.Pytester, run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``--staging`` takes its addresses from the platform's variables, then from its env file."""
    pytester.path.joinpath(".env.staging.tests").write_text(
        "GOLDENPATH_TOKEN=hunter22\n"
        "NETRA_BACKEND_URL=https://staging.netrasystems.ai\n"
        "AUTH_SERVICE_URL=https://staging.netrasystems.ai\n"
    )
    monkeypatch.setenv("AUTH_SERVICE_URL", "https://auth-2.staging.netrasystems.ai")
    file = pytester.path / ".env.staging.tests"

    facts = told(run_suite("--collect-only", "--staging"))

    assert facts["target"] == ("staging", "option --staging")
    assert facts["backend"] == (
        "https://staging.netrasystems.ai",
        f"NETRA_BACKEND_URL in {file}",
    )
    assert facts["auth"] == (
        "https://auth-2.staging.netrasystems.ai",
        "environment AUTH_SERVICE_URL",
    )
    assert facts["ws"] == ("wss://api.staging.netrasystems.ai/ws", "default")
    assert facts["login"] == ("token, ***", f"GOLDENPATH_TOKEN in {file}")
