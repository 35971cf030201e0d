"""The target and the credentials of a run, as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_goldenpath.secrets import Redactor, Secret

#: What a user is asked to answer when the target's table names no prompt. ``{marker}`` and the
#: two numbers change from run to run, so that no canned answer fits.
DEFAULT_PROMPT = (
    "Please include the reference code {marker} in your answer, work out what {first} plus "
    "{second} is, and name one way to lower our cloud cost."
)

#: The import path of the embedded backend's own class, and of what belongs to it.
REFERENCE_CONTEXT = "pytest_goldenpath.reference.context:UserExecutionContext"


def class_path(path: str) -> tuple[str, str]:
    """Split ``package.module:Class`` or ``package.module.Class`` into module and class.

    Raises:
        ValueError: one of the two is missing, or is no name.

    """
    module, colon, name = path.partition(":")
    if not colon:
        module, _, name = path.rpartition(".")
    if not all(part.isidentifier() for part in (*module.split("."), name)):
        raise ValueError(path)
    return module, name


@dataclass(frozen=True, slots=True)
class Target:
    """A deployment, its addresses and its budgets.

    Attributes:
        name: ``local``, a name from the targets file, or the URL's host.
        backend, auth, ws: base addresses without a slash at the end.
        frontend: address of the web client, for the report; may be empty.
        embedded: the target is the reference backend that this run starts itself.
        revision: the build that is expected, or ''.
        prompt: the request a journey makes.
        seed: what its marker and its task are drawn with; a blank one is drawn for each run.
        first_event_s: a request's first event comes within this time.
        event_deadline_s: no silence between two events is longer than this.
        run_deadline_s: a whole agent run ends within this time.
        heartbeat_s: how often the target speaks on an idle connection (protocol 3.9).
        users: how many users ask at once, when as many can log in.
        control: address of a neutral host that tells our own network from the target's, or ''.
        context_api: import path of the UserExecutionContext, or ''.
        faults: names of the embedded backend's faults.
        vpc_budget_s: seconds that the warm-up may wait for the services to answer.
        db_budget_s: seconds that it may wait for the database after that.
        infra_attempts: how many recoveries from an outage the run may wait for.
        infra_delay_s: how many seconds each of them may take.
    """

    name: str
    backend: str
    auth: str
    ws: str
    frontend: str = ""
    embedded: bool = False
    revision: str = ""
    prompt: str = DEFAULT_PROMPT
    seed: str = ""
    first_event_s: float = 5.0
    event_deadline_s: float = 15.0
    run_deadline_s: float = 60.0
    heartbeat_s: float = 15.0
    users: int = 8
    control: str = ""
    context_api: str = ""
    faults: tuple[str, ...] = ()
    vpc_budget_s: float = 60.0
    db_budget_s: float = 45.0
    infra_attempts: int = 3
    infra_delay_s: float = 30.0


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """Log in as a person does."""

    email: str
    password: Secret
    way: str = "password"


@dataclass(frozen=True, slots=True)
class ReadyToken:
    """Use an access token that somebody else obtained."""

    token: Secret
    way: str = "token"


@dataclass(frozen=True, slots=True)
class E2EKey:
    """Log in by the platform's simulated OAuth (protocol 2.1); a blank address is its default."""

    key: Secret
    email: str = ""
    way: str = "e2e key"


@dataclass(frozen=True, slots=True)
class DevelopmentLogin:
    """Log in by the development login that local and development targets offer."""

    way: str = "development login"


Credentials = PasswordLogin | ReadyToken | E2EKey | DevelopmentLogin


@dataclass(frozen=True, slots=True)
class Wallet:
    """The credentials of a run.

    Attributes:
        first: whom the journey is made as.
        expired_token: a real token of the target that has expired, if one is at hand.
        second: another user, for isolation; None when there is none.
        crowd: further users, for many at once.
    """

    first: Credentials
    expired_token: Secret = field(default_factory=lambda: Secret(""))
    second: Credentials | None = None
    crowd: tuple[Credentials, ...] = ()

    def known_to(self, redactor: Redactor) -> None:
        """Let a redactor learn every secret in it, before any of them is used."""
        redactor.learn(self.expired_token)
        for user in (self.first, self.second, *self.crowd):
            match user:
                case PasswordLogin(_, secret) | ReadyToken(secret) | E2EKey(secret):
                    redactor.learn(secret)
                case DevelopmentLogin() | None:
                    continue
