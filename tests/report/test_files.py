"""Evidence on disk: whole files, and transcripts that can be read again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import journey, refusal, survey
from pytest_goldenpath.contract.survey import Missing
from pytest_goldenpath.contract.transcript import Entry, Transcript
from pytest_goldenpath.errors import ConfigError, EvidenceError
from pytest_goldenpath.report.files import (
    prepare_folder,
    read_transcript,
    survey_from_text,
    survey_to_text,
    transcript_lines,
    write_transcripts,
    write_verdict,
)

ENTRIES = st.lists(
    st.builds(Entry, at_s=st.floats(0, 100), text=st.text(), code=st.none() | st.integers(0, 5000)),
    max_size=5,
)


def saved(transcript: Transcript) -> str:
    """Return a transcript as it is saved."""
    return "\n".join(transcript_lines(transcript)) + "\n"


def test_transcript_survives_being_saved() -> None:
    """A saved transcript reads back as it was."""
    transcript = journey(symptom=refusal())

    assert read_transcript(saved(transcript)) == transcript


@given(ENTRIES)
def test_any_frames_survive_being_saved(entries: list[Entry]) -> None:
    """Whatever a target sent, the saved transcript reads back as it was."""
    transcript = journey(tuple(entries))

    assert read_transcript(saved(transcript)) == transcript


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda text: text[: len(text) // 2], "cut off"),
        (lambda text: "".join(text.splitlines(keepends=True)[:-1]), "cut off"),
        (lambda _: "", "no transcript"),
        (lambda _: "hello\n", "no transcript"),
        (lambda _: "[1]\n", "no transcript"),
        (lambda text: text.replace("transcript/1", "transcript/9"), "transcript/9"),
        (lambda text: text.replace('"at_s"', '"when"'), "field"),
    ],
    ids=["half", "last line", "empty", "prose", "list", "version", "field"],
)
def test_damaged_transcript_is_refused(damage, complaint: str) -> None:  # noqa: ANN001
    """A file that is cut off, of another version or not ours is a clear error."""
    with pytest.raises(EvidenceError, match=complaint):
        read_transcript(damage(saved(journey())))


def test_survey_survives_another_process() -> None:
    """A survey that one worker wrote is the same for the others."""
    observed = survey(missing={"journey": Missing("broke off", ("GP-301",), refusal())})

    assert survey_from_text(survey_to_text(observed)) == observed


def test_transcripts_are_named_for_their_purpose(tmp_path: Path) -> None:
    """Each conversation is a file of its own."""
    flood = (replace(journey(), purpose="many, so many"),) * 2
    paths = write_transcripts(tmp_path, survey(talks={"limits": flood}))

    assert sorted(path.name for path in paths) == [
        "a-stranger-without-a-token.jsonl",
        "handshake-by-header.jsonl",
        "handshake-by-subprotocol.jsonl",
        "journey.jsonl",
        "many-so-many-2.jsonl",
        "many-so-many.jsonl",
    ]
    assert read_transcript((tmp_path / "transcripts" / "journey.jsonl").read_text()) == journey()


def test_verdict_is_written_whole(tmp_path: Path) -> None:
    """Writing replaces the old file, and leaves nothing else behind."""
    write_verdict(tmp_path, {"verdict": "FAIL"})
    path = write_verdict(tmp_path, {"verdict": "PASS"})

    assert json.loads(path.read_text()) == {"verdict": "PASS"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["verdict.json"]


def test_folder_that_cannot_be_written_to_is_a_setting_to_mend(tmp_path: Path) -> None:
    """An evidence folder below a file is refused in one sentence."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="--evidence-dir"):
        prepare_folder(tmp_path / "file" / "evidence", source="option --evidence-dir")
