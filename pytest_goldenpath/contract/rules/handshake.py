"""Handshake: GP-301 and GP-303 to GP-305, and the deployed parameter over the wire, GP-705."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pytest_goldenpath.contract.attribution import Attributed, attribute
from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
from pytest_goldenpath.contract.frames import Frame, Sort
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken, row_of, sign_of_talk
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Heard, Transcript

#: A ping is answered within this time (rules GP-305).
PONG_WITHIN_S = 5.0
_INTERNAL_ERROR = 1011
_CONNECTION_KEYS = ("connection_id", "websocket_client_id", "client_id", "session_id")
_CUT = "..."
_SHOWN = 8
_POLITE_CLOSES = frozenset({1000, 1001})
_LIMIT = r"(?:limit|quota|too[\s_-]*many|max(?:imum)?(?![a-z])|exceed|at[\s_-]*most|per[\s_-]*user)"
_TOO_MANY = re.compile(
    rf"connections?\b.{{0,40}}{_LIMIT}|connection_?{_LIMIT}|{_LIMIT}.{{0,40}}connections?\b",
    re.IGNORECASE,
)
_TOO_MANY_REQUESTS = 429
#: How the purpose of a call to another socket than that of the users begins.
SIDE_DOOR = "the side door"
#: How a stranger is called who has no real expired token.
UNSIGNED_EXPIRY = "an expired token of another signature"


def fresh_token_opens(survey: Survey) -> Ruling:
    """GP-301: the socket accepts a fresh token by each promised carrier."""
    if not survey.carriers:
        return Unlooked("no connection was tried")
    found = tuple(_closed_doors(survey.carriers))
    return found or tuple(_closed_doors(survey.talks.get("crowd", ())))[:1]


def strangers_are_refused(survey: Survey) -> Ruling:
    """GP-303: no, garbage, expired, wrongly signed and foreign tokens are refused.

    By header and by subprotocol alike, and by the carriers that only some builds know. The other
    sockets that the contract names are tried as well: there it is a finding when a stranger is
    served, and none that a path is missing.
    """
    if not survey.strangers:
        return Unlooked("no stranger was sent")
    admitted = [
        broken(
            "GP-303",
            f"expected {transcript.purpose} to be refused, but {how}",
            _proof(transcript),
            attribution=Attribution.AUTH,
        )
        for transcript in survey.strangers
        if not transcript.symptom and (how := _admission(transcript))
    ]
    admitted += [
        broken(
            "GP-303",
            f"expected no stranger to be let in by {transcript.purpose}, but {how}",
            _proof(transcript),
            attribution=Attribution.AUTH,
        )
        for transcript in survey.talks.get("side_doors", ())
        if not transcript.symptom and (how := _service(transcript))
    ]
    if any(transcript.purpose.endswith(UNSIGNED_EXPIRY) for transcript in survey.strangers):
        message = (
            "expected a real expired token to try, got none: that expiry is looked at is not "
            "proven (set GOLDENPATH_EXPIRED_TOKEN)"
        )
        admitted.append(broken("GP-303", message, severity=Severity.SHOULD))
    return tuple(admitted)


def welcome_is_right(survey: Survey) -> Ruling:
    """GP-304: the welcome comes in time, names a connection, and its user is the token's."""
    opened = _let_in(survey)
    if not opened:
        return Unlooked("no socket was opened", blocked_by=("GP-301",))
    found = _once(f for transcript in opened for f in _welcome_findings(transcript))
    return found or _once(f for t in _crowd(survey) for f in _welcome_findings(t))


def ping_is_answered(survey: Survey) -> Ruling:
    """GP-305: a ping is answered within 5 s and the connection survives it."""
    pinged = [t for t in survey.first_talks() if t.user_id and t.sent("ping")]
    if not pinged:
        return Unlooked("no ping could be sent", blocked_by=("GP-301", "GP-304"))
    found = _once(f for transcript in pinged for f in _ping_findings(transcript))
    return found or _once(f for t in _crowd(survey) for f in _ping_findings(t))


