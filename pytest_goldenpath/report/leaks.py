"""Files that a run wrote are looked at for secrets; one that holds any loses its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_goldenpath.secrets import Redactor

REMOVED = "pytest-goldenpath removed this content: it held a secret of the run.\n"
#: What is read at once, and how much of it is read again, so that no secret falls between two.
_CHUNK, _OVERLAP = 4_194_304, 8_192


def files_below(places: Iterable[Path], *, since_s: float) -> Iterator[Path]:
    """Give every file at or below some places that was written since a moment."""
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.stat().st_mtime >= since_s:
                yield path


def holds_secret(path: Path, redactor: Redactor, *, begin: int = 0) -> bool:
    """Tell whether a file holds a secret, from a place in it on."""
    with path.open("rb") as stream:
        stream.seek(begin)
        kept = b""
        while chunk := stream.read(_CHUNK):
            if redactor.holds((kept + chunk).decode("utf-8", "replace")):
                return True
            kept = chunk[-_OVERLAP:]
    return False


def remove_content(path: Path, *, begin: int = 0) -> None:
    """Replace a file's content by one sentence, from a place in it on; it stays the same file."""
    with path.open("r+b") as stream:
        stream.truncate(begin)
        stream.seek(begin)
        stream.write(REMOVED.encode())
