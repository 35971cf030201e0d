"""Login and token: wrong logins fail, tokens are sound, doors stay shut to strangers."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-201")
def test_known_user_logs_in(prove: Prove) -> None:
    """A login gives a token, its type, its expiry and the user."""
    prove()


@pytest.mark.requirement("GP-202")
def test_wrong_logins_are_refused(prove: Prove) -> None:
    """Wrong credentials get 401 or 422, a structured body and no token."""
    prove()


@pytest.mark.requirement("GP-203")
def test_token_is_sound(prove: Prove) -> None:
    """The token is a signed JWT of this user, and lives for a day at most."""
    prove()


@pytest.mark.requirement("GP-204")
def test_tokens_are_told_apart(prove: Prove) -> None:
    """The auth service calls this token valid, and no forged or expired one."""
    prove()


@pytest.mark.requirement("GP-205")
def test_refresh_renews(prove: Prove) -> None:
    """A refresh gives a new pair that works; a refresh token opens nothing."""
    prove()


@pytest.mark.requirement("GP-206")
def test_services_agree(prove: Prove) -> None:
    """Backend and auth service say the same of one token."""
    prove()


@pytest.mark.requirement("GP-207")
def test_strangers_see_nothing(prove: Prove) -> None:
    """Protected routes refuse strangers in JSON and show nothing of the server."""
    prove()


@pytest.mark.requirement("GP-208")
def test_manners_are_safe(prove: Prove) -> None:
    """Headers protect, cookies are closed, redirects stay on the same host."""
    prove()


@pytest.mark.requirement("GP-209")
def test_expiry_agrees(prove: Prove) -> None:
    """The login says how long its token really lives."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))
