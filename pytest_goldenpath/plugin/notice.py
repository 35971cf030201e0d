"""Whether one of the tests is a golden path check: by marker, by fixture or by folder."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pytest_goldenpath.plugin import FIXTURES

CATEGORIES = ("smoke", "mission_critical", "remediation")
SUITES = "suites"


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
    if mark.name not in {"category", "infra_retry", "requirement"}:
        return False
    if mark.name == "infra_retry":
        return True
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
