"""Texts of an export as moments, dates and seconds: polars expressions, one pass a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.sources.base import to_utc
from ccanalytics.calllog.sources.isotimes import of_one_form

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NAMED_FORMS", "date", "half_width", "moment", "moments", "seconds"]

# Forms of timestamps that are no strptime.
NAMED_FORMS = ("iso", "epoch_s", "epoch_ms", "excel")
# Day 0 of Excel's calendar, as it counts from March 1900 on.
_EXCEL_DAYS_TO_1970 = 25_569
_UNITS = {"s": 1.0, "ms": 0.001, "min": 60.0, "day": 86_400.0}
# Digits of ASCII alone: those of other scripts match \d too, and are no numbers to a cast.
_CLOCK = r"^(?:([0-9]+):([0-5]?[0-9])|([0-9]{1,4})):([0-5]?[0-9](?:\.[0-9]+)?)$"
_WORDS = (
    r"^(?i:(?:([0-9]+)\s*(?:小时|时|hours?|hrs?|h))?\s*"
    r"(?:([0-9]+)\s*(?:分钟|分|minutes?|mins?|min|m))?\s*"
    r"(?:([0-9]+(?:\.[0-9]+)?)\s*(?:秒钟|秒|seconds?|secs?|sec|s))?)$"
)


def half_width(rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Columns with full-width digits and signs (０９：３０，) as plain ones.

    A block of plain text is left as it is, without a pass over its characters.
    """
    import polars as pl

    lengths = rows.select(
        (pl.col(name).str.len_bytes().sum() - pl.col(name).str.len_chars().sum()).alias(name)
        for name in names
    )
    wide = [name for name in names if lengths[name][0]]
    return rows.with_columns(pl.col(name).str.normalize("NFKC") for name in wide)


def moments(
    value: pl.Series, forms: tuple[str, ...], time_zone: str
) -> tuple[pl.Series, pl.Series]:
    """As :func:`moment`, of a column; ISO 8601 in one form throughout goes at full speed."""
    import polars as pl

    text = pl.col("text")
    frame = value.alias("text").to_frame()
    if forms[0] == "iso":
        found, aware = of_one_form(value)
        reads = found.is_not_null()
        if not aware:
            found = found.to_frame().select(to_utc(pl.first(), time_zone)).to_series()
        if not (value.is_not_null() & ~reads).any():
            return found, reads
        others, also = moment(pl.when(~pl.col("reads")).then(text), forms, time_zone)
        frame = frame.with_columns(found=found, reads=reads).select(
            pl.coalesce("found", others).alias("found"), pl.col("reads") | also
        )
    else:
        others, also = moment(text, forms, time_zone)
        frame = frame.select(others.alias("found"), also.alias("reads"))
    return frame["found"], frame["reads"]


def moment(value: pl.Expr, forms: tuple[str, ...], time_zone: str) -> tuple[pl.Expr, pl.Expr]:
    """Timestamps to naive UTC by the first form that fits, and whether any form fits.

    Parameters
    ----------
    value
        Text.
    forms
        strptime forms, or names of :data:`NAMED_FORMS`.
    time_zone
        Of times without an offset; epochs are UTC.
    """
    import polars as pl

    tries: list[pl.Expr] = []
    walls: list[pl.Expr] = []
    for form in forms:
        if form in ("epoch_s", "epoch_ms"):
            tries.append(_epoch(value, 1_000_000 if form == "epoch_s" else 1_000))
            continue
        if form == "iso":
            aware, local = _iso(value)
            tries.append(aware)
        elif form == "excel":
            local = _excel(value)
        elif "%z" in form or "%:z" in form:
            tries.append(
                _tidy(value, form)
                .str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
                .dt.replace_time_zone(None)
            )
            continue
        else:
            local = _tidy(value, form).str.to_datetime(form, strict=False, time_unit="us")
        walls.append(local)
        tries.append(to_utc(local, time_zone))
    reads = pl.any_horizontal([*(one.is_not_null() for one in [*tries, *walls])])
    return pl.coalesce(tries), reads


