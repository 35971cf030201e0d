"""What the events hold: fields, real content, visible names, whole frames (GP-410, 411, 415, 417).

The signals by which a text is no real answer are pure functions of two texts. They are general (how
much of the answer is new, what kind of sentence it is), with short word lists only where a platform
announces a substitute in so many words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from pytest_goldenpath.contract.exchange import parse_json
from pytest_goldenpath.contract.findings import Finding
from pytest_goldenpath.contract.frames import Frame, Sort
from pytest_goldenpath.contract.rules.events import (
    BEFORE_THE_REQUEST,
    COMPLETED,
    EXECUTING,
    STARTED,
    THINKING,
    TOOL_COMPLETED,
)
from pytest_goldenpath.contract.rules.steps import tool_of
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Heard, Kind, agent_of

#: A thought and a final text have to be longer than this (protocol 4.6).
THOUGHT_CHARACTERS = 10
ANSWER_CHARACTERS = 20
_THOUGHT_KEYS = ("reasoning", "thought", "thinking", "message", "content")
_RESULT_KEYS = ("results", "result", "output")
#: Values that a platform fills in when it has none (protocol 4.2).
_PLACEHOLDER_TEXTS = frozenset(
    {"processing request", "agent is processing...", "agent is thinking...", "task completed"}
)
_PLACEHOLDER_NAMES = frozenset(
    {"unknown", "none", "null", "undefined", "placeholder", "default", "dummy", "n/a", "todo"}
)
#: Outer types into which one build renamed the events (protocol 4.3).
_RENAMED = {"start_agent": STARTED, "agent_response_complete": COMPLETED}
_UNREADABLE = frozenset({1002, 1003, 1007, 1009})
_NO_EVENTS = Unlooked("no event of ours came", blocked_by=("GP-401", *BEFORE_THE_REQUEST))
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?", re.UNICODE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SUBSTITUTE = re.compile(
    r"^\W*(?:this is an? )?(mock|mocked|fallback|degraded|simulated|stub|stubbed|canned|dummy|"
    r"placeholder|sample|demo)\b(?:\W+\w+){0,3}?\W+"
    r"(mode|agent|response|answer|reply|result|output|text|data|only)\b",
    re.IGNORECASE,
)
_SUBSTITUTE_TAG = re.compile(
    r"^\W*[\[(<{](mock|fallback|stub|canned|dummy|placeholder|simulated|test)\b", re.IGNORECASE
)
#: A text made of nothing but these words tells that work went on, not what came of it.
_PROCESS_WORDS = frozenset(
    """a action actions agent agents all an analysing analysis analyzing and answer are as been
    being by complete completed completing completion data default done empty ended execute
    executed executing execution false finished for foo bar fully generated handled has have
    hello here in ipsum is it job lorem message n na nil no none null now of ok okay operation
    output pending placeholder please processed processing query ran ready received request
    requested requests response responses result results run running sample sent started status
    step string succeeded success successful successfully task tasks tbd text that the thinking
    this to todo tool tools true undefined unknown user value wait was we with workflow world
    working your supervisor orchestrator its work steps finish finishes with errors
    """.split()  # noqa: SIM905  # 120 words read better as text than as a list
)
_ERROR = re.compile(
    r"^\W*(?:(?:internal|server|unexpected|unhandled|fatal|critical|runtime|system|execution|"
    r"an?|the|agent|api|llm|there was|processing|request)\W+){0,4}"
    r"(?:error|errors|exception|traceback|failure|[A-Za-z]\w*(?:Error|Exception))\b"
    r"\W*(?:$|[:\[(-]|(?:occurred|happened|while|during|code|in|processing|executing|was)\b)"
    r"|^\W*(?:failed|failure|unable) to\b",
    re.IGNORECASE,
)
_TRACEBACK = re.compile(
    r"Traceback \(most recent call last\)|^[ \t]{1,40}File \"[^\"\n]{1,500}\", line \d",
    re.MULTILINE,
)
_SERIALIZED = re.compile(r"^\s*[{\[<].*(?:\w\(\w+=|object at 0x)", re.DOTALL)
_APOLOGY = re.compile(
    r"\b(sorry|apologi[sz]e|apologies|unfortunately|unable to|cannot|can't|can’t|could not|"
    r"couldn't|couldn’t|not able to|try again|something went wrong|went wrong|contact support|"
    r"currently unavailable|temporarily unavailable|at this time|later)\b",
    re.IGNORECASE,
)
_ECHO_SHARE = 0.6
_ECHO_RUN = 6


def fields_are_there(survey: Survey) -> Ruling:
    """GP-410: the must-have fields of each event are there."""
    events = survey.journey.events() if survey.journey else ()
    if not events:
        return _NO_EVENTS
    found: dict[str, Finding] = {}
    for heard in events:
        for lack in _lacks(heard):
            message = f"expected {heard.frame.name} to have {lack}"
            found.setdefault(message, broken("GP-410", message, heard.evidence()))
    return tuple(found.values())


def content_is_real(survey: Survey) -> Ruling:
    """GP-411: no placeholder names, texts or empty results stand in for content."""
    events = survey.journey.events() if survey.journey else ()
    if not events:
        return _NO_EVENTS
    found: dict[str, Finding] = {}
    for heard in events:
        for sign in _placeholders(heard):
            message = f"expected real content in {heard.frame.name}, got {sign}"
            found.setdefault(message, broken("GP-411", message, heard.evidence()))
    thoughts = [heard for heard in events if heard.frame.name == THINKING]
    if thoughts and all(is_placeholder(h.frame.text(*_THOUGHT_KEYS), "") for h in thoughts):
        message = "expected some thought to tell what it is about, got only words about progress"
        found.setdefault(message, broken("GP-411", message, thoughts[0].evidence()))
    called = [heard for heard in events if heard.frame.name == TOOL_COMPLETED]
    if called and all(h.frame.reports_failure() or _is_failed(_result_of(h.frame)) for h in called):
        message = "expected some tool of the run to work, got nothing but errors for results"
        found.setdefault(message, broken("GP-411", message, called[-1].evidence()))
    return tuple(found.values())


def names_are_visible(survey: Survey) -> Ruling:
    """GP-415: events carry their names in a form that a client can see."""
    journey = survey.journey
    if journey is None or journey.sent("request") is None:
        return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
    heard = {h.frame.name for h in journey.events()}
    hidden = [
        h
        for h in journey.of_sort(Sort.OTHER)
        if h.frame.name in _RENAMED and _RENAMED[h.frame.name] not in heard
    ]
    return tuple(
        broken(
            "GP-415",
            f"expected {_RENAMED[h.frame.name]} under its own name, got {h.frame.name}",
            h.evidence(),
        )
        for h in hidden[:1]
    )


def frames_are_whole(survey: Survey) -> Ruling:
    """GP-417: every frame is text, valid UTF-8, one JSON object, within the size limit."""
    journey = survey.journey
    if journey is None or journey.opened is None:
        return Unlooked("no conversation was held", blocked_by=BEFORE_THE_REQUEST)
    problems: dict[str, str] = {}
    for entry in journey.entries:
        if entry.kind is Kind.HEARD and entry.binary:
            problems.setdefault("a binary frame", entry.text[:200])
        elif entry.kind is Kind.HEARD and not _is_strict_object(entry.text):
            problems.setdefault("a frame that is no JSON object", entry.text[:200])
    closed = journey.closed
    if closed and closed.label == "we" and closed.code in _UNREADABLE:
        problems[f"a frame that cannot be read (closed with {closed.code})"] = closed.text
    return tuple(
        broken("GP-417", f"expected whole text frames of one JSON object each, got {what}", proof)
        for what, proof in problems.items()
    )


def _is_strict_object(text: str) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return isinstance(json.loads(text, parse_constant=refuse), dict)
    except (ValueError, RecursionError):
        return False


def _result_of(frame: Frame) -> object:
    """Return a tool's result; one that is JSON in a text is read."""
    value = frame.find(*_RESULT_KEYS)
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        return parse_json(value) or value
    return value


