"""Charts of effects with a control, and of what they are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.charts import theme
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ccanalytics.deflection import Designs, Value, Waterfall
    from ccanalytics.statistics.effects import PanelEffect

__all__ = ["counterfactual", "designs", "event_study", "gross_to_bankable", "value_steps"]


def event_study(effect: PanelEffect) -> go.Figure:
    """Draw the change of calls by week since going live, weeks before it included."""
    events = effect.events
    change = effect.relative
    title = (
        f"{effect.name}: {abs(change.value):.1%} "
        f"{'fewer' if change.value < 0 else 'more'} calls once live"
        if change.excludes_zero
        else f"{effect.name}: no change that the data can show"
    )
    fig = theme.figure(
        title,
        "Change of calls against what units that were not live foretell, by week since going live; "
        f"{100 * change.level:g}% limits. Weeks before it should lie about 0",
        y="relative",
        x_title="Weeks since going live",
    )
    for before, colour in ((True, theme.REFERENCE), (False, theme.ANSWER)):
        mine = events.filter((events["event"] < 0) == before)
        fig.add_scatter(
            x=mine["event"].to_list(),
            y=mine["relative"].to_list(),
            error_y=theme.limits(mine["relative"], mine["relative_low"], mine["relative_high"]),
            mode="markers",
            name="Before, when nothing had changed" if before else "Live",
            marker={"color": colour, "size": 7},
            customdata=mine["units"].to_list(),
            hovertemplate="<b>Week %{x}</b><br>%{y:+.1%}, %{customdata} units<extra></extra>",
        )
    theme.reference_line(fig, 0, "")
    theme.share_axis(fig, "y", zero=False)
    fig.update_xaxes(tickformat="d")
    return fig


def counterfactual(effect: PanelEffect) -> go.Figure:
    """Draw the calls of live units and what would have come, week by week."""
    weeks = effect.weeks
    at = weeks["week"].to_list()
    removed = effect.removed_per_week
    fewer = "fewer" if removed.value >= 0 else "more"
    title = (
        f"{effect.name}: {abs(removed.value):,.0f} {fewer} calls a week than would have come"
        if effect.relative.excludes_zero
        else f"{effect.name}: calls as they would have come, as far as the data can show"
    )
    fig = theme.figure(
        title,
        f"Calls a week of the units that are live, {counted(effect.units, 'unit')} in the end; "
        f"shaded: {100 * effect.relative.level:g}% limits of the whole estimate",
        y="calls",
    )
    theme.band(
        fig,
        at,
        weeks["counterfactual_low"],
        weeks["counterfactual_high"],
        "Limits",
        colour=theme.REFERENCE,
    )
    for column, name, colour, dash in (
        ("counterfactual", "Would have come", theme.REFERENCE, "dash"),
        ("calls", "Came", theme.ANSWER, "solid"),
    ):
        fig.add_scatter(
            x=at,
            y=weeks[column].to_list(),
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash},
            hovertemplate=f"<b>Week of %{{x|%-d %b %Y}}</b><br>{name} %{{y:,.0f}}<extra></extra>",
        )
    theme.time_axis(fig)
    return fig


def value_steps(value: Value) -> go.Figure:
    """Draw the hours of handling that go, and what is left of them at each step to paid hours."""
    steps = value.waterfall()
    last = steps.row(-1, named=True)
    title = f"{steps['hours'][0]:,.1f} hours of handling fewer: {last['hours']:,.1f} {last['step']}"
    if not value.inputs["removed"].excludes_zero:
        title = "No hours freed that the data can show"
    fig = theme.figure(
        title,
        f"Hours over the span of the demand, {100 * value.calls.level:g}% limits",
        x="hours",
        height=150 + 48 * steps.height,
    )
    fig.add_bar(
        x=steps["hours"].to_list(),
        y=[step[:1].upper() + step[1:] for step in steps["step"]],
        orientation="h",
        marker_color=[theme.REFERENCE] + (steps.height - 2) * [theme.ANSWER] + [theme.SECOND],
        error_x=theme.limits(steps["hours"], steps["hours_low"], steps["hours_high"]),
        hovertemplate="<b>%{y}</b><br>%{x:,.1f} hours<extra></extra>",
        showlegend=False,
    )
    fig.update_yaxes(autorange="reversed", showgrid=False, rangemode=None, ticksuffix=" ")
    return fig


def designs(answers: Designs) -> go.Figure:
    """Draw what each design makes of one roll-out, the most trusted on top."""
    rows = answers.or_refuse().to_frame().drop_nulls("relative").reverse()
    main, others = answers.main, len(answers.effects) - 1
    title = (
        f"{main.name}: {len(answers.agree)} of {counted(others, 'other design')} agree with "
        f"{main.design.replace('_', ' ')}"
        if others
        else f"{main.name}: one design alone can answer"
    )
    fig = theme.figure(
        title,
        f"Change of calls once live, {100 * main.relative.level:g}% limits; grey: weak",
        x="relative",
        height=190 + 40 * rows.height,
    )
    fig.add_scatter(
        x=rows["relative"].to_list(),
        y=[name.replace("_", " ") for name in rows["design"]],
        error_x=theme.limits(rows["relative"], rows["relative_low"], rows["relative_high"])
        | {"color": theme.REFERENCE},
        mode="markers",
        marker={
            "size": 9,
            "color": [theme.REFERENCE if g == "weak" else theme.ANSWER for g in rows["grade"]],
        },
        customdata=rows["grade"].to_list(),
        hovertemplate="<b>%{y}</b><br>%{x:+.1%}, %{customdata}<extra></extra>",
        showlegend=False,
    )
    theme.share_axis(fig, "x", zero=False)
    # Without words: they would stand where the tool bar is; the axis says what 0 means.
    theme.reference_line(fig, 0, "", axis="x")
    fig.update_xaxes(title_text="Change of calls; 0: none")
    return fig


_KNOWN = {"counted": theme.REFERENCE, "estimated": theme.ANSWER, "planned": theme.SECOND}


def gross_to_bankable(waterfall: Waterfall) -> go.Figure:
    """Draw hours a week from what the channel completed to what can be banked."""
    steps = waterfall.frame
    first, last = steps.row(0, named=True), steps.row(-1, named=True)
    freed = f"{last['hours']:,.1f} {last['step']}"
    fig = theme.figure(
        f"{waterfall.channel}: {first['hours']:,.1f} hours completed a week, "
        f"{freed if waterfall.shown else 'none freed that the data can show'}",
        "Hours of agents a week; grey: counted in the channel, blue: estimated against services "
        "that were not live, green: what planning makes of it; whiskers: limits",
        x="hours",
        height=150 + 48 * steps.height,
    )
    for known, colour in _KNOWN.items():
        rows = steps.filter(steps["known"] == known)
        if not rows.height:
            continue
        fig.add_bar(
            x=rows["hours"].to_list(),
            y=[step[:1].upper() + step[1:] for step in rows["step"]],
            orientation="h",
            name=known.capitalize(),
            marker_color=colour,
            error_x=theme.limits(
                rows["hours"],
                rows["hours_low"].fill_null(rows["hours"]),
                rows["hours_high"].fill_null(rows["hours"]),
            ),
            hovertemplate="<b>%{y}</b><br>%{x:,.1f} hours<extra></extra>",
        )
    fig.update_layout(showlegend=False)
    fig.update_yaxes(
        autorange="reversed", type="category", showgrid=False, rangemode=None, ticksuffix=" ",
        nticks=0, dtick=1,
    )  # fmt: skip
    return fig
