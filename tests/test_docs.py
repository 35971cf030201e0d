"""What the documentation says is what the code does."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

import pytest

from pytest_goldenpath.plugin import _OPTIONS as WORDS
from pytest_goldenpath.plugin import _is_option
from pytest_goldenpath.plugin.options import _OPTIONS
from pytest_goldenpath.target.keys import KEYS
from pytest_goldenpath.verdict.document import schema
from reference_pages import pages

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
_WRITE = bool(os.environ.get("GOLDENPATH_TEST_WRITE_DOCS"))
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("name", pages())
def test_reference_is_the_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generated page is what its code says; GOLDENPATH_TEST_WRITE_DOCS=1 writes it anew."""
    monkeypatch.setenv("COLUMNS", "88")
    page, path = pages()[name](), DOCS / name
    if _WRITE:
        path.write_text(page)

    assert path.read_text() == page, "GOLDENPATH_TEST_WRITE_DOCS=1 pytest tests/test_docs.py"


def test_schema_in_the_docs_is_the_package_s() -> None:
    """The schema that people read is the one that the package ships."""
    assert json.loads((DOCS / "verdict.schema.json").read_text()) == schema()


def test_recognised_options_are_the_options() -> None:
    """The names that the plugin looks for are those that it can add."""
    names = {
        name for option in _OPTIONS for name in (f"--{option[0]}", f"--goldenpath-{option[0]}")
    }

    assert [name for name in names if not _is_option(name)] == []
    assert len(WORDS.split()) == len(_OPTIONS)
    assert [w for w in ("target", "--targets", "-q", "--", "--gate-2", "") if _is_option(w)] == []


def test_every_option_and_key_is_documented() -> None:
    """docs/settings.md names every option and every key of a target's table."""
    text = (DOCS / "settings.md").read_text()

    assert [name for name, *_ in _OPTIONS if f"`--{name}" not in text] == []
    assert [key for key in KEYS if f"`{key}`" not in text] == []


def test_no_link_is_broken() -> None:
    """Every relative link of every page leads to a file."""
    pages_to_read = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages_to_read
        for link in _LINK.findall(page.read_text())
        if not (page.parent / link).exists()
    ]

    assert broken == []


def test_tools_of_the_site_are_pinned() -> None:
    """A new release of a tool cannot change what is built."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]

    assert [name for name in groups["docs"] if "==" not in name] == []


def test_site_is_built_strictly() -> None:
    """A warning ends the build; mkdocs counts only those that it tells, so it must not be quiet."""
    (command,) = re.findall(
        r"^commands = (mkdocs .*)$", (ROOT / "tox.ini").read_text(), re.MULTILINE
    )

    assert "--strict" in command
    assert not {"-q", "--quiet"} & set(command.split())


def test_readme_holds_two_commands_that_do_their_own_set_up() -> None:
    """The README's two commands begin from nothing but Python and pip."""
    lines = (ROOT / "README.md").read_text().splitlines()
    commands = [line for line in lines if line.startswith("python3 -m venv")]

    assert len(commands) == 2
    assert "--category smoke" in commands[0]
    assert "tox run" in commands[1]
