"""How prose ends, and the numbers in it, in whatever script it is written.

Both are lenient: an answer may end in a link, a formula, a smiley or a signature, and write its
digits as its readers do. What is left is a text that breaks off.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from pytest_goldenpath.contract.rules.company import bare
from pytest_goldenpath.contract.rules.markup import open_fence

#: What a terminal would obey and not show.
_TERMINAL = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b\[[0-9;?]*[A-Za-z]?")
_TERMINATORS = tuple(".!?…:;)]}\"'`»«”“’*_|~>%‰°。！？）」』】》।॥؟\u06d4\u0589።။។€£¥")
_SENTENCE = re.compile(r"[.!?。！？।؟\u06d4](?:\s|$)")
#: Lists, headings, quotes, tables, fences, rules, signatures with a dash, sources and footnotes.
_FORMATTED_LINE = re.compile(
    r"\s*(?:[-\u2013\u2014*+•]|\d+[.)]|#{1,6}|>|\||```|={3,}|\[\^?\w{1,20}\]"
    r"|(?:sources?|references?|quellen?)\s?:)",
    re.IGNORECASE,
)
#: Links, addresses, amounts with their unit, and formulas.
_COMPLETE_WORD = re.compile(
    r"(?:(?:https?://|www\.)\S+|\S+@\S+\.\w+|\d\s?(?:[A-Z]{2,4}|\$))$|\$[^$\n]+\$$|\$\$$"
)
#: How letters end, and how many words such a line has.
_CLOSING = re.compile(
    r"\b(?:regards|sincerely|cheers|thanks|thank you|wishes|yours"
    r"|grüße|grüßen|cordialement|saludos|saluti|groet(?:en)?|atenciosamente)\b[,!]?$",
    re.IGNORECASE,
)
_FEW_WORDS, _CLOSING_LINES = 5, 3
_LONGEST_WORD = 500
_NUMBER = re.compile(r"\d+")
#: A point may be a decimal one, but three digits behind it are also thousands somewhere.
_GROUPED = re.compile(r"(?<!\d)\d{1,3}(?:[,.'’٬ \u00a0\u202f\u2009]\d{3})+(?!\d)")


def is_cut_off(answer: str, marker: str) -> bool:
    """Tell whether prose breaks off: it has sentences, but the last of them has no end.

    Args:
        answer: the text.
        marker: the word that was asked for, and so may stand at the end, or ''.

    """
    shown = _TERMINAL.sub("", answer)
    text = "".join(c for c in shown if c.isprintable() or c in "\n\u200d").rstrip()
    if open_fence(text):
        return True
    lines = text.splitlines() or [""]
    if _ends(text) or _FORMATTED_LINE.match(lines[-1]) or _is_signed(lines):
        return False
    return not (marker and _ends_in(text, marker)) and bool(_SENTENCE.search(text))


def _ends(text: str) -> bool:
    """Tell whether the last sign is one that sentences, links, formulas and smileys end with."""
    text = text.rstrip("\u200d\ufe0e\ufe0f\u20e3 ")
    is_sign = text.endswith(_TERMINATORS) or unicodedata.category(text[-1:] or " ") in {"So", "Sk"}
    return is_sign or bool(_COMPLETE_WORD.search(text[-_LONGEST_WORD:]))


def _ends_in(text: str, word: str) -> bool:
    """Tell whether a text ends in a word as it was asked for, and not in a part of another."""
    last = western(text.rsplit(maxsplit=1)[-1] if text else "")
    return bare(last) == bare(word) or last.endswith(word)


def _is_signed(lines: list[str]) -> bool:
    """Tell whether the last lines are the end of a letter, behind a text that is complete."""
    for count in range(1, _CLOSING_LINES + 1):
        before, closing = lines[:-count], [line.strip() for line in lines[-count:]]
        if any(len(line.split()) > _FEW_WORDS for line in closing):
            return False
        greets = _CLOSING.search(closing[0]) or (closing[0].endswith(",") and count > 1)
        names = all(line[:1].isupper() for line in closing if line)
        if greets and names and _ends("\n".join(before).rstrip()):
            return True
    return False


def western(text: str) -> str:
    """Write the digits of every script as 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c, c)) for c in text)


def numbers_in(text: str) -> frozenset[str]:
    """Return the whole numbers of a text, those with separated thousands also as one."""
    return frozenset(_numbers(western(text)))


def without_numbers(text: str) -> str:
    """Return the text without its numbers."""
    return _NUMBER.sub("", text)


def _numbers(text: str) -> Iterator[str]:
    yield from _NUMBER.findall(text)
    for grouped in _GROUPED.findall(text):
        yield "".join(filter(str.isdigit, grouped))
