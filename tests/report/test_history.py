"""Verdicts that are kept: bounded, whole, and read back without trusting the folder."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_goldenpath.errors import EvidenceError
from pytest_goldenpath.report import trend
from pytest_goldenpath.report.trend import keep, read_folder, read_verdict
from pytest_goldenpath.verdict.merge import merge
from verdicts import BEGAN, check, verdict


def test_kept_verdict_reads_back(tmp_path: Path) -> None:
    """A copy is named for its time, and is the verdict."""
    path = keep(tmp_path / "history", verdict())

    assert path.name.startswith("20261101T120000Z-")
    assert read_verdict(path) == verdict()


def test_only_the_last_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest copies go, and nothing else does."""
    monkeypatch.setattr(trend, "KEPT", 5)
    (tmp_path / "0000-notes.json").write_text("{}")
    for number in range(8):
        keep(tmp_path, verdict(began=BEGAN + timedelta(minutes=number)))
    names = sorted(path.name for path in tmp_path.iterdir())

    assert len(names) == 6
    assert names[0] == "0000-notes.json"
    assert names[1].startswith("20261101T120300Z-")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b'{"verdict": "PASS"', "cut off"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no verdict of ours"),
        (b'{"status": "passed"}', "no verdict of ours"),
        (b'{"verdict": "PASS"}', "is missing"),
    ],
)
def test_other_files_are_skipped_by_name(tmp_path: Path, content: bytes, problem: str) -> None:
    """A broken or foreign file is named with the reason, and the good ones are read."""
    keep(tmp_path, verdict())
    (tmp_path / "other.json").write_bytes(content)
    found = read_folder(tmp_path)

    assert found.runs == (verdict(),)
    ((path, reason),) = found.skipped
    assert path.name == "other.json"
    assert problem in reason


def test_runs_below_the_folder_are_found_once(tmp_path: Path) -> None:
    """Artifacts of several runs, the oldest first; a copy and a merged verdict are no runs."""
    newer = verdict(check(1), began=BEGAN + timedelta(hours=1))
    for name, document in (("b", newer), ("a", verdict()), ("copy", newer)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "verdict.json").write_text(json.dumps(document))
    (tmp_path / "merged.json").write_text(json.dumps(merge([newer, verdict()])))
    found = read_folder(tmp_path)

    assert [run["started"] for run in found.runs] == [verdict()["started"], newer["started"]]
    assert found.skipped == ()


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    """What is not there is said so."""
    with pytest.raises(EvidenceError, match="cannot be read"):
        read_verdict(tmp_path / "none.json")
    with pytest.raises(EvidenceError, match="no such folder"):
        read_folder(tmp_path / "none")
