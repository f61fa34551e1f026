"""Questions about lines and who calls on them, as ``CallLog`` answers them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.file import one_state
from ccanalytics.calllog.scoped import ScopedLog
from ccanalytics.errors import DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl


__all__ = ["LinesLog"]

Day = date | str


class LinesLog(ScopedLog):
    """The part of ``CallLog`` that asks about lines."""

    @one_state
    def lines(
        self,
        every: str = "30min",
        by: str | Iterable[str] = (),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Lines in use at once: the most and the mean of every interval.

        A call holds its line from arrival until it ends: menu, wait, talk and hold. A line that is
        given back and taken at the same moment counts once. Calls whose end is unknown, and calls
        that met a busy signal, hold none; nor is what the log leaves out here, such as calls that
        a voice menu completed, or the second line that a transfer to another number takes: where
        such calls exist the figures are a lower bound.

        Parameters
        ----------
        every
            Length: a divisor of the day (``1min``, ``15min``, ``1h``), or ``1d``, ``1w``, ``1mo``.
        by
            Key columns of calls, such as ``line_group``. Peaks of groups do not add up to the peak
            of all: they come at different moments.
        start, end
            Local days, ``end`` excluded; default: from the first day with calls to the last.
        where
            Column of calls → value or list of values (None: unknown).

        Returns
        -------
        polars.DataFrame
            interval_start (aware UTC), local_start, utc_offset_s, interval_s, keys…,
            ``peak_lines``, ``mean_lines`` (erlangs carried) and ``lines_seen`` (different lines of
            the calls that came in; null where the log names none); ``lines`` (those the group has,
            from the table ``line_groups``) where ``line_group`` is a key and the log has it.

        Raises
        ------
        DataError
            The log does not know when any call ended.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.lines import lines_by_slot, lines_there
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every, starts_of

        length, keys = Every.parse(every), check_keys(by, "by")
        filled = self.columns_filled("calls")
        if filled and "ended_at" not in filled:
            raise DataError(
                "this log does not know when calls ended, so lines in use cannot be counted",
                "column ended_at is null throughout",
                "load a source with the end, or the durations, of each call",
            )
        with self._scope(start, end, where) as scope:
            length = scope.fitted(length)
            units, _ = scope.grid(length)
            frame = lines_by_slot(scope, length, keys, units)
            known = scope.engine.whole("line_groups") if "line_group" in keys else None
        starts = starts_of(units)
        frame = (
            starts.join(frame, on="slot", how="inner")
            .drop("slot")
            .with_columns(pl.col("interval_start").dt.replace_time_zone("UTC"))
            .sort([*keys, "interval_start"])
        )
        if "line" not in filled:
            frame = frame.with_columns(lines_seen=pl.lit(None, pl.Int64))
        return frame if known is None or not known.height else lines_there(frame, known)

    def busy_hours(
        self,
        by: str | Iterable[str] = (),
        *,
        weekdays: Iterable[int] = (1, 2, 3, 4, 5, 6, 7),
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Busy-hour load of every day, in erlangs of lines in use.

        The *time-consistent* busy hour is the one hour of the clock whose mean load over the days
        is greatest; the *busiest hour* of a day is its own. Both are sought in steps of a quarter
        of an hour. What lines are planned for is the first; the second is greater, and moves.

        Parameters
        ----------
        by
            Key columns of calls, such as ``line_group``; each has its own busy hour.
        weekdays
            Days that count, 1 Monday to 7 Sunday; others are left out.
        start, end, where
            As for :meth:`lines`.

        Returns
        -------
        polars.DataFrame
            One row per key and local day with any call: keys…, ``day``, ``peak_lines``,
            ``mean_lines`` (over the whole day), ``busiest_hour`` (its start),
            ``busiest_hour_erlangs``, ``consistent_hour`` (its start, the same on every day) and
            ``consistent_hour_erlangs``.

        References
        ----------
        ITU-T Recommendation E.600, Terms and definitions of traffic engineering: time consistent
        busy hour; E.500, Traffic intensity measurement principles (quarter-hour steps).
        """
        from ccanalytics.calllog.rollups.lines import busy_hours
        from ccanalytics.calllog.rollups.scope import check_keys

        keys = check_keys(by, "by")
        try:
            days = sorted(set(weekdays))
        except TypeError:
            days = []
        if not days or not all(isinstance(d, int) and 1 <= d <= 7 for d in days):
            raise InputError(
                "weekdays are numbers from 1, Monday, to 7, Sunday", f"weekdays={weekdays!r}"
            )
        return busy_hours(self.lines("15min", keys, start=start, end=end, where=where), keys, days)

    def holding_times(
        self,
        by: str | Iterable[str] = (),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Calls by the whole seconds for which they held a line: menu, wait and talk.

        Calls whose end is unknown, and calls that met a busy signal, are left out.

        Returns
        -------
        polars.DataFrame
            keys…, ``seconds`` (rounded), ``calls``.
        """
        from ccanalytics.calllog.rollups.lines import holding_times
        from ccanalytics.calllog.rollups.scope import check_keys

        keys = check_keys(by, "by")
        with self._scope(start, end, where) as scope:
            return holding_times(scope, keys)

    def subscribers(
        self,
        every: str = "1mo",
        *,
        start: Day | None = None,
        end: Day | None = None,
    ) -> pl.DataFrame:
        """Customers of the centre's clients: the mean number over the days of each interval.

        Parameters
        ----------
        every
            ``1d``, ``1w`` or ``1mo``.
        start, end
            Local days, ``end`` excluded; default: from the first day with calls to the last.

        Returns
        -------
        polars.DataFrame
            interval_start (aware UTC), local_start, utc_offset_s, interval_s, ``subscribers``.

        Raises
        ------
        DataError
            The log has no table of customers.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.subscribers import subscribers_by_day
        from ccanalytics.calllog.timegrid import Every, starts_of

        length = Every.parse(every)
        if length.sub_day:
            raise InputError("customers come and go by days", f"every={every!r}", "1d, 1w or 1mo")
        with self._scope(start, end, None) as scope:
            if not scope.engine.holds("customers"):
                raise DataError(
                    "this log does not know how many customers there are",
                    "table customers is empty",
                    "load customers with the day on which each joined, or give their number",
                )
            units, _ = scope.grid(scope.fitted(length))
            days = subscribers_by_day(scope, scope.span.first, scope.span.last)
        starts = starts_of(units)
        day = days.with_columns(local_start=pl.col("day").dt.truncate(length.polars))
        mean = day.group_by("local_start").agg(subscribers=pl.col("subscribers").mean())
        return (
            starts.with_columns(_day=pl.col("local_start").dt.date())
            .join(mean, left_on="_day", right_on="local_start", how="inner")
            .drop("slot", "_day")
            .with_columns(pl.col("interval_start").dt.replace_time_zone("UTC"))
            .sort("interval_start")
        )
