"""What the documentation says is what the code does."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from pytest_goldenpath.contract.attribution import ELSEWHERE, OFFLINE, ROWS, UNKNOWN
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.plugin import _OPTIONS as WORDS
from pytest_goldenpath.plugin import _is_option
from pytest_goldenpath.plugin.options import _OPTIONS
from pytest_goldenpath.reference.catalogue import FAULTS, VARIANTS
from pytest_goldenpath.target.keys import KEYS
from pytest_goldenpath.verdict.document import schema

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
_WRITE = bool(os.environ.get("GOLDENPATH_TEST_WRITE_DOCS"))
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def promises_page() -> str:
    """Make the page of all promises out of the registry."""
    rows = [
        f"| {rule.code} | {rule.severity} | {', '.join(rule.categories)} | {rule.promise} |"
        f" {rule.section} |"
        for rule in RULES.values()
    ]
    heading = [
        "# Promises",
        "",
        "What a healthy golden path keeps. A *must* fails the run; a *should* is reported. The last",
        "column is the place in the platform's contract.",
        "",
        "| code | weight | proven in | promise | contract |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*heading, *rows]) + "\n"


def faults_page() -> str:
    """Make the page of all faults and variants out of the catalogue."""
    faults = []
    for fault in FAULTS.values():
        codes = [code for code in fault.codes if code in RULES]
        found = ", ".join(codes) or "no promise yet"
        faults.append(f"| `{fault.name}` | {fault.description} | {found} | {fault.row or '-'} |")
    variants = [f"| `{v.name}` | {v.family} | {v.description} |" for v in VARIANTS.values()]
    heading = [
        "# Faults and variants of the reference backend",
        "",
        "`--fault NAME` breaks the embedded backend. A fault has to be found by the codes beside it;",
        "those that no promise looks for yet are told as such, also in the header of a run. The last",
        "column is the row of the platform's catalogue of known failures.",
        "",
        "| fault | what it does | found by | row |",
        "|---|---|---|---|",
    ]
    middle = [
        "",
        "`--variant NAME` makes it speak a dialect of a healthy platform; none may be accused.",
        "",
        "| variant | family | what it is |",
        "|---|---|---|",
    ]
    return "\n".join([*heading, *faults, *middle, *variants]) + "\n"


def attribution_rows() -> str:
    """Make the table of attributions out of the rows that decide."""
    rows = [
        f"| {row.name} | {row.sign} | {row.before_ready} | {row.after_ready} |"
        f" {row.retry} | {'E' if row.escalates else '-'} |"
        for row in (OFFLINE, *ROWS, UNKNOWN)
    ]
    heading = [
        "| row | sign | before ready | after ready | retry | escalates |",
        "|---|---|---|---|---|---|",
    ]
    middle = ["", "Decided elsewhere:", "", "| row | sign | promises |", "|---|---|---|"]
    others = [
        f"| {name} | {sign} | {', '.join(codes) or '-'} |"
        for name, (sign, codes) in ELSEWHERE.items()
    ]
    return "\n".join([*heading, *rows, *middle, *others]) + "\n"


def compare(name: str, page: str) -> None:
    """Compare a generated page with the file, or write it when asked to."""
    if _WRITE:
        (DOCS / name).write_text(page)

    assert (DOCS / name).read_text() == page


def test_page_of_promises_is_the_registry() -> None:
    """docs/promises.md lists every rule as it is."""
    compare("promises.md", promises_page())


def test_page_of_faults_is_the_catalogue() -> None:
    """docs/faults.md lists every fault and variant as it is."""
    compare("faults.md", faults_page())


def test_page_of_attribution_holds_the_table() -> None:
    """docs/attribution.md holds the table of the classifier between words of its own."""
    before, _, rest = (DOCS / "attribution.md").read_text().partition("<!-- table -->\n")
    after = rest.partition("<!-- end -->\n")[2]

    compare("attribution.md", f"{before}<!-- table -->\n{attribution_rows()}<!-- end -->\n{after}")


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
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in _LINK.findall(page.read_text())
        if not (page.parent / link).exists()
    ]

    assert broken == []


def test_readme_holds_two_commands_that_do_their_own_set_up() -> None:
    """The README's two commands begin from nothing but Python and pip."""
    lines = (ROOT / "README.md").read_text().splitlines()
    commands = [line for line in lines if line.startswith("python3 -m venv")]

    assert len(commands) == 2
    assert "--category smoke" in commands[0]
    assert "tox run" in commands[1]
