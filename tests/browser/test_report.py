"""Reports as people see them: made by Allure 2 and Allure 3 from real runs, opened in a browser.

Everything is offline but the installation: three packages for Node.js, each in a folder of its
own, because two of them have a command of the same name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from pytest_goldenpath.cli.main import main
from running import Ran, run
from servers import closed_port
from verdicts import BEGAN, verdict

_HERE = Path(__file__).parent
#: Where packages for Node.js stay, and where screenshots go; read before tests lose the variables.
_NODE = Path(os.environ.get("GOLDENPATH_TEST_NODE") or tempfile.gettempdir(), "goldenpath-node")
_SHOTS = Path(os.environ.get("GOLDENPATH_TEST_ARTEFACTS") or _NODE / "screenshots")
_PACKAGES = {
    "allure-commandline": "allure-commandline@2",
    "allure": "allure@3",
    "playwright-core": "playwright-core@1",
}
_WITHIN_S = 180.0
_PICTURE_WIDTH = 900
_OLDER = 2
_DURATIONS = (1.5, 1.6, 1.4, 1.5, 1.55, 1.45, 1.5, 1.6, 1.5, 1.4, 3.0)
_FEWEST_PLOTS, _PLOT_WIDTH = 4, 300
_CI = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://git.example",
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_RUN_ID": "99",
    "GITHUB_RUN_NUMBER": "7",
    "GITHUB_WORKFLOW": "gate",
}
_OWN_CHECKS = """
import httpx
import pytest

pytestmark = pytest.mark.category("smoke")
TRIES = []


def test_road():
    '''The road to a service of ours is open.'''
    httpx.get("{closed}", trust_env=False)


@pytest.mark.infra_retry(attempts=3, delay=0)
def test_comes_back():
    '''It comes back.'''
    TRIES.append(1)
    if len(TRIES) == 1:
        raise ConnectionResetError("for a moment")


@pytest.mark.skip(reason="there is nothing to look at")
def test_absent():
    '''Nothing is there.'''
"""


_JOURNEY = "The agent says what it is thinking"
_TREE = ("Golden path", "Smoke", "The five events", _JOURNEY, "sequence: journey")


@dataclass(frozen=True)
class Visit:
    """How a person gets to a page: which report, what to click, and what to wait for."""

    report: str
    wait: str
    clicks: tuple[str, ...] = ()
    route: str = ""
    tall: int = 1000


_VISITS = {
    "allure2-green": Visit("green/allure2", "text=Environment"),
    "allure3-green": Visit("green/allure3", "text=Metadata"),
    "allure2-red": Visit("red/allure2", "text=Bypass found", tall=1700),
    "allure2-environment": Visit(
        "red/allure2",
        "text=Warm-up",
        (".widget:has-text('Environment') >> text=Show all",),
        tall=1700,
    ),
    "allure2-journey": Visit(
        "red/allure2", "img", tuple(f"text={word}" for word in _TREE), "#behaviors", 1900
    ),
    "allure3-red": Visit("red/allure3", "text=Metadata"),
    "allure3-categories": Visit("red/allure3", "text=Bypass found", ("text=/^Categories/",)),
    "allure3-journey": Visit(
        "red/allure3", "img", (f"text={_JOURNEY}", "text=sequence: journey"), tall=2600
    ),
    "allure3-retry": Visit("red/allure3", "text=Description", ("text=It comes back",)),
    "trend": Visit("trend", "text=earlier runs", tall=3400),
}


@dataclass(frozen=True)
class Page:
    """What is to be seen on one page."""

    text: str
    pictures: list[int]
    plots: list[float]

    def lines(self) -> list[str]:
        """Return the page line by line, a line also with the number that stands below it."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        counted = (f"{name} {number}" for name, number in pairwise(lines) if number.isdigit())
        return [*lines, *counted]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Ran]]:
    """Return the folder of all reports and of the trend page, and the two runs that they tell of.

    The runs and the installation of what tells of them go on at the same time.
    """
    folder = tmp_path_factory.mktemp("reports")
    with ThreadPoolExecutor() as pool:
        installed = [pool.submit(_install, name) for name in _PACKAGES]
        runs = {"green": pool.submit(_green, folder), "red": pool.submit(_red, folder)}
        for done in installed:
            done.result()
        ran = {name: future.result() for name, future in runs.items()}
        for done in [pool.submit(_report, folder, name, n) for name in ran for n in (2, 3)]:
            done.result()
    _trend(folder / "trend", ran)
    return folder, ran


