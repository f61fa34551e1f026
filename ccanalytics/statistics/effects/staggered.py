"""Staggered roll-outs: units that are live against units that are not yet, week by week.

What would have come is foretold from the cells that no roll-out has touched: the unit's own level
times the level of the week that units without the treatment show. No treated week helps to foretell
another, so effects may grow, fade and differ between units, where a regression on a dummy for
"live" would mix them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.left_out import Foretold, leave_one_out
from ccanalytics.statistics.effects.panel import NEVER, Panel
from ccanalytics.statistics.effects.panel_effect import assessed
from ccanalytics.statistics.effects.two_way import fitted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from ccanalytics.statistics.effects.panel_effect import PanelEffect

__all__ = ["NEVER", "staggered"]

_METHOD = (
    "Staggered difference in differences on counts: what untreated weeks foretell (Poisson, levels "
    "of units and weeks); limits by leaving out one unit at a time."
)


def staggered(
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
) -> PanelEffect:
    """Estimate a roll-out from when its units went live, not-yet-treated units being the control.

    On cells without the treatment log E[callsᵢₜ] = αᵢ + λₜ (+ Σ βₖ·otherₖᵢₜ), Poisson; with μᵢₜ
    what that foretells, the effect is Σ calls / Σ μ − 1 over live cells. The week of going live is
    left out, and so are weeks in which every unit is live: nothing says what they would have been.
    Limits are those of the jackknife over units, on the log, with Student's t; where few large
    units decide, their influences leave fewer degrees of freedom (Satterthwaite).

    Parameters
    ----------
    calls
        Units × weeks.
    live
        Position of the week in which each unit went live; ``NEVER`` for one that did not. A unit
        that was live before the first week has a position below 0 and is left out.
    units, weeks
        Names, and first days of the weeks.
    others
        Other changes by name, each units × weeks: the share of the week's days on which it was
        live. Estimated beside this one from cells without it.
    outside
        Units that the roll-out cannot reach, such as those of other customers. They serve as no
        control: the controls are held against them, to see whether calls moved there.
    name
        What went live, for the words.
    min_weeks
        Fewest weeks before it of a unit that is estimated.
    level
        Of the limits, 0–1.

    Raises
    ------
    InputError
        Arrays that do not fit each other, or counts that cannot be.
    DataError
        Another change cannot be told from this one; nothing or only one unit went live within the
        span; no unit is without it while others are live; or fewer than four units in all.

    References
    ----------
    Borusyak, Jaravel & Spiess (2024), Revisiting event-study designs: robust and efficient
    estimation, Review of Economic Studies 91; Wooldridge (2023), Simple approaches to nonlinear
    difference-in-differences with panel data, Econometrics Journal 26.
    """
    level = check_level(level)
    return assessed(
        Panel.of(calls, live, units, weeks, others, min_weeks, outside=outside),
        _foretell,
        name=name,
        called="staggered",
        method=_METHOD,
        level=level,
        inputs={"name": name, "min_weeks": min_weeks, "level": level},
    )


def _foretell(panel: Panel, ahead: int) -> Foretold:
    """Levels of units and weeks from untreated cells, then without each unit in turn."""
    base = panel.base(ahead)
    used = base[None] * leave_one_out(len(base))[:, :, None]
    mean = fitted(panel.calls, used, panel.others)
    known = (used.sum(axis=1) > 0)[:, None, :] & (base.sum(axis=1) > 0)[None, :, None]
    return Foretold(panel.calls, np.where(known, mean, np.nan))
