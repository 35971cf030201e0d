"""Judgements become what a test framework understands: silence, an exception, or a skip."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_goldenpath.contract.findings import Attribution, Finding, printable
from pytest_goldenpath.contract.judgement import Judgement
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.errors import (
    CheckBlocked,
    ConnectionLost,
    ContractBroken,
    HarnessError,
    InfraError,
    TargetUnavailable,
    TargetUnreachable,
    UpstreamFailed,
)

_LEAVES: dict[Kind, type[InfraError]] = {
    Kind.REFUSED: TargetUnreachable,
    Kind.DNS_TEMPORARY: TargetUnreachable,
    Kind.CONNECT_TIMEOUT: TargetUnreachable,
    Kind.TLS_HANDSHAKE: TargetUnreachable,
    Kind.HTTP_STATUS: TargetUnavailable,
    Kind.RESET: ConnectionLost,
    Kind.WS_CLOSE: ConnectionLost,
    Kind.PROVIDER: UpstreamFailed,
    Kind.DNS_UNKNOWN: HarnessError,
    Kind.HARNESS: HarnessError,
    Kind.BUDGET: HarnessError,
}


def require(judgements: Sequence[Judgement]) -> None:
    """Return when every promise is proven.

    Broken promises win over doubt, and doubt over a skip.

    Raises:
        ContractBroken: the product broke at least one of the promises.
        InfraError: the road, a provider or our own tool kept one from being judged.
        CheckBlocked: a broken promise elsewhere kept one from being judged.

    """
    __tracebackhide__ = True
    broken = tuple(finding for judgement in judgements for finding in judgement.broken)
    if broken:
        raise ContractBroken(broken)
    for judgement in judgements:
        if judgement.excused:
            raise _excuse(judgement.excused[0])
    undecided = [j for j in judgements if j.undecided and not j.skipped]
    for judgement in undecided:
        if judgement.blocking or judgement.symptom is None:
            raise CheckBlocked((judgement.code,), judgement.undecided, judgement.blocking)
        raise trouble(judgement.symptom)
    skipped = [judgement for judgement in judgements if judgement.skipped]
    if skipped:
        pytest.skip(printable("; ".join(f"{j.code}: {j.undecided}" for j in skipped)))


def trouble(symptom: Symptom) -> InfraError:
    """Return the exception that fits a symptom."""
    return _LEAVES.get(symptom.kind, InfraError)(symptom)


def _excuse(finding: Finding) -> InfraError:
    upstream = finding.attribution is Attribution.UPSTREAM
    return trouble(
        Symptom(
            Kind.PROVIDER if upstream else Kind.HTTP_STATUS,
            finding.code,
            status=None if upstream else _UNAVAILABLE,
            ready=True,
            detail=finding.message,
            override=finding.attribution.value,
            rule=finding.row,
        )
    )


_UNAVAILABLE = 503
