"""Coverage: which services a channel has, and what each next one would take away."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.deflection.coverage_inputs import (
    TRAITS,
    calls_by_week,
    coverage_checks,
    days_live,
    listed,
    named,
    traits_of,
)
from ccanalytics.deflection.foretold import Proof, foretell, held_out
from ccanalytics.deflection.launched import Launched, launched
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.rollouts import part_live
from ccanalytics.statistics.effects.staggered import NEVER
from ccanalytics.statistics.frames import as_polars, check_counts, whole_weeks
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Coverage", "coverage"]

_COUNTS = ("first_attempts", "offered", "arrived", "answered")
_FEWEST = 5  # launches from which the next one is foretold
_DRAWS = 4000
_FEW = 10  # calls


@dataclass(frozen=True, eq=False, kw_only=True)
class Coverage(Result):
    """Which services a channel covers, and what the next ones would take away.

    Attributes
    ----------
    name
        The channel.
    services
        One row per service: ``unit``, ``name``, ``kind``, ``live_on`` (null: not yet),
        ``calls_per_week`` (the last weeks) and ``share`` of all calls.
    covered, covered_share
        How many services are live, and what share of calls is about them.
    effects
        One row per launch that could be estimated: ``relative`` with limits, and ``shrunk`` with
        limits: drawn to what services like it show, by as much as chance moved it.
    ahead
        One row per service to come, the one that takes most away first: ``relative`` and
        ``removed_per_week`` with prediction limits, ``covered_share`` once it is live, and
        ``removed_so_far`` with limits: together with all above it.
    proof
        The last launches, foretold from those before: ``foretold`` with limits, ``relative`` as
        seen, ``inside``, ``same`` (the share of all earlier launches together).
    used
        What sets services apart in the forecast: some of kind, handle time, volume.
    spread
        Standard deviation of true effects between like services, on the log.
    refused
        Why nothing can be said of the next ones; empty if something can.
    """

    name: str
    services: pl.DataFrame
    covered: int
    covered_share: float
    effects: pl.DataFrame
    ahead: pl.DataFrame
    proof: pl.DataFrame
    used: tuple[str, ...]
    spread: float
    refused: str

    def or_refuse(self) -> Coverage:
        """Give the answer itself, or refuse where nothing can be said of the next services.

        Raises
        ------
        DataError
            There are too few launches to learn from, or none is left to come.
        """
        if self.refused:
            raise DataError(self.refused)
        if not self.ahead.height:
            raise DataError(f"{self.name} covers every service: none is left to launch")
        return self

    @property
    def together(self) -> Estimate | None:
        """Calls a week that all services to come would take away; None where it is unknown."""
        if not self.ahead.height:
            return None
        row = self.ahead.row(-1, named=True)
        return Estimate(
            row["removed_so_far"],
            row["removed_so_far_low"],
            row["removed_so_far_high"],
            self.inputs["level"],
        )

    @property
    def weighted_error(self) -> tuple[float, float] | None:
        """Mean error of the proof, weighted by calls: of the forecast, and of one share for all."""
        if not self.proof.height:
            return None
        weight = self.proof["calls_per_week"].to_numpy()
        seen = self.proof["relative"].to_numpy()
        errors = [
            float(weight @ np.abs(self.proof[name].to_numpy() - seen) / weight.sum())
            for name in ("foretold", "same")
        ]
        return errors[0], errors[1]

    def to_frame(self) -> pl.DataFrame:
        """Give the services to come."""
        return self.ahead

    def table(self, top: int | None = None) -> pl.DataFrame:
        """Give the services to come for a report, the first ``top`` of them."""
        rows = self.or_refuse().ahead
        return (rows.head(top) if top else rows).select(
            *("name", "kind", "calls_per_week", "relative", "removed_per_week"),
            *("removed_per_week_low", "removed_per_week_high", "covered_share"),
        )

    def effects_table(self) -> pl.DataFrame:
        """Give the launches for a report, by day."""
        if self.refused:
            raise DataError(self.refused)
        return self.effects.select(
            *("name", "kind", "live_on", "weeks", "calls_per_week"),
            *("relative", "relative_low", "relative_high", "shrunk"),
        )

    def summary(self) -> str:
        """Say what is covered, what the next services would take away, and how it was proved."""
        here = (
            f"{self.name} covers {self.covered} of {counted(self.services.height, 'service')}, "
            f"{self.covered_share:.0%} of calls"
        )
        if self.refused:
            return f"{here}; what the next ones would take away cannot be known: {self.refused}."
        together = self.together
        if together is None:
            return f"{here}; none is left to launch."
        first = self.ahead.row(0, named=True)
        level = f"{100 * self.inputs['level']:g}%"
        rest = (
            f"; all {self.ahead.height} that are left, {told(together.value)} "
            f"({told(together.low)} to {told(together.high)})"
            if self.ahead.height > 1
            else ""
        )
        words = [
            f"{here}; {first['name']} next would take away {told(first['removed_per_week'])} "
            f"calls a week ({level} interval {told(first['removed_per_week_low'])} to "
            f"{told(first['removed_per_week_high'])}){rest}."
        ]
        words.append(self._how())
        if self.proof.height:
            words.append(self._proved())
        return " ".join(words)

    def _how(self) -> str:
        by = f", by {' and '.join(self.used)}" if self.used else ""
        return (
            f"Learnt from {counted(self.effects.height, 'launch', 'launches')}{by}: each against "
            "what services not yet live foretell, drawn together by random effects; like services "
            f"differ by {np.expm1(self.spread):.1%} (standard deviation), which the intervals hold."
        )

    def _proved(self) -> str:
        inside, n = int(self.proof["inside"].sum()), self.proof.height
        mine, same = self.weighted_error or (0.0, 0.0)
        alike = f"{mine:.1%}" == f"{same:.1%}"
        than = "about" if alike else "less than" if mine < same else "no less than"
        return (
            f"Tried on the last {n} launches, foretold from those before them: {inside} of {n} "
            f"came out within their {100 * self.inputs['level']:g}% intervals; the error weighted "
            f"by calls, {mine:.1%}, is {than} that of one share for all, {same:.1%}."
        )


def coverage(
    panel: Any,
    services: Any,
    treatment: str | None = None,
    *,
    count: str = "first_attempts",
    min_weeks: int = 8,
    settle_weeks: int = 4,
    recent_weeks: int = 13,
    hold_out: int = 10,
    level: float = 0.80,
    seed: int = 1,
) -> Coverage:
    """Say what a channel covers, and rank the services to come by what they would take away.

    Each launch within the log is compared with what services not yet live foretell (log ratio y,
    variance v, see `ccanalytics.deflection.launched`). Then y_i = x_i β + u_i + e_i with x kind,
    log handle time and log volume as far as they help, var(u) between services by Paule and
    Mandel; a service to come gets x β with the variance of β and of u, and Student's t.

    Parameters
    ----------
    panel
        Frame of ``CallLog.panel(unit="service", every="1w")``.
    services
        Frame of ``CallLog.table("services")``: ``service``, ``name``, ``kind``, and a column
        ``…_on`` per channel with the day on which it took up the service.
    treatment
        Which channel: ``web_hall`` for the column ``web_hall_on``. Default: of those that take
        calls away and took up services within the log, the one with most left to cover.
    count
        What is counted: ``first_attempts``, ``offered``, ``arrived`` or ``answered``.
    min_weeks
        Fewest weeks before a launch, and after it once use has settled.
    settle_weeks
        Weeks after a launch that are left out, while use still grows.
    recent_weeks
        Last weeks, over which calls are counted that the next services would take away.
    hold_out
        Last launches that are foretold from those before them; fewer where there are few.
    level
        Of the limits, 0–1.
    seed
        Of the draws behind the sums.

    Raises
    ------
    InputError
        A frame without its columns, a table without days, a channel that is not known.
    DataError
        Nothing is live yet, or the panel has no whole week.

    References
    ----------
    Higgins, Thompson & Spiegelhalter (2009), A re-evaluation of random-effects meta-analysis,
    Journal of the Royal Statistical Society A 172: prediction intervals.
    """
    import polars as pl

    level = check_level(level)
    asked = {
        "min_weeks": min_weeks,
        "settle_weeks": settle_weeks,
        "recent_weeks": recent_weeks,
        "hold_out": hold_out,
        "seed": seed,
    }
    for name, number in asked.items():
        least = 0 if name in ("settle_weeks", "hold_out", "seed") else 1
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise InputError(f"{name} is a whole number, {least} or more", f"{name}={number!r}")
    if count not in _COUNTS:
        raise InputError("calls are counted", f"count={count!r}", "one of " + ", ".join(_COUNTS))
    needs = ["local_start", "interval_s", "unit", count]
    weeks = as_polars(panel, "panel", needs, "log.panel(unit='service', every='1w')")
    handled = [name for name in ("handled", "handle_s") if name in weeks.columns]
    check_counts(weeks, [count, *handled], "panel")
    table = as_polars(services, "services", ["service"], "log.table('services')")
    if table["service"].is_duplicated().any():
        raise InputError("a service stands twice", "services", "keep one row each")
    weeks, _ = whole_weeks(weeks, "the weeks of the panel")
    units = table["service"].drop_nulls().sort().to_list()
    starts, calls = calls_by_week(weeks, units, count)
    days = days_live(table)
    name = named(treatment, days, starts)
    end = starts[-1] + dt.timedelta(days=7)
    live_on = {unit: day for unit, day in days[name].items() if day < end}
    if not live_on:
        raise DataError(
            "no service is live yet, so there is nothing to learn from",
            f"{name}_on has no day before {end}",
            "wait for the first launches",
        )
    when = np.array(
        [(live_on[u] - starts[0]).days // 7 if u in live_on else NEVER for u in units], np.int64
    )
    recent = calls[:, -recent_weeks:].mean(axis=1)
    frame = listed(table, units, live_on, recent)
    covered = frame.drop_nulls("live_on")
    base = Coverage(
        inputs={"treatment": name, "count": count, "level": level, **asked},
        name=term(name),
        services=frame,
        covered=covered.height,
        covered_share=float(covered["share"].sum()),
        effects=pl.DataFrame(),
        ahead=pl.DataFrame(),
        proof=pl.DataFrame(),
        used=(),
        spread=0.0,
        refused="",
    )
    others = {
        other: np.array([[part_live(s, d[u]) if u in d else 0.0 for s in starts] for u in units])
        for other, d in days.items()
        if other != name and any(day < end for day in d.values())
    }
    try:
        seen = launched(calls, when, others, min_weeks=min_weeks, settle_weeks=settle_weeks)
    except DataError as error:
        return replace(base, refused=f"{error.what} ({error.where})")
    if seen.at.size < _FEWEST:
        few = counted(seen.at.size, "launch", "launches")
        return replace(
            base,
            refused=f"{few} could be estimated, and how services differ takes {_FEWEST} at least",
        )
    return _learnt(base, seen, traits_of(weeks, frame, calls), recent, when, units)


def _learnt(
    base: Coverage, seen: Launched, traits: Floats, recent: Floats, when: Any, units: list[str]
) -> Coverage:
    import polars as pl
    from scipy.special import stdtrit

    level = base.inputs["level"]
    model = foretell(seen.log, seen.variance, traits[seen.at], TRAITS)
    t = float(stdtrit(model.model.degrees, 0.5 + level / 2))
    names = base.services.select("unit", "name", "kind", "live_on")

    def limits(prefix: str, mean: Floats, error: Floats, times: float = t) -> dict[str, Floats]:
        ends = {"": mean, "_low": mean - times * error, "_high": mean + times * error}
        return {f"{prefix}{end}": np.expm1(each) for end, each in ends.items()}

    own = float(stdtrit(10_000, 0.5 + level / 2))
    effects = pl.DataFrame(
        {
            "unit": [units[i] for i in seen.at],
            "weeks": seen.weeks,
            "calls_per_week": seen.foretold,
            **limits("relative", seen.log, np.sqrt(seen.variance), own),
            **limits("shrunk", model.model.shrunk, np.sqrt(model.model.shrunk_variance)),
        }
    ).join(names, on="unit", how="left")
    order = np.argsort(when[seen.at], kind="stable")
    last = min(base.inputs["hold_out"], seen.at.size // 2)
    proof = pl.DataFrame()
    if last and seen.at.size - last >= _FEWEST:
        found = held_out(
            seen.log, seen.variance, seen.foretold, traits[seen.at], TRAITS, order, last
        )
        proof = _proof(found, seen, units, level).join(names, on="unit", how="left")
    left = np.flatnonzero(when == NEVER)
    silent = int((recent[left] == 0).sum())
    left = left[recent[left] > 0]
    ahead = pl.DataFrame()
    if left.size:
        ahead = _ahead(base, model, traits, recent, left, units, t)
    return replace(
        base,
        effects=effects.sort("live_on", "unit"),
        ahead=ahead.join(names.drop("live_on"), on="unit", how="left", maintain_order="left")
        if ahead.height
        else ahead,
        proof=proof,
        used=model.used,
        spread=float(np.sqrt(model.model.between_next)),
        checks=coverage_checks(base.name, seen, proof, units, silent),
    )


def _ahead(
    base: Coverage,
    model: Any,
    traits: Floats,
    recent: Floats,
    left: Any,
    units: list[str],
    t: float,
) -> pl.DataFrame:
    import polars as pl

    level = base.inputs["level"]
    mean, variance = model.predict(traits[left])
    gone = -np.expm1(mean) * recent[left]
    order = np.argsort(-gone, kind="stable")
    left, mean, variance, gone = left[order], mean[order], variance[order], gone[order]
    error = np.sqrt(variance)
    rng = np.random.default_rng(base.inputs["seed"])
    rows, fit = model.rows(traits[left]), model.model
    # What the services to come have in common is the line: its error does not average out.
    scale = np.sqrt(fit.degrees / rng.chisquare(fit.degrees, (_DRAWS, 1)))
    moved = rng.multivariate_normal(np.zeros(fit.beta.size), fit.covariance, _DRAWS)
    own = rng.standard_normal((_DRAWS, left.size)) * np.sqrt(fit.between_next)
    drawn = mean + scale * (moved @ rows.T + own)
    so_far = np.cumsum(-np.expm1(drawn) * recent[left], axis=1)
    low, high = np.quantile(so_far, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    share = recent[left] / max(recent.sum(), 1e-9)
    return pl.DataFrame(
        {
            "unit": [units[i] for i in left],
            "calls_per_week": recent[left],
            "relative": np.expm1(mean),
            "relative_low": np.expm1(mean - t * error),
            "relative_high": np.expm1(mean + t * error),
            "removed_per_week": gone,
            "removed_per_week_low": -np.expm1(mean + t * error) * recent[left],
            "removed_per_week_high": -np.expm1(mean - t * error) * recent[left],
            "covered_share": base.covered_share + np.cumsum(share),
            "removed_so_far": np.cumsum(gone),
            "removed_so_far_low": low,
            "removed_so_far_high": high,
        }
    )


def _proof(found: Proof, seen: Launched, units: list[str], level: float) -> pl.DataFrame:
    import polars as pl
    from scipy.special import stdtrit

    half = float(stdtrit(found.degrees, 0.5 + level / 2)) * np.sqrt(found.variance)
    log = seen.log[found.last]
    return pl.DataFrame(
        {
            "unit": [units[i] for i in seen.at[found.last]],
            "calls_per_week": seen.foretold[found.last],
            "relative": np.expm1(log),
            "foretold": np.expm1(found.log),
            "foretold_low": np.expm1(found.log - half),
            "foretold_high": np.expm1(found.log + half),
            "inside": np.abs(log - found.log) <= half,
            "same": np.full(log.size, np.expm1(found.same)),
        }
    )


def told(calls: float) -> str:
    """Calls in words.

    >>> told(0.94), told(-1234.5)
    ('0.9', '−1,234')
    """
    # Few calls are told with a decimal, so that none becomes 0.
    return (f"{calls:,.1f}" if abs(calls) < _FEW else f"{calls:,.0f}").replace("-", "−")
