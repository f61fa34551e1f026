"""Any table, through a mapping of columns, units, time format, time zone and outcome codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ccanalytics.calllog.masking import LETTERS, few_names, masked_whole
from ccanalytics.calllog.reading import Layout
from ccanalytics.calllog.sources.base import Plan, Settings, Source, flag, listed
from ccanalytics.calllog.sources.values import date, half_width, moments, seconds
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
    """Reader of any table with a header: delimited text, NDJSON, Parquet, Excel."""

    name: ClassVar[str] = "generic"
    title: ClassVar[str] = "any table, with a mapping (--mapping FILE.toml)"
    trims: ClassVar[bool] = True

    def layout(self, settings: Settings) -> Layout:
        """Delimiter and quotation mark as the mapping says."""
        mapping = _mapping(settings)
        return Layout(mapping.delimiter, mapping.quote)

    def plan(self, path: Path, header: list[str], settings: Settings) -> Plan:
        """Find the mapped columns in the header."""
        mapping = _mapping(settings)
        # Of two that differ by blanks alone, the one without them has the name.
        names = [name if (tidy := name.strip()) in header else tidy for name in header]
        wanted = [name for given in mapping.columns.values() for name in _several(given)]
        missing = [name for name in wanted if name not in names]
        if missing:
            raise InputError(
                "the mapping names a column that the file does not have",
                f"{path}, line 1: {few_names(missing)}",
                "the file has " + few_names(names),
            )
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        doubted = [name for name in twice if name in wanted]
        if doubted:
            raise InputError(
                "the mapping names columns that stand twice in the header",
                f"{path}, line 1: {few_names(doubted)}",
                "rename one of them in the file: which is meant cannot be told",
            )
        notes = [mapping.note] if mapping.note else []
        if twice:
            notes.append(f"columns that stand twice, which nobody asked for: {few_names(twice)}")
        # Fields are numbered, so that a column called 'raw' or one that stands twice does no harm.
        return Plan(
            mapping.table,
            [f"_{i}:{name}" for i, name in enumerate(names)],
            self.layout(settings),
            tuple(notes),
        )

    def persons(self, plan: Plan, settings: Settings) -> dict[str, str] | None:
        """The columns of the file that are mapped to columns of persons."""
        mapping, table = _mapping(settings), TABLES[plan.table]
        person_of: dict[str, str] = {}
        for name, given in mapping.columns.items():
            column = table.column(name)
            # What should be a time, a number or a code, and is not, may be a name.
            coded = settings.key is not None and column.coded
            for header in _several(given):
                person_of[header] = (
                    column.person or person_of.get(header) or (LETTERS if coded else "")
                )
        # A column that nobody mapped may hold anything: it is masked like a person's.
        return {
            name: person
            for name in plan.fields
            if (person := person_of.get(name.split(":", 1)[1], "unmapped"))
        }

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
            **{name: [pl.lit(value.strip())] for name, value in mapping.constants.items()},
        }
        rows = rows.select(
            "_line", "_raw", *(_joined(parts, mapping).alias(name) for name, parts in cells.items())
        )
        rows = half_width(rows, [name for name in cells if table.column(name).kind != "text"])
        typed: list[pl.Expr] = []
        reasons: list[pl.Expr] = []
        for name in cells:
            column = table.column(name)
            if column.kind == "timestamp":
                value, reads = moments(rows[name], mapping.timestamp, mapping.time_zone)
                rows = rows.with_columns(
                    value.alias(f"_known:{name}"), reads.alias(f"_reads:{name}")
                )
                known, why = _moment(name, mapping)
            else:
                known, why = _cell(column, mapping, masked=settings.key is not None)
            typed.append(known.alias(name))
            reasons.extend(why)
        if table.name == "calls" and "call_id" not in cells:
            typed.append(pl.lit(None, pl.String).alias("call_id"))
        rows = rows.with_columns(*typed, reasons=listed(reasons), remarks=listed([]))
        return rows.drop(pl.selectors.starts_with("_known:", "_reads:"))


def _several(given: str | tuple[str, ...]) -> tuple[str, ...]:
    """The columns of the file that make one canonical column."""
    return (given,) if isinstance(given, str) else given


def _joined(parts: list[pl.Expr], mapping: Mapping) -> pl.Expr:
    """One text of one or several cells; unknown if any of them is."""
    import polars as pl

    known = [
        pl.when(pl.all_horizontal(text != unknown for unknown in mapping.null)).then(text)
        if mapping.null
        else text
        for text in parts
    ]
    return pl.concat_str(known, separator=" ", ignore_nulls=False) if len(known) > 1 else known[0]


def _nameless(codes: pl.Series) -> pl.Series:
    """Codes that are no words of the trade masked: they may be somebody's name."""
    import polars as pl

    from ccanalytics.calllog.proposal.outcomes import meaning

    strange = [code for code in codes.drop_nulls().unique() if not meaning(code, "")]
    masked = (
        pl.Series(strange, dtype=pl.String).to_frame("code").select(masked_whole(pl.col("code")))
    )
    return codes.replace(strange, masked.to_series()) if strange else codes


