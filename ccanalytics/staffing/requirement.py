"""The requirement: the least agents per interval that meet the goal, seated and scheduled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ccanalytics.demand import MEASURES, as_demand
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing import _doubts
from ccanalytics.staffing._days import LOCAL, WEEKDAYS
from ccanalytics.staffing._seats import Rules, counted, on_day, tied
from ccanalytics.staffing.typical import TypicalDemand

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["Requirement", "requirement"]

Method = Literal["stationary"]
SINGLE_DAYS = "Single unusual days"
_FIGURES = (
    "calls", "aht_s", "load", "required_agents", "scheduled_agents", "service_level", "occupancy",
    "asa", "abandonment",
)  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Requirement(Result):
    """Agents required, interval by interval.

    Attributes
    ----------
    frame
        Per interval and key: the demand, and ``load`` (erlangs), ``required_agents`` (seated),
        ``scheduled_agents`` (after shrinkage), and what is predicted with the required agents:
        ``service_level``, ``occupancy``, ``wait_probability``, ``asa``, ``abandonment``; null
        where no call comes.
    goal
        What was to be met.
    keys
        Names of the key columns.
    name, days
        Whose requirement it is, such as "average Wednesday", and over which days; may be empty.
    caution
        What the peak rests on, if that is a single day.
    hours
        Opening and closing time, where intervals outside them are left out; may be empty.
    lacks
        What handle times do not contain, such as "after-call work": then seats are a lower bound.
    """

    frame: pl.DataFrame
    goal: ServiceLevel
    keys: tuple[str, ...]
    name: str = ""
    days: str = ""
    caution: str = ""
    lacks: str = ""
    hours: str = ""

    @property
    def peak(self) -> dict[str, Any]:
        """The interval that needs most agents; of several, the one with the greatest load."""
        return self.frame.sort("required_agents", "load", descending=True).row(0, named=True)

    @property
    def agent_hours(self) -> float:
        """Seated hours over all intervals."""
        return float((self.frame["required_agents"] * self.frame["interval_s"]).sum()) / 3600

    @property
    def scheduled_hours(self) -> float:
        """Scheduled (paid) hours over all intervals."""
        return float((self.frame["scheduled_agents"] * self.frame["interval_s"]).sum()) / 3600

    @property
    def service_level(self) -> float:
        """Predicted over all calls: the mean over intervals weighted by calls; nan without."""
        return self._weighted("service_level")

    @property
    def occupancy(self) -> float:
        """Predicted over all seated hours that have calls; nan without."""
        busy = self.frame.filter(self.frame["occupancy"].is_not_null())
        seated = busy["required_agents"] * busy["interval_s"]
        total = float(seated.sum())
        return float((busy["occupancy"] * seated).sum()) / total if total else float("nan")

    def _weighted(self, name: str) -> float:
        some = self.frame.filter(self.frame[name].is_not_null())
        calls = float(some["calls"].sum())
        return float((some[name] * some["calls"]).sum()) / calls if calls else float("nan")

    def summary(self) -> str:
        """Peak in words, and what it rests on; hours, predicted service and the model."""
        top, shrinkage = self.peak, self.inputs["shrinkage"]
        least = "at least " if self.lacks else ""
        seated = f"{least}{counted(top['required_agents'], 'agent')}"
        seated = (
            f"An {self.name} needs {seated} seated at its peak"
            if self.name
            else f"{seated[:1].upper()}{seated[1:]} must be seated at the peak"
        )
        if shrinkage:
            seated += f" ({top['scheduled_agents']} scheduled after {shrinkage:.0%} shrinkage)"
        return f"{seated}, {self.at_peak()}{self.caution}. {self.details()}"

    def details(self) -> str:
        """Hours, predicted service and the model in words; what stands behind the peak."""
        shrinkage = self.inputs["shrinkage"]
        hours = f"{self.agent_hours:,.1f} agent-hours seated"
        hours += f", {self.scheduled_hours:,.1f} scheduled" if shrinkage else ""
        served = ""
        if self.frame["calls"].sum() > 0:
            served = (
                f" Every interval with calls then meets {self.goal.describe()}; over all calls "
                f"{self.service_level:.1%} are expected to be served so, with agents "
                f"{self.occupancy:.0%} occupied."
            )
        bound = (
            f" Handle times are without {self.lacks}, which this log does not record: every "
            "number of seats here is a lower bound."
            if self.lacks
            else ""
        )
        days = f" The mean is over {self.days}." if self.days else ""
        days += f" Only {self.hours} is planned." if self.hours else ""
        return (
            f"All intervals together take {hours}.{served}{bound}{days} "
            f"Method: stationary, interval by interval (SIPP); {self.inputs['model']}; one mean "
            "handle time per interval."
        )

    def at_peak(self) -> str:
        """Write when the peak is, and which other intervals need as many agents.

        The peak is the one with the greatest load among them.
        """
        import polars as pl

        top = self.peak
        ties = self.frame.filter(pl.col("required_agents") == top["required_agents"])
        others = [
            row
            for row in ties.iter_rows(named=True)
            if row["interval_start"] != top["interval_start"]
            or any(row[key] != top[key] for key in self.keys)
        ]
        if not top["required_agents"]:
            return self.when(top)
        others.sort(key=lambda row: row["interval_start"])
        return tied(self.when(top), [self.when(row) for row in others])

    def when(self, row: dict[str, Any]) -> str:
        """Write when the interval of a row begins, and its keys."""
        keys = [f"{k} {row[k]}" for k in self.keys if k != "weekday"]
        after = f" ({', '.join(keys)})" if keys else ""
        if "local_start" not in row:
            return f"on {row['interval_start']:%Y-%m-%d from %H:%M} UTC{after}"
        local = row["local_start"]
        if "weekday" in row:
            return f"on {WEEKDAYS[row['weekday'] - 1]} from {local:%H:%M}{after}"
        # A typical day is dated only so that it has a place in time.
        return (
            f"from {local:%H:%M}{after}"
            if self.name
            else f"on {on_day(local)} from {local:%H:%M}{after}"
        )

    def table(self) -> pl.DataFrame:
        """Give every interval as a table to read, by the wall clock; none is left out."""
        import polars as pl

        start = "local_start" if "local_start" in self.frame.columns else "interval_start"
        at = pl.col(start) if not self.name else pl.col(start).dt.strftime("%H:%M")
        figures = [c for c in self.frame.columns if c in _FIGURES]
        return self.frame.select(*self.keys, at.alias("interval"), *figures)

    def write(self, path: str | Path) -> Path:
        """Write the table to a file, ``.csv`` or ``.xlsx``, its columns named with their units.

        Times are local. Text out of the log stays text: no spreadsheet takes it for a formula.

        Raises
        ------
        InputError
            Another ending, or a place that cannot be written.
        UnsupportedError
            ``.xlsx`` without the package XlsxWriter.
        """
        from ccanalytics.staffing._sheet import write

        return write({"Requirement": self.sheet()}, path)

    def sheet(self) -> pl.DataFrame:
        """Give the table as it is written to a file: headings with units, weekdays by name."""
        from ccanalytics.staffing._sheet import headed

        clock = "local time" if "local_start" in self.frame.columns else "UTC"
        return headed(self.table(), self.frame["interval_s"], self.keys, clock)

    def to_frame(self) -> pl.DataFrame:
        """Give the requirement: one row per interval and key."""
        return self.frame


def requirement(
    demand: Any,
    goal: ServiceLevel,
    method: Method = "stationary",
    *,
    shrinkage: float = 0.0,
    patience: float | None = None,
    max_occupancy: float | None = None,
    max_abandonment: float | None = None,
    min_agents: int = 0,
) -> Requirement:
    """Give the least agents per interval that meet the goal and every bound.

    Each interval is taken as a queue in its steady state: load R = calls × handle time / length;
    the requirement is the least n whose service level reaches ``goal.share`` within the bounds
    (with n − 1 it, or a bound, fails). Scheduled agents are ⌈n/(1 − shrinkage)⌉, rounded to 1e-9
    before the ceiling. An interval without calls needs ``min_agents``.

    Parameters
    ----------
    demand
        A :class:`TypicalDemand`, or a frame with interval_start (aware), calls, aht_s, interval_s
        and any keys (``log.demand``, a forecast).
    goal
        The service level wanted.
    method
        ``stationary`` is what there is: SIPP of Green, Kolesar and Soares.
    shrinkage
        Share of paid time in which an agent is not there to take calls, 0 to below 1.
    patience
        Mean seconds until a waiting caller leaves (exponential, Erlang A); None for callers who
        never leave (Erlang C).
    max_occupancy, max_abandonment
        Bounds beside the goal, shares 0–1; none by default.
    min_agents
        Fewest agents in any interval.

    Raises
    ------
    InputError
        A frame of another form, a share outside its range, an unknown method.
    DataError
        An empty frame.

    References
    ----------
    L. Green, P. Kolesar, J. Soares (2001), Improving the SIPP approach for staffing service
    systems that have cyclic demands, Operations Research 49, 549–564.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> from ccanalytics import ServiceLevel
    >>> frame = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 9, tzinfo=timezone.utc)],
    ...     "interval_s": [1800], "calls": [100], "aht_s": [180.0]})
    >>> need = requirement(frame, ServiceLevel(0.80, within=20), shrinkage=0.30)
    >>> need.frame["required_agents"][0], need.frame["scheduled_agents"][0]
    (14, 20)
    """
    import polars as pl

    if method not in get_args(Method):
        raise InputError(
            "no such method",
            f"method={method!r}",
            "choose " + " or ".join(repr(name) for name in get_args(Method)),
        )
    rules = Rules(goal, shrinkage, patience, max_occupancy, max_abandonment, min_agents)
    typical = demand if isinstance(demand, TypicalDemand) else None
    rows = as_demand(demand if typical is None else typical.demand)
    if rows.height == 0:
        raise DataError("the demand frame is empty", "0 rows", "widen start and end")
    keys = tuple(key for key in rows.columns if key not in (*MEASURES, *LOCAL))
    rows = rows.sort([*keys, "interval_start"])
    calls, per, aht = (rows[c].to_numpy() for c in ("calls", "interval_s", "aht_s"))
    agents = rules.agents_for(calls, per, aht)
    load = np.where(calls > 0, calls * np.nan_to_num(aht) / per, 0.0)
    frame = rows.with_columns(
        pl.Series("load", load),
        pl.Series("required_agents", agents),
        pl.Series("scheduled_agents", rules.scheduled(agents)),
        *_predicted(rules, calls, per, aht, agents),
    )
    caution, rests = _one_day(typical, rules)
    return Requirement(
        frame=frame,
        goal=goal,
        keys=keys,
        name="" if typical is None else typical.name,
        days="" if typical is None else typical.describe_days(),
        caution=caution,
        lacks="" if typical is None else typical.lacks,
        hours="" if typical is None else typical.describe_hours(),
        inputs={**rules.inputs(), "method": method, "model": rules.words()},
        checks=(
            _doubts.gaps(frame, keys),
            *_doubts.moving(frame, keys),
            *_doubts.patient(patience),
            *_doubts.varied(frame),
            *rests,
            *(() if typical is None else typical.checks),
        ),
    )


def _predicted(
    rules: Rules, calls: np.ndarray, per: np.ndarray, aht: np.ndarray, agents: np.ndarray
) -> list[pl.Series]:
    import polars as pl

    from ccanalytics.queueing import Queue

    some = (calls > 0) & (agents > 0)
    names = ["service_level", "occupancy", "wait_probability", "asa"]
    if rules.patience is not None:
        names.append("abandonment")
    out = {name: np.full(calls.shape, np.nan) for name in names}
    if some.any():
        queue = Queue(calls=calls[some], per=per[some], aht=aht[some], patience=rules.patience)
        p = queue.performance(agents=agents[some])
        for name in names:
            out[name][some] = (
                p.service_level(rules.goal) if name == "service_level" else getattr(p, name)
            )
    return [pl.Series(name, value).fill_nan(None) for name, value in out.items()]


def _one_day(typical: TypicalDemand | None, rules: Rules) -> tuple[str, list[Check]]:
    """Carry along that an interval, or the peak itself, owes its agents to a single day."""
    if typical is None:
        return "", []
    from ccanalytics.staffing.spikes import found_by

    found = found_by(typical, rules)
    name = SINGLE_DAYS
    if found.flagged.is_empty():
        judged = found.frame["date"].count()
        words = "no interval owes its agents to one of them" if judged else "too few days to tell"
        return "", [Check(name, "holds" if judged else "informs", words)]
    words = found.first()
    return found.caution(), [Check(name, "fails", words[:1].lower() + words[1:])]
