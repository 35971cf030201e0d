"""Closed doors: wrong logins, protected routes, headers and cookies (GP-202, GP-207, GP-208)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
from pytest_goldenpath.contract.rules.threads import NOBODY, is_done
from pytest_goldenpath.contract.rules.token import SUCCESSES, route_of
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey

#: What the survey puts in the place of a secret that a target shows: its length is enough.
LEAK = "(a secret of {} characters)"
#: How the purpose of a wrong login begins that the backend is asked for.
BACKENDS_LOGIN = "the backend's own login"
#: How the purpose of a request ends that carries no token.
ANONYMOUS = "with no token"
#: What a refused login and a closed route may answer (rules GP-202, protocol 2.8).
_WRONG_LOGIN = frozenset({401, 422})
_CLOSED = frozenset({401, 403})
_MISSING = frozenset({404, 405})
_REDIRECT = 3
_SERVER_ERROR = 500
_TOKEN_KEYS = ("access_token", "refresh_token", "id_token", "accessToken", "refreshToken", "token")
_DEPTH = 6
_TRACE_TEXT = re.compile(
    r"Traceback \(most recent call last\)"
    r"|\.(?:py|js|ts|go|java|rb)(?::\d+|\W{1,4}line \d+)"
    r"|\bat [\w$.<>]{1,200} ?\([^)\s]{1,300}:\d+\)"
)
_TRACE_KEYS = frozenset(
    {"stack_trace", "stacktrace", "stack", "traceback", "local_variables", "source_file"}
)
_LEAK = re.compile(r"\(a secret of \d+ characters\)")
_SECRETIVE = re.compile(
    r"secret|passw|private_?key|api_?key|access_?key|signing_?key|fernet|credential"
    r"|database_?url|connection_?string|\bdsn\b",
    re.IGNORECASE,
)
_SETTING = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_IN_A_TEXT = re.compile(
    r"\b[a-z][a-z0-9+]{0,30}://[^\s/:@\"']{1,100}:(?P<password>[^\s/@\"'*]{3,200})@"
    r"|\b(?P<setting>[A-Z][A-Z0-9_]{0,60}(?:SECRET|PASSWORD|_KEY)[A-Z0-9_]{0,60})"
    r"\s?[=:]\s?(?P<value>[^\s,;\"'*]{8,200})"
)
_SHORTEST_SECRET = 8
#: Cookies of load balancers, which no product sets, and of scripts that must read them.
_FOREIGN_COOKIES = ("gclb", "gaesa", "awsalb", "__cf", "csrf", "xsrf", "arraffinity")


def wrong_logins_are_refused(survey: Survey) -> Ruling:
    """GP-202: wrong credentials get 401 or 422 with a structured body, and no token.

    A login of the backend's own may be missing or refuse in any manner, but gives no token either.
    """
    tried = [e for e in survey.asked.get("refused_logins", ()) if e.symptom is None]
    answers = [e for e in tried if not e.purpose.startswith(BACKENDS_LOGIN)]
    if not answers:
        return Unlooked("no wrong login was tried")
    let_in = tuple(
        broken(
            "GP-202",
            f"expected {exchange.purpose} to give no token for a wrong password, got one",
            exchange.evidence(),
            attribution=Attribution.AUTH,
        )
        for exchange in tried
        if exchange.purpose.startswith(BACKENDS_LOGIN) and gives_token(exchange)
    )
    return let_in + tuple(
        broken(
            "GP-202",
            f"expected {exchange.purpose} to get 401 or 422 with a structured body, got {came}",
            exchange.evidence(),
            attribution=Attribution.AUTH,
        )
        for exchange in answers
        if (came := _no_refusal(exchange, _WRONG_LOGIN))
    )


def strangers_see_nothing(survey: Survey) -> Ruling:
    """GP-207: protected routes refuse without a good token, in JSON, and show nothing of the server.

    No token, garbage, forgeries and expired tokens open nothing, nor do headers that call a request
    a trial. Without a token nothing can be written either; that is tried on a thread of our own, so
    that it harms nobody. What a forged token opens is a matter of this promise and not of GP-206:
    the services do not differ about a token but about whether tokens are looked at.
    """
    asked = [e for e in survey.asked.get("unauthorized", ()) if e.symptom is None]
    ours = {route_of(e): e for e in survey.asked.get("agreement", ()) if e.symptom is None}
    judged = [e for e in asked if _is_protected(e, ours)]
    if not judged:
        return Unlooked("no protected route is served", blocked_by=("GP-109",))
    found: dict[str, Finding] = {}
    for exchange in judged:
        came = _no_refusal(exchange, _CLOSED)
        message = f"expected {exchange.purpose} to be refused with 401 in JSON, got {came}"
        if came:
            found.setdefault(message, broken("GP-207", message, exchange.evidence()))
    for exchange in _written(survey):
        deed = exchange.purpose.removeprefix(NOBODY)
        message = (
            f"expected nothing to be written without a token, got HTTP {exchange.status}: {deed}"
        )
        found.setdefault(message, broken("GP-207", message, exchange.evidence()))
    for exchange in asked:
        for shown in (*_revelations(exchange), *_own_secrets(exchange)):
            message = f"expected {exchange.purpose} to show nothing of the server, got {shown}"
            found.setdefault(message, broken("GP-207", message, exchange.evidence()))
    return tuple(found.values())


def manners_are_safe(survey: Survey) -> Ruling:
    """GP-208: protective headers and cookies are there; redirects stay on the same host."""
    roots = [e for e in survey.asked.get("roots", ()) if e.status is not None and not e.symptom]
    if not roots:
        return Unlooked("no answer came to look at its headers")
    found: dict[str, Exchange] = {}
    for exchange in roots:
        for problem in _unsafe_headers(exchange):
            found.setdefault(f"{problem} from the {exchange.purpose}", exchange)
    for exchange in survey.exchanges():
        for problem in (*_open_cookies(exchange), *_redirect_away(exchange)):
            found.setdefault(problem, exchange)
    return tuple(
        broken("GP-208", f"expected {problem}", exchange.evidence(), severity=Severity.SHOULD)
        for problem, exchange in found.items()
    )


def gives_token(exchange: Exchange) -> bool:
    """Tell whether an answer gives a token, whatever its status says."""
    return _has_token(exchange.json(), _DEPTH)


def _has_token(value: object, depth: int) -> bool:
    if not isinstance(value, dict) or not depth:
        return False
    return any(
        (key in _TOKEN_KEYS and isinstance(inner, str) and bool(inner))
        or _has_token(inner, depth - 1)
        for key, inner in value.items()
    )


def leaks(document: object) -> tuple[tuple[str, str], ...]:
    """Return the secrets that an answer shows, each with the name under which it stands.

    Args:
        document: a decoded JSON body, or a text.

    """
    return tuple(_leaks("", document, _DEPTH))


def _leaks(name: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield from _leaks(str(key), inner, depth - 1)
    elif isinstance(value, list) and depth:
        for inner in value:
            yield from _leaks(name, inner, depth - 1)
    elif isinstance(value, str):
        if _is_secret(name, value) or _LEAK.search(value):
            yield name or "in a text", value
            return
        for match in _IN_A_TEXT.finditer(value):
            yield match["setting"] or "a URL", match["value"] or match["password"]


def _is_secret(name: str, value: str) -> bool:
    """Tell a secret from a word about one: it is no sentence, and no word of the dictionary."""
    if not _SECRETIVE.search(name) or len(value) < _SHORTEST_SECRET or set(value) <= {"*"}:
        return False
    if any(character.isspace() or character in "<>[]" for character in value):
        return False
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return mixed or bool(_SETTING.fullmatch(name))


def _no_refusal(exchange: Exchange, statuses: frozenset[int]) -> str:
    """Tell what came in the place of a refusal in JSON, or ''."""
    document = exchange.document()
    if exchange.status in SUCCESSES:
        token = any(document.get(key) for key in _TOKEN_KEYS)
        return f"HTTP {exchange.status}{' with a token' if token else ''}"
    if exchange.status not in statuses:
        return f"HTTP {exchange.status}"
    if any(document.get(key) for key in _TOKEN_KEYS):
        return f"HTTP {exchange.status} with a token"
    kind = exchange.header("content-type").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        return f"HTTP {exchange.status} with {kind or 'no content type'}"
    if not any(document.get(key) for key in ("detail", "error", "message")):
        return f"HTTP {exchange.status} with a body that tells no error"
    return ""


def _is_protected(exchange: Exchange, ours: Mapping[str, Exchange]) -> bool:
    """Tell whether a route is there, and closed but to tokens; a broken one is GP-107's matter."""
    with_token = ours.get(route_of(exchange))
    if with_token is None or with_token.status is None:
        return False
    return with_token.status not in _MISSING and with_token.status < _SERVER_ERROR


