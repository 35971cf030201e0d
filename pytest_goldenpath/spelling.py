"""Secrets that a text spells in another way: escaped character by character, or with gaps between.

A text is read as often as it has escapes in escapes, and each reading is searched without its white
space. Where something is found, the way back tells which part of the text it was made of.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Final

#: A shorter value is recognised only when nothing stands between its characters.
TELLING: Final = 8
#: So long a value is one also with blanks between its parts; ordinary words may make a shorter one.
_LONG = 2 * TELLING
#: A shorter one is spelled out when its parts are as short as this on the average.
_PART = 3
#: How much of a long form is looked up, how far apart, and where in the form another stretch of
#: such places begins: so much of it is recognised wherever it stands.
_WINDOW, _STEP, _STRETCH = 16, 8, 32
_SURE = _WINDOW + _STEP - 1
#: Escapes within escapes that are read.
_DEPTH = 4
_FOLD = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_BLANK = re.compile("[\\s\u00ad\u200b-\u200f\u2060\ufeff]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_IN_LINE = re.compile(r"\S(?:[^\n]*\S)?")
#: Of folded text. A character's number may stand behind any number of backslashes; or they count, as
#: in JSON.
_PERCENT = r"%u?(?P<percent>(?<=u)[0-9a-f]{4}|(?<=%)[0-9a-f]{2})"
_NUMBER = r"""(?<!\\)\\++(?:u(?P<wide>[0-9a-f]{4})|[ux]\{0*(?P<braced>[0-9a-f]{1,6})\}
    |x(?P<narrow>[0-9a-f]{2})|(?P<octal>[0-3][0-7]{2}))"""
_LETTER = r"""\\(?:(?P<letter>[nrtbf"'/\\])|u(?P<exact>[0-9a-f]{4}))"""
_ENTITY = r"""&(?:\#x0*(?P<entity>[0-9a-f]{1,6});?|\#0*(?P<decimal>[0-9]{1,7});?
    |(?P<named>amp|lt|gt|quot|apos);)"""
#: Of mail, with its soft ends of lines, and the bytes of a text as JSON lists them.
_QUOTED = r"=(?:(?P<quoted>[0-9a-f]{2})|(?P<soft>\r?\n))"
_LISTED = r"\b(?P<listed>[0-9]{1,3})\b(?:\s{0,99},\s{0,99})?"
#: What shows that a kind is worth reading: escapes that follow each other, or those of white space.
#: Another one inside a value is among the forms in which a value travels.
_PERCENTS = r"%[0-9a-fu](?:.{0,10}?%[0-9a-fu]){2}|%(?:0[9ad]|20)"
_NUMBERS = r"\\[ux0-3][0-9a-f{](?:.{0,10}?\\[ux0-3][0-9a-f{]){2}"
_BLANKS = r"\\(?:u00|x)(?:0[9ad]|20)|\\u(?:00ad|200|2060|feff)"
_ENTITIES = r"&(?:amp;)*#(?:.{0,12}?&(?:amp;)*#){2}"
_SPACES = r"&(?:amp;)*#(?:x0*(?:[9ad]|20|ad|200b)|0*(?:9|10|13|32|173|8203));"
_QUOTES = r"=(?:3d|\r?\n|[0-9a-f]{2}(?:.{0,10}?=[0-9a-f]{2}){2})"
_LISTS = r",\s*+[0-9]{1,3}\s*+,\s*+[0-9]{1,3}\s*+,\s*+[0-9]{1,3}\b"
_KINDS = tuple(
    (mark, re.compile(kind, re.VERBOSE), re.compile(sign, re.DOTALL))
    for mark, kind, sign in (
        ("%", _PERCENT, _PERCENTS),
        ("\\", _NUMBER, f"{_NUMBERS}|{_BLANKS}"),
        ("\\", _LETTER, rf"\\[nrt]|{_BLANKS}"),
        ("&", _ENTITY, f"{_ENTITIES}|{_SPACES}"),
        ("=", _QUOTED, _QUOTES),
        (",", _LISTED, _LISTS),
    )
)
_SIGNS = tuple(sign for _, _, sign in _KINDS)
_ALL = re.compile(f"{_PERCENT}|{_NUMBER}|{_LETTER}|{_ENTITY}", re.VERBOSE)
_BASES = {"octal": 8, "decimal": 10, "listed": 10}
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_NAMES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_HIGHEST = 0x10FFFF

Span = tuple[int, int]


def fold(text: str) -> str:
    """Return a text of the same length without capitals; encodings differ in nothing else."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


class Spellings:
    """The values that are searched for in every reading of a text."""

    def __init__(self) -> None:
        """Start with no value known."""
        self._values: set[str] = set()
        self._short: set[str] = set()
        #: With the gaps that each has of its own.
        self._telling: dict[str, int] = {}
        self._windows: dict[str, tuple[tuple[str, int], ...]] = {}

    def learn(self, value: str, forms: Iterable[str], *, telling: bool) -> None:
        """Remember a value, and further forms of one that no honest text holds."""
        for shape in _shapes(value):
            self._values.add(fold(shape))
            self._keep(shape, telling=telling, stretch=_STRETCH)
        if telling and len(value) >= TELLING:
            for form in (value[::-1], *forms):
                self._keep(form, telling=True, stretch=len(form))

    def find(self, folded: str, *, telling: bool) -> Iterator[Span]:
        """Give the parts of a folded text that spell a value, line by line.

        Args:
            folded: the text, see :func:`fold`.
            telling: only what no honest text holds.

        """
        for text, steps in _readings(folded):
            dense = _Step(text, _BLANK, _nothing)
            for form, span in self._found(_without_blanks(text), telling=telling):
                start, end = dense.back(span)
                if self._is_spelled(form, text[start:end]):
                    for step in reversed(steps):
                        start, end = step.back((start, end))
                    for part in _IN_LINE.finditer(folded, start, end):
                        yield part.span()

    def _keep(self, form: str, *, telling: bool, stretch: int) -> None:
        dense = _without_blanks(fold(form))
        if dense != fold(form) and len(dense) < TELLING:
            return
        if len(dense) < _SURE:
            self._short.add(dense)
            if telling and len(dense) >= TELLING:
                self._telling[dense] = len(_BLANK.findall(form))
            return
        for at in range(len(dense) - _WINDOW + 1):
            if at % stretch < _STEP:
                window = dense[at : at + _WINDOW]
                self._windows[window] = (*self._windows.get(window, ()), (dense, at))

    def _found(self, dense: str, *, telling: bool) -> Iterator[tuple[str, Span]]:
        # The sets are copied, because another thread may learn meanwhile.
        for form in tuple(self._telling if telling else self._short):
            if form in dense:
                for found in re.finditer(re.escape(form), dense):
                    yield form, found.span()
        windows, over = self._windows, 0
        places = range(0, len(dense) - _WINDOW + 1, _STEP)
        for at in [at for at in places if dense[at : at + _WINDOW] in windows]:
            if at >= over:
                form, span = _longest(dense, at, windows[dense[at : at + _WINDOW]])
                over = span[1]
                if over - span[0] >= _SURE:
                    yield form, span

    def _is_spelled(self, form: str, seen: str) -> bool:
        """Tell whether what was found is the value, and not words that make it by chance."""
        gaps = _BLANK.findall(seen)
        if not gaps or seen in self._values:
            return True
        if len(form) < _SURE and form not in self._telling:
            return False
        within = [gap for gap in gaps if gap.isspace() and "\n" not in gap and "\r" not in gap]
        is_one_by_lines = len(within) <= self._telling.get(form, 0)
        return is_one_by_lines or len(form) >= _LONG or _PART * len(gaps) >= len(form)


class _Step:
    """One rewriting of a text, and the way back from what it became."""

    def __init__(
        self, text: str, pattern: re.Pattern[str], rewritten: Callable[[re.Match[str]], str]
    ) -> None:
        self._text = text
        self._pattern = pattern
        self._rewritten = rewritten

    @cached_property
    def _stretches(self) -> tuple[list[int], list[int]]:
        """Where each stretch begins in what the text became, and in the text."""
        edges, origins = [0], [0]
        length = at = 0
        for found in self._pattern.finditer(self._text):
            length += found.start() - at
            edges.append(length)
            origins.append(found.start())
            length, at = length + len(self._rewritten(found)), found.end()
            edges.append(length)
            origins.append(at)
        return [*edges, length + len(self._text) - at], [*origins, len(self._text)]

    def back(self, span: Span) -> Span:
        """Return what a part was made of."""
        edges, origins = self._stretches
        first, last = (bisect_right(edges, at) - 1 for at in (span[0], span[1] - 1))
        whole = edges[last + 1] == span[1]
        end = origins[last + 1] if whole else origins[last] + span[1] - edges[last]
        return origins[first] + span[0] - edges[first], end


#: What a text says, and the steps from the text to there.
Reading = tuple[str, tuple[_Step, ...]]


def _shapes(value: str) -> set[str]:
    """Return how a value looks once its escapes are read: by character, by byte, by UTF-16."""
    if value.isascii():
        return {value}
    wide = value.encode("utf-16-be", "surrogatepass")
    pairs = (int.from_bytes(wide[at : at + 2], "big") for at in range(0, len(wide), 2))
    bytewise = value.encode("utf-8", "replace").decode("latin-1")
    return {value, bytewise, "".join(map(chr, pairs))}


def _without_blanks(text: str) -> str:
    dense = "".join(text.split())
    return dense if dense.isascii() else _INVISIBLE.sub("", dense)


def _nothing(_: re.Match[str]) -> str:
    return ""


def _readings(text: str) -> Iterator[Reading]:
    """Give a text, then what it says once its escapes are read, and theirs, with the way there.

    Each kind is read for itself as well: what stands before a value may make an escape of another
    kind with the begin of it.
    """
    yield text, ()
    is_mixed = False
    for mark, kind, sign in _KINDS:
        if mark not in text:
            continue
        last = ""
        for reading in _read(text, kind, (sign,)):
            yield reading
            last = reading[0]
        is_mixed = is_mixed or any(other.search(last) for other in _SIGNS)
    if is_mixed:
        yield from _read(text, _ALL, _SIGNS)


def _read(
    text: str, pattern: re.Pattern[str], signs: Iterable[re.Pattern[str]]
) -> Iterator[Reading]:
    steps: tuple[_Step, ...] = ()
    while len(steps) < _DEPTH and any(sign.search(text) for sign in signs):
        steps = (*steps, _Step(text, pattern, _character))
        text = pattern.sub(_character, text)
        yield text, steps


def _character(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for, folded."""
    kind = escape.lastgroup or ""
    told = escape[kind]
    if kind == "letter":
        return _LETTERS.get(told, told)
    if kind == "named":
        return _NAMES[told]
    if kind == "soft":
        return ""
    code = int(told, _BASES.get(kind, 16))
    return chr(_FOLD.get(code, code)) if code <= _HIGHEST else escape[0]


def _longest(dense: str, at: int, places: Iterable[tuple[str, int]]) -> tuple[str, Span]:
    """Return the form that a text agrees with best around a place, and how far it does."""
    best, longest = "", (at, at)
    for form, offset in places:
        start = max(0, at - offset)
        if dense.startswith(form, start) and start == at - offset:
            span = start, start + len(form)
        else:
            span = agreement(dense, at, form, offset, _WINDOW)
        if span[1] - span[0] > longest[1] - longest[0]:
            best, longest = form, span
    return best, longest


def agreement(text: str, at: int, form: str, offset: int, length: int) -> Span:
    """Return how far a text agrees with a form, a piece of which was found in it."""
    start, end = at, at + length
    while start > 0 and start > at - offset and text[start - 1] == form[offset - 1 - at + start]:
        start -= 1
    after = offset - at
    while end < len(text) and end + after < len(form) and text[end] == form[end + after]:
        end += 1
    return start, end
