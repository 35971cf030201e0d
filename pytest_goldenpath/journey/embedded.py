"""The embedded reference backend: a process of its own that ends with the process that owns it."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_goldenpath.errors import GoldenpathError
from pytest_goldenpath.secrets import Secret

_START_WITHIN_S = 30.0
_STOP_WITHIN_S = 5.0
_NAMES = ("ada", "grace")


class BackendNotStarted(GoldenpathError):
    """The reference backend did not start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Started:
    """Where the embedded backend listens, and its user.

    Attributes:
        backend, auth, ws: addresses.
        revision: what it says of its build.
        expired_token: a real token that has expired.
        users: e-mail address and password of each user made for this run.
    """

    backend: str
    auth: str
    ws: str
    revision: str
    expired_token: Secret
    users: tuple[tuple[str, Secret], ...]


class EmbeddedBackend:
    """Start it, wait for it, stop it.

    Its standard input is a pipe that only this process holds, so it ends as soon as this
    process does, however that comes about.
    """

    def __init__(
        self,
        faults: Sequence[str] = (),
        variants: Sequence[str] = (),
        *,
        users: int = 2,
        heartbeat_s: float = 2.0,
    ) -> None:
        """Start the process with this many users; it boots while the caller goes on."""
        options = [f"--fault={name}" for name in faults]
        options += [f"--variant={name}" for name in variants]
        options += [f"--heartbeat={heartbeat_s}"]
        names = (*_NAMES, *(f"user-{number}" for number in range(len(_NAMES), users)))
        self._users = tuple(
            (f"{name}@goldenpath.example", Secret(secrets.token_urlsafe(18))) for name in names
        )
        self._process = subprocess.Popen(  # noqa: S603  # our own module, names checked before
            [sys.executable, "-m", "pytest_goldenpath.reference", "--supervised", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._line = ""
        self._errors: list[str] = []
        self._reader = threading.Thread(target=self._read_line, daemon=True)
        self._drain = threading.Thread(target=self._read_errors, daemon=True)
        self._introduce_users()
        self._reader.start()
        self._drain.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def wait(self, within_s: float = _START_WITHIN_S) -> Started:
        """Wait until it listens.

        Raises:
            BackendNotStarted: it ended, or was not ready in time.

        """
        self._reader.join(within_s)
        if not self._line:
            ended = self._process.poll()
            self.stop()
            self._drain.join(1.0)
            reason = "".join(self._errors).strip() or (
                f"it was not ready within {within_s:g} s" if ended is None else "it said nothing"
            )
            raise BackendNotStarted(f"the embedded backend did not start: {reason[-2000:]}")
        said: dict[str, Any] = json.loads(self._line)
        return Started(
            said["backend"],
            said["auth"],
            said["ws"],
            str(said.get("revision", "")),
            Secret(str(said.get("expired_token", ""))),
            self._users,
        )

    def stop(self) -> None:
        """Stop it and wait until it is gone."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in (self._reader, self._drain):
            thread.join(_STOP_WITHIN_S)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()

    def _introduce_users(self) -> None:
        users = [
            {"email": email, "password": password.reveal(), "name": email.partition("@")[0]}
            for email, password in self._users
        ]
        if self._process.stdin:
            try:
                self._process.stdin.write(json.dumps({"users": users}) + "\n")
                self._process.stdin.flush()
            except BrokenPipeError:  # it ended at once; wait() tells why
                return

    def _read_line(self) -> None:
        if self._process.stdout:
            self._line = self._process.stdout.readline()

    def _read_errors(self) -> None:
        if self._process.stderr:
            for line in self._process.stderr:
                self._errors = [*self._errors[-50:], line]
