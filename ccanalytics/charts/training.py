"""Charts of what was done for agents: effects by tenure, coaching, and whether a course pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.charts import theme
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ccanalytics.handletime import HandleEffect
    from ccanalytics.quality import Coaching, CourseWorth, Training

__all__ = [
    "coaching_scores",
    "course_return",
    "effect_by_group",
    "handle_event_study",
    "learning_gains",
    "training_over_time",
]

_WHAT = {"aht": "handle time", "transfers": "transfers", "errors": "items wrong"}


def effect_by_group(effect: HandleEffect) -> go.Figure:
    """Draw the change by group, such as bands of tenure, and of all together."""
    rows = effect.by_group
    if not rows.height:
        raise DataError("this effect has no groups", f"by={effect.inputs['by']!r}", "")
    what, gap = _WHAT[effect.outcome], effect.gap
    if gap is not None and gap.excludes_zero:
        more = rows["group"][0] if gap.value < 0 else rows["group"][-1]
        title = f"{effect.name} changes {what} most {'of agents of ' if more else ''}{more}"
    else:
        title = f"{effect.name}: that {what} changes more in one group is not shown"
    fig = theme.figure(
        title,
        f"Change of {what} against what those without it foretell; "
        f"{100 * effect.relative.level:g}% limits",
        x_title=f"Change of {what}; 0: none",
        height=200 + 44 * rows.height,
    )
    for names, values, low, high, colour, size in (
        (rows["group"].to_list(), rows["relative"], rows["relative_low"], rows["relative_high"],
         theme.SECOND, 9),
        (["all"], [effect.relative.value], [effect.relative.low], [effect.relative.high],
         theme.ANSWER, 11),
    ):  # fmt: skip
        fig.add_scatter(
            x=list(values),
            y=[theme.plain(name[:1].upper() + name[1:]) for name in names],
            error_x=theme.limits(values, low, high),
            mode="markers",
            marker={"color": colour, "size": size},
            hovertemplate="<b>%{y}</b><br>%{x:+.1%}<extra></extra>",
            showlegend=False,
        )
    theme.share_axis(fig, "x", zero=False)
    theme.reference_line(fig, 0, "", axis="x")
    fig.update_yaxes(autorange="reversed", showgrid=False, rangemode=None, ticksuffix=" ")
    return fig


def handle_event_study(effect: HandleEffect) -> go.Figure:
    """Draw the change by week since going live, weeks before it included."""
    events, what = effect.events, _WHAT[effect.outcome]
    fig = theme.figure(
        effect.short(),
        f"{effect.name}: change of {what} by week since going live; "
        f"{100 * effect.relative.level:g}% limits. Weeks before it should lie about 0",
        x_title="Weeks since going live",
        y_title=f"Change of {what}",
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
            hovertemplate="<b>Week %{x}</b><br>%{y:+.1%}, %{customdata} "
            f"{effect.unit}s<extra></extra>",
        )
    theme.share_axis(fig, "y", zero=False)
    theme.reference_line(fig, 0, "")
    fig.update_xaxes(tickformat="d")
    return fig


def learning_gains(training: Training) -> go.Figure:
    """Draw what those who took the course gained in tests, beside those who did not."""
    if not training.learning:
        raise DataError("no tests tell what was learnt", training.refused.get("learning", ""), "")
    post = next(iter(training.learning.values())).effect
    if post.excludes_zero:
        title = f"The course gave {post.value:.1f} points in the test after it"
    else:
        title = "The tests do not show that the course taught anything"
    fig = theme.figure(
        title.replace("-", "−"),
        "Points since the test before: those who took it, those who did not, and the effect at "
        f"the same score before; {100 * post.level:g}% limits",
        y="points",
        x_title="Test",
    )
    series: tuple[tuple[str, str, Any], ...] = (
        ("Took it", "gain", theme.SECOND),
        ("Did not", "untreated_gain", theme.REFERENCE),
        ("Effect of the course", "effect", theme.ANSWER),
    )
    names = [occasion.capitalize() for occasion in training.learning]
    for label, attribute, colour in series:
        told = [getattr(found, attribute) for found in training.learning.values()]
        fig.add_bar(
            x=names,
            y=[each.value for each in told],
            name=label,
            marker_color=colour,
            error_y=theme.limits(
                [each.value for each in told], [each.low for each in told],
                [each.high for each in told],
            ),
            hovertemplate=f"<b>%{{x}}</b><br>{label} %{{y:+.1f}} points<extra></extra>",
        )  # fmt: skip
    fig.update_layout(barmode="group")
    fig.update_yaxes(rangemode="normal")
    return fig


def coaching_scores(coaching: Coaching) -> go.Figure:
    """Draw each agent's score after against the one before, and what was to be expected."""
    f, rows = coaching.found, coaching.scores.sort("score_before")
    fig = theme.figure(
        f"Coached agents gained {f.gain.value:.1f} points; {f.expected_gain:.1f} would have come "
        "anyway".replace("-", "−"),
        "Scores of each agent in both tests; the line is what the score before foretells without "
        "coaching. Points above it are what coaching may have given",
        x="score_before",
        y="score_after",
    )
    for coached, colour, name in (
        (False, theme.REFERENCE, "Not coached"), (True, theme.ALARM, "Coached"),
    ):  # fmt: skip
        mine = rows.filter(rows["coached"] == coached)
        fig.add_scatter(
            x=mine["score_before"].to_list(),
            y=mine["score_after"].to_list(),
            mode="markers",
            name=name,
            marker={"color": colour, "size": 8},
            hovertemplate="before %{x:.0f}, after %{y:.0f}<extra></extra>",
        )
    fig.add_scatter(
        x=rows["score_before"].to_list(),
        y=rows["score_expected"].to_list(),
        mode="lines",
        name="Expected without coaching",
        line={"color": theme.ANSWER},
        hovertemplate="before %{x:.0f}, expected %{y:.1f}<extra></extra>",
    )
    if coaching.cut is not None:
        theme.reference_line(fig, coaching.cut, "cut", axis="x")
    fig.update_xaxes(rangemode="normal")
    fig.update_yaxes(rangemode="normal")
    return fig


