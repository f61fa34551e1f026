"""How often subscribers call, and in which months more: measured from what the log holds."""

from __future__ import annotations

from calendar import month_name
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DAYS_A_MONTH", "ContactPattern", "contact_pattern"]

DAYS_A_MONTH = 365.25 / 12
_WHOLE_YEAR = 12


@dataclass(frozen=True, eq=False, kw_only=True)
class ContactPattern(Result):
    """Calls per subscriber and month, and the seasons.

    Attributes
    ----------
    frame
        Per whole month of the log: ``month`` (its first day), ``calls``, ``calls_per_day``,
        ``subscribers`` and ``contact_rate`` (null where the log has no customers).
    contact_rate
        Calls per subscriber in a month of average length, over all whole months; None if unknown.
    subscribers
        In the last month of the log, which need not be whole; None if unknown.
    calls_per_day
        Over all days of the log, those without calls included.
    growth
        Of subscribers a month, over the months of the log; None if unknown.
    next_month
        First day of the month after the last one that the log touches.
    seasons
        Month 1–12 → calls of that month over an average month's; None if not to be had.
    missing
        Why, for ``contact_rate`` and ``seasons``.
    """

    frame: pl.DataFrame
    contact_rate: float | None
    subscribers: float | None
    calls_per_day: float
    growth: float | None
    next_month: date
    seasons: dict[int, float] | None
    missing: dict[str, str]

    def summary(self) -> str:
        """Rate and seasons, or why they are unknown."""
        if self.contact_rate is None:
            told = [f"How often subscribers call is unknown: {self.missing['contact_rate']}."]
        else:
            rates = self.frame["contact_rate"].drop_nulls().to_numpy()
            span = f"{rates.min():.3f} to {rates.max():.3f} by month, " if rates.size > 1 else ""
            told = [
                f"Subscribers call {self.contact_rate:.3f} times a month ({span}"
                f"{counted(rates.size, 'whole month')} of the log)."
            ]
            if self.growth is not None:
                told.append(f"Their number changes by {self.growth:+.2%} a month.")
        if self.seasons is None:
            told.append(
                f"Seasons cannot be measured: {self.missing['seasons']}; every month is taken as "
                "average unless you give others."
            )
        else:
            high = max(self.seasons, key=lambda month: self.seasons[month])  # type: ignore[index]
            low = min(self.seasons, key=lambda month: self.seasons[month])  # type: ignore[index]
            told.append(
                f"Busiest month {month_name[high]} ({self.seasons[high] - 1:+.1%}), quietest "
                f"{month_name[low]} ({self.seasons[low] - 1:+.1%})."
            )
        return " ".join(told)

    def to_frame(self) -> pl.DataFrame:
        """Give the months."""
        return self.frame


def contact_pattern(days: Any, subscribers: Any = None) -> ContactPattern:
    """Measure calls per subscriber and month, and seasonal indices by month.

    Parameters
    ----------
    days
        Frame of ``log.intervals("1d")`` or ``log.demand("1d", calls="arrived")``.
    subscribers
        Frame of ``log.subscribers("1mo")``; None where the log has no customers.

    Returns
    -------
    ContactPattern
        A contact rate needs one whole month and customers; seasons need every month of the year.
        With customers seasons are those of the rate, so that growth does not pass for season.

    Raises
    ------
    InputError
        A frame without days or without calls.
    """
    import polars as pl

    calls = next((n for n in ("arrived", "calls") if n in getattr(days, "columns", ())), None)
    if calls is None or "local_start" not in days.columns:
        raise InputError(
            "this is no frame of days with their calls",
            f"days: {type(days).__name__}",
            'take log.intervals("1d")',
        )
    month = pl.col("local_start").dt.date().dt.truncate("1mo")
    frame = (
        days.group_by(month.alias("month"))
        .agg(calls=pl.col(calls).sum().cast(pl.Float64), _days=pl.len())
        .filter(pl.col("_days") == pl.col("month").dt.month_end().dt.day())
        .with_columns(calls_per_day=pl.col("calls") / pl.col("_days"))
        .sort("month")
    )
    if subscribers is None:
        frame = frame.with_columns(subscribers=pl.lit(None, pl.Float64))
    else:
        if not isinstance(subscribers, pl.DataFrame) or not {
            "local_start", "subscribers"
        } <= set(subscribers.columns):  # fmt: skip
            raise InputError(
                "subscribers are a frame with local_start and subscribers",
                f"subscribers: {type(subscribers).__name__}",
                "give log.subscribers(), or None",
            )
        known = subscribers.select(
            month=pl.col("local_start").dt.date(), subscribers=pl.col("subscribers")
        )
        frame = frame.join(known, on="month", how="left", maintain_order="left")
    a_month = pl.col("calls_per_day") * DAYS_A_MONTH
    some = pl.col("subscribers") > 0
    frame = frame.with_columns(
        contact_rate=pl.when(some).then(a_month / pl.col("subscribers"))
    ).drop("_days")
    missing = {}
    rated = frame.filter(pl.col("contact_rate").is_not_null())
    if not frame.height:
        missing["contact_rate"] = "the log holds no whole month"
    elif not rated.height:
        missing["contact_rate"] = "the log does not know how many customers there are"
    seasons, why = _seasons(rated if rated.height else frame)
    if why:
        missing["seasons"] = why
    return ContactPattern(
        frame=frame,
        contact_rate=float(rated["contact_rate"].mean()) if rated.height else None,
        subscribers=None
        if subscribers is None or not subscribers.height
        else float(subscribers["subscribers"][-1]),
        calls_per_day=float(days[calls].sum()) / days.height if days.height else 0.0,
        growth=_growth(subscribers),
        next_month=_month_after(days["local_start"].max()),
        seasons=seasons,
        missing=missing,
        inputs={"months": frame.height},
        checks=_checks(frame, rated, seasons),
    )


def _growth(subscribers: Any) -> float | None:
    """Mean change a month, from the first month to the last; a cut month counts with its days."""
    if subscribers is None or subscribers.height < 2:
        return None
    first, last = subscribers["subscribers"][0], subscribers["subscribers"][-1]
    return float((last / first) ** (1 / (subscribers.height - 1)) - 1) if first and last else None


def _month_after(moment: Any) -> date:
    if moment is None:
        raise DataError("there is no day at all", "days: 0 rows", "widen start and end")
    return (moment.date().replace(day=28) + timedelta(days=4)).replace(day=1)


def _seasons(frame: pl.DataFrame) -> tuple[dict[int, float] | None, str]:
    import polars as pl

    rates = frame["contact_rate"].null_count() == 0
    value = "contact_rate" if rates and frame.height else "calls_per_day"
    by_month = (
        frame.group_by(pl.col("month").dt.month().alias("_m")).agg(pl.col(value).mean()).sort("_m")
    )
    if by_month.height < _WHOLE_YEAR:
        return None, (
            f"they take every month of a year, and the log holds {by_month.height} of them whole"
        )
    mean = float(by_month[value].mean())  # type: ignore[arg-type]
    if not mean:
        return None, "no month has any call"
    return {int(m): float(x) / mean for m, x in by_month.iter_rows()}, ""


def _checks(
    frame: pl.DataFrame, rated: pl.DataFrame, seasons: dict[int, float] | None
) -> tuple[Check, ...]:
    checks = []
    if seasons is not None and frame.height < 2 * _WHOLE_YEAR:
        words = "one year only: what happened once looks like a season"
        if not rated.height:
            words += ", and without the number of customers their growth does so too"
        checks.append(Check("Seasons", "informs", words))
    return tuple(checks)
