"""The log as a file: loads into it, what it is, and one state of it for several questions."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import narwhals.stable.v2 as nw

from ccanalytics.calllog.arguments import check_path, placed, settings_for
from ccanalytics.calllog.engine import DuckEngine, collect
from ccanalytics.calllog.pseudonyms import held, refuse
from ccanalytics.calllog.sources import find_source
from ccanalytics.calllog.sources.mapping import CENTRE
from ccanalytics.calllog.store import Store, check_time_zone
from ccanalytics.errors import DataError, InputError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from typing import Self

    import polars as pl

    from ccanalytics.calllog.checks import LogCheck
    from ccanalytics.calllog.engine import Engine
    from ccanalytics.calllog.forgetting import ForgetReport
    from ccanalytics.calllog.loading import Progress
    from ccanalytics.calllog.pseudonyms import Identifiers
    from ccanalytics.calllog.report import LoadReport
    from ccanalytics.calllog.sources import Settings, Source
    from ccanalytics.calllog.sources.mapping import Mapping as ColumnMapping

__all__ = ["LogFile", "one_state"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_L = TypeVar("_L", bound="LogFile")


def one_state(
    question: Callable[Concatenate[_L, _P], _R],
) -> Callable[Concatenate[_L, _P], _R]:
    """A question made of several sees one state of the log, also while a load ends."""

    @wraps(question)
    def asked(log: _L, *args: _P.args, **named: _P.kwargs) -> _R:
        with log.snapshot():
            return question(log, *args, **named)

    return asked


class LogFile:
    """One call log as a file: opened for a moment at a time, filled by loads."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        time_zone: str | None = None,
        wait_s: float | None = None,
    ) -> None:
        chosen = path if path is not None else os.environ.get("CCANALYTICS_LOG")
        if chosen is not None:
            check_path(chosen, "path")
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

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        """What answers one question, from the log as it stands."""
        with self._store.reading() as connection:
            yield DuckEngine(connection, str(self.path))

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """One state of the log for several questions, whatever is loaded meanwhile.

        Each question by itself sees the log as it stands when it is asked, whole files only. In
        here all see what the first one saw. It costs nothing but the room of the old file while a
        load replaces it. It holds for the thread that opens it.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "calls.csv").write_text(
        ...     "arrived_at,outcome" + chr(10) + "2025-03-03T09:00:00Z,answered" + chr(10)
        ... )
        >>> from ccanalytics import CallLog
        >>> log = CallLog(folder / "centre.duckdb", time_zone="UTC")
        >>> _ = log.load(folder / "calls.csv", source="ccanalytics")
        >>> with log.snapshot() as state:
        ...     state.intervals("1d")["arrived"].sum() == state.table("calls").height
        True
        """
        with self._store.reading():
            yield self

    def load(
        self,
        path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        source: str,
        *,
        mapping: str | os.PathLike[str] | ColumnMapping | None = None,
        table: str | None = None,
        time_zone: str | None = None,
        encoding: str | None = None,
        allow_cut: bool = False,
        key_file: str | os.PathLike[str] | None = None,
        identifiers: Identifiers | None = None,
        sheet: str | None = None,
        most_times: float | None = None,
        columns: str | Iterable[str] | None = None,
        progress: Progress | None = None,
    ) -> LoadReport:
        """Load an export file, several, a folder of them, or those that match a pattern.

        Each file is one transaction: all of it, or nothing, whatever happens meanwhile (also
        ``kill -9`` and a full disk). Rows that cannot be used are set aside with file, line, text
        and every reason (see :meth:`rejects`); loading a file again changes nothing. The log can
        be read all the while. Its next state is written beside it: where the file system cannot
        share blocks between files, that takes as much room as the log does. Of several files those
        that can be loaded are, and ``report.failed`` says why the others cannot; one file alone
        that cannot be loaded is an error.

        Parameters
        ----------
        path
            The file: delimited text, NDJSON, Parquet or .xlsx, packed with gzip, bzip2, xz, zstd
            or zip; all told from its content. A folder, a pattern such as ``exports/*.csv``, or a
            list of all these.
        source
            The format, by its name in :data:`ccanalytics.calllog.SOURCES`.
        mapping
            For ``generic``: the TOML file that names the columns (``ccanalytics mapping FILE``
            proposes one), or the name of one that comes with the package (``vicidial``,
            ``cisco_uccx``, ``mod_callcenter``).
        table
            For ``ccanalytics``: the table, where the file's name does not tell.
        time_zone
            Where the clock of the file's timestamps stands, where that is not the source's own.
        encoding
            Of text files, as Python names it. Default: UTF-8, UTF-16 and GB18030 are found out;
            the report says so where it is not UTF-8.
        allow_cut
            Load a file that ends in the middle of a line, and set that line aside.
        key_file
            The key with which customers and agents get pseudonyms before anything is stored (see
            ``ccanalytics key``). Default: the environment's ``CCANALYTICS_KEY_FILE``.
        identifiers
            ``"keyed"`` insists on a key, ``"as_they_are"`` does without one, also where the
            environment names it. Default: keyed where there is a key; sources that carry callers'
            numbers insist on a choice.
        sheet
            Of a workbook, where several sheets hold something.
        most_times
            A packed file that unpacks to more than that many times its size is refused
            (default 250, beyond 64 MiB).
        columns
            For call detail records without a header: the names of their columns, in order.
        progress
            Called with (bytes done, bytes in all, file name); bytes are of all files together.

        Raises
        ------
        InputError
            A file that is missing, empty, cut off, or not of this format; nothing of it is loaded.
            Of several files, only where none can be loaded, or a path stands for none.
        LogError
            The log is locked, newer than this version, or not a log.
        """
        from ccanalytics import __version__
        from ccanalytics.calllog.choosing import files_to_load
        from ccanalytics.calllog.loading import Target, load_files
        from ccanalytics.calllog.report import LoadReport

        given = [path] if isinstance(path, (str, os.PathLike)) else path
        if not isinstance(given, Iterable):
            check_path(given, "path")
        given = list(given)
        for one in given:
            check_path(one, "path")
        chosen = find_source(source)
        settings = settings_for(
            chosen,
            {
                "mapping": mapping,
                "table": table,
                "time_zone": time_zone,
                "encoding": encoding,
                "allow_cut": allow_cut,
                "key_file": key_file,
                "identifiers": identifiers,
                "sheet": sheet,
                "most_times": most_times,
                "columns": columns,
            },
        )
        files = files_to_load(given, chosen)
        chosen.layout(settings)  # a source that needs a mapping says so before the log is made
        zone = self._zone_for_new(chosen, settings, files.files[0])
        settings = placed(settings, chosen, zone)
        if not self._store.is_new():
            with self._store.reading() as connection:
                refuse(held(connection), settings.key, str(self.path))
        target = Target(self._store, zone, __version__)
        loads, failed = load_files(target, files, chosen, settings, progress)
        return LoadReport(
            inputs={
                "path": [str(one) for one in given] if len(given) > 1 else str(given[0]),
                "source": source,
                "log": str(self.path),
            },
            files=tuple(loads),
            failed=failed,
            passed_over=tuple(str(one) for one in files.passed_over),
        )

    def check(self, uses: Mapping[str, Sequence[str]] | None = None) -> LogCheck:
        """What to know before trusting the log: every check, and what the log is fit for.

        Parameters
        ----------
        uses
            Questions one wants to ask and the topics each needs (``volume``, ``wait``, ``handle``,
            ``customer``, ``service``, ``agent``, ``self_service``); default: each topic by itself.

        Returns
        -------
        LogCheck
            ``findings`` with counts, examples, consequences and remedies; ``fitness()`` per use.
        """
        from ccanalytics.calllog.checks import check_log

        return check_log(self, uses)

    def summary(self) -> LogCheck:
        """What the log holds: rows by table, days, and what was never recorded; quick."""
        from ccanalytics.calllog.checks import describe_log

        return describe_log(self)

    def forget(self, before: date | str, *, dry_run: bool = False) -> ForgetReport:
        """Delete rows about people older than a day, and free the space that held them.

        Calls, contacts, reminders, states, reviews and the like that ended before the day go, and
        with them customers, agents and subscriptions that ended before it; the raw text of every
        rejected row is emptied, since its age is not known. Services, calendar, contracts and
        roll-outs stay, and so do the books: loaded = there + forgotten. Nothing is kept in a
        summarised form; run the reports that should stay beforehand.

        The log is written anew without these rows and replaced in one step, so that their text is
        no longer in the file; whoever is interrupted has the old log or the new one.

        Parameters
        ----------
        before
            The first local day that is kept.
        dry_run
            Count only, and change nothing.

        Raises
        ------
        InputError
            No such day, or one that has not come yet.
        LogError
            There is no log, it is in use, or it cannot be written.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from ccanalytics import CallLog
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> rows = ["call_id,arrived_at,outcome", "a,2023-05-01T09:00:00Z,answered"]
        >>> _ = (folder / "calls.csv").write_text(chr(10).join(rows) + chr(10))
        >>> log = CallLog(folder / "centre.duckdb", time_zone="UTC")
        >>> _ = log.load(folder / "calls.csv", source="ccanalytics")
        >>> log.forget("2024-01-01").rows
        {'calls': 1}
        """
        from ccanalytics.calllog.forgetting import forget

        return forget(self._store, before, dry_run=dry_run)

    def to_parquet(self, folder: str | os.PathLike[str]) -> dict[str, int]:
        """Write the log as a folder of Parquet tables, which :meth:`CallLog.on_spark` opens.

        Each table with rows becomes a sub-folder of its name, ``meta`` and ``loads`` among them;
        rows that were set aside stay behind. The rows stream through, and the folder appears when
        it is complete. Pseudonyms stay pseudonyms.

        Parameters
        ----------
        folder
            New or empty, on this machine.

        Returns
        -------
        dict
            Rows by table.

        Raises
        ------
        InputError
            The folder is there and not empty, or cannot be written.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from ccanalytics import CallLog
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> rows = ["call_id,arrived_at,outcome", "a,2023-05-01T09:00:00Z,answered"]
        >>> _ = (folder / "calls.csv").write_text(chr(10).join(rows) + chr(10))
        >>> log = CallLog(folder / "centre.duckdb", time_zone="UTC")
        >>> _ = log.load(folder / "calls.csv", source="ccanalytics")
        >>> log.to_parquet(folder / "centre")
        {'calls': 1, 'meta': 1, 'loads': 1}
        """
        from ccanalytics.calllog.parquet import write_parquet

        with self._store.reading() as connection:
            return write_parquet(connection, folder)

    def _zone_for_new(self, source: Source, settings: Settings, target: Path) -> str:
        if not self._store.is_new():
            zone = self.time_zone
            if self._asked_zone and self._asked_zone != zone:
                raise InputError(
                    f"this log is of a centre in {zone}",
                    f"time_zone={self._asked_zone!r}",
                    "leave the time zone out, or load into another log",
                )
            return zone
        told = (
            self._asked_zone
            or source.companion(target)
            or source.time_zone
            or settings.time_zone
            or (settings.mapping.time_zone if settings.mapping else None)
        )
        told = None if told == CENTRE else told
        told = None if told == CENTRE else told
        if told is None:
            raise InputError(
                "where the centre stands is not known",
                "time_zone is not given",
                "give it with the first load, such as --time-zone Asia/Shanghai",
            )
        return check_time_zone(str(told))

    @property
    def time_zone(self) -> str:
        """Where the centre stands (IANA name)."""
        with self._engine() as engine:
            return engine.time_zone

    def fingerprint(self) -> str:
        """A digest of what was loaded, in order: two logs of the same files share it."""
        import hashlib

        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT fingerprint, source, settings, loaded FROM loads ORDER BY load"
            ).fetchall()
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]

    def span(self) -> tuple[datetime, datetime]:
        """First and last arrival, aware UTC."""
        arrived = nw.col("arrived_at")
        with self._engine() as engine:
            calls = engine.table("calls").select(first=arrived.min(), last=arrived.max())
            first, last = collect(calls).row(0)
            if first is None:
                raise DataError(
                    "the log holds no calls", engine.place, "load an export of calls first"
                )
        return first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)

    def columns_filled(self, table: str = "calls") -> list[str]:
        """Columns of a table that are not null throughout."""
        self._known_table(table)
        with self._engine() as engine:
            return engine.filled(table)

    def table(self, name: str) -> pl.DataFrame:
        """A whole table, for the small ones (services, rollouts, agents, loads, …).

        Timestamps come out as aware UTC.
        """
        import polars as pl

        self._known_table(name, ("loads", "meta", "remarks"))
        with self._engine() as engine:
            frame = engine.whole(name)
        return frame.with_columns(pl.col(pl.Datetime).dt.replace_time_zone("UTC"))

    def rejects(self, limit: int | None = 1000) -> pl.DataFrame:
        """Rows that were set aside: file, line, raw text, reasons."""
        import polars as pl

        if limit is not None and (not isinstance(limit, int) or limit < 0):
            raise InputError("this must be a whole number, 0 or more", f"limit={limit!r}")
        with self._store.reading() as connection:
            frame = pl.from_arrow(
                connection.sql(
                    "SELECT l.file, r.line, r.raw, r.reasons FROM rejects r JOIN loads l "
                    "ON l.load = r.load ORDER BY r.load, r.line LIMIT ?",
                    params=[limit if limit is not None else 2**62],
                ).to_arrow_table()
            )
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for the type checker
        return frame

    def _known_table(self, name: str, more: tuple[str, ...] = ()) -> None:
        if not isinstance(name, str) or name not in {*TABLES, *more}:
            raise InputError("no such table", f"{name!r}", "one of " + ", ".join([*TABLES, *more]))
