"""A type for secrets that never shows its value, and the register that cuts them out."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Final
from urllib.parse import quote

MASK: Final = "***"
#: Shorter values would blot out ordinary words; such a password is refused as a setting.
SHORTEST = 4
_JWT_DOTS = 2
#: The head of a JWT is the same for all, and shorter parts would blot out ordinary words.
_SEGMENT = 24
_PIECE = 16
_TOKEN = re.compile(r"[\w.~+/=-]+")
#: It begins at the begin of a word and gives nothing back, so that no text makes it slow.
_JWT = re.compile(r"(?<![\w-])(?=([\w-]*?)eyJ[\w-]{6})[\w-]++\.[\w-]{6,}+\.[\w-]*+")


class Secret:
    """A password, token or key; it prints ``***`` wherever it is printed."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Take the value that must not be shown."""
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one place that puts it on the wire."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)


class Redactor:
    """The secrets that are alive in this process, and the way to cut them out of a text."""

    def __init__(self) -> None:
        """Start with no secret known."""
        self._forms: set[str] = set()

    def learn(self, secret: Secret) -> Secret:
        """Remember a secret in every form in which it may travel; returns it."""
        value = secret.reveal()
        if len(value) >= SHORTEST:
            self._forms |= {form.lower() for form in _forms(value) if len(form) >= SHORTEST}
        return secret

    def redact(self, text: str) -> str:
        """Replace every known secret, and whatever looks like a JWT, by ``***``."""
        lowered = text.lower()
        # Searching for each form is fast; a pattern of them all is slow, and rarely needed.
        present = [form for form in self._forms if form in lowered]
        if present:
            longest_first = sorted(present, key=len, reverse=True)
            text = re.sub("|".join(map(re.escape, longest_first)), MASK, text, flags=re.IGNORECASE)
        return _JWT.sub(rf"\1{MASK}", text)


def _forms(value: str) -> set[str]:
    """Return every form in which a value may travel: encoded, escaped, or a JWT's parts."""
    encoded = base64.urlsafe_b64encode(value.encode("utf-8", "replace")).decode()
    plain = base64.b64encode(value.encode("utf-8", "replace")).decode()
    escaped = json.dumps(value)[1:-1]
    is_jwt = value.startswith("eyJ") and value.count(".") == _JWT_DOTS
    parts = value.split(".") if is_jwt else []
    # A signature is what makes a token valid; the other parts count when they are telling.
    segments = {part for part in parts if len(part) >= _SEGMENT} | set(parts[-1:])
    if len(value) >= 2 * _PIECE and _TOKEN.fullmatch(value):
        # Pieces, so that a part of a token is cut out as well.
        signature = parts[-1] if parts else ""
        pieces = (
            text[i : i + _PIECE] for text in (value, signature) for i in range(0, len(text), _PIECE)
        )
        segments |= {piece for piece in pieces if len(piece) == _PIECE}
    return {
        value,
        encoded,
        encoded.rstrip("="),
        plain,
        plain.rstrip("="),
        quote(value, safe="", errors="replace"),
        escaped,
        json.dumps(escaped)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        value.encode("utf-8", "replace").hex(),
        *segments,
    }
