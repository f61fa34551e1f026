"""The place beside the log where a load puts what it has read, until it is taken over.

Two Parquet files in the load's work folder: rows that can be loaded, and rows that were set aside.
Nothing piles up in memory, identifiers are pseudonyms already, raw text is masked already.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

__all__ = ["Staging", "staging_in"]

# So many different reasons are counted one by one; a wrong mapping may make millions.
_MOST_REASONS = 10_000
OTHER = "other reasons"
# Rows that are written at a time: what the database, too, takes for a unit.
_GROUP = 122_880
# A column whose texts repeat that often is written as a dictionary, which is smaller and faster.
_REPEATED = 0.2


class Staging:
    """What a load has read so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = folder / "rows.parquet"
        self.rejects = folder / "rejects.parquet"
        self.read = 0
        self.rejected = 0
        self.reasons: Counter[str] = Counter()
        self.remarks: Counter[str] = Counter()
        self._writers: dict[Path, Any] = {}
        self._gathered: dict[Path, list[pl.DataFrame]] = {}

    def add(self, good: pl.DataFrame, bad: pl.DataFrame, read: int) -> None:
        """Put down rows, already fit for the log, and rows set aside, already masked."""
        self.read += read
        if good.height:
            self._gather(self.rows, good)
        if bad.height:
            self.rejected += bad.height
            self._count(bad)
            self._gather(self.rejects, bad)

    def close(self) -> None:
        """Finish the files, so that they can be read."""
        for path in list(self._gathered):
            self._flush(path)
        for writer in self._writers.values():
            writer.close()

    def abandon(self) -> None:
        """Let go of the files, whatever became of them."""
        self._gathered.clear()
        self.close()

    def holds(self, path: Path) -> bool:
        """Whether anything was put into one of the files."""
        return path in self._writers

    def _gather(self, path: Path, frame: pl.DataFrame) -> None:
        gathered = self._gathered.setdefault(path, [])
        gathered.append(frame)
        if sum(one.height for one in gathered) >= _GROUP:
            self._flush(path)

    def _flush(self, path: Path) -> None:
        import polars as pl

        frames = self._gathered.pop(path, [])
        if frames:
            self._write(path, pl.concat(frames))

    def _count(self, bad: pl.DataFrame) -> None:
        counts = bad.explode("reasons")["reasons"].drop_nulls().value_counts()
        self.reasons.update(dict(counts.iter_rows()))
        if len(self.reasons) > 2 * _MOST_REASONS:
            kept = dict(self.reasons.most_common(_MOST_REASONS))
            kept[OTHER] = kept.get(OTHER, 0) + self.reasons.total() - sum(kept.values())
            self.reasons = Counter(kept)

    def _write(self, path: Path, frame: pl.DataFrame) -> None:
        import polars as pl
        import pyarrow.parquet as pq

        arrow = frame.to_arrow(compat_level=pl.CompatLevel.newest())
        if path not in self._writers:
            self._writers[path] = pq.ParquetWriter(
                path,
                arrow.schema,
                compression="lz4",
                use_dictionary=[
                    one.name
                    for one in frame
                    if one.dtype == pl.String and one.n_unique() <= _REPEATED * frame.height + 1
                ],
                write_statistics=False,
            )
        self._writers[path].write_table(arrow, row_group_size=max(frame.height, 1))


@contextlib.contextmanager
def staging_in(folder: Path) -> Iterator[Staging]:
    """Staging in a private folder, which goes away with it."""
    held = Staging(folder)
    try:
        yield held
    finally:
        with contextlib.suppress(OSError):
            held.abandon()