def course_return(worth: CourseWorth) -> go.Figure:
    """Draw the spread of benefit less cost over all draws."""
    import numpy as np

    count, edges = np.histogram(worth.draws, bins=40)
    middle = (edges[1:] + edges[:-1]) / 2
    fig = theme.figure(
        f"In {worth.chance} the course pays for itself",
        f"Benefit less cost after {worth.inputs['weeks']} weeks, {worth.inputs['draws']:,} draws; "
        "orange: it does not pay",
        x_title="Benefit less cost (money)",
        y_title="Share of draws",
    )
    fig.add_bar(
        x=middle.tolist(),
        y=(count / count.sum()).tolist(),
        width=float(edges[1] - edges[0]),
        marker_color=[theme.ALARM if x < 0 else theme.ANSWER for x in middle],
        hovertemplate="%{x:,.0f}: %{y:.1%} of draws<extra></extra>",
        showlegend=False,
    )
    theme.share_axis(fig, "y")
    theme.reference_line(fig, 0, "pays from here", axis="x")
    fig.update_layout(bargap=0.02)
    return fig


def training_over_time(worth: CourseWorth) -> go.Figure:
    """Draw benefit less cost by week since the course: when it breaks even."""
    import numpy as np

    rows, weeks = worth.over_time, worth.break_even_weeks
    title = (
        f"The course breaks even after {weeks:.0f} weeks"
        if np.isfinite(weeks)
        else f"The course does not break even within {worth.inputs['weeks']} weeks"
    )
    fig = theme.figure(
        title,
        f"Benefit less cost so far, in money; shaded: {100 * worth.net.level:g}% limits",
        x_title="Weeks since the course",
        y="net",
    )
    at = rows["week"].to_list()
    theme.band(fig, at, rows["net_low"], rows["net_high"], "Limits")
    fig.add_scatter(
        x=at,
        y=rows["net"].to_list(),
        mode="lines",
        name="Expected",
        line={"color": theme.ANSWER},
        hovertemplate="<b>Week %{x}</b><br>%{y:,.0f}<extra></extra>",
    )
    theme.reference_line(fig, 0, "paid for")
    fig.update_xaxes(tickformat="d")
    fig.update_yaxes(rangemode="normal")
    return fig
