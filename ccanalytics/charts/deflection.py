"""Charts of deflection: the funnel, its shares by service and window, and before against after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.charts import theme
from ccanalytics.charts._whiskers import PALE, among, dots, labels_of, large_enough, not_drawn
from ccanalytics.deflection.channels import begun, name_of
from ccanalytics.errors import DataError, InputError
from ccanalytics.vocabulary import counted, measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go
    import polars as pl

    from ccanalytics.deflection import BeforeAfter, Comparisons, Funnel, Ledger
    from ccanalytics.statistics.effects import SeriesEffect

__all__ = [
    "before_after",
    "contact_fates",
    "effects_by_unit",
    "effects_of_rollouts",
    "funnel_steps",
    "leakage_by_window",
    "share_by_key",
]

_STEPS = {
    "sent": "Offered, or begun",
    "accepted": "Accepted",
    "delivered": "Delivered",
    "completed": "Completed",
    "stayed": "Did not ask again",
}
_FATES = {
    "stayed": ("Completed, did not ask again", theme.ANSWER),
    "came_back": ("Completed, but asked an agent", theme.SECOND),
    "failed_called": ("Not completed, asked an agent", theme.ALARM),
    "failed_silent": ("Not completed, asked nobody", "#C9D1DA"),
}
_FADED = "#9DB9CE"
_LONG = 0.4
_LEGIBLE = 0.04

# What each share is a share of.
_BASES = {"acceptance": "sent", "completion": "accepted", "leakage": "followed"}


def funnel_steps(funnel: Funnel) -> go.Figure:
    """Draw how many contacts reach each step of each channel, as shares of offers."""
    steps = funnel.or_refuse().steps()
    places = funnel.places
    first = steps.filter(
        (steps["channel"] == places[0][0]) & (steps["stage"] == places[0][1])
    ).to_dicts()
    last = [row for row in first if row["share_of_sent"] is not None][-1]
    ended = (
        "completed by a customer who did not ask again"
        if last["step"] == "stayed"
        else str(last["step"])
    )
    fig = theme.panels(
        f"{name_of(*places[0])}: of 100 {begun(places[0][1])}, "
        f"{100 * last['share_of_sent']:.0f} were {ended}",
        "Contacts that reach each step, as shares of offers made or sessions begun; the last step "
        f"is an estimate from those followed for {counted(funnel.window_days, 'day')}",
        names=[name_of(*place) for place in places],
        x="share_of_sent",
        height=90 + 200 * len(places),
    )
    for row, (channel, stage) in enumerate(places, start=1):
        mine = steps.filter((steps["channel"] == channel) & (steps["stage"] == stage))
        fig.add_bar(
            x=mine["share_of_sent"].fill_null(0).to_list(),
            y=[_STEPS[step] for step in mine["step"]],
            orientation="h",
            marker_color=[
                _FADED if step == "sent" else theme.SECOND if step == "stayed" else theme.ANSWER
                for step in mine["step"]
            ],
            text=[
                "not recorded" if share is None else f"{share:.0%} · {contacts:,.0f}"
                for share, contacts in mine.select("share_of_sent", "contacts").iter_rows()
            ],
            # Long bars hold their words, so that a narrow page cuts none off.
            textposition=[
                "inside" if share is not None and share > _LONG else "outside"
                for share in mine["share_of_sent"]
            ],
            textangle=0,
            insidetextanchor="end",
            constraintext="none",
            cliponaxis=False,
            hovertemplate="<b>%{y}</b><br>%{x:.1%} of offers<extra></extra>",
            showlegend=False,
            row=row,
            col=1,
        )
    fig.update_yaxes(autorange="reversed", showgrid=False, rangemode=None)
    shares = [0, 0.2, 0.4, 0.6, 0.8, 1]
    fig.update_xaxes(range=[0, 1.12], tickvals=shares, ticktext=[f"{at:.0%}" for at in shares])
    return fig


def share_by_key(
    funnel: Funnel,
    share: str = "acceptance",
    *,
    names: Mapping[str, str] | None = None,
    top: int = 20,
) -> go.Figure:
    """Draw one share by key with intervals, a colour per channel, for the ``top`` busiest keys.

    Acceptance is drawn for channels that make offers, the other shares for those that can take a
    call away.
    """
    rows = funnel.or_refuse().by_key(share)
    if not rows.height or not funnel.keys:
        raise DataError(f"no channel of this log has {measure(share).label.lower()} by key", share)
    rows = large_enough(rows, _BASES.get(share, "eligible"))
    label, window = measure(share).label, funnel.window_days
    keys = rows.select(funnel.keys).unique(maintain_order=True)
    rows = rows.join(keys.head(top), on=funnel.keys, nulls_equal=True)
    places = [p for p in funnel.places if _place(rows, p).height]
    main = _place(rows, places[0]).sort(share, maintain_order=True)
    ends = [labels_of(main[[at]], funnel.keys, names)[0] for at in (0, -1)]
    within = f" within {counted(window, 'day')}" if share in ("leakage", "net_deflection") else ""
    fig = theme.figure(
        f"{label}, {name_of(*places[0])}{among(keys, top, 'contacts')}: from "
        f"{main[share][0]:.0%} ({ends[0]}) to {main[share][-1]:.0%} ({ends[1]})",
        f"{label}{within} with {100 * funnel.inputs['level']:g}% intervals"
        f"{not_drawn(keys, top, funnel.keys, names)}",
        x=share,
        height=150 + 24 * min(top, keys.height),
    )
    for place, colour in zip(
        places, (theme.ANSWER, theme.SECOND, theme.ALARM, *theme.PALETTE[3:]), strict=False
    ):
        mine = _place(rows, place).sort(share, maintain_order=True)
        dots(fig, mine, share, labels_of(mine, funnel.keys, names), colour, legend=name_of(*place))
    return fig


def leakage_by_window(funnel: Funnel) -> go.Figure:
    """Draw how many customers asked an agent again, by the length of the window."""
    totals = funnel.or_refuse().totals.drop_nulls("leakage")
    at = [place for place in funnel.places if _place(totals, place).height]
    if not at:
        raise DataError("no completed contact could be followed", "leakage is unknown")
    main = _place(totals, at[0]).sort("window_days")
    first, last = main.row(0, named=True), main.row(-1, named=True)
    fig = theme.figure(
        f"{name_of(*at[0])}: {first['leakage']:.1%} ask an agent again within "
        f"{_days(first['window_days'])}, {last['leakage']:.1%} within {_days(last['window_days'])}",
        "Leakage: of completed contacts followed to the end of the window, those whose customer "
        f"asked an agent about the same service; {100 * funnel.inputs['level']:g}% intervals",
        y="leakage",
        x_title="Days after the contact",
    )
    for place, colour in zip(at, theme.PALETTE, strict=False):
        mine = _place(totals, place).sort("window_days")
        fig.add_scatter(
            x=mine["window_days"].to_list(),
            y=mine["leakage"].to_list(),
            error_y=theme.limits(mine["leakage"], mine["leakage_low"], mine["leakage_high"]),
            name=name_of(*place),
            mode="lines+markers",
            line={"color": colour},
            customdata=mine["followed"].to_list(),
            hovertemplate="<b>Within %{x} d</b><br>%{y:.1%} of %{customdata:,} followed"
            f"<extra>{theme.plain(name_of(*place))}</extra>",
        )
    fig.update_xaxes(tickvals=sorted(totals["window_days"].unique().to_list()), rangemode="tozero")
    return fig


def contact_fates(ledger: Ledger) -> go.Figure:
    """Draw what became of the contacts taken up in each channel, as shares that sum to one."""
    rows = ledger.or_refuse().fates()
    if not rows.height:
        raise DataError("no contact that was taken up could be followed", "the window is too long")
    rows = large_enough(rows, "taken_up")
    worst = rows.sort("failed_called", descending=True).row(0, named=True)
    fig = theme.figure(
        f"{name_of(worst['channel'], worst['stage'])}: of 100 contacts taken up, "
        f"{100 * worst['stayed']:.0f} end there, {100 * worst['came_back']:.0f} are completed and "
        f"come back, {100 * worst['failed_called']:.0f} fail and call",
        "What became of contacts taken up and followed to the end of the window; an agent asked "
        f"about the same service within {_days(ledger.funnel.window_days)}",
        x="share_of_taken_up",
        height=150 + 46 * rows.height,
    )
    labels = [name_of(*place) for place in rows.select("channel", "stage").rows()]
    for name, (label, colour) in _FATES.items():
        fig.add_bar(
            x=rows[name].to_list(),
            y=labels,
            orientation="h",
            name=label,
            marker_color=colour,
            customdata=rows["taken_up"].to_list(),
            text=[f"{share:.0%}" if share >= _LEGIBLE else "" for share in rows[name]],
            textposition="inside",
            textangle=0,
            insidetextanchor="middle",
            insidetextfont={"color": theme.INK if name == "failed_silent" else "white"},
            hovertemplate=f"<b>%{{y}}</b><br>{label}: %{{x:.1%}} of %{{customdata:,}}"
            "<extra></extra>",
        )
    fig.update_layout(barmode="stack", legend_traceorder="normal")
    fig.update_yaxes(autorange="reversed", showgrid=False, rangemode=None)
    fig.update_xaxes(range=[0, 1])
    return fig


def before_after(
    effect: SeriesEffect, count: str = "first_attempts", *, names: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw the weekly count, the line fitted to it, and what would have come without the change."""
    series = effect.series
    change = effect.relative
    unit = theme.plain((names or {}).get(effect.unit) or effect.unit)
    if change.excludes_zero:
        title = (
            f"{unit}: {abs(change.value):.1%} "
            f"{'fewer' if change.value < 0 else 'more'} calls than would have come; a weak estimate"
        )
    else:
        title = f"{unit}: no change that the data can show"
    fig = theme.figure(
        title,
        f"{measure(count).label} a week; line: fitted, with a step at every roll-out of this "
        "service; dashed: had this one not come, shaded: its "
        f"{100 * change.level:g}% interval. One series without a control.",
        y=count,
    )
    after = series.filter(series["phase"] == "after")
    theme.band(
        fig,
        after["week"].to_list(),
        after["counterfactual_low"],
        after["counterfactual_high"],
        "Interval",
        colour=theme.REFERENCE,
    )
    for phase in ("before", "after"):
        mine = series.filter(series["phase"] == phase)
        fig.add_scatter(
            x=mine["week"].to_list(),
            y=mine["fitted"].to_list(),
            name="Fitted",
            showlegend=phase == "before",
            mode="lines",
            line={"color": theme.ANSWER},
            hovertemplate=_weekly("Fitted"),
        )
    fig.add_scatter(
        x=after["week"].to_list(),
        y=after["counterfactual"].to_list(),
        name="Had it not come",
        mode="lines",
        line={"color": theme.REFERENCE, "dash": "dash"},
        hovertemplate=_weekly("Had it not come"),
    )
    fig.add_scatter(
        x=series["week"].to_list(),
        y=series["calls"].to_list(),
        name="Counted",
        mode="markers",
        marker={"color": theme.INK, "size": 6, "opacity": 0.75},
        hovertemplate=_weekly("Counted"),
    )
    theme.reference_line(
        fig, effect.live_on.isoformat(), f"live {effect.live_on.day} {effect.live_on:%b %Y}", "x"
    )
    theme.time_axis(fig)
    # The change is what matters, not the height: the axis need not begin at 0.
    fig.update_yaxes(rangemode="normal")
    return fig


