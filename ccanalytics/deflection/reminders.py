"""Reminders: what a reminder takes away on the days after it, and how long that lasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.effect import Grade, signed
from ccanalytics.statistics.effects.event_days import EventDays, event_days
from ccanalytics.statistics.frames import (
    as_kinds,
    as_polars,
    check_counts,
    check_known,
    check_texts,
)
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Reminders", "against_controls", "days_frame", "reminders"]

_COLUMNS = ("state", "on", "bill_day", "day", "weeks", "customers", "calls")
_SOURCE = "log.reminded()"
_MOST_DATES = 80  # days of reminders up to which each has a level of its own
_BLOCK_DAYS = 28  # a level per so many days otherwise
_TENURE_WEEKS = 4
_FEWEST_DATES = 6  # days of reminders below which an answer is weak


@dataclass(frozen=True, eq=False, kw_only=True)
class Reminders(Result):
    """What reminders did to the calls of those who take them.

    Attributes
    ----------
    relative
        Change of calls on the days of the window, as a share: −0.15 is 15% fewer.
    errors
        Standard errors of log(1 + relative): ``all`` days of the window, and ``day 0`` and on.
    removed
        Calls per 1,000 reminders that would have come within the window, less those that did.
    fading
        How the ratio of calls with to without changes with four more weeks of subscription, less
        1: above 0 the effect fades; None: too few weeks.
    window_days
        Days over which a reminder is taken to work, its own included.
    reminders, dates, customers
        Reminders in the answer, days on which they were sent, and most customers reminded at once.
    by_day
        Per day since a reminder: ``day``, ``customer_days``, ``calls``, ``relative`` with limits;
        days beyond the window are the reference.
    by_weeks
        Per four weeks since subscribing: ``weeks``, ``customer_days``, ``relative`` with limits.
    placebo
        The same estimate for customers whose subscription was over, on the same days; its level
        is such that both tests of the answer hold together.
    grade, reason
        How far to trust it, and why no further.
    """

    relative: Estimate
    errors: dict[str, float]
    removed: Estimate
    fading: Estimate | None
    window_days: int
    reminders: int
    dates: int
    customers: int
    by_day: pl.DataFrame
    by_weeks: pl.DataFrame
    placebo: Estimate | None
    grade: Grade
    reason: str

    def headline(self) -> str:
        """Give the answer alone, in one or two sentences."""
        days = f"in the {counted(self.window_days, 'day')} from a reminder on"
        change = self.relative
        limits = f"{signed(change.low)} to {signed(change.high)}"
        level = f"{100 * change.level:g}% interval"
        fewer = "fewer" if change.value <= 0 else "more"
        if not change.excludes_zero:
            return (
                f"Reminders: no change of calls that the data can show {days}; the estimate is "
                f"{abs(change.value):.1%} {fewer}, and anything from {limits} fits ({level})."
            )
        removed = self.removed if change.value <= 0 else _turned(self.removed)
        return (
            f"Reminders: {abs(change.value):.1%} {fewer} calls {days} than would have come "
            f"({level} {limits}), {removed.value:,.1f} per 1,000 reminders "
            f"({removed.low:,.1f} to {removed.high:,.1f}). {self._course()}"
        )

    def summary(self) -> str:
        """Give the answer, its grade with the reason, and the method."""
        return (
            f"{self.headline()} Grade: {self.grade}, since {self.reason}. Days after reminders "
            "against later days of the same customers, customers of the same bill day who never "
            "subscribed showing what the calendar does; errors clustered by date. It rests on "
            f"{counted(self.reminders, 'reminder')} on {counted(self.dates, 'day')}."
        )

    def _course(self) -> str:
        if self.fading is None:
            return "Whether it fades with the weeks of a subscription is not known."
        if not self.fading.excludes_zero:
            return "It is not seen to change with the weeks of a subscription."
        weaker = (self.fading.value > 0) == (self.relative.value < 0)
        return f"It grows {'weaker' if weaker else 'stronger'} with the weeks of a subscription."

    def to_frame(self) -> pl.DataFrame:
        """Give the effect by day since the reminder."""
        return self.by_day


def reminders(
    days: Any, *, window_days: int = 5, facts: Any = None, level: float = 0.95
) -> Reminders:
    """Estimate what reminders take away: an event study around the days they are sent.

    Calls of those reminded, by day since the last reminder, against those of customers of the same
    bill day on the same date who never subscribed, so that weekdays, holidays and bills drop out.
    Both groups may call differently often: the days of those reminded that lie beyond the window
    are the reference, reminder by reminder, so that both are of the same customers.

    Parameters
    ----------
    days
        Frame of ``CallLog.reminded()``.
    window_days
        Days over which a reminder is taken to work, its own included.
    facts
        Frame of ``CallLog.reminder_facts()``: adds what is not known of the messages.
    level
        Level of the limits.

    Raises
    ------
    InputError
        A frame without its columns, or a window that is no whole number of days.
    DataError
        Nobody was reminded, nobody was not, or no day lies beyond the window.
    """
    import polars as pl

    level = check_level(level)
    if isinstance(window_days, bool) or not isinstance(window_days, int) or window_days < 1:
        raise InputError("a window is whole days, 1 or more", f"window_days={window_days!r}", "")
    frame = days_frame(days)
    mine = frame.filter(pl.col("state") == "reminded", pl.col("day") >= 0)
    control = frame.filter(pl.col("state") == "never subscribed")
    if not mine.height:
        raise DataError("nobody was reminded", "no row of state 'reminded'", "load reminders")
    if not control.height:
        raise DataError(
            "everybody takes reminders, so nothing shows what the calendar alone does",
            "no row of state 'never subscribed'",
            "keep some customers without, by lot",
        )
    longest = int(mine["day"].max())  # type: ignore[arg-type]
    if longest < window_days:
        raise DataError(
            "no day lies beyond the window, to compare with",
            f"window_days={window_days}, longest time since a reminder {longest} days",
            "take a shorter window",
        )
    inside = pl.col("day") < window_days
    whole = against_controls(mine, control, [inside])
    each = against_controls(mine, control, [pl.col("day") == k for k in range(window_days)])
    relative = whole.relative(0, level)
    within = mine.filter(inside)
    sent = int(mine.filter(pl.col("day") == 0)["customers"].sum())
    came = float(within["calls"].sum()) / max(sent, 1) * 1000
    value, low, high = (
        came * (1 / (1 + r) - 1) for r in (relative.value, relative.high, relative.low)
    )
    dates = mine.filter(pl.col("day") == 0)["on"].n_unique()
    # Two tests share the chance of a false alarm.
    strict = 1 - (1 - level) / 2
    placebo = _placebo(frame, control, mine, window_days, strict)
    by_weeks, fading = _by_weeks(mine, control, window_days, level)
    beyond = (
        against_controls(
            mine,
            control,
            [inside, pl.col("day") >= max(window_days + 1, (window_days + longest) // 2)],
        )
        if longest > window_days + 1
        else None
    )
    checks = _checks(placebo, beyond, facts, mine, strict)
    grade, reason = _graded(placebo, dates)
    return Reminders(
        inputs={"window_days": window_days, "level": level},
        checks=checks,
        relative=relative,
        errors={"all": whole.error(0), **{f"day {k}": each.error(k) for k in range(window_days)}},
        removed=Estimate(value, low, high, level),
        fading=fading,
        window_days=window_days,
        reminders=sent,
        dates=dates,
        customers=int(mine.group_by("on").agg(pl.col("customers").sum())["customers"].max()),  # type: ignore[arg-type]
        by_day=_by_day(mine, each, window_days, level),
        by_weeks=by_weeks,
        placebo=placebo,
        grade=grade,
        reason=reason,
    )


def days_frame(days: Any) -> pl.DataFrame:
    """Check a frame of ``CallLog.reminded()``."""
    frame = as_polars(days, "days", _COLUMNS, _SOURCE)
    check_counts(frame, ["customers", "calls"], "days")
    check_known(frame, ["state", "on", "customers", "calls"], "days")
    check_texts(frame, ["state"], "days")
    whole = dict.fromkeys(("bill_day", "day", "weeks"), "whole")
    return as_kinds(frame, "days", {"on": "date", **whole})


def against_controls(
    mine: pl.DataFrame, control: pl.DataFrame, columns: list[Any], *, blocks: bool = True
) -> EventDays:
    """Fit indicators of a group's days against controls of the same date and bill day."""
    import polars as pl

    names = [f"x{k}" for k in range(len(columns))]
    first = min(mine["on"].to_list())
    number = (pl.col("on") - first).dt.total_days()
    sent = number - pl.col("day")
    if not blocks:
        block = pl.lit(0)
    elif mine.select(sent.n_unique()).item() <= _MOST_DATES:
        # Whoever got a reminder is there on all days until the next, and nobody else.
        block = sent
    else:
        block = number // _BLOCK_DAYS
    told = mine.with_columns(_block=block, **dict(zip(names, columns, strict=True)))
    keys = ["on", "bill_day", "_block", *names]
    cells = told.group_by(keys).agg(pl.col("customers", "calls").sum())
    others = control.group_by("on", "bill_day").agg(
        people=pl.col("customers").sum(), came=pl.col("calls").sum()
    )
    cells = cells.join(others, on=["on", "bill_day"], nulls_equal=True).sort(keys)
    if not cells.height:
        raise DataError("no control has the same bill day and date", "bill_day", "load bill days")
    day = cells.select(number).to_series().to_numpy()
    bill = cells["bill_day"].fill_null(0).to_numpy()
    return event_days(
        cells["calls"].to_numpy(),
        cells["customers"].to_numpy(),
        cells["came"].to_numpy(),
        cells["people"].to_numpy(),
        cells.select(pl.col(names).cast(pl.Float64)).to_numpy(),
        bill * 100_000 + cells["_block"].to_numpy(),
        day,
    )


