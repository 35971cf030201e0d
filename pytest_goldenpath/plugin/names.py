"""The names by which a run is set up: keys of the file, variables of the environment, codes."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.target.keys import KEYS, env_name
from pytest_goldenpath.target.sources import TargetsFile, check_variables, closest, unknown_key

FILE_KEYS = (
    "target",
    "category",
    "execution_mode",
    "fast_budget_s",
    "evidence_dir",
    "gate",
    "allowed_skips",
    "warmup",
    "history_dir",
)
_PREFIX = "GOLDENPATH_"
#: Every variable of ours, so that a misspelt one is told from somebody else's.
_VARIABLES = (
    *map(env_name, (*KEYS, *FILE_KEYS)),
    *(
        f"{_PREFIX}{name}"
        for name in [
            "EMAIL",
            "EMAIL_2",
            "ENV_FILE",
            "EXPIRED_TOKEN",
            "PASSWORD",
            "PASSWORD_2",
            "REFERENCE_HEARTBEAT_S",
            "TOKEN",
            "TOKEN_2",
        ]
    ),
)


def check_environment(names: Iterable[str]) -> None:
    """Refuse a variable that is nearly one of ours.

    Raises:
        ConfigError: there is one.

    """
    check_variables(names, _VARIABLES, _PREFIX)


def check_file(file: TargetsFile) -> None:
    """Refuse a key that means nothing.

    Raises:
        ConfigError: there is one.

    """
    for key, value in file.default.items():
        if key not in FILE_KEYS:
            raise unknown_key(key, value, FILE_KEYS, file.path)


def allowed_skips(file: TargetsFile) -> tuple[str, ...]:
    """Return the codes whose checks may be skipped under a gate.

    Raises:
        ConfigError: it is no list, or a code is unknown.

    """
    value = file.default.get("allowed_skips", [])
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        raise ConfigError(
            "allowed_skips",
            value,
            "no list of codes",
            source=file.path,
            remedy='write ["GP-201"]',
        )
    for code in value:
        if code not in RULES:
            raise ConfigError(
                "allowed_skips",
                code,
                "unknown code",
                source=file.path,
                remedy=closest(code, RULES),
            )
    return tuple(value)
