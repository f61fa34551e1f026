"""Who goes live when, who takes it up, and what that does to each unit's calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ccanalytics.simulation.panels.parameters import RollOut
    from ccanalytics.simulation.panels.periods import Periods

    Stream = Callable[[str], np.random.Generator]

__all__ = ["NEVER", "Plan", "draw_plan"]

NEVER = -1


@dataclass(frozen=True, eq=False)
class Plan:
    """A roll-out in one world.

    Attributes
    ----------
    rollout
        Its parameters.
    live
        Units: number of the period in which each goes live (which may lie beyond the span), or
        `NEVER`.
    effect
        Units: relative change of calls at full dose.
    own
        Units × periods: share who would use it without the roll-out.
    use
        Units × periods: share who use it.
    dose
        Units × periods: use as it works on calls, after build-up, decay and anticipation.
    trend
        Units: log change a year of the calls, confounded with timing or own use; no effect.
    """

    rollout: RollOut
    live: NDArray[np.int64]
    effect: NDArray[np.float64]
    own: NDArray[np.float64]
    use: NDArray[np.float64]
    dose: NDArray[np.float64]
    trend: NDArray[np.float64]

    @property
    def event(self) -> NDArray[np.float64]:
        """Units × periods: periods since going live, nan for units that never do."""
        e = np.arange(self.use.shape[1]) - self.live[:, None].astype(float)
        e[self.live == NEVER] = np.nan
        return e

    @property
    def treated(self) -> NDArray[np.bool_]:
        """Units × periods that are live."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.event >= 0)

    def ratio(self, *, live: bool) -> NDArray[np.float64]:
        """Give units × periods: calls over those without any use; ``live=False`` own use only."""
        return 1 + self.effect[:, None] * (self.dose if live else self.own)

    def handle_ratio(self, *, live: bool) -> NDArray[np.float64]:
        """Give the same for mean handle time."""
        return 1 + self.rollout.handle_effect * (self.dose if live else self.own)


def draw_plan(rollout: RollOut, units: int, periods: Periods, stream: Stream) -> Plan:
    """Draw a plan; unit 0 is the biggest. ``stream`` gives the random numbers of a part."""
    r, span = rollout, len(periods)
    size = np.linspace(1.7, -1.7, units) if units > 1 else np.zeros(1)
    score = r.by_size * size + np.sqrt(1 - r.by_size**2) * stream("order").standard_normal(units)
    rank = np.empty(units, np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(units)
    live = _dates(r, units, span)[rank]
    position = 0.5 - rank / max(1, units - 1)  # first +½, last −½

    log_ratio = np.log1p(r.effect) + r.by_group * position
    if r.effect_sd:
        log_ratio += r.effect_sd * stream("effect").standard_normal(units) - r.effect_sd**2 / 2
    effect = np.expm1(log_ratio)

    trend = r.trend_gap * position
    own = np.full((units, span), float(r.own_use or 0))
    if r.own_use and (r.own_use_sd or r.confounding) and r.own_use < 1:
        faster = r.own_use_sd * stream("own use").standard_normal(units)
        logit = np.log(r.own_use / (1 - r.own_use)) + faster[:, None] * periods.year
        own = 1 / (1 + np.exp(-logit))
        trend = trend + r.confounding * faster
    event = np.arange(span) - live[:, None].astype(float)
    event[live == NEVER] = -np.inf
    room = (1 - own) * float(1 if r.compliance is None else r.compliance)
    use = own + room * (event >= 0)
    return Plan(r, live, effect, own, use, own + room * _shape(r, event), trend)


def _dates(r: RollOut, units: int, span: int) -> NDArray[np.int64]:
    """Periods of going live by rank; the last ones never do."""
    treated = units - round(float(r.never or 0) * units)
    live = np.full(units, NEVER, np.int64)
    if treated:
        waves = treated if r.waves is None else min(int(r.waves), treated)
        wave = np.arange(treated) * waves // treated
        first, last = float(r.first or 0), float(r.last or 0)
        share = first + (last - first) * wave / max(1, waves - 1)
        live[:treated] = np.rint(share * span)
    return live


def _shape(r: RollOut, event: NDArray[np.float64]) -> NDArray[np.float64]:
    since = np.maximum(event, 0)
    shape = np.where(event >= 0, 1.0, 0.0)
    if r.build_up:
        shape *= -np.expm1(-(since + 1) / r.build_up)
    if r.half_life:
        shape *= 2.0 ** (-since / r.half_life)
    if r.early:
        shape[(event < 0) & (event >= -r.early)] = r.anticipation
    return shape