def _shown(code: pl.Expr) -> pl.Expr:
    """A code as a reason shows it: short, and with digits masked that could be a number."""
    import polars as pl

    digits = code.str.count_matches(r"\d")
    masked = pl.when(digits >= _NUMBER).then(code.str.replace_all(r"\d", "#")).otherwise(code)
    short = pl.when(masked.str.len_chars() > _LONG).then(
        pl.concat_str(masked.str.slice(0, _LONG), pl.lit("…"))
    )
    return short.otherwise(masked)


def _moment(name: str, mapping: Mapping) -> tuple[pl.Expr, list[pl.Expr]]:
    """A time that was read before, and why a row's cell cannot be."""
    import polars as pl

    value, known, reads = (pl.col(f"{what}{name}") for what in ("", "_known:", "_reads:"))
    forms = " or ".join(mapping.timestamp)
    return known, [
        flag(f"{name} is not a time of the form {forms}", value.is_not_null() & ~reads),
        flag(
            f"{name} is a time that does not exist: the clocks were put forward",
            reads & known.is_null(),
        ),
    ]


def _cell(column: Column, mapping: Mapping, *, masked: bool) -> tuple[pl.Expr, list[pl.Expr]]:
    """The typed value of a column, and why a row's cell cannot be read."""
    import polars as pl

    value, name = pl.col(column.name), column.name
    if name == "outcome" and mapping.outcomes:
        known = value.replace_strict(mapping.outcomes, default=None, return_dtype=pl.String)
        wrong = value.is_not_null() & known.is_null()
        strange = pl.when(wrong).then(value)
        code = strange.map_batches(_nameless, return_dtype=pl.String) if masked else strange
        told = pl.format("outcome code is not in the mapping: '{}'", _shown(code))
        return known, [pl.when(wrong).then(told)]
    if column.kind == "text":
        return value, []
    unit = mapping.units.get(name, "s")
    what = {
        "date": "a date of the form " + mapping.date.replace("%Y-%m-%d", "YYYY-MM-DD"),
        "flag": "true or false",
    }.get(column.kind, "a duration of the form H:MM:SS" if unit == "hms" else "a number")
    if column.kind == "date":
        known = date(value, mapping.date)
    elif column.kind == "flag":
        lower = value.str.to_lowercase()
        known = (
            pl.when(lower.is_in(["true", "1", "y", "yes", "t"]))
            .then(pl.lit(value=True))
            .when(lower.is_in(["false", "0", "n", "no", "f"]))
            .then(pl.lit(value=False))
        )
    else:
        known = seconds(value, unit, mapping.decimal, mapping.thousands)
    return known, [flag(f"{name} is not {what}", value.is_not_null() & known.is_null())]


def _mapping(settings: Settings) -> Mapping:
    if settings.mapping is None:
        raise InputError(
            "source 'generic' needs a mapping",
            "mapping is not given",
            "write a TOML file that names the columns, and give it with --mapping",
        )
    return settings.mapping
