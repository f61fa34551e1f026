"""A log past one machine: the same questions to a folder of Parquet tables, answered on Spark."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import narwhals.stable.v2 as nw

from ccanalytics.calllog.arguments import check_path
from ccanalytics.calllog.engine import collect
from ccanalytics.calllog.log import CallLog
from ccanalytics.calllog.rollups.scope import span_of
from ccanalytics.calllog.spark_engine import SparkEngine, speaking
from ccanalytics.errors import UnsupportedError
from ccanalytics.results import Check

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from typing import Self

    from pyspark.sql import SparkSession

    from ccanalytics.calllog.checks import LogCheck
    from ccanalytics.calllog.engine import Engine

__all__ = ["SparkLog"]


class SparkLog(CallLog):
    """What :meth:`CallLog.on_spark` gives: a log that is asked, and never written to."""

    def __init__(
        self,
        session: SparkSession,
        path: str | os.PathLike[str],
        *,
        time_zone: str | None = None,
    ) -> None:
        check_path(path, "path")
        self.path = Path(path)
        self._spark = SparkEngine(session, path, time_zone)

    def __repr__(self) -> str:
        return f"CallLog.on_spark(…, {self._spark.place!r})"

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        with speaking(self._spark.place):
            yield self._spark

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """The log itself: the files of a table are listed when it is first asked, and stay so."""
        yield self

    def fingerprint(self) -> str:
        """A digest of the names, lengths and times of change of all files of its tables."""
        with self._engine():
            return self._spark.fingerprint()

    def summary(self) -> LogCheck:
        """What the folder holds: rows by table, outcomes and days; quick."""
        from ccanalytics.calllog.checks import LogCheck
        from ccanalytics.schema import TABLES

        rows = dict.fromkeys(TABLES, 0)
        with self._engine() as engine:
            for name in self._spark.tables:
                rows[name] = collect(engine.table(name).select(nw.len().alias("n")))[0, "n"]
            found = engine.table("calls").group_by("outcome").agg(nw.len().alias("n"))
            outcomes = collect(found).sort("n", "outcome", descending=[True, False])
            covered = engine.covered()
            first = last = ""
            if covered is not None:
                span = span_of((covered.first, covered.last), engine.time_zone, None, None)
                first, last = str(span.first), str(span.last - timedelta(days=1))
        checks = [
            Check(
                "checks of the log",
                "informs",
                "the log is a folder of Parquet tables: its columns and codes were checked, its "
                "gaps, clocks, orders of events and duplicates were not",
            )
        ]
        if self._spark.passed_over:
            names = ", ".join(self._spark.passed_over[:5])
            checks.append(Check("files passed over", "informs", f"named after no table: {names}"))
        return LogCheck(
            inputs={"log": self._spark.place},
            checks=tuple(checks),
            rows=rows,
            outcomes=dict(outcomes.iter_rows()),
            first_day=first,
            last_day=last,
            time_zone=engine.time_zone,
            rejected={},
        )

    def load(self, *args: Any, **named: Any) -> NoReturn:  # noqa: ARG002
        """Refused: exports are read and checked on their way into a DuckDB log."""
        raise self._refused(
            "exports are not loaded on Spark",
            "load them into a DuckDB log and write it with to_parquet, or write Parquet files in "
            "the layout of data/README.md",
        )

    def check(self, uses: Any = None) -> NoReturn:  # noqa: ARG002
        """Refused: the checks run in a DuckDB log."""
        raise self._refused(
            "the checks of a log run in DuckDB",
            "check the log that the exports were loaded into, or load a sample of months",
        )

    def forget(self, before: Any, *, dry_run: bool = False) -> NoReturn:  # noqa: ARG002
        """Refused: the folder belongs to whoever wrote it."""
        raise self._refused(
            "a folder of Parquet tables is read only",
            "forget in the DuckDB log and write the folder again, or delete its old files",
        )

    def rejects(self, limit: int | None = 1000) -> NoReturn:  # noqa: ARG002
        """Refused: rows that were set aside stay in the DuckDB log."""
        raise self._refused(
            "rows that were set aside are not in Parquet",
            "ask the DuckDB log that the exports were loaded into",
        )

    def to_parquet(self, folder: Any) -> NoReturn:  # noqa: ARG002
        """Refused: it is Parquet already."""
        raise self._refused("this log is Parquet already", "copy the folder")

    def _refused(self, what: str, remedy: str) -> UnsupportedError:
        return UnsupportedError(what, self._spark.place, remedy)
