"""``CallLog``: what happened in a centre, in one DuckDB file, and the questions one may ask it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from ccanalytics.calllog.agents_log import AgentsLog
from ccanalytics.calllog.arguments import chosen_goals, positive
from ccanalytics.calllog.callers_and_agents import CallersAndAgents
from ccanalytics.calllog.counted import CountedLog
from ccanalytics.calllog.customers import CustomersLog
from ccanalytics.calllog.file import one_state
from ccanalytics.calllog.interventions import InterventionsLog
from ccanalytics.calllog.lines import LinesLog
from ccanalytics.calllog.offers import OffersLog
from ccanalytics.calllog.quality import QualityLog
from ccanalytics.errors import DataError, InputError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import polars as pl
    from pyspark.sql import SparkSession

    from ccanalytics.calllog.rollups.scope import Scope
    from ccanalytics.calllog.spark import SparkLog
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["CallLog"]

Day = date | str
Values = Any


class CallLog(
    AgentsLog,
    CallersAndAgents,
    CustomersLog,
    InterventionsLog,
    LinesLog,
    OffersLog,
    QualityLog,
    CountedLog,
):
    """One call log.

    Nothing stays open between calls: each question opens the file for a moment and sees it whole,
    as the last load left it, also while the next load runs (see :meth:`snapshot` for several
    questions to one state).

    Parameters
    ----------
    path
        The DuckDB file; it is made by the first load. Default: the environment's
        ``CCANALYTICS_LOG``.
    time_zone
        Where the centre stands (IANA name). Needed for a new log whose source does not tell; a log
        that exists knows its own, and a different one is refused.
    wait_s
        Seconds to wait for another load to end (default 600), and for another program that has the
        file open for writing (default 10). Questions never wait for a load.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = "arrived_at,answered_at,talk_s,outcome,queue"
    >>> row = "2025-03-03T09:00:00Z,2025-03-03T09:00:12Z,180,answered,sales"
    >>> _ = (folder / "calls.csv").write_text(rows + chr(10) + row + chr(10))
    >>> log = CallLog(folder / "centre.duckdb", time_zone="Europe/London")
    >>> log.load(folder / "calls.csv", source="ccanalytics").loaded
    1
    >>> log.intervals("30min")["offered"].sum()
    1
    """

    @classmethod
    def on_spark(
        cls,
        session: SparkSession,
        path: str | os.PathLike[str],
        *,
        time_zone: str | None = None,
    ) -> SparkLog:
        """A log past one machine: a folder of Parquet tables, asked on Spark and never written to.

        Every question gives the frame that a DuckDB log of the same rows gives. Loads, ``check``,
        ``forget`` and ``rejects`` are refused. The session's own settings are left alone.

        Parameters
        ----------
        session
            A classic Spark 4 session (extra ``spark``), not one of Spark Connect.
        path
            The folder, anywhere that Spark reads from: what :meth:`to_parquet` wrote, or one laid
            out as ``data/README.md`` says.
        time_zone
            Where the centre stands, if the folder has no table ``meta``.

        Raises
        ------
        LogError
            There is no such folder, or no table in it.
        DataError
            A column of another type, a row without what every row must have, an unknown code.

        Examples
        --------
        >>> from pyspark.sql import SparkSession  # doctest: +SKIP
        >>> session = SparkSession.builder.getOrCreate()  # doctest: +SKIP
        >>> log = CallLog.on_spark(session, "s3a://bucket/centre")  # doctest: +SKIP
        >>> log.intervals("30min", by=["queue"])  # doctest: +SKIP
        """
        from ccanalytics.calllog.spark import SparkLog

        return SparkLog(session, path, time_zone=time_zone)

    @one_state
    def intervals(
        self,
        every: str = "30min",
        by: str | Iterable[str] = (),
        goals: Sequence[ServiceLevel] = (),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Values] | None = None,
    ) -> pl.DataFrame:
        """Calls by interval of the centre's own clock, also where nothing happened.

        Parameters
        ----------
        every
            Length: a divisor of the day (``15min``, ``1h``), or ``1d``, ``1w``, ``1mo``.
        by
            Key columns of calls.
        goals
            Service-level goals; each adds the counts it needs (``answered_in_20s``).
        start, end
            Local days, ``end`` excluded; default: from the first day with calls to the last.
        where
            Column of calls → value or list of values (None: unknown).

        Returns
        -------
        polars.DataFrame
            One row per interval and combination of keys: ``interval_start`` (aware UTC),
            ``local_start`` (wall clock), ``utc_offset_s``, ``interval_s``, the keys, counts
            (``arrived``, ``offered``, ``answered``, ``abandoned``, ``left_menu``, ``contained``,
            ``diverted``, ``blocked``, ``waited``, ``handled``), sums in seconds, means and
            percentiles of the wait, and exact ``agent_busy_s`` and ``line_busy_s``. A sum is null
            where the log never has that part. Definitions: :mod:`ccanalytics.vocabulary`.
        """
        from ccanalytics.calllog.rollups.intervals import interval_counts
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every

        length, keys = Every.parse(every), check_keys(by, "by")
        wanted = chosen_goals(goals)
        filled = set(self.columns_filled("calls"))
        with self._scope(start, end, where) as scope:
            table = interval_counts(scope, scope.fitted(length), keys, wanted, filled)
        del scope
        return table()

    def busy(
        self,
        every: str = "30min",
        by: str | Iterable[str] = (),
        what: Literal["agent", "line"] = "agent",
        *,
        where: Mapping[str, Values] | None = None,
    ) -> pl.DataFrame:
        """Exact busy seconds of agents or lines, until the last call is over.

        Unlike :meth:`intervals`, which covers days with arrivals, this goes on past the last
        midnight while calls last, so that the sum equals the sum of all durations.

        Returns
        -------
        polars.DataFrame
            interval_start (aware UTC), local_start, utc_offset_s, interval_s, keys…, busy_s.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.busy import busy_by_slot
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every, starts_of

        if what not in ("agent", "line"):
            raise InputError("no such thing to be busy", f"what={what!r}", "agent or line")
        length, keys = Every.parse(every), check_keys(by, "by")
        with self._scope(None, None, where, until_over=True) as scope:
            length = scope.fitted(length)
            units, _ = scope.grid(length)
            frame = busy_by_slot(scope, length, keys, units, what)
        starts = starts_of(units)
        return (
            starts.join(frame, on="slot", how="inner")
            .drop("slot")
            .with_columns(pl.col("interval_start").dt.replace_time_zone("UTC"))
            .sort([*keys, "interval_start"])
        )

    @one_state
    def demand(
        self,
        every: str = "30min",
        by: str | Iterable[str] = (),
        calls: Literal["offered", "arrived"] = "offered",
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Values] | None = None,
    ) -> pl.DataFrame:
        """What planning speaks: calls and handle time by interval.

        ``calls`` counts those that asked for an agent (``offered``) or all (``arrived``).
        ``aht_s`` is the interval's own average handle time; where an interval has calls but no
        time handled, that of its keys over the whole span stands in (null if there is none). A log
        of counts alone (no calls) answers from those, for keys ``queue`` and ``media``.

        Returns
        -------
        polars.DataFrame
            interval_start (aware UTC), local_start, utc_offset_s, interval_s, keys…, calls,
            aht_s, over_a_day (calls without a handle time, since it would be over a day; null
            where counts alone are known).
        """
        import polars as pl

        from ccanalytics.calllog.rollups.intervals import demand_counts
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every

        if calls not in ("offered", "arrived"):
            raise InputError("no such count of calls", f"calls={calls!r}", "offered or arrived")
        if self._counted_only():
            return self._counted_demand(every, by, calls, start, end, where)
        length, keys = Every.parse(every), check_keys(by, "by")
        with self._scope(start, end, where) as scope:
            frame = demand_counts(scope, scope.fitted(length), keys, calls)
        handled, handle_s = pl.col("handled"), pl.col("handle_s")
        overall = pl.when(handled.sum() > 0).then(handle_s.sum() / handled.sum())
        own = pl.when(handle_s > 0).then(handle_s / handled)
        return frame.select(
            "interval_start",
            "local_start",
            "utc_offset_s",
            "interval_s",
            *keys,
            "calls",
            own.fill_null(overall.over(keys) if keys else overall).alias("aht_s"),
            "over_a_day",
        )

    @one_state
    def panel(
        self,
        unit: str = "service",
        every: str = "1w",
        goals: Sequence[ServiceLevel] = (),
        *,
        quiet_s: float = 86400,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Values] | None = None,
    ) -> pl.DataFrame:
        """Intervals of each unit, for estimating effects.

        Adds ``first_attempts``: offered calls whose customer had not asked for the same service in
        the ``quiet_s`` seconds before (calls of unknown customers count as first, unless another
        call handed them on), so that fewer redials do not pass for fewer needs. The key column is
        called ``unit``.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.contacts import first_attempts
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every

        keys = check_keys([unit], "unit")
        (quiet,) = positive([quiet_s], "quiet_s")
        length = Every.parse(every)
        frame = self.intervals(every, keys, goals, start=start, end=end, where=where)
        with self._scope(start, end, where) as scope:
            first = first_attempts(scope, scope.fitted(length), keys, quiet)
        return (
            frame.join(first, on=["interval_start", *keys], how="left", nulls_equal=True)
            .with_columns(pl.col("first_attempts").fill_null(0))
            .rename({unit: "unit"})
        )

    def handle_times(
        self,
        by: str | Iterable[str] = (),
        every: str | None = None,
        part: Literal["handle", "talk", "hold", "wrap"] = "handle",
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Values] | None = None,
    ) -> pl.DataFrame:
        """Answered calls by whole seconds of handling, or of one part of it.

        Returns
        -------
        polars.DataFrame
            (interval_start, local_start, utc_offset_s, interval_s if ``every`` is given), keys…,
            seconds (rounded), calls. Calls whose part is unknown are left out; zeros are not.
        """
        from ccanalytics.calllog.rollups.handling import PARTS, handle_times
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every

        if not isinstance(part, str) or part not in PARTS:
            raise InputError(
                "no such part of handle time", f"part={part!r}", "one of " + ", ".join(PARTS)
            )
        keys = check_keys(by, "by")
        length = Every.parse(every) if every is not None else None
        with self._scope(start, end, where) as scope:
            return handle_times(scope, keys, length and scope.fitted(length), part)

    @contextmanager
    def _scope(
        self,
        start: Day | None,
        end: Day | None,
        where: Mapping[str, Values] | None,
        *,
        until_over: bool = False,
    ) -> Iterator[Scope]:
        from ccanalytics.calllog.rollups.scope import Scope, check_days, check_where, span_of

        chosen = check_where(where)
        check_days(start, end)
        with self._engine() as engine:
            covered = engine.covered()
            if covered is None:
                raise DataError(
                    "the log holds no calls",
                    engine.place,
                    "load an export of calls; counts of intervals answer interval_counts()",
                )
            until = engine.over() if until_over else covered.last
            zone = engine.time_zone
            span = span_of((covered.first, until), zone, start, end)
            yield Scope(engine, zone, span, chosen, covered.first, covered.last)
