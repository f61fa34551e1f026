"""A proposed mapping tried on the rows that it was proposed from."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

from ccanalytics.calllog.proposal.toml import rendered
from ccanalytics.calllog.sources.base import Plan, Settings, trimmed
from ccanalytics.calllog.sources.generic import Generic
from ccanalytics.calllog.sources.mapping import checked_mapping
from ccanalytics.calllog.validation import validated
from ccanalytics.errors import InputError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from ccanalytics.calllog.proposal.propose import Proposal
    from ccanalytics.calllog.proposal.sample import Table

__all__ = ["tried"]


def tried(proposal: Proposal, table: Table) -> tuple[int, dict[str, int]]:
    """How many of the rows would load, and why the others would not.

    Questions are answered for the trial: UTC, and the first of several forms of timestamps. Where
    a needed column is open nothing loads.
    """
    import polars as pl

    lines = []
    for line in proposal.lines:
        asked = line.section == "file" and line.key in ("time_zone", "timestamp")
        if line.sure:
            lines.append(line)
        elif asked and not any(line.key == other.key for other in lines):
            value = "UTC" if line.key == "time_zone" else line.value
            lines.append(replace(line, sure=True, value=value))
    try:
        data = tomllib.loads(rendered([], tuple(lines), ()))
        mapping = checked_mapping(data, table.path.name)
    except InputError:
        return 0, {}
    source, settings = Generic(), Settings(mapping=mapping)
    plan = Plan("calls", [f"_{i}:{name}" for i, name in enumerate(table.names)], table.layout)
    rows = table.frame.rename(dict(zip(table.frame.columns, plan.fields, strict=True)))
    numbered = rows.with_columns(
        pl.int_range(pl.len()).cast(pl.Int64).alias("_line"), pl.lit("").alias("_raw")
    )
    fields = trimmed(numbered, plan.fields)
    good, bad = validated(source.convert(fields, plan, settings), TABLES["calls"])
    counts = bad["reasons"].explode().drop_nulls().value_counts(sort=True)
    return good.height, {str(reason): int(count) for reason, count in counts.iter_rows()}
