"""Does the database work? Shown by what it does, because health words prove nothing (protocol 1.5)."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.symptom import Symptom
from pytest_goldenpath.journey.login import User, log_in
from pytest_goldenpath.journey.web import Web
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import Target, Wallet

_WITHIN_S = 10.0
_OK, _REDIRECT, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_REFUSED = frozenset({400, _UNAUTHORIZED, _FORBIDDEN, 422})
_PLACES = ("/health/ready", "/health/database")
_BAD_WORDS = frozenset(
    {"critical", "disconnected", "error", "failed", "not_ready", "unavailable", "unhealthy"}
)
_WORD_KEYS = ("status", "core_db", "database_status", "database")
_TITLE = "warm-up of pytest-goldenpath"
#: Drivers by the database's name, the first one that is installed is used.
_DRIVERS = {
    "postgresql": ("psycopg", "psycopg2"),
    "mysql": ("pymysql", "MySQLdb"),
    "sqlite": ("sqlite3",),
}
_DIALECTS = {"MySQLdb": "mysqldb", "sqlite3": "pysqlite"}
_TAKES_TIMEOUT = frozenset({"postgresql", "mysql"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What one attempt has shown.

    Attributes:
        ready: it is proven, and ``proof`` says how.
        error: why it is not, as far as one attempt can tell.
        symptom: the structural signs, when it was not the product's own answer.
        final: no further attempt can turn out otherwise.
        proof: how it was proven.
    """

    ready: bool
    error: str = ""
    symptom: Symptom | None = None
    final: bool = False
    proof: str = ""


class Database:
    """Logs in, then writes, reads and removes a thread, until that has worked once."""

    def __init__(
        self, target: Target, wallet: Wallet, web: Web, redactor: Redactor, url: Secret
    ) -> None:
        """Take where, as whom, by which client, and the database's own address or a blank."""
        self._target = target
        self._wallet = wallet
        self._web = web
        self._redactor = redactor
        self._url = url
        self._user: User | None = None
        self._direct: asyncio.Future[str] | None = None

    async def attempt(self) -> Seen:
        """Try once; never raises for what the target does."""
        if self._url and self._direct is None:
            self._direct = _in_a_thread(self._url, self._redactor)
        if self._user is None:
            seen = await self._log_in()
            if seen is not None:
                return self._noted(seen)
        if self._user is None:
            return Seen(ready=False, error="nobody is logged in", final=True)
        return self._noted(await self._use(self._user))

    async def _log_in(self) -> Seen | None:
        """Log in; None when that worked."""
        record, user = await log_in(self._target, self._wallet.first, self._web, self._redactor)
        self._user = user
        answer = record.exchange
        if user is not None:
            return None
        if answer is None:
            return await self._by_word("the token that was given cannot be used")
        status = answer.status or 0
        if answer.symptom or status >= _SERVER_ERROR:
            return _not_yet(answer)
        if status in _REFUSED:
            error = f"the credentials were refused: {answer.evidence()}"
            return Seen(ready=False, error=error, final=True)
        return await self._by_word(f"login answered {status} without a usable token")

    async def _use(self, user: User) -> Seen:
        base = f"{self._target.backend}/api/threads"
        made = await self._ask("POST", base, user, body={"title": _TITLE})
        if made.header("location").endswith("/api/threads/"):
            made = await self._ask("POST", f"{base}/", user, body={"title": _TITLE})
        status = made.status or 0
        if made.symptom or status >= _SERVER_ERROR:
            return _not_yet(made)
        if status == _UNAUTHORIZED:
            self._user = None  # the token may have run out while the target woke up
        number = _id_of(made)
        if not _OK <= status < _REDIRECT or not number:
            how = "without an id " if status < _REDIRECT else ""
            return await self._by_word(f"POST /api/threads answered {status} {how}".rstrip())
        place = f"{base}/{quote(number, safe='')}"
        read = await self._ask("GET", place, user)
        removed = await self._ask("DELETE", place, user)
        if read.symptom or (read.status or 0) >= _SERVER_ERROR:
            return _not_yet(read)
        if (read.status or 0) >= _REDIRECT:
            error = f"a thread that was just written cannot be read: {read.evidence()}"
            return Seen(ready=False, error=error, final=True)
        end = "removed" if _OK <= (removed.status or 0) < _REDIRECT else "not removed"
        return Seen(ready=True, proof=f"a thread was written, read and {end}")

    async def _by_word(self, why: str) -> Seen:
        """Fall back where nothing can be shown: the database's own address, else words."""
        if self._direct is not None:
            said = await self._direct
            if not said:
                return Seen(ready=True, proof=f"DATABASE_URL was asked directly; {why}")
        for path in _PLACES:
            answer = await self._ask("GET", f"{self._target.backend}{path}")
            if answer.symptom or (answer.status or 0) >= _SERVER_ERROR:
                return _not_yet(answer)
            words = [str(answer.document().get(key, "")).lower() for key in _WORD_KEYS]
            if answer.status == _OK and any(words):
                if _BAD_WORDS.intersection(words):
                    return Seen(ready=False, error=answer.evidence())
                said = next(filter(None, words))
                return Seen(ready=True, proof=f"by word only, {path} says {said}; {why}")
        return Seen(ready=True, proof=f"not proven: no readiness endpoint; {why}")

    def _noted(self, seen: Seen) -> Seen:
        """Add what the database's own address has said by now; nothing waits for it."""
        if self._direct is None or "DATABASE_URL" in seen.proof:
            return seen
        said = (self._direct.result() or "answered") if self._direct.done() else "no answer yet"
        note = f"; DATABASE_URL: {said}"
        if self._direct.done():
            self._direct = None if not seen.ready else self._direct
        if seen.ready:
            return Seen(ready=True, proof=seen.proof + note)
        return Seen(ready=False, error=seen.error + note, symptom=seen.symptom, final=seen.final)

    async def _ask(
        self, method: str, url: str, user: User | None = None, body: dict[str, str] | None = None
    ) -> Exchange:
        token = user.token if user else None
        purpose = "database probe"
        answer = await self._web.exchange(
            purpose, method, url, within_s=_WITHIN_S, json=body, token=token
        )
        return answer.exchange


