"""What the warm-up costs: a warm target, one that becomes ready late, and a dead one.

Usage: ``python benchmarks/warmup.py [ROUNDS]``, in an environment with this project and its
``local`` extra. The warm target is the reference backend in a process of its own, with a login
and a thread; the late one is the same behind a door that opens after 10 s, once by refusing and
once by swallowing connections; the dead one is a closed port and a silent one, with small budgets.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pytest_goldenpath.journey.warmup import Plan, run_warm_up, warm_up
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import PasswordLogin, Target, Wallet
from pytest_goldenpath.verdict.warmup import ResilienceReport

MOST_WARM_S, MOST_LATE_S, MOST_OVER_S = 1.0, 1.0, 2.0
SEED_S = 105.0
OPENS_AFTER_S = 10.0
BUDGET_S = 2.0
_FEWEST_ROUNDS = 7
_EMAIL, _PASSWORD = "bench@goldenpath.example", secrets.token_urlsafe(18)
_WALLET = Wallet(PasswordLogin(_EMAIL, Secret(_PASSWORD)))


class Failed(Exception):
    """A measurement could not be made."""


def main(arguments: list[str]) -> int:
    """Measure, print, and return the exit code: 0 kept, 1 missed, 2 cannot measure."""
    if len(arguments) > 1 or not all(argument.isdigit() for argument in arguments):
        print("usage: python benchmarks/warmup.py [ROUNDS]")
        return 2
    rounds = max(_FEWEST_ROUNDS, *map(int, arguments), _FEWEST_ROUNDS)
    try:
        rows = measured(rounds)
    except Failed as error:
        print(error)
        return 2
    print(f"warm-up, {rounds} rounds for the warm target\n")
    return 0 if show(rows) else 1


def measured(rounds: int = _FEWEST_ROUNDS) -> list[tuple[str, float, float]]:
    """Return name, seconds and the most that is allowed of each figure.

    Raises:
        Failed: a measurement could not be made.

    """
    rows: list[tuple[str, float, float]] = []
    with _target() as target:
        warm = [_warm(target) for _ in range(rounds)]
        rows.append(("warm target: cost, median", statistics.median(warm), MOST_WARM_S))
        rows.append(("warm target: cost, worst", max(warm), MOST_WARM_S))
        for manner in ("refuses", "swallows"):
            late_s = asyncio.run(_late(target, manner))
            name = f"ready after {OPENS_AFTER_S:g} s ({manner} before): noticed after"
            rows.append((name, late_s, MOST_LATE_S))
    for manner in ("closed", "silent"):
        over_s = asyncio.run(_dead(manner))
        rows.append((f"dead target ({manner} port): over its budget", over_s, MOST_OVER_S))
    return rows


@contextmanager
def _target() -> Iterator[Target]:
    """Start the reference backend with one user."""
    command = [sys.executable, "-m", "pytest_goldenpath.reference", "--supervised"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise Failed("the reference backend has no pipes")
        user = {"email": _EMAIL, "password": _PASSWORD, "name": "Bench"}
        process.stdin.write(json.dumps({"users": [user]}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise Failed("the reference backend did not start")
        said = json.loads(line)
        yield Target("bench", said["backend"], said["auth"], said["ws"])
        process.stdin.close()


def _warm(target: Target) -> float:
    started = time.perf_counter()
    _expect(run_warm_up(target, _WALLET, Redactor(), Plan()), ready=True)
    return time.perf_counter() - started


async def _late(target: Target, manner: str) -> float:
    """Put a door before the backend, open it after a while, and see when that is noticed."""
    opened: list[float] = []
    port = int(target.backend.rpartition(":")[2])

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not opened:
            if manner == "refuses":
                writer.transport.abort()
            await reader.read()
            return
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(asyncio.CancelledError):  # at the end; asyncio would print it
            await asyncio.gather(_copy(reader, outer), _copy(inner, writer))

    async def open_door() -> None:
        await asyncio.sleep(OPENS_AFTER_S)
        opened.append(time.perf_counter())

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    async with server:
        door = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        behind = Target("late", door, target.auth, target.ws)
        opening = asyncio.create_task(open_door())
        _expect(await warm_up(behind, _WALLET, Redactor(), Plan()), ready=True)
        ended = time.perf_counter()
        await opening
    return ended - opened[0]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        return
    finally:
        writer.close()


async def _dead(manner: str) -> float:
    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    if manner == "closed":
        server.close()
        await server.wait_closed()
    target = Target("dead", url, url, url, vpc_budget_s=BUDGET_S, db_budget_s=BUDGET_S)
    started = time.perf_counter()
    _expect(await warm_up(target, _WALLET, Redactor(), Plan()), ready=False)
    took_s = time.perf_counter() - started
    server.close()
    return took_s - BUDGET_S


def _expect(report: ResilienceReport, *, ready: bool) -> None:
    if bool(report) is not ready:
        told = "; ".join(probe.sentence() for probe in report.probes)
        raise Failed(f"expected ready={ready}, got {told}")


def show(rows: list[tuple[str, float, float]]) -> bool:
    """Print the table and tell whether every bound is kept."""
    for name, took_s, most_s in rows:
        word = "ok" if took_s <= most_s else "MISSED"
        share = f"{took_s / most_s:6.1%} of at most {most_s:g} s"
        print(f"  {name:62}{took_s:8.2f} s  {share}: {word}")
    _, warm_s, _ = rows[0]
    print(f"  a fixed wait of {SEED_S:g} s is {SEED_S / warm_s:.0f} times the warm target's cost")
    return all(took_s <= most_s for _, took_s, most_s in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
