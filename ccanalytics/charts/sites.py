"""Charts of sites, tiers and clients: what merging saves, promises cost and contracts leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ccanalytics.charts import theme
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

    from ccanalytics.staffing import (
        ClientPlans,
        MergeOrder,
        SiteOverflow,
        SitePlans,
        TierPromise,
        TierRules,
    )
    from ccanalytics.statistics import ConcernGaps

__all__ = [
    "client_frontier",
    "client_profit",
    "concern_gaps",
    "merge_order",
    "site_overflow",
    "site_plans",
    "tier_promise",
    "tier_rules",
    "tier_share",
]

_MOST_NAMED = 12
_WORDS = {"agent_hours": "agent-hours", "scheduled_hours": "scheduled hours", "seats": "seats"}
_FEW_TICKS = 12  # numbers of agents that an axis can name one by one
_TOLD_POINTS = 0.5  # of service: less is not worth saying that others pay for it


def site_plans(result: SitePlans) -> go.Figure:
    """Draw the agent-hours of every arrangement of sites, and how busy agents would be."""
    frame = result.frame
    first, last = frame.row(0, named=True), frame.row(-1, named=True)
    names = [_title(name) for name in frame["arrangement"]]
    saved = last["agent_hours_saved"] / first["agent_hours"] if first["agent_hours"] else 0.0
    fig = theme.panels(
        f"{_title(last['arrangement'])} takes {abs(saved):.1%} "
        f"{'fewer' if saved >= 0 else 'more'} agent-hours than {first['arrangement']}",
        f"{result.inputs['goal']}. Above: what it takes; below: how busy agents are for it",
        names=["Agent-hours", "Occupancy"],
        same_y=False,
        height=420,
    )
    fig.add_bar(
        x=names, y=frame["agent_hours"].to_list(), marker_color=theme.ANSWER, showlegend=False,
        text=[f"{v:,.0f}" for v in frame["agent_hours"]], textposition="outside",
        cliponaxis=False, hovertemplate=theme.hover("agent_hours"), row=1, col=1,
    )  # fmt: skip
    hot = [theme.ALARM if v > 0.92 else theme.SECOND for v in frame["occupancy"]]
    fig.add_bar(
        x=names, y=frame["occupancy"].to_list(), marker_color=hot, showlegend=False,
        text=[f"{v:.0%}" for v in frame["occupancy"]], textposition="outside",
        cliponaxis=False, hovertemplate=theme.hover("occupancy"), row=2, col=1,
    )  # fmt: skip
    most = 1.2 * float(frame["agent_hours"].to_numpy().max())
    fig.layout.yaxis.update(rangemode="tozero", autorange=None, range=[0, most])
    fig.layout.yaxis2.update(tickformat=".2~%", autorange=None, range=[0, 1.25],
                             tickvals=[0, 0.25, 0.5, 0.75, 1])  # fmt: skip
    return fig


def merge_order(result: MergeOrder) -> go.Figure:
    """Draw what is saved against the number of pools that are left."""
    frame, objective = result.frame, result.inputs["objective"]
    what = _WORDS[objective]
    best = result.best
    title = (
        f"{best['saved_share']:.1%} of the {what} can be saved, with {best['pools']:,} "
        f"pool{'' if best['pools'] == 1 else 's'}"
        if best["saved"] > 0
        else "No merge saves anything"
    )
    fig = theme.figure(
        title,
        "Sites merged one after another, each time the two that save most; "
        + result.inputs["goal"],
        x_title="Pools left",
        y_title=f"{what.capitalize()} saved",
    )
    many = frame.height > _MOST_NAMED
    if frame["most_saved"].null_count() < frame.height:
        fig.add_scatter(
            x=frame["pools"].to_list(), y=frame["most_saved"].to_list(), name="Best of all ways",
            mode="lines", line={"color": theme.REFERENCE, "width": 5, "dash": "dot"},
            hovertemplate=theme.hover("most_saved", head="%{x} pools"),
        )  # fmt: skip
    fig.add_scatter(
        x=frame["pools"].to_list(), y=frame["saved"].to_list(), name="In this order",
        mode="lines" if many else "lines+markers", line={"color": theme.ANSWER},
        text=[theme.plain(_short(merged)) for merged in frame["merged"].fill_null("all apart")],
        hovertemplate="<b>%{x} pools</b><br>%{text}<br>%{y:,.1f} " + what
        + " saved<extra></extra>",
    )  # fmt: skip
    fig.update_xaxes(autorange="reversed", **({} if many else {"dtick": 1}))
    fig.update_yaxes(rangemode="tozero")
    return fig


def site_overflow(result: SiteOverflow) -> go.Figure:
    """Draw the service level of every arrangement by site, with limits."""
    import polars as pl

    rows = result.frame.to_dicts()
    first, last = rows[0], rows[-1]
    fig = theme.figure(
        f"With the same agents, service rises from {first['service_level']:.1%} to "
        f"{last['service_level']:.1%}",
        f"Simulated service level by site, {first['arrangement']} to {last['arrangement']}. "
        f"{result.inputs['goal']}",
        x="service_level",
    )
    names = [name for name in result.sites.columns if name not in _SITE_COLUMNS]
    key = names[0]
    order = (
        result.sites.filter(pl.col("arrangement") == first["arrangement"])
        .sort("calls", descending=True)[key]
        .to_list()
    )
    order = order[:_MOST_NAMED]
    labels = ["all calls", *(theme.plain(name) for name in order)]
    for row, colour in zip(rows, _colours(len(rows)), strict=True):
        part = result.sites.filter(pl.col("arrangement") == row["arrangement"])
        own = {one[key]: one for one in part.to_dicts()}
        values = [row, *(own[name] for name in order)]
        _dots(fig, labels, values, "service_level", _title(row["arrangement"]), colour)
    fig.update_layout(height=fig.layout.height - 180 + 34 * (len(labels) + 1))
    _near(fig)
    return fig


_SITE_COLUMNS = ("arrangement", "calls", *(f"{m}{end}" for m in ("service_level", "asa_s")
                                           for end in ("", "_low", "_high")))  # fmt: skip


def tier_promise(result: TierPromise) -> go.Figure:
    """Draw the mean wait of every tier against the agents, beside one queue for all."""
    import polars as pl

    frame = result.by_agents.filter(pl.col("mean_wait_alike_s").is_finite())
    rows = result.at_agents().to_dicts()
    last = rows[-1]
    fig = theme.panels(
        f"At {result.agents:,} agents the first tier's promise makes {last['tier']} wait "
        f"{theme.duration(last['mean_wait_s'])} instead of "
        f"{theme.duration(last['mean_wait_alike_s'])}",
        f"By number of agents; {result.inputs['goal']}",
        names=["Service level", "Mean wait (seconds, each step ten times the last)"],
        x="agents",
        same_y=False,
        height=560,
    )
    tiers = list(dict.fromkeys(frame["tier"]))
    for tier, colour in zip(tiers, _colours(len(tiers)), strict=True):
        part = frame.filter(pl.col("tier") == tier).sort("agents")
        for place, name in ((1, "service_level"), (2, "mean_wait_s")):
            fig.add_scatter(
                x=part["agents"].to_list(), y=part[name].to_list(), name=theme.plain(tier),
                legendgroup=tier, showlegend=place == 1, mode="lines+markers",
                line={"color": colour},
                hovertemplate=theme.hover(name, head=f"{theme.plain(tier)}, %{{x}} agents"),
                row=place, col=1,
            )  # fmt: skip
    part = frame.filter(pl.col("tier") == tiers[0]).sort("agents")
    for place, name in ((1, "service_level_alike"), (2, "mean_wait_alike_s")):
        fig.add_scatter(
            x=part["agents"].to_list(), y=part[name].to_list(), name="All alike",
            legendgroup="alike", showlegend=place == 1, mode="lines",
            line={"color": theme.REFERENCE, "dash": "dot"},
            hovertemplate=theme.hover(name, head="All alike, %{x} agents"), row=place, col=1,
        )  # fmt: skip
    if frame["agents"].n_unique() <= _FEW_TICKS:
        fig.update_xaxes(dtick=1)
    fig.layout.yaxis.update(tickformat=".2~%", rangemode="normal")
    fig.layout.yaxis2.update(type="log", dtick=1, rangemode="normal", tickformat=",.3~f")
    fig.update_layout(legend_y=1.06)
    return fig


def tier_share(result: TierPromise) -> go.Figure:
    """Draw the service level of every tier while the first one's share of the calls grows."""
    import polars as pl

    frame = result.by_share
    tiers = list(dict.fromkeys(frame["tier"]))
    own = result.at_agents()["calls"].to_numpy()
    fig = theme.figure(
        f"The more callers are in {theme.plain(tiers[0])}, the less its promise is worth",
        f"Service level with {result.agents:,} agents, by the share of calls that go first; "
        f"{result.inputs['goal']}",
        x="first_share",
        y="service_level",
    )
    for tier, colour in zip(tiers, _colours(len(tiers)), strict=True):
        part = frame.filter(pl.col("tier") == tier).sort("first_share")
        fig.add_scatter(
            x=part["first_share"].to_list(), y=part["service_level"].to_list(),
            name=theme.plain(tier), mode="lines+markers", line={"color": colour},
            hovertemplate=theme.hover("service_level", head="%{x:.0%} go first"),
        )  # fmt: skip
    fig.update_yaxes(rangemode="normal")
    theme.reference_line(fig, float(own[0] / own.sum()), "now", "x")
    return fig


