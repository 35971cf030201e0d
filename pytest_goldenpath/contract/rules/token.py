"""Login and tokens: what they say, who believes them, and how they are renewed.

These are GP-201, GP-203 to GP-206 and GP-209.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_goldenpath.contract.attribution import Attributed, attribute
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
from pytest_goldenpath.contract.frames import Sort
from pytest_goldenpath.contract.rules.events import CLOCK_S
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken, sign_of_exchange
from pytest_goldenpath.contract.survey import Login, Survey, TokenFacts

#: Both say that the login succeeded.
SUCCESSES = frozenset({200, 201})
#: What else may be wrong, told beside the finding.
_HINTS = {
    401: " (or the password is wrong)",
    403: " (or the credentials are wrong)",
    423: " (the account is locked)",
    404: " (or the auth service is at another address: --auth-url)",
}


#: What tokens are promised to be (protocol 2.4).
ALGORITHMS = frozenset({"HS256", "RS256"})
ISSUER = "netra-auth-service"
_AUDIENCES = frozenset(
    {"netra-platform", "netra-backend", "netra-auth", "netra-services", "netra-admin"}
)
#: Audiences that a developer's own target may use beside them (protocol 2.4).
_DEVELOPERS = frozenset({"test", "localhost", "development"})
#: No token is accepted that is older (protocol 2.4).
LONGEST_S = 24 * 3600.0
#: Both figures are whole seconds, and counted at two moments.
_ROUNDING_S = 5.0
#: How the tokens of the survey are called in the purposes of its exchanges.
FRESH, REFRESH, RENEWED = "the fresh token", "the refresh token", "the refreshed token"
SECOND = "the second user's token"
#: Routes of the auth service that judge a token, and how each is asked (protocol 2.1).
JUDGES = {
    "validate": ("POST", "/auth/validate"),
    "verify": ("POST", "/auth/verify"),
    "verify by GET": ("GET", "/auth/verify"),
}
#: The route that tells who a token belongs to.
ME = "auth me"
_MISSING = frozenset({404, 405})
_REFUSALS = frozenset({400, 401, 403, 422})
_DENIALS = frozenset({401, 403})
#: The route wants another service to ask, so it tells a user nothing (protocol 2.2).
_WANTS_SERVICE = frozenset(
    {"invalid_service_id", "invalid_service_secret", "service_not_configured"}
)


def user_logs_in(survey: Survey) -> Ruling:
    """GP-201: a known user logs in and gets a token, its type, its expiry and the user."""
    login = survey.login
    if login is None:
        return Unlooked("no login was made")
    if login.exchange is None:
        return Unlooked("a ready token was given, so no login was made", skipped=True)
    if login.exchange.symptom is not None:
        return Unlooked("the login was not answered")
    return tuple(
        broken(
            "GP-201",
            f"expected a login ({login.way}) to give {promise}, got {came}",
            login.exchange.evidence(),
            attribution=_blame(login.exchange),
        )
        for promise, came in _login_problems(login, login.exchange)
    )


def _blame(exchange: Exchange) -> Attributed:
    """Blame the product's authentication, unless the answer's status says that it is not to."""
    sign = sign_of_exchange(exchange)
    decided = attribute(sign) if sign else Attributed(Attribution.AUTH, "")
    accuses = decided.attribution.accuses
    return replace(decided, attribution=Attribution.AUTH) if accuses else decided


def _login_problems(login: Login, exchange: Exchange) -> Iterator[tuple[str, str]]:
    if exchange.status not in SUCCESSES:
        yield "200 with a token", f"HTTP {exchange.status}{_HINTS.get(exchange.status or 0, '')}"
        return
    if not login.has_access_token:
        yield "an access token", "none"
    if login.token_type.lower() != "bearer":
        yield "the token type Bearer", repr(login.token_type)
    if login.expires_in_s is None or login.expires_in_s <= 0:
        yield "an expiry in seconds", repr(exchange.document().get("expires_in"))
    if not login.answered_user_id:
        yield "the user with an id", "none"
    elif login.email and login.asked_email and login.email.lower() != login.asked_email.lower():
        yield f"the user {login.asked_email}", login.email
    elif login.subject and login.subject not in {login.answered_user_id, login.email}:
        yield f"a token of the user {login.answered_user_id}", f"one of {login.subject}"


def token_is_sound(survey: Survey) -> Ruling:
    """GP-203: the token is a signed JWT of this user, issuer and audience, and ends in a day."""
    login = survey.login
    if login is None or login.token is None:
        return Unlooked("no token came", blocked_by=("GP-201",))
    return tuple(
        broken("GP-203", f"expected the token {promise}, got {came}", attribution=Attribution.AUTH)
        for promise, came in _problems(login, login.token)
    )


def expiry_agrees(survey: Survey) -> Ruling:
    """GP-209: ``expires_in`` agrees with ``exp - iat``."""
    login = survey.login
    if login is None or login.token is None:
        return Unlooked("no token came", blocked_by=("GP-201",))
    if login.exchange is None:
        return Unlooked("a ready token was given, so nobody said how long it lives", skipped=True)
    lifetime_s = _lifetime(login.token)
    if lifetime_s is None or login.expires_in_s is None:
        return Unlooked("the token's expiry is not told", blocked_by=("GP-201", "GP-203"))
    if abs(lifetime_s - login.expires_in_s) <= _ROUNDING_S:
        return ()
    return (
        broken(
            "GP-209",
            f"expected expires_in to be the token's exp - iat of {lifetime_s:.0f} s, "
            f"got {login.expires_in_s:.0f} s",
            login.exchange.evidence(),
            severity=Severity.SHOULD,
        ),
    )


def tokens_are_told_apart(survey: Survey) -> Ruling:
    """GP-204: validate and verify say valid for this token and user, and for no other token.

    The second user's token, where there is one, is answered with the second user.
    """
    answers = [e for e in survey.asked.get("validations", ()) if e.symptom is None]
    if not answers:
        return Unlooked("no token was shown to the auth service")
    by_route = {route: [e for e in answers if route_of(e) == route] for route in JUDGES}
    served = {r: es for r, es in by_route.items() if _is_served(r, es)}
    if not served:
        came = answers[0].evidence()
        message = "expected the auth service to validate tokens, got no such route"
        return (broken("GP-204", message, came, attribution=Attribution.AUTH),)
    open_to_users = {r: es for r, es in served.items() if not any(map(_wants_service, es))}
    if not open_to_users:
        return Unlooked("only services may ask whether a token is valid", skipped=True)
    return tuple(
        broken("GP-204", message, exchange.evidence(), attribution=Attribution.AUTH)
        for exchanges in (*open_to_users.values(), [e for e in answers if route_of(e) == ME])
        for exchange in exchanges
        if (message := _misjudgement(exchange, survey))
    )


def refresh_renews(survey: Survey) -> Ruling:
    """GP-205: refresh gives a new, working pair; a refresh token is no access token."""
    login = survey.login
    if login and login.way == "password" and login.has_access_token and not login.has_refresh_token:
        message = "expected the login to give a refresh token, got none"
        came = login.exchange.evidence() if login.exchange else ""
        return (broken("GP-205", message, came, attribution=Attribution.AUTH),)
    exchanges = [e for e in survey.asked.get("refresh", ()) if e.symptom is None]
    renewals = [e for e in exchanges if e.purpose in {"refresh", "second refresh"}]
    if not renewals:
        return Unlooked("no token was refreshed")
    findings = [
        *(finding for exchange in renewals for finding in _bad_pairs(exchange)),
        *_refused_renewals(survey, exchanges),
        *_taken_for_access(survey, exchanges),
    ]
    accepted = _accepting_routes(survey)
    looked = any(_what(e) == RENEWED and route_of(e) in accepted for e in exchanges)
    if not findings and not looked:
        reason = "no route that accepts the login's token could be asked with the refreshed one"
        return Unlooked(reason, blocked_by=("GP-109", "GP-206"))
    return tuple({finding.message: finding for finding in findings}.values())


def services_agree(survey: Survey) -> Ruling:
    """GP-206: backend and auth service say the same of one token (no secret mismatch)."""
    words = [
        *(e for e in survey.asked.get("validations", ()) if _what(e) == FRESH),
        *(e for e in survey.asked.get("agreement", ()) if route_of(e).startswith("auth")),
    ]
    words = [e for e in words if e.symptom is None and not _wants_service(e)]
    backend = [
        e
        for e in survey.asked.get("agreement", ())
        if e.symptom is None and route_of(e).startswith("backend")
    ]
    said = [e for e in words if is_accepted(e)] or [e for e in words if _is_denied(e)]
    heard = [e for e in backend if is_accepted(e) or _is_denied(e)]
    if not said or not heard:
        whose = "backend" if said else "auth service"
        blockers = ("GP-107",) if said else ("GP-204",)
        return Unlooked(f"the {whose} neither accepts the token nor refuses it", blockers)
    valid = is_accepted(said[0])
    opposed = [e for e in heard if is_accepted(e) is not valid]
    if not opposed:
        return () if valid else Unlooked("both refuse the token", blocked_by=("GP-204",))
    theirs = "valid" if valid else "invalid"
    return (
        broken(
            "GP-206",
            f"expected the backend to judge a token as the auth service does, which calls it "
            f"{theirs}, got HTTP {opposed[0].status} from the {route_of(opposed[0])}; with two "
            "secrets, or without the service's own, it looks like this",
            f"{said[0].evidence()} | {opposed[0].evidence()}",
            attribution=Attribution.AUTH,
        ),
    )


def is_accepted(exchange: Exchange) -> bool:
    """Tell whether an answer treats the token that was sent as a good one."""
    if exchange.status not in SUCCESSES:
        return False
    return route_of(exchange) not in JUDGES or exchange.document().get("valid") is True


def _is_denied(exchange: Exchange) -> bool:
    said_no = exchange.status in SUCCESSES and exchange.document().get("valid") is False
    return exchange.status in _DENIALS or said_no


def _problems(login: Login, token: TokenFacts) -> Iterator[tuple[str, str]]:
    if not token.algorithm:
        yield "to be a JSON web token", "a text that is none"
        return
    if token.algorithm not in ALGORITHMS or not token.signed:
        unsigned = "" if token.signed else " and no signature"
        yield f"to be signed by {' or '.join(sorted(ALGORITHMS))}", f"{token.algorithm}{unsigned}"
    if not login.subject:
        yield "to name its user as sub", "none"
    elif login.answered_user_id and login.subject not in {login.answered_user_id, login.email}:
        yield f"to be that of the user {login.answered_user_id}", f"sub {login.subject}"
    if token.issuer != ISSUER:
        yield f"to be issued by {ISSUER}", repr(token.issuer)
    developers = _DEVELOPERS if login.way == "development login" else frozenset()
    if not _AUDIENCES.union(developers).intersection(token.audiences):
        yield "to be made for netra-platform", ", ".join(token.audiences) or "no audience"
    yield from _time_problems(token)


def _time_problems(token: TokenFacts) -> Iterator[tuple[str, str]]:
    if token.issued_at_s is None:
        yield "to say when it was issued (iat)", "nothing"
    elif token.issued_at_s > token.seen_at_s + CLOCK_S:
        ahead_s = token.issued_at_s - token.seen_at_s
        yield "to be issued before it is used", f"an iat {ahead_s:.0f} s ahead of our clock"
    if token.expires_at_s is None:
        yield "to expire (exp)", "no expiry"
    elif token.expires_at_s <= token.seen_at_s - CLOCK_S:
        behind_s = token.seen_at_s - token.expires_at_s
        yield "to expire in the future", f"an exp {behind_s:.0f} s behind our clock"
    lifetime_s = _lifetime(token)
    if lifetime_s is not None and not 0 < lifetime_s <= LONGEST_S:
        yield f"to live for {LONGEST_S / 3600:.0f} h at most", f"{lifetime_s / 3600:.1f} h"


def _lifetime(token: TokenFacts) -> float | None:
    if token.expires_at_s is None or token.issued_at_s is None:
        return None
    return token.expires_at_s - token.issued_at_s


def _is_served(route: str, exchanges: list[Exchange]) -> bool:
    """Tell whether a judge is there; who asks for a page gets one at many a missing place."""
    if JUDGES[route][0] == "GET":
        return any(isinstance(e.document().get("valid"), bool) for e in exchanges)
    return any(e.status not in _MISSING for e in exchanges)


def _misjudgement(exchange: Exchange, survey: Survey) -> str:
    """Tell what is wrong with an answer of validate, verify or me, or ''."""
    route, what, document = route_of(exchange), _what(exchange), exchange.document()
    if route == ME:
        return _mistaken_identity(exchange, survey)
    valid = document.get("valid")
    came = f"HTTP {exchange.status}, valid {valid}"
    if what not in {FRESH, SECOND}:
        refused = exchange.status in _REFUSALS and valid is not True
        if refused or (exchange.status in SUCCESSES and valid is False):
            return ""
        return f"expected {route} to call {what} invalid, got {came}"
    if exchange.status not in SUCCESSES or valid is not True:
        return f"expected {route} to call {what} valid, got {came}"
    known = _names(survey.login if what == FRESH else survey.second_login)
    said = _user_in(document)
    if said and (said in known or not known):
        return ""
    mine = f"the user {known[0]}" if known else "a user"
    of = "" if what == FRESH else f" for {what}"
    return f"expected {route} to name {mine}{of}, got {said or 'none'}"


def _mistaken_identity(exchange: Exchange, survey: Survey) -> str:
    """Tell whether the second user was told to be the first."""
    said = _user_in(exchange.document())
    first, second = _names(survey.login), _names(survey.second_login)
    if exchange.status not in SUCCESSES or said not in first or said in second:
        return ""
    return f"expected {route_of(exchange)} to name {second[0] if second else 'the second user'} for {SECOND}, got {said}"


def _names(login: Login | None) -> list[str]:
    names = (login.user_id, login.subject, login.answered_user_id, login.email) if login else ()
    return [name for name in names if name]


def _user_in(document: Mapping[str, object]) -> str:
    inner = document.get("user")
    places = (document, inner) if isinstance(inner, dict) else (document,)
    found = (place.get(key) for place in places for key in ("user_id", "sub", "id"))
    return next((str(value) for value in found if isinstance(value, str | int) and value), "")


def _bad_pairs(exchange: Exchange) -> Iterator[Finding]:
    document = exchange.document()
    if exchange.status not in SUCCESSES:
        problems = [f"HTTP {exchange.status}"]
    else:
        kinds = {name: document.get(name) for name in ("access_token", "refresh_token")}
        problems = [f"{kind or 'no'} {name}" for name, kind in kinds.items() if kind != "a new"]
    for problem in problems:
        yield broken(
            "GP-205",
            f"expected the {exchange.purpose} to give a new pair of tokens, got {problem}",
            exchange.evidence(),
            attribution=Attribution.AUTH,
        )


def _refused_renewals(survey: Survey, exchanges: list[Exchange]) -> Iterator[Finding]:
    """Find routes that accept the login's token and refuse the refreshed one."""
    accepted = _accepting_routes(survey)
    for exchange in exchanges:
        if _what(exchange) == RENEWED and route_of(exchange) in accepted and _is_denied(exchange):
            yield broken(
                "GP-205",
                f"expected {route_of(exchange)} to accept the refreshed token as it does the "
                f"login's, got HTTP {exchange.status}",
                exchange.evidence(),
                attribution=Attribution.AUTH,
            )


