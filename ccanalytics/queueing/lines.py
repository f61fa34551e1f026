"""Finite lines: M/M/n/N and M/M/n/N+M, state by state around the likeliest one.

With x = λ/θ, a = nμ/θ (or endless patience, r = R/n) the state with k waiting weighs
xᵏ/((a+1)…(a+k)) (or rᵏ) in units of "all busy, nobody waits". A caller who finds k waiting is
served after the sum of k + 1 exponential times of rates nμ + jθ, j = 0 … k, so that
e^{−θS} is Beta(a, k + 1) (or S is Erlang).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from ccanalytics.queueing.door import Array
from ccanalytics.queueing.ratios import poisson, states_below

__all__ = ["FiniteLines"]

_NEGLIGIBLE = 44.0  # e⁻⁴⁴ is nothing beside 1


class FiniteLines:
    """A queue in which calls beyond ``lines`` meet a busy signal; ``patience`` may be ``None``."""

    def __init__(
        self, load: Array, agents: Array, aht: Array, patience: Array | None, lines: Array
    ) -> None:
        self._aht, self._agents, self._patience = aht, agents, patience
        self._served = agents / aht
        room = np.rint(lines - agents)
        if patience is None:
            # Without agents nobody ever leaves: all lines are taken for good.
            ratio = np.where(agents > 0, load / np.maximum(agents, 1e-300), 1e300)
            peak = np.where(ratio > 1, room, 0.0)
            with np.errstate(divide="ignore"):
                reach = np.ceil(_NEGLIGIBLE / np.abs(np.log(ratio))) + 1
        else:
            x, a = load * patience / aht, agents * patience / aht
            self._a = a
            peak = np.clip(np.floor(x - a), 0, room)
            reach = _reach(x, a + peak)
        low = np.maximum(peak - reach, 0)
        high = np.minimum(peak + reach, room)
        below_peak, above_peak = int((peak - low).max()), int((high - peak).max())
        self._k = peak[:, None] + np.arange(-below_peak, above_peak + 1)
        inside = (self._k >= 0) & (self._k <= room[:, None])
        k = np.where(inside, self._k, 0.0)
        if patience is None:
            step = np.broadcast_to(ratio[:, None], k.shape)
        else:
            step = x[:, None] / np.maximum(a[:, None] + k, 1e-300)  # w_k / w_{k−1}
        with np.errstate(over="ignore"):
            down = np.cumprod(1 / step[:, below_peak:0:-1], axis=1)[:, ::-1]
        up = np.cumprod(step[:, below_peak + 1 :], axis=1)
        weight = np.concatenate([down, np.ones((k.shape[0], 1)), up], axis=1)
        self._k, self._weight = k, np.where(inside, weight, 0.0)
        if patience is None:
            with np.errstate(over="ignore", under="ignore"):
                unit = np.exp(-peak * np.log(ratio))
        else:
            top = poisson(a + peak, x)
            with np.errstate(invalid="ignore"):
                unit = np.where(peak > 0, poisson(a, x) / top, 1.0)
        free = states_below(agents, load)
        with np.errstate(invalid="ignore"):
            self._free = np.where(unit > 0, free * unit, 0.0)
        queue = self._weight.sum(axis=1)
        full = np.where(self._k == room[:, None], self._weight, 0.0).sum(axis=1)
        # Every weight over the total: shares of time, and by PASTA of arrivals.
        with np.errstate(invalid="ignore"):
            total = self._free + queue
            self._share = np.where(np.isinf(total)[:, None], 0.0, self._weight / total[:, None])
            self._free = np.where(np.isinf(total), 1.0, self._free / total)
            self.blocked = np.where(np.isinf(total), 0.0, full / total)
        self._entering = np.where(self._k < room[:, None], self._share, 0.0)
        length = (self._k * self._share).sum(axis=1)
        entered = self._free + self._entering.sum(axis=1)
        self._entered = entered
        arrivals = load / aht
        with np.errstate(invalid="ignore", divide="ignore"):
            self.waiting = np.where(entered > 0, self._entering.sum(axis=1) / entered, 0.0)
            self.mean_wait = np.where(length > 0, length / arrivals / entered, 0.0)
        if patience is None:
            self.abandoned = np.zeros_like(load)
            self.answered = np.where(agents > 0, entered, 0.0)
        else:
            self.abandoned = length / x
            self.answered = self._free + (self._entering * self._kept()).sum(axis=1)

    def _kept(self) -> Array:
        """Chance to stay until answered, by the number found waiting."""
        a = self._a[:, None]
        return a / (a + self._k + 1)

    def _by_state(self, t: Array | float, *, after: bool, kept: bool) -> Array:
        """Chance, by state found, of a virtual wait after (or within) t; if ``kept``, answered."""
        column = np.broadcast_to(np.asarray(t, dtype=float), self._aht.shape)[:, None]
        if self._patience is None:
            chance = special.gammaincc if after else special.gammainc
            share: Array = chance(self._k + 1, self._served[:, None] * column)
            return share
        q = np.exp(-column / self._patience[:, None])
        chance = special.betainc if after else special.betaincc
        if kept:
            return self._kept() * chance(self._a[:, None] + 1, self._k + 1, q)
        share = chance(np.maximum(self._a, 1e-300)[:, None], self._k + 1, q)
        return share

    def _over_states(self, chance: Array) -> Array:
        return (self._entering * chance).sum(axis=1)

    def virtual_after(self, t: Array) -> Array:
        late = self._over_states(self._by_state(t, after=True, kept=False))
        return self._of_entered(late, 0.0)

    def virtual_within(self, t: float) -> Array:
        early = self._over_states(self._by_state(t, after=False, kept=False))
        return self._of_entered(self._free + early, 1.0)

    def _of_entered(self, share: Array, none: float) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self._entered > 0, share / self._entered, none)

    def answered_after(self, t: Array) -> Array:
        return self._over_states(self._by_state(t, after=True, kept=True))

    def answered_within(self, t: float) -> Array:
        return self._free + self._over_states(self._by_state(t, after=False, kept=True))

    def abandoned_after(self, t: Array) -> Array:
        if self._patience is None:
            return np.zeros_like(self._aht)
        stay = np.exp(-np.asarray(t) / self._patience)[:, None]
        late = stay * self._by_state(t, after=True, kept=False)
        kept = self._by_state(t, after=True, kept=True)
        return self._over_states(np.maximum(late - kept, 0.0))

    def abandoned_within(self, t: float) -> Array:
        return np.maximum(self.abandoned - self.abandoned_after(np.asarray(t)), 0.0)

    def answered_wait(self) -> Array:
        if self._patience is None:
            mean = (self._k + 1) / np.maximum(self._served, 1e-300)[:, None]
        else:
            a = self._a[:, None]
            mean = self._kept() * (special.digamma(a + self._k + 2) - special.digamma(a + 1))
            mean = mean * self._patience[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            wait = (self._entering * mean).sum(axis=1) / self.answered
        return np.where(self.answered > 0, wait, np.nan)

    def abandoned_wait(self) -> Array:
        if self._patience is None:
            return np.full_like(self._aht, np.nan)
        whole = self.mean_wait * self._entered - self.answered_wait() * self.answered
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.abandoned > 0, whole / self.abandoned, np.nan)


def _reach(x: Array, middle: Array) -> Array:
    """States from the likeliest one beyond which the weights are nothing.

    Downwards by Chernoff's bound for the Poisson law, upwards the same with the larger spread.
    """
    spread = np.sqrt(2 * _NEGLIGIBLE * np.maximum(x, middle))
    return np.ceil(spread + _NEGLIGIBLE)