def tier_rules(result: TierRules) -> go.Figure:
    """Draw the service level of every tier under every rule, with limits."""
    import polars as pl

    tiers = list(dict.fromkeys(result.frame[result.key]))
    favoured = [name for name in tiers if name in result.inputs["favoured"]]
    rest = [name for name in tiers if name not in favoured]
    order = [*favoured, *rest]
    gained = result.value(result.rules[1], favoured[0], "service_level") - result.value(
        result.rules[0], favoured[0], "service_level"
    )
    lost = max(
        (result.value(result.rules[0], name, "service_level")
         - result.value(result.rules[1], name, "service_level") for name in rest),
        default=0.0,
    )  # fmt: skip
    paid = ""
    if 100 * gained >= _TOLD_POINTS:
        paid = "; the others pay" if 100 * lost >= _TOLD_POINTS else "; the others hardly notice"
    fig = theme.figure(
        f"A head start gives {theme.plain(favoured[0])} {100 * gained:.1f} points of service{paid}",
        f"Simulated service level by tier, the same callers under every rule. "
        f"{result.inputs['goal']}",
        x="service_level",
        height=180 + 56 * len(order),
    )
    for rule, colour in zip(result.rules, _colours(len(result.rules)), strict=True):
        part = result.frame.filter(pl.col("rule") == rule)
        rows = {row[result.key]: row for row in part.to_dicts()}
        _dots(fig, [theme.plain(name) for name in order], [rows[name] for name in order],
              "service_level", _title(rule), colour)  # fmt: skip
    _near(fig)
    return fig


