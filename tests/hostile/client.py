"""Asks hostile servers as a run does and judges what came, in a process that is measured.

Reads ``[[name, over, url, pace], ...]`` as JSON from standard input, and writes a line for each.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.judgement import Judgement, judge
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import Symptom
from pytest_goldenpath.contract.transcript import Request
from pytest_goldenpath.journey.asking import Ask
from pytest_goldenpath.journey.channel import SUBPROTOCOL, Call, hold
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.conversation import AwaitWelcome, Conversation, Ping
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.report.files import survey_from_text, survey_to_text, transcript_lines
from pytest_goldenpath.secrets import Redactor, Secret, scrub

#: A backstop of the machine, far above what the tests allow.
_MOST_MEMORY = 2_000_000_000
_TOKEN = Secret("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJlLW9mLTM")
_LOOKS_AT = {"http": {"health"}, "socket": {"journey", "carriers"}}


def main() -> None:
    """Ask some servers at a time; those that only make wait, all at once at the end."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    cases = json.load(sys.stdin)
    for pace, at_once in (("alone", 1), ("quick", 6), ("patient", len(cases))):
        asyncio.run(_all([case for case in cases if case[3] == pace], at_once=at_once))


async def _all(cases: list[list[str]], *, at_once: int) -> None:
    slots = asyncio.Semaphore(max(1, at_once))

    async def one(name: str, over: str, url: str) -> None:
        async with slots:
            redactor, started_s = Redactor(), time.monotonic()
            redactor.learn(_TOKEN)
            survey = await (_health if over == "http" else _journey)(url, redactor)
            asked_s = time.monotonic() - started_s
            told = _judged(over, scrub(survey, redactor))
            line = json.dumps({"name": name, "asked_s": asked_s, **told, **_cost(started_s)})
            sys.stdout.write(f"{line}\n")

    await asyncio.gather(*(one(name, over, url) for name, over, url, _ in cases))


def _cost(started_s: float) -> dict[str, float]:
    return {"took_s": time.monotonic() - started_s, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Return the most memory that this process has had, in MB.

    ``ru_maxrss`` would not do: a child begins with what its parent has, and that may be a worker
    with thousands of tests behind it.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return float(line.split()[1]) / 1024


async def _health(url: str, redactor: Redactor) -> Survey:
    async with Web(url, redactor, Stopwatch()) as web:
        web.ready = True
        answer = await asyncio.wait_for(
            web.exchange("backend health", "GET", f"{url}/health", within_s=2.0), 60.0
        )
    return Survey(health=(answer.exchange,), missing=_missing("health", answer.exchange.symptom))


async def _journey(url: str, redactor: Redactor) -> Survey:
    ask = Request("What does it cost?", "execute_agent", "t1", "r1", "m1", "", "", 0.3, 0.3, 1.0)
    steps = (AwaitWelcome(0.5), Ping(0.5), Ask(ask, "u1"), Ping(0.5, "fence"))
    call = Call("journey", url, SUBPROTOCOL, _TOKEN, user_id="u1", request=ask)
    held = hold(call, Conversation(steps), redactor, ready=True)
    transcript = await asyncio.wait_for(held, 60.0)
    missing = {
        **_missing("journey", transcript.symptom),
        **_missing("carriers", transcript.symptom),
    }
    return Survey(carriers=(transcript,), journey=transcript, missing=missing)


def _missing(name: str, symptom: Symptom | None) -> dict[str, Missing]:
    return {name: Missing("it broke off", symptom=replace(symptom, ready=True))} if symptom else {}


def _judged(over: str, survey: Survey) -> dict[str, Any]:
    """Judge as the checks do, and write everything down as the reports do."""
    codes = [code for code, rule in RULES.items() if set(rule.needs) <= _LOOKS_AT[over]]
    judgements = [judge(code, survey) for code in codes]
    shared = survey_from_text(survey_to_text(survey))
    lines = [line for talk in shared.transcripts() for line in transcript_lines(talk)]
    return {
        "broken": [j.code for j in judgements if j.broken],
        "blamed": sorted({w for j in judgements for w in _whom(j)}),
        "shown": "".join(_shown(survey, judgements)),
        "findings": max(len(judgement.findings) for judgement in judgements),
        "raw": sum(not line.isprintable() for line in lines),
    }


def _whom(judgement: Judgement) -> list[str]:
    symptom = judgement.symptom
    return [attribute(symptom).attribution.value] if symptom else []


def _shown(survey: Survey, judgements: list[Judgement]) -> list[str]:
    """Give every text that a terminal would show."""
    found = [f"{f.message}{f.evidence}" for judgement in judgements for f in judgement.findings]
    troubles = [
        missing.symptom.sentence() for missing in survey.missing.values() if missing.symptom
    ]
    return [*found, *troubles, *(judgement.undecided for judgement in judgements)]


if __name__ == "__main__":
    main()
