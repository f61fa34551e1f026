"""A load: read, check, stage, then one transaction on the log's next state.

Reading and checking go to a private folder beside the log; other loads are kept out only while the
staged rows are taken over, and readers never. All of a file comes in, or nothing.
``read = loaded + duplicates + rejected``, always.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.reading import (
    Rows,
    first_line,
    is_parquet,
    read_rows,
    split_line,
)
from ccanalytics.calllog.report import FileLoad
from ccanalytics.calllog.sources.canonical import table_of
from ccanalytics.calllog.validation import validated
from ccanalytics.calllog.workspace import stage
from ccanalytics.errors import InputError
from ccanalytics.schema import TABLES, Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb
    import polars as pl

    from ccanalytics.calllog.sources import Plan, Settings, Source
    from ccanalytics.calllog.store import Store

__all__ = ["Progress", "Target", "files_to_load", "load_file"]

Progress = Callable[[int, int, str], None]
logger = logging.getLogger("ccanalytics")
_NOT_TEXT = ("binary", "large_binary", "fixed_size_binary", "duration", "interval")


def files_to_load(path: Path, source: Source) -> list[Path]:
    """The files that a path stands for: itself, or, for canonical tables, those of a folder."""
    if not path.exists():
        raise InputError("there is no such file", str(path), "check the path")
    if not path.is_dir():
        return [path]
    if source.name != "ccanalytics":
        raise InputError(
            "this is a folder, not a file", str(path), "name the files in it, such as FOLDER/*.csv"
        )
    files = sorted(
        f
        for f in path.iterdir()
        if f.is_file() and table_of(f) and set(f.suffixes) & {".csv", ".parquet", ".gz", ".txt"}
    )
    if not files:
        raise InputError(
            "no file in this folder is named after a canonical table",
            str(path),
            "such as calls.csv; see data/README.md",
        )
    return files


@dataclass(frozen=True)
class Target:
    """The log that a load goes into, and what it needs to be made if it is new."""

    store: Store
    time_zone: str
    package_version: str


def load_file(
    target: Target, path: Path, source: Source, settings: Settings, progress: Progress | None
) -> FileLoad:
    """Load one file: all of it or nothing."""
    stage("reading")
    digest = _fingerprint(path)
    if not target.store.is_new():
        with target.store.reading() as connection:
            known = _known(connection, digest, source, settings)
        if known is not None:
            return replace(known, file=str(path))
    size = path.stat().st_size
    if size == 0:
        raise InputError(
            "the file is empty", str(path), "export it again; there is nothing to load"
        )
    plan, batches = _open(path, source, settings)
    stage("staging")
    with target.store.staging() as folder:
        staged = _Staged(folder / "rows.parquet", TABLES[plan.table])
        for rows in batches:
            _stage(rows, plan, source, settings, staged)
            _refuse_cut(path, rows, staged)
            if progress:
                progress(min(rows.bytes_read, size), size, path.name)
        staged.close()
        loaded = _commit(target, path, source, settings, plan, digest, staged)
    if progress:
        progress(size, size, path.name)
    logger.info("%s: read %d, loaded %d", path, staged.read, loaded.loaded)
    return loaded


def _open(path: Path, source: Source, settings: Settings) -> tuple[Plan, Iterator[Rows]]:
    encoding = settings.encoding
    if settings.mapping is not None and settings.mapping.encoding:
        encoding = settings.mapping.encoding
    if is_parquet(path):
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                "the Parquet file is cut off or damaged", str(path), "export it again"
            ) from error
        for field in file.schema_arrow:
            if pa.types.is_nested(field.type) or str(field.type).startswith(_NOT_TEXT):
                raise InputError(
                    f"a column of type {field.type} is not read",
                    f"{path}: column {field.name!r}",
                    "write it as text, a number, a flag, a date or a timestamp",
                )
        plan = source.plan(path, list(file.schema_arrow.names), settings)
        return plan, _parquet_rows(file, plan, path)
    layout = source.layout(settings)
    line = first_line(path, encoding)
    header = split_line(line, layout)
    if header is None:
        raise InputError(
            "a quotation mark in the first line is not closed", f"{path}, line 1", "check the file"
        )
    plan = source.plan(path, header, settings)
    return plan, read_rows(path, plan.layout, plan.fields, encoding, allow_cut=settings.allow_cut)


def _parquet_rows(file: Any, plan: Plan, path: Path) -> Iterator[Rows]:
    """Rows of a Parquet file as text, so that every source reads one kind of thing."""
    import polars as pl
    import pyarrow as pa

    start, size = 1, path.stat().st_size
    total = max(file.metadata.num_rows, 1)
    iterator = file.iter_batches()
    while True:
        try:
            batch = next(iterator)
        except StopIteration:
            return
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                "the Parquet file is cut off or damaged", str(path), "export it again"
            ) from error
        frame = pl.from_arrow(pa.Table.from_batches([batch]))
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for the type checker
        frame.columns = plan.fields
        texts = [
            _as_text(name, kind).fill_null("").alias(name) for name, kind in frame.schema.items()
        ]
        good = frame.select(texts).with_columns(
            pl.int_range(start, start + frame.height, dtype=pl.Int64).alias("_line"),
            pl.concat_str([pl.col(n) for n in plan.fields], separator=",").alias("_raw"),
        )
        start += frame.height
        empty = pl.DataFrame(
            schema={"_line": pl.Int64, "_raw": pl.String, "reasons": pl.List(pl.String)}
        )
        yield Rows(good, empty, size * (start - 1) // total)


def _as_text(name: str, kind: pl.DataType) -> pl.Expr:
    import polars as pl

    value = pl.col(name)
    if isinstance(kind, pl.Datetime) and kind.time_zone is None:
        return value.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")
    if isinstance(kind, pl.Datetime):
        return value.dt.convert_time_zone("UTC").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    return value.cast(pl.String)


class _Staged:
    """What a load has read so far: good rows in a Parquet file, the rest in memory."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path = path
        self.table = table
        self.read = 0
        self.rejected = 0
        self.reasons: Counter[str] = Counter()
        self.remarks: Counter[str] = Counter()
        self.rejects: list[pl.DataFrame] = []
        self._writer: Any = None

    def add(self, good: pl.DataFrame) -> None:
        import pyarrow.parquet as pq

        arrow = good.to_arrow()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, arrow.schema, compression="snappy")
        self._writer.write_table(arrow)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    @property
    def empty(self) -> bool:
        return self._writer is None


def _stage(rows: Rows, plan: Plan, source: Source, settings: Settings, staged: _Staged) -> None:
    import polars as pl

    staged.read += rows.good.height + rows.bad.height
    bad = rows.bad
    if rows.good.height:
        frame = validated(source.convert(rows.good, plan, settings), staged.table)
        wrong = frame.filter(pl.col("reasons").list.len() > 0)
        bad = pl.concat([bad, wrong.select("_line", "_raw", "reasons")])
        good = frame.filter(pl.col("reasons").list.len() == 0)
        remarked = good.select(pl.col("remarks").explode().drop_nulls()).to_series()
        staged.remarks.update(dict(remarked.value_counts().iter_rows()))
        if staged.table.name == "calls" and good["call_id"].null_count():
            good = _with_digests(good, source.name)
        staged.add(good.select("_line", *staged.table.names))
    if bad.height:
        staged.rejected += bad.height
        staged.reasons.update(dict(bad.explode("reasons")["reasons"].value_counts().iter_rows()))
        staged.rejects.append(bad)


def _with_digests(good: pl.DataFrame, source: str) -> pl.DataFrame:
    """A call's name from its source row: the same row has the same name in every load."""
    import duckdb
    import polars as pl

    with duckdb.connect() as connection:
        connection.register("staged_rows", good.select("_raw").to_arrow())
        digest = connection.sql(
            "SELECT md5(? || chr(10) || _raw) AS digest FROM staged_rows", params=[source]
        ).to_arrow_table()
    column = pl.Series("digest", digest.column("digest").to_pylist(), dtype=pl.String)
    return good.with_columns(pl.col("call_id").fill_null(column))


