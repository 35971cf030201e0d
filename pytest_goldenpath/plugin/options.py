"""The options and their meaning; cheap to import, because pytest does so in every run.

They are added only when one of them, or the help, is among the arguments: an unrelated run does
not pay for them, and a project whose own plugin or conftest has an option of the same name never
meets ours. What was given is also told again, as the command that repeats a run.
"""

from __future__ import annotations

import argparse
import itertools
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_goldenpath.plugin.settings import Settings

#: name, metavar or None for a flag, whether it may be repeated, help
_OPTIONS: tuple[tuple[str, str | None, bool, str], ...] = (
    (
        "target",
        "NAME|URL",
        False,
        (
            "What to validate: local (default: a reference backend is started on loopback), staging, "
            "a name from [tool.goldenpath.targets.<name>], or the backend's URL."
        ),
    ),
    ("staging", None, False, "The same as --target staging."),
    ("auth-url", "URL", False, "Address of the auth service (default: the backend's)."),
    ("ws-url", "URL", False, "Address of the WebSocket (default: the backend's, with /ws)."),
    ("env-file", "PATH", False, "A dotenv file whose values lie under the environment's."),
    (
        "category",
        "NAME[,NAME]",
        True,
        (
            "Run the golden path checks of these categories only: smoke, mission_critical, "
            "remediation, all."
        ),
    ),
    (
        "execution-mode",
        "MODE",
        False,
        (
            "full (default), or fast_feedback: smoke checks, within 2 minutes, stopping as soon as "
            "the verdict is certain."
        ),
    ),
    (
        "warmup",
        "MODE",
        False,
        (
            "auto (default): wait until the target is ready, and no longer; fixed: wait the whole "
            "budgets first; off: do not wait."
        ),
    ),
    ("evidence-dir", "DIR", False, "Where verdict and transcripts go (default: .goldenpath)."),
    (
        "gate",
        None,
        False,
        "For CI: neither a skipped check nor a run that asked the target nothing is green.",
    ),
    ("accept-bypass", None, False, "Exit with 0 when a valid emergency bypass is active."),
    ("expect-revision", "REV", False, "The target must say that it is this build."),
    (
        "fault",
        "NAME",
        True,
        "Embedded target only: break the reference backend in this way; 'list' names the ways.",
    ),
    (
        "variant",
        "NAME",
        True,
        "Embedded target only: speak this variant of the protocol; 'list' names them.",
    ),
)
#: What a command names again, so that a run can be repeated.
_TEXTS = ("auth-url", "ws-url", "env-file", "execution-mode", "warmup", "expect-revision")
_FLAGS = ("gate", "accept-bypass")
_NAMES = ("fault", "variant")
#: Short names that belong to another plugin.
TAKEN: pytest.StashKey[tuple[str, ...]] = pytest.StashKey()


def spare_values(paths: list[str], args: list[str]) -> None:
    """Take the values of our options out of what pytest believes to be paths of tests."""
    takes_value = {name for option in _OPTIONS if option[1] for name in _names(option[0])}
    for option, value in itertools.pairwise(args):
        if option in takes_value and value in paths:
            paths.remove(value)


def add_options(parser: pytest.Parser) -> tuple[str, ...]:
    """Add the options as ``--<name>`` and ``--goldenpath-<name>``.

    A short name that another plugin owns stays with it; ours is there under its long name.

    Returns:
        The short names that belong to another plugin.

    """
    group = parser.getgroup("goldenpath", "golden path validation")
    taken = []
    for name, metavar, repeatable, text in _OPTIONS:
        kwargs: dict[str, object] = {"dest": dest(name), "help": text}
        if metavar is None:
            kwargs |= {"action": "store_true", "default": False}
        elif repeatable:
            kwargs |= {"action": "append", "metavar": metavar, "default": []}
        else:
            kwargs |= {"metavar": metavar, "default": None}
        short, long = _names(name)
        try:
            group.addoption(short, long, **kwargs)
        except (ValueError, argparse.ArgumentError):
            group.addoption(long, **kwargs)
            taken.append(short)
    return tuple(taken)


