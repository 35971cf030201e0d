"""A process of its own that imports a UserExecutionContext and writes down what it does.

It is run by its path, needs nothing of this package, reads one JSON request on standard input and
answers with JSON lines. What it imports may print, hang, crash or start threads: its prints go to
standard error, and the process ends at once when it is done. It judges nothing.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

#: Enough to hold a whole secret, which is cut out before the text is cut short.
_MESSAGE = 4000
_VALUE = 100
#: Deeper than any child context may be (protocol 5.2).
_LEVELS = 12
_SERVICES = "app.services.user_execution_context"
#: Documented homes below the platform's top-level package (protocol 5.1).
_HOMES = {
    "UserContextManager": _SERVICES,
    "InvalidContextError": _SERVICES,
    "ContextIsolationError": _SERVICES,
    "validate_user_context": _SERVICES,
    "ExecutionState": "app.core.agent_execution_tracker",
    "create_agent_websocket_bridge": "app.services.agent_websocket_bridge",
    "get_unified_config": "app.core.configuration.base",
}
_TIMEOUTS = "app.core.timeout_configuration"
_IDS = ("user_id", "thread_id", "run_id")
_SHOWN = (
    *_IDS,
    "request_id",
    "websocket_client_id",
    "websocket_connection_id",
    "operation_depth",
    "parent_request_id",
)
_WORDS = [
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
_BLANKS = (None, "", "   ", 7)


def main() -> None:
    """Answer one request; never returns, so that nothing imported can keep the process."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    request: dict[str, Any] = json.loads(sys.stdin.read())
    os.dup2(2, 1)
    for said in _answers(request):
        answer.write(json.dumps(said) + "\n")
        answer.flush()
    os._exit(0)


def _answers(request: dict[str, Any]) -> Iterator[dict[str, object]]:
    sys.path[:] = request["sys_path"]
    module_name, class_name = request["module"], request["class"]
    try:
        module = importlib.import_module(module_name)
    except BaseException as error:  # noqa: BLE001  # a stranger's module may raise anything
        yield {"unimportable": f"{type(error).__name__}: {_text(error)}"}
        return
    found = _found_in(module, class_name)
    if not isinstance(found, type):
        what = "is not there" if found is None else "is no class"
        yield {
            "refused": f"the module {module_name} can be imported, and {class_name} in it {what}"
        }
        return
    yield {"imported": True}
    if request["only_import"]:
        return
    if request["faults"]:
        module.fall_ill(request["faults"])
    yield {"facts": _Probe(module, found).facts()}


