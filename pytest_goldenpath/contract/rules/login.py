"""Login: GP-201."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_goldenpath.contract.attribution import Attributed, attribute
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.signs import sign_of_exchange
from pytest_goldenpath.contract.survey import Login, Survey

#: Both say that the login succeeded.
SUCCESSES = frozenset({200, 201})
#: What else may be wrong, told beside the finding.
_HINTS = {
    401: " (or the password is wrong)",
    403: " (or the credentials are wrong)",
    423: " (the account is locked)",
    404: " (or the auth service is at another address: --auth-url)",
}


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
        for promise, came in _problems(login, login.exchange)
    )


def _blame(exchange: Exchange) -> Attributed:
    """Blame the product's authentication, unless the answer's status says that it is not to."""
    sign = sign_of_exchange(exchange)
    decided = attribute(sign) if sign else Attributed(Attribution.AUTH, "")
    accuses = decided.attribution.accuses
    return replace(decided, attribution=Attribution.AUTH) if accuses else decided


def _problems(login: Login, exchange: Exchange) -> Iterator[tuple[str, str]]:
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
