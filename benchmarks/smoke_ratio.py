"""The smoke check against a running local target, beside a bare script that asks the same.

Usage: ``python benchmarks/smoke_ratio.py [ROUNDS]``, in an environment with this project and its
``local`` extra. Whole processes are timed, in turn, so that a busy machine is as bad for each.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_RATIO = 1.5
_FEWEST_ROUNDS = 7
_ROOT = Path(__file__).resolve().parent.parent
_SCRIPT, _START, _OURS = "bare script", "pytest's start-up", "goldenpath"
_ALL, _OWN = "all installed plugins", "goldenpath and asyncio only"
_OWN_PLUGINS = ("-p", "goldenpath", "-p", "asyncio")


class Failed(Exception):
    """A run that should have passed did not; the message holds its output."""


def main(arguments: list[str]) -> int:
    """Measure, print, and return the exit code: 0 kept, 1 missed, 2 cannot measure."""
    if len(arguments) > 1 or not all(argument.isdigit() for argument in arguments):
        print("usage: python benchmarks/smoke_ratio.py [ROUNDS]")
        return 2
    rounds = max(_FEWEST_ROUNDS, *map(int, arguments), _FEWEST_ROUNDS)
    with tempfile.TemporaryDirectory(prefix="smoke-ratio-") as folder:
        try:
            with _target(Path(folder)) as (addresses, environment):
                times = _measure(_commands(addresses, Path(folder)), environment, rounds)
        except Failed as error:
            print(error)
            return 2
    print(f"median of {rounds} interleaved runs, whole processes (quartiles in brackets)\n")
    kept = [_show(plugins, times) for plugins in (_ALL, _OWN)]
    return 0 if all(kept) else 1


@contextmanager
def _target(folder: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Start the reference backend; give its addresses, and an environment with its user."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PYTEST", "GOLDENPATH", "COV"))
    }
    environment |= {
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "GOLDENPATH_EMAIL": "bench@goldenpath.example",
        "GOLDENPATH_PASSWORD": secrets.token_urlsafe(18),
    }
    user = {
        "email": environment["GOLDENPATH_EMAIL"],
        "password": environment["GOLDENPATH_PASSWORD"],
        "name": "Bench",
    }
    command = [sys.executable, "-m", "pytest_goldenpath.reference", "--supervised"]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise Failed("the reference backend has no pipes")
        process.stdin.write(json.dumps({"users": [user]}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise Failed("the reference backend did not start")
        yield json.loads(line), environment
        process.stdin.close()


def _commands(addresses: dict[str, str], folder: Path) -> dict[tuple[str, str], list[str]]:
    backend, auth, ws = (addresses[name] for name in ("backend", "auth", "ws"))
    trivial = folder / "trivial"
    trivial.mkdir()
    (trivial / "test_trivial.py").write_text("def test_nothing():\n    assert True\n")
    pytest = [sys.executable, "-m", "pytest", "-o", f"cache_dir={folder / 'cache'}"]
    empty = [*pytest, "-c", "pyproject.toml", "--rootdir=.", str(trivial), "-p", "no:goldenpath"]
    ours = [*pytest, "--target", backend, "--auth-url", auth, "--ws-url", ws]
    ours += ["--category", "smoke", f"--evidence-dir={folder / 'evidence'}"]
    return {
        (_SCRIPT, ""): [sys.executable, str(_ROOT / "benchmarks/bare_smoke.py"), backend, auth, ws],
        (_START, _ALL): empty,
        (_OURS, _ALL): ours,
        (_START, _OWN): [*empty, "-p", "asyncio"],
        (_OURS, _OWN): [*ours, *_OWN_PLUGINS],
    }


def _measure(
    commands: dict[tuple[str, str], list[str]], environment: dict[str, str], rounds: int
) -> dict[tuple[str, str], list[float]]:
    times: dict[tuple[str, str], list[float]] = {key: [] for key in commands}
    for number in range(rounds + 1):
        for key, command in commands.items():
            alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} if key[1] == _OWN else {}
            took_s = _timed(command, environment | alone)
            if number:  # the first round writes the bytecode
                times[key].append(took_s)
    return times


def _timed(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    took_s = time.perf_counter() - started
    if done.returncode:
        raise Failed(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return took_s


def _show(plugins: str, times: dict[tuple[str, str], list[float]]) -> bool:
    """Print one table and tell whether its bound is kept."""
    rows = {_SCRIPT: times[_SCRIPT, ""], _START: times[_START, plugins]}
    rows[_OURS] = times[_OURS, plugins]
    print(f"with {plugins}")
    for name, row in rows.items():
        low, middle, high = (1000 * value for value in statistics.quantiles(row, n=4))
        print(f"  {name:34}{middle:8.0f} ms  [{low:.0f} .. {high:.0f}]")
    script, start, ours = (statistics.median(row) for row in rows.values())
    ratio = (ours - start) / script
    kept = ratio <= MOST_RATIO
    print(f"  {'goldenpath without pytest':34}{(ours - start) * 1000:8.0f} ms")
    print(f"  {'goldenpath / script':34}{ours / script:8.2f}")
    word = "ok" if kept else "MISSED"
    print(
        f"  {'goldenpath without pytest / script':34}{ratio:8.2f}  at most {MOST_RATIO}: {word}\n"
    )
    return kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
