"""Weeks that newcomers need until they are as quick as they will be, with a tool and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.effect_cells import Asked, dates_of
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.left_out import jackknife
from ccanalytics.statistics.frames import as_polars, check_numbers, whole_weeks
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Proficiency", "proficiency"]

_NEEDS = (
    "agent", "team", "local_start", "interval_s", "tenure_weeks", "calls", "log_handle",
    "usual_log_handle",
)  # fmt: skip
_TENURED, _FRESH, _FEWEST, _WEEKS = 52, 4, 6, 8
_PACES = np.geomspace(0.75, 60, 400)  # weeks in which the excess falls to 1/e


@dataclass(frozen=True, eq=False, kw_only=True)
class Proficiency(Result):
    """Weeks to proficiency of newcomers without a tool, and of those who had it from the start.

    Attributes
    ----------
    name
        The tool.
    without, with_it
        Weeks until handle time is within ``within`` of where it settles.
    change
        With it less without, in weeks.
    hires_without, hires_with
        Newcomers that each rests on.
    """

    name: str
    within: float
    without: Estimate
    with_it: Estimate
    change: Estimate
    hires_without: int
    hires_with: int

    def headline(self) -> str:
        """Give the answer alone."""
        c = self.change
        if c.excludes_zero:
            which = "sooner" if c.value < 0 else "later"
            says = f"{abs(c.value):.1f} weeks {which}"
        else:
            says = "neither sooner nor later, as far as is shown,"
        return (
            f"{self.name}: with it newcomers are proficient {says} (change {c.low:+.1f} to "
            f"{c.high:+.1f} weeks): after {self.with_it.value:.1f} weeks, without it after "
            f"{self.without.value:.1f}."
        ).replace("-", "−")

    def summary(self) -> str:
        """Give the answer, its definition and its grade."""
        return (
            f"{self.headline()} Proficient: within {self.within:.0%} of the handle time at which "
            f"the learning curve settles, each agent against themselves. "
            f"{counted(self.hires_without, 'newcomer')} without it and "
            f"{counted(self.hires_with, 'newcomer')} with it. Grade: weak, since newcomers of "
            "different times are compared."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the weeks of both, and the change."""
        import polars as pl

        rows = [
            (name, hires, each.value, each.low, each.high)
            for name, hires, each in (
                ("without", self.hires_without, self.without),
                ("with it", self.hires_with, self.with_it),
                ("change", None, self.change),
            )
        ]
        names = [
            "newcomers",
            "hires",
            "proficient_weeks",
            "proficient_weeks_low",
            "proficient_weeks_high",
        ]
        return pl.DataFrame(rows, schema=names, orient="row")


def proficiency(
    panel: Any,
    rollouts: Any,
    treatment: str | None = None,
    *,
    within: float = 0.10,
    level: float = 0.95,
) -> Proficiency:
    """Compare how long newcomers learn before a tool came to their team, and after.

    Of each newcomer y = a·exp(−t/τ) + own level, by least squares on the mean log of handle time,
    less what such calls usually take and less the mean of tenured agents in the same week; a and τ
    are those of all newcomers of a group, each agent compared with themselves, so that the slow who
    leave do not bend the curve. Proficient after τ·log(a/log(1 + within)) weeks. Limits by leaving
    out one newcomer at a time.

    Parameters
    ----------
    panel, rollouts, treatment
        As :func:`ccanalytics.handletime.effect` takes them; the roll-out is by team.
    within
        How near to where the curve settles, as a share.
    level
        Of the limits, 0–1.

    Raises
    ------
    InputError
        A frame without its columns, or a share outside 0–1.
    DataError
        Too few newcomers without the tool or with it, or nobody tenured to compare with.

    Examples
    --------
    >>> from ccanalytics.simulation.panels import draw_team_world
    >>> world = draw_team_world(3)
    >>> found = proficiency(world.panel, world.rollouts, "knowledge_base")
    >>> found.hires_without > 20, found.without.low < 11.1 < found.without.high
    (True, True)
    """
    from scipy.special import stdtrit

    level = check_level(level)
    if isinstance(within, bool) or not isinstance(within, (int, float)) or not 0 < within < 1:
        raise InputError("within is a share between 0 and 1", f"within={within!r}")
    frame = as_polars(panel, "panel", _NEEDS, "log.agent_panel()")
    check_numbers(frame, _NEEDS[3:])
    asked = Asked(treatment, "aht", None, (), "staggered", "team", 8, level)
    _, rows, name = dates_of(rollouts, asked)
    frame, _ = whole_weeks(frame, "the weeks of the panel")
    cells = _newcomers(frame, rows)
    found = {}
    for group in (False, True):
        mine = cells.filter(cells["has"] == group)
        hires = mine["agent"].n_unique()
        if hires < _FEWEST:
            with_it = "with it from the start" if group else "before it came"
            raise DataError(
                "too few newcomers to say how long they learn",
                f"{counted(hires, 'newcomer')} {with_it}, {_FEWEST} are needed",
                "take a longer span",
            )
        found[group] = (hires, _weeks(mine, within))
    told, halves, errors = {}, {}, {}
    for group, (hires, each) in found.items():
        error, _ = jackknife(each[1:])
        t = float(stdtrit(hires - 1, 0.5 + level / 2))
        value = float(each[0])
        told[group] = Estimate(value, max(value - t * error, 0.0), value + t * error, level)
        halves[group], errors[group] = hires, error
    change = told[True].value - told[False].value
    free = min(halves.values()) - 1
    half = float(stdtrit(free, 0.5 + level / 2)) * float(np.hypot(errors[False], errors[True]))
    return Proficiency(
        name=term(name),
        within=float(within),
        without=told[False],
        with_it=told[True],
        change=Estimate(change, change - half, change + half, level),
        hires_without=halves[False],
        hires_with=halves[True],
        inputs={"treatment": name, "within": within, "level": level},
        checks=(
            Check("Newcomers compared", "informs",
                  "those hired before the tool came to their team, in the weeks before it came, "
                  "against those hired after; another change of hiring or training in between "
                  "would count as the tool's"),
        ),
    )  # fmt: skip


