"""Expiry: what happens to calls when the reminders of a term come to their end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.deflection.reminders import against_controls, days_frame
from ccanalytics.errors import DataError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.effect import Grade, signed
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Expiry", "expiry"]

_FEWEST = 30  # customers below which nothing is said


@dataclass(frozen=True, eq=False, kw_only=True)
class Expiry(Result):
    """What the end of reminders did to the calls of those who did not renew.

    Attributes
    ----------
    relative
        Change of calls in the weeks after the end over those before, as a share.
    customers
        Whose term ended while they stayed customers, with all days around it in the log.
    days
        Days on either side.
    by_week
        Per week from the end: ``week`` (negative before), ``customers``, ``relative`` with limits,
        against all weeks before (those after), or the other weeks before.
    trend
        Change of the later half of the days before over the earlier: 0 if the end changed nothing
        beforehand.
    grade, reason
        How far to trust it, and why no further.
    """

    relative: Estimate
    customers: int
    days: int
    by_week: pl.DataFrame
    trend: Estimate
    grade: Grade
    reason: str

    def headline(self) -> str:
        """Give the answer alone, in one sentence."""
        change = self.relative
        limits = f"{signed(change.low)} to {signed(change.high)}"
        level = f"{100 * change.level:g}% interval"
        who = f"{counted(self.customers, 'customer')} whose reminders ended"
        if not change.excludes_zero:
            return (
                f"Expiry: no change of calls that the data can show among {who}; the estimate is "
                f"{signed(change.value)}, and anything from {limits} fits ({level})."
            )
        more = "more" if change.value > 0 else "fewer"
        return (
            f"Expiry: {who} made {abs(change.value):.1%} {more} calls in the {self.days} days "
            f"after than in those before ({level} {limits})."
        )

    def summary(self) -> str:
        """Give the answer, its grade with the reason, and the method."""
        return (
            f"{self.headline()} Grade: {self.grade}, since {self.reason}. Days around the end of "
            "the last term against customers of the same bill day who never subscribed, on the "
            "same dates; errors clustered by date."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the change by week from the end."""
        return self.by_week


def expiry(days: Any, *, renewed_by_lot: bool = False, level: float = 0.95) -> Expiry:
    """Estimate what the end of reminders does: the second experiment, around the end of a term.

    Parameters
    ----------
    days
        Frame of ``CallLog.reminded()``.
    renewed_by_lot
        Whether chance decided who was renewed. Where customers decide, those who let it end are
        others than those who renew, and may have lost interest: the answer is about them alone.
    level
        Level of the limits.

    Raises
    ------
    DataError
        Too few terms ended with enough days of the log around them: a term longer than the log
        leaves none.
    """
    import polars as pl

    level = check_level(level)
    frame = days_frame(days)
    mine = frame.filter(pl.col("state") == "expired").drop_nulls("day")
    control = frame.filter(pl.col("state") == "never subscribed")
    customers = int(mine.filter(pl.col("day") == 0)["customers"].sum())
    if customers < _FEWEST:
        raise DataError(
            "too few terms ended within the log to see what happens then",
            f"{counted(customers, 'customer')} with all days around the end in the log",
            "take a longer log than a term, or fewer around_days",
        )
    span = int(mine["day"].max()) + 1  # type: ignore[arg-type]
    after, late = pl.col("day") >= 0, pl.col("day") >= -span // 2
    whole = against_controls(mine, control, [after], blocks=False).relative(0, level)
    before = mine.filter(pl.col("day") < 0)
    trend = against_controls(before, control, [late], blocks=False).relative(0, level)
    weeks = range(-(span // 7), span // 7)
    week = pl.col("day").floordiv(7)
    later = against_controls(mine, control, [week == w for w in weeks if w >= 0], blocks=False)
    rows = []
    for w in weeks:
        n = int(mine.filter(week == w)["customers"].sum())
        if w >= 0:
            found = later.relative(w, level)
        else:
            found = against_controls(before, control, [week == w], blocks=False).relative(0, level)
        rows.append((w, n, found.value, found.low, found.high))
    names = ["week", "customer_days", "relative", "relative_low", "relative_high"]
    seen = f"{signed(trend.value)}, {signed(trend.low)} to {signed(trend.high)}"
    steady = (
        Check("Weeks before the end", "fails", f"calls already changed before it ({seen})")
        if (trend.excludes_zero)
        else Check("Weeks before the end", "holds", f"no change before it ({seen})")
    )
    grade, reason = _graded(trend, renewed_by_lot)
    return Expiry(
        inputs={"renewed_by_lot": renewed_by_lot, "level": level},
        checks=(steady,),
        relative=whole,
        customers=customers,
        days=span,
        by_week=pl.DataFrame(rows, schema=names, orient="row"),
        trend=trend,
        grade=grade,
        reason=reason,
    )


def _graded(trend: Estimate, by_lot: bool) -> tuple[Grade, str]:
    if trend.excludes_zero:
        return "weak", "calls already changed before the end"
    if not by_lot:
        return "weak", "customers chose not to renew: they may have needed the reminders less"
    return "moderate", "chance decided who was renewed, but those who were are not compared"