def client_frontier(result: ClientPlans) -> go.Figure:
    """Draw cost against quality for every arrangement, with how busy agents are, and the choice."""
    import polars as pl

    best = result.best
    # Beyond nearly perfect service plans only grow dearer.
    frame = result.frontier.filter((pl.col("service_level") < 0.999) | pl.col("chosen"))
    fig = theme.panels(
        f"{_title(best['arrangement'])} seats leave most, at {best['service_level']:.1%} service "
        f"and {best['occupancy']:.0%} occupancy",
        "Every point of a line is a plan that serves most for its cost; the large dots are the "
        "plans chosen",
        names=["Service level (quality)", "Occupancy (efficiency)", "Profit"],
        same_y=False,
        x="cost",
        height=640,
    )
    arrangements = list(dict.fromkeys(frame["arrangement"]))
    for name, colour in zip(arrangements, _colours(len(arrangements)), strict=True):
        for place, measure in enumerate(("service_level", "occupancy", "profit"), start=1):
            for chosen in (False, True):
                part = frame.filter(pl.col("arrangement") == name, pl.col("chosen") == chosen)
                words = f"{_title(name)}{', chosen' if chosen else ''}, cost %{{x:,.0f}}"
                fig.add_scatter(
                    x=part["cost"].to_list(), y=part[measure].to_list(), name=_title(name),
                    legendgroup=name, showlegend=place == 1 and not chosen,
                    mode="markers" if chosen else "lines",
                    marker={"size": 12, "color": colour}, line={"color": colour, "width": 2},
                    hovertemplate=theme.hover(measure, head=words), row=place, col=1,
                )  # fmt: skip
    fig.layout.yaxis.update(tickformat=".2~%", rangemode="normal")
    fig.layout.yaxis2.update(tickformat=".2~%", rangemode="normal")
    _near_the_best(fig, frame)
    fig.update_layout(legend_y=1.05)
    return fig


def _near_the_best(fig: go.Figure, frame: pl.DataFrame) -> None:
    """Show profits near the greatest: the cheapest plans would flatten the rest."""
    profit = frame["profit"].to_numpy()
    chosen = frame.filter("chosen")["profit"].to_numpy()
    top, low = float(profit.max()), float(chosen.min())
    span = max(top - low, 0.05 * abs(top), 1e-9)
    fig.layout.yaxis3.update(range=[low - 3 * span, top + 0.6 * span], autorange=None)


