"""Subprotocols of the WebSocket handshake: which one is chosen, and the token inside (3.2, 3.3)."""

import base64
import binascii
from collections.abc import Sequence

_BEARERS = ("jwt-auth.", "jwt.", "bearer.")
_PLAIN = ("jwt-auth", "jwt", "bearer", "e2e-testing", "staging-auth", "agent_chat")
_MIN_TOKEN = 10


def chosen(offered: Sequence[str], *, prefer_plain: bool) -> str | None:
    """Return the offered subprotocol to answer with, None if none is known.

    Builds V11 and V13 prefer the plain name (V11 even when it was not offered, which no
    healthy server may do), later ones echo the one that bears the token.
    """
    bearing = [name for name in offered if name.startswith(_BEARERS)]
    plain = [name for name in offered if name in _PLAIN]
    candidates = [*plain, *bearing] if prefer_plain else [*bearing, *plain]
    return candidates[0] if candidates else None


def token_in(offered: Sequence[str]) -> str:
    """Return the token that a subprotocol carries, raw or base64url, or nothing."""
    for name in offered:
        for prefix in _BEARERS:
            if name.startswith(prefix) and len(name) - len(prefix) >= _MIN_TOKEN:
                return _decoded(name.removeprefix(prefix))
    return ""


def _decoded(carried: str) -> str:
    if "." in carried:
        return carried
    try:
        padded = carried + "=" * (-len(carried) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return carried
