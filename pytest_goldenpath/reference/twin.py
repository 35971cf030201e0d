"""Everything the parts of one running backend share."""

import secrets
from dataclasses import dataclass

from pytest_goldenpath.reference.agent import Agent
from pytest_goldenpath.reference.hub import Hub
from pytest_goldenpath.reference.identity import Gate, Tokens
from pytest_goldenpath.reference.settings import Settings
from pytest_goldenpath.reference.store import Database
from pytest_goldenpath.reference.web import Build


@dataclass(frozen=True, slots=True)
class Twin:
    """The parts of one process, put together once."""

    settings: Settings
    database: Database
    tokens: Tokens
    auth_gate: Gate
    http_gate: Gate
    ws_gate: Gate
    agent: Agent
    hub: Hub
    auth_build: Build
    build: Build


def assembled(settings: Settings) -> Twin:
    """Put the parts together for these settings."""
    seams = settings.seams
    database = Database(settings.database)
    secret = seams.at("tokens.secret", str) or settings.secret
    tokens = Tokens(secret, settings.environment, seams)
    known = tokens
    if seams.on("backend.secret"):
        known = Tokens(secrets.token_urlsafe(48), settings.environment, seams)
    revisions = seams.at("backend.revisions", tuple) or ("{revision}",)
    return Twin(
        settings=settings,
        database=database,
        tokens=tokens,
        auth_gate=Gate("auth", tokens, database, seams),
        http_gate=Gate("http", known, database, seams),
        ws_gate=Gate("ws", known, database, seams),
        agent=Agent(database, seams),
        hub=Hub(),
        auth_build=Build((settings.revision,)),
        build=Build([str(name).format(revision=settings.revision) for name in revisions]),
    )
