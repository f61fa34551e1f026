"""Days in motion, for planning: M(t)/M/n(t)+M carried from interval to interval, compiled.

:func:`ccanalytics.queueing.transient` answers one day to ten digits. A planner asks thousands of
times what an interval would be with one agent more; here that takes some microseconds, to about
1e-8, because staff is taken to stay as it is from a caller's arrival on.

With Q the generator of one interval and L its fastest total rate, the spectrum of X = I + Q/L lies
in [−1, 1], so that

    e^{tQ} = Σ c_k T_k(X),   c_k = (2 − δ_{k0}) e^{−z} I_k(z),   z = L·t

(Chebyshev polynomials, modified Bessel functions). The mean of the distribution over the interval
is the same series with coefficients ∫₀ᶻ e^{−u} I_k(u) du / z, whose second difference in k is
2·e^{−z} I_k(z).

A caller with j calls ahead in the queue has the virtual wait V = Σ Exp(nμ + iθ), i = 0 … j, and
e^{−θV} is of the law Beta(nμ/θ, j + 1), which gives every share in time in closed form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.compiled import compiled

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
_LONGEST = 400.0
_GROWN = 1e4
_HELD = 1e-11
_SLACK = 1e-12
_FOREVER = 1e9
MOST_CALLS = 50_000
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
    end, mean = _advance(np.ascontiguousarray(p, float), rate, agents, service, own, seconds)
    return np.asarray(end), np.asarray(mean)


def _arrays(*values: Any) -> tuple[Floats, ...]:
    return tuple(np.ascontiguousarray(value, dtype=np.float64) for value in values)


@compiled
def _coefficients(z: float, size: int) -> tuple[Any, Any]:
    """Of e^{−z}·e^{zx} and of its mean over 0 … z, by Miller's backward recurrence."""
    top = size + 30
    bessel = np.zeros(top + 2)
    bessel[top] = 1e-280
    total = 0.0
    for k in range(top, 0, -1):
        bessel[k - 1] = bessel[k + 1] + 2 * k / z * bessel[k]
        if bessel[k - 1] > 1e200:
            bessel[k - 1 :] *= 1e-250
    total = bessel[0]
    for k in range(1, top + 1):
        total += 2 * bessel[k]
    bessel /= total
    ends, means = np.empty(size), np.empty(size)
    above, area = 0.0, 0.0
    for k in range(top, -1, -1):
        # Here ``above`` is Σ of the terms after k, and ``area`` A_k.
        area += 2 * above
        if k < size:
            factor = 1.0 if k == 0 else 2.0
            ends[k] = factor * bessel[k]
            means[k] = factor * area / z
        above += bessel[k]
    return ends, means


@compiled
def _advance(
    p: Any, rate: float, agents: int, service: float, own: float, seconds: float
) -> tuple[Any, Any]:
    """End and mean of an interval, on as many states as it needs."""
    held = len(p)
    while held > 1 and p[held - 1] < _HELD:
        held -= 1
    load = rate / service
    drift = (rate - agents * service) * seconds
    if own > 0:
        reach = agents + max(rate - agents * service, 0.0) / own
        reach = min(max(reach, load), max(held, agents) + rate * seconds)
    else:
        reach = max(held, agents) + max(drift, 0.0)
    spread = 7 * math.sqrt(max(min(load, rate * seconds) + max(reach - load, 0.0), 1.0)) + 14
    size = int(min(max(held, agents, load, reach) + spread, MOST_CALLS)) + 1
    first = np.zeros(size)
    kept = min(size, len(p))
    first[:kept] = p[:kept]
    up = rate
    down = np.empty(size)
    fastest = 0.0
    for k in range(size):
        down[k] = min(k, agents) * service + max(k - agents, 0) * own
        total = down[k] + (up if k < size - 1 else 0.0)
        fastest = max(fastest, total)
    if fastest == 0.0:
        return first, first.copy()
    parts = 1 + int(fastest * seconds / _LONGEST)
    while True:
        z = fastest * seconds / parts
        ends, means = _coefficients(z, int(math.sqrt(40 * z)) + 12)
        ok, end, mean = _through(first, up / fastest, down / fastest, ends, means, parts)
        if ok:
            return end, mean
        parts *= 2


@compiled
def _through(
    p: Any, up: float, down: Any, ends: Any, means: Any, parts: int
) -> tuple[bool, Any, Any]:
    """``parts`` steps of the series; False where its polynomials outgrow the digits.

    X·p of the birth–death chain is stay·p[k] + up·p[k − 1] + down[k + 1]·p[k + 1]; births of the
    last state are lost to it. A zero at either end of every array keeps the loops free of cases.
    """
    size = len(p)
    stay, come = np.zeros(size + 2), np.zeros(size + 2)
    for k in range(size):
        come[k] = down[k]
        stay[k + 1] = 1 - down[k] - (up if k < size - 1 else 0.0)
    # come[k + 1] is the rate into state k from above, in places moved by one.
    for k in range(size):
        come[k] = come[k + 1]
    come[size] = 0.0
    now, before, after = np.zeros(size + 2), np.zeros(size + 2), np.zeros(size + 2)
    end, middle, mean = np.zeros(size + 2), np.zeros(size + 2), np.zeros(size)
    now[1 : size + 1] = p
    for _ in range(parts):
        for k in range(1, size + 1):
            before[k] = now[k]
        for k in range(1, size + 1):
            value = stay[k] * before[k] + up * before[k - 1] + come[k - 1] * before[k + 1]
            now[k] = value
            end[k] = ends[0] * before[k] + ends[1] * value
            middle[k] = means[0] * before[k] + means[1] * value
        for term in range(2, len(ends)):
            c, m = ends[term], means[term]
            for k in range(1, size + 1):
                value = stay[k] * now[k] + up * now[k - 1] + come[k - 1] * now[k + 1]
                value = 2 * value - before[k]
                after[k] = value
                end[k] += c * value
                middle[k] += m * value
            before, now, after = now, after, before
            if term % 16 == 0 and np.abs(now).max() > _GROWN:
                return False, p, mean
        total = 0.0
        for k in range(1, size + 1):
            end[k] = max(end[k], 0.0)
            total += end[k]
        for k in range(1, size + 1):
            now[k] = end[k] / total
            mean[k - 1] += middle[k] / parts
    for k in range(size):
        mean[k] = max(mean[k], 0.0)
    return True, now[1 : size + 1].copy(), mean


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
            end, mean = _advance(p, rate, n, service, own, per[i])
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
                end, mean = _advance(p, rate, n, service, own, per[i])
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