def client_profit(result: ClientPlans) -> go.Figure:
    """Draw where the money goes: revenue, seats, penalties and profit of every arrangement."""
    frame = result.frame
    names = [_title(name) for name in frame["arrangement"]]
    best = result.best
    fig = theme.figure(
        f"{_title(best['arrangement'])} seats leave a "
        f"{'profit' if best['profit'] >= 0 else 'loss'} of {abs(best['profit']):,.0f}",
        "What clients pay, and where it goes",
        x_title="In the currency of the contracts",
        height=220 + 46 * frame.height,
    )
    for measure, label, colour in (
        ("cost", "Seats", theme.REFERENCE),
        ("penalty", "Expected penalties", theme.ALARM),
        ("profit", "Profit (left of 0: loss)", theme.ANSWER),
    ):
        values = frame[measure].to_list()
        fig.add_bar(
            y=names, x=values, orientation="h", name=label, marker_color=colour,
            # A narrow piece has no room for its number; the table has it.
            text=[f"{v:,.0f}" if v > 0.06 * r else "" for v, r in
                  zip(values, frame["revenue"], strict=True)],
            textposition="inside", insidetextanchor="middle", textangle=0,
            textfont={"color": "white"}, hovertemplate=theme.hover(measure, "x", head="%{y}"),
        )  # fmt: skip
    fig.update_layout(barmode="relative")
    fig.update_yaxes(autorange="reversed", showgrid=False, nticks=0, ticksuffix=" ")
    return fig


def concern_gaps(result: ConcernGaps) -> go.Figure:
    """Draw what owners perceive, get and expect, concern by concern, the widest gap on top."""
    frame = result.frame
    worst = frame.row(0, named=True)
    if not frame.height:
        raise InputError("there are no concerns to draw", "0 rows")
    title = (
        f"Owners miss most in {theme.plain(worst['concern'])}"
        if worst["gap"] < 0
        else "Owners perceive as much as they expect"
    )
    fig = theme.figure(
        title,
        "Mean scores with their limits, ordered by perceived less expected",
        x_title="Mean score",
        height=170 + 46 * frame.height,
    )
    labels = [theme.plain(name) for name in frame["concern"]]
    for name, label, colour in (
        ("perceived", "Perceived", theme.ANSWER),
        ("got", "Got", theme.SECOND),
        ("expected", "Expected", theme.ALARM),
    ):
        if frame[name].null_count() < frame.height:
            _dots(fig, labels, frame.to_dicts(), name, label, colour)
    _near(fig)
    return fig


def _dots(
    fig: go.Figure, labels: list[str], rows: list[dict], name: str, legend: str, colour: str
) -> None:
    """Add dots with whiskers, the first label on top."""
    fig.add_scatter(
        y=labels, x=[row[name] for row in rows], mode="markers", name=legend,
        marker={"size": 9, "color": colour}, orientation="h", offsetgroup=legend,
        error_x=theme.limits(
            *(
                [float("nan") if row[f"{name}{end}"] is None else row[f"{name}{end}"]
                 for row in rows]
                for end in ("", "_low", "_high")
            )
        )
        | {"color": colour},
        hovertemplate=theme.hover(name, "x", head=f"%{{y}}, {legend}"),
    )  # fmt: skip
    # One below the other, so that whiskers do not hide each other.
    fig.update_layout(scattermode="group", scattergap=0.4)
    fig.update_yaxes(type="category", autorange="reversed", nticks=0, dtick=1, ticksuffix=" ",
                     rangemode=None)  # fmt: skip


def _near(fig: go.Figure) -> None:
    """Show the span of the whiskers: grouped dots would begin at 0, as bars do."""
    lows, highs = [], []
    for trace in fig.data:
        whiskers = zip(trace.x, trace.error_x.arrayminus, trace.error_x.array, strict=True)
        for value, below, above in whiskers:
            if value is not None:
                lows.append(value - (below if not math.isnan(below) else 0.0))
                highs.append(value + (above if not math.isnan(above) else 0.0))
    if lows:
        room = 0.04 * (max(highs) - min(lows)) or 0.01
        fig.update_xaxes(range=[min(lows) - room, max(highs) + room])


def _colours(count: int) -> list[str]:
    return [theme.PALETTE[k % len(theme.PALETTE)] for k in range(count)]


def _title(name: str) -> str:
    return theme.plain(name[:1].upper() + name[1:])


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:58] + " …"
