"""A run from outside: verdict, exit code and file agree, however the run goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import jsonschema
import pytest

from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.verdict.document import schema
from running import command, environment, read_verdict, run

DISTRIBUTED = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "-n 2"])
_PATIENCE_S = 30.0
#: The promise is 5 s; a machine that runs several tests on each core gets more.
_ORPHAN_WITHIN_S = 5.0 * (1 + os.getloadavg()[0] / (os.cpu_count() or 1))


@DISTRIBUTED
def test_healthy_backend_passes(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Smoke against the embedded backend is PASS, and proves every smoke promise."""
    ran = run(tmp_path, "--category=smoke", *workers)

    assert ran.code == 0, ran.out
    assert ran.verdict["verdict"] == "PASS"
    assert ran.verdict["counts"] == {"passed": 24, "failed": 0, "inconclusive": 0, "skipped": 0}
    proven = {code for check in ran.verdict["checks"] for code in check["requirements"]}
    assert proven == {code for code, rule in RULES.items() if "smoke" in rule.categories}


@DISTRIBUTED
def test_verdict_file_keeps_its_schema(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """The verdict file is valid by the schema that the package ships, and tells the target."""
    ran = run(tmp_path, "--category=smoke", "--fault=health-degraded", *workers)

    jsonschema.validate(ran.verdict, schema(), format_checker=jsonschema.FormatChecker())
    assert ran.verdict["exit_code"] == ran.code == 1
    assert ran.verdict["target"]["backend"].startswith("http://127.0.0.1:")
    assert ran.verdict["target"]["revision"]
    assert ran.verdict["reasons"][0].startswith("GP-102 ")


@DISTRIBUTED
def test_stopping_early_keeps_the_verdict(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """With ``-x`` the run is FAIL with 1, and says how many checks did not run."""
    ran = run(tmp_path, "--category=smoke", "--fault=health-degraded", "-x", *workers)

    assert ran.code == 1
    assert ran.codes() == {"GP-102"}
    assert any("did not run" in reason for reason in ran.verdict["reasons"])


@DISTRIBUTED
def test_fast_feedback_is_about_smoke(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """fast_feedback selects smoke by itself, and its verdict is that of any other run."""
    ran = run(tmp_path, "--execution-mode=fast_feedback", "--fault=health-degraded", *workers)

    assert (ran.code, ran.codes()) == (1, {"GP-102"})
    assert ran.verdict["categories"] == ["smoke"]


def test_fast_feedback_stops_when_the_verdict_is_certain(tmp_path: Path) -> None:
    """In one process nothing runs after the first product finding."""
    ran = run(tmp_path, "--execution-mode=fast_feedback", "--fault=health-degraded")

    assert [check["outcome"] for check in ran.verdict["checks"]].count("failed") == 1
    assert len(ran.verdict["checks"]) < 24


@DISTRIBUTED
def test_one_selected_check_decides(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """``-k`` runs one check; the verdict is about that one, whatever else is broken."""
    good = run(tmp_path, "--category=smoke", "--fault=mock-answer", "-k", "says_up", *workers)
    bad = run(tmp_path, "--category=smoke", "--fault=mock-answer", "-k", "is_real", *workers)

    assert (good.code, good.verdict["verdict"]) == (0, "PASS")
    assert (bad.code, bad.codes()) == (1, {"GP-502"})


def test_check_that_cannot_look_names_what_blocks_it(tmp_path: Path) -> None:
    """A selected check behind a broken login makes the run FAIL with the login's code."""
    ran = run(tmp_path, "--category=smoke", "--fault=login-500", "-k", "thinking")

    assert (ran.code, ran.verdict["verdict"], ran.codes()) == (1, "FAIL", {"GP-201"})


def test_nothing_selected_is_pytests_own_affair(tmp_path: Path) -> None:
    """Deselecting everything gives pytest's exit code 5 and no verdict."""
    ran = run(tmp_path, "--category=smoke", "-k", "nosuchcheck")

    assert (ran.code, ran.verdict) == (5, {})


def test_collecting_starts_nothing(tmp_path: Path) -> None:
    """``--collect-only`` starts no backend and writes nothing."""
    ran = run(tmp_path, "--category=smoke", "--collect-only", "-q")

    assert ran.code == 0
    assert not (tmp_path / "evidence").exists()


def test_transcripts_are_evidence_without_secrets(tmp_path: Path) -> None:
    """Every conversation is saved, and no token is in any file of the evidence."""
    run(tmp_path, "--category=smoke")
    files = sorted((tmp_path / "evidence").rglob("*"))
    text = "".join(path.read_text() for path in files if path.is_file())

    assert "journey.jsonl" in {path.name for path in files}
    assert "eyJ" not in text
    assert "***" in text


def test_evidence_folder_is_not_taken_for_the_root(tmp_path: Path) -> None:
    """An existing folder outside the project, given as an argument of its own, is refused."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    project = tmp_path / "project"
    project.mkdir()
    (project / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--category", "smoke", "--evidence-dir", str(folder)],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 4
    assert f"--evidence-dir={folder}" in done.stderr


@pytest.mark.real_python
def test_ctrl_c_leaves_a_verdict_and_no_orphan(tmp_path: Path) -> None:
    """Ctrl-C gives exit code 2, a verdict that says so, and the backend is gone."""
    process, backend = _start(tmp_path, "--fault=no-welcome")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=_PATIENCE_S)

    assert process.returncode == 2
    assert read_verdict(tmp_path / "evidence")["exit_code"] == 2
    assert read_verdict(tmp_path / "evidence")["verdict"] == "INCONCLUSIVE"
    assert _is_gone(backend)


@pytest.mark.real_python
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "-n 2"])
def test_killed_run_leaves_no_orphan(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """After ``kill -9`` of pytest the embedded backend ends by itself."""
    process, backend = _start(tmp_path, "--fault=no-welcome", *workers)
    process.kill()
    process.communicate(timeout=_PATIENCE_S)

    assert _is_gone(backend)


#: An import that a signal cuts off leaves a file open, which this repository's filter of warnings
#: would make an error of, and that of another exit code.
_CUT_OFF = ("-W", "ignore::pytest.PytestUnraisableExceptionWarning")


def _start(folder: Path, *options: str) -> tuple[subprocess.Popen[str], int]:
    """Start a run that takes a while, and wait until its backend is there."""
    process = subprocess.Popen(
        command(f"--evidence-dir={folder / 'evidence'}", "--category=smoke", *_CUT_OFF, *options),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell that runs the tests in the background has Ctrl-C ignored, and children inherit it.
        preexec_fn=_hear_ctrl_c,  # noqa: PLW1509
    )
    return process, _wait_for(lambda: _backend_of(process.pid), _PATIENCE_S)


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _backend_of(pid: int) -> int:
    """Find the running backend among the children of a process, 0 when it is not there."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(stat[1]) == pid and b"pytest_goldenpath.reference" in words:
            return int(entry.name)
    return 0


def _is_gone(pid: int) -> bool:
    return bool(_wait_for(lambda: not Path(f"/proc/{pid}").exists(), _ORPHAN_WITHIN_S))


def _wait_for(condition, within_s: float) -> int:  # noqa: ANN001  # any callable
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return int(found)
        threading.Event().wait(0.02)
    return 0
