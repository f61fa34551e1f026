"""Parquet, each value as the text that a CSV would hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.readers.base import Reader, no_bad_rows
from ccanalytics.calllog.reading import Rows
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from ccanalytics.calllog.sources import Plan

__all__ = ["Parquet"]

_NOT_TEXT = ("binary", "large_binary", "fixed_size_binary", "duration", "interval")


class Parquet(Reader):
    """Reader of Parquet files without nested columns."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path = path
        try:
            self._file: Any = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise self._damaged() from error

    def headers(self) -> Iterator[tuple[int, list[str]]]:
        """The names of the schema."""
        import pyarrow as pa

        for field in self._file.schema_arrow:
            if pa.types.is_nested(field.type) or str(field.type).startswith(_NOT_TEXT):
                raise InputError(
                    f"a column of type {field.type} is not read",
                    f"{self.path}: column {field.name!r}",
                    "write it as text, a number, a flag, a date or a timestamp",
                )
        yield 0, list(self._file.schema_arrow.names)

    def rows(self, plan: Plan, header: int) -> Iterator[Rows]:
        """Batches of rows, numbered from 1."""
        import polars as pl
        import pyarrow as pa

        start, size = header + 1, self.path.stat().st_size
        total = max(self._file.metadata.num_rows, 1)
        iterator = self._file.iter_batches()
        while True:
            try:
                batch = next(iterator)
                batch.validate(full=True)  # text that is none would crash whatever reads it on
            except StopIteration:
                return
            except (pa.ArrowException, OSError) as error:
                raise self._damaged() from error
            frame = pl.from_arrow(pa.Table.from_batches([batch]).rename_columns(list(plan.fields)))
            assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for the type checker
            texts = [
                _as_text(name, kind).fill_null("").alias(name)
                for name, kind in frame.schema.items()
            ]
            good = frame.select(texts).with_columns(
                pl.int_range(start, start + frame.height, dtype=pl.Int64).alias("_line"),
                pl.concat_str([pl.col(n) for n in plan.fields], separator=",").alias("_raw"),
            )
            start += frame.height
            yield Rows(good, no_bad_rows(), size * (start - 1) // total)

    def _damaged(self) -> InputError:
        return InputError(
            "the Parquet file is cut off or damaged", str(self.path), "export it again"
        )


def _as_text(name: str, kind: pl.DataType) -> pl.Expr:
    import polars as pl

    value = pl.col(name)
    if isinstance(kind, pl.Datetime) and kind.time_zone is None:
        return value.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")
    if isinstance(kind, pl.Datetime):
        return value.dt.convert_time_zone("UTC").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    return value.cast(pl.String)
