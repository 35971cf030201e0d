"""Which build answers: GP-106.

Health says it in its body and in headers, any other answer and the upgrade of a socket in headers
only. A header is compared with the same header, for a version is no revision; an answer without one
says nothing, and neither does a service of another name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.findings import Finding, printable
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey

#: Where a service says which build it is, most telling first.
_REVISION_KEYS = ("revision", "git_sha", "commit", "build", "version")
REVISION_HEADERS = ("x-revision", "x-service-revision", "x-service-version", "x-app-version")
#: Those that hold what ``--expect-revision`` asks for, also where health has no such header.
_EXACT = REVISION_HEADERS[:2]
_SERVICE = "x-service-name"
_OK = 200


def revision_is_expected(survey: Survey) -> Ruling:
    """GP-106: every answer names the expected build, and all name the same one."""
    answers = [exchange for exchange in survey.health if exchange.status == _OK]
    if not answers:
        return Unlooked("no health answer came with 200", blocked_by=("GP-101",))
    named = [(exchange, revisions_of(exchange)) for exchange in answers]
    if survey.expected_revision:
        strange = [(e, names) for e, names in named if survey.expected_revision not in names]
        if not strange:
            return _elsewhere(survey, answers)
        exchange, names = strange[0]
        said = ", ".join(names) or "no revision at all"
        return (
            broken(
                "GP-106",
                f"expected revision {survey.expected_revision} on every answer, "
                f"got {said} on {len(strange)} of {len(named)}",
                exchange.evidence(),
            ),
        )
    distinct = {names[0] if names else "none" for _, names in named}
    if len(distinct) > 1:
        told = " and ".join(sorted(distinct))
        return (broken("GP-106", f"expected one revision on every answer, got {told}"),)
    return _elsewhere(survey, answers)


def revisions_of(exchange: Exchange) -> tuple[str, ...]:
    """Return every build name that an answer carries, most telling first."""
    document = exchange.document()
    bodies = (document.get(key) for key in _REVISION_KEYS)
    headers = (exchange.header(name) for name in REVISION_HEADERS)
    names = (printable(v) for v in (*bodies, *headers) if isinstance(v, str) and v)
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class _Said:
    """What the headers of one answer or upgrade say of the build."""

    headers: dict[str, str]
    evidence: str

    @property
    def service(self) -> str:
        """The name that the service gives itself, or ''."""
        return self.headers.get(_SERVICE, "")

    def builds(self) -> dict[str, str]:
        """Return the headers that name a build."""
        found = ((name, printable(self.headers.get(name, ""))) for name in REVISION_HEADERS)
        return {name: value for name, value in found if value}


def _elsewhere(survey: Survey, health: list[Exchange]) -> tuple[Finding, ...]:
    """Judge every answer of the backend by its headers, once what health says is in order."""
    expected = survey.expected_revision
    known = [_said(exchange) for exchange in health]
    services = {said.service for said in known if said.service}
    others = [said for said in _others(survey) if not services or said.service in {*services, ""}]
    told: dict[str, set[str]] = {}
    for said in known if expected else (*known, *others):
        for name, value in said.builds().items():
            # Health that names what is expected may name more; else the first word counts.
            if expected or name not in told:
                told.setdefault(name, set()).add(value)
    for name in _EXACT if expected else ():
        told.setdefault(name, {expected})
    judged = [said for said in (*known, *others) if said.builds()]
    strange = [(said, wrong) for said in judged if (wrong := _wrong(said, told, expected))]
    if not strange:
        return ()
    said, (name, value) = strange[0]
    wanted = f"revision {expected}" if expected else "one revision"
    beside = "" if expected else f" beside {' and '.join(told[name])}"
    return (
        broken(
            "GP-106",
            f"expected {wanted} on every answer, "
            f"got {value}{beside} on {len(strange)} of {len(judged)}",
            f"{said.evidence} ({name}: {value})",
        ),
    )


def _wrong(said: _Said, told: dict[str, set[str]], expected: str) -> tuple[str, str] | None:
    """Return the header by which an answer is of another build, and its value."""
    builds = said.builds()
    if expected in builds.values():
        return None
    pairs = (
        (name, value) for name, value in builds.items() if value not in told.get(name, {value})
    )
    return next(pairs, None)


def _said(exchange: Exchange) -> _Said:
    return _Said(dict(reversed(exchange.headers)), exchange.evidence())


def _others(survey: Survey) -> Iterator[_Said]:
    """Give the answers of the backend that are not its health, and the upgrades of its sockets.

    The auth service is a build of its own, unless it has the backend's address.
    """
    backend = urlsplit(survey.health[0].url)
    place = backend.netloc, _base(backend.path)
    auth = next((urlsplit(e.url) for e in survey.auth_health), backend)
    auths = auth.netloc, _base(auth.path)
    for exchange in survey.exchanges()[len(survey.health) :]:
        if _belongs(exchange.url, place, auths):
            yield _said(exchange)
    for talk in survey.transcripts():
        if talk.opened:
            evidence = f"the upgrade of {talk.purpose}, {talk.url}"
            yield _Said(dict(reversed(talk.opened.headers)), evidence)


def _base(path: str) -> str:
    """Return the path below which a service is, by the path of its health."""
    return path.rpartition("/health")[0]


def _belongs(url: str, backend: tuple[str, str], auth: tuple[str, str]) -> bool:
    """Tell whether an address is the backend's: its host, and no part of it that is another's."""
    parts = urlsplit(url)

    def is_below(place: tuple[str, str]) -> bool:
        return parts.netloc == place[0] and f"{parts.path}/".startswith(f"{place[1]}/")

    is_other = auth != backend and is_below(auth) and len(auth[1]) >= len(backend[1])
    return is_below(backend) and not is_other