def effects_of_rollouts(answers: Comparisons) -> go.Figure:
    """Draw the change of calls by each roll-out over the units that could be estimated."""
    rows = answers.or_refuse().to_frame().drop_nulls("relative")
    rows, kind = rows.reverse(), answers.of().inputs["unit_kind"]
    sure = ((rows["relative_low"] > 0) | (rows["relative_high"] < 0)).to_list()
    fig = theme.figure(
        "What each roll-out did to the calls about its services, once live",
        f"Change of calls over the units that could be estimated, "
        f"{100 * answers.of().inputs['level']:g}% intervals; orange: the interval leaves 0 out; "
        "every estimate is weak",
        x="relative",
        height=190 + 44 * rows.height,
    )
    labels = [
        f"{theme.plain(name)} ({counted(units, kind)})"
        for name, units in rows.select("name", "units").iter_rows()
    ]
    dots(fig, rows, "relative", labels, [theme.ALARM if s else theme.ANSWER for s in sure])
    theme.share_axis(fig, "x", zero=False)
    theme.reference_line(fig, 0, "no change", axis="x")
    return fig


def effects_by_unit(
    answer: BeforeAfter, *, names: Mapping[str, str] | None = None, top: int = 25
) -> go.Figure:
    """Draw the change of each unit with its interval, those with most calls removed first."""
    rows = answer.or_refuse().to_frame()
    rows = rows.drop_nulls("relative") if "relative" in rows.columns else rows.clear()
    if not rows.height:
        raise InputError("no unit has an estimate", answer.total_refused, "see its refused")
    together = answer.several
    rows = rows.with_columns(sure=(rows["relative_low"] > 0) | (rows["relative_high"] < 0))
    shown = rows.head(top).sort("relative", descending=True)
    labels = labels_of(shown, ("unit",), names)
    fig = theme.figure(
        f"{answer.name}: {together.shown} of {together.tried} show a change one by one, "
        f"chance alone about {together.expected:.1f}; {together.standing or 'none'} "
        f"{'stands' if together.standing < 2 else 'stand'} out of all looked at together",
        f"Change of calls after going live, with {100 * answer.inputs['level']:g}% intervals, "
        "every one a weak estimate; orange: stands out, pale: its own interval leaves 0 out"
        f"{not_drawn(rows, top, ('unit',), names)}",
        x="relative",
        height=150 + 24 * shown.height,
    )
    colours = [
        theme.ALARM if stands else PALE if sure else theme.ANSWER
        for stands, sure in shown.select("stands_out", "sure").iter_rows()
    ]
    dots(fig, shown, "relative", labels, colours)
    theme.share_axis(fig, "x", zero=False)
    theme.reference_line(fig, 0, "no change", axis="x")
    return fig


def _place(frame: pl.DataFrame, place: tuple[str, str]) -> pl.DataFrame:
    return frame.filter((frame["channel"] == place[0]) & (frame["stage"] == place[1]))


def _days(count: int) -> str:
    return "a day" if count == 1 else f"{count} days"


def _weekly(what: str) -> str:
    return f"<b>Week of %{{x|%-d %b %Y}}</b><br>{what} %{{y:,.0f}}<extra></extra>"
