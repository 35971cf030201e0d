"""A forked Python is as good as one that begins anew: arguments, streams, folder, signals, end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import CAN_FORK

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="each process is a Python of its own here")
_WITHIN_S = 60
_TELLS = """
import os, sys
import {module} as module
print(sys.argv, os.getcwd(), os.environ["WHO"], sys.stdin.read(), "httpx" in sys.modules, flush=True)
print(module.TOLD, file=sys.stderr)
sys.exit(int(os.environ["CODE"]))
"""


@pytest.fixture
def folder(tmp_path: Path, forked_python: str) -> Path:
    """Return a folder with a module, once the server can fork."""
    for attempt in range(_WITHIN_S):
        said = ask(tmp_path, "-c", "import sys; print('httpx' in sys.modules)").stdout
        if said == "True\n" and forked_python == sys.executable:
            break
        assert attempt < _WITHIN_S - 1, said
    (tmp_path / "told.py").write_text("TOLD = 'of a module beside it'\n")
    (tmp_path / "tells.py").write_text(_TELLS.format(module="told"))
    return tmp_path


def ask(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the Python that the tests run."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"WHO": "somebody", "CODE": str(code)},
        input="a word",
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )


@pytest.mark.parametrize("code", [0, 75])
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("-m", "tells"), "tells.py"),
        (("-mtells",), "tells.py"),
        (("tells.py",), "tells.py"),
        (("-u", "-c", _TELLS.format(module="told")), "-c"),
    ],
)
def test_it_does_as_it_is_told(
    folder: Path, arguments: tuple[str, ...], name: str, code: int
) -> None:
    """A module, a file and a text run where, with what and as what they would."""
    done = ask(folder, *arguments, "more", code=code)
    argv, _, rest = done.stdout.partition("] ")

    assert argv.rpartition("/")[2].lstrip("['") == f"{name}', 'more'"
    assert rest == f"{folder} somebody a word True\n"
    assert (done.returncode, done.stderr) == (code, "of a module beside it\n")


def test_other_arguments_are_those_of_a_python(folder: Path) -> None:
    """What the server does not know is done by a Python of its own."""
    assert ask(folder, "-I", "-c", "import sys; print('httpx' in sys.modules)").stdout == "False\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_signals_reach_it_and_its_end_is_told(folder: Path, number: signal.Signals) -> None:
    """A signal ends the forked process, and the one that was asked for ends likewise."""
    waits = "import sys; print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", waits],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=_hear_ctrl_c,  # noqa: PLW1509  # a shell in the background has it ignored
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)

        # The pipe has an end in the forked process only, so this is its end as well.
        assert process.stdout.read() == ""
        assert process.wait(_WITHIN_S) == -number


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
