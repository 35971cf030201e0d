"""Examples that break the promises about logins, tokens and closed doors (GP-202 to GP-209)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from builders import (
    EPOCH,
    NEW_PAIR,
    SAFE_HEADERS,
    USER,
    changed_steps,
    closed_doors,
    exchange,
    heard,
    knocks,
    login,
    stranger,
    survey,
    token_facts,
    welcome,
)
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.rules import threads as steps
from pytest_goldenpath.contract.rules.doors import BACKENDS_LOGIN
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Entry, Kind

DAY_S = 24 * 3600
OTHER_USER = "u-87654321-dcba"
OPENED = Entry(0.01, Kind.OPENED)
NOT_FOUND = {"detail": "Not Found"}
PAGE = "<html><h1>401</h1></html>"


def door(name: str, *exchanges: Exchange) -> Survey:
    """Build a survey one of whose doors behaved this way."""
    return survey(asked={**closed_doors(), name: exchanges})


def swapped(name: str, purpose: str, body: object, status: int = 200, **more: Any) -> Survey:
    """Build a survey in which one exchange of a door was answered this way."""
    other = exchange(body, purpose=purpose, status=status, **more)
    doors = closed_doors()
    assert any(e.purpose == purpose for e in doors[name]), purpose
    changed = tuple(other if e.purpose == purpose else e for e in doors[name])
    return survey(asked={**doors, name: changed})


def token(**changes: Any) -> Survey:
    """Build a survey whose token says other things."""
    return survey(login=login(token=token_facts(**changes)))


def wrong(body: object, status: int = 401, **more: Any) -> Survey:
    """Build a survey whose wrong password was answered this way."""
    return swapped("refused_logins", "a wrong password", body, status, **more)


def judged(what: str, body: object, status: int = 200, route: str = "validate") -> Survey:
    """Build a survey in which the auth service judged a token this way."""
    return swapped("validations", f"{route} with {what}", body, status)


def at_backend(body: object, status: int) -> Survey:
    """Build a survey whose backend has a login of its own that answers this way."""
    return swapped("refused_logins", f"{BACKENDS_LOGIN} /auth/login", body, status)


def handed(body: object, status: int = 200) -> Survey:
    """Build a survey in which a trial login without a key was answered this way."""
    return swapped("giveaways", "the trial login without a key", body, status)


def second(body: object, route: str = "validate", status: int = 200) -> Survey:
    """Build a survey in which the auth service was shown the second user's token."""
    shown = exchange(body, purpose=f"{route} with the second user's token", status=status)
    observed = door("validations", *closed_doors()["validations"], shown)
    names = {"user_id": OTHER_USER, "answered_user_id": OTHER_USER, "subject": OTHER_USER}
    return replace(observed, second_login=login(**names))


def closed(body: object, status: int = 401, what: str = "no token", **more: Any) -> Survey:
    """Build a survey whose protected route answered a stranger this way."""
    return swapped("unauthorized", f"backend threads with {what}", body, status, **more)


def written(deed: str, body: object, status: int = 200) -> Survey:
    """Build a survey in which a write without a token was answered this way."""
    part = changed_steps(closed_doors()["stranger_writes"], deed, body, status)
    return door("stranger_writes", *part)


def root(*headers: tuple[str, str], url: str = "https://target/", status: int = 200) -> Survey:
    """Build a survey whose backend's root has these headers."""
    answer = exchange(purpose="backend root", url=url, status=status, headers=headers)
    return door("roots", answer)


def cookie(value: str, url: str = "https://target/auth/login") -> Survey:
    """Build a survey whose login sets a cookie."""
    good = login()
    assert good.exchange
    headers = (*good.exchange.headers, ("set-cookie", value))
    return survey(login=replace(good, exchange=replace(good.exchange, url=url, headers=headers)))


def socket(*entries: Entry) -> Survey:
    """Build a survey whose socket treated a refresh token this way."""
    return survey(talks={"refresh_socket": (stranger(*entries),)})


