"""Group-time effects: each group of units, by its date, against units that are not yet live.

The groups' effects of each week are kept apart, and only then averaged (Callaway & Sant'Anna 2021).
Written here in NumPy rather than taken from diff-diff 3.13, which gives the same numbers (a test
compares): that takes 0.8 s for a fit of 49 services × 78 weeks, so that leaving out each unit in
turn would take most of a minute; it averages units whatever their traffic, where the calls removed
are wanted; and it knows levels and logs, where counts may be 0.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.left_out import Foretold, leave_one_out
from ccanalytics.statistics.effects.panel import Panel
from ccanalytics.statistics.effects.panel_effect import assessed
from ccanalytics.statistics.effects.two_way import shifts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.statistics.effects.panel_effect import PanelEffect

    Floats = NDArray[np.float64]
    Controls = Literal["not_yet", "never"]

__all__ = ["group_time", "group_time_effects"]

_METHOD = (
    "Group-time effects on counts (Callaway and Sant'Anna): each group of units by its date, its "
    "{base} weeks before going live and the weeks since, against the same weeks of units that "
    "{are}; limits by leaving out one unit at a time."
)
_ARE = {"not_yet": "were not live yet", "never": "never went live"}


def group_time(
    calls: Any,
    live: Any,
    *,
    units: Sequence[str],
    weeks: Sequence[dt.date],
    others: Mapping[str, Any] | None = None,
    outside: Sequence[str] = (),
    controls: Controls = "not_yet",
    base_weeks: int = 8,
    name: str = "The roll-out",
    min_weeks: int = 8,
    level: float = 0.95,
) -> PanelEffect:
    """Estimate a roll-out group by group from the weeks just before each went live.

    For group g in week t, calls that would have come are the group's own in the ``base_weeks``
    before it went live, times Σ calls of controls in week t over Σ of their calls in those same
    base weeks. It uses less of the history than `staggered`: it is less precise, but a drift that
    lasted years moves it less. Calls are divided by the factors of other changes first, estimated
    on untreated cells (`staggered` has the model).

    Parameters
    ----------
    calls, live, units, weeks, others, outside, name, min_weeks, level
        As for :func:`staggered`.
    controls
        ``not_yet``: units not live in week t; ``never``: those that do not go live in the span.
    base_weeks
        Weeks before going live to compare with; 1 is the textbook's, and noisy.

    Raises
    ------
    InputError, DataError
        As :func:`staggered`.

    References
    ----------
    Callaway & Sant'Anna (2021), Difference-in-differences with multiple time periods, Journal of
    Econometrics 225, 200–230.

    Examples
    --------
    >>> import datetime as dt, numpy as np
    >>> from ccanalytics.statistics.effects import NEVER
    >>> weeks = [dt.date(2025, 1, 6) + dt.timedelta(weeks=k) for k in range(40)]
    >>> live = np.array([15, 20, 25, NEVER, NEVER, NEVER])
    >>> event = np.arange(40) - live[:, None]
    >>> calls = 1000.0 * np.arange(1, 7)[:, None] * np.where(event >= 0, 0.9, 1.0)
    >>> found = group_time(calls, live, units="abcdef", weeks=weeks)
    >>> round(found.relative.value, 6)
    -0.1
    """
    level = check_level(level)
    _check(controls, base_weeks)
    foretell = partial(_foretell, controls=controls, base_weeks=base_weeks)
    return assessed(
        Panel.of(calls, live, units, weeks, others, min_weeks, outside=outside),
        foretell,
        name=name,
        called="group_time",
        method=_METHOD.format(base=base_weeks, are=_ARE[controls]),
        level=level,
        inputs={
            "name": name,
            "controls": controls,
            "base_weeks": base_weeks,
            "min_weeks": min_weeks,
            "level": level,
        },
    )


def group_time_effects(outcome: Any, live: Any, *, controls: Controls = "not_yet") -> pl.DataFrame:
    """Give the effect on each group in each period, in the outcome's own unit.

    ATT(g, t) = mean over group g of (yₜ − y₉₋₁) less the same mean over the controls, for all
    periods; the base is the period before going live.

    Parameters
    ----------
    outcome
        Units × periods, such as logs of counts.
    live
        Units: period of going live; ``NEVER`` for those that do not. Period 0 is no date to go
        live on: there is nothing before it.
    controls
        ``not_yet`` or ``never``.

    Returns
    -------
    polars.DataFrame
        ``group`` and ``period`` (positions), ``event`` (periods since going live), ``units`` of
        the group, ``effect``. Means of it by ``units`` are the overall effect (event ≥ 0), the
        effect by event, and by group.

    Examples
    --------
    The 2 × 2 comparison is one group, two periods a side:

    >>> from ccanalytics.statistics.effects import NEVER
    >>> y = [[10, 11, 15, 18], [9, 10, 12, 13]]
    >>> group_time_effects(y, [2, NEVER])["effect"].to_list()
    [0.0, 0.0, 2.0, 4.0]
    """
    import polars as pl

    _check(controls, 1)
    y, start = np.atleast_2d(np.asarray(outcome, float)), np.asarray(live, np.int64)
    if start.shape != (len(y),) or not np.isfinite(y).all():
        raise InputError(
            "the outcome is units × periods, known everywhere, with one date for each unit",
            f"outcome {y.shape}, {start.size} dates",
        )
    if (start < 1).any():
        raise InputError("a unit that is live in the first period has no base", f"live={live!r}")
    event = np.arange(y.shape[1])[None, :] - start[:, None]
    base = _may_serve((event < 0).astype(float), start, controls)
    rows = []
    for group in np.unique(start[start < y.shape[1]]).tolist():
        mine = start == group
        at = np.maximum(np.arange(y.shape[1]), group)
        serves = base[:, at] * ~mine[:, None]
        change = y - y[:, [group - 1]]
        with np.errstate(invalid="ignore"):
            control = (serves * change).sum(axis=0) / serves.sum(axis=0)
        effect = change[mine].mean(axis=0) - control
        rows += [
            (group, t, t - group, int(mine.sum()), float(effect[t]))
            for t in range(y.shape[1])
            if np.isfinite(effect[t])
        ]
    names = ["group", "period", "event", "units", "effect"]
    return pl.DataFrame(rows, schema=names, orient="row")


def _check(controls: str, base_weeks: int) -> None:
    if not isinstance(controls, str) or controls not in _ARE:
        raise InputError("no such controls", f"controls={controls!r}", "'not_yet' or 'never'")
    if isinstance(base_weeks, bool) or not isinstance(base_weeks, int) or base_weeks < 1:
        raise InputError("base_weeks is a whole number, 1 or more", f"base_weeks={base_weeks!r}")


def _may_serve(untreated: Floats, start: Any, controls: str) -> Floats:
    if controls == "never":
        return untreated * (start >= untreated.shape[1])[:, None]
    return untreated


def _foretell(panel: Panel, ahead: int, *, controls: str, base_weeks: int) -> Foretold:
    calls, span = panel.calls, panel.calls.shape[1]
    keep = leave_one_out(len(calls))
    base = panel.base(ahead)
    factor = shifts(calls, base[None] * keep[:, :, None], panel.others)
    y = calls[None] / factor
    start = np.where(panel.goes_live, panel.start - ahead, span)
    serves = _may_serve(base, start, controls)
    foretold = np.full((len(keep), *calls.shape), np.nan)
    for group in np.unique(start[start < span]).tolist():
        if group < min(base_weeks, panel.min_weeks, 4):
            continue
        mine = np.flatnonzero(start == group)
        before = y[:, :, max(group - base_weeks, 0) : group].mean(axis=2)
        # Before it went live a group is held against those that could serve on the day.
        now = serves[:, np.maximum(np.arange(span), group)]
        counted = np.einsum("ki,it,kit->kt", keep, now, y)
        usual = (keep * before) @ now
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.where(usual > 0, counted / usual, np.nan)
        foretold[:, mine] = before[:, mine, None] * change[:, None, :] * factor[:, mine]
    return Foretold(calls, foretold)
