"""What happens to one block of rows on its way: converted, checked, pseudonyms given, masked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ccanalytics.calllog.database import in_memory
from ccanalytics.calllog.masking import masked_fields, masked_patterns, masked_whole
from ccanalytics.calllog.pseudonyms import endpoints_pseudonymised, pseudonymised
from ccanalytics.calllog.sources.base import any_holds, told, trimmed
from ccanalytics.calllog.validation import validated
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.pseudonyms import Key
    from ccanalytics.calllog.reading import Rows
    from ccanalytics.calllog.sources import Plan, Settings, Source

__all__ = ["Checked", "checked_block"]


_CUT = "the last line has no end: it may be cut off"
_OPEN_END = "the last line has no end: it was taken for whole"


@dataclass(frozen=True)
class Checked:
    """A block fit for the log: ``good`` has _line and the columns of the table, ``bad`` has
    _line, _raw (masked) and reasons."""

    good: pl.DataFrame
    bad: pl.DataFrame
    remarks: dict[str, int]
    read: int
    bytes_read: int
    open_line: int | None


def checked_block(rows: Rows, plan: Plan, source: Source, settings: Settings) -> Checked:
    """Convert and check a block; nobody's name leaves it, unless the user said so."""
    import polars as pl

    table = TABLES[plan.table]
    if settings.allow_cut and rows.open_line is not None:
        rows = _without_open_line(rows)
    fields = rows.good
    if source.trims and not rows.trimmed:
        fields = trimmed(fields, plan.fields)
    good, wrong = validated(source.convert(fields, plan, settings), table)
    remarks = _counted(good["remarks"])
    if rows.open_line is not None and (good["_line"] == rows.open_line).any():
        remarks[_OPEN_END] = 1
    if table.name == "calls" and good["call_id"].null_count():
        good = _with_digests(good, source.name, settings.key)
    good = good.select("_line", *table.names)
    if settings.key is not None:
        named = endpoints_pseudonymised(good, source.endpoints, settings.key)
        good = pseudonymised(good, table, settings.key).with_columns(named)
    bad = _masked(rows.bad, rows.good, wrong, plan, source, settings)
    return Checked(
        good,
        bad if bad.height else pl.DataFrame(schema=bad.schema),
        remarks,
        rows.good.height + rows.bad.height,
        rows.bytes_read,
        rows.open_line,
    )


def _without_open_line(rows: Rows) -> Rows:
    """The rows without a last line that has no end: whether its last field is whole is not told."""
    import polars as pl

    cut = rows.good["_line"] == rows.open_line
    reasons = pl.lit([_CUT], dtype=pl.List(pl.String)).alias("reasons")
    bad = rows.good.filter(cut).select("_line", "_raw", reasons)
    return replace(
        rows, good=rows.good.filter(~cut), bad=pl.concat([rows.bad, bad]), open_line=None
    )


def _counted(remarks: pl.Series) -> dict[str, int]:
    some = any_holds(remarks)
    if not some.any():
        return {}
    texts = told(remarks.filter(some)).explode().drop_nulls()
    return dict(texts.value_counts().iter_rows())


def _with_digests(good: pl.DataFrame, source: str, key: Key | None) -> pl.DataFrame:
    """A call's name from its source row: the same row has the same name in every load.

    With a key the digest is keyed too: a row holds the caller's number, and everything else in it
    is known, so a plain digest would give the number away to whoever tries them all.
    """
    import polars as pl

    missing = good["call_id"].is_null()
    raw = good.filter(missing)["_raw"]
    if key is not None:
        prefix = f"{source}\n"
        digests = pl.Series(key.pseudonyms("call", [prefix + text for text in raw.to_list()]))
    else:
        with in_memory() as connection:
            connection.register("staged_rows", raw.to_frame().to_arrow())
            digest = connection.sql(
                "SELECT md5(? || chr(10) || _raw) AS digest FROM staged_rows", params=[source]
            ).to_arrow_table()
        frame = pl.from_arrow(digest)
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for the type checker
        digests = frame["digest"]
    if missing.all():
        return good.with_columns(call_id=digests)
    return good.with_columns(call_id=good["call_id"].scatter(missing.arg_true(), digests))


def _masked(
    unsplit: pl.DataFrame,
    fields: pl.DataFrame,
    wrong: pl.DataFrame,
    plan: Plan,
    source: Source,
    settings: Settings,
) -> pl.DataFrame:
    """Rows set aside, with their text masked: those that could not be split, and the others."""
    import polars as pl

    raw = pl.col("_raw")
    whole = masked_patterns(raw) if settings.key is None else masked_whole(raw)
    parts = [unsplit.with_columns(_raw=whole)] if unsplit.height else []
    if wrong.height:
        persons = source.persons(plan, settings)
        if persons is None:
            parts.append(wrong.with_columns(_raw=whole))
        else:
            text = masked_fields(plan.fields, persons, plan.layout).alias("_shown")
            shown = fields.filter(pl.col("_line").is_in(wrong["_line"].implode())).select(
                "_line", text
            )
            wrong = wrong.join(shown, on="_line", how="left", maintain_order="left")
            parts.append(wrong.with_columns(_raw=pl.col("_shown").fill_null(whole)).drop("_shown"))
    if not parts:
        return unsplit.clear()
    bad = pl.concat([part.select("_line", "_raw", "reasons") for part in parts]).sort("_line")
    # A reason may quote a cell.
    return bad.with_columns(pl.col("reasons").list.eval(masked_patterns(pl.element())))
