"""What is said stays said: the database, and what it keeps of a journey."""

from collections.abc import Callable

import pytest

Prove = Callable[[], None]


@pytest.mark.requirement("GP-107")
def test_database_works(prove: Prove) -> None:
    """A thread can be created, written, read back, listed and deleted, and then it is gone."""
    prove()


@pytest.mark.requirement("GP-505")
def test_journey_is_stored(prove: Prove) -> None:
    """The journey's thread holds question and answer, once each, in order."""
    prove()
