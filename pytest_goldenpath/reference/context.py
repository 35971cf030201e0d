"""The reference platform's UserExecutionContext and what belongs to it, for validation by import.

It keeps protocol 5.2 to 5.6 in one module. ``fall_ill`` breaks it as the named faults say; the
process that calls it is the probe's own, which ends right after.
"""

import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from types import SimpleNamespace

from pytest_goldenpath.reference.fault import Seams
from pytest_goldenpath.reference.faults import FAULTS

_seams = Seams()
_PLACEHOLDERS = frozenset(
    [
        "registry",
        "placeholder",
        "default",
        "temp",
        "none",
        "null",
        "undefined",
        "0",
        "1",
        "xxx",
        "yyy",
        "example",
        "test",
        "demo",
        "sample",
        "template",
        "mock",
        "fake",
        "dummy",
    ]
)
_PREFIX = re.compile(
    r"(?:placeholder|registry|temp|example|demo|sample|template|mock|fake|default|test)_",
    re.IGNORECASE,
)
#: Names with the prefix ``default_`` that the platform accepts all the same.
_ACCEPTED = frozenset(
    f"default_{who}" for who in ["user", "admin", "system", "account", "service", "client", "guest"]
)
_SHORT = 20
_DEEPEST = 10
_TIMEOUT_S = 60
_TTL_S = 3600.0
_RESERVED = frozenset(
    [
        "user_id",
        "thread_id",
        "run_id",
        "request_id",
        "created_at",
        "db_session",
        "websocket_client_id",
    ]
)
#: Metadata of the supervisor that describes the agent; the rest describes the request.
_OF_AGENT = frozenset({"agent_name", "operation_name"})


class InvalidContextError(ValueError):
    """A context was asked for with values that no request can have."""


class ContextIsolationError(RuntimeError):
    """A context holds something of another user."""


class ExecutionState(Enum):
    """The states of an agent's execution."""

    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    COMPLETING = "completing"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    DEAD = "dead"
    CANCELLED = "cancelled"


@dataclass(frozen=True, eq=False)
class UserExecutionContext:
    """Who asks, in which thread and run, over which connection; made anew for each request."""

    user_id: str
    thread_id: str
    run_id: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    db_session: object = None
    websocket_client_id: str | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    agent_context: dict[str, object] = field(
        default_factory=lambda: _SHARED if _seams.on("context.shared") else {}
    )
    audit_metadata: dict[str, object] = field(default_factory=dict)
    operation_depth: int = 0
    parent_request_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no request can have."""
        if _seams.on("context.unvalidated"):
            return
        for name in ("user_id", "thread_id", "run_id", "request_id"):
            _check_id(name, getattr(self, name))
        for name in ("agent_context", "audit_metadata"):
            _check_metadata(name, getattr(self, name))
        self.verify_isolation()

    @classmethod
    def from_request(  # noqa: PLR0917  # the platform's signature
        cls,
        user_id: str,
        thread_id: str,
        run_id: str,
        request_id: str | None = None,
        db_session: object = None,
        websocket_client_id: str | None = None,
        agent_context: dict[str, object] | None = None,
        audit_metadata: dict[str, object] | None = None,
    ) -> "UserExecutionContext":
        """Make the context of a request."""
        given: dict[str, object] = {"request_id": request_id}
        given |= {"agent_context": agent_context, "audit_metadata": audit_metadata}
        forgets = _seams.on("context.client_id_forgotten")
        return _made(
            cls,
            user_id=user_id,
            thread_id=thread_id,
            run_id=run_id,
            db_session=db_session,
            websocket_client_id=None if forgets else websocket_client_id,
            **{name: value for name, value in given.items() if value is not None},
        )

    @classmethod
    def from_request_supervisor(  # noqa: PLR0917  # the platform's signature
        cls,
        user_id: str,
        thread_id: str,
        run_id: str,
        request_id: str | None = None,
        db_session: object = None,
        websocket_connection_id: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> "UserExecutionContext":
        """Make a context in the supervisor's words; its metadata is split in two."""
        known = metadata or {}
        lost = _seams.on("context.supervisor_unmapped")
        given = {"request_id": request_id} if request_id is not None else {}
        return _made(
            cls,
            user_id=user_id,
            thread_id=thread_id,
            run_id=run_id,
            db_session=db_session,
            websocket_client_id=None if lost else websocket_connection_id,
            agent_context={key: value for key, value in known.items() if key in _OF_AGENT},
            audit_metadata={key: value for key, value in known.items() if key not in _OF_AGENT},
            **given,
        )

    @property
    def websocket_connection_id(self) -> str | None:
        """The same as ``websocket_client_id``, by its other name."""
        return None if _seams.on("context.alias_lost") else self.websocket_client_id

    def verify_isolation(self) -> bool:
        """Return True, or raise ContextIsolationError for an object of another user."""
        if _seams.on("context.isolation_unchecked"):
            return True
        for value in (*self.agent_context.values(), *self.audit_metadata.values()):
            owner = getattr(value, "user_id", self.user_id)
            if owner != self.user_id:
                raise ContextIsolationError("the context holds an object of another user")
        return True

    def create_child_context(self, operation_name: str) -> "UserExecutionContext":
        """Make the context of a part of the work: the same user, one level deeper."""
        if not operation_name.strip():
            raise InvalidContextError("operation_name is blank")
        unlimited = _seams.on("context.children_uncounted")
        if self.operation_depth >= _DEEPEST and not unlimited:
            raise InvalidContextError(f"no operation is deeper than {_DEEPEST} levels")
        depth = self.operation_depth + (not unlimited)
        return replace(
            self,
            request_id=str(uuid.uuid4()),
            parent_request_id=self.request_id,
            operation_depth=depth,
            websocket_client_id=(
                None if _seams.on("context.children_orphaned") else self.websocket_client_id
            ),
            agent_context={
                **self.agent_context,
                "operation_name": operation_name,
                "parent_operation": self.agent_context.get("operation_name", "root"),
                "operation_depth": depth,
            },
            audit_metadata=dict(self.audit_metadata),
        )

    def with_websocket_connection(self, connection_id: str) -> "UserExecutionContext":
        """Return the same context on another connection; this one stays as it is."""
        if not connection_id.strip():
            raise InvalidContextError("connection_id is blank")
        return replace(self, websocket_client_id=connection_id)

    def with_db_session(self, session: object) -> "UserExecutionContext":
        """Return the same context with a database session; this one stays as it is."""
        if session is None:
            raise InvalidContextError("db_session is None")
        return replace(self, db_session=session)


