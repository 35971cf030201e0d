"""A type for secrets that never shows its value, and the register that cuts them out."""

from __future__ import annotations

import base64
import json
import re
from typing import Final
from urllib.parse import quote

MASK: Final = "***"
#: Shorter values would blot out ordinary words; such a password is refused as a setting.
SHORTEST = 4
_JWT = re.compile(r"eyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*")


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
            self._forms |= {form for form in _forms(value) if len(form) >= SHORTEST}
        return secret

    def redact(self, text: str) -> str:
        """Replace every known secret, and whatever looks like a JWT, by ``***``."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, MASK)
        return _JWT.sub(MASK, text)


def _forms(value: str) -> set[str]:
    encoded = base64.urlsafe_b64encode(value.encode()).decode()
    parts = value.split(".")
    signature = {parts[2]} if value.count(".") == 2 and value.startswith("eyJ") else set()  # noqa: PLR2004  # a JWT has three parts
    return {
        value,
        encoded,
        encoded.rstrip("="),
        base64.b64encode(value.encode()).decode(),
        base64.b64encode(value.encode()).decode().rstrip("="),
        quote(value, safe=""),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        *signature,
    }
