"""The table of promises: every code, its weight, where it is proven and who judges it."""

from __future__ import annotations

from collections.abc import Callable

from pytest_goldenpath.contract.findings import Severity
from pytest_goldenpath.contract.frames import EVENTS
from pytest_goldenpath.contract.rules import (
    answer,
    bypass,
    content,
    context,
    events,
    handshake,
    health,
    login,
    sequence,
    timing,
)
from pytest_goldenpath.contract.ruling import Rule, Ruling
from pytest_goldenpath.contract.survey import Survey

#: The rule that is broken when an observation fails by the product's own making.
OWNERS = {
    "health": "GP-101",
    "auth_health": "GP-104",
    "readiness": "GP-108",
    "login": "GP-201",
    "carriers": "GP-301",
    "strangers": "GP-301",
    "journey": "GP-301",
    "context": "GP-701",
}

_LETTERS = {"s": "smoke", "c": "mission_critical", "r": "remediation"}


def _rule(
    code: str,
    where: str,
    section: str,
    promise: str,
    needs: str,
    check: Callable[[Survey], Ruling],
    *,
    severity: Severity = Severity.MUST,
) -> Rule:
    categories = tuple(_LETTERS[letter] for letter in where.split())
    return Rule(code, severity, categories, promise, section, tuple(needs.split()), check)


def _should(
    code: str,
    where: str,
    section: str,
    promise: str,
    needs: str,
    check: Callable[[Survey], Ruling],
) -> Rule:
    return _rule(code, where, section, promise, needs, check, severity=Severity.SHOULD)


