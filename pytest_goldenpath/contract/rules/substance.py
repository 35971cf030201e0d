"""Named signals by which a text is no real answer; each is a pure function of two texts.

The signals are general (how much of the answer is new, what kind of sentence it is), with
short word lists only where a platform announces a substitute in so many words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

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
