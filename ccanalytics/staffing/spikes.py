"""Spikes: intervals whose requirement rests on a single day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._days import WEEKDAYS
from ccanalytics.staffing._seats import Rules, check_number, counted, on_day, tied
from ccanalytics.staffing.typical import TypicalDemand

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["Spikes", "found_by", "spikes"]

# Leaving one of two days out leaves one day: no evidence of what is usual.
_FEWEST = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Spikes(Result):
    """Which intervals need their agents because of one day.

    Attributes
    ----------
    frame
        Per interval and key: ``required_agents`` from all days, and without the day that
        matters most: its ``date``, its ``day_calls`` of ``day_aht_s``, ``other_calls`` (list, days
        in order; all days where none is judged), their mean ``other_mean`` of ``other_aht_s``,
        ``required_without``, and whether it is a ``spike``.
    demand_without
        The demand of all intervals, spikes taken from the other days only: planning without
        them is :func:`requirement` of it.
    """

    frame: pl.DataFrame
    demand_without: pl.DataFrame
    name: str
    keys: tuple[str, ...]

    @property
    def flagged(self) -> pl.DataFrame:
        """The intervals that rest on one day, the greatest fall first."""
        import polars as pl

        fall = pl.col("required_agents") - pl.col("required_without")
        return self.frame.filter("spike").sort(fall, descending=True)

    def summary(self) -> str:
        """Name each interval, its day, and the requirement without it."""
        rule = (
            f"An interval is named when, without one day, its requirement falls by at least "
            f"{self.inputs['min_share']:.0%} and {self.inputs['min_fall']} agents."
        )
        found = self.flagged
        if found.is_empty():
            few = "" if self.frame["date"].count() else " that could be judged"
            return f"No interval{few} owes its requirement to a single day. {rule}"
        text = self.first()
        all_days, without = self.agent_hours
        these = "that interval" if found.height == 1 else "those intervals"
        return (
            f"{text}. With {these} planned from the other days, all "
            f"intervals together take {without:,.1f} agent-hours instead of {all_days:,.1f}. {rule}"
        )

    def first(self) -> str:
        """Name the interval that falls most, its day, and how many more there are."""
        row = self.flagged.row(0, named=True)
        day = f"{WEEKDAYS[row['date'].isoweekday() - 1]} {on_day(row['date'])}"
        without, more = row["required_without"], self.flagged.height - 1
        long = (row["day_aht_s"] or 0) > 1.5 * (row["other_aht_s"] or 0)
        each = f" of {row['day_aht_s']:,.0f} s each" if long else ""
        rest = (
            "nobody is needed"
            if without == 0
            else f"{without} {'suffices' if without == 1 else 'suffice'}"
        )
        return (
            f"The {counted(row['required_agents'], 'agent')} {self._when(row)} come from {day}, "
            f"which had {counted(round(row['day_calls']), 'call')}{each} in that interval where "
            f"the other days had {_listed(row['other_calls'])}; without it {rest}"
            + (f"; and {counted(more, 'more interval')} like it" if more else "")
        )

    def caution(self) -> str:
        """Say, for the sentence that names the peak, that the peak rests on one day."""
        import polars as pl

        top = self.frame.sort("required_agents", "calls", descending=True).row(0, named=True)
        if not top["spike"]:
            return ""
        kept = pl.when("spike").then("required_without").otherwise("required_agents")
        rest = self.frame.with_columns(_kept=kept).sort("_kept", "calls", descending=True)
        most = rest["_kept"][0]
        if most == top["required_agents"]:
            return ""  # another interval needs as many
        day = f"{WEEKDAYS[top['date'].isoweekday() - 1]} {on_day(top['date'])}"
        first, *others = rest.filter(pl.col("_kept") == most).iter_rows(named=True)
        others.sort(key=lambda row: (row.get("weekday", 0), row["local_start"]))
        at = tied(self._from(first), [self._from(row) for row in others])
        return f"; but that peak comes from one day, {day}: without it the most is {most}, {at}"

    @property
    def agent_hours(self) -> tuple[float, float]:
        """Seated hours from all days, and with the flagged intervals planned without their day."""
        import polars as pl

        hours = pl.col("interval_s") / 3600
        kept = pl.when("spike").then("required_without").otherwise("required_agents")
        total = self.frame.select(
            (pl.col("required_agents") * hours).sum(), (kept * hours).sum().alias("without")
        ).row(0)
        return float(total[0]), float(total[1])

    def _when(self, row: dict[str, Any]) -> str:
        day = f"on {WEEKDAYS[row['weekday'] - 1]} at" if "weekday" in self.keys else "at"
        others = ", ".join(f"{k} {row[k]}" for k in self.keys if k != "weekday")
        return f"{day} {row['local_start']:%H:%M}" + (f" ({others})" if others else "")

    def _from(self, row: dict[str, Any]) -> str:
        return self._when(row).replace("at ", "from ", 1)

    def table(self) -> pl.DataFrame:
        """Give the flagged intervals as a table to read, by the wall clock."""
        import polars as pl

        found = self.flagged
        others = [_listed(counts or []) for counts in found["other_calls"].to_list()]
        return found.select(
            *self.keys,
            pl.col("local_start").dt.strftime("%H:%M").alias("interval"),
            "date",
            pl.col("day_calls").alias("calls_that_day"),
            pl.Series("calls_on_other_days", others, dtype=pl.String),
            "required_agents",
            "required_without",
        )

    def to_frame(self) -> pl.DataFrame:
        """Give all intervals, flagged or not."""
        return self.frame


def spikes(
    typical: TypicalDemand,
    goal: ServiceLevel,
    *,
    min_share: float = 0.25,
    min_fall: int = 2,
    patience: Any = None,
    max_occupancy: float | None = None,
    max_abandonment: float | None = None,
    min_agents: int = 0,
) -> Spikes:
    """Leave each day out in turn, and see where the requirement falls.

    For every interval and day the mean calls and the call-weighted handle time are taken over
    the other days, and the requirement is computed again. The day whose absence lowers it most
    (of equals, the busiest) is the day of the interval. The interval is a spike when the
    requirement falls by at least ``min_share`` of itself and ``min_fall`` agents. Intervals seen
    on fewer than three days are not judged.

    Parameters
    ----------
    typical
        What :func:`typical_day` or :func:`typical_week` gave.
    goal, patience, max_occupancy, max_abandonment, min_agents
        As in :func:`requirement`.
    min_share, min_fall
        How much the requirement must fall: a share of it, and agents.
    """
    if not isinstance(typical, TypicalDemand):
        raise InputError(
            "spikes are looked for in a typical day",
            f"got {type(typical).__name__}",
            "give what staffing.typical_day returned",
        )
    rules = Rules(goal, 0.0, patience, max_occupancy, max_abandonment, min_agents)
    return found_by(typical, rules, min_share, min_fall)


def found_by(
    typical: TypicalDemand, rules: Rules, min_share: float = 0.25, min_fall: int = 2
) -> Spikes:
    """Do the work of :func:`spikes`; the requirement carries it along as a check."""
    import polars as pl

    if not 0 <= check_number("min_share", min_share) <= 1:
        raise InputError("this is a share between 0 and 1", f"min_share={min_share!r}", "0.25")
    if check_number("min_fall", min_fall) < 0:
        raise InputError("agents cannot be negative", f"min_fall={min_fall!r}", "such as 2")
    keys = [*typical.keys, "clock"]
    days = typical.counts.with_columns(
        _n=pl.lit(1), _work=(pl.col("calls") * pl.col("aht_s")).fill_null(0.0)
    )
    # A clock change may show one time of day twice on a date: the date goes as a whole.
    days = days.group_by(*keys, "date").agg(pl.col("_n", "calls", "_work").sum())
    days = days.sort(*keys, "date")
    rest = {c: pl.col(c).sum().over(keys) - pl.col(c) for c in ("_n", "calls", "_work")}
    days = days.with_columns(
        _day_aht=pl.when(pl.col("calls") > 0).then(pl.col("_work") / pl.col("calls")),
        _rest_n=rest["_n"],
        _rest_calls=rest["calls"],
        _aht=pl.when(rest["calls"] > 0).then(rest["_work"] / rest["calls"]),
    ).with_columns(_mean=pl.col("_rest_calls") / pl.col("_rest_n"))
    demand = typical.demand.with_columns(clock=pl.col("local_start").dt.strftime("%H:%M"))
    length = float(demand["interval_s"][0])
    judged = days.filter(pl.len().over(keys) >= _FEWEST)
    # A day whose absence leaves no fewer calls and no shorter handle time than another's never
    # lowers the requirement more: only the others need to be solved.
    judged = judged.sort(*keys, "_mean", "_aht", maintain_order=True).filter(
        (pl.col("_aht").fill_null(1.0) < pl.col("_aht").fill_null(1.0).cum_min().shift().over(keys))
        .fill_null(value=True)
    )  # fmt: skip
    judged = judged.with_columns(
        required_without=rules.agents_for(judged["_mean"], length, judged["_aht"].fill_null(1.0))
    )
    worst = judged.sort("required_without", "_mean").group_by(keys, maintain_order=True).first()
    others = (
        days.join(worst.select(*keys, _out="date"), on=keys, how="left", nulls_equal=True)
        .filter(pl.col("date").ne_missing(pl.col("_out")))
        .sort(*keys, "date")
        .group_by(keys, maintain_order=True)
        .agg(_others="calls")
    )
    required = rules.agents_for(demand["calls"], length, demand["aht_s"].fill_null(1.0))
    fall = pl.col("required_agents") - pl.col("required_without")
    frame = (
        demand.with_columns(required_agents=required)
        .join(worst, on=keys, how="left", nulls_equal=True, suffix="_day", maintain_order="left")
        .join(others, on=keys, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(
            spike=(
                (fall >= min_share * pl.col("required_agents")) & (fall >= max(min_fall, 1))
            ).fill_null(False),
        )
    )
    without = frame.with_columns(
        calls=pl.when("spike").then("_mean").otherwise("calls"),
        aht_s=pl.when("spike").then("_aht").otherwise("aht_s"),
    ).select([c for c in typical.demand.columns if c != "cv"])
    return Spikes(
        frame=frame.select(
            *typical.keys,
            "local_start",
            "interval_s",
            "calls",
            "required_agents",
            "date",
            pl.col("calls_day").alias("day_calls"),
            pl.col("_day_aht").alias("day_aht_s"),
            pl.col("_others").alias("other_calls"),
            pl.col("_mean").alias("other_mean"),
            pl.col("_aht").alias("other_aht_s"),
            "required_without",
            "spike",
        ),
        demand_without=without,
        name=typical.name,
        keys=typical.keys,
        inputs={**rules.inputs(), "min_share": min_share, "min_fall": min_fall},
        checks=_checks(frame),
    )


def _checks(frame: pl.DataFrame) -> tuple[Check, ...]:
    unjudged = frame["date"].null_count()
    name = "Days to judge by"
    if unjudged:
        words = f"{unjudged} of {counted(frame.height, 'interval')} seen on fewer than {_FEWEST}"
        return (Check(name, "fails", words + " days: any of them may rest on one day"),)
    return (Check(name, "holds", f"every interval was seen on {_FEWEST} days or more"),)


def _listed(counts: list[float]) -> str:
    if not any(counts):
        return "none"
    if len(counts) > 6:
        mean = sum(counts) / len(counts)
        return f"{mean:,.1f} on average and {max(counts):,.0f} at most"
    words = [f"{count:,.0f}" for count in counts]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
