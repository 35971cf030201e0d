"""The credentials that must not open the socket (rules GP-303, protocol 10.7)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.journey.channel import HEADER, NONE, Call, hold
from pytest_goldenpath.journey.conversation import AwaitRefusal, Conversation
from pytest_goldenpath.journey.login import User, claims_of
from pytest_goldenpath.secrets import Redactor, Secret

_REFUSED_WITHIN_S = 3.0
_HOUR_S = 3600
#: Headers that switched on a bypass in every non-production environment (protocol 2.6).
_BYPASS_HEADERS = (
    ("X-Test-Type", "E2E"),
    ("X-E2E-Test", "true"),
    ("X-Test-Mode", "true"),
    ("X-Test-Environment", "staging"),
    ("X-E2E-Bypass", "true"),
)


def stranger_calls(url: str, user: User | None, expired: Secret) -> tuple[Call, ...]:
    """Return one call for each credential that must be refused.

    Args:
        url: the WebSocket address.
        user: whose claims the forged tokens imitate; None when nobody could log in.
        expired: a real token of the target that has expired; may be blank.

    """
    import jwt

    claims = _claims(user)
    key = secrets.token_urlsafe(48)
    tokens = {
        "a garbage token": Secret(f"garbage-{secrets.token_urlsafe(24)}"),
        "a wrongly signed token": _signed(claims, key),
        "an expired token": expired or _signed({**claims, "exp": claims["iat"] - _HOUR_S}, key),
        "a foreign token": _signed(
            {**claims, "iss": "https://issuer.example", "aud": "another-platform"}, key
        ),
    }
    tokens["an unsigned token"] = Secret(jwt.encode(claims, "", algorithm="none"))
    forged = (Call(f"a stranger with {name}", url, HEADER, token) for name, token in tokens.items())
    return (
        Call("a stranger without a token", url, NONE),
        *forged,
        Call("a stranger with bypass headers and no token", url, NONE, headers=_BYPASS_HEADERS),
    )


async def meet(call: Call, redactor: Redactor) -> Transcript:
    """Try one stranger's credential."""
    if call.token:
        redactor.learn(call.token)
    conversation = Conversation((AwaitRefusal(_REFUSED_WITHIN_S),))
    return await hold(call, conversation, redactor, ready=True)


def _claims(user: User | None) -> dict[str, Any]:
    now = int(time.time())
    known: Mapping[str, Any] = claims_of(user.token) if user else {}
    return {
        "sub": "stranger-0001",
        "iss": "netra-auth-service",
        "aud": "netra-platform",
        "token_type": "access",
        "type": "access",
        "email": "stranger@example.com",
        "permissions": [],
        **known,
        "jti": secrets.token_hex(16),
        "iat": now - 2 * 60,
        "exp": now + _HOUR_S,
    }


def _signed(claims: Mapping[str, Any], key: str) -> Secret:
    import jwt

    return Secret(jwt.encode(dict(claims), key, algorithm="HS256"))
