"""The pytest face: thin hooks, and nothing else imported until a golden path check is there.

pytest imports this module in every run of every environment that has the package. So it imports
nothing of ours by itself, options are added only when one of them is among the arguments, and
fixtures and hooks that run for each test are registered once a check was collected.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

import pytest

CATEGORIES = ("smoke", "mission_critical", "remediation")
#: Fixtures that touch a target: a test that asks for one is a golden path check.
FIXTURES = frozenset(
    {
        "db_warmup",
        "golden_journey",
        "http",
        "journey",
        "prove",
        "second_user",
        "target",
        "user",
        "vpc_warmup",
        "warm_target",
    }
)
SUITES = "suites"
_PREFIX = "goldenpath_"
_OPTION_NAMES = frozenset(
    name
    for option in [
        "target",
        "staging",
        "auth-url",
        "ws-url",
        "env-file",
        "category",
        "execution-mode",
        "evidence-dir",
        "gate",
        "accept-bypass",
        "expect-revision",
        "fault",
        "variant",
        "warmup",
    ]
    for name in (f"--{option}", f"--goldenpath-{option}")
)
_HELP = frozenset({"-h", "--help"})
_MARKERS = (
    "category(name): the category of a golden path check: smoke, mission_critical, remediation",
    "requirement(code, ...): the promises that a golden path check proves, such as GP-101",
)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    """Add the options when they are asked for, after every conftest has added its own."""
    if not any(arg.partition("=")[0] in _OPTION_NAMES or arg in _HELP for arg in args):
        yield
        return
    from pytest_goldenpath.plugin import options

    options.spare_values(early_config.known_args_namespace.file_or_dir, args)
    yield
    early_config.stash[options.TAKEN] = options.add_options(parser)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer ``--fault list`` and ``--variant list``, and do nothing else then."""
    if not is_asked_for(config):
        return None
    from pytest_goldenpath.plugin.options import lists_names

    return lists_names(config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; read the settings at once when an option asks for a run."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    distributed = getattr(config.option, "numprocesses", None)
    if config.option.showfixtures or distributed or is_asked_for(config):
        from pytest_goldenpath.plugin.start import configure

        configure(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start a run as soon as one golden path check is among the tests."""
    if is_asked_for(config) or any_check(items):
        from pytest_goldenpath.plugin.start import collected

        collected(config, items)


def is_asked_for(config: pytest.Config) -> bool:
    """Tell whether an option of ours was given."""
    values = vars(config.option).items()
    return any(
        key.startswith(_PREFIX) and value is not None and value is not False and value != []
        for key, value in values
    )


def any_check(items: Iterable[pytest.Item]) -> bool:
    """Tell whether a golden path check is among the tests.

    It looks at marks and fixture names that pytest has computed already, and at each parent
    once, so that a run without any check pays next to nothing.
    """
    parents: dict[pytest.Collector | None, bool] = {}
    for item in items:
        if not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())) and _asks_us(item):
            return True
        if item.own_markers and any(map(_is_our_mark, item.own_markers)):
            return True
        parent = item.parent
        if parent not in parents:
            parents[parent] = parent is not None and _is_suite(parent)
        if parents[parent]:
            return True
    return False


def _asks_us(item: pytest.Item) -> bool:
    """Tell whether one of the names means our fixture, not a project's own or a parameter.

    Ours are registered after collection, so a name that was resolved then is somebody else's.
    """
    info = getattr(item, "_fixtureinfo", None)
    resolved = info.name2fixturedefs if info else {}
    names = FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return any(
        all(d.func.__module__ == "pytest_goldenpath.plugin.live" for d in resolved.get(name, ()))
        for name in names
    )


def _is_our_mark(mark: pytest.Mark) -> bool:
    """Tell whether a marker is meant for us; others may use its name for words of their own.

    One word that is nothing like a category is somebody else's, as are codes that are none of
    ours; whatever is malformed is ours, so that it is refused and not overlooked.
    """
    if mark.name not in {"category", "requirement"}:
        return False
    words = [argument for argument in mark.args if isinstance(argument, str)]
    if mark.kwargs or not words or len(words) != len(mark.args):
        return True
    if mark.name == "requirement":
        return any(word.startswith("GP-") for word in words)
    return len(words) != 1 or _is_like_a_category(words[0])


def _is_like_a_category(word: str) -> bool:
    if word in CATEGORIES:
        return True
    from difflib import get_close_matches

    return bool(get_close_matches(word, CATEGORIES))


def _is_suite(node: pytest.Collector) -> bool:
    if any(_is_our_mark(mark) for parent in node.listchain() for mark in parent.own_markers):
        return True
    parts = node.path.parts
    return any(
        parts[index] == SUITES and parts[index + 1] in CATEGORIES for index in range(len(parts) - 1)
    )
