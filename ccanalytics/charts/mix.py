"""Charts of why mean handle time changed: rate and mix."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from ccanalytics.charts import theme
from ccanalytics.charts._whiskers import labels_of, large_enough
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

    from ccanalytics.handletime import Mix

__all__ = ["mix_by_kind", "rate_and_mix"]


def rate_and_mix(mix: Mix) -> go.Figure:
    """Draw the way from the mean before to the mean after: rate, then the mix of each factor."""
    kinds = " and ".join(term(key).lower() for key in mix.keys)
    steps = [(f"Calls of the same {kinds}", mix.rate.value, mix.rate.low, mix.rate.high)]
    if mix.factors.height == 1:
        steps.append(("The mix of calls", mix.mix.value, mix.mix.low, mix.mix.high))
    else:
        steps += [
            (f"Mix: {term(factor).lower()}", value, low, high)
            for factor, value, low, high in mix.factors.iter_rows()
        ]
    before, after = mix.before.value, mix.after.value
    labels = ["Before", *(step[0] for step in steps), f"From {mix.split_on}"]
    seconds = [before, *(step[1] for step in steps), after]
    fig = theme.figure(
        f"Handle time went from {before:.1f} to {after:.1f} s: "
        f"{_plus(mix.rate.value)} by like calls, {_plus(mix.mix.value)} by the mix",
        f"Mean handle time and what moved it, with {100 * mix.change.level:g}% limits of each "
        "step; the axis does not begin at 0",
        y="aht_s",
    )
    told = [f"{before:.1f} s", *(_plus(step[1]) for step in steps), f"{after:.1f} s"]
    # Amounts stand below the bars, where no whisker crosses them.
    x = [f"{theme.plain(label)}<br>{amount}" for label, amount in zip(labels, told, strict=True)]
    fig.add_waterfall(
        x=x,
        y=seconds,
        measure=["absolute", *["relative"] * len(steps), "total"],
        increasing={"marker": {"color": theme.ALARM}},
        decreasing={"marker": {"color": theme.ANSWER}},
        totals={"marker": {"color": theme.REFERENCE}},
        connector={"line": {"color": theme.MUTED, "width": 1}},
        hovertemplate="%{x}<extra></extra>",
        showlegend=False,
    )
    level, lows, highs = before, [before], [before]
    for at, (_, value, low, high) in enumerate(steps, start=1):
        if not isnan(low):
            fig.add_scatter(
                x=[x[at]],
                y=[level + value],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [high - value],
                    "arrayminus": [value - low],
                    "color": theme.INK,
                    "thickness": 1.2,
                },
                mode="markers",
                marker={"size": 1, "color": theme.INK},
                hoverinfo="skip",
                showlegend=False,
            )
            lows.append(level + low)
            highs.append(level + high)
        level += value
        lows.append(level)
        highs.append(level)
    room = 0.35 * max(max(highs) - min(lows), 0.01 * before)
    fig.update_yaxes(range=[max(0.0, min(lows) - room), max(highs) + room], rangemode=None)
    return fig


def mix_by_kind(mix: Mix, *, names: Mapping[str, str] | None = None, top: int = 20) -> go.Figure:
    """Draw what each kind of call adds to rate and mix, for those that move the mean most."""
    rows = large_enough(mix.table(), "fewer_calls").head(top).reverse()
    labels = labels_of(rows, mix.keys, names)
    most = rows.row(-1, named=True)
    why = "rate" if abs(most["rate_s"]) > abs(most["mix_s"]) else "mix"
    fig = theme.figure(
        f"{labels[-1]} moves the mean most: {_plus(most['rate_s'] + most['mix_s'])}, "
        f"mostly by its {'own time' if why == 'rate' else 'share of calls'}",
        f"Seconds that each kind adds to the mean of all calls: {counted(rows.height, 'kind')} of "
        f"{mix.rows.height:,}, those that move it most",
        x_title="Seconds of the mean of all calls",
        height=160 + 26 * rows.height,
    )
    for column, name, colour in (
        ("rate_s", "Takes another time", theme.ANSWER),
        ("mix_s", "Comes more or less often", theme.SECOND),
    ):
        fig.add_bar(
            x=rows[column].to_list(),
            y=labels,
            orientation="h",
            name=name,
            marker_color=colour,
            hovertemplate="<b>%{y}</b><br>%{x:+.2f} s<extra></extra>",
        )
    fig.update_layout(barmode="relative")
    theme.reference_line(fig, 0, "", axis="x")
    fig.update_yaxes(type="category", showgrid=False, ticksuffix=" ", nticks=0, dtick=1)
    fig.update_xaxes(tickformat="~g", rangemode=None)
    return fig


def _plus(seconds: float) -> str:
    return f"{seconds:+.1f} s".replace("-", "−")
