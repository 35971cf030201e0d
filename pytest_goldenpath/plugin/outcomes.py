"""What became of each check: hooks that run for each test, registered only when one is there."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import pytest

from pytest_goldenpath.contract.findings import Attribution, Finding
from pytest_goldenpath.contract.judgement import Judgement
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.errors import ContractBroken, InfraError
from pytest_goldenpath.journey.symptoms import symptom_of
from pytest_goldenpath.plugin.collection import category_of, is_check, requirements_of
from pytest_goldenpath.plugin.fast import TimeIsOver
from pytest_goldenpath.plugin.judging import own_word
from pytest_goldenpath.plugin.proof import trouble
from pytest_goldenpath.plugin.run import run_of
from pytest_goldenpath.verdict.checks import OWN_FAULT, Explained, Outcome, explain

#: What the check's ``prove`` judged; absent when it was not called.
JUDGED: pytest.StashKey[tuple[Judgement, ...]] = pytest.StashKey()
#: The attribute under which a report carries its check across processes; plain data only.
ATTRIBUTE = "goldenpath"
_FRAMEWORKS = frozenset({"_pytest", "pytest", "pytest_asyncio", "pytest_timeout", "anyio"})
_FOREIGN_MODULES = ("aiohttp", "httpcore", "httpx", "requests", "urllib", "urllib3", "websockets")


class Outcomes:
    """Attaches to each report of a check what it means for the verdict."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Explain the exception that ended a phase, or the lack of one."""
        report = yield
        if is_check(item):
            record = _record(item, call, report)
            if record is not None:
                setattr(report, ATTRIBUTE, record)
        return report


class Letters:
    """Shows an inconclusive check by a letter of its own."""

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, Mapping[str, bool]]] | None:
        """Say ``I`` for a check that could not be decided."""
        record = getattr(report, ATTRIBUTE, None)
        if report.failed and record and record["outcome"] == Outcome.INCONCLUSIVE:
            return "inconclusive", "I", ("INCONCLUSIVE", {"yellow": True})
        return None


def _record(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> dict[str, Any] | None:
    judged = item.stash.get(JUDGED, ())
    if hasattr(report, "wasxfail") or (report.failed and call.excinfo is None):
        explained = _expected(report)
    elif call.excinfo is not None:
        explained = _explain(item.config, call.excinfo, is_call=call.when == "call")
    elif call.when == "call":
        explained = _passed(item, judged, report)
    else:
        return None
    found = dict.fromkeys(
        (*explained.findings, *(finding for judgement in judged for finding in judgement.findings))
    )
    return {
        "category": category_of(item),
        "requirements": list(requirements_of(item)),
        **_words(explained),
        "findings": [_plain(finding) for finding in found],
    }


def _words(explained: Explained) -> dict[str, Any]:
    return {
        "outcome": explained.outcome.value,
        "attribution": explained.attribution.value if explained.attribution else None,
        "row": explained.row,
        "reason": explained.reason,
    }


def explain_again(report: pytest.TestReport, symptom: Symptom) -> None:
    """Say of a check what its trouble means now that more is known of it."""
    record: dict[str, Any] | None = getattr(report, ATTRIBUTE, None)
    if record is not None and report.failed:
        record.update(_words(explain(trouble(symptom))))


def _expected(report: pytest.TestReport) -> Explained:
    """Explain a check that is marked xfail: an expected failure proves nothing."""
    if report.failed:
        reason = f"the check itself failed: {report.longrepr}"
        return Explained(Outcome.INCONCLUSIVE, Attribution.HARNESS, (), reason, OWN_FAULT)
    if report.passed:
        return Explained(Outcome.PASSED, None, (), "")
    reason = f"expected to fail: {getattr(report, 'wasxfail', '')}".strip().rstrip(":")
    return Explained(Outcome.SKIPPED, None, (), reason)


def _explain(
    config: pytest.Config, excinfo: pytest.ExceptionInfo[BaseException], *, is_call: bool
) -> Explained:
    """Explain what ended a phase; only a check's own body may accuse by an assertion."""
    error = excinfo.value
    if isinstance(error, TimeIsOver):
        return explain(trouble(Symptom(Kind.BUDGET, "check", ready=True, detail=str(error))))
    if isinstance(error, pytest.skip.Exception):
        return Explained(Outcome.SKIPPED, None, (), str(error))
    symptom = road_trouble(error, config)
    if symptom:
        return explain(trouble(symptom))
    if isinstance(error, pytest.fail.Exception):
        own = is_call and not _is_raised_by_a_framework(excinfo)
        return explain(AssertionError(str(error)) if own else RuntimeError(str(error)))
    if isinstance(error, AssertionError) and not isinstance(error, ContractBroken) and not is_call:
        return explain(RuntimeError(f"an assertion of a fixture failed: {error}"))
    return explain(error)


def road_trouble(error: BaseException, config: pytest.Config) -> Symptom | None:
    """Return the signs of the road's trouble that ended a check, None when something else did."""
    if isinstance(error, InfraError):
        symptom = error.symptom
    elif _is_about_the_road(error):
        symptom = symptom_of(error, phase="check", where="", ready=True)
    else:
        return None
    return own_word(config, symptom, run_of(config).redactor)


def _is_raised_by_a_framework(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Tell whether pytest or a plugin failed the test, such as for a time-out."""
    names = [str(entry.frame.f_globals.get("__name__", "")) for entry in excinfo.traceback]
    callers = [name for name in names if name != "_pytest.outcomes"]
    return bool(callers) and callers[-1].partition(".")[0] in _FRAMEWORKS


def _is_about_the_road(error: BaseException) -> bool:
    """Tell whether a check's own client raised this; a check may talk to the target itself."""
    module = type(error).__module__.partition(".")[0]
    return module in _FOREIGN_MODULES or isinstance(error, ConnectionError | TimeoutError)


def _passed(
    item: pytest.Item, judged: tuple[Judgement, ...], report: pytest.TestReport
) -> Explained:
    """Accept a pass, unless the check asked for ``prove`` and never used it."""
    uses_prove = "prove" in getattr(item, "fixturenames", ())
    if not uses_prove or judged:
        return Explained(Outcome.PASSED, None, (), "")
    explained = explain(RuntimeError("it took the fixture prove and proved nothing"))
    report.outcome = "failed"
    report.longrepr = explained.reason
    return explained


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "evidence": finding.evidence,
        "absence": finding.absence,
        "attribution": finding.attribution.value,
    }
