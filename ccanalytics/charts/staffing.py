"""Charts of staffing: the requirement, the curve around it, shifts over it, and its spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.charts import theme
from ccanalytics.charts._slider import slider
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

    from ccanalytics.staffing import Requirement, ServiceLevelCurve, ShiftCover, Spikes

__all__ = [
    "required_by_weekday",
    "requirement",
    "service_level_curve",
    "shift_cover",
    "spikes",
]

_PALE = "#BBD7EC"
_HALF_HANDLE = 0.0105  # of the width of a page
_EDGED = 150  # bars at most that have a white edge
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def requirement(result: Requirement) -> go.Figure:
    """Draw agents required and scheduled by interval, and the load they carry."""
    frame = result.frame
    if frame["interval_start"].is_duplicated().any():
        raise InputError(
            "this chart draws one queue",
            "the requirement has several rows per interval",
            "filter the demand to one key",
        )
    shrinkage = result.inputs["shrinkage"]
    fig = theme.figure(
        f"{_agents(result).capitalize()} must be seated at the peak, {result.at_peak()}",
        f"Agents per interval for {result.goal.describe()}"
        + (f"; scheduled after {100 * shrinkage:.3g}% shrinkage" if shrinkage else "")
        + (f". An {result.name}, {result.days}" if result.name else ""),
        y_title="Agents, and load in erlangs",
    )
    at = _starts(frame)
    wide: dict[str, Any] = {
        "offset": 0,
        "width": (1000 * frame["interval_s"]).to_list(),
        # Over many days a bar is but a pixel or two wide, and a white edge would wash it out.
        "marker_line": {"width": 0.5 if frame.height <= _EDGED else 0, "color": "white"},
    }
    if shrinkage:
        fig.add_bar(
            x=at, y=frame["scheduled_agents"].to_list(), name="Scheduled", marker_color=_PALE,
            hovertemplate=theme.hover("scheduled_agents"), **wide,
        )  # fmt: skip
    fig.add_bar(
        x=at, y=frame["required_agents"].to_list(), name="Required (seated)",
        marker_color=theme.ANSWER, hovertemplate=theme.hover("required_agents"), **wide,
    )  # fmt: skip
    _steps(fig, frame, "load", "Load in erlangs", theme.ALARM)
    fig.update_layout(barmode="overlay")
    fig.update_yaxes(rangemode="tozero")
    theme.time_axis(fig, clock=_one_day(frame))
    return fig


def required_by_weekday(result: Requirement) -> go.Figure:
    """Draw the required agents of a typical week by weekday and time of day."""
    import polars as pl

    if "weekday" not in result.keys:
        raise InputError(
            "this chart draws a week",
            "the requirement has no key weekday",
            "take it from staffing.typical_week",
        )
    fig = theme.figure(
        f"Most agents are needed {result.at_peak()}: {_agents(result)}",
        f"Agents seated per interval, mean week, for {result.goal.describe()}",
        x_title="Local time",
    )
    table = (
        result.frame.with_columns(clock=pl.col("local_start").dt.strftime("%H:%M"))
        .sort("clock")
        .pivot("clock", index="weekday", values="required_agents", aggregate_function="max")
        .sort("weekday")
    )
    values = table.drop("weekday").cast(pl.Float64)
    theme.heatmap(
        fig,
        values.columns,
        [_WEEK[number - 1] for number in table["weekday"]],
        values.fill_null(float("nan")).to_numpy(),
        "required_agents",
    )
    fig.update_xaxes(
        type="category",
        tickvals=[at for at in values.columns if at.endswith(":00") and int(at[:2]) % 2 == 0],
    )
    return fig


def service_level_curve(result: ServiceLevelCurve) -> go.Figure:
    """Draw service, wait, abandonment and occupancy against agents; a slider tells each number."""
    import polars as pl

    required = " and ".join(f"{n} by {model}" for model, n in result.required.items())
    one = len(result.required) == 1
    panels = {
        "service_level": "Service level",
        "asa": "Average speed of answer (seconds)",
        **({} if one else {"abandonment": "Abandonment"}),
        "occupancy": "Occupancy",
    }
    fig = theme.panels(
        f"{next(iter(result.required.values()))} agents meet the goal; each one fewer costs more "
        "than the last"
        if one
        else f"The goal needs {required}",
        f"{result.inputs['calls']:,.0f} calls in {result.inputs['per'] / 60:g} minutes of "
        f"{result.inputs['aht']:,.0f} s each: {result.load:,.1f} erlangs",
        names=list(panels.values()),
        same_y=False,
        x_title="Agents seated",
    )
    drawn = result.points.filter(pl.col("asa") < float("inf"))
    for number, (model, colour) in enumerate(
        zip(result.required, (theme.ANSWER, theme.SECOND), strict=False)
    ):
        rows = drawn.filter(pl.col("model") == model)
        for panel, name in enumerate(panels, start=1):
            if name == "abandonment" and model == "Erlang C":
                continue
            shown = rows.filter(pl.col(name).is_finite())
            fig.add_scatter(
                x=shown["agents"].to_list(),
                y=shown[name].to_list(),
                name=model,
                legendgroup=model,
                showlegend=panel == 1 and not one,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={
                    "size": [11 if n == result.required[model] else 5 for n in shown["agents"]],
                    "symbol": "circle" if number == 0 else "diamond",
                },
                hovertemplate=theme.hover(name, head="%{x} agents")
                if one
                else theme.hover(name, head="%{x} agents, " + model),
                row=panel,
                col=1,
            )
    fig.update_layout(legend_y=1.04)
    for panel, name in enumerate(panels, start=1):
        if name == "asa":
            continue
        axis = "y" if panel == 1 else f"y{panel}"
        theme.share_axis(fig, axis, whole=name != "abandonment")
        fig.update_yaxes(tickformat=".2~%", row=panel, col=1)
    least = max(result.required.values()) - 1
    near = result.points.filter((pl.col("agents") >= least) & pl.col("asa").is_finite())
    # Just above the load waits are hours; drawn whole they would flatten all that matters.
    top = float(near["asa"].to_numpy().max(initial=1.0))
    fig.update_yaxes(range=[0, 1.6 * top], row=2, col=1)
    if not one:
        gone = drawn.filter(pl.col("model") != "Erlang C")["abandonment"].to_numpy()
        fig.update_yaxes(range=[0, 1.08 * float(gone.max(initial=0.01))], row=3, col=1)
    fig.update_yaxes(autorange=False)
    theme.reference_line(fig, result.goal.share, f"goal {result.goal.share:.0%}")
    numbers = drawn["agents"].n_unique()
    for panel in range(1, len(panels) + 1):
        fig.update_xaxes(dtick=1 if numbers <= 10 else None, tickformat="d", row=panel, col=1)
    _chosen(fig, result, drawn, list(panels))
    agents = drawn["agents"].to_numpy()
    low, high = int(agents.min()), int(agents.max())
    if high - low == numbers - 1 > 0:
        # The slider's first and last step stand half a handle from its ends; so do the agents.
        inset = _HALF_HANDLE * (high - low)
        fig.update_xaxes(range=[low - inset, high + inset])
    return fig


def _chosen(
    fig: go.Figure, result: ServiceLevelCurve, drawn: pl.DataFrame, panels: list[str]
) -> None:
    """Add the slider: a ring in every panel at the agents chosen, and their figures in words."""
    import polars as pl

    numbers = drawn["agents"].unique().sort().to_list()
    model = list(result.required)[-1]
    active = numbers.index(result.required[model])
    of = {
        name: {
            row["agents"]: row
            for row in drawn.filter(pl.col("model") == name).iter_rows(named=True)
        }
        for name in result.required
    }
    places = []
    for panel, name in enumerate(panels, start=1):
        places.append(len(fig.data))
        fig.add_scatter(
            x=[numbers[active]], y=[of[model][numbers[active]][name]], mode="markers",
            marker={"size": 17, "color": "rgba(0,0,0,0)",
                    "line": {"width": 2.5, "color": theme.ALARM}},
            showlegend=False, hoverinfo="skip", cliponaxis=False, row=panel, col=1,
        )  # fmt: skip
    slider(
        fig,
        [str(number) for number in numbers],
        places,
        [
            {
                "x": [[n]] * len(panels),
                "y": [[of[model][n][name]] if n in of[model] else [None] for name in panels],
            }
            for n in numbers
        ],
        [[_in_words(name, each[n]) for name, each in of.items() if n in each] for n in numbers],
        active=active,
        prefix="Agents",
    )


def _in_words(model: str, row: dict[str, Any]) -> list[str]:
    words = [
        f"{model}: service level {row['service_level']:.1%}",
        f"speed of answer {theme.duration(row['asa'])}",
    ]
    if model != "Erlang C":
        words.append(f"abandonment {row['abandonment']:.1%}")
    words.append(f"occupancy {row['occupancy']:.0%}")
    if row["cost"] is not None:
        words.append(f"cost {row['cost']:,.2f}")
    if row["cost_per_point"] is not None:
        words.append(f"the last agent {row['cost_per_point']:,.2f} a point")
    return words


def shift_cover(result: ShiftCover) -> go.Figure:
    """Draw the people of each shift stacked over the day, and what is required."""
    import polars as pl

    frame, column = result.intervals, result.inputs["agents"]
    short = frame.filter(frame["uncovered_agents"] > 0)
    title = (
        f"{'1 person covers' if result.people == 1 else f'{result.people:,} people cover'} the day "
        f"in {result.paid_hours:,.0f} paid hours, "
        f"{result.hours('spare_agents'):,.0f} of them to spare"
        if short.is_empty()
        else f"{short.height} intervals have no shift that covers them"
        if short.height > 1
        else "One interval has no shift that covers it"
    )
    fig = theme.figure(
        title,
        "People on shift by interval, a colour per shift; the line is what is "
        + ("scheduled for (shrinkage included)" if column == "scheduled_agents" else "required"),
        y_title="Agents",
    )
    seated = result.seated()
    used = result.shifts.filter(pl.col("agents") > 0)
    colours = _shades(used.height)
    for row, colour in zip(used.iter_rows(named=True), colours, strict=True):
        part = seated.filter(pl.col("shift") == row["shift"])
        lengths = part.join(frame.select("local_start", "interval_s"), on="local_start")
        fig.add_bar(
            x=part["local_start"].to_list(),
            y=part["agents"].to_list(),
            name=f"{theme.plain(row['shift'])}: {row['agents']}",
            marker={"color": colour, "line": {"width": 0.5, "color": "white"}},
            offset=0,
            width=(1000 * lengths["interval_s"]).to_list(),
            hovertemplate=f"<b>{theme.plain(row['shift'])}</b><br>{row['agents']} people"
            "<extra></extra>",
        )
    _steps(fig, frame, column, "Needed", theme.ALARM)
    # Many shifts would fill the page with legend, as far as under a report's tool bar; they are
    # named under the pointer, and listed.
    fig.update_layout(barmode="stack", showlegend=used.height <= 5, legend_traceorder="normal")
    fig.update_yaxes(rangemode="tozero")
    theme.time_axis(fig, clock=True)
    return fig


def spikes(result: Spikes) -> go.Figure:
    """Draw each day's calls by interval, and the requirement with and without a single day."""
    import polars as pl

    frame, found = result.frame, result.flagged
    if frame["local_start"].is_duplicated().any():
        raise InputError(
            "this chart draws one queue", "several rows per interval", "filter to one key"
        )
    fig = theme.panels(
        f"{found.height} intervals owe their agents to a single day"
        if found.height > 1
        else "One interval owes its agents to a single day"
        if found.height
        else "No interval owes its agents to a single day"
        if frame["date"].count()
        else "Too few days to tell whether an interval owes its agents to one of them",
        "Above: calls of each day in each interval. Below: agents required from all days"
        + (", and without the day marked above" if found.height else ""),
        names=["Calls by day", "Required agents"],
        same_y=False,
        height=560,
    )
    long = frame.explode("other_calls").filter(pl.col("other_calls").is_not_null())
    middle = 500 * frame["interval_s"][0]
    fig.add_scatter(
        x=long["local_start"].dt.offset_by(f"{int(middle)}ms").to_list(),
        y=long["other_calls"].to_list(),
        name="Other days",
        mode="markers",
        marker={"color": theme.REFERENCE, "size": 6, "opacity": 0.55},
        hovertemplate=theme.hover("calls"),
        row=1,
        col=1,
    )
    quiet = frame.filter(~frame["spike"] & frame["date"].is_not_null())
    for rows, name, colour, size in (
        (quiet, None, theme.REFERENCE, 6),
        (found, "The day it rests on", theme.ALARM, 11),
    ):
        fig.add_scatter(
            x=rows["local_start"].dt.offset_by(f"{int(middle)}ms").to_list(),
            y=rows["day_calls"].to_list(),
            name=name or "Other days",
            showlegend=bool(name) and rows.height > 0,
            mode="markers",
            marker={"color": colour, "size": size, "opacity": 1 if name else 0.55},
            text=[f"{day.day} {day:%b %Y}" for day in rows["date"]],
            hovertemplate="<b>%{text} %{x|%H:%M}</b><br>%{y:,.0f} calls<extra></extra>",
            row=1,
            col=1,
        )
    wide = {"offset": 0, "width": (1000 * frame["interval_s"]).to_list()}
    at = frame["local_start"].to_list()
    fig.add_bar(
        x=at, y=frame["required_agents"].to_list(), name="Required, all days",
        marker={"color": [theme.ALARM if s else _PALE for s in frame["spike"]],
                "line": {"width": 0.5, "color": "white"}},
        showlegend=False, hovertemplate=theme.hover("required_agents"), row=2, col=1, **wide,
    )  # fmt: skip
    fig.add_bar(
        x=at,
        y=frame.select(
            pl.when("spike").then("required_without").otherwise("required_agents")
        ).to_series().to_list(),
        name="Required without it", marker={"color": theme.ANSWER,
                                            "line": {"width": 0.5, "color": "white"}},
        hovertemplate=theme.hover("required_agents"), row=2, col=1, **wide,
    )  # fmt: skip
    fig.update_layout(barmode="overlay", showlegend=found.height > 0)
    fig.update_layout(legend_y=1.06)  # above the name of the first panel
    fig.update_yaxes(rangemode="tozero")
    fig.update_traces(cliponaxis=False, selector={"type": "scatter"})  # days without calls
    for axis in ("x", "x2"):
        theme.time_axis(fig, axis, clock=True)
    return fig


