"""Charts of quality: errors by sample, agreement, tickets, satisfaction, contacts, and speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.charts import theme
from ccanalytics.charts._whiskers import dots, labels_of, large_enough, not_drawn
from ccanalytics.errors import DataError
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go
    import polars as pl

    from ccanalytics.quality import (
        AgentFile,
        Agreement,
        ErrorRates,
        Frontier,
        Resolution,
        SamplingPlan,
        Satisfaction,
        Tickets,
    )
    from ccanalytics.statistics.control import ControlChart

__all__ = [
    "agent_page",
    "complaints",
    "error_rates",
    "passing",
    "resolution",
    "reviewers_agree",
    "satisfaction",
    "speed_and_quality",
    "tickets_closed",
    "tickets_pareto",
    "who_is_silent",
]

_SAMPLES = {
    "random": ("Chosen at random", theme.ANSWER),
    "targeted": ("Chosen for a reason", theme.REFERENCE),
    "unknown": ("Not told how chosen", theme.SECOND),
}


def error_rates(errors: ErrorRates, top: int = 25) -> go.Figure:
    """Draw the share of items wrong by key, each sample by itself."""
    if not errors.keys:
        raise DataError("errors by nothing cannot be drawn", "by=[]", "group by item or team")
    random = errors.of("random")
    rows = errors.groups.filter(errors.groups["items_marked"] > 0)
    order = errors.table("random") if random else errors.table("targeted")
    first = large_enough(order).head(top).select(errors.keys)
    rows = rows.join(first.with_row_index("_place"), on=errors.keys, nulls_equal=True)
    by = ", ".join(errors.keys)
    title = (
        _from_to(order, errors.keys)
        if random
        else "No call was chosen at random: errors at large are not known"
    )
    fig = theme.figure(
        title,
        f"Share of items wrong by {by}, {100 * errors.inputs['level']:g}% limits; the samples are "
        f"kept apart{not_drawn(order, top, errors.keys)}",
        x="item_error",
        height=170 + 40 * first.height,
    )
    labels = labels_of(first, errors.keys, None)[::-1]
    for sampled, (name, colour) in reversed(_SAMPLES.items()):
        mine = rows.filter(rows["sampled"] == sampled).sort("_place", descending=True)
        if mine.height:
            dots(fig, mine, "item_error", labels_of(mine, errors.keys, None), colour, name)
            # One below the other within a row, so that whiskers do not hide each other.
            fig.data[-1].update(offsetgroup=sampled, orientation="h")
    fig.update_layout(scattermode="group", scattergap=0.55)
    fig.update_yaxes(categoryorder="array", categoryarray=labels, ticksuffix=" ")
    theme.share_axis(fig, "x")
    return fig


def _from_to(rows: pl.DataFrame, keys: tuple[str, ...]) -> str:
    """Say which key has the fewest errors and which the most; people are not named."""
    shown = large_enough(rows).drop_nulls("item_error").sort("item_error")
    if not shown.height:
        return "No item of a call chosen at random was marked"
    first, last = (f"{shown['item_error'][k]:.1%}" for k in (0, -1))
    if shown.height == 1:
        return f"{first} of what reviewers looked at was wrong"
    if {"agent", "reviewer"} & set(keys):
        return f"From {first} to {last} of what reviewers looked at was wrong"
    low, high = labels_of(shown[[0, shown.height - 1]], keys, None)
    return f"Errors go from {first} ({low}) to {last} ({high}) of what reviewers looked at"


def reviewers_agree(found: Agreement) -> go.Figure:
    """Draw kappa by item, and of all together."""
    rows = found.items.drop_nulls("kappa").reverse()
    fig = theme.figure(
        "Two reviewers of the same call: agreement beyond chance"
        if not np.isfinite(found.kappa.value)
        else f"Two reviewers of the same call agree with a kappa of {found.kappa.value:.2f}",
        f"Cohen's kappa by item, {100 * found.kappa.level:g}% limits; 1 is full agreement, 0 no "
        f"more than chance. {counted(found.pairs, 'pair')} of marks",
        x_title="Kappa",
        height=190 + 34 * rows.height,
    )
    dots(fig, rows, "kappa", labels_of(rows, ["item"], None), theme.ANSWER)
    theme.reference_line(fig, 0, "chance", axis="x")
    theme.reference_line(fig, 1, "", axis="x")
    fig.update_xaxes(rangemode="normal", range=[min(-0.1, _least(rows, "kappa_low")), 1.1])
    fig.update_yaxes(ticksuffix=" ")
    fig.update_layout(showlegend=False)
    return fig


def _least(rows: pl.DataFrame, name: str) -> float:
    value = rows[name].min()
    return 0.0 if value is None else float(value) - 0.05  # type: ignore[arg-type]


def passing(plan: SamplingPlan) -> go.Figure:
    """Draw the chance that work passes by the share of it that is wrong."""
    fig = theme.figure(
        f"{plan.n:,} reviews, {plan.accept:,} errors accepted: work with "
        f"{plan.share_at(0.5):.1%} wrong passes half the time",
        "Chance that the work passes by the share of calls that are wrong (operating "
        "characteristic)",
        x="defects",
        y="passes",
        height=340,
    )
    fig.add_scatter(
        x=plan.curve["defects"].to_list(),
        y=plan.curve["passes"].to_list(),
        mode="lines",
        line={"color": theme.ANSWER},
        hovertemplate="<b>%{x:.1%} wrong</b><br>passes %{y:.0%} of the time<extra></extra>",
    )
    for chance, words in ((0.95, "19 times in 20"), (0.10, "once in 10")):
        theme.reference_line(fig, chance, words)
        fig.layout.annotations[-1].update(x=0.8)
    theme.share_axis(fig, "y", whole=True)
    return fig


def complaints(chart: ControlChart) -> go.Figure:
    """Draw tickets per 1,000 calls by week, with limits as wide as weeks differ."""
    frame = chart.frame
    found = chart.signals
    fig = theme.figure(
        chart.headline().removesuffix("."),
        "u′ chart; shaded: where a week lies by chance alone, as far as weeks differ (Laney); "
        f"a false signal about every {chart.false_every:,.0f} weeks",
        y_title="Per 1,000 calls",
    )
    at = frame["at"].to_list()
    theme.band(fig, at, frame["low"], frame["high"], "Limits", colour=theme.REFERENCE)
    fig.add_scatter(
        x=at, y=frame["value"].to_list(), mode="lines+markers", name="Week",
        line={"color": theme.ANSWER, "width": 1.5}, marker={"size": 5},
        hovertemplate="<b>Week of %{x|%-d %b %Y}</b><br>%{y:.1f} per 1,000 calls<extra></extra>",
    )  # fmt: skip
    if found.height:
        fig.add_scatter(
            x=found["at"].to_list(), y=found["value"].to_list(), mode="markers", name="Signal",
            marker={"color": theme.ALARM, "size": 10},
            hovertemplate="<b>Week of %{x|%-d %b %Y}</b><br>%{y:.1f}: a signal<extra></extra>",
        )  # fmt: skip
    theme.reference_line(fig, float(frame["centre"][0]), "usual")
    fig.update_yaxes(rangemode="tozero")
    theme.time_axis(fig)
    return fig


def tickets_closed(tickets: Tickets) -> go.Figure:
    """Draw the share of tickets closed by hours since they were opened."""
    curve = tickets.curve
    upto = max(tickets.within) * 1.2
    here = curve.seconds <= upto
    hours = np.concatenate([[0.0], curve.seconds[here], [upto]])
    shut, low, high = (
        np.concatenate([[0.0], 1 - each[here], [1 - each[here][-1]]]) if here.any() else hours * 0
        for each in (curve.survival, curve.high, curve.low)
    )
    told = tickets.closed_within(tickets.within[0])
    fig = theme.figure(
        f"{told.value:.0%} of tickets are closed within {tickets.within[0]} hours",
        f"Share closed by hours since opening, Kaplan–Meier with {100 * curve.level:g}% limits; "
        "tickets still open are followed until the records end",
        x_title="Hours since the ticket was opened",
        y_title="Closed",
    )
    theme.band(fig, hours, low, high, "Limits")
    fig.add_scatter(
        x=hours.tolist(), y=shut.tolist(), mode="lines", name="Closed",
        line={"shape": "hv", "color": theme.ANSWER},
        hovertemplate="<b>%{x:.0f} hours</b><br>%{y:.1%} closed<extra></extra>",
    )  # fmt: skip
    for each in tickets.within:
        theme.reference_line(fig, each, _hours(each), axis="x")
    theme.share_axis(fig, "y", whole=True)
    fig.update_xaxes(dtick=24, range=[0, upto])
    fig.update_layout(showlegend=False)
    return fig


def _hours(hours: int) -> str:
    return f"{hours // 24} d" if hours % 24 == 0 and hours > 48 else f"{hours} h"


def tickets_pareto(
    tickets: Tickets, top: int = 15, names: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw where tickets come from, the most first, and what share the first together make."""
    if not tickets.keys:
        raise DataError("tickets by nothing cannot be drawn", "by=[]", "group by service or owner")
    rows = large_enough(tickets.groups)
    shown = rows.head(top)
    labels = labels_of(shown, tickets.keys, names)
    # The fewest that make most of it.
    half = int((rows["cumulative"] < 0.8).sum()) + 1
    count = min(half, rows.height)
    share = f"{float(rows['cumulative'][count - 1]):.0%}"
    fig = theme.figure(
        f"{counted(count, 'group')} of {rows.height:,} {'makes' if count == 1 else 'make'} {share} "
        "of the tickets",
        f"Tickets by {' and '.join(tickets.keys)}, the most first; on the right the share that the "
        "first together make",
        x_title="Tickets",
        height=170 + 26 * shown.height,
    )
    fig.add_bar(
        x=shown["tickets"].to_list()[::-1],
        y=labels[::-1],
        orientation="h",
        marker_color=theme.ANSWER,
        text=[f"{each:.0%}" for each in shown["cumulative"].to_list()[::-1]],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="<b>%{y}</b><br>%{x:,} tickets<br>%{text} with those above<extra></extra>",
    )
    # The longest bar's share stands below the buttons, not behind them.
    fig.update_yaxes(type="category", nticks=0, dtick=1, rangemode=None, showgrid=False,
                     ticksuffix=" ", domain=[0, 0.94])  # fmt: skip
    return fig


