"""Passwords: salted scrypt, cheap enough for tests and still never stored in clear."""

import hashlib
import hmac
import secrets

# 8 MiB and some 20 ms a login; a product would take more.
_COST = 2**13


def hashed(password: str) -> str:
    """Return a salted hash of the password, salt included."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_digest(password, salt).hex()}"


def matches(password: str, stored: str) -> bool:
    """Tell whether the password has the stored hash, in constant time."""
    salt, _, digest = stored.partition("$")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt)).hex(), digest)


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=_COST, r=8, p=1)
