"""Everything that one run looked at, as data: what the rules are applied to."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.observed import ContextFacts
from pytest_goldenpath.contract.symptom import Symptom
from pytest_goldenpath.contract.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Missing:
    """An observation that could not be made.

    Attributes:
        reason: a sentence for people.
        blocked_by: codes of the rules whose breach explains it, when the product is to blame.
        symptom: the trouble that explains it, when the road is to blame.
        skipped: the observation cannot be made on this target at all, which is nobody's fault.
    """

    reason: str
    blocked_by: tuple[str, ...] = ()
    symptom: Symptom | None = None
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What an access token says about itself; the token is not kept.

    Attributes:
        seen_at_s: our clock's time when it was looked at, epoch seconds.
        algorithm: the header's ``alg``, or '' when it is no JSON web token.
        signed: whether anything stands where the signature belongs.
        issuer: the claim ``iss``, or ''.
        audiences: the claim ``aud``, as a list.
        issued_at_s, expires_at_s: ``iat`` and ``exp``, None when absent or no number.
        default_key: the setting whose bare name, or a placeholder made of it, signed the token.
    """

    seen_at_s: float
    algorithm: str = ""
    signed: bool = False
    issuer: str = ""
    audiences: tuple[str, ...] = ()
    issued_at_s: float | None = None
    expires_at_s: float | None = None
    default_key: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """A login and the facts of its answer; the tokens themselves are not kept.

    Attributes:
        way: how: ``password``, ``token``, ``e2e key`` or ``development login``.
        exchange: the request; None for a ready token.
        has_access_token, has_refresh_token: whether the answer held them.
        token_type: as answered.
        expires_in_s: as answered, or None when absent or no number.
        user_id: the answer's user, else the token's subject.
        answered_user_id: the user in the answer, or ''.
        subject: the token's ``sub``, or '' when it cannot be read.
        email: the e-mail address in the answer, or ''.
        asked_email: the e-mail address that logged in, or ''.
        token: what the access token says; None without one.
        began_s: our clock's time when the request was made, epoch seconds; 0 without one.
    """

    way: str
    exchange: Exchange | None
    has_access_token: bool = False
    has_refresh_token: bool = False
    token_type: str = ""
    expires_in_s: float | None = None
    user_id: str = ""
    answered_user_id: str = ""
    subject: str = ""
    email: str = ""
    asked_email: str = ""
    token: TokenFacts | None = None
    began_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Survey:
    """What was observed; every part is there, or ``missing`` says why it is not.

    Attributes:
        expected_revision: what ``--expect-revision`` asked for, or ''.
        seed: what the requests were drawn with; the same seed asks the same again.
        health: answers of the backend's ``/health``.
        auth_health: answers of the auth service's ``/health``.
        readiness: answers of ready endpoints of both services.
        login: the login, or None.
        carriers: one conversation for each way to carry a fresh token.
        strangers: one conversation for each credential that must be refused.
        journey: the golden journey, or None.
        second_login: the second user's login, or None.
        context: what an imported UserExecutionContext showed, or None.
        complaints: what the project's own judge says against the answer.
        asked: further HTTP exchanges, by name of the observation.
        talks: further conversations, by name of the observation.
        missing: by name of the observation, why it could not be made.
        overcome: trouble of the road that a second look found gone.
        bypass_names: the project's own names of bypasses.
    """

    expected_revision: str = ""
    seed: str = ""
    health: tuple[Exchange, ...] = ()
    auth_health: tuple[Exchange, ...] = ()
    readiness: tuple[Exchange, ...] = ()
    login: Login | None = None
    carriers: tuple[Transcript, ...] = ()
    strangers: tuple[Transcript, ...] = ()
    journey: Transcript | None = None
    second_login: Login | None = None
    context: ContextFacts | None = None
    complaints: tuple[str, ...] = ()
    asked: dict[str, tuple[Exchange, ...]] = field(default_factory=dict)
    talks: dict[str, tuple[Transcript, ...]] = field(default_factory=dict)
    missing: dict[str, Missing] = field(default_factory=dict)
    overcome: tuple[Symptom, ...] = ()
    bypass_names: tuple[str, ...] = ()

    def exchanges(self) -> tuple[Exchange, ...]:
        """Return every HTTP exchange of the run, in order of purpose."""
        logins = (login.exchange for login in (self.login, self.second_login) if login)
        further = (exchange for part in self.asked.values() for exchange in part)
        return (
            *self.health,
            *self.auth_health,
            *self.readiness,
            *(exchange for exchange in logins if exchange),
            *further,
        )

    def first_talks(self) -> tuple[Transcript, ...]:
        """Return the conversations that every category holds: handshakes, strangers, journey."""
        journey = (self.journey,) if self.journey else ()
        return (*self.carriers, *self.strangers, *journey)

    def transcripts(self) -> tuple[Transcript, ...]:
        """Return every conversation of the run."""
        return (*self.first_talks(), *(talk for part in self.talks.values() for talk in part))
