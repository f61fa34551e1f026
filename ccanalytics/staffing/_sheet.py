"""Tables as files that a spreadsheet opens: CSV and Excel, in which text is never a formula."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError, UnsupportedError
from ccanalytics.staffing._days import WEEKDAYS
from ccanalytics.vocabulary import measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

__all__ = ["harmless", "headed", "write"]

# With one of these first a cell of a CSV file is calculated by spreadsheets (OWASP, CSV injection).
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def write(sheets: Mapping[str, pl.DataFrame], path: str | Path) -> Path:
    """Write tables: all of them as sheets of ``.xlsx``, or the first alone as ``.csv``."""
    if not isinstance(path, (str, Path)) or not str(path).strip():
        raise InputError("this is no file name", f"path={path!r}", 'such as "seats.xlsx"')
    target = Path(path).expanduser()
    kind = target.suffix.lower()
    if kind not in {".csv", ".xlsx"}:
        raise InputError(
            "a table is written as .csv or .xlsx", f"path={str(path)!r}", 'such as "seats.xlsx"'
        )
    try:
        if kind == ".csv":
            # The mark at the start tells Excel that the text is UTF-8.
            harmless(next(iter(sheets.values()))).write_csv(
                target, include_bom=True, datetime_format="%Y-%m-%d %H:%M"
            )
        else:
            _excel(sheets, target)
    except OSError as error:
        raise InputError(
            "the table cannot be written",
            f"{target}: {error.strerror or error}",
            "choose an existing folder that you may write to, and close the file elsewhere",
        ) from error
    return target


def headed(
    table: pl.DataFrame, length_s: pl.Series, keys: tuple[str, ...], clock: str
) -> pl.DataFrame:
    """Give a table of intervals its lengths, and headings with units; weekdays by name."""
    import polars as pl

    place = table.columns.index("interval") + 1
    table = table.clone().insert_column(place, length_s.cast(pl.Int64))
    if "weekday" in keys:
        names = dict(enumerate(WEEKDAYS, 1))
        table = table.with_columns(pl.col("weekday").replace_strict(names, return_dtype=pl.String))
    if table.schema["interval"] != pl.String:
        # Headed by its clock; Excel knows no time zones.
        table = table.with_columns(pl.col("interval").dt.replace_time_zone(None))
    return table.rename(
        {
            name: f"Interval start ({clock})" if name == "interval" else measure(name).axis
            for name in table.columns
            if name not in keys
        }
    )


def harmless(table: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before text and headings that a spreadsheet would calculate.

    >>> import polars as pl
    >>> harmless(pl.DataFrame({"queue": ["=1+1", "sales"]}))["queue"].to_list()
    ["'=1+1", 'sales']
    """
    import polars as pl

    def guard(text: Any) -> Any:
        return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text

    return table.with_columns(
        pl.Series(name, [guard(text) for text in table[name]], dtype=pl.String)
        for name, dtype in table.schema.items()
        if dtype in (pl.String, pl.Categorical) or isinstance(dtype, pl.Enum)
    ).rename({name: guard(name) for name in table.columns})


def _excel(sheets: Mapping[str, pl.DataFrame], target: Path) -> None:
    import polars as pl

    try:
        import xlsxwriter
    except ImportError as error:
        raise UnsupportedError(
            "an Excel file needs the package XlsxWriter",
            str(target),
            'pip install "ccanalytics[excel]", or write .csv',
        ) from error
    # Text stays text: no formula, no link, no number.
    as_text = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with target.open("wb") as file, xlsxwriter.Workbook(file, as_text) as book:
        for name, table in sheets.items():
            formats: dict[Any, str] = {
                column: "0.0%" if column.endswith("(share)") else "#,##0.00"
                for column, dtype in table.schema.items()
                if dtype == pl.Float64
            }
            table.write_excel(
                book,
                worksheet=name,
                column_formats=formats,
                autofit=True,
                freeze_panes=(1, 0),
            )
