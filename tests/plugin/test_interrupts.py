"""A run that is told to stop, or struck down, leaves the truth behind: real signals, real processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_goldenpath.verdict.document import schema
from running import environment, read_verdict
from servers import Service, serving

pytestmark = pytest.mark.real_python
_MANY = pytest.param(("-n", "2"), id="-n 2")
DISTRIBUTED = pytest.mark.parametrize("workers", [pytest.param((), id="one process"), _MANY])
#: A target that the checks never ask, so that no backend is started for them.
NOBODY = ("--target=http://127.0.0.1:9", "--warmup=off")
_PATIENCE_S = 90.0
_GONE_WITHIN_S = 5.0
#: A check that needs no target, one that lasts, and one that comes after it.
_CHECKS = """
import os, threading
from pathlib import Path
import pytest

pytestmark = pytest.mark.category("smoke")

def test_a_quick():
    pass

def test_b_lasts():
    Path("reached").touch()
    threading.Event().wait(60)

def test_c_never_runs():
    pass
"""
_LAST_WORDS = """
import threading, time
from pathlib import Path
import pytest

@pytest.hookimpl({when}=True)
def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        Path("reached").touch()
        end = time.monotonic() + {lasts}
        while time.monotonic() < end and not Path("go").exists():
            threading.Event().wait(0.01)
"""
_PROVES = """
import pytest

@pytest.mark.category("smoke")
@pytest.mark.requirement("GP-101")
def test_health(prove):
    prove()
"""


@contextmanager
def running(
    folder: Path, checks: str, *options: str, conftest: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """Run checks in a process of its own; it is killed when the test forgets it."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(checks)
    (folder / "conftest.py").write_text(conftest)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            f"--evidence-dir={folder / 'evidence'}",
            *options,
        ],
        cwd=folder,
        env=environment(GOLDENPATH_TOKEN="a-token-of-nobody-1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell that runs the tests in the background has Ctrl-C ignored, and children inherit it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], object], within_s: float = _PATIENCE_S) -> bool:
    """Wait until a condition holds; false when it did not in time."""
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.02)
    return True


def finished(process: subprocess.Popen[str], folder: Path) -> tuple[int, str, dict[str, Any]]:
    """Wait for the end of a run: its exit code, what it printed, its verdict."""
    out, _ = process.communicate(timeout=_PATIENCE_S)
    return process.returncode, out, read_verdict(folder / "evidence")


def assert_interrupted(ended: tuple[int, str, dict[str, Any]], name: str) -> None:
    """The run says in all its places that it was interrupted, and what that left undecided."""
    code, out, verdict = ended
    assert code == 2, out
    assert "INTERNALERROR" not in out
    jsonschema.validate(verdict, schema(), format_checker=jsonschema.FormatChecker())
    assert (verdict["verdict"], verdict["exit_code"]) == ("INCONCLUSIVE", 2)
    assert any(f"interrupted by {name}" in reason for reason in verdict["reasons"])
    assert "golden path: INCONCLUSIVE (exit 2)" in out


def outcomes(verdict: dict[str, Any]) -> dict[str, str]:
    """Return what became of each check, by its name."""
    decided = {check["id"]: check["outcome"] for check in verdict["checks"]}
    all_of_them = {**decided, **dict.fromkeys(verdict["unfinished"], "unfinished")}
    return {name.partition("::")[2]: outcome for name, outcome in all_of_them.items()}


@pytest.mark.parametrize(
    ("name", "workers"),
    [
        pytest.param("SIGTERM", (), id="SIGTERM"),
        pytest.param("SIGINT", (), id="SIGINT"),
        pytest.param("SIGTERM", ("-n", "2"), id="SIGTERM -n 2"),
    ],
)
def test_signal_during_a_check(tmp_path: Path, workers: tuple[str, ...], name: str) -> None:
    """What was decided stays, and every other check is named as undecided."""
    with running(tmp_path, _CHECKS, *NOBODY, *workers) as process:
        assert wait_for((tmp_path / "reached").exists)
        process.send_signal(signal.Signals[name])
        ended = finished(process, tmp_path)

    assert_interrupted(ended, name)
    found = outcomes(ended[2])
    assert found["test_b_lasts"] == "unfinished"
    assert set(found) == {"test_a_quick", "test_b_lasts", "test_c_never_runs"}


def test_sigterm_during_the_warm_up(tmp_path: Path) -> None:
    """A run that still waits for its target ends at once, and nothing is decided."""
    service = Service(lambda _line, _times: (503, "not yet"))
    with (
        serving(service) as url,
        running(tmp_path, _PROVES, f"--target={url}") as process,
    ):
        assert wait_for(lambda: service.asked)
        process.send_signal(signal.SIGTERM)
        ended = finished(process, tmp_path)

    assert_interrupted(ended, "SIGTERM")
    assert outcomes(ended[2]) == {"test_health": "unfinished"}


