"""Count the instructions of a pytest run, in folders that hold nothing but what is to be loaded."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

#: Tests of the two runs whose difference is the price of a test.
FEW, MANY = 100, 400
_PER_FILE = 100
_REFS = re.compile(r"I\s+refs:\s+([\d,]+)")
_NAME = re.compile(r"[\w.-]+")


class Failed(Exception):
    """A run that should have passed did not; the message holds its output."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a run costs.

    Attributes:
        start: instructions from the start of Python to the end, without any test.
        test: instructions for each test.
    """

    start: float
    test: float


class Workshop:
    """A temporary folder with generated tests and one folder of packages for each contestant."""

    def __init__(self, folder: Path) -> None:
        """Write the tests."""
        self.folder = folder
        self._tests = folder / "unrelated"
        self._tests.mkdir()
        (self._tests / "pytest.ini").write_text("[pytest]\n")
        for number in range(MANY // _PER_FILE):
            bodies = (f"def test_{i}():\n    assert {i} + 1 == {i + 1}\n" for i in range(_PER_FILE))
            (self._tests / f"test_{number}.py").write_text("\n\n".join(bodies))

    def packages(self, name: str, *distributions: str) -> Path:
        """Return a new folder of packages with pytest and these distributions, copied from here."""
        site = self.folder / name
        copied: set[str] = set()
        for distribution in ("pytest", *distributions):
            _copy(distribution, site, copied)
        return site

    def warm_up(self, site: Path) -> None:
        """Let Python and pytest write their bytecode; it goes to the workshop."""
        for _ in range(2):
            self._run([], site, MANY)

    def price(self, site: Path) -> Price:
        """Count the instructions of two runs and take them apart."""
        few, many = self._count(site, FEW), self._count(site, MANY)
        test = (many - few) / (MANY - FEW)
        return Price(few - FEW * test, test)

    def _count(self, site: Path, tests: int) -> int:
        cachegrind = "valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null"
        said = self._run(cachegrind.split(), site, tests)
        found = _REFS.search(said)
        if not found:
            raise Failed(said)
        return int(found[1].replace(",", ""))

    def _run(self, prefix: list[str], site: Path, tests: int) -> str:
        files = [f"test_{number}.py" for number in range(tests // _PER_FILE)]
        # -S: the packages installed beside this interpreter are out of sight.
        command = [*prefix, sys.executable, "-S", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        environment = quiet_environment(self.folder / "bytecode") | {"PYTHONPATH": str(site)}
        return run([*command, *files], self._tests, environment)


def quiet_environment(bytecode: Path) -> dict[str, str]:
    """Return this environment without what would change pytest or Python."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PYTEST", "GOLDENPATH", "COV"))
    }
    return kept | {"PYTHONHASHSEED": "0", "PYTHONPYCACHEPREFIX": str(bytecode)}


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Run a command that must succeed; return what it said on both channels.

    Raises:
        Failed: it ended with another code than 0.

    """
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def add_empty_plugin(site: Path) -> None:
    """Install a plugin that does nothing: what every entry point costs."""
    (site / "empty_plugin.py").write_text('"""Nothing."""\n')
    info = site / "empty_plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: empty-plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pytest11]\nempty = empty_plugin\n")
    names = ("empty_plugin.py", *(f"{info.name}/{file}" for file in ("METADATA", "RECORD")))
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in names))


def add_this_project(site: Path, root: Path) -> None:
    """Build this project's wheel and install it as pip does, without its dependencies."""
    wheels = site.with_suffix(".wheels")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    environment = dict(os.environ)
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(root)]
    run([*pip, *build], root, environment)
    wheel = next(wheels.glob("*.whl"))
    installed = site.with_suffix(".installed")
    run([*pip, "install", "--no-deps", "--target", str(installed), str(wheel)], root, environment)
    shutil.copytree(installed, site, dirs_exist_ok=True)


def _copy(name: str, site: Path, copied: set[str]) -> None:
    """Copy an installed distribution and what it requires."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in copied:
        return
    copied.add(key)
    distribution = importlib.metadata.distribution(name)
    for file in distribution.files or ():
        source = Path(str(file.locate()))
        if ".." in file.parts or not source.is_file() or source.suffix == ".pyc":
            continue
        target = site / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for requirement in distribution.requires or ():
        wanted = _NAME.match(requirement)
        if wanted and "extra ==" not in requirement and _is_installed(wanted[0]):
            _copy(wanted[0], site, copied)


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
