"""What charts draw again and again: colours, heat maps, bands, whiskers, reference lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.charts._formats import axis_key, hover
from ccanalytics.errors import InputError
from ccanalytics.vocabulary import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

# Okabe and Ito's palette, which people with any colour vision tell apart, without its yellow,
# which paper does not show. The order alternates dark and light, so that grey prints differ too.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B6470")
ANSWER, ALARM, SECOND = PALETTE[0], PALETTE[1], PALETTE[2]
REFERENCE = "#5B6470"
INK, MUTED, GRID, PAPER = "#1C2430", "#55606E", "#E3E7EC", "#FFFFFF"

# One hue from paper to ink: the order survives a grey printer. White is reserved for "no call".
SEQUENTIAL = (
    (0.0, "#EEF4FA"),
    (0.25, "#BBD7EC"),
    (0.5, "#6FAED6"),
    (0.75, "#2374AE"),
    (1.0, "#08305C"),
)
# Orange falls short of the goal, blue exceeds it, near-white is on it.
DIVERGING = (
    (0.0, "#A63C00"),
    (0.25, "#E58A4B"),
    (0.5, "#F4F2EF"),
    (0.75, "#6FAED6"),
    (1.0, "#08508A"),
)


_LABELS = 9


def heatmap(
    fig: go.Figure,
    x: Sequence[Any],
    y: Sequence[Any],
    z: Any,
    name: str,
    *,
    goal: float | None = None,
    head: str = "%{y} %{x}",
    **settings: Any,
) -> None:
    """Draw a table of one measure as colours; the first row of ``z`` stands at the top.

    ``z`` has a row per ``y`` and a column per ``x``; nan leaves a cell white. With ``goal`` the
    colours diverge from it: orange below, blue above. ``settings`` go to the trace.
    """
    it = measure(name)
    colours: dict[str, Any] = {"colorscale": SEQUENTIAL}
    if goal is not None:
        colours = {"colorscale": DIVERGING, "zmid": goal}
    if it.unit == "share":
        colours |= {"zmin": 0, "zmax": 1} if goal is None else {}
    fig.add_heatmap(
        x=x,
        y=y,
        z=z,
        name="",
        hovertemplate=hover(name, "z", head=head),
        colorbar={
            "orientation": "h",
            "thickness": 10,
            "len": 0.45,
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "outlinewidth": 0,
            "xpad": 0,
            "ypad": 4,
            "ticks": "",
            "nticks": 6,
            "tickfont": {"size": 12, "color": MUTED},
            "tickformat": ".0~%" if it.unit == "share" else "",
            "title": {
                "text": it.label if it.unit == "share" else it.axis,
                "side": "top",
                "font": {"size": 12, "color": MUTED},
            },
        },
        **(colours | settings),
    )
    fig.update_yaxes(autorange="reversed", showgrid=False, nticks=0, ticksuffix=" ")
    fig.update_xaxes(showline=False, ticks="")
    if len(x) > _LABELS and isinstance(x[0], str):
        # Every label of a day of half hours would stand on its head.
        steps = (2, 3, 4, 6, 8, 12, 24, 48, 96)
        step = next((s for s in steps if len(x) / s <= _LABELS), len(x))
        fig.update_xaxes(tickvals=list(x[::step]), tickangle=0)


def band(
    fig: go.Figure,
    x: Any,
    low: Any,
    high: Any,
    name: str,
    *,
    colour: str = ANSWER,
    row: int | None = None,
    col: int | None = None,
) -> None:
    """Shade between ``low`` and ``high``: an interval that belongs to a line of that colour.

    Where a limit is not finite the band has a gap. Draw it before the line.
    """
    xs = np.asarray(x)
    lows, highs = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    if not (xs.shape == lows.shape == highs.shape and xs.ndim == 1):
        where = f"x {xs.shape}, low {lows.shape}, high {highs.shape}"
        raise InputError("x, low and high must be columns of one length", where, "")
    known = np.isfinite(lows) & np.isfinite(highs)
    around: list[Any] = []
    edge: list[float | None] = []
    for run in np.split(np.arange(xs.size), np.flatnonzero(np.diff(known)) + 1):
        if run.size == 0 or not known[run[0]]:
            continue
        # Out along the upper limit, back along the lower: one closed shape per run.
        around += [*xs[run].tolist(), *xs[run[::-1]].tolist(), None]
        edge += [*highs[run].tolist(), *lows[run[::-1]].tolist(), None]
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    fig.add_scatter(
        x=_dates(xs, around),
        y=edge,
        name=name,
        mode="lines",
        line={"width": 0, "color": colour},
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.18)",
        hoverinfo="skip",
        row=row,
        col=col,
    )


def limits(value: Any, low: Any, high: Any) -> dict[str, Any]:
    """Whiskers from ``low`` to ``high`` around ``value``, for ``error_x`` or ``error_y``."""
    middle = np.asarray(value, dtype=float)
    return {
        "type": "data",
        "symmetric": False,
        "array": (np.asarray(high, dtype=float) - middle).tolist(),
        "arrayminus": (middle - np.asarray(low, dtype=float)).tolist(),
        "thickness": 1.5,
        "width": 5,
    }


def reference_line(fig: go.Figure, value: Any, text: str, axis: str = "y") -> None:
    """Draw a dashed line at ``value`` with its meaning beside it: a goal, a date of change.

    The words are the figure's last annotation. On a logarithmic axis plotly places lines by the
    value but words by its power of ten: set the annotation's place there yourself.
    """
    axis_key(axis)
    line: dict[str, Any] = {"color": REFERENCE, "width": 1.5, "dash": "dash"}
    note: dict[str, Any] = {"text": text, "font": {"size": 13, "color": MUTED}, "showarrow": False}
    if axis[0] == "y":
        ends: dict[str, Any] = {"xref": "x domain", "x0": 0, "x1": 1, "y0": value, "y1": value}
        fig.add_shape(type="line", yref=axis, line=line, **ends)
        note |= {"xref": "x domain", "x": 1, "xanchor": "right", "yref": axis, "y": value}
    else:
        ends = {"yref": "paper", "y0": 0, "y1": 1, "x0": value, "x1": value}
        fig.add_shape(type="line", xref=axis, line=line, **ends)
        note |= {"yref": "paper", "y": 1, "xref": axis, "x": value}
        # The words stand above the plot, the legend above the words.
        fig.update_layout(legend={"y": 1.09})
    fig.add_annotation(**note, yanchor="bottom")


def _dates(like: np.ndarray, values: list[Any]) -> Any:
    # ``tolist`` turns datetime64[ns] into integers; plotly wants dates.
    if like.dtype.kind == "M":
        return [
            None if v is None else str(np.datetime64(v, "ns")) if isinstance(v, int) else v
            for v in values
        ]
    return values