def _names(name: str) -> tuple[str, str]:
    return f"--{name}", f"--goldenpath-{name}"


def dest(name: str) -> str:
    """Return the attribute under which an option's value is kept."""
    return f"goldenpath_{name.replace('-', '_')}"


def text(config: pytest.Config, name: str) -> str:
    """Return the value of an option that takes one, '' when it was not given.

    Raises:
        ConfigError: it was given a blank; a variable that is not set does that in a script.

    """
    value = config.getoption(dest(name), None)
    if value is None:
        return ""
    if not str(value).strip():
        from pytest_goldenpath.errors import ConfigError

        raise ConfigError(
            f"--{name}",
            value,
            "the value is blank",
            source=f"option --{name}",
            remedy="give a value, or leave the option out",
        )
    return str(value)


def flag(config: pytest.Config, name: str) -> bool:
    """Tell whether a flag was given."""
    return bool(config.getoption(dest(name), default=False))


def many(config: pytest.Config, name: str) -> tuple[str, ...]:
    """Return the values of a repeatable option, commas taken apart."""
    values = [str(value) for value in config.getoption(dest(name), [])]
    return tuple(part.strip() for value in values for part in value.split(","))


def lists_names(config: pytest.Config) -> int | None:
    """Print the names of faults or variants when asked to; None when not asked."""
    for name in ("fault", "variant"):
        if "list" in many(config, name):
            from pytest_goldenpath.reference import faults

            known = faults.FAULTS if name == "fault" else faults.VARIANTS
            width = max(map(len, known))
            for key, entry in known.items():
                codes = f" ({', '.join(getattr(entry, 'codes', ()))})" if name == "fault" else ""
                sys.stdout.write(f"{key:{width}}  {entry.description}{codes}\n")
            return 0
    return None


def command_of(config: pytest.Config, settings: Settings, seed: str) -> str:
    """Return the command that repeats a run; the seed asks the same again.

    What came from the environment or a file is there again, so only what was chosen for this run
    is named; credentials never are, for they come from the environment alone.

    Args:
        config: of the run.
        settings: of the run.
        seed: what its requests were drawn with, or ''.

    """
    from pytest_goldenpath.plugin.collection import CATEGORIES
    from pytest_goldenpath.target.keys import env_name

    words = [*_program(config), "--target", _target(config, settings)]
    if settings.categories:
        every = set(CATEGORIES) <= set(settings.categories)
        words += ["--category", "all" if every else ",".join(settings.categories)]
    for name in _TEXTS:
        value = text(config, name)
        words += [f"--{name}", value] if value else []
    words += [f"--{name}" for name in _FLAGS if flag(config, name)]
    for name in _NAMES:
        for value in many(config, name):
            words += [f"--{name}", value]
    for short, value in (("-k", config.option.keyword), ("-m", config.option.markexpr)):
        words += [short, value] if value else []
    told = f"{env_name('seed')}={shlex.quote(seed)} " if seed else ""
    return told + shlex.join(words)


def _target(config: pytest.Config, settings: Settings) -> str:
    """Return what names the target: its name, or the address that was given in its place."""
    from pytest_goldenpath.target.keys import env_name

    given = text(config, "target")
    if given:
        return given
    found = settings.resolved.environment.get(env_name("target"))
    staging = flag(config, "staging")
    return found.value if found and not staging else settings.resolved.target.name


def _program(config: pytest.Config) -> list[str]:
    """Return how pytest was called, without options; our own suites have a command of their own."""
    arguments = list(map(str, config.invocation_params.args))
    places = [place for place in config.args if place in arguments]
    if f"--rootdir={Path(places[0]).parent}" in arguments if len(places) == 1 else False:
        return ["goldenpath", "run"]
    return ["pytest", *places]
