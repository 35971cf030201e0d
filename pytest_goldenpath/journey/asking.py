"""Asking the agent: what is sent, and when its run is over (protocol 3.5, 4.7)."""

from __future__ import annotations

import json

from pytest_goldenpath.contract.frames import EVENTS, Frame, Sort, is_resent
from pytest_goldenpath.contract.transcript import Request, is_mine
from pytest_goldenpath.journey.conversation import Outgoing, Step


class Ask(Step):
    """Send the request and listen until the last agent has completed."""

    label = "request"

    def __init__(
        self,
        request: Request,
        user_id: str,
        *,
        only_start: bool = False,
        after: Ask | None = None,
    ) -> None:
        """Take what to ask and how long to wait.

        Args:
            request: with its budgets.
            user_id: whose it is.
            only_start: whether its first event will do.
            after: an earlier question; while it has no end, nobody asks this one.

        """
        self._only_start = only_start
        self._after = after
        self.is_over = False
        self._request = request
        self._user_id = user_id
        self._open_agents: list[str] = []
        self._lead: str | None = None
        self._started_s = 0.0
        self._last_s = 0.0
        self._heard_any = False
        self._settles_s: float | None = None

    def begin(self, at_s: float) -> tuple[Outgoing, ...]:
        """Send the request in the form that every handler understands (protocol 3.5)."""
        self._started_s = self._last_s = at_s
        if self._after and not self._after.is_over:
            self._settles_s = at_s
            return ()
        return (Outgoing(self.label, request_message(self._request, self._user_id)),)

    def hear(self, at_s: float, frame: Frame) -> bool:
        """End when every agent that started has completed, or the target gave up."""
        if frame.sort is Sort.FAILURE:
            if frame.name in _FINAL_FAILURES:
                self._settles_s = at_s + _SETTLE_S
            return self._only_start
        if frame.sort is not Sort.EVENT or not is_mine(frame, self._user_id, self._request):
            return False
        self._last_s = at_s
        self._heard_any = True
        self._settles_s = None
        self.is_over = False
        if self._only_start:
            return True
        agent = frame.text("agent_name", "agent", "agent_id")
        if frame.name == EVENTS[0]:
            self._lead = agent if self._lead is None else self._lead
            if not (is_resent(frame) and agent in self._open_agents):
                self._open_agents.append(agent)
        if frame.name == EVENTS[-1]:
            ends = self._completes(at_s, agent, answered=self._is_answered(frame.answer()))
            self.is_over = ends or self._settles_s is not None
            return ends
        return False

    def deadline_s(self) -> float:
        """Return the end of the silence that is allowed, or of the whole run."""
        if self._settles_s is not None:
            return self._settles_s
        budgets = self._request
        if self._only_start:
            return self._started_s + _GRACE * budgets.first_event_s
        silence = max(budgets.silence_s, 0.0 if self._heard_any else budgets.first_event_s)
        return min(self._last_s + _GRACE * silence, self._started_s + _GRACE * budgets.run_s)

    def is_late(self) -> bool:
        """Tell that the run did not end, unless it only was given time to settle."""
        return self._settles_s is None

    def _is_answered(self, answer: str) -> bool:
        """Tell whether a text may be the answer: it shows something of what was asked for."""
        wanted = [word for word in (self._request.marker, self._request.expected) if word]
        return bool(answer) and (not wanted or any(word in answer for word in wanted))

    def _completes(self, at_s: float, agent: str, *, answered: bool) -> bool:
        """Treat the supervisor's completion, or the last one, as the end (protocol 4.7.4).

        Agents may run one after another with nobody above them, so a completion that leaves
        no agent open is the end only when nothing follows for a moment; without an answer in it
        it is an event like any other. One that names no agent may be anybody's (protocol 4.2).
        """
        if agent in self._open_agents:
            self._open_agents.remove(agent)
        if any(word in agent.lower() for word in _SUPERVISORS) and self._lead in {None, "", agent}:
            return agent not in self._open_agents
        if answered and not (agent and self._open_agents):
            self._settles_s = at_s + _SETTLE_S
        return False


_SUPERVISORS = ("supervisor", "orchestrator")
_SETTLE_S = 0.5
#: What comes a little late is heard and called late, and not called missing.
_GRACE = 1.2
_FINAL_FAILURES = frozenset({"agent_error", "agent_failed", "agent_death"})


def request_message(request: Request, user_id: str) -> str:
    """Write a request with every field that some handler reads, at the root (protocol 3.5)."""
    return json.dumps(
        {
            "type": request.message_type,
            "content": request.text,
            "message": request.text,
            "user_request": request.text,
            "text": request.text,
            "agent_type": "supervisor",
            "user_id": user_id,
            "thread_id": request.thread_id,
            "run_id": request.run_id,
            "message_id": request.message_id,
        }
    )
