"""Verdicts of earlier runs: read one, keep one, read a folder of them."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from pytest_goldenpath.errors import EvidenceError
from pytest_goldenpath.report.files import VERDICT_FILE, write_whole
from pytest_goldenpath.verdict.merge import problem_of

#: How many runs a folder keeps.
KEPT = 200
_LARGEST = 32 * 1024 * 1024
_OURS = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}\.json")


@dataclass(frozen=True, slots=True)
class History:
    """What a folder holds.

    Attributes:
        runs: the verdict documents, the oldest first, each once.
        skipped: the files that are none, each with the reason.
    """

    runs: tuple[Mapping[str, Any], ...]
    skipped: tuple[tuple[Path, str], ...] = ()


def read_verdict(path: Path) -> dict[str, Any]:
    """Read one verdict document.

    Raises:
        EvidenceError: it cannot be read, is cut off, or contradicts itself or its schema.

    """
    try:
        if path.stat().st_size > _LARGEST:
            raise EvidenceError("it is too large for a verdict")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EvidenceError(f"it cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise EvidenceError("this is no JSON, or it is cut off") from None
    if not isinstance(document, dict) or "verdict" not in document:
        raise EvidenceError("this is no verdict of ours")
    problem = problem_of(document)
    if problem:
        raise EvidenceError(problem)
    return document


def keep(folder: Path, verdict: Mapping[str, Any]) -> Path:
    """Keep a copy of a verdict, and no more than :data:`KEPT` of them; returns its path.

    Files of other names are nobody's business here, and stay.

    Raises:
        OSError: nothing can be written there.

    """
    text = json.dumps(verdict, indent=1, ensure_ascii=False) + "\n"
    began = datetime.fromisoformat(verdict["started"]).astimezone(UTC)
    name = f"{began:%Y%m%dT%H%M%SZ}-{sha256(text.encode(errors='replace')).hexdigest()[:8]}.json"
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / name, text)
    ours = sorted(path for path in folder.iterdir() if _OURS.fullmatch(path.name))
    for old in ours[:-KEPT]:
        # Two runs may end at the same time, and both see the same old file.
        with contextlib.suppress(OSError):
            old.unlink(missing_ok=True)
    return folder / name


def read_folder(folder: Path) -> History:
    """Read the verdicts of a folder: its own ``*.json`` and every ``verdict.json`` below it.

    Raises:
        EvidenceError: there is no such folder.

    """
    if not folder.is_dir():
        raise EvidenceError("there is no such folder")
    runs: dict[str, dict[str, Any]] = {}
    skipped: list[tuple[Path, str]] = []
    for path in sorted({*folder.glob("*.json"), *folder.rglob(VERDICT_FILE)}):
        try:
            document = read_verdict(path)
        except EvidenceError as error:
            skipped.append((path, str(error)))
        else:
            runs[json.dumps(document, sort_keys=True)] = document
    # A merged verdict stands for several runs, whose own files tell more.
    whole = (document for document in runs.values() if "parts" not in document)
    ordered = sorted(whole, key=lambda run: (datetime.fromisoformat(run["started"]), str(run)))
    return History(tuple(ordered), tuple(skipped))
