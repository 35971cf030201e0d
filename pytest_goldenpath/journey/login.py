"""Log in by each way of design 5, and keep the facts of the answer without its tokens."""

from __future__ import annotations

import base64
import hmac
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from pytest_goldenpath.contract.exchange import Exchange, parse_json
from pytest_goldenpath.contract.rules.token import SUCCESSES
from pytest_goldenpath.contract.survey import Login, TokenFacts
from pytest_goldenpath.journey.clock import wall_clock
from pytest_goldenpath.journey.confided import claims_of, looks_secret
from pytest_goldenpath.journey.web import Answer, Web
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import (
    Credentials,
    DevelopmentLogin,
    E2EKey,
    PasswordLogin,
    ReadyToken,
    Target,
)

_WITHIN_S = 10.0
#: Settings that hold a signing key (protocol 2.4), and what stands there when nobody filled it in.
_KEY_NAMES = (
    "JWT_SECRET_KEY",
    "JWT_SECRET_STAGING",
    "JWT_SECRET_PRODUCTION",
    "JWT_SECRET_DEVELOPMENT",
    "JWT_SECRET",
    "SECRET_KEY",
    "SERVICE_SECRET",
)
_PLACEHOLDERS = (
    "{name}",
    "{lower}",
    "{plain}",
    "${{{name}}}",
    "${name}",
    "<{name}>",
    "<{plain}>",
    "your-{plain}",
    "your-{plain}-here",
    "{plain}-change-me",
    "{plain}-change-in-production",
    "",
)
TOKEN_KEYS = (
    "access_token",
    "refresh_token",
    "id_token",
    "accessToken",
    "refreshToken",
    "token",
    "jwt",
    "session",
    "session_token",
    "api_key",
)
#: What may stand in a header; a token with anything else cannot be used by any client.
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class User:
    """A user who is logged in.

    Attributes:
        user_id: the identity that events must carry.
        token: the access token.
        refresh_token: what gives another one; blank when none came.
    """

    user_id: str
    token: Secret
    refresh_token: Secret = field(default_factory=lambda: Secret(""))


async def log_in(
    target: Target, credentials: Credentials, web: Web, redactor: Redactor
) -> tuple[Login, User | None]:
    """Log in; returns the record, and the user unless no usable token came."""
    if isinstance(credentials, ReadyToken):
        return _ready(credentials, redactor)
    path, body, headers = login_request(credentials, redactor)
    began_s = wall_clock()
    answer = await web.exchange(
        f"login ({credentials.way})",
        "POST",
        f"{target.auth}{path}",
        within_s=_WITHIN_S,
        json=body,
        headers=headers,
        secret_keys=TOKEN_KEYS,
    )
    document = answer.document
    token, refresh = (usable(document.get(key)) for key in ("access_token", "refresh_token"))
    subject = redactor.redact(str(claims_of(token).get("sub") or ""))
    answered = redactor.redact(_field_of_user(document, "id", "user_id"))
    email = redactor.redact(_field_of_user(document, "email"))
    record = Login(
        credentials.way,
        without_values(answer),
        has_access_token=bool(token),
        has_refresh_token=isinstance(document.get("refresh_token"), str),
        token_type=redactor.redact(str(document.get("token_type") or "")),
        expires_in_s=_number(document.get("expires_in")),
        user_id=answered or subject,
        answered_user_id=answered,
        subject=subject,
        email=email,
        asked_email=credentials.email if isinstance(credentials, PasswordLogin) else "",
        token=facts_of(token, redactor) if token else None,
        began_s=began_s,
    )
    if not token or answer.exchange.status not in SUCCESSES:
        return record, None
    # A token's subject may be the e-mail address; events then carry the answered id.
    user_id = answered if answered and subject == email else subject or answered
    return record, User(user_id, token, refresh)


def usable(token: object) -> Secret:
    """Return a token that came, blank unless a header can carry it."""
    is_one = isinstance(token, str) and bool(_HEADER_VALUE.fullmatch(token))
    return Secret(str(token) if is_one else "")


def _ready(credentials: ReadyToken, redactor: Redactor) -> tuple[Login, User]:
    """Take a token for a login; what it says of itself is all that is known."""
    token = redactor.learn(credentials.token)
    subject = str(claims_of(token).get("sub") or "")
    facts = facts_of(token, redactor)
    record = Login(credentials.way, None, has_access_token=True, subject=subject, token=facts)
    return record, User(subject, token)


