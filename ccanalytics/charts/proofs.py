"""The chart of a proof: planned against simulated service, interval by interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.charts import theme
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ccanalytics.staffing import Proof

__all__ = ["proof"]


def proof(result: Proof) -> go.Figure:
    """Draw the planned service level and the simulated one with its limits."""
    import polars as pl

    frame = result.frame.filter(pl.col("simulated_service_level").is_not_null())
    if frame["interval_start"].is_duplicated().any():
        raise InputError(
            "this chart draws one queue", "several rows per interval", "filter to one key"
        )
    missed, differs = int(frame["missed"].sum()), int(frame["differs"].sum())
    fig = theme.figure(
        f"Simulated, {missed} of {frame.height} intervals "
        f"{'misses' if missed == 1 else 'miss'} the goal"
        if missed
        else f"Simulated, no interval misses the goal; {differs} "
        f"differ{'s' if differs == 1 else ''} from the plan"
        if differs
        else "Simulated, every interval serves what was planned",
        f"Service level by interval. Whiskers are {100 * result.simulated.level:g}% limits over "
        f"{result.inputs['replications']} simulated days; patience "
        f"{result.inputs['patience_words']}",
        y="service_level",
        height=460,
    )
    start = "local_start" if "local_start" in frame.columns else "interval_start"
    one_day = frame[start].dt.date().n_unique() == 1
    half = pl.duration(milliseconds=500 * pl.col("interval_s"))
    frame = frame.with_columns((pl.col(start) + half).alias("_middle"))
    kinds = (
        (~pl.col("missed") & ~pl.col("differs"), "Simulated", theme.ANSWER, "circle"),
        (pl.col("differs") & ~pl.col("missed"), "Simulated, differs from the plan",
         theme.PALETTE[4], "circle"),
        (pl.col("missed"), "Simulated, misses the goal", theme.ALARM, "x"),
    )  # fmt: skip
    fig.add_scatter(
        x=frame["_middle"].to_list(), y=frame["planned_service_level"].to_list(), name="Planned",
        mode="markers",
        marker={"symbol": "line-ew", "size": 13,
                "line": {"width": 2.5, "color": theme.REFERENCE}},
        hovertemplate="<b>%{x}</b><br>Planned %{y:.1%}<extra></extra>",
    )  # fmt: skip
    ends = ("", "_low", "_high")
    for chosen, name, colour, symbol in kinds:
        rows = frame.filter(chosen)
        if rows.is_empty():
            continue
        fig.add_scatter(
            x=rows["_middle"].to_list(), y=rows["simulated_service_level"].to_list(), name=name,
            mode="markers", marker={"color": colour, "size": 8, "symbol": symbol},
            error_y=theme.limits(*(rows[f"simulated_service_level{end}"] for end in ends))
            | {"color": colour, "width": 3},
            customdata=rows.select("required_agents", "calls").rows(),
            hovertemplate="<b>%{x}</b><br>Simulated %{y:.1%}<br>%{customdata[0]} agents, "
            "%{customdata[1]:,.1f} calls<extra></extra>",
        )  # fmt: skip
    low = min(
        float(frame["simulated_service_level_low"].drop_nulls().to_numpy().min(initial=1.0)),
        float(frame["planned_service_level"].drop_nulls().to_numpy().min(initial=1.0)),
        result.goal.share,
    )
    fig.update_yaxes(range=[max(0.0, low - 0.06), 1.02], rangemode="normal", tickformat=".2~%")
    theme.reference_line(fig, result.goal.share, f"goal {100 * result.goal.share:.4g}%")
    fig.layout.annotations[-1].update(yanchor="top", bgcolor="rgba(255,255,255,0.85)")
    theme.time_axis(fig, clock=one_day)
    return fig
