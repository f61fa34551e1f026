"""Lines, voice-menu ports and seats over the coming months, as subscribers grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.demand import as_demand
from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import Rules, check_number, counted
from ccanalytics.staffing.contact_pattern import DAYS_A_MONTH
from ccanalytics.staffing.trunks import trunks

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["TrunkGrowth", "read_seasons", "trunk_growth"]

_MOST_MONTHS = 120


@dataclass(frozen=True, eq=False, kw_only=True)
class TrunkGrowth(Result):
    """The plan of every coming month.

    Attributes
    ----------
    frame
        Per ``month`` (its first day): ``subscribers``, ``contact_rate``, ``season``, ``calls`` (of
        the month), ``busy_calls`` (of its busiest interval), ``lines``, ``ports``, ``agents`` (the
        seats taken at that interval) and ``scheduled_agents``.
    """

    frame: pl.DataFrame

    def summary(self) -> str:
        """First and last month, and the one that needs most lines."""
        first, last = (self.frame.row(k, named=True) for k in (0, -1))
        most = self.frame.sort("lines", descending=True, maintain_order=True).row(0, named=True)
        told = (
            f"From {first['month']:%B %Y} to {last['month']:%B %Y} subscribers go from "
            f"{first['subscribers']:,.0f} to {last['subscribers']:,.0f}, "
            f"{_course('lines', first['lines'], last['lines'])}, "
            f"{_course('voice-menu ports', first['ports'], last['ports'])} and "
            f"{_course('seats', first['agents'], last['agents'])}"
        )
        peak = (
            f"; most is needed in {most['month']:%B %Y}: {counted(most['lines'], 'line')} and "
            f"{counted(most['agents'], 'seat')}"
            if most["lines"] > max(first["lines"], last["lines"])
            else ""
        )
        return (
            f"{told}{peak}. Calls = subscribers × contact rate × season, {self.inputs['seasons']}; "
            f"subscribers change by {self.inputs['growth']:+.2%} a month; the day keeps its shape, "
            "and is planned anew for every month."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the months."""
        return self.frame


def _course(what: str, first: int, last: int) -> str:
    return f"{what} stay at {first:,}" if first == last else f"{what} go from {first:,} to {last:,}"


def read_seasons(text: str) -> dict[int, float] | None:
    """Seasons from a text: twelve numbers from January on, 1 being an average month; "" for none.

    >>> read_seasons("1.2 1 1 1 1 1 1 1 1 1 1 0.8")[12]
    0.8
    """
    parts = str(text).replace(",", " ").split()
    if not parts:
        return None
    try:
        return _seasons([float(part) for part in parts])
    except ValueError as error:
        raise InputError(
            "seasons are twelve numbers", f"seasons={text!r}", "from January on, such as 1.05"
        ) from error


def _seasons(values: Any) -> dict[int, float]:
    if not isinstance(values, Mapping):
        try:
            values = {k + 1: value for k, value in enumerate(values)}
        except TypeError as error:
            raise InputError(
                "seasons are twelve numbers, one a month",
                f"seasons={values!r}",
                "from January on; 1 is an average month",
            ) from error
    if set(values) != set(range(1, 13)):
        raise InputError(
            "seasons are twelve numbers, one a month",
            f"{len(values)} given",
            "from January on; 1 is an average month",
        )
    found = {m: check_number(f"season of month {m}", values[m]) for m in range(1, 13)}
    bad = [m for m, x in found.items() if x <= 0]
    if bad:
        raise InputError("a season is above 0", f"month {bad[0]}: {found[bad[0]]:g}")
    return found


