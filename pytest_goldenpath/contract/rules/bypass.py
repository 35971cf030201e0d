"""The target's own bypasses: GP-801 and GP-802."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_goldenpath.contract.findings import Attribution, Finding
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript

#: How users begin whom a permissive level of authentication makes up (protocol 2.6).
MADE_UP_USERS = ("demo-use", "demo_use", "relaxed_", "emergency_")
_DEPTH = 6
_FLAG_PREFIXES = ("emergency_", "bypass_")
_FLAG_SUFFIXES = ("_bypassed", "_bypass")
_FLAGS = frozenset(
    {"bypass", "bypassed", "demo_mode", "emergency_mode", "emergency", "fallback_mode"}
)
_MODE_KEYS = frozenset({"startup_mode", "mode", "auth_mode", "authentication_mode", "auth_level"})
_MODE_WORDS = ("emergency", "degraded", "bypass", "permissive", "relaxed", "demo")
_ON_WORDS = frozenset({"true", "1", "yes", "on", "enabled", "active"})


def no_stranger_gets_in(survey: Survey) -> Ruling:
    """GP-801: there is no demo, relaxed or emergency user and no header bypass."""
    if not survey.strangers:
        return Unlooked("no stranger was sent")
    return tuple(_made_up_users(survey))


def no_bypass_flag(survey: Survey) -> Ruling:
    """GP-802: nothing on the wire shows an emergency, degraded start or bypass flag."""
    documents = [exchange for exchange in survey.exchanges() if exchange.document()]
    if not documents:
        return Unlooked("no answer is a JSON object", blocked_by=("GP-101", "GP-104"))
    found: dict[str, Finding] = {}
    for exchange in documents:
        for flag in _flags(exchange.document(), _DEPTH):
            found.setdefault(
                flag,
                broken(
                    "GP-802",
                    f"expected no emergency or bypass flag, got {flag}",
                    exchange.evidence(),
                ),
            )
    return tuple(found.values())


def is_made_up(user: str) -> bool:
    """Tell whether a permissive level of authentication made this user up."""
    return user.lower().startswith(MADE_UP_USERS)


def _made_up_users(survey: Survey) -> Iterator[Finding]:
    for transcript in survey.transcripts():
        welcome = transcript.welcome()
        user = welcome.frame.text("user_id") if welcome else ""
        if welcome is None or not _is_strange(transcript, user):
            continue
        credential = "our own token" if transcript.user_id else transcript.purpose
        yield broken(
            "GP-801",
            f"expected no made-up user, but {credential} was let in as {user or 'nobody'}",
            welcome.evidence(),
            attribution=Attribution.AUTH,
        )


def _is_strange(transcript: Transcript, user: str) -> bool:
    if not transcript.user_id:
        return True
    return is_made_up(user) and not is_made_up(transcript.user_id)


def _flags(document: dict[str, object], depth: int) -> Iterator[str]:
    for key, value in document.items():
        name = str(key).lower()
        if isinstance(value, dict) and depth:
            yield from _flags(value, depth - 1)
        elif (
            (_is_flag(name) and _is_on(value))
            or (name in _MODE_KEYS and _names_bypass(value))
            or (name == "authentication_required" and value is False)
        ):
            yield f"{name} = {value!r}"


def _is_flag(name: str) -> bool:
    return name in _FLAGS or name.startswith(_FLAG_PREFIXES) or name.endswith(_FLAG_SUFFIXES)


def _is_on(value: object) -> bool:
    return value is True or str(value).strip().lower() in _ON_WORDS


def _names_bypass(value: object) -> bool:
    return isinstance(value, str) and any(word in value.lower() for word in _MODE_WORDS)
