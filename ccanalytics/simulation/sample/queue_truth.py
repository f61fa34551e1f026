"""What the people's causes do to waiting: the queue run again without each, staff held fixed."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.learning import ALL_CAUSES
from ccanalytics.simulation.sample.luck import stream
from ccanalytics.simulation.sample.pool import Requests, serve
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.floor import Floor
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people import Crew
    from ccanalytics.simulation.sample.pool import Attempts
    from ccanalytics.simulation.sample.programme import Programme

__all__ = ["WORLDS", "queue_truth"]

WORLDS = {
    "log": ALL_CAUSES,
    **{f"without_{cause}": ALL_CAUSES - {cause} for cause in sorted(ALL_CAUSES)},
    "none": frozenset(),
}
_MOST = 400_000  # requests: without a compiler each run of so many takes seconds


def queue_truth(
    parameters: CentreParameters,
    requests: Requests,
    floor: Floor,
    crew: Crew,
    programme: Programme,
    span_s: int,
    seed: int,
) -> dict[str, dict[str, float | dict[str, float]]]:
    """Waiting in each world over the log's last days, and the effect of each cause.

    The same requests with the same luck meet the same staff; only how long the staff take differs.
    """
    days = span_s // DAY_S
    from_day = 0
    if requests.entry.size > _MOST:
        from_day = int(requests.entry[-_MOST]) // DAY_S + 1
    # Redials of the day before are part of the first day.
    first = int(np.searchsorted(requests.entry, (from_day - 1) * DAY_S))
    some = Requests(
        **{each.name: getattr(requests, each.name)[first:] for each in fields(Requests)}
    )
    if from_day >= days or not some.entry.size:
        return {}
    by_day = {}
    for name, causes in WORLDS.items():
        there = floor.paced(parameters, crew, programme, causes)
        # The pool's own stream from its beginning: the same luck in every world.
        attempts = serve(parameters, some, there, span_s, stream(seed, "pool"))
        by_day[name] = _daily(parameters, attempts, from_day, days)
    told: dict[str, dict[str, float | dict[str, float]]] = {}
    for name, daily in by_day.items():
        offered = daily["offered"].sum()
        told[name] = {
            "days": days - from_day,
            "offered": int(offered),
            **{each: float(daily[each].sum() / offered) for each in _SHARES},
        }
        if name != "log":
            told[name]["effect"] = _effects(by_day["log"], daily)
    return told


_SHARES = ("abandoned_share", "in_time_share", "mean_wait_s")


def _daily(
    parameters: CentreParameters, attempts: Attempts, from_day: int, days: int
) -> dict[str, NDArray[np.float64]]:
    day = attempts.entry // DAY_S
    kept = (day >= from_day) & (day < days)
    answered = attempts.shift[kept] >= 0
    wait = attempts.wait_s[kept]

    def count(weight: NDArray[np.generic] | None = None) -> NDArray[np.float64]:
        sums = np.bincount(day[kept] - from_day, weight, minlength=days - from_day)
        return np.asarray(sums, float)

    return {
        "offered": count(),
        "abandoned_share": count(~answered),
        "in_time_share": count(answered & (wait <= parameters.goal_within_s)),
        "mean_wait_s": count(wait),
    }


def _effects(
    log: dict[str, NDArray[np.float64]], without: dict[str, NDArray[np.float64]]
) -> dict[str, float]:
    """The log less the world without, and the standard error from the spread of days."""
    effects = {}
    for each in _SHARES:
        shares = [values[each].sum() / values["offered"].sum() for values in (log, without)]
        effects[each] = float(shares[0] - shares[1])
        # Residuals of a ratio: each day against the whole.
        rests = [
            (values[each] - share * values["offered"]) / values["offered"].mean()
            for values, share in zip((log, without), shares, strict=True)
        ]
        spread = rests[0] - rests[1]
        error = float(spread.std(ddof=1) / np.sqrt(spread.size)) if spread.size > 1 else 0.0
        effects[f"{each}_error"] = error
    return effects
