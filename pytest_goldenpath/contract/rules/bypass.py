"""The target's own bypasses, and the secret that everybody knows: GP-801 to GP-803."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
from pytest_goldenpath.contract.rules.doors import gives_token
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript

#: How users begin whom a permissive level of authentication makes up (protocol 2.6).
MADE_UP_USERS = ("demo-use", "demo_use", "relaxed_", "emergency_")
_DEPTH = 6
_FLAG_SUFFIXES = ("_bypassed", "_bypass", "_bypass_active", "_bypass_enabled")
_FLAGS = frozenset(
    {
        "bypass",
        "bypassed",
        "bypass_active",
        "bypass_enabled",
        "bypass_auth",
        "bypass_auth_validation",
        "bypass_startup_validation",
        "demo_mode",
        "demo",
        "emergency",
        "emergency_mode",
        "emergency_active",
        "fallback_mode",
        "auth_disabled",
    }
)
_MODE_KEYS = frozenset(
    {"startup_mode", "mode", "auth_mode", "authentication_mode", "auth_level", "auth_result"}
)
_MODE_WORDS = frozenset(
    {"emergency", "degraded", "bypass", "bypassed", "permissive", "relaxed", "demo"}
)
#: What a platform can do is told here, and not what it does (protocol 3.4).
_CAPABILITIES = frozenset({"features", "factory_features", "isolation_features", "capabilities"})
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z]+")
_ON_WORDS = frozenset({"true", "1", "yes", "on", "enabled", "active"})


def no_stranger_gets_in(survey: Survey) -> Ruling:
    """GP-801: there is no demo, relaxed or emergency user and no header bypass.

    Nor does a login give a token to who has no key or a wrong one. A development login is a finding
    but on a target that is local or called dev or development.
    """
    if not survey.strangers:
        return Unlooked("no stranger was sent")
    return (*_made_up_users(survey), *_given_away(survey))


def no_bypass_flag(survey: Survey) -> Ruling:
    """GP-802: nothing on the wire shows an emergency, degraded start or bypass flag."""
    documents: list[tuple[Mapping[str, object], str]] = [
        (exchange.document(), exchange.evidence())
        for exchange in survey.exchanges()
        if exchange.document()
    ]
    documents += [
        (welcome.frame.document, welcome.evidence())
        for transcript in survey.transcripts()
        if transcript.user_id and (welcome := transcript.welcome())
    ]
    if not documents:
        return Unlooked("no answer is a JSON object", blocked_by=("GP-101", "GP-104"))
    found: dict[str, Finding] = {}
    names = _FLAGS | {_plain(name) for name in survey.bypass_names}
    for document, evidence in documents:
        for flag in _flags(document, names, _DEPTH):
            message = f"expected no emergency or bypass flag, got {flag}"
            found.setdefault(flag, broken("GP-802", message, evidence))
    return tuple(found.values())


def secret_is_our_own(survey: Survey) -> Ruling:
    """GP-803: the token is not signed with a default that is made of a setting's name."""
    login = survey.login
    if login is None or login.token is None:
        return Unlooked("no token came", blocked_by=("GP-201",))
    if not login.token.default_key:
        return ()
    return (
        broken(
            "GP-803",
            "expected tokens to be signed with a secret of the deployment's own, but the key is "
            f"made of the name {login.token.default_key}, which anybody can guess",
            severity=Severity.SHOULD,
            attribution=Attribution.AUTH,
        ),
    )


def is_made_up(user: str) -> bool:
    """Tell whether a permissive level of authentication made this user up."""
    return user.lower().startswith(MADE_UP_USERS)


def _made_up_users(survey: Survey) -> Iterator[Finding]:
    for transcript in survey.transcripts():
        if transcript.user_id:
            yield from _made_up_events(transcript)
        welcome = transcript.welcome()
        user = welcome.frame.word("user_id") if welcome else ""
        beside = transcript in survey.talks.get("side_doors", ())
        stranger = beside or transcript in survey.strangers
        if welcome is None or not (stranger or _is_strange(transcript, user)):
            continue
        who = f"a stranger at {transcript.purpose}" if beside else transcript.purpose
        credential = "our own token" if transcript.user_id else who
        yield broken(
            "GP-801",
            f"expected no made-up user, but {credential} was let in as {user or 'nobody'}",
            welcome.evidence(),
            attribution=Attribution.AUTH,
        )


def _given_away(survey: Survey) -> Iterator[Finding]:
    for exchange in survey.asked.get("giveaways", ()):
        if exchange.symptom is None and gives_token(exchange):
            yield broken(
                "GP-801",
                f"expected {exchange.purpose} to give no token, got HTTP {exchange.status} with one",
                exchange.evidence(),
                attribution=Attribution.AUTH,
            )


def _made_up_events(transcript: Transcript) -> Iterator[Finding]:
    """Tell of events on our connection that belong to a made-up user."""
    for heard in transcript.strangers():
        user = heard.frame.word("user_id")
        if is_made_up(user):
            yield broken(
                "GP-801",
                f"expected no made-up user, but our request was served as {user}",
                heard.evidence(),
                attribution=Attribution.AUTH,
            )
            return


def _is_strange(transcript: Transcript, user: str) -> bool:
    return is_made_up(user) and not is_made_up(transcript.user_id)


def _plain(name: object) -> str:
    return _HUMP.sub("_", str(name)).lower().replace("-", "_")


def _flags(value: object, names: frozenset[str], depth: int) -> Iterator[str]:
    if isinstance(value, list) and depth:
        for inner in value:
            yield from _flags(inner, names, depth - 1)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        name = _plain(key)
        if name in _CAPABILITIES:
            continue
        if _tells_of_bypass(name, inner, names):
            yield f"{name} = {inner!r}"
        elif isinstance(inner, dict | list) and depth:
            yield from _flags(inner, names, depth - 1)


def _tells_of_bypass(name: str, value: object, names: frozenset[str]) -> bool:
    if name == "authentication_required":
        return value is False
    if name in names or name.endswith(_FLAG_SUFFIXES):
        return _is_on(value)
    return name in _MODE_KEYS and _names_bypass(value)


def _is_on(value: object) -> bool:
    return value is True or str(value).strip().lower() in _ON_WORDS


def _names_bypass(value: object) -> bool:
    words = set(_WORD.findall(value.lower())) if isinstance(value, str) else set()
    return bool(words & _MODE_WORDS) and "non" not in words
