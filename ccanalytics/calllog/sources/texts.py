"""Small readings of text that several formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.database import in_memory

if TYPE_CHECKING:
    import polars as pl

__all__ = ["callers", "digests", "masked", "moments", "number"]

# What switches write where a caller's number is withheld or unknown.
_WITHHELD = (
    *("", "anonymous", "unknown", "restricted", "withheld", "private", "unavailable"),
    *("none", "null", "<unknown>", "unknown caller", "not available", "asterisk", "0"),
    "0000000000",
)
_LOCAL = (
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}:\d{2}(\.\d{1,9})?$", "%Y-%m-%d %H:%M:%S%.f"),
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}$", "%Y-%m-%d %H:%M"),
)


def callers(text: pl.Expr) -> pl.Expr:
    """A caller's number; null where the switch says that it was withheld."""
    import polars as pl

    tidy = text.str.strip_chars()
    return pl.when(~tidy.str.to_lowercase().is_in(_WITHHELD)).then(tidy)


def masked(text: pl.Expr, after: str | None = None) -> pl.Expr:
    """The text with runs of seven and more digits masked: they may be somebody's number.

    ``after`` is a pattern of the beginning that stays as it is.
    """
    import polars as pl

    long = r"\d{7,}"
    if after is None:
        return text.str.replace_all(long, "#")
    head = text.str.extract(f"({after})").fill_null("")
    rest = text.str.slice(head.str.len_chars())
    return pl.concat_str(head, rest.str.replace_all(long, "#"))


def number(text: pl.Expr) -> pl.Expr:
    """A finite decimal number; null where the text is none."""
    import polars as pl

    plain = pl.when(text.str.contains(r"^[+-]?\d{1,15}(\.\d{1,9})?$")).then(text)
    return plain.cast(pl.Float64, strict=False)


def moments(text: pl.Expr) -> pl.Expr:
    """Local wall-clock times ``YYYY-MM-DD HH:MM[:SS]``, also with slashes and single digits."""
    import polars as pl

    tidy = text.str.strip_chars().str.replace_all("/", "-", literal=True)
    tidy = tidy.str.replace("T", " ", literal=True)
    return pl.coalesce(
        pl.when(tidy.str.contains(pattern))
        .then(tidy)
        .str.to_datetime(form, strict=False, time_unit="us")
        for pattern, form in _LOCAL
    )


def digests(rows: pl.DataFrame, column: str) -> pl.Series:
    """The MD5 of a column's texts: the same name for the same text in every version and load."""
    import polars as pl

    with in_memory() as connection:
        connection.register("texts", rows.select(pl.col(column).alias("text")).to_arrow())
        found = connection.sql("SELECT md5(text) AS digest FROM texts").to_arrow_table()
    return pl.Series("digest", found.column("digest").to_pylist(), dtype=pl.String)
