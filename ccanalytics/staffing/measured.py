"""What agents' time went into: occupancy, utilisation, shrinkage by component, adherence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.staffing.shrinkage import Shrinkage
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import as_polars, check_counts

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["MeasuredShrinkage", "measured_shrinkage"]

ON_CALLS = ("available", "handling", "wrap")
_BUSY = ("handling", "wrap")
_COLUMNS = ("activity", "state", "overlapping", "seconds")
_FEW = 10
ABSENT = "absent"


@dataclass(frozen=True, eq=False, kw_only=True)
class MeasuredShrinkage(Result):
    """Where paid time went.

    Attributes
    ----------
    occupancy
        Handling and after-call work over these and available time.
    utilisation
        Handling and after-call work over paid time.
    shrinkage
        The components, all as shares of paid time, as ``requirement(shrinkage=…)`` takes them.
    share
        Of paid time not spent on calls, all components together.
    adherence
        Share of scheduled time in which the right activity was done; None without a schedule.
    conformance
        Time on calls over time scheduled for calls, whenever it was (may exceed 1); None without.
    frame
        Per component: ``component``, ``base``, ``share`` with limits, ``seconds``, and the part
        that the schedule had ``planned`` (share of paid time; null without a schedule).
    """

    occupancy: Estimate
    utilisation: Estimate
    shrinkage: Shrinkage
    share: Estimate
    adherence: Estimate | None
    conformance: Estimate | None
    frame: pl.DataFrame

    def summary(self) -> str:
        """The shares in words, and what paid time means here."""
        fit = ""
        if self.adherence is not None and self.conformance is not None:
            fit = (
                f" Adherence (right activity at the right moment) is "
                f"{self.adherence.format('{:.2%}')}, conformance (time on calls over time "
                f"scheduled for them) {self.conformance.format('{:.2%}')}."
            )
        return (
            f"Agents on calls were busy {self.occupancy.format('{:.1%}')} of the time (occupancy), "
            f"and {self.utilisation.format('{:.1%}')} of paid time (utilisation). Measured "
            f"{self.shrinkage.describe()}.{fit} Paid time is {self.inputs['paid']}: "
            f"{self.inputs['paid_s'] / 3600:,.0f} hours of {self.inputs['agents']} agents."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the components."""
        return self.frame


