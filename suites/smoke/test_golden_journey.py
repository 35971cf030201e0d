"""The golden journey: a request is answered with all five events and a real answer."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-401")
def test_agent_started_arrives(prove: Prove) -> None:
    """The agent says that it has started."""
    prove()


@pytest.mark.requirement("GP-402")
def test_agent_thinking_arrives(prove: Prove) -> None:
    """The agent says what it is thinking."""
    prove()


@pytest.mark.requirement("GP-403")
def test_tool_executing_arrives(prove: Prove) -> None:
    """The agent says which tool it uses."""
    prove()


@pytest.mark.requirement("GP-404")
def test_tool_completed_arrives(prove: Prove) -> None:
    """The agent says what the tool gave."""
    prove()


@pytest.mark.requirement("GP-405")
def test_agent_completed_arrives(prove: Prove) -> None:
    """The agent says that it is done."""
    prove()


@pytest.mark.requirement("GP-416")
def test_no_failure_frame_comes(prove: Prove) -> None:
    """No failure frame comes in a good run."""
    prove()


@pytest.mark.requirement("GP-501")
def test_answer_arrives(prove: Prove) -> None:
    """The run ends with an answer to this request."""
    prove()


@pytest.mark.requirement("GP-502")
def test_answer_is_real(prove: Prove) -> None:
    """The answer is no mock, fallback, placeholder, error text, apology or echo."""
    prove()


@pytest.mark.requirement("GP-109")
def test_nothing_was_unavailable(prove: Prove) -> None:
    """Nothing answered 503 once the target was ready."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
