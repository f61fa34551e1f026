"""Endless lines: patient callers (Erlang C) and callers of exponential patience (Erlang A)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ccanalytics.queueing.general import GeneralQueue
from ccanalytics.queueing.patience import Exponential, bend
from ccanalytics.queueing.ratios import LEAST, below, poisson, states_below, sums
from ccanalytics.queueing.virtual import Kind, VirtualWait

if TYPE_CHECKING:
    from ccanalytics.queueing.door import Array

__all__ = ["ErlangA", "ErlangC"]

# x beyond which, times the weight of the other states, the rounding of y = x·e⁻ᶿᵗ would show. Not
# so in deep overload, where a last digit of the load itself changes as much.
_MOST_ERLANGS = 300.0


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
        """Share of the calls that entered whose virtual wait is above ``t``."""
        return self.waiting * np.exp(-self._rate * t)

    def virtual_within(self, t: float) -> Array:
        """Share of the calls that entered whose virtual wait is at most ``t``."""
        # 1 − C·e⁻ʳᵗ = (1 − C) + C(1 − e⁻ʳᵗ), exact also where C is near 1.
        none = np.where(self._stable, 1 - self.waiting, 0.0)
        return none - self.waiting * np.expm1(-self._rate * t)

    answered_after = virtual_after
    answered_within = virtual_within

    def abandoned_within(self, t: float) -> Array:
        """Share of arrivals that gave up within ``t``."""
        del t
        return np.zeros_like(self.waiting)

    def abandoned_after(self, t: Array) -> Array:
        """Share of arrivals that gave up later than ``t``."""
        del t
        return np.zeros_like(self.waiting)

    def answered_wait(self) -> Array:
        """Mean wait of the answered."""
        with np.errstate(divide="ignore", over="ignore"):
            return self.waiting / self._rate

    def abandoned_wait(self) -> Array:
        """Mean wait of those who gave up."""
        return np.full_like(self.waiting, np.nan)


class ErlangA:
    """M/M/n+M: callers give up after an exponential time; stable with any number of agents.

    With x = λ/θ, a = nμ/θ, and sums counted in units of "all busy, nobody waits", the states
    weigh below(n, R) + above(a, x). After t seconds the queue that a patient caller sees is the
    same with y = x·e⁻ᶿᵗ for x; where x is so large that the difference is lost, the shares within
    t are integrated instead. In overload (x > a) everything is counted in units of 1/p(a, x)
    instead, so that nothing overflows and nothing cancels.
    """

    def __init__(self, load: Array, agents: Array, aht: Array, patience: Array) -> None:
        ratio = patience / aht
        self._load, self._aht, self.patience = load, aht, patience
        self._arrivals, self._service = load / aht, agents / aht
        self.x, self.a = load * ratio, agents * ratio
        self.excess = (load - agents) * ratio  # x − a, before it could cancel
        self.kept = self.a / self.x
        first = sums(self.a, self.x)
        self.unit = np.ones_like(load)
        self.queue, leaving = first.above, first.leaving
        self.over = np.flatnonzero(self.x > self.a)
        if self.over.size:
            i = self.over
            unit = poisson(self.a[i], self.x[i])
            self.over_below = unit * first.below[i]
            queue = 1 - self.over_below
            self.unit[i], self.queue[i] = unit, queue
            leaving[i] = unit + queue * (self.excess[i] / self.x[i])
        free = states_below(agents, load)
        subtle = (self.x / _MOST_ERLANGS > 1 + free) & (self.excess < 10 * np.sqrt(self.x))
        self._subtle = np.flatnonzero(subtle)
        self._free = _product(free, self.unit)
        busy = self.unit + self.queue
        self._total = self._free + busy
        with np.errstate(invalid="ignore"):
            # With no load to speak of the states with a free agent weigh beyond all bounds.
            self.waiting = np.where(np.isinf(self._total), 0.0, busy / self._total)
            self.abandoned = np.where(np.isinf(self._total), 0.0, leaving / self._total)
            answered = (self._free + self.queue * self.kept) / self._total
            self.answered = np.where(np.isinf(self._total), 1.0, answered)
        self.blocked = np.zeros_like(load)
        self.mean_wait = self.abandoned * patience
        self._last: tuple[object, _After] | None = None
        self._general: GeneralQueue | None = None

    def _after(self, t: Array | float) -> _After:
        if self._last is None or self._last[0] is not t:
            self._last = (t, _After(self, np.asarray(t, dtype=float)))
        return self._last[1]

    def _share(self, weight: Array, limit: float = 0.0) -> Array:
        with np.errstate(invalid="ignore"):
            return np.where(np.isinf(self._total), limit, weight / self._total)

    def _integrated(self, method: str, t: Array | float, values: Array) -> Array:
        """The values, by integration where differences of the sums would lose digits."""
        i = self._subtle
        if i.size:
            if self._general is None:
                law = Exponential(self.patience[i])
                load, aht = self._load[i], self._aht[i]
                self._general = GeneralQueue(load, self._service[i] * aht, aht, law)
            at = np.broadcast_to(t, self.x.shape)[i]
            values[i] = getattr(self._general, method)(at)
        return values

    def answered_after(self, t: Array) -> Array:
        """Share of arrivals answered later than ``t``."""
        share = self._share(self._after(t).queue * self.kept)
        return self._integrated("answered_after", t, share)

    def answered_within(self, t: float) -> Array:
        """Share of arrivals answered within ``t``."""
        share = self._share(self._free + self.kept * self._after(t).queue_within, 1.0)
        return self._integrated("answered_within", t, share)

    def abandoned_after(self, t: Array) -> Array:
        """Share of arrivals that gave up later than ``t``."""
        at = self._after(t)
        return self._integrated("abandoned_after", t, self._share(at.stay * at.leaving))

    def abandoned_within(self, t: float) -> Array:
        """Share of arrivals that gave up within ``t``."""
        at = self._after(t)
        # Of those whose turn would have come by t, all but the answered; of the others, all
        # who lost patience by then.
        before = at.unit_within + (self.excess / self.x) * at.queue_within
        share = self._share(np.maximum(before, 0.0) + at.gone * (at.unit + at.queue))
        return self._integrated("abandoned_within", t, share)

    def virtual_after(self, t: Array) -> Array:
        """Share of the calls that entered whose virtual wait is above ``t``."""
        at = self._after(t)
        return self._integrated("virtual_after", t, self._share(at.unit + at.queue))

    def virtual_within(self, t: float) -> Array:
        """Share of the calls that entered whose virtual wait is at most ``t``."""
        at = self._after(t)
        share = self._share(self._free + at.unit_within + at.queue_within, 1.0)
        return self._integrated("virtual_within", t, share)

    def answered_wait(self) -> Array:
        """Mean wait of the answered."""
        return self._mean_wait("kept_wait", "kept")

    def abandoned_wait(self) -> Array:
        """Mean wait of those who gave up."""
        return self._mean_wait("left_wait", "left")

    def _mean_wait(self, wait: Kind, share: Kind) -> Array:
        """Mean wait of those kept or lost; it has no closed form."""
        staffed = self._service > 0
        service = np.where(staffed, self._service, self._arrivals)
        virtual = VirtualWait(self._arrivals, service, Exponential(self.patience))
        shift, integrals = virtual.integrals(*virtual.whole, (wait, share))
        weight = integrals[share]
        if share == "kept":
            # Those who find a free agent wait nothing; their weight in the integral's unit.
            free = states_below(service * self._aht, self._load)
            weight = weight + _product(free, np.exp(-shift)) / service
        mean = np.where(np.isinf(weight), 0.0, integrals[wait] / weight)
        return np.where(staffed, mean, np.nan if share == "kept" else self.patience)


class _After:
    """The weights that remain after ``t`` seconds, and those that went, in the same unit."""

    def __init__(self, model: ErlangA, t: Array) -> None:
        x, a, over = model.x, model.a, model.over
        tau = np.broadcast_to(t / model.patience, x.shape)
        self.stay, self.gone = np.exp(-tau), -np.expm1(-tau)
        y = np.maximum(x * self.stay, LEAST)
        self._tau = tau
        rest = sums(a, y)
        # Logarithm of e^{x(1−e^−τ) − aτ}, the weight of "all busy" that is left.
        exponent = np.minimum(model.excess * tau - x * bend(tau), 0.0)
        self.unit = np.exp(exponent)
        self.unit_within = -np.expm1(exponent)
        self.queue = _product(rest.above, self.unit)
        self.leaving = _product(rest.leaving, self.unit)
        self.queue_within = np.maximum(model.queue - self.queue, 0.0)
        if over.size:
            self._overload(model, y[over], rest.below[over], rest.above[over], rest.leaving[over])

    def _overload(self, model: ErlangA, y: Array, low: Array, high: Array, leaving: Array) -> None:
        over = model.over
        a = model.a[over]
        p = poisson(a, y)
        gone = y <= LEAST  # too small for a float, its power yᵃ is not
        if gone.any():
            x, few = model.x[over][gone], a[gone]
            p[gone] = np.exp(few * (np.log(x) - self._tau[over][gone]) - special.gammaln(few + 1))
        still = y > a
        reached = _product(low, p)
        queue = np.where(still, 1 - reached, _product(high, p))
        served = np.where(still, reached, 1 - queue)
        self.unit[over] = p
        self.queue[over] = queue
        self.leaving[over] = np.where(still, p + queue * ((y - a) / y), _product(leaving, p))
        self.unit_within[over] = model.unit[over] - p  # may be below 0: the queue first fills up
        self.queue_within[over] = np.maximum(served - model.over_below, 0.0)


def _product(sum_: Array, weight: Array) -> Array:
    """The product, 0 where the weight is nothing though the sum may be beyond all bounds."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(weight > 0, sum_ * weight, 0.0)
