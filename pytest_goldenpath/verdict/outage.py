"""One outage, one wait (design 3): what a run has waited for, and what it may still wait for.

A run has a budget of recoveries, not each of its tests: whoever meets trouble on the road opens an
outage, and whoever meets the same one goes on from the same recovery. So an outage costs the time
that it lasts, and a target that is gone costs the budget once, whatever the number of tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum, auto
from typing import Any

from pytest_goldenpath.contract.symptom import Kind, Symptom, with_control

#: When the target looks well all the same, the first pause and its growth: 1, 4, 16 s.
_FIRST_PAUSE_S, _GROWTH = 1.0, 4.0


class Move(Enum):
    """What whoever met trouble does next."""

    GO_ON = auto()
    WAIT = auto()
    GIVE_UP = auto()


@dataclass(frozen=True, slots=True)
class Patience:
    """How much a run may wait for.

    Attributes:
        recoveries: how many times a target that is away may be waited for.
        delay_s: seconds that each wait may take.
    """

    recoveries: int = 3
    delay_s: float = 30.0

    @property
    def total_s(self) -> float:
        """Seconds that all waits of a run may take together."""
        return self.recoveries * self.delay_s


@dataclass(frozen=True, slots=True)
class Outages:
    """What a run has waited for so far; plain fields, for another process of the run.

    Attributes:
        recoveries: how many times the target was away and waited for.
        blips: how many times trouble was met although the target looked well.
        waited_s: seconds that all waits took.
        back_at_s: when the last wait ended, on the machine's monotonic clock; 0 before the first.
        since_s: when the trouble was met that has lasted ever since, on the same clock.
        gone: the last wait was in vain, and none is left.
        symptom: the trouble that the last wait began with; when the target is gone, with the
            control probe's word and the seconds for which it has lasted.
    """

    recoveries: int = 0
    blips: int = 0
    waited_s: float = 0.0
    back_at_s: float = 0.0
    since_s: float | None = None
    gone: bool = False
    symptom: Symptom | None = None

    def move(self, met_at_s: float, patience: Patience) -> Move:
        """Say what to do about trouble that was met at this time, on the same clock."""
        if self.gone:
            return Move.GIVE_UP
        if self.back_at_s > met_at_s:
            return Move.GO_ON
        spent = self.recoveries >= patience.recoveries or self.waited_s >= patience.total_s
        return Move.GIVE_UP if spent else Move.WAIT

    @property
    def lasted_s(self) -> float:
        """Seconds for which the trouble of a target that is gone had lasted in the end."""
        return self.symptom.outlived_s if self.gone and self.symptom else 0.0

    def waited(
        self,
        symptom: Symptom,
        took_s: float,
        *,
        met_at_s: float,
        now_s: float,
        back: bool,
        seen: bool,
        patience: Patience,
    ) -> Outages:
        """Return what is known after one more recovery was waited for.

        Args:
            symptom: the trouble.
            took_s: seconds that the wait took.
            met_at_s: when the trouble was met, on the clock of ``back_at_s``.
            now_s: the time, on the clock of ``back_at_s``.
            back: whether the target answers again.
            seen: whether it was seen to be away.
            patience: the run's budget.

        """
        waited_s = self.waited_s + took_s
        since_s = met_at_s if self.since_s is None else self.since_s
        spent = self.recoveries + seen >= patience.recoveries or waited_s >= patience.total_s
        return replace(
            self,
            recoveries=self.recoveries + seen,
            blips=self.blips + (not seen),
            waited_s=waited_s,
            back_at_s=now_s,
            since_s=None if back else since_s,
            gone=not back and spent,
            symptom=with_control(symptom, "", 0.0 if back else now_s - since_s),
        )

    def document(self) -> dict[str, Any]:
        """Return the waits as they stand in ``verdict.json``."""
        return {
            "recoveries": self.recoveries,
            "blips": self.blips,
            "waited_s": round(self.waited_s, 3),
            "gone": self.gone,
            "cause": self.symptom.sentence() if self.symptom else "",
        }

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain data, for :func:`from_plain` in another process."""
        return asdict(self)


def pause_s(again: int, limit_s: float, asked_s: float | None) -> float:
    """Return how long to wait at least, although the target looks well.

    Trouble that no health answer shows has to pass by itself; a target that names a time
    (Retry-After) knows best.

    Args:
        again: how often the same thing was tried in vain, from 1 on.
        limit_s: the longest wait.
        asked_s: seconds that the target asked for, None when it did not.

    """
    wanted_s = _FIRST_PAUSE_S * _GROWTH ** (again - 1) if asked_s is None else asked_s
    return min(limit_s, wanted_s)


def from_plain(plain: Mapping[str, Any]) -> Outages:
    """Read what :meth:`Outages.plain` wrote, also after a way through JSON."""
    symptom = plain["symptom"]
    known = Symptom(**{**symptom, "kind": Kind(symptom["kind"])}) if symptom else None
    return Outages(**{**plain, "symptom": known})
