"""Which tests are golden path checks, of which category, and what they prove."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

CATEGORIES = ("smoke", "mission_critical", "remediation")
_SUITES = "suites"
_MARKERS = frozenset({"category", "requirement"})
#: Fixtures that touch a target: a test that uses one is a golden path check.
FIXTURES = frozenset({"golden_journey", "http", "journey", "prove", "target", "user"})


def any_check(items: Iterable[pytest.Item]) -> bool:
    """Tell whether a golden path check is among the tests.

    It looks at marks and fixture names that pytest has computed already, and at each parent
    once, so that a run without any check pays next to nothing.
    """
    parents: dict[pytest.Collector | None, bool] = {}
    for item in items:
        if not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            return True
        if item.own_markers and any(mark.name in _MARKERS for mark in item.own_markers):
            return True
        parent = item.parent
        if parent not in parents:
            parents[parent] = parent is not None and _is_suite(parent)
        if parents[parent]:
            return True
    return False


def is_check(item: pytest.Item) -> bool:
    """Tell whether a test is a golden path check."""
    return any_check([item])


def category_of(item: pytest.Item) -> str:
    """Return a check's category: its marker's, else its folder's under ``suites/``, else ''.

    Raises:
        pytest.UsageError: the marker is malformed or names an unknown category.

    """
    marker = item.get_closest_marker("category")
    if marker is None:
        parts = item.path.parts
        if _SUITES in parts[:-1]:
            folder = parts[len(parts) - 1 - parts[::-1].index(_SUITES) + 1]
            return folder if folder in CATEGORIES else ""
        return ""
    if marker.kwargs or len(marker.args) != 1 or marker.args[0] not in CATEGORIES:
        raise pytest.UsageError(
            f"{item.nodeid}: category{marker.args!r}: expected one of {', '.join(CATEGORIES)}"
        )
    return str(marker.args[0])


def requirements_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the codes that a check proves, in the order of its markers.

    Raises:
        pytest.UsageError: a code is no text or unknown.

    """
    from pytest_goldenpath.contract.registry import RULES

    codes: dict[str, None] = {}
    for marker in item.iter_markers("requirement"):
        for code in marker.args:
            if code not in RULES:
                raise pytest.UsageError(
                    f"{item.nodeid}: requirement({code!r}): unknown code; see the list of promises"
                )
            codes[code] = None
        if marker.kwargs or not marker.args:
            raise pytest.UsageError(f"{item.nodeid}: requirement() takes one or more codes")
    return tuple(codes)


def _is_suite(node: pytest.Collector) -> bool:
    if any(mark.name in _MARKERS for parent in node.listchain() for mark in parent.own_markers):
        return True
    parts = node.path.parts
    return any(
        parts[index] == _SUITES and parts[index + 1] in CATEGORIES
        for index in range(len(parts) - 1)
    )
