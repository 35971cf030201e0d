"""The run in words for a terminal: what is validated, and the verdict; plain data in, lines out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pytest_goldenpath.contract.findings import printable
from pytest_goldenpath.target.model import Credentials, PasswordLogin
from pytest_goldenpath.target.resolve import Resolved
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.decide import Rulebook

_FAST = "fast_feedback"
_STYLES = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow", "BYPASSED": "purple"}
_WORDS = {
    "PASS": "this deployment may serve users",
    "FAIL": "this deployment must not serve users",
    "INCONCLUSIVE": "nothing can be said about this deployment",
    "BYPASSED": "all checks passed while an emergency bypass was active",
}
#: Of the checks that did not run, so many are named; the verdict file names all.
_MOST_IDS = 10
_ACTIONS = {
    "product": "the product has to be mended",
    "auth": "the product's authentication has to be mended",
    "infrastructure": "run again when the infrastructure is back",
    "capacity": "run again when there is capacity",
    "upstream": "run again when the provider is back",
    "harness": "mend the test set-up and run again",
}


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


def summary_lines(verdict: Mapping[str, Any], *, evidence: str, bypass: Bypass) -> list[Line]:
    """Tell a verdict document in one screen; the first line is the heading.

    Args:
        verdict: a ``goldenpath-verdict/1`` document.
        evidence: where the verdict was written.
        bypass: the tester's bypass.

    """
    word = verdict["verdict"]
    style = _STYLES[word]
    lines = [
        Line(f"golden path: {word} (exit {verdict['exit_code']})", style),
        Line(f"{_WORDS[word]}: {_place(verdict['target'])}", style),
    ]
    lines += bypass_lines(bypass)
    lines += _accusations(verdict)
    lines += _doubts(verdict)
    lines += _skips(verdict)
    lines += _unfinished(verdict.get("unfinished", ()))
    lines += _advice(verdict)
    lines += _readiness(verdict)
    lines += _warmup(verdict["warmup"])
    lines.append(Line(_counts(verdict)))
    lines.append(Line(f"verdict file: {evidence}"))
    return [Line(printable(line.text), line.style) for line in lines]


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


def _place(target: Mapping[str, str]) -> str:
    revision = f", revision {target['revision']}" if target["revision"] else ""
    return f"{target['name']} {target['backend']}{revision}"


def _accusations(verdict: Mapping[str, Any]) -> Iterator[Line]:
    """Tell each broken promise once, with its proof, then the reasons that have no code."""
    told: set[str] = set()
    for finding in sorted(_findings(verdict, "must"), key=lambda finding: finding["code"]):
        reason = f"{finding['code']} {finding['message']}"
        if finding["attribution"] in {"product", "auth"} and reason not in told:
            told.add(reason)
            yield Line(reason, "red")
            if finding["evidence"]:
                yield Line(f"       seen: {finding['evidence']}")
    if verdict["underlying"] != "INCONCLUSIVE":
        for reason in verdict["reasons"]:
            if reason not in told and verdict["verdict"] != "BYPASSED":
                yield Line(reason, "red")


def _doubts(verdict: Mapping[str, Any]) -> Iterator[Line]:
    """Tell what was not decided: for a reason of its own, or because of a broken promise."""
    if verdict["underlying"] == "INCONCLUSIVE":
        for reason in verdict["reasons"]:
            yield Line(f"undecided: {reason}", "yellow")
        return
    undecided = [check for check in verdict["checks"] if check["outcome"] == "inconclusive"]
    blocked = [check for check in undecided if check["findings"]]
    if blocked:
        yield Line(f"not decided because of it: {_codes(blocked)}", "yellow")
    reasons = dict.fromkeys(check["reason"] for check in undecided if not check["findings"])
    for reason in reasons:
        same = [check for check in undecided if check["reason"] == reason]
        yield Line(f"undecided: {reason} - not judged: {_codes(same)}", "yellow")


def _skips(verdict: Mapping[str, Any]) -> Iterator[Line]:
    """Tell what was not looked at although the verdict may be PASS."""
    skipped = [check for check in verdict["checks"] if check["outcome"] == "skipped"]
    for reason in dict.fromkeys(check["reason"] for check in skipped):
        same = [check for check in skipped if check["reason"] == reason]
        yield Line(f"not looked at: {_codes(same)}: {reason}", "yellow")


def _unfinished(ids: Sequence[str]) -> Iterator[Line]:
    """Tell which selected checks did not run, as many as a person reads."""
    if ids:
        more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
        yield Line(f"did not run: {', '.join(ids[:_MOST_IDS])}{more}", "yellow")


def _codes(checks: list[Mapping[str, Any]]) -> str:
    codes = (code for check in checks for code in check["requirements"] or [check["id"]])
    return ", ".join(sorted(set(codes)))


def _advice(verdict: Mapping[str, Any]) -> Iterator[Line]:
    whose = dict.fromkeys(
        check["attribution"] for check in verdict["checks"] if check["attribution"]
    )
    if whose:
        yield Line("; ".join(f"{name}: {_ACTIONS[name]}" for name in whose))
    told: set[str] = set()
    for finding in _findings(verdict, "should"):
        if finding["code"] not in told:
            told.add(finding["code"])
            yield Line(f"note: {finding['code']} {finding['message']}")


def _readiness(verdict: Mapping[str, Any]) -> Iterator[Line]:
    """Tell the readiness score, and each remediation check that it lacks."""
    found = verdict.get("readiness")
    if found is None:
        return
    is_enough = found["score"] >= found["needed"]
    yield Line(
        f"readiness: {found['score']:g} % ({found['proven']} of {found['selected']} remediation "
        f"checks proven), {found['needed']:g} % needed",
        "green" if is_enough else "red",
    )
    for missing in found["missing"]:
        yield Line(f"  not proven: {missing}")


def _warmup(warmup: Mapping[str, Any]) -> Iterator[Line]:
    """Tell what the warm-up found, each probe in a line when it was in vain."""
    probes = {name: probe for name, probe in warmup.items() if isinstance(probe, dict)}
    ready = (
        f"{name} ready in {probe['took_s']:.1f} s ({probe['proof']})"
        for name, probe in probes.items()
        if probe["ready"]
    )
    told = "; ".join((*ready, *filter(None, [warmup["skipped"]])))
    if told:
        yield Line(f"warm-up: {told}")
    for name, probe in probes.items():
        if not probe["ready"]:
            spent = f"{probe['took_s']:.1f} of {probe['budget_s']:g} s, {probe['probes']} probes"
            yield Line(f"warm-up: {name} not ready ({spent}): {probe['last_error']}", "yellow")


def _counts(verdict: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in verdict["counts"].items() if number)
    refused = f", {verdict['http_503']} answers with 503" if verdict["http_503"] else ""
    missed = len(verdict.get("unfinished", ()))
    idle = f", {missed} did not run" if missed else ""
    return f"checks: {counts or 'none'}{idle}{refused}, in {verdict['duration_s']:.1f} s"


def _findings(verdict: Mapping[str, Any], severity: str) -> Iterator[Mapping[str, str]]:
    for check in verdict["checks"]:
        for finding in check["findings"]:
            if finding["severity"] == severity:
                yield finding
