"""Charts of the agents of a log: who was there beside a plan, and where paid time went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.charts import theme
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ccanalytics.staffing import AgentsSeen, MeasuredShrinkage

__all__ = ["agents_seen", "measured_shrinkage"]


def agents_seen(result: AgentsSeen) -> go.Figure:
    """Draw the agents present on average, and those the plan requires."""
    from datetime import timedelta

    if result.source is None:
        raise DataError("no agent was seen", result.missing["presence"], "")
    frame, need = result.frame.sort("local_start"), result.requirement
    measured = result.source == "agent states"
    present, wanted = result.hours, need.agent_hours
    more = "more" if present > wanted else "fewer"
    fig = theme.figure(
        f"{present:,.0f} agent-hours were there on average, {abs(present - wanted):,.0f} {more} "
        "than the plan seats",
        (
            "Agents on calls (available, handling or in after-call work), from agent states"
            if measured
            else "Agents present, inferred from calls: who idled at the edges of a spell is missed"
        )
        + f"; mean over {result.days} days of the {need.name}",
        y_title="Agents",
    )
    at = frame["local_start"].to_list()
    fig.add_bar(
        x=at, y=frame["agents_present"].to_list(),
        name="Present" if measured else "Present, inferred", offset=0,
        width=(1000 * frame["interval_s"]).to_list(),
        marker={"color": "#BBD7EC", "line": {"width": 0.5, "color": "white"}},
        hovertemplate=theme.hover("agents_present"),
    )  # fmt: skip
    end = at[-1] + timedelta(seconds=float(frame["interval_s"][-1]))
    for column, name, colour in (
        ("required_agents", "Required", theme.ANSWER),
        ("load", "Load in erlangs", theme.ALARM),
    ):
        values = frame[column].to_list()
        fig.add_scatter(
            x=[*at, end], y=[*values, values[-1]], name=name, mode="lines",
            line={"shape": "hv", "color": colour, "width": 2}, hovertemplate=theme.hover(column),
        )  # fmt: skip
    fig.update_yaxes(rangemode="tozero")
    theme.time_axis(fig, clock=frame["local_start"].dt.date().n_unique() == 1)
    return fig


def measured_shrinkage(result: MeasuredShrinkage) -> go.Figure:
    """Draw the share of paid time that each component took, and what was planned for it."""
    frame = result.frame.filter(result.frame["component"] != "calls").sort("share")
    names = [theme.plain(name.capitalize()) for name in frame["component"]]
    planned = frame["planned"].null_count() < frame.height
    fig = theme.figure(
        f"{result.share.value:.0%} of paid time was not spent on calls",
        f"Share of paid time by component, {100 * result.share.level:g}% limits over agents"
        + ("; the ring is what the schedule had planned" if planned else ""),
        x="shrinkage",
        height=300,
    )
    fig.add_bar(
        x=frame["share"].to_list(), y=names, orientation="h", name="Measured",
        marker_color=theme.ANSWER,
        error_x=theme.limits(frame["share"], frame["share_low"], frame["share_high"]),
        hovertemplate=theme.hover("shrinkage", "x", head="%{y}"),
    )  # fmt: skip
    if planned:
        fig.add_scatter(
            x=frame["planned"].to_list(), y=names, mode="markers", name="Planned",
            marker={"symbol": "circle-open", "size": 13,
                    "line": {"width": 2.5, "color": theme.ALARM}},
            hovertemplate="<b>%{y}</b><br>Planned %{x:.1%}<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(showgrid=False, ticksuffix=" ", type="category")
    return fig
