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

__all__ = ["Generic"]


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
        missing = [name for name in mapping.columns.values() if name not in names]
        if missing:
            raise InputError(
                "the mapping names a column that the file does not have",
                f"{path}, line 1: {', '.join(map(repr, missing))}",
                "the file has " + ", ".join(map(repr, names)),
            )
        # Fields are numbered, so that a column called 'raw' or one that stands twice does no harm.
        return Plan(
            mapping.table, [f"_{i}:{name}" for i, name in enumerate(names)], self.layout(settings)
        )

    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:
        """Mapped text fields to canonical columns."""
        import polars as pl

        mapping = _mapping(settings)
        table = TABLES[plan.table]
        field_of = {name.split(":", 1)[1]: name for name in reversed(plan.fields)}
        text = {name: pl.col(field_of[column]) for name, column in mapping.columns.items()}
        rows = rows.select(
            "_line",
            "_raw",
            *(
                pl.when(~value.str.strip_chars().is_in(list(mapping.null)))
                .then(value.str.strip_chars())
                .alias(name)
                for name, value in text.items()
            ),
        )
        columns = [table.column(name) for name in mapping.columns]
        stamps = []
        typed: list[pl.Expr] = [
            pl.lit(value).alias(name) for name, value in mapping.constants.items()
        ]
        reasons: list[pl.Expr] = []
        for column in columns:
            value = pl.col(column.name)
            if column.kind == "timestamp":
                stamps.append(column.name)
                moment, wall = _moment(value, mapping)
                typed.append(moment.alias(column.name))
                reasons.append(
                    flag(
                        f"{column.name} is not a time of the form {' or '.join(mapping.timestamp)}",
                        value.is_not_null() & ~wall,
                    )
                )
                reasons.append(
                    flag(
                        f"{column.name} is a time that does not exist: the clocks were put forward",
                        wall & moment.is_null(),
                    )
                )
            elif column.kind in ("seconds", "number", "whole"):
                number = _number(value, mapping.units.get(column.name, "s"))
                typed.append(number.alias(column.name))
                reasons.append(
                    flag(
                        f"{column.name} is not a number"
                        if mapping.units.get(column.name) != "hms"
                        else f"{column.name} is not a duration of the form H:MM:SS",
                        value.is_not_null() & number.is_null(),
                    )
                )
            elif column.kind == "date":
                typed.append(value.str.to_date(strict=False).alias(column.name))
            elif column.kind == "flag":
                yes = value.str.to_lowercase().is_in(["true", "1", "y", "yes", "t"])
                no = value.str.to_lowercase().is_in(["false", "0", "n", "no", "f"])
                typed.append(
                    pl.when(yes)
                    .then(pl.lit(value=True))
                    .when(no)
                    .then(pl.lit(value=False))
                    .alias(column.name)
                )
            elif column.name == "outcome" and mapping.outcomes:
                known = value.replace_strict(mapping.outcomes, default=None, return_dtype=pl.String)
                typed.append(known.alias("outcome"))
                reasons.append(
                    flag(
                        "outcome code is not in the mapping", value.is_not_null() & known.is_null()
                    )
                )
        return rows.with_columns(*typed, reasons=listed(reasons), remarks=listed([])).with_columns(
            pl.lit(None, pl.String).alias("call_id")
            if table.name == "calls" and "call_id" not in {**mapping.columns, **mapping.constants}
            else pl.col("_line")
        )


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
        parts = value.str.extract_groups(r"^(?:(\d+):)?(\d{1,3}):([0-5]?\d(?:\.\d+)?)$")
        return (
            parts.struct.field("1").cast(pl.Float64).fill_null(0) * 3600
            + parts.struct.field("2").cast(pl.Float64) * 60
            + parts.struct.field("3").cast(pl.Float64)
        )
    number = value.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number * {"s": 1, "ms": 0.001, "min": 60}[unit])
