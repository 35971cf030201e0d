"""Whole runs: class, row, verdict and exit code of a trouble, and a project's own word on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roads import of_proxy
from servers import Raw, closed_port, serving

pytestmark = pytest.mark.matrix

CHECK = """
    import pytest

    @pytest.mark.requirement("{code}")
    def test_promise(prove):
        prove()
"""
OWN = """
    import pytest

    @pytest.hookimpl(optionalhook=True)
    def pytest_goldenpath_attribute(symptom):
        return "capacity" if symptom.status == 503 else None
"""


def ran(pytester: pytest.Pytester, code: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Run a check of one promise; returns the exit code and what the verdict says of the check."""
    pytester.makepyfile(CHECK.format(code=code))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)
    verdict = json.loads((pytester.path / ".goldenpath/verdict.json").read_text())
    (check,) = verdict["checks"]
    assert verdict["exit_code"] == result.ret
    return int(result.ret), {"503": verdict["http_503"], "out": result.stdout.str(), **check}


RUNS = {
    "healthy": ("", "GP-109", 0, None, ""),
    "503": ("ws-503-upgrade", "GP-109", 1, "product", "E4-4"),
    "upstream": ("upstream-429", "GP-501", 75, "upstream", "E4-39"),
}


@pytest.mark.parametrize(("fault", "code", "exits", "whose", "row"), RUNS.values(), ids=RUNS)
def test_fault_of_the_backend(
    pytester: pytest.Pytester, fault: str, code: str, exits: int, whose: str, row: str
) -> None:
    """A fault of the embedded backend ends in its verdict, and the check names the row."""
    options = ("--fault", fault) if fault else ()
    code_of_exit, check = ran(pytester, code, *options)

    assert (code_of_exit, check["attribution"], check["row"]) == (exits, whose, row)
    assert (check["503"] > 0) == ("503" in fault)


@pytest.mark.parametrize(("server", "row"), [(None, "E4-12"), (of_proxy(502), "E4-2")])
def test_target_that_is_not_ready(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, server: Raw | None, row: str
) -> None:
    """A road that never opens leaves everything undecided, by its row; None refuses."""
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "0.5")
    monkeypatch.setenv("GOLDENPATH_TOKEN", "a-token")
    with closed_port() if server is None else serving(server) as url:
        exits, check = ran(pytester, "GP-101", "--target", url)

    assert (exits, check["attribution"], check["row"]) == (75, "infrastructure", row)


def test_own_attribution(pytester: pytest.Pytester) -> None:
    """A project's own word turns a finding into doubt, and is told with the row it replaced; workers too."""
    pytester.makeconftest(OWN)
    exits, check = ran(pytester, "GP-109", "--fault", "ws-503-upgrade", "-n2")

    assert (exits, check["attribution"], check["row"]) == (75, "capacity", "own:E4-4")
    assert "[by the project's own rule: capacity]" in check["reason"]
    assert "[by the project's own rule: capacity]" in check["out"]