class UserContextManager:
    """Keeps contexts by key for a while; a reader gets a copy."""

    def __init__(self, isolation_level: str = "strict") -> None:
        self.isolation_level = isolation_level
        self._kept: dict[str, tuple[UserExecutionContext, float]] = {}

    def set_context(
        self, key: str, context: UserExecutionContext, ttl_seconds: float | None = None
    ) -> None:
        """Keep a context; one that is there already is replaced."""
        _check_key(key)
        validate_user_context(context, InvalidContextError)
        self._kept[key] = (context, time.monotonic() + (ttl_seconds or _TTL_S))

    def get_context(self, key: str) -> UserExecutionContext:
        """Return a copy of a context, or raise KeyError when it is missing or expired."""
        _check_key(key)
        context, until = self._kept[key]
        if time.monotonic() > until:
            del self._kept[key]
            raise KeyError(key)
        return replace(context, agent_context=dict(context.agent_context))

    def clear_context(self, key: str) -> bool:
        """Forget a context; tell whether there was one."""
        if _seams.on("context.manager_keeps"):
            return key in self._kept
        return self._kept.pop(key, None) is not None


class AgentWebSocketBridge:
    """What carries an agent's events to its user's connection."""

    def __init__(self, user_context: object, websocket_manager: object) -> None:
        self.user_context = user_context
        self.websocket_manager = websocket_manager


def create_agent_websocket_bridge(
    user_context: object = None, websocket_manager: object = None
) -> AgentWebSocketBridge:
    """Make a bridge; both may be given later."""
    return AgentWebSocketBridge(user_context, websocket_manager)


def get_unified_config() -> SimpleNamespace:
    """Return the configuration: the environment's name and the WebSocket's time-out."""
    found = SimpleNamespace(environment="development")
    if not _seams.on("context.no_timeout"):
        found.websocket_connection_timeout = _TIMEOUT_S
    return found


def validate_user_context(
    context: object, refusal: type[Exception] = TypeError
) -> UserExecutionContext:
    """Return the context, or raise when it is none."""
    if not isinstance(context, UserExecutionContext):
        raise refusal(f"expected a UserExecutionContext, got {type(context).__name__}")
    return context


def fall_ill(names: Iterable[str]) -> None:
    """Break this module as these faults of the catalogue say."""
    global _seams  # noqa: PLW0603 - the module is what falls ill
    _seams = Seams(FAULTS[name] for name in names)
    if _seams.on("context.mutable"):
        del UserExecutionContext.__setattr__
    if _seams.on("context.without_client_id"):
        type.__setattr__(UserExecutionContext, "from_request", classmethod(_from_older_request))
    for gone in _seams.every("context.missing", str):
        del globals()[gone]
    for gone in _seams.every("context.state_missing", str):
        states = [(s.name, s.value) for s in ExecutionState if s.name != gone]
        globals()["ExecutionState"] = Enum("ExecutionState", states)


def _from_older_request(
    cls: type[UserExecutionContext], user_id: str, thread_id: str, run_id: str
) -> UserExecutionContext:
    """Make a context as the build of before the outage did."""
    return cls(user_id, thread_id, run_id)


def _made(cls: type[UserExecutionContext], **given: object) -> UserExecutionContext:
    try:
        return cls(**given)  # type: ignore[arg-type]  # what it is given is what it validates
    except InvalidContextError as error:
        if _seams.on("context.other_error"):
            raise RuntimeError(str(error)) from None
        raise


def _check_id(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidContextError(f"{name} is blank or no text")
    low = value.strip().lower()
    is_short = _PREFIX.match(low) and len(low) < _SHORT and low not in _ACCEPTED
    if (low in _PLACEHOLDERS or is_short) and not _seams.on("context.placeholders"):
        raise InvalidContextError(f"{name} is a placeholder")


def _check_metadata(name: str, value: object) -> None:
    if not isinstance(value, dict):
        raise InvalidContextError(f"{name} is no dict")
    if reserved := _RESERVED & set(value):
        raise InvalidContextError(f"{name} has the reserved key {min(reserved)}")


def _check_key(key: str) -> None:
    if not key:
        raise ValueError("the key is empty")


_SHARED: dict[str, object] = {}
