"""What an Allure result says about a check: its place, weight, status, message and steps; pure.

Conversations are its steps, made from data and never from nested contexts. Each step knows its true
time: the monotonic times of a transcript are laid upon the time of day at which it began, once for
each conversation. So conversations that went on at the same time stand beside each other, whichever
of them was the first to end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_goldenpath.contract.findings import Finding, Severity, excerpt
from pytest_goldenpath.contract.frames import EVENTS, Sort
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.survey import Login, Survey
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.report.sequence import PINGS, Row, Way, cut, is_about, rows
from pytest_goldenpath.verdict.checks import Outcome

EPIC = "Golden path"
BYPASS = "bypass"
#: The most conversations beside the journey that a result shows.
MOST_TALKS = 12
#: The most pictures that a failed result carries.
MOST_PICTURES = 3
_PARTS = {
    "1": "Health",
    "2": "Login and token",
    "3": "Handshake",
    "4": "The five events",
    "5": "The answer",
    "6": "Isolation",
    "7": "UserExecutionContext",
    "8": "Bypass and deployment",
    "9": "Success metrics",
}
_STATUS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.INCONCLUSIVE: "broken",
    Outcome.SKIPPED: "skipped",
}
MOST_STEPS = 60
_TITLE = 110
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a report.

    Attributes:
        name: what was done, or what came.
        start_s, stop_s: time of day, epoch seconds.
        trouble: why it counts as failed, '' for a good one.
        facts: names and values to show below it.
        steps: what it is made of.
    """

    name: str
    start_s: float
    stop_s: float
    trouble: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    steps: tuple[Step, ...] = ()


def title(name: str, docstring: str, param_id: str = "") -> str:
    """Return what a person reads: the first sentence of the docstring, else the test's name."""
    lines = docstring.strip().splitlines()
    said = lines[0].strip().removesuffix(".") if lines else name
    return f"{said} [{param_id}]" if lines and param_id else said


def description(docstring: str, requirements: Iterable[str]) -> str:
    """Return the docstring and the promises, in Markdown."""
    promises = [
        f"- **{code}** ({RULES[code].severity.value}): {RULES[code].promise}"
        for code in requirements
    ]
    return "\n\n".join(filter(None, [docstring.strip(), "\n".join(promises)]))


