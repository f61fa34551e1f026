"""Everything that is asked of a queue, as one score that is at most 0 where all of it is met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.queueing.door import real
from ccanalytics.servicelevel import ServiceLevel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.flow import Flow
    from ccanalytics.queueing.steady import Steady

__all__ = ["FOREVER", "Goals", "asked", "levels", "meets", "wavers"]

_SLACK = 1e-12  # a goal met to twelve digits is met: floats cannot hold 0.7 = 1 − 0.3 exactly
_BEST = -700.0
FOREVER = 1e20  # seconds beyond which nobody waits


def asked(
    goal: ServiceLevel | None,
    max_occupancy: Any,
    max_abandonment: Any,
    max_asa: Any,
    max_blocking: Any,
    *,
    lines: bool,
    patient: bool,
) -> dict[str, Array]:
    """The limits that were given, checked; refuses what nothing can reach."""
    if goal is not None and not isinstance(goal, ServiceLevel):
        raise InputError(
            "the goal must be a ServiceLevel",
            f"goal={goal!r}",
            "write ServiceLevel(0.80, within=20) for 80% within 20 s",
        )
    hint = {
        "occupancy": "no finite number of agents is never busy; give a share such as 0.85",
        "abandonment": "some callers always give up; allow a small share such as 0.01",
        "asa": "some callers always wait; allow a second or so",
        "blocking": "some calls always find all lines taken; allow a small share such as 0.001",
    }
    limits = {}
    for name, value in (
        ("occupancy", max_occupancy),
        ("abandonment", max_abandonment),
        ("asa", max_asa),
        ("blocking", max_blocking),
    ):
        if value is None:
            continue
        array = real(f"max_{name}", value, least=0, most=None if name == "asa" else 1)
        if (array == 0).any():
            real(f"max_{name}", value, above=0, remedy=hint[name])
        limits[f"max_{name}"] = array
    if goal is None and not limits:
        raise InputError(
            "nothing is asked for", "goal=None", "give a ServiceLevel or one of the max_ limits"
        )
    if "max_blocking" in limits and not lines:
        raise InputError(
            "endless lines block nobody", "max_blocking with lines=None", "give lines to Queue"
        )
    if "max_abandonment" in limits and patient:
        raise InputError(
            "callers of endless patience never give up",
            "max_abandonment with patience=None",
            "give patience to Queue",
        )
    if goal is not None and goal.share == 1 and (not lines or goal.include_blocked):
        raise InputError(
            "no finite number of agents serves every call in time, because calls come at random",
            "share=1",
            "ask for a share below 1, such as 0.99",
        )
    return limits


def levels(steady: Steady, goal: ServiceLevel) -> Array:
    """Service level on flat arrays; ``nan`` where no call counts."""
    within, short = min(goal.within, FOREVER), min(goal.short, FOREVER)
    if goal.counting == "virtual":
        level = steady.virtual_within(within)
        return level * (1 - steady.blocked) if goal.include_blocked else level
    abandoned_within: Any = 0
    abandoned_short: Any = 0
    if goal.counting in ("abandoned_in_time", "late_abandoned"):
        abandoned_within = steady.abandoned_within(within)
    if goal.counting.startswith("short_"):
        abandoned_short = steady.abandoned_within(short)
    return np.asarray(
        goal.observed(
            answered=steady.answered,
            # A part may exceed its whole in the last digit.
            answered_within=np.minimum(steady.answered_within(within), steady.answered),
            abandoned=steady.abandoned,
            abandoned_within=np.minimum(abandoned_within, steady.abandoned),
            abandoned_short=np.minimum(abandoned_short, steady.abandoned),
            blocked=steady.blocked,
        )
    )


def meets(level: Array, share: float) -> NDArray[np.bool_]:
    """Whether a service level meets its goal, ties in twelve digits included."""
    return level >= share - _SLACK * min(share, 1 - share)


def wavers(goal: ServiceLevel) -> bool:
    """Whether the level may fall with more agents: who left before ``short``, which comes after
    ``within``, is credited, who is answered then is not.
    """
    return goal.counting == "short_as_served" and goal.short > goal.within


@dataclass(frozen=True, eq=False)
class Goals:
    """A service level and upper limits (``max_…``), the limits flat arrays."""

    level: ServiceLevel | None
    limits: dict[str, Array]

    @property
    def block(self) -> bool:
        """Whether anything is asked about blocked calls."""
        asked_for = self.level is not None and self.level.include_blocked
        return asked_for or "max_blocking" in self.limits

    def score(self, flow: Flow, agents: Array, which: NDArray[np.intp]) -> Array:
        """How far from the goals, on a scale that is nearly straight in the number of agents."""
        steady, factor = flow.steady(agents)
        worst = np.full(agents.size, _BEST)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.level is not None:
                share = self.level.share
                level = levels(steady, self.level)
                met = meets(level, share)
                odds = level / np.maximum(1 - level, 0)
                wanted = np.log(share / (1 - share)) if share < 1 else np.inf
                worst = np.maximum(worst, _signed(wanted - np.log(odds), met))
            for name, limit in self.limits.items():
                value, most = _measure(name, flow, steady, agents, factor), limit[which]
                met = value <= most * (1 + _SLACK)
                worst = np.maximum(worst, _signed(np.log(value / most), met))
        return worst


def _measure(name: str, flow: Flow, steady: Steady, agents: Array, factor: Array) -> Array:
    if name == "max_occupancy":
        return np.minimum(flow.load * factor * steady.answered / agents, 1.0)
    if name == "max_abandonment":
        return steady.abandoned
    if name == "max_asa":
        return steady.answered_wait()
    return steady.blocked


def _signed(score: Array, met: NDArray[np.bool_]) -> Array:
    """The score with the sign that the exact comparison gave; undefined is not met."""
    score = np.where(np.isnan(score), np.where(met, _BEST, np.inf), score)
    return np.where(met, np.clip(score, _BEST, 0.0), np.maximum(score, 1e-300))