@pytest.fixture(scope="session")
def ran(made: tuple[Path, dict[str, Ran]]) -> dict[str, Ran]:
    """Return the two runs."""
    return made[1]


@pytest.fixture(scope="session")
def seen(made: tuple[Path, dict[str, Ran]]) -> dict[str, Page]:
    """Return what is to be seen on every page; one browser opens them all."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("there is no chromium; install the package of that name")
    _SHOTS.mkdir(parents=True, exist_ok=True)
    with _served(made[0]) as address:
        pages = _look_at(address, chromium)
    return {name: Page(**page) for name, page in zip(_VISITS, pages, strict=True)}


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback: from a file, Allure 3 at times starts before its data is there."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _look_at(address: str, chromium: str) -> list[dict[str, Any]]:
    pages = [
        {
            "url": f"{address}/{visit.report}/index.html{visit.route}",
            "clicks": visit.clicks,
            "wait": visit.wait,
            "shot": str(_SHOTS / f"{name}.png"),
            "tall": visit.tall,
        }
        for name, visit in _VISITS.items()
    ]
    command = ["node", str(_HERE / "look.mjs"), str(_NODE / "playwright-core"), chromium]
    said: list[dict[str, Any]] = json.loads(_call(command, _HERE, json.dumps(pages)))
    return said


def test_green_run_is_green(ran: dict[str, Ran], seen: dict[str, Page]) -> None:
    """All of it passed, nothing has a category, no error is told, and the verdict is PASS."""
    second, third = (seen[name].lines() for name in ("allure2-green", "allure3-green"))

    assert ran["green"].code == 0, ran["green"].out
    assert {"24", "100%", "PASS (exit 0)", "local"} <= set(second)
    assert "Run completed with errors" not in second
    assert {"Golden path: local", "Total 24", "Passed 24", "PASS (exit 0)"} <= set(third)
    assert {"Global Attachments 2", "Global Errors 0"} <= set(third)
    assert not any("defect" in line for line in (*second, *third))


def test_counts_are_those_of_the_verdict(ran: dict[str, Ran], seen: dict[str, Page]) -> None:
    """A person counts in both reports what the verdict counts."""
    second, third = (seen[name].lines() for name in ("allure2-red", "allure3-red"))
    counts = ran["red"].verdict["counts"]

    assert ran["red"].code == 1, ran["red"].out
    assert counts == {"passed": 23, "failed": 2, "inconclusive": 1, "skipped": 1}
    assert second[second.index("test cases") - 1] == "27"
    assert {"Total 27", "Failed 2", "Broken 1", "Skipped 1", "Passed 23"} <= set(third)


@pytest.mark.parametrize("name", ["allure2-red", "allure3-categories"])
def test_each_trouble_has_its_category(seen: dict[str, Page], name: str) -> None:
    """Product, bypass and infrastructure are told apart by both generators."""
    expected = {"Bypass found 1", "Product defect 1", "Infrastructure 1"}

    assert expected <= set(seen[name].lines())


def test_surroundings_are_told(seen: dict[str, Page]) -> None:
    """Verdict, CI system, run-level error, the active bypass and the versions are there."""
    first, whole = (set(seen[name].lines()) for name in ("allure2-red", "allure2-environment"))

    assert {"FAIL (exit 1)", "gate #7", "Run completed with errors"} <= first
    assert any(line.startswith("golden path: FAIL (exit 1)") for line in first)
    assert any(line.startswith("ACTIVE until") for line in whole)
    assert {"Revision", "Seed", "pytest-goldenpath"} <= whole
    assert "FAIL (exit 1)" in seen["allure3-red"].lines()


@pytest.mark.parametrize("name", ["allure2-journey", "allure3-journey"])
def test_journey_can_be_followed(seen: dict[str, Page], name: str) -> None:
    """A failed check shows its message, the steps, the one that is missing, and the picture."""
    page = seen[name]
    steps = ("login by password", "connect", "welcome", "ping", "ask", "answer", "leave")

    assert [step for step in steps if step not in page.text] == []
    assert "[product] GP-402 expected agent_thinking" in page.text
    assert "agent_thinking did not come" in page.text
    assert "Product defect" in page.text
    assert max(page.pictures) >= _PICTURE_WIDTH


def test_retry_is_told(seen: dict[str, Page]) -> None:
    """A pass after a retry is flaky, and says which attempt it was."""
    assert "Flaky" in seen["allure3-retry"].lines()
    assert "attempt 2 of 3" in seen["allure3-retry"].text


def test_trend_can_be_read(seen: dict[str, Page]) -> None:
    """A page of earlier runs has a plot for each figure, and points out what became worse."""
    page = seen["trend"]
    lines = page.lines()

    assert "Golden path: earlier runs" in lines
    assert "11 runs (11 PASS); success rate 100.0 % of 11 decided." in lines
    assert [line for line in lines if line.startswith("Worse than usual: ")]
    assert "2 runs (1 FAIL, 1 PASS); success rate 50.0 % of 2 decided." in lines
    assert len(page.plots) >= _FEWEST_PLOTS
    assert min(page.plots) >= _PLOT_WIDTH


def _trend(folder: Path, ran: dict[str, Ran]) -> None:
    """Write the page of ten steady runs, a slow one, and the two that the reports tell of."""
    folder.mkdir()
    for place, took in enumerate(_DURATIONS):
        told = verdict(timings={"run_s": took}, began=BEGAN + timedelta(hours=place))
        (folder / f"staging-{place:02}.json").write_text(json.dumps(told))
    for name, done in ran.items():
        (folder / f"{name}.json").write_text(json.dumps(done.verdict))
    assert main(["trend", str(folder), "--html", str(folder / "index.html")]) == 0


def _install(name: str) -> None:
    place = _NODE / name
    if not (place / "node_modules" / name).is_dir():
        place.mkdir(parents=True, exist_ok=True)
        _call(["npm", "install", "--silent", "--no-audit", "--no-fund", _PACKAGES[name]], place)


def _green(folder: Path) -> Ran:
    place = folder / "green"
    place.mkdir()
    return run(place, "--category=smoke", f"--alluredir={place / 'results'}")


def _red(folder: Path) -> Ran:
    """Run into every kind of trouble, while a bypass is active."""
    place = folder / "red"
    place.mkdir()
    checks = place / "test_ours.py"
    expiry = datetime.now(UTC) + timedelta(days=1)
    with closed_port() as address:
        checks.write_text(_OWN_CHECKS.replace("{closed}", address))
        return run(
            place,
            str(checks),
            "--category=smoke",
            "--fault=missing-agent-thinking",
            "--fault=emergency-flag-in-health",
            f"--alluredir={place / 'results'}",
            BYPASS_INFRASTRUCTURE_VALIDATION="true",
            EMERGENCY_BYPASS_EXPIRY=f"{expiry:%Y-%m-%d}",
            **_CI,
        )


def _report(folder: Path, name: str, version: int) -> None:
    results, report = folder / name / "results", folder / name / f"allure{version}"
    npx = ["npx", "--no-install", "allure"]
    if version == _OLDER:
        command = [*npx, "generate", str(results), "--clean"]
        place = _NODE / "allure-commandline"
    else:
        command = [*npx, "awesome", str(results), "--config", str(results / "allurerc.json")]
        place = _NODE / "allure"
    _call([*command, "-o", str(report)], place)


def _call(command: list[str], folder: Path, said: str = "") -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        input=said,
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout
