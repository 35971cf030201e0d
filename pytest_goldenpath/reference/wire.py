"""What the server sends: events in the shape of each build, all other frames, their encoding.

The shapes of events are those of protocol.md 4.1 to 4.5.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from pytest_goldenpath.reference.events import (
    COMPLETED,
    EXECUTING,
    FIVE,
    STARTED,
    THINKING,
    TOOL_DONE,
    Event,
)
from pytest_goldenpath.reference.web import iso

Frame = dict[str, object]
Shape = Callable[[Event], Frame]

_STATUS = {
    STARTED: "started",
    THINKING: "thinking",
    EXECUTING: "executing",
    TOOL_DONE: "completed",
    COMPLETED: "completed",
}

FEATURES = ("full_business_logic", "golden_path_integration", "agent_orchestration")

_HUGE = 1_500_000


def _only(frame: Frame) -> Frame:
    """Return the frame without the keys that have nothing to say."""
    return {key: value for key, value in frame.items() if value is not None}


def _stamp(event: Event) -> str | None:
    return iso(event.at) if event.at else None


def _story(event: Event) -> str:
    if event.name == STARTED:
        return f"{event.agent} has started to work. {event.text('task')}"
    if event.name == COMPLETED:
        return f"{event.agent} has finished its work."
    verb = "uses" if event.name == EXECUTING else "has used"
    return f"{event.agent} {verb} {event.text('tool')}."


def _answer(event: Event) -> object:
    if "answer" not in event.fields:
        return None
    return {"response": event.fields["answer"], "figures": event.fields.get("figures")}


@dataclass(frozen=True, slots=True)
class Bridge:
    """Shape A: root fields and a container; what stands where moved with the versions."""

    container: str
    tool_at_root: bool = False
    results_at_root: bool = False

    def __call__(self, event: Event) -> Frame:
        """Return the frame."""
        fields = event.fields
        inner: Frame = {"status": fields.get("status", _STATUS.get(event.name))}
        frame: Frame = {
            "type": event.name,
            "run_id": event.run_id or None,
            "user_id": event.user_id or None,
            "agent_name": event.agent or None,
            "timestamp": _stamp(event),
        }
        if event.name == THINKING:
            step = fields.get("step")
            inner |= {"reasoning": fields.get("reasoning"), "step_number": step}
            inner["progress_percentage"] = 20.0 * step if isinstance(step, int) else None
        else:
            inner["message"] = _story(event)
        if event.name in {EXECUTING, TOOL_DONE}:
            (frame if self.tool_at_root else inner)["tool_name"] = fields.get("tool")
            inner |= {"parameters": fields.get("parameters")}
            inner |= {"execution_id": fields.get("execution_id")}
        if event.name == TOOL_DONE:
            inner["result"] = fields.get("results")
            frame["results"] = fields.get("results") if self.results_at_root else None
        if event.name == COMPLETED:
            inner["result"] = _answer(event)
        inner["execution_time_ms"] = fields.get("duration_ms")
        return _only(frame) | {self.container: _only(inner)}


def _business(event: Event) -> Frame:
    """Return the fields of shape B, which stand in a container or at the root."""
    fields = event.fields
    frame: Frame = {
        "timestamp": _stamp(event),
        "user_id": event.user_id or None,
        "thread_id": event.thread_id or None,
        "run_id": event.run_id or None,
        "agent_name": event.agent or None,
        "task_description": fields.get("task"),
        "reasoning": fields.get("reasoning"),
        "tool_name": fields.get("tool"),
        "parameters": fields.get("parameters"),
        "tool_args": fields.get("parameters"),
        "execution_id": fields.get("execution_id"),
    }
    seconds = fields.get("duration_ms")
    if isinstance(seconds, float):
        frame |= {"duration": seconds / 1000, "execution_time": seconds / 1000}
    if event.name == TOOL_DONE:
        frame |= {"results": fields.get("results"), "success": True}
    if event.name == COMPLETED:
        frame |= {"status": "completed", "final_response": fields.get("answer")}
    return _only(frame)


def _manager_v11(event: Event) -> Frame:
    root: Frame = {"type": event.name, "data": _business(event), "timestamp": _stamp(event)}
    return _only(root) | {"critical": True, "attempt": None}


def _manager_v15(event: Event) -> Frame:
    root: Frame = {"type": event.name, "payload": _business(event), "timestamp": _stamp(event)}
    return _only(root) | {"critical": True}


def _manager(event: Event) -> Frame:
    return {"type": event.name, **_business(event), "critical": True}


def _typed(event: Event) -> Frame:
    fields = event.fields
    frame: Frame = {
        "type": event.name,
        "timestamp": event.at or None,
        "event_id": f"evt_{abs(hash((event.run_id, event.at, event.name))):x}",
        "user_id": event.user_id or None,
        "thread_id": event.thread_id or None,
        "run_id": event.run_id or None,
        "agent_name": event.agent or None,
        "thought": fields.get("reasoning"),
        "step": fields.get("step"),
        "tool_name": fields.get("tool"),
        "parameters": fields.get("parameters"),
        "results": fields.get("results"),
        "duration_ms": fields.get("duration_ms"),
        "final_response": fields.get("answer"),
        "metadata": {"execution_id": fields["execution_id"]} if "execution_id" in fields else None,
    }
    if event.name == STARTED:
        frame["message"] = _story(event)
    if event.name == COMPLETED:
        frame["status"] = "completed"
    return _only(frame)


def _envelope(event: Event) -> Frame:
    business = _business(event)
    data: Frame = {"event": event.name, "type": event.name, **business, "payload": business}
    if event.name == COMPLETED:
        data |= {"status": "success", "content": business.pop("final_response", None)}
        data.pop("final_response", None)
    return {"type": "system_message", "data": _only(data), "timestamp": event.at}


def _demo(event: Event) -> Frame:
    fields = event.fields
    frame: Frame = {
        "type": event.name,
        "timestamp": _stamp(event),
        "agent": event.agent or None,
        "run_id": event.run_id or None,
        "user_id": event.user_id or None,
        "thought": fields.get("reasoning"),
        "tool": fields.get("tool"),
        "parameters": fields.get("parameters"),
        "result": fields.get("results"),
        "response": fields.get("answer"),
        "duration": fields.get("duration_ms"),
        "status": _STATUS.get(event.name),
    }
    if event.name == STARTED:
        frame["message"] = _story(event)
    return _only(frame)


def _frontend(event: Event) -> Frame:
    return {"type": event.name, "payload": {**_business(event), "timestamp": event.at}}


SHAPES: dict[str, Shape] = {
    "V11": Bridge("payload"),
    "V13": Bridge("payload"),
    "V15": Bridge("data"),
    "V16": Bridge("data", results_at_root=True),
    "V18": Bridge("data", tool_at_root=True, results_at_root=True),
    "demo": _demo,
    "envelope": _envelope,
    "frontend": _frontend,
    "manager": _manager,
    "manager-v11": _manager_v11,
    "manager-v15": _manager_v15,
    "typed": _typed,
}


def error(code: str, message: str) -> Frame:
    """Return the flat error frame."""
    return {
        "type": "error_message",
        "error_code": code,
        "error_message": message,
        "details": {},
        "timestamp": time.time(),
        "recovery_suggestions": None,
    }


def server_message(kind: str, data: Frame) -> Frame:
    """Return a frame of the platform's usual envelope."""
    return {
        "type": kind,
        "data": data,
        "timestamp": time.time(),
        "server_id": None,
        "correlation_id": None,
    }


