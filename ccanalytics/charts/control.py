"""Charts of signals: a series, its limits, and the days on which its level changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.charts import theme
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ccanalytics.handletime import HandleControl

__all__ = ["handle_time_control"]


def handle_time_control(control: HandleControl) -> go.Figure:
    """Draw daily typical time, its levels, its signals, and what has gathered on the chart."""
    frame = control.frame
    at = frame["day"].to_list()
    found = control.changes
    title = (
        "The level of handle time did not change"
        if not found.height
        else f"Handle time changed level {counted(found.height, 'time')}, last on "
        f"{found['day'][-1]} by {signed(found['aht_change'][-1])}"
    )
    fig = theme.panels(
        title,
        f"Typical time of each day, its weekday's habit removed, and the level of each stretch; "
        f"below: how far the chart is towards a limit, from {control.chart.baseline} days "
        "(a false signal about every "
        f"{control.chart.false_every:,.0f} days); the upper axis does not begin at 0",
        names=[
            "Typical time of each day, and its level (line)",
            "The chart: beyond ±1 a day is a signal (orange)",
        ],
        y_title="Seconds",
        same_y=False,
        height=560,
    )
    fig.add_scatter(
        x=at, y=frame["adjusted_s"].to_list(), mode="markers", name="A day",
        marker={"size": 4, "color": theme.REFERENCE},
        hovertemplate="<b>%{x|%-d %b %Y}</b><br>%{y:.1f} s<extra></extra>", row=1, col=1,
    )  # fmt: skip
    fig.add_scatter(
        x=at, y=frame["level_s"].to_list(), mode="lines", name="Level",
        line={"color": theme.ANSWER, "shape": "hv", "width": 3},
        hovertemplate="<b>%{x|%-d %b %Y}</b><br>level %{y:.1f} s<extra></extra>", row=1, col=1,
    )  # fmt: skip
    quiet, loud = frame.filter(~frame["signal"]), frame.filter(frame["signal"])
    for part, name, colour in (
        (quiet, "No signal", theme.ANSWER),
        (loud, "Signal", theme.ALARM),
    ):
        fig.add_scatter(
            x=part["day"].to_list(), y=part["statistic"].to_list(), mode="markers", name=name,
            marker={"size": 4, "color": colour},
            hovertemplate="<b>%{x|%-d %b %Y}</b><br>%{y:.2f} of the limit<extra></extra>",
            row=2, col=1,
        )  # fmt: skip
    for edge in (-1, 1):
        fig.add_hline(y=edge, line={"color": theme.INK, "dash": "dash", "width": 1}, row=2, col=1)
    fig.update_yaxes(title_text="Share of the limit", row=2, col=1)
    fig.update_layout(showlegend=False)
    theme.time_axis(fig)
    return fig
