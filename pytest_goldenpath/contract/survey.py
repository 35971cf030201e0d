"""Everything that one run looked at, as data: what the rules are applied to."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_goldenpath.contract.context import ContextFacts
from pytest_goldenpath.contract.exchange import Exchange
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


@dataclass(frozen=True, slots=True)
class Survey:
    """What was observed; every part is there, or ``missing`` says why it is not.

    Attributes:
        expected_revision: what ``--expect-revision`` asked for, or ''.
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
    """

    expected_revision: str = ""
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

    def transcripts(self) -> tuple[Transcript, ...]:
        """Return every conversation of the run."""
        journey = (self.journey,) if self.journey else ()
        further = (talk for part in self.talks.values() for talk in part)
        return (*self.carriers, *self.strangers, *journey, *further)
