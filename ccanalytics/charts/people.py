"""Charts of people: how they learn, how they differ beyond luck, and how long they stay."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.charts import theme
from ccanalytics.charts._whiskers import dots, large_enough
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ccanalytics.handletime import AgentEffects, Attrition, LearningCurve

__all__ = ["agent_effects", "agent_funnel", "learning_curve", "tenure_survival"]

_MOST = 60


def learning_curve(learning: LearningCurve) -> go.Figure:
    """Draw relative handle time by weeks of work with its band, and the naive curve dashed."""
    frame = learning.curve
    weeks = frame["weeks_worked"].to_list()
    within, level = learning.inputs["within"], learning.inputs["level"]
    fig = theme.figure(
        learning.headline(),
        f"Typical handle time over that of agents with {learning.inputs['tenured_weeks']:g} weeks "
        f"or more, the same agents followed; band: {100 * level:g}% interval; dashed: the "
        "same from who happened to be there; the axis does not begin at 0",
        y="relative_time",
        x_title="Week of work (each step of the scale doubles)",
    )
    theme.band(
        fig,
        weeks,
        frame["relative_time_low"],
        frame["relative_time_high"],
        f"{100 * level:g}% interval",
    )
    fig.add_scatter(
        x=weeks, y=frame["naive"].to_list(), mode="lines", name="Who was there",
        line={"color": theme.REFERENCE, "dash": "dash", "width": 2},
        hovertemplate="Week %{x}<br>%{y:.2f} times, who was there<extra></extra>",
    )  # fmt: skip
    fig.add_scatter(
        x=weeks, y=frame["relative_time"].to_list(), mode="lines+markers", name="The same agents",
        line={"color": theme.ANSWER, "width": 3},
        customdata=frame.select("learners", "timed_calls").to_numpy().tolist(),
        hovertemplate="<b>Week %{x}</b><br>%{y:.2f} times tenured<br>%{customdata[0]} agents, "
        "%{customdata[1]:,} calls<extra></extra>",
    )  # fmt: skip
    theme.reference_line(fig, 1 + within, f"within {within:.0%} of tenured")
    seen = frame.select("relative_time_low", "relative_time_high", "naive").to_numpy()
    edges = [min(0.95, float(seen.min())), 1.03 * float(seen.max())]
    fig.update_yaxes(range=edges, rangemode=None)
    fig.update_xaxes(
        type="log", tickvals=weeks, ticktext=[f"{week:g}" for week in weeks], nticks=0,
        tickformat="",
    )  # fmt: skip
    return fig


def agent_funnel(effects: AgentEffects) -> go.Figure:
    """Draw what was observed of each agent against their calls, between the limits of luck."""
    frame, funnel = effects.rows, effects.funnel
    frame = large_enough(frame, "timed_calls")
    ranked = int(effects.rows["enough"].sum())
    calls = funnel["timed_calls"].to_list()
    fig = theme.figure(
        f"{effects.beyond} of {counted(ranked, 'agent')} lie beyond luck",
        "Each dot an agent: handle time on like calls, as observed, over the average, by number "
        "of calls; lines: where luck alone puts 95% and 99.8% of average agents, weeks that differ "
        "allowed for; orange: beyond luck",
        x="timed_calls",
        y="observed",
        height=460,
    )
    for name, told, dash in (("luck_998", "Luck, 99.8%", "dot"), ("luck_95", "Luck, 95%", "dash")):
        for side in ("high", "low"):
            fig.add_scatter(
                x=calls, y=funnel[f"{name}_{side}"].to_list(), mode="lines", name=told,
                line={"color": theme.REFERENCE, "dash": dash, "width": 1.5},
                showlegend=side == "high", hoverinfo="skip",
            )  # fmt: skip
    for loud, name, colour in (
        (False, "Within luck", theme.ANSWER),
        (True, "Beyond luck", theme.ALARM),
    ):
        part = frame.filter(frame["beyond_luck"] == loud)
        fig.add_scatter(
            x=part["timed_calls"].to_list(), y=part["observed"].to_list(), mode="markers",
            name=name, marker={"size": 7, "color": colour, "opacity": 0.8},
            text=[theme.plain(agent) for agent in part["agent"]],
            hovertemplate="<b>%{text}</b><br>%{x:,} calls<br>%{y:.2f} times the average"
            "<extra></extra>",
        )  # fmt: skip
    fig.update_xaxes(type="log", dtick=1)
    # Limits of a few calls reach far: what is read are the agents.
    seen = frame["observed"].to_numpy()
    if seen.size:
        spread = max(float(np.abs(seen - 1).max()), 0.1)
        fig.update_yaxes(range=[max(0.0, 1 - 1.3 * spread), 1 + 1.3 * spread], rangemode=None)
    return fig


def agent_effects(effects: AgentEffects, most: int = _MOST) -> go.Figure:
    """Draw relative handle times with luck taken out; the extremes alone where there are many."""
    frame = large_enough(effects.rows.filter(effects.rows["enough"]), "timed_calls")
    frame = frame.sort("relative_time", descending=True)
    left = max(frame.height - most, 0)
    if left:
        some = np.r_[
            np.arange(most // 2), np.arange(frame.height - (most - most // 2), frame.height)
        ]
        frame = frame[some]
    colours = [theme.ALARM if loud else theme.ANSWER for loud in frame["beyond_luck"]]
    fig = theme.figure(
        f"Luck taken out, agents differ by {effects.lasting:.0%} of handle time "
        "(standard deviation)",
        f"Handle time on like calls over the average, luck taken out, with "
        f"{100 * effects.inputs['level']:g}% intervals; orange: beyond luck. Intervals that "
        "overlap rank nobody; the axis does not begin at 0"
        + (f"; {counted(left, 'agent')} between the extremes not drawn" if left else ""),
        x="relative_time",
        height=max(320, 130 + 17 * frame.height),
    )
    dots(fig, frame, "relative_time", [theme.plain(agent) for agent in frame["agent"]], colours)
    theme.reference_line(fig, 1, "average", "x")
    fig.update_xaxes(rangemode="normal")
    fig.update_yaxes(tickfont={"size": 11})
    return fig


def tenure_survival(attrition: Attrition) -> go.Figure:
    """Draw the share of agents still there, by weeks of work, with its band."""
    frame, level = attrition.survival, attrition.inputs["level"]
    start = attrition.from_weeks
    weeks = [start, *frame["weeks_worked"].to_list()]
    of = f"Of agents who stay {start:.0f} weeks, those" if start else "Agents"
    fig = theme.figure(
        attrition.headline(),
        f"{of} still there by weeks of work (Kaplan–Meier, who was hired before the log at risk "
        f"from its first day on); band: {100 * level:g}% interval",
        y="staying",
        x="weeks_worked",
    )
    stairs = [w for pair in pairwise(weeks) for w in pair]
    low, high = ([1.0, *frame[f"staying_{side}"].to_list()] for side in ("low", "high"))

    def held(values: list[float]) -> list[float]:
        return [v for value in values[:-1] for v in (value, value)]

    theme.band(
        fig, stairs, np.array(held(low), float), np.array(held(high), float),
        f"{100 * level:g}% interval",
    )  # fmt: skip
    fig.add_scatter(
        x=weeks, y=[1.0, *frame["staying"].to_list()], mode="lines", name="Still there",
        line={"shape": "hv", "color": theme.ANSWER, "width": 3},
        hovertemplate="<b>Week %{x:.0f}</b><br>%{y:.0%} still there<extra></extra>",
    )  # fmt: skip
    fig.update_yaxes(range=[0, 1.02])
    return fig
