"""The catalogue of faults and variants."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.reference import faults
from pytest_goldenpath.reference.faults import FAULTS, OVERLAPS, VARIANTS

SOURCES = "".join(path.read_text() for path in Path(faults.__file__).parents[1].glob("*.py"))


def test_catalogue_is_large_and_sorted() -> None:
    """There are at least ninety faults, in the order of their names."""
    assert len(FAULTS) >= 90
    assert list(FAULTS) == sorted(FAULTS)
    assert all(name == fault.name for name, fault in FAULTS.items())


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_complete(name: str) -> None:
    """A fault has a plain name, a sentence, known codes, categories and effects."""
    fault = FAULTS[name]

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)
    assert fault.description
    assert fault.row == "" or re.fullmatch(r"F\d+", fault.row)
    assert fault.codes
    assert all(re.fullmatch(r"GP-\d{3}", code) for code in fault.codes + fault.implied)
    assert not set(fault.codes) & set(fault.implied)
    assert set(fault.categories) <= {"smoke", "mission_critical", "remediation"}
    assert fault.effects


def test_overlaps_are_those_that_there_are() -> None:
    """A promise has a fault that it alone finds, or is listed with the reason."""
    alone = {f.codes[0] for f in FAULTS.values() if len(f.codes) == 1 and not f.implied}

    assert set(OVERLAPS) == set(RULES) - alone


@pytest.mark.parametrize("name", FAULTS)
def test_seams_exist(name: str) -> None:
    """Each effect of a fault acts on a seam at which the server asks."""
    for seam, _ in FAULTS[name].effects:
        prefix, _, rest = seam.partition(".")
        asked = {
            "http": f'routes.add("{rest}"' if rest != "accept" else ".accept",
            "ws": f'"{seam}"' if rest != "accept" else "{surface}.accept",
            "auth": "{surface}.accept",
        }
        known = asked.get(prefix, f'"{seam}"').replace("store.assistant_text", "store.{role}_text")
        assert known in SOURCES, seam


@pytest.mark.real_python
def test_importing_the_catalogue_is_cheap() -> None:
    """The catalogue brings none of the server's libraries into the process."""
    code = (
        "import sys, pytest_goldenpath.reference.faults;"
        "heavy = {'starlette', 'uvicorn', 'sqlalchemy', 'jwt', 'httpx'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr


def test_four_families_of_variants() -> None:
    """Variants are of the families events, welcome and health."""
    assert {variant.family for variant in VARIANTS.values()} == {
        "events",
        "welcome",
        "health",
        "places",
    }
