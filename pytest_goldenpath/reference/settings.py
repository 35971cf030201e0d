"""What one run of the reference backend is told: its settings, and the command line behind them."""

import argparse
import difflib
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pytest_goldenpath.reference.fault import Fault, Seams, Variant
from pytest_goldenpath.reference.faults import FAULTS, VARIANTS

VERSION = "1.0.0"
HEARTBEAT_S = 15.0
MAX_MESSAGE_BYTES = 8192
MESSAGES_PER_MINUTE = 30
ACCESS_TOKEN_S = 900
REFRESH_TOKEN_S = 7 * 24 * 3600

HEARTBEAT_VARIABLE = "GOLDENPATH_REFERENCE_HEARTBEAT_S"
KEY_VARIABLE = "E2E_OAUTH_SIMULATION_KEY"
_EARLY = {"V11", "V13"}


@dataclass(frozen=True, slots=True)
class Places:
    """How many connections a user may have, and how long after a close its place is free."""

    count: int
    freed_s: float


#: Both limits are documented (protocol.md 3.9), for two classes of the same platform.
PLACES = {"places-few": Places(3, 1.0), "places-many": Places(10, 0.0)}


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one process; secret and revision are new in every process."""

    host: str = "127.0.0.1"
    port: int = 0
    auth_port: int = 0
    database: str = field(default="", repr=False)
    heartbeat_s: float = HEARTBEAT_S
    events: str = "V18"
    welcome: str = "welcome-established"
    health: str = "health-long"
    places: Places = PLACES["places-many"]
    supervised: bool = False
    environment: str = "development"
    e2e_key: str = field(default="", repr=False)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    revision: str = field(default_factory=lambda: f"ref-{secrets.token_hex(4)}")
    seams: Seams = field(default_factory=Seams)


class UsageProblem(Exception):
    """The command line cannot be obeyed; the text is one sentence for the user."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageProblem(f"{self.prog}: {message}.")


def parsed(argv: list[str] | None, program: str) -> argparse.Namespace:
    """Return the options as they were given."""
    parser = _Parser(prog=program, description="The reference backend of pytest-goldenpath.")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port of the backend; 0: a free one")
    parser.add_argument("--auth-port", type=int, default=0, help="port of the auth service")
    parser.add_argument("--variant", action="append", default=[], help="a dialect, or 'list'")
    parser.add_argument("--fault", action="append", default=[], help="an illness, or 'list'")
    parser.add_argument("--database", default="", help="SQLAlchemy URL; default: in memory")
    parser.add_argument("--heartbeat", type=float, help="seconds until an idle heartbeat")
    parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def settings_from(options: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """Return the settings for the options, or raise UsageProblem."""
    families = _families(options.variant)
    events = families.get("events", "V18")
    greeting = "welcome-connect" if events in _EARLY else "welcome-established"
    for option, port in (("--port", options.port), ("--auth-port", options.auth_port)):
        if not 0 <= port <= 65535:  # noqa: PLR2004 - the range of ports
            raise UsageProblem(f"{option} {port} is no port; give one from 0 (any free) to 65535.")
    return Settings(
        host=options.host,
        port=options.port,
        auth_port=options.auth_port,
        database=options.database,
        heartbeat_s=_heartbeat(options.heartbeat, environment),
        events=events,
        welcome=families.get("welcome", greeting),
        health=families.get("health", "health-long"),
        places=PLACES[families.get("places", "places-many")],
        supervised=options.supervised,
        e2e_key=environment.get(KEY_VARIABLE, ""),
        seams=Seams([FAULTS[_known("--fault", name, FAULTS)] for name in options.fault]),
    )


def listing(entries: Mapping[str, Fault] | Mapping[str, Variant]) -> str:
    """Return the catalogue as lines of text."""
    width = max(len(name) for name in entries)
    lines = []
    for entry in entries.values():
        codes = f" [{', '.join(entry.codes)}]" if isinstance(entry, Fault) else ""
        lines.append(f"{entry.name:<{width}}  {entry.description}{codes}\n")
    return "".join(lines)


def _families(names: Iterable[str]) -> dict[str, str]:
    families: dict[str, str] = {}
    for name in names:
        family = VARIANTS[_known("--variant", name, VARIANTS)].family
        other = families.setdefault(family, name)
        if other != name:
            raise UsageProblem(
                f"--variant {other} and --variant {name} are both of the family '{family}'; "
                "give at most one of it."
            )
    return families


def _known(option: str, name: str, entries: Iterable[str]) -> str:
    names = list(entries)
    if name in names:
        return name
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    raise UsageProblem(
        f"{option} {name!r} is unknown; did you mean {close[0]!r}? ({option} list shows all.)"
    )


def _heartbeat(option: float | None, environment: Mapping[str, str]) -> float:
    raw = str(option) if option is not None else environment.get(HEARTBEAT_VARIABLE, "")
    if not raw:
        return HEARTBEAT_S
    source = "--heartbeat" if option is not None else HEARTBEAT_VARIABLE
    try:
        seconds = float(raw)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageProblem(f"{source} {raw!r} is no time; give a positive number of seconds.")
    return seconds


def environment() -> Mapping[str, str]:
    """Return the environment; the one place where this package looks at it."""
    return os.environ
