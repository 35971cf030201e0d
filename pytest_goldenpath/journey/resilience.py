"""The warm-up for scripts: a target by its name or address, and whether it is ready."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from pytest_goldenpath.journey.embedded import EmbeddedBackend
from pytest_goldenpath.journey.warmup import Plan, Tell, run_warm_up
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.login import wallet_of
from pytest_goldenpath.target.model import PasswordLogin, Target, Wallet
from pytest_goldenpath.target.resolve import Options, resolve
from pytest_goldenpath.target.sources import Environment
from pytest_goldenpath.verdict.warmup import ResilienceReport


def infrastructure_resilience_check(
    target: Target | str, *, tell: Tell | None = None
) -> ResilienceReport:
    """Wait until a target's infrastructure is ready; for scripts, not for coroutines.

    Args:
        target: a name or a backend's address, as after ``--target``, or a :class:`Target`;
            ``local`` starts an embedded backend and stops it again.
        tell: gets a line of progress every few seconds.

    Returns:
        What each probe found; it is true only when every one is ready.

    Raises:
        ConfigError: the target is unknown, or credentials or a setting are wrong or missing.
        BackendNotStarted: the target is ``local``, and its backend did not start.

    """
    if isinstance(target, str):
        resolved = resolve(Options(target=target), os.environ, (Path.cwd(),))
        where, wallet, environment = resolved.target, resolved.wallet, resolved.environment
    else:
        where, wallet, environment = target, None, Environment(os.environ)
    redactor = Redactor()
    if where.embedded and not where.backend:
        embedded = EmbeddedBackend(users=2)
        try:
            started = embedded.wait()
            where = replace(where, backend=started.backend, auth=started.auth, ws=started.ws)
            wallet = Wallet(PasswordLogin(*started.users[0]))
            return run_warm_up(where, wallet, redactor, Plan(), tell)
        finally:
            embedded.stop()
    plan = Plan(database_url=database_url_of(environment))
    return run_warm_up(where, wallet or wallet_of(where, environment)[0], redactor, plan, tell)


def database_url_of(environment: Environment) -> Secret:
    """Return the address of the target's database, a blank when none was given."""
    found = environment.get("DATABASE_URL")
    return Secret(found.value if found else "")
