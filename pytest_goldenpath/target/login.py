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
        (_, first), (_, second) = ways[:2]
        raise ConfigError(
            _variable(first),
            "***",
            f"contradicts {second}: both say how to log in",
            source=first,
            remedy="unset one of them",
        )
    expired = environment.get("GOLDENPATH_EXPIRED_TOKEN")
    expired_token = Secret(expired.value if expired else "")
    if ways:
        return Wallet(ways[0][0], expired_token), ways[0][1]
    if is_loopback(target.backend) or target.name in _DEVELOPMENT_NAMES:
        return Wallet(DevelopmentLogin(), expired_token), "default (development login)"
    raise ConfigError(
        "login", "", f"no credentials for {target.backend}", source="environment", remedy=_REMEDY
    )


def _password(environment: Environment) -> tuple[Credentials, str] | None:
    email, password = environment.get("GOLDENPATH_EMAIL"), environment.get("GOLDENPATH_PASSWORD")
    if email and password:
        secret = _long_enough("GOLDENPATH_PASSWORD", password)
        return PasswordLogin(email.value, secret), email.source
    if email:
        raise _half("GOLDENPATH_EMAIL", email.value, email.source, "GOLDENPATH_PASSWORD")
    if password:
        raise _half("GOLDENPATH_PASSWORD", "***", password.source, "GOLDENPATH_EMAIL")
    return None


def _token(environment: Environment) -> tuple[Credentials, str] | None:
    token = environment.get("GOLDENPATH_TOKEN")
    if token is None:
        return None
    return ReadyToken(_long_enough("GOLDENPATH_TOKEN", token)), token.source


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