def _not_yet(answer: Exchange) -> Seen:
    error = answer.symptom.sentence() if answer.symptom else answer.evidence()
    return Seen(ready=False, error=error, symptom=answer.symptom)


def _id_of(answer: Exchange) -> str:
    document = answer.document()
    inner = [document.get(key) for key in ("thread", "data")]
    for place in (document, *(value for value in inner if isinstance(value, dict))):
        for key in ("id", "thread_id"):
            value = place.get(key)
            if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
                return str(value)
    return ""


def _in_a_thread(url: Secret, redactor: Redactor) -> asyncio.Future[str]:
    """Ask a database in a thread of its own, which never keeps the run from ending."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[str] = loop.create_future()

    def settle(said: str) -> None:
        if not result.done():
            result.set_result(said)

    def ask() -> None:
        said = redactor.redact(ask_database(url, redactor))
        try:
            loop.call_soon_threadsafe(settle, said)
        except RuntimeError:  # the run has gone on without it
            return

    threading.Thread(target=ask, name="database probe", daemon=True).start()
    return result


def ask_database(url: Secret, redactor: Redactor) -> str:
    """Ask a database for nothing but an answer; blocks, at most for the connect time-out.

    Args:
        url: its SQLAlchemy address; an asynchronous driver in it is replaced.
        redactor: learns the password.

    Returns:
        '' when it answered, else why not, or what is missing to ask it.

    """
    redactor.learn(url)
    if importlib.util.find_spec("sqlalchemy") is None:
        return "not asked, sqlalchemy is not installed (pip install 'pytest-goldenpath[local]')"
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    try:
        plain = url.reveal().replace("postgres://", "postgresql://", 1)
        address = make_url(plain)
        if address.password:
            redactor.learn(Secret(str(address.password)))
        name = address.get_backend_name()
        known = _DRIVERS.get(name, ())
        driver = next((d for d in known if importlib.util.find_spec(d) is not None), "")
        if not driver:
            missing = f" ({' or '.join(known)})" if known else ""
            return f"not asked, no driver for {name}{missing} is installed"
        address = address.set(drivername=f"{name}+{_DIALECTS.get(driver, driver)}")
        limit = {"connect_timeout": int(_WITHIN_S)} if name in _TAKES_TIMEOUT else {}
        if name == "sqlite" and not Path(address.database or "").is_file():
            return f"not asked, {address.database} is no file"  # asking would make it
        engine = create_engine(address, poolclass=NullPool, connect_args=limit)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, ImportError, OSError, ValueError, TypeError) as error:
        told = str(error).partition("\n")[0]
        # An address that cannot be read may be quoted whole, with its password in no known place.
        said = "" if url.reveal() in told else f": {told[:200]}"
        return f"no answer ({type(error).__name__}{said})"
    return ""
