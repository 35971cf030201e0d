"""The public fixtures: gateways that cost nothing until a check asks for one.

The work is done by asynchronous fixtures that are registered once a golden path check was
collected, so that an unrelated run imports neither them nor an event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    import httpx

    from pytest_goldenpath.contract.transcript import Transcript
    from pytest_goldenpath.journey.login import User
    from pytest_goldenpath.plugin.asking import Asker
    from pytest_goldenpath.target.model import Target


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    """Return the deployment under validation; the embedded backend is running then."""
    return cast("Target", request.getfixturevalue("_goldenpath_target"))


@pytest.fixture
def prove(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Return a function that proves every code of the check's ``requirement`` markers.

    It raises :class:`~pytest_goldenpath.ContractBroken` when a promise is broken. A check that
    takes this fixture and does not call it counts as a fault of the check.
    """
    return cast("Callable[[], None]", request.getfixturevalue("_goldenpath_prove"))


@pytest.fixture(scope="session")
def golden_journey(request: pytest.FixtureRequest) -> Transcript:
    """Return the transcript of the run's one golden journey, for checks that only read it."""
    return cast("Transcript", request.getfixturevalue("_goldenpath_golden_journey"))


@pytest.fixture(scope="session")
def user(request: pytest.FixtureRequest) -> User:
    """Return the user of the run, logged in."""
    return cast("User", request.getfixturevalue("_goldenpath_user"))


@pytest.fixture(scope="session")
def http(request: pytest.FixtureRequest) -> httpx.AsyncClient:
    """Return an ``httpx.AsyncClient`` for the backend that carries the user's token."""
    return cast("httpx.AsyncClient", request.getfixturevalue("_goldenpath_http"))


@pytest.fixture
def journey(request: pytest.FixtureRequest) -> Asker:
    """Return an asynchronous function that makes a journey of its own with a given prompt."""
    return cast("Asker", request.getfixturevalue("_goldenpath_journey"))
