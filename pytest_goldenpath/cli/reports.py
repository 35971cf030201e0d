"""The commands that make no run: ``summary``, ``trend``, ``capacity``, ``replay`` and ``explain``.

Several verdicts become one or are compared, a target is asked what can be told of its capacity from
outside, a saved conversation is judged again, and a code is explained.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_goldenpath.contract.findings import printable
from pytest_goldenpath.contract.judgement import Judgement, judge
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.rules.company import SECOND_TURN
from pytest_goldenpath.contract.rules.every_run import LATER_RUNS
from pytest_goldenpath.contract.rules.handshake import SIDE_DOOR
from pytest_goldenpath.contract.rules.sockets import FLOOD, NEIGHBOUR, OVERSIZED
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.errors import ConfigError, EvidenceError
from pytest_goldenpath.reference.faults import FAULTS
from pytest_goldenpath.report.files import read_transcript, write_whole
from pytest_goldenpath.report.markdown import markdown
from pytest_goldenpath.report.terminal_summary import summary_lines
from pytest_goldenpath.report.trend import read_folder, read_verdict, trend_lines
from pytest_goldenpath.report.trend_page import trend_page
from pytest_goldenpath.target.model import Target
from pytest_goldenpath.target.resolve import Options, Resolved, resolve
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.capacity import UNKNOWN, Capacity, judge_capacity
from pytest_goldenpath.verdict.decide import Exit
from pytest_goldenpath.verdict.merge import merge
from pytest_goldenpath.verdict.shown import Figure

_USAGE = 4
#: What each status of a capacity means.
_WORDS = {
    "within": "within the thresholds, as far as the target shows it",
    "exceeded": "a threshold is passed",
    "unknown": "nothing can be said",
}
#: Never sent: nobody is logged in here, and the resolver wants to know who would be.
_NO_LOGIN = {"GOLDENPATH_TOKEN": "no-login-is-made-here"}
#: How the purpose of a conversation begins, by the observation that it is a part of.
_CONVERSATIONS = {
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
    SECOND_TURN: "again",
    "a refresh token": "refresh_socket",
    SIDE_DOOR: "side_doors",
}
#: What a rule may look at as well, and can do without.
_BESIDE = {"journey": ("pair", "message_types"), "carriers": (), "strangers": ("side_doors",)}
#: What these conversations prove is seen only beside the others of their run, but for the promises
#: of every run.
_NEVER_ALONE = frozenset({"message_types", "limits", "refresh_socket", *LATER_RUNS})


def summary(arguments: Sequence[str]) -> int:
    """Merge verdict files and print the result; returns the exit code of the merged verdict."""
    try:
        parsed = _summary_parser().parse_args(arguments)
    except SystemExit as ended:  # argparse ends with 2, which means "interrupted" here
        return _USAGE if ended.code else 0
    documents, complaints = _read(parsed.files)
    if complaints:
        sys.stderr.write("".join(f"goldenpath summary {line}\n" for line in complaints))
        return _USAGE
    merged = merge(documents.values())
    evidence = ", ".join(map(str, documents))
    if parsed.json:
        sys.stdout.write(json.dumps(merged, indent=1, ensure_ascii=False) + "\n")
    elif parsed.markdown:
        sys.stdout.write(markdown(merged, evidence=evidence))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _words(merged, documents, evidence)))
    return int(merged["exit_code"])


def _summary_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="goldenpath summary",
        description="Merge verdict files of shards or of several targets into one verdict. "
        "The exit code is that of the merged verdict; 4 for a file that cannot be used.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a verdict.json")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the merged verdict document")
    form.add_argument("--markdown", action="store_true", help="print one screen of Markdown")
    return parser


def _read(paths: Sequence[Path]) -> tuple[dict[Path, dict[str, Any]], list[str]]:
    documents: dict[Path, dict[str, Any]] = {}
    complaints = []
    for path in paths:
        try:
            documents[path] = read_verdict(path)
        except EvidenceError as error:
            complaints.append(f"{path}: {printable(str(error))}")
    return documents, complaints


def _words(
    merged: Mapping[str, Any], documents: Mapping[Path, Mapping[str, Any]], evidence: str
) -> Iterator[str]:
    heading, *lines = summary_lines(merged, evidence=evidence, bypass=_bypass(merged["bypass"]))
    yield f"== {heading.text} =="
    yield from (line.text for line in lines)
    for path, document in documents.items():
        counts = ", ".join(f"{number} {name}" for name, number in document["counts"].items())
        told = f"{document['target']['name']} {document['verdict']} (exit {document['exit_code']})"
        yield printable(f"part: {told}, {counts}: {path}")


def _bypass(told: Mapping[str, Any]) -> Bypass:
    ends = datetime.fromisoformat(told["expires"]) if told["expires"] else None
    return Bypass(tuple(told["sources"]), ends, told["expired"], told.get("problem", ""))


def trend(arguments: Sequence[str]) -> int:
    """Print the tables and write the page; 0 whatever they say, 4 when there is nothing to say."""
    try:
        parsed = _trend_parser().parse_args(arguments)
    except SystemExit as ended:  # argparse ends with 2, which means "interrupted" here
        return _USAGE if ended.code else 0
    try:
        history = read_folder(parsed.folder)
        if parsed.html and history.runs:
            write_whole(parsed.html, trend_page(history))
    except (EvidenceError, OSError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        return _refuse(parsed.html if isinstance(error, OSError) else parsed.folder, told)
    sys.stdout.write("".join(f"{line}\n" for line in trend_lines(history)))
    if not history.runs:
        return _refuse(parsed.folder, "no verdict of ours is there")
    if parsed.html:
        sys.stdout.write(f"page: {parsed.html}\n")
    return 0


def _trend_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="goldenpath trend",
        description="Compare the verdict files of a folder, such as the one that "
        "GOLDENPATH_HISTORY_DIR names. A comparison never changes the exit code.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of verdict files")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots")
    return parser


def _refuse(path: Path, problem: str | None) -> int:
    sys.stderr.write(printable(f"goldenpath trend {path}: {problem}") + "\n")
    return _USAGE


def capacity(arguments: Sequence[str]) -> int:
    """Look at a target and print what it shows; returns the exit code: 0, 1, 4 or 75."""
    from pytest_goldenpath.journey.capacity import look
    from pytest_goldenpath.journey.embedded import BackendNotStarted

    try:
        parsed = _capacity_parser().parse_args(list(arguments))
    except SystemExit as ended:  # argparse ends with 2, which means "interrupted" here
        return _USAGE if ended.code else 0
    blank = [name for name, value in vars(parsed).items() if value == ""]
    if blank:
        sys.stderr.write(f"goldenpath capacity: --{blank[0].replace('_', '-')}: it is blank\n")
        return _USAGE
    options = Options(
        target=parsed.target or "",
        staging=parsed.staging,
        auth_url=parsed.auth_url or "",
        ws_url=parsed.ws_url or "",
        env_file=parsed.env_file or "",
    )
    try:
        target, looked = look(_resolved(options).target)
    except ConfigError as error:
        sys.stderr.write(f"goldenpath capacity: {error}\n")
        return _USAGE
    except BackendNotStarted as error:
        report = Capacity(UNKNOWN, (str(error),), (), ())
        _tell_capacity(report, Target("local", "", "", ""), as_json=parsed.json)
        return report.exit_code
    report = judge_capacity(looked)
    _tell_capacity(report, target, as_json=parsed.json)
    return report.exit_code


def table(report: Capacity, target: Target) -> Iterator[str]:
    """Tell a report to people, the worst first."""
    yield f"capacity of {target.name} {target.backend}: {_WORDS[report.status]}"
    yield from (f"  {reason}" for reason in report.reasons)
    rows = [
        (figure.level, figure.name, _value(figure), figure.thresholds, figure.source)
        for figure in report.figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield f"  {'  '.join(cells)}  {row[-1]}"
    if report.hidden:
        yield "not shown:"
    yield from (f"  {name}: {reason}" for name, reason in report.hidden)


def _capacity_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="goldenpath capacity",
        allow_abbrev=False,
        description="Tell what a target shows of its capacity, held against the platform's thresholds.",
    )
    parser.add_argument("--target", metavar="NAME|URL", help="where (default: local)")
    parser.add_argument("--staging", action="store_true", help="the same as --target staging")
    parser.add_argument("--auth-url", metavar="URL", help="address of the auth service")
    parser.add_argument("--ws-url", metavar="URL", help="address of the WebSocket")
    parser.add_argument("--env-file", metavar="PATH", help="a dotenv file under the environment")
    parser.add_argument("--json", action="store_true", help="print goldenpath-capacity/1")
    return parser


def _resolved(options: Options) -> Resolved:
    folders = (Path.cwd(),)
    try:
        return resolve(options, os.environ, folders)
    except ConfigError as error:
        if error.setting != "login":
            raise
    return resolve(options, {**os.environ, **_NO_LOGIN}, folders)


def _tell_capacity(report: Capacity, target: Target, *, as_json: bool) -> None:
    if as_json:
        document = report.document(name=target.name, backend=target.backend)
        sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        return
    sys.stdout.write("".join(f"{line}\n" for line in table(report, target)))


def _value(figure: Figure) -> str:
    if isinstance(figure.value, str):
        return figure.value
    return f"{figure.value:g} {figure.unit}".rstrip()


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
    beside = _beside(part_of(transcript), codes)
    if beside:
        lines.append(f"not judged, for that takes the other conversations of the run: {beside}")
    if any(judgement.broken for judgement in judgements):
        return int(Exit.FAIL), lines
    undecided = any(not judgement.proven for judgement in judgements)
    return int(Exit.INCONCLUSIVE if undecided else Exit.PASS), lines


def _beside(part: str, judged: tuple[str, ...]) -> str:
    """Name the promises that look at this kind of conversation, and at others as well."""
    about = (c for c, rule in RULES.items() if part in {*rule.needs, *rule.reads})
    return ", ".join(code for code in about if code not in judged)


def part_of(transcript: Transcript) -> str:
    """Return the observation of a survey that a conversation was.

    What a check asked by itself is judged as a journey.
    """
    for beginning, part in _CONVERSATIONS.items():
        if transcript.purpose.startswith(beginning):
            return part
    if not transcript.user_id:
        return "strangers"
    return "journey" if transcript.request else "carriers"


def codes_for(transcript: Transcript) -> tuple[str, ...]:
    """Return the promises that can be judged by this conversation alone."""
    part = part_of(transcript)
    if part in LATER_RUNS and transcript.request:
        return tuple(code for code, rule in RULES.items() if rule.reads == LATER_RUNS)
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
    if part in LATER_RUNS and transcript.request:
        part = "journey"
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
        *([f"  and at:    {', '.join(rule.reads)}, if they are made"] if rule.reads else []),
        *(f"  {line.strip()}" for line in page[1:] if line.strip()),
        f"  see it:    goldenpath run --category {rule.categories[0]} --fault {provoked[0]}"
        if provoked
        else "  see it:    no fault of the reference backend breaks it yet",
    ]