def labels(
    category: str, requirements: Sequence[str], record: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return the labels of a result as names and values, most of them for the report's trees."""
    feature = category.replace("_", " ").capitalize() or "No category"
    # One story only: a check with two would be counted twice in the tree of behaviours.
    story = _PARTS[requirements[0][3]] if requirements else feature
    told = [
        ("epic", EPIC),
        ("feature", feature),
        ("story", story),
        ("severity", weight(category, requirements)),
        *(("tag", code) for code in requirements),
        ("verdict", record["outcome"]),
    ]
    if record["attribution"]:
        told.append(("attribution", record["attribution"]))
    return told


def weight(category: str, requirements: Iterable[str]) -> str:
    """Return the severity of a check: what its heaviest promise weighs."""
    if all(RULES[code].severity is Severity.SHOULD for code in requirements):
        return "normal"
    return "blocker" if category == "smoke" else "critical"


def status(record: Mapping[str, Any]) -> str:
    """Return Allure's word for an outcome."""
    return _STATUS[Outcome(record["outcome"])]


def message(record: Mapping[str, Any], attempt_name: str = "") -> str:
    """Return the status message; for trouble it begins with whose it is, in square brackets.

    Args:
        record: what became of the check.
        attempt_name: which attempt it was, such as ``attempt 2 of 3``, '' for an only one.

    """
    outcome = Outcome(record["outcome"])
    told = _findings(record) or [record["reason"]]
    if outcome is Outcome.PASSED:
        told = [f"note: {line}" for line in _findings(record)]
    elif outcome is not Outcome.SKIPPED:
        if outcome is Outcome.INCONCLUSIVE:
            told = [record["reason"], *_findings(record)]
        told[0] = f"[{blame(record)}] {told[0]}"
    if attempt_name:
        told = [*told[:1], f"({attempt_name})", *told[1:]] if told else [attempt_name]
    return "\n".join(told)[:_LONGEST]


def attempt(number: int, most: int) -> str:
    """Name an attempt, 0 standing for any number of them."""
    return f"attempt {number} of {most}" if most else f"attempt {number}"


def blame(record: Mapping[str, Any]) -> str:
    """Return the word that a category is chosen by: the attribution, or ``bypass``."""
    accused = [f["code"] for f in record["findings"] if f["severity"] == Severity.MUST.value]
    if Outcome(record["outcome"]) is Outcome.FAILED and accused and accused[0][3] == "8":
        return BYPASS
    return record["attribution"] or "harness"


def read_by(
    requirements: Collection[str], survey: Survey, findings: Collection[Finding] = ()
) -> tuple[Transcript, ...]:
    """Return the conversations that promises look at, the journey first.

    Of those that a promise only reads as well, it is the ones that findings are about.
    """
    needs = dict.fromkeys(need for code in requirements for need in RULES[code].needs)
    reads = {name for code in requirements for name in RULES[code].reads} - set(needs)
    found: list[Transcript] = []
    if "journey" in needs and survey.journey:
        found.append(survey.journey)
    known = {"carriers": survey.carriers, "strangers": survey.strangers, **survey.talks}
    for need in needs:
        found.extend(known.get(need, ()))
    also = (talk for name in sorted(reads) for talk in known.get(name, ()))
    found.extend(t for t in also if any(is_about(finding, t) for finding in findings))
    return tuple(found)


def told_of(
    conversations: Collection[Transcript], findings: Collection[Finding], *, is_bad: bool
) -> tuple[Transcript, ...]:
    """Return the conversations to draw: those that findings are about, and any journey.

    Args:
        conversations: those that the check looked at.
        findings: what it found.
        is_bad: whether it did not pass; then something is drawn whenever there is anything.

    """
    about = [t for t in conversations if any(is_about(finding, t) for finding in findings)]
    journeys = [t for t in conversations if t.purpose == "journey"]
    chosen = [*about[:MOST_PICTURES], *journeys]
    if not chosen and is_bad:
        chosen = list(conversations)[:1]
    return tuple(dict.fromkeys(chosen))


def _findings(record: Mapping[str, Any]) -> list[str]:
    ordered = sorted(record["findings"], key=lambda finding: finding["severity"])
    return [
        f"{finding['code']} {finding['message']}"
        + (f"\n    seen: {finding['evidence']}" if finding["evidence"] else "")
        for finding in ordered
    ]


def login_step(login: Login | None) -> tuple[Step, ...]:
    """Return the login as a step; none without a request."""
    exchange = login.exchange if login else None
    if login is None or exchange is None:
        return ()
    start_s = login.began_s
    came = exchange.symptom.sentence() if exchange.symptom else f"HTTP {exchange.status}"
    trouble = "" if exchange.accepted and login.has_access_token else came
    facts = (("address", exchange.url), ("answer", came))
    return (Step(f"login by {login.way}", start_s, start_s + exchange.elapsed_s, trouble, facts),)


def conversation_step(transcript: Transcript, findings: Collection[Finding] = ()) -> Step:
    """Return a whole conversation as one step with steps of its own."""
    inner = conversation_steps(transcript, findings)
    start_s = transcript.epoch_s
    stop_s = max((step.stop_s for step in inner), default=start_s)
    trouble = next((step.trouble for step in inner if step.trouble), "")
    return Step(transcript.purpose, start_s, stop_s, trouble, steps=inner)


def conversation_steps(
    transcript: Transcript, findings: Collection[Finding] = ()
) -> tuple[Step, ...]:
    """Return connect, welcome, ping, ask, each event and the answer, as they were."""
    steps = tuple(_steps(transcript, rows(transcript, findings)))
    if len(steps) <= MOST_STEPS:
        return steps
    cut = steps[MOST_STEPS - 1 : -1]
    trouble = next((step.trouble for step in cut if step.trouble), "")
    rest = Step(f"… {len(cut)} more", cut[0].start_s, cut[-1].stop_s, trouble)
    return (*steps[: MOST_STEPS - 1], rest, steps[-1])


def _steps(transcript: Transcript, told: tuple[Row, ...]) -> Iterator[Step]:
    base_s, end_s = transcript.epoch_s, max(row.at_s or 0.0 for row in told)
    before_s = asked_s = 0.0
    pinged: Row | None = None
    for row in told[1:]:
        at_s = end_s if row.at_s is None else row.at_s
        start_s = asked_s if row.at_s is None else before_s
        before_s = before_s if row.at_s is None else at_s
        if row.way is Way.TO_BACKEND and row.name in PINGS:
            pinged = row
            continue
        if row.sort is Sort.PONG and pinged is not None:
            answered = replace(pinged, trouble=row.trouble)
            yield _made(answered, base_s + (pinged.at_s or 0.0), base_s + at_s)
            pinged = None
            continue
        if row.way is Way.TO_BACKEND and row.name == "request":
            asked_s = at_s
        yield _made(row, base_s + start_s, base_s + at_s)
        if row.sort is Sort.EVENT and row.name == EVENTS[-1] and _is_answer(transcript, at_s):
            facts = (("text", excerpt(transcript.answer(), 600)),)
            yield Step("answer", base_s + asked_s, base_s + at_s, facts=facts)
    if pinged is not None:  # a stranger's ping is not answered, and rightly so
        unanswered = replace(
            pinged,
            trouble=pinged.trouble or ("no pong came" if transcript.missed(pinged.name) else ""),
        )
        yield _made(unanswered, base_s + (pinged.at_s or 0.0), base_s + end_s)


def _is_answer(transcript: Transcript, at_s: float) -> bool:
    """Tell whether the completion heard at this moment is the one with the answer."""
    text = transcript.answer()
    ends = (h for h in transcript.events() if h.frame.name == EVENTS[-1] and h.at_s == at_s)
    return bool(text) and any(heard.frame.answer() == text for heard in ends)


_NAMES = {"101 upgrade": "connect", "request": "ask", "close": "leave"}


def _made(row: Row, start_s: float, stop_s: float) -> Step:
    name = "welcome" if row.sort is Sort.WELCOME else _NAMES.get(row.name, row.name)
    if row.at_s is None:
        return Step(f"{name} did not come", start_s, stop_s, row.trouble)
    title = f"{name}: {row.detail}" if row.sort is Sort.EVENT and row.detail else name
    facts = (("said", row.detail),) if row.detail else ()
    return Step(cut(title, _TITLE), start_s, stop_s, row.trouble, facts)
