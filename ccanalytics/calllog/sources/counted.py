"""What formats share that tell counts of intervals, and no single call."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

__all__ = ["COUNTS", "SUMS", "keeping_first"]

_TABLE = TABLES["interval_counts"]
COUNTS = tuple(c.name for c in _TABLE.columns if c.kind == "whole")
SUMS = tuple(c.name for c in _TABLE.columns if c.summed)


@contextmanager
def keeping_first(connection: duckdb.DuckDBPyConnection, staged: Path) -> Iterator[dict[str, int]]:
    """Remark intervals that are told a second time with other numbers; the first are kept."""
    same = " AND ".join(f't."{key}" = s."{key}"' for key in _TABLE.key)
    other = " OR ".join(
        f't."{name}" IS DISTINCT FROM s."{name}"' for name in _TABLE.names if name not in _TABLE.key
    )
    ((differing,),) = connection.execute(
        f'SELECT count(*) FROM read_parquet(?) AS s WHERE EXISTS (SELECT 1 FROM "{_TABLE.name}" '  # noqa: S608
        f"AS t WHERE {same} AND ({other}))",
        [str(staged)],
    ).fetchall()
    remarks: dict[str, int] = {}
    if differing:
        remarks["told with other numbers than an interval in the log: the first was kept"] = int(
            differing
        )
    yield remarks
