"""What a person looks at first: the few frames around a fault, the slowest steps, and the figures.

The figures are those that are compared from run to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from pytest_goldenpath.contract.findings import Finding, Severity, excerpt, printable
from pytest_goldenpath.contract.frames import EVENTS, Sort
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import (
    Entry,
    Heard,
    Kind,
    Transcript,
    last_completion,
)

#: Every figure in the order in which a journey meets it, with its name for people.
NAMES = {
    "health_p50_s": "health, median",
    "health_p95_s": "health, 95th percentile",
    "login_s": "login",
    "welcome_s": "welcome",
    "first_event_s": "first event",
    "run_s": "agent run",
}
_BEFORE, _AFTER = 3, 2
_LONGEST_NAME = 60
_MOST_STEPS = 5
#: How the evidence of a frame begins (``Heard.evidence``).
_FRAME = re.compile(r"frame (\d+) at ")
#: The event whose coming each of these promises.
_EVENT_OF = {f"GP-40{number}": name for number, name in enumerate(EVENTS, 1)}
#: Promises about the text that ends the run.
_ABOUT_THE_ANSWER = frozenset({"GP-501", "GP-502", "GP-503", "GP-504"})
_ENDS = frozenset({Kind.REFUSED, Kind.MISSED, Kind.CLOSED})
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One line of an excerpt.

    Attributes:
        at_s: seconds since the connection attempt began; None for what did not come.
        what: ``opened``, ``refused``, ``sent``, ``heard``, ``missed``, ``closed``, ``left``, or
            ``missing`` for an event that did not come.
        type: the frame's type, or what there is to say in its place.
        is_fault: whether the finding is about this one.
    """

    at_s: float | None
    what: str
    type: str
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A few entries of one conversation; ``conversation`` is its purpose."""

    conversation: str
    glimpses: tuple[Glimpse, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the run waited for, in seconds."""

    name: str
    took_s: float


def excerpt_of(survey: Survey, findings: Iterable[Finding]) -> Excerpt | None:
    """Return what stands around the first fault that a conversation shows; None without one."""
    for finding in findings:
        if finding.severity is not Severity.MUST:
            continue
        transcript = _conversation(survey, finding)
        if transcript is not None and transcript.entries:
            lines, fault = _marked(transcript, finding)
            first = max(0, min(fault - _BEFORE, len(lines) - _BEFORE - _AFTER - 1))
            around = tuple(lines[first : first + _BEFORE + _AFTER + 1])
            return Excerpt(transcript.purpose, around)
    return None


def slowest(survey: Survey) -> tuple[Step, ...]:
    """Return what took longest: HTTP exchanges by purpose, and the waits of the golden journey."""
    took: dict[str, float] = {}
    for exchange in survey.exchanges():
        took[exchange.purpose] = max(exchange.elapsed_s, took.get(exchange.purpose, 0.0))
    for step in _waits(survey.journey) if survey.journey else ():
        took[step.name] = max(step.took_s, took.get(step.name, 0.0))
    steps = sorted((Step(name, took_s) for name, took_s in took.items()), key=_by_time)
    return tuple(steps[:_MOST_STEPS])


def _by_time(step: Step) -> tuple[float, str]:
    return -step.took_s, step.name


def _waits(journey: Transcript) -> Iterator[Step]:
    opened, welcome, asked = journey.opened, journey.welcome(), journey.sent("request")
    if opened:
        yield Step("journey: upgrade", opened.at_s)
    if opened and welcome:
        yield Step("journey: welcome", welcome.at_s - opened.at_s)
    before_s = asked.at_s if asked else 0.0
    for heard in journey.events():
        yield Step(f"journey: until {heard.frame.name}", heard.at_s - before_s)
        before_s = heard.at_s


def _conversation(survey: Survey, finding: Finding) -> Transcript | None:
    """Return the conversation that a finding is about: the one it names, or its rule's own."""
    rule = RULES.get(finding.code)
    needs = rule.needs if rule else ()
    held = {
        "journey": (survey.journey,) if survey.journey else (),
        "carriers": survey.carriers,
        "strangers": survey.strangers,
        **survey.talks,
    }
    talks = [talk for need in needs for talk in held.get(need, ())]
    read = [talk for name in (rule.reads if rule else ()) for talk in held.get(name, ())]
    words = f"{finding.message} {finding.evidence}"
    named = [talk for talk in (*talks, *read) if _topic(talk) in words]
    # A rule may look at what others needed; it says then where it saw something.
    named = named or [t for t in survey.transcripts() if _tells_of(finding, t)]
    if named:
        return max(named, key=lambda talk: len(_topic(talk)))
    if needs and needs[0] in held and talks:
        return next((talk for talk in talks if _is_cut_short(talk)), talks[0])
    return None


