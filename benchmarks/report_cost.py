"""What reports cost: a healthy run of all categories with every report on, beside one without.

Usage: ``python benchmarks/report_cost.py [ROUNDS]``, in an environment with this project and its
``local`` and ``allure`` extras. Whole processes are timed against one running target, in turn, so
that a busy machine is as bad for each; the CPU time of the runs is told as well.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_RATIO = 1.15
_FEWEST_ROUNDS = 5
_ROOT = Path(__file__).resolve().parent.parent
_HEARTBEAT_S = 2
_PLAIN, _TOLD = "without reports", "with all reports"


class Failed(Exception):
    """A run that should have passed did not; the message holds its output."""


def main(arguments: list[str]) -> int:
    """Measure, print, and return the exit code: 0 kept, 1 missed, 2 cannot measure."""
    if len(arguments) > 1 or not all(argument.isdigit() for argument in arguments):
        print("usage: python benchmarks/report_cost.py [ROUNDS]")
        return 2
    rounds = max(_FEWEST_ROUNDS, *map(int, arguments), _FEWEST_ROUNDS)
    with tempfile.TemporaryDirectory(prefix="report-cost-") as folder:
        try:
            with _target() as (addresses, environment):
                times = _measure(Path(folder), addresses, environment, rounds)
        except Failed as error:
            print(error)
            return 2
    return 0 if _show(times, rounds) else 1


@contextmanager
def _target() -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Start the reference backend; give its addresses, and an environment with its users."""
    users = [
        {"email": f"{name}@goldenpath.example", "password": secrets.token_urlsafe(18), "name": name}
        for name in ("first", "second")
    ]
    unwanted = ("PYTHON", "PYTEST", "GOLDENPATH", "COV", "ALLURE")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    for ending, user in zip(("", "_2"), users, strict=True):
        environment[f"GOLDENPATH_EMAIL{ending}"] = user["email"]
        environment[f"GOLDENPATH_PASSWORD{ending}"] = user["password"]
    environment["GOLDENPATH_HEARTBEAT_S"] = str(_HEARTBEAT_S)
    command = [sys.executable, "-m", "pytest_goldenpath.reference", "--supervised"]
    command.append(f"--heartbeat={_HEARTBEAT_S}")
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise Failed("the reference backend has no pipes")
        process.stdin.write(json.dumps({"users": users}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise Failed("the reference backend did not start")
        yield json.loads(line), environment
        process.stdin.close()


def _measure(
    folder: Path, addresses: dict[str, str], environment: dict[str, str], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    command = [sys.executable, "-m", "pytest", "-q", "-o", f"cache_dir={folder / 'cache'}"]
    command += ["--target", addresses["backend"], "--auth-url", addresses["auth"]]
    command += ["--ws-url", addresses["ws"], f"--evidence-dir={folder / 'evidence'}"]
    reports = [f"--alluredir={folder / 'results'}", f"--junitxml={folder / 'junit.xml'}"]
    commands = {_PLAIN: command, _TOLD: [*command, *reports]}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, words in commands.items():
            shutil.rmtree(folder / "results", ignore_errors=True)
            took = _timed(words, environment)
            if number:  # the first round writes the bytecode
                times[name].append(took)
    return times


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return the seconds that a run took, and those that it computed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    took_s, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise Failed(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return took_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _show(times: dict[str, list[tuple[float, float]]], rounds: int) -> bool:
    print(f"median of {rounds} interleaved runs of all categories (quartiles in brackets)\n")
    for name, pairs in times.items():
        for place, kind in enumerate(("took", "computed")):
            low, middle, high = statistics.quantiles((pair[place] for pair in pairs), n=4)
            print(f"  {name:20}{kind:10}{middle:8.2f} s  [{low:.2f} .. {high:.2f}]")
    plain, told = (statistics.median(pair[0] for pair in times[n]) for n in (_PLAIN, _TOLD))
    kept = told / plain <= MOST_RATIO
    word = "ok" if kept else "MISSED"
    print(f"\n  with / without{told / plain:24.3f}  at most {MOST_RATIO}: {word}")
    return kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