@DISTRIBUTED
def test_sigterm_during_the_survey(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """A survey that waits for an answer is given up, and nothing is decided."""
    reached: list[bytes] = []

    async def never_answer(reader: Any, _writer: Any) -> None:
        reached.append(await reader.readuntil(b"\r\n\r\n"))
        await reader.read()

    options = (f"--evidence-dir={tmp_path / 'evidence'}", "--warmup=off", *workers)
    with (
        serving(never_answer) as url,
        running(tmp_path, _PROVES, f"--target={url}", *options) as process,
    ):
        assert wait_for(lambda: reached)
        process.send_signal(signal.SIGTERM)
        ended = finished(process, tmp_path)

    assert_interrupted(ended, "SIGTERM")
    assert outcomes(ended[2]) == {"test_health": "unfinished"}


def test_signal_while_the_run_ends(tmp_path: Path) -> None:
    """A signal that comes before the verdict is decided is in it, and tears nothing apart."""
    conftest = _LAST_WORDS.format(when="tryfirst", lasts=30)
    quick = _CHECKS.replace("wait(60)", "wait(0)").replace('"reached"', '"other"')
    with running(tmp_path, quick, *NOBODY, conftest=conftest) as process:
        assert wait_for((tmp_path / "reached").exists)
        process.send_signal(signal.SIGTERM)
        (tmp_path / "go").touch()
        ended = finished(process, tmp_path)

    assert_interrupted(ended, "SIGTERM")
    assert set(outcomes(ended[2]).values()) == {"passed"}


def test_signal_after_the_verdict_changes_nothing(tmp_path: Path) -> None:
    """Once the verdict is written the process returns what it says, whoever knocks."""
    conftest = _LAST_WORDS.format(when="trylast", lasts=30).replace(
        "def pytest_sessionfinish(session):", "def pytest_unconfigure(config):"
    )
    conftest = conftest.replace("session.config", "config")
    quick = _CHECKS.replace("wait(60)", "wait(0)").replace('"reached"', '"other"')
    with running(tmp_path, quick, *NOBODY, conftest=conftest) as process:
        assert wait_for((tmp_path / "reached").exists)
        process.send_signal(signal.SIGTERM)
        (tmp_path / "go").touch()
        code, out, verdict = finished(process, tmp_path)

    assert (code, verdict["verdict"], verdict["exit_code"]) == (0, "PASS", 0), out


def test_second_signal_leaves_with_a_verdict(tmp_path: Path) -> None:
    """Whoever does not want to wait for the end gets the verdict and his shell back."""
    conftest = _LAST_WORDS.format(when="tryfirst", lasts=60).replace('"reached"', '"ending"')
    with running(tmp_path, _CHECKS, *NOBODY, conftest=conftest) as process:
        assert wait_for((tmp_path / "reached").exists)
        process.send_signal(signal.SIGTERM)
        assert wait_for((tmp_path / "ending").exists)
        process.send_signal(signal.SIGINT)
        code, out, verdict = finished(process, tmp_path)

    assert code == 2, out
    assert (verdict["verdict"], verdict["exit_code"]) == ("INCONCLUSIVE", 2)
    assert outcomes(verdict)["test_c_never_runs"] == "unfinished"


def test_crashed_worker_decides_nothing(tmp_path: Path) -> None:
    """A check in which a worker dies is undecided, by our own fault, and the run says so.

    The worker has the signals that Python gave it, and none comes in its place.
    """
    dies = _CHECKS.replace("threading.Event().wait(60)", "os._exit(3)").replace(
        "    pass\n", "    import signal\n    assert signal.getsignal(signal.SIGTERM) == 0\n"
    )
    with running(tmp_path, dies, *NOBODY, "-n", "2", "--max-worker-restart=0") as process:
        code, out, verdict = finished(process, tmp_path)

    found = {check["id"]: (check["outcome"], check["attribution"]) for check in verdict["checks"]}
    assert code == verdict["exit_code"] == 75, out
    assert verdict["verdict"] == "INCONCLUSIVE"
    assert "INTERNALERROR" not in out
    assert found["test_it.py::test_b_lasts"] == ("inconclusive", "harness")
    assert found["test_it.py::test_a_quick"] == ("passed", None)


def test_killed_run_leaves_no_old_verdict_and_no_orphan(tmp_path: Path) -> None:
    """After ``kill -9`` nothing old is taken for this run's verdict, and nobody stays behind."""
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "verdict.json").write_text('{"verdict": "PASS"}')
    lasts = _CHECKS.replace("def test_b_lasts():", "def test_b_lasts(target):")
    with running(tmp_path, lasts) as process:
        assert wait_for((tmp_path / "reached").exists)
        children = descendants(process.pid)
        process.kill()
        process.wait()

    assert any("pytest_goldenpath.reference" in words for words in children.values())
    assert wait_for(lambda: not any(Path(f"/proc/{n}").exists() for n in children), _GONE_WITHIN_S)
    assert read_verdict(tmp_path / "evidence") == {}


def descendants(pid: int) -> dict[int, str]:
    """Return the command lines of all processes below one."""
    found: dict[int, str] = {}
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            words = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            found |= {child: words, **descendants(child)}
    return found


_TELLS = """
import json, signal
from pathlib import Path
{marker}
def test_tells():
    Path("{name}.json").write_text(json.dumps(str(signal.getsignal(signal.SIGTERM))))
"""


@pytest.mark.parametrize(
    ("marked", "taken"), [(True, True), (False, False)], ids=["checks", "no checks"]
)
def test_handler_is_there_only_for_checks(
    pytester: pytest.Pytester, marked: bool, taken: bool
) -> None:
    """A run without checks keeps the signals as they were, and one with checks gives them back."""
    marker = "import pytest\npytestmark = pytest.mark.category('smoke')" if marked else ""
    pytester.makepyfile(_TELLS.format(marker=marker, name="told"))
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = session")
    options = NOBODY if marked else ()
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    result = pytester.runpytest_inprocess(*options)

    assert result.ret == 0
    assert before == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    told = json.loads(pytester.path.joinpath("told.json").read_text())
    assert ("Interrupts" in told) is taken
