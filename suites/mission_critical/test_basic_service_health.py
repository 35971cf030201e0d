"""Basic service health: whatever the run asked for, the services were there to answer."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-109")
def test_services_stay_available(prove: Prove) -> None:
    """The backend becomes ready, and nothing answers 503 after that."""
    prove()


@pytest.mark.requirement("GP-106")
def test_one_build_answers(prove: Prove) -> None:
    """Whatever the run asked for, the same build answered."""
    prove()


@pytest.mark.requirement("GP-107")
def test_database_works(prove: Prove) -> None:
    """A thread can be created, written, read back, listed and deleted, and then it is gone."""
    prove()


@pytest.mark.requirement("GP-802")
def test_no_emergency_is_shown(prove: Prove) -> None:
    """No answer shows an emergency, degraded-start or bypass flag."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
