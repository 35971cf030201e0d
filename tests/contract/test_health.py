"""A status that says up above a dependency that is ill: who is accused, and who is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import exchange, survey
from pytest_goldenpath.contract.findings import Severity
from pytest_goldenpath.contract.judgement import judge

MUST, SHOULD = Severity.MUST, Severity.SHOULD
ILL = {"status": "unhealthy"}
CONTRADICTIONS: dict[str, tuple[dict[str, object], Severity, str]] = {
    "in checks": ({"checks": {"database": ILL}}, MUST, "database unhealthy"),
    "at the root": ({"postgres": {"status": "DOWN"}}, MUST, "postgres down"),
    "a word": ({"database": "disconnected"}, MUST, "database disconnected"),
    "a word of the platform": ({"core_db": "failed"}, MUST, "core_db failed"),
    "a status of its own": ({"database_status": "error"}, MUST, "database_status error"),
    "camel case": ({"checks": {"coreDatabase": "error"}}, MUST, "coreDatabase error"),
    "state": ({"services": {"auth-service": {"state": "failed"}}}, MUST, "auth-service failed"),
    "list": ({"dependencies": [{"name": "postgres", **ILL}]}, MUST, "postgres unhealthy"),
    "list of names": ({"failed_services": ["database"]}, MUST, "database failed"),
    "details": ({"checks": {"database": {"details": ILL}}}, MUST, "database unhealthy"),
    "deep": (
        {"infrastructure": {"service_details": {"database": {**ILL, "critical_to_chat": True}}}},
        MUST,
        "database unhealthy",
    ),
    "needed by nobody": ({"checks": {"redis": ILL}}, SHOULD, "redis unhealthy"),
    "unknown": ({"components": [{"component": "pdf", **ILL}]}, SHOULD, "pdf unhealthy"),
    "a copy": ({"checks": {"database_replica": ILL}}, SHOULD, "database_replica unhealthy"),
    "below a database": ({"database": {"backup": ILL}}, SHOULD, "backup unhealthy"),
}
HEALTHY: dict[str, dict[str, object]] = {
    "platform": {"core_db": "connected", "clickhouse_db": "skipped_optional"},
    "optional words": {"redis_db": "optional_unavailable", "clickhouse_db": "disabled_optional"},
    "degraded": {"checks": {"redis": {"status": "degraded"}, "llm": "vpc_connectivity_degraded"}},
    "marked optional": {"checks": {"database": {**ILL, "optional": True}}},
    "not required": {"dependencies": [{"name": "postgres", **ILL, "required": False}]},
    "not critical": {"checks": {"auth": {**ILL, "critical": False}}},
    "optional services": {"service_availability": {"optional_services": {"database": ILL}}},
    "history": {"database": {"status": "ok", "last_check": ILL, "previous": [ILL]}},
    "recent errors": {"recent_errors": [{"service": "database", "status": "failed"}]},
    "counts": {"failed": 0, "database": {"status": "ok", "failed": 3, "error": None}},
    "no failures": {"failed_services": [], "unhealthy": []},
    "lists of weights": {"critical_services": ["database"], "services": ["database", "redis"]},
    "weight": {"database": "critical", "severity": "critical"},
    "capability": {"capabilities": {"database": "unavailable", "database_connectivity": False}},
    "prose": {"message": "database error", "mode": "down"},
    "websocket": {"websocket_readiness": {"status": "not_ready", "details": {}}},
}


@pytest.mark.parametrize(("more", "severity", "said"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_illness_below_a_status_that_says_up_is_told(
    more: dict[str, object], severity: Severity, said: str
) -> None:
    """What the golden path needs is a breach of health, anything else is told; both are named."""
    body = {"status": "healthy", **more}
    health = judge("GP-102", survey(health=(exchange(body), exchange(body)))).findings
    auth = judge("GP-104", survey(auth_health=(exchange(body, purpose="auth health"),))).findings
    ready = (exchange({**body, "status": "ready"}, purpose="backend readiness"),)
    readiness = judge("GP-108", survey(readiness=ready)).findings

    assert [finding.severity for finding in health] == [severity]
    assert [finding.severity for finding in auth] == [severity]
    assert [finding.severity for finding in readiness] == [SHOULD]
    assert all(f.message.endswith(said) for f in (*health, *auth, *readiness))


@pytest.mark.parametrize("more", HEALTHY.values(), ids=HEALTHY)
def test_healthy_body_is_not_accused(more: dict[str, object]) -> None:
    """What is optional, past, merely weighed or merely degraded contradicts nothing."""
    body = {"status": "healthy", **more}
    ready = (exchange({**body, "status": "ready"}, purpose="backend readiness"),)
    observed = survey(health=(exchange(body),), readiness=ready)

    assert [*judge("GP-102", observed).findings, *judge("GP-108", observed).findings] == []


def test_body_that_says_ill_itself_contradicts_nothing() -> None:
    """One finding is enough: the word of the whole is the one that is told."""
    body = {"status": "degraded", "checks": {"database": ILL}}
    (finding,) = judge("GP-102", survey(health=(exchange(body),))).findings

    assert "degraded" in finding.message


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["ok", "connected", "degraded"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "checks", "database", "name", "redis", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(body=st.dictionaries(st.sampled_from(["checks", "database", "services"]), BODIES))
def test_no_body_without_a_word_of_illness_is_accused(body: dict[str, object]) -> None:
    """Whatever its form, a body in which nothing is ill is that of a healthy service."""
    observed = survey(health=(exchange({**body, "status": "ok"}),))

    assert judge("GP-102", observed).findings == ()


@given(holders=st.lists(st.sampled_from(["checks", "services", "details", "x"]), max_size=3))
def test_needed_dependency_is_found_in_every_holder(holders: list[str]) -> None:
    """A database that is down is found some levels deep, and no deeper than a body may be."""
    body: object = {"database": {"status": "down"}}
    for holder in holders:
        body = {holder: body}
    assert isinstance(body, dict)
    findings = judge("GP-102", survey(health=(exchange({**body, "status": "ok"}),))).findings

    assert [finding.severity for finding in findings] == [MUST]
