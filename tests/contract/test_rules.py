"""Each rule is kept by a healthy survey and broken by an example of its own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from builders import (
    ANSWER,
    EPOCH,
    PROMPT,
    event,
    exchange,
    handshake,
    healthy_entries,
    heard,
    journey,
    login,
    refusal,
    stranger,
    survey,
    talks,
    welcome,
    without,
)
from contract import examples_context, examples_sockets, examples_threads
from examples_doors import BROKEN as BROKEN_DOORS
from pytest_goldenpath.contract.findings import Attribution, Severity
from pytest_goldenpath.contract.frames import EVENTS
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.registry import OWNERS, RULES
from pytest_goldenpath.contract.rules.handshake import UNSIGNED_EXPIRY
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import Kind as Trouble
from pytest_goldenpath.contract.symptom import Symptom
from pytest_goldenpath.contract.transcript import Entry, Kind, Transcript

EVENT_CODES = {
    "GP-401": "agent_started",
    "GP-402": "agent_thinking",
    "GP-403": "tool_executing",
    "GP-404": "tool_completed",
    "GP-405": "agent_completed",
}
OPENED = Entry(0.01, Kind.OPENED)


def answered(text: str) -> Survey:
    """Build a survey whose journey ends with this answer."""
    return survey(journey=journey(healthy_entries(text)))


def replaced(transcript: Transcript, *entries: Entry) -> Transcript:
    """Give a conversation other entries."""
    return replace(transcript, entries=entries)


def handshakes(*entries: Entry) -> Survey:
    """Build a survey in which every conversation of ours went this way."""
    carriers = tuple(replaced(handshake(c, "x"), *entries) for c in ("header", "subprotocol"))
    return survey(carriers=carriers, journey=replaced(journey(), *entries))


def beside(*entries: Entry) -> Survey:
    """Build a survey in which another socket than that of the users treated a stranger this way."""
    tried = stranger(*entries, purpose="the side door /ws/test without a token")
    return survey(talks={**talks(), "side_doors": (tried,)})


def run(*names: str) -> Survey:
    """Build a survey whose run consists of these events."""
    template = {json.loads(e.text)["type"]: e for e in healthy_entries() if e.kind is Kind.HEARD}
    events = (replace(template[n], at_s=0.06 + i / 100) for i, n in enumerate(names))
    return survey(journey=journey((*healthy_entries()[:5], *events)))


def changed(name: str, **fields: object) -> Survey:
    """Build a survey whose events of one name have other fields; None takes a field away."""
    return survey(
        journey=journey(tuple(_edited(entry, name, fields) for entry in healthy_entries()))
    )


def both(first: str, second: str, key: str) -> Survey:
    """Build a survey in which two events give a field different values."""
    entries = (_edited(entry, first, {key: "one"}) for entry in healthy_entries())
    return survey(journey=journey(tuple(_edited(entry, second, {key: "two"}) for entry in entries)))


def _edited(entry: Entry, name: str, fields: dict[str, object]) -> Entry:
    if entry.kind is not Kind.HEARD or json.loads(entry.text)["type"] != name:
        return entry
    document = {**json.loads(entry.text), **fields}
    return replace(entry, text=json.dumps({k: v for k, v in document.items() if v is not None}))


def late(first_s: float, *, gap_s: float = 0.01, thoughts: int = 1) -> Survey:
    """Build a survey whose run begins late, and thinks with gaps."""
    names = (EVENTS[0], *(EVENTS[1:2] * thoughts), *EVENTS[2:])
    times = [0.05 + first_s + gap_s * min(i, thoughts) + i / 1000 for i in range(len(names))]
    made = [replace(e, at_s=t) for e, t in zip(_events(names), times, strict=True)]
    stamped = (
        _edited(e, json.loads(e.text)["type"], {"timestamp": EPOCH + e.at_s, "step": i})
        for i, e in enumerate(made)
    )
    return survey(journey=journey((*healthy_entries()[:5], *stamped)))


def _events(names: tuple[str, ...]) -> list[Entry]:
    template = {json.loads(e.text)["type"]: e for e in healthy_entries() if e.kind is Kind.HEARD}
    return [template[name] for name in names]


def changed_all(**fields: object) -> Survey:
    """Build a survey whose events all have other fields."""
    entries = healthy_entries()
    for name in EVENTS:
        entries = tuple(_edited(entry, name, fields) for entry in entries)
    return survey(journey=journey(entries))


PLAIN = healthy_entries()[2:]
FIGURES = {"code": "KESTREL-4821", "sum": 42, "saving": "smaller databases"}
PONGED = (Entry(0.03, Kind.SENT, "ping", "{}"), heard({"type": "pong"}, 0.04))
CLOSED_1011 = (OPENED, Entry(0.02, Kind.CLOSED, "the target", "main mode error", 1011))
BROKEN: list[tuple[str, str, Survey]] = [
    *BROKEN_DOORS,
    *examples_context.BROKEN,
    ("GP-101", "server error", survey(health=(exchange({"detail": "x"}, status=500),))),
    ("GP-101", "web page", survey(health=(exchange("<html>", content_type="text/html"),))),
    ("GP-101", "wrong label", survey(health=(exchange(content_type="text/plain"),))),
    ("GP-101", "list", survey(health=(exchange([1]),))),
    ("GP-101", "oversized", survey(health=(replace(exchange(), oversized=True),))),
    ("GP-101", "one bad of many", survey(health=(exchange(), exchange(status=500)))),
    ("GP-102", "degraded", survey(health=(exchange({"status": "degraded"}),))),
    (
        "GP-102",
        "a database below it is unhealthy",
        survey(health=(exchange({"status": "healthy", "checks": {"db": {"status": "down"}}}),)),
    ),
    ("GP-102", "no status", survey(health=(exchange({"service": "x"}),))),
    ("GP-103", "2 of 20 slow", survey(health=(exchange(),) * 18 + (exchange(elapsed_s=2.5),) * 2)),
    ("GP-104", "auth degraded", survey(auth_health=(exchange({"status": "degraded"}),))),
    (
        "GP-104",
        "auth without its database",
        survey(auth_health=(exchange({"status": "healthy", "database_status": "disconnected"}),)),
    ),
    ("GP-104", "auth server error", survey(auth_health=(exchange(status=500),))),
    (
        "GP-105",
        "shallow",
        survey(health=(exchange({"status": "ok"}),), readiness=(exchange({"status": "ready"}),)),
    ),
    ("GP-106", "stale", survey(expected_revision="2.0.0")),
    (
        "GP-106",
        "mixed",
        survey(health=(exchange(), exchange({"status": "ok", "version": "0.9.0"}))),
    ),
    (
        "GP-108",
        "contradiction",
        survey(readiness=(exchange({"status": "not_ready"}, purpose="backend readiness"),)),
    ),
    (
        "GP-108",
        "slow",
        survey(readiness=(exchange({"status": "ready"}, elapsed_s=4.0),)),
    ),
    (
        "GP-109",
        "503 of the application",
        survey(
            health=(
                exchange(),
                exchange(
                    {"error": "x"},
                    status=503,
                    at_s=1.0,
                    symptom=Symptom(Trouble.HTTP_STATUS, "h", status=503, app_made=True),
                ),
            )
        ),
    ),
    ("GP-201", "server error", survey(login=login(exchange=exchange(status=500)))),
    ("GP-201", "no token", survey(login=login(has_access_token=False))),
    ("GP-201", "no type", survey(login=login(token_type=""))),
    ("GP-201", "no expiry", survey(login=login(expires_in_s=None))),
    ("GP-201", "another's account", survey(login=login(email="bob@x.y", asked_email="ann@x.y"))),
    ("GP-201", "no user", survey(login=login(answered_user_id=""))),
    ("GP-201", "another's token", survey(login=login(subject="somebody"))),
    (
        "GP-301",
        "refused upgrade",
        survey(carriers=(replaced(handshake("header", "x"), Entry(0.0, Kind.REFUSED, code=403)),)),
    ),
    (
        "GP-301",
        "closed 1008",
        survey(
            carriers=(
                replaced(
                    handshake("header", "x"),
                    OPENED,
                    Entry(0.02, Kind.CLOSED, "the target", "no", 1008),
                ),
            )
        ),
    ),
    ("GP-303", "welcomed", survey(strangers=(stranger(OPENED, welcome()),))),
    (
        "GP-303",
        "silent and open",
        survey(strangers=(stranger(OPENED, Entry(3.0, Kind.MISSED, "refusal")),)),
    ),
    (
        "GP-303",
        "error frame and open",
        survey(
            strangers=(
                stranger(
                    OPENED, heard({"type": "error"}, 0.02), Entry(2.0, Kind.MISSED, "refusal")
                ),
            )
        ),
    ),
    (
        "GP-303",
        "served without a welcome",
        survey(strangers=(stranger(OPENED, heard({"type": "ack"}, 0.1)),)),
    ),
    (
        "GP-303",
        "closed politely",
        survey(strangers=(stranger(OPENED, Entry(0.1, Kind.CLOSED, "the target", "", 1000)),)),
    ),
    ("GP-303", "welcomed at a side door", beside(OPENED, welcome())),
    ("GP-303", "served at a side door", beside(OPENED, heard({"type": "pong"}, 0.1))),
    ("GP-304", "anybody's prefix", handshakes(OPENED, welcome(user="..."))),
    ("GP-304", "closed before", handshakes(*CLOSED_1011)),
    ("GP-304", "late", handshakes(OPENED, welcome(12.5))),
    ("GP-304", "nameless connection", handshakes(OPENED, welcome(connection=""))),
    ("GP-304", "other user", handshakes(OPENED, welcome(user="demo-use..."))),
    (
        "GP-305",
        "no pong",
        handshakes(OPENED, welcome(), Entry(0.03, Kind.SENT, "ping", "{}")),
    ),
    (
        "GP-305",
        "late pong",
        handshakes(
            OPENED, welcome(), Entry(0.03, Kind.SENT, "ping", "{}"), heard({"type": "pong"}, 6.0)
        ),
    ),
    *((code, "missing", survey(journey=journey(without(n)))) for code, n in EVENT_CODES.items()),
    (
        "GP-401",
        "only a stranger's",
        survey(
            journey=journey(
                (
                    *without("agent_started"),
                    event("agent_started", 0.06, user_id="u-somebody-else"),
                )
            )
        ),
    ),
    (
        "GP-416",
        "agent_error",
        survey(journey=journey((*healthy_entries(), heard({"type": "agent_error"}, 0.2)))),
    ),
    ("GP-416", "failed completion", changed("agent_completed", status="error")),
    ("GP-416", "no success", changed("agent_completed", success=False)),
    ("GP-416", "error inside the result", changed("agent_completed", result={"error": "boom"})),
    (
        "GP-416",
        "named inside",
        survey(
            journey=journey(
                (*healthy_entries(), heard({"type": "message", "event": "agent_error"}, 0.2))
            )
        ),
    ),
    (
        "GP-401",
        "only before the request",
        survey(
            journey=journey(
                (
                    *healthy_entries()[:2],
                    event("agent_started", 0.02),
                    *without("agent_started")[2:],
                )
            )
        ),
    ),
    ("GP-402", "a number for another user", changed("agent_thinking", user_id=987654321)),
    ("GP-402", "another user inside", changed("agent_thinking", data={"user_id": "bob"})),
    ("GP-501", "another request's answer", answered("The code is HERON-1111 and the sum is 99.")),
    ("GP-501", "no text", answered("")),
    ("GP-502", "mock", answered(f"Mock triage agent response for: {PROMPT}")),
    ("GP-502", "fallback", answered("Fallback triage agent response: nothing to say")),
    ("GP-502", "degraded", answered("Degraded mode: the model is off")),
    ("GP-502", "placeholder", answered("Task completed")),
    ("GP-502", "status", answered("supervisor has finished its work.")),
    ("GP-502", "error", answered("Error: connection refused")),
    ("GP-502", "class name", answered("TypeError: from_request() got an unexpected argument")),
    ("GP-502", "apology", answered("I am sorry. I cannot help. Please try again later.")),
    ("GP-502", "echo", answered(PROMPT)),
    ("GP-502", "wrapped echo", answered(f"Multi-agent collaboration completed for: {PROMPT}")),
    ("GP-502", "printed object", answered("{'done': True, 'triage': AgentResult(success=True)}")),
    ("GP-502", "own judge", survey(complaints=("it names no amount",))),
    ("GP-406", "completion first", run("agent_completed", "agent_started", "agent_thinking")),
    ("GP-406", "thinking after the end", run(*EVENTS, "agent_thinking")),
    (
        "GP-406",
        "before the welcome",
        survey(journey=journey((OPENED, event("agent_started", 0.01), *healthy_entries()[1:]))),
    ),
    ("GP-407", "never closed", survey(journey=journey(without("tool_completed")))),
    ("GP-407", "never opened", survey(journey=journey(without("tool_executing")))),
    ("GP-407", "other tool", changed("tool_completed", tool_name="another_tool")),
    ("GP-407", "other call", both("tool_executing", "tool_completed", "execution_id")),
    ("GP-408", "two starts", run("agent_started", *EVENTS)),
    ("GP-408", "two completions", run(*EVENTS, "agent_completed")),
    ("GP-408", "same thought", run(*EVENTS[:2], *EVENTS[1:])),
    ("GP-409", "two runs", changed("tool_executing", run_id="run-2")),
    ("GP-409", "another user", changed("tool_executing", user_id="u-other")),
    ("GP-409", "another thread", changed("tool_executing", thread_id="thr-other")),
    ("GP-410", "no agent", changed("agent_started", agent_name="")),
    ("GP-410", "short thought", changed("agent_thinking", thought="hm")),
    ("GP-410", "no tool", changed("tool_executing", tool_name=None)),
    ("GP-410", "no result", changed("tool_completed", result=None)),
    ("GP-410", "no run", changed("agent_thinking", run_id=None, thread_id=None)),
    ("GP-410", "short answer", answered("42")),
    ("GP-411", "unknown tool", changed("tool_executing", tool_name="unknown_tool")),
    ("GP-411", "unknown agent", changed("agent_started", agent_name="unknown_agent")),
    ("GP-411", "known phrase", changed("agent_thinking", thought="Agent is processing...")),
    (
        "GP-411",
        "only progress",
        changed("agent_thinking", thought="The request is being processed"),
    ),
    ("GP-411", "empty result", changed("tool_completed", result={})),
    ("GP-412", "none", changed("agent_thinking", timestamp=None)),
    ("GP-412", "no time", changed("agent_thinking", timestamp="yesterday")),
    ("GP-412", "backwards", changed("agent_thinking", timestamp=EPOCH - 60)),
    ("GP-412", "off the clock", changed("agent_thinking", timestamp=EPOCH + 86_400)),
    ("GP-413", "late start", late(6.0)),
    ("GP-413", "gap", late(1.0, gap_s=16.0)),
    ("GP-413", "too long", late(1.0, gap_s=14.0, thoughts=5)),
    ("GP-414", "all at the end", late(4.0)),
    (
        "GP-415",
        "renamed",
        survey(journey=journey((*without("agent_started"), heard({"type": "start_agent"}, 0.2)))),
    ),
    (
        "GP-417",
        "binary",
        survey(
            journey=journey((*healthy_entries(), Entry(0.2, Kind.HEARD, text="x", binary=True)))
        ),
    ),
    ("GP-417", "no object", survey(journey=journey((*healthy_entries(), heard("[1]", 0.2))))),
    ("GP-417", "NaN", survey(journey=journey((*healthy_entries(), heard('{"a": NaN}', 0.2))))),
    (
        "GP-417",
        "unreadable",
        survey(journey=journey((*healthy_entries(), Entry(0.2, Kind.CLOSED, "we", "utf-8", 1007)))),
    ),
    ("GP-502", "a mock that solves", answered(f"Mock triage agent response for: {ANSWER}")),
    ("GP-503", "no marker", answered(ANSWER.replace("KESTREL-4821", "HERON-1111"))),
    ("GP-503", "wrong result", answered(ANSWER.replace("42", "41"))),
    ("GP-504", "short", answered("KESTREL-4821, 42.")),
    ("GP-504", "breaks off", answered(ANSWER + " Another way would be to")),
    ("GP-506", "script", answered(ANSWER + "<script>alert(1)</script>")),
    ("GP-506", "handler", answered(ANSWER + '<b onclick="x()">.</b>')),
    ("GP-506", "escape", answered(ANSWER + "\x1b[2J")),
    ("GP-705", "1011", handshakes(*CLOSED_1011)),
    (
        "GP-705",
        "one id for two connections",
        survey(carriers=(handshake("header", "same"), handshake("subprotocol", "same"))),
    ),
    (
        "GP-705",
        "not answered",
        survey(journey=journey(healthy_entries()[:5])),
    ),
    ("GP-801", "events of a demo user", changed("agent_thinking", user_id="demo-user-001")),
    ("GP-802", "camel case", survey(health=(exchange({"status": "ok", "emergencyMode": True}),))),
    (
        "GP-802",
        "a name of the project's own",
        survey(
            health=(exchange({"status": "ok", "acmeHotfix": True}),), bypass_names=("ACME_HOTFIX",)
        ),
    ),
    ("GP-802", "in a list", survey(health=(exchange({"status": "ok", "x": [{"demo_mode": 1}]}),))),
    (
        "GP-802",
        "in the welcome",
        handshakes(
            OPENED,
            heard(
                {
                    "type": "connection_established",
                    "data": {"connection_id": "c", "auth_mode": "permissive"},
                },
                0.02,
            ),
        ),
    ),
    ("GP-801", "no token", survey(strangers=(stranger(OPENED, welcome(user="demo-use...")),))),
    ("GP-801", "a side door", beside(OPENED, welcome(user="demo-use..."))),
    ("GP-801", "our token, demo user", handshakes(OPENED, welcome(user="demo-use..."))),
    (
        "GP-802",
        "emergency",
        survey(health=(exchange({"status": "ok", "emergency_database_bypassed": True}),)),
    ),
    (
        "GP-802",
        "nested start-up mode",
        survey(
            health=(exchange({"status": "ok", "state": {"startup_mode": "emergency_degraded"}}),)
        ),
    ),
    *examples_sockets.BROKEN,
    *examples_threads.BROKEN,
]


@pytest.mark.parametrize("code", sorted(RULES))
def test_healthy_survey_keeps_every_promise(code: str) -> None:
    """A healthy platform is not accused, and every promise is looked at."""
    judgement = judge(code, survey())

    assert judgement.findings == ()
    assert judgement.proven


@pytest.mark.parametrize(
    ("code", "observed"),
    [(code, observed) for code, _, observed in BROKEN],
    ids=[f"{code} {name}" for code, name, _ in BROKEN],
)
def test_broken_promise_is_found(code: str, observed: Survey) -> None:
    """The rule finds its own breach, and says what was expected and what came."""
    judgement = judge(code, observed)

    assert {finding.code for finding in judgement.findings} == {code}
    assert all("expected" in finding.message for finding in judgement.findings)
    assert {finding.severity for finding in judgement.findings} == {RULES[code].severity}


def test_every_rule_has_an_example_that_breaks_it() -> None:
    """No rule is without a breach that it is seen to find."""
    assert {code for code, _, _ in BROKEN} == set(RULES)


@pytest.mark.parametrize("code", sorted(RULES))
def test_nothing_observed_proves_nothing(code: str) -> None:
    """A rule that has nothing to look at never says that its promise is kept."""
    judgement = judge(code, Survey())

    assert not judgement.proven
    assert judgement.undecided


@pytest.mark.parametrize("code", sorted(EVENT_CODES))
def test_lost_connection_excuses_what_did_not_come(code: str) -> None:
    """When the road broke in mid-run, a missing event accuses nobody."""
    lost = refusal(Trouble.RESET, ready=True)
    cut = survey(
        journey=journey(healthy_entries()[:5], symptom=lost),
        missing={"journey": Missing("broke off", symptom=lost)},
    )
    judgement = judge(code, cut)

    assert judgement.findings == ()
    assert judgement.symptom == lost


HEALTHY_TWINS: list[tuple[str, Survey]] = [
    ("numeric connection", survey(journey=journey((OPENED, welcome(connection=17), *PLAIN)))),
    ("numeric user", survey(login=login(subject="7", answered_user_id="7"))),
    (
        "two welcomes",
        handshakes(OPENED, heard({"type": "connection_ready"}, 0.01), welcome(), *PONGED),
    ),
    (
        "what it can do",
        survey(
            health=(
                exchange(
                    {
                        "status": "ok",
                        "features": {"emergency_fallback": True},
                        "emergency_contact": "on",
                        "mode": "non-degraded",
                    }
                ),
            )
        ),
    ),
    ("subject is the address", survey(login=login(subject="a@b.c", email="a@b.c"))),
    ("data for an answer", changed("agent_completed", final_response=None, result=FIGURES)),
    ("summary", changed("agent_completed", final_response=None, result={"summary": ANSWER})),
    ("server's own threads", changed_all(thread_id="server-thread")),
    (
        "answers in all manners",
        answered("Errors in the bill come to 42 USD. Sorry, KESTREL-4821 cannot be lowered."),
    ),
]


@pytest.mark.parametrize(
    "observed", [observed for _, observed in HEALTHY_TWINS], ids=[n for n, _ in HEALTHY_TWINS]
)
def test_healthy_twin_is_not_accused(observed: Survey) -> None:
    """What resembles a fault and is none fails no smoke promise."""
    smoke = [code for code, rule in RULES.items() if "smoke" in rule.categories]

    assert {
        code: judge(code, observed).broken for code in smoke if judge(code, observed).broken
    } == {}


@pytest.mark.parametrize(
    "observed",
    [o for _, o in examples_sockets.HEALTHY],
    ids=[n for n, _ in examples_sockets.HEALTHY],
)
def test_healthy_company_is_not_accused(observed: Survey) -> None:
    """What resembles a fault of sockets or company and is none breaks no promise at all."""
    assert {code: broken for code in RULES if (broken := judge(code, observed).broken)} == {}


@pytest.mark.parametrize("written", ["KESTREL\u20134821", "KESTREL\u20114821", "KESTREL\\-4821"])
def test_marker_may_be_set_by_a_typographer(written: str) -> None:
    """A dash, a hyphen that does not break, or one escaped for Markdown is the same word."""
    observed = answered(ANSWER.replace("KESTREL-4821", written))

    assert judge("GP-503", observed).broken == ()
    assert judge("GP-501", observed).broken == ()


def test_health_that_falters_is_not_proven() -> None:
    """Gateway answers among the health answers keep health from being proven."""
    gateway = Symptom(Trouble.HTTP_STATUS, "h", status=502, ready=True)
    late = exchange("<html>", status=502, at_s=1.0, symptom=gateway)
    observed = survey(
        health=(exchange(), *(late,) * 19),
        missing={"health": Missing("broke off", symptom=gateway)},
    )

    assert not judge("GP-101", observed).proven
    assert judge("GP-101", observed).broken == ()


def test_our_own_lateness_is_not_the_targets() -> None:
    """An answer that we heard late, because the runner was busy, is not a slow one."""
    late = tuple(exchange(elapsed_s=2.6) for _ in range(20))
    busy = tuple(replace(answer, lag_s=1.4) for answer in late)

    assert judge("GP-103", survey(health=late)).broken
    assert judge("GP-103", survey(health=busy)).proven


@pytest.mark.parametrize(
    "entries",
    [
        (Entry(0.01, Kind.REFUSED, "Not Found", "", 404),),
        (OPENED, Entry(0.02, Kind.CLOSED, "the target", "", 1000)),
        (OPENED, heard({"type": "error"}, 0.02), Entry(2.0, Kind.MISSED, "refusal")),
        (OPENED, Entry(5.0, Kind.MISSED, "refusal")),
    ],
)
def test_side_door_that_serves_nobody_is_not_accused(entries: tuple[Entry, ...]) -> None:
    """What is not there, or says nothing, lets no stranger in, whatever its manners."""
    assert all(judge(code, beside(*entries)).proven for code in ("GP-303", "GP-308", "GP-801"))


def test_unproven_expiry_is_told() -> None:
    """Without a real expired token the report says that expiry was not proven."""
    tried = stranger(purpose=f"a stranger with {UNSIGNED_EXPIRY}")
    findings = judge("GP-303", survey(strangers=(tried,))).findings

    assert [finding.severity for finding in findings] == [Severity.SHOULD]


def test_lost_connection_does_not_excuse_what_was_heard() -> None:
    """A mock answer stays one when the connection breaks afterwards."""
    lost = refusal(Trouble.RESET, ready=True)
    observed = survey(
        journey=journey(healthy_entries("Mock agent response for: you"), symptom=lost),
        missing={"journey": Missing("broke off", symptom=lost)},
    )

    assert [finding.code for finding in judge("GP-502", observed).broken] == ["GP-502"]


def test_unreachable_target_accuses_nobody() -> None:
    """A target that refuses connections breaks no promise."""
    missing = {name: Missing("refused", symptom=refusal()) for name in OWNERS}
    observed = Survey(missing=missing)

    assert [code for code in RULES if judge(code, observed).broken] == []
    assert [code for code in RULES if judge(code, observed).proven] == []


def test_failed_login_blocks_and_names_itself() -> None:
    """What could not be asked for want of a login carries the login's finding."""
    blocked = Missing("nobody could log in", blocked_by=("GP-201",))
    observed = survey(
        login=login(exchange=exchange(status=500), has_access_token=False),
        journey=None,
        carriers=(),
        missing={"journey": blocked, "carriers": blocked},
    )
    judgement = judge("GP-405", observed)

    assert judgement.findings == ()
    assert [finding.code for finding in judgement.blocking] == ["GP-201"]


