"""Login and handshake: a known user gets in, and nobody else does."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-201")
def test_known_user_logs_in(prove: Prove) -> None:
    """A login gives a token, its type, its expiry and the user."""
    prove()


@pytest.mark.requirement("GP-301")
def test_fresh_token_opens_the_socket(prove: Prove) -> None:
    """The socket accepts a fresh token by each promised carrier."""
    prove()


@pytest.mark.requirement("GP-303")
def test_strangers_are_refused(prove: Prove) -> None:
    """No, garbage, expired, wrongly signed and foreign tokens are refused."""
    prove()


@pytest.mark.requirement("GP-801")
def test_nobody_is_made_up(prove: Prove) -> None:
    """There is no demo, relaxed or emergency user."""
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


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
