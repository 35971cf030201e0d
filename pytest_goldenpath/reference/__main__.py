"""``python -m pytest_goldenpath.reference``: run the reference backend as a process of its own."""

import asyncio
import contextlib
import errno
import json
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from pytest_goldenpath.reference.faults import FAULTS, VARIANTS
from pytest_goldenpath.reference.settings import (
    Settings,
    UsageProblem,
    environment,
    listing,
    parsed,
    settings_from,
)

if TYPE_CHECKING:
    from pytest_goldenpath.reference.server import NewUser, Ready

PROGRAM = "python -m pytest_goldenpath.reference"
_STDIN = 0
_CHUNK = 65536
_USAGE = 4


class ParentGone(Exception):
    """Standard input ended before the parent said which users it wants."""


def main(argv: list[str] | None = None, program: str = PROGRAM) -> int:
    """Run until told to stop; return the exit code."""
    try:
        return _main(argv, program)
    except UsageProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return _USAGE
    except ParentGone:
        return 0


def _main(argv: list[str] | None, program: str) -> int:
    options = parsed(argv, program)
    if "list" in options.fault or "list" in options.variant:
        sys.stdout.write(listing(FAULTS) if "list" in options.fault else listing(VARIANTS))
        return 0
    settings = settings_from(options, environment())
    with _bound(settings, "--port") as backend, _bound(settings, "--auth-port") as auth:
        _need_dependencies()
        from sqlalchemy.exc import SQLAlchemyError

        try:
            asyncio.run(_serve(settings, (backend, auth)))
        except (SQLAlchemyError, ModuleNotFoundError) as error:
            # Only the first line: the rest may hold the address with its password.
            reason = str(error).splitlines()[0]
            raise UsageProblem(
                f"--database cannot be used ({reason}); give an SQLAlchemy URL, or nothing for memory."
            ) from error
    return 0


@contextlib.contextmanager
def _bound(settings: Settings, option: str) -> Iterator[socket.socket]:
    port = settings.port if option == "--port" else settings.auth_port
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server((settings.host, port), family=family, backlog=2048)
        # asyncio does this only for sockets that name their protocol, which these do not; without
        # it an answer on a kept connection waits 40 ms for the client's delayed acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        what = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
        raise UsageProblem(
            f"{option} {port} on {settings.host} {what}; give another one, or 0 for any free port."
        ) from error
    with listening:
        yield listening


def _need_dependencies() -> None:
    try:
        import jwt  # noqa: F401
        import sqlalchemy  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageProblem(
            f"The reference backend needs '{error.name}', which is not installed; "
            "pip install 'pytest-goldenpath[local]' brings it."
        ) from error


async def _serve(settings: Settings, ports: tuple[socket.socket, socket.socket]) -> None:
    from pytest_goldenpath.reference.server import NewUser, running

    if settings.supervised:
        people = await asyncio.to_thread(_read_users)
    else:
        people = [
            NewUser(f"{name.lower()}@example.com", secrets.token_urlsafe(12), name)
            for name in ("You", "Neighbour")
        ]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with running(settings, ports, people) as ready:
        if settings.supervised:
            _watch_parent(loop, stop)
            sys.stdout.write(json.dumps(asdict(ready)) + "\n")
        else:
            sys.stdout.write(_greeting(ready, *people))
        sys.stdout.flush()
        await stop.wait()


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    def watch() -> None:
        while os.read(_STDIN, _CHUNK):
            pass
        # The loop may be over already; then there is nothing left to stop.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _read_users() -> "list[NewUser]":
    """Read the one line of the parent, without the buffer that would also swallow what follows."""
    from pytest_goldenpath.reference.server import NewUser

    line = b""
    while not line.endswith(b"\n"):
        chunk = os.read(_STDIN, _CHUNK)
        if not chunk:
            raise ParentGone
        line += chunk
    try:
        wanted = json.loads(line)["users"]
        return [
            NewUser(str(one["email"]), str(one["password"]), str(one["name"])) for one in wanted
        ]
    except (ValueError, TypeError, LookupError) as error:
        raise UsageProblem(
            "--supervised wants one JSON line on standard input, like "
            '{"users": [{"email": "a@example.com", "password": "...", "name": "A"}]}.'
        ) from error


def _greeting(ready: "Ready", user: "NewUser", other: "NewUser") -> str:
    return (
        f"backend   {ready.backend}  (revision {ready.revision})\n"
        f"auth      {ready.auth}\n"
        f"WebSocket {ready.ws}\n"
        f"user      {user.email}\n"
        f"password  {user.password}\n\n"
        "Validate it, in another shell; the second user is for the checks of isolation:\n\n"
        f"  export GOLDENPATH_EMAIL={user.email} GOLDENPATH_PASSWORD={user.password}\n"
        f"  export GOLDENPATH_EMAIL_2={other.email} GOLDENPATH_PASSWORD_2={other.password}\n"
        f"  goldenpath run --target {ready.backend} --auth-url {ready.auth} --category smoke\n\n"
        "Ctrl+C ends it.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
