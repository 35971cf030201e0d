"""What became of each check: hooks that run for each test, registered only when one is there."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import asdict
from typing import Any

import pytest

from pytest_goldenpath.contract.findings import Attribution, Finding, Severity, printable
from pytest_goldenpath.contract.judgement import Judgement
from pytest_goldenpath.contract.symptom import Kind, Symptom
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.errors import ContractBroken, GoldenpathError, InfraError
from pytest_goldenpath.journey.symptoms import symptom_of
from pytest_goldenpath.plugin import proof
from pytest_goldenpath.plugin.collection import category_of, is_check, requirements_of
from pytest_goldenpath.plugin.fast import TimeIsOver
from pytest_goldenpath.plugin.judging import own_word
from pytest_goldenpath.plugin.run import RUN, run_of
from pytest_goldenpath.report.terminal import finding_lines
from pytest_goldenpath.verdict.checks import OWN_FAULT, Check, Explained, Outcome, explain
from pytest_goldenpath.verdict.excerpt import Excerpt, Glimpse, excerpt_of

#: What the check's ``prove`` judged; absent when it was not called.
JUDGED: pytest.StashKey[tuple[Judgement, ...]] = pytest.StashKey()
#: Conversations of the check's own, held by the fixture ``journey``.
HELD: pytest.StashKey[list[Transcript]] = pytest.StashKey()
#: The attribute under which a report carries its check across processes; plain data only.
ATTRIBUTE = "goldenpath"
_FRAMEWORKS = frozenset({"_pytest", "pytest", "pytest_asyncio", "pytest_timeout", "anyio"})
#: The verbosity from which on pytest shows the failure as it does any other.
_ALL_OF_IT = 2
#: So many checks that failed by themselves are shown; they often have one cause.
_MOST_OWN = 5
_PROVERS = frozenset({proof.__name__, "pytest_goldenpath.plugin.warming"})
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
            if call.excinfo is not None and report.failed and _is_told_briefly(item, call.excinfo):
                _tell_briefly(report, call.excinfo)
        return report


class Letters:
    """Shows an inconclusive check, and one that had to be retried, by letters of their own."""

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, Mapping[str, bool]]] | None:
        """Say ``I`` for a check that could not be decided, ``r`` for one that needed a retry.

        A retried check stays among those that passed, in pytest's own count as well.
        """
        record = getattr(report, ATTRIBUTE, None)
        if report.passed and record and record.get("attempts", 1) > 1:
            return "passed", "r", ("RETRIED", {"yellow": True})
        if report.failed and record and record["outcome"] == Outcome.INCONCLUSIVE:
            return "inconclusive", "I", ("INCONCLUSIVE", {"yellow": True})
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show where checks failed by themselves, as pytest shows it of what it calls failed."""
        option = terminalreporter.config.option
        reports = terminalreporter.stats.get("inconclusive", ())
        own = [r for r in reports if getattr(r, ATTRIBUTE, {}).get("row") == OWN_FAULT]
        if not own or option.tbstyle == "no" or option.verbose <= -_ALL_OF_IT:
            return
        terminalreporter.section("CHECKS THAT FAILED BY THEMSELVES")
        for report in own[:_MOST_OWN]:
            terminalreporter.section(printable(report.nodeid), "_")
            report.toterminal(terminalreporter._tw)  # noqa: SLF001  # as pytest does
        if len(own) > _MOST_OWN:
            terminalreporter.line(f"... and {len(own) - _MOST_OWN} more")


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
        "excerpt": _excerpt(item, judged),
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
        record.update(_words(explain(proof.trouble(symptom))))


def _excerpt(item: pytest.Item, judged: tuple[Judgement, ...]) -> dict[str, Any] | None:
    """Return the frames around what this check itself found in the survey, as plain data."""
    run = item.config.stash.get(RUN, None)
    if run is None or run.survey is None:
        return None
    findings = (finding for judgement in judged for finding in judgement.findings)
    excerpt = excerpt_of(run.survey, findings)
    return asdict(excerpt) if excerpt else None


def _is_told_briefly(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Tell whether the finding is the whole story: ``prove`` raised it, and nobody wants more."""
    verbosity, style = (
        item.config.getoption(k, d) for k, d in (("verbose", 0), ("tbstyle", "auto"))
    )
    if verbosity >= _ALL_OF_IT or style not in {"auto", "short", "line"}:
        return False
    raised_by = excinfo.traceback[-1].frame.f_globals.get("__name__", "")
    return isinstance(excinfo.value, ContractBroken | GoldenpathError) and raised_by in _PROVERS


def _tell_briefly(report: pytest.TestReport, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave the source of the check out of its failure: it only says that it proves something."""
    error = excinfo.value
    findings = error.findings if isinstance(error, ContractBroken) else ()
    lines = [line for f in findings for line in finding_lines(f.code, f.message, f.evidence)]
    brief: Any = excinfo.getrepr(style="value")
    (entry,) = brief.reprtraceback.reprentries[-1:]
    entry.lines[:] = lines or [printable(str(error))]
    brief.reprcrash.message = printable(str(error)).partition("\n")[0]
    report.longrepr = brief


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
        return explain(proof.trouble(Symptom(Kind.BUDGET, "check", ready=True, detail=str(error))))
    if isinstance(error, pytest.skip.Exception):
        return Explained(Outcome.SKIPPED, None, (), str(error))
    symptom = road_trouble(error, config)
    if symptom:
        return explain(proof.trouble(symptom))
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
    names = getattr(item, "fixturenames", ())
    idle = "it took the fixture prove and proved nothing" if "prove" in names and not judged else ""
    if "journey" in names and not item.stash.get(HELD, None):
        idle = "it took the fixture journey and asked nothing; a journey has to be awaited"
    if not idle:
        return Explained(Outcome.PASSED, None, (), "")
    explained = explain(RuntimeError(idle))
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


def check_of(report: pytest.TestReport) -> Check | None:
    """Return what a report says of a check; None for a phase that says nothing, and other tests."""
    record: dict[str, Any] | None = getattr(report, ATTRIBUTE, None)
    if record is None and report.failed and report.when not in {"setup", "call", "teardown"}:
        record = _crashed(report)
    if record is None:
        return None
    return Check(
        report.nodeid,
        record["category"],
        tuple(record["requirements"]),
        Outcome(record["outcome"]),
        Attribution(record["attribution"]) if record["attribution"] else None,
        tuple(_finding_from(finding) for finding in record["findings"]),
        record["reason"],
        record["row"],
        attempts=record.get("attempts", 1),
        duration_s=report.duration,
        excerpt=_excerpt_from(record.get("excerpt")),
    )


def _excerpt_from(plain: dict[str, Any] | None) -> Excerpt | None:
    if plain is None:
        return None
    return Excerpt(plain["conversation"], tuple(Glimpse(**g) for g in plain["glimpses"]))


def _finding_from(plain: dict[str, Any]) -> Finding:
    return Finding(
        plain["code"],
        Severity(plain["severity"]),
        plain["message"],
        plain["evidence"],
        absence=plain["absence"],
        attribution=Attribution(plain["attribution"]),
    )


def _crashed(report: pytest.TestReport) -> dict[str, Any]:
    """Record a test whose worker died: nothing is known about the product."""
    return {
        "category": "",
        "requirements": [],
        "outcome": Outcome.INCONCLUSIVE.value,
        "attribution": Attribution.HARNESS.value,
        "row": "E4-46",
        "reason": str(report.longrepr).partition("\n")[0] or "the worker crashed",
        "findings": [],
    }
