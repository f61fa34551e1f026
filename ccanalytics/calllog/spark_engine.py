"""The roll-ups' engine on Spark: a folder of Parquet tables, read as it stood when it was opened.

The session that the caller hands over keeps its settings: everything runs in a session of our own
on the same Spark, whose clock is UTC, so that the same moment is the same number everywhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.engine import Covered, Engine
from ccanalytics.calllog.store import check_time_zone
from ccanalytics.errors import DataError, InputError, LogError, UnsupportedError
from ccanalytics.schema import LONGEST_HANDLE_S, SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from pyspark.sql import DataFrame, SparkSession

    from ccanalytics.schema import Column

__all__ = ["SparkEngine", "speaking"]

# The books that a log of its own keeps beside the canonical tables.
BOOKS = ("meta", "loads", "remarks")
_SQL = {
    "text": "STRING",
    "timestamp": "TIMESTAMP_NTZ",
    "date": "DATE",
    "seconds": "DOUBLE",
    "number": "DOUBLE",
    "whole": "BIGINT",
    "flag": "BOOLEAN",
}
_INTEGERS = {"tinyint", "smallint", "int", "bigint"}
_NUMBERS = _INTEGERS | {"float", "double"}
# Spark's types, without their sizes, that hold a kind of column without loss of meaning.
_FIT = {
    "text": {"string", "varchar", "char"},
    "timestamp": {"timestamp", "timestamp_ntz"},
    "date": {"date"},
    "seconds": _NUMBERS | {"decimal"},
    "number": _NUMBERS | {"decimal"},
    "whole": _INTEGERS,
    "flag": {"boolean"},
}
_VIEWS = {
    "base": (
        "calls",
        [
            "*",
            "unix_seconds(CAST(arrived_at AS TIMESTAMP)) AS arrived_epoch",
            "unix_millis(CAST(answered_at AS TIMESTAMP)) AS answered_ms",
            "unix_millis(CAST(arrived_at AS TIMESTAMP)) AS arrived_ms",
            "unix_millis(CAST(ended_at AS TIMESTAMP)) AS ended_ms",
            "outcome = 'answered' AS is_answered",
            "outcome = 'abandoned' AS is_abandoned",
            "outcome IN ('answered', 'abandoned', 'overflowed', 'call_back') AS is_offered",
            "CASE WHEN outcome = 'answered' "
            "THEN talk_s + coalesce(hold_s, 0D) + coalesce(wrap_s, 0D) END AS recorded_s",
            f"CASE WHEN recorded_s <= {LONGEST_HANDLE_S} THEN recorded_s END AS handle_s",
        ],
    ),
    "events": ("self_service", ["*", "unix_seconds(CAST(`at` AS TIMESTAMP)) AS at_epoch"]),
    "counted": (
        "interval_counts",
        ["*", "unix_seconds(CAST(started_at AS TIMESTAMP)) AS started_epoch"],
    ),
}
# Rows of a small frame below which every executor gets all of it, instead of a shuffle of calls.
_BROADCAST = 1_000_000


class SparkEngine(Engine):
    """A folder of Parquet tables on Spark; see :meth:`ccanalytics.CallLog.on_spark`."""

    def __init__(
        self, session: SparkSession, place: str | os.PathLike[str], time_zone: str | None
    ) -> None:
        self.place = os.fspath(place)
        if re.search(r"[*?\[\]{}\\]", self.place):
            raise InputError("Spark reads this name as a pattern", self.place, "rename the folder")
        with speaking(self.place):
            self._session = _own_session(session)
            self._roots, self.passed_over = tables_in(self._names(), self.place)
            self._zone = self._place_of_centre(time_zone)
        self._frames: dict[str, DataFrame] = {}
        self._checked: set[str] = set()
        self._filled: dict[str, list[str]] = {}

    @property
    def time_zone(self) -> str:
        """Where the centre stands (IANA name)."""
        return self._zone

    @property
    def tables(self) -> list[str]:
        """The canonical tables that the folder has."""
        return [name for name in TABLES if name in self._roots]

    def table(self, name: str) -> nw.LazyFrame[Any]:
        """A canonical table, or one of the views over it."""
        source, expressions = _VIEWS.get(name, (name, ["*"]))
        self._check_rows(source)
        return nw.from_native(self._frame(source).selectExpr(*expressions))

    def spells(self, name: str) -> nw.LazyFrame[Any]:
        """Rows with their bounds in epoch milliseconds."""
        self._check_rows(name)
        return nw.from_native(
            self._frame(name).selectExpr(
                "*",
                "unix_millis(CAST(started_at AS TIMESTAMP)) AS `start`",
                "unix_millis(CAST(ended_at AS TIMESTAMP)) AS `end`",
            )
        )

    def dated(self, name: str, column: str) -> nw.LazyFrame[Any]:
        """Rows with a moment in epoch seconds."""
        self._check_rows(name)
        return nw.from_native(
            self._frame(name).selectExpr(
                "*", f"unix_seconds(CAST(`{column}` AS TIMESTAMP)) AS `at_epoch`"
            )
        )

    def keep(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Kept by the executors from its first use."""
        return nw.from_native(frame.to_native().cache())

    def hand_over(self, frame: pl.DataFrame) -> nw.LazyFrame[Any]:
        """A small frame as one of Spark's."""
        from pyspark.sql import functions

        there = self._session.createDataFrame(frame.to_arrow())
        return nw.from_native(functions.broadcast(there) if frame.height < _BROADCAST else there)

    def whole(self, name: str) -> pl.DataFrame:
        """A whole table in the order of its files and of their rows."""
        if name in TABLES and name not in self._roots:
            return self._polars(self._frame(name))
        if name not in self._roots:
            raise UnsupportedError(
                f"this folder has no table {name}",
                self.place,
                "ask the DuckDB log that the calls were loaded into",
            )
        if name in TABLES:
            self._check_rows(name)
        read = self._read(name)
        kept = self._canonical(name, read) if name in TABLES else ["*"]
        placed = read.selectExpr(
            *kept, "_metadata.file_path AS `_file`", "_metadata.row_index AS `_row`"
        )
        return self._polars(placed).sort("_file", "_row").drop("_file", "_row")

    def holds(self, name: str) -> bool:
        """Whether a table has any rows."""
        return name in self._roots and super().holds(name)

    def filled(self, name: str) -> list[str]:
        """Columns of a table that are not null throughout; counted once."""
        if name not in self._filled:
            self._filled[name] = super().filled(name) if name in self._roots else []
        return self._filled[name]

    def covered(self) -> Covered | None:
        """From when to when the folder has calls; looked up once."""
        return self._covered

    @cached_property
    def _covered(self) -> Covered | None:
        return super().covered()

    def fingerprint(self) -> str:
        """A digest of every file's name, length and time of change."""
        return hashlib.sha256(repr(self._files()).encode()).hexdigest()[:16]

    def _names(self) -> list[tuple[str, bool]]:
        """What stands in the folder: its name, and whether it is a folder itself."""
        java: Any = self._session._jvm  # noqa: SLF001 - the way to Hadoop's file systems
        hadoop = java.org.apache.hadoop.fs.Path(self.place)
        configuration = self._session._jsparkSession.sessionState().newHadoopConf()  # noqa: SLF001
        system = hadoop.getFileSystem(configuration)
        if not system.exists(hadoop):
            raise LogError("there is no such folder", self.place, "check the path")
        if not system.getFileStatus(hadoop).isDirectory():
            raise LogError(
                "this is a file, not a folder of Parquet tables",
                self.place,
                "open a DuckDB log with CallLog(path)",
            )
        self._root = system.makeQualified(hadoop).toString().rstrip("/") + "/"
        return [
            (name, bool(one.isDirectory()))
            for one in system.listStatus(hadoop)
            if not (name := str(one.getPath().getName())).startswith((".", "_"))
        ]

    def _files(self) -> list[tuple[str, int, int]]:
        """Name below the folder, length and time of change (epoch milliseconds) of each file."""
        found = self._session.read.format("binaryFile").option("recursiveFileLookup", "true")
        files = found.load([self._root + name for name in self._roots.values()]).selectExpr(
            "path", "length", "unix_millis(modificationTime) AS at"
        )
        return sorted(
            (path.removeprefix(self._root), length, at)
            for path, length, at in self._polars(files).iter_rows()
        )

    def _place_of_centre(self, asked: str | None) -> str:
        if asked is not None:
            check_time_zone(asked)
        if "meta" not in self._roots:
            if asked is None:
                raise InputError(
                    "where the centre stands is not known",
                    f"time_zone is not given, and there is no table meta in {self.place}",
                    "give time_zone, such as Asia/Shanghai",
                )
            return asked
        meta = self._read("meta")
        if "time_zone" not in meta.columns:
            raise DataError("the table meta has no column time_zone", self.place)
        versions = "schema_version" if "schema_version" in meta.columns else "NULL"
        rows = meta.selectExpr("time_zone", f"CAST({versions} AS INT)").limit(2).collect()
        if len(rows) != 1:
            raise DataError(
                "the table meta must have one row", f"{self.place}: {'more' if rows else 'none'}"
            )
        zone, version = str(rows[0][0]), rows[0][1]
        if version is not None and version > SCHEMA_VERSION:
            raise LogError(
                f"the folder has schema {version}, newer than the {SCHEMA_VERSION} that this "
                "version of ccanalytics knows",
                self.place,
                "upgrade ccanalytics",
            )
        if asked is not None and asked != zone:
            raise InputError(
                f"this log is of a centre in {zone}",
                f"time_zone={asked!r}",
                "leave the time zone out",
            )
        return check_time_zone(zone, f"{self.place}, meta.time_zone")

    def _read(self, name: str) -> DataFrame:
        # Files of different months may have different columns: without merging, those that the
        # first file lacks would pass for unknown.
        reader = self._session.read.option("mergeSchema", "true")
        return reader.parquet(self._root + self._roots[name])

    def _frame(self, name: str) -> DataFrame:
        """A canonical table: its columns in their order and types, what is not there null."""
        if name not in self._frames:
            if name in self._roots:
                read = self._read(name)
                self._frames[name] = read.selectExpr(*self._canonical(name, read))
            else:
                # No list of rows, for which Spark would start a Python beside each executor.
                self._frames[name] = self._session.range(0).selectExpr(
                    *(f"CAST(NULL AS {_SQL[c.kind]}) AS `{c.name}`" for c in TABLES[name].columns)
                )
        return self._frames[name]

    def _canonical(self, name: str, read: DataFrame) -> list[str]:
        types = {field.name: field.dataType.simpleString() for field in read.schema.fields}
        there = {column.lower(): column for column in types}
        expressions = []
        for column in TABLES[name].columns:
            own = there.get(column.name)
            if own is None and column.required:
                raise DataError(
                    f"the table {name} lacks a column that every row must have",
                    f"{self.place}: {name}.{column.name}",
                    column.meaning,
                )
            if own is not None:
                self._check_type(name, column, types[own])
            value = "NULL" if own is None else f"`{own}`"
            expressions.append(f"CAST({value} AS {_SQL[column.kind]}) AS `{column.name}`")
        return expressions

    def _check_type(self, name: str, column: Column, given: str) -> None:
        if re.sub(r"\(.*", "", given) not in _FIT[column.kind]:
            raise DataError(
                f"a column is {given} where {column.kind} is needed",
                f"{self.place}: {name}.{column.name}",
                "write it as " + " or ".join(sorted(_FIT[column.kind])),
            )

    def _check_rows(self, name: str) -> None:
        """Refuse a table whose rows no load would have let in; looked at once.

        A code that nobody knows, such as ANSWERED for answered, would count as nothing at all.
        """
        if name in self._checked or name not in self._roots:
            return
        reasons = []
        for column in TABLES[name].columns:
            if column.required:
                reasons.append((column.name, f"`{column.name}` IS NULL"))
            if column.values:
                codes = ", ".join(f"'{code}'" for code in column.values)
                reasons.append((column.name, f"`{column.name}` NOT IN ({codes})"))
        bad = " OR ".join(condition for _, condition in reasons)
        rows = self._frame(name).filter(bad).limit(1).collect() if reasons else []
        for row in rows:
            for column_name, _ in reasons:
                value, column = row[column_name], TABLES[name].column(column_name)
                if value is None and column.required:
                    raise DataError(
                        "a row lacks what every row must have",
                        f"{self.place}: {name}.{column_name}",
                        "fill it, or leave the row out",
                    )
                if value is not None and column.values and value not in column.values:
                    raise DataError(
                        "no such code",
                        f"{self.place}: {name}.{column_name} = {str(value)[:40]!r}",
                        "one of " + ", ".join(column.values),
                    )
        self._checked.add(name)

    def _polars(self, frame: DataFrame) -> pl.DataFrame:
        import polars as pl

        result = pl.from_arrow(frame.toArrow())
        assert isinstance(result, pl.DataFrame)  # noqa: S101 - for the type checker
        return result


