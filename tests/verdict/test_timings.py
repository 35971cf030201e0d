"""How long a target took, out of what a run observed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import exchange, journey, login, refusal, survey
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.verdict.excerpt import NAMES, percentile, timings


def test_healthy_survey_shows_every_figure() -> None:
    """Each figure is the distance between two things that were seen."""
    health = tuple(exchange(elapsed_s=number / 100) for number in range(1, 21))
    slow = login(exchange=exchange(elapsed_s=0.7))
    found = timings(replace(survey(), health=health, login=slow))

    assert found == {
        "health_p50_s": 0.1,
        "health_p95_s": 0.19,
        "login_s": 0.7,
        "welcome_s": 0.01,
        "first_event_s": 0.01,
        "run_s": 0.05,
    }
    assert list(found) == list(NAMES)


def test_own_lateness_is_not_the_targets() -> None:
    """What the runner heard late is not counted against the target."""
    late = replace(exchange(elapsed_s=3.0), lag_s=2.5)

    assert timings(Survey(health=(late,)))["health_p95_s"] == 0.5


def test_what_was_not_seen_has_no_figure() -> None:
    """Nothing observed, an answer that never came and a journey that ended early invent nothing."""
    silent = Survey(health=(exchange(status=None, symptom=refusal()),))
    cut = replace(journey(), entries=journey().entries[:7])

    assert timings(Survey()) == {}
    assert timings(silent) == {}
    assert set(timings(Survey(journey=cut))) == {"welcome_s", "first_event_s"}


@given(st.lists(st.floats(0, 100), min_size=1), st.sampled_from([0.5, 0.95, 1.0]))
def test_percentile_is_the_smallest_that_suffices(values: list[float], share: float) -> None:
    """At least the share is at or below it, and less than the share is below it."""
    found = percentile(values, share)

    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values)


def test_percentile_of_one_value_is_that_value() -> None:
    """A single answer is its own median."""
    assert percentile([0.3], 0.5) == pytest.approx(0.3)
