"""The credentials that must not open the socket (rules GP-303, protocol 10.7)."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pytest_goldenpath.contract.rules.handshake import SIDE_DOOR, UNSIGNED_EXPIRY
from pytest_goldenpath.contract.transcript import Request, Transcript
from pytest_goldenpath.journey.asking import request_message
from pytest_goldenpath.journey.channel import (
    BEARER,
    HEADER,
    JWT_AUTH,
    NONE,
    QUERY,
    SUBPROTOCOL,
    TICKET,
    Call,
    hold,
)
from pytest_goldenpath.journey.confided import claims_of
from pytest_goldenpath.journey.conversation import AwaitRefusal, Conversation, Outgoing
from pytest_goldenpath.journey.login import User
from pytest_goldenpath.secrets import Redactor, Secret

#: What a text is called that is no token at all.
GARBAGE = "a garbage token"
_FORGED, _UNSIGNED = "a wrongly signed token", "an unsigned token"
_FOREIGN = "a foreign token"
#: Carriers that only some builds know, as they are told.
_PLACES = {
    JWT_AUTH: "of the subprotocol jwt-auth.",
    BEARER: "of the subprotocol bearer.",
    QUERY: "of the query",
    TICKET: "of tickets",
}
#: Where users are served, and where some builds serve a socket as well (protocol 3.1).
_MAIN_DOORS = ("/api/v1/websocket", "/ws")
_UNGUARDED = ("/websocket", "/ws/test", "/api/demo/ws")
_SIDE_DOORS = ("/ws/factory", "/ws/isolated", *_UNGUARDED)
#: The mode that asks for no token; the others have paths of their own.
_UNGUARDED_MODE = "?mode=legacy"
_REFUSED_WITHIN_S = 5.0
_HOUR_S = 3600
#: Headers that switched on a bypass in every non-production environment (protocol 2.6).
BYPASS_HEADERS = (
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
    tokens = stranger_tokens(user, expired)
    forged = (Call(f"a stranger with {name}", url, HEADER, token) for name, token in tokens.items())
    in_the_subprotocol = (
        Call(f"a stranger with {name} in the subprotocol", url, SUBPROTOCOL, tokens[name])
        for name in (GARBAGE, _FORGED, *(["an expired token"] if expired else []))
    )
    return (
        Call("a stranger without a token", url, NONE),
        *forged,
        *in_the_subprotocol,
        Call("a stranger with bypass headers and no token", url, NONE, headers=BYPASS_HEADERS),
    )


def side_door_calls(url: str, user: User | None) -> tuple[Call, ...]:
    """Return calls by the other carriers and to the other sockets that the contract names.

    Args:
        url: the WebSocket address that users are served at.
        user: whose claims the forged tokens imitate; None when nobody could log in.

    """
    tokens = stranger_tokens(user, Secret(""))
    carried = (
        *((carrier, name) for carrier in (JWT_AUTH, QUERY) for name in (_FORGED, _UNSIGNED)),
        (BEARER, _FORGED),
        (TICKET, GARBAGE),
    )
    return (
        *(
            Call(f"{SIDE_DOOR} of the subprotocol with {name}", url, SUBPROTOCOL, tokens[name])
            for name in (_FOREIGN, _UNSIGNED)
        ),
        *(
            Call(f"{SIDE_DOOR} {_PLACES[carrier]} with {name}", url, carrier, tokens[name])
            for carrier, name in carried
        ),
        *_other_sockets(url),
    )


def _other_sockets(url: str) -> tuple[Call, ...]:
    """Return calls to the sockets beside that of the users (protocol 3.1), as nobody."""
    address = urlsplit(url)
    here = address.path.rstrip("/")
    own = next((path for path in _MAIN_DOORS if here.endswith(path)), "")
    root = f"{address.scheme}://{address.netloc}{here.removesuffix(own) if own else ''}"
    others = [path for path in (*_MAIN_DOORS, *_SIDE_DOORS) if path != own]
    modes = [f"{own}{_UNGUARDED_MODE}"] if own else []
    forged = _signed(_claims(None), secrets.token_urlsafe(48))
    return (
        *(
            Call(f"{SIDE_DOOR} {path} without a token", f"{root}{path}", NONE)
            for path in (*others, *modes)
        ),
        *(
            Call(f"{SIDE_DOOR} {path} with {_FORGED}", f"{root}{path}", HEADER, forged)
            for path in others
            if path not in _UNGUARDED
        ),
    )


def stranger_tokens(user: User | None, expired: Secret) -> dict[str, Secret]:
    """Make the tokens that nobody may accept, by what they are called.

    Args:
        user: whose claims the forged ones imitate; None when nobody could log in.
        expired: a real token of the target that has expired; may be blank.

    """
    import jwt

    claims = _claims(user)
    key = secrets.token_urlsafe(48)
    late = _signed({**claims, "exp": claims["iat"] - _HOUR_S}, key)
    return {
        GARBAGE: Secret(f"garbage-{secrets.token_urlsafe(24)}"),
        _FORGED: _signed(claims, key),
        "an expired token" if expired else UNSIGNED_EXPIRY: expired or late,
        _FOREIGN: _signed(
            {**claims, "iss": "https://issuer.example", "aud": "another-platform"}, key
        ),
        _UNSIGNED: Secret(jwt.encode(claims, "", algorithm="none")),
    }


async def meet(call: Call, redactor: Redactor) -> Transcript:
    """Try one stranger's credential."""
    if call.token:
        redactor.learn(call.token)
    conversation = Conversation((AwaitRefusal(_REFUSED_WITHIN_S, _INTRUSION),))
    return await hold(call, conversation, redactor, ready=True)


_INTRUSION = (
    Outgoing("ping", json.dumps({"type": "ping"})),
    Outgoing(
        "intrusion",
        request_message(
            Request("What did my neighbour ask?", "execute_agent", "", "", ""), "stranger-0001"
        ),
    ),
)


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
        **{name: value for name, value in known.items() if _is_plain(name, value)},
        "jti": secrets.token_hex(16),
        "iat": now - 2 * 60,
        "exp": now + _HOUR_S,
    }


def _is_plain(name: str, value: object) -> bool:
    """Tell whether a claim of a stranger's token can be signed again; the rest is left out."""
    if isinstance(value, str):
        return value.isprintable()
    return name not in {"iss", "sub", "jti", "aud"} and isinstance(value, int)


def _signed(claims: Mapping[str, Any], key: str) -> Secret:
    import jwt

    return Secret(jwt.encode(dict(claims), key, algorithm="HS256"))
