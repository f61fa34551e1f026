"""Any law of patience on endless lines, and exponential or endless patience on finite ones.

M/M/n+G, M/M/n/N+M and M/M/n/N through the integrals of :mod:`~ccanalytics.queueing.virtual`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ccanalytics.queueing.places import FEW_PLACES, Places, waiting_places
from ccanalytics.queueing.ratios import deviance, lost, states_below, stirling
from ccanalytics.queueing.virtual import Kind, VirtualWait

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.patience import Law

__all__ = ["GeneralQueue"]


class GeneralQueue:
    """A queue in steady state.

    On endless lines it has none if more callers than can be served never give up: then the queue
    grows without end, and all who are served wait for ever.

    Parameters
    ----------
    load, agents, aht
        Erlangs, agents, seconds.
    law
        Patience.
    lines
        ``None`` for endless lines. A general law has no exact answer on finite ones.
    """

    def __init__(
        self, load: Array, agents: Array, aht: Array, law: Law, lines: Array | None = None
    ) -> None:
        self._lam, self._law = load / aht, law
        self._agents, self._lines = agents, lines
        room = None if lines is None else np.rint(lines - agents)
        lam, c = self._lam, agents / aht
        self._staffed = agents > 0
        steady = self._staffed & (lam * law.never < c) if room is None else self._staffed
        # Elements without waiting places, agents or steady state are filled in by hand.
        waits = steady if room is None else steady & (room > 0)
        self._steady, self._waits = steady, waits
        self._c = np.where(waits, c, 1 / aht)
        self._room = None if room is None else np.maximum(room, 1)
        free = states_below(np.where(steady, agents, 1.0), load)
        self._kept_wait: Array | None = None
        if room is not None and room.max(initial=0) <= FEW_PLACES:
            places = self._summed(room)
            self._shift = -places.log_unit
            queue, full, served = places.queue, places.full, places.served
            wait, self._kept_wait = places.length / lam, places.kept_wait
            left = np.zeros_like(lam) if law.mean is None else wait / law.mean
            kept = c / lam * served
        else:
            kinds: tuple[Kind, ...] = ("any", "left", "kept", "wait")
            shift, sums = self._virtual.integrals(*self._virtual.whole, kinds)
            self._shift = np.where(waits, shift, 0.0)
            full = np.zeros_like(load)
            if room is not None:
                log = self._log_full(load, agents, aht, room) - self._shift
                full = np.exp(np.where(self._staffed, log, -np.inf))
            queue, left, kept, wait = (np.where(waits, self._c * sums[k], 0.0) for k in kinds)
            if room is None:
                # All agents busy serve c calls a second: exact where the peak is narrow and far.
                unit = np.exp(-self._shift)
                kept = np.where(queue > 2 * unit, self._c / lam * (queue - unit), kept)
        with np.errstate(over="ignore"):
            self._free = np.where(np.isinf(free), free, free * np.exp(-self._shift))
        self._total = self._free + queue + full
        # Shares of arrivals, with a limit for elements without a steady state.
        self.blocked = self._over_total(full)
        self._entered = self._over_total(self._free + queue, 1.0)
        self._at_once = self._over_total(self._free, 1.0)
        self.abandoned = self._over_total(left)
        self.answered = self._over_total(self._free + kept, 1.0)
        self.waiting = self._over_total(queue) / self._entered
        self.mean_wait = self._over_total(wait) / self._entered
        if not steady.all():
            self._fill_in(load, aht, np.flatnonzero(~steady))

    @cached_property
    def _virtual(self) -> VirtualWait:
        arrivals = np.where(self._waits, self._lam, 0.5 * self._c)  # nothing is read elsewhere
        return VirtualWait(arrivals, self._c, self._law, self._room)

    def _summed(self, room: Array) -> Places:
        mean = self._law.mean
        leaving = np.zeros_like(room) if mean is None else 1 / mean
        return waiting_places(self._lam, self._c, leaving, np.where(self._waits, room, 0))

    def _log_full(self, load: Array, agents: Array, aht: Array, room: Array) -> Array:
        """Logarithm of the weight of "all lines taken", in units of "all busy, nobody waits"."""
        n = np.where(self._staffed, agents, 1.0)
        mean = self._law.mean
        if mean is None:
            return room * np.log(load / n)
        a, x = n * mean / aht, load * mean / aht
        large = np.maximum(a, 10.0)
        # m·ln x − ln Γ(a+m+1) + ln Γ(a+1), with the large parts taken out.
        many = deviance(large, large + room) - room * np.log((large + room) / x)
        many -= 0.5 * np.log1p(room / large) + stirling(large + room) - stirling(large)
        few = room * np.log(x) - special.gammaln(a + room + 1) + special.gammaln(a + 1)
        return np.where(a < 10, few, many)

    def _fill_in(self, load: Array, aht: Array, i: NDArray[np.intp]) -> None:
        """Where the queue has no steady state, or nobody serves."""
        gone = 1 - self._law.never
        if self._lines is None:
            self.waiting[i], self.abandoned[i], self._at_once[i] = 1.0, gone, 0.0
            self.answered[i] = np.where(self._staffed[i], 1 - gone, 0.0)
            self.mean_wait[i] = np.inf if gone < 1 else self._law.mean_of(np.arange(load.size))[i]
            return
        # Without agents each line is held until its caller gives up.
        blocked, wait = np.ones_like(load), np.full_like(load, np.nan)
        if self._law.mean is not None:
            wait = self._law.mean
            blocked = lost(load * wait / aht, self._lines)
            wait = np.where(self._lines > 0, wait, np.nan)
        self.blocked[i], self.mean_wait[i] = blocked[i], wait[i]
        self._entered[i] = self.abandoned[i] = 1 - blocked[i]
        self.waiting[i] = np.where(self._entered[i] > 0, 1.0, np.nan)
        self.answered[i] = self._at_once[i] = 0.0

    def _over_total(self, weight: Array, limit: float = 0.0) -> Array:
        with np.errstate(invalid="ignore"):
            return np.where(np.isinf(self._total), limit, weight / self._total)

    def _else(self, values: Array, limit: Array | float) -> Array:
        return np.where(self._steady, values, limit)

    def _between(self, start: Array, stop: Array, kind: Kind) -> Array:
        """Share of arrivals by kind whose virtual wait lies between."""
        shift, sums = self._virtual.integrals(start, stop, (kind,))
        with np.errstate(over="ignore", invalid="ignore"):
            weight = self._c * sums[kind] * np.exp(shift - self._shift)
        return np.where(self._waits, self._over_total(weight), 0.0)

    def _after(self, t: Array | float, kind: Kind) -> Array:
        return self._between(self._times(t), np.full_like(self._lam, np.inf), kind)

    def _until(self, t: float, kind: Kind) -> Array:
        return self._between(np.zeros_like(self._lam), self._times(t), kind)

    def _times(self, t: Array | float) -> Array:
        return np.broadcast_to(np.asarray(t, dtype=float), self._lam.shape)

    def virtual_after(self, t: Array) -> Array:
        """Share of the calls that entered whose virtual wait is above ``t``."""
        with np.errstate(invalid="ignore"):
            return self._else(self._after(t, "any") / self._entered, 1.0)

    def virtual_within(self, t: float) -> Array:
        """Share of the calls that entered whose virtual wait is at most ``t``."""
        with np.errstate(invalid="ignore"):
            share = (self._at_once + self._until(t, "any")) / self._entered
        return self._else(share, 0.0)

    def answered_after(self, t: Array) -> Array:
        """Share of arrivals answered later than ``t``."""
        return self._else(self._after(t, "kept"), self.answered)

    def answered_within(self, t: float) -> Array:
        """Share of arrivals answered within ``t``."""
        return self._else(self._at_once + self._until(t, "kept"), 0.0)

    def abandoned_within(self, t: float) -> Array:
        """Share of arrivals that gave up within ``t``."""
        gone = self._law.left(self._times(t), np.arange(self._lam.size))
        share = self._until(t, "left") + gone * self._after(t, "any")
        return self._else(share, gone * self._entered)

    def abandoned_after(self, t: Array) -> Array:
        """Share of arrivals that gave up later than ``t``."""
        kept = self._law.kept(self._times(t), np.arange(self._lam.size))
        late = self._entered * np.maximum(kept - self._law.never, 0.0)
        return self._else(self._after(t, "left_since"), late)

    def answered_wait(self) -> Array:
        """Mean wait of the answered."""
        with np.errstate(invalid="ignore", divide="ignore"):
            if self._kept_wait is None:
                wait = self._after(0.0, "kept_wait") / self.answered
            else:
                wait = self._over_total(self._kept_wait) / self.answered
        endless = np.inf if self._lines is None else np.nan
        return self._else(wait, np.where(self._staffed, endless, np.nan))

    def abandoned_wait(self) -> Array:
        """Mean wait of those who gave up."""
        some = self.abandoned > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            wait = np.where(some, self._after(0.0, "left_wait") / self.abandoned, np.nan)
        return self._else(wait, np.where(self._law.never == 0, self.mean_wait, np.nan))
