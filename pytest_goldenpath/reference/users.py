"""Users and withdrawn tokens, as the database keeps them."""

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pytest_goldenpath.reference.database import revoked_tokens, users


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in."""

    id: str
    email: str
    name: str
    password: str  # salted hash, see passwords.py


def find(connection: Connection, email: str) -> User | None:
    """Return the user with this address, if there is one."""
    row = connection.execute(select(users).where(users.c.email == email.lower())).first()
    return User(*row) if row else None


def by_id(connection: Connection, user_id: str) -> User | None:
    """Return the user with this id, if there is one."""
    row = connection.execute(select(users).where(users.c.id == user_id)).first()
    return User(*row) if row else None


def add(
    connection: Connection, email: str, name: str, password: str, user_id: str = ""
) -> User | None:
    """Create a user with an already hashed password; None if the address is taken."""
    if find(connection, email):
        return None
    user = User(user_id or str(uuid.uuid4()), email.lower(), name, password)
    connection.execute(
        users.insert().values(id=user.id, email=user.email, name=user.name, password=user.password)
    )
    return user


def put(connection: Connection, email: str, name: str, password: str) -> User:
    """Create the user, or give the present one this password: a database may outlive a run."""
    user = add(connection, email, name, password)
    if user is None:
        connection.execute(
            users.update().where(users.c.email == email.lower()).values(password=password)
        )
        user = find(connection, email)
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
