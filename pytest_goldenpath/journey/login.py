"""Log in by each way of design 5, and keep the facts of the answer without its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_goldenpath.contract.survey import Login
from pytest_goldenpath.journey.web import Web
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
_TOKEN_KEYS = ("access_token", "refresh_token")


@dataclass(frozen=True, slots=True)
class User:
    """A user who is logged in.

    Attributes:
        user_id: the identity that events must carry.
        token: the access token.
    """

    user_id: str
    token: Secret


async def log_in(
    target: Target, credentials: Credentials, web: Web, redactor: Redactor
) -> tuple[Login, User | None]:
    """Log in; returns the record, and the user unless no usable token came."""
    if isinstance(credentials, ReadyToken):
        token = redactor.learn(credentials.token)
        subject = str(claims_of(token).get("sub") or "")
        record = Login(credentials.way, None, has_access_token=True, subject=subject)
        return record, User(subject, token)
    path, body, headers = _request(credentials, redactor)
    answer = await web.exchange(
        f"login ({credentials.way})",
        "POST",
        f"{target.auth}{path}",
        within_s=_WITHIN_S,
        json=body,
        headers=headers,
        secret_keys=_TOKEN_KEYS,
    )
    document = answer.document
    access = document.get("access_token")
    token = Secret(access if isinstance(access, str) else "")
    subject = str(claims_of(token).get("sub") or "")
    answered = _user_of(document)
    record = Login(
        credentials.way,
        answer.exchange,
        has_access_token=bool(token),
        has_refresh_token=isinstance(document.get("refresh_token"), str),
        token_type=str(document.get("token_type") or ""),
        expires_in_s=_number(document.get("expires_in")),
        user_id=answered or subject,
        answered_user_id=answered,
        subject=subject,
    )
    if not token or answer.exchange.status != _OK:
        return record, None
    return record, User(subject or answered, token)


def claims_of(token: Secret) -> Mapping[str, Any]:
    """Read the claims of a token without trusting them; empty when it is no JWT."""
    import jwt

    try:
        claims = jwt.decode(token.reveal(), options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return {}
    return claims


_OK = 200


def _request(
    credentials: Credentials, redactor: Redactor
) -> tuple[str, dict[str, Any], dict[str, str]]:
    match credentials:
        case PasswordLogin(email, password):
            secret = redactor.learn(password).reveal()
            return "/auth/login", {"email": email, "password": secret}, {}
        case E2EKey(key):
            header = {"X-E2E-Bypass-Key": redactor.learn(key).reveal()}
            return "/auth/e2e/test-auth", {}, header
        case DevelopmentLogin() | ReadyToken():
            return "/auth/dev/login", {}, {}


def _user_of(document: Mapping[str, Any]) -> str:
    user = document.get("user")
    if not isinstance(user, dict):
        return str(document.get("user_id") or "")
    return str(user.get("id") or user.get("user_id") or "")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
