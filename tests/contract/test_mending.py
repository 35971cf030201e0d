"""What is worth a second look, and how it takes the first one's place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.mending import broken_off, first_trouble, mended, passing
from pytest_goldenpath.contract.survey import Login, Missing, Survey
from pytest_goldenpath.contract.symptom import Kind, Symptom

REFUSED = Symptom(Kind.REFUSED, "journey", ready=True)
SLOW = Symptom(Kind.ANSWER_TIMEOUT, "journey", ready=True)
BUSY = Symptom(Kind.HTTP_STATUS, "login", status=503, ready=True)
ALL = ("login", "journey", "kept", "again", "strangers", "offers", "auth_health", "readiness")


def asked(purpose: str, symptom: Symptom | None = None) -> Exchange:
    """Return an exchange, with the trouble that ended it."""
    return Exchange(purpose, "GET", "http://x", 0.0, 0.1, None if symptom else 200, symptom=symptom)


@pytest.mark.parametrize(
    ("symptom", "passes"),
    [
        (REFUSED, True),
        (BUSY, True),
        (Symptom(Kind.PROVIDER, "journey", code=529, ready=True), True),
        (replace(BUSY, app_made=True), False),
        (SLOW, False),
        (Symptom(Kind.DNS_UNKNOWN, "health"), False),
        (Symptom(Kind.BUDGET, "survey"), False),
        (None, False),
    ],
)
def test_only_the_road_s_trouble_passes(symptom: Symptom | None, passes: bool) -> None:
    """A defect does not go away by waiting, nor does a wrong set-up or a spent budget."""
    assert passing(symptom) is passes


def test_nothing_missing_needs_no_second_look() -> None:
    """The healthy twin."""
    assert broken_off(Survey(), ALL) == frozenset()


def test_broken_journey_takes_its_readers_along() -> None:
    """What reads the journey's thread is made again with it; what did not break off is not."""
    survey = Survey(missing={"journey": Missing("x", symptom=REFUSED)})

    assert broken_off(survey, ALL) == {"journey", "kept", "again"}
    assert broken_off(survey, ("journey", "strangers")) == {"journey"}


def test_broken_login_takes_along_what_it_blocked() -> None:
    """Nobody could log in, so whatever needs a user is made again, but not what is skipped."""
    blocked = Missing("nobody could log in", blocked_by=("GP-201",))
    survey = Survey(
        missing={
            "login": Missing("x", symptom=BUSY),
            "strangers": blocked,
            "offers": replace(blocked, skipped=True),
        }
    )

    assert broken_off(survey, ALL) == {"login", "strangers"}


def test_defect_is_not_looked_at_again() -> None:
    """A login that the product refused blocks others for good."""
    blocked = Missing("nobody could log in", blocked_by=("GP-201",))

    assert broken_off(Survey(missing={"strangers": blocked}), ALL) == frozenset()
    assert broken_off(Survey(missing={"journey": Missing("x", symptom=SLOW)}), ALL) == frozenset()


def test_second_look_takes_the_place_of_the_first() -> None:
    """Only what was made again is replaced, and what was overcome is remembered."""
    first = Survey(
        seed="s",
        login=Login("password", asked("login")),
        health=(asked("health", REFUSED),),
        asked={"offers": (asked("offers", BUSY),), "knock": (asked("knock"),)},
        missing={
            "health": Missing("x", symptom=REFUSED),
            "offers": Missing("x", symptom=BUSY),
            "context": Missing("y", skipped=True),
        },
    )
    again = Survey(
        login=Login("password", asked("login again")),
        health=(asked("health"),),
        asked={"offers": (asked("offers"),)},
        missing={"unrelated": Missing("z")},
    )

    survey = mended(first, again, broken_off(first, ("health", "offers")))

    assert survey.health == again.health
    assert survey.login == first.login
    assert survey.asked == {**again.asked, "knock": first.asked["knock"]}
    assert survey.missing == {"context": first.missing["context"]}
    assert sorted(s.kind for s in survey.overcome) == sorted([REFUSED.kind, BUSY.kind])
    assert survey.seed == "s"


def test_trouble_that_stays_is_not_overcome() -> None:
    """A second look that breaks off as well leaves its own reason, and hides nothing."""
    first = Survey(missing={"offers": Missing("x", symptom=BUSY)})
    again = Survey(missing={"offers": Missing("still", symptom=REFUSED)})

    survey = mended(first, again, {"offers"})

    assert survey.missing["offers"].reason == "still"
    assert first_trouble(survey, {"offers"}) == REFUSED
