"""Decides whether an AI-agent chat deployment may serve users.

The public names are those of ``__all__``; they are loaded on first use, because pytest imports
this package in every run of the environment it is installed in.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_goldenpath.cli.main import run_file
    from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
    from pytest_goldenpath.contract.survey import Survey
    from pytest_goldenpath.contract.transcript import Transcript
    from pytest_goldenpath.errors import (
        ConfigError,
        ContractBroken,
        GoldenpathError,
        InfraError,
    )
    from pytest_goldenpath.journey.resilience import infrastructure_resilience_check
    from pytest_goldenpath.target.model import Target
    from pytest_goldenpath.verdict.decide import Verdict
    from pytest_goldenpath.verdict.warmup import ProbeReport, ResilienceReport

__all__ = [
    "Attribution",
    "ConfigError",
    "ContractBroken",
    "Finding",
    "GoldenpathError",
    "InfraError",
    "ProbeReport",
    "ResilienceReport",
    "Severity",
    "Survey",
    "Target",
    "Transcript",
    "Verdict",
    "infrastructure_resilience_check",
    "run_file",
]

#: Where each of them is, as one text: pytest reads this module object by object.
_HOMES = (
    " Attribution=contract.findings ConfigError=errors ContractBroken=errors"
    " Finding=contract.findings GoldenpathError=errors InfraError=errors"
    " ProbeReport=verdict.warmup ResilienceReport=verdict.warmup Severity=contract.findings"
    " Survey=contract.survey Target=target.model Transcript=contract.transcript"
    " Verdict=verdict.decide infrastructure_resilience_check=journey.resilience run_file=cli.main"
)


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    _, found, home = _HOMES.partition(f" {name}=")
    if not found:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home.partition(' ')[0]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
