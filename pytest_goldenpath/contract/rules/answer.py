"""The answer: GP-501 to GP-504, GP-506 and, over HTTP, GP-507."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import Attribution, Finding, excerpt
from pytest_goldenpath.contract.frames import EVENTS, Frame, Sort
from pytest_goldenpath.contract.rules.company import bare
from pytest_goldenpath.contract.rules.content import (
    ANSWER_CHARACTERS,
    is_excused_substitute,
    is_substitute,
    signals,
    words,
)
from pytest_goldenpath.contract.rules.events import BEFORE_THE_REQUEST
from pytest_goldenpath.contract.rules.markup import active_sign
from pytest_goldenpath.contract.rules.prose import (
    is_cut_off,
    numbers_in,
    western,
    without_numbers,
)
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, blame_for_silence, broken
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Request, Transcript


def answer_arrives(survey: Survey) -> Ruling:
    """GP-501: the run ends with an answer text to this request."""
    journey = survey.journey
    if journey is None or journey.sent("request") is None:
        return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
    answer = journey.answer()
    if answer and journey.request and _shows_nothing(answer, journey.request):
        return (
            broken(
                "GP-501",
                "expected an answer to this request, got one with neither the code word "
                f"{journey.request.marker} nor the result {journey.request.expected}",
                f"answer: {excerpt(answer, 300)}",
            ),
        )
    if answer:
        return ()
    completed = [h for h in journey.events() if h.frame.name == EVENTS[-1]]
    came = "a completion without a text" if completed else journey.last_words()
    return (
        broken(
            "GP-501",
            f"expected the run to end with an answer text, got {came}",
            completed[-1].evidence() if completed else "",
            absence=True,
            attribution=blame_for_silence(journey),
        ),
    )


def answer_is_real(survey: Survey) -> Ruling:
    """GP-502: the answer is no mock, fallback, placeholder, error, apology or echo."""
    journey = survey.journey
    answer = journey.answer() if journey else ""
    if journey is None or journey.request is None or not answer:
        return Unlooked("there is no answer", blocked_by=("GP-501", *BEFORE_THE_REQUEST))
    found = _signs(answer, journey.request)
    findings = (*_complaints(survey, answer), *_look_of(found, answer))
    failed = survey.missing.get("own judge")
    return Unlooked(failed.reason) if failed and not findings else findings


def _complaints(survey: Survey, answer: str) -> Iterator[Finding]:
    for complaint in survey.complaints:
        yield broken(
            "GP-502",
            f"expected an answer that the project's own judge accepts, got {excerpt(complaint, 300)}",
            f"answer: {excerpt(answer, 300)}",
        )


def _look_of(found: tuple[str, ...], answer: str) -> Iterator[Finding]:
    if found:
        yield broken(
            "GP-502",
            f"expected a real answer, got one with the signs of: {', '.join(found)}",
            f"answer: {excerpt(answer, 300)}",
        )


def _signs(answer: str, request: Request) -> tuple[str, ...]:
    """Name the signs that an answer to this request is none."""
    if _is_solved(answer, request):  # then only what calls itself a mock is none
        calls_itself = is_substitute(answer, request.text) or is_excused_substitute(answer)
        return ("substitute",) if calls_itself else ()
    if request.expected:  # then no other number is a result
        return signals(without_numbers(answer), without_numbers(request.text))
    return signals(answer, request.text)


def _is_solved(answer: str, request: Request) -> bool:
    """Tell whether the answer holds the result, which stood nowhere in the prompt."""
    return bool(request.expected) and request.expected in numbers_in(answer)


def _shows_nothing(answer: str, request: Request) -> bool:
    """Tell whether an answer holds nothing of what was asked for in so many words."""
    asked = request.marker and request.expected
    return bool(asked) and not (_is_solved(answer, request) or _is_marked(answer, request))


def _is_marked(answer: str, request: Request) -> bool:
    """Tell whether the answer holds the marker, with whatever hyphen, escapes and digits."""
    return bare(request.marker) in bare(western(answer))


def answer_belongs(survey: Survey) -> Ruling:
    """GP-503: the marker of this request comes back, and its task is solved."""
    journey = survey.journey
    answer = journey.answer() if journey else ""
    if journey is None or journey.request is None or not answer:
        return _NO_ANSWER
    request = journey.request
    if not request.marker and not request.expected:
        reason = "the target's prompt has neither {marker} nor {first} and {second}"
        return Unlooked(reason, skipped=True)
    return tuple(_strange_answers(journey, request, answer, survey.seed))


def _strange_answers(
    run: Transcript, request: Request, answer: str, seed: str
) -> Iterator[Finding]:
    """Yield that an answer is to another request; only other requests show a canned one."""
    lacks = []
    if request.marker and not _is_marked(answer, request):
        lacks.append(f"the marker {request.marker}")
    if request.expected and request.expected not in numbers_in(answer):
        lacks.append(f"the result {request.expected}")
    if lacks:
        yield broken(
            "GP-503",
            f"expected an answer to this very request, but on {run.purpose} it lacks "
            f"{' and '.join(lacks)} (GOLDENPATH_SEED={seed} asks the same again)",
            f"answer: {excerpt(answer, 300)}",
        )


def answer_is_whole(survey: Survey) -> Ruling:
    """GP-504: the answer is complete and substantive: not cut off, some concrete content."""
    journey = survey.journey
    answer = journey.answer() if journey else ""
    if journey is None or not answer:
        return _NO_ANSWER
    marker = journey.request.marker if journey.request else ""
    return tuple(
        broken(
            "GP-504",
            f"expected a complete, substantive answer, got {problem}",
            f"answer: {excerpt(answer, 300)}",
        )
        for problem in _shortcomings(answer, marker)
    )


def answer_is_passive(survey: Survey) -> Ruling:
    """GP-506: HTML, script and control characters are not passed on raw."""
    journey = survey.journey
    events = journey.events() if journey else ()
    if journey is None or not events:
        return _NO_ANSWER
    for heard in events:
        for text in _texts(heard.frame.document):
            sign = active_sign(text)
            if sign:
                return (
                    broken(
                        "GP-506",
                        f"expected no active content in {heard.frame.name}, got {sign[:60]!r}",
                        heard.evidence(),
                    ),
                )
    return ()


def agents_api_is_honest(survey: Survey) -> Ruling:
    """GP-507: the HTTP agents API gives a real answer or a structured error, no mock success."""
    asked = [e for e in survey.asked.get("agents_api", ()) if e.symptom is None]
    if not any(exchange.purpose == AGENTS_API for exchange in asked):
        return Unlooked("the agents API did not answer")
    return tuple(
        _dishonest(exchange, came) for exchange in asked for came in (_over_http(exchange),) if came
    )


def _dishonest(exchange: Exchange, came: str) -> Finding:
    refused = exchange.status in _UNAUTHORIZED
    return broken(
        "GP-507",
        f"expected a real answer or a structured error from the {exchange.purpose}, got {came}",
        exchange.evidence(),
        attribution=Attribution.AUTH if refused else Attribution.PRODUCT,
    )


def _over_http(exchange: Exchange) -> str:
    """Tell what is wrong with an answer of the agents API, or ''.

    A stranger may be refused in any way, that is another promise's; what is said to a stranger
    as a success is held against the same promise.
    """
    if exchange.accepted:
        return _false_success(exchange)
    if exchange.purpose != AGENTS_API:
        return ""
    if exchange.status in _NO_ROUTE:
        return f"HTTP {exchange.status}: the route is missing"
    structured = any(exchange.document().get(key) for key in _ERROR_KEYS)
    if structured and exchange.status in _CLIENT_ERRORS and exchange.status not in _UNAUTHORIZED:
        return ""
    return f"HTTP {exchange.status}"


def _false_success(exchange: Exchange) -> str:
    """Tell what is wrong with an answer with 200, which also carries the structured errors."""
    frame = Frame(Sort.OTHER, "", exchange.document())
    answer = frame.answer()
    if is_substitute(answer, ""):
        return "a substitute for one with a success status"
    claims = frame.word("status").lower() in _SUCCESS_WORDS and not frame.reports_failure()
    if not claims:
        told = answer or any(exchange.document().get(key) for key in _ERROR_KEYS)
        return "" if told else "neither an answer nor an error"
    if not answer:
        return "a success without an answer"
    request = Request(
        exchange.said("text"),
        "",
        "",
        "",
        "",
        marker=exchange.said("marker"),
        expected=exchange.said("expected"),
    )
    found = _signs(answer, request)
    if found:
        return f"a success with the signs of: {', '.join(found)}"
    if _shows_nothing(answer, request):
        return (
            f"a success with neither the code word {request.marker} "
            f"nor the result {request.expected}"
        )
    return ""


#: What the request with our token is for; that without one has another purpose.
AGENTS_API = "agents API"
_SUCCESS_WORDS = frozenset({"", "success", "succeeded", "ok", "complete", "completed", "done"})
_ERROR_KEYS = ("error", "detail", "message", "error_code")
_UNAUTHORIZED = frozenset({401, 403})
_NO_ROUTE = frozenset({404, 405})
_CLIENT_ERRORS = range(400, 500)
_NO_ANSWER = Unlooked("there is no answer", blocked_by=("GP-501", *BEFORE_THE_REQUEST))
_FEWEST_WORDS = 5
_DEPTH = 6


def _shortcomings(answer: str, marker: str) -> Iterator[str]:
    if len(answer) <= ANSWER_CHARACTERS:
        yield f"{len(answer)} characters"
    elif len(set(words(answer))) < _FEWEST_WORDS and answer.isascii():
        yield f"{len(set(words(answer)))} different words"
    if is_cut_off(answer, marker):
        yield "a text that breaks off"


def _texts(value: object, depth: int = _DEPTH) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and depth:
        for inner in value.values():
            yield from _texts(inner, depth - 1)
    elif isinstance(value, list) and depth:
        for inner in value:
            yield from _texts(inner, depth - 1)
