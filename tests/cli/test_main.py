"""The command: runs the suites that came with the package, and the reference backend."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from builders import healthy_entries, run_of
from pytest_goldenpath.cli.main import main
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.rules.company import SECOND_TURN
from pytest_goldenpath.report.files import write_transcript
from running import environment, read_verdict, run

GOLDENPATH = ("-c", "from pytest_goldenpath.cli.main import main; exit(main())")


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a process."""
    return subprocess.run(
        [sys.executable, *GOLDENPATH, *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_run_needs_nothing_in_the_folder(tmp_path: Path) -> None:
    """From an empty folder the suites run, and the verdict is written there."""
    done = command(tmp_path, "run", "--category=smoke", "-q")

    assert done.returncode == 0, done.stdout + done.stderr
    assert read_verdict(tmp_path / ".goldenpath")["verdict"] == "PASS"
    assert [path.name for path in tmp_path.iterdir()] == [".goldenpath"]


def test_run_reads_the_targets_file_of_the_folder(tmp_path: Path) -> None:
    """A target is looked up in the folder in which the command is called."""
    (tmp_path / "goldenpath.toml").write_text(
        '[targets.here]\nbackend = "http://127.0.0.1:9"\nvpc_budget_s = 1\n'
    )
    done = command(tmp_path, "run", "--target=here", "--category=smoke", "-q")

    assert done.returncode == 75
    assert read_verdict(tmp_path / ".goldenpath")["target"]["backend"] == "http://127.0.0.1:9"


def test_run_asks_the_folder_s_own_judge(tmp_path: Path) -> None:
    """The hooks of the folder in which the command is called count, whatever tests run."""
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\n\n@pytest.hookimpl(optionalhook=True)\n"
        "def pytest_goldenpath_judge_answer(question, answer):\n    return 'it names no EUR'\n"
    )
    done = command(tmp_path, "run", "--category=smoke", "-q")

    assert done.returncode == 1
    assert "it names no EUR" in done.stdout


def test_run_that_pytest_refuses_leaves_no_old_verdict(tmp_path: Path) -> None:
    """A call that never comes to a verdict leaves none, not that of the run before."""
    (tmp_path / ".goldenpath").mkdir()
    (tmp_path / ".goldenpath" / "verdict.json").write_text("{}")
    done = command(tmp_path, "run", "--category=smoke", "--catgory=x")

    assert done.returncode == 4
    assert not (tmp_path / ".goldenpath" / "verdict.json").exists()


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """What is installed can be named in a report of a fault."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("goldenpath 0.")


def test_run_passes_on_a_usage_error(tmp_path: Path) -> None:
    """A wrong option is exit code 4 here as well."""
    assert command(tmp_path, "run", "--category=smke").returncode == 4


def test_backend_tells_its_names(capsys: pytest.CaptureFixture[str]) -> None:
    """``goldenpath backend --fault list`` prints the catalogue."""
    assert main(["backend", "--fault", "list"]) == 0
    assert "mock-answer" in capsys.readouterr().out


def test_no_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the overview is shown, and that is a usage error."""
    assert main([]) == 4
    assert "backend" in capsys.readouterr().out


def test_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command is a usage error that names the known ones."""
    assert main(["rnu"]) == 4
    assert "rnu" in capsys.readouterr().err


def test_replay_finds_what_the_run_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A saved journey gives the run's findings about it, and its exit code."""
    ran = run(tmp_path, "--category=mission_critical", "--fault=mock-answer")
    path = tmp_path / "evidence" / "transcripts" / "journey.jsonl"
    code = main(["replay", str(path)])
    said = capsys.readouterr().out
    about_it = {found for found in ran.codes() if set(RULES[found].needs) <= {"journey", "pair"}}

    assert (code, ran.code) == (1, 1)
    assert {line[:6] for line in said.splitlines() if line[:6] in RULES} == about_it
    assert "not judged, for that takes the other conversations of the run: GP-109" in said


def test_replay_of_a_healthy_conversation_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A healthy journey, and a stranger who was refused, have no finding."""
    run(tmp_path, "--category=mission_critical")
    folder = tmp_path / "evidence" / "transcripts"
    files = sorted(folder.glob("*.jsonl"))

    assert len(files) > 8
    assert {main(["replay", str(path)]) for path in files} == {0, 75}
    assert "0 findings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("purpose", "answer", "code"),
    [
        ("many users, connection 2", "Task completed", 1),
        ("one user, connection 1", "Task completed", 1),
        (SECOND_TURN, "Task completed", 1),
        ("many users, connection 2", None, 0),
        ("reconnect", None, 0),
    ],
)
def test_replay_judges_every_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], purpose: str, answer: str | None, code: int
) -> None:
    """The run of a second user, or a later one, is judged by what is promised of every run."""
    said = run_of(purpose, number=7)
    whole = said if answer is None else replace(said, entries=healthy_entries(answer))
    path = write_transcript(tmp_path, "run", whole)

    assert main(["replay", str(path)]) == code
    assert ("GP-502" in capsys.readouterr().out) is bool(answer)


@pytest.mark.parametrize("text", ["", "hello", '{"schema": "other/1", "entries": 0}'])
def test_replay_refuses_what_is_no_transcript(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """A file that is not ours is a usage error with a clear sentence."""
    path = tmp_path / "file.jsonl"
    path.write_text(text)

    assert main(["replay", str(path)]) == 4
    assert "goldenpath replay" in capsys.readouterr().err


def test_replay_of_a_missing_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is a usage error."""
    assert main(["replay", "/no/such/file"]) == 4
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_code_is_explained(capsys: pytest.CaptureFixture[str], code: str) -> None:
    """``goldenpath explain`` tells the promise behind each code."""
    assert main(["explain", code.lower()]) == 0
    assert RULES[code].promise in capsys.readouterr().out


def test_unknown_code_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown code names the closest one."""
    assert main(["explain", "GP-1O1"]) == 4
    assert "GP-101" in capsys.readouterr().err
