"""Charts of reminders: the days after them, waves of invitations, expiry, and who leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.charts import theme
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

    from ccanalytics.deflection import Churn, Expiry, Reminders
    from ccanalytics.results import Estimate
    from ccanalytics.statistics.effects import OfferEffect

__all__ = ["around_expiry", "effect_by_day", "effect_by_tenure", "effect_by_wave", "leaving_rates"]


def effect_by_day(reminders: Reminders) -> go.Figure:
    """Draw the change of calls by day since a reminder: how fast it fades."""
    change = reminders.relative
    fig = theme.figure(
        _title("Reminders", change, f"in the first {counted(reminders.window_days, 'day')}"),
        f"Change against later days of the same customers; {100 * change.level:g}% limits",
        y="relative",
        x_title="Days since the last reminder, 0 its own day",
    )
    rows = reminders.by_day.drop_nulls("relative")
    _points(fig, rows, "day", "Day %{x}", theme.ANSWER)
    theme.reference_line(fig, 0, "as on later days")
    theme.share_axis(fig, "y", zero=False)
    # Room for the words of the line beside the last point.
    fig.update_xaxes(tickformat="d", dtick=1, range=[-0.5, reminders.window_days - 0.1])
    return fig


def effect_by_tenure(reminders: Reminders) -> go.Figure:
    """Draw the same change by weeks since the customer subscribed."""
    change, fading = reminders.relative, reminders.fading
    if fading is None or not fading.excludes_zero:
        title = "The effect is not seen to change with the weeks of a subscription"
    else:
        weaker = (fading.value > 0) == (change.value < 0)
        title = f"The effect grows {'weaker' if weaker else 'stronger'} as weeks go by"
    # Where hardly anybody is left, limits reach off the page and say nothing.
    rows = reminders.by_weeks
    rows = rows.filter(rows["relative_high"] - rows["relative_low"] < 1.5)
    fig = theme.figure(
        title,
        f"Change in the first {counted(reminders.window_days, 'day')} after a reminder, by weeks "
        f"since subscribing; {100 * change.level:g}% limits",
        y="relative",
        x_title="Weeks since subscribing",
    )
    _points(fig, rows, "weeks", "Weeks %{x}", theme.ANSWER)
    theme.reference_line(fig, 0, "no effect")
    theme.share_axis(fig, "y", zero=False)
    fig.update_xaxes(type="category", range=[-0.5, rows.height - 0.3])
    return fig


def effect_by_wave(effect: OfferEffect) -> go.Figure:
    """Draw the intention to treat of each wave, and of all together."""
    change, rows = effect.relative, effect.by_stratum
    fig = theme.figure(
        _title("Invitations", change, "of all invited"),
        "Change of calls of those invited, subscribed or not, against those not invited yet; "
        f"{100 * change.level:g}% limits",
        x="relative",
        height=190 + 42 * rows.height,
    )
    for names, values, colour, size in (
        (rows["stratum"].to_list(), rows, theme.SECOND, 8),
        (["All waves"], effect.to_frame()[:1], theme.ANSWER, 11),
    ):
        fig.add_scatter(
            x=values["relative"].to_list(),
            y=[name[:1].upper() + name[1:] for name in names],
            error_x=theme.limits(
                values["relative"], values["relative_low"], values["relative_high"]
            ),
            mode="markers",
            marker={"color": colour, "size": size},
            hovertemplate="<b>%{y}</b><br>%{x:+.1%}<extra></extra>",
            showlegend=False,
        )
    theme.reference_line(fig, 0, "no change", axis="x")
    theme.share_axis(fig, "x", zero=False)
    fig.update_yaxes(autorange="reversed", showgrid=False, rangemode=None, ticksuffix=" ")
    return fig


def around_expiry(expiry: Expiry) -> go.Figure:
    """Draw calls by week around the end of the last term."""
    change, rows = expiry.relative, expiry.by_week
    fig = theme.figure(
        _title("When reminders end", change, "in the weeks after"),
        f"{counted(expiry.customers, 'customer')} whose last term ended, against customers who "
        f"never subscribed; {100 * change.level:g}% limits. Weeks before should lie about 0",
        y="relative",
        x_title="Weeks from the end of the term",
    )
    for mine, name, colour in (
        (rows.filter(rows["week"] < 0), "Before the end", theme.REFERENCE),
        (rows.filter(rows["week"] >= 0), "After", theme.ANSWER),
    ):
        _points(fig, mine, "week", "Week %{x}", colour, name)
    theme.reference_line(fig, 0, "as before the end")
    theme.share_axis(fig, "y", zero=False)
    last = int(rows["week"].max()) if rows.height else 0  # type: ignore[arg-type]
    fig.update_xaxes(tickformat="d", dtick=1, range=[-last - 1.5, last + 1.1])
    return fig


def leaving_rates(churn: Churn) -> go.Figure:
    """Draw the share that leaves within a year, of invited and subscribed, and of the others."""
    rows = churn.rates.drop_nulls("leaving")
    ratio = churn.invited
    if ratio is None:
        title = "Whether invitations make customers leave cannot be said"
    elif ratio.excludes_zero and (ratio.low > 1 or ratio.high < 1):
        title = f"Those invited leave {'more' if ratio.low > 1 else 'less'} often"
    else:
        title = "Those invited are not seen to leave more often, nor less"
    fig = theme.figure(
        title,
        f"Customers who were there on the same days; {100 * _level(churn):g}% limits",
        x="leaving",
        height=330,
    )
    for other, colour in ((False, theme.ANSWER), (True, theme.REFERENCE)):
        mine = rows.filter(rows["group"].str.starts_with("not ") == other)
        fig.add_scatter(
            x=mine["leaving"].to_list(),
            y=[name[:1].upper() + name[1:] for name in mine["group"].to_list()],
            error_x=theme.limits(mine["leaving"], mine["leaving_low"], mine["leaving_high"]),
            mode="markers",
            marker={"color": colour, "size": 10},
            customdata=mine.select("left", "customer_days").rows(),
            hovertemplate="<b>%{y}</b><br>%{x:.1%} within a year<br>%{customdata[0]:,} left in "
            "%{customdata[1]:,} customer-days<extra></extra>",
            showlegend=False,
        )
    theme.share_axis(fig, "x")
    order = [name[:1].upper() + name[1:] for name in rows["group"].to_list()]
    fig.update_yaxes(categoryorder="array", categoryarray=order)
    fig.update_yaxes(autorange="reversed", showgrid=False, rangemode=None, ticksuffix=" ")
    return fig


def _level(churn: Churn) -> float:
    return float(churn.inputs["level"])


def _title(what: str, change: Estimate, where: str) -> str:
    if not change.excludes_zero:
        return f"{what}: no change that the data can show {where}"
    fewer = "fewer" if change.value < 0 else "more"
    return f"{what}: {abs(change.value):.1%} {fewer} calls {where}"


def _points(
    fig: go.Figure, rows: pl.DataFrame, x: str, says: str, colour: Any, name: str = ""
) -> None:
    fig.add_scatter(
        x=rows[x].to_list(),
        y=rows["relative"].to_list(),
        error_y=theme.limits(rows["relative"], rows["relative_low"], rows["relative_high"]),
        mode="markers",
        name=name,
        showlegend=bool(name),
        marker={"color": colour, "size": 9},
        customdata=rows["customer_days"].to_list(),
        hovertemplate=f"<b>{says}</b><br>%{{y:+.1%}}<br>%{{customdata:,}} customer-days"
        "<extra></extra>",
    )
