"""Allure: the same counts everywhere, whole results, no secret, and nothing without being asked."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_goldenpath.contract.frames import EVENTS
from running import read_verdict

_WITHIN_S = 60.0
_WORDS = {"failed": "failed", "broken": "inconclusive", "passed": "passed", "skipped": "skipped"}
#: Checks of every outcome; none of them needs a target.
_EVERY_OUTCOME = """
import os
import pytest

pytestmark = pytest.mark.category("smoke")


@pytest.mark.parametrize("number", range(6))
def test_passes(number):
    '''It holds.'''


def test_fails():
    '''The product is right.'''
    assert 1 == 2, "the product is wrong"


def test_road_breaks():
    raise ConnectionResetError("the road broke")


def test_set_up_breaks(broken):
    pass


@pytest.fixture
def broken():
    assert False, "a fixture is wrong"


@pytest.mark.skip(reason="not here")
def test_skips():
    pass


@pytest.mark.parametrize("case", ["a", "b"])
def test_dies(case):
    if os.environ.get("PYTEST_XDIST_WORKER"):
        os._exit(3)
    raise ConnectionResetError("alone, nobody would be left to tell")
"""
_CONFTEST = """
import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_goldenpath_environment(config):
    return {"Team of the day": "blue", "Verdict": "PASS"}
"""


@dataclass(frozen=True)
class Told:
    """What a run left for Allure."""

    folder: Path
    ran: pytest.RunResult

    def results(self) -> list[dict[str, Any]]:
        """Return every result."""
        return [json.loads(path.read_text()) for path in self.folder.glob("*-result.json")]

    def of(self, code: str) -> dict[str, Any]:
        """Return the one result of a promise."""
        (result,) = (r for r in self.results() if {"name": "tag", "value": code} in r["labels"])
        return result

    def named(self, name: str) -> list[dict[str, Any]]:
        """Return the results of a test function, the earliest first."""
        mine = [r for r in self.results() if r["fullName"].endswith(f"#{name}")]
        return sorted(mine, key=lambda result: result["start"])

    def file(self, name: str) -> Any:
        """Return a side file's data."""
        return json.loads((self.folder / name).read_text())


@pytest.fixture
def run_own(pytester: pytest.Pytester) -> Callable[..., Told]:
    """Return a function that runs the checks of this test's folder, with results for Allure."""

    def run(*options: str) -> Told:
        folder = pytester.path / "results"
        ran = pytester.runpytest_subprocess(
            f"--alluredir={folder}",
            f"--evidence-dir={pytester.path / 'evidence'}",
            "-p",
            "no:cacheprovider",
            *options,
            timeout=_WITHIN_S,
        )
        return Told(folder, ran)

    return run


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "-n 2, two crashes"])
def test_counts_are_the_same_everywhere(
    pytester: pytest.Pytester,
    run_own: Callable[..., Told],
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
) -> None:
    """Exit code, verdict, JUnit and Allure tell of the same tests, also when workers die.

    The folder is cleaned once: what was there before is gone, and what a worker wrote stays when
    another one is replaced.
    """
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    pytester.makeconftest(_CONFTEST)
    pytester.makepyfile(_EVERY_OUTCOME)
    stale = pytester.mkdir("results") / "old-result.json"
    stale.write_text("{}")
    told = run_own("--clean-alluredir", "--junitxml=junit.xml", "--target=local", *workers)
    verdict = read_verdict(pytester.path / "evidence")
    results = told.results()
    suite = ET.parse(pytester.path / "junit.xml").getroot()[0]  # noqa: S314  # our own

    assert not stale.exists()
    assert told.ran.ret == verdict["exit_code"] == 1
    assert verdict["counts"] == {"passed": 6, "failed": 1, "inconclusive": 4, "skipped": 1}
    assert Counter(_WORDS[result["status"]] for result in results) == verdict["counts"]
    assert suite.attrib["tests"] == str(len(results)) == "12"
    assert int(suite.attrib["failures"]) + int(suite.attrib["errors"]) == 5
    assert suite.attrib["skipped"] == "1"
    assert len({result["historyId"] for result in results}) == len(results)

    messages = {
        result["statusDetails"]["message"] for result in results if "statusDetails" in result
    }
    heads = sorted(message.partition("]")[0] for message in messages if message[0] == "[")
    dead = ["[harness"] * 2 if workers else ["[infrastructure"]
    assert heads == sorted([*dead, "[harness", "[infrastructure", "[product"])
    text = (told.folder / "environment.properties").read_text()
    assert "Verdict=FAIL (exit 1)\n" in text
    assert "Team-of-the-day=blue\n" in text
    assert told.file("executor.json")["type"] == "github"
    assert {category["name"] for category in told.file("categories.json")} >= {"Product defect"}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "-n 2"])
