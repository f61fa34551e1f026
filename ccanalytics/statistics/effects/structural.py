"""Structural time series: each group's own level, drifting, beside units that stay untreated.

The groups' weekly counts are a level that wanders, a multiple of the untreated units' counts, and
noise; fitted to the weeks before, drawn forward over the weeks after (Brodersen et al. 2015, by
restricted likelihood rather than by priors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.left_out import Foretold, Ratios
from ccanalytics.statistics.effects.local_level import fit_local_level
from ccanalytics.statistics.effects.panel import Panel
from ccanalytics.statistics.effects.panel_effect import assessed
from ccanalytics.statistics.effects.synthetic import donors
from ccanalytics.statistics.effects.two_way import shifts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ccanalytics.statistics.effects.local_level import LocalLevel
    from ccanalytics.statistics.effects.panel_effect import PanelEffect

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["structural"]

_FEWEST = 20  # weeks before, for three variances and a slope
_DRAWS = 1000
_SAME = 1e-9
_CAP = (
    "a level that may wander for ever explains nearly anything: in made-up worlds its limits were "
    "twice as wide as its misses"
)
_METHOD = (
    "Structural time series on log counts: a level that wanders and a multiple of the units that "
    "stay untreated, fitted to the weeks before and drawn forward {draws:,} times."
)


def structural(
    calls: Any,
    live: Any,
    *,
    units: Sequence[str],
    weeks: Sequence[dt.date],
    others: Mapping[str, Any] | None = None,
    outside: Sequence[str] = (),
    name: str = "The roll-out",
    min_weeks: int = 8,
    level: float = 0.95,
    seed: int = 1,
) -> PanelEffect:
    r"""Estimate a roll-out from a structural time series of each group that went live.

    For the units of one date, log callsₜ = μₜ + β·log controlsₜ + εₜ, μₜ = μₜ₋₁ + ηₜ: a local
    level and the calls of the units that stay untreated. Both variances are fitted to the weeks
    before going live, and the level, β and noise are drawn forward jointly: the limits are those
    of the sum over the weeks after. Groups are added up with the correlation that their misses
    before going live show.

    Parameters
    ----------
    calls, live, units, weeks, others, outside, name, min_weeks, level
        As for :func:`staggered`; a single unit may have gone live.
    seed
        Of the draws.

    Raises
    ------
    InputError, DataError
        As :func:`staggered`; fewer than 20 weeks before the first date of every group, or too few
        units that stay untreated.

    References
    ----------
    Brodersen, Gallusser, Koehler, Remy & Scott (2015), Inferring causal impact using Bayesian
    structural time-series models, Annals of Applied Statistics 9, 247–274; Durbin & Koopman
    (2012), Time series analysis by state space methods.
    """
    level = check_level(level)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError("seed is a whole number, 0 or more", f"seed={seed!r}")
    panel = Panel.of(calls, live, units, weeks, others, min_weeks, outside=outside, least_live=1)

    def foretell(panel: Panel, ahead: int) -> Foretold:
        return _foretell(panel, ahead, seed)

    return assessed(
        panel,
        foretell,
        name=name,
        called="structural",
        method=_METHOD.format(draws=_DRAWS),
        level=level,
        cap=_CAP,
        inputs={"name": name, "min_weeks": min_weeks, "level": level, "seed": seed},
    )


def _foretell(panel: Panel, ahead: int, seed: int) -> Foretold:
    calls, span = panel.calls, panel.calls.shape[1]
    factor = shifts(calls, panel.base(ahead), panel.others)
    y = calls / factor
    donor, end = donors(panel)
    control = np.log(np.maximum(y[donor].sum(axis=0), 0.5))
    if np.ptp(control) < _SAME:
        raise DataError(
            "the units that stay untreated have as many calls every week",
            "nothing shows what moves the others",
            "take design='staggered'",
        )
    start = np.where(panel.goes_live & ~donor, panel.start - ahead, span)
    foretold = np.full((1 + len(calls), *calls.shape), np.nan)
    series = []
    for group in np.unique(start[start < span]).tolist():
        to = min(group + ahead if ahead else span, end + 1)
        if group < _FEWEST or to <= group:
            continue
        mine = start == group
        share = y[mine, :group].sum(axis=1) / y[mine, :group].sum()
        rng = np.random.default_rng([seed, group])
        own = np.log(np.maximum(y[mine].sum(axis=0)[:group], 0.5))
        beside = control[:to] - control[:group].mean()
        found = fit_local_level(own, beside, _DRAWS, rng)
        series.append((mine, _Series(group, found)))
        foretold[0, mine, group:to] = share[:, None] * found.mean * factor[mine, group:to]
    if not series:
        if not ahead:
            raise DataError(
                "the weeks before going live are too few for a structural time series",
                f"at least {_FEWEST} are needed before the date of some unit",
                "load more weeks, or take design='staggered'",
            )
        return Foretold(calls, foretold[:1])
    for i in np.flatnonzero(np.isfinite(foretold[0]).any(axis=1)):
        foretold[1 + i] = foretold[0]
    return _DrawnForetold(calls, foretold, tuple(series))


@dataclass(frozen=True, eq=False)
class _Series:
    """A group's series from week ``first`` on."""

    first: int
    found: LocalLevel

    def error(self, weeks: Any) -> float:
        """Spread of the log of the sum over some weeks."""
        return float(
            np.log(self.found.draws[:, np.flatnonzero(weeks) - self.first].sum(axis=1)).std()
        )


@dataclass(frozen=True, eq=False)
class _DrawnForetold(Foretold):
    """Errors from draws of each group's series."""

    series: tuple[tuple[Bools, _Series], ...]

    def ratios(self, cells: Bools) -> Ratios:
        log, left_out, mean, some = self.logs(cells)
        pulls, degrees, misses = [], [], []
        for mine, one in self.series:
            weeks = some[mine].any(axis=0)
            if weeks.any():
                pulls.append(float(mean[mine].sum() / mean.sum()) * one.error(weeks))
                degrees.append(one.first - 3)
                misses.append(one.found.misses)
        pull = np.array(pulls)
        together = _correlation(misses)
        variance = (1 - together) * float(pull @ pull) + together * float(pull.sum()) ** 2
        share = pull**2 / max(float(pull @ pull), 1e-300)
        return Ratios(
            log, left_out, mean, some, float(np.sqrt(variance)), float(share @ np.array(degrees))
        )


def _correlation(misses: list[Floats]) -> float:
    """Mean correlation of the groups' misses in the weeks that they share; 0 at least."""
    if len(misses) < 2:
        return 0.0
    shortest = min(m.size for m in misses)
    table = np.corrcoef([m[2:shortest] for m in misses])
    return float(np.clip(table[np.triu_indices(len(table), 1)].mean(), 0.0, 1.0))
