"""The options and their meaning; cheap to import, because pytest does so in every run.

They are added only when one of them, or the help, is among the arguments: an unrelated run does
not pay for them, and a project whose own plugin or conftest has an option of the same name never
meets ours.
"""

from __future__ import annotations

import argparse
import itertools
import sys

import pytest

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
            from pytest_goldenpath.reference import catalogue

            known = catalogue.FAULTS if name == "fault" else catalogue.VARIANTS
            width = max(map(len, known))
            for key, entry in known.items():
                codes = f" ({', '.join(getattr(entry, 'codes', ()))})" if name == "fault" else ""
                sys.stdout.write(f"{key:{width}}  {entry.description}{codes}\n")
            return 0
    return None
