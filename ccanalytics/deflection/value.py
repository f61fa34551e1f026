"""What calls that no longer come are worth: erlangs, then seats by interval, then paid hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.deflection.freed import Rules, World, restored, shift_hours
from ccanalytics.deflection.money import Money, money_of
from ccanalytics.demand import as_demand
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing import Shift
    from ccanalytics.staffing.shrinkage import Shrinkage

    Floats = NDArray[np.float64]

__all__ = ["Value", "value"]

_DRAWS = 1000


@dataclass(frozen=True, eq=False, kw_only=True)
class Value(Result):
    """What a channel's effect is worth over the span of a demand.

    Attributes
    ----------
    calls, erlang_hours
        Calls and agent erlang-hours (handle time) that the channel takes away.
    line_erlang_hours
        Hours of lines freed; None where the channel frees no line.
    seat_hours
        Agent-hours that fewer seats save, summed over intervals, each with its whole agents.
    scheduled_hours
        The same after shrinkage: paid hours that could go.
    shift_hours
        Paid hours that shifts can really drop; None where no shifts were given.
    frame
        Per interval: ``interval_start``, ``interval_s``, ``calls_without``, ``calls_with``,
        ``load_without``, ``load_with``, ``agents_without``, ``agents_with`` and
        ``service_level_kept``: the level if the seats stay as they were without the channel.
    money
        Saving against cost; None without a price.
    """

    calls: Estimate
    erlang_hours: Estimate
    line_erlang_hours: Estimate | None
    seat_hours: Estimate
    scheduled_hours: Estimate
    shift_hours: Estimate | None
    frame: pl.DataFrame
    money: Money | None
    goal: ServiceLevel

    @property
    def service_levels(self) -> tuple[float, float]:
        """Over all calls with the same seats: without the channel, and with it."""
        return self._level("service_level_without"), self._level("service_level_kept")

    def _level(self, name: str) -> float:
        calls = "calls_without" if name == "service_level_without" else "calls_with"
        rows = self.frame.drop_nulls(name)
        total = float(rows[calls].sum())
        return float((rows[name] * rows[calls]).sum()) / total if total else float("nan")

    def waterfall(self) -> pl.DataFrame:
        """Give the steps from handle hours avoided to hours that can be banked, with limits."""
        import polars as pl

        steps = [
            ("handle hours avoided", self.erlang_hours),
            ("seated hours freed", self.seat_hours),
            ("paid hours freed", self.scheduled_hours),
            ("paid hours that shifts drop", self.shift_hours),
        ]
        return pl.DataFrame(
            [(n, e.value, e.low, e.high) for n, e in steps if e is not None],
            schema=["step", "hours", "hours_low", "hours_high"],
            orient="row",
        )

    def summary(self) -> str:
        """What goes, what that frees, and what it is worth."""
        share = self.inputs["removed"]
        banked = self.shift_hours or self.scheduled_hours
        words = "" if share.low > 0 else "If it removes any, and as many as estimated: "
        words += (
            f"{_told(share, '{:.1%}')} of calls removed are {_told(self.calls, '{:,.0f}')} calls "
            f"and {_told(self.erlang_hours, '{:,.1f}')} hours of handling over these "
            f"{self.frame.height:,} intervals; "
        )
        if self.seat_hours.value > 0:
            words += (
                f"seats can fall by {_told(self.seat_hours, '{:,.1f}')} agent-hours, and "
                f"{_told(banked, '{:,.1f}')} paid hours can be banked"
                + (" after shifts. " if self.shift_hours else " after shrinkage. ")
            )
        else:
            words += "no seat is freed in any interval. "
        before, after = self.service_levels
        words += (
            f"With seats as they were, the service level would be {after:.1%} instead of "
            f"{before:.1%} (goal: {self.goal.describe()})."
        )
        if self.money is not None:
            words += f" {self.money.in_words()}"
        return words

    def to_frame(self) -> pl.DataFrame:
        """Give the intervals."""
        return self.frame


def value(
    removed: Estimate | float,
    demand: Any,
    goal: ServiceLevel,
    *,
    removed_aht_s: Estimate | float | None = None,
    demand_is: str = "without",
    line_s: float | None = None,
    shrinkage: float | Shrinkage = 0.0,
    patience: Any = None,
    max_occupancy: float | None = None,
    min_agents: int = 0,
    shifts: Sequence[Shift] | None = None,
    cost_per_hour: float | None = None,
    channel_cost: float = 0.0,
    cost_per_item: float = 0.0,
    items: float = 0.0,
    level: float = 0.95,
    seed: int = 1,
) -> Value:
    """Turn an effect into erlangs, seats and money, with its uncertainty carried through.

    Calls avoided, erlangs avoided and seats that can be banked are three figures: an interval may
    free a share of an agent and so no seat, and shifts free whole people only. The effect and the
    handle time of what it removes are drawn 1,000 times (normal, independent); every interval's
    least agents are found anew for each draw.

    Parameters
    ----------
    removed
        Share of the calls that would come which the channel removes, with its limits; an
        ``Effect``'s ``relative`` with the sign turned.
    demand
        Frame with interval_start, calls, aht_s (``log.demand``); costs below are over its span.
    goal
        The service level seats are planned for.
    removed_aht_s
        Mean seconds of the calls that go; None takes them for average calls, which is said.
    demand_is
        ``without`` the channel, or ``with`` it: then the calls it removed are added first.
    line_s
        Seconds for which a removed call would have held a line (menu, wait, talk): web and
        reminders free lines. None: the caller has dialled, and no line is freed.
    shrinkage, patience, max_occupancy, min_agents
        As :func:`ccanalytics.staffing.requirement` takes them.
    shifts
        What ``staffing.shifts`` made; the demand is then one day.
    cost_per_hour
        Price of a paid hour; None leaves money out.
    channel_cost, cost_per_item, items
        Fixed cost over the span, price of an item (an SMS) and their number.
    level
        Of the limits.
    seed
        Of the draws.

    Raises
    ------
    InputError
        An argument out of range, or calls that go and take more time than all calls do.
    DataError
        No call comes.
    """
    import polars as pl

    share = _estimate("removed", removed, level)
    for name, number in (("line_s", line_s or 0.0), ("channel_cost", channel_cost),
                         ("cost_per_item", cost_per_item), ("items", items),
                         ("min_agents", min_agents), ("seed", seed)):  # fmt: skip
        _check_number(name, number, whole=name in ("min_agents", "seed"))
    if demand_is not in ("without", "with"):
        raise InputError("demand_is is 'without' or 'with' the channel", f"{demand_is!r}")
    rows = as_demand(demand).filter(pl.col("calls") > 0)
    if not rows.height:
        raise DataError("no call comes in this demand, so none can go", "calls: 0", "take another")
    rules = Rules(goal, shrinkage, patience, max_occupancy, min_agents)
    calls, aht, per = (rows[n].cast(float).to_numpy() for n in ("calls", "aht_s", "interval_s"))
    mean_aht = float((calls * aht).sum() / calls.sum())
    gone = _estimate("removed_aht_s", mean_aht if removed_aht_s is None else removed_aht_s, level)
    if not gone.value > 0:
        raise InputError("calls that go take time", f"removed_aht_s={gone.value:g}")
    # Of average calls every interval loses its own average.
    own = aht / mean_aht if removed_aht_s is None else np.ones(aht.size)
    if demand_is == "with":
        calls, aht = restored(calls, aht, share.value, gone.value * own)

    world = World(rules, calls, aht, per, own)
    rng = np.random.default_rng(seed)
    draws = _drawn(share, rng), np.maximum(_drawn(gone, rng), 1.0)
    told = world.told(np.array([share.value]), np.array([gone.value]))
    spread = world.told(*draws)

    if shifts is not None:
        # Shifts know the effect's uncertainty alone: handle times are taken at their estimate.
        every = shift_hours(world, rows, np.append(draws[0], share.value), gone.value, shifts)
        told["shift_hours"], spread["shift_hours"] = every[-1:], every[:-1]

    def known(name: str) -> Estimate:
        ends = np.quantile(spread[name], [(1 - level) / 2, (1 + level) / 2])
        return Estimate(float(told[name][0]), float(ends[0]), float(ends[1]), level)

    banked = "scheduled_hours" if shifts is None else "shift_hours"
    cost = channel_cost + cost_per_item * items
    return Value(
        calls=known("calls"),
        erlang_hours=known("erlang_hours"),
        line_erlang_hours=None if line_s is None else _times(known("calls"), line_s / 3600),
        seat_hours=known("seat_hours"),
        scheduled_hours=known("scheduled_hours"),
        shift_hours=None if shifts is None else known("shift_hours"),
        frame=world.frame(rows, share.value, gone.value),
        money=None
        if cost_per_hour is None
        else money_of(spread[banked], known(banked), cost_per_hour, cost),
        goal=goal,
        inputs={
            "removed": share, "removed_aht_s": gone, "demand_is": demand_is, "line_s": line_s,
            "shrinkage": shrinkage, "cost_per_hour": cost_per_hour, "cost": cost, "level": level,
            "seed": seed,
        },
        checks=_checks(share, removed_aht_s, mean_aht, line_s, known("seat_hours")),
    )  # fmt: skip


def _check_number(name: str, number: Any, *, whole: bool) -> None:
    real = isinstance(number, (int, float)) and not isinstance(number, bool)
    if not real or not np.isfinite(number) or number < 0 or (whole and number != int(number)):
        raise InputError(f"a {'whole ' if whole else ''}number, 0 or more", f"{name}={number!r}")


def _estimate(name: str, given: Any, level: float) -> Estimate:
    level = check_level(level)
    if isinstance(given, Estimate):
        found = given
    elif isinstance(given, (int, float)) and not isinstance(given, bool):
        found = Estimate(float(given), float(given), float(given), level)
    else:
        raise InputError("this is a number or an Estimate", f"{name}={given!r}")
    if not (np.isfinite([found.value, found.low, found.high]).all() and found.low <= found.high):
        raise InputError("an estimate and its limits are finite", f"{name}={found}")
    return found


def _drawn(estimate: Estimate, rng: np.random.Generator) -> Floats:
    """Normal draws of the spread that the limits say; no share above 95%."""
    sd = (estimate.high - estimate.low) / 2 / normal_quantile(estimate.level)
    return np.minimum(estimate.value + sd * rng.standard_normal(_DRAWS), max(estimate.value, 0.95)
                      if abs(estimate.value) < 1 else np.inf)  # fmt: skip


def _told(estimate: Estimate, form: str) -> str:
    """An estimate with its limits; the number alone where it was given without any."""
    if estimate.low == estimate.high:
        return form.format(estimate.value).replace("-", "−")
    return estimate.format(form).replace("-", "−")


def _times(estimate: Estimate, factor: float) -> Estimate:
    low, high = sorted((estimate.low * factor, estimate.high * factor))
    return Estimate(estimate.value * factor, low, high, estimate.level)


def _checks(
    share: Estimate, handled: Any, mean_aht: float, line_s: float | None,
    seats: Estimate,
) -> tuple[Check, ...]:  # fmt: skip
    checks = [
        Check("Certainty of the effect", "informs",
              "taken as given, without limits: the figures are as sure as it is")
        if share.low == share.high > 0 else
        Check("Certainty of the effect", "holds" if share.low > 0 else "fails",
              "its interval lies above 0" if share.low > 0 else
              "its interval holds 0: the channel may remove nothing"),
        Check("Seats freed", "holds" if seats.low > 0 else "fails",
              "some are, also at the lower limit" if seats.low > 0 else
              "none at the lower limit: the value may be better service alone"),
    ]  # fmt: skip
    if handled is None:
        checks.append(Check("Handle time of the calls that go", "fails",
                            f"unknown: taken for average calls ({mean_aht:.0f} s). Channels take "
                            "the short ones first, and then this is too much"))  # fmt: skip
    if line_s is None:
        checks.append(Check("Lines", "informs", "none are freed: whoever is helped has dialled"))
    return tuple(checks)
