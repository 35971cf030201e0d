"""The answer: there, real, to this very request, whole and harmless."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-501")
def test_answer_arrives(prove: Prove) -> None:
    """The run ends with an answer to this request."""
    prove()


@pytest.mark.requirement("GP-502")
def test_answer_is_real(prove: Prove) -> None:
    """The answer is no mock, fallback, placeholder, error text, apology or echo."""
    prove()


@pytest.mark.requirement("GP-503")
def test_answer_belongs_to_the_request(prove: Prove) -> None:
    """The marker of this request comes back and its task is solved."""
    prove()


@pytest.mark.requirement("GP-504")
def test_answer_is_whole(prove: Prove) -> None:
    """The answer is complete and substantive."""
    prove()


@pytest.mark.requirement("GP-506")
def test_answer_is_passive(prove: Prove) -> None:
    """No HTML, script or control character is passed on raw."""
    prove()


@pytest.mark.requirement("GP-507")
def test_agents_api_is_honest(prove: Prove) -> None:
    """The HTTP agents API gives a real answer or a structured error, never a mock success."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
