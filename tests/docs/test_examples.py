"""Every example of the documentation runs, and prints what the page says it prints.

A page with a shell is one test: its blocks run in their order in one empty folder, so that a later
one finds what an earlier one left. All other pages share a folder and a run. The names of hosts and of
the user on the pages are those of a reference backend on loopback here; installing is what this
environment has done already. A page that does nothing but what the tutorial does is run there.

- ``bash`` runs; an HTML comment ``exit code: N`` above it says which code it ends with.
- ``python`` runs, or is collected by pytest when it defines a test.
- Any block with a title is added to the file of that name; ``Output`` is what the example above
  it prints: ``...`` stands for anything, and a number for any number.
- An HTML comment ``not run: REASON`` leaves a block out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_goldenpath.journey.embedded import EmbeddedBackend
from running import environment

ROOT = Path(__file__).parent.parent.parent
TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
_MOST_LEFT_OUT = 6
_WITHIN_S = 120
_BLOCK = re.compile(
    r"(?:^<!-- (?P<key>exit code|not run): (?P<told>[^\n]*?) -->\n\n)?"
    r"^```(?P<language>\w+)(?: title=\"(?P<title>[^\"\n]+)\")?[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_INSTALLING = ("python3 -m venv", ". .venv/", "pip install")
_NUMBER = re.compile(r"(?<!GP-)(?<!exit )(?<!exit code )(?<![\w-])\d+(?:\\\.\d+)*")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        line: where it begins.
        language, title, text: as they stand on the page.
        code: the exit code that it ends with.
        reason: why it is not run, or ''.
    """

    line: int
    language: str
    title: str
    text: str
    code: int = 0
    reason: str = ""


def blocks(page: Path) -> Iterator[Block]:
    """Return the fenced blocks of a page that begin their line."""
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        code = int(found["told"]) if found["key"] == "exit code" else 0
        reason = found["told"] if found["key"] == "not run" else ""
        line = text.count("\n", 0, found.start("language")) + 1
        yield Block(line, found["language"], found["title"] or "", found["text"], code, reason)


def to_run(page: Path) -> tuple[Block, ...]:
    """Return the blocks of a page, none when it does nothing but what the tutorial does."""
    own = tuple(block for block in blocks(page) if not block.reason and commands(block))
    told = {commands(block) for block in blocks(TUTORIAL)} if page != TUTORIAL else set()
    runs = {commands(block) for block in own if block.language in {"bash", "python"}}
    return () if runs <= told else own


def commands(block: Block) -> str:
    """Return the text of a block without what installs."""
    return "\n".join(x for x in block.text.splitlines() if not x.startswith(_INSTALLING))


def journeys() -> dict[str, tuple[Path, ...]]:
    """Return the pages by test: each that has a shell alone, the others together."""
    shells = [page for page in PAGES if any(b.language == "bash" for b in to_run(page))]
    others = tuple(page for page in PAGES if page not in shells)
    return {**{str(page.relative_to(ROOT)): (page,) for page in shells}, "the others": others}


class Reader:
    """Somebody who does what a page says, in a folder."""

    def __init__(self, folder: Path, words: dict[str, str], variables: dict[str, str]) -> None:
        """Take the folder, what stands for the words of the page, and the environment."""
        self.folder = folder
        self.words = words
        self.variables = variables
        self.printed = ""
        self.has_tested = False

    def follow(self, *pages: Path) -> None:
        """Do everything that the pages say."""
        for page in pages:
            for block in to_run(page):
                self._do(block)
        if not self.has_tested and list(self.folder.glob("test_*.py")):
            self._run(Block(0, "bash", "", "pytest -q -p no:cacheprovider"))

    def _do(self, block: Block) -> None:
        if block.title == "Output":
            assert missing(self.printed, block.text) == [], f"line {block.line}: {self.printed}"
        elif block.title:
            self._write(block.title, block)
        elif block.language == "python" and "def test_" in block.text:
            self._write(f"test_line_{block.line}.py", block)
        elif block.language in {"bash", "python"}:
            self._run(block)

    def _write(self, name: str, block: Block) -> None:
        with (self.folder / name).open("a") as stream:
            stream.write(self._here(block.text))

    def _run(self, block: Block) -> None:
        script = self._here(commands(block))
        self.has_tested |= script.startswith("pytest ")
        shell = ["bash", "-euo", "pipefail"]
        done = subprocess.run(
            [*(shell if block.language == "bash" else [sys.executable]), "-c", script],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )
        self.printed = done.stdout + done.stderr

        assert done.returncode == block.code, f"line {block.line}: {script}\n{self.printed}"

    def _here(self, text: str) -> str:
        for word in sorted(self.words, key=len, reverse=True):
            text = text.replace(word, self.words[word])
        return text