def _agents(result: Requirement) -> str:
    number = result.peak["required_agents"]
    return f"{'at least ' if result.lacks else ''}{number:,} agent{'' if number == 1 else 's'}"


def _starts(frame: pl.DataFrame) -> list[Any]:
    start = "local_start" if "local_start" in frame.columns else "interval_start"
    return frame[start].to_list()


def _one_day(frame: pl.DataFrame) -> bool:
    return len({at.date() for at in _starts(frame)}) == 1


def _steps(fig: go.Figure, frame: pl.DataFrame, column: str, name: str, colour: str) -> None:
    """Draw a line that is level within each interval, to the end of the last."""
    from datetime import timedelta

    at, values = _starts(frame), frame[column].to_list()
    ends = [b + timedelta(seconds=s) for b, s in zip(at, frame["interval_s"], strict=True)]
    x: list[Any] = []
    y: list[Any] = []
    for place, (start, value) in enumerate(zip(at, values, strict=True)):
        if place and start > ends[place - 1]:  # closed in between: the line stops
            x += [ends[place - 1], ends[place - 1]]
            y += [values[place - 1], None]
        x.append(start)
        y.append(value)
    fig.add_scatter(
        x=[*x, ends[-1]],
        y=[*y, values[-1]],
        name=name,
        mode="lines",
        line={"shape": "hv", "color": colour, "width": 2},
        hovertemplate=theme.hover(column),
    )


def _shades(count: int) -> list[str]:
    """Give colours from dark to light, for shifts in the order of their start."""
    from plotly.colors import sample_colorscale

    points = [0.3 + 0.6 * i / max(count - 1, 1) for i in range(count)]
    scale = [[at, colour] for at, colour in theme.SEQUENTIAL]
    return list(sample_colorscale(scale, points))
