"""Any CSV, through a mapping of columns, units, time format, time zone and outcome codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ccanalytics.calllog.reading import Layout
from ccanalytics.calllog.sources.base import Plan, Settings, Source, flag, listed, to_utc
from ccanalytics.errors import InputError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from ccanalytics.calllog.sources.mapping import Mapping
    from ccanalytics.schema import Column

__all__ = ["Generic"]

# A code with that many digits may be a telephone number, and is not repeated.
_NUMBER, _LONG = 5, 24


class Generic(Source):
    """Reader of any delimited text file with a header."""

    name: ClassVar[str] = "generic"
    title: ClassVar[str] = "any CSV, with a mapping (--mapping FILE.toml)"

    def layout(self, settings: Settings) -> Layout:
        """Delimiter and quotation mark as the mapping says."""
        mapping = _mapping(settings)
        return Layout(mapping.delimiter, mapping.quote)

    def plan(self, path: Path, header: list[str], settings: Settings) -> Plan:
        """Find the mapped columns in the header."""
        mapping = _mapping(settings)
        names = [name.strip() for name in header]
        wanted = [name for given in mapping.columns.values() for name in _several(given)]
        missing = [name for name in wanted if name not in names]
        if missing:
            raise InputError(
                "the mapping names a column that the file does not have",
                f"{path}, line 1: {', '.join(map(repr, missing))}",
                "the file has " + ", ".join(map(repr, names)),
            )
        # Fields are numbered, so that a column called 'raw' or one that stands twice does no harm.
        return Plan(
            mapping.table,
            [f"_{i}:{name}" for i, name in enumerate(names)],
            self.layout(settings),
            (mapping.note,) if mapping.note else (),
        )

    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:
        """Mapped text fields, and constants as if each row held them, to canonical columns."""
        import polars as pl

        mapping = _mapping(settings)
        table = TABLES[plan.table]
        field_of = {name.split(":", 1)[1]: name for name in reversed(plan.fields)}
        cells = {
            **{
                name: [pl.col(field_of[column]) for column in _several(given)]
                for name, given in mapping.columns.items()
            },
            **{name: [pl.lit(value)] for name, value in mapping.constants.items()},
        }
        rows = rows.select(
            "_line", "_raw", *(_joined(parts, mapping).alias(name) for name, parts in cells.items())
        )
        typed: list[pl.Expr] = []
        reasons: list[pl.Expr] = []
        for name in cells:
            value, why = _cell(table.column(name), mapping)
            typed.append(value.alias(name))
            reasons.extend(why)
        if table.name == "calls" and "call_id" not in cells:
            typed.append(pl.lit(None, pl.String).alias("call_id"))
        return rows.with_columns(*typed, reasons=listed(reasons), remarks=listed([]))


def _several(given: str | tuple[str, ...]) -> tuple[str, ...]:
    """The columns of the file that make one canonical column."""
    return (given,) if isinstance(given, str) else given


def _joined(parts: list[pl.Expr], mapping: Mapping) -> pl.Expr:
    """One text of one or several cells; unknown if any of them is."""
    import polars as pl

    tidy = [part.str.strip_chars() for part in parts]
    known = [pl.when(~text.is_in(list(mapping.null))).then(text) for text in tidy]
    return pl.concat_str(known, separator=" ", ignore_nulls=False) if len(known) > 1 else known[0]


def _shown(code: pl.Expr) -> pl.Expr:
    """A code as a reason shows it: short, and with digits masked that could be a number."""
    import polars as pl

    digits = code.str.count_matches(r"\d")
    masked = pl.when(digits >= _NUMBER).then(code.str.replace_all(r"\d", "#")).otherwise(code)
    short = pl.when(masked.str.len_chars() > _LONG).then(
        pl.concat_str(masked.str.slice(0, _LONG), pl.lit("…"))
    )
    return short.otherwise(masked)


def _cell(column: Column, mapping: Mapping) -> tuple[pl.Expr, list[pl.Expr]]:
    """The typed value of a column, and why a row's cell cannot be read."""
    import polars as pl

    value, name = pl.col(column.name), column.name
    if column.kind == "timestamp":
        moment, reads = _moment(value, mapping)
        forms = " or ".join(mapping.timestamp)
        return moment, [
            flag(f"{name} is not a time of the form {forms}", value.is_not_null() & ~reads),
            flag(
                f"{name} is a time that does not exist: the clocks were put forward",
                reads & moment.is_null(),
            ),
        ]
    if name == "outcome" and mapping.outcomes:
        known = value.replace_strict(mapping.outcomes, default=None, return_dtype=pl.String)
        wrong = value.is_not_null() & known.is_null()
        told = pl.format("outcome code is not in the mapping: '{}'", _shown(value))
        return known, [pl.when(wrong).then(told)]
    if column.kind == "text":
        return value, []
    unit = mapping.units.get(name, "s")
    what = {
        "date": "a date of the form YYYY-MM-DD",
        "flag": "true or false",
    }.get(column.kind, "a duration of the form H:MM:SS" if unit == "hms" else "a number")
    if column.kind == "date":
        known = value.str.to_date("%Y-%m-%d", strict=False)
    elif column.kind == "flag":
        lower = value.str.to_lowercase()
        known = (
            pl.when(lower.is_in(["true", "1", "y", "yes", "t"]))
            .then(pl.lit(value=True))
            .when(lower.is_in(["false", "0", "n", "no", "f"]))
            .then(pl.lit(value=False))
        )
    else:
        known = _number(value, unit)
    return known, [flag(f"{name} is not {what}", value.is_not_null() & known.is_null())]


