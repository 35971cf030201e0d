"""The marker infra_retry: what is made again, what is kept, what never is, and how it is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from pytest_goldenpath.verdict.document import schema
from servers import Service, serving

DISTRIBUTED = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two-workers"])
INI = (
    "[pytest]\nasyncio_default_fixture_loop_scope = session\n"
    "asyncio_default_test_loop_scope = session\n"
)
Checked = Callable[..., tuple[pytest.RunResult, dict[str, Any]]]

#: Each test notes in a file what happens to it, for it may happen in a worker.
HEAD = """
import asyncio
from pathlib import Path

import httpx
import pytest

from pytest_goldenpath import ContractBroken, InfraError

LOG = Path(__file__).with_name("log.txt")


def note(word):
    with LOG.open("a") as stream:
        stream.write(word + "\\n")
    return LOG.read_text().split().count(word)


@pytest.fixture(scope="session")
def wide():
    note("wide")
    yield
    note("wide-down")


@pytest.fixture
def narrow():
    note("narrow")
    yield
    note("narrow-down")

"""
FLAKY = (
    HEAD
    + """
@pytest.mark.infra_retry(attempts=3, delay=0.2)
def test_it(wide, narrow):
    if note("call") < 3:
        raise ConnectionResetError("gone")
"""
)


@dataclass
class Away:
    """A service that can go away: everything is answered with a gateway's 503 then."""

    until_s: float = 0.0
    asked: list[str] = field(default_factory=list)

    def answer(self, line: str, _count: int) -> tuple[int, object]:
        """Answer one request; the first piece of work after the tenth begins the outage."""
        self.asked.append(line)
        if line == "GET /break":
            self.until_s = time.monotonic() + 1.0
        if time.monotonic() < self.until_s:
            return 503, "<h1>no instances</h1>"
        return 200, {"status": "ok"}


@pytest.fixture
def checked(pytester: pytest.Pytester) -> Checked:
    """Return a function that runs tests and reads verdict and JUnit XML."""
    pytester.makeini(INI)

    def run(source: str, *options: str) -> tuple[pytest.RunResult, dict[str, Any]]:
        pytester.makepyfile(source)
        result = pytester.runpytest_subprocess(
            "-p", "no:cacheprovider", "--junitxml=junit.xml", *options, timeout=120
        )
        path = pytester.path / ".goldenpath" / "verdict.json"
        verdict = json.loads(path.read_text()) if path.exists() else {}
        if verdict:
            jsonschema.validate(verdict, schema())
        return result, verdict

    return run


@pytest.fixture
def noted(pytester: pytest.Pytester) -> Callable[[str], int]:
    """Return a function that counts a word that the tests noted."""
    return lambda word: (pytester.path / "log.txt").read_text().split().count(word)


@DISTRIBUTED
def test_flaky_pass_is_one_test_with_its_attempts(
    pytester: pytest.Pytester,
    checked: Checked,
    noted: Callable[[str], int],
    workers: tuple[str, ...],
) -> None:
    """Narrow fixtures are renewed, wide ones kept, and every report has one test."""
    result, verdict = checked(FLAKY, *workers)

    assert result.ret == 0, result.outlines
    result.assert_outcomes(passed=1)
    assert [noted(word) for word in ("call", "narrow", "narrow-down")] == [3, 3, 3]
    assert [noted(word) for word in ("wide", "wide-down")] == [1, 1]
    assert [(c["outcome"], c["attempts"]) for c in verdict["checks"]] == [("passed", 3)]
    assert len(ET.parse(pytester.path / "junit.xml").findall(".//testcase")) == 1  # noqa: S314  # our own


@DISTRIBUTED
def test_hang_in_the_second_attempt_is_timed_out(
    checked: Checked, noted: Callable[[str], int], workers: tuple[str, ...]
) -> None:
    """Each attempt has the whole time-out, a wait between two has none, and no third follows."""
    source = (
        HEAD
        + """
@pytest.mark.timeout(1)
@pytest.mark.infra_retry(attempts=3, delay=1.2)
def test_it():
    if note("call") == 1:
        raise ConnectionResetError("gone")
    import threading
    threading.Event().wait(8)
"""
    )
    result, verdict = checked(source, *workers)

    assert result.ret == 75, result.outlines
    assert noted("call") == 2
    (check,) = verdict["checks"]
    assert (check["outcome"], check["attribution"], check["attempts"]) == (
        "inconclusive",
        "harness",
        2,
    )
    assert "Timeout" in check["reason"]
    assert check["duration_s"] < 4.0


def test_set_up_that_fails_is_made_again(checked: Checked, noted: Callable[[str], int]) -> None:
    """A fixture that met the outage is set up again, whatever its scope, and ends once."""
    source = (
        HEAD
        + """
@pytest.fixture(scope="session")
def opened(wide):
    if note("opened") == 1:
        raise httpx.ConnectError("refused")
    yield
    note("closed")


@pytest.mark.infra_retry(delay=0.2)
def test_it(opened):
    note("call")


@pytest.mark.infra_retry(delay=0.2)
def test_next(opened):
    note("call")
"""
    )
    result, _ = checked(source)

    assert result.ret == 0, result.outlines
    result.assert_outcomes(passed=2)
    assert [noted(word) for word in ("wide", "opened", "closed", "call")] == [1, 2, 1, 2]


