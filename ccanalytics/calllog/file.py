"""The log as a file: loads into it, what it is, and one state of it for several questions."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from ccanalytics.calllog.sources import Settings, find_source, read_mapping
from ccanalytics.calllog.sources.mapping import Mapping as ColumnMapping
from ccanalytics.calllog.sources.mapping import check_encoding
from ccanalytics.calllog.store import Store, check_time_zone
from ccanalytics.errors import DataError, InputError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    import polars as pl

    from ccanalytics.calllog.loading import Progress
    from ccanalytics.calllog.report import LoadReport

__all__ = ["LogFile", "one_state"]

_P, _R, _L = ParamSpec("_P"), TypeVar("_R"), TypeVar("_L", bound="LogFile")


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
            _check_path(chosen, "path")
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

        Each file is one transaction: all of it, or nothing, whatever happens meanwhile (also
        ``kill -9`` and a full disk). Rows that cannot be used are set aside with file, line, text
        and every reason (see :meth:`rejects`); loading a file again changes nothing. The log can
        be read all the while. Its next state is written beside it: where the file system cannot
        share blocks between files, that takes as much room as the log does.

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
        from ccanalytics.calllog.loading import Target, files_to_load, load_file
        from ccanalytics.calllog.report import LoadReport

        _check_path(path, "path")
        chosen = find_source(source)
        if isinstance(mapping, (str, os.PathLike)):
            mapping = read_mapping(Path(mapping))
        elif mapping is not None and not isinstance(mapping, ColumnMapping):
            raise InputError("this must be a TOML file or a Mapping", f"mapping={mapping!r}")
        if table is not None and not isinstance(table, str):
            raise InputError("this must be the name of a table", f"table={table!r}")
        settings = Settings(
            time_zone=check_time_zone(time_zone) if time_zone else None,
            encoding=check_encoding(encoding),
            allow_cut=allow_cut,
            table=table,
            mapping=mapping,
        )
        target = Path(path)
        files = files_to_load(target, chosen)
        chosen.layout(settings)  # a source that needs a mapping says so before the log is made
        zone = self._zone_for_new(chosen, settings, target)
        target_log = Target(self._store, zone, __version__)
        with self._store.loading(zone, __version__):
            loads = [load_file(target_log, file, chosen, settings, progress) for file in files]
        return LoadReport(
            inputs={"path": str(path), "source": source, "log": str(self.path)},
            files=tuple(loads),
        )

    def _zone_for_new(self, source: Any, settings: Settings, target: Path) -> str:
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
        with self._store.reading() as connection:
            return str(connection.execute("SELECT time_zone FROM meta").fetchall()[0][0])

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
        # By name: a log that was brought up from an older schema has new columns at the end.
        columns = ", ".join(f'"{c}"' for c in TABLES[name].names) if name in TABLES else "*"
        with self._store.reading() as connection:
            frame = pl.from_arrow(
                connection.sql(f'SELECT {columns} FROM "{name}"').to_arrow_table()  # noqa: S608
            )
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for the type checker
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


def _check_path(path: object, name: str) -> None:
    usable = isinstance(path, (str, os.PathLike)) and os.fspath(path)
    if not usable or "\0" in os.fsdecode(path):
        raise InputError("this must be a path", f"{name}={path!r}")
