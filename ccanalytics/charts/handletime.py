"""Charts of handle time: its distribution, its trend, its keys and its parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ccanalytics.charts import theme
from ccanalytics.charts._whiskers import PALE, among, dots, labels_of, large_enough, not_drawn
from ccanalytics.errors import InputError
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.statistics.frames import label_of
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import plotly.graph_objects as go
    import polars as pl

    from ccanalytics.handletime import HandleParts, HandleTimes, Trend

__all__ = [
    "handle_time_by_key",
    "handle_time_histogram",
    "handle_time_parts",
    "handle_time_trend",
    "trend_by_key",
]

_MARKS = (1, 3, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400, 43200, 86400)
_FADED = "#9DB9CE"


def handle_time_histogram(times: HandleTimes) -> go.Figure:
    """Draw the distribution on a logarithmic axis, with the lognormal law beside it."""
    bars = times.histogram()
    short, floor = times.inputs["short_s"], times.inputs["floor_s"]
    fig = theme.figure(
        f"Half of the calls take less than {theme.duration(times.median.value)}, the mean is "
        f"{theme.duration(times.mean.value)}; {times.short.value:.1%} end within {short:g} s",
        f"Answered calls above 0 s by handle time, logarithmic axis; the area of a bar is its "
        f"share of calls, pale up to {short:g} s; line: lognormal law fitted from {floor:g} s on",
        x_title="Handle time",
        y_title="Share of calls per doubling",
    )
    fig.add_bar(
        x=bars["middle_s"].to_list(),
        y=bars["density"].to_list(),
        width=(bars["to_s"] - bars["from_s"]).to_list(),
        marker={
            "color": [_FADED if to <= short + 0.5 else theme.ANSWER for to in bars["to_s"]],
            "line": {"width": 0.5, "color": theme.PAPER},
        },
        name="Calls",
        customdata=[_bar(row) for row in bars.iter_rows(named=True)],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    )
    curve = bars.drop_nulls("law")
    if curve.height:
        fig.add_scatter(
            x=curve["middle_s"].to_list(),
            y=curve["law"].to_list(),
            name="Lognormal law",
            mode="lines",
            line={"color": theme.ALARM},
            hoverinfo="skip",
        )
    low, high = bars["from_s"][0], bars["to_s"][-1]
    marks = [mark for mark in _MARKS if low <= mark <= high]
    fig.update_xaxes(
        type="log",
        tickvals=marks,
        ticktext=[theme.duration(mark) for mark in marks],
        tickangle=0,
    )
    fig.update_yaxes(tickformat=".2~%")
    # In line with the median and the mean that the title names.
    theme.reference_line(fig, times.median.value, "median", axis="x")
    theme.reference_line(fig, times.mean.value, "mean", axis="x")
    _on_log_axis(fig)
    # Grey would drown in the bars.
    fig.update_shapes(line_color=theme.INK)
    return fig


def handle_time_by_key(
    times: HandleTimes, *, names: Mapping[str, str] | None = None, top: int = 20
) -> go.Figure:
    """Draw mean and median by key with intervals, for the ``top`` keys with most calls."""
    if not times.keys:
        raise InputError("the times are not split", "by=()", "give by=… to distribution")
    rows = large_enough(times.rows.drop_nulls("mean_s"), "timed_calls")
    shown = rows.head(top).sort("mean_s", maintain_order=True)
    labels = labels_of(shown, times.keys, names)
    fig = theme.figure(
        f"Calls take {theme.duration(shown['mean_s'][-1])} on the mean for {labels[-1]}"
        + (f", {theme.duration(shown['mean_s'][0])} for {labels[0]}" if shown.height > 1 else "")
        + among(rows, top),
        f"Mean and median of answered calls above 0 s, {100 * times.inputs['level']:g}% "
        f"intervals{not_drawn(rows, top, times.keys, names)}",
        x_title="Handle time",
        height=160 + 26 * shown.height,
    )
    for name, colour, word in (
        ("mean_s", theme.ANSWER, "Mean, for staffing"),
        ("median_s", theme.SECOND, "Median, a typical call"),
    ):
        dots(fig, shown, name, labels, colour, legend=word)
    theme.duration_axis(fig, 1.04 * _largest(shown), "x")
    theme.reference_line(fig, times.mean.value, "mean of all", axis="x")
    return fig


def handle_time_trend(trend: Trend, *key: Any) -> go.Figure:
    """Draw weekly mean, median and typical time, and the trend line with its band."""
    rows = _of(trend.rows, trend.keys, key)
    weeks = int(_of(trend.slopes, trend.keys, key)["weeks"].item())
    per = "year" if weeks >= 40 else "quarter"
    change = trend.change(*key, per=per)
    told = f"{'longer' if change.value > 0 else 'shorter'} by {abs(change.value):.1%} a {per}"
    title = (
        f"Calls get {told} ({signed(change.low)} to {signed(change.high)})"
        if change.excludes_zero
        else f"No change beyond chance over {counted(weeks, 'week')} "
        f"({signed(change.low)} to {signed(change.high)} a {per})"
    )
    fig = theme.panels(
        title if not key else f"{theme.plain(label_of(key))}: {title}",
        f"Whole weeks with {100 * change.level:g}% intervals; the typical time is the exponential "
        f"of the mean of logs, from {trend.inputs['floor_s']:g} s on; the axes do not begin at 0",
        names=["Typical time, with the trend and its interval", "Mean, for staffing", "Median"],
        y_title="Seconds",
        same_y=False,
        height=640,
    )
    x = rows["week"].to_list()
    low, high = rows["fitted_s_low"], rows["fitted_s_high"]
    theme.band(fig, x, low, high, "Interval of the trend", row=1, col=1)
    fig.add_scatter(
        x=x,
        y=rows["fitted_s"].to_list(),
        name="Trend",
        mode="lines",
        line={"color": theme.ANSWER},
        hoverinfo="skip",
        row=1,
        col=1,
    )
    for row, (name, word, colour) in enumerate(
        (
            ("typical_s", "Typical", theme.ANSWER),
            ("mean_s", "Mean", theme.ALARM),
            ("median_s", "Median", theme.SECOND),
        ),
        start=1,
    ):
        fig.add_scatter(
            x=x,
            y=rows[name].to_list(),
            error_y=theme.limits(rows[name], rows[f"{name}_low"], rows[f"{name}_high"])
            | {"thickness": 1, "width": 0},
            name=word,
            mode="markers",
            marker={"color": colour, "size": 6},
            hovertemplate=f"<b>Week of %{{x|%-d %b %Y}}</b><br>{word} %{{y:,.0f}} s<extra></extra>",
            showlegend=False,
            row=row,
            col=1,
        )
        theme.time_axis(fig, "x" if row == 1 else f"x{row}")
    fig.update_yaxes(rangemode="normal")
    # The panels are named, and a legend would stand on the first one's name.
    fig.update_layout(showlegend=False)
    return fig


def trend_by_key(
    trend: Trend, *, names: Mapping[str, str] | None = None, top: int = 25
) -> go.Figure:
    """Draw the trend of each key with its interval, for the ``top`` keys with most calls."""
    if not trend.keys:
        raise InputError("the trend is not split", "by=()", "give by=… to trend")
    slopes = trend.slopes
    per = "per_year" if slopes["weeks"].max() >= 40 else "per_quarter"  # type: ignore[operator]
    shown = slopes.head(top).sort(per, maintain_order=True)
    together = trend.several
    fig = theme.figure(
        f"{together.shown} of {together.tried} show a trend one by one, chance alone about "
        f"{together.expected:.1f}; {together.standing or 'none'} "
        f"{'stands' if together.standing < 2 else 'stand'} out of all looked at together",
        f"Trend of the typical handle time, {100 * trend.inputs['level']:g}% intervals; orange: "
        "stands out (Benjamini–Hochberg), pale: its own interval leaves 0 out"
        f"{not_drawn(slopes, top, trend.keys, names)}",
        x=per,
        height=150 + 24 * shown.height,
    )
    labels = labels_of(shown, trend.keys, names)
    colours = [
        theme.ALARM if stands else PALE if shows else theme.ANSWER
        for stands, shows in shown.select("stands_out", "shows").iter_rows()
    ]
    dots(fig, shown, per, labels, colours)
    theme.share_axis(fig, "x", zero=False)
    theme.reference_line(fig, 0, "no trend", axis="x")
    return fig


def handle_time_parts(
    parts: HandleParts, *, names: Mapping[str, str] | None = None, top: int = 20
) -> go.Figure:
    """Draw what handle time is made of: one bar for all, then one per key with many calls."""
    overall = parts.or_refuse().overall.filter(parts.overall["known"])
    rows = parts.rows.filter(parts.rows["known"])
    keyed = bool(parts.keys)
    keys = rows.select(*parts.keys, "handled").unique().sort("handled", descending=True)
    keys = large_enough(keys, "handled")
    first = overall.sort("share", descending=True).row(0, named=True)
    unknown = f"; unknown: {', '.join(parts.unknown)}" if parts.unknown else ""
    left = not_drawn(keys, top, parts.keys, names) if keyed else ""
    fig = theme.figure(
        f"{first['part'].capitalize()} is {first['share']:.0%} of handle time",
        f"Mean seconds per handled call by part, calls of 0 s included, those with most on "
        f"top{unknown}{left}",
        x_title="Seconds per handled call",
        height=190 + 28 * (min(top, keys.height) if keyed else 0),
    )
    order = overall["part"].to_list()
    for part, colour in zip(order, theme.PALETTE, strict=False):
        mine = overall.filter(overall["part"] == part).to_dicts()
        labels = ["All calls"]
        if keyed:
            shown = (
                keys.head(top)
                .drop("handled")
                .join(
                    rows.filter(rows["part"] == part),
                    on=parts.keys,
                    maintain_order="left",
                    nulls_equal=True,
                )
            )
            mine += shown.to_dicts()
            labels += labels_of(shown, parts.keys, names)
        fig.add_bar(
            x=[row["mean_s"] for row in mine],
            y=labels,
            name=part.capitalize(),
            orientation="h",
            marker_color=colour,
            # No words where they would not fit.
            text=[f"{row['share']:.0%}" if row["share"] >= 0.08 else "" for row in mine],
            textposition="inside",
            insidetextanchor="middle",
            customdata=[row["share"] for row in mine],
            hovertemplate=f"<b>%{{y}}</b><br>{part} %{{x:,.0f}} s, %{{customdata:.0%}}"
            "<extra></extra>",
        )
    fig.update_layout(barmode="stack", legend={"traceorder": "normal"})
    fig.update_yaxes(
        type="category", showgrid=False, rangemode=None, autorange="reversed", nticks=0, dtick=1
    )
    return fig


def _bar(row: dict[str, Any]) -> list[str]:
    first, last = row["from_s"] + 0.5, row["to_s"] - 0.5
    told = f"{first:,.0f} s" if first == last else f"{first:,.0f} to {last:,.0f} s"
    return [told, f"{counted(row['calls'], 'call')}, {row['share']:.1%}"]


def _on_log_axis(fig: go.Figure) -> None:
    """Put the words of the last two reference lines where a logarithmic axis has them.

    Plotly places words on such an axis by the power of ten, but lines by the value.
    """
    for note, side in zip(fig.layout.annotations[-2:], ("right", "left"), strict=True):
        note.update(x=math.log10(note.x), xanchor=side, xshift=4 if side == "right" else -4)


def _largest(rows: pl.DataFrame) -> float:
    return max(value for value in rows["mean_s_high"].to_list() + rows["mean_s"].to_list() if value)


def _of(rows: pl.DataFrame, keys: tuple[str, ...], key: tuple[Any, ...]) -> pl.DataFrame:
    if len(key) != len(keys):
        need = ", ".join(keys) or "none"
        raise InputError("the trend has other keys", f"given {key!r}", f"give: {need}")
    for name, value in zip(keys, key, strict=True):
        rows = rows.filter(rows[name].eq_missing(value))
    if not rows.height:
        raise InputError("there is no trend for this key", f"{key!r}", "see its slopes")
    return rows
