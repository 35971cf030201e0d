"""The five events: GP-401 to GP-405 and GP-416."""

from __future__ import annotations

from collections.abc import Callable

from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.frames import EVENTS, Frame, Sort
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript, last_completion

#: What may have kept a request from being sent, most telling first.
BEFORE_THE_REQUEST = ("GP-201", "GP-301", "GP-304", "GP-305")

_PROVIDER_KEYS = ("provider", "upstream", "llm_provider", "upstream_provider")
_PROVIDER_CODE_KEYS = (
    "provider_status",
    "provider_code",
    "upstream_status",
    "status_code",
    "http_status",
)
_RATE_LIMITED = 429
_SERVER_ERRORS = range(500, 600)


def event_arrives(code: str, name: str) -> Callable[[Survey], Ruling]:
    """Build the rule that one event arrives for a real request (GP-401 to GP-405)."""

    def check(survey: Survey) -> Ruling:
        journey = survey.journey
        if journey is None or journey.sent("request") is None:
            return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
        events = journey.events()
        if name == EVENTS[-1] and last_completion(events) is not None:
            return ()
        if name != EVENTS[-1] and any(heard.frame.name == name for heard in events):
            return ()
        return (
            broken(
                code,
                f"expected {name} for our request, but {_what_came(journey, name)}",
                _order_of_events(journey),
                absence=True,
                attribution=blame_for_silence(journey),
            ),
        )

    return check


def no_failure_frame(survey: Survey) -> Ruling:
    """GP-416: no failure frame comes in a good run; a provider's failure is upstream's."""
    journey = survey.journey
    if journey is None or journey.sent("request") is None:
        return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
    failures = [(h, h.frame.name) for h in journey.of_sort(Sort.FAILURE)]
    failures += [
        (heard, f"an {EVENTS[-1]} that reports a failure")
        for heard in journey.events()
        if heard.frame.name == EVENTS[-1] and heard.frame.reports_failure()
    ]
    return tuple(
        broken(
            "GP-416",
            f"expected no failure frame, got {what}",
            heard.evidence(),
            attribution=_blame_for_failure(heard.frame),
        )
        for heard, what in failures
    )


def blame_for_silence(transcript: Transcript) -> Attribution:
    """Tell whose fault a missing event is: a reported provider failure explains it."""
    failures = transcript.of_sort(Sort.FAILURE)
    if any(_blame_for_failure(h.frame) is Attribution.UPSTREAM for h in failures):
        return Attribution.UPSTREAM
    return Attribution.PRODUCT


def _blame_for_failure(frame: Frame) -> Attribution:
    """Judge by structured fields only: a provider's name and its numeric code."""
    details = _details(frame)
    named = any(
        isinstance(place.get(key), str) and place.get(key)
        for place in details
        for key in _PROVIDER_KEYS
    )
    codes = (place.get(key) for place in details for key in _PROVIDER_CODE_KEYS)
    numbers = {int(c) for c in codes if isinstance(c, int) or (isinstance(c, str) and _digits(c))}
    overloaded = any(n == _RATE_LIMITED or n in _SERVER_ERRORS for n in numbers)
    return Attribution.UPSTREAM if named and overloaded else Attribution.PRODUCT


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) == len("429")


def _details(frame: Frame) -> list[dict[str, object]]:
    found: list[dict[str, object]] = [dict(frame.document)]
    for key in ("data", "payload", "details", "error", "error_context", "provider_error"):
        for place in tuple(found):
            inner = place.get(key)
            if isinstance(inner, dict):
                found.append(inner)
    return found


def _what_came(journey: Transcript, name: str) -> str:
    foreign = [heard for heard in journey.strangers() if heard.frame.name == name]
    if foreign:
        frame = foreign[0].frame
        return (
            f"the only one heard is of user {frame.find('user_id')} "
            f"and thread {frame.find('thread_id')}"
        )
    return journey.last_words()


def _order_of_events(journey: Transcript) -> str:
    names = [heard.frame.name for heard in journey.events()]
    return f"events heard: {', '.join(names) or 'none'} (of {', '.join(EVENTS)})"
