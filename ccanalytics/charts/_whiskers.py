"""Dots with whiskers by key, and what a chart of the largest leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics import smallcells
from ccanalytics.charts import theme
from ccanalytics.errors import DataError
from ccanalytics.statistics.frames import label_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import plotly.graph_objects as go
    import polars as pl

__all__ = ["PALE", "among", "dots", "labels_of", "large_enough", "not_drawn"]

_NAMED = 8
PALE = "#EFAE80"
"""For a dot whose own interval leaves 0 out, but that does not stand out among many."""


def dots(
    fig: go.Figure,
    rows: pl.DataFrame,
    name: str,
    labels: list[str],
    colours: list[str] | str = theme.ANSWER,
    legend: str = "",
) -> None:
    """Add a dot and its whiskers per row, the last row on top."""
    whiskers = colours if isinstance(colours, str) else theme.REFERENCE
    fig.add_scatter(
        x=rows[name].to_list(),
        y=labels,
        mode="markers",
        marker={"size": 9, "color": colours},
        error_x=theme.limits(rows[name], rows[f"{name}_low"], rows[f"{name}_high"])
        | {"color": whiskers},
        name=legend,
        hovertemplate=theme.hover(name, "x", head="%{y}"),
    )
    fig.update_yaxes(type="category", nticks=0, dtick=1, rangemode=None, gridcolor=theme.GRID)


def large_enough(rows: pl.DataFrame, base: str | None = None) -> pl.DataFrame:
    """The rows that a report may show: see :mod:`ccanalytics.smallcells`."""
    small, more = smallcells.hidden(rows, base=base)
    if not small:
        return rows
    if len(small) + len(more) == rows.height:
        raise DataError(
            "every row of this chart rests on too few calls or people to be shown",
            f"fewer than {smallcells.least()}",
            "take a longer span",
        )
    gone = {*small, *more}
    return rows[[i for i in range(rows.height) if i not in gone]]


def labels_of(
    rows: pl.DataFrame, keys: Iterable[str], names: Mapping[str, str] | None
) -> list[str]:
    """Name rows by their keys, in the words of ``names`` where it has them; no two alike."""
    known = names or {}
    labels = []
    for values in rows.select(list(keys)).iter_rows():
        told = [known.get(value) or value for value in values]
        labels.append(theme.plain(label_of(told)) if told else "all")
    # Two codes may share a name, and plotly would draw them on one line.
    return [
        label if labels.count(label) == 1 else f"{label} ({theme.plain(label_of(values))})"
        for label, values in zip(labels, rows.select(list(keys)).iter_rows(), strict=True)
    ]


def among(rows: pl.DataFrame, top: int, what: str = "calls") -> str:
    """Say that a title speaks of the rows drawn alone; empty where all are drawn."""
    return f" (of the {top} with most {what})" if rows.height > top else ""


def not_drawn(
    rows: pl.DataFrame, top: int, keys: Iterable[str], names: Mapping[str, str] | None = None
) -> str:
    """Name the rows after the first ``top``, as the end of a subtitle; empty if there is none."""
    left = rows[top:]
    if not left.height:
        return ""
    told = ", ".join(labels_of(left[:_NAMED], keys, names))
    more = f" and {left.height - _NAMED} more" if left.height > _NAMED else ""
    return f"; not drawn, with fewer contacts or calls: {told}{more}"