def trunk_growth(
    months: int,
    goal: ServiceLevel,
    day: Any,
    *,
    first: date,
    subscribers: float,
    contact_rate: float,
    per_day: float | None = None,
    growth: float = 0.0,
    seasons: Any = None,
    **plan: Any,
) -> TrunkGrowth:
    r"""Plan lines, ports and seats month by month.

    calls of a day = subscribers·(1 + growth)\ :sup:`k` · contact_rate · season / 30.44, k months
    from the first. The day that is planned grows with them, every interval alike, and is planned
    anew (see :func:`~ccanalytics.staffing.trunks`); with more calls never on fewer lines.

    Parameters
    ----------
    months
        How many, 1 to 120.
    goal
        The service level.
    day
        Demand of the day that is planned, such as a mean busiest weekday.
    first
        A day in the first month.
    subscribers
        In the first month.
    contact_rate
        Calls per subscriber in a month of average length.
    per_day
        Calls of an average day, of which ``day`` is the busy kind; default: the calls of ``day``.
    growth
        Growth of subscribers a month: 0.01 is 1%; negative where they leave.
    seasons
        Twelve numbers from January on, or month → number; 1 is average. None: every month is.
    **plan
        Further arguments of ``trunks``: ``menu``, ``to_agent``, ``max_blocking``, ``shrinkage``, …

    Returns
    -------
    TrunkGrowth

    Raises
    ------
    InputError
        A number out of its range; what ``trunks`` refuses.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> from ccanalytics import ServiceLevel
    >>> hour = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 10, tzinfo=timezone.utc)],
    ...     "interval_s": [3600], "calls": [80.0], "aht_s": [180.0]})
    >>> coming = trunk_growth(3, ServiceLevel(0.80, within=20), hour, per_day=1000,
    ...     first=date(2026, 1, 1), subscribers=100_000, contact_rate=0.3, growth=0.05,
    ...     menu=60, to_agent=0.7)
    >>> coming.frame["busy_calls"].round(2).to_list()
    [78.85, 82.79, 86.93]
    """
    import polars as pl

    if isinstance(months, bool) or not isinstance(months, int) or not 1 <= months <= _MOST_MONTHS:
        raise InputError(f"months are whole, 1 to {_MOST_MONTHS}", f"months={months!r}")
    if not isinstance(first, date):
        raise InputError("the first month is told by a day in it", f"first={first!r}")
    for name, value in (
        ("subscribers", subscribers), ("contact_rate", contact_rate),
        *(() if per_day is None else (("per_day", per_day),)),
    ):  # fmt: skip
        if check_number(name, value) <= 0:
            raise InputError("this must be above 0", f"{name}={value!r}")
    if check_number("growth", growth) <= -1:
        raise InputError("no more can leave than there are", f"growth={growth!r}")
    rows_of_day = as_demand(day)
    whole = float(rows_of_day["calls"].sum())
    if not whole:
        raise InputError("the day that is planned has no calls", "day: 0 calls", "choose another")
    top = float(rows_of_day["calls"].to_numpy().max())
    base = whole if per_day is None else float(per_day)
    season = dict.fromkeys(range(1, 13), 1.0) if seasons is None else _seasons(seasons)
    rules = Rules(goal, plan.get("shrinkage", 0.0))
    begin = date(first.year, first.month, 1)
    rows = []
    most, held = 0.0, 0
    for k in range(months):
        month = date(begin.year + (begin.month - 1 + k) // 12, (begin.month - 1 + k) % 12 + 1, 1)
        days = ((month.replace(day=28) + timedelta(days=4)).replace(day=1) - month).days
        people = subscribers * (1 + growth) ** k
        a_day = people * contact_rate * season[month.month] / DAYS_A_MONTH
        scale = a_day / base
        scaled = rows_of_day.with_columns(pl.col("calls") * scale)
        found = trunks(scaled, goal, **plan)
        if a_day >= most and found.lines < held:
            # An agent more may free a line; nobody gives one back while calls grow.
            found = trunks(scaled, goal, **{**plan, "agents": None, "lines": held})
        if a_day >= most:
            most, held = a_day, found.lines
        rows.append(
            {
                "month": month,
                "subscribers": people,
                "contact_rate": float(contact_rate),
                "season": season[month.month],
                "calls": a_day * days,
                "busy_calls": top * scale,
                "lines": found.lines,
                "ports": found.ports,
                "agents": found.agents,
                "scheduled_agents": int(rules.scheduled(np.array([found.agents]))[0]),
            }
        )
    frame = pl.DataFrame(rows)
    steps = frame["lines"].cum_max().n_unique() - 1
    words = (
        f"lines have to be added in {counted(steps, 'month')} of {months}: order them before"
        if steps
        else "no line has to be added"
    )
    return TrunkGrowth(
        frame=frame,
        inputs={
            "goal": goal.describe(), "growth": growth, "per_day": base,
            "contact_rate": contact_rate,
            "seasons": "every month taken as average" if seasons is None else "seasons as given",
            **plan,
        },
        checks=(Check("Steps", "informs", words),),
    )  # fmt: skip