def ack(received: str, user_id: str) -> Frame:
    """Return the frame that says a message has come."""
    return {
        "type": "ack",
        "received_type": received,
        "timestamp": time.time(),
        "user_id": user_id,
        "status": "acknowledged",
    }


def pong(user_id: str) -> Frame:
    """Return the answer to a ping."""
    return server_message("pong", {"timestamp": time.time(), "user_id": user_id})


def heartbeat_ack() -> Frame:
    """Return the answer to a client's heartbeat."""
    return server_message("heartbeat_ack", {"timestamp": time.time(), "status": "healthy"})


def heartbeat(kind: str, connection_id: str) -> Frame:
    """Return what an idle connection gets from time to time."""
    return server_message(kind, {"connection_id": connection_id, "timestamp": iso(), "stats": {}})


def _described(user_id: str, connection_id: str) -> Frame:
    return {
        "mode": "main",
        "user_id": f"{user_id[:8]}...",
        "connection_id": connection_id,
        "golden_path_events": list(FIVE),
        "features": dict.fromkeys(FEATURES, True),
        "timestamp": iso(),
    }


def _established(user_id: str, connection_id: str) -> Frame:
    return server_message("connection_established", _described(user_id, connection_id))


def _connect(user_id: str, connection_id: str) -> Frame:
    return server_message("connect", _described(user_id, connection_id))


def _system_message(user_id: str, connection_id: str) -> Frame:
    event = {"event": "connection_established", "connection_ready": True}
    return server_message("system_message", event | _described(user_id, connection_id))


def _ready(user_id: str, connection_id: str) -> Frame:
    return server_message("connection_ready", _described(user_id, connection_id))


def _auth_success(user_id: str, connection_id: str) -> Frame:
    return {
        "type": "authentication_success",
        "event": "auth_success",
        "user_id": user_id,
        "websocket_client_id": connection_id,
        "permissions": [],
        "timestamp": iso(),
        "ssot_authenticated": True,
    }


def _payload(user_id: str, connection_id: str) -> Frame:
    payload = {
        "connection_id": connection_id,
        "user_id": f"{user_id[:8]}...",
        "timestamp": iso(),
    }
    return {"type": "connection_established", "payload": payload}


WELCOMES: dict[str, Callable[[str, str], Frame]] = {
    "welcome-auth-success": _auth_success,
    "welcome-connect": _connect,
    "welcome-established": _established,
    "welcome-payload": _payload,
    "welcome-ready": _ready,
    "welcome-system-message": _system_message,
}


class BadText(str):
    """Text that encodes to something that is not UTF-8; a server cannot send that by honest means."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return the text with two bytes in it that UTF-8 does not know."""
        return b"\xff\xfe" + super().encode(encoding, errors)


def text(frame: object) -> str:
    """Return the frame as JSON text."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def oddly(frame: dict[str, object], way: str) -> str | bytes:
    """Return the frame encoded in the wrong way that is asked for."""
    return _WAYS.get(way, _unknown)(frame)


def _renamed(frame: dict[str, object]) -> str:
    names = {"agent_started": "start_agent", "agent_completed": "agent_response_complete"}
    return text(frame | {"type": names.get(str(frame.get("type")), "agent_progress")})


def _unknown(_: dict[str, object]) -> NoReturn:
    raise ValueError("a fault asks for an encoding that wire.py does not know")


_WAYS: dict[str, Callable[[dict[str, object]], str | bytes]] = {
    "array": lambda frame: text([frame]),
    "binary": lambda frame: text(frame).encode(),
    "broken-json": lambda frame: text(frame)[:-3],
    "huge": lambda frame: text(frame | {"padding": "x" * _HUGE}),
    "nan": lambda frame: text(frame | {"score": float("nan")}),
    "not-utf8": lambda frame: BadText(text(frame)),
    "renamed": _renamed,
    "two-objects": lambda frame: text(frame) + "\n" + text(frame),
}
