"""Of which category a golden path check is, and what it proves."""

from __future__ import annotations

import difflib

import pytest

from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.plugin.notice import CATEGORIES, SUITES, any_check


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
    codes: dict[str, None] = {}
    for marker in item.iter_markers("requirement"):
        if marker.kwargs or not marker.args:
            raise pytest.UsageError(f"{item.nodeid}: requirement() takes one or more codes")
        for code in marker.args:
            if not isinstance(code, str) or code not in RULES:
                near = difflib.get_close_matches(str(code), RULES, n=1)
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