def _written(survey: Survey) -> tuple[Exchange, ...]:
    """Return what was done to threads without a token."""
    tried = survey.asked.get("stranger_writes", ())
    return tuple(e for e in tried if e.purpose.startswith(NOBODY) and not e.symptom and is_done(e))


def _revelations(exchange: Exchange) -> Iterator[str]:
    document = exchange.json()
    if exchange.status in SUCCESSES:
        return
    if _TRACE_TEXT.search(exchange.body) or _has_trace(document, _DEPTH):
        yield "a stack trace"
    for name, _ in leaks(document if document is not None else exchange.body):
        yield f"a secret ({name})"


def _own_secrets(exchange: Exchange) -> Iterator[str]:
    """Yield that who sends no secret is shown one that we know: what was sent may come back."""
    if exchange.held_secret and exchange.purpose.endswith(ANONYMOUS):
        yield "a password or a token of this run"


def _has_trace(value: object, depth: int) -> bool:
    if isinstance(value, list) and depth:
        return any(_has_trace(inner, depth - 1) for inner in value)
    if not isinstance(value, dict) or not depth:
        return False
    return any(
        (str(key).lower() in _TRACE_KEYS and bool(inner)) or _has_trace(inner, depth - 1)
        for key, inner in value.items()
    )


def _unsafe_headers(exchange: Exchange) -> Iterator[str]:
    if exchange.header("x-content-type-options").strip().lower() != "nosniff":
        yield "X-Content-Type-Options: nosniff"
    policy = exchange.header("content-security-policy").lower()
    if not exchange.header("x-frame-options") and "frame-ancestors" not in policy:
        yield "X-Frame-Options or frame-ancestors"
    secure = urlsplit(exchange.url).scheme == "https"
    if secure and not exchange.header("strict-transport-security"):
        yield "Strict-Transport-Security"
    anybody = exchange.header("access-control-allow-origin").strip()
    if anybody and exchange.header("access-control-allow-credentials").strip().lower() == "true":
        yield f"credentials to be shared with known origins only, not with {anybody},"