def satisfaction(found: Satisfaction) -> go.Figure:
    """Draw the share satisfied: of those who answered, weighted, and whatever the silent think."""
    top = found.top_bounds
    rows = [
        ("Of those who answered", found.top, theme.SECOND),
        ("Of all, weighted by what is known of the calls", found.top_weighted, theme.SECOND),
        ("Of all, whatever the silent think", top, theme.ANSWER),
    ]
    fig = theme.figure(
        f"Between {top.low:.0%} and {top.high:.0%} of those asked are satisfied; "
        f"{found.response.value:.0%} answered",
        f"Share with a score of {found.top_from:g} or more, {100 * top.level:g}% limits",
        x="satisfied",
        height=260,
    )
    for name, each, colour in reversed(rows):
        bounds = each is top
        fig.add_scatter(
            x=[each.value],
            y=[name],
            error_x=theme.limits([each.value], [each.low], [each.high])
            | {"color": colour, "thickness": 7 if bounds else 2, "width": 0 if bounds else 6},
            mode="markers",
            marker={"size": 1 if bounds else 10, "color": colour},
            hovertemplate=f"<b>%{{y}}</b><br>{each.low:.1%} to {each.high:.1%}<extra></extra>",
            showlegend=False,
        )
    theme.share_axis(fig, "x", whole=True)
    fig.update_yaxes(type="category", showgrid=False, rangemode=None, ticksuffix=" ")
    return fig


