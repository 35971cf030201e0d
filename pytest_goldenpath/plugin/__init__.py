"""The pytest face: thin hooks, and nothing else imported until a golden path check is there.

pytest imports this module in every run of every environment that has the package. So it imports
nothing of ours by itself, options are added only when one of them is among the arguments, and
fixtures and hooks that run for each test are registered once a check was collected. Even this
module is kept small: pytest reads its code through its own importer, object by object, for which
a comprehension is a function of its own.
"""

from __future__ import annotations

import collections.abc

import pytest

#: Every option as a word of one text, each also as ``--goldenpath-<name>``.
_OPTIONS = (
    " target staging auth-url ws-url env-file category execution-mode evidence-dir gate "
    "accept-bypass expect-revision fault variant warmup "
)
#: The names of our fixtures, as one text too: each object costs.
_FIXTURES = (
    "db_warmup golden_journey http journey prove second_user target user vpc_warmup warm_target"
)
FIXTURES = frozenset(_FIXTURES.split())


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> collections.abc.Generator[None, None, None]:
    """Add the options when they are asked for, after every conftest has added its own."""
    if not any(map(_is_option, args)):
        yield
    else:
        from pytest_goldenpath.plugin import options

        options.spare_values(early_config.known_args_namespace.file_or_dir, args)
        yield
        early_config.stash[options.TAKEN] = options.add_options(parser)
    if " pytest_goldenpath_" in " ".join(("", *vars(early_config.hook))):
        from pytest_goldenpath.plugin.judging import know_hooks

        know_hooks(early_config)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer ``--fault list`` and ``--variant list``, and do nothing else then."""
    if not is_asked_for(config):
        return None
    from pytest_goldenpath.plugin.options import lists_names

    return lists_names(config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; read the settings at once when an option asks for a run."""
    config.addinivalue_line(
        "markers",
        "category(name): the category of a golden path check: smoke, mission_critical, remediation",
    )
    config.addinivalue_line(
        "markers",
        "requirement(code, ...): the promises that a golden path check proves, such as GP-101",
    )
    config.addinivalue_line(
        "markers",
        "infra_retry(*, attempts=3, delay=30.0): make a test again when its road broke and is back",
    )
    if hasattr(config, "workerinput") and getattr(config.option, "clean_alluredir", False):
        # The controller has cleaned; a worker that replaces a dead one would wipe the others' work.
        config.option.clean_alluredir = False
    distributed = getattr(config.option, "numprocesses", None)
    if config.option.showfixtures or distributed or is_asked_for(config):
        from pytest_goldenpath.plugin.start import configure

        configure(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start a run as soon as one golden path check is among the tests."""
    if not is_asked_for(config):
        if not _may_be_ours(items):
            return
        from pytest_goldenpath.plugin.collection import any_check

        if not any_check(items):
            return
    from pytest_goldenpath.plugin.start import collected

    collected(config, items)


def is_asked_for(config: pytest.Config) -> bool:
    """Tell whether an option of ours was given."""
    for key, value in vars(config.option).items():
        if (
            key.startswith("goldenpath_")
            and value is not None
            and value is not False
            and value != []
        ):
            return True
    return False


def _is_option(argument: str) -> bool:
    name = argument.partition("=")[0]
    if name in {"-h", "--help"}:
        return True
    plain = name.removeprefix("--goldenpath-").removeprefix("--")
    return plain != name and f" {plain} " in _OPTIONS


def _may_be_ours(items: list[pytest.Item]) -> bool:
    """Tell in little time whether it is worth a closer look: a name, a marker or a folder."""
    parents = set()
    for item in items:
        if item.own_markers or not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            return True
        parents.add(item.parent)
    for parent in parents:
        if parent is None:
            continue
        if "suites" in parent.path.parts:
            return True
        for node in parent.listchain():
            if node.own_markers:
                return True
    return False