def test_healthy_journey_is_told_whole(
    run_suite: Callable[..., pytest.RunResult],
    pytester: pytest.Pytester,
    workers: tuple[str, ...],
) -> None:
    """Place, weight, steps with true times, one picture for all, and the run's own files."""
    folder = pytester.path / "results"
    told = Told(folder, run_suite(f"--alluredir={folder}", *workers))
    result = told.of("GP-403")
    labels = {(label["name"], label["value"]) for label in result["labels"]}
    steps = {step["name"].partition(":")[0]: step for step in result["steps"]}

    assert told.ran.ret == 0
    assert len(told.results()) == 24
    assert labels >= {
        ("epic", "Golden path"),
        ("feature", "Smoke"),
        ("story", "The five events"),
        ("severity", "blocker"),
        ("verdict", "passed"),
    }
    assert result["name"] == "The agent says which tool it uses"
    assert [link["name"] for link in result["links"]] == ["GP-403"]
    assert {"name": "target", "value": "local"} in result["parameters"]
    assert list(steps)[:4] == ["login by password", "connect", "welcome", "ping"]
    assert set(EVENTS) | {"ask", "answer", "leave"} <= set(steps)
    assert {step["status"] for step in result["steps"]} == {"passed"}
    assert steps["login by password"]["stop"] <= steps["connect"]["start"]
    assert steps["ask"]["stop"] <= steps["agent_started"]["stop"] <= steps["answer"]["stop"]
    assert steps["leave"]["stop"] <= result["start"] + 1
    assert len(list(folder.glob("*.svg"))) <= max(1, 2 * len(workers))
    (said,) = folder.glob("*-globals.json")
    names = [attachment["name"] for attachment in json.loads(said.read_text())["attachments"]]
    assert names == ["verdict.json", "warm-up"]
    assert "errors" not in json.loads(said.read_text())