def who_is_silent(
    found: Satisfaction, features: tuple[str, ...] = ("wait", "transfer", "tier")
) -> go.Figure:
    """Draw how many answered by what is known of their calls."""
    rows = found.silent.filter(found.silent["feature"].is_in(list(features)))
    if not rows.height:
        raise DataError("nothing is known of the silent", "no feature", "ask surveys by some")
    rows = large_enough(rows, base="surveys").reverse()
    fig = theme.figure(
        f"{found.response.value:.0%} of those asked answered",
        f"Share who gave a score by what is known of the call, "
        f"{100 * found.response.level:g}% limits",
        x="response",
        height=170 + 30 * rows.height,
    )
    labels = [
        theme.plain(f"{feature}: {term(level.split(': ', 1)[-1]).lower()}")
        for feature, level in rows.select("feature", "level").iter_rows()
    ]
    dots(fig, rows, "response", labels, theme.ANSWER)
    theme.reference_line(fig, found.response.value, "all", axis="x")
    theme.share_axis(fig, "x")
    fig.update_yaxes(ticksuffix=" ")
    fig.update_layout(showlegend=False)
    return fig


def resolution(
    found: Resolution, top: int = 20, names: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw first-contact resolution by key, the lowest last; all together as a line."""
    if not found.keys:
        raise DataError("contacts by nothing cannot be drawn", "by=[]", "group by service")
    rows = large_enough(found.groups.filter(found.groups["first_contacts"] > 0))
    shown = rows.head(top).sort("resolution")
    whole = found.within()
    days = counted(found.inputs["window_days"], "day")
    fig = theme.figure(
        f"After {whole.value:.1%} of first contacts nobody asked again within {days}",
        f"By {' and '.join(found.keys)}, those with most contacts; "
        f"{100 * whole.level:g}% limits; the axis does not begin at 0"
        f"{not_drawn(rows, top, found.keys, names)}",
        x="resolution",
        height=170 + 26 * shown.height,
    )
    dots(fig, shown, "resolution", labels_of(shown, found.keys, names), theme.ANSWER)
    theme.reference_line(fig, whole.value, "all", axis="x")
    theme.share_axis(fig, "x", zero=False)
    fig.update_yaxes(ticksuffix=" ")
    fig.update_layout(showlegend=False)
    return fig


def speed_and_quality(found: Frontier) -> go.Figure:
    """Draw errors over relative handle time, shrunk, and who lies on the frontier."""
    rows = large_enough(found.frame, base="items_marked")
    r = found.correlation
    says = found.headline().split(" (rank", 1)[0].removesuffix(".")
    fig = theme.figure(
        says,
        f"One dot per {found.key}, both figures drawn to the mean by as much as chance moves them; "
        f"whiskers: {100 * r.level:g}% limits of the share as it was found, of those on the "
        "frontier; the axes do not begin at 0",
        x_title="Handle time over that of calls of the same kind",
        y="item_error_shrunk",
        height=480,
    )
    for efficient, name, colour in (
        (False, "Others", theme.REFERENCE),
        (True, "On the frontier: nobody is both faster and better", theme.ANSWER),
    ):
        mine = rows.filter(rows["efficient"] == efficient).sort("relative_aht_shrunk")
        labels = [theme.plain(each) for each in mine[found.key].to_list()]
        marks: dict[str, Any] = {"error_y": _found(mine)} if efficient else {}
        fig.add_scatter(
            x=mine["relative_aht_shrunk"].to_list(),
            y=mine["item_error_shrunk"].to_list(),
            mode="lines+markers" if efficient else "markers",
            line={"color": colour, "width": 1, "dash": "dot"},
            marker={"size": 9, "color": colour},
            name=name,
            text=labels,
            hovertemplate="<b>%{text}</b><br>%{x:.2f} of the usual time<br>%{y:.1%} wrong"
            "<extra></extra>",
            **marks,
        )
    theme.share_axis(fig, "y", zero=False)
    theme.reference_line(fig, 1, "as others", axis="x")
    return fig


def _found(rows: pl.DataFrame) -> dict[str, Any]:
    shrunk = rows["item_error_shrunk"]
    return theme.limits(shrunk, rows["item_error_low"], rows["item_error_high"])


def agent_page(found: AgentFile) -> go.Figure:
    """Draw an agent's shares beside the centre's."""
    import polars as pl

    rows = found.lines.filter(pl.col("unit") == "share", pl.col("value").is_not_null()).reverse()
    if not rows.height:
        raise DataError(
            "every figure of this agent rests on too few to be shown",
            f"fewer than {found.inputs['least']}",
            "take a longer span",
        )
    labels = [row[:1].upper() + row[1:] for row in rows["measure"].to_list()]
    n = int(rows["differs"].sum())
    fig = theme.figure(
        f"Agent {theme.plain(found.agent)}: "
        + (
            f"{counted(n, 'share')} {'differs' if n == 1 else 'differ'} from the centre's by more "
            "than chance"
            if n
            else "no share differs from the centre's by more than chance"
        ),
        f"Shares with {100 * found.inputs['level']:g}% limits; ring: the centre's",
        x_title="Share",
        height=170 + 38 * rows.height,
    )  # fmt: skip
    fig.add_scatter(
        x=rows["value"].to_list(),
        y=labels,
        error_x=theme.limits(rows["value"], rows["low"], rows["high"]) | {"color": theme.ANSWER},
        mode="markers",
        marker={
            "size": 10,
            "color": [theme.ALARM if each else theme.ANSWER for each in rows["differs"]],
        },
        name="The agent",
        customdata=rows["basis"].to_list(),
        hovertemplate="<b>%{y}</b><br>%{x:.1%}, on %{customdata:,}<extra></extra>",
    )
    fig.add_scatter(
        x=rows["centre"].to_list(),
        y=labels,
        mode="markers",
        marker={
            "symbol": "circle-open",
            "size": 14,
            "color": theme.REFERENCE,
            "line": {"width": 2.5, "color": theme.REFERENCE},
        },
        name="The centre",
        hovertemplate="<b>%{y}</b><br>centre %{x:.1%}<extra></extra>",
    )
    theme.share_axis(fig, "x", whole=True)
    fig.update_yaxes(
        type="category", nticks=0, dtick=1, showgrid=False, rangemode=None, ticksuffix=" "
    )
    return fig
