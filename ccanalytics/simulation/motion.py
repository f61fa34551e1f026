"""Days in motion, for planning: M(t)/M/n(t)+M carried from interval to interval, compiled.

:func:`ccanalytics.queueing.transient` answers one day to ten digits. A planner asks thousands of
times what an interval would be with one agent more; here that takes some microseconds, to about
1e-8, because staff is taken to stay as it is from a caller's arrival on.

A caller with j calls ahead in the queue has the virtual wait V = Σ Exp(nμ + iθ), i = 0 … j, and
e^{−θV} is of the law Beta(nμ/θ, j + 1), which gives every share in time in closed form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.compiled import compiled
from ccanalytics.simulation.chain import advance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.servicelevel import ServiceLevel

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["MEASURES", "Asked", "carried", "least_agents", "met_by"]

# What is told of an interval: of its arrivals, and over its time (occupancy).
MEASURES = ("service_level", "wait_probability", "asa", "abandonment", "occupancy")
_LEVEL, _WAIT, _ASA, _GAVE_UP, _BUSY = range(5)
_COUNTINGS = (
    "offered",
    "answered",
    "abandoned_in_time",
    "late_abandoned",
    "short_as_served",
    "short_excluded",
    "virtual",
)
_OFFERED, _ANSWERED, _IN_TIME, _LATE, _SERVED, _EXCLUDED, _VIRTUAL = range(7)
_SLACK = 1e-12
_FOREVER = 1e9
_MOST_AGENTS = 1_000_000


@dataclass(frozen=True)
class Asked:
    """A goal and bounds as numbers."""

    share: float
    counting: int
    within: float
    short: float
    max_occupancy: float
    max_abandonment: float
    min_agents: int

    @classmethod
    def of(
        cls,
        goal: ServiceLevel,
        max_occupancy: float | None = None,
        max_abandonment: float | None = None,
        min_agents: int = 0,
    ) -> Asked:
        """Of a goal, with bounds that may be left out."""
        return cls(
            goal.share,
            _COUNTINGS.index(goal.counting),
            min(goal.within, _FOREVER),
            min(goal.short, _FOREVER),
            2.0 if max_occupancy is None else float(max_occupancy),
            2.0 if max_abandonment is None else float(max_abandonment),
            int(min_agents),
        )

    def numbers(self) -> tuple[float, int, float, float, float, float, int]:
        """In the order in which the compiled functions take them."""
        return (
            self.share,
            self.counting,
            self.within,
            self.short,
            self.max_occupancy,
            self.max_abandonment,
            self.min_agents,
        )


def met_by(
    calls: Floats, per: Floats, aht: Floats, patience: float | None, agents: Whole, asked: Asked
) -> Floats:
    """What every interval's calls meet with these agents: intervals × ``MEASURES``.

    The first interval begins with the calls that endless agents would hold if it had lasted.
    Arrays of one length; seconds. ``nan`` where nothing is defined.
    """
    out = np.full((calls.size, len(MEASURES)), np.nan)
    _course(
        *_arrays(calls, per, aht),
        0.0 if patience is None else 1 / patience,
        np.array(agents, np.int64),
        False,
        *asked.numbers(),
        out,
    )
    return out


def least_agents(
    calls: Floats, per: Floats, aht: Floats, patience: float | None, guess: Whole, asked: Asked
) -> tuple[Whole, Floats]:
    """Least agents, each interval given the queue that the ones before leave, and what they meet.

    ``guess`` is where the search of each interval begins. −1 where no number would do.
    """
    out = np.full((calls.size, len(MEASURES)), np.nan)
    agents = np.array(guess, np.int64)
    _course(
        *_arrays(calls, per, aht),
        0.0 if patience is None else 1 / patience,
        agents,
        True,
        *asked.numbers(),
        out,
    )
    return agents, out


def carried(
    p: Floats, rate: float, agents: int, service: float, own: float, seconds: float
) -> tuple[Floats, Floats]:
    """The chances of 0, 1, 2 … calls at an interval's end, and their mean over it.

    ``rate`` calls a second, ``service`` and ``own`` the rates at which an agent ends a call and a
    caller loses patience.
    """
    end, mean = advance(np.ascontiguousarray(p, float), rate, agents, service, own, seconds)
    return np.asarray(end), np.asarray(mean)


def _arrays(*values: Any) -> tuple[Floats, ...]:
    return tuple(np.ascontiguousarray(value, dtype=np.float64) for value in values)


@compiled
def _meet(  # noqa: PLR0915 - one pass, so that it compiles to one
    found: Any,
    agents: int,
    service: float,
    own: float,
    counting: int,
    within: float,
    short: float,
    out: Any,
) -> None:
    """Fill ``out`` with the measures of calls that find so many in the system."""
    rate = agents * service
    at_once, busy = 0.0, 0.0
    for k in range(len(found)):
        if k < agents:
            at_once += found[k]
            busy += k * found[k]
        else:
            busy += agents * found[k]
    answered, in_time, virtual, still, still_short, wait, waited = (
        at_once,
        at_once,
        at_once,
        0.0,
        0.0,
        0.0,
        0.0,
    )
    queued = 0.0
    kept, kept_short = math.exp(-own * within), math.exp(-own * short)
    # P(V > t) = Σ of terms for i ≤ j; with ``extra`` the caller's own patience is among the rates.
    x, x_short = -math.expm1(-own * within), -math.expm1(-own * short)
    term = math.exp(-rate * within)
    term_own = math.exp(-(rate + own) * within)
    term_short = math.exp(-rate * short)
    longer, longer_own, longer_short = term, term_own, term_short
    for k in range(agents, len(found)):
        j = k - agents
        if j > 0:
            if own > 0:
                c = rate / own
                term *= x * (c + j - 1) / j
                term_own *= x * (c + j) / j
                term_short *= x_short * (c + j - 1) / j
            else:
                term *= rate * within / j
                term_own = term
                term_short *= rate * short / j
            longer = min(longer + term, 1.0)
            longer_own = min(longer_own + term_own, 1.0)
            longer_short = min(longer_short + term_short, 1.0)
        met = found[k]
        queued += met
        leaving = rate + (j + 1) * own
        if leaving > 0:
            wait += 1 / leaving
        share = rate / leaving if rate > 0 else 0.0
        answered += met * share
        waited += met * share * wait
        in_time += met * share * (1 - longer_own)
        virtual += met * (1 - longer)
        still += met * kept * longer
        still_short += met * kept_short * longer_short
    whole = at_once + queued
    abandoned = max(whole - answered, 0.0)
    gone = min(max(whole - in_time - still, 0.0), abandoned)
    in_short = at_once
    if counting in (_SERVED, _EXCLUDED):
        # Those answered within the short threshold, to tell who had left by then.
        term = math.exp(-(rate + own) * short)
        longer = term
        for k in range(agents, len(found)):
            j = k - agents
            if j > 0:
                if own > 0:
                    term *= x_short * (rate / own + j) / j
                else:
                    term *= rate * short / j
                longer = min(longer + term, 1.0)
            leaving = rate + (j + 1) * own
            in_short += found[k] * (rate / leaving if rate > 0 else 0.0) * (1 - longer)
    gone_short = min(max(whole - in_short - still_short, 0.0), abandoned)
    in_time = min(in_time, answered)
    if counting == _OFFERED:
        level = in_time / (answered + abandoned)
    elif counting == _ANSWERED:
        level = in_time / answered if answered > 0 else math.nan
    elif counting == _IN_TIME:
        level = (in_time + gone) / (answered + abandoned)
    elif counting == _LATE:
        base = answered + abandoned - gone
        level = in_time / base if base > 0 else math.nan
    elif counting == _SERVED:
        level = (in_time + gone_short) / (answered + abandoned)
    elif counting == _EXCLUDED:
        base = answered + abandoned - gone_short
        level = in_time / base if base > 0 else math.nan
    else:
        level = virtual / whole
    out[_LEVEL] = level
    out[_WAIT] = queued / whole
    out[_ASA] = waited / answered if answered > 0 else math.nan
    out[_GAVE_UP] = abandoned / whole
    out[_BUSY] = busy / agents if agents > 0 else math.nan


@compiled
def _course(
    calls: Any,
    per: Any,
    aht: Any,
    own: float,
    agents: Any,
    search: bool,
    share: float,
    counting: int,
    within: float,
    short: float,
    max_occupancy: float,
    max_abandonment: float,
    min_agents: int,
    out: Any,
) -> None:
    """The day from its first interval to its last; with ``search`` the agents are found."""
    load = calls[0] * aht[0] / per[0]
    size = int(load + 8 * math.sqrt(load) + 20)
    p = np.empty(size)
    p[0] = math.exp(-load)
    if p[0] > 0:
        for k in range(1, size):
            p[k] = p[k - 1] * load / k
    else:
        for k in range(size):
            p[k] = math.exp(k * math.log(load) - load - math.lgamma(k + 1.0))
    p /= p.sum()
    row = np.empty(5)
    for i in range(len(calls)):
        rate, service = calls[i] / per[i], 1 / aht[i]
        n = agents[i]
        if not search or rate == 0:
            n = max(n, 0) if not search else min_agents
            end, mean = advance(p, rate, n, service, own, per[i])
            _meet(mean, n, service, own, counting, within, short, row)
            p = end
            agents[i] = n
            out[i] = row
            continue
        # The greatest number that is known to fail, and the smallest that is known to do.
        fails, does = min_agents - 1, -1
        n = max(n, min_agents)
        stride = 1
        best, best_row = p, row.copy()
        while does - fails != 1:
            good = False
            if n > 0:
                end, mean = advance(p, rate, n, service, own, per[i])
                _meet(mean, n, service, own, counting, within, short, row)
                good = (
                    row[_LEVEL] >= share - _SLACK * min(share, 1 - share)
                    and row[_BUSY] <= max_occupancy * (1 + _SLACK)
                    and row[_GAVE_UP] <= max_abandonment * (1 + _SLACK)
                )
            if good:
                does, best, best_row = n, end, row.copy()
                n = max(fails + 1, n - 1) if does - fails < 5 else (does + fails) // 2
            else:
                fails = max(fails, n)
                if does < 0:
                    n += stride
                    stride *= 2
                    if n > _MOST_AGENTS:
                        break
                else:
                    n = does - 1 if does - fails < 5 else (does + fails) // 2
        agents[i] = does
        p = best
        out[i] = best_row
