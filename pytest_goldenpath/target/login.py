"""Which credentials a run uses; they come from the environment only (design 5)."""

from __future__ import annotations

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.secrets import SHORTEST, Secret
from pytest_goldenpath.target.model import (
    Credentials,
    DevelopmentLogin,
    E2EKey,
    PasswordLogin,
    ReadyToken,
    Target,
    Wallet,
)
from pytest_goldenpath.target.sources import Environment, Setting
from pytest_goldenpath.target.urls import is_loopback

_DEVELOPMENT_NAMES = frozenset({"local", "dev", "development"})
_REMEDY = (
    "set GOLDENPATH_EMAIL and GOLDENPATH_PASSWORD, or GOLDENPATH_TOKEN, or E2E_OAUTH_SIMULATION_KEY"
)


def wallet_of(target: Target, environment: Environment) -> tuple[Wallet, str]:
    """Choose the credentials for a target that is not embedded; returns them and their source.

    Raises:
        ConfigError: none for a remote target, an incomplete pair, or two ways at once.

    """
    ways = [way for way in (_password(environment), _token(environment), _key(environment)) if way]
    if len(ways) > 1:
        (_, this), (_, other) = ways[:2]
        raise ConfigError(
            _variable(this),
            "***",
            f"contradicts {other}: both say how to log in",
            source=this,
            remedy="unset one of them",
        )
    expired = environment.get("GOLDENPATH_EXPIRED_TOKEN")
    expired_token = Secret(expired.value if expired else "")
    if ways:
        first, source = ways[0]
        crowd = _crowd(first, target.users) if isinstance(first, E2EKey) else ()
        second = _second(environment, first) or (crowd[0] if crowd else None)
        return Wallet(first, expired_token, second=second, crowd=crowd[1:]), source
    if is_development(target):
        return Wallet(DevelopmentLogin(), expired_token), "default (development login)"
    raise ConfigError(
        "login", "", f"no credentials for {target.backend}", source="environment", remedy=_REMEDY
    )


def is_development(target: Target) -> bool:
    """Tell whether a target is a developer's own, where a development login is in its place."""
    return is_loopback(target.backend) or target.name in _DEVELOPMENT_NAMES


def _second(environment: Environment, first: Credentials) -> Credentials | None:
    """Return the second user of the environment, None without one.

    Raises:
        ConfigError: an incomplete pair, two ways at once, or the first user again.

    """
    ways = [way for way in (_password(environment, "_2"), _token(environment, "_2")) if way]
    if len(ways) > 1:
        raise ConfigError(
            "GOLDENPATH_TOKEN_2",
            "***",
            "contradicts GOLDENPATH_EMAIL_2: both say who the second user is",
            source=ways[1][1],
            remedy="unset one of them",
        )
    if not ways:
        return None
    second, source = ways[0]
    if _is_same(first, second):
        email = second.email if isinstance(second, PasswordLogin) else "***"
        raise ConfigError(
            _variable(source),
            email,
            "is the first user again, and one user alone shows no isolation",
            source=source,
            remedy="name another user",
        )
    return second


def _is_same(first: Credentials, second: Credentials) -> bool:
    match first, second:
        case PasswordLogin(email), PasswordLogin(other):
            return email.strip().lower() == other.strip().lower()
        case ReadyToken(token), ReadyToken(other_token):
            return token.reveal() == other_token.reveal()
        case _:
            return False


def _crowd(first: E2EKey, users: int) -> tuple[Credentials, ...]:
    """Return the further users of a simulated login, by addresses that nobody can own."""
    return tuple(
        E2EKey(first.key, f"goldenpath-{number}@e2e.example") for number in range(2, users + 1)
    )


def _password(environment: Environment, suffix: str = "") -> tuple[Credentials, str] | None:
    email_name, password_name = f"GOLDENPATH_EMAIL{suffix}", f"GOLDENPATH_PASSWORD{suffix}"
    email, password = environment.get(email_name), environment.get(password_name)
    if email and password:
        secret = _long_enough(password_name, password)
        return PasswordLogin(email.value, secret), email.source
    if email:
        raise _half(email_name, email.value, email.source, password_name)
    if password:
        raise _half(password_name, "***", password.source, email_name)
    return None


def _token(environment: Environment, suffix: str = "") -> tuple[Credentials, str] | None:
    name = f"GOLDENPATH_TOKEN{suffix}"
    token = environment.get(name)
    if token is None:
        return None
    return ReadyToken(_long_enough(name, token)), token.source


def _key(environment: Environment) -> tuple[Credentials, str] | None:
    key = environment.get("E2E_OAUTH_SIMULATION_KEY")
    if key is None:
        return None
    return E2EKey(_long_enough("E2E_OAUTH_SIMULATION_KEY", key)), key.source


def _long_enough(name: str, setting: Setting) -> Secret:
    if len(setting.value) < SHORTEST:
        raise ConfigError(
            name,
            "***",
            f"shorter than {SHORTEST} characters, so it could not be kept out of reports",
            source=setting.source,
            remedy="use a longer one",
        )
    return Secret(setting.value)


def _variable(source: str) -> str:
    """Return the variable that a source names: "environment X" or "X in FILE"."""
    kind, _, rest = source.partition(" ")
    return rest if kind == "environment" else kind


def _half(name: str, value: str, source: str, other: str) -> ConfigError:
    return ConfigError(name, value, f"{other} is missing", source=source, remedy=f"set {other}")
