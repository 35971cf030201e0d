"""The healthy backend that most of these tests share."""

from collections.abc import Iterator

import pytest

from reference.driver import Twin, started


@pytest.fixture(scope="session")
def healthy() -> Iterator[Twin]:
    """One healthy backend for all tests that leave it healthy."""
    with started("--heartbeat", "0.3") as twin:
        yield twin