def _accepting_routes(survey: Survey) -> set[str]:
    """Return the protected routes that accept the login's own token."""
    agreement = survey.asked.get("agreement", ())
    return {route_of(e) for e in agreement if not e.symptom and is_accepted(e)}


def _taken_for_access(survey: Survey, exchanges: list[Exchange]) -> Iterator[Finding]:
    """Find places that take a refresh token for an access token."""
    message = "expected a refresh token to open nothing, but {place} accepted it"
    for exchange in exchanges:
        if _what(exchange) == REFRESH and is_accepted(exchange):
            yield broken(
                "GP-205",
                message.format(place=route_of(exchange)),
                exchange.evidence(),
                attribution=Attribution.AUTH,
            )
    for transcript in survey.talks.get("refresh_socket", ()):
        served = [h for h in transcript.heard() if h.frame.sort is not Sort.FAILURE]
        if served:
            yield broken(
                "GP-205",
                message.format(place=f"the socket by {transcript.carrier}"),
                served[0].evidence(),
                attribution=Attribution.AUTH,
            )


def _wants_service(exchange: Exchange) -> bool:
    return _what(exchange) == FRESH and exchange.document().get("error") in _WANTS_SERVICE


def route_of(exchange: Exchange) -> str:
    """Return the route that an exchange asked, out of ``<route> with <what>``."""
    return exchange.purpose.partition(" with ")[0]


def _what(exchange: Exchange) -> str:
    return exchange.purpose.partition(" with ")[2]