def _has_results(frame: Frame) -> bool:
    value = frame.find(*_RESULT_KEYS)
    return value is not None and value not in ({}, [], "")


def _is_failed(value: object, depth: int = 4) -> bool:
    """Tell whether a result is an error, or tracebacks and nothing else that tells anything."""
    if isinstance(value, str):
        return bool(_TRACEBACK.search(value))
    if not isinstance(value, dict | list) or not depth:
        return False
    if isinstance(value, dict) and Frame(Sort.OTHER, "", value).reports_failure():
        return True
    inner = value.values() if isinstance(value, dict) else value
    told = [one for one in inner if not _is_hollow(one) and not _is_about_progress(one)]
    return bool(told) and all(_is_failed(one, depth - 1) for one in told)


def _is_about_progress(value: object) -> bool:
    return isinstance(value, str) and is_placeholder(value, "")


def _is_hollow(value: object, depth: int = 4) -> bool:
    """Tell whether a result holds nothing: no value, or only keys with none."""
    if isinstance(value, dict | list) and depth:
        inner = value.values() if isinstance(value, dict) else value
        return all(_is_hollow(one, depth - 1) for one in inner)
    return value is None or (isinstance(value, str) and not value.strip())


def _is_answered(frame: Frame) -> bool:
    structured = frame.find("final_response", "result")
    return len(frame.answer()) > ANSWER_CHARACTERS or (
        isinstance(structured, dict) and bool(structured)
    )


def _thinks(frame: Frame) -> bool:
    return len(frame.text(*_THOUGHT_KEYS)) > THOUGHT_CHARACTERS


