"""One run of golden path checks in one process: its settings, its target, its survey."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.plugin.fast import Timetable
from pytest_goldenpath.plugin.settings import FAST, Settings
from pytest_goldenpath.report.files import (
    survey_from_text,
    survey_to_text,
    write_transcripts,
    write_whole,
)
from pytest_goldenpath.secrets import Redactor, Secret, Vault
from pytest_goldenpath.target.model import PasswordLogin, Target, Wallet
from pytest_goldenpath.verdict.outage import Patience
from pytest_goldenpath.verdict.warmup import FIXED, ProbeReport, ResilienceReport, from_plain

if TYPE_CHECKING:
    from pytest_goldenpath.journey.outage import OutageKeeper

_EMBEDDED_FILE = "embedded.sealed"
_SURVEY_FILE = "survey.json"
_WARMTH_FILE = "warmup.json"
_WANTED_FILE = "wants-warmup"
#: The last line of progress of whichever worker conducts the survey.
PROGRESS_FILE = "progress"
_SELECTED_FILE = "selected.json"
_LOCK_WITHIN_S = 600.0
_CERTAIN_FILE = "certain"
#: A survey that comes too late is still made, so that it can say what it lacks.
_LEAST_S = 0.1


class Run:
    """What the hooks and fixtures of one process share.

    Under xdist ``folder`` is a private directory of the whole run: the controller puts the
    embedded backend's address there, and the worker that needs the survey first conducts it for
    all. Without xdist there is no such folder. A controller that could not know of the checks
    has only given its workers a ``meeting`` place, where the first of them leaves its warm-up.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path | None = None,
        meeting: Path | None = None,
        begun_s: float | None = None,
        vault: Vault | None = None,
    ) -> None:
        """Take the settings, the run's private directories if it has any, and when it began."""
        self.settings = settings
        self.redactor = Redactor()
        self.folder = folder
        is_fast = settings.execution_mode == FAST
        begun_s = monotonic() if begun_s is None else begun_s
        self.times = Timetable(begun_s, settings.fast_budget_s) if is_fast else None
        self._meeting = None if settings.resolved.target.embedded else meeting
        self.wanted: frozenset[str] = frozenset()
        self.selected: tuple[str, ...] = ()
        self.remediation: tuple[str, ...] = ()
        self.survey: Survey | None = None
        self.warmth: ResilienceReport | None = None
        self.tell: Callable[[str], None] = _say_nothing
        self._outages: OutageKeeper | None = None
        self._backend: object = None
        self._target = replace(settings.resolved.target, faults=settings.faults)
        self._wallet: Wallet | None = settings.resolved.wallet
        self._vault: Vault | None = None
        if vault:
            self.share(vault)
        if self._wallet:
            self._wallet.known_to(self.redactor)

    def share(self, vault: Vault) -> None:
        """Tell the other processes of the run each secret that is learnt from now on."""
        self._vault = vault
        self.redactor.on_learn = vault.tell

    def hear(self) -> None:
        """Learn the secrets of the other processes."""
        if self._vault:
            self.redactor.hear(self._vault.hear())

    def want(self, codes: Iterable[str], beyond_smoke: Iterable[str], *more: str) -> None:
        """Note which observations to make.

        Args:
            codes: the selected promises.
            beyond_smoke: those of them that checks of other categories ask for.
            more: further observations by name.

        """
        needs = {need for code in codes for need in RULES[code].needs}
        self.wanted = frozenset(more) | needs | {n for c in beyond_smoke for n in RULES[c].reads}

    def outages(self) -> OutageKeeper:
        """Return the way in which this run waits for the end of an outage, once for all."""
        if self._outages is None:
            from pytest_goldenpath.journey.outage import OutageKeeper

            target = self._target
            patience = Patience(target.infra_attempts, target.infra_delay_s)
            place = self.folder or self._meeting
            self._outages = OutageKeeper(
                patience, self._come_back, place, control=self._ask_control, tell=self.tell
            )
        return self._outages

    def _come_back(self, within_s: float) -> ProbeReport | None:
        """Wait until the target is back; None when this run has started no target to ask."""
        from pytest_goldenpath.journey.warmup import run_come_back

        started = self._backend is not None or self._is_shared()
        if self._target.embedded and not started:
            return None
        left_s = self.survey_budget_s()
        limit_s = within_s if left_s is None else min(within_s, left_s)
        return run_come_back(self.target(), self.redactor, limit_s)

    def _ask_control(self) -> str:
        """Ask the neutral host of this target, if it has one."""
        if not self._target.control:
            return ""
        from pytest_goldenpath.journey.web import run_ask_control

        return run_ask_control(self._target.control)

    def start_backend(self) -> None:
        """Start the embedded backend, if the target is one and nobody else has started it."""
        from pytest_goldenpath.journey.embedded import EmbeddedBackend

        if self._target.embedded and self._backend is None and not self._is_shared():
            self._backend = EmbeddedBackend(
                self.settings.faults,
                self.settings.variants,
                users=self._target.users,
                heartbeat_s=self._target.heartbeat_s,
            )

    def stop_backend(self) -> None:
        """Stop the embedded backend that this process started."""
        from pytest_goldenpath.journey.embedded import EmbeddedBackend

        if isinstance(self._backend, EmbeddedBackend):
            self._backend.stop()

    def target(self) -> Target:
        """Return the target with its addresses; waits for the embedded backend.

        Raises:
            BackendNotStarted: it did not start.

        """
        from pytest_goldenpath.journey.embedded import EmbeddedBackend

        if not self._target.embedded or self._target.backend:
            return self._target
        if isinstance(self._backend, EmbeddedBackend):
            started = self._backend.wait()
            said: dict[str, Any] = {
                "backend": started.backend,
                "auth": started.auth,
                "ws": started.ws,
                "users": [(email, password.reveal()) for email, password in started.users],
                "expired_token": started.expired_token.reveal(),
            }
        else:
            said = self._shared_address()
        self._target = replace(
            self._target, backend=said["backend"], auth=said["auth"], ws=said["ws"]
        )
        first, second, *crowd = (
            PasswordLogin(email, Secret(word)) for email, word in said["users"]
        )
        expired = Secret(said["expired_token"])
        self._wallet = Wallet(first, expired, second=second, crowd=tuple(crowd))
        self._wallet.known_to(self.redactor)
        if self.folder and self._vault and isinstance(self._backend, EmbeddedBackend):
            write_whole(self.folder / _EMBEDDED_FILE, self._vault.seal(json.dumps(said)))
        return self._target

    def known_target(self) -> Target:
        """Return the target as far as it is known, without waiting for anything."""
        return self._target

    def wallet(self) -> Wallet:
        """Return whom to log in as; :meth:`target` must have been asked for before."""
        if self._wallet is None:
            raise RuntimeError("the target has not been asked for")
        return self._wallet

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the right to conduct the run's survey; the others wait for its result."""
        if self.folder is None:
            yield
            return
        from filelock import FileLock

        with FileLock(self.folder / "survey.lock", timeout=_LOCK_WITHIN_S):
            yield

    @contextmanager
    def warmup_turn(self) -> Iterator[None]:
        """Hold the right to warm up; the others wait for its result."""
        if self._meeting is None:
            yield
            return
        from filelock import FileLock

        with FileLock(self._meeting / "warmup.lock", timeout=_LOCK_WITHIN_S):
            yield

    def recall(self) -> Survey | None:
        """Return the survey that this run has already conducted, in whichever process."""
        if self.survey is None and self.folder and (self.folder / _SURVEY_FILE).exists():
            text = (self.folder / _SURVEY_FILE).read_text(encoding="utf-8")
            self.survey = survey_from_text(text)
        return self.survey

    def keep(self, survey: Survey) -> Survey:
        """Keep a survey for the rest of the run, and its transcripts as evidence."""
        self.survey = survey
        if self.folder:
            write_whole(self.folder / _SURVEY_FILE, survey_to_text(survey))
        write_transcripts(self.settings.evidence_dir, survey)
        return survey

    def survey_budget_s(self) -> float | None:
        """Return the seconds left for a survey, None when its own deadlines bound it."""
        return max(_LEAST_S, self.times.survey_until_s - monotonic()) if self.times else None

    def hurried_target(self) -> Target:
        """Return the target, its warm-up's budgets cut to what a fast run can wait."""
        target = self.target()
        if self.times is None:
            return target
        waits = 2 if self.settings.warmup == FIXED else 1
        share = self.times.patience(waits * (target.vpc_budget_s + target.db_budget_s))
        return replace(
            target,
            vpc_budget_s=target.vpc_budget_s * share,
            db_budget_s=target.db_budget_s * share,
        )

    def keep_selected(self, selected: tuple[str, ...]) -> None:
        """Keep which checks were selected; a worker that dies cannot tell at its end."""
        self.selected = selected
        if self.folder:
            write_whole(self.folder / _SELECTED_FILE, json.dumps(selected))

    def recall_selected(self) -> set[str]:
        """Return the ids of the selected checks, in whichever process they were collected."""
        if self.folder and (self.folder / _SELECTED_FILE).exists():
            text = (self.folder / _SELECTED_FILE).read_text(encoding="utf-8")
            return {*self.selected, *json.loads(text)}
        return set(self.selected)

    def call_off(self) -> None:
        """Let every worker know that the verdict is certain."""
        if self.folder:
            (self.folder / _CERTAIN_FILE).touch()

    def is_called_off(self) -> bool:
        """Tell whether the controller has said that the verdict is certain."""
        return bool(self.folder and (self.folder / _CERTAIN_FILE).exists())

    def ask_for_warmth(self) -> None:
        """Let the controller know that a selected check needs the target."""
        if self.folder:
            (self.folder / _WANTED_FILE).touch()

    def is_warmth_asked_for(self) -> bool:
        """Tell whether a worker has said that a selected check needs the target."""
        return bool(self.folder and (self.folder / _WANTED_FILE).exists())

    def tell_controller(self, line: str) -> None:
        """Leave a line of progress where the controller of a distributed run finds it."""
        place = self.folder or self._meeting
        if place:
            write_whole(place / PROGRESS_FILE, line)

    def keep_warmth(self, report: ResilienceReport) -> None:
        """Keep what the warm-up found, for every process of the run."""
        self.warmth = report
        place = self.folder or self._meeting
        if place:
            write_whole(place / _WARMTH_FILE, json.dumps(report.plain()))

    def recall_warmth(self) -> ResilienceReport | None:
        """Return what the run's warm-up found, in whichever process; None before it."""
        place = self.folder or self._meeting
        if self.warmth is None and place and (place / _WARMTH_FILE).exists():
            text = (place / _WARMTH_FILE).read_text(encoding="utf-8")
            self.warmth = from_plain(json.loads(text))
        return self.warmth

    def _is_shared(self) -> bool:
        return bool(self.folder and (self.folder / _EMBEDDED_FILE).exists())

    def _shared_address(self) -> dict[str, Any]:
        if self.folder is None or self._vault is None:
            raise RuntimeError("the embedded backend was not started")
        text = (self.folder / _EMBEDDED_FILE).read_text(encoding="utf-8")
        said: dict[str, Any] = json.loads(self._vault.unseal(text))
        return said


def _say_nothing(_line: str) -> None:
    """Take a line of progress that nobody is there to read."""


RUN: pytest.StashKey[Run] = pytest.StashKey()


def run_of(config: pytest.Config) -> Run:
    """Return the run of a process that has one."""
    return config.stash[RUN]
