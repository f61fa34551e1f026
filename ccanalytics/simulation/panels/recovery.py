"""How well a design finds what was planted: bias, coverage and alarms over many small worlds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Estimate, Result
from ccanalytics.simulation.panels.world import stream_of
from ccanalytics.statistics.proportions import wilson
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.simulation.panels.draw import Panels

__all__ = ["Recovery", "recovery"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Recovery(Result):
    """What a design made of worlds whose effect is known.

    Attributes
    ----------
    worlds, refused
        How many were estimated; how many the design refused.
    bias
        Mean of estimate less truth, in parts of the true effect; nan where there is none.
    coverage
        Share of worlds whose limits hold the truth.
    ratio
        Mean standard error over the spread of the estimates, on the log.
    spread
        Standard deviation of log(1 + estimate) less log(1 + truth).
    alarms
        Share of worlds in which a falsification failed.
    each
        A row per world: ``world``, ``true``, ``relative`` with limits, ``error``, ``alarm``.
    """

    worlds: int
    refused: int
    bias: float
    coverage: Estimate
    ratio: float
    spread: float
    alarms: Estimate
    each: pl.DataFrame

    def summary(self) -> str:
        """Give the figures in two sentences."""
        return (
            f"In {counted(self.worlds, 'world')} the limits hold the truth in "
            f"{self.coverage.value:.1%}, and the mean estimate is off by {self.bias:+.1%} of the "
            f"effect. Standard errors are {self.ratio:.2f} of the estimates' spread; a "
            f"falsification fails in {self.alarms.value:.1%}."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the answer as one row."""
        import polars as pl

        return pl.DataFrame(
            {
                "worlds": [self.worlds],
                "refused": [self.refused],
                "bias": [self.bias],
                "coverage": [self.coverage.value],
                "ratio": [self.ratio],
                "spread": [self.spread],
                "alarms": [self.alarms.value],
            }
        )


def recovery(
    panels: Panels,
    design: Callable[..., Any],
    *,
    count: str = "first_attempts",
    outside: int = 0,
    **options: Any,
) -> Recovery:
    """Estimate the first roll-out of every world by a design, and hold it against the truth.

    The truth is Σ expected calls with / Σ without the roll-out − 1 over the weeks after each unit
    went live, that week left out.

    Parameters
    ----------
    panels
        Worlds, of :func:`draw_panels`; other roll-outs in them are not told to the design.
    design
        Such as ``statistics.effects.staggered``: takes calls, live, units, weeks.
    count
        ``first_attempts`` or ``offered``.
    outside
        Units out of the roll-out's reach that the design is given beside the others: they share
        calendar, season, growth and common shocks, and have shocks of their own.
    **options
        Of the design.

    Raises
    ------
    DataError
        The design refused every world.

    Examples
    --------
    >>> from ccanalytics.simulation.panels import draw_panels
    >>> from ccanalytics.statistics.effects import staggered
    >>> worlds = draw_panels(units=20, worlds=5, seed=1, effect=-0.2)
    >>> recovery(worlds, staggered).worlds
    5
    """
    import polars as pl
    from scipy.special import stdtrit

    rows, refused = [], 0
    for number in range(panels.worlds):
        truth = panels.truth(number, count=count)
        calls = getattr(panels.world(number).factual, count)
        live = np.where(truth.plan.live < 0, 1_000_000, truth.plan.live)
        more: dict[str, Any] = dict(options)
        units = list(panels.units)
        if outside:
            more["outside"] = [f"outside {k + 1}" for k in range(outside)]
            units += more["outside"]
            calls = np.vstack([calls, _outside(panels, number, outside)])
            live = np.append(live, np.full(outside, 1_000_000))
        try:
            found = design(calls, live, units=units, weeks=list(panels.periods.starts), **more)
        except DataError:
            refused += 1
            continue
        with np.errstate(invalid="ignore"):
            cells = truth.plan.event >= 1
        real = truth.expected[cells].sum() / truth.expected_without[cells].sum() - 1
        limits = found.relative
        width = float(np.log1p(limits.high) - np.log1p(limits.low))
        by = width / 2 / float(stdtrit(found.degrees, 0.5 + limits.level / 2))
        rows.append((number, float(real), limits.value, limits.low, limits.high, by, found.alarm))
    if not rows:
        raise DataError("the design refused every world", counted(refused, "world"), "")
    names = ["world", "true", "relative", "relative_low", "relative_high", "error", "alarm"]
    each = pl.DataFrame(rows, schema=names, orient="row")
    true, value, low, high, error, alarm = (each[name].to_numpy() for name in names[1:])
    off = np.log1p(value) - np.log1p(true)
    spread = float(off.std(ddof=1)) if len(off) > 1 else float("nan")
    held = int(((low <= true) & (true <= high)).sum())
    return Recovery(
        worlds=len(rows),
        refused=refused,
        bias=float((value - true).mean() / true.mean()) if true.mean() else float("nan"),
        coverage=_share(held, len(rows)),
        ratio=float(error.mean() / spread),
        spread=spread,
        alarms=_share(int(alarm.sum()), len(rows)),
        each=each,
        inputs={
            "design": getattr(design, "__name__", "design"),
            "count": count,
            "outside": outside,
            **options,
        },
    )


def _outside(panels: Panels, number: int, units: int) -> NDArray[np.int64]:
    """Calls of units that share what all share; a tenth of the traffic each."""
    world, p = panels.world(number), panels.parameters
    rate = np.full((units, len(panels.periods)), p.calls_per_week / 10 * panels.periods.days / 7)
    for name in ("calendar", "season", "growth", "common"):
        rate = rate * world.factors.get(name, 1.0)
    rng = stream_of(panels.seed, number, "outside")
    shock = rng.standard_normal(rate.shape)
    for t in range(1, rate.shape[1]):
        shock[:, t] = p.unit_memory * shock[:, t - 1] + (1 - p.unit_memory**2) ** 0.5 * shock[:, t]
    return np.asarray(rng.poisson(rate * np.exp(p.unit_sd * shock - p.unit_sd**2 / 2)))


def _share(some: int, of: int) -> Estimate:
    low, high = wilson(some, of)
    return Estimate(some / of, low, high)
