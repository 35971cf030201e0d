"""A Python that has already imported everything, and forks a process for each that is asked for.

The tests start hundreds of real processes: runs of pytest, their workers, reference backends. Most
of the time of each went into importing the same modules. Here they are imported once; a forked
process then has its own memory, folder, environment, streams, signals and exit code as any other.
Run it as ``python -P server.py SOCKET``; it ends when its standard input does.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: What a run or a reference backend imports when it needs it.
OTHERS = (
    "_pytest.junitxml",
    "cattrs.preconf.json",
    "dotenv",
    "filelock",
    "httpcore",
    "httpx",
    "hypothesis",
    "jwt",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.pool",
    "starlette.routing",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "websockets.asyncio.client",
    "websockets.asyncio.server",
    "xdist.remote",
    "xdist.workermanage",
)
#: Modules that do something when they are imported.
ACTIVE = ("pytest_goldenpath.cli.folder", "pytest_goldenpath.suites")
_REQUEST_BYTES = 1 << 20
_STREAMS = 3


@dataclass(frozen=True)
class Child:
    """A forked process, and the connection of the one that asked for it."""

    pid: int
    ended: int
    asker: socket.socket


def preload() -> None:
    """Import everything as pytest does, so that no run says that a plugin was imported before it."""
    from _pytest.config import _prepareconfig

    config = _prepareconfig(["-p", "no:cacheprovider"])
    package = importlib.import_module("pytest_goldenpath")
    for module in pkgutil.walk_packages(package.__path__, "pytest_goldenpath."):
        if not module.name.endswith("__main__") and not module.name.startswith(ACTIVE):
            importlib.import_module(module.name)
    for name in OTHERS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    config._ensure_unconfigure()


def serve(listening: socket.socket) -> dict[str, Any]:
    """Fork on request until standard input ends; return, in a forked process, what it shall be."""
    children: dict[int, Child] = {}
    poll = select.poll()
    for source in (listening.fileno(), sys.stdin.fileno()):
        poll.register(source, select.POLLIN)
    while True:
        for source, _ in poll.poll():
            if source == sys.stdin.fileno():
                for child in set(children.values()):
                    os.kill(child.pid, signal.SIGKILL)
                raise SystemExit(0)
            if source in children:
                _attend(children, poll, source)
            elif source == listening.fileno() and (wanted := _forked(listening, children, poll)):
                return wanted


def _forked(
    listening: socket.socket, children: dict[int, Child], poll: select.poll
) -> dict[str, Any]:
    """Fork for one that asks; returns what is wanted in the child, and nothing in the server."""
    asker, _ = listening.accept()
    data, streams, _, _ = socket.recv_fds(asker, _REQUEST_BYTES, _STREAMS)
    pid = os.fork()
    if pid == 0:
        listening.close()
        asker.close()
        for child in set(children.values()):
            os.close(child.ended)
            child.asker.close()
        return _become(json.loads(data), streams)
    for stream in streams:
        os.close(stream)
    child = Child(pid, os.pidfd_open(pid), asker)
    for key in (child.ended, asker.fileno()):
        children[key] = child
        poll.register(key, select.POLLIN)
    return {}


def _attend(children: dict[int, Child], poll: select.poll, source: int) -> None:
    """Tell the asker that its process ended, or the process what its asker says."""
    child = children[source]
    if source != child.ended:
        told = child.asker.recv(1)
        # An asker that is gone was killed, and its process is what was meant.
        os.kill(child.pid, told[0] if told else signal.SIGKILL)
        if not told:
            poll.unregister(source)
        return
    _, status = os.waitpid(child.pid, 0)
    with contextlib.suppress(OSError):
        child.asker.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    for key in (child.ended, child.asker.fileno()):
        del children[key]
        with contextlib.suppress(KeyError):
            poll.unregister(key)
    os.close(child.ended)
    child.asker.close()


def _become(wanted: dict[str, Any], streams: list[int]) -> dict[str, Any]:
    """Take over the streams, folder and environment of the one that asked."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    if not wanted["deaf"]:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = sys.__stdin__ = _text(0, "r")
    sys.stdout = sys.__stdout__ = _text(1, "w")
    sys.stderr = sys.__stderr__ = _text(2, "w")
    return wanted


def _text(number: int, mode: str) -> io.TextIOWrapper:
    encoding = os.environ.get("PYTHONIOENCODING", "utf-8")
    errors = "backslashreplace" if number == sys.stderr.fileno() else "strict"
    raw = open(number, f"{mode}b", closefd=False)  # noqa: SIM115  # it lives as long as the process
    through = bool(os.environ.get("PYTHONUNBUFFERED"))
    lines = number != 1 or os.isatty(number)
    return io.TextIOWrapper(
        raw, encoding, errors, line_buffering=lines, write_through=through or number == 2
    )


def begin(wanted: dict[str, Any], found: list[str]) -> None:
    """Do what Python does with these arguments: ``-c CODE``, ``-m MODULE`` or a file."""
    sys.executable = wanted["executable"]
    sys.orig_argv = [sys.executable, *wanted["arguments"]]
    first, *rest = wanted["arguments"]
    if first == "-u":
        first, *rest = rest
    kind = first[:2]
    if kind in {"-c", "-m"}:
        what, *rest = [first[2:], *rest] if first[2:] else rest
    else:
        what = first
    home = {"-c": "", "-m": str(Path.cwd())}.get(kind, str(Path(what).parent))
    _find_modules([] if os.environ.get("PYTHONSAFEPATH") else [home], found)
    sys.argv = ["-c" if kind == "-c" else what, *rest]
    if kind == "-c":
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), vars(main))  # noqa: S102  # as python -c does
    elif kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(what, run_name="__main__")


def _find_modules(home: list[str], found: list[str]) -> None:
    """Set the path as a Python does that begins in this folder and environment."""
    named = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [*home, *named, *found]
    # It keeps the path that it was imported with for its workers.
    importlib.import_module("xdist.plugin")._sys_path[:] = sys.path
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module("sitecustomize")


def main() -> None:
    """Serve; in a forked process, become what was asked for."""
    found = list(sys.path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        preload()
        listening.bind(sys.argv[1])
        listening.listen()
        gc.collect()
        gc.freeze()
        wanted = serve(listening)
    try:
        begin(wanted, found)
    except SystemExit as end:
        if isinstance(end.code, int | None):
            _leave(end.code or 0)
        raise
    _leave(0)


def _leave(code: int) -> None:
    """End as Python does, but take no module apart: that would copy every page of the memory."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
