"""Where settings come from: option, environment, env file, targets file, default."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_goldenpath.errors import ConfigError

DEFAULT_SOURCE = "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it came from."""

    value: str = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class Environment:
    """The process's environment over the values of an env file.

    Attributes:
        process: the environment of this process.
        file: the values of the env file.
        path: the env file, for messages.
    """

    process: Mapping[str, str] = field(repr=False)
    file: Mapping[str, str] = field(default_factory=dict, repr=False)
    path: str = ""

    def get(self, *names: str) -> Setting | None:
        """Return the first of the variables that is set and not blank."""
        for name in names:
            if self.process.get(name, "").strip():
                return Setting(self.process[name].strip(), f"environment {name}")
        for name in names:
            if self.file.get(name, "").strip():
                return Setting(self.file[name].strip(), f"{name} in {self.path}")
        return None


@dataclass(frozen=True, slots=True)
class TargetsFile:
    """The targets that a project describes.

    Attributes:
        path: the file, for messages; '' when there is none.
        tables: by target name, the raw table.
        default: raw settings that stand outside the targets, such as ``target``.
    """

    path: str = ""
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    default: Mapping[str, Any] = field(default_factory=dict)


def read_env_file(path: Path, *, source: str) -> dict[str, str]:
    """Read a dotenv file.

    Raises:
        ConfigError: the file is missing, cannot be read, is no text, or has a line of another
            kind; what stands there is not told, for it may be a secret.

    """
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8") as stream:
            lines = tuple(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ConfigError(
            "--env-file",
            str(path),
            f"the file cannot be read ({reason})",
            source=source,
            remedy="name a readable dotenv file",
        ) from None
    for line in lines:
        if line.error:
            raise ConfigError(
                "--env-file",
                str(path),
                f"line {line.original.line} cannot be read as NAME=value",
                source=source,
                remedy="close its quotation marks, or begin a comment with #",
            )
    return {line.key: line.value for line in lines if line.key and line.value is not None}


def read_targets(folders: Iterable[Path]) -> TargetsFile:
    """Read the first targets file found.

    Each folder is looked at for ``goldenpath.toml`` and then for ``pyproject.toml`` with a
    table ``[tool.goldenpath]``.

    Raises:
        ConfigError: a file cannot be read, is no TOML, or holds something unexpected.

    """
    for folder in folders:
        for name, keys in (("goldenpath.toml", ()), ("pyproject.toml", ("tool", "goldenpath"))):
            path = folder / name
            table = _table(path, keys)
            if table is not None:
                return _targets_file(path, table)
    return TargetsFile()


def closest(name: str, known: Iterable[str]) -> str:
    """Say which known name is meant, for the end of an error message."""
    names = sorted(known)
    match = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"did you mean {match[0]}? " if match else ""
    return f"{hint}known are {', '.join(names)}"


def unknown_key(setting: str, value: object, known: Iterable[str], path: str) -> ConfigError:
    """Say that a key of a file means nothing; only what is nearly one of ours shows its value.

    Args:
        setting: the key, with its table before it.
        value: what stands there, which may be a secret.
        known: the keys that may stand there.
        path: the file.

    """
    key, names = setting.rpartition(".")[2], sorted(known)
    is_near = bool(difflib.get_close_matches(key, names, n=1, cutoff=0.75))
    remedy = closest(key, names)
    if any(word in key.lower() for word in ("password", "token", "secret", "key")):
        is_near = False
        remedy = "no file of targets holds credentials; set GOLDENPATH_PASSWORD or GOLDENPATH_TOKEN"
    elif key == "tool":
        remedy = "write [targets.NAME]; [tool.goldenpath] is for pyproject.toml"
    shown = value if is_near else "***"
    return ConfigError(setting, shown, "unknown key", source=path, remedy=remedy)


def check_variables(names: Iterable[str], known: Iterable[str], prefix: str) -> None:
    """Refuse a variable that is nearly one of ours; a misspelt one would be lost in silence.

    Args:
        names: of the variables that are set.
        known: of ours.
        prefix: with which ours begin.

    Raises:
        ConfigError: a name is unknown, and close to a known one.

    """
    ours = set(known)
    for name in sorted(names):
        near = difflib.get_close_matches(name, sorted(ours), n=1, cutoff=0.85)
        if name.startswith(prefix) and name not in ours and near:
            raise ConfigError(
                name,
                "***",
                "unknown variable",
                source="environment",
                remedy=f"did you mean {near[0]}?",
            )


def _table(path: Path, keys: tuple[str, ...]) -> dict[str, Any] | None:
    if not os.path.lexists(path):
        return None
    try:
        table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _file_error(path, f"it cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise _file_error(path, f"it is no valid TOML ({error})") from None
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise _file_error(path, f"[{'.'.join(keys)}] is no table")
    return table


def _targets_file(path: Path, table: dict[str, Any]) -> TargetsFile:
    targets = table.get("targets", {})
    if not isinstance(targets, dict) or not all(isinstance(v, dict) for v in targets.values()):
        raise _file_error(path, "targets must be a table of tables, one for each target")
    default = {key: value for key, value in table.items() if key != "targets"}
    return TargetsFile(str(path), targets, default)


def _file_error(path: Path, problem: str) -> ConfigError:
    return ConfigError(
        "targets file", str(path), problem, source="the project", remedy="correct the file"
    )
