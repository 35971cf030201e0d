"""What the warm-up found: one report for each probe, and what they mean together (design 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.findings import excerpt
from pytest_goldenpath.contract.symptom import Kind, Symptom

AUTO, FIXED, OFF = "auto", "fixed", "off"
MODES = (AUTO, FIXED, OFF)
VPC, DB = "vpc", "db"
_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What became of one probe.

    Attributes:
        name: ``vpc`` or ``db``.
        ready: what the probe asks for is proven.
        took_s: seconds from the probe's beginning to its end.
        budget_s: seconds that it was given.
        probes: how often the target was asked.
        last_error: the last trouble, also when it was overcome; '' when there was none.
        final: the trouble cannot pass by waiting, so nothing was waited for.
        proof: how readiness was proven, or how far.
        symptom: the structural signs of the trouble that ended it; None when the product itself
            answered, and the suites are to judge it.
    """

    name: str
    ready: bool
    took_s: float = 0.0
    budget_s: float = 0.0
    probes: int = 0
    last_error: str = ""
    final: bool = False
    proof: str = ""
    symptom: Symptom | None = None

    def sentence(self) -> str:
        """Tell the probe in one line."""
        spent = f"{self.took_s:.1f} s, {self.probes} probe{'' if self.probes == 1 else 's'}"
        if self.ready:
            return f"{self.name} ready in {spent} ({self.proof})"
        if not self.probes:
            return f"{self.name} not asked: {self.last_error}"
        verb = "given up after" if self.final else f"not ready within {self.budget_s:g} s:"
        return f"{self.name} {verb} {spent}; last error: {self.last_error or 'none'}"

    def document(self) -> dict[str, Any]:
        """Return the report as it stands in ``verdict.json``."""
        return {
            "ready": self.ready,
            "took_s": round(self.took_s, 3),
            "budget_s": self.budget_s,
            "probes": self.probes,
            "last_error": self.last_error,
            "final": self.final,
            "proof": self.proof,
        }


#: Why there was no warm-up in a run in which no check asked the target anything.
NOT_NEEDED = "no check that needs the target came to run"


@dataclass(frozen=True, slots=True)
class ResilienceReport:
    """The whole warm-up; true only when there are probes and every one of them is ready.

    Attributes:
        mode: ``auto``, ``fixed`` or ``off``.
        probes: the reports.
        took_s: seconds, a fixed wait included.
        skipped: why nothing was asked, or why nothing was waited for; '' otherwise.
    """

    mode: str = AUTO
    probes: tuple[ProbeReport, ...] = ()
    took_s: float = 0.0
    skipped: str = ""

    def __bool__(self) -> bool:
        """Tell whether the infrastructure is ready."""
        return bool(self.probes) and all(probe.ready for probe in self.probes)

    def probe(self, name: str) -> ProbeReport:
        """Return one probe's report; it says why when that probe was not made."""
        made = {probe.name: probe for probe in self.probes}
        return made.get(name) or ProbeReport(name, ready=False, last_error=self.skipped)

    @property
    def blocking(self) -> Symptom | None:
        """The trouble because of which no check can be judged, or None.

        Trouble that accuses the product blocks nothing: the suites judge it. Nor does anything
        that was not waited for.
        """
        if self.skipped:
            return None
        for probe in self.probes:
            if probe.symptom and not attribute(probe.symptom).attribution.accuses:
                spent = f"{probe.probes} probes in {probe.took_s:.1f} of {probe.budget_s:.4g} s"
                detail = excerpt(f"{spent}; {probe.symptom.detail}".rstrip("; "), _LONGEST_ERROR)
                return replace(probe.symptom, phase=f"warm-up {probe.name}", detail=detail)
        return None

    @property
    def doubt(self) -> str:
        """Why a run whose checks all passed is not proven, or ''."""
        if self.skipped or self.blocking:
            return ""
        late = [probe.sentence() for probe in self.probes if not probe.ready]
        return f"warm-up: {late[0]}" if late else ""

    def document(self) -> dict[str, Any]:
        """Return the warm-up as it stands in ``verdict.json``."""
        probes = {probe.name: probe.document() for probe in self.probes}
        return {"mode": self.mode, "skipped": self.skipped, **probes}

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain data, for :func:`from_plain` in another process."""
        plain: dict[str, Any] = asdict(self)
        for probe in plain["probes"]:
            if probe["symptom"]:
                # xdist carries no enumerations, not even those that are texts.
                probe["symptom"]["kind"] = probe["symptom"]["kind"].value
        return plain


def from_plain(plain: Mapping[str, Any]) -> ResilienceReport:
    """Read what :meth:`ResilienceReport.plain` wrote."""
    probes = tuple(
        ProbeReport(**{**probe, "symptom": _symptom(probe["symptom"])}) for probe in plain["probes"]
    )
    return ResilienceReport(plain["mode"], probes, plain["took_s"], plain["skipped"])


def _symptom(plain: Mapping[str, Any] | None) -> Symptom | None:
    return Symptom(**{**plain, "kind": Kind(plain["kind"])}) if plain else None
