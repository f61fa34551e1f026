"""Charts of traffic: the week as a heat map, the busy hour, days, patience and repeat calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.charts import theme
from ccanalytics.charts._whiskers import large_enough
from ccanalytics.traffic.repeats import words

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ccanalytics.traffic import AbandonmentByWait, RepeatCallers, TrafficProfile

__all__ = [
    "abandonment_by_wait",
    "busy_hour",
    "daily_calls",
    "repeat_callers",
    "service_level_by_weekday",
    "volume_by_weekday",
]

_FEW = "#D3D8DE"  # a grey between the ends of the scale and paper: no verdict
_KINDS = {"zero": "No calls", "high": "Unusually busy", "low": "Unusually quiet"}


def volume_by_weekday(profile: TrafficProfile) -> go.Figure:
    """Draw mean calls per interval by weekday and local time of day."""
    busy, volume = profile.busy_hour, profile.inputs["calls"]
    fig = theme.figure(
        f"Most calls come in the hour from {busy.clock}: {busy.calls:,.0f} on an average day",
        f"Mean {volume} calls per {_interval(profile)}, by weekday and local time of day",
        x_title="Local time",
    )
    _week(fig, profile, "calls")
    return fig


def service_level_by_weekday(profile: TrafficProfile) -> go.Figure:
    """Draw the service level by weekday and local time of day, around the goal."""
    level, goal = profile.totals["service_level"], profile.goal
    title = (
        f"Service level is {level:.1%}; the goal is {100 * goal.share:.10g}%"
        if level is not None
        else "No service level could be counted"
    )
    fig = theme.figure(
        title,
        f"{goal.describe().split(' ', 1)[1].capitalize()}; orange falls short of the goal, blue "
        f"exceeds it, grey had fewer than {profile.inputs['min_cell_calls']:g} calls in the whole "
        "span, too few for a share, and white none",
        x_title="Local time",
    )
    _week(fig, profile, "service_level", goal=goal.share)
    return fig


def busy_hour(profile: TrafficProfile) -> go.Figure:
    """Draw mean calls per clock hour, the busy hour picked out."""
    busy, peak = profile.busy_hour, profile.busiest_hour
    fig = theme.figure(
        f"The busy hour starts at {busy.clock} and takes {busy.share_of_day:.1%} of a day's calls",
        f"Mean {profile.inputs['calls']} calls per clock hour over all days; the busiest hour seen "
        f"was {peak.local_start.day} {peak.local_start:%B %Y %H:%M} with {peak.calls:,.0f}",
        x_title="Local time",
        y="calls",
    )
    fig.add_bar(
        x=profile.hours["clock"].to_list(),
        y=profile.hours["calls"].to_list(),
        name="",
        marker_color=[
            theme.ANSWER if clock == busy.clock else "#9DB9CE" for clock in profile.hours["clock"]
        ],
        hovertemplate=theme.hover("calls"),
    )
    # A label every third hour: more would stand on their heads on a phone.
    fig.update_xaxes(type="category", tickvals=profile.hours["clock"].to_list()[::3], tickangle=0)
    return fig


def daily_calls(profile: TrafficProfile) -> go.Figure:
    """Draw the calls of every day, with the unusual ones marked."""
    days = profile.days
    odd = days.filter(days["kind"].is_in(list(_KINDS)).fill_null(False))
    found = f"{odd.height} days stand out" if odd.height != 1 else "One day stands out"
    title = (
        f"{found} within their weekday" if odd.height else "No day stands out within its weekday"
    )
    fig = theme.figure(
        title,
        f"{profile.inputs['calls'].capitalize()} calls per local day; marked: more than "
        f"{profile.inputs['outlier']:g} robust standard deviations from the median of the weekday",
        y="calls",
    )
    fig.add_scatter(
        x=days["date"].to_list(),
        y=days["calls"].to_list(),
        name="Calls",
        mode="lines+markers",
        line={"width": 1.5},
        marker={"size": 4},
        hovertemplate=theme.hover("calls", head="%{x|%a %-d %b %Y}"),
    )
    if odd.height:
        fig.add_scatter(
            x=odd["date"].to_list(),
            y=odd["calls"].to_list(),
            name="Unusual",
            mode="markers",
            marker={
                "size": 11,
                "color": theme.ALARM,
                "symbol": "circle-open",
                "line": {"width": 2.5},
            },
            text=[_KINDS[kind] for kind in odd["kind"]],
            customdata=odd["usual"].to_list(),
            hovertemplate="<b>%{x|%a %-d %b %Y}</b><br>%{text}: %{y:,.0f} calls, usually "
            "%{customdata:,.0f}<extra></extra>",
        )
    fig.update_traces(cliponaxis=False)  # a day without calls keeps its ring
    theme.time_axis(fig)
    if days.height <= 7:
        fig.update_xaxes(dtick=86_400_000)  # a few days have no hours
    return fig


def abandonment_by_wait(result: AbandonmentByWait) -> go.Figure:
    """Draw abandonment against mean wait, an interval a point, and the line through the origin."""
    points, slope, patience = result.points, result.slope, result.patience_s
    fig = theme.figure(
        f"More abandon as waits grow, as if patience were {patience.value:.0f} s on average",
        f"An interval with at least {result.inputs['min_calls']:g} offered calls a point; line "
        "through the origin, shaded by its limits",
        x="mean_wait_s",
        y="abandonment",
    )
    end = points["mean_wait_s"].to_numpy().max() * 1.04
    ends = [0.0, end]
    theme.band(
        fig, ends, [0.0, slope.low * end], [0.0, slope.high * end],
        f"{100 * slope.level:g}% interval", colour=theme.ALARM,
    )  # fmt: skip
    fig.add_scatter(
        x=points["mean_wait_s"].to_list(),
        y=points["abandonment"].to_list(),
        name="Intervals",
        mode="markers",
        marker={"color": theme.ANSWER, "opacity": 0.45, "size": 7},
        text=[f"{at.day} {at:%b %Y %H:%M}" for at in points["local_start"]],
        hovertemplate="<b>%{text}</b><br>mean wait %{x:,.0f} s<br>abandoned %{y:.1%}"
        "<extra></extra>",
    )
    fig.add_scatter(
        x=ends,
        y=[0.0, slope.value * end],
        name=f"1 / {patience.value:.0f} s",
        mode="lines",
        line={"color": theme.ALARM},
        hoverinfo="skip",
    )
    theme.duration_axis(fig, end)
    return fig


def repeat_callers(result: RepeatCallers) -> go.Figure:
    """Draw the share of calls that are followed by another, per group and window."""
    shares = large_enough(result.shares.filter(result.shares["recontact"].is_not_null()))
    windows = shares["window_s"].unique().sort().to_list()
    top = result.firm(windows[-1]).sort("recontact", descending=True).row(0, named=True)
    fig = theme.figure(
        f"Within {words(windows[-1])}, {top['recontact']:.0%} of {result.label(top)} are "
        "followed by another of the same customer",
        f"Share of followed calls with a next call within the window, "
        f"{100 * result.inputs['level']:g}% Wilson intervals",
        y="recontact",
        x_title="Window after the call",
    )
    for group in shares.partition_by(result.keys, maintain_order=True) if result.keys else [shares]:
        row = group.row(0, named=True)
        fig.add_bar(
            x=[words(window) for window in group["window_s"]],
            y=group["recontact"].to_list(),
            name=_sentence(theme.plain(result.label(row))),
            error_y=theme.limits(
                group["recontact"], group["recontact_low"], group["recontact_high"]
            ),
            customdata=group["followed"].to_list(),
            hovertemplate="<b>%{x}</b><br>%{y:.1%} of %{customdata:,} calls<extra>"
            f"{theme.plain(result.label(row))}</extra>",
        )
    return fig


def _sentence(label: str) -> str:
    label = label.removeprefix("the ")
    return f"{label[:1].upper()}{label[1:]}"


def _around(goal: float) -> dict[str, Any]:
    """Spread the colours over 0 to 100%, neutral at the goal wherever it lies."""
    if not 0 < goal < 1:
        return {}
    scale = [
        [2 * at * goal if at <= 0.5 else goal + 2 * (at - 0.5) * (1 - goal), colour]
        for at, colour in theme.DIVERGING
    ]
    return {"colorscale": scale, "zmid": None, "zmin": 0, "zmax": 1}


def _interval(profile: TrafficProfile) -> str:
    minutes = profile.inputs["interval_s"] / 60
    return "hour" if minutes == 60 else f"{minutes:g} minutes"


def _week(fig: go.Figure, profile: TrafficProfile, name: str, goal: float | None = None) -> None:
    import polars as pl

    table = profile.matrix(name)
    values = table.drop("weekday").cast(pl.Float64)
    shown = values
    if goal is not None:
        few = profile.matrix("few").drop("weekday").fill_null(False)
        shown = values.with_columns(
            pl.when(few[at]).then(None).otherwise(pl.col(at)).alias(at) for at in values.columns
        )
    theme.heatmap(
        fig,
        values.columns,
        table["weekday"].to_list(),
        shown.fill_null(float("nan")).to_numpy(),
        name,
        goal=goal,
        **({} if goal is None else _around(goal)),
    )
    if goal is not None:
        # A share of two calls looks as firm as one of two hundred: grey where there were few,
        # and how many there were under the pointer.
        calls = profile.matrix("offered").drop("weekday").to_numpy()
        fig.update_traces(
            customdata=calls,
            hovertemplate="<b>%{y} %{x}</b><br>Service level %{z:.1%}<br>"
            "of %{customdata:,} calls in the whole span<extra></extra>",
        )
        known = values.fill_null(float("nan")).to_numpy()
        fig.add_heatmap(
            x=values.columns,
            y=table["weekday"].to_list(),
            z=np.where(few.to_numpy(), known, np.nan),
            colorscale=[[0, _FEW], [1, _FEW]],
            showscale=False,
            customdata=calls,
            name="",
            hovertemplate="<b>%{y} %{x}</b><br>%{customdata:,} calls in the whole span: too few "
            "for a share<extra></extra>",
        )
    # A label every other hour: times of day are categories here, so that white stays white.
    fig.update_xaxes(
        type="category",
        tickvals=[at for at in values.columns if at.endswith(":00") and int(at[:2]) % 2 == 0],
    )
