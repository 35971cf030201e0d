"""The beginning of a run in words for a terminal: what is validated, and how; and single findings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_goldenpath.contract.findings import excerpt, printable
from pytest_goldenpath.target.model import Credentials, PasswordLogin
from pytest_goldenpath.target.resolve import Resolved
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.decide import Rulebook

_FAST = "fast_feedback"
#: A line of a finding; longer ones would hide the others.
_LONGEST = 300
#: How most rules put it; those that do not are told as they are.
_EXPECTED_GOT = re.compile(r"expected (?P<expected>.+?), (?:got|but:?) (?P<got>.+)", re.DOTALL)


class Told(Protocol):
    """The settings that a header tells of."""

    @property
    def resolved(self) -> Resolved:
        """Target and credentials."""
        ...

    @property
    def categories(self) -> tuple[str, ...]:
        """What was selected."""
        ...

    @property
    def execution_mode(self) -> str:
        """How thorough the run is."""
        ...

    @property
    def fast_budget_s(self) -> float:
        """How long a run of fast feedback may take."""
        ...

    @property
    def warmup(self) -> str:
        """How the run warms up."""
        ...

    @property
    def evidence_dir(self) -> Path:
        """Where the evidence goes."""
        ...

    @property
    def history_dir(self) -> Path | None:
        """Where a copy of each verdict is kept, if anywhere."""
        ...

    @property
    def rulebook(self) -> Rulebook:
        """How strictly the run is judged."""
        ...

    @property
    def bypass(self) -> Bypass:
        """The tester's bypass."""
        ...

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each setting came from."""
        ...

    @property
    def faults(self) -> tuple[str, ...]:
        """Faults of the embedded backend."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about these settings."""
        ...

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants of the embedded backend."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its colour, '' for none."""

    text: str
    style: str = ""


def header_lines(told: Told) -> list[str]:
    """Tell the target and every setting with its source; secrets are never shown."""
    target, sources = told.resolved.target, told.sources
    kind = " (embedded reference backend)" if target.embedded else ""
    lines = [f"goldenpath: target {target.name}{kind} [{sources['target']}]"]
    facts = {
        "backend": target.backend,
        "auth": target.auth,
        "ws": target.ws,
        "frontend": target.frontend,
        "login": _login(told.resolved),
        "second_login": _second(told.resolved),
        "revision": target.revision,
        "seed": target.seed,
        "control": target.control,
        "context_api": target.context_api,
        "event_deadline_s": f"{target.event_deadline_s:g}",
        "run_deadline_s": f"{target.run_deadline_s:g}",
        "heartbeat_s": f"{target.heartbeat_s:g}",
        "users": f"{target.users}",
        "category": ", ".join(told.categories) or "all",
        "execution_mode": told.execution_mode,
        "fast_budget_s": f"{told.fast_budget_s:g}" if told.execution_mode == _FAST else "",
        "warmup": told.warmup,
        "vpc_budget_s": f"{target.vpc_budget_s:g}",
        "db_budget_s": f"{target.db_budget_s:g}",
        "infra_attempts": f"{target.infra_attempts}",
        "infra_delay_s": f"{target.infra_delay_s:g}",
        "evidence_dir": str(told.evidence_dir),
        "history_dir": str(told.history_dir or ""),
        "gate": "a skipped check is not green" if told.rulebook.gate else "",
        "accept_bypass": "a bypassed run exits with 0" if told.rulebook.accept_bypass else "",
    }
    lines += [
        f"  {name}: {printable(value)} [{sources.get(name, 'default')}]"
        for name, value in facts.items()
        if value
    ]
    for name, values in (("variant", told.variants), ("fault", told.faults)):
        if values:
            lines.append(f"  {name}: {', '.join(values)} [option --{name}]")
    lines += [f"  {note}" for note in told.notes]
    lines += [line.text for line in bypass_lines(told.bypass)]
    return lines


def bypass_lines(bypass: Bypass) -> list[Line]:
    """Tell the tester's bypass: active, or asked for and why it does not count."""
    if not bypass.sources:
        return []
    asked = ", ".join(bypass.sources)
    if bypass.active:
        until = f"{bypass.expires:%Y-%m-%d %H:%M} UTC" if bypass.expires else ""
        return [Line(f"  BYPASS ACTIVE until {until} ({asked}): PASS becomes BYPASSED", "purple")]
    return [Line(f"  BYPASS IGNORED: {printable(bypass.problem)} ({asked})", "red")]


def finding_lines(code: str, message: str, evidence: str) -> list[str]:
    """Tell a finding in two or three lines: what was expected, what came, where it is seen."""
    told = _EXPECTED_GOT.match(message)
    expected, got = (told["expected"], told["got"]) if told else (message, "")
    parts = (("expected", expected if told else ""), ("got", got), ("seen", evidence))
    facts = [f"{name + ':':9} {cut(text)}" for name, text in parts if text]
    if not told:
        facts.insert(0, cut(message))
    return [f"{code if index == 0 else '':6} {fact}" for index, fact in enumerate(facts)]


def cut(text: str, limit: int = _LONGEST) -> str:
    """Make one line of a text that a terminal shows as it is, cut in its middle."""
    return excerpt(printable(text).replace("\n", " "), limit)


def _login(resolved: Resolved) -> str:
    if resolved.wallet is None:
        return "a user made for this run"
    return _way(resolved.wallet.first)


def _second(resolved: Resolved) -> str:
    if resolved.wallet is None:
        return "another user made for this run"
    return _way(resolved.wallet.second) if resolved.wallet.second else "none, so no isolation check"


def _way(user: Credentials) -> str:
    if isinstance(user, PasswordLogin):
        return f"password of {user.email}, ***"
    return user.way if user.way == "development login" else f"{user.way}, ***"
