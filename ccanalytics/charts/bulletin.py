"""The chart of the daily bulletin: each item's day among the days before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.charts import theme
from ccanalytics.charts._whiskers import large_enough
from ccanalytics.errors import DataError
from ccanalytics.vocabulary import counted, measure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ccanalytics.quality import Bulletin

__all__ = ["bulletin_items", "bulletin_looked_at"]


def bulletin_items(bulletin: Bulletin) -> go.Figure:
    """Draw each item over the weeks before, the day itself and where it usually lies."""
    items = bulletin.items
    if not items.height:
        raise DataError(
            "nothing deserves attention, so there is nothing to draw",
            f"{bulletin.day}",
            "all that was looked at stands in bulletin.everything()",
        )
    table = bulletin.table()
    names = [
        f"{theme.plain(row['about'])}: {row['measure']} {row['today']}, usually {row['usual']}"
        for row in table.iter_rows(named=True)
    ]
    fig = theme.panels(
        f"{counted(items.height, 'thing')} outside what is usual on {bulletin.day}",
        f"Each day of the weeks before; bar: where such a day lies with "
        f"{100 * bulletin.inputs['level']:g}% chance; the axes do not begin at 0",
        names=names,
        y_title="",
        same_y=False,
        height=140 + 150 * items.height,
    )
    for panel, row in enumerate(items.iter_rows(named=True), start=1):
        mine = bulletin.history.filter(
            (bulletin.history["key"] == row["key"])
            & (bulletin.history["measure"] == row["measure"])
        )
        before = mine.filter(mine["day"] < bulletin.day)
        fig.add_scatter(
            x=before["day"].to_list(), y=before["value"].to_list(), mode="lines+markers",
            line={"color": theme.REFERENCE, "width": 1}, marker={"size": 4},
            hovertemplate="<b>%{x|%a %-d %b %Y}</b><br>%{y}<extra></extra>", row=panel, col=1,
        )  # fmt: skip
        middle = (row["usual_low"] + row["usual_high"]) / 2
        fig.add_scatter(
            x=[bulletin.day], y=[middle], mode="markers",
            marker={"size": 1, "color": theme.ANSWER},
            error_y={
                "type": "data", "array": [row["usual_high"] - middle], "color": theme.ANSWER,
                "thickness": 5, "width": 0,
            },
            hoverinfo="skip", row=panel, col=1,
        )  # fmt: skip
        fig.add_scatter(
            x=[bulletin.day], y=[row["value"]], mode="markers",
            marker={"size": 10, "color": theme.ALARM},
            hovertemplate="<b>%{x|%a %-d %b %Y}</b><br>%{y}<extra></extra>", row=panel, col=1,
        )  # fmt: skip
        form = ".0%" if row["measure"] == "abandonment" else ",.6~g"
        fig.update_yaxes(
            tickformat=form, rangemode="normal", title_text=measure(row["measure"]).label,
            row=panel, col=1,
        )  # fmt: skip
    fig.update_layout(showlegend=False)
    theme.time_axis(fig)
    return fig


def bulletin_looked_at(bulletin: Bulletin, top: int = 25) -> go.Figure:
    """Draw how far everything that was looked at lies from what is usual, the farthest on top."""
    rows = large_enough(bulletin.looked_at.sort("p_value")).head(top).reverse()
    labels = [
        f"{theme.plain(bulletin.names.get(key) or key)}: {measure(name).label.lower()}"
        for key, name in rows.select("key", "measure").iter_rows()
    ]
    out = bulletin.items.height + bulletin.more
    fig = theme.figure(
        f"{bulletin.day}: {out:,} of {counted(bulletin.looked_at.height, 'measure')} "
        f"{'stands' if out == 1 else 'stand'} out",
        f"Distance from what is usual, in half widths of its {100 * bulletin.inputs['level']:g}% "
        "limits: a few lie beyond ±1 by chance; orange: stands out of all looked at together",
        x_title="Distance from usual; limits at ±1",
        height=170 + 24 * rows.height,
    )
    fig.add_scatter(
        x=rows["position"].to_list(),
        y=labels,
        mode="markers",
        marker={
            "size": 9,
            "color": [theme.ALARM if out else theme.ANSWER for out in rows["stands_out"]],
        },
        customdata=rows["calls"].to_list(),
        hovertemplate="<b>%{y}</b><br>%{x:+.2f}, on %{customdata:,} calls<extra></extra>",
        showlegend=False,
    )
    for edge in (-1, 0, 1):
        theme.reference_line(fig, edge, "", axis="x")
    fig.update_yaxes(type="category", nticks=0, dtick=1, rangemode=None, ticksuffix=" ")
    fig.update_xaxes(tickformat="~g", rangemode=None)
    return fig
