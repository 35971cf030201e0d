"""Health: both services are up, quick, of one build, and show no emergency."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-101")
def test_backend_answers(prove: Prove) -> None:
    """The backend's health is 200 with a JSON object."""
    prove()


@pytest.mark.requirement("GP-102")
def test_backend_says_up(prove: Prove) -> None:
    """The health body says up, not degraded with 200."""
    prove()


@pytest.mark.requirement("GP-103")
def test_health_is_quick(prove: Prove) -> None:
    """At least 95 % of the health answers come within 2 s."""
    prove()


@pytest.mark.requirement("GP-104")
def test_auth_service_is_healthy(prove: Prove) -> None:
    """The auth service is healthy by the same rules."""
    prove()


@pytest.mark.requirement("GP-105")
def test_health_names_its_dependencies(prove: Prove) -> None:
    """A shallow health body is reported."""
    prove()


@pytest.mark.requirement("GP-106")
def test_one_build_answers(prove: Prove) -> None:
    """Every answer is of one build, and of the expected one."""
    prove()


@pytest.mark.requirement("GP-108")
def test_readiness_agrees_with_health(prove: Prove) -> None:
    """Ready endpoints do not contradict the health."""
    prove()


@pytest.mark.requirement("GP-802")
def test_no_emergency_is_shown(prove: Prove) -> None:
    """No answer shows an emergency, degraded-start or bypass flag."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
