"""Proof: the plan simulated call by call, planned against simulated in every interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.staffing import _again, _motion
from ccanalytics.staffing._seats import check_share, counted, tied
from ccanalytics.staffing.requirement import volume_of

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing.required import Requirement

__all__ = ["Proof", "prove"]

_TOLD = 6
_LEVELS = ("service_level", "service_level_low", "service_level_high")


@dataclass(frozen=True, eq=False, kw_only=True)
class Proof(Result):
    """Planned against simulated service, interval by interval.

    Attributes
    ----------
    frame
        Per interval and key: ``calls``, ``required_agents``, ``planned_service_level``,
        ``simulated_service_level`` with its limits (``_low``, ``_high``), ``difference`` (planned
        less simulated), and two verdicts: ``differs`` (planned lies outside the limits,
        and further off than the tolerance), ``missed`` (simulated lies below the goal by more than
        the tolerance, and the whole interval of the estimate below the goal).
    planned, simulated
        Over all calls.
    requirement
        The plan.
    """

    frame: pl.DataFrame
    planned: float
    simulated: Estimate
    requirement: Requirement

    @property
    def goal(self) -> ServiceLevel:
        """What was to be met."""
        return self.requirement.goal

    @property
    def failing(self) -> pl.DataFrame:
        """The intervals that miss the goal, or differ from the plan; the worst first."""
        import polars as pl

        return self.frame.filter(pl.col("missed") | pl.col("differs")).sort(
            pl.col("missed"), pl.col("difference").abs(), descending=True
        )

    def summary(self) -> str:
        """Whether the plan holds, which intervals fail, and how it was simulated."""
        import polars as pl

        with_calls = self.frame.filter(pl.col("simulated_service_level").is_not_null()).height
        missed = self.frame.filter("missed")
        differs = self.frame.filter("differs")
        tolerance = 100 * self.inputs["tolerance"]
        more = f"more than {tolerance:.3g} point" + ("" if tolerance == 1 else "s")
        by_day = self.requirement.inputs["over"] == "day"
        if missed.height and not by_day:
            answer = (
                f"The plan fails in {missed.height} of {counted(with_calls, 'interval')} with "
                f"calls, {self._named(missed)}: simulated, they miss the goal of "
                f"{self.goal.share:.0%} by {more}"
            )
        elif by_day:
            met = self.simulated.high >= self.goal.share
            answer = f"The day as a whole {'meets' if met else 'misses'} the goal when simulated"
        else:
            answer = (
                f"The plan holds: simulated, none of {counted(with_calls, 'interval')} with calls "
                f"misses the goal of {self.goal.share:.0%} by {more}"
            )
        apart = (
            f"{counted(differs.height, 'interval')} differ{'s' if differs.height == 1 else ''} "
            f"from what was planned by {more} and beyond chance ({self._named(differs)})"
            if differs.height
            else f"planned and simulated differ nowhere by {more} beyond chance"
        )
        return (
            f"{answer}. Over all calls {self.planned:.1%} were planned to be served in time and "
            f"{self.simulated.format('{:.1%}')} were; {apart}. "
            f"{self.inputs['replications']} simulated days; handle times "
            f"{self.inputs['handle_time_words']}, patience {self.inputs['patience_words']}, "
            f"arrivals {self.inputs['arrivals_words']}; seed {self.inputs['seed']}."
        )

    def _named(self, rows: pl.DataFrame) -> str:
        whens = [self.requirement.when(row) for row in rows.head(_TOLD).iter_rows(named=True)]
        if rows.height <= 4:
            return tied(whens[0], whens[1:]) if len(whens) > 1 else whens[0]
        rest = rows.height - len(whens)
        named = [whens[0], *(when.removeprefix("from ") for when in whens[1:])]
        return ", ".join(named) + (f" and {rest} more" if rest else "")

    def table(self) -> pl.DataFrame:
        """Give every interval as a table to read, by the wall clock."""
        import polars as pl

        start = "local_start" if "local_start" in self.frame.columns else "interval_start"
        at = pl.col(start)
        if self.requirement.name:
            at = at.dt.strftime("%H:%M")
        return self.frame.filter(pl.col("simulated_service_level").is_not_null()).select(
            *self.requirement.keys, at.alias("interval"), "calls", "required_agents",
            "planned_service_level", "simulated_service_level", "simulated_service_level_low",
            "simulated_service_level_high",
            pl.when("missed").then(pl.lit("misses the goal"))
            .when("differs").then(pl.lit("differs from the plan"))
            .otherwise(pl.lit("")).alias("verdict"),
        )  # fmt: skip

    def to_frame(self) -> pl.DataFrame:
        """Give the intervals."""
        return self.frame


def prove(
    requirement: Requirement,
    *,
    handle_time: Any = None,
    patience: Any = "as planned",
    arrivals: Any = None,
    replications: int = 200,
    seed: int = 1,
    tolerance: float = 0.01,
    level: float = 0.95,
    progress: Any = None,
) -> Proof:
    """Simulate a plan with the log's own handle times and patience, and compare.

    Every stretch of intervals without a gap, of each key, is simulated with the required agents,
    after a warm-up at its first interval's rate. The simulated service level of an interval is
    that of the calls that arrive in it, with a confidence interval over replications.

    Parameters
    ----------
    requirement
        What :func:`requirement` gave.
    handle_time
        Law or sample that gives the shape, scaled to each interval's ``aht_s``: a law of
        scipy.stats, seconds, or value counts (``log.handle_times()``; with the requirement's key
        columns, each key takes its own). None is exponential, as formulas have it.
    patience
        As for :func:`requirement`, or a sample; ``"as planned"`` takes the requirement's.
    arrivals
        Of :func:`~ccanalytics.simulation.simulate`: None is Poisson, and, for a plan that was
        asked for with ``cv``, a day's volume uncertain by as much.
    replications, seed
        Simulated days, at least 2; same seed, same answer.
    tolerance
        How far the simulated level may be from the goal, or the plan, without being named; a
        share.
    level
        Of the confidence intervals.
    progress
        Called as ``progress(done, total, what)``.

    Raises
    ------
    InputError
        No requirement, intervals that overlap, or an argument outside its range.

    Notes
    -----
    An interval is named as ``missed`` only if its whole confidence interval lies below the goal,
    so that chance names few: with a 95% interval, 2.5% of intervals exactly at the goal.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> from ccanalytics import ServiceLevel, staffing
    >>> frame = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 9, tzinfo=timezone.utc)],
    ...     "interval_s": [3600], "calls": [200], "aht_s": [180.0]})
    >>> need = staffing.requirement(frame, ServiceLevel(0.80, within=20), patience=120)
    >>> proof = prove(need, replications=50)
    >>> proof.simulated.low < proof.planned < proof.simulated.high, proof.failing.height
    (True, 0)
    """
    import polars as pl

    need = _again.check_requirement(requirement)
    check_share("tolerance", tolerance, low=0, allow_one=False)
    if isinstance(replications, bool) or not isinstance(replications, int) or replications < 2:
        raise InputError(
            "limits need two replications or more", f"replications={replications!r}", "such as 200"
        )
    _refuse_overlaps(need)
    own = need.inputs["patience"] if isinstance(patience, str) else patience
    if isinstance(patience, str) and patience != "as planned":
        raise InputError("no such patience", f"patience={patience!r}", 'seconds, or "as planned"')
    demand = _again.demand_of(need)
    volume = volume_of(demand, need.inputs["cv"], None)
    if arrivals is None and volume is not None:
        from ccanalytics.simulation import MixedPoisson

        arrivals = MixedPoisson()
        demand = demand.with_columns(cv=pl.Series(volume.cv))
    agents = need.frame["required_agents"].to_numpy()
    days = _motion.days_of(demand, need.keys)
    parts: list[pl.DataFrame] = []
    told: dict[str, Any] = {}
    asked = {"patience": own, "arrivals": arrivals, "replications": replications, "seed": seed,
             "level": level}  # fmt: skip
    for number, day in enumerate(days):
        shape = _of_key(handle_time, need.keys, demand.row(int(day.rows[0]), named=True))
        part = demand[day.rows.tolist()]

        def say(done: int, total: int, what: str, number: int = number) -> None:
            if progress is not None:
                progress(number * total + done, len(days) * total, what)

        found, told = _simulated(part, agents[day.rows], need, shape, asked, say)
        parts.append(found.with_columns(_row=pl.Series(day.rows)))
    found = pl.concat(parts).sort("_row")
    frame = _verdicts(need, found, tolerance)
    return Proof(
        frame=frame,
        planned=need.service_level,
        simulated=_whole(parts, level),
        requirement=need,
        inputs={
            **need.inputs,
            **asked,
            "tolerance": tolerance,
            "handle_time_words": told["handle_time"],
            "patience_words": told["patience"],
            "arrivals_words": told["arrivals"],
        },
        checks=_checks(need, days, frame, level),
    )


def _refuse_overlaps(need: Requirement) -> None:
    import polars as pl

    before = pl.col("interval_start").diff().dt.total_seconds() - pl.col("interval_s").shift()
    frame = need.frame.with_columns(_extra=before.over(need.keys) if need.keys else before)
    wrong = frame.filter(pl.col("_extra") < -0.5)
    if wrong.height:
        raise InputError(
            "an interval of the plan overlaps the one before, so it cannot be simulated",
            f"{need.when(wrong.row(0, named=True))}, {-wrong['_extra'][0]:g} s too early",
            "give each moment to one interval",
        )


def _of_key(handle_time: Any, keys: tuple[str, ...], row: dict[str, Any]) -> Any:
    """Take the rows of value counts that belong to a key, where they tell keys apart."""
    import polars as pl

    columns = getattr(handle_time, "columns", None)
    if columns is None or "seconds" not in list(columns):
        return handle_time
    if not isinstance(handle_time, pl.DataFrame):
        import narwhals.stable.v2 as nw

        handle_time = nw.from_native(handle_time, eager_only=True).to_polars()
    own = [key for key in keys if key in handle_time.columns]
    for key in own:
        handle_time = handle_time.filter(pl.col(key).eq_missing(pl.lit(row[key])))
    if handle_time.is_empty():
        raise InputError(
            "there are no handle times of this key",
            ", ".join(f"{key}={row[key]!r}" for key in own) or "0 rows",
            "give value counts of every key, or of none",
        )
    return handle_time.group_by("seconds").agg(pl.col("calls").sum()).sort("seconds")


def _simulated(
    part: pl.DataFrame, agents: Any, need: Requirement, shape: Any, asked: dict[str, Any], say: Any
) -> tuple[pl.DataFrame, dict[str, Any]]:
    import polars as pl

    from ccanalytics.simulation import simulate

    first = part.row(0, named=True)
    warm = max(float(first["interval_s"]), 5 * float(first["aht_s"] or 0)) if first["calls"] else 0
    kept = ("interval_start", "local_start", "utc_offset_s", "interval_s", "calls", "aht_s", "cv")
    run = simulate(
        part.select(c for c in kept if c in part.columns),
        agents,
        goals=need.goal,
        handle_time=shape,
        warmup_s=float(warm),
        progress=say,
        **asked,
    )
    found = run.intervals.select(
        pl.col("arrived"), *(pl.col(name).cast(pl.Float64) for name in _LEVELS)
    ).with_columns(
        *(pl.lit(run.overall[name][0], pl.Float64).alias(f"_{name}") for name in _LEVELS),
        _calls=pl.lit(float(run.overall["arrived"][0])),
    )
    return found, dict(run.inputs)


def _verdicts(need: Requirement, found: pl.DataFrame, tolerance: float) -> pl.DataFrame:
    import polars as pl

    start = [c for c in ("local_start", "utc_offset_s") if c in need.frame.columns]
    frame = need.frame.select(
        "interval_start", *start, "interval_s", *need.keys, "calls", "required_agents",
        planned_service_level=pl.col("service_level"),
    )  # fmt: skip
    some = pl.col("calls") > 0
    frame = frame.with_columns(found.select(_LEVELS)).with_columns(
        pl.when(some).then(pl.col(name)).alias(name) for name in _LEVELS
    )
    # An interval in which no replication ever had a call tells nothing.
    planned = pl.col("planned_service_level")
    apart = planned - pl.col("service_level")
    outside = (planned < pl.col("service_level_low")) | (planned > pl.col("service_level_high"))
    low = pl.col("service_level") < need.goal.share - tolerance - 1e-12
    missed = low & (pl.col("service_level_high") < need.goal.share)
    return frame.with_columns(
        difference=apart,
        differs=(outside & (apart.abs() > tolerance)).fill_null(value=False),
        missed=missed.fill_null(value=False),
    ).rename({name: f"simulated_{name}" for name in _LEVELS})


def _whole(parts: list[pl.DataFrame], level: float) -> Estimate:
    """Join stretches, which are independent: means by calls, half-widths by the root of squares."""
    rows = [part.row(0, named=True) for part in parts]
    rows = [row for row in rows if row["_service_level"] is not None]
    weight = np.array([row["_calls"] for row in rows])
    weight = weight / weight.sum()
    names = ("_service_level", "_service_level_low", "_service_level_high")
    value, low, high = (np.array([row[name] for row in rows], float) for name in names)
    middle = float(weight @ value)
    below = float(np.sqrt(((weight * (value - low)) ** 2).sum()))
    above = float(np.sqrt(((weight * (high - value)) ** 2).sum()))
    return Estimate(middle, max(0.0, middle - below), min(1.0, middle + above), level)


def _checks(
    need: Requirement, days: list[_motion.Day], frame: pl.DataFrame, level: float
) -> tuple[Check, ...]:
    import polars as pl

    checks = []
    if len(days) > 1:
        words = (
            f"{len(days)} stretches of intervals that follow each other were simulated by "
            "themselves; each begins after a warm-up at its first interval's rate"
        )
        checks.append(Check("Gaps", "informs", words))
    wide = (pl.col("simulated_service_level_high") - pl.col("simulated_service_level_low")) / 2
    known = frame.filter(wide.is_not_null())
    if known.height:
        half = 100 * float(known.select(wide.median()).item())
        words = (
            f"half-width of an interval's {level:.0%} limits {half:.2g} points (median); of "
            f"{known.height} intervals {(1 - level) * known.height:.2g} lie outside theirs by "
            "chance alone"
        )
        checks.append(Check("How well the simulation knows", "informs", words))
    if need.inputs["over"] == "day":
        words = "the goal was asked of the day; single intervals may be below it by design"
        checks.append(Check("Goal over the day", "informs", words))
    unknown = frame.filter((pl.col("calls") > 0) & pl.col("simulated_service_level").is_null())
    if unknown.height:
        words = (
            f"{counted(unknown.height, 'interval')} with so few calls that no simulated day had "
            f"one, the first {need.when(unknown.row(0, named=True))}; more replications tell"
        )
        checks.append(Check("Intervals not judged", "informs", words))
    return tuple(checks)
