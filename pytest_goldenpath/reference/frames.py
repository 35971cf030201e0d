"""The frames that are no agent events: welcome, replies to control messages, errors."""

import time
from collections.abc import Callable

from pytest_goldenpath.reference.events import FIVE
from pytest_goldenpath.reference.web import iso

Frame = dict[str, object]

FEATURES = ("full_business_logic", "golden_path_integration", "agent_orchestration")


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