def tables_in(names: list[tuple[str, bool]], place: str) -> tuple[dict[str, str], list[str]]:
    """Table → its sub-folder or file, and what is named after no table.

    ``names`` are those in the folder ``place``, each with whether it is a folder itself.
    """
    roots: dict[str, str] = {}
    passed = []
    for first, folder in sorted(names):
        name = first if folder else first.removesuffix(".parquet")
        if name not in {*TABLES, *BOOKS} or (not folder and name == first):
            passed.append(first)
        elif roots.setdefault(name, first) != first:
            raise LogError(
                f"the table {name} is there twice", f"{roots[name]} and {first}", "keep one"
            )
    if not set(roots) & set(TABLES):
        raise LogError(
            "this folder holds no canonical table",
            place,
            "name its sub-folders or .parquet files after tables, such as calls; "
            "CallLog.to_parquet writes such a folder",
        )
    return roots, passed


def _own_session(session: SparkSession) -> SparkSession:
    """A session on the same Spark with the caller's settings, in UTC."""
    try:
        from pyspark.sql import SparkSession as Classic
    except ImportError as error:
        raise InputError(
            "Spark is not installed", f"{error.name} is missing", "pip install 'ccanalytics[spark]'"
        ) from error
    if type(session).__module__.startswith("pyspark.sql.connect"):
        raise UnsupportedError(
            "sessions of Spark Connect have no settings of their own to keep the clock in",
            f"session={session!r}",
            "run on the cluster with a classic session (spark-submit, or master=...)",
        )
    if not isinstance(session, Classic):
        raise InputError("this must be a SparkSession", f"session={session!r}")
    own = session.newSession()
    for name, value in dict(session.conf.getAll).items():
        if own.conf.isModifiable(name):
            own.conf.set(name, value)
    own.conf.set("spark.sql.session.timeZone", "UTC")
    own.conf.set("spark.sql.ansi.enabled", "true")  # a sum that overflows is an error
    # A folder site=001 is the site "001", not the number 1.
    own.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    own.conf.set("spark.sql.caseSensitive", "false")
    return own


@lru_cache(maxsize=1)
def _errors() -> tuple[type[Exception], ...]:
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
    except ImportError:  # then nothing of Spark can fail either
        return ()
    return PySparkException, Py4JError


@contextlib.contextmanager
def speaking(place: str) -> Iterator[None]:
    """Say in one line what Spark's errors mean."""
    try:
        yield
    except _errors() as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = next((line for line in lines if not line.startswith("An error occurred")), "")
        raise LogError(
            "Spark cannot read this log", place, f"Spark says: {said[:300] or type(error).__name__}"
        ) from error
