"""What of a survey broke off because of the road, and how a second look takes its place; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from pytest_goldenpath.contract.attribution import Retry, attribute
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import Kind, Symptom, with_control

_T = TypeVar("_T")
#: What nobody can be asked for without.
_LOGIN = "login"
#: Observations that read what another one left behind, so that both are made again.
_TOGETHER = (frozenset({"journey", "kept", "again"}), frozenset({"auth_health", "readiness"}))
#: Fields of a survey that one observation fills; the others are kept by name.
_FIELDS = ("health", "auth_health", "readiness", "login", "carriers", "strangers", "journey",
           "second_login", "context")  # fmt: skip


def passing(symptom: Symptom | None, tries: int = 1) -> bool:
    """Tell whether trouble may pass by waiting.

    A broken promise never does, nor does time that was ours and is spent.

    Args:
        symptom: the trouble.
        tries: how often the same thing was tried in vain.

    """
    if symptom is None or symptom.kind is Kind.BUDGET:
        return False
    decided = attribute(symptom)
    often = decided.retry is Retry.YES or (decided.retry is Retry.ONCE and tries == 1)
    return often and not decided.attribution.accuses


def broken_off(survey: Survey, wanted: Collection[str], looks: int = 1) -> frozenset[str]:
    """Return the wanted observations that are worth another look once the road is back.

    Args:
        survey: what was observed.
        wanted: names of observations.
        looks: how often they were looked at.

    """
    missing = survey.missing
    login_is_off = _LOGIN in missing and passing(missing[_LOGIN].symptom, looks)

    def is_off(entry: Missing) -> bool:
        blocked = login_is_off and not entry.skipped and bool(entry.blocked_by)
        return passing(entry.symptom, looks) or blocked

    off = {name for name, entry in missing.items() if is_off(entry)}
    for group in _TOGETHER:
        if off & group:
            off |= group
    return frozenset(off & set(wanted))


def first_trouble(survey: Survey, names: Collection[str]) -> Symptom | None:
    """Return the trouble because of which these observations broke off."""
    entries = (survey.missing.get(name) for name in (_LOGIN, *sorted(names)))
    return next((e.symptom for e in entries if e and passing(e.symptom)), None)


def mended(survey: Survey, again: Survey, names: Collection[str]) -> Survey:
    """Put a second look at some observations into a survey, and remember what was overcome.

    Args:
        survey: the first look.
        again: the second one, made of ``names`` and of what it could not do without.
        names: the observations that were made again.

    """
    fields = {name: getattr(again, name) for name in _FIELDS if name in names}
    if again.second_login is not None:
        fields["second_login"] = again.second_login
    kept = {name: entry for name, entry in survey.missing.items() if name not in names}
    renewed = {name: entry for name, entry in again.missing.items() if name in names}
    both = replace(
        survey,
        **fields,
        asked={**survey.asked, **again.asked},
        talks={**survey.talks, **again.talks},
        missing={**kept, **renewed},
    )
    overcome = Counter(_symptoms(survey)) - Counter(_symptoms(both))
    return replace(both, overcome=(*survey.overcome, *overcome.elements()))


def outlived(survey: Survey, control: str, lasted_s: float) -> Survey:
    """Note on every trouble that might have passed for how long it has not.

    Args:
        survey: what was observed, when nothing is left to wait for.
        control: what the control probe says.
        lasted_s: seconds.

    """

    def noted(symptom: Symptom) -> Symptom:
        return with_control(symptom, control, lasted_s) if passing(symptom) else symptom

    return with_symptoms(survey, noted)


def with_symptoms(value: _T, change: Callable[[Symptom], Symptom]) -> _T:
    """Return the same data with every symptom in it changed."""
    changed = _changed(value, change)
    if not isinstance(changed, type(value)):
        raise TypeError(f"{type(value)} became {type(changed)}")
    return changed


def _changed(value: object, change: Callable[[Symptom], Symptom]) -> object:
    if isinstance(value, Symptom):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_changed(inner, change) for inner in value)
    if isinstance(value, dict):
        return {key: _changed(inner, change) for key, inner in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: _changed(getattr(value, one.name), change) for one in fields(value)}
        return replace(value, **parts)
    return value


def _symptoms(survey: Survey) -> tuple[Symptom, ...]:
    exchanges = (exchange.symptom for exchange in survey.exchanges())
    transcripts = (transcript.symptom for transcript in survey.transcripts())
    return tuple(symptom for symptom in (*exchanges, *transcripts) if symptom)
