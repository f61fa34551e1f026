"""What is true of a roll-out in a small world, at the levels at which it is estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.simulation.panels.frames import unit_names
from ccanalytics.simulation.panels.plan import NEVER

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.simulation.panels.plan import Plan
    from ccanalytics.simulation.panels.world import PanelWorld

__all__ = ["PanelTruth", "TrueEffect", "truth_of"]

Count = Literal["first_attempts", "offered"]


@dataclass(frozen=True)
class TrueEffect:
    """A true effect on some unit-periods.

    Attributes
    ----------
    unit_periods
        How many there are.
    relative
        Σ expected calls with the roll-out / Σ without it − 1.
    log_ratio
        Mean of log(expected with / expected without): what a regression on logs estimates.
    removed
        Mean calls a unit and period expected without it, less those with it.
    relative_realised, removed_realised
        The same of the calls that came, and would have come, by the same luck.
    """

    unit_periods: int
    relative: float
    log_ratio: float
    removed: float
    relative_realised: float
    removed_realised: float


@dataclass(frozen=True, eq=False, kw_only=True)
class PanelTruth:
    """The same world with and without one roll-out, the others being there in both.

    Expected values are given the world's shocks; realised ones are counts by common random
    numbers. Where a channel is used without the roll-out too, its truth is that of the roll-out
    (intention to treat); `complier` is that of use.

    Attributes
    ----------
    treatment, count
        What went live; what is counted.
    plan
        Who went live when, and who used it.
    expected, expected_without
        Units × periods: calls expected with and without the roll-out.
    realised, realised_without
        Units × periods: calls.
    """

    treatment: str
    count: Count
    plan: Plan
    expected: NDArray[np.float64]
    expected_without: NDArray[np.float64]
    realised: NDArray[np.int64]
    realised_without: NDArray[np.int64]
    _unused: NDArray[np.float64]

    @property
    def relative(self) -> NDArray[np.float64]:
        """Units × periods: relative effect expected, of units not treated as well (spill-over)."""
        return np.asarray(self.expected / self.expected_without - 1)

    @property
    def removed(self) -> NDArray[np.float64]:
        """Units × periods: calls expected without the roll-out, less those with it."""
        return np.asarray(self.expected_without - self.expected)

    @property
    def removed_realised(self) -> NDArray[np.int64]:
        """Units × periods: calls that would have come without it, less those that came."""
        return np.asarray(self.realised_without - self.realised)

    def overall(self, skip: int = 0) -> TrueEffect:
        """The effect on units that are live, leaving out their first ``skip`` periods.

        Raises
        ------
        DataError
            No unit is live for so long within the span.
        """
        with np.errstate(invalid="ignore"):
            return self._of(self.plan.event >= _whole(skip))

    def total(self) -> TrueEffect:
        """The effect on all units, treated or not, from the first go-live on."""
        live = self.plan.live[self.plan.live != NEVER]
        first = live.min() if live.size else self.expected.shape[1]
        cells = np.zeros(self.expected.shape, bool)
        cells[:, first:] = True
        return self._of(cells)

    @property
    def complier(self) -> float:
        """Relative effect on those whom the roll-out brought to use it.

        Σ removed / Σ(expected calls if nobody used it × share brought to use), as a change.
        """
        moved = self.plan.use - self.plan.own
        brought = float((self._unused * moved)[self.plan.treated].sum())
        if not brought:
            return float("nan")
        return -float(self.removed[self.plan.treated].sum()) / brought

    def by_unit(self, skip: int = 0) -> pl.DataFrame:
        """One row per unit that is live within the span; see `cells` for the columns."""
        return self._grouped(["unit"], skip)

    def group_time(self) -> pl.DataFrame:
        """One row per group (units of one date) and period, periods before included."""
        return self._grouped(["group", "period"], None)

    def by_group(self, skip: int = 0) -> pl.DataFrame:
        """One row per group, once live."""
        return self._grouped(["group"], skip)

    def dynamic(self) -> pl.DataFrame:
        """One row per number of periods since going live, negative ones included."""
        return self._grouped(["event"], None)

    def cells(self) -> pl.DataFrame:
        """One row per unit and period.

        Columns: unit (its name), group (number of the period in which it goes live;
        null if never), period, event (periods since), expected, expected_without, realised,
        realised_without.
        """
        import polars as pl

        units, span = self.expected.shape
        return pl.DataFrame(
            {
                "unit": np.repeat(unit_names(units), span),
                "group": np.repeat(self.plan.live, span),
                "period": np.tile(np.arange(span), units),
                "expected": self.expected.ravel(),
                "expected_without": self.expected_without.ravel(),
                "realised": self.realised.ravel(),
                "realised_without": self.realised_without.ravel(),
            }
        ).with_columns(
            group=pl.when(pl.col("group") != NEVER).then("group"),
            event=pl.when(pl.col("group") != NEVER).then(pl.col("period") - pl.col("group")),
        )

    def _grouped(self, keys: list[str], skip: int | None) -> pl.DataFrame:
        import polars as pl

        cells = self.cells().drop_nulls("event")
        if skip is not None:
            cells = cells.filter(pl.col("event") >= _whole(skip))
        with_, without = pl.col("expected"), pl.col("expected_without")
        came, would = pl.col("realised"), pl.col("realised_without")
        return (
            cells.group_by(keys)
            .agg(
                unit_periods=pl.len(),
                relative=with_.sum() / without.sum() - 1,
                log_ratio=(with_.log() - without.log()).mean(),
                removed=(without - with_).mean(),
                relative_realised=came.sum() / would.sum() - 1,
                removed_realised=(would - came).mean(),
            )
            .sort(keys)
        )

    def _of(self, cells: NDArray[np.bool_]) -> TrueEffect:
        n = int(cells.sum())
        if not n:
            raise DataError(
                f"{self.treatment} is live nowhere within the span",
                f"{self.expected.shape[1]} periods",
                "draw more periods, or let it go live earlier",
            )
        with_, without = self.expected[cells], self.expected_without[cells]
        came, would = int(self.realised[cells].sum()), int(self.realised_without[cells].sum())
        return TrueEffect(
            unit_periods=n,
            relative=float(with_.sum() / without.sum() - 1),
            log_ratio=float(np.log(with_ / without).mean()),
            removed=float((without - with_).mean()),
            relative_realised=came / would - 1 if would else float("nan"),
            removed_realised=(would - came) / n,
        )


def truth_of(world: PanelWorld, treatment: str | None, count: str) -> PanelTruth:
    """Pair a world with itself without a treatment."""
    if treatment is None:
        if len(world.plans) > 1:
            known = ", ".join(world.plans)
            raise InputError("more than one thing goes live", "treatment=None", f"one of {known}")
        treatment = next(iter(world.plans))
    if count not in ("first_attempts", "offered"):
        raise InputError("this is not counted", f"count={count!r}", "first_attempts or offered")
    with_, without = world.factual, world.without(treatment)
    first = count == "first_attempts"
    plan = world.plans[treatment]
    expected = without.first_rate if first else without.offered_rate
    return PanelTruth(
        treatment=treatment,
        count="first_attempts" if first else "offered",
        plan=plan,
        expected=with_.first_rate if first else with_.offered_rate,
        expected_without=expected,
        realised=with_.first_attempts if first else with_.offered,
        realised_without=without.first_attempts if first else without.offered,
        _unused=expected / plan.ratio(live=False),
    )


def _whole(skip: object) -> int:
    if isinstance(skip, bool) or not isinstance(skip, (int, np.integer)) or skip < 0:
        raise InputError("skip is a number of periods", f"skip={skip!r}", "a whole number, 0 or up")
    return int(skip)
