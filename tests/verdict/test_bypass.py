"""The tester's emergency bypass: asked for, valid, expired, malformed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.verdict.bypass import VARIABLES, Bypass, read_bypass

NOW = datetime(2025, 9, 15, 12, 0, tzinfo=UTC)
TIMES = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001  # the same
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-8)), timezone(timedelta(hours=5.5))]),
)


def lookup(**variables: str) -> Callable[[str], tuple[str, str] | None]:
    """Return a lookup in these variables."""
    return lambda name: (variables[name], f"environment {name}") if name in variables else None


def asked(expiry: str, now: datetime = NOW) -> Bypass:
    """Read a bypass that is asked for, with this expiry."""
    return read_bypass(lookup(EMERGENCY_MODE="true", EMERGENCY_BYPASS_EXPIRY=expiry), now)


def test_nothing_asked_for_is_no_bypass() -> None:
    """Without a variable there is no bypass, even when an expiry is set."""
    found = read_bypass(lookup(EMERGENCY_BYPASS_EXPIRY="2030-01-31"), NOW)

    assert found == Bypass()
    assert found.active is False


@pytest.mark.parametrize("name", VARIABLES)
def test_each_variable_asks_for_it(name: str) -> None:
    """Any of the platform's variables asks for a bypass, and is named as its source."""
    found = read_bypass(lookup(**{name: "true", "EMERGENCY_BYPASS_EXPIRY": "2030-01-31"}), NOW)

    assert found.active is True
    assert found.sources == (f"environment {name}",)


@pytest.mark.parametrize("word", ["true", "TRUE", " 1 ", "yes", "On"])
def test_word_that_asks(word: str) -> None:
    """The words for yes are understood in any case and with blanks around them."""
    assert read_bypass(lookup(DEMO_MODE=word), NOW).sources == ("environment DEMO_MODE",)


@pytest.mark.parametrize("word", ["false", "0", "no", "off", "", "maybe"])
def test_word_that_does_not_ask(word: str) -> None:
    """Any other word asks for nothing."""
    assert read_bypass(lookup(DEMO_MODE=word), NOW) == Bypass()


def test_missing_expiry_is_no_bypass() -> None:
    """A bypass without an end does not count, and says so."""
    found = read_bypass(lookup(EMERGENCY_MODE="true"), NOW)

    assert found.active is False
    assert found.problem == "EMERGENCY_BYPASS_EXPIRY is missing"


@pytest.mark.parametrize(
    "expiry",
    ["", "soon", "2030", "2030-13-01", "2030-02-30", "31.01.2030", "never", "2030-01-31 noon"],
)
def test_malformed_expiry_is_no_bypass(expiry: str) -> None:
    """An expiry that cannot be read ends the bypass, and is shown."""
    found = asked(expiry)

    assert (found.active, found.expired, found.expires) == (False, False, None)
    assert found.problem == f"EMERGENCY_BYPASS_EXPIRY = {expiry!r} is no date such as 2030-01-31"


@pytest.mark.parametrize(
    "expiry",
    ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"],
    ids=["after-the-last-year", "before-the-first"],
)
def test_moment_outside_of_the_calendar_is_no_bypass(expiry: str) -> None:
    """A time that is no time in UTC is malformed, not an accident."""
    assert asked(expiry).active is False


@pytest.mark.parametrize(
    ("now", "active"),
    [
        (datetime(2025, 9, 15, 0, 0, tzinfo=UTC), True),
        (datetime(2025, 9, 15, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2025, 9, 16, 0, 0, tzinfo=UTC), False),
        (datetime(2025, 9, 15, 18, 0, tzinfo=timezone(timedelta(hours=-8))), False),
        (datetime(2025, 9, 16, 7, 0, tzinfo=timezone(timedelta(hours=8))), True),
    ],
    ids=["morning", "last-second", "next-day", "west-next-day", "east-same-day"],
)
def test_date_means_the_end_of_that_day(now: datetime, active: bool) -> None:
    """A date is the end of that day in UTC, wherever the tester is."""
    found = asked("2025-09-15", now)

    assert found.active is active
    assert found.expired is not active


def test_date_without_dashes_means_the_same() -> None:
    """The other way ISO writes a date is a date too."""
    assert asked("20250915").expires == asked("2025-09-15").expires


def test_time_without_a_zone_is_utc() -> None:
    """A time without a zone is not the tester's local time."""
    assert asked("2025-09-15T13:00").expires == datetime(2025, 9, 15, 13, 0, tzinfo=UTC)
    assert asked("2025-09-15T13:00+02:00").expires == datetime(2025, 9, 15, 11, 0, tzinfo=UTC)


def test_expired_bypass_says_when() -> None:
    """A bypass whose end has passed does not count, and says when it ended."""
    found = asked("2025-09-15T11:30Z")

    assert (found.active, found.expired) == (False, True)
    assert found.problem == "expired 2025-09-15 11:30 UTC"


@given(end=TIMES, now=TIMES)
def test_bypass_counts_up_to_its_end(end: datetime, now: datetime) -> None:
    """For every end and every time: it counts exactly as long as the end has not passed."""
    found = asked(end.isoformat(), now)

    assert found.active is (now <= end)
    assert found.expired is (now > end)


@given(expiry=st.text(max_size=30))
def test_any_text_is_read_or_refused(expiry: str) -> None:
    """Whatever the expiry says, it is a moment or a problem, never both and never neither."""
    found = asked(expiry)

    assert found.sources == ("environment EMERGENCY_MODE",)
    assert found.active is (not found.problem)
