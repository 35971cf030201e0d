"""What of a survey broke off because of the road, and how a second look takes its place; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import Symptom

#: Whose trouble may pass by waiting. A broken promise never does, nor does a wrong set-up.
_PASSING = frozenset({Attribution.INFRASTRUCTURE, Attribution.CAPACITY, Attribution.UPSTREAM})
#: What nobody can be asked for without.
_LOGIN = "login"
#: Observations that read what another one left behind, so that both are made again.
_TOGETHER = (frozenset({"journey", "kept", "again"}), frozenset({"auth_health", "readiness"}))
#: Fields of a survey that one observation fills; the others are kept by name.
_FIELDS = ("health", "auth_health", "readiness", "login", "carriers", "strangers", "journey",
           "second_login", "context")  # fmt: skip


def passing(symptom: Symptom | None) -> bool:
    """Tell whether trouble may pass by waiting."""
    return symptom is not None and attribute(symptom).attribution in _PASSING


def broken_off(survey: Survey, wanted: Collection[str]) -> frozenset[str]:
    """Return the wanted observations that are worth a second look once the road is back."""
    missing = survey.missing
    login_is_off = _LOGIN in missing and passing(missing[_LOGIN].symptom)

    def is_off(entry: Missing) -> bool:
        blocked = login_is_off and not entry.skipped and bool(entry.blocked_by)
        return passing(entry.symptom) or blocked

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


def _symptoms(survey: Survey) -> tuple[Symptom, ...]:
    exchanges = (exchange.symptom for exchange in survey.exchanges())
    transcripts = (transcript.symptom for transcript in survey.transcripts())
    return tuple(symptom for symptom in (*exchanges, *transcripts) if symptom)