def _epoch(value: pl.Expr, scale: int) -> pl.Expr:
    import polars as pl

    number = value.cast(pl.Float64, strict=False)
    sane = number.is_finite() & (number.abs() * scale < 2**62)
    whole = (number * scale).round().cast(pl.Int64, strict=False)
    return pl.when(sane).then(whole).cast(pl.Datetime("us"))


def _excel(value: pl.Expr) -> pl.Expr:
    """Days since 1899-12-30 to the wall clock, rounded to milliseconds."""
    import polars as pl

    days = value.cast(pl.Float64, strict=False)
    sane = days.is_finite() & days.is_between(1, 200_000)
    thousandths = ((days - _EXCEL_DAYS_TO_1970) * 86_400_000).round().cast(pl.Int64, strict=False)
    return pl.when(sane).then(thousandths * 1000).cast(pl.Datetime("us"))


def _iso(value: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Moments with an offset as naive UTC, and those without as wall clock."""
    import polars as pl

    tidy = value.str.replace(" ", "T", literal=True).str.replace(r"Z$", "+00:00")
    offset = tidy.str.contains(r"[+-]\d{2}:?\d{2}$")
    aware = (
        pl.when(offset)
        .then(tidy)
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us", time_zone="UTC")
        .dt.replace_time_zone(None)
    )
    local = (
        pl.when(~offset)
        .then(tidy)
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    )
    return aware, local


def _tidy(value: pl.Expr, form: str) -> pl.Expr:
    """The two halves of the day by the names that strptime knows."""
    if "%p" not in form and "%P" not in form:
        return value
    for pattern, half in ((r"上午|(?i:\ba\.?m\.?)", "AM"), (r"下午|(?i:\bp\.?m\.?)", "PM")):
        value = value.str.replace(pattern, half)
    return value.str.replace(r"(\d)(AM|PM)$", "${1} ${2}") if " %p" in form else value


def date(value: pl.Expr, form: str) -> pl.Expr:
    """Days; null where the text is none."""
    return value.str.to_date(form, strict=False)


def seconds(value: pl.Expr, unit: str, decimal: str = ".", thousands: str = "") -> pl.Expr:
    """Durations, and plain numbers under unit ``s``; null where the text is none.

    Parameters
    ----------
    value
        Text.
    unit
        ``s``, ``ms``, ``min``, ``day``, or ``hms``: H:MM:SS, MM:SS, or words.
    decimal, thousands
        Signs in numbers; groups of thousands must be whole (1.234, not 1.23).
    """
    import polars as pl

    if thousands:
        mark = {".": r"\.", "'": "['’]", " ": "[ \u00a0\u202f]"}.get(thousands, thousands)
        grouped = rf"^[+-]?\d{{1,3}}(?:{mark}\d{{3}})+(?:{decimal.replace('.', '[.]')}\d+)?$"
        value = (
            pl.when(value.str.contains(grouped))
            .then(value.str.replace_all(mark, ""))
            .otherwise(value)
        )
    if decimal == ",":
        # A point is not a decimal sign here: 1.5 is no number.
        value = pl.when(~value.str.contains(".", literal=True)).then(
            value.str.replace(",", ".", literal=True)
        )
    if unit == "hms":
        # With hours, minutes end at 59; without, they may go on (75:30).
        parts = value.str.extract_groups(_CLOCK)
        hours, minutes, alone, rest = (
            parts.struct.field(str(i)).cast(pl.Float64) for i in (1, 2, 3, 4)
        )
        clock = hours.fill_null(0) * 3600 + pl.coalesce(minutes, alone) * 60 + rest
        words = value.str.extract_groups(_WORDS)
        h, m, s = (words.struct.field(str(i)).cast(pl.Float64).fill_null(0) for i in (1, 2, 3))
        worded = value.str.contains(_WORDS) & value.str.contains(r"[0-9]")
        return pl.coalesce(clock, pl.when(worded).then(h * 3600 + m * 60 + s))
    number = value.cast(pl.Float64, strict=False)
    known = pl.when(number.is_finite()).then(number * _UNITS[unit])
    # A fraction of a day is seldom exact; no clock of a centre tells less than a millisecond.
    return known.round(3) if unit == "day" else known
