"""JSON web tokens as the platform makes and checks them (protocol.md 2.4)."""

import time
import uuid
from dataclasses import dataclass

import jwt

from pytest_goldenpath.reference.fault import Seams
from pytest_goldenpath.reference.settings import ACCESS_TOKEN_S, REFRESH_TOKEN_S
from pytest_goldenpath.reference.store import User

ALGORITHM = "HS256"
ISSUER = "netra-auth-service"
AUDIENCE = "netra-platform"
AUDIENCES = [AUDIENCE, "netra-backend", "netra-auth", "netra-services", "netra-admin"]
MAX_AGE_S = 24 * 3600
MAX_CLOCK_SKEW_S = 60

# What PyJWT raises, most special first, and the reason it stands for.
_REASONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.InvalidSignatureError, "signature"),
    (jwt.ExpiredSignatureError, "expired"),
    (jwt.InvalidAudienceError, "audience"),
    (jwt.InvalidIssuerError, "issuer"),
    (jwt.InvalidAlgorithmError, "algorithm"),
    (jwt.MissingRequiredClaimError, "claims"),
    (jwt.PyJWTError, "garbage"),
)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says."""

    user_id: str
    email: str
    permissions: tuple[str, ...]
    issued_at: int
    expires_at: int
    jti: str


class Refusal(Exception):
    """The token is not good; ``reason`` is one word, ``claims`` what it pretends to say."""

    def __init__(self, reason: str, claims: Claims | None = None) -> None:
        super().__init__(f"token refused: {reason}")
        self.reason = reason
        self.claims = claims


class Tokens:
    """Makes and reads the tokens of one secret."""

    def __init__(self, secret: str, environment: str, seams: Seams) -> None:
        self._secret = secret
        self._environment = environment
        self.lifetime = seams.at("token.lifetime", int) or ACCESS_TOKEN_S
        self._promised = seams.at("token.promised_lifetime", int) or self.lifetime
        self._oddities: dict[str, object] = seams.at("token.claims", dict) or {}
        self._algorithm = seams.at("token.algorithm", str) or ALGORITHM

    def pair(self, user: User) -> dict[str, object]:
        """Return the token part of a login's answer."""
        return {
            "access_token": self.access(user),
            "refresh_token": self._signed(user, "refresh", int(time.time()), REFRESH_TOKEN_S),
            "token_type": "Bearer",
            "expires_in": self._promised,
        }

    def access(self, user: User, issued_at: int | None = None) -> str:
        """Return an access token; with another time of issue it may be expired from the start."""
        return self._signed(user, "access", issued_at or int(time.time()), self.lifetime)

    def _signed(self, user: User, kind: str, issued_at: int, lifetime: int) -> str:
        claims: dict[str, object] = {
            "sub": user.id,
            "email": user.email,
            "permissions": ["read", "write"],
            "iat": issued_at,
            "exp": issued_at + lifetime,
            "token_type": kind,
            "type": kind,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "jti": uuid.uuid4().hex,
            "env": self._environment,
        }
        if kind == "access":
            claims |= self._oddities
            claims = {name: value for name, value in claims.items() if value is not None}
        # PyJWT wants no key, an empty one, where nothing is signed.
        key = "" if self._algorithm == "none" else self._secret
        return jwt.encode(claims, key, algorithm=self._algorithm)

    def read(self, token: str, kind: str = "access") -> Claims:
        """Return what the token says, or raise Refusal."""
        if not token:
            raise Refusal("missing")
        pretended = _unverified(token)
        try:
            raw = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCES,
                options={"require": ["exp", "iat", "sub", "iss", "jti"], "verify_iat": False},
            )
        except jwt.PyJWTError as error:
            raise Refusal(_reason(error), pretended) from error
        except (ValueError, TypeError) as error:
            raise Refusal("garbage", pretended) from error
        claims = _claims(raw)
        now = time.time()
        if raw.get("token_type") != kind:
            raise Refusal("type", claims)
        if now - claims.issued_at > MAX_AGE_S or claims.issued_at > now + MAX_CLOCK_SKEW_S:
            raise Refusal("age", claims)
        return claims


def _reason(error: jwt.PyJWTError) -> str:
    return next(reason for kind, reason in _REASONS if isinstance(error, kind))


def _unverified(token: str) -> Claims | None:
    # Only for faults that let strangers in: they believe what the token pretends.
    try:
        return _claims(jwt.decode(token, options={"verify_signature": False}))
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def _claims(raw: dict[str, object]) -> Claims:
    permissions = raw.get("permissions")
    return Claims(
        user_id=str(raw.get("sub", "")),
        email=str(raw.get("email", "")),
        permissions=tuple(str(name) for name in permissions)
        if isinstance(permissions, list)
        else (),
        issued_at=_integer(raw.get("iat")),
        expires_at=_integer(raw.get("exp")),
        jti=str(raw.get("jti", "")),
    )


def _integer(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