def test_fault_is_told_with_its_proof(
    run_suite: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    """Product and bypass are told apart, and the picture marks what the finding is about."""
    folder = pytester.path / "results"
    faults = ("--fault=missing-agent-thinking", "--fault=emergency-flag-in-health")
    told = Told(folder, run_suite(f"--alluredir={folder}", *faults))
    product, bypass, fine = (told.of(code) for code in ("GP-402", "GP-802", "GP-401"))
    (picture,) = (a for a in product["attachments"] if a["name"] == "sequence: journey")
    (said,) = folder.glob("*-globals.json")

    assert told.ran.ret == 1
    assert product["statusDetails"]["message"].startswith("[product] GP-402 ")
    assert bypass["statusDetails"]["message"].startswith("[bypass] GP-802 ")
    assert (product["status"], bypass["status"], fine["status"]) == ("failed", "failed", "passed")
    assert [s["name"] for s in product["steps"] if s["status"] == "failed"] == [
        "agent_thinking did not come"
    ]
    drawn = (folder / picture["source"]).read_text()
    assert "did not come" in drawn
    assert ">GP-402<" in drawn
    assert json.loads(said.read_text())["errors"][0]["message"].startswith("golden path: FAIL")


_LEAKS = """
import logging

import allure
import pytest

pytestmark = pytest.mark.category("smoke")


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("harmless", ["a-word-that-may-be-seen"])
async def test_leaks(user, tmp_path, harmless, journey):
    token = user.token.reveal()
    (tmp_path / "raw.bin").write_bytes(b"\\xff\\x00" + token.encode())
    (tmp_path / "clean.bin").write_bytes(b"\\xff\\x00")
    allure.dynamic.parameter("token", token, mode=allure.parameter_mode.MASKED)
    allure.dynamic.label("owner", token)
    allure.attach(f"text {token}", "a text")
    allure.attach.file(tmp_path / "raw.bin", "a file")
    allure.attach.file(tmp_path / "clean.bin", "a clean file")
    allure.global_attach(token, "for the run")
    with allure.step(f"a step with {token}"):
        logging.getLogger("somebody").warning("logged %s", token)
        print("printed", token)
    held = await journey("Please say something.")
    assert held.answer() == token
"""


def test_no_secret_is_in_any_file(
    pytester: pytest.Pytester, run_own: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that logs, prints, attaches and asserts on its token leaks it nowhere.

    What is no secret is all there: nothing is kept out by leaving it out.
    """
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    pytester.makepyfile(_LEAKS, conftest=_TOKEN_SPY)
    told = run_own("--target=local")
    token = (pytester.path / "token.txt").read_text()
    bodies = {path.name: path.read_bytes() for path in told.folder.iterdir()}
    (result,) = told.results()

    assert len(token) > 100
    assert [name for name, body in bodies.items() if token[-20:].encode() in body] == []
    assert result["status"] == "failed"
    assert {"owner", "epic"} <= {label["name"] for label in result["labels"]}
    assert "a-word-that-may-be-seen" in json.dumps(result)
    assert "text ***" in {body.decode("utf-8", "replace") for body in bodies.values()}
    assert b"\xff\x00" in bodies.values()
    assert {"a text", "a file", "sequence: journey"} <= {a["name"] for a in result["attachments"]}
    assert "a step with ***" in [step["name"] for step in result["steps"]]
    assert "journey" in [step["name"] for step in result["steps"]]


_TOKEN_SPY = """
import pathlib

import pytest


@pytest.fixture(autouse=True)
def _spy(user):
    token = user.token.reveal()
    (pathlib.Path(__file__).parent / "token.txt").write_text(token)
"""
_COMES_BACK = """
import pytest

pytestmark = pytest.mark.category("smoke")
TRIES = {"back": 0, "gone": 0}


@pytest.mark.infra_retry(attempts=3, delay=0)
def test_comes_back():
    TRIES["back"] += 1
    if TRIES["back"] == 1:
        raise ConnectionResetError("for a moment")


def test_is_stable():
    pass
"""


def test_attempts_are_told(pytester: pytest.Pytester, run_own: Callable[..., Told]) -> None:
    """Each attempt is a result of one history; a pass after a retry is flaky, and says so."""
    pytester.makepyfile(_COMES_BACK)
    told = run_own("--target=local")
    first, second = told.named("test_comes_back")
    (stable,) = told.named("test_is_stable")

    assert told.ran.ret == 0
    assert (first["status"], second["status"]) == ("broken", "passed")
    assert first["historyId"] == second["historyId"]
    assert "(attempt 1 of 3)" in first["statusDetails"]["message"]
    assert second["statusDetails"] == {"message": "attempt 2 of 3", "flaky": True}
    assert {"name": "attempt", "value": "attempt 2 of 3"} in second["labels"]
    assert "statusDetails" not in stable


_OWN_WORDS = """
import allure
import pytest


@allure.epic("Ours")
@allure.severity("minor")
@allure.title("Our own title")
@pytest.mark.category("smoke")
@pytest.mark.parametrize("target", ["mine"])
def test_own(target):
    '''Something else.'''


def test_foreign():
    pass
"""


def test_what_a_test_says_of_itself_is_kept(
    pytester: pytest.Pytester, run_own: Callable[..., Told]
) -> None:
    """A project's own labels, title and parameters stay, and so do its other tests.

    Its hook for the environment may fail; that is told, and changes nothing else.
    """
    pytester.makeconftest(_CONFTEST.replace("return", "raise ValueError('no team') ; return"))
    pytester.makepyfile(_OWN_WORDS)
    told = run_own("--target=local")
    (own,), (foreign,) = told.named("test_own"), told.named("test_foreign")
    labels = Counter(label["name"] for label in own["labels"])
    text = (told.folder / "environment.properties").read_text()

    assert own["name"] == "Our own title"
    assert {"name": "epic", "value": "Ours"} in own["labels"]
    assert (labels["epic"], labels["severity"], labels["feature"]) == (1, 1, 1)
    assert own["parameters"] == [
        {"name": "target", "value": "'mine'"},
        {"name": "goldenpath target", "value": "local"},
    ]
    assert "epic" not in {label["name"] for label in foreign["labels"]}
    assert "Further-entries=missing: ValueError: no team\n" in text
    assert "Verdict=PASS (exit 0)\n" in text


_LISTS_MODULES = """
import sys


def pytest_unconfigure():
    print([name for name in sys.modules if "goldenpath.plugin.allure" in name])
"""


@pytest.mark.real_python
@pytest.mark.parametrize(
    "options", [(), ("-p", "no:allure_pytest")], ids=["not asked for", "not there"]
)
def test_costs_nothing_otherwise(pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    """Without a folder, and without allure-pytest, nothing of this is even imported."""
    pytester.makeconftest(_LISTS_MODULES)
    pytester.makepyfile(_EVERY_OUTCOME)
    ran = pytester.runpytest_subprocess("-s", "-k", "passes", "--target=local", *options)

    assert ran.ret == 0
    ran.stdout.fnmatch_lines(["*golden path: PASS*", "[[]]"])
