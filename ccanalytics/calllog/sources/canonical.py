"""Our own written form: canonical tables as CSV or Parquet, one file a table.

The table is told from the file's name (``calls_2025-01.csv`` is of ``calls``) or given. Timestamps
are ISO 8601 with Z or an offset, dates YYYY-MM-DD, flags true or false; an empty field is null.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, ClassVar

from ccanalytics.calllog.masking import LETTERS, few_names
from ccanalytics.calllog.sources.base import Plan, Sample, Settings, Source, flag, listed, to_utc
from ccanalytics.calllog.sources.isotimes import of_one_form
from ccanalytics.errors import InputError
from ccanalytics.schema import TABLES, Column

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

__all__ = ["Canonical", "table_of"]

_ENDINGS = re.compile(
    r"(\.(csv|tsv|txt|parquet|ndjson|jsonl|xlsx|gz|bz2|xz|zst|zip))+$", re.IGNORECASE
)


def table_of(path: Path) -> str | None:
    """The table that a file's name says it holds."""
    stem = _ENDINGS.sub("", path.name)
    fits = [name for name in TABLES if stem == name or stem.startswith(f"{name}_")]
    return max(fits, key=len, default=None)


class Canonical(Source):
    """Reader of canonical CSV and Parquet."""

    name: ClassVar[str] = "ccanalytics"
    title: ClassVar[str] = "canonical tables of ccanalytics (CSV or Parquet)"
    local_times: ClassVar[bool] = False
    takes_table: ClassVar[bool] = True
    trims: ClassVar[bool] = True

    def plan(self, path: Path, header: list[str], settings: Settings) -> Plan:
        """Take the table from the name, and check the header against the schema."""
        table = settings.table or table_of(path)
        if table is None or table not in TABLES:
            raise InputError(
                "which table this file holds cannot be told from its name"
                if settings.table is None
                else f"no such table: {settings.table!r}",
                str(path),
                "name it <table>_<anything>.csv or give --table; tables: " + ", ".join(TABLES),
            )
        names = [name.strip() for name in header]
        unknown = [name for name in names if name not in TABLES[table].names]
        missing = [
            c.name
            for c in TABLES[table].columns
            if c.required and c.name not in names and (table, c.name) != ("calls", "call_id")
        ]
        twice = sorted({name for name in names if names.count(name) > 1})
        for wrong, what in (
            (unknown, "columns that the table does not have"),
            (missing, "columns that it must have are missing"),
            (twice, "columns that stand twice"),
        ):
            if wrong:
                raise InputError(
                    f"this is not a canonical file of {table}: {what}",
                    # A file without a header shows its first row here.
                    f"{path}: {few_names(wrong)}",
                    "see data/README.md, or write a mapping for --source generic",
                )
        return Plan(table, names)

    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:
        """Text to the types of the schema; what cannot be read is a reason."""
        import polars as pl

        columns = [TABLES[plan.table].column(name) for name in plan.fields]
        rows = rows.with_columns(
            pl.when(pl.col(plan.fields) != "").then(pl.col(plan.fields)).name.keep()
        )
        moments = [
            _moments(rows[c.name], settings.time_zone).alias(f"_typed_{c.name}")
            for c in columns
            if c.kind == "timestamp"
        ]
        others = [
            _typed(c).alias(f"_typed_{c.name}")
            for c in columns
            if c.kind not in ("text", "timestamp")
        ]
        rows = rows.with_columns(*moments, *others)
        read = {c.name: pl.col(f"_typed_{c.name}") for c in columns if c.kind != "text"}
        reasons = [
            flag(f"{c.name} {_needs(c)}", pl.col(c.name).is_not_null() & read[c.name].is_null())
            for c in columns
            if c.kind != "text"
        ]
        texts = [c.name for c in columns if c.kind == "text"]
        return rows.select(
            "_line",
            "_raw",
            *texts,
            *(value.alias(name) for name, value in read.items()),
            reasons=listed(reasons),
            remarks=listed([]),
        )

    def strangers(self, path: Path, names: list[str], settings: Settings) -> list[str]:
        """Names that are none of the table's columns, or one of them written otherwise again."""
        table = settings.table or table_of(path)
        known = TABLES[table].names if table in TABLES else ()
        return [
            name
            for name in names
            if name.strip() not in known or (name != name.strip() and name.strip() in names)
        ]

    def persons(self, plan: Plan, settings: Settings) -> dict[str, str] | None:
        """The columns that the schema says identify a person; with a key, what may by mistake."""
        columns = [TABLES[plan.table].column(name) for name in plan.fields]
        kinds = {
            c.name: c.person or (LETTERS if settings.key is not None and c.coded else "")
            for c in columns
        }
        return {name: kind for name, kind in kinds.items() if kind}

    def recognises(self, sample: Sample) -> tuple[float, str] | None:
        """By names that are all a table's, its required ones among them."""
        names = [name.strip() for name in sample.names]
        for table in TABLES.values():
            needed = {c.name for c in table.columns if c.required} - {"call_id"}
            if names and set(names) <= set(table.names) and needed <= set(names):
                told = table_of(sample.path) == table.name
                how = "" if told else f" (say --table {table.name}, as its name does not)"
                return 1.0, f"its columns are those of our own table {table.name}{how}"
        return None

    def companion(self, path: Path) -> str | None:
        """The time zone in ``centre.json`` beside the file."""
        beside = (path if path.is_dir() else path.parent) / "centre.json"
        if not beside.is_file():
            return None
        try:
            zone = json.loads(beside.read_text(encoding="utf-8"))["time_zone"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                "the description of the centre cannot be read",
                str(beside),
                'it must be JSON with a "time_zone"',
            ) from error
        return str(zone)