def client_id_is_deployed(survey: Survey) -> Ruling:
    """GP-705: a socket opens, gets a client id of its own, and requests are answered on it."""
    opened = _let_in(survey)
    if not opened:
        return Unlooked("no socket was opened", blocked_by=("GP-301",))
    findings = [
        broken(
            "GP-705",
            "expected a connection with a client id of its own, "
            f"but {transcript.last_words()}, as a build does whose context lacks the parameter",
            _proof(transcript),
            row=row_of(transcript),
        )
        for transcript in opened
        if transcript.closed and transcript.closed.code == _INTERNAL_ERROR
    ]
    findings.extend(_shared_ids(opened))
    journey = survey.journey
    asked = journey.sent("request") if journey else None
    if journey and asked and not _heard_after(journey, asked.at_s) and not findings:
        findings.append(
            broken(
                "GP-705",
                f"expected a request to be answered on its own socket, got nothing: "
                f"{journey.last_words()}",
                absence=True,
                row=row_of(journey),
            )
        )
    return tuple(findings[:1])


def _closed_doors(talks: tuple[Transcript, ...]) -> Iterator[Finding]:
    for talk in talks:
        if not talk.symptom and shut_out(talk):
            yield broken(
                "GP-301",
                f"expected a fresh token in the {talk.carrier} to open the socket, "
                f"but {talk.last_words()} on {talk.purpose}",
                attribution=_blame(talk),
            )


def _blame(talk: Transcript) -> Attributed:
    """Say whose refusal it was: a limit of connections is no matter of the token."""
    if is_turned_away(talk):
        return Attributed(Attribution.PRODUCT, "")
    return Attributed(Attribution.AUTH, row_of(talk))


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep one finding of each message."""
    return tuple({finding.message: finding for finding in findings}.values())


def _crowd(survey: Survey) -> list[Transcript]:
    """Return the conversations of several users at once that the target let in."""
    talks = survey.talks.get("crowd", ())
    return [t for t in talks if t.opened and not t.symptom and not shut_out(t)]


def _let_in(survey: Survey) -> list[Transcript]:
    """Return our own conversations that the target did not refuse."""
    return [t for t in survey.first_talks() if t.user_id and t.opened and not shut_out(t)]


def connection_id(frame: Frame) -> str:
    """Return the connection's name in a welcome, or ''."""
    return frame.word(*_CONNECTION_KEYS)


def is_same_user(said: str, user_id: str) -> bool:
    """Compare a user in a welcome, which may be cut to 8 characters and ``...``."""
    if said.endswith(_CUT):
        shown = said.removesuffix(_CUT)
        return len(shown) >= min(_SHOWN, len(user_id)) and user_id.startswith(shown)
    return said == user_id


def shut_out(transcript: Transcript) -> bool:
    """Tell whether the target refused the credential, at the upgrade or after it."""
    if transcript.refused:
        return True
    if transcript.welcome():
        return False
    closed = transcript.closed
    if closed is None or closed.code == _INTERNAL_ERROR:
        return False
    sign = sign_of_talk(transcript)
    is_refusal = sign is not None and attribute(sign).attribution is Attribution.AUTH
    return is_refusal or bool(transcript.of_sort(Sort.FAILURE))


def is_turned_away(transcript: Transcript) -> bool:
    """Tell whether there was no welcome because the user has too many connections already."""
    if transcript.welcome():
        return False
    words = [heard.raw for heard in transcript.of_sort(Sort.FAILURE)]
    words += [entry.text for entry in (transcript.closed, transcript.refused) if entry]
    limited = transcript.refused is not None and transcript.refused.code == _TOO_MANY_REQUESTS
    return limited or any(_TOO_MANY.search(text) for text in words)


