"""A platform of after the outage, as far as a request's context goes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True)
class UserExecutionContext:
    """Who asks, and over which connection."""

    user_id: str
    thread_id: str
    run_id: str
    websocket_client_id: str | None = None
    agent_context: dict[str, object] = field(default_factory=dict)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def websocket_connection_id(self) -> str | None:
        """The client id by its other name."""
        return self.websocket_client_id

    @classmethod
    def from_request(
        cls, user_id: str, thread_id: str, run_id: str, websocket_client_id: str | None = None
    ) -> UserExecutionContext:
        """Make the context of a request."""
        return cls(user_id, thread_id, run_id, websocket_client_id)

    @classmethod
    def from_request_supervisor(
        cls, user_id: str, thread_id: str, run_id: str, websocket_connection_id: str | None = None
    ) -> UserExecutionContext:
        """Make a context in the supervisor's words."""
        return cls(user_id, thread_id, run_id, websocket_connection_id)


NOT_A_CLASS = "text"
