"""The five events: GP-401 to GP-405 and GP-416."""

from __future__ import annotations

from collections.abc import Callable

from pytest_goldenpath.contract.frames import EVENTS, Sort
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.signs import blame_for_failure, blame_for_silence
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript, last_completion

#: What may have kept a request from being sent, most telling first.
BEFORE_THE_REQUEST = ("GP-201", "GP-301", "GP-304", "GP-305")


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
            attribution=blame_for_failure(heard.frame),
        )
        for heard, what in failures
    )


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
