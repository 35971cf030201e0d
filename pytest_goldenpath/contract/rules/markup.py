"""What a client would act on in a text: tags, handlers, script addresses, control characters.

Code is shown as text, so only what stands outside of fences and code spans counts. In doubt
something is no code: behind the begin of a tag or a block of HTML no Markdown is read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from enum import Enum

#: Tags that a browser would act on, and handlers.
_TAG = (
    r"<\s{0,9}/?\s{0,9}(?:script|iframe|object|embed|form|input|link|meta|style|svg|img|base)\b[^>]*>?"
    r"|<[a-z][^>]{0,300}\son[a-z]{1,30}\s{0,9}="
)
#: An address where one is expected, or a word that goes on with code; prose has a blank there.
_SCRIPT = (
    r"(?:(?:href|src|action|data)\s{0,9}=\s{0,9}[\"']?|\]\(|\]:|<)[\s<\"']{0,9}"
    r"javascript\s{0,9}:\s{0,9}\S"
    r"|(?<![\w.-])javascript:(?=\S{0,200}?[(=%/\[;`'\"]|void\b)\S"
)
_ACTIVE = re.compile(f"{_TAG}|{_SCRIPT}", re.IGNORECASE)
#: Bytes that a terminal would obey; no client hides them.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x9b]")
_FENCE = re.compile(
    r"(?P<lead>[ \t]*)(?P<holder>(?:[->*+]|\d{1,9}[.)]|[ \t])*)(?P<mark>`{3,}|~{3,})(?P<rest>.*)"
)
#: What begins and ends spans and tags.
_TOKEN = re.compile("`+|<[A-Za-z/!?]|>")
#: A line that begins a block of HTML, and one whose block may hold blank lines as well.
_BLOCK = re.compile(r"\s{0,3}<(?:[a-z][a-z0-9-]*(?=[\s/>]|$)|[/!?])", re.IGNORECASE)
_LONG_BLOCK = re.compile(r"\s{0,3}<(?:(?:pre|textarea)\b|[!?])", re.IGNORECASE)


def active_sign(text: str) -> str:
    """Return the first thing in a text that a client would act on, or ''."""
    found = _CONTROL.search(text)
    # Most texts hold nothing of the kind, and then nobody has to know what of it is code.
    if not found and _ACTIVE.search(text):
        found = _ACTIVE.search(without_code(text))
    return found.group() if found else ""


def open_fence(text: str) -> bool:
    """Tell whether a text ends within a block of code."""
    mark = ""
    for line in text.splitlines():
        mark = _fence_after(line, mark)
    return bool(mark)


def without_code(text: str) -> str:
    """Put a blank in the place of each closed block of code, and of each code span."""
    kept: list[str] = []
    html, in_tag = _Html.NONE, False
    for line in _without_blocks(text.splitlines()):
        html = _html_after(line, html)
        shown, in_tag = (
            (line, False) if html is not _Html.NONE else _without_spans(line, in_tag=in_tag)
        )
        kept.append(shown)
    return "\n".join(kept)


def _without_blocks(lines: list[str]) -> Iterator[str]:
    """Give the lines that stand in no closed block of code, and an empty one for each block."""
    block: list[str] = []
    mark, indent, html = "", 0, _Html.NONE
    for line in lines:
        found = _FENCE.match(line)
        after = _fence_after(line, mark)
        if mark and not after:
            block, mark = [], ""
            yield ""
        elif mark and line.strip() and len(line) - len(line.lstrip()) < indent:
            # What stands further left ends the list that holds the block.
            yield from (*block, line)
            block, mark = [], ""
        elif mark:
            block.append(line)
        else:
            html = _html_after(line, html)
            if after and found and not found["holder"] and html is _Html.NONE:
                block, mark, indent = [line], after, len(found["lead"])
            else:
                yield line
    yield from block


class _Html(Enum):
    """In which kind of block of HTML a line stands: one ends at a blank line, the other later."""

    NONE = 0
    BLOCK = 1
    LONG = 2


def _html_after(line: str, before: _Html) -> _Html:
    if before is _Html.LONG or _LONG_BLOCK.match(line):
        return _Html.LONG
    goes_on = before is _Html.BLOCK and bool(line.strip())
    return _Html.BLOCK if goes_on or _BLOCK.match(line) else _Html.NONE


def _fence_after(line: str, mark: str) -> str:
    """Return the mark of the block of code that is open after a line, or ''."""
    found = _FENCE.match(line)
    if not found:
        return mark
    if not mark:
        # Behind ticks that are closed on the same line stands a span.
        return "" if "`" in found["rest"] and found["mark"][0] == "`" else found["mark"]
    closes = found["mark"].startswith(mark) and not found["rest"].strip()
    return "" if closes else mark


def _without_spans(line: str, *, in_tag: bool) -> tuple[str, bool]:
    """Put a blank in the place of each code span of a line; tells whether a tag goes on.

    As many ticks end a span as began it. A tick behind a backslash is a sign, one inside a tag
    belongs to it, and a cell of a table ends every span.
    """
    in_tag = in_tag and bool(line.strip())
    tokens = [(found.start(), found.end()) for found in _TOKEN.finditer(line)]
    ticks: dict[int, list[int]] = {}
    for start, end in tokens:
        if line[start] == "`":
            ticks.setdefault(end - start, []).append(start)
    kept, at = [], 0
    for start, end in tokens:
        if start < at:
            continue
        if line[start] != "`":
            in_tag = line[start] == "<"
        elif not in_tag and line[start - 1 : start] != "\\":
            same = ticks[end - start]
            place = bisect_right(same, start)
            if place < len(same) and "|" not in line[end : same[place]]:
                kept += [line[at:start], " "]
                at = same[place] + end - start
    return "".join((*kept, line[at:])), in_tag
