"""The birth–death chain of M/M/n+M carried through one interval, compiled.

With Q the generator of one interval and L its fastest total rate, the spectrum of X = I + Q/L lies
in [−1, 1], so that

    e^{tQ} = Σ c_k T_k(X),   c_k = (2 − δ_{k0}) e^{−z} I_k(z),   z = L·t

(Chebyshev polynomials, modified Bessel functions). The mean of the distribution over the interval
is the same series with coefficients ∫₀ᶻ e^{−u} I_k(u) du / z, whose second difference in k is
2·e^{−z} I_k(z).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ccanalytics.compiled import compiled

__all__ = ["MOST_CALLS", "advance"]

MOST_CALLS = 50_000  # states at most; what would go beyond stays in the last
_LONGEST = 400.0  # z of one step
_GROWN = 1e4  # a polynomial beyond this has lost too many digits: shorter steps then
_HELD = 1e-11  # chance below which a state at the top is let go


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
def advance(
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
    # A queue spreads with variance 2·rate·t at first, rate/own in the end, and above the agents
    # its chances fall by rate/(agents·service) from state to state, or faster.
    widest = 2 * rate * seconds
    if own > 0:
        widest = min(widest, rate / min(own, service))
    wide = 7 * math.sqrt(widest) + 14
    busy = rate / (agents * service) if agents > 0 else 1.0
    if 0.0 < busy < 1.0:
        wide = min(wide, -25 / math.log(busy))
    spread = max(spread, wide)
    size = int(min(max(held, agents, load, reach) + spread, MOST_CALLS)) + 1
    # With far more agents than calls nobody waits: states up to the agents would stand empty.
    ample = max(float(held), load)
    ample += 9 * math.sqrt(max(ample, 1.0)) + 20
    if agents > ample:
        size = min(size, int(ample) + 1)
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