_ISO = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?$"


def _needs(column: Column) -> str:
    return {
        "timestamp": "is not an ISO 8601 timestamp with Z or an offset",
        "date": "is not a date of the form YYYY-MM-DD",
        "flag": "is neither true nor false",
        "whole": "is not a whole number",
    }.get(column.kind, "is not a number")


def _moments(value: pl.Series, time_zone: str | None) -> pl.Series:
    """ISO 8601 to naive UTC; the commonest form at full speed, the others where they occur."""
    import polars as pl

    moments, aware = of_one_form(value)
    if not aware:
        if time_zone is None:
            moments = moments.clear(len(moments))
        else:
            moments = moments.to_frame().select(to_utc(pl.first(), time_zone)).to_series()
    left = value.is_not_null() & moments.is_null()
    if not left.any():
        return moments
    frame = pl.DataFrame({"text": value, "moments": moments, "left": left})
    others = _any_form(pl.when("left").then("text"), time_zone)
    return frame.select(pl.coalesce("moments", others)).to_series()


def _any_form(value: pl.Expr, time_zone: str | None) -> pl.Expr:
    """With an offset, and without one (local, if a zone is given): two forms, so two passes."""
    import polars as pl

    tidy = value.str.replace(" ", "T", literal=True).str.replace(r"Z$", "+00:00")
    has_offset = tidy.str.contains(r"[+-]\d{2}:?\d{2}$")
    exact = value.str.contains(_ISO)
    aware = (
        pl.when(exact & has_offset)
        .then(tidy)
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us", time_zone="UTC")
        .dt.replace_time_zone(None)
    )
    if time_zone is None:
        return aware
    local = (
        pl.when(exact & ~has_offset)
        .then(tidy)
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    )
    return pl.coalesce(aware, to_utc(local, time_zone))


def _typed(column: Column) -> pl.Expr:
    import polars as pl

    value = pl.col(column.name)
    if column.kind == "date":
        return value.str.to_date("%Y-%m-%d", strict=False)
    if column.kind == "flag":
        lower = value.str.to_lowercase()
        return (
            pl.when(lower.is_in(["true", "1"]))
            .then(pl.lit(value=True))
            .when(lower.is_in(["false", "0"]))
            .then(pl.lit(value=False))
        )
    if column.kind == "whole":
        return value.cast(pl.Int64, strict=False)
    number = value.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)
