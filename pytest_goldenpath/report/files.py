"""Evidence on disk: written whole or not at all, readable by the owner."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.errors import ConfigError, EvidenceError

VERDICT_FILE = "verdict.json"
TRANSCRIPTS_FOLDER = "transcripts"
TRANSCRIPT_SCHEMA = "goldenpath-transcript/1"


def forget(folder: Path) -> None:
    """Remove what an earlier run left, so that nothing old is taken for this run's."""
    with contextlib.suppress(OSError):
        (folder / VERDICT_FILE).unlink(missing_ok=True)
    shutil.rmtree(folder / TRANSCRIPTS_FOLDER, ignore_errors=True)


def prepare_folder(folder: Path, *, source: str, setting: str = "--evidence-dir") -> None:
    """Make the folder that a setting names, and prove that a file can be written there.

    Raises:
        ConfigError: it cannot be made or written to.

    """
    try:
        _try_folder(folder)
    except OSError as error:
        raise ConfigError(
            setting,
            str(folder),
            f"nothing can be written there ({error.strerror})",
            source=source,
            remedy="name a folder that you may write to",
        ) from None


def prepare_file(path: Path, *, source: str, setting: str) -> None:
    """Make the folder of a file that pytest will write, and prove that it can.

    Raises:
        ConfigError: the folder cannot be made or written to, or what is there is no such file.

    """
    try:
        if not path.exists():
            _try_folder(path.parent)
        elif path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        elif not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise ConfigError(
            setting,
            str(path),
            f"it cannot be written ({error.strerror})",
            source=source,
            remedy="name a file in a folder that you may write to",
        ) from None


def _try_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def write_whole(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a file so that a reader sees the old one or the new one, never a half.

    Args:
        path: where.
        text: what.
        durable: whether it must survive a machine that stops right after; costs milliseconds.

    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    Path(name).replace(path)


def write_verdict(folder: Path, verdict: Mapping[str, Any]) -> Path:
    """Write ``verdict.json`` and return its path."""
    path = folder / VERDICT_FILE
    write_whole(path, json.dumps(verdict, indent=1, ensure_ascii=False) + "\n", durable=True)
    return path


def transcript_name(purpose: str) -> str:
    """Return the file of the conversation that was held for this purpose, the first of its kind."""
    words = re.findall(r"\w+", purpose)
    return f"{'-'.join(words)}.jsonl"


def write_transcripts(folder: Path, survey: Survey) -> tuple[Path, ...]:
    """Write every conversation of a survey as JSON lines, and return the paths.

    A purpose that several conversations have is numbered from the second one on.
    """
    paths, seen = [], Counter[str]()
    for transcript in survey.transcripts():
        name = transcript_name(transcript.purpose).removesuffix(".jsonl")
        seen[name] += 1
        numbered = name if seen[name] == 1 else f"{name}-{seen[name]}"
        paths.append(write_transcript(folder, numbered, transcript))
    return tuple(paths)


def write_transcript(folder: Path, name: str, transcript: Transcript) -> Path:
    """Write one conversation into the transcripts of an evidence folder."""
    path = folder / TRANSCRIPTS_FOLDER / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(f"{line}\n" for line in transcript_lines(transcript)))
    return path


def transcript_lines(transcript: Transcript) -> Iterable[str]:
    """Give a transcript as JSON lines: a heading, then one line for each entry."""
    record = asdict(transcript)
    entries = record.pop("entries")
    yield json.dumps({"schema": TRANSCRIPT_SCHEMA, "entries": len(entries), **record})
    for entry in entries:
        yield json.dumps(entry)


def read_transcript(text: str) -> Transcript:
    """Read a transcript that :func:`transcript_lines` wrote.

    Raises:
        EvidenceError: it is cut off, of another version, or not ours.

    """
    import cattrs

    lines = text.splitlines()
    try:
        heading, *entries = [json.loads(line) for line in lines]
        schema, count = heading.pop("schema"), heading.pop("entries")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise EvidenceError("this is no transcript of ours, or it is cut off") from None
    if schema != TRANSCRIPT_SCHEMA:
        raise EvidenceError(f"this is {schema}, and {TRANSCRIPT_SCHEMA} is expected")
    if count != len(entries):
        raise EvidenceError(f"cut off: {len(entries)} of {count} entries are there")
    try:
        return cattrs.Converter().structure({**heading, "entries": entries}, Transcript)
    except (cattrs.BaseValidationError, TypeError, ValueError) as error:
        raise EvidenceError(f"a field is missing or of the wrong type ({error})") from None


def survey_to_text(survey: Survey) -> str:
    """Write a survey as JSON, for another process of the same run."""
    # Text that no ASCII can write would take six times its size.
    return json.dumps(asdict(survey), ensure_ascii=False)


def survey_from_text(text: str) -> Survey:
    """Read what :func:`survey_to_text` wrote."""
    import cattrs

    return cattrs.Converter().structure(json.loads(text), Survey)
