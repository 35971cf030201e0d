"""UserExecutionContext, imported: the parameter of the outage is there, by both of its names."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-701")
def test_client_id_is_accepted(prove: Prove) -> None:
    """A request's context accepts websocket_client_id and gives it back."""
    prove()


@pytest.mark.requirement("GP-702")
def test_alias_agrees(prove: Prove) -> None:
    """The connection id is the client id, and the supervisor's factory maps it."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
