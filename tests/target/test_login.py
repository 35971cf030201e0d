"""Which credentials a run uses, and that a doubtful choice is refused."""

from __future__ import annotations

from itertools import combinations

import pytest

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.secrets import Secret
from pytest_goldenpath.target.login import wallet_of
from pytest_goldenpath.target.model import (
    DevelopmentLogin,
    E2EKey,
    PasswordLogin,
    ReadyToken,
    Target,
    Wallet,
)
from pytest_goldenpath.target.sources import Environment

REMOTE = Target("pre", "https://api.example.com", "https://api.example.com", "wss://x/ws")
WAYS = {
    "password": {"GOLDENPATH_EMAIL": "ada@example.com", "GOLDENPATH_PASSWORD": "hunter22"},
    "token": {"GOLDENPATH_TOKEN": "hunter22"},
    "key": {"E2E_OAUTH_SIMULATION_KEY": "hunter22"},
}


def test_password() -> None:
    """Email and password log in as a person does."""
    wallet, source = wallet_of(REMOTE, Environment(WAYS["password"]))

    assert wallet == Wallet(PasswordLogin("ada@example.com", Secret("hunter22")))
    assert source == "environment GOLDENPATH_EMAIL"


def test_token() -> None:
    """A ready token is used as it is."""
    wallet, source = wallet_of(REMOTE, Environment({}, WAYS["token"], "ci.env"))

    assert wallet == Wallet(ReadyToken(Secret("hunter22")))
    assert source == "GOLDENPATH_TOKEN in ci.env"


def test_key() -> None:
    """The simulation key is a way to log in."""
    wallet, source = wallet_of(REMOTE, Environment(WAYS["key"]))

    assert wallet.first == E2EKey(Secret("hunter22"))
    assert len({user.email for user in wallet.crowd if isinstance(user, E2EKey)}) == 6
    assert source == "environment E2E_OAUTH_SIMULATION_KEY"


def test_expired_token_goes_with_any_way() -> None:
    """An expired token is evidence for a check, not a way to log in."""
    variables = {**WAYS["token"], "GOLDENPATH_EXPIRED_TOKEN": "old-token"}

    assert wallet_of(REMOTE, Environment(variables))[0].expired_token == Secret("old-token")


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("dev", "https://dev.example.com"),
        ("development", "https://dev.example.com"),
    ],
)
def test_development_target_needs_no_credentials(name: str, backend: str) -> None:
    """A local or development target may use its development login, and the source says so."""
    place = Target(name, backend, backend, "ws://x/ws")

    assert wallet_of(place, Environment({})) == (
        Wallet(DevelopmentLogin()),
        "default (development login)",
    )


def test_remote_target_without_credentials_is_refused() -> None:
    """What can be set is named."""
    with pytest.raises(ConfigError) as caught:
        wallet_of(REMOTE, Environment({}))

    assert str(caught.value) == (
        "login = '' (from environment): no credentials for https://api.example.com; set "
        "GOLDENPATH_EMAIL and GOLDENPATH_PASSWORD, or GOLDENPATH_TOKEN, or "
        "E2E_OAUTH_SIMULATION_KEY"
    )


@pytest.mark.parametrize("path", ["", "ci.env"], ids=["environment", "env-file"])
@pytest.mark.parametrize("pair", [*combinations(WAYS, 2), tuple(WAYS)], ids="-".join)
def test_two_ways_are_refused(pair: tuple[str, ...], path: str) -> None:
    """Two ways to log in are named by their variables, wherever they were set, without values."""
    variables = {name: value for way in pair for name, value in WAYS[way].items()}
    environment = Environment({}, variables, path) if path else Environment(variables)
    first = next(iter(WAYS[pair[0]]))

    with pytest.raises(ConfigError) as caught:
        wallet_of(REMOTE, environment)

    assert str(caught.value).startswith(f"{first} = '***' (from ")
    assert next(iter(WAYS[pair[1]])) in str(caught.value)
    assert str(caught.value).endswith("unset one of them")
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"GOLDENPATH_EMAIL": "ada@example.com"},
            (
                "GOLDENPATH_EMAIL = 'ada@example.com' (from environment GOLDENPATH_EMAIL): "
                "GOLDENPATH_PASSWORD is missing; set GOLDENPATH_PASSWORD"
            ),
        ),
        (
            {"GOLDENPATH_PASSWORD": "hunter22"},
            (
                "GOLDENPATH_PASSWORD = '***' (from environment GOLDENPATH_PASSWORD): "
                "GOLDENPATH_EMAIL is missing; set GOLDENPATH_EMAIL"
            ),
        ),
        (
            {"GOLDENPATH_TOKEN": "abc"},
            (
                "GOLDENPATH_TOKEN = '***' (from environment GOLDENPATH_TOKEN): shorter than 4 "
                "characters, so it could not be kept out of reports; use a longer one"
            ),
        ),
    ],
    ids=["no-password", "no-email", "short"],
)
def test_incomplete_credentials_are_refused(variables: dict[str, str], sentence: str) -> None:
    """Half a pair or too short a secret is refused, also for a development target."""
    local = Target("127.0.0.1", "http://127.0.0.1:1", "http://127.0.0.1:1", "ws://127.0.0.1:1/ws")

    with pytest.raises(ConfigError) as caught:
        wallet_of(local, Environment(variables))

    assert str(caught.value) == sentence
