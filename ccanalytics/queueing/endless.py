"""Endless lines: patient callers (Erlang C) and callers of exponential patience (Erlang A)."""

from __future__ import annotations

import numpy as np

from ccanalytics.queueing.door import Array
from ccanalytics.queueing.general import Kind, VirtualWait
from ccanalytics.queueing.patience import Exponential, bend
from ccanalytics.queueing.ratios import below, poisson, states_below, sums

__all__ = ["ErlangA", "ErlangC"]


class ErlangC:
    """M/M/n: everybody waits until answered.

    With no more agents than erlangs the queue grows without end: everybody waits, for ever.
    """

    def __init__(self, load: Array, agents: Array, aht: Array) -> None:
        self._stable = agents > load
        n = np.where(self._stable, agents, 1.0)
        x = np.where(self._stable, load, 0.5)
        rho = x / n
        self.waiting = np.where(self._stable, 1 / (below(n, x) * (1 - rho) + rho), 1.0)
        self._rate = np.where(self._stable, (n - x) / aht, 0.0)  # of leaving the queue
        self.answered = np.ones_like(load)
        self.abandoned = np.zeros_like(load)
        self.blocked = np.zeros_like(load)
        self.mean_wait = self.answered_wait()

    def virtual_after(self, t: Array) -> Array:
        return self.waiting * np.exp(-self._rate * t)

    def virtual_within(self, t: float) -> Array:
        # 1 − C·e⁻ʳᵗ, exact also where both are near 1.
        with np.errstate(invalid="ignore"):
            none_wait = np.where(self._stable, 1 - self.waiting, 0.0)
        return none_wait - self.waiting * np.expm1(-self._rate * t)

    answered_after = virtual_after
    answered_within = virtual_within

    def abandoned_within(self, t: float) -> Array:
        return np.zeros_like(self.waiting)

    def abandoned_after(self, t: Array) -> Array:
        return np.zeros_like(self.waiting)

    def answered_wait(self) -> Array:
        with np.errstate(divide="ignore"):
            return self.waiting / self._rate

    def abandoned_wait(self) -> Array:
        return np.full_like(self.waiting, np.nan)


class ErlangA:
    """M/M/n+M: callers give up after an exponential time; stable with any number of agents.

    With x = λ/θ, a = nμ/θ, and sums counted in units of "all busy, nobody waits", the states
    weigh below(n, R) + above(a, x). After t seconds the queue that a patient caller sees is the
    same with y = x·e⁻ᶿᵗ for x. In overload all is divided by 1/p(a, x), which would overflow.
    """

    def __init__(self, load: Array, agents: Array, aht: Array, patience: Array) -> None:
        ratio = patience / aht
        self._arrivals, self._served = load / aht, agents / aht
        self._patience = patience
        self._x, self._a = load * ratio, agents * ratio
        self._excess = (load - agents) * ratio  # x − a, before it could cancel
        self._over = self._x > self._a
        self._fewer = states_below(agents, load)
        sums_x = sums(self._a, self._x)
        self._low, self._high = sums_x.below, sums_x.above
        over = self._over
        if over.any():
            self._unit = np.where(over, poisson(self._a, self._x), 1.0)
            with np.errstate(invalid="ignore", over="ignore"):
                self._queue = np.where(over, 1 - self._unit * self._low, self._high)
                leaving = np.where(
                    over,
                    self._unit + self._queue * (self._excess / self._x),
                    sums_x.leaving,
                )
        else:
            self._unit = np.ones_like(load)
            self._queue, leaving = self._high, sums_x.leaving
        with np.errstate(invalid="ignore", over="ignore"):
            free = np.where(self._unit > 0, self._unit * self._fewer, 0.0)
        busy = self._unit + self._queue
        self._free, self._total = free, free + busy
        self.waiting = busy / self._total
        self.abandoned = leaving / self._total
        self.answered = (free + self._queue * (self._a / self._x)) / self._total
        self.blocked = np.zeros_like(load)
        self.mean_wait = self.abandoned * patience
        self._at: tuple[object, _After] | None = None

    def _after(self, t: Array | float) -> _After:
        if self._at is None or self._at[0] is not t:
            self._at = (t, _After(self, np.asarray(t, dtype=float)))
        return self._at[1]

    def answered_after(self, t: Array) -> Array:
        return self._after(t).queue * (self._a / self._x) / self._total

    def answered_within(self, t: float) -> Array:
        at = self._after(t)
        return (self._free + (self._a / self._x) * at.queue_within) / self._total

    def abandoned_after(self, t: Array) -> Array:
        at = self._after(t)
        return at.stay * at.leaving / self._total

    def abandoned_within(self, t: float) -> Array:
        return np.maximum(self.abandoned - self.abandoned_after(t), 0.0)

    def virtual_after(self, t: Array) -> Array:
        at = self._after(t)
        return (at.unit + at.queue) / self._total

    def virtual_within(self, t: float) -> Array:
        at = self._after(t)
        return (self._free + at.unit_within + at.queue_within) / self._total

    def answered_wait(self) -> Array:
        return self._mean("kept_wait", "kept", self._fewer)

    def abandoned_wait(self) -> Array:
        return self._mean("left_wait", "left", np.zeros_like(self.waiting))

    def _mean(self, wait: Kind, share: Kind, at_once: Array) -> Array:
        """Mean wait of a kind of caller, of whom ``at_once`` (in units) wait nothing."""
        some = self._served > 0
        service = np.where(some, self._served, self._arrivals)
        virtual = VirtualWait(self._arrivals, service, Exponential(self._patience))
        shift, sums = virtual.integrals(*virtual.whole, (wait, share))
        with np.errstate(invalid="ignore"):
            mean = sums[wait] / (np.where(at_once > 0, at_once * np.exp(-shift), 0) / service + sums[share])
        never = np.nan if wait == "kept_wait" else self._patience
        return np.where(some, mean, never)


class _After:
    """The weights that remain after ``t`` seconds, and those that went, in the same unit."""

    def __init__(self, model: ErlangA, t: Array) -> None:
        x, a, over = model._x, model._a, model._over
        tau = t / model._patience
        self.stay = np.exp(-tau)
        y = np.maximum(x * self.stay, 1e-200)
        sums_y = sums(a, y)
        # Exponent of e^{x(1−e^−τ) − aτ}, the weight of "all busy" that is left.
        exponent = model._excess * tau - x * bend(tau)
        factor = np.exp(np.minimum(exponent, 0.0))
        self.unit = factor
        with np.errstate(invalid="ignore", over="ignore"):
            self.queue = factor * sums_y.above
            self.leaving = factor * sums_y.leaving
            self.queue_within = model._queue - self.queue
        self.unit_within = -np.expm1(np.minimum(exponent, 0.0))
        if over.any():
            p = poisson(a, y)
            still = y > a
            with np.errstate(invalid="ignore", over="ignore"):
                queue = np.where(still, 1 - p * sums_y.below, p * sums_y.above)
                leaving = np.where(still, p + queue * ((y - a) / y), p * sums_y.leaving)
                served = np.where(still, p * sums_y.below, 1 - queue)
                within = served - model._unit * model._low
                self.unit = np.where(over, p, self.unit)
                self.queue = np.where(over, queue, self.queue)
                self.leaving = np.where(over, leaving, self.leaving)
                self.queue_within = np.where(over, within, self.queue_within)
                self.unit_within = np.where(over, model._unit - p, self.unit_within)
