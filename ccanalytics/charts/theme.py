"""The look of every chart: one plotly template, and the few helpers that charts are made from.

How to write a chart
--------------------
A chart is a function: a Result (or a roll-up) in, a ``plotly`` Figure out. It computes nothing.
It takes the columns that the Result already has, and says in its title what they show::

    from ccanalytics.charts import theme

    def service_level_curve(result: Requirement) -> go.Figure:
        import plotly.graph_objects as go          # plotly is imported inside, it is heavy

        frame = result.to_frame()
        fig = theme.figure(
            "14 agents keep the promise; the 15th adds little",      # the message, a sentence
            "Service level by agents seated, Wednesday 10:00",       # what is drawn, and of when
            x="required_agents",
            y="service_level",                                       # a measure: label and ticks
        )
        theme.band(fig, frame["agents"], frame["low"], frame["high"], "95% interval")
        fig.add_scatter(
            x=frame["agents"], y=frame["service_level"], name="Service level",
            hovertemplate=theme.hover("service_level", head="%{x} agents"),
        )
        theme.reference_line(fig, 0.8, "goal 80%")
        return fig

- ``x`` and ``y`` are names of measures in the vocabulary: the label, and percent ticks for
  shares, follow from it. For a key (a weekday, a service) pass ``x_title`` or ``y_title``.
- Colours have meanings, the same in every chart: `ANSWER` is what the chart is about,
  `SECOND` a companion, `REFERENCE` what it is compared with (a goal, last year), `ALARM` what
  needs action. For several equals use `PALETTE` in its order (plotly does so by itself).
- `heatmap` draws weekday × interval tables: `SEQUENTIAL` for amounts, `DIVERGING` around a goal.
- Text that came out of a log (a service, a customer) goes through `plain` before it becomes a
  label, because plotly reads some HTML in labels.
- Do not set a width, and leave the height unless the content demands it. Reports set the title
  as text above the chart, so it may be a full sentence of any length; no ``<br>``.
- One trace needs no legend and several need names: both are taken care of.
"""

from __future__ import annotations

from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from ccanalytics.charts._formats import (
    axis_key,
    duration,
    duration_axis,
    hover,
    plain,
    share_axis,
    time_axis,
)
from ccanalytics.charts._marks import (
    ALARM,
    ANSWER,
    DIVERGING,
    GRID,
    INK,
    MUTED,
    PALETTE,
    PAPER,
    REFERENCE,
    SECOND,
    SEQUENTIAL,
    band,
    heatmap,
    limits,
    reference_line,
)
from ccanalytics.errors import InputError
from ccanalytics.vocabulary import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

__all__ = [
    "ALARM",
    "ANSWER",
    "CONFIG",
    "DIVERGING",
    "FONT",
    "PALETTE",
    "REFERENCE",
    "SECOND",
    "SEQUENTIAL",
    "band",
    "duration",
    "duration_axis",
    "figure",
    "heatmap",
    "hover",
    "limits",
    "panels",
    "plain",
    "reference_line",
    "share_axis",
    "template",
    "time_axis",
]

# Without quotes: names of several words are valid so, and survive every SVG export.
FONT = (
    "Segoe UI, Helvetica Neue, Roboto, Noto Sans, Arial, PingFang SC, "
    "Microsoft YaHei, Noto Sans CJK SC, Source Han Sans SC, sans-serif"
)

# For ``fig.show(config=theme.CONFIG)``; reports use the same.
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    "showTips": False,
    "showSendToCloud": False,
}

_NAME = "ccanalytics"
_TITLE_WIDTH = 78


@cache
def template() -> str:
    """Register the template with plotly on first use, and give its name."""
    import plotly.graph_objects as go
    import plotly.io as pio

    # Mappings, not objects: plotly's stubs know fewer properties than plotly does.
    axis = {
        "automargin": True,
        "gridcolor": GRID,
        "linecolor": "#9AA4B0",
        "tickcolor": "#9AA4B0",
        "tickfont": {"size": 13, "color": MUTED},
        "title": {"font": {"size": 13, "color": MUTED}, "standoff": 10},
        "zeroline": False,
        "separatethousands": True,
    }
    layout: dict[str, Any] = {
        "font": {"family": FONT, "size": 14, "color": INK},
        "title": {
            "font": {"size": 19, "color": INK},
            "subtitle": {"font": {"size": 14, "color": MUTED}},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "pad": {"l": 12},
        },
        "colorway": PALETTE,
        "colorscale": {"sequential": SEQUENTIAL, "diverging": DIVERGING},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "margin": {"l": 12, "r": 24, "b": 12, "t": 92, "pad": 2},
        "xaxis": {**axis, "showgrid": False, "showline": True, "ticks": "outside", "ticklen": 5},
        "yaxis": {**axis, "showgrid": True, "showline": False, "ticks": "", "nticks": 7},
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 13},
            "bgcolor": "rgba(255,255,255,0)",
        },
        "hoverlabel": {
            "bgcolor": PAPER,
            "bordercolor": "#9AA4B0",
            "align": "left",
            "font": {"family": FONT, "size": 13, "color": INK},
        },
        "hovermode": "closest",
        "modebar": {
            # A chart of a confidential log is not to be sent anywhere by a button.
            "bgcolor": "rgba(255,255,255,0)",
            "color": "#9AA4B0",
            "activecolor": INK,
            "remove": [
                *("pan", "select", "lasso", "zoomin", "zoomout", "autoscale"),
                *("sendDataToCloud", "sendChartToCloud", "editInChartStudio"),
            ],
        },
        "bargap": 0.18,
    }
    data = {
        "scatter": [{"line": {"width": 2.5}, "marker": {"size": 7}}],
        "bar": [{"marker": {"line": {"width": 0}}}],
        "heatmap": [{"xgap": 1, "ygap": 1, "hoverongaps": False}],
    }
    pio.templates[_NAME] = go.layout.Template(layout=layout, data=data)
    return _NAME


