"""A thousand small worlds whose truth is known, for counting how often an interval covers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.simulation.panels.frames import (
    handle_frame,
    panel_frame,
    rollout_frame,
    time_columns,
    unit_names,
    use_frame,
)
from ccanalytics.simulation.panels.parameters import DESIGNS, PanelParameters, RollOut
from ccanalytics.simulation.panels.periods import Periods, check_size, check_whole, make_periods
from ccanalytics.simulation.panels.truth import PanelTruth, truth_of
from ccanalytics.simulation.panels.world import PanelWorld, unit_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl
    from numpy.typing import NDArray

__all__ = ["Panels", "draw_panels"]

_ARRAYS: dict[str, Callable[[PanelWorld], NDArray[Any]]] = {
    "first_attempts": lambda world: world.factual.first_attempts,
    "offered": lambda world: world.factual.offered,
    "answered": lambda world: world.answered,
    "first_rate": lambda world: world.factual.first_rate,
    "offered_rate": lambda world: world.factual.offered_rate,
    "first_attempts_without": lambda world: world.without().first_attempts,
    "offered_without": lambda world: world.without().offered,
    "first_rate_without": lambda world: world.without().first_rate,
    "offered_rate_without": lambda world: world.without().offered_rate,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Panels:
    """Small worlds, each drawn when it is asked for; none is kept but the last.

    Attributes
    ----------
    worlds
        How many there are.
    seed
        World i depends on the seed and i alone, however many worlds there are.
    units
        Names of the units, the biggest first.
    periods
        The periods, with their dates.
    design, unit_kind
        Name of the design; what the units are called in the roll-outs.
    rollouts_drawn
        The roll-outs, defaults of the design filled in.
    interaction
        Log change of calls where two treatments are at full dose together.
    parameters
        The other causes.
    """

    worlds: int
    seed: int
    units: tuple[str, ...]
    periods: Periods
    design: str
    unit_kind: str
    rollouts_drawn: tuple[RollOut, ...]
    interaction: float
    parameters: PanelParameters
    _last: dict[int, PanelWorld] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return self.worlds

    def __iter__(self) -> Iterator[PanelWorld]:
        return (self.world(i) for i in range(self.worlds))

    def world(self, i: int) -> PanelWorld:
        """Draw world ``i``, counted from 0.

        Raises
        ------
        InputError
            There is no such world.
        """
        if isinstance(i, bool) or not isinstance(i, (int, np.integer)) or not 0 <= i < self.worlds:
            raise InputError("there is no such world", f"world {i!r}", f"0 to {self.worlds - 1}")
        index = int(i)
        if index not in self._last:
            drawn = PanelWorld.draw(
                self.seed,
                index,
                self.parameters,
                self.periods,
                len(self.units),
                self.rollouts_drawn,
                self.interaction,
            )
            self._last.clear()
            self._last[index] = drawn
            return drawn
        return self._last[index]

    def panel(self, i: int, *, handle: bool = False) -> pl.DataFrame:
        """Give world ``i`` in the form of ``CallLog.panel(unit=…, every=…)``.

        ``handle=True`` draws the handle time of every answered call, which takes longer; otherwise
        handle times are unknown (null), as waits and menu times always are.
        """
        return panel_frame(self.world(i), self._times, handle=handle)

    def rollouts(self, i: int) -> pl.DataFrame:
        """Give the roll-outs of world ``i`` in the form of ``CallLog.table("rollouts")``."""
        by_chance = self.design in ("randomised", "encouragement")
        return rollout_frame(self.world(i), self.unit_kind, randomised=by_chance)

    def use(self, i: int, treatment: str | None = None) -> pl.DataFrame:
        """Who could use a treatment, and the share that did, by unit and period.

        Columns: interval_start, local_start, utc_offset_s, interval_s, unit, offered_it (whether
        the unit was live, or its wave sent), use (share 0–1).
        """
        world = self.world(i)
        return use_frame(world, self._times, truth_of(world, treatment, "offered").treatment)

    def handle_times(self, i: int) -> pl.DataFrame:
        """Sums and variances of handle time of world ``i`` by unit and period.

        Columns: interval_start, local_start, utc_offset_s, interval_s, unit, calls (answered),
        handle_s (sum), handle_var_s2 (variance), log_mean, log_var (of the logarithm; variances
        with divisor n − 1, null below two calls), and the truth: expected_s and
        expected_without_s, the mean expected with the roll-outs and without any.
        """
        return handle_frame(self.world(i), self._times)

    def truth(
        self, i: int, treatment: str | None = None, count: str = "first_attempts"
    ) -> PanelTruth:
        """Give the true effects of a treatment in world ``i``, the other treatments being there.

        Parameters
        ----------
        i
            Which world.
        treatment
            Which treatment; may be left out where there is only one.
        count
            ``first_attempts`` or ``offered`` (redials included).
        """
        return truth_of(self.world(i), treatment, count)

    def arrays(
        self, *names: str, start: int = 0, stop: int | None = None
    ) -> dict[str, NDArray[Any]]:
        """Stack arrays of several worlds: name → worlds × units × periods.

        Parameters
        ----------
        *names
            Of first_attempts, offered, answered, first_rate, offered_rate, and the same with
            ``_without`` (any roll-out) except answered; default first_attempts alone.
        start, stop
            Which worlds, the last excluded; a part at a time bounds the memory.

        Raises
        ------
        InputError
            A name that is not one of these, or worlds that do not exist.
        """
        wanted = names or ("first_attempts",)
        for name in wanted:
            if name not in _ARRAYS:
                known = ", ".join(_ARRAYS)
                raise InputError("there is no array of this name", f"{name!r}", f"one of {known}")
        end = self.worlds if stop is None else stop
        if not 0 <= start < end <= self.worlds:
            raise InputError(
                "there are no such worlds", f"start={start!r}, stop={stop!r}", f"0 to {self.worlds}"
            )
        shape = (end - start, len(self.units), len(self.periods))
        stacks: dict[str, NDArray[Any]] = {}
        for row, i in enumerate(range(start, end)):
            world = self.world(i)
            for name in wanted:
                part = _ARRAYS[name](world)
                if not row:
                    stacks[name] = np.empty(shape, part.dtype)
                stacks[name][row] = part
        return stacks

    @cached_property
    def _times(self) -> pl.DataFrame:
        return time_columns(self.periods)


def draw_panels(
    *,
    units: int = 49,
    periods: int = 78,
    worlds: int = 1000,
    seed: int = 1,
    effect: float | RollOut | Sequence[RollOut] = -0.1,
    design: str = "staggered",
    interaction: float = 0.0,
    start: object = "2024-01-01",
    every: str = "1w",
    time_zone: str = "Asia/Shanghai",
    unit_kind: str = "service",
    **causes: float,
) -> Panels:
    r"""Draw small worlds: weekly calls by unit, and roll-outs whose effect is known.

    First attempts of unit i in period t are Poisson with mean

    λᵢₜ = volume · sizeᵢ · calendarₜ · seasonₜ · growthₜ · trendᵢₜ · unit shockᵢₜ · common shockₜ ·
    gammaᵢₜ · Πₖ(1 + effectₖᵢ·doseₖᵢₜ) · exp(interaction·Σ dose·dose) + calls spilt over.

    Offered calls add redials, Poisson with mean λᵢₜ·r·aₜ/(1 − r·aₜ), where r is the share of
    abandoned attempts that redial, and the odds of abandoning, aₜ/(1 − aₜ), grow with the load of
    all units over the planned one: fewer needs make fewer redials, also of units that are not
    treated.

    A world without a roll-out is the same world with its dose set to that of own use: each count
    is the Poisson quantile of the same uniform number, so that with effect 0 both are identical.
    Each cause has its own stream of random numbers, a function of seed, world and name alone.

    Parameters
    ----------
    units, periods, worlds
        How many of each; a period is a week (``every="1w"``) or a day (``"1d"``).
    seed
        A whole number, 0 or more.
    effect
        Relative change of calls, such as −0.1; or a `RollOut`, or several with different names.
    design
        ``staggered`` (dates spread over the span, a fifth of the units never), ``before_after``
        (all at once), ``randomised`` (a random half, of whom a share complies) or
        ``encouragement`` (mass-SMS waves in random order raise a use that also grows by itself).
    interaction
        Log change of calls where two treatments are at full dose together.
    start, time_zone
        First day, a Monday for weeks; IANA name.
    unit_kind
        What units are called in the roll-outs.
    **causes
        Fields of `PanelParameters`.

    Raises
    ------
    InputError
        A number that cannot be; the message names it.

    Examples
    --------
    >>> worlds = draw_panels(units=10, periods=52, worlds=1000, seed=7, effect=-0.2)
    >>> worlds.panel(3).shape, worlds.rollouts(3).height
    ((520, 31), 8)
    >>> round(worlds.truth(3).overall().relative, 6)
    -0.2
    >>> worlds.arrays("offered", stop=5)["offered"].shape
    (5, 10, 52)
    """
    check_whole(units=(units, 1), periods=(periods, 2), worlds=(worlds, 1), seed=(seed, 0))
    check_size(units=units, periods=periods)
    if not isinstance(design, str) or design not in DESIGNS:
        known = ", ".join(DESIGNS)
        raise InputError("there is no such design", f"design={design!r}", f"one of {known}")
    rollouts = tuple(each.filled(design) for each in _rollouts(effect))
    finite = isinstance(interaction, (int, float)) and not isinstance(interaction, bool)
    if not finite or not np.isfinite(interaction):
        raise InputError("an interaction is a finite number", f"interaction={interaction!r}")
    if interaction and len(rollouts) < 2:
        raise InputError(
            "one treatment alone interacts with nothing",
            f"interaction={interaction!r}",
            "give several RollOuts as effect",
        )
    if not isinstance(unit_kind, str) or not unit_kind:
        raise InputError("units need the name of their kind", f"unit_kind={unit_kind!r}", "")
    unknown = sorted(causes.keys() - PanelParameters.__dataclass_fields__.keys())
    if unknown:
        known = ", ".join(PanelParameters.__dataclass_fields__)
        raise InputError("there is no such cause", ", ".join(unknown), f"one of {known}")
    parameters = PanelParameters(**causes)
    with np.errstate(all="ignore"):
        least = float(unit_sizes(parameters, int(units)).min())
    if not least * parameters.calls_per_week > 1e-9:
        where = f"zipf_exponent={parameters.zipf_exponent!r}, units={units!r}"
        raise InputError("the smallest units would have no calls at all", where, "lower one")
    if parameters.spill_over and units < 2:
        raise InputError("calls cannot spill over from a single unit", f"units={units}", "")
    return Panels(
        worlds=int(worlds),
        seed=int(seed),
        units=tuple(unit_names(int(units))),
        periods=make_periods(parameters, start, int(periods), every, time_zone),
        design=design,
        unit_kind=unit_kind,
        rollouts_drawn=rollouts,
        interaction=float(interaction),
        parameters=parameters,
    )


def _rollouts(effect: Any) -> tuple[RollOut, ...]:
    if isinstance(effect, (int, float)) and not isinstance(effect, bool):
        return (RollOut(effect=effect),)
    found = (effect,) if isinstance(effect, RollOut) else effect
    if (
        not isinstance(found, (list, tuple))
        or not found
        or not all(isinstance(each, RollOut) for each in found)
    ):
        raise InputError(
            "an effect is a number, a RollOut, or several RollOuts",
            f"effect={effect!r}",
            "such as -0.1",
        )
    names = [each.treatment for each in found]
    if len(set(names)) < len(names):
        raise InputError(
            "two roll-outs have the same name", ", ".join(names), "give each a treatment= name"
        )
    return tuple(found)
