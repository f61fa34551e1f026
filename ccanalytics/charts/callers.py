"""Charts of what a log says of its callers: patience, redials, variation, and what it costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ccanalytics.charts import theme
from ccanalytics.charts._whiskers import dots, labels_of
from ccanalytics.errors import DataError
from ccanalytics.staffing.abandonment_models import MODELS
from ccanalytics.statistics.frames import spoken

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

    from ccanalytics.staffing import AbandonmentModels, SeatsByPatience
    from ccanalytics.statistics import Overdispersion, Patience, Redials

__all__ = ["abandonment_models", "patience", "redials", "seats_by_patience", "variation"]

_MOST = 6  # curves that can be told apart
_NEAR_CHANCE = 1.15  # ratio of variance to mean below which chance is nearly all
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LAWS = {
    "none": "Nobody gives up<br>(Erlang C)",
    "exponential": "Exponential<br>(Erlang A)",
    "own": "This log's own<br>(M/M/n+G)",
}


def patience(result: Patience) -> go.Figure:
    """Draw the curves of patience with limits, and below them the rates of giving up."""
    frame = result.frame.with_row_index("_row")
    shown = frame.filter(frame["method"] == "kaplan_meier").sort("calls", descending=True)
    shown = (shown if shown.height else frame.sort("calls", descending=True)).head(_MOST)
    rows = list(shown.iter_rows(named=True))
    groups = list(result.laws)
    alone = len(rows) == 1
    left = frame.height - len(rows)
    key = f"{theme.plain(result.keys[0])} " if len(result.keys) == 1 else ""
    names = [f"{key}{name}" for name in labels_of(shown, result.keys, None)]
    fig = theme.panels(
        _median_title(result, [groups[row["_row"]] for row in rows], names),
        "Above: callers who would still wait, had nobody been answered (Kaplan–Meier, "
        f"{100 * result.inputs['level']:g}% limits). Below: of those who wait, how many give up "
        "each second" + (f"; {left} smaller groups are not drawn" if left else ""),
        names=["Share still waiting", "Rate of giving up, per second"],
        same_y=False,
        x_title="Time waited",
        height=560,
    )
    end = 1.0
    for number, row in enumerate(rows):
        values, colour = groups[row["_row"]], theme.PALETTE[number]
        curve = result.beside_exponential(*values)
        end = max(end, float(curve["seconds"][-1]))
        name = "This log" if alone else names[number]
        theme.band(
            fig, curve["seconds"].to_list(), curve["survival_low"], curve["survival_high"],
            f"{100 * result.inputs['level']:g}% limits", colour=colour, row=1, col=1,
        )  # fmt: skip
        fig.data[-1].update(legendgroup=name, showlegend=alone)
        fig.add_scatter(
            x=curve["seconds"].to_list(), y=curve["survival"].to_list(), name=name,
            legendgroup=name, mode="lines", line={"color": colour, "shape": "hv", "width": 2},
            hovertemplate="<b>%{x:,.0f} s</b><br>%{y:.1%} would still wait<extra></extra>",
            row=1, col=1,
        )  # fmt: skip
        if alone:
            fig.add_scatter(
                x=curve["seconds"].to_list(), y=curve["exponential"].to_list(),
                name=f"Exponential, mean {theme.duration(row['exponential_patience_s'])}",
                mode="lines", line={"color": theme.REFERENCE, "dash": "dash", "width": 2},
                hovertemplate="<b>%{x:,.0f} s</b><br>%{y:.1%} if exponential<extra></extra>",
                row=1, col=1,
            )  # fmt: skip
        _hazard(fig, result, values, name, colour)
    theme.share_axis(fig, "y", whole=True)
    for axis in ("x", "x2"):
        theme.duration_axis(fig, end, axis)
    fig.update_layout(legend_y=1.05)
    fig.update_yaxes(rangemode="tozero", row=2, col=1)
    return fig


def _median_title(result: Patience, groups: list[tuple[Any, ...]], names: list[str]) -> str:
    medians = [result.quantile("patience_p50_s", *group) for group in groups]
    if len(groups) == 1:
        half = medians[0]
        if math.isfinite(half.value):
            return f"Half of those who wait would give up within {theme.duration(half.value)}"
        least = half.low if math.isfinite(half.low) else result.survival["seconds"].to_numpy()[-1]
        return f"More than half would wait longer than {theme.duration(least)}"
    order = sorted(range(len(groups)), key=lambda i: medians[i].value)
    first, last = order[0], order[-1]
    late = medians[last]
    after = (
        f"after {theme.duration(late.value)}" if math.isfinite(late.value) else "later than seen"
    )
    return (
        f"Half of {names[first]} would give up within {theme.duration(medians[first].value)}, "
        f"half of {names[last]} {after}"
    )


def _hazard(
    fig: go.Figure, result: Patience, values: tuple[Any, ...], name: str, colour: str
) -> None:
    """A level line per bin of waiting time, with its limits where the curve stands alone."""
    import polars as pl

    rows = result.hazard.filter(pl.col("hazard").is_not_null(), pl.col("abandoned") > 0)
    for key, value in zip(result.keys, values, strict=True):
        rows = rows.filter(pl.col(key).eq_missing(pl.lit(value)))
    rows = rows.filter(pl.col("to_s").is_finite())
    at = [x for pair in rows.select("from_s", "to_s").rows() for x in pair]
    twice = {
        column: [x for x in rows[column] for _ in range(2)]
        for column in ("hazard", "hazard_low", "hazard_high")
    }
    if len(result.laws) == 1:
        theme.band(fig, at, twice["hazard_low"], twice["hazard_high"], "limits", colour=colour,
                   row=2, col=1)  # fmt: skip
        fig.data[-1].update(showlegend=False)
    fig.add_scatter(
        x=at, y=twice["hazard"], name=name, legendgroup=name, showlegend=False, mode="lines",
        line={"color": colour, "width": 2},
        hovertemplate="<b>%{x:,.0f} s</b><br>%{y:.4f} give up per second<extra></extra>",
        row=2, col=1,
    )  # fmt: skip


def redials(result: Redials) -> go.Figure:
    """Draw the share of abandoned callers who call again, per window."""
    shares = result.shares.filter(result.shares["redial"].is_not_null())
    if shares.is_empty():
        raise DataError("no window ends within this log", "redial is null", "take a longer span")
    groups = shares.partition_by(result.keys, maintain_order=True) if result.keys else [shares]
    groups = sorted(groups, key=lambda rows: -rows["calls"][0])[:_MOST]
    # An hour is what people ask for; else the longest window.
    hour = groups[0].filter(groups[0]["window_s"] == 3600)
    first = (hour if hour.height else groups[0][-1:]).row(0, named=True)
    of = f" of {labels_of(groups[0][:1], result.keys, None)[0]}" if result.keys else ""
    fig = theme.figure(
        f"Within {spoken(first['window_s'])}, {first['redial']:.0%} of known customers "
        f"who gave up{of} call again",
        f"Share of {first['calls']:,} abandoned calls of known customers that the same customer "
        f"followed by another; whiskers are {100 * result.inputs['level']:g}% limits",
        y="redial",
        x_title="Time since the call that was given up",
    )
    for rows in groups:
        fig.add_bar(
            x=[spoken(window) for window in rows["window_s"]],
            y=rows["redial"].to_list(),
            name=labels_of(rows[:1], result.keys, None)[0] if result.keys else "",
            error_y=theme.limits(rows["redial"], rows["redial_low"], rows["redial_high"]),
            hovertemplate=theme.hover("redial", head="within %{x}"),
        )
    fig.update_xaxes(type="category")
    return fig


def variation(result: Overdispersion) -> go.Figure:
    """Draw how many times as much as by chance calls vary, by weekday and time of day."""
    import polars as pl

    low, high = result.ratio_quartiles
    ratio = result.ratio.value
    times = (
        f"{ratio:.1f} times as much as chance alone"
        if ratio >= _NEAR_CHANCE
        else "hardly more than chance alone"
    )
    fig = theme.figure(
        f"From one week to the next, volumes vary {times}",
        "Variance over mean of the calls of an interval, within weekday and time of day; 1 is "
        f"chance alone. Half of the intervals lie between {low:.1f} and {high:.1f}",
        x_title="Local time",
    )
    table = (
        result.cells.with_columns(clock=pl.col("clock").str.head(5))
        .sort("clock")
        .pivot("clock", index="weekday", values="dispersion", aggregate_function="max")
        .sort("weekday")
    )
    values = table.drop("weekday").cast(pl.Float64)
    theme.heatmap(
        fig, values.columns, [_WEEK[number - 1] for number in table["weekday"]],
        values.fill_null(float("nan")).to_numpy(), "dispersion",
        # One odd day may vary a hundredfold, and would leave all the rest pale.
        zmin=1, zmax=max(2.0, 2 * high),
    )  # fmt: skip
    fig.update_xaxes(
        type="category",
        tickvals=[at for at in values.columns if at.endswith(":00") and int(at[:2]) % 2 == 0],
    )
    return fig


def seats_by_patience(result: SeatsByPatience) -> go.Figure:
    """Draw the seats of one interval under each law, and what they serve if the log is right."""
    frame = result.frame[::-1]
    none, exponential, own = (result.seats(law) for law in _LAWS)
    between = none - own
    fig = theme.figure(
        f"{own} seats are enough for callers as patient as this log's"
        + (
            f", {between} fewer than Erlang C asks for"
            if between > 0
            else ", as many as Erlang C asks for"
        ),
        f"Seats for {result.inputs['calls']:,.0f} calls of {result.inputs['aht']:,.0f} s in "
        f"{result.inputs['per'] / 60:g} minutes, by what is assumed of patience; on the bars, what "
        "so many seats serve in time if callers are as this log's",
        x="required_agents",
        height=300,
    )
    most = max(none, exponential, own)
    colours = {"none": theme.REFERENCE, "exponential": theme.SECOND, "own": theme.ANSWER}
    fig.add_bar(
        x=frame["required_agents"].to_list(),
        y=[_LAWS[law] for law in frame["law"]],
        orientation="h",
        marker_color=[colours[law] for law in frame["law"]],
        text=[
            f"{seats} seats: {level:.0%} in time, {gone:.0%} give up"
            for seats, level, gone in frame.select(
                "required_agents", "service_level_own", "abandonment_own"
            ).rows()
        ],
        textposition="inside",
        insidetextanchor="start",
        hovertemplate=theme.hover("required_agents", "x", head="%{y}"),
    )
    # The tool bar of a report stands above the right end; no bar goes there.
    fig.update_xaxes(range=[0, 1.18 * most], tickformat="d")
    fig.update_yaxes(showgrid=False, ticksuffix=" ")
    return fig


def abandonment_models(result: AbandonmentModels) -> go.Figure:
    """Draw how far each model's abandonment was from what happened."""
    rows: pl.DataFrame = result.scores[::-1]
    best = MODELS[result.winner]
    fig = theme.figure(
        f"Closest to what happened: {best}",
        f"Mean absolute error of an interval's abandonment over {result.intervals.height:,} "
        f"intervals not used for fitting, {100 * result.inputs['level']:g}% limits; the line is "
        "the error that chance alone would leave",
        x="error",
        height=360,
    )
    colours = [
        theme.ANSWER if model == result.winner else theme.REFERENCE for model in rows["model"]
    ]
    dots(fig, rows, "error", [MODELS[model] for model in rows["model"]], colours)
    fig.update_xaxes(rangemode="tozero")
    theme.reference_line(fig, result.noise, "chance alone", axis="x")
    return fig