class _Probe:
    def __init__(self, module: ModuleType, found: Any) -> None:  # noqa: ANN401  # a stranger's
        self.module = module
        self.found = found
        self.trials: list[dict[str, object]] = []
        self.homes: list[dict[str, object]] = []
        self.ids = {name: str(uuid.uuid4()) for name in _IDS}
        self.client = f"wsc-{uuid.uuid4()}"

    def facts(self) -> dict[str, object]:
        try:
            signature = str(inspect.signature(self.found.from_request))
        except (AttributeError, TypeError, ValueError) as error:
            signature = f"{type(error).__name__}: {_text(error)}"
        self.contexts()
        self.others()
        return {
            "path": f"{self.module.__name__}:{self.found.__name__}",
            "signature": signature[:_MESSAGE],
            "given": {**self.ids, "websocket_client_id": self.client},
            "homes": self.homes,
            "trials": self.trials,
        }

    def tried(self, name: str, action: Callable[[], Any], *, key: str = "") -> Any:  # noqa: ANN401
        """Do something and write down what came; returns the result, None when it raised.

        A result that is one value is written down under the key.
        """
        try:
            result = _finished(action)
            shown = result if isinstance(result, dict) else _shown(result)
            seen = {key: result} if key else shown
        except BaseException as error:  # noqa: BLE001  # a stranger's code may raise anything
            self.trials.append({"name": name, **_raised(error)})
            return None
        self.trials.append({"name": name, "seen": {k: _plain(v) for k, v in seen.items()}})
        return result

    def contexts(self) -> None:
        make, ids = self.found, self.ids
        self.tried("request", lambda: make.from_request(**ids))
        base = self.tried(
            "request with client id",
            lambda: make.from_request(**ids, websocket_client_id=self.client),
        )
        self.tried(
            "supervisor",
            lambda: make.from_request_supervisor(**ids, websocket_connection_id=self.client),
        )
        if base is None:
            base = self.tried("constructor", lambda: make(**ids, websocket_client_id=self.client))
        if base is None:
            return
        self.tried("base", lambda: base)
        self.isolation(base)
        self.children(base)
        for name in _IDS:
            for value in _BLANKS:
                self.refused(name, value)
        for word in (*_WORDS, "MOCK", "placeholder_7", "temp_7", "mock_7"):
            self.refused("user_id", word)
        for name in ("thread_id", "run_id"):
            self.refused(name, "placeholder")
        for name in ("agent_context", "audit_metadata"):
            bad = {name: {"user_id": ids["user_id"]}}
            self.tried(f"refuse a reserved key in {name}", partial(make, **ids, **bad))
        self.tried("refuse agent_context='x'", lambda: make(**ids, agent_context="x"))
        self.tried("refuse a blank child", lambda: base.create_child_context(""))
        self.tried("refuse a blank connection", lambda: base.with_websocket_connection(""))
        self.tried("refuse no db session", lambda: base.with_db_session(None))

    def refused(self, name: str, value: object) -> None:
        given = {**self.ids, name: value}
        self.tried(f"refuse {name}={value!r}", lambda: self.found.from_request(**given))

    def isolation(self, base: Any) -> None:  # noqa: ANN401
        ids = self.ids

        def make() -> Any:  # noqa: ANN401
            return self.found.from_request(**ids)

        mine, other = self.tried("mine", make), self.tried("other", make)
        if mine is None or other is None:
            return

        def assign() -> dict[str, object]:
            try:
                mine.user_id = "somebody-else"
            except Exception as error:  # noqa: BLE001  # what it is raised with is free
                return {"refused_by": type(error).__name__, "kept": mine.user_id == ids["user_id"]}
            return {"refused_by": "", "kept": mine.user_id == ids["user_id"]}

        def mix() -> dict[str, object]:
            other.agent_context["goldenpath_probe"] = "mine"
            return {"leaked": "goldenpath_probe" in make().agent_context}

        def rewire() -> dict[str, object]:
            moved = base.with_websocket_connection("another")
            return {"new": moved.websocket_client_id, "old": base.websocket_client_id}

        self.tried("assign", assign)
        self.tried("mix", mix)
        self.tried("rewire", rewire)
        self.tried("same ids", lambda: {"distinct": mine.request_id != other.request_id})
        self.tried("verify isolation", lambda: base.verify_isolation(), key="result")  # noqa: PLW0108  # it may not be there
        self.tried("foreign object", self.with_foreign_object)

    def with_foreign_object(self) -> None:
        class Helper:
            user_id = str(uuid.uuid4())

        self.found(**self.ids, agent_context={"helper": Helper()}).verify_isolation()

    def children(self, base: Any) -> None:  # noqa: ANN401
        child = self.tried("child", lambda: base.create_child_context("lookup"))
        if child is None:
            return
        self.tried("child's context", lambda: dict(child.agent_context))
        grandchild = self.tried("grandchild", lambda: child.create_child_context("detail"))
        line, level = grandchild, 2
        while line is not None and level <= _LEVELS:
            level += 1
            line = self.tried(f"level {level}", partial(_child_of, line))

    def others(self) -> None:
        named = {name: self.home(name, place) for name, place in _HOMES.items()}
        errors = [named[name] for name in ("InvalidContextError", "ContextIsolationError")]
        are = [isinstance(e, type) and issubclass(e, Exception) for e in errors]
        self.tried("exceptions", lambda: {"are_exceptions": all(are)})
        states = named["ExecutionState"]
        if states is not None:
            self.tried("states", lambda: {state.name: state.value for state in states})
        if named["validate_user_context"] is not None:
            self.tried("validate a dict", lambda: named["validate_user_context"]({}))
        bridge = named["create_agent_websocket_bridge"]
        if bridge is not None:
            self.tried("bridge", lambda: bridge(user_context=None, websocket_manager=None))
        if named["get_unified_config"] is not None:
            self.tried("configuration", lambda: self.timeouts(named["get_unified_config"]()))
        if named["UserContextManager"] is not None:
            self.manager(named["UserContextManager"])

    def home(self, name: str, place: str) -> Any:  # noqa: ANN401
        for module in (self.module, sys.modules.get(self.found.__module__)):
            found = _found_in(module, name)
            if found is not None:
                self.homes.append({"name": name, "module": module.__name__ if module else ""})
                return found
        top = self.module.__name__.partition(".")[0]
        path = f"{top}.{place}"
        if path == self.module.__name__:
            reason = f"it is not in {path}"
            self.homes.append({"name": name, "reason": reason})
            return None
        try:
            module = importlib.import_module(path)
        except BaseException as error:  # noqa: BLE001  # a stranger's module may raise anything
            lacking = str(getattr(error, "name", None) or "").partition(".")[0]
            own = isinstance(error, ImportError) and lacking == top
            reason = f"{path} cannot be imported: {type(error).__name__}: {_text(error)}"
            self.homes.append({"name": name, "reason": reason, "foreign": not own})
            return None
        found = _found_in(module, name)
        where = {"reason": f"it is not in {path}"} if found is None else {"module": path}
        self.homes.append({"name": name, **where})
        return found

    def timeouts(self, config: Any) -> dict[str, object]:  # noqa: ANN401
        top = self.module.__name__.partition(".")[0]
        ours = getattr(config, "websocket_connection_timeout", None)
        inner = getattr(getattr(config, "ws_config", None), "connection_timeout", None)
        seen = {"websocket_connection_timeout": ours, "ws_config.connection_timeout": inner}
        if ours is None and inner is None:
            seen["declared"] = _declares_timeout(f"{top}.{_TIMEOUTS}")
        return seen

    def manager(self, make: Any) -> None:  # noqa: ANN401
        manager = self.tried("manager", make)
        if manager is None:
            return
        context = self.tried("to keep", lambda: self.found.from_request(**self.ids))
        self.tried("get a missing key", lambda: manager.get_context("nowhere"))
        self.tried("get an empty key", lambda: manager.get_context(""))
        self.tried("set an empty key", lambda: manager.set_context("", context))
        self.tried("set no context", lambda: manager.set_context("key", "no context"))
        self.tried("set", lambda: manager.set_context("key", context))
        self.tried("get", lambda: manager.get_context("key"))
        self.tried("clear", lambda: manager.clear_context("key"), key="first")
        self.tried("clear again", lambda: manager.clear_context("key"), key="second")