def _admission(transcript: Transcript) -> str:
    """Tell how a stranger was let in, or '' when it was refused."""
    if transcript.opened is None:
        return ""
    closed = transcript.closed
    if service := _service(transcript):
        return service
    refused = bool(transcript.of_sort(Sort.FAILURE))
    if closed:
        rude = refused or closed.code not in _POLITE_CLOSES
        return "" if rude else f"the socket was closed with {closed.code}, without a refusal"
    return f"the socket stayed open {'after the error frame' if refused else 'without a word'}"


def _service(transcript: Transcript) -> str:
    """Tell how a stranger was served, or '' when it was not."""
    welcome = transcript.welcome()
    if welcome:
        return f"it was welcomed as {welcome.frame.word('user_id') or 'a nameless user'}"
    served = [h for h in transcript.heard() if h.frame.sort is not Sort.FAILURE]
    return f"it was served with {served[0].frame.name or served[0].frame.sort}" if served else ""


def _welcome_findings(transcript: Transcript) -> Iterator[Finding]:
    opened, welcome = transcript.opened, transcript.welcome()
    budget = transcript.welcome_budget_s
    if welcome is None:
        yield broken(
            "GP-304",
            f"expected a welcome within {budget:g} s of the upgrade, but {transcript.last_words()}",
            _proof(transcript),
            absence=True,
            row=row_of(transcript),
        )
        return
    took = welcome.at_s - (opened.at_s if opened else 0.0)
    if took > budget:
        yield broken(
            "GP-304",
            f"expected the welcome within {budget:g} s of the upgrade, got it after {took:.1f} s",
            welcome.evidence(),
        )
    welcomes = transcript.of_sort(Sort.WELCOME)
    if not any(connection_id(heard.frame) for heard in welcomes):
        yield broken("GP-304", "expected the welcome to name a connection", welcome.evidence())
    said = next((word for h in welcomes if (word := h.frame.word("user_id"))), "")
    if not said:
        yield broken(
            "GP-304",
            "expected the welcome to name its user, got none; so it cannot be told from another's",
            welcome.evidence(),
            severity=Severity.SHOULD,
        )
    elif not is_same_user(said, transcript.user_id):
        yield broken(
            "GP-304",
            f"expected the welcome of user {transcript.user_id}, got that of {said}",
            welcome.evidence(),
            attribution=Attribution.AUTH,
        )


def _ping_findings(transcript: Transcript) -> Iterator[Finding]:
    ping = transcript.sent("ping")
    if ping is None:
        return
    pong = next((h for h in transcript.of_sort(Sort.PONG) if h.at_s >= ping.at_s), None)
    if pong is None:
        yield broken(
            "GP-305",
            f"expected a pong within {PONG_WITHIN_S:g} s of the ping, "
            f"but {transcript.last_words()}",
            _proof(transcript),
            absence=True,
            row=row_of(transcript),
        )
    elif pong.at_s - ping.at_s > PONG_WITHIN_S:
        yield broken(
            "GP-305",
            f"expected a pong within {PONG_WITHIN_S:g} s, got it after "
            f"{pong.at_s - ping.at_s:.1f} s",
            pong.evidence(),
        )
    elif transcript.closed and transcript.sent("request") is None and transcript.request:
        yield broken(
            "GP-305",
            f"expected the connection to survive a ping, but {transcript.last_words()}",
            pong.evidence(),
            row=row_of(transcript),
        )


def _shared_ids(transcripts: list[Transcript]) -> Iterator[Finding]:
    seen: dict[str, Heard] = {}
    for transcript in transcripts:
        welcome = transcript.welcome()
        name = connection_id(welcome.frame) if welcome else ""
        if welcome and name and name in seen:
            yield broken(
                "GP-705",
                f"expected a client id of its own for each connection, got {name} twice",
                welcome.evidence(),
            )
        elif welcome and name:
            seen[name] = welcome


def _heard_after(transcript: Transcript, at_s: float) -> bool:
    ignored = {Sort.WELCOME, Sort.PONG}
    return any(h.at_s >= at_s and h.frame.sort not in ignored for h in transcript.heard())


def _proof(transcript: Transcript) -> str:
    heard = transcript.heard()
    return heard[-1].evidence() if heard else transcript.last_words()
