"""What resembles an open door and is none, and what is true of any token or answer."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import EPOCH, SAFE_HEADERS, closed_doors, exchange, knocks, login, survey, token_facts
from examples_doors import (
    DAY_S,
    HTTPS,
    MISSING,
    NOT_FOUND,
    OTHER_USER,
    at_backend,
    closed,
    cookie,
    door,
    handed,
    judged,
    root,
    second,
    socket,
    swapped,
    token,
    written,
    wrong,
)
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.rules import threads as steps
from pytest_goldenpath.contract.rules.doors import LEAK, leaks
from pytest_goldenpath.contract.rules.token import LONGEST_S
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.contract.transcript import Entry
from pytest_goldenpath.contract.transcript import Kind as Happened

CODES = [*(f"GP-20{number}" for number in range(2, 10)), "GP-801"]
UNAVAILABLE = Symptom(Kind.HTTP_STATUS, "x", status=503, app_made=True, ready=True)
CUT_503 = exchange({"error": "busy"}, purpose="x", status=503, symptom=UNAVAILABLE)
VALIDATE_ONLY = tuple(
    replace(e, status=404, body="{}") if e.purpose.startswith("verify") else e
    for e in closed_doors()["validations"]
)
PAGE_BY_GET = tuple(
    replace(e, body="<html></html>") if e.purpose.startswith("verify by GET") else e
    for e in closed_doors()["validations"]
)
HEALTHY: list[tuple[str, Survey]] = [
    ("422 of a framework", wrong({"detail": [{"type": "missing", "loc": ["body"]}]}, 422)),
    ("problem document", wrong({"detail": "no"}, content_type="application/problem+json")),
    ("RS256", token(algorithm="RS256")),
    ("many audiences", token(audiences=("somebody-else", "netra-backend"))),
    (
        "exactly a day",
        survey(
            login=login(
                expires_in_s=float(DAY_S),
                token=token_facts(issued_at_s=EPOCH, expires_at_s=EPOCH + DAY_S),
            )
        ),
    ),
    ("clock of a minute", token(issued_at_s=EPOCH + 60, expires_at_s=EPOCH + 960)),
    ("subject is the address", survey(login=login(subject="a@b.c", email="a@b.c"))),
    ("ready token", survey(login=login(exchange=None, way="token", has_refresh_token=False))),
    (
        "development login",
        survey(
            login=login(
                way="development login",
                has_refresh_token=False,
                token=token_facts(audiences=("development",)),
            )
        ),
    ),
    ("only validate", door("validations", *VALIDATE_ONLY)),
    ("401 for garbage", judged("a garbage token", {"detail": "Invalid token"}, 401)),
    (
        "only services may ask",
        judged("the fresh token", {"valid": False, "error": "invalid_service_secret"}),
    ),
    (
        "nested user",
        judged("the fresh token", {"valid": True, "user": {"id": "u-12345678-abcd"}}),
    ),
    ("refusal of a refresh", socket(Entry(0.1, Happened.REFUSED, code=403))),
    ("second user", second({"valid": True, "user_id": OTHER_USER})),
    ("second user of a nested answer", second({"valid": True, "user": {"id": OTHER_USER}})),
    ("second user by me", second({"id": OTHER_USER}, "auth me")),
    ("me tells no id", second({"name": "str"}, "auth me")),
    ("me is missing", second(NOT_FOUND, "auth me", 404)),
    ("page for who asks by GET", door("validations", *PAGE_BY_GET)),
    ("backend refuses in its manner", at_backend("<html>no</html>", 403)),
    ("backend says no with 200", at_backend({"success": False, "access_token": ""}, 200)),
    ("trial login without a key set up", handed({"detail": "not configured"}, 500)),
    ("trial login that gives nothing", handed({"access_token": None, "user": {}})),
    ("write on a route that is missing", written(steps.NOBODY_WRITTEN, NOT_FOUND, 405)),
    ("write that was declined", written(steps.NOBODY_CHANGED, {"success": False})),
    ("403 for strangers", closed({"detail": "Not authenticated"}, 403)),
    ("nested refusal", closed({"detail": {"error": "authentication_failed", "message": "x"}})),
    ("word about a secret", closed({"error": "x", "hint": {"password": "missing_or_invalid"}})),
    ("masked setting", closed({"error": "x", "JWT_SECRET_KEY": "********"})),
    ("version of a runtime", closed({"error": "x", "detail": "try node.js 18 or app.py"})),
    ("empty trace", closed({"error": "x", "stack_trace": None})),
    (
        "route of a later build",
        survey(
            asked={
                **closed_doors(),
                "agreement": (
                    *knocks("the fresh token", 200),
                    exchange(NOT_FOUND, purpose="backend history with the fresh token", status=404),
                ),
                "unauthorized": (
                    *knocks("no token", 401),
                    exchange(NOT_FOUND, purpose="backend history with no token", status=404),
                    exchange({}, purpose="backend agents with no token", status=200),
                ),
            }
        ),
    ),
    (
        "route that is broken for everybody",
        survey(
            asked={
                **closed_doors(),
                "agreement": (
                    exchange({}, purpose="backend threads with the fresh token", status=500),
                    *knocks("the fresh token", 200)[1:],
                    exchange("[]", purpose="backend history with the fresh token"),
                ),
                "unauthorized": (
                    exchange({"detail": "x"}, purpose="backend threads with no token", status=500),
                    *knocks("no token", 401)[1:],
                ),
            }
        ),
    ),
    ("all headers", root(*HTTPS)),
    ("loopback", root(*SAFE_HEADERS, url="http://127.0.0.1:8000/")),
    (
        "framed by a policy",
        root(HTTPS[0], HTTPS[2], ("content-security-policy", "frame-ancestors 'none'")),
    ),
    ("public without credentials", root(*HTTPS, ("access-control-allow-origin", "*"))),
    ("redirect on the host", root(*HTTPS, ("location", "/welcome"), status=307)),
    ("redirect to https", root(*SAFE_HEADERS, ("location", "https://h/"), url="http://h/")),
    ("closed cookie", cookie("session=***; Secure; HttpOnly; SameSite=Lax")),
    ("cookie on loopback", cookie("session=***; HttpOnly; samesite=strict", "http://127.0.0.1/")),
    ("load balancer", cookie("GCLB=***; path=/")),
    ("script's cookie", cookie("__Host-csrf=***; path=/")),
    ("rounded", survey(login=login(expires_in_s=899.0))),
]


@pytest.mark.parametrize(
    "observed", [observed for _, observed in HEALTHY], ids=[name for name, _ in HEALTHY]
)
def test_healthy_manner_is_not_accused(observed: Survey) -> None:
    """What a healthy platform may do breaks none of these promises, not even a should."""
    assert [finding for code in CODES for finding in judge(code, observed).findings] == []


@pytest.mark.parametrize("code", ["GP-203", "GP-209"])
def test_nothing_is_said_of_a_token_that_never_came(code: str) -> None:
    """Without a login these promises are undecided, and the login's finding stands for them."""
    failed = exchange({"detail": "Authentication failed"}, status=500)
    observed = survey(login=login(exchange=failed, has_access_token=False, token=None))
    judgement = judge(code, observed)

    assert (judgement.findings, judgement.proven) == ((), False)
    assert [finding.code for finding in judgement.blocking] == ["GP-201"]


