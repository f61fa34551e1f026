"""Excel workbooks (.xlsx), each cell as the text that a CSV would hold.

Moments come as ISO 8601, times of day and durations (which Excel keeps as moments of its first
days) as H:MM:SS, numbers plainly. A formula comes as its value, never as a formula.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.decoding.compression import FREE_BYTES, MOST_TIMES
from ccanalytics.calllog.readers.base import HEADER_LINES, Reader, no_bad_rows
from ccanalytics.calllog.reading import Rows
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from ccanalytics.calllog.sources import Plan

__all__ = ["Excel"]

# Excel's day 0 is 1899-12-31 for numbers below 60, of which moments in 1900 are durations.
_DURATION = r"^(1899-12-31|1900-0[12]-\d\d) \d\d:\d\d:\d\d(\.\d+)?$"
_MOMENT = r"^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$"


class Excel(Reader):
    """Reader of one sheet of a workbook."""

    def __init__(
        self, path: Path, sheet: str | None = None, most_times: float | None = None
    ) -> None:
        self.path = path
        _check_size(path, MOST_TIMES if most_times is None else most_times)
        self._notes: list[str] = []
        self._first = self._header = 1
        self.frame = self._cells(sheet)

    def headers(self) -> Iterator[tuple[int, list[str]]]:
        """The first rows that hold anything."""
        top = self.frame.head(HEADER_LINES)
        filled = [
            (number, ["" if cell is None else cell for cell in row])
            for number, row in enumerate(top.iter_rows(), 1)
            if any(cell and cell.strip() for cell in row)
        ]
        self._first = filled[0][0] if filled else 1
        yield from filled

    def rows(self, plan: Plan, header: int) -> Iterator[Rows]:
        """The rows below the header, numbered as in the sheet."""
        import polars as pl

        self._header = header
        frame = self.frame.slice(header)
        frame.columns = plan.fields
        names = list(plan.fields)
        frame = (
            frame.with_columns(_as_text(name).alias(name) for name in names)
            .with_columns(
                pl.int_range(header + 1, header + 1 + frame.height, dtype=pl.Int64).alias("_line"),
                pl.concat_str([pl.col(n) for n in names], separator=",").alias("_raw"),
            )
            .filter(pl.any_horizontal([pl.col(n).str.strip_chars() != "" for n in names]))
        )
        yield Rows(frame, no_bad_rows(), self.path.stat().st_size)

    def remarks(self) -> list[str]:
        """The sheet that was chosen, and a header that does not come first."""
        above = (
            [f"the header was found in row {self._header}; what stands above was passed over"]
            if self._header > self._first
            else []
        )
        return [*self._notes, *above]

    def _cells(self, sheet: str | None) -> pl.DataFrame:
        try:
            import fastexcel
        except ImportError as error:
            raise InputError(
                "Excel files are read by fastexcel, which is not installed",
                str(self.path),
                "pip install 'ccanalytics[excel]', or save the sheet as CSV",
            ) from error
        import polars as pl

        try:
            book = fastexcel.read_excel(self.path)
            names = list(book.sheet_names)
            if sheet is not None and sheet not in names:
                raise InputError(
                    "the workbook has no such sheet",
                    f"{self.path}: sheet={sheet!r}",
                    "one of " + ", ".join(map(repr, names)),
                )
            wanted = [sheet] if sheet is not None else names
            loaded = {name: _load(book, name) for name in wanted}
        except fastexcel.FastExcelError as error:
            raise InputError(
                "the workbook is damaged, protected by a password, or not a workbook",
                f"{self.path}: {str(error).splitlines()[0][:200]}",
                "open it in Excel and save it again, or save the sheet as CSV",
            ) from error
        filled = {name: frame for name, frame in loaded.items() if frame.height}
        if not filled:
            raise InputError(
                "the sheet is empty" if len(wanted) == 1 else "all sheets are empty",
                f"{self.path}: {', '.join(map(repr, wanted))}",
                "choose another with --sheet, or export it again",
            )
        if len(filled) > 1:
            raise InputError(
                "the workbook has several sheets",
                f"{self.path}: {', '.join(map(repr, filled))}",
                "name one with --sheet",
            )
        ((name, frame),) = filled.items()
        if sheet is None and len(names) > 1:
            self._notes.append(f"read from the sheet {name!r}, the only one that holds anything")
        return frame.cast(pl.String)


def _load(book: Any, name: str) -> pl.DataFrame:
    """All cells of a sheet as text, row by row as in the sheet."""
    import polars as pl

    sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    if not sheet.width or not sheet.total_height:
        return pl.DataFrame()
    frame = sheet.to_polars()
    return frame if isinstance(frame, pl.DataFrame) else pl.DataFrame()


def _as_text(name: str) -> pl.Expr:
    import polars as pl

    value = pl.col(name)
    moment = (
        pl.when(value.str.contains(_DURATION))
        .then(value)
        .str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    )
    took = (moment - pl.datetime(1899, 12, 31)).dt.total_microseconds()
    whole = took // 1_000_000
    part = (took % 1_000_000) // 1000
    two = lambda number: number.cast(pl.String).str.zfill(2)  # noqa: E731
    clock = pl.concat_str(
        [
            two(whole // 3600),
            pl.lit(":"),
            two(whole // 60 % 60),
            pl.lit(":"),
            two(whole % 60),
            pl.when(part > 0)
            .then(pl.lit(".") + part.cast(pl.String).str.zfill(3))
            .otherwise(pl.lit("")),
        ]
    )
    return pl.coalesce(clock, value.str.replace(_MOMENT, "${1}T${2}"), pl.lit(""))


def _check_size(path: Path, most_times: float) -> None:
    """Refuse a workbook that unpacks beyond the limit, before it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError("the workbook is damaged", str(path), "save it again") from error
    if unpacked > FREE_BYTES and unpacked > most_times * path.stat().st_size:
        raise InputError(
            f"the workbook unpacks to more than {most_times:g} times its size",
            f"{path}: {unpacked:,} bytes",
            "check what it is; if it is right, raise the limit with --most-times",
        )
