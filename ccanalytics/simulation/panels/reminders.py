"""Small worlds of customers: daily calls around bill days, reminders, and waves that invite."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.simulation.panels.customers import Customers, ReminderParameters, draw_customers
from ccanalytics.simulation.panels.periods import check_size, check_whole, check_zone, day_of

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["ReminderTruth", "ReminderWorlds", "draw_reminders"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ReminderTruth:
    """The same customers and luck with and without the reminders, or without the waves.

    Attributes
    ----------
    since
        Days: whole days since the last reminder day; negative before the first.
    reached
        Customers × days: whether the last reminder was sent to them because of what is removed.
    expected, expected_without, realised, realised_without
        Customers × days: calls.
    window
        Days over which a reminder works.
    """

    since: NDArray[np.int64]
    reached: NDArray[np.bool_]
    expected: NDArray[np.float64]
    expected_without: NDArray[np.float64]
    realised: NDArray[np.int64]
    realised_without: NDArray[np.int64]
    window: int

    def by_day(self) -> pl.DataFrame:
        """One row per day since the reminder, within its window.

        Columns: day, customer_days, relative (Σ expected with / without − 1, over those reached),
        removed (expected calls per customer reached), and both as realised.
        """
        import polars as pl

        rows = []
        for day in range(self.window):
            cells = self.reached & (self.since == day)
            if n := int(cells.sum()):
                rows.append({"day": day, "customer_days": n, **self._of(cells)})
        return pl.DataFrame(rows)

    def overall(self) -> dict[str, float]:
        """Give the effect over the window: relative and removed, expected and realised.

        ``removed`` is per customer-day reached and within the window; nan where there is none.
        """
        return self._of(self.reached & (self.since >= 0) & (self.since < self.window))

    def _of(self, cells: NDArray[np.bool_]) -> dict[str, float]:
        n = int(cells.sum())
        found = {}
        for end, with_, without in (
            ("", self.expected, self.expected_without),
            ("_realised", self.realised, self.realised_without),
        ):
            came, would = float(with_[cells].sum()), float(without[cells].sum())
            found[f"relative{end}"] = came / would - 1 if would else float("nan")
            found[f"removed{end}"] = (would - came) / n if n else float("nan")
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class ReminderWorlds:
    """Worlds of customers, each drawn when asked for; world i depends on seed and i alone.

    Attributes
    ----------
    worlds, customers, seed
        How many worlds, customers in each, and the seed.
    days
        The days.
    time_zone
        IANA name.
    parameters
        The causes.
    """

    worlds: int
    customers: int
    seed: int
    days: tuple[dt.date, ...]
    time_zone: str
    parameters: ReminderParameters
    _last: dict[int, Customers] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return self.worlds

    def world(self, i: int) -> Customers:
        """Draw world ``i``, counted from 0.

        Raises
        ------
        InputError
            There is no such world.
        """
        if isinstance(i, bool) or not isinstance(i, (int, np.integer)) or not 0 <= i < self.worlds:
            raise InputError("there is no such world", f"world {i!r}", f"0 to {self.worlds - 1}")
        index = int(i)
        if index not in self._last:
            drawn = draw_customers(self.parameters, self.customers, self.days, self.seed, index)
            self._last.clear()
            self._last[index] = drawn
        return self._last[index]

    @cached_property
    def names(self) -> list[str]:
        """Codes of the customers."""
        width = len(str(self.customers))
        return [f"c{k:0{width}d}" for k in range(1, self.customers + 1)]

    def panel(self, i: int) -> pl.DataFrame:
        """Customers × days as a sparse table: customer, on (local date), calls; only calls > 0."""
        import polars as pl

        calls = self.world(i).calls()
        who, when = np.nonzero(calls)
        names, days = pl.Series(self.names), pl.Series(list(self.days), dtype=pl.Date)
        return pl.DataFrame({"customer": names[who], "on": days[when], "calls": calls[who, when]})

    def groups(self, i: int) -> pl.DataFrame:
        """Calls by day and kind of customer.

        Columns: on, bill_day, wave (number of the wave that invited them), subscribed (whether
        they were subscribed on that day), customers, calls.
        """
        import polars as pl

        world, span = self.world(i), len(self.days)
        every = np.repeat(np.arange(self.customers), span)
        frame = pl.DataFrame(
            {
                "day": np.tile(np.arange(span), self.customers),
                "bill_day": world.bill_day[every],
                "wave": world.wave[every],
                "subscribed": _between(world.subscribed_on, world.until, span).ravel(),
                "calls": world.calls().ravel(),
            }
        ).filter((np.arange(span) < world.left[:, None]).ravel())
        keys = ["day", "bill_day", "wave", "subscribed"]
        counted = frame.group_by(keys).agg(customers=pl.len(), calls=pl.col("calls").sum())
        on = pl.Series("on", list(self.days), dtype=pl.Date)[counted["day"]]
        return counted.insert_column(0, on).sort(keys).drop("day")

    def customers_table(self, i: int) -> pl.DataFrame:
        """Customer, bill_day, wave, wave_on (the day it invited them) and left_on."""
        import polars as pl

        world, span = self.world(i), len(self.days)
        return pl.DataFrame(
            {
                "customer": self.names,
                "bill_day": world.bill_day,
                "wave": world.wave,
                "wave_on": [self.days[0] + dt.timedelta(days=k) for k in world.wave_day.tolist()],
                "left_on": pl.Series(
                    [self._day(k, span) for k in world.left.tolist()], dtype=pl.Date
                ),
            }
        )

    def _day(self, number: int, span: int) -> dt.date | None:
        return self.days[0] + dt.timedelta(days=number) if number < span else None

    def subscriptions(self, i: int) -> pl.DataFrame:
        """Give the form of ``CallLog.table("subscriptions")``; own ones start before the span."""
        import polars as pl

        world = self.world(i)
        span = len(self.days)
        ended = np.minimum(world.until, np.where(world.left < span, world.left, world.until))
        who = np.flatnonzero((world.subscribed_on < span) & (ended > world.subscribed_on)).tolist()
        schema = {
            "customer": pl.String,
            "kind": pl.String,
            "started_on": pl.Date,
            "ended_on": pl.Date,
            "source": pl.String,
        }
        rows = []
        for c in who:
            day = int(world.subscribed_on[c])
            source = "keyword" if day < 0 else f"wave {world.wave[c]}"
            started = self.days[0] + dt.timedelta(days=day)
            rows.append((self.names[c], "bill", started, self._day(int(ended[c]), span), source))
        return pl.DataFrame(rows, schema=schema, orient="row")

    def reminders(self, i: int) -> pl.DataFrame:
        """Give the form of ``CallLog.table("reminders")``: sent at nine o'clock, local time."""
        import polars as pl

        world, zone = self.world(i), ZoneInfo(self.time_zone)
        parts = []
        for day in np.flatnonzero(world.since == 0).tolist():
            here = (world.subscribed_on <= day) & (day < np.minimum(world.until, world.left))
            who = np.flatnonzero(here)
            at = dt.datetime.combine(self.days[day], dt.time(9), zone).astimezone(dt.UTC)
            parts.append(
                pl.DataFrame({"customer": pl.Series(self.names)[who]}).with_columns(
                    kind=pl.lit("bill"), wave=pl.lit(None, pl.String), sent_at=pl.lit(at)
                )
            )
        empty = pl.DataFrame(
            schema={
                "customer": pl.String,
                "kind": pl.String,
                "wave": pl.String,
                "sent_at": pl.Datetime("us", "UTC"),
            }
        )
        return pl.concat([empty, *(part.cast(empty.schema) for part in parts)])

    def offers(
        self, i: int, *, before_days: int = 28, lead_days: int = 14, after_days: int = 21
    ) -> pl.DataFrame:
        """Give customers × waves in the form of ``CallLog.offers()``."""
        from ccanalytics.simulation.panels.reminder_frames import offers_frame

        return offers_frame(self.world(i), self.names, before_days, lead_days, after_days)

    def reminded(self, i: int, *, up_to_days: int = 14, around_days: int = 28) -> pl.DataFrame:
        """Give customers and calls by day in the form of ``CallLog.reminded()``."""
        from ccanalytics.simulation.panels.reminder_frames import reminded_frame

        return reminded_frame(self.world(i), self.days, up_to_days, around_days)

    def leaving(self, i: int) -> pl.DataFrame:
        """Give customers and who left by day in the form of ``CallLog.leaving()``."""
        from ccanalytics.simulation.panels.reminder_frames import leaving_frame

        return leaving_frame(self.world(i), self.days)

    def truth(self, i: int, without: str = "reminders") -> ReminderTruth:
        """Pair world ``i`` with itself without ``reminders``, or without the ``waves``.

        Raises
        ------
        InputError
            Anything else.
        """
        if without not in ("reminders", "waves"):
            raise InputError("this cannot be removed", f"without={without!r}", "reminders or waves")
        world = self.world(i)
        reached = world.reached()
        if without == "waves":
            reached &= ~world.reached(without)
        return ReminderTruth(
            since=world.since,
            reached=reached,
            expected=world.rate(),
            expected_without=world.rate(without),
            realised=world.calls(),
            realised_without=world.calls(without),
            window=int(self.parameters.window),
        )