HTTPS = (*SAFE_HEADERS, ("strict-transport-security", "max-age=63072000"))
MISSING = tuple(replace(e, status=404, body="{}") for e in closed_doors()["validations"])
BROKEN: list[tuple[str, str, Survey]] = [
    ("GP-801", "a trial without a key", handed({"access_token": "str", "user": {}})),
    ("GP-801", "an odd success", handed({"session": {"access_token": "str"}}, 202)),
    ("GP-803", "a placeholder for a key", token(default_key="JWT_SECRET_KEY")),
    ("GP-202", "let in", wrong({"access_token": "str"}, 200)),
    ("GP-202", "error with 200", wrong({"detail": "Invalid credentials"}, 200)),
    ("GP-202", "server error", wrong({"detail": "Authentication failed"}, 500)),
    ("GP-202", "not found", wrong({"detail": "No such user"}, 404)),
    ("GP-202", "token beside the refusal", wrong({"detail": "no", "access_token": "***"})),
    ("GP-202", "web page", wrong(PAGE, content_type="text/html")),
    ("GP-202", "wrong label", wrong({"detail": "no"}, content_type="text/html")),
    ("GP-202", "empty body", wrong({})),
    ("GP-202", "the backend lets in", at_backend({"access_token": "str"}, 200)),
    ("GP-202", "the backend's inner token", at_backend({"data": {"token": "str"}}, 201)),
    ("GP-202", "token in the backend's refusal", at_backend({"access_token": "***"}, 403)),
    ("GP-203", "opaque", token(algorithm="", signed=False)),
    ("GP-203", "no algorithm", token(algorithm="none", signed=False)),
    ("GP-203", "other algorithm", token(algorithm="HS512")),
    ("GP-203", "no signature", token(signed=False)),
    ("GP-203", "nobody's", survey(login=login(subject="", answered_user_id=""))),
    ("GP-203", "another's", survey(login=login(subject="u-other"))),
    ("GP-203", "other issuer", token(issuer="another-issuer")),
    ("GP-203", "other audience", token(audiences=("another-platform",))),
    ("GP-203", "no audience", token(audiences=())),
    ("GP-203", "a developer's audience", token(audiences=("localhost",))),
    ("GP-203", "no time of issue", token(issued_at_s=None)),
    ("GP-203", "issued tomorrow", token(issued_at_s=EPOCH + DAY_S, expires_at_s=EPOCH + 2 * DAY_S)),
    ("GP-203", "no expiry", token(expires_at_s=None)),
    ("GP-203", "expired", token(issued_at_s=EPOCH - 900, expires_at_s=EPOCH - 300)),
    ("GP-203", "for a month", token(expires_at_s=EPOCH + 30 * DAY_S)),
    ("GP-203", "ends before it begins", token(issued_at_s=EPOCH, expires_at_s=EPOCH - 60)),
    ("GP-204", "no route", door("validations", *MISSING)),
    ("GP-204", "good one refused", judged("the fresh token", {"valid": False})),
    ("GP-204", "good one refused by verify", judged("the fresh token", {}, 401, "verify")),
    ("GP-204", "another's", judged("the fresh token", {"valid": True, "user_id": "u-other"})),
    ("GP-204", "nobody's", judged("the fresh token", {"valid": True})),
    ("GP-204", "garbage is valid", judged("a garbage token", {"valid": True, "user_id": USER})),
    ("GP-204", "garbage with a word", judged("a garbage token", {"valid": "false"})),
    ("GP-204", "garbage is an error", judged("a garbage token", {"detail": "boom"}, 500)),
    ("GP-204", "garbage, 401 and valid", judged("a garbage token", {"valid": True}, 401)),
    ("GP-204", "valid by GET", judged("a garbage token", {"valid": True}, route="verify by GET")),
    ("GP-204", "second user is the first", second({"valid": True, "user_id": USER})),
    ("GP-204", "second user is nobody", second({"valid": True})),
    ("GP-204", "second user's token is none", second({"valid": False})),
    ("GP-204", "second user sees the first", second({"user_id": USER}, "auth me")),
    ("GP-205", "no refresh token", survey(login=login(has_refresh_token=False))),
    ("GP-205", "server error", swapped("refresh", "refresh", NOT_FOUND, 500)),
    ("GP-205", "no access token", swapped("refresh", "refresh", {"refresh_token": "a new"})),
    ("GP-205", "half a pair", swapped("refresh", "refresh", {"access_token": "a new"})),
    ("GP-205", "old pair", swapped("refresh", "refresh", {**NEW_PAIR, "access_token": "the same"})),
    ("GP-205", "works once", swapped("refresh", "second refresh", NOT_FOUND, 401)),
    ("GP-205", "useless", swapped("refresh", "auth me with the refreshed token", NOT_FOUND, 401)),
    ("GP-205", "opens a route", swapped("refresh", "auth me with the refresh token", {}, 200)),
    (
        "GP-205",
        "is called valid",
        door(
            "refresh",
            *closed_doors()["refresh"],
            exchange({"valid": True}, purpose="validate with the refresh token"),
        ),
    ),
    ("GP-205", "opens the socket", socket(OPENED, welcome())),
    ("GP-205", "is served", socket(OPENED, heard({"type": "ack"}, 0.1))),
    ("GP-206", "backend refuses", door("agreement", *knocks("the fresh token", 401))),
    (
        "GP-206",
        "backend answers 403",
        swapped("agreement", "backend threads with the fresh token", {"detail": "no"}, 403),
    ),
    (
        "GP-206",
        "only the backend accepts",
        survey(
            asked={
                **closed_doors(),
                "validations": tuple(
                    replace(e, body='{"valid": false}') for e in closed_doors()["validations"]
                ),
                "agreement": (
                    knocks("the fresh token", 200)[0],
                    knocks("the fresh token", 401)[1],
                ),
            }
        ),
    ),
    ("GP-207", "open", closed("[]", 200)),
    ("GP-207", "open to garbage", closed("[]", 200, "a garbage token")),
    ("GP-207", "open to a forgery", closed("[]", 200, "a wrongly signed token")),
    ("GP-207", "open to headers", closed("[]", 200, "bypass headers and no token")),
    ("GP-207", "thread made by nobody", written(steps.NOBODY_CREATED, {"id": "thr-9"}, 201)),
    ("GP-207", "message of nobody", written(steps.NOBODY_WRITTEN, {"id": "m-9"})),
    ("GP-207", "thread changed by nobody", written(steps.NOBODY_CHANGED, {})),
    ("GP-207", "thread deleted by nobody", written(steps.NOBODY_DELETED, "", 204)),
    ("GP-207", "server error", closed({"detail": "Internal Server Error"}, 500)),
    ("GP-207", "web page", closed(PAGE, content_type="text/html")),
    ("GP-207", "to a login page", closed("", 302)),
    ("GP-207", "stack trace", closed({"error": "x", "stack_trace": ["routing.py:75 in app"]})),
    ("GP-207", "trace in a text", closed({"detail": 'File "a/b.py", line 3, in f'})),
    ("GP-207", "trace of a script", closed({"detail": "at Server.emit (node:events:517:28)"})),
    ("GP-207", "setting", closed({"error": "x", "details": {"JWT_SECRET_KEY": "0b7c1e8f5a2d"}})),
    ("GP-207", "words as a secret", closed({"error": "x", "SERVICE_SECRET": "open-sesame"})),
    ("GP-207", "address", closed({"detail": "no: postgresql://app:hunter22@db:5432/netra"})),
    ("GP-207", "a known secret", closed({"error": "x", "k": "(a secret of 28 characters)"})),
    ("GP-207", "in a web page", closed("<p>JWT_SECRET_KEY = 0b7c1e8f5a2d</p>", 500)),
    ("GP-208", "no headers", root()),
    ("GP-208", "no transport security", root(*SAFE_HEADERS)),
    ("GP-208", "sniffed", root(*HTTPS[1:])),
    ("GP-208", "framed", root(HTTPS[0], HTTPS[2])),
    (
        "GP-208",
        "shared with anybody",
        root(
            *HTTPS,
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
        ),
    ),
    ("GP-208", "redirect away", root(*HTTPS, ("location", "https://other.example/"), status=307)),
    ("GP-208", "redirect to http", root(*HTTPS, ("location", "http://target/x"), status=307)),
    ("GP-208", "no address", root(*HTTPS, ("location", "https://[x/"), status=307)),
    ("GP-208", "script reads it", cookie("session=***; Secure; SameSite=Lax")),
    ("GP-208", "crosses sites", cookie("session=***; Secure; HttpOnly")),
    ("GP-208", "in the clear", cookie("session=***; HttpOnly; SameSite=Lax")),
    (
        "GP-208",
        "none is secure only",
        cookie("session=***; HttpOnly; SameSite=None", "http://target/auth/login"),
    ),
    ("GP-209", "lie", token(expires_at_s=EPOCH + 7199)),
]
