"""What is promised of a run is promised of every run: of the second user's, and of the later ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps

from pytest_goldenpath.contract.findings import Finding, Severity
from pytest_goldenpath.contract.rules.company import leaks, was_thrown_out
from pytest_goldenpath.contract.ruling import Ruling, Unlooked
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript

#: Observations that hold whole runs beside the golden journey.
LATER_RUNS = ("pair", "crowd", "again")


def of_every_run(check: Callable[[Survey], Ruling], *names: str) -> Callable[[Survey], Ruling]:
    """Build the rule that holds for every run out of one that judges the golden journey.

    A fault of all runs is told once: the first run that accuses the product is told, the journey
    before the others. What is only reported, or somebody else's trouble, hides no such run.

    Args:
        check: judges the journey of a survey.
        names: the observations whose runs are judged as well; all of them when there is none.

    """

    @wraps(check)
    def every(survey: Survey) -> Ruling:
        ruling = check(survey)
        if isinstance(ruling, Unlooked) or _weight(ruling) == _ACCUSING:
            return ruling
        runs = later_runs(survey, names or LATER_RUNS)
        return max((ruling, *(_found_on(run, survey, check) for run in runs)), key=_weight)

    return every


_NOTHING, _REPORTED, _EXCUSED, _ACCUSING = range(4)


def _weight(findings: tuple[Finding, ...]) -> int:
    """Tell how much the findings of one run weigh."""
    musts = [finding for finding in findings if finding.severity is Severity.MUST]
    if any(finding.attribution.accuses for finding in musts):
        return _ACCUSING
    return _EXCUSED if musts else _REPORTED if findings else _NOTHING


def later_runs(survey: Survey, names: tuple[str, ...] = LATER_RUNS) -> Iterator[Transcript]:
    """Yield every run but the journey that can be judged by itself.

    Where connections hear each other's runs it cannot be told whose an event is; and that the
    target threw out one connection of a user is the breach of another promise. Two questions on
    one connection have nobody else to hear.
    """
    for name in names:
        talks, users = survey.talks.get(name, ()), name == "crowd"
        if name != "again" and leaks(talks, users=users):
            continue
        for talk in talks:
            if talk.sent("request") and (users or not was_thrown_out(talk)):
                yield talk


def _found_on(
    run: Transcript, survey: Survey, check: Callable[[Survey], Ruling]
) -> tuple[Finding, ...]:
    ruling = check(replace(survey, journey=run, complaints=()))
    if isinstance(ruling, Unlooked):
        return ()
    # What did not come proves nothing when the road broke off.
    told = [finding for finding in ruling if not (run.symptom and finding.absence)]
    return tuple(_naming(finding, run.purpose) for finding in told)


def _naming(finding: Finding, purpose: str) -> Finding:
    if purpose in finding.message:
        return finding
    return replace(finding, message=f"{finding.message} (on {purpose})")