def _tells_of(finding: Finding, talk: Transcript) -> bool:
    place = rf"\b(?:on|in) {re.escape(talk.purpose)}(?!\w)"
    return re.search(place, finding.message) is not None


def _topic(talk: Transcript) -> str:
    return talk.purpose.partition(": ")[2] or talk.purpose


def _is_cut_short(talk: Transcript) -> bool:
    return any(entry.kind in _ENDS for entry in talk.entries)


def _marked(transcript: Transcript, finding: Finding) -> tuple[list[Glimpse], int]:
    """Return a conversation line by line, and the place of the one that is at fault."""
    heard = {one.index: one for one in transcript.all_heard()}
    fault = _fault(transcript, finding)
    lines = [
        _glimpse(entry, heard.get(index), transcript, is_fault=index == fault)
        for index, entry in enumerate(transcript.entries)
    ]
    name = _missing(finding)
    if not name:
        return lines, len(lines) - 1 if fault is None else fault
    place = _place_of(name, transcript)
    lines.insert(place, Glimpse(None, MISSING, name, is_fault=True))
    return lines, place


def _missing(finding: Finding) -> str:
    """Return the event that did not come and should have, or ''.

    What a provider kept from coming is no fault of its own: the failure is what to look at.
    """
    is_absent = finding.absence and finding.attribution.accuses
    return _EVENT_OF.get(finding.code, "") if is_absent else ""


def _fault(transcript: Transcript, finding: Finding) -> int | None:
    if _missing(finding):
        return None
    told = _FRAME.match(finding.evidence)
    if told:
        return int(told[1])
    failures = transcript.of_sort(Sort.FAILURE)
    if failures and not finding.attribution.accuses:
        return failures[0].index
    events = transcript.events()
    end = last_completion(events)
    if finding.code in _ABOUT_THE_ANSWER and end is not None:
        return events[end].index
    ends = [index for index, entry in enumerate(transcript.entries) if entry.kind in _ENDS]
    return ends[-1] if ends else None


def _place_of(name: str, transcript: Transcript) -> int:
    """Return where an event that did not come would have stood."""
    earlier = EVENTS[: EVENTS.index(name)]
    before = [heard.index for heard in transcript.events() if heard.frame.name in earlier]
    asked = [
        index
        for index, entry in enumerate(transcript.entries)
        if entry.kind is Kind.SENT and entry.label == "request"
    ]
    return max([*before, *asked, -1]) + 1


def _glimpse(
    entry: Entry, heard: Heard | None, transcript: Transcript, *, is_fault: bool
) -> Glimpse:
    name = printable(_name(entry, heard, transcript)).replace("\n", " ")
    return Glimpse(round(entry.at_s, 3), entry.kind.value, excerpt(name, _LONGEST_NAME), is_fault)


def _name(entry: Entry, heard: Heard | None, transcript: Transcript) -> str:
    if heard is not None:
        tool = heard.frame.text("tool_name", "tool")
        return f"{heard.frame.name or heard.frame.sort.value}{f' ({tool})' if tool else ''}"
    match entry.kind:
        case Kind.SENT if entry.label == "request" and transcript.request:
            return transcript.request.message_type
        case Kind.REFUSED:
            return f"HTTP {entry.code}"
        case Kind.CLOSED:
            return f"{entry.code} by {entry.label}"
        case Kind.OPENED:
            return "connection"
        case _:
            return entry.label


def timings(survey: Survey) -> dict[str, float]:
    """Return what a survey shows, seconds; a figure that was not seen is not there."""
    return {name: round(seconds, 4) for name, seconds in _figures(survey)}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed.

    Args:
        values: at least one.
        share: above 0, at most 1.

    """
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def _figures(survey: Survey) -> Iterator[tuple[str, float]]:
    answers = [exchange.answer_s for exchange in survey.health if exchange.symptom is None]
    if answers:
        yield "health_p50_s", percentile(answers, 0.5)
        yield "health_p95_s", percentile(answers, 0.95)
    login = survey.login.exchange if survey.login else None
    if login is not None and login.symptom is None:
        yield "login_s", login.answer_s
    if survey.journey is not None:
        yield from _of_journey(survey.journey)


def _of_journey(journey: Transcript) -> Iterator[tuple[str, float]]:
    opened, welcome = journey.opened, journey.welcome()
    if opened is not None and welcome is not None:
        yield "welcome_s", max(0.0, welcome.at_s - opened.at_s)
    asked, events = journey.sent("request"), journey.events()
    if asked is None or not events:
        return
    yield "first_event_s", events[0].at_s - asked.at_s
    end = last_completion(events)
    if end is not None:
        yield "run_s", events[end].at_s - asked.at_s