def draw_reminders(
    *,
    customers: int = 5000,
    days: int = 120,
    worlds: int = 1000,
    seed: int = 1,
    start: object = "2024-01-01",
    time_zone: str = "Asia/Shanghai",
    **causes: float,
) -> ReminderWorlds:
    r"""Draw small worlds of customers who may be reminded of their bill.

    Calls of customer c on day t are Poisson with mean

    λ_c · weekdayₜ · day's luckₜ · (1 + rise·exp(−days since the bill / fade)) ·
    (1 + effect·2^(−e/half_life) + induced·1[e = 0])

    where the last factor holds for e = 0 … window − 1 days after a reminder that was sent to c.
    Some subscribe by themselves, and waves of mass SMS in random order invite the others. Frequent
    callers may be likelier to subscribe (``selection``), so that subscribers and others cannot
    simply be compared. Terms may end and be renewed by lot, customers may leave, and do so at
    another rate while subscribed. Worlds without reminders, or without waves, share every random
    number.

    Parameters
    ----------
    customers, days, worlds
        How many of each.
    seed
        A whole number, 0 or more.
    start, time_zone
        First day; IANA name.
    **causes
        Fields of `ReminderParameters`, such as ``effect``.

    Raises
    ------
    InputError
        A number that cannot be; the message names it.

    Examples
    --------
    >>> worlds = draw_reminders(customers=300, days=60, worlds=100, effect=-0.3)
    >>> round(worlds.truth(2).overall()["relative"], 6)
    -0.3
    >>> worlds.panel(2).columns
    ['customer', 'on', 'calls']
    """
    check_whole(customers=(customers, 1), days=(days, 2), worlds=(worlds, 1), seed=(seed, 0))
    check_size(customers=customers, days=days)
    known = [each.name for each in fields(ReminderParameters)]
    unknown = sorted(causes.keys() - set(known))
    if unknown:
        raise InputError("there is no such cause", ", ".join(unknown), f"one of {', '.join(known)}")
    check_zone(time_zone)
    first = day_of(start)
    try:
        _ = first + dt.timedelta(days=days)
    except OverflowError as error:
        raise InputError("the calendar ends before", f"days={days}", "take fewer") from error
    span = tuple(first + dt.timedelta(days=k) for k in range(days))
    return ReminderWorlds(
        worlds=int(worlds),
        customers=int(customers),
        seed=int(seed),
        days=span,
        time_zone=time_zone,
        parameters=ReminderParameters(**causes),
    )


def _between(start: NDArray[np.int64], until: NDArray[np.int64], span: int) -> NDArray[np.bool_]:
    """Customers × days: whether they are subscribed."""
    days = np.arange(span)
    return np.asarray((start[:, None] <= days) & (days < until[:, None]))