def _by_day(mine: pl.DataFrame, each: EventDays, window: int, level: float) -> pl.DataFrame:
    import polars as pl

    sums = mine.group_by("day").agg(pl.col("customers", "calls").sum()).sort("day")
    found = [each.relative(k, level) for k in range(window)]
    limits = pl.DataFrame(
        {
            "day": range(window),
            "relative": [e.value for e in found],
            "relative_low": [e.low for e in found],
            "relative_high": [e.high for e in found],
        },
        schema_overrides={"day": pl.Int64},
    )
    return sums.rename({"customers": "customer_days"}).join(limits, on="day", how="left")


def _by_weeks(
    mine: pl.DataFrame, control: pl.DataFrame, window: int, level: float
) -> tuple[pl.DataFrame, Estimate | None]:
    """The effect by four weeks of subscription, each against days beyond the window of the same
    weeks; and whether it changes along them."""
    import polars as pl

    told = mine.drop_nulls("weeks").with_columns(_t=pl.col("weeks") // _TENURE_WEEKS)
    inside, rows = pl.col("day") < window, []
    for t in sorted(told["_t"].unique().to_list()):
        part = told.filter(pl.col("_t") == t)
        try:
            found = against_controls(part, control, [inside]).relative(0, level)
        except DataError:
            continue
        first = int(t) * _TENURE_WEEKS
        span = f"{first}–{first + _TENURE_WEEKS - 1}"
        rows.append((span, int(part["customers"].sum()), found.value, found.low, found.high))
    names = ["weeks", "customer_days", "relative", "relative_low", "relative_high"]
    table = pl.DataFrame(rows, schema=names, orient="row")
    if len(rows) < 2:
        return table, None
    middle = pl.col("_t") - float(told["_t"].mean())  # type: ignore[arg-type]
    try:
        slope = against_controls(told, control, [inside, middle, inside.cast(pl.Float64) * middle])
    except DataError:
        return table, None
    return table, slope.relative(2, level)


def _placebo(
    frame: pl.DataFrame, control: pl.DataFrame, mine: pl.DataFrame, window: int, level: float
) -> Estimate | None:
    """The estimate among those whose subscription was over, as if they had been reminded."""
    import polars as pl

    over = frame.filter(pl.col("state") == "expired", pl.col("day") >= window)
    sent = mine.filter(pl.col("day") == 0).group_by("on").agg(n=pl.col("customers").sum())
    days = (
        sent.filter(pl.col("n") > 0.05 * max(sent["n"].to_list(), default=0))
        .select("on", last="on")
        .sort("on")
    )
    if not over.height or not days.height:
        return None
    since = (
        over.sort("on").join_asof(days, on="on", strategy="backward")
        .with_columns(day=(pl.col("on") - pl.col("last")).dt.total_days())
        .drop_nulls("day")
    )  # fmt: skip
    try:
        found = against_controls(since, control, [pl.col("day") < window], blocks=False)
    except DataError:
        return None
    return found.relative(0, level)


def _checks(
    placebo: Estimate | None, beyond: EventDays | None, facts: Any, mine: pl.DataFrame, level: float
) -> tuple[Check, ...]:
    import polars as pl

    checks = []
    if placebo is None:
        detail = "nobody's subscription ended in time to be watched afterwards"
        checks.append(Check("Placebo after expiry", "informs", detail))
    else:
        seen = f"{signed(placebo.value)}, {signed(placebo.low)} to {signed(placebo.high)}"
        checks.append(
            Check("Placebo after expiry", "fails",
                  f"an 'effect' also appears among those who no longer get reminders ({seen})")
            if placebo.excludes_zero
            else Check("Placebo after expiry", "holds",
                       f"none among those who no longer get reminders, on the same days ({seen})")
        )  # fmt: skip
    if beyond is not None:
        later = beyond.relative(1, level)
        seen = f"{signed(later.value)}, {signed(later.low)} to {signed(later.high)}"
        checks.append(
            Check("Days beyond the window", "fails",
                  f"they still change ({seen} on the later ones): the effect lasts longer than the "
                  "window, or calls were only put off")
            if later.excludes_zero
            else Check("Days beyond the window", "holds", f"alike, earlier and later ({seen})")
        )  # fmt: skip
    if mine["bill_day"].null_count():
        some = int(mine.filter(pl.col("bill_day").is_null())["customers"].sum())
        part = some / int(mine["customers"].sum())
        detail = f"unknown of {part:.0%} of customer-days, which are compared with each other"
        checks.append(Check("Bill days", "informs", detail))
    if facts is not None:
        told = as_polars(facts, "facts", ("messages", "unknown"), "log.reminder_facts()")
        unknown, sent = int(told["unknown"].sum()), int(told["messages"].sum())
        if unknown:
            detail = (
                f"{unknown:,} of {counted(sent, 'message')} went to customers the log does not "
                "know: left out"
            )
            checks.append(Check("Unknown customers", "informs", detail))
    return tuple(checks)


def _graded(placebo: Estimate | None, dates: int) -> tuple[Grade, str]:
    if placebo is not None and placebo.excludes_zero:
        return "weak", (
            "the same days show an effect among customers who no longer get reminders: the "
            "calendar moves both groups differently"
        )
    if dates < _FEWEST_DATES:
        return "weak", f"reminders went out on only {counted(dates, 'day')}"
    return "moderate", (
        "those reminded chose to be, and a call put off beyond the window counts as one less"
    )


def _turned(estimate: Estimate) -> Estimate:
    return Estimate(-estimate.value, -estimate.high, -estimate.low, estimate.level)