def _finished(action: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Run an action; one that needs an event loop, or gives something to await, gets one."""

    async def inside() -> Any:  # noqa: ANN401
        result = action()
        return await result if inspect.isawaitable(result) else result

    try:
        result = action()
    except RuntimeError as error:
        if "event loop" not in str(error):
            raise
        return asyncio.run(inside())
    if not inspect.isawaitable(result):
        return result

    async def awaited() -> Any:  # noqa: ANN401
        return await result

    return asyncio.run(awaited())


def _found_in(module: ModuleType | None, name: str) -> Any:  # noqa: ANN401
    """Return what a module has under a name; one that loads names late may fail doing so."""
    try:
        return getattr(module, name, None)
    except Exception:  # noqa: BLE001  # a stranger's module may raise anything
        return None


def _child_of(context: Any) -> Any:  # noqa: ANN401
    return context.create_child_context("on")


def _declares_timeout(path: str) -> bool:
    try:
        values = vars(importlib.import_module(path)).values()
    except ImportError:
        return False
    fields = (getattr(value, "__dataclass_fields__", {}) for value in values)
    return any("websocket_connection_timeout" in names for names in fields)


def _shown(result: object) -> dict[str, object]:
    return {name: getattr(result, name) for name in _SHOWN if hasattr(result, name)}


def _raised(error: BaseException) -> dict[str, object]:
    kinds = [kind.__name__ for kind in type(error).__mro__ if kind is not object]
    return {"raised": kinds, "message": _text(error)}


def _plain(value: object) -> str:
    if isinstance(value, str):
        return _printable(value)[:_VALUE]
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    return f"<{type(value).__name__}>"


def _text(error: BaseException) -> str:
    try:
        return _printable(" ".join(str(error).split()))[:_MESSAGE]
    except Exception:  # noqa: BLE001  # its own words fail it
        return ""


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


if __name__ == "__main__":
    main()
