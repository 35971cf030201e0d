"""The asynchronous fixtures behind the public ones; registered when a check was collected."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio

from pytest_goldenpath.contract.judgement import Judgement, judge
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.errors import CheckBlocked, InfraError
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.conduct import conduct, hold_journey
from pytest_goldenpath.journey.login import User, log_in
from pytest_goldenpath.journey.web import Web, tls_context
from pytest_goldenpath.plugin.asking import Asker
from pytest_goldenpath.plugin.collection import requirements_of
from pytest_goldenpath.plugin.outcomes import JUDGED
from pytest_goldenpath.plugin.proof import require
from pytest_goldenpath.plugin.run import run_of
from pytest_goldenpath.target.model import Target
from pytest_goldenpath.target.urls import is_loopback

_TIMEOUT_S = 30.0


@pytest.fixture(scope="session")
def _goldenpath_target(pytestconfig: pytest.Config) -> Target:
    return run_of(pytestconfig).target()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _goldenpath_survey(pytestconfig: pytest.Config) -> Survey:
    run = run_of(pytestconfig)
    target = run.target()
    with run.turn():
        return run.recall() or run.keep(
            await conduct(
                target,
                run.credentials(),
                run.expired_token,
                run.redactor,
                run.wanted,
                budget_s=run.settings.survey_budget_s,
            )
        )


@pytest.fixture
def _goldenpath_prove(
    request: pytest.FixtureRequest, _goldenpath_survey: Survey
) -> Callable[[], None]:
    codes = requirements_of(request.node)

    def prove() -> None:
        __tracebackhide__ = True
        judgements: tuple[Judgement, ...] = tuple(judge(c, _goldenpath_survey) for c in codes)
        request.node.stash[JUDGED] = judgements
        require(judgements)

    return prove


@pytest.fixture(scope="session")
def _goldenpath_golden_journey(_goldenpath_survey: Survey) -> Transcript:
    missing = _goldenpath_survey.missing.get("journey")
    if missing and missing.symptom:
        raise InfraError(missing.symptom)
    if _goldenpath_survey.journey is None:
        reason = missing.reason if missing else "no journey was made"
        blockers = missing.blocked_by if missing else ()
        findings = (f for code in blockers for f in judge(code, _goldenpath_survey).broken)
        raise CheckBlocked(("the journey",), reason, tuple(findings))
    return _goldenpath_survey.journey


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _goldenpath_user(pytestconfig: pytest.Config, _goldenpath_target: Target) -> User:
    run = run_of(pytestconfig)
    async with Web(_goldenpath_target.backend, run.redactor, Stopwatch()) as web:
        login, user = await log_in(_goldenpath_target, run.credentials(), web, run.redactor)
    if user is None:
        survey = Survey(login=login)
        if login.exchange and login.exchange.symptom:
            raise InfraError(login.exchange.symptom)
        raise CheckBlocked(("the user",), "nobody could log in", judge("GP-201", survey).broken)
    return user


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _goldenpath_http(
    _goldenpath_target: Target, _goldenpath_user: User
) -> AsyncIterator[httpx.AsyncClient]:
    backend = _goldenpath_target.backend
    async with httpx.AsyncClient(
        base_url=backend,
        verify=tls_context() if backend.startswith("https") else False,
        trust_env=not is_loopback(backend),
        follow_redirects=False,
        timeout=_TIMEOUT_S,
        headers={"authorization": f"Bearer {_goldenpath_user.token.reveal()}"},
    ) as client:
        yield client


@pytest.fixture
def _goldenpath_journey(
    pytestconfig: pytest.Config, _goldenpath_target: Target, _goldenpath_user: User
) -> Asker:
    redactor = run_of(pytestconfig).redactor

    async def ask(prompt: str) -> Transcript:
        target = replace(_goldenpath_target, prompt=prompt)
        return await hold_journey(target, _goldenpath_user, redactor)

    return ask
