"""Whether a test is a golden path check, of which category it is, and what it proves."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pytest_goldenpath.plugin import FIXTURES

SMOKE = "smoke"
CATEGORIES = (SMOKE, "mission_critical", "remediation")
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


def is_check(item: pytest.Item) -> bool:
    """Tell whether a test is a golden path check."""
    return any_check([item])


def category_of(item: pytest.Item) -> str:
    """Return a check's category: its marker's, else its folder's under ``suites/``, else ''.

    A marker of the same name that somebody else uses for his own words gives '' as well.

    Raises:
        pytest.UsageError: the marker is malformed, or its word is nearly one of ours.

    """
    marker = item.get_closest_marker("category")
    if marker is None:
        return _folder_of(item)
    if len(marker.args) == 1 and not marker.kwargs and marker.args[0] in CATEGORIES:
        return str(marker.args[0])
    if is_check(item):
        words = ", ".join(map(repr, (*marker.args, *marker.kwargs.values())))
        raise pytest.UsageError(
            f"{item.nodeid}: category({words}): expected one of {', '.join(CATEGORIES)}"
        )
    return ""


def requirements_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the codes that a check proves, in the order of its markers.

    Raises:
        pytest.UsageError: a code is no text or unknown.

    """
    # An unrelated run asks only the first function, and loads nothing for the others.
    from difflib import get_close_matches

    from pytest_goldenpath.contract.registry import RULES

    codes: dict[str, None] = {}
    for marker in item.iter_markers("requirement"):
        if marker.kwargs or not marker.args:
            raise pytest.UsageError(f"{item.nodeid}: requirement() takes one or more codes")
        for code in marker.args:
            if not isinstance(code, str) or code not in RULES:
                near = get_close_matches(str(code), RULES, n=1)
                hint = f"did you mean {near[0]}? " if near else ""
                raise pytest.UsageError(
                    f"{item.nodeid}: requirement({code!r}): unknown code; "
                    f"{hint}known are {', '.join(RULES)}"
                )
            codes[code] = None
    return tuple(codes)


def _folder_of(item: pytest.Item) -> str:
    parts = item.path.parts[:-1]
    if SUITES not in parts:
        return ""
    below = parts[len(parts) - parts[::-1].index(SUITES) :]
    return below[0] if below and below[0] in CATEGORIES else ""