_MUST_HAVE: dict[str, tuple[tuple[str, Callable[[Heard], bool]], ...]] = {
    STARTED: (("an agent name", lambda heard: bool(agent_of(heard))),),
    THINKING: (
        (f"a thought over {THOUGHT_CHARACTERS} characters", lambda heard: _thinks(heard.frame)),
    ),
    EXECUTING: (("a tool name", lambda heard: bool(tool_of(heard))),),
    TOOL_COMPLETED: (
        ("a tool name", lambda heard: bool(tool_of(heard))),
        ("results", lambda heard: _has_results(heard.frame)),
    ),
    COMPLETED: (
        (
            f"a final text over {ANSWER_CHARACTERS} characters or a structured result",
            lambda heard: _is_answered(heard.frame),
        ),
    ),
}


def _lacks(heard: Heard) -> Iterator[str]:
    if not heard.frame.words("run_id", "thread_id"):
        yield "a run or a thread"
    for what, is_there in _MUST_HAVE[heard.frame.name]:
        if not is_there(heard):
            yield what


def _placeholders(heard: Heard) -> Iterator[str]:
    for kind, name in (("agent", agent_of(heard)), ("tool", tool_of(heard))):
        word = name.lower().strip()
        bare = word.removesuffix(f"_{kind}").removesuffix(f"-{kind}")
        if bare in _PLACEHOLDER_NAMES:
            yield f"the {kind} name {name!r}"
    for key in ("message", "reasoning", "thought", "task_description", "final_response"):
        text = heard.frame.text(key)
        if text.strip().lower() in _PLACEHOLDER_TEXTS:
            yield repr(text)
    if heard.frame.name == TOOL_COMPLETED:
        value = _result_of(heard.frame)
        if value is not None and (_is_about_progress(value) or _is_hollow(value)):
            yield "an empty result"


def signals(answer: str, prompt: str) -> tuple[str, ...]:
    """Name every signal that the answer is none; empty for a real answer.

    Args:
        answer: the final text.
        prompt: what was asked.

    """
    return tuple(name for name, holds in SIGNALS.items() if holds(answer, prompt))


def words(text: str) -> tuple[str, ...]:
    """Return the lower-cased words of a text, in any script."""
    return tuple(word.lower() for word in _WORD.findall(text))


def is_substitute(answer: str, _prompt: str) -> bool:
    """Tell whether the text announces itself as mock, fallback or degraded."""
    return bool(_SUBSTITUTE.search(answer) or _SUBSTITUTE_TAG.search(answer))


def is_excused_substitute(answer: str) -> bool:
    """Tell whether the text begins with an apology or an error, and then announces a substitute."""
    sentences = [part for part in _SENTENCE_END.split(answer.strip()) if words(part)]
    if not sentences or not (_APOLOGY.search(sentences[0]) or _ERROR.match(sentences[0])):
        return False
    return any(is_substitute(sentence, "") for sentence in sentences[1:])


def is_placeholder(answer: str, _prompt: str) -> bool:
    """Tell whether the text only says that something is done or going on."""
    return all(word in _PROCESS_WORDS for word in words(answer))


def is_error(answer: str, _prompt: str) -> bool:
    """Tell whether the text is an error message, a stack trace or a printed object."""
    return bool(_ERROR.match(answer) or _TRACEBACK.search(answer) or _SERIALIZED.match(answer))


def is_apology(answer: str, _prompt: str) -> bool:
    """Tell whether every sentence of the text apologises or declines."""
    sentences = [part for part in _SENTENCE_END.split(answer.strip()) if words(part)]
    return bool(sentences) and all(_APOLOGY.search(sentence) for sentence in sentences)


def is_echo(answer: str, prompt: str) -> bool:
    """Tell whether the text mostly repeats the prompt word for word.

    A number that was not in the prompt is a result, so such an answer is no echo.
    """
    asked, said = words(prompt), words(answer)
    if not said or len(asked) < _ECHO_SHARE * len(said):
        return False
    if any(word.isdigit() and word not in asked for word in said):
        return False
    run = _longest_common_run(asked, said)
    return run >= min(_ECHO_RUN, len(asked)) and run >= _ECHO_SHARE * len(said)


def _longest_common_run(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    longest = 0
    row = [0] * (len(second) + 1)
    for word in first:
        row = [0, *_next_row(word, second, row)]
        longest = max(longest, *row)
    return longest


def _next_row(word: str, second: tuple[str, ...], row: list[int]) -> Iterator[int]:
    for index, other in enumerate(second):
        yield row[index] + 1 if word == other else 0


#: Every signal by name; the name is what a finding quotes.
SIGNALS: dict[str, Callable[[str, str], bool]] = {
    "substitute": is_substitute,
    "placeholder": is_placeholder,
    "error text": is_error,
    "apology only": is_apology,
    "echo of the prompt": is_echo,
}