_RULES = (
    _rule(
        "GP-101",
        "s r",
        "1",
        "/health answers 200 with a JSON object, and nothing else",
        "health",
        health.backend_answers,
    ),
    _rule(
        "GP-102",
        "s r",
        "0.3, 1",
        "the health body says up; degraded or unhealthy with 200 is a finding",
        "health",
        health.backend_is_up,
    ),
    _rule(
        "GP-103",
        "s",
        "1",
        "at least 95 % of health answers come within 2 s",
        "health",
        health.health_is_quick,
    ),
    _rule(
        "GP-104",
        "s r",
        "1.4",
        "the auth service is healthy by the same rules",
        "auth_health",
        health.auth_is_healthy,
    ),
    _should(
        "GP-105",
        "s",
        "1",
        "the health body is deep: it names dependencies",
        "health readiness",
        health.health_is_deep,
    ),
    _rule(
        "GP-106",
        "s r",
        "10 F95",
        "every answer is of one build, and of the expected one if any is expected",
        "health",
        health.revision_is_expected,
    ),
    _should(
        "GP-108",
        "s",
        "1",
        "ready endpoints answer in time and do not contradict /health",
        "readiness",
        health.readiness_agrees,
    ),
    _rule(
        "GP-109",
        "s c r",
        "10 F81",
        "no HTTP 503 after readiness during the run",
        "health auth_health readiness login carriers strangers journey",
        health.no_503_after_readiness,
    ),
    _rule(
        "GP-201",
        "s c r",
        "2.1",
        "a known user logs in and gets a token, its type, its expiry and the user",
        "login",
        login.user_logs_in,
    ),
    _rule(
        "GP-301",
        "s c r",
        "3.2",
        "the socket accepts a fresh token by each promised carrier",
        "carriers",
        handshake.fresh_token_opens,
    ),
    _rule(
        "GP-303",
        "s c r",
        "2.6, 10.7",
        "no, garbage, expired, wrongly signed and foreign tokens are refused",
        "strangers",
        handshake.strangers_are_refused,
    ),
    _rule(
        "GP-304",
        "s c r",
        "3.4, 0.3",
        "the welcome comes in time, names a connection, and its user is the token's",
        "carriers journey",
        handshake.welcome_is_right,
    ),
    _rule(
        "GP-305",
        "s c r",
        "3.6, 3.7",
        "a ping is answered within 5 s and the connection survives it",
        "carriers journey",
        handshake.ping_is_answered,
    ),
    *(
        _rule(
            f"GP-40{number}",
            "s c r",
            "4",
            f"{name} arrives for a real request",
            "journey",
            events.event_arrives(f"GP-40{number}", name),
        )
        for number, name in enumerate(EVENTS, start=1)
    ),
    _rule(
        "GP-406",
        "c r",
        "4.7",
        "started first, completed last, nothing before the welcome or after the end",
        "journey",
        sequence.events_are_in_order,
    ),
    _rule(
        "GP-407",
        "c",
        "4.7",
        "each tool_completed closes a tool_executing of the same tool, none stays open",
        "journey",
        sequence.tools_are_paired,
    ),
    _rule(
        "GP-408",
        "c",
        "4.7",
        "no step, tool call or agent is told twice",
        "journey",
        sequence.nothing_comes_twice,
    ),
    _rule(
        "GP-409",
        "c r",
        "0.3, 4.6",
        "run, thread and user of every event are mine and stay the same",
        "journey",
        sequence.identity_is_ours,
    ),
    _rule(
        "GP-410",
        "c",
        "4.6",
        "the must-have fields of each event are there",
        "journey",
        content.fields_are_there,
    ),
    _rule(
        "GP-411",
        "c",
        "4.2",
        "content is real: no placeholder names, texts or empty results",
        "journey",
        content.content_is_real,
    ),
    _rule(
        "GP-412",
        "c",
        "0.3.8",
        "time stamps are there, parse, do not run backwards and are near the clock",
        "journey",
        timing.stamps_are_right,
    ),
    _rule(
        "GP-413",
        "c",
        "3.9",
        "first event within 5 s, no gap over 15 s, the whole run within 60 s",
        "journey",
        timing.events_come_in_time,
    ),
    _should(
        "GP-414",
        "c",
        "4",
        "events arrive when they happen, not all at the end",
        "journey",
        timing.events_stream,
    ),
    _rule(
        "GP-415",
        "c r",
        "0.3.4, 4.3",
        "the event's name is carried in a form that a client can see",
        "journey",
        content.names_are_visible,
    ),
    _rule(
        "GP-416",
        "s c r",
        "4.8",
        "no failure frame comes in a good run",
        "journey",
        events.no_failure_frame,
    ),
    _rule(
        "GP-417",
        "c",
        "0.3, 3.9",
        "every frame is text, valid UTF-8, one JSON object, within the size limit",
        "journey",
        content.frames_are_whole,
    ),
    _rule(
        "GP-501",
        "s c r",
        "0.3.7",
        "the run ends with an answer text to this request",
        "journey",
        answer.answer_arrives,
    ),
    _rule(
        "GP-502",
        "s c r",
        "4.3, 6.1",
        "the answer is no mock, fallback, placeholder, error text, apology or echo",
        "journey",
        answer.answer_is_real,
    ),
    _rule(
        "GP-503",
        "c",
        "10.7",
        "the answer belongs to this request: its marker comes back, its task is solved",
        "journey",
        answer.answer_belongs,
    ),
    _rule(
        "GP-504",
        "c",
        "4.6",
        "the answer is complete and substantive",
        "journey",
        answer.answer_is_whole,
    ),
    _rule(
        "GP-506",
        "c",
        "4",
        "HTML, script and control characters are not passed on raw",
        "journey",
        answer.answer_is_passive,
    ),
    _rule(
        "GP-701",
        "c r",
        "5.2",
        "imported: from_request accepts websocket_client_id and gives it back",
        "context",
        context.client_id_is_accepted,
    ),
    _rule(
        "GP-702",
        "c r",
        "5.2",
        "imported: websocket_connection_id agrees, and the supervisor's factory maps it",
        "context",
        context.alias_agrees,
    ),
    _rule(
        "GP-703",
        "r",
        "5.2",
        "imported: contexts are frozen, validated and isolated, children count their depth",
        "context",
        context.contexts_are_sound,
    ),
    _rule(
        "GP-704",
        "r",
        "5.1, 5.3 to 5.6",
        "imported: manager, exceptions, states, bridge factory and configuration are there",
        "context",
        context.surroundings_are_there,
    ),
    _rule(
        "GP-705",
        "s c r",
        "10 F19, 5.2",
        "a socket gets a client id of its own, and requests are answered on it",
        "carriers journey",
        handshake.client_id_is_deployed,
    ),
    _rule(
        "GP-801",
        "s c r",
        "2.6",
        "the target lets no stranger in: no demo, relaxed or emergency user",
        "strangers carriers journey",
        bypass.no_stranger_gets_in,
    ),
    _rule(
        "GP-802",
        "s c r",
        "1.5, 7.4",
        "the target shows no emergency, degraded-start or bypass flag",
        "health auth_health readiness login carriers journey",
        bypass.no_bypass_flag,
    ),
)

#: Every rule by its code.
RULES: dict[str, Rule] = {rule.code: rule for rule in _RULES}