def test_slow_login_after_readiness_is_the_products_fault() -> None:
    """A login that is never answered breaks the login's promise and no other."""
    slow = refusal(Trouble.ANSWER_TIMEOUT, ready=True)
    observed = survey(
        login=login(exchange=exchange(status=None, symptom=slow)),
        missing={"login": Missing("not answered", symptom=slow)},
    )

    assert [finding.code for finding in judge("GP-201", observed).broken] == ["GP-201"]
    assert judge("GP-802", observed).broken == ()


def test_provider_failure_is_upstreams() -> None:
    """A structured provider error, and what is missing because of it, accuses nobody."""
    failure = {"type": "agent_error", "data": {"provider": "anthropic", "status_code": 529}}
    cut = (*healthy_entries()[:7], heard(failure, 0.2))
    observed = survey(journey=journey(cut))

    assert judge("GP-416", observed).excused[0].attribution is Attribution.UPSTREAM
    assert judge("GP-405", observed).excused[0].attribution is Attribution.UPSTREAM
    assert judge("GP-405", observed).broken == ()


def test_provider_words_alone_excuse_nothing() -> None:
    """A product that only says rate limit in prose is not excused."""
    failure = {"type": "agent_error", "data": {"message": "provider rate limit 429"}}
    observed = survey(journey=journey((*healthy_entries(), heard(failure, 0.2))))

    assert judge("GP-416", observed).broken[0].attribution is Attribution.PRODUCT


