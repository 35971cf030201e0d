"""The command: runs the suites that came with the package, and the reference backend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_goldenpath.cli.main import main
from running import environment, read_verdict

GOLDENPATH = (sys.executable, "-c", "from pytest_goldenpath.cli.main import main; exit(main())")


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a process."""
    return subprocess.run(
        [*GOLDENPATH, *arguments],
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
    (tmp_path / "goldenpath.toml").write_text('[targets.here]\nbackend = "http://127.0.0.1:9"\n')
    done = command(tmp_path, "run", "--target=here", "--category=smoke", "-q")

    assert done.returncode == 75
    assert read_verdict(tmp_path / ".goldenpath")["target"]["backend"] == "http://127.0.0.1:9"


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
    with pytest.raises(SystemExit) as ended:
        main(["rnu"])

    assert ended.value.code == 2
    assert "rnu" in capsys.readouterr().err
