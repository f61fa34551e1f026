"""Charts of lines: in use, planned, against the busy signal, and over the coming months."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.charts import theme
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ccanalytics.staffing import (
        BusySignal,
        LinePeaks,
        LinesMeasured,
        OverflowPlan,
        TrunkGrowth,
        TrunkPlan,
    )

__all__ = [
    "busy_signal",
    "line_peaks",
    "lines_by_day",
    "lines_planned",
    "overflow_groups",
    "trunk_growth",
    "trunk_options",
]

_FEW = 12
_DAY = "<b>%{x|%a %-d %b %Y}</b><br>"


def lines_by_day(result: LinesMeasured) -> go.Figure:
    """Draw most lines at once, and the load of the busy hours, day by day."""
    frame = result.frame
    if "day" not in frame.columns or frame["day"].is_duplicated().any():
        raise InputError(
            "this chart is for all lines together, or one group",
            "the days stand there more than once",
            "take log.busy_hours() without keys, or choose a group with where=",
        )
    top = result.peak
    fig = theme.figure(
        f"At {'least' if result.lower_bound else 'most'} {top['peak_lines']:,} lines at once; "
        f"{float(frame['consistent_hour_erlangs'].mean()):.1f} erlangs in the busy hour",  # type: ignore[arg-type]
        "Every day: the most lines in use at one moment, and the mean in use in its busy hours",
        y_title="Lines in use",
    )
    days = frame["day"].to_list()
    for column, name, look in (
        ("consistent_hour_erlangs", "Mean in the busy hour, the same on every day",
         {"mode": "lines", "line": {"color": theme.SECOND, "width": 2}}),
        ("busiest_hour_erlangs", "Mean in the day's own busiest hour",
         {"mode": "lines", "line": {"color": theme.REFERENCE, "width": 1.5, "dash": "dot"}}),
        ("peak_lines", "Most at once",
         {"mode": "markers", "marker": {"color": theme.ANSWER, "size": 7}}),
    ):  # fmt: skip
        digits = ":,.0f" if column == "peak_lines" else ":,.1f"
        fig.add_scatter(
            x=days, y=frame[column].to_list(), name=name,
            hovertemplate=_DAY + name + " %{y" + digits + "}<extra></extra>", **look,
        )  # fmt: skip
    fig.update_yaxes(rangemode="tozero")
    theme.time_axis(fig)
    return fig


def lines_planned(result: TrunkPlan) -> go.Figure:
    """Draw the lines that each interval holds on average, its agents, and the lines there are."""
    import polars as pl

    frame = result.frame.filter(pl.col("lines_busy").is_not_null())
    if frame.is_empty():
        raise InputError("there is nothing to draw", "no interval has calls")
    start = "local_start" if "local_start" in frame.columns else "interval_start"
    at = frame[start].to_list()
    fig = theme.figure(
        f"{result.lines:,} lines carry at most {float(frame['lines_busy'].to_numpy().max()):.1f} "
        "calls on average: the rest is there for the crowded moments",
        "Mean lines in use by interval, of them in the voice menu, and agents seated",
        y_title="Lines, agents",
    )
    for column, name, look in (
        ("lines_busy", "Lines in use, mean", {"color": theme.ANSWER, "width": 2}),
        ("in_menu", "Of them in the voice menu", {"color": theme.SECOND, "width": 2}),
        ("agents", "Agents seated", {"color": theme.REFERENCE, "width": 2, "shape": "hv"}),
    ):
        if column == "in_menu" and not result.ports:
            continue
        digits = ":,.0f" if column == "agents" else ":,.1f"
        fig.add_scatter(
            x=at, y=frame[column].to_list(), name=name, mode="lines+markers", line=look,
            marker={"size": 4 if len(at) > 1 else 9},
            hovertemplate="<b>%{x|%H:%M}</b><br>" + name + " %{y" + digits + "}<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(range=[0, 1.12 * result.lines])
    theme.reference_line(fig, result.lines, f"{result.lines:,} lines")
    theme.time_axis(fig, clock=bool(result.inputs["day"]))
    return fig


def trunk_options(result: TrunkPlan) -> go.Figure:
    """Draw what every number of lines asks for in agents, and its cost or hours."""
    frame = result.options
    priced = frame["cost"].null_count() == 0
    column = "cost" if priced else "agent_hours"
    here = frame["lines"].to_list().index(result.lines)
    fig = theme.panels(
        f"{result.lines:,} lines "
        + ("cost least, agents and all" if priced else "let the fewest agent-hours do"),
        "Every dot is a number of lines with the least agents that keep both promises; the large "
        "one is the plan",
        names=["Agents in the interval that needs most", "Cost" if priced else "Agent-hours"],
        same_y=False,
        x_title="Lines",
        height=500,
    )
    size = [13 if k == here else 7 for k in range(frame.height)]
    for row, (name, digits) in enumerate((("agents", ",.0f"), (column, ",.1f")), start=1):
        fig.add_scatter(
            x=frame["lines"].to_list(), y=frame[name].to_list(), mode="lines+markers",
            line={"color": theme.ANSWER, "width": 2, "shape": "linear"}, marker={"size": size},
            showlegend=False, row=row, col=1,
            hovertemplate="<b>%{x} lines</b><br>%{y:" + digits + "}<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(rangemode="normal")
    whole: dict[str, Any] = {"tickformat": ",d"}
    if frame.height <= _FEW:
        whole["dtick"] = 1
    fig.update_xaxes(**whole)
    if int(frame["agents"].max() or 0) - int(frame["agents"].min() or 0) <= _FEW:  # type: ignore[arg-type]
        fig.update_yaxes(dtick=1, row=1, col=1)
    return fig


def busy_signal(result: BusySignal) -> go.Figure:
    """Draw busy signals, both service levels and the speed of answer against lines."""
    frame = result.frame
    lying = result.flattering
    title = (
        f"On {lying['lines']:,} lines the queue's report meets the goal, which is missed counting "
        "all callers"
        if lying
        else "What callers meet, and what the queue's report shows, on more and more lines"
    )
    fig = theme.panels(
        title,
        f"The same {result.inputs['agents']:,} agents throughout. Who meets a busy signal is in no "
        "queue, and so in no report of the queue",
        names=["Share of calls", "Average speed of answer (seconds)"],
        same_y=False,
        x_title="Lines",
        height=560,
    )
    x = frame["lines"].to_list()
    for column, name, look in (
        ("service_level", "Served as wanted, of those who got in",
         {"color": theme.REFERENCE, "width": 2, "dash": "dash"}),
        ("service_level_of_all", "Served as wanted, of all callers",
         {"color": theme.ANSWER, "width": 2.5}),
        ("blocking", "Met a busy signal", {"color": theme.ALARM, "width": 2}),
    ):  # fmt: skip
        fig.add_scatter(
            x=x, y=frame[column].to_list(), name=name, mode="lines", line=look, row=1, col=1,
            hovertemplate="<b>%{x} lines</b><br>" + name + " %{y:.1%}<extra></extra>",
        )  # fmt: skip
    fig.add_scatter(
        x=x, y=frame["asa_s"].to_list(), mode="lines", line={"color": theme.ANSWER, "width": 2},
        showlegend=False, row=2, col=1,
        hovertemplate="<b>%{x} lines</b><br>%{y:,.1f} s<extra></extra>",
    )  # fmt: skip
    theme.share_axis(fig, "y")
    fig.update_layout(legend={"y": 1.08})  # above the name of the first panel
    fig.update_yaxes(range=[0, 1.04], row=1, col=1)
    fig.update_yaxes(rangemode="tozero", row=2, col=1)
    theme.reference_line(fig, result.goal.share, f"goal {100 * result.goal.share:.4g}%")
    fig.layout.annotations[-1].yanchor = "top"  # above the goal the curves run
    return fig


def trunk_growth(result: TrunkGrowth) -> go.Figure:
    """Draw lines, ports and seats of every month to come."""
    frame = result.frame
    last = frame.row(-1, named=True)
    fig = theme.figure(
        f"{last['lines']:,} lines and {last['agents']:,} seats by {last['month']:%B %Y}",
        "Needed in the busiest interval of the planned day, every month planned anew",
        y_title="Lines, ports, seats",
    )
    months = frame["month"].to_list()
    for column, name, colour in (
        ("lines", "Lines", theme.ANSWER),
        ("agents", "Seats", theme.SECOND),
        ("ports", "Voice-menu ports", theme.REFERENCE),
    ):
        if column == "ports" and not any(frame["ports"].to_list()):
            continue
        fig.add_scatter(
            x=months, y=frame[column].to_list(), name=name, mode="lines+markers",
            line={"color": colour, "width": 2}, marker={"size": 6},
            hovertemplate="<b>%{x|%b %Y}</b><br>" + name + " %{y:,.0f}<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(rangemode="tozero")
    theme.time_axis(fig)
    return fig


def line_peaks(result: LinePeaks) -> go.Figure:
    """Draw every day's most lines at once, over the band in which the model expects it."""
    import polars as pl

    frame = result.frame.sort("day")
    fig = theme.figure(
        f"{result.inside:.0%} of days lie inside the band",
        f"Most lines at once by day; the band holds {result.inputs['level']:.0%} of simulated days "
        "with the same calls coming at random",
        y_title="Most lines at once",
    )
    days = frame["day"].to_list()
    theme.band(
        fig, days, frame["peak_lines_low"].to_list(), frame["peak_lines_high"].to_list(),
        f"{result.inputs['level']:.0%} of simulated days", colour=theme.REFERENCE,
    )  # fmt: skip
    for rows, name, colour in (
        (frame.filter("inside"), "Seen, inside", theme.ANSWER),
        (frame.filter(~pl.col("inside")), "Seen, outside", theme.ALARM),
    ):
        if rows.is_empty():
            continue
        fig.add_scatter(
            x=rows["day"].to_list(), y=rows["peak_lines"].to_list(), name=name, mode="markers",
            marker={"color": colour, "size": 7},
            customdata=rows.select("peak_lines_low", "peak_lines_high").rows(),
            hovertemplate=_DAY + "%{y:,.0f} lines; expected %{customdata[0]:,.0f} to "
            "%{customdata[1]:,.0f}<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(rangemode="tozero")
    theme.time_axis(fig)
    return fig


def overflow_groups(result: OverflowPlan) -> go.Figure:
    """Draw lines of the groups with a common one, by themselves, and as one group."""
    frame = result.frame
    alone = int(frame["lines_alone"].sum())
    here = "With a common group" if result.common else "As they are"
    fig = theme.figure(
        f"{result.lines:,} lines "
        + ("with a common group" if result.common else "as they are, without a common group")
        + f"; {alone:,} if each stands alone, {result.pooled_lines:,} in one group",
        f"Lines that keep busy signals to {result.inputs['max_blocking']:.2%} of calls",
        x_title="Lines",
        height=320,
    )
    rows = [here, "Each by itself", "One group of all"]
    for k, row in enumerate(frame.iter_rows(named=True)):
        name = theme.plain(str(row["line_group"]))
        fig.add_bar(
            y=rows[:2], x=[row["lines"], row["lines_alone"]], name=name, orientation="h",
            marker_color=theme.PALETTE[k % len(theme.PALETTE)],
            hovertemplate="<b>" + name + "</b><br>%{x:,.0f} lines<extra></extra>",
        )  # fmt: skip
    for place, lines, name, colour in (
        (rows[0], result.common, "Common group", "#1F2933"),
        (rows[2], result.pooled_lines, "One group", theme.REFERENCE),
    ):
        if lines:
            fig.add_bar(
                y=[place], x=[lines], name=name, orientation="h", marker_color=colour,
                hovertemplate="<b>" + name + "</b><br>%{x:,.0f} lines<extra></extra>",
            )  # fmt: skip
    fig.update_layout(barmode="stack", legend={"traceorder": "normal"})
    fig.update_yaxes(autorange="reversed")
    return fig
