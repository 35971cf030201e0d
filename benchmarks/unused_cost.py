"""What the installed but unused plugin costs unrelated tests, counted in instructions.

Usage: ``python benchmarks/unused_cost.py [--quick]``, in an environment with this project, pip
and hatchling; needs valgrind. Each contestant is installed beside pytest in a folder of its own
and loaded by its entry point, so that the metadata that pytest reads are part of the price.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from instructions import (
    Failed,
    Price,
    Workshop,
    add_empty_plugin,
    add_this_project,
    quiet_environment,
    run,
)

MOST_PER_TEST_PERCENT = 1.0
MOST_AT_START = 20_000_000
_ROOT = Path(__file__).resolve().parent.parent
_BARE, _AGAIN, _EMPTY, _OURS = "bare pytest", "bare pytest again", "an empty plugin", "goldenpath"
_RIVALS = ("pytest-xdist", "allure-pytest", "pytest-asyncio")
_HEAVY = [
    "allure",
    "allure_commons",
    "allure_pytest",
    "cattrs",
    "dotenv",
    "filelock",
    "httpx",
    "jwt",
    "pydantic",
    "pytest_asyncio",
    "sqlalchemy",
    "starlette",
    "tenacity",
    "uvicorn",
    "websockets",
]
_SPY = """
import sys

def pytest_unconfigure():
    print("LOADED", *sorted(set(sys.modules) & set({heavy!r})))
"""


def main(arguments: list[str]) -> int:
    """Measure, print, and return the exit code: 0 kept, 1 missed, 2 cannot measure."""
    if arguments not in ([], ["--quick"]):
        print("usage: python benchmarks/unused_cost.py [--quick]")
        return 2
    if not shutil.which("valgrind"):
        print("valgrind is missing; the apt package is called valgrind: apt-get install valgrind")
        return 2
    with tempfile.TemporaryDirectory(prefix="unused-cost-") as folder:
        try:
            kept = _is_light(Path(folder))
            prices = _prices(Workshop(Path(folder)), () if arguments else _RIVALS)
        except Failed as error:
            print(error)
            return 2
    _print_table(prices)
    return 0 if _keeps_bounds(prices) and kept else 1


def _prices(workshop: Workshop, rivals: Iterable[str]) -> dict[str, Price]:
    sites = {name: workshop.packages(name.replace(" ", "-")) for name in (_BARE, _EMPTY, _OURS)}
    add_empty_plugin(sites[_EMPTY])
    add_this_project(sites[_OURS], _ROOT)
    installed = {dist.metadata["Name"].lower() for dist in importlib.metadata.distributions()}
    for rival in rivals:
        if rival in installed:
            sites[rival] = workshop.packages(rival, rival)
    for site in sites.values():
        workshop.warm_up(site)
    sites[_AGAIN] = sites[_BARE]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(sites, pool.map(workshop.price, sites.values()), strict=True))


def _print_table(prices: dict[str, Price]) -> None:
    bare = prices[_BARE]
    print(f"\n{'':20}{'instructions':>14}{'against':>10}{'start-up in':>13}{'over bare':>11}")
    print(f"{'plugin':20}{'a test':>14}{'bare':>10}{'millions':>13}{'in millions':>13}")
    for name, price in prices.items():
        over = (price.start - bare.start) / 1e6
        print(
            f"{name:20}{price.test:14,.0f}{_percent(price, bare):+9.2f}%"
            f"{price.start / 1e6:13,.1f}{over:+13.1f}"
        )


def _keeps_bounds(prices: dict[str, Price]) -> bool:
    bare, ours = prices[_BARE], prices[_OURS]
    percent, start = _percent(ours, bare), ours.start - bare.start
    per_test_kept, start_kept = percent <= MOST_PER_TEST_PERCENT, start <= MOST_AT_START
    print(
        f"\na test:   {percent:+.2f} %, at most +{MOST_PER_TEST_PERCENT:g} %: {_word(per_test_kept)}"
        f"\nstart-up: {start / 1e6:+.1f} million, at most +{MOST_AT_START / 1e6:g} million: "
        f"{_word(start_kept)}"
    )
    return per_test_kept and start_kept


def _is_light(folder: Path) -> bool:
    """Tell whether loading the plugin, and a run without golden path checks, load nothing heavy."""
    code = (
        f"import pytest_goldenpath.plugin, sys; print('LOADED', *set(sys.modules) & {{*{_HEAVY}}})"
    )
    environment = quiet_environment(folder / "bytecode") | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    imported = _loaded(run([sys.executable, "-c", code], folder, environment))
    (folder / "spy.py").write_text(_SPY.format(heavy=_HEAVY))
    (folder / "test_unrelated.py").write_text("def test_nothing():\n    assert True\n")
    plugins = ("-p", "goldenpath", "-p", "spy", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "test_unrelated.py"]
    used = _loaded(run(command, folder, environment | {"PYTHONPATH": str(folder)}))
    for what, names in (("importing the plugin", imported), ("an unrelated run", used)):
        print(f"{what} loads nothing heavy: {_word(not names)} {' '.join(names)}".rstrip())
    return not imported and not used


def _loaded(output: str) -> list[str]:
    lines = [line for line in output.splitlines() if line.startswith("LOADED")]
    if len(lines) != 1:
        raise Failed(output)
    return lines[0].split()[1:]


def _percent(price: Price, bare: Price) -> float:
    return (price.test / bare.test - 1) * 100


def _word(kept: bool) -> str:
    return "ok" if kept else "MISSED"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