def _newcomers(frame: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Cells of newcomers in their first year: ``y``, ``calls``, ``t``, ``has`` (the tool)."""
    import polars as pl

    y = (pl.col("log_handle") - pl.col("usual_log_handle")) / pl.col("calls")
    cells = frame.filter(pl.col("calls") > 0).drop_nulls(["tenure_weeks", "team"]).with_columns(y=y)
    tenured = cells.filter(pl.col("tenure_weeks") >= _TENURED)
    if not tenured.height:
        raise DataError("nobody has been there for a year to compare newcomers with", "", "")
    usual = tenured.group_by("local_start").agg(
        ((pl.col("y") * pl.col("calls")).sum() / pl.col("calls").sum()).alias("usual")
    )
    live = rows.select(team=pl.col("unit"), live_on=pl.col("live_on"))
    first = pl.col("tenure_weeks").min().over("agent")
    on = pl.col("local_start").cast(pl.Date)
    fresh = (
        cells.filter(first <= _FRESH, pl.col("tenure_weeks") < _TENURED)
        .join(usual, on="local_start")
        .join(live, on="team")
        .with_columns(hired=on - pl.duration(weeks=pl.col("tenure_weeks")))
        .with_columns(after=(pl.col("hired") >= pl.col("live_on")).fill_null(value=False))
        .with_columns(has=pl.col("after").any().over("agent"))
        .filter(pl.col("has") | pl.col("live_on").is_null() | (on < pl.col("live_on")))
    )
    some = fresh.filter(pl.len().over("agent") >= _WEEKS)
    return some.select(
        "agent", "has", "calls", y=pl.col("y") - pl.col("usual"), t=pl.col("tenure_weeks")
    )


def _weeks(cells: pl.DataFrame, within: float) -> Floats:
    """Weeks to proficiency with all newcomers, then without each in turn."""
    _, who = np.unique(cells["agent"].to_numpy(), return_inverse=True)
    w, y = cells["calls"].to_numpy().astype(float), cells["y"].to_numpy()
    x = np.exp(-cells["t"].to_numpy()[:, None] / _PACES[None, :])
    many = int(who.max()) + 1
    size = np.bincount(who, w)

    def by_agent(values: Floats) -> Floats:
        sums = np.zeros((many, values.shape[1]))
        np.add.at(sums, who, values)
        return sums

    mean_x = by_agent(w[:, None] * x) / size[:, None]
    away_x, away_y = x - mean_x[who], y - (np.bincount(who, w * y) / size)[who]
    xx, xy = by_agent(w[:, None] * away_x**2), by_agent((w * away_y)[:, None] * away_x)
    keep = np.vstack([np.ones(many), 1 - np.eye(many)])
    square, both = keep @ xx, keep @ xy
    best = np.argmax(np.where(both > 0, both**2 / np.maximum(square, 1e-12), -1), axis=1)
    at = np.arange(len(keep))
    height = np.maximum(both[at, best] / np.maximum(square[at, best], 1e-12), 1e-9)
    return np.asarray(_PACES[best] * np.maximum(np.log(height / np.log1p(within)), 0.0))
