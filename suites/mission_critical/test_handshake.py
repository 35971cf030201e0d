"""Handshake and connection: a known user gets in, nobody else does, and the socket bears much."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-301")
def test_fresh_token_opens_the_socket(prove: Prove) -> None:
    """The socket accepts a fresh token by each promised carrier."""
    prove()


@pytest.mark.requirement("GP-303")
def test_strangers_are_refused(prove: Prove) -> None:
    """No, garbage, expired, wrongly signed and foreign tokens are refused."""
    prove()


@pytest.mark.requirement("GP-304")
def test_welcome_comes(prove: Prove) -> None:
    """The welcome comes in time, for the right user and with a connection."""
    prove()


@pytest.mark.requirement("GP-305")
def test_ping_is_answered(prove: Prove) -> None:
    """A ping is answered and the connection survives it."""
    prove()


@pytest.mark.requirement("GP-705")
def test_connection_has_a_client_id(prove: Prove) -> None:
    """A socket gets a client id of its own, and requests are answered on it."""
    prove()


@pytest.mark.requirement("GP-801")
def test_nobody_is_made_up(prove: Prove) -> None:
    """There is no demo, relaxed or emergency user."""
    prove()


@pytest.mark.requirement("GP-302")
def test_subprotocol_is_one_of_ours(prove: Prove) -> None:
    """One of the offered subprotocols is chosen, and nothing else."""
    prove()


@pytest.mark.requirement("GP-306")
def test_misuse_is_survived(prove: Prove) -> None:
    """A message that cannot be understood gets a reply and does no harm."""
    prove()


@pytest.mark.requirement("GP-307")
def test_silence_is_survived(prove: Prove) -> None:
    """An idle connection lives through two heartbeats of a known type."""
    prove()


@pytest.mark.requirement("GP-308")
def test_closes_are_promised(prove: Prove) -> None:
    """Strangers are closed with 1008, and we are never closed."""
    prove()


@pytest.mark.requirement("GP-309")
def test_limits_hold(prove: Prove) -> None:
    """Too large a message and too many connections of one user are refused."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
