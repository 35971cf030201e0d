"""What is said stays said: the database, and what it keeps of a journey."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-505")
def test_journey_is_stored(prove: Prove) -> None:
    """The journey's thread holds question and answer, once each, in order."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
