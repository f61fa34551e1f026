"""Who leaves, and after how long: survival of tenure, and monthly rates for long-range plans."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.agentcells import listed, some_names
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.statistics.survival import KaplanMeier

    Floats = NDArray[np.float64]

__all__ = ["Attrition", "attrition"]

_MONTH = 365.25 / 12
_FEW_AT_RISK = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Attrition(Result):
    """How long agents stay.

    Attributes
    ----------
    survival
        Rows of ``weeks_worked``, ``staying`` with limits (share still there), ``agents_at_work``
        and ``leavers`` (agents under observation at that tenure, and who left then).
    rates
        One row per band of tenure, and ``all``: ``tenure``, ``agents``, ``leavers``,
        ``agent_months`` (under observation), ``monthly_leaving`` with limits (share leaving in a
        month), ``yearly_leaving``.
    median_weeks
        Weeks by which half have left; inf where the curve does not come so far down.
    from_weeks
        The curve is of those who stayed at least so long; 0: from the first day.
    """

    survival: pl.DataFrame
    rates: pl.DataFrame
    median_weeks: Estimate
    from_weeks: float
    left: int
    agents: int

    def leaving(self, heads: dict[str, float], months: float = 12) -> Estimate:
        """Expect how many of some heads leave within months, none of them replaced.

        Each band keeps its own rate: nobody grows out of it. Limits are those of the rates; luck
        of who leaves comes on top.

        Raises
        ------
        InputError
            An unknown band.
        """
        rows = {row["tenure"]: row for row in self.rates.iter_rows(named=True)}
        found = [0.0, 0.0, 0.0]
        for band, count in heads.items():
            if band not in rows:
                raise InputError(
                    "no such band of tenure", f"{band!r}", "one of " + ", ".join(map(repr, rows))
                )
            for k, side in enumerate(("", "_low", "_high")):
                stay = (1 - rows[band][f"monthly_leaving{side}"]) ** months
                found[k] += count * (1 - stay)
        value, low, high = found
        return Estimate(value, low, high, self.inputs["level"])

    def headline(self) -> str:
        """Give the answer alone, in one sentence."""
        row = self.rates.filter(self.rates["tenure"] == "all").row(0, named=True)
        return (
            f"{row['monthly_leaving']:.1%} of agents leave in a month "
            f"({row['monthly_leaving_low']:.1%} to {row['monthly_leaving_high']:.1%}), "
            f"{row['yearly_leaving']:.0%} in a year; {self.left} of "
            f"{counted(self.agents, 'agent')} left."
        )

    def summary(self) -> str:
        """Give the answer, by tenure, and the method."""
        words = [self.headline()]
        bands = [
            f"{row['tenure']} {row['monthly_leaving']:.1%}"
            for row in self.rates.iter_rows(named=True)
            if row["tenure"] != "all" and row["agent_months"]
        ]
        if len(bands) > 1:
            words.append(f"By weeks of work, a month: {', '.join(bands)}.")
        half = self.median_weeks
        if np.isfinite(half.value):
            of = f"those who stay {self.from_weeks:.0f} weeks" if self.from_weeks else "newcomers"
            words.append(f"Of {of} half are gone after {half.value:.0f} weeks.")
        words.append(
            f"From {self.inputs['seen_from']} to {self.inputs['seen_until']}; who was hired before "
            "is at risk from the first of these days only (Kaplan–Meier with delayed entry), since "
            "colleagues who had left by then are in no log. Limits of rates are exact (Poisson)."
        )
        return " ".join(words)

    def to_frame(self) -> pl.DataFrame:
        """Give the rates."""
        return self.rates


def attrition(
    people: Any,
    *,
    seen_from: dt.date | str | None = None,
    seen_until: dt.date | str | None = None,
    bands: Iterable[float] = (13, 52),
    level: float = 0.95,
) -> Attrition:
    """Estimate how long agents stay, from days of hiring and leaving.

    Parameters
    ----------
    people
        Frame of ``CallLog.agents()``: ``agent``, ``hired_on``, ``left_on`` (last day of work; null
        while employed).
    seen_from, seen_until
        First and last day on which who left would be known; None: those of the frame
        (``seen_from``, ``seen_until``: the log's). A table of agents that keeps everyone who ever
        worked may say an earlier day.
    bands
        Weeks of work that part bands of tenure.
    level
        Of the limits, 0–1.

    Raises
    ------
    InputError
        A frame without its columns, days that are none or in the wrong order, bands that do not
        rise.
    DataError
        No agent with a day of hiring, or nobody who left.

    References
    ----------
    Kaplan & Meier (1958), JASA 53, 457–481; Tsai, Jewell & Wang (1987), Biometrika 74, 883–886;
    Garwood (1936), Biometrika 28, 437–442.

    Examples
    --------
    >>> import datetime as dt, polars as pl
    >>> agents = pl.DataFrame({"agent": ["a", "b", "c", "d"],
    ...     "hired_on": [dt.date(2023, 1, 1)] * 2 + [dt.date(2024, 1, 1)] * 2,
    ...     "left_on": [dt.date(2024, 6, 30), None, dt.date(2024, 2, 1), None]})
    >>> found = attrition(agents, seen_from="2024-01-01", seen_until="2024-12-31")
    >>> found.left, found.rates["leavers"].to_list()
    (2, [1, 0, 1, 2])
    """
    import polars as pl

    level, edges = check_level(level), _edges(bands)
    rows = listed(people)
    first = _day(rows, "seen_from", seen_from, "min")
    last = _day(rows, "seen_until", seen_until, "max")
    if first > last:
        raise InputError(
            "the first day seen comes after the last", f"seen_from={first}, seen_until={last}"
        )
    unknown = rows.filter(pl.col("hired_on").is_null())["agent"].to_list()
    rows = rows.filter(pl.col("hired_on").is_not_null(), pl.col("hired_on") <= last)
    wrong = rows.filter(pl.col("left_on") < pl.col("hired_on"))["agent"].to_list()
    rows = rows.filter((pl.col("left_on") >= pl.col("hired_on")).fill_null(value=True))
    before = rows.filter(pl.col("left_on") < first).height
    rows = rows.filter((pl.col("left_on") >= first).fill_null(value=True))
    if not rows.height:
        raise DataError(
            "no agent with a day of hiring worked in these days",
            f"{counted(len(unknown), 'agent')} without one, {before} left before",
            "load a table of agents with hired_on and left_on",
        )
    days = [
        (rows[name] - first).dt.total_days().cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in ("hired_on", "left_on")
    ]
    end = float((last - first).days)
    hired, left = days
    gone = left <= end
    entry = np.maximum(-hired, 0.0)
    # The last day of work is worked.
    out = np.where(gone, left, end) - hired + 1
    if not gone.any():
        raise DataError(
            "nobody left in these days, so how long people stay cannot be told",
            f"{counted(rows.height, 'agent')}, seen_from={first}, seen_until={last}",
            "load left_on, or take a longer span",
        )
    curve, from_weeks = _curve(entry, out, gone, level)
    rates = _rates(entry, out, gone, edges, level)
    half = curve.quantile(0.5)
    return Attrition(
        inputs={"seen_from": first, "seen_until": last, "bands": edges, "level": level},
        checks=_checks(unknown, wrong, before, from_weeks, int(gone.sum())),
        survival=pl.DataFrame(
            {
                "weeks_worked": curve.seconds / 7,
                "staying": curve.survival, "staying_low": curve.low,
                "staying_high": curve.high, "agents_at_work": curve.at_risk.astype(np.int64),
                "leavers": curve.events.astype(np.int64),
            }
        ).with_columns(pl.col("staying_high").fill_nan(None)),
        rates=rates,
        median_weeks=Estimate(half.value / 7, half.low / 7, half.high / 7, level),
        from_weeks=from_weeks,
        left=int(gone.sum()),
        agents=rows.height,
    )  # fmt: skip


def _edges(bands: Iterable[float]) -> tuple[float, ...]:
    try:
        edges = tuple(float(each) for each in bands)
    except (TypeError, ValueError):
        raise InputError("bands are weeks", f"bands={bands!r}", "(13, 52)") from None
    if any(b <= a for a, b in zip((0.0, *edges), edges, strict=False)):
        raise InputError("bands are weeks that rise from above 0", f"bands={edges!r}", "(13, 52)")
    return edges


def _day(rows: pl.DataFrame, name: str, told: Any, which: str) -> dt.date:
    if told is None:
        found = getattr(rows[name], which)() if name in rows.columns else None
        if found is None:
            raise InputError(
                "the frame does not say from when to when leaving would be known",
                f"{name}=None",
                "take the frame from CallLog.agents, or give the day",
            )
        told = found
    if isinstance(told, dt.datetime):
        return told.date()
    if isinstance(told, dt.date):
        return told
    try:
        return dt.date.fromisoformat(str(told))
    except ValueError:
        raise InputError("this must be a day", f"{name}={told!r}", "'2024-06-03'") from None


def _curve(
    entry: Floats, out: Floats, gone: NDArray[np.bool_], level: float
) -> tuple[KaplanMeier, float]:
    """Curve in days, from the tenure on at which a few are always under observation."""
    from ccanalytics.statistics.survival import kaplan_meier

    ends = np.unique(out[gone])
    risk = ((entry < ends[:, None]) & (out >= ends[:, None])).sum(axis=1)
    # Of one or two under observation, one who leaves would take the curve to the ground.
    thin = np.flatnonzero(risk[: int(risk.argmax())] < _FEW_AT_RISK)
    start = float(ends[thin[-1]]) if thin.size else 0.0
    some = out > start
    begun = np.maximum(entry[some], start)
    times = np.concatenate([begun, out[some]])
    zeros = np.zeros(begun.size)
    curve = kaplan_meier(
        times,
        np.concatenate([zeros, gone[some]]),
        np.concatenate([zeros, ~gone[some]]),
        level,
        entered=np.concatenate([np.ones(begun.size), zeros]),
    )
    return curve, start / 7


def _rates(
    entry: Floats, out: Floats, gone: NDArray[np.bool_], edges: tuple[float, ...], level: float
) -> pl.DataFrame:
    """Leavers over months at risk, with Garwood's limits."""
    import polars as pl
    from scipy.special import chdtri

    marks = [0.0, *(7 * edge for edge in edges), np.inf]
    spans = [*pairwise(marks), (0.0, np.inf)]
    names = [f"up to {edges[0]:g} weeks"] if edges else []
    names += [f"{a:g} to {b:g} weeks" for a, b in pairwise(edges)]
    names += [f"over {edges[-1]:g} weeks"] if edges else []
    if not edges:
        spans = spans[1:]
    rows = []
    tail = (1 - level) / 2
    for name, (low, high) in zip([*names, "all"], spans, strict=True):
        at = np.clip(np.minimum(out, high) - np.maximum(entry, low), 0, None)
        months = float(at.sum()) / _MONTH
        count = int((gone & (out > low) & (out <= high)).sum())
        limits = (
            float(chdtri(2 * count, 1 - tail)) / 2 if count else 0.0,
            float(chdtri(2 * count + 2, tail)) / 2,
        )
        rate = [each / months if months else np.nan for each in (count, *limits)]
        share = [-np.expm1(-each) for each in rate]
        rows.append((name, int((at > 0).sum()), count, months, *share, -np.expm1(-12 * rate[0])))
    schema = [
        "tenure", "agents", "leavers", "agent_months", "monthly_leaving", "monthly_leaving_low",
        "monthly_leaving_high", "yearly_leaving",
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(pl.col(schema[4:]).fill_nan(None))


def _checks(
    unknown: list[str], wrong: list[str], before: int, from_weeks: float, left: int
) -> tuple[Check, ...]:
    checks = []
    for names, why in (
        (unknown, "agents without a day of hiring"),
        (wrong, "agents who left before they were hired"),
    ):
        if names:
            checks.append(
                Check(why, "informs",
                      f"{counted(len(names), 'agent')} left out: {some_names(names)}")
            )  # fmt: skip
    if before:
        checks.append(
            Check("left before", "informs",
                  f"{counted(before, 'agent')} had left before the first of these days, left out: "
                  "of their colleagues then nothing is known")
        )  # fmt: skip
    if from_weeks:
        checks.append(
            Check("first weeks of work", "informs",
                  f"too few were seen in their first {from_weeks:.0f} weeks; the curve is of "
                  "those who stayed so long")
        )  # fmt: skip
    if left < 10:
        checks.append(Check("few leavers", "informs", f"{left} left: rates rest on few people"))
    checks.append(
        Check("the future", "informs",
              "people leave for reasons that change: a new employer in town, the season, the pay")
    )  # fmt: skip
    return tuple(checks)
