"""What can be told without any target: a saved conversation judged again, a code explained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_goldenpath.contract.judgement import Judgement, judge
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.rules.sockets import FLOOD, NEIGHBOUR, OVERSIZED
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.errors import EvidenceError
from pytest_goldenpath.reference.catalogue import FAULTS
from pytest_goldenpath.report.files import read_transcript
from pytest_goldenpath.verdict.decide import Exit

#: How the purpose of a conversation begins, by the observation that it is a part of.
_PARTS = {
    "ask by ": "message_types",
    OVERSIZED: "limits",
    FLOOD: "limits",
    NEIGHBOUR: "limits",
    "misuse": "misuse",
    "idle": "idle",
    "handshake by subprotocol, ": "offers",
    "one user, ": "pair",
    "many users, ": "crowd",
    "reconnect": "again",
    "a refresh token": "refresh_socket",
}


#: What a rule may look at as well, and can do without.
_BESIDE = {"journey": ("pair", "message_types"), "carriers": (), "strangers": ()}
#: What these conversations prove is seen only beside the others of their run.
_NEVER_ALONE = frozenset({"message_types", "limits", "pair", "crowd", "again", "refresh_socket"})


def replay(path: Path) -> tuple[int, list[str]]:
    """Judge one transcript file; returns the exit code and the lines to print.

    Raises:
        EvidenceError: the file cannot be read, is cut off, of another version, or not ours.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EvidenceError(f"it cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise EvidenceError("this is no transcript of ours, or it is cut off") from None
    transcript = read_transcript(text)
    codes = codes_for(transcript)
    if not codes:
        alone = f"{transcript.purpose}: it is judged only beside the other conversations of its run"
        return int(Exit.INCONCLUSIVE), [alone]
    judgements = tuple(judge(code, survey_of(transcript)) for code in codes)
    findings = [finding for judgement in judgements for finding in judgement.findings]
    lines = [f"{transcript.purpose}: {len(judgements)} promises, {len(findings)} findings"]
    lines += [finding.text() for finding in findings]
    lines += _doubts(judgements)
    if any(judgement.broken for judgement in judgements):
        return int(Exit.FAIL), lines
    undecided = any(not judgement.proven for judgement in judgements)
    return int(Exit.INCONCLUSIVE if undecided else Exit.PASS), lines


def part_of(transcript: Transcript) -> str:
    """Return the observation of a survey that a conversation was.

    What a check asked by itself is judged as a journey.
    """
    for beginning, part in _PARTS.items():
        if transcript.purpose.startswith(beginning):
            return part
    if not transcript.user_id:
        return "strangers"
    return "journey" if transcript.request else "carriers"


def codes_for(transcript: Transcript) -> tuple[str, ...]:
    """Return the promises that can be judged by this conversation alone."""
    part = part_of(transcript)
    if part in _NEVER_ALONE:
        return ()
    beside = {part, *_BESIDE.get(part, ("carriers",))}
    return tuple(
        code
        for code, rule in RULES.items()
        if rule.needs[0] == part and beside.issuperset(rule.needs)
    )


def survey_of(transcript: Transcript) -> Survey:
    """Build the survey that holds this conversation and nothing else."""
    part = part_of(transcript)
    symptom = transcript.symptom
    missing = {part: Missing(symptom.sentence(), symptom=symptom)} if symptom else {}
    if part == "journey":
        return Survey(journey=transcript, missing=missing)
    if part == "carriers":
        return Survey(carriers=(transcript,), missing=missing)
    if part == "strangers":
        return Survey(strangers=(transcript,), missing=missing)
    return Survey(talks={part: (transcript,)}, missing=missing)


def _doubts(judgements: tuple[Judgement, ...]) -> Iterator[str]:
    for judgement in judgements:
        if judgement.undecided:
            yield f"{judgement.code} undecided: {judgement.undecided}"


def explain(code: str) -> list[str]:
    """Return the page of a code as lines.

    Raises:
        KeyError: there is no such code.

    """
    rule = RULES[code]
    page = (rule.check.__doc__ or "").strip().splitlines()
    provoked = [fault.name for fault in FAULTS.values() if code in fault.codes]
    weight = "fails the run" if rule.severity == "must" else "is reported, and fails nothing"
    return [
        f"{code} ({rule.severity}: {weight})",
        f"  promise:   {rule.promise}",
        f"  proven in: {', '.join(rule.categories)}",
        f"  contract:  {rule.section}",
        f"  looks at:  {', '.join(rule.needs)}",
        *(f"  {line.strip()}" for line in page[1:] if line.strip()),
        f"  see it:    pytest --category {rule.categories[0]} --fault {provoked[0]}"
        if provoked
        else "  see it:    no fault of the reference backend breaks it yet",
    ]