def figure(
    title: str,
    subtitle: str = "",
    *,
    x: str = "",
    y: str = "",
    x_title: str = "",
    y_title: str = "",
    height: int = 420,
) -> go.Figure:
    """Make an empty figure in the project's look.

    Parameters
    ----------
    title
        The message as a sentence: what the reader should see.
    subtitle
        What is drawn: measure, place and time.
    x, y
        Measures of the vocabulary; they give the axis its label, and percent ticks to shares.
    x_title, y_title
        Labels of axes that show a key, not a measure.
    height
        Pixels; the width is the reader's.

    Raises
    ------
    InputError
        Without a title, or for a measure that the vocabulary lacks.

    Examples
    --------
    >>> figure("Waits are short", x="required_agents").layout.xaxis.title.text
    'Required agents'
    """
    import plotly.graph_objects as go

    fig = go.Figure()
    _dress(fig, title, subtitle, height)
    _label(fig, "x", x, x_title)
    _label(fig, "y", y, y_title)
    return fig


def panels(
    title: str,
    subtitle: str = "",
    *,
    names: Sequence[str],
    x: str = "",
    y: str = "",
    x_title: str = "",
    y_title: str = "",
    height: int = 0,
    same_y: bool = True,
) -> go.Figure:
    """Make a figure of panels, one below the other so that they fit a phone and a page.

    Add traces with ``row=1, col=1``, ``row=2, col=1``, …; the panels share the x axis.
    """
    from plotly.subplots import make_subplots

    if not names:
        raise InputError("a figure of panels needs at least one", "names=()", "name the panels")
    fig = make_subplots(
        rows=len(names),
        cols=1,
        shared_xaxes=True,
        shared_yaxes="all" if same_y else False,
        vertical_spacing=min(0.28, 44 / (height or 190 * len(names))),
        subplot_titles=[plain(name) for name in names],
    )
    fig.update_annotations(
        x=0, xanchor="left", font={"size": 14, "color": INK}, xref="paper", yshift=2
    )
    # Said outright, because plotly.js 4.1 gives matched axes no range of their own once the
    # other axis has one.
    fig.update_yaxes(autorange=True)
    for row in range(1, len(names)):
        fig.update_xaxes(ticks="", row=row, col=1)
    _dress(fig, title, subtitle, height or 110 + 190 * len(names))
    last = "x" if len(names) == 1 else f"x{len(names)}"
    _label(fig, last, x, x_title)
    for row in range(1, len(names) + 1):
        _label(fig, "y" if row == 1 else f"y{row}", y, y_title)
    return fig


def _dress(fig: go.Figure, title: str, subtitle: str, height: int) -> None:
    if not title.strip():
        raise InputError("a chart needs a title", "title=''", "say in a sentence what it shows")
    lines, below = wrap(title, _TITLE_WIDTH), wrap(subtitle, round(_TITLE_WIDTH * 1.35))
    # Title and legend stand above the plot; without this room they would meet.
    top = 50 + 24 * len(lines) + 18 * len(below)
    fig.update_layout(
        template=template(),
        height=height + top - 92,
        margin={"t": top},
        title={
            "text": "<br>".join(lines),
            "subtitle": {"text": "<br>".join(below)},
            "y": 1,
            "yanchor": "top",
            "yref": "container",
            "pad": {"t": 14},
        },
    )


def _label(fig: go.Figure, axis: str, name: str, text: str) -> None:
    if name:
        it = measure(name)
        # Percent ticks say "share" already.
        text = text or (it.label if it.unit == "share" else it.axis)
        if it.unit == "share":
            share_axis(fig, axis)
        elif axis.startswith("y"):
            fig.layout[axis_key(axis)].update(rangemode="tozero")
    if text:
        fig.layout[axis_key(axis)].update(title={"text": text})