@pytest.mark.parametrize(
    ("code", "observed"),
    [
        (
            "GP-204",
            door(
                "validations",
                exchange(
                    {"valid": False, "error": "service_not_configured"},
                    purpose="validate with the fresh token",
                ),
                *MISSING[2:],
            ),
        ),
        ("GP-209", survey(login=login(exchange=None, way="token"))),
        ("GP-202", survey(asked={}, missing={"refused_logins": Missing("x", skipped=True)})),
        ("GP-205", survey(asked={}, missing={"refresh": Missing("x", skipped=True)})),
    ],
)
def test_what_a_target_does_not_offer_is_skipped(code: str, observed: Survey) -> None:
    """No promise is broken, and none is proven, by what cannot be looked at."""
    judgement = judge(code, observed)

    assert (judgement.skipped, judgement.findings) == (True, ())


@pytest.mark.parametrize(
    ("code", "name", "purpose"),
    [
        ("GP-206", "agreement", "backend threads with the fresh token"),
        ("GP-205", "refresh", "refresh"),
    ],
)
def test_own_503_is_told_by_its_own_promise(code: str, name: str, purpose: str) -> None:
    """A door that answers 503 leaves its promise undecided; GP-109 tells of it."""
    busy = replace(CUT_503, purpose=purpose, at_s=9.0)
    judgement = judge(code, door(name, busy))

    assert (judgement.findings, judgement.proven) == ((), False)
    assert judge("GP-109", door(name, busy)).broken


def test_both_services_refuse() -> None:
    """A token that nobody accepts is no secret mismatch; it is the auth service's failure."""
    refusals = tuple(replace(e, body='{"valid": false}') for e in closed_doors()["validations"])
    asked = {"validations": refusals, "agreement": knocks("the fresh token", 401)}
    judgement = judge("GP-206", survey(asked=asked))

    assert (judgement.findings, judgement.proven) == ((), False)
    assert judgement.blocking[0].code == "GP-204"


def test_refreshed_token_needs_a_door_that_works() -> None:
    """When no route accepts the login's token, the refreshed one cannot be tried."""
    observed = swapped("agreement", "auth me with the fresh token", {}, 401)
    closed_to_all = {
        **observed.asked,
        "agreement": tuple(replace(e, status=401) for e in observed.asked["agreement"]),
    }
    judgement = judge("GP-205", replace(observed, asked=closed_to_all))

    assert (judgement.findings, judgement.proven) == ((), False)


def test_should_rule_accuses_as_a_should() -> None:
    """An answer that never comes weighs no more than the promise that it keeps from proof."""
    slow = Symptom(Kind.ANSWER_TIMEOUT, "backend root", ready=True)
    judgement = judge("GP-208", survey(asked={}, missing={"roots": Missing("x", symptom=slow)}))

    assert judgement.findings
    assert judgement.broken == ()


@given(issued=st.floats(-120, 120), lifetime=st.floats(121, LONGEST_S))
def test_any_lifetime_of_a_day_is_sound(issued: float, lifetime: float) -> None:
    """Every token that is issued about now and lives for a day at most is sound."""
    facts = token_facts(issued_at_s=EPOCH + issued, expires_at_s=EPOCH + issued + lifetime)
    lives = facts.expires_at_s is not None and facts.issued_at_s is not None
    assert lives
    rounded = facts.expires_at_s - facts.issued_at_s  # type: ignore[operator]

    findings = judge("GP-203", survey(login=login(token=facts))).findings

    assert (findings == ()) is (rounded <= LONGEST_S)


@given(text=st.text(), key=st.sampled_from(["detail", "PASSWORD", "secret", "x"]))
def test_leaks_are_found_again_once_they_are_masked(text: str, key: str) -> None:
    """Where a secret was replaced by its length, the rule still knows that one stood there."""
    found = leaks({key: text})

    assert all(value in text for _, value in found)
    masked = json.loads(json.dumps({key: text}))
    for _, value in found:
        masked[key] = masked[key].replace(value, LEAK.format(len(value)))
    assert bool(leaks(masked)) is bool(found)
