"""What a rule says when a promise is broken."""

from __future__ import annotations

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
    """Escape control characters and other bytes of a stranger that a terminal would obey."""
    return "".join(
        character if character.isprintable() or character == "\n" else f"\\x{ord(character):02x}"
        for character in text
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