def _open_cookies(exchange: Exchange) -> Iterator[str]:
    for name, value in exchange.headers:
        if name != "set-cookie":
            continue
        cookie, *attributes = (part.strip() for part in value.split(";"))
        called = cookie.partition("=")[0]
        known = {part.partition("=")[0].lower(): part.partition("=")[2] for part in attributes}
        if called.lower().removeprefix("__host-").startswith(_FOREIGN_COOKIES):
            continue
        wanted = {"httponly": "HttpOnly", "samesite": "SameSite"}
        crossing = known.get("samesite", "").lower() == "none"
        if crossing or urlsplit(exchange.url).scheme == "https":
            wanted["secure"] = "Secure"
        for attribute in (shown for key, shown in wanted.items() if key not in known):
            yield f"the cookie {called} to be {attribute}"


def _redirect_away(exchange: Exchange) -> Iterator[str]:
    if exchange.status is None or exchange.status // 100 != _REDIRECT:
        return
    here = urlsplit(exchange.url)
    try:
        there = urlsplit(exchange.header("location"))
        host = there.hostname
    except ValueError:
        yield "a redirect to an address, got one that is none"
        return
    if host and host != here.hostname:
        yield f"redirects to stay on {here.hostname}, got one to {host}"
    elif host and here.scheme == "https" and there.scheme == "http":
        yield "redirects to stay on https, got one to http"
