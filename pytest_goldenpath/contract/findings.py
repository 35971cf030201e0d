"""What a rule says when a promise is broken."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

_EVIDENCE_LIMIT = 600


class Severity(StrEnum):
    """How much a finding weighs: a ``must`` fails the run, a ``should`` is reported."""

    MUST = "must"
    SHOULD = "should"


class Attribution(StrEnum):
    """Whose trouble it is; product and auth fail a run, the others leave it undecided."""

    PRODUCT = "product"
    AUTH = "auth"
    INFRASTRUCTURE = "infrastructure"
    CAPACITY = "capacity"
    UPSTREAM = "upstream"
    HARNESS = "harness"

    @property
    def accuses(self) -> bool:
        """Tell whether the product is to blame; auth is a part of the product."""
        return self in {Attribution.PRODUCT, Attribution.AUTH}


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise.

    Attributes:
        code: stable code of the rule, ``GP-nnn``.
        severity: must or should.
        message: a sentence: what was expected and what came.
        evidence: the place in the record and an excerpt of it; free of secrets.
        absence: true when the finding says that something did not come, which a lost
            connection would explain as well.
        attribution: whose trouble it is, when the record itself tells.
        row: the row of the attribution table that says so, or ''.
    """

    code: str
    severity: Severity
    message: str
    evidence: str = ""
    absence: bool = False
    attribution: Attribution = Attribution.PRODUCT
    row: str = ""

    def text(self) -> str:
        """Give the finding as a person reads it, in one or two lines."""
        proof = f"\n    seen: {self.evidence}" if self.evidence else ""
        return f"{self.code} {self.message}{proof}"


def printable(text: str) -> str:
    """Escape what a terminal would obey or hide, of a stranger's bytes or of its letters.

    Escaped are control characters, bidirectional overrides, lone surrogates, letters without any
    width, and marks piled upon a letter so high that they cover the lines above.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        visible = character.isprintable() and not _INVISIBLE.match(character)
        is_fine = (visible and marks <= _MOST_MARKS) or character == "\n"
        shown.append(character if is_fine else _escaped(character))
    return "".join(shown)


def _escaped(character: str) -> str:
    number = ord(character)
    if number <= _LAST_BYTE:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= _LAST_OF_PLANE else f"\\U{number:08x}"


_LAST_BYTE, _LAST_OF_PLANE = 0xFF, 0xFFFF
#: More than any living script needs on one letter.
_MOST_MARKS = 4
#: Letters, marks and symbols that count as printable and show nothing: fillers, joiners and
#: selectors of variants.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


def excerpt(text: str, limit: int = _EVIDENCE_LIMIT) -> str:
    """Cut a long text in its middle, so that both of its ends can be read.

    Args:
        text: any text.
        limit: the most characters to return.

    """
    if len(text) <= limit:
        return text
    half = (limit - 20) // 2
    return f"{text[:half]} …{len(text) - 2 * half} more… {text[-half:]}"
