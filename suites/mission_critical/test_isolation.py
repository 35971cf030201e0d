"""Nobody sees what is somebody else's."""

from collections.abc import Callable

import pytest

Prove = Callable[[], None]


@pytest.mark.requirement("GP-602")
def test_threads_are_their_owners(prove: Prove) -> None:
    """A second user cannot list, read or write the first user's threads and messages."""
    prove()
