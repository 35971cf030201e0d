"""The gate: who is it that asks? One for each surface (auth, http, ws)."""

import hashlib

from starlette.requests import Request

from pytest_goldenpath.reference import store
from pytest_goldenpath.reference.fault import Seams
from pytest_goldenpath.reference.store import Database
from pytest_goldenpath.reference.tokens import Claims, Refusal, Tokens
from pytest_goldenpath.reference.web import ApiError


class Gate:
    """Lets good tokens through and nobody else, unless a fault says otherwise."""

    def __init__(self, surface: str, tokens: Tokens, database: Database, seams: Seams) -> None:
        self._tokens = tokens
        self._database = database
        faults = seams.every(f"{surface}.accept", tuple) + seams.every("any.accept", tuple)
        self._let_in = {reason for reasons in faults for reason in reasons}

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
            raise ApiError(
                401,
                {
                    "error": "authentication_failed",
                    "message": "Authentication required" if missing else "Invalid or expired token",
                },
                {"www-authenticate": "Bearer"},
            ) from refusal


def bearer(header: str) -> str:
    """Return the token of an Authorization header, or nothing."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _stranger(token: str) -> Claims:
    name = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()[:8]
    return Claims(f"guest-{name}", "guest@example.com", (), 0, 0, name)
