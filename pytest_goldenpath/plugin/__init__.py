"""The pytest face: thin hooks, and nothing heavy imported until a golden path check is there.

pytest imports this module in every run of every environment that has the package, so it may
import nothing but pytest, and a hook that runs for each test is registered only once a golden
path check was collected.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_goldenpath.plugin.options import (
    TAKEN,
    add_options,
    given,
    is_asked_for,
    lists_names,
    spare_values,
)

_MARKERS = (
    "category(name): the category of a golden path check: smoke, mission_critical, remediation",
    "requirement(code, ...): the promises that a golden path check proves, such as GP-101",
)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    """Add the options when they are asked for, after every conftest has added its own."""
    if not given(args):
        yield
        return
    spare_values(early_config.known_args_namespace.file_or_dir, args)
    yield
    early_config.stash[TAKEN] = add_options(parser, args)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer ``--fault list`` and ``--variant list``, and do nothing else then."""
    return lists_names(config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; read the settings at once when an option asks for a run."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    if config.option.showfixtures:
        from pytest_goldenpath.plugin import live

        config.pluginmanager.register(live, "goldenpath_live")
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
