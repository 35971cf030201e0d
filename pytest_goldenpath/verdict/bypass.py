"""The tester's emergency bypass (design 7): it skips waiting, never a check, and it expires."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

#: Variables that ask for a bypass (protocol 7.4).
VARIABLES = (
    "EMERGENCY_DEVELOPMENT_MODE",
    "BYPASS_INFRASTRUCTURE_VALIDATION",
    "SKIP_CAPACITY_CHECKS",
    "BYPASS_STARTUP_VALIDATION",
    "BYPASS_FULL_STARTUP",
    "BYPASS_AUTH_VALIDATION",
    "BYPASS_WEBSOCKET_READINESS_STAGING",
    "BYPASS_STAGING_HEALTH_CHECK",
    "EMERGENCY_ALLOW_NO_DATABASE",
    "EMERGENCY_MODE",
    "DEMO_MODE",
    "SKIP_OAUTH_VALIDATION",
)
EXPIRY_VARIABLE = "EMERGENCY_BYPASS_EXPIRY"
_ON = frozenset({"true", "1", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Bypass:
    """Whether a bypass is asked for, and whether it counts.

    Attributes:
        sources: the variables that ask for it, with where each was found.
        expires: its end, UTC; None when it is missing or malformed.
        expired: it is asked for and its end has passed.
        problem: why a bypass that is asked for does not count, or ''.
    """

    sources: tuple[str, ...] = ()
    expires: datetime | None = None
    expired: bool = False
    problem: str = ""

    @property
    def active(self) -> bool:
        """Tell whether a bypass is asked for and counts."""
        return bool(self.sources) and not self.problem


def read_bypass(
    lookup: Callable[[str], tuple[str, str] | None],
    now: datetime,
    names: Sequence[str] = VARIABLES,
) -> Bypass:
    """Read the bypass that the tester asks for.

    Args:
        lookup: gives value and source of a variable, or None when it is not set.
        now: the time to compare the expiry with; must carry a time zone.
        names: of the variables that ask for a bypass.

    """
    asked = ((name, lookup(name)) for name in names)
    sources = tuple(
        found[1] for _, found in asked if found is not None and found[0].strip().lower() in _ON
    )
    if not sources:
        return Bypass()
    expiry = lookup(EXPIRY_VARIABLE)
    if expiry is None:
        return Bypass(sources, problem=f"{EXPIRY_VARIABLE} is missing")
    expires = _moment(expiry[0].strip())
    if expires is None:
        problem = f"{EXPIRY_VARIABLE} = {expiry[0]!r} is no date such as 2030-01-31"
        return Bypass(sources, problem=problem)
    if expires < now:
        return Bypass(
            sources, expires, expired=True, problem=f"expired {expires:%Y-%m-%d %H:%M} UTC"
        )
    return Bypass(sources, expires)


def _moment(text: str) -> datetime | None:
    """Read an expiry: a date means the end of that day, UTC, as does a time without a zone."""
    try:
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
