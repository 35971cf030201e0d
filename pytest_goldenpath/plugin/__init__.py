"""The pytest face: thin hooks, and nothing heavy imported until a golden path check is there.

pytest imports this module in every run of every environment that has the package, so it may
import nothing but pytest, and a hook that runs for each test is registered only once a golden
path check was collected.
"""

from __future__ import annotations

import pytest

from pytest_goldenpath.plugin.fixtures import (
    golden_journey,
    http,
    journey,
    prove,
    target,
    user,
)
from pytest_goldenpath.plugin.options import add_options, is_asked_for, lists_names

__all__ = ["golden_journey", "http", "journey", "prove", "target", "user"]

_MARKERS = (
    "category(name): the category of a golden path check: smoke, mission_critical, remediation",
    "requirement(code, ...): the promises that a golden path check proves, such as GP-101",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each under its short and its long name."""
    add_options(parser)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer ``--fault list`` and ``--variant list``, and do nothing else then."""
    return lists_names(config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; read the settings at once when an option asks for a run."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    if is_asked_for(config):
        from pytest_goldenpath.plugin.start import configure

        configure(config)
    elif getattr(config.option, "numprocesses", None):
        from pytest_goldenpath.plugin.start import watch

        watch(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start a run as soon as one golden path check is among the tests."""
    from pytest_goldenpath.plugin.collection import any_check

    if is_asked_for(config) or any_check(items):
        from pytest_goldenpath.plugin.start import collected

        collected(config, items)
