"""The fixtures; registered when a golden path check was collected.

pytest resolves a fixture's name when a test is set up, so they can come that late, and an
unrelated run pays for none of them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Protocol

import httpx
import pytest
import pytest_asyncio

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.judgement import Judgement, judge
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.errors import CheckBlocked, InfraError
from pytest_goldenpath.journey.clock import Stopwatch
from pytest_goldenpath.journey.confided import learn_cookies
from pytest_goldenpath.journey.golden import hold_journey
from pytest_goldenpath.journey.login import User, log_in
from pytest_goldenpath.journey.outage import conduct_patiently
from pytest_goldenpath.journey.web import Web, tls_context
from pytest_goldenpath.plugin.collection import requirements_of
from pytest_goldenpath.plugin.judging import with_own_attribution, with_own_judgement
from pytest_goldenpath.plugin.outcomes import HELD, JUDGED
from pytest_goldenpath.plugin.progress import teller
from pytest_goldenpath.plugin.proof import require, trouble
from pytest_goldenpath.plugin.run import Run, run_of
from pytest_goldenpath.plugin.warming import warmth_of
from pytest_goldenpath.report.files import write_transcript
from pytest_goldenpath.secrets import scrub
from pytest_goldenpath.target.model import Credentials, Target
from pytest_goldenpath.target.urls import is_loopback
from pytest_goldenpath.verdict.warmup import DB, VPC, ProbeReport

_TIMEOUT_S = 30.0


class Asker(Protocol):
    """What the ``journey`` fixture gives: ask the agent something, get the whole conversation."""

    async def __call__(self, prompt: str) -> Transcript:
        """Hold one conversation; raises InfraError when the road broke."""
        ...


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config) -> Target:
    """Return the deployment under validation; the embedded backend is running then."""
    return run_of(pytestconfig).target()


@pytest.fixture(scope="session")
def vpc_warmup(pytestconfig: pytest.Config) -> ProbeReport:
    """Return what the run's warm-up found about the road to the target's services."""
    return warmth_of(run_of(pytestconfig)).probe(VPC)


@pytest.fixture(scope="session")
def db_warmup(pytestconfig: pytest.Config) -> ProbeReport:
    """Return what the run's warm-up found about the target's database."""
    return warmth_of(run_of(pytestconfig)).probe(DB)


@pytest.fixture(scope="session")
def warm_target(target: Target, vpc_warmup: ProbeReport, db_warmup: ProbeReport) -> Target:  # noqa: ARG001  # asked for, so that they are shown in the set-up plan
    """Return the deployment under validation once it is warm; a cold one blocks the check."""
    return target


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _goldenpath_survey(pytestconfig: pytest.Config) -> Survey:
    run = run_of(pytestconfig)
    target = run.target()
    with run.turn():
        known = run.recall()
        if known is not None:
            return known
        # The warm-up has logged in as well, maybe in another process.
        run.hear()
        survey = await conduct_patiently(
            target,
            run.wallet(),
            run.redactor,
            run.wanted,
            outages=run.outages(),
            budget_s=run.survey_budget_s(),
            tell=teller(pytestconfig, run),
        )
        survey = replace(survey, bypass_names=run.settings.bypass_names)
        attributed = with_own_attribution(pytestconfig, survey, run.redactor)
        return run.keep(with_own_judgement(pytestconfig, attributed, run.redactor))


@pytest.fixture
def prove(request: pytest.FixtureRequest, _goldenpath_survey: Survey) -> Callable[[], None]:
    """Return a function that proves every code of the check's ``requirement`` markers.

    It raises :class:`~pytest_goldenpath.ContractBroken` when a promise is broken. A check that
    takes this fixture and does not call it counts as a fault of the check.
    """
    codes = requirements_of(request.node)

    def prove_them() -> None:
        __tracebackhide__ = True
        judgements: tuple[Judgement, ...] = tuple(judge(c, _goldenpath_survey) for c in codes)
        request.node.stash[JUDGED] = judgements
        require(judgements)

    return prove_them


@pytest.fixture(scope="session")
def golden_journey(_goldenpath_survey: Survey) -> Transcript:
    """Return the transcript of the run's one golden journey, for checks that only read it."""
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
async def user(pytestconfig: pytest.Config, target: Target) -> User:
    """Return the user of the run, logged in."""
    return await _logged_in(run_of(pytestconfig), target, run_of(pytestconfig).wallet().first)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def second_user(pytestconfig: pytest.Config, target: Target) -> User:
    """Return another user, logged in; the check is skipped when the run knows no second one."""
    second = run_of(pytestconfig).wallet().second
    if second is None:
        pytest.skip("there is no second user; set GOLDENPATH_EMAIL_2 and GOLDENPATH_PASSWORD_2")
    return await _logged_in(run_of(pytestconfig), target, second)


async def _logged_in(run: Run, target: Target, credentials: Credentials) -> User:
    async with Web(target.backend, run.redactor, Stopwatch()) as web:
        web.ready = bool(run.recall_warmth())
        login, logged_in = await log_in(target, credentials, web, run.redactor)
    if logged_in is None:
        survey = Survey(login=login)
        if login.exchange and login.exchange.symptom:
            raise InfraError(login.exchange.symptom)
        raise CheckBlocked(("the user",), "nobody could log in", judge("GP-201", survey).broken)
    return logged_in


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http(
    pytestconfig: pytest.Config, target: Target, user: User
) -> AsyncIterator[httpx.AsyncClient]:
    """Yield an ``httpx.AsyncClient`` for the backend that carries the user's token."""
    backend, redactor = target.backend, run_of(pytestconfig).redactor

    async def learn(response: httpx.Response) -> None:
        learn_cookies(response, redactor)

    async with httpx.AsyncClient(
        # No connection outlives its request, so checks on any event loop can share the client.
        limits=httpx.Limits(max_keepalive_connections=0),
        base_url=backend,
        verify=tls_context() if backend.startswith("https") else False,
        trust_env=not is_loopback(backend),
        follow_redirects=False,
        timeout=_TIMEOUT_S,
        event_hooks={"response": [learn]},
        headers={"authorization": f"Bearer {user.token.reveal()}"},
    ) as client:
        yield client


@pytest.fixture
def journey(request: pytest.FixtureRequest, target: Target, user: User) -> Asker:
    """Return an asynchronous function that makes a journey of its own with a given prompt.

    It raises :class:`~pytest_goldenpath.InfraError` when the road broke, which is no fault of the
    product's; whatever the product does is in the transcript.
    """
    run = run_of(request.config)
    numbers = itertools.count(1)
    name = re.sub(r"[^\w-]+", "-", request.node.name)

    async def ask(prompt: str) -> Transcript:
        conversation = await hold_journey(replace(target, prompt=prompt), user, run.redactor)
        # A prompt of somebody else's may hold a secret as well.
        held = scrub(conversation, run.redactor)
        request.node.stash.setdefault(HELD, []).append(held)
        write_transcript(run.settings.evidence_dir, f"{name}-{next(numbers)}", held)
        if held.symptom and not attribute(held.symptom).attribution.accuses:
            raise trouble(held.symptom)
        return held

    return ask
