"""Isolation: nobody hears what is another's, whether another user or another connection."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-310")
def test_connections_have_identities(prove: Prove) -> None:
    """Two connections of one user have two identities."""
    prove()


@pytest.mark.requirement("GP-601")
def test_users_are_apart(prove: Prove) -> None:
    """Users at the same time see nothing of each other."""
    prove()


@pytest.mark.requirement("GP-603")
def test_connections_are_apart(prove: Prove) -> None:
    """The events of a request go to the connection that asked."""
    prove()


@pytest.mark.requirement("GP-604")
def test_second_connection_is_harmless(prove: Prove) -> None:
    """A second login or connection does not break the first."""
    prove()


@pytest.mark.requirement("GP-605")
def test_coming_back_works(prove: Prove) -> None:
    """Reconnecting gives a new connection and the user's own state."""
    prove()


@pytest.mark.requirement("GP-602")
def test_threads_are_their_owners(prove: Prove) -> None:
    """A second user cannot list, read or write the first user's threads and messages."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