def _refuse_cut(path: Path, rows: Rows, staged: _Staged) -> None:
    """A last line without a line end that cannot be used: the export was cut off there."""
    if rows.open_line is None or not staged.rejects:
        return
    if (staged.rejects[-1]["_line"] == rows.open_line).any():
        raise InputError(
            "the file is cut off in the middle of its last line",
            f"{path}, line {rows.open_line}",
            "export it again, or load what is whole with --allow-cut; nothing was loaded",
        )


def _commit(
    target: Target,
    path: Path,
    source: Source,
    settings: Settings,
    plan: Plan,
    digest: str,
    staged: _Staged,
) -> FileLoad:
    """Take the staged rows over, in one transaction that holds the log for a moment."""
    import polars as pl

    table = staged.table
    good = staged.read - staged.rejected
    with target.store.writing(target.time_zone, target.package_version) as connection:
        # Another load may have brought in this very file meanwhile.
        known = _known(connection, digest, source, settings)
        if known is not None:
            return replace(known, file=str(path))
        loaded = 0 if staged.empty else _take_over(connection, staged.path, table)
        duplicates = good - loaded
        (number,) = connection.execute(
            'INSERT INTO loads (file, source, "table", fingerprint, settings, "read", loaded, '
            'duplicates, rejected, "at") '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, now() AT TIME ZONE 'UTC') RETURNING load",
            [
                path.name,
                source.name,
                plan.table,
                digest,
                settings.text(),
                staged.read,
                loaded,
                duplicates,
                staged.rejected,
            ],
        ).fetchall()[0]
        if staged.rejects:
            connection.register(
                "set_aside", pl.concat(staged.rejects).select("_line", "_raw", "reasons").to_arrow()
            )
            connection.execute(
                "INSERT INTO rejects SELECT ?, _line, _raw, reasons FROM set_aside", [number]
            )
            connection.unregister("set_aside")
        for remark, rows in staged.remarks.items():
            connection.execute("INSERT INTO remarks VALUES (?, ?, ?)", [number, remark, rows])
    return FileLoad(
        str(path),
        plan.table,
        staged.read,
        loaded,
        duplicates,
        staged.rejected,
        dict(staged.reasons),
        dict(staged.remarks),
    )


def _take_over(connection: duckdb.DuckDBPyConnection, staging: Path, table: Table) -> int:
    """Insert what is not there yet; the first of several rows with one key wins."""
    # Identifiers come from the schema alone, never from a file; the path is bound.
    names = ", ".join(f'"{name}"' for name in table.names)
    keys = ", ".join(f'"{name}"' for name in table.key)
    same = " AND ".join(f't."{name}" IS NOT DISTINCT FROM s."{name}"' for name in table.key)
    inserted = connection.execute(
        f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM ('  # noqa: S608
        f"SELECT DISTINCT ON ({keys}) * FROM read_parquet(?) ORDER BY {keys}, _line) AS s "
        f'WHERE NOT EXISTS (SELECT 1 FROM "{table.name}" AS t WHERE {same})',
        [str(staging)],
    ).fetchall()
    return int(inserted[0][0])


def _known(
    connection: duckdb.DuckDBPyConnection, digest: str, source: Source, settings: Settings
) -> FileLoad | None:
    """The account of an earlier load of this very file in this very way."""
    rows = connection.execute(
        'SELECT load, "table", "read", loaded, duplicates, rejected FROM loads '
        "WHERE fingerprint = ? AND source = ? AND settings = ? ORDER BY load LIMIT 1",
        [digest, source.name, settings.text()],
    ).fetchall()
    if not rows:
        return None
    load, table, read, loaded, duplicates, rejected = rows[0]
    reasons = connection.execute(
        "SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason FROM rejects "
        "WHERE load = ?) GROUP BY reason",
        [load],
    ).fetchall()
    remarks = connection.execute(
        'SELECT remark, "rows" FROM remarks WHERE load = ?', [load]
    ).fetchall()
    return FileLoad(
        "",
        table,
        read,
        0,
        loaded + duplicates,
        rejected,
        dict(reasons),
        dict(remarks),
        already_loaded=True,
    )


def _fingerprint(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            "the file cannot be read", str(path), error.strerror or "check it"
        ) from error
