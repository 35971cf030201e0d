"""What a socket promises beyond the handshake: GP-302, GP-306 to GP-309 and GP-418."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
from pytest_goldenpath.contract.frames import Sort, is_heartbeat
from pytest_goldenpath.contract.rules.company import leaks
from pytest_goldenpath.contract.rules.events import BEFORE_THE_REQUEST
from pytest_goldenpath.contract.rules.handshake import shut_out
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Heard, Kind, Transcript

#: What no client should say (rules GP-306): the label in the transcript, and the words.
MISUSES = (
    ("an unknown message type", '{"type": "goldenpath_unknown", "content": ""}'),
    ("malformed JSON", '{"type": "ping", '),
    ("JSON that is no object", '["ping"]'),
)
#: One byte more than the largest message that is documented (protocol 3.5) does not do: where
#: bytes are counted differs. This is surely more.
OVERSIZED_BYTES = 9000
OVERSIZED, FLOOD, NEIGHBOUR = "an oversized message", "many connections", "a neighbour"
#: Heartbeats that clients know (protocol 3.7); the names of other modes kill the connection.
_HEARTBEATS = frozenset({"heartbeat", "heartbeat_ack", "ping", "server_heartbeat"})
_BAD_UPGRADE = 101
_NORMAL, _POLICY_VIOLATION, _UNSUPPORTED, _INTERNAL_ERROR = 1000, 1008, 1003, 1011
#: The platform's own space of codes, and the registered "unauthorized" (RFC 6455, 7.4.2).
_OWN_CODES = range(3000, 5000)
_NO_SOCKET = Unlooked("no socket was opened", blocked_by=("GP-301", "GP-304"))


def subprotocol_is_ours(survey: Survey) -> Ruling:
    """GP-302: one of the offered subprotocols is chosen, and nothing else."""
    offering = [t for t in _own(survey, "offers", first=True) if t.offered]
    seen = [t for t in offering if t.opened or _broke_off(t)]
    if not seen:
        return _NO_SOCKET
    findings = [finding for transcript in seen for finding in _choice_findings(transcript)]
    return tuple({finding.message: finding for finding in findings}.values())


def misuse_is_survived(survey: Survey) -> Ruling:
    """GP-306: an unknown or malformed message gets a reply and leaves the connection usable."""
    talks = [t for t in survey.talks.get("misuse", ()) if t.welcome()]
    if not talks:
        return _NO_SOCKET
    pings = _pings_work(survey)
    return tuple(f for transcript in talks for f in _misuse_findings(transcript, pings=pings))


def silence_is_survived(survey: Survey) -> Ruling:
    """GP-307: an idle connection lives through two heartbeats, which are of a known type."""
    talks = [t for t in survey.talks.get("idle", ()) if t.welcome()]
    if not talks:
        return _NO_SOCKET
    pings = _pings_work(survey)
    return tuple(f for transcript in talks for f in _idle_findings(transcript, pings=pings))


def closes_are_promised(survey: Survey) -> Ruling:
    """GP-308: strangers are closed with 1008, and we are never closed in a run or after it."""
    own = _own(survey, "idle", "message_types", "crowd", "again", first=True)
    own = [transcript for transcript in own if transcript.welcome()]
    if not own and not survey.strangers:
        return _NO_SOCKET
    findings = [*_rude_closes(survey), *(f for t in own for f in _untimely_closes(t))]
    return tuple({finding.message: finding for finding in findings}.values())


def limits_hold(survey: Survey) -> Ruling:
    """GP-309: an oversized message is refused, and so are too many connections of one user."""
    talks = survey.talks.get("limits", ())
    flood = [t for t in talks if t.purpose == FLOOD]
    if not any(t.welcome() for t in talks):
        return _NO_SOCKET
    findings = [f for t in talks if t.purpose == OVERSIZED for f in _size_findings(t)]
    if flood and all(t.welcome() for t in flood):
        message = (
            f"expected a limit on the connections of one user, but {len(flood)} were let in at once"
        )
        findings.append(broken("GP-309", message, severity=Severity.SHOULD))
    neighbours = [t for t in talks if t.purpose == NEIGHBOUR and not t.symptom]
    findings.extend(
        broken(
            "GP-309",
            "expected one user's many connections to leave another user alone, but with the "
            f"other's {neighbour.last_words()}",
            severity=Severity.SHOULD,
        )
        for neighbour in neighbours
        if _pings_work(survey) and not neighbour.of_sort(Sort.PONG)
    )
    return tuple(findings)


def types_start_agents(survey: Survey) -> Ruling:
    """GP-418: every documented type of request starts an agent; only the configured one must."""
    journey = survey.journey
    if journey is None or journey.request is None or not journey.sent("request"):
        return Unlooked("the request could not be sent", blocked_by=BEFORE_THE_REQUEST)
    others = [t for t in survey.talks.get("message_types", ()) if t.sent("request")]
    silent = [t for t in others if not (t.events() or t.closed or t.symptom)]
    findings = [_swallowed(t, Severity.SHOULD) for t in silent]
    # When no type starts an agent, or events go astray, it is not the type.
    astray = leaks(survey.talks.get("pair", ()), users=False)
    if not (journey.events() or journey.closed or astray) and any(t.events() for t in others):
        findings.insert(0, _swallowed(journey, Severity.MUST))
    return tuple(findings)


def _own(survey: Survey, *names: str, first: bool = False) -> list[Transcript]:
    talks = [t for name in names for t in survey.talks.get(name, ())]
    return [t for t in (*(survey.first_talks() if first else ()), *talks) if t.user_id]


def _pings_work(survey: Survey) -> bool:
    """Tell whether a connection that was treated well gets a pong; if not, that is GP-305."""
    return any(transcript.of_sort(Sort.PONG) for transcript in survey.carriers)


def _broke_off(transcript: Transcript) -> bool:
    return bool(transcript.refused and transcript.refused.code == _BAD_UPGRADE)


def _choice_findings(transcript: Transcript) -> Iterator[Finding]:
    offered = ", ".join(transcript.offered)
    if transcript.refused:
        yield broken(
            "GP-302",
            f"expected one of the offered subprotocols ({offered}), got {transcript.refused.text}",
            transcript.last_words(),
        )
    elif transcript.opened and transcript.opened.label not in transcript.offered:
        chosen = transcript.opened.label or "none"
        yield broken(
            "GP-302",
            f"expected one of the offered subprotocols ({offered}) to be chosen, got {chosen}",
            f"{transcript.purpose}: {transcript.last_words()}",
        )


def _misuse_findings(transcript: Transcript, *, pings: bool) -> Iterator[Finding]:
    for label, _ in MISUSES:
        if transcript.missed(label):
            yield broken(
                "GP-306",
                f"expected a reply to {label}, got none",
                transcript.last_words(),
                absence=True,
            )
    closed = transcript.closed
    if closed and not transcript.symptom:
        said = [e.label for e in transcript.entries if e.kind is Kind.SENT]
        yield broken(
            "GP-306",
            f"expected the connection to survive {said[-1] if said else 'misuse'}, "
            f"but {transcript.last_words()}",
        )
    elif pings and transcript.sent("ping") and not transcript.of_sort(Sort.PONG):
        yield broken(
            "GP-306",
            "expected the connection to be usable after misuse, but a ping got no pong",
            transcript.last_words(),
            absence=True,
        )


def _idle_findings(transcript: Transcript, *, pings: bool) -> Iterator[Finding]:
    if transcript.closed and not transcript.symptom:
        yield broken(
            "GP-307",
            f"expected an idle connection to live through two heartbeats, "
            f"but {transcript.last_words()}",
        )
    elif pings and transcript.sent("ping") and not transcript.of_sort(Sort.PONG):
        yield broken(
            "GP-307",
            "expected a connection that was idle to be usable, but a ping got no pong",
            transcript.last_words(),
            absence=True,
        )
    strange = [h for h in transcript.heard() if is_heartbeat(h.frame) and _is_strange(h)]
    for heard in strange[:1]:
        yield broken(
            "GP-307",
            f"expected heartbeats of a known type, got {heard.frame.name}",
            heard.evidence(),
        )


def _is_strange(heard: Heard) -> bool:
    return heard.frame.name not in _HEARTBEATS


def _rude_closes(survey: Survey) -> Iterator[Finding]:
    for transcript in survey.strangers:
        closed = transcript.closed
        if closed is None or transcript.symptom or closed.label == "we" or closed.code is None:
            continue
        if closed.code in {_POLICY_VIOLATION, _UNSUPPORTED} or closed.code in _OWN_CODES:
            continue
        yield broken(
            "GP-308",
            f"expected a bad token to be refused by close {_POLICY_VIOLATION}, got {closed.code}",
            f"{transcript.purpose}: {transcript.last_words()}",
            # A build that says so and then closes with 1011 is documented (protocol 3.8).
            severity=Severity.SHOULD if _said_why(transcript) else Severity.MUST,
            attribution=Attribution.AUTH,
        )


def _said_why(transcript: Transcript) -> bool:
    closed = transcript.closed
    told = bool(transcript.of_sort(Sort.FAILURE))
    return told and closed is not None and closed.code == _INTERNAL_ERROR


def _untimely_closes(transcript: Transcript) -> Iterator[Finding]:
    closed = transcript.closed
    if closed is None or transcript.symptom or closed.label == "we" or shut_out(transcript):
        return
    after = "in a run" if transcript.sent("request") else "by itself"
    code = f"{closed.code}, the normal close," if closed.code == _NORMAL else f"{closed.code}"
    yield broken(
        "GP-308",
        f"expected the target never to close {after}, got {code} in {transcript.purpose}",
        transcript.last_words(),
    )


def _size_findings(transcript: Transcript) -> Iterator[Finding]:
    if transcript.of_sort(Sort.PONG):
        yield broken(
            "GP-309",
            f"expected a message of {OVERSIZED_BYTES} bytes to be refused, got an answer to it",
            transcript.last_words(),
            severity=Severity.SHOULD,
        )


def _swallowed(transcript: Transcript, severity: Severity) -> Finding:
    kind = transcript.request.message_type if transcript.request else ""
    return broken(
        "GP-418",
        f"expected a request of the type {kind} to start an agent, but {transcript.last_words()}",
        severity=severity,
        absence=True,
    )