def test_asynchronous_test_is_made_again(checked: Checked) -> None:
    """A coroutine is a test like any other."""
    source = (
        HEAD
        + """
@pytest.mark.asyncio
@pytest.mark.infra_retry(delay=0.2)
async def test_it():
    await asyncio.sleep(0)
    if note("call") == 1:
        raise httpx.ReadError("gone")
"""
    )
    result, verdict = checked(source)

    assert result.ret == 0, result.outlines
    assert verdict["checks"][0]["attempts"] == 2


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        ("assert False", 1),
        ("raise ContractBroken(())", 1),
        ("pytest.fail('no')", 1),
        ("pytest.skip('no')", 75),
        ("raise ValueError('no')", 75),
    ],
)
def test_what_is_not_the_road_is_never_made_again(
    checked: Checked, noted: Callable[[str], int], raised: str, code: int
) -> None:
    """A broken promise, an assertion, a skip and a mistake of the test's own are final."""
    source = f"{HEAD}\n@pytest.mark.infra_retry\ndef test_it():\n    note('call')\n    {raised}\n"

    result, _ = checked(source)

    assert result.ret == code, result.outlines
    assert noted("call") == 1


@pytest.fixture
def away() -> Iterator[tuple[Away, str]]:
    """Serve a target that can go away."""
    state = Away()
    with serving(Service(state.answer)) as url:
        yield state, url


WORK = """
import os

import httpx
import pytest

from pytest_goldenpath import InfraError


@pytest.mark.infra_retry
@pytest.mark.parametrize("number", range(12))
def test_it(number):
    url = os.environ["PLACE"]
    answer = httpx.get(url + ("/break" if number == 4 and not os.path.exists("broke") else "/work"))
    if number == 4:
        open("broke", "w").close()
    if answer.status_code == 503:
        raise httpx.ReadError("no instances")
"""


@DISTRIBUTED
def test_one_outage_is_waited_for_once(
    away: tuple[Away, str],
    checked: Checked,
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
) -> None:
    """Whoever meets the outage goes on from the same recovery, and all tests pass."""
    _, url = away
    monkeypatch.setenv("PLACE", url)
    monkeypatch.setenv("GOLDENPATH_TOKEN", "t-o-k-e-n-9")

    result, verdict = checked(WORK, f"--target={url}", *workers)

    assert result.ret == 0, result.outlines
    assert verdict["counts"]["passed"] == 12
    assert verdict["outages"]["recoveries"] == 1
    assert 0.5 <= verdict["outages"]["waited_s"] <= 1.0 + 2.0


@DISTRIBUTED
def test_target_that_is_gone_costs_the_budget_once(
    away: tuple[Away, str],
    checked: Checked,
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
) -> None:
    """What is left is inconclusive at once, whatever the number of tests."""
    state, url = away
    state.until_s = time.monotonic() + 600
    monkeypatch.setenv("PLACE", url)
    monkeypatch.setenv("GOLDENPATH_TOKEN", "t-o-k-e-n-9")
    monkeypatch.setenv("GOLDENPATH_INFRA_DELAY_S", "0.5")

    result, verdict = checked(WORK, f"--target={url}", *workers)

    assert result.ret == 75, result.outlines
    assert verdict["counts"] == {"passed": 0, "failed": 0, "inconclusive": 12, "skipped": 0}
    assert {c["attribution"] for c in verdict["checks"]} == {"infrastructure"}
    assert verdict["outages"]["gone"]
    assert verdict["outages"]["waited_s"] <= 3 * 0.5 + 2.0


@pytest.mark.parametrize(
    ("marker", "named"),
    [
        ("infra_retry(3)", "infra_retry(3): write infra_retry(attempts=3, delay=30.0)"),
        ("infra_retry(tries=3)", "infra_retry(tries): write infra_retry(attempts=3, delay=30.0)"),
        ("infra_retry(attempts=-1)", "infra_retry(attempts=-1): write a whole number from 1 to 20"),
        ("infra_retry(attempts='3')", "infra_retry(attempts='3'): write a whole number"),
        ("infra_retry(attempts=True)", "infra_retry(attempts=True): write a whole number"),
        ("infra_retry(delay=-1)", "infra_retry(delay=-1): write seconds as a number from 0"),
        ("infra_retry(delay='soon')", "infra_retry(delay='soon'): write seconds as a number"),
        ("infra_retry(delay=float('nan'))", "infra_retry(delay=nan): write seconds as a number"),
        (
            "flaky(reruns=2)\n@pytest.mark.infra_retry",
            "infra_retry and flaky would both make this test again; leave out one",
        ),
    ],
)
def test_malformed_marker_is_refused(pytester: pytest.Pytester, marker: str, named: str) -> None:
    """A wrong marker is a usage error at collection: exit 4, and one sentence that names it."""
    assert_refused(pytester, marker, named)


def test_malformed_marker_is_refused_by_workers(pytester: pytest.Pytester) -> None:
    """Workers refuse it as the only process of a run does."""
    assert_refused(pytester, "infra_retry(attempts=0)", "write a whole number", "-n", "2")


def assert_refused(pytester: pytest.Pytester, marker: str, named: str, *workers: str) -> None:
    """A run with this marker ends with exit code 4 and this sentence."""
    pytester.makeini(INI + "markers = flaky\n")
    pytester.makepyfile(f"import pytest\n\n@pytest.mark.{marker}\ndef test_it():\n    pass\n")

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *workers, timeout=60)

    assert result.ret == 4, result.outlines
    assert named in result.stderr.str() + result.stdout.str()


def test_marked_test_starts_no_backend(checked: Checked, started: Callable[[], int]) -> None:
    """A test that asks for none of our fixtures needs no target."""
    result, verdict = checked(FLAKY)

    assert result.ret == 0
    assert started() == 0
    assert verdict["target"]["backend"] == ""
