"""Charts of coverage: what the next services would take away, and how well that is foretold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.charts import theme
from ccanalytics.charts._whiskers import dots, labels_of
from ccanalytics.deflection.coverage import told
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ccanalytics.deflection import Coverage

__all__ = ["coverage_ahead", "coverage_proof", "coverage_steps"]


def coverage_ahead(coverage: Coverage, *, top: int = 20) -> go.Figure:
    """Draw the calls that each service to come would take away, with prediction limits."""
    rows = coverage.or_refuse().ahead
    shown = rows.head(top).reverse()
    first = rows.row(0, named=True)
    fig = theme.figure(
        f"{theme.plain(first['name'])} next would take away "
        f"{told(first['removed_per_week'])} calls a week",
        f"Calls a week that {coverage.name} would remove once it has the service, "
        f"{100 * coverage.inputs['level']:g}% prediction intervals"
        + (f"; {rows.height - top} with fewer are not drawn" if rows.height > top else ""),
        x="removed_per_week",
        height=150 + 26 * shown.height,
    )
    names = dict(rows.select("unit", "name").iter_rows())
    dots(fig, shown, "removed_per_week", labels_of(shown, ("unit",), names))
    theme.reference_line(fig, 0, "none", axis="x")
    return fig


def coverage_steps(coverage: Coverage) -> go.Figure:
    """Draw how coverage and calls removed grow with each further service."""
    rows = coverage.or_refuse().ahead
    last = rows.row(-1, named=True)
    at = [coverage.covered_share, *rows["covered_share"].to_list()]
    fig = theme.figure(
        f"From {coverage.covered_share:.0%} to {last['covered_share']:.0%} of calls covered: "
        f"{told(last['removed_so_far'])} calls a week fewer",
        "Calls removed a week by all services up to here, in the order of the largest first; "
        f"band: {100 * coverage.inputs['level']:g}% interval",
        x="covered_share",
        y="removed_so_far",
    )
    theme.band(
        fig,
        at,
        [0.0, *rows["removed_so_far_low"].to_list()],
        [0.0, *rows["removed_so_far_high"].to_list()],
        "Interval",
    )
    fig.add_scatter(
        x=at,
        y=[0.0, *rows["removed_so_far"].to_list()],
        mode="lines+markers",
        name="Calls removed",
        line={"color": theme.ANSWER},
        customdata=["as it is", *(theme.plain(name) for name in rows["name"])],
        hovertemplate="<b>%{customdata}</b><br>%{x:.1%} of calls covered<br>%{y:,.0f} calls a week"
        "<extra></extra>",
    )
    theme.share_axis(fig, "x", zero=False)
    return fig


def coverage_proof(coverage: Coverage) -> go.Figure:
    """Draw the last launches as foretold from those before them, and as they came out."""
    rows = coverage.proof
    if not rows.height:
        raise DataError("too few launches to foretell the last from those before them")
    rows = rows.sort("live_on", "unit", descending=True)
    inside = int(rows["inside"].sum())
    fig = theme.figure(
        f"{inside} of the last {rows.height} launches came out as foretold",
        "Change of calls about each service once live: foretold from earlier launches alone, with "
        f"{100 * coverage.inputs['level']:g}% intervals, and as it came out; the latest on top",
        x="relative",
        height=170 + 30 * rows.height,
    )
    labels = labels_of(rows, ("unit",), dict(rows.select("unit", "name").iter_rows()))
    told = rows.select(
        relative="foretold", relative_low="foretold_low", relative_high="foretold_high"
    )
    dots(fig, told.reverse(), "relative", labels[::-1], theme.REFERENCE, legend="Foretold")
    fig.add_scatter(
        x=rows["relative"].reverse().to_list(),
        y=labels[::-1],
        mode="markers",
        name="Came out",
        marker={
            "symbol": "diamond",
            "size": 10,
            "color": [theme.ANSWER if ok else theme.ALARM for ok in rows["inside"].reverse()],
        },
        hovertemplate=theme.hover("relative", "x", head="%{y}"),
    )
    theme.share_axis(fig, "x", zero=False)
    theme.reference_line(fig, rows["same"][0], "one share for all", axis="x")
    return fig
