"""What an answer gives us in confidence, told from what it says openly.

Whatever is learnt as a secret is cut out of everything before anybody judges it. So a cookie that
holds a user's id, a service's name or the day must not be learnt, or nobody could be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import unquote

import httpx

from pytest_goldenpath.secrets import SHORTEST, Redactor, Secret

#: Every secret that is known is looked for in every text, so a flood of them would be felt.
_MOST_COOKIES, _LONGEST_SECRET = 10, 16_384
#: Names that are kept for comparison, and the shortest that is looked for inside a longer value.
_MOST_NAMES, _TELLING_NAME = 500, 8
_DEPTH = 6
#: No token holds what JSON or a sentence is made of, and a long or a numbered one is no word.
_TOKEN = re.compile(r"""[^\s"'{}\[\]<>,]+""")
_TELLING = 16
#: Words, small numbers, versions and dates: what nobody would take for a session.
_WORD = r"(?:[A-Z]?[a-z]{0,14}\d{0,2}|\d{1,4}(?:T\d\d)?Z?)"
_PLAIN = re.compile(rf"{_WORD}(?:[-_.:/+~|]{_WORD})*")
#: The keys of what may be told to anybody who may see the answer, and parts of those that may not.
_NAMING = re.compile(r"(?:\w*_)?(?:id|uid)|\w+Id|sub|email|iss|aud")
_CONFIDENTIAL = re.compile("session|token|ticket|secret|key|sid$|jti", re.IGNORECASE)


def looks_secret(value: object) -> bool:
    """Tell a token from a word: what is learnt is cut out before anybody judges it."""
    return (
        isinstance(value, str)
        and len(value) <= _LONGEST_SECRET
        and bool(_TOKEN.fullmatch(value))
        and (len(value) >= _TELLING or any(map(str.isdigit, value)))
    )


def is_plain(value: str) -> bool:
    """Tell whether a value is made of words and small numbers, as names and dates are."""
    return bool(_PLAIN.fullmatch(value))


def learn_cookies(response: httpx.Response, redactor: Redactor) -> None:
    """Take the value of each of the first cookies that an answer sets for a secret."""
    _, _, sent = response.request.headers.get("authorization", "").partition(" ")
    for value in cookie_secrets(response, names_in(claims_of(Secret(sent)))):
        redactor.learn(Secret(value))


def cookie_secrets(response: httpx.Response, names: AbstractSet[str]) -> list[str]:
    """Return what the first cookies of an answer hold that is secret.

    Args:
        response: the answer.
        names: what is told openly, see :func:`names_in`.

    """
    cookies = response.headers.get_list("set-cookie")[:_MOST_COOKIES]
    values = (cookie.partition(";")[0].partition("=")[2].strip('" ') for cookie in cookies)
    return [secret for value in values for secret in _without_names(value, names)]


def _without_names(value: str, names: AbstractSet[str]) -> Iterator[str]:
    """Give the secret of a cookie, or of one that names its user the parts beside the name."""
    if unquote(value).lower() in names:
        return
    lowered = value.lower()
    within = [name for name in names if len(name) >= _TELLING_NAME and name in lowered]
    if not within:
        parts: Sequence[str] = (value,)
    else:
        longest_first = sorted(within, key=len, reverse=True)
        pattern = "|".join(map(re.escape, longest_first))
        split = re.split(pattern, value, flags=re.IGNORECASE)
        parts = [part.strip(".:|~-_/") for part in split]
    for part in parts:
        if looks_secret(unquote(part) if within else part) and not is_plain(part):
            yield part


def names_in(*documents: Mapping[str, Any]) -> frozenset[str]:
    """Return, in lower case, the ids and addresses that documents tell openly, at any depth."""
    names: set[str] = set()
    for key, value in _pairs(documents, _DEPTH):
        is_name = _NAMING.fullmatch(key) and not _CONFIDENTIAL.search(key)
        if is_name and len(value) >= SHORTEST and len(names) < _MOST_NAMES:
            names.add(value.lower())
    return frozenset(names)


def _pairs(values: Iterable[object], depth: int, key: str = "") -> Iterator[tuple[str, str]]:
    for value in values if depth else ():
        if isinstance(value, Mapping):
            for inner_key, inner in value.items():
                yield from _pairs((inner,), depth - 1, str(inner_key))
        elif isinstance(value, list | tuple):
            yield from _pairs(value, depth - 1, key)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            yield key, str(value)


def claims_of(token: Secret) -> Mapping[str, Any]:
    """Read the claims of a token without trusting them; empty when it is no JWT."""
    import jwt

    try:
        claims = jwt.decode(token.reveal(), options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return {}
    return claims