def missing(printed: str, shown: str) -> list[str]:
    """Return the lines that a page shows and that were not printed in this order."""
    rest = iter(printed.splitlines())
    return [line for line in shown.splitlines() if not any(map(_pattern(line).search, rest))]


def _pattern(line: str) -> re.Pattern[str]:
    pieces = (re.escape(piece).replace(r"\ ", " ") for piece in line.strip().split("..."))
    return re.compile(".*".join(_NUMBER.sub(r"\\d+(?:\\.\\d+)*", piece) for piece in pieces))


@pytest.fixture
def reader(pages: tuple[Path, ...], tmp_path: Path) -> Iterator[Reader]:
    """Return somebody in an empty folder; when a page names a host there is a backend.

    Pages without a shell cannot say who logs in, so that is told to them.
    """
    folder = Path(sys.executable).parent
    variables = environment(COLUMNS="100", PATH=f"{folder}{os.pathsep}{os.environ['PATH']}")
    text = "".join(block.text for page in pages for block in to_run(page))
    if not re.search(r"example\.com|staging", text):
        yield Reader(tmp_path, {}, variables)
        return
    backend = EmbeddedBackend()
    try:
        there = backend.wait()
        ((email, password), _) = there.users
        user = {"GOLDENPATH_EMAIL": email, "GOLDENPATH_PASSWORD": password.reveal()}
        user["PARTNER_API_KEY"] = "a key that a page names"
        words = {"GOLDENPATH_PASSWORD=...": f"GOLDENPATH_PASSWORD={password.reveal()}"}
        words["probe@example.com"] = email
        for stage in ("", "preview."):
            words[f"https://api.{stage}example.com"] = there.backend
            words[f"https://auth.{stage}example.com"] = there.auth
            words[f"wss://api.{stage}example.com/ws"] = there.ws
        addresses = {"NETRA_BACKEND_URL": there.backend, "WEBSOCKET_URL": there.ws}
        addresses["AUTH_SERVICE_URL"] = there.auth
        yield Reader(tmp_path, words, variables | addresses | (user if len(pages) > 1 else {}))
    finally:
        backend.stop()


@pytest.mark.parametrize("pages", journeys().values(), ids=journeys())
def test_examples_do_what_the_page_says(pages: tuple[Path, ...], reader: Reader) -> None:
    """Whoever does what a page says gets what the page shows."""
    reader.follow(*pages)


def test_few_examples_are_left_out() -> None:
    """What cannot be run says why, and is rare."""
    left_out = [
        f"{page.relative_to(ROOT)}:{block.line}: {block.reason}"
        for page in PAGES
        for block in blocks(page)
        if block.reason
    ]

    assert len(left_out) <= _MOST_LEFT_OUT, left_out


def test_no_example_hides_in_an_indented_block() -> None:
    """A fence of an example begins its line; an indented one would not be found."""
    hidden = [
        f"{page.relative_to(ROOT)}: {line}"
        for page in PAGES
        for line in page.read_text().splitlines()
        if re.match(r"\s+```(bash|python|sh|console|shell)", line)
    ]

    assert hidden == []


@pytest.mark.parametrize(
    ("printed", "shown", "lost"),
    [
        ("one 17 s\ntwo", "one 1.5 s", []),
        ("one\ntwo", "two\none", ["one"]),
        ("GP-501 x (exit 0)", "GP-502 x", ["GP-502 x"]),
        ("GP-501 x (exit 0)", "x (exit 1)", ["x (exit 1)"]),
        ("a long way", "a ... way", []),
    ],
)
def test_output_is_compared(printed: str, shown: str, lost: list[str]) -> None:
    """Numbers and gaps may differ; words, their order, codes and exits may not."""
    assert missing(printed, shown) == lost
