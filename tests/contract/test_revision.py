"""Which build answers (GP-106): health, every other answer of the backend, and its sockets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import exchange, healthy_entries, journey, login, survey
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Entry, Kind

NEW, OLD = "new-2", "old-1"
API = "http://target/api/threads"


def saying(url: str = API, **headers: str) -> tuple[Any, ...]:
    """Build one answer whose headers say which build it is."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return (exchange({}, url=url, headers=pairs),)


def health(revision: str = NEW, **headers: str) -> tuple[Any, ...]:
    """Build health answers that say their build in the body, and in headers if any are given."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    answer = exchange({"status": "ok", "revision": revision}, headers=pairs)
    return (answer, answer)


def looked(part: tuple[Any, ...], known: tuple[Any, ...], **changes: Any) -> Survey:
    """Build a survey with one further answer."""
    good = survey()
    return replace(good, health=known, asked={**good.asked, "agents_api": part}, **changes)


def opened(**headers: str) -> Survey:
    """Build a survey whose journey's upgrade says which build it is."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    entries = (Entry(0.01, Kind.OPENED, "jwt.***", headers=pairs), *healthy_entries()[1:])
    return survey(health=health(x_revision=NEW), journey=journey(entries))


LOGIN = "http://auth/auth/login"
OF_AUTH = replace(login(), exchange=saying(LOGIN, x_revision=OLD)[0])
AUTHS_HEALTH = (exchange(purpose="auth health", url="http://auth/health"),)
BELOW = (exchange(purpose="auth health", url="http://target/login-service/health"),)

BROKEN: dict[str, Survey] = {
    "api of the old build": looked(saying(x_revision=OLD), health(x_revision=NEW)),
    "header that health has not": looked(saying(x_revision=OLD), health(), expected_revision=NEW),
    "expected": looked(saying(x_revision=OLD), health(x_revision=NEW), expected_revision=NEW),
    "version": looked(
        saying(x_service_version="1"), health(x_service_version="2"), expected_revision=NEW
    ),
    "named service": looked(
        saying(x_revision=OLD, x_service_name="api"), health(x_revision=NEW, x_service_name="api")
    ),
    "nameless answer": looked(saying(x_revision=OLD), health(x_revision=NEW, x_service_name="api")),
    "two answers, silent health": looked(
        (*saying(x_revision=OLD), *saying(x_revision=NEW)), health()
    ),
    "health's own headers": survey(health=(*health(x_revision=NEW), *health(x_revision=OLD))),
    "upgrade": opened(x_revision=OLD),
    "expected upgrade": replace(opened(x_revision=OLD), expected_revision=NEW),
    "auth at one address": survey(
        health=health(x_revision=NEW),
        auth_health=health(x_revision=NEW),
        login=replace(login(), exchange=saying("http://target/auth/login", x_revision=OLD)[0]),
    ),
}
HEALTHY: dict[str, Survey] = {
    "same build": looked(saying(x_revision=NEW), health(x_revision=NEW), expected_revision=NEW),
    "silent answer": looked(saying(), health(x_revision=NEW), expected_revision=NEW),
    "no word of health": looked(saying(x_revision=OLD), health()),
    "version beside": looked(
        saying(x_service_version="1.0.0"), health(x_service_version="1.0.0"), expected_revision=NEW
    ),
    "version alone": looked(saying(x_app_version="1.0.0"), health(), expected_revision=NEW),
    "version of one kind": looked(saying(x_service_version="1"), health(x_app_version="2")),
    "another service": looked(
        saying(x_revision=OLD, x_service_name="pdf"), health(x_revision=NEW, x_service_name="api")
    ),
    "another host": looked(saying("http://cdn/api/x", x_revision=OLD), health(x_revision=NEW)),
    "auth of its own": survey(
        health=health(x_revision=NEW),
        auth_health=AUTHS_HEALTH,
        login=OF_AUTH,
        expected_revision=NEW,
    ),
    "auth below the same host": survey(
        health=health(x_revision=NEW),
        auth_health=BELOW,
        login=replace(
            login(), exchange=saying("http://target/login-service/auth/login", x_revision=OLD)[0]
        ),
    ),
    "upgrade": opened(x_revision=NEW),
    "silent upgrade": opened(),
}


@pytest.mark.parametrize("observed", BROKEN.values(), ids=BROKEN)
def test_answer_of_another_build_is_found(observed: Survey) -> None:
    """A stale or a mixed rollout is found wherever it answers, and the answer is shown."""
    (finding,) = judge("GP-106", observed).broken

    assert "got " in finding.message
    assert finding.evidence


@pytest.mark.parametrize("observed", HEALTHY.values(), ids=HEALTHY)
def test_one_build_is_not_accused(observed: Survey) -> None:
    """Silence says nothing, a version is no revision, and other services have builds of their own."""
    assert judge("GP-106", observed).findings == ()
