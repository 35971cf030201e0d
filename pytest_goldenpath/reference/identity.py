"""Who somebody is: passwords, tokens, the gate of each surface, the door of the WebSocket.

Tokens are those of protocol.md 2.4, their carriers in the handshake those of 3.2 and 3.3.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import jwt
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from pytest_goldenpath.reference import store
from pytest_goldenpath.reference.fault import Seams
from pytest_goldenpath.reference.settings import ACCESS_TOKEN_S, REFRESH_TOKEN_S
from pytest_goldenpath.reference.store import Database, User
from pytest_goldenpath.reference.web import ApiError

# 1 MiB and some 2 ms a login, since each run logs in some thirty times with passwords that are
# random and end with it; a product would take far more.
_SCRYPT_COST = 2**10

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

_BEARERS = ("jwt-auth.", "jwt.", "bearer.")
_PLAIN = ("jwt-auth", "jwt", "bearer", "e2e-testing", "staging-auth", "agent_chat")
_MIN_TOKEN = 10

# Sockets of old builds that know no users; only a fault serves them.
UNGUARDED = ("/websocket", "/ws/test", "/api/demo/ws")

# By carrier of a token, what only a fault believes there although it is refused elsewhere.
_BELIEVED = {
    "header": "door.header",
    "subprotocol": "door.subprotocol",
    "whole subprotocol": "door.whole_subprotocol",
    "query": "door.query",
}

_BYPASS_VALUES = {"1", "true", "yes", "e2e", "staging", "enabled"}


def hashed_password(password: str) -> str:
    """Return a salted hash of the password, salt included."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Tell whether the password has the stored hash, in constant time."""
    salt, _, digest = stored.partition("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)).hex(), digest)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=_SCRYPT_COST, r=8, p=1)


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


class Gate:
    """Lets good tokens through and nobody else, unless a fault says otherwise."""

    def __init__(self, surface: str, tokens: Tokens, database: Database, seams: Seams) -> None:
        self._tokens = tokens
        self._database = database
        self._seams = seams
        faults = seams.every(f"{surface}.accept", tuple) + seams.every("any.accept", tuple)
        self._let_in = {reason for reasons in faults for reason in reasons}
        self.overheard: dict[str, str] = {}  # only a fault looks at it

    async def check(self, token: str, kind: str = "access") -> Claims:
        """Return who the token belongs to, or raise Refusal."""
        try:
            return await self._read(token, kind)
        except Refusal as refusal:
            if refusal.reason not in self._let_in:
                raise
            return refusal.claims or _stranger(token)

    async def _read(self, token: str, kind: str) -> Claims:
        claims = self._tokens.read(token, kind)
        if await self._database.call(store.is_revoked, claims.jti):
            raise Refusal("revoked", claims)
        return claims

    async def user(self, request: Request) -> Claims:
        """Return who sends this request, or raise the backend's 401."""
        try:
            return await self.check(bearer(request.headers.get("authorization", "")))
        except Refusal as refusal:
            missing = refusal.reason == "missing"
            if missing and self._waves_through(request):
                return _stranger("")
            raise ApiError(
                401,
                {
                    "error": "authentication_failed",
                    "message": "Authentication required" if missing else "Invalid or expired token",
                    **self.overheard,
                },
                {"www-authenticate": "Bearer"},
            ) from refusal

    def _waves_through(self, request: Request) -> bool:
        is_write = request.method != "GET" and request.url.path.startswith("/api/threads")
        return (self._seams.on("gate.open_writes") and is_write) or (
            self._seams.on("gate.header_bypass") and _asks_for_bypass(request)
        )


def bearer(header: str) -> str:
    """Return the token of an Authorization header, or nothing."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _stranger(token: str) -> Claims:
    name = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()[:8]
    return Claims(f"guest-{name}", "guest@example.com", (), 0, 0, name)


def chosen_subprotocol(offered: Sequence[str], *, prefer_plain: bool) -> str | None:
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


class Doorman:
    """Finds the token of a handshake and asks the gate about it."""

    def __init__(self, gate: Gate, seams: Seams) -> None:
        self._gate = gate
        self._seams = seams

    async def admit(self, websocket: WebSocket) -> str:
        """Return the id of the user who connects, or raise Refusal."""
        everybody = self._seams.at("ws.identity", str)
        if everybody is not None:
            return everybody.format(now=int(time.time()))
        if self._seams.on("ws.header_bypass") and _asks_for_bypass(websocket):
            return websocket.headers.get("x-user-id", "test-user")
        if websocket.url.path in UNGUARDED:
            return "demo-user-001"
        token, carrier = self._token(websocket)
        believed = self._seams.at(_BELIEVED[carrier], tuple) or ()
        stranger = self._seams.at("ws.stranger", str)
        try:
            return (await self._gate.check(token)).user_id
        except Refusal as refusal:
            if refusal.claims and refusal.reason in believed:
                return refusal.claims.user_id
            if stranger is None or refusal.reason == "missing":
                raise
            return stranger.format(number=zlib.crc32(token.encode()) % 10_000)

    def _token(self, websocket: WebSocket) -> tuple[str, str]:
        deaf = self._seams.every("ws.deaf", str)
        header = bearer(websocket.headers.get("authorization", ""))
        if header and "header" not in deaf:
            return header, "header"
        asked = websocket.query_params.get("token", "")
        if asked and self._seams.on("door.query"):
            return asked, "query"
        offered = websocket.scope.get("subprotocols", [])
        whole = any(name.startswith(("jwt-auth.", "bearer.")) for name in offered)
        carrier = "whole subprotocol" if whole else "subprotocol"
        return "" if "subprotocol" in deaf else token_in(offered), carrier


def _asks_for_bypass(connection: HTTPConnection) -> bool:
    return any(
        ("test" in name or "e2e" in name) and value.lower() in _BYPASS_VALUES
        for name, value in connection.headers.items()
    )
