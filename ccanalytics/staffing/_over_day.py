"""Goals over the day: the fewest agent-hours with which all its calls together meet the goal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import DataError, UnsupportedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.staffing._seats import Rules

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["least_over_day"]

_SHARED_BASE = ("offered", "abandoned_in_time", "short_as_served", "virtual")


def least_over_day(rules: Rules, calls: Floats, per: Floats, aht: Floats, group: Whole) -> Whole:
    """Agents per interval with least agent-hours so that Σ calls·SL ≥ share·Σ calls in each group.

    One number of agents is chosen for each interval out of a range, by a mixed-integer program;
    the optimum is exact to the solver's gap of 1e-6.

    Raises
    ------
    UnsupportedError
        A counting whose base depends on the agents (shares of the answered): it does not add up
        over intervals.
    """
    if rules.goal.counting not in _SHARED_BASE:
        raise UnsupportedError(
            "over a day only shares of all offered calls add up",
            f"counting={rules.goal.counting!r}",
            "choose a counting of " + ", ".join(_SHARED_BASE[:-1]) + ", or a goal per interval",
        )
    agents = np.full(calls.size, rules.min_agents, np.int64)
    for each in np.unique(group):
        at = np.flatnonzero((group == each) & (calls > 0))
        if at.size:
            agents[at] = _one(rules, calls[at], per[at], aht[at])
    return agents


def _one(rules: Rules, calls: Floats, per: Floats, aht: Floats) -> Whole:
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    from ccanalytics.queueing import Queue

    alone = rules.agents_for(calls, per, aht)
    spread = np.ceil(2 * np.sqrt(alone) + 4).astype(np.int64)
    low = np.maximum(rules.bound_for(calls, per, aht), alone - spread)
    high = np.maximum(alone + spread, low)
    width = int((high - low).max()) + 1
    numbers = np.minimum(low[:, None] + np.arange(width), high[:, None])
    queue = Queue(calls=calls[:, None], per=per[:, None], aht=aht[:, None], patience=rules.patience)
    level = np.where(
        numbers > 0, queue.performance(np.maximum(numbers, 1)).service_level(rules.goal), 0.0
    )
    cost = (numbers * per[:, None] / 3600).reshape(-1)
    served = (level * calls[:, None]).reshape(-1)
    rows = np.repeat(np.arange(calls.size), width)
    one = sparse.csr_array((np.ones(rows.size), (rows, np.arange(rows.size))))
    wanted = rules.goal.share * calls.sum()
    found = milp(
        cost,
        constraints=[
            LinearConstraint(one, 1, 1),
            LinearConstraint(served[None, :], wanted * (1 - 1e-12), np.inf),
        ],
        integrality=np.ones(cost.size),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 1e-6, "time_limit": 60},
    )
    if found.x is None:
        raise DataError(
            "no plan within reach meets the goal over the day", f"goal {rules.goal.describe()}"
        )
    chosen = found.x.reshape(calls.size, width).argmax(axis=1)
    return np.asarray(numbers[np.arange(calls.size), chosen])
