"""``CallLog``: what happened in a centre, in one DuckDB file, and the questions one may ask it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from ccanalytics.calllog.sources import Settings, find_source, read_mapping
from ccanalytics.calllog.sources.mapping import Mapping as ColumnMapping
from ccanalytics.calllog.sources.mapping import check_encoding
from ccanalytics.calllog.store import Store, check_time_zone
from ccanalytics.errors import DataError, InputError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import polars as pl

    from ccanalytics.calllog.checks import LogCheck
    from ccanalytics.calllog.loading import LoadReport, Progress
    from ccanalytics.calllog.rollups.scope import Scope
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["CallLog"]

Day = date | str
Values = Any


class CallLog:
    """One call log.

    Nothing stays open between calls: each question opens the file for a moment, and waits while
    another process writes to it.

    Parameters
    ----------
    path
        The DuckDB file; it is made by the first load. Default: the environment's
        ``CCANALYTICS_LOG``.
    time_zone
        Where the centre stands (IANA name). Needed for a new log whose source does not tell; a log
        that exists knows its own, and a different one is refused.
    wait_s
        Seconds to wait for another process that writes.

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

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        time_zone: str | None = None,
        wait_s: float = 10.0,
    ) -> None:
        chosen = path if path is not None else os.environ.get("CCANALYTICS_LOG")
        if not chosen:
            raise InputError(
                "no call log is named",
                "path is not given",
                "give the DuckDB file, or set CCANALYTICS_LOG",
            )
        if time_zone is not None:
            check_time_zone(time_zone)
        self.path = Path(chosen)
        self._asked_zone = time_zone
        self._store = Store(self.path, wait_s)

    def __repr__(self) -> str:
        return f"CallLog({str(self.path)!r})"

    # ---- loading ------------------------------------------------------------------------------

    def load(
        self,
        path: str | os.PathLike[str],
        source: str,
        *,
        mapping: str | os.PathLike[str] | ColumnMapping | None = None,
        table: str | None = None,
        time_zone: str | None = None,
        encoding: str = "utf-8",
        allow_cut: bool = False,
        progress: Progress | None = None,
    ) -> LoadReport:
        """Load an export file, or a folder of canonical tables.

        Each file is one transaction: all of it, or nothing. Rows that cannot be used are set aside
        with file, line, text and every reason (see :meth:`rejects`); loading a file again changes
        nothing.

        Parameters
        ----------
        path
            The file. Compression is told from its content.
        source
            The format: ``ccanalytics``, ``generic``, ``anonymous_bank``.
        mapping
            For ``generic``: the TOML file that names the columns.
        table
            For ``ccanalytics``: the table, where the file's name does not tell.
        time_zone
            Where the clock of the file's timestamps stands, where that is not the source's own.
        encoding
            Of text files, as Python names it.
        allow_cut
            Load a file that ends in the middle of a line, and set that line aside.
        progress
            Called with (bytes done, bytes in all, file name).

        Raises
        ------
        InputError
            A file that is missing, empty, cut off, or not of this format; nothing of it is loaded.
        LogError
            The log is locked, newer than this version, or not a log.
        """
        from ccanalytics import __version__
        from ccanalytics.calllog.loading import LoadReport, files_to_load, load_file

        chosen = find_source(source)
        if isinstance(mapping, (str, os.PathLike)):
            mapping = read_mapping(Path(mapping))
        settings = Settings(
            time_zone=check_time_zone(time_zone) if time_zone else None,
            encoding=check_encoding(encoding),
            allow_cut=allow_cut,
            table=table,
            mapping=mapping,
        )
        target = Path(path)
        files = files_to_load(target, chosen)
        zone = self._zone_for_new(chosen, settings, target)
        self._store.create(zone, __version__)
        loads = [load_file(self._store, file, chosen, settings, progress) for file in files]
        return LoadReport(
            inputs={"path": str(path), "source": source, "log": str(self.path)},
            files=tuple(loads),
        )

    def _zone_for_new(self, source: Any, settings: Settings, target: Path) -> str:
        if self.path.exists():
            zone = self.time_zone
            if self._asked_zone and self._asked_zone != zone:
                raise InputError(
                    f"this log is of a centre in {zone}",
                    f"time_zone={self._asked_zone!r}",
                    "leave the time zone out, or load into another log",
                )
            return zone
        zone = (
            self._asked_zone
            or source.companion(target)
            or source.time_zone
            or settings.time_zone
            or (settings.mapping.time_zone if settings.mapping else None)
        )
        if zone is None:
            raise InputError(
                "where the centre stands is not known",
                "time_zone is not given",
                "give it with the first load, such as --time-zone Asia/Shanghai",
            )
        return check_time_zone(str(zone))

    # ---- what the log is ----------------------------------------------------------------------

    @property
    def time_zone(self) -> str:
        """Where the centre stands (IANA name)."""
        with self._store.reading() as connection:
            return str(connection.execute("SELECT time_zone FROM meta").fetchall()[0][0])

    def fingerprint(self) -> str:
        """A digest of what was loaded, in order: two logs of the same files share it."""
        import hashlib

        with self._store.reading() as connection:
            rows = connection.execute(
                'SELECT fingerprint, source, settings, loaded FROM loads ORDER BY load'
            ).fetchall()
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]

    def span(self) -> tuple[datetime, datetime]:
        """First and last arrival, aware UTC."""
        with self._store.reading() as connection:
            first, last = connection.execute(
                "SELECT min(arrived_at), max(arrived_at) FROM calls"
            ).fetchall()[0]
        if first is None:
            raise DataError(
                "the log holds no calls", str(self.path), "load an export of calls first"
            )
        return first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)

    def columns_filled(self, table: str = "calls") -> list[str]:
        """Columns of a table that are not null throughout."""
        self._known_table(table)
        names = TABLES[table].names
        counts = ", ".join(f'count("{name}")' for name in names)
        with self._store.reading() as connection:
            row = connection.execute(f'SELECT {counts} FROM "{table}"').fetchall()[0]  # noqa: S608
        return [name for name, count in zip(names, row, strict=True) if count]

    def table(self, name: str) -> pl.DataFrame:
        """A whole table, for the small ones (services, rollouts, agents, loads, …).

        Timestamps come out as aware UTC.
        """
        import polars as pl

        self._known_table(name, ("loads", "meta", "remarks"))
        with self._store.reading() as connection:
            frame = pl.from_arrow(
                connection.execute(f'SELECT * FROM "{name}"').to_arrow_table()  # noqa: S608
            )
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for the type checker
        return frame.with_columns(pl.col(pl.Datetime).dt.replace_time_zone("UTC"))

    def rejects(self, limit: int | None = 1000) -> pl.DataFrame:
        """Rows that were set aside: file, line, raw text, reasons."""
        import polars as pl

        with self._store.reading() as connection:
            frame = pl.from_arrow(
                connection.execute(
                    "SELECT l.file, r.line, r.raw, r.reasons FROM rejects r JOIN loads l "
                    "ON l.load = r.load ORDER BY r.load, r.line LIMIT ?",
                    [limit if limit is not None else 2**62],
                ).to_arrow_table()
            )
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for the type checker
        return frame

    def check(self) -> LogCheck:
        """What the log holds and what to know before trusting it."""
        from ccanalytics.calllog.checks import check_log

        return check_log(self)

    def summary(self) -> LogCheck:
        """The same as :meth:`check`."""
        return self.check()

    # ---- questions ----------------------------------------------------------------------------

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
        filled = set(self.columns_filled("calls"))
        with self._scope(start, end, where) as scope:
            return interval_counts(scope, length, keys, list(goals), filled)

    def busy(
        self,
        every: str = "30min",
        by: str | Iterable[str] = (),
        what: Literal["agent", "line"] = "agent",
        *,
        where: Mapping[str, Values] | None = None,
    ) -> pl.DataFrame:
        """Exact busy seconds of agents or lines, from the first arrival until the last call is over.

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
        from ccanalytics.calllog.timegrid import Every

        if what not in ("agent", "line"):
            raise InputError("no such thing to be busy", f"what={what!r}", "agent or line")
        length, keys = Every.parse(every), check_keys(by, "by")
        with self._scope(None, None, where, until_over=True) as scope:
            units, _ = scope.grid(length)
            frame = busy_by_slot(scope, length, keys, units, what)
        starts = units.group_by("slot").agg(
            pl.col("interval_start", "local_start", "utc_offset_s", "interval_s").first()
        )
        return (
            starts.join(frame, on="slot", how="inner")
            .drop("slot")
            .with_columns(pl.col("interval_start").dt.replace_time_zone("UTC"))
            .sort([*keys, "interval_start"])
        )

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
        ``aht_s`` is the interval's own average handle time; where an interval has calls but none
        handled, that of its keys over the whole span stands in.

        Returns
        -------
        polars.DataFrame
            interval_start (aware UTC), local_start, utc_offset_s, interval_s, keys…, calls, aht_s.
        """
        import polars as pl

        if calls not in ("offered", "arrived"):
            raise InputError("no such count of calls", f"calls={calls!r}", "offered or arrived")
        keys = [by] if isinstance(by, str) else list(by)
        frame = self.intervals(every, keys, start=start, end=end, where=where)
        overall = pl.col("handle_s").sum() / pl.col("handled").sum()
        return frame.select(
            "interval_start",
            "local_start",
            "utc_offset_s",
            "interval_s",
            *keys,
            pl.col(calls).cast(pl.Float64).alias("calls"),
            pl.col("aht_s").fill_null(overall.over(keys) if keys else overall),
        )

    def recontacts(
        self,
        within_s: Sequence[float] = (600, 3600, 86400),
        by: str | Iterable[str] = ("outcome",),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Values] | None = None,
    ) -> pl.DataFrame:
        """How many customers called again within each window.

        Calls of unknown customers are left out; a window that reaches beyond the end of the log is
        not counted.

        Returns
        -------
        polars.DataFrame
            keys…, window_s, followed, again.
        """
        from ccanalytics.calllog.rollups.contacts import recontacts
        from ccanalytics.calllog.rollups.scope import check_keys

        windows = _positive(within_s, "within_s")
        keys = check_keys(by, "by")
        with self._scope(start, end, where) as scope:
            return recontacts(scope, keys, windows, *self._epochs(scope))

    def self_service(
        self,
        recontact_days: Sequence[int] = (1, 3, 7, 14, 30),
        by: str | Iterable[str] = ("service",),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Values] | None = None,
    ) -> pl.DataFrame:
        """Counts of the self-service funnel, and who asked an agent afterwards.

        Returns
        -------
        polars.DataFrame
            One row per channel, stage, key and window: ``eligible`` (calls about a service since
            the channel's first record for it, and sessions begun on one's own initiative),
            ``sent``, ``accepted``, ``delivered``, ``completed``, ``followed`` (completed contacts
            of known customers followed to the end of the window) and ``recontacted`` (of those:
            the same customer asked for an agent about the same service within it). The first five
            do not depend on the window and are repeated. Empty if the log has no such records.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.contacts import self_service
        from ccanalytics.calllog.rollups.scope import check_keys

        days = [int(d) for d in _positive(recontact_days, "recontact_days")]
        keys = check_keys(by, "by", ("service",))
        check_keys(where or (), "where", ("service",))
        with self._scope(start, end, where) as scope:
            any_events = scope.connection.execute(
                "SELECT EXISTS (SELECT 1 FROM self_service)"
            ).fetchall()[0][0]
            if not any_events:
                whole = ("eligible sent accepted delivered completed followed recontacted").split()
                return pl.DataFrame(
                    schema={
                        **dict.fromkeys(["channel", "stage", *keys], pl.String),
                        "window_days": pl.Int64,
                        **dict.fromkeys(whole, pl.Int64),
                    }
                )
            return self_service(scope, keys, days, *self._epochs(scope))

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
        the ``quiet_s`` seconds before (calls of unknown customers count as first), so that fewer
        redials do not pass for fewer needs. The key column is called ``unit``.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.contacts import first_attempts
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every

        keys = check_keys([unit], "unit")
        (quiet,) = _positive([quiet_s], "quiet_s")
        length = Every.parse(every)
        frame = self.intervals(every, keys, goals, start=start, end=end, where=where)
        with self._scope(start, end, where) as scope:
            first = first_attempts(scope, length, keys, quiet)
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

        if part not in PARTS:
            raise InputError(
                "no such part of handle time", f"part={part!r}", "one of " + ", ".join(PARTS)
            )
        keys = check_keys(by, "by")
        length = Every.parse(every) if every is not None else None
        with self._scope(start, end, where) as scope:
            return handle_times(scope, keys, length, part)

    # ---- within -------------------------------------------------------------------------------

    @contextmanager
    def _scope(
        self,
        start: Day | None,
        end: Day | None,
        where: Mapping[str, Values] | None,
        *,
        until_over: bool = False,
    ) -> Iterator[Scope]:
        from ccanalytics.calllog.rollups.scope import Scope, check_keys
        from ccanalytics.calllog.timegrid import Span, parse_day

        check_keys(where or (), "where")
        first_day, last_day = parse_day(start, "start"), parse_day(end, "end")
        with self._store.reading() as connection:
            zone_name = str(connection.execute("SELECT time_zone FROM meta").fetchall()[0][0])
            first, last, over = connection.execute(
                "SELECT min(arrived_at), max(arrived_at), greatest(max(ended_at), "
                "max(answered_at + to_microseconds(CAST(handle_s * 1e6 AS BIGINT)))) FROM base"
            ).fetchall()[0]
            if first is None:
                raise DataError(
                    "the log holds no calls", str(self.path), "load an export of calls first"
                )
            zone = ZoneInfo(zone_name)
            if until_over and over is not None:
                last = max(last, over)
            log_first = first.replace(tzinfo=UTC).astimezone(zone).date()
            log_last = last.replace(tzinfo=UTC).astimezone(zone).date() + timedelta(days=1)
            first_day = max(first_day, log_first) if first_day else log_first
            last_day = min(last_day, log_last) if last_day else log_last
            if first_day >= last_day:
                raise DataError(
                    "the log holds no calls in these days",
                    f"start={start!r}, end={end!r}",
                    f"the log covers {log_first} to {log_last - timedelta(days=1)}; end is excluded",
                )
            yield Scope(connection, zone_name, Span(first_day, last_day), where or {})

    def _epochs(self, scope: Scope) -> tuple[int, int]:
        """First and last epoch second of the scope's span, the last excluded."""
        zone = ZoneInfo(scope.time_zone)
        first, last = (
            int(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp())
            for d in (scope.span.first, scope.span.last)
        )
        return first, last

    def _known_table(self, name: str, more: tuple[str, ...] = ()) -> None:
        if name not in TABLES and name not in more:
            raise InputError(
                "no such table", f"{name!r}", "one of " + ", ".join([*TABLES, *more])
            )


def _positive(values: Sequence[float], name: str) -> list[float]:
    out = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e12:
            raise InputError("this must be a number above 0", f"{name}: {value!r}")
        out.append(value)
    if not out:
        raise InputError("at least one is needed", f"{name} is empty")
    return out