def facts_of(token: Secret, redactor: Redactor) -> TokenFacts:
    """Read what an access token says about itself, without trusting it."""
    import jwt

    try:
        header = jwt.get_unverified_header(token.reveal())
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return TokenFacts(wall_clock())
    claims = claims_of(token)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    return TokenFacts(
        wall_clock(),
        redactor.redact(str(header.get("alg") or "none")),
        signed=bool(token.reveal().rpartition(".")[2]),
        issuer=redactor.redact(str(claims.get("iss") or "")),
        audiences=tuple(redactor.redact(str(name)) for name in audiences if name),
        issued_at_s=_number(claims.get("iat")),
        expires_at_s=_number(claims.get("exp")),
        default_key=_default_key(token),
    )


def _default_key(token: Secret) -> str:
    """Return the setting whose name alone, or a placeholder of it, signed a token, or ''.

    Whether a key signed a token can be told without asking anybody; the candidates are made of
    names, so that no secret of any deployment stands here (rules GP-803).
    """
    signed, _, signature = token.reveal().rpartition(".")
    given = signature.rstrip("=").encode()
    for name in _KEY_NAMES:
        plain = name.lower().replace("_", "-")
        for pattern in _PLACEHOLDERS:
            key = pattern.format(name=name, lower=name.lower(), plain=plain)
            for digest in ("sha256", "sha384", "sha512"):
                made = hmac.digest(key.encode(), signed.encode(), digest)
                if hmac.compare_digest(base64.urlsafe_b64encode(made).rstrip(b"="), given):
                    return name
    return ""


def without_values(answer: Answer) -> Exchange:
    """Keep of a login's good answer which fields it has; no value of it is for any report."""
    if answer.exchange.status not in SUCCESSES:
        return answer.exchange
    if not answer.document:
        # It may hold a token in a manner that nobody can foresee.
        hidden = f"({len(answer.exchange.body)} characters that are no JSON object)"
        return replace(answer.exchange, body=hidden)
    shape = {
        str(key): value if isinstance(value, bool | int | float) else type(value).__name__
        for key, value in answer.document.items()
    }
    return replace(answer.exchange, body=json.dumps(shape))


def login_request(
    credentials: Credentials, redactor: Redactor
) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Return path, body and headers of a login; its secret is learnt."""
    match credentials:
        case PasswordLogin(email, password):
            secret = redactor.learn(password).reveal()
            redactor.learn(Secret(f"{email}:{secret}"))
            return "/auth/login", {"email": email, "password": secret}, {}
        case E2EKey(key, email):
            header = {"X-E2E-Bypass-Key": redactor.learn(key).reveal()}
            return "/auth/e2e/test-auth", {"email": email} if email else {}, header
        case DevelopmentLogin() | ReadyToken():
            return "/auth/dev/login", {}, {}


def _field_of_user(document: Mapping[str, Any], *keys: str) -> str:
    user = document.get("user")
    places = (user, document) if isinstance(user, dict) else (document,)
    for place in places:
        for key in keys:
            value = place.get(key)
            if isinstance(value, str | int) and not isinstance(value, bool):
                return str(value)
    return ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


#: What a frame may issue (protocol 2.1, 3.2); "token" alone is a piece of an
#: answer elsewhere, and a session often only a name.
_ISSUED = (
    *(key for key in TOKEN_KEYS if key not in {"token", "session"}),
    "reconnect_token",
    "auth_ticket",
    "ticket_id",
)
#: Of one conversation; who issues more floods.
_MOST_ISSUED = 8


def learn_issued(frames: Iterable[str], redactor: Redactor) -> None:
    """Learn the tokens and tickets that frames give us, before anything of them is kept."""
    told = (parse_json(text) for text in frames if any(key in text for key in _ISSUED))
    values = (value for frame in told for value in _issued(frame))
    for value in islice(filter(looks_secret, values), _MOST_ISSUED):
        redactor.learn(Secret(value))


def _issued(frame: object) -> Iterator[str]:
    """Give the values of the keys of tokens, at whatever depth they stand."""
    waiting = [frame]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
            yield from (value[key] for key in _ISSUED if isinstance(value.get(key), str))
        elif isinstance(value, list):
            waiting += value
