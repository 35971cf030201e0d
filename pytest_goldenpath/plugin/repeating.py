"""How to make the same run again, as a command for a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from pytest_goldenpath.plugin import options
from pytest_goldenpath.plugin.collection import CATEGORIES
from pytest_goldenpath.plugin.settings import Settings
from pytest_goldenpath.target.keys import env_name

_TEXTS = (
    "auth-url",
    "ws-url",
    "env-file",
    "execution-mode",
    "warmup",
    "expect-revision",
)
_FLAGS = ("gate", "accept-bypass")
_NAMES = ("fault", "variant")


def command_of(config: pytest.Config, settings: Settings, seed: str) -> str:
    """Return the command that repeats a run; the seed asks the same again.

    What came from the environment or a file is there again, so only what was chosen for this run
    is named; credentials never are, for they come from the environment alone.

    Args:
        config: of the run.
        settings: of the run.
        seed: what its requests were drawn with, or ''.

    """
    words = [*_program(config), "--target", _target(config, settings)]
    if settings.categories:
        every = set(CATEGORIES) <= set(settings.categories)
        words += ["--category", "all" if every else ",".join(settings.categories)]
    for name in _TEXTS:
        value = options.text(config, name)
        words += [f"--{name}", value] if value else []
    words += [f"--{name}" for name in _FLAGS if options.flag(config, name)]
    for name in _NAMES:
        for value in options.many(config, name):
            words += [f"--{name}", value]
    for short, value in (("-k", config.option.keyword), ("-m", config.option.markexpr)):
        words += [short, value] if value else []
    told = f"{env_name('seed')}={shlex.quote(seed)} " if seed else ""
    return told + shlex.join(words)


def _target(config: pytest.Config, settings: Settings) -> str:
    """Return what names the target: its name, or the address that was given in its place."""
    given = options.text(config, "target")
    if given:
        return given
    found = settings.resolved.environment.get(env_name("target"))
    staging = options.flag(config, "staging")
    return found.value if found and not staging else settings.resolved.target.name


def _program(config: pytest.Config) -> list[str]:
    """Return how pytest was called, without options; our own suites have a command of their own."""
    arguments = list(map(str, config.invocation_params.args))
    places = [place for place in config.args if place in arguments]
    if f"--rootdir={Path(places[0]).parent}" in arguments if len(places) == 1 else False:
        return ["goldenpath", "run"]
    return ["pytest", *places]