def _mapping(settings: Settings) -> Mapping:
    if settings.mapping is None:
        raise InputError(
            "source 'generic' needs a mapping",
            "mapping is not given",
            "write a TOML file that names the columns, and give it with --mapping",
        )
    return settings.mapping


def _moment(value: pl.Expr, mapping: Mapping) -> tuple[pl.Expr, pl.Expr]:
    """Timestamps to naive UTC by the first form that fits, and whether any form fits."""
    import polars as pl

    tries: list[pl.Expr] = []
    walls: list[pl.Expr] = []
    for form in mapping.timestamp:
        if form in ("epoch_s", "epoch_ms"):
            scale = 1_000_000 if form == "epoch_s" else 1_000
            number = value.cast(pl.Float64, strict=False)
            sane = number.is_finite() & (number.abs() * scale < 2**62)
            tries.append(
                pl.when(sane)
                .then((number * scale).round().cast(pl.Int64, strict=False))
                .cast(pl.Datetime("us"))
            )
            continue
        if form == "iso":
            tidy = value.str.replace(" ", "T", literal=True).str.replace(r"Z$", "+00:00")
            offset = tidy.str.contains(r"[+-]\d{2}:?\d{2}$")
            tries.append(
                pl.when(offset)
                .then(tidy)
                .str.to_datetime(
                    "%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us", time_zone="UTC"
                )
                .dt.replace_time_zone(None)
            )
            local = (
                pl.when(~offset)
                .then(tidy)
                .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
            )
        elif "%z" in form:
            tries.append(
                value.str.to_datetime(
                    form, strict=False, time_unit="us", time_zone="UTC"
                ).dt.replace_time_zone(None)
            )
            continue
        else:
            local = value.str.to_datetime(form, strict=False, time_unit="us")
        walls.append(local)
        tries.append(to_utc(local, mapping.time_zone))
    reads = pl.any_horizontal([*(one.is_not_null() for one in [*tries, *walls])])
    return pl.coalesce(tries), reads


def _number(value: pl.Expr, unit: str) -> pl.Expr:
    """Durations to seconds; null where the text is none."""
    import polars as pl

    if unit == "hms":
        # With hours, minutes end at 59; without, they may go on (75:30).
        parts = value.str.extract_groups(r"^(?:(\d+):([0-5]?\d)|(\d{1,4})):([0-5]?\d(?:\.\d+)?)$")
        hours, minutes, alone, rest = (
            parts.struct.field(str(i)).cast(pl.Float64) for i in (1, 2, 3, 4)
        )
        return hours.fill_null(0) * 3600 + pl.coalesce(minutes, alone) * 60 + rest
    number = value.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number * {"s": 1, "ms": 0.001, "min": 60}[unit])
