"""Charts of what if: goals and their price, sensitivity, methods compared, the weeks ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.charts import theme
from ccanalytics.charts._slider import slider
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

    from ccanalytics.staffing import DemandAhead, MethodComparison, Sensitivity, WhatIf

__all__ = ["demand_ahead", "methods_compared", "price_of_service", "sensitivity", "what_if"]

_FACTORS = {
    "volume": "Volume",
    "handle time": "Handle time",
    "patience": "Patience",
    "shrinkage": "Shrinkage",
}
_METHODS = ("stationary", "lagged", "modified", "iterative")


def what_if(result: WhatIf) -> go.Figure:
    """Draw the agents by interval, with a slider that moves the goal and tells what it brings."""
    import polars as pl

    _one_queue(result.intervals.filter(pl.col("target_service_level")
                                       == result.frame["target_service_level"][0]))  # fmt: skip
    goals = result.frame["target_service_level"].to_list()
    active = goals.index(result.requirement.goal.share)
    plans = [result.intervals.filter(pl.col("target_service_level") == goal) for goal in goals]
    rows = result.frame.to_dicts()
    fig = theme.figure(
        f"A goal of {_percent(goals[0])} takes {rows[0]['agent_hours']:,.0f} agent-hours, one of "
        f"{_percent(goals[-1])} takes {rows[-1]['agent_hours']:,.0f}",
        "Agents seated by interval at the goal chosen below; the line is the goal asked for",
        y_title="Agents seated",
        height=430,
    )
    wide = {"offset": 0, "width": (1000 * plans[0]["interval_s"]).to_list()}
    at = _starts(plans[0])
    fig.add_bar(
        x=at, y=plans[active]["required_agents"].to_list(), name="Agents at the goal chosen",
        marker={"color": theme.ANSWER, "line": {"width": 0.5, "color": "white"}},
        hovertemplate=theme.hover("required_agents"), **wide,
    )  # fmt: skip
    _steps(fig, plans[active], "required_agents",
           f"Agents at the goal asked for, {_percent(goals[active])}", theme.ALARM)  # fmt: skip
    most = max(int(plan["required_agents"].to_numpy().max()) for plan in plans)
    fig.update_yaxes(range=[0, 1.06 * most], rangemode="tozero")
    slider(
        fig,
        [_percent(goal) for goal in goals],
        [0],
        [{"y": [plan["required_agents"].to_list()]} for plan in plans],
        [_told(row) for row in rows],
        active=active,
        prefix="Goal",
    )
    theme.time_axis(fig, clock=_one_day(plans[0]))
    return fig


def price_of_service(result: WhatIf) -> go.Figure:
    """Draw predicted service level against scheduled hours, and the price of each further point."""
    frame = result.frame
    priced = frame["cost"].null_count() == 0
    here = result.at_goal
    rows = frame.filter(frame["hours_per_point"].is_not_null())
    fig = theme.panels(
        _price_title(rows, "cost_per_point" if priced else "hours_per_point"),
        "Every dot is a plan of its own at a goal from "
        f"{_percent(frame['target_service_level'][0])} to "
        f"{_percent(frame['target_service_level'][-1])}; the large one is the goal asked for",
        names=[
            "Service level predicted over all calls",
            "Price of one more point " + ("(cost)" if priced else "(scheduled hours)"),
        ],
        same_y=False,
        x_title="Scheduled hours",
        height=560,
    )
    size = [12 if t == here["target_service_level"] else 7 for t in frame["target_service_level"]]
    fig.add_scatter(
        x=frame["scheduled_hours"].to_list(), y=frame["service_level"].to_list(),
        mode="lines+markers", line={"color": theme.ANSWER, "width": 2}, marker={"size": size},
        showlegend=False,
        text=[_percent(goal) for goal in frame["target_service_level"]],
        hovertemplate="<b>Goal %{text}</b><br>%{x:,.1f} scheduled hours<br>"
        "Service level %{y:.1%}<extra></extra>",
        row=1, col=1,
    )  # fmt: skip
    column = "cost_per_point" if priced else "hours_per_point"
    unit = "" if priced else " scheduled hours"
    fig.add_scatter(
        x=rows["scheduled_hours"].to_list(), y=rows[column].to_list(), mode="lines+markers",
        line={"color": theme.ANSWER, "width": 2, "shape": "vh"}, marker={"size": 7},
        showlegend=False,
        text=[_percent(goal) for goal in rows["target_service_level"]],
        hovertemplate="<b>Up to the goal %{text}</b><br>%{y:,.2~f}" + unit + " a point"
        "<extra></extra>",
        row=2, col=1,
    )  # fmt: skip
    fig.layout.yaxis.update(tickformat=".2~%", rangemode="normal")
    fig.update_yaxes(rangemode="tozero", row=2, col=1)
    theme.reference_line(
        fig, result.requirement.goal.share, f"goal {_percent(result.requirement.goal.share)}"
    )
    return fig


def sensitivity(result: Sensitivity) -> go.Figure:
    """Draw a tornado: seats at the peak, and service level, with each input a little off."""
    import polars as pl

    order = result.order()[::-1]
    change = result.inputs["change"]
    fig = theme.panels(
        f"{_FACTORS[order[-1]]} moves the plan most",
        f"Each input {change:.0%} lower or higher, one at a time. Above: the plan made anew. "
        "Below: the people of the plan stay, and this is what they serve",
        names=["Scheduled hours (agents at the peak)", "Service level, in points"],
        same_y=False,
        height=170 + 100 * len(order),
    )
    # The panels measure different things, so that each needs its own ticks.
    gap = 0.08
    fig.layout.yaxis.update(domain=[0.5 + gap, 1.0])
    fig.layout.yaxis2.update(domain=[0.0, 0.5 - gap])
    fig.layout.annotations[1].update(y=0.5 - gap)
    for place, (column, factor, head) in enumerate(
        (("hours_change", 1.0, "scheduled hours"), ("level_change", 100.0, "points")), start=1
    ):
        for sign, name, colour in (
            (-1, f"{change:.0%} lower", theme.SECOND),
            (1, f"{change:.0%} higher", theme.ANSWER),
        ):
            rows = result.frame.filter(pl.col("change").sign() == sign)
            values = dict(zip(rows["factor"], rows[column], strict=True))
            seats = dict(zip(rows["factor"], rows["seats_change"], strict=True))
            fig.add_bar(
                y=[_FACTORS[each] for each in order],
                x=[factor * values[each] for each in order],
                orientation="h", name=name, legendgroup=name, showlegend=place == 1,
                marker_color=colour,
                text=[
                    f"{_signed(factor * values[each])} ({_signed(seats[each], 0)})"
                    if place == 1
                    else _signed(factor * values[each])
                    for each in order
                ],
                textposition="outside", textangle=0, textfont={"size": 12},
                constraintext="none", cliponaxis=False,
                hovertemplate="<b>%{y} " + name + "</b><br>%{x:+,.1f} " + head
                + "<extra></extra>",
                row=place, col=1,
            )  # fmt: skip
        _room(fig, place)
    fig.update_layout(barmode="group", legend_y=1.08, bargap=0.3)
    for axis in (fig.layout.xaxis, fig.layout.xaxis2):
        axis.update(matches=None, showticklabels=True, zeroline=True, zerolinecolor=theme.REFERENCE)
    fig.update_yaxes(showgrid=False, nticks=0, ticksuffix=" ", rangemode=None, type="category")
    return fig


def methods_compared(result: MethodComparison) -> go.Figure:
    """Draw agents by method, and the service level that each meets in motion."""
    import polars as pl

    names = result.frame["method"].to_list()
    _one_queue(result.intervals.filter(pl.col("method") == names[0]))
    first = result.row(names[0])
    title = {
        "none": "The choice of method does not matter here",
        "slight": "The choice of method matters a little here",
        "severe": "The choice of method matters here",
    }[result.severity]
    last = result.row(names[-1])
    apart = first["agent_hours"] - last["agent_hours"]
    if first["intervals_short"]:
        title += (
            f": the {names[0]} plan falls short in {first['intervals_short']} of "
            f"{first['intervals_with_calls']} intervals"
        )
    elif round(apart, 1):
        title += (
            f": the {names[0]} plan falls short nowhere, and takes {abs(apart):,.1f} agent-hours "
            f"{'more' if apart > 0 else 'fewer'} than the {names[-1]} one"
        )
    else:
        title += f": the {names[0]} plan falls short nowhere"
    fig = theme.panels(
        title,
        f"Goal {_percent(result.goal.share)}. Every plan is walked through the day in motion",
        names=["Agents required", "Service level in motion"],
        same_y=False,
        height=600,
    )
    shown = [names[0], names[-1]] if len(names) > 2 else names
    colours = dict(zip(shown, (theme.ALARM, theme.ANSWER), strict=False))
    for name in names:
        rows = result.intervals.filter(pl.col("method") == name)
        colour = colours.get(name, theme.PALETTE[2 + names.index(name) % 4])
        for place, column in enumerate(("required_agents", "service_level"), start=1):
            _steps(
                fig, rows, column, name.capitalize(), colour, row=place, legend=place == 1,
                width=2.5 if name in shown else 1.5, dash="solid" if name in shown else "dot",
            )  # fmt: skip
    fig.layout.yaxis.update(rangemode="tozero")
    fig.layout.yaxis2.update(tickformat=".2~%", rangemode="normal")
    theme.reference_line(fig, result.goal.share, f"goal {_percent(result.goal.share)}", "y2")
    fig.layout.annotations[-1].update(yanchor="top")
    fig.update_layout(legend_y=1.06)
    for axis in ("x", "x2"):
        theme.time_axis(fig, axis, clock=_one_day(rows))
    return fig


def demand_ahead(result: DemandAhead) -> go.Figure:
    """Draw calls by day: those of the past that the rule looks at, and those it expects."""
    import polars as pl

    days = result.daily()
    calls = days["calls"].to_list()
    past = result.past.filter(pl.col("date") >= result.past.filter("used")["date"].min())
    fig = theme.figure(
        f"{sum(calls):,.0f} calls are expected, {sum(calls) / len(calls):,.0f} a day",
        "Calls by day. Plain forecast: the mean of the last four same weekdays"
        + (f", times {1 + result.inputs['growth']:.4g}" if result.inputs["growth"] else ""),
        y_title="Calls a day",
    )
    for rows, name, colour in (
        (past.filter("used"), "Past days in a mean", theme.REFERENCE),
        (past.filter(~pl.col("used")), "Past days left out", "#C9D1DA"),
        (days, "Expected", theme.ANSWER),
    ):
        if rows.is_empty():
            continue
        fig.add_bar(
            x=rows["date"].to_list(), y=rows["calls"].to_list(), name=name, marker_color=colour,
            hovertemplate="<b>%{x|%a %-d %b %Y}</b><br>%{y:,.0f} calls<extra></extra>",
        )  # fmt: skip
    fig.update_layout(barmode="overlay")
    fig.update_yaxes(rangemode="tozero")
    theme.time_axis(fig)
    return fig


def _told(row: dict[str, Any]) -> list[list[str]]:
    hours = [f"{row['agent_hours']:,.1f} agent-hours", f"{row['scheduled_hours']:,.1f} scheduled"]
    if row["cost"] is not None:
        hours.append(f"cost {row['cost']:,.0f}")
    served = [
        f"service level {row['service_level']:.1%}",
        f"speed of answer {theme.duration(row['asa'])}",
    ]
    if row["abandonment"] is not None:
        served.append(f"abandonment {row['abandonment']:.1%}")
    return [hours, [*served, f"occupancy {row['occupancy']:.0%}"]]


def _price_title(rows: pl.DataFrame, column: str) -> str:
    if rows.is_empty():
        return "No goal on the ladder costs more than the lowest"
    low, high = rows[column][0], rows[column][-1]
    unit = "" if column == "cost_per_point" else " scheduled hours"
    places = 0 if min(low, high) >= 10 else 1 if min(low, high) >= 0.1 else 2
    return (
        f"A further point costs {low:,.{places}f}{unit} at the low end and {high:,.{places}f} at "
        "the high end"
    )


def _room(fig: go.Figure, place: int) -> None:
    """Put 0 in the middle of every panel, with room for the words at the ends of the bars."""
    ends = [abs(x) for trace in fig.data if trace.yaxis == ("y" if place == 1 else f"y{place}")
            for x in trace.x]  # fmt: skip
    reach = 1.5 * (max(ends) or 1.0)
    fig.update_xaxes(range=[-reach, reach], row=place, col=1)


def _signed(number: float, places: int = 1) -> str:
    """Write a change with its sign; none is 0.

    >>> _signed(-1.26), _signed(0.0), _signed(2, 0)
    ('−1.3', '0', '+2')
    """
    if not round(number, places):
        return "0"
    return f"{number:+,.{places}f}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"


def _one_queue(frame: pl.DataFrame) -> None:
    if frame["interval_start"].is_duplicated().any():
        raise InputError(
            "this chart draws one queue", "several rows per interval", "filter to one key"
        )


def _starts(frame: pl.DataFrame) -> list[Any]:
    return frame["local_start" if "local_start" in frame.columns else "interval_start"].to_list()


def _one_day(frame: pl.DataFrame) -> bool:
    return len({at.date() for at in _starts(frame)}) == 1


def _steps(
    fig: go.Figure,
    frame: pl.DataFrame,
    column: str,
    name: str,
    colour: str,
    *,
    row: int | None = None,
    legend: bool = True,
    width: float = 2,
    dash: str = "solid",
) -> None:
    """Draw a line that is level within each interval, to the end of the last."""
    from datetime import timedelta

    at = _starts(frame)
    end = at[-1] + timedelta(seconds=float(frame["interval_s"][-1]))
    values = frame[column].to_list()
    fig.add_scatter(
        x=[*at, end], y=[*values, values[-1]], name=name, mode="lines", legendgroup=name,
        showlegend=legend, line={"shape": "hv", "color": colour, "width": width, "dash": dash},
        hovertemplate=theme.hover(column), row=row, col=None if row is None else 1,
    )  # fmt: skip
