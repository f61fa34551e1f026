"""Many queues carried through one interval at once: for planning, where a day is solved over and
over.

Row by row the chain M/M/n+M of :func:`~ccanalytics.queueing.transient`, with agents and rates that
are constant within the interval. With Q its generator and L at least every state's total rate, the
spectrum of X = I + Q/L lies in [−1, 1], so that

    e^{tQ} = Σ c_k T_k(X),   c_k = (2 − δ_{k0}) e^{−z} I_k(z),   z = L·t

(Chebyshev polynomials, modified Bessel functions); the mean of the distribution over the interval
is the same series with other coefficients. There is no step size, and about √z
terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ccanalytics.queueing.goals import levels

if TYPE_CHECKING:
    from ccanalytics.queueing.door import Array
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["Arrivals", "advance", "room"]

_TINY = 1e-14
# A generator far from symmetric lets the polynomials grow before they cancel: shorter steps then.
_GROWN = 1e4
_LONGEST = 400.0


def room(load: Array, agents: Array) -> int:
    """States that hold all but a negligible share of the calls in the system."""
    top = np.maximum(load, agents)
    return int(np.ceil((top + 9 * np.sqrt(np.maximum(load, 1)) + 20).max()))


def advance(
    p: Array, rate: Array, agents: Array, service: Array, patience: Array, seconds: float
) -> tuple[Array, Array]:
    """Distribution at the end of the interval, and its mean over the interval.

    Parameters
    ----------
    p
        Rows × states: chances of 0, 1, 2 … calls in the system at the start.
    rate, agents, service, patience
        By row: calls per second, agents, and the rates of service and of losing patience
        (0: endless).
    seconds
        Length of the interval.

    Returns
    -------
    tuple of array
        Both rows × states; what would go beyond the last state stays in it.
    """
    k = np.arange(p.shape[1], dtype=float)
    n = agents[:, None]
    deaths = np.minimum(k, n) * service[:, None]
    deaths += np.maximum(k - n, 0.0) * patience[:, None]
    births = np.broadcast_to(rate[:, None], deaths.shape).copy()
    births[:, -1] = 0.0
    total = births + deaths
    fastest = float(total.max())
    if fastest == 0:
        return p, p
    up, down, stay = births[:, :-1] / fastest, deaths[:, 1:] / fastest, 1 - total / fastest
    parts = max(1, int(np.ceil(fastest * seconds / _LONGEST)))
    while True:
        done = _through(p, up, down, stay, fastest * seconds / parts, parts)
        if done is not None:
            return done
        parts *= 2


def _through(
    p: Array, up: Array, down: Array, stay: Array, z: float, parts: int
) -> tuple[Array, Array] | None:
    """``parts`` steps of length ``z``; None where the polynomials grow too much for the digits."""
    ends, means = _coefficients(z)
    mean = np.zeros_like(p)
    for _ in range(parts):
        before, now = p, _times(p, up, down, stay)
        end = ends[0] * before + ends[1] * now
        middle = means[0] * before + means[1] * now
        for k in range(2, ends.size):
            after = _times(now, up, down, stay)
            after *= 2
            after -= before
            before, now = now, after
            end += ends[k] * now
            middle += means[k] * now
            if not k % 16 and np.abs(now).max() > _GROWN:
                return None
        np.maximum(end, 0.0, out=end)
        p = end / end.sum(axis=1, keepdims=True)
        mean += middle
    return p, np.maximum(mean / parts, 0.0)


def _times(p: Array, up: Array, down: Array, stay: Array) -> Array:
    out = stay * p
    out[:, 1:] += up * p[:, :-1]
    out[:, :-1] += down * p[:, 1:]
    return out


def _coefficients(z: float) -> tuple[Array, Array]:
    """Of e^{−z}·e^{zx}, and of its mean over 0 … z."""
    size = int(z + 12 * np.sqrt(z) + 30) if z < 30 else int(np.sqrt(2 * z * 40) + 40)
    bessel = special.ive(np.arange(size + 1.0), z)
    # A_k = ∫e^{−u}I_k(u)du over 0 … z has the second difference 2·e^{−z}I_k(z).
    tail = np.cumsum(bessel[::-1])[::-1]
    above = np.append(tail[1:], 0.0)
    area = 2 * np.cumsum(above[::-1])[::-1]
    keep = max(2, int(np.searchsorted(-tail, -_TINY)) + 1)
    factor = np.where(np.arange(keep) == 0, 1.0, 2.0)
    return factor * bessel[:keep], factor * area[:keep] / z


@dataclass(frozen=True, eq=False)
class Arrivals:
    """What becomes of calls that find k in the system, if agents stay as they are.

    A caller with j calls ahead in the queue, of virtual wait V = Σ Exp(nμ + iθ), i = 0 … j:
    e^{−θV} is of the law Beta(nμ/θ, j + 1). Shares are of all arrivals of the row; the attributes
    are those of :class:`~ccanalytics.queueing.steady.Steady` that a service level needs.
    """

    found: Array
    agents: Array
    service: Array
    patience: Array

    @property
    def blocked(self) -> Array:
        """Nobody."""
        return np.zeros(self.agents.size)

    @property
    def _queued(self) -> tuple[Array, Array]:
        """Rows × calls ahead in the queue: chances to meet them, and whether there are such."""
        states = self.found.shape[1]
        least = int(self.agents.min())
        ahead = np.arange(states - least, dtype=float)
        at = self.agents[:, None].astype(np.int64) + ahead.astype(np.int64)[None, :]
        inside = at < states
        return ahead, np.where(
            inside, np.take_along_axis(self.found, np.minimum(at, states - 1), axis=1), 0.0
        )

    @property
    def at_once(self) -> Array:
        """Share that finds an agent free."""
        states = np.arange(self.found.shape[1])
        return np.where(states < self.agents[:, None], self.found, 0.0).sum(axis=1)

    @property
    def answered(self) -> Array:
        """Share that is answered in the end: nμ/(nμ + (j + 1)θ) of those with j ahead."""
        ahead, met = self._queued
        out = (self.agents * self.service)[:, None]
        own = self.patience[:, None] * (ahead + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(out > 0, out / (out + own), 0.0)
        return self.at_once + (met * share).sum(axis=1)

    @property
    def abandoned(self) -> Array:
        """Share that gives up."""
        return np.maximum(self.found.sum(axis=1) - self.answered, 0.0)

    def _passed(self, t: float, extra: float) -> Array:
        """P(V ≤ t) for each number ahead, the rates of departure raised by ``extra`` × θ."""
        ahead, _ = self._queued
        theta, out = self.patience[:, None], (self.agents * self.service)[:, None]
        endless = theta == 0
        with np.errstate(divide="ignore", invalid="ignore"):
            x = -np.expm1(-theta * t)
            c = out / theta + extra
            ratio = np.where(endless, out * t / ahead[1:], x * (c + ahead[1:] - 1) / ahead[1:])
        first = np.exp(-(out + extra * theta) * t)
        terms = np.concatenate([first, ratio], axis=1)
        return np.clip(1 - np.cumsum(np.cumprod(terms, axis=1), axis=1), 0.0, 1.0)

    def answered_within(self, t: float) -> Array:
        """Share answered within ``t`` seconds."""
        ahead, met = self._queued
        out = (self.agents * self.service)[:, None]
        own = self.patience[:, None] * (ahead + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(out > 0, out / (out + own), 0.0)
        return self.at_once + (met * share * self._passed(t, 1.0)).sum(axis=1)

    def abandoned_within(self, t: float) -> Array:
        """Share that gives up within ``t`` seconds."""
        _, met = self._queued
        still = np.exp(-self.patience[:, None] * t) * (1 - self._passed(t, 0.0))
        left = self.found.sum(axis=1) - self.answered_within(t) - (met * still).sum(axis=1)
        return np.maximum(left, 0.0)

    def virtual_within(self, t: float) -> Array:
        """Share whose virtual wait is at most ``t``."""
        _, met = self._queued
        return self.at_once + (met * self._passed(t, 0.0)).sum(axis=1)

    @property
    def occupancy(self) -> Array:
        """Share of time that agents are busy, ``found`` being a mean over time."""
        busy = np.minimum(np.arange(self.found.shape[1]), self.agents[:, None])
        with np.errstate(divide="ignore", invalid="ignore"):
            return (self.found * busy).sum(axis=1) / self.agents

    @property
    def wait_probability(self) -> Array:
        """Share that finds every agent busy."""
        return np.maximum(self.found.sum(axis=1) - self.at_once, 0.0)

    @property
    def asa(self) -> Array:
        """Mean wait of the answered.

        In place i, with i callers ahead, somebody goes at the rate nμ + (i + 1)θ; that it is not
        the caller has the chance (nμ + iθ)/(nμ + (i + 1)θ), and is independent of how long it
        took. So a caller with j ahead who is answered has waited Σ 1/(nμ + (i + 1)θ), i = 0 … j.
        """
        ahead, met = self._queued
        out, theta = (self.agents * self.service)[:, None], self.patience[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            served = met * np.where(out > 0, out / (out + theta * (ahead + 1)), 0.0)
            wait = np.cumsum(1 / (out + theta * (ahead + 1)), axis=1)
            total = np.where(served > 0, served * wait, 0.0).sum(axis=1)
            return total / self.answered

    def service_level(self, goal: ServiceLevel) -> Array:
        """By row, as the goal counts."""
        return levels(self, goal)  # type: ignore[arg-type]
