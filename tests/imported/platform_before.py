"""A platform of before the outage was mended: from_request knows no websocket_client_id."""

from __future__ import annotations

import platform_now


class UserExecutionContext(platform_now.UserExecutionContext):
    """The same context, made without a connection."""

    @classmethod
    def from_request(  # type: ignore[override]  # that is the outage
        cls, user_id: str, thread_id: str, run_id: str
    ) -> UserExecutionContext:
        """Make the context of a request."""
        return cls(user_id, thread_id, run_id)
