"""A project's own probes and its own names of bypasses, through real runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

INI = "[pytest]\nasyncio_default_fixture_loop_scope = session\n"
CHECK = """
import pytest


@pytest.mark.category("smoke")
def test_it(warm_target):
    assert warm_target.backend
"""
HEAD = "import pytest\n\nasked = []\n\n"
PROBE = """
@pytest.hookimpl(optionalhook=True)
def pytest_goldenpath_probes(target):
    def model():
        asked.append(target.backend)
        {}

    return {{{}: model}}
"""


def ran(
    pytester: pytest.Pytester, conftest: str, *options: str
) -> tuple[pytest.RunResult, dict[str, Any]]:
    """Run the check with this conftest."""
    pytester.makeini(INI)
    pytester.makeconftest(HEAD + conftest)
    pytester.makepyfile(CHECK)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options, timeout=90)
    path = pytester.path / ".goldenpath" / "verdict.json"
    return result, json.loads(path.read_text()) if path.exists() else {}


def test_own_probe_is_waited_for(pytester: pytest.Pytester) -> None:
    """It is asked until it is ready, beside ours, and stands in the verdict."""
    probe = PROBE.format("return 'the model is loading' if len(asked) < 2 else None", "'model'")

    result, verdict = ran(pytester, probe)

    assert result.ret == 0, result.outlines
    report = verdict["warmup"]["model"]
    assert (report["ready"], report["probes"]) == (True, 2)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two-workers"])
def test_own_probe_that_is_never_ready_accuses_nobody(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    """The run is inconclusive, and says what the probe said."""
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "1")
    probe = PROBE.format("raise RuntimeError('no GPU')", "'model'")

    result, verdict = ran(pytester, probe, "--category=smoke", *workers)

    assert result.ret == 75, result.outlines
    (check,) = verdict["checks"]
    assert (check["outcome"], check["attribution"]) == ("inconclusive", "infrastructure")
    assert "RuntimeError: no GPU" in verdict["warmup"]["model"]["last_error"]


def test_own_probe_cannot_take_our_names(pytester: pytest.Pytester) -> None:
    """A probe that would hide one of ours is refused."""
    result, _ = ran(pytester, PROBE.format("return None", "'vpc'"), "--category=smoke")

    assert result.ret == 4, result.outlines
    assert "a probe needs a name of its own" in result.stderr.str()


NAMES = """
@pytest.hookimpl(optionalhook=True)
def pytest_goldenpath_bypass_names():
    return {}
"""


def test_own_bypass_makes_a_pass_bypassed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that only this project knows counts as any other; unset it changes nothing."""
    plain, _ = ran(pytester, NAMES.format("['ACME_HOTFIX']"))
    monkeypatch.setenv("ACME_HOTFIX", "1")
    monkeypatch.setenv("EMERGENCY_BYPASS_EXPIRY", "2999-01-01")
    bypassed, verdict = ran(pytester, NAMES.format("['ACME_HOTFIX']"))

    assert (plain.ret, bypassed.ret) == (0, 80)
    assert verdict["bypass"]["sources"] == ["environment ACME_HOTFIX"]


@pytest.mark.parametrize("options", [(), ("--category=smoke",), ("--category=smoke", "-n", "2")])
def test_hook_with_a_wrong_name_is_refused(
    pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    """Nobody believes himself heard who is not."""
    result, verdict = ran(
        pytester, NAMES.replace("bypass_names", "bypas_names").format("['ACME_HOTFIX']"), *options
    )

    told = result.outlines + result.errlines
    assert (result.ret, verdict) == (4, {}), told
    assert any("did you mean pytest_goldenpath_bypass_names?" in line for line in told)


def test_hook_need_not_be_optional(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project that always has this package may leave the mark out, also without any check."""
    monkeypatch.setenv("ACME_HOTFIX", "1")
    monkeypatch.setenv("EMERGENCY_BYPASS_EXPIRY", "2999-01-01")
    plain = NAMES.format("['ACME_HOTFIX']").replace("@pytest.hookimpl(optionalhook=True)\n", "")
    bypassed, _ = ran(pytester, plain)
    unrelated, _ = ran(pytester, plain, "-k", "nothing_of_that_name")

    assert (bypassed.ret, unrelated.ret) == (80, 5)


def test_own_bypass_without_a_name_is_refused(pytester: pytest.Pytester) -> None:
    """A hook that returns anything but names is told so."""
    result, _ = ran(pytester, NAMES.format("[7]"), "--category=smoke")

    assert result.ret == 4, result.outlines
    assert "no name of a bypass" in result.stderr.str()
