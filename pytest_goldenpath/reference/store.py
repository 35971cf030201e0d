"""What is in the database: tables, one engine and its thread; users and withdrawn tokens."""

import asyncio
import functools
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    select,
    text,
)
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.pool import StaticPool

P = ParamSpec("P")
R = TypeVar("R")

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("email", String(320), unique=True, nullable=False),
    Column("name", String(200), nullable=False),
    Column("password", String(200), nullable=False),
)
threads = Table(
    "threads",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("user_id", String(64), nullable=False, index=True),
    Column("title", String(300), nullable=False),
    Column("metadata", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
messages = Table(
    "messages",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("thread_id", String(128), nullable=False, index=True),
    Column("role", String(20), nullable=False),
    Column("content", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("created_at", Float, nullable=False),
)
revoked_tokens = Table("revoked_tokens", metadata, Column("jti", String(64), primary_key=True))
cloud_costs = Table(
    "cloud_costs",
    metadata,
    Column("service", String(40), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("usd", Integer, nullable=False),
)

_COSTS = {
    "compute": (4120, 4385, 4610),
    "database": (2040, 2040, 2195),
    "inference": (3275, 3890, 4425),
    "network": (610, 655, 640),
    "storage": (1180, 1215, 1260),
}
_MONTHS = ("2025-07", "2025-08", "2025-09")


class Database:
    """Runs queries in transactions on its own thread, so that the event loop never waits."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self.busy = 0  # transactions that go on or wait for the one connection

    async def call(
        self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``work(connection, ...)`` in one transaction and return what it returns."""
        loop = asyncio.get_running_loop()
        job = functools.partial(self._transaction, work, *args, **kwargs)
        self.busy += 1
        try:
            return await loop.run_in_executor(self._thread, job)
        finally:
            self.busy -= 1

    def _transaction(
        self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        with self._engine.begin() as connection:
            return work(connection, *args, **kwargs)

    async def prepare(self) -> None:
        """Create the tables and the cost figures if they are not there yet."""
        await self.call(_prepare)

    async def ping(self) -> None:
        """Ask the database for something; raises what the database raises."""
        await self.call(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    def close(self) -> None:
        """Let go of the connections."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._engine.dispose()


def _engine(url: str) -> Engine:
    if not url:
        # In memory: nothing stays behind, however the process ends.
        return create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
    address = make_url(url)
    if address.drivername in {"postgres", "postgresql"}:
        address = address.set(drivername="postgresql+psycopg")
    return create_engine(address, pool_pre_ping=True)


def _prepare(connection: Connection) -> None:
    metadata.create_all(connection)
    if connection.execute(select(cloud_costs.c.service).limit(1)).first() is None:
        rows = [
            {"service": service, "month": month, "usd": usd}
            for service, figures in _COSTS.items()
            for month, usd in zip(_MONTHS, figures, strict=True)
        ]
        connection.execute(cloud_costs.insert(), rows)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in."""

    id: str
    email: str
    name: str
    password: str  # salted hash, see identity.py


def find_user(connection: Connection, email: str) -> User | None:
    """Return the user with this address, if there is one."""
    row = connection.execute(select(users).where(users.c.email == email.lower())).first()
    return User(*row) if row else None


def user_by_id(connection: Connection, user_id: str) -> User | None:
    """Return the user with this id, if there is one."""
    row = connection.execute(select(users).where(users.c.id == user_id)).first()
    return User(*row) if row else None


def add_user(
    connection: Connection, email: str, name: str, password: str, user_id: str = ""
) -> User | None:
    """Create a user with an already hashed password; None if the address is taken."""
    if find_user(connection, email):
        return None
    user = User(user_id or str(uuid.uuid4()), email.lower(), name, password)
    connection.execute(
        users.insert().values(id=user.id, email=user.email, name=user.name, password=user.password)
    )
    return user


def put_user(connection: Connection, email: str, name: str, password: str) -> User:
    """Create the user, or give the present one this password: a database may outlive a run."""
    user = add_user(connection, email, name, password)
    if user is None:
        connection.execute(
            users.update().where(users.c.email == email.lower()).values(password=password)
        )
        user = find_user(connection, email)
    if user is None:
        raise LookupError(email)
    return user


def revoke(connection: Connection, jti: str) -> bool:
    """Withdraw a token; False if it was withdrawn before."""
    if is_revoked(connection, jti):
        return False
    connection.execute(revoked_tokens.insert().values(jti=jti))
    return True


def is_revoked(connection: Connection, jti: str) -> bool:
    """Tell whether the token was withdrawn."""
    query = select(revoked_tokens.c.jti).where(revoked_tokens.c.jti == jti)
    return connection.execute(query).first() is not None
