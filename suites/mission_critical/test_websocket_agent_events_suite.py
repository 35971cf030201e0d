"""The five events of a real run: there, in order, paired, ours, real and in time."""

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


@pytest.mark.requirement("GP-406")
def test_events_are_in_order(prove: Prove) -> None:
    """Started comes first, completed last, nothing before the welcome or after the end."""
    prove()


@pytest.mark.requirement("GP-407")
def test_tools_are_paired(prove: Prove) -> None:
    """Each completed tool closes an executing one, and none stays open."""
    prove()


@pytest.mark.requirement("GP-408")
def test_nothing_comes_twice(prove: Prove) -> None:
    """No step, tool call or agent is told twice."""
    prove()


@pytest.mark.requirement("GP-409")
def test_identity_is_ours(prove: Prove) -> None:
    """Run, thread and user of every event are ours and stay the same."""
    prove()


@pytest.mark.requirement("GP-410")
def test_fields_are_there(prove: Prove) -> None:
    """The must-have fields of each event are there."""
    prove()


@pytest.mark.requirement("GP-411")
def test_content_is_real(prove: Prove) -> None:
    """No placeholder stands in for content."""
    prove()


@pytest.mark.requirement("GP-412")
def test_time_stamps_are_right(prove: Prove) -> None:
    """Time stamps are there, parse, rise and are near the clock."""
    prove()


@pytest.mark.requirement("GP-413")
def test_events_come_in_time(prove: Prove) -> None:
    """The first event, every gap and the whole run keep their budgets."""
    prove()


@pytest.mark.requirement("GP-414")
def test_events_stream(prove: Prove) -> None:
    """Events arrive when they happen, not all at the end."""
    prove()


@pytest.mark.requirement("GP-415")
def test_names_are_visible(prove: Prove) -> None:
    """Events carry their own names in a form that a client can see."""
    prove()


@pytest.mark.requirement("GP-416")
def test_no_failure_frame_comes(prove: Prove) -> None:
    """No failure frame comes in a good run."""
    prove()


@pytest.mark.requirement("GP-417")
def test_frames_are_whole(prove: Prove) -> None:
    """Every frame is a text of one JSON object within the size limit."""
    prove()


@pytest.mark.requirement("GP-418")
def test_every_type_of_request_starts_an_agent(prove: Prove) -> None:
    """Every documented type of request starts an agent."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
