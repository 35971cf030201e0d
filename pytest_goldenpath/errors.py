"""Every exception of the package; what they mean for a verdict, and nothing else.

::

    GoldenpathError
    ├── ConfigError             a setting is wrong; exit 4, before anything is started
    ├── EvidenceError           a saved transcript or survey cannot be read
    ├── CheckBlocked            a check could not look, because another promise is broken
    ├── CheckSkipped            a check has nothing to look at on this target
    └── InfraError              nothing is known about the product
        ├── TargetUnreachable   the road to the target: refused, unknown host, connect time-out
        ├── TargetUnavailable   something in front of the product answered for it: 502, 503, 504
        ├── ConnectionLost      the road broke in the middle of an exchange
        ├── UpstreamFailed      something beyond the product failed: a model provider
        └── HarnessError        our own tool, its credentials or its machine failed
    AssertionError
    └── ContractBroken          the product broke a promise; never retried
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_goldenpath.contract.findings import printable

if TYPE_CHECKING:
    from pytest_goldenpath.contract.findings import Finding
    from pytest_goldenpath.contract.symptom import Symptom


class GoldenpathError(Exception):
    """The root of everything this package raises, but :class:`ContractBroken`."""


class ConfigError(GoldenpathError):
    """A setting is wrong; the message names it, its value, its source and the remedy."""

    def __init__(
        self, setting: str, value: object, problem: str, *, source: str, remedy: str
    ) -> None:
        """Take the five facts that a person needs to mend the setting."""
        super().__init__(f"{setting} = {value!r} (from {source}): {problem}; {remedy}")
        self.setting = setting
        self.source = source


class EvidenceError(GoldenpathError):
    """A saved transcript or survey is cut off, of another version, or not ours."""


class CheckBlocked(GoldenpathError):
    """A check could not look, because another promise is broken; carries its findings."""

    def __init__(self, codes: tuple[str, ...], reason: str, findings: tuple[Finding, ...]) -> None:
        """Take the codes that could not be judged, why, and the findings that block them."""
        super().__init__(printable(f"{', '.join(codes)} could not be looked at: {reason}"))
        self.codes = codes
        self.findings = findings


class CheckSkipped(GoldenpathError):
    """A check has nothing to look at on this target, and says why."""


class InfraError(GoldenpathError):
    """The road to the product, or something beyond it, failed; nothing is known about it."""

    def __init__(self, symptom: Symptom) -> None:
        """Take the structural signs by which the trouble was recognised."""
        super().__init__(printable(symptom.sentence()))
        self.symptom = symptom


class TargetUnreachable(InfraError):
    """No connection came about: refused, unknown host name, time-out, TLS handshake."""


class TargetUnavailable(InfraError):
    """Something in front of the product answered in its place: 502, 503 or 504."""


class ConnectionLost(InfraError):
    """A connection broke in the middle of an exchange."""


class UpstreamFailed(InfraError):
    """Something beyond the product failed, such as a model provider."""


class HarnessError(InfraError):
    """Our own tool, its credentials or the machine it runs on failed."""


class ContractBroken(AssertionError):
    """The product broke at least one promise; carries all findings, not only the first."""

    # The public address, which is what a traceback and a summary line should show.
    __module__ = "pytest_goldenpath"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        """Take the findings, worst first."""
        super().__init__(printable("\n".join(finding.text() for finding in findings)))
        self.findings = findings
