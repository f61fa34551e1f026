"""What each channel removed of all that was offered, redials included: the queue run again.

Fewer calls mean less waiting, fewer abandoned calls and so fewer redials: what is offered falls by
more than what is wanted. Each world without a cause meets the same staff with the same luck; staff
are held as they were, since nobody would have planned for a channel that is not there.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.luck import stream
from ccanalytics.simulation.sample.pool import FOLLOW_UP, REDIAL, Requests, serve
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.floor import Floor
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.pool import Attempts

__all__ = ["OFFERED_MEANINGS", "REQUESTED", "first_day", "offered_truth", "tail_of"]

# The cause whose absence each counted world shows.
REQUESTED = {
    "web_only": "sms_before_call",
    "sms_only": "web",
    "without_reminders": "reminders",
    "neither": "sms_before_call_and_web",
}
_MOST = 400_000  # requests: without a compiler each run of so many takes seconds

OFFERED_MEANINGS: dict[str, str] = {
    "offered": "the queue run again without each cause over the log's last days, the same staff "
    "and the same luck: attempts offered (first requests, redials and follow-up calls), answered, "
    "abandoned, agents' seconds, and waiting; removed is that world less the log, …_error its "
    "standard error from the spread of days",
}


def first_day(needs: int, days: int) -> int:
    """The first of the last days that hold about as many requests as are affordable."""
    return max(0, days - max(1, int(_MOST * days / max(needs, 1))))


def tail_of(requests: Requests, day: int) -> Requests:
    """The requests from the day before, whose redials are part of the first day.

    A copy, so that the others can be let go.
    """
    first = int(np.searchsorted(requests.entry, (day - 1) * DAY_S))
    return Requests(
        **{each.name: getattr(requests, each.name)[first:].copy() for each in fields(Requests)}
    )


def offered_truth(
    parameters: CentreParameters,
    log: Requests,
    without: dict[str, Requests],
    floor: Floor,
    days: int,
    from_day: int,
    seed: int,
) -> dict[str, object]:
    """The ``offered`` part of ``truth.json``; ``log`` and ``without`` are tails of requests."""
    if not log.entry.size:
        return {}

    def run(requests: Requests) -> dict[str, NDArray[np.float64]]:
        # The pool's own stream from its beginning: the same luck in every world.
        attempts = serve(parameters, requests, floor, days * DAY_S, stream(seed, "pool"))
        return _daily(parameters, attempts, from_day, days)

    here = run(log)
    unaided = replace(log, saved_s=np.zeros_like(log.saved_s))
    worlds = {"sms_during_call": run(unaided)}
    worlds |= {cause: run(requests) for cause, requests in without.items()}
    return {
        "days": days - from_day,
        "log": _totals(here),
        "removed": {cause: _removed(there, here) for cause, there in worlds.items()},
        **{f"without_{cause}": _totals(there) for cause, there in worlds.items()},
    }


def _daily(
    parameters: CentreParameters, attempts: Attempts, from_day: int, days: int
) -> dict[str, NDArray[np.float64]]:
    day = attempts.entry // DAY_S
    kept = np.flatnonzero((day >= from_day) & (day < days))
    day, kind = day[kept] - from_day, attempts.kind[kept]
    answered, wait = attempts.shift[kept] >= 0, attempts.wait_s[kept]

    def count(weight: NDArray[np.generic] | None = None) -> NDArray[np.float64]:
        return np.bincount(day, weight, minlength=days - from_day).astype(float)

    return {
        "offered": count(),
        "answered": count(answered),
        "abandoned": count(~answered),
        "redials": count(kind & REDIAL > 0),
        "follow_up_calls": count(kind == FOLLOW_UP),
        "agent_s": count(np.where(answered, attempts.handle_s[kept], 0)),
        "wait_s": count(wait),
        "in_time": count(answered & (wait <= parameters.goal_within_s)),
    }


def _totals(daily: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    totals = {name: float(each.sum()) for name, each in daily.items()}
    offered = max(totals["offered"], 1.0)
    totals["abandoned_share"] = totals["abandoned"] / offered
    totals["in_time_share"] = totals["in_time"] / offered
    totals["mean_wait_s"] = totals["wait_s"] / offered
    return totals


def _removed(
    there: dict[str, NDArray[np.float64]], here: dict[str, NDArray[np.float64]]
) -> dict[str, float]:
    removed = {}
    for name in ("offered", "answered", "redials", "agent_s"):
        gone = there[name] - here[name]
        base = max(float(there[name].sum()), 1.0)
        removed[name] = float(gone.sum())
        removed[f"{name}_share"] = float(gone.sum() / base)
        spread = float(gone.std(ddof=1)) if gone.size > 1 else 0.0
        removed[f"{name}_error"] = spread * gone.size**0.5
    return removed
