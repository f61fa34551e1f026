"""What a requirement is: agents interval by interval, in words and as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.results import Result
from ccanalytics.staffing._days import WEEKDAYS
from ccanalytics.staffing._seats import counted, on_day, percent, tied

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["SINGLE_DAYS", "Requirement"]

SINGLE_DAYS = "Single unusual days"
_FIGURES = (
    "calls", "aht_s", "load", "required_agents", "scheduled_agents", "service_level", "occupancy",
    "asa", "abandonment", "effective_load", "goal_chance",
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
        if shrinkage or self.inputs["absence"]:
            after = [f"{percent(shrinkage)} shrinkage"] if shrinkage else []
            after += (
                [f"{percent(self.inputs['absence'])} absence"] if self.inputs["absence"] else []
            )
            seated += f" ({top['scheduled_agents']} scheduled after {' and '.join(after)})"
        return f"{seated}, {self.at_peak()}{self.caution}. {self.details()}"

    def details(self) -> str:
        """Hours, predicted service and the model in words; what stands behind the peak."""
        shrinkage = self.inputs["shrinkage"]
        hours = f"{self.agent_hours:,.1f} agent-hours seated"
        more = shrinkage or self.inputs["absence"]
        hours += f", {self.scheduled_hours:,.1f} scheduled" if more else ""
        served = ""
        if self.frame["calls"].sum() > 0:
            every = (
                "The day as a whole then meets"
                if self.inputs["over"] == "day"
                else "Every interval with calls then meets"
            )
            served = (
                f" {every} {self.goal.describe()}; over all calls {self.service_level:.1%} are "
                f"expected to be served so, with agents {self.occupancy:.0%} occupied."
            )
        bound = (
            f" Handle times are without {self.lacks}, which this log does not record: every "
            "number of seats here is a lower bound."
            if self.lacks
            else ""
        )
        days = f" The mean is over {self.days}." if self.days else ""
        days += f" Only {self.hours} is planned." if self.hours else ""
        worth = self.inputs["efficiency"]
        days += (
            f" Handle times are those measured over {worth:.3g}: a head of this floor does "
            f"{worth:.0%} of the work of one measured."
            if worth != 1
            else ""
        )
        return (
            f"All intervals together take {hours}.{served}{bound}{days} "
            f"Method: {self.inputs['method_words']}; {self.inputs['model']}."
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