def test_503_of_the_platform_is_infrastructure() -> None:
    """A 503 that a proxy wrote is counted, and the product is not accused of it."""
    proxy = Symptom(Trouble.HTTP_STATUS, "h", status=503, ready=True)
    late = exchange("<html>", status=503, at_s=1.0, symptom=proxy)
    observed = survey(health=(exchange(), late))

    assert judge("GP-109", observed).excused[0].attribution is Attribution.INFRASTRUCTURE


def test_welcome_without_a_user_is_only_reported() -> None:
    """A welcome that names no user is a should, for one healthy shape has none."""
    observed = handshakes(OPENED, welcome(user=""))
    findings = judge("GP-304", observed).findings

    assert {finding.severity for finding in findings} == {Severity.SHOULD}


def test_one_bad_carrier_is_named_once() -> None:
    """A refused carrier is GP-301 and not a missing welcome as well."""
    shut = replaced(
        handshake("header", "x"), OPENED, Entry(0.02, Kind.CLOSED, "the target", "", 1008)
    )
    observed = survey(carriers=(shut, handshake("subprotocol", "main_3")))

    assert judge("GP-301", observed).broken
    assert judge("GP-304", observed).broken == ()


def test_hostile_bytes_are_made_printable() -> None:
    """A target's control characters never reach a finding's text."""
    observed = survey(health=(exchange({"status": "\x1b[2Jdegraded\x07"}),))
    (finding,) = judge("GP-102", observed).findings

    assert "\x1b" not in finding.text()
    assert "degraded" in finding.message
