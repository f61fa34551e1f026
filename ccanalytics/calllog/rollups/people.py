"""Customers by day: whose calls, from when to when, invited, subscribed and reminded when.

Days are numbers from the first local day of the log; what came before it is negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.scope import Scope, collect, narrowed
from ccanalytics.calllog.timegrid import Every
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from ccanalytics.calllog.timegrid import Span

__all__ = ["FAR", "People"]

FAR = 10**6
"""Number of a day that never comes; its negative stands for one that always was."""

_YEARS_BACK = 30


@dataclass(frozen=True, eq=False)
class People:
    """The customers of a log.

    Attributes
    ----------
    scope
        The whole log: who was invited before the days asked for is still invited in them.
    span
        The days asked for.
    """

    scope: Scope
    span: Span

    @property
    def asked(self) -> tuple[int, int]:
        """Numbers of the first day asked for and of the one after the last."""
        first = self.scope.span.first
        return (self.span.first - first).days, (self.span.last - first).days

    @property
    def days(self) -> int:
        """Number of days of the log."""
        return (self.scope.span.last - self.scope.span.first).days

    def day(self, number: int) -> date:
        """The date of a day."""
        return self.scope.span.first + timedelta(days=number)

    @cached_property
    def _calendar(self) -> pl.DataFrame:
        import polars as pl

        first, last = self.scope.span.first, self.scope.span.last
        start = first.replace(year=first.year - _YEARS_BACK, day=1)
        end = last.replace(year=last.year + _YEARS_BACK, day=1)
        dates = pl.date_range(start, end, interval="1d", eager=True)
        return pl.DataFrame({"_date": dates}).with_columns(
            _day=(pl.col("_date") - first).dt.total_days().cast(pl.Int64)
        )

    def numbered(self, frame: nw.LazyFrame[Any], **columns: str) -> nw.LazyFrame[Any]:
        """Add numbers of days: new name = column of dates; null where the date is."""
        for name, column in columns.items():
            calendar = self._calendar.rename({"_date": column, "_day": name})
            frame = frame.join(self.scope.engine.hand_over(calendar), on=column, how="left")
        return frame

    @cached_property
    def _units(self) -> tuple[int, nw.LazyFrame[Any]]:
        every = self.scope.fitted(Every.parse("1d"))
        _, slots = self.scope.grid(every)
        return every.unit_s, slots.rename({"slot": "day"})

    def on_day(self, frame: nw.LazyFrame[Any], epoch: str) -> nw.LazyFrame[Any]:
        """Add ``day`` by an epoch second: −FAR before the log, FAR after it."""
        unit_s, slots = self._units
        first, _ = self.scope.epochs()
        outside = nw.when(nw.col(epoch) < first).then(nw.lit(-FAR)).otherwise(nw.lit(FAR))
        dated = frame.with_columns(unit=nw.col(epoch) // unit_s).join(slots, on="unit", how="left")
        return dated.with_columns(
            day=nw.when(nw.col("day").is_null()).then(outside).otherwise(nw.col("day"))
        )

    def customers(self) -> nw.LazyFrame[Any]:
        """Columns customer, bill_day, joined, left: days, −FAR and FAR where not known.

        Raises
        ------
        DataError
            The log knows no customers.
        """
        if not self.scope.engine.holds("customers"):
            raise DataError(
                "the log does not know its customers, so nobody who was not invited is known",
                "the table customers is empty",
                "load customers, with joined_on and left_on where known",
            )
        people = self.scope.engine.table("customers")
        dated = self.numbered(people, joined="joined_on", left="left_on")
        return dated.select(
            "customer",
            "bill_day",
            joined=nw.col("joined").fill_null(-FAR),
            left=nw.col("left").fill_null(FAR),
        )

    def first_attempts(self, quiet_s: float) -> nw.LazyFrame[Any]:
        """Columns customer, day, calls: offered calls whose customer had not asked for the same
        service in the ``quiet_s`` seconds before."""
        at = nw.col("arrived_epoch")
        before = at.shift(1).over("customer", "service", order_by=["arrived_epoch", "call_id"])
        first = nw.col("_before").is_null() | (at - nw.col("_before") > quiet_s)
        parts = []
        for calls in self.scope.by_customer():
            offered = calls.filter(nw.col("is_offered")).with_columns(_before=before)
            chosen = narrowed(offered, self.scope.where).filter(first)
            counted = self.on_day(chosen.select("customer", "arrived_epoch"), "arrived_epoch")
            parts.append(counted.group_by("customer", "day").agg(calls=nw.len()))
        if len(parts) == 1:
            return parts[0]
        return nw.concat([self.scope.engine.keep(part) for part in parts])

    def sent(self, kind: str | None, *, invitations: bool) -> nw.LazyFrame[Any]:
        """Columns customer, wave, day of each message.

        Invitations are messages of a wave, reminders those of none, whatever their kind.

        Raises
        ------
        DataError
            There is no such message; the kinds that there are, are named.
        """
        table = self.scope.engine.dated("reminders", "sent_at")
        of_wave = nw.col("wave").is_null()
        what = "invitation" if invitations else "reminder"
        chosen = table.filter(~of_wave if invitations else of_wave)
        kinds = collect(chosen.group_by("kind").agg(n=nw.len())).sort("kind")
        if not kinds.height:
            why = "of a wave" if invitations else "outside a wave"
            raise DataError(
                f"the log holds no {what}s",
                f"the table reminders has no message {why}",
                f"load reminders with kind, {'wave' if invitations else 'customer'} and sent_at",
            )
        if kind is not None and kind not in kinds["kind"].to_list():
            known = ", ".join(kinds["kind"].to_list())
            raise DataError(f"there is no {what} of this kind", f"kind={kind!r}", f"one of {known}")
        if kind is not None:
            chosen = chosen.filter(nw.col("kind") == kind)
        return self.on_day(chosen, "at_epoch").select("customer", "wave", "day")

    def subscriptions(self, kind: str | None) -> nw.LazyFrame[Any]:
        """Columns customer, start, until: first day of the first term, day the last one ended.

        Raises
        ------
        DataError
            There are none, or none of this kind.
        """
        table = self.scope.engine.table("subscriptions")
        kinds = collect(table.group_by("kind").agg(n=nw.len())).sort("kind")["kind"].to_list()
        if not kinds:
            raise DataError(
                "the log holds no subscriptions, so who takes reminders is not known",
                "the table subscriptions is empty",
                "load subscriptions with started_on and ended_on",
            )
        if kind is not None and kind not in kinds:
            raise DataError(
                "there is no subscription of this kind",
                f"kind={kind!r}",
                "one of " + ", ".join(kinds),
            )
        if kind is not None:
            table = table.filter(nw.col("kind") == kind)
        dated = self.numbered(table, start="started_on", until="ended_on")
        dated = dated.with_columns(until=nw.col("until").fill_null(FAR))
        return dated.group_by("customer").agg(
            start=nw.col("start").min(), until=nw.col("until").max()
        )
