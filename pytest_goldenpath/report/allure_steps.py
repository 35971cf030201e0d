"""Conversations as the steps of a report, made from data and never from nested contexts.

Each step knows its true time: the monotonic times of a transcript are laid upon the time of day
at which it began, once for each conversation. So conversations that went on at the same time stand
beside each other, whichever of them was the first to end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from pytest_goldenpath.contract.findings import Finding, excerpt
from pytest_goldenpath.contract.frames import EVENTS, Sort
from pytest_goldenpath.contract.survey import Login
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.report.sequence import PINGS, Row, Way, cut, rows

MOST_STEPS = 60
_TITLE = 110


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
