"""The keys of a target's table: their types, and the checks on their values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.target.sources import Environment, Setting, TargetsFile, unknown_key

ADDRESS_KEYS = ("backend", "auth", "ws", "frontend")
TEXT_KEYS = (*ADDRESS_KEYS, "control", "revision", "prompt", "seed", "context_api")
SECONDS_KEYS = (
    "event_deadline_s",
    "run_deadline_s",
    "heartbeat_s",
    "vpc_budget_s",
    "db_budget_s",
    "infra_delay_s",
)
COUNT_KEYS = ("users", "infra_attempts")
FLAG_KEYS = ("production",)
KEYS = (*TEXT_KEYS, *SECONDS_KEYS, *COUNT_KEYS, *FLAG_KEYS)
_LONGEST_S = 3600.0
_MOST = 200


@dataclass(frozen=True, slots=True)
class Table:
    """One target's table, checked, beside the environment that overrides it.

    Attributes:
        name: the target's name.
        path: the file it is from.
        values: the raw values of the known keys.
        environment: where ``GOLDENPATH_<KEY>`` is looked up.
    """

    name: str
    path: str
    values: Mapping[str, Any]
    environment: Environment

    def text(self, key: str) -> Setting | None:
        """Return a text key, environment before file."""
        found = self.environment.get(env_name(key))
        if found:
            return found
        value = self.values.get(key)
        return Setting(str(value), self.path) if value is not None else None

    def told(self, key: str) -> str:
        """Return the name under which the key was set: the variable's, or the file's."""
        is_set = self.environment.get(env_name(key))
        return env_name(key) if is_set else f"targets.{self.name}.{key}"

    def seconds(self, key: str, default: float) -> tuple[float, str]:
        """Return a budget in seconds and its source.

        Raises:
            ConfigError: the value is no number, not positive, or longer than an hour.

        """
        found = self.environment.get(env_name(key))
        if found:
            return _seconds(env_name(key), found.value, found.source), found.source
        if key in self.values:
            return _seconds(f"targets.{self.name}.{key}", self.values[key], self.path), self.path
        return default, "default"

    def count(self, key: str, default: int) -> tuple[int, str]:
        """Return a number of things and its source.

        Raises:
            ConfigError: the value is no whole number, below 1 or above 200.

        """
        found = self.environment.get(env_name(key))
        if found:
            return _count(env_name(key), found.value, found.source), found.source
        if key in self.values:
            return _count(f"targets.{self.name}.{key}", self.values[key], self.path), self.path
        return default, "default"

    def flag(self, key: str) -> bool:
        """Return a flag of the file; flags are not read from the environment."""
        return self.values.get(key) is True


def env_name(key: str) -> str:
    """Return the variable that overrides a key."""
    return f"GOLDENPATH_{key.upper()}"


def table_of(name: str, file: TargetsFile, environment: Environment) -> Table:
    """Check one target's table; an absent one is empty.

    Raises:
        ConfigError: an unknown key or a value of the wrong type.

    """
    values = file.tables.get(name, {})
    for key, value in values.items():
        _check(name, key, value, file.path)
    return Table(name, file.path, values, environment)


def _check(name: str, key: str, value: object, path: str) -> None:
    setting = f"targets.{name}.{key}"
    if key not in KEYS:
        raise unknown_key(setting, value, KEYS, path)
    if key in TEXT_KEYS and not (isinstance(value, str) and value.strip()):
        raise ConfigError(setting, value, "not a text", source=path, remedy='write it as "…"')
    if key in FLAG_KEYS and not isinstance(value, bool):
        raise ConfigError(setting, value, "not a flag", source=path, remedy="write true or false")
    if key in SECONDS_KEYS:
        _seconds(setting, value, path)
    if key in COUNT_KEYS:
        _count(setting, value, path)


def _seconds(setting: str, value: object, source: str) -> float:
    remedy = f"write seconds as a number above 0 and up to {_LONGEST_S:g}"
    number = _number(value)
    if number is None:
        raise ConfigError(setting, value, "not a number of seconds", source=source, remedy=remedy)
    if not math.isfinite(number) or not 0 < number <= _LONGEST_S:
        raise ConfigError(setting, value, "out of range", source=source, remedy=remedy)
    return number


def _count(setting: str, value: object, source: str) -> int:
    remedy = f"write a whole number from 1 to {_MOST}"
    number = _number(value)
    if number is None or number != int(number if math.isfinite(number) else 0):
        raise ConfigError(setting, value, "not a whole number", source=source, remedy=remedy)
    if not 1 <= number <= _MOST:
        raise ConfigError(setting, value, "out of range", source=source, remedy=remedy)
    return int(number)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None
    except OverflowError:
        return math.inf