def measured_shrinkage(activities: Any, *, level: float = 0.95) -> MeasuredShrinkage:
    """Measure occupancy, utilisation, shrinkage, adherence and conformance.

    Paid time is scheduled time (an unpaid break does not belong in a schedule), or recorded time
    where there is no schedule. Each second of it was spent on calls (``available``, ``handling``,
    ``wrap``) or in one component: ``break``, ``meeting``, ``training``, ``other``, or ``absent``
    (scheduled, and nothing recorded). So shrinkage is 1 − time on calls/paid, and the components
    add. Work outside the schedule counts towards occupancy and conformance, not towards paid time.

    Parameters
    ----------
    activities
        Frame of ``log.activities()``, by agent: ``agent``, ``activity``, ``state``,
        ``overlapping``, ``seconds``.
    level
        Of the limits, 0–1: ratios of sums with a variance over agents, whose days are alike, and
        Student's t.

    Raises
    ------
    DataError
        No paid time, or nobody on calls.

    Examples
    --------
    A day of 480 minutes, 25 of them off schedule:

    >>> import polars as pl
    >>> day = pl.DataFrame({
    ...     "agent": ["a"] * 3, "activity": ["calls", "break", "calls"],
    ...     "state": ["available", "break", "break"], "overlapping": [False] * 3,
    ...     "seconds": [60.0 * 425, 60.0 * 30, 60.0 * 25]})
    >>> found = measured_shrinkage(day)
    >>> f"{found.adherence.value:.2%}", round(found.shrinkage.share, 4)
    ('94.79%', 0.1146)
    """
    import polars as pl

    level = check_level(level)
    rows = as_polars(activities, "activities", ["agent", *_COLUMNS], "log.activities()")
    check_counts(rows, ["seconds"], "activities")
    planned = rows["activity"].is_not_null().any()
    state, seconds = pl.col("state"), pl.col("seconds")
    done = pl.when(state.is_in(ON_CALLS)).then(pl.lit("calls")).otherwise(state)
    done = done.fill_null(ABSENT)
    paid = pl.col("activity").is_not_null() if planned else state.is_not_null()
    rows = rows.with_columns(_done=done, _paid=paid)
    names = sorted(rows.filter("_paid")["_done"].unique().to_list())
    names = [name for name in names if name != "calls"]

    def total(condition: pl.Expr) -> pl.Expr:
        return seconds.filter(condition).sum()

    on_calls = state.is_in(ON_CALLS).fill_null(False)
    busy = state.is_in(_BUSY).fill_null(False)
    per = rows.group_by("agent", maintain_order=True).agg(
        paid=total(pl.col("_paid")),
        busy=total(busy),
        on_calls=total(on_calls),
        paid_busy=total(busy & pl.col("_paid")),
        kept=total((pl.col("_done") == pl.col("activity")).fill_null(False)),
        for_calls=total((pl.col("activity") == "calls").fill_null(False)),
        off=total(pl.col("_paid") & (pl.col("_done") != "calls")),
        **{f"_{name}": total(pl.col("_paid") & (pl.col("_done") == name)) for name in names},
    )
    table = {name: per[name].to_numpy() for name in per.columns if name != "agent"}
    if not table["paid"].sum() or not table["on_calls"].sum():
        raise DataError(
            "there is no time on calls to measure",
            f"{table['paid'].sum():,.0f} s of paid time, {table['on_calls'].sum():,.0f} s on calls",
            "load agent_states and schedules that cover the same days",
        )

    def ratio(top: str, bottom: str) -> Estimate:
        return _ratio(table[top], table[bottom], level)

    components = {name: ratio(f"_{name}", "paid") for name in names}
    all_paid = float(table["paid"].sum())
    plans = {
        name: float(rows.filter(pl.col("activity") == name)["seconds"].sum()) / all_paid
        for name in names
    }
    frame = pl.DataFrame(
        [
            (name, "paid", found.value, max(found.low, 0.0), min(found.high, 1.0),
             float(table[f"_{name}"].sum()), plans[name] if planned else None)
            for name, found in components.items()
        ],
        schema={"component": pl.String, "base": pl.String, "share": pl.Float64,
                "share_low": pl.Float64, "share_high": pl.Float64, "seconds": pl.Float64,
                "planned": pl.Float64},
        orient="row",
    )  # fmt: skip
    extra = float(rows.filter(~pl.col("_paid"))["seconds"].sum())
    twice = float(rows.filter("overlapping")["seconds"].sum())
    agents = per.height
    return MeasuredShrinkage(
        occupancy=ratio("busy", "on_calls"),
        utilisation=ratio("paid_busy", "paid"),
        shrinkage=Shrinkage(paid={name: e.value for name, e in components.items()}),
        share=ratio("off", "paid"),
        adherence=ratio("kept", "paid") if planned else None,
        conformance=(
            ratio("on_calls", "for_calls") if planned and table["for_calls"].sum() else None
        ),
        frame=frame,
        inputs={"level": level, "agents": agents, "paid_s": all_paid,
                "paid": "scheduled time" if planned else "recorded time, there being no schedule"},
        checks=_checks(agents, bool(planned), extra, twice, all_paid),
    )  # fmt: skip


def _ratio(top: Floats, bottom: Floats, level: float) -> Estimate:
    """A ratio of sums, its variance over agents by linearisation."""
    from scipy.special import stdtrit

    value, n = float(top.sum() / bottom.sum()), top.size
    if n < 2:
        return Estimate(value, float("nan"), float("nan"), level)
    residual = top - value * bottom
    error = float(np.sqrt(n / (n - 1) * (residual @ residual)) / bottom.sum())
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * error
    return Estimate(value, max(value - half, 0.0), value + half, level)


def _checks(
    agents: int, planned: bool, extra: float, twice: float, paid: float
) -> tuple[Check, ...]:
    checks = [
        Check(
            "Agents behind the limits",
            "holds" if agents >= _FEW else "fails",
            f"{agents}" + ("" if agents >= _FEW else ": too few for limits that mean much"),
        ),
        Check(
            "Overlapping spells",
            "fails" if twice > 0 else "holds",
            f"{twice:,.0f} s in two states or two planned activities at once",
        ),
    ]
    if planned:
        checks.append(
            Check(
                "Work outside the schedule",
                "informs",
                f"{extra:,.0f} s, {extra / paid:.2%} of paid time, are in no schedule",
            )
        )
    else:
        checks.append(
            Check(
                "Schedule",
                "fails",
                "there is none, so absence, adherence and conformance cannot be seen",
            )
        )
    return tuple(checks)
