"""The answer: GP-501 and GP-502."""

from __future__ import annotations

from pytest_goldenpath.contract.findings import excerpt
from pytest_goldenpath.contract.frames import EVENTS
from pytest_goldenpath.contract.rules.events import BEFORE_THE_REQUEST, blame_for_silence
from pytest_goldenpath.contract.rules.substance import signals
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey


def answer_arrives(survey: Survey) -> Ruling:
    """GP-501: the run ends with an answer text to this request."""
    journey = survey.journey
    if journey is None or journey.sent("request") is None:
        return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
    if journey.answer():
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
    found = signals(answer, journey.request.text)
    if not found:
        return ()
    return (
        broken(
            "GP-502",
            f"expected a real answer, got one with the signs of: {', '.join(found)}",
            f"answer: {excerpt(answer, 300)}",
        ),
    )
