"""What a simulation found: per interval and overall, each figure with its limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.compiled import COMPILES
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.schema import TABLES
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.simulation.book import Book
    from ccanalytics.simulation.groups import Groups
    from ccanalytics.simulation.plan import Grid

__all__ = ["Simulation", "simulation_of"]

_CANONICAL = frozenset(column.name for column in TABLES["calls"].columns)


@dataclass(frozen=True, eq=False, kw_only=True)
class Simulation(Result):
    """Outcome of a simulation.

    Frames hold the mean over replications of each measure and its limits (``…_low``, ``…_high``):
    counts per replication; ``abandonment`` and ``blocking`` as shares of all attempts;
    ``wait_probability`` and ``mean_wait_s`` over calls that entered the queue; ``asa_s`` over the
    answered; ``occupancy`` as handling time over agents' time, that beyond the end of a shift
    included; ``queue_length``, ``busy_agents`` and ``lines_held`` as means over time;
    ``unserved`` callers still waited when the centre closed, or for ever.

    Attributes
    ----------
    intervals
        One row per interval, with start, length and agents.
    overall
        One row.
    types, interval_types
        By type of call, where there are several; otherwise empty.
    groups
        By group of agents, where there are several; otherwise empty.
    goals
        The goals; the first one's column is ``service_level``, the next ``service_level_2``, …
    level
        Level of the intervals.
    """

    intervals: pl.DataFrame
    overall: pl.DataFrame
    types: pl.DataFrame
    interval_types: pl.DataFrame
    groups: pl.DataFrame
    goals: tuple[ServiceLevel, ...]
    level: float = 0.95
    _records: Mapping[int, pl.DataFrame] = field(default_factory=dict, repr=False)

    def estimate(self, measure: str) -> Estimate:
        """A measure of the whole span, such as ``"abandonment"``, with its limits.

        Raises
        ------
        InputError
            No such measure.
        DataError
            No call tells: the wait of the answered where nobody was answered.
        """
        if measure not in self.overall.columns or measure.endswith(("_low", "_high")):
            known = [n for n in self.overall.columns if not n.endswith(("_low", "_high"))]
            raise InputError(
                "there is no such measure", f"measure={measure!r}", "choose of " + ", ".join(known)
            )
        row = self.overall.row(0, named=True)
        if row[measure] is None:
            raise DataError(
                "no call of this simulation tells that",
                f"measure={measure!r}, {row['arrived']:g} attempts a replication, "
                f"{row['answered']:g} answered",
                "give more calls, agents or replications",
            )
        low, high = row[f"{measure}_low"], row[f"{measure}_high"]
        unknown = math.nan  # one replication has no limits
        return Estimate(
            row[measure],
            unknown if low is None else low,
            unknown if high is None else high,
            self.level,
        )

    def _said(self, measure: str, number: str) -> str:
        """A measure in words, with its limits if it has any."""
        found = self.estimate(measure)
        return number.format(found.value) if math.isnan(found.low) else found.format(number)

    def service_level(self, goal: ServiceLevel | None = None) -> Estimate:
        """Service level of the whole span by one of the goals asked for; the first by default."""
        if not self.goals:
            raise InputError(
                "no service level was asked for", "goals=()", "simulate(…, goals=[goal])"
            )
        if goal is None:
            return self.estimate("service_level")
        if goal not in self.goals:
            raise InputError(
                "this goal was not counted", f"goal={goal}", "name it in simulate(…, goals=[…])"
            )
        place = self.goals.index(goal)
        return self.estimate("service_level" if place == 0 else f"service_level_{place + 1}")

    @property
    def abandonment(self) -> Estimate:
        """Share of all attempts that abandon."""
        return self.estimate("abandonment")

    @property
    def blocking(self) -> Estimate:
        """Share of all attempts that meet a busy signal."""
        return self.estimate("blocking")

    @property
    def wait_probability(self) -> Estimate:
        """Share of calls that enter the queue and wait."""
        return self.estimate("wait_probability")

    @property
    def asa(self) -> Estimate:
        """Mean wait of the answered, seconds."""
        return self.estimate("asa_s")

    @property
    def mean_wait(self) -> Estimate:
        """Mean wait of all calls that enter the queue, seconds."""
        return self.estimate("mean_wait_s")

    @property
    def occupancy(self) -> Estimate:
        """Handling time over agents' time."""
        return self.estimate("occupancy")

    @property
    def queue_length(self) -> Estimate:
        """Callers waiting, mean over time."""
        return self.estimate("queue_length")

    def calls(self, replication: int = 0, *, extra: bool = False) -> pl.DataFrame:
        """Call records of one replication in the columns of the canonical table ``calls``.

        A CSV or Parquet file of them, named ``calls….csv``, loads into a call log. ``talk_s`` is
        from the first answer to the end, so with hand-backs it holds the wait for another agent.
        Callers still waiting at closing time are recorded as abandoned; the frames count them as
        failures however short their wait, so with ``closing="leave"`` a counting that looks at
        short waits is a little higher by the records.

        Parameters
        ----------
        replication
            Which one, from 0.
        extra
            Whether to add what the table does not hold: ``attempt`` (first, redial, reconnect),
            ``agent_group``, and keys of the demand that are no columns of the table.

        Raises
        ------
        InputError
            Records were not asked for, or there is no such replication.
        """
        if not self._records:
            raise InputError(
                "no call records were kept", "records=False", "simulate(…, records=True)"
            )
        if replication not in tuple(self._records):
            raise InputError(
                "there is no such replication",
                f"replication={replication!r}",
                f"0 to {len(self._records) - 1}",
            )
        frame = self._records[replication]
        return frame if extra else frame.select(n for n in frame.columns if n in _CANONICAL)

    def to_frame(self) -> pl.DataFrame:
        """One row per interval; the attribute ``intervals``."""
        return self.intervals

    def summary(self) -> str:
        """The service level or the abandonment with its limits, and how they were found."""
        inputs, row = self.inputs, self.overall.row(0, named=True)
        if not row["arrived"]:
            answer = "No call came. "
        elif self.goals and row["service_level"] is not None:
            met = self._said("service_level", "{:.1%}")
            answer = (
                f"Over the whole span {met} of the calls meet the goal "
                f"“{self.goals[0].describe()}”"
                + (
                    f", and {self._said('abandonment', '{:.1%}')} abandon. "
                    if row["abandoned"] or inputs["patience"] != "endless"
                    else "; nobody gives up. "
                )
            )
        else:
            answer = f"{self._said('abandonment', '{:.1%}')} of all attempts abandon, "
            if row["answered"]:
                answer += f"and those answered wait {self._said('asa_s', '{:.1f} s')} on average. "
            else:
                answer += "and none is answered. "
        return answer + (
            f"Simulated {_often(inputs['replications'])}, "
            f"{self.overall['arrived'][0]:,.0f} attempts each: arrivals {inputs['arrivals']}, "
            f"handle time {inputs['handle_time']}, patience {inputs['patience']}; seed "
            f"{inputs['seed']}."
        )


def _often(times: int) -> str:
    return "once" if times == 1 else f"{times:,} times"


def simulation_of(
    book: Book,
    grid: Grid,
    groups: Groups,
    goals: tuple[ServiceLevel, ...],
    inputs: dict[str, Any],
    level: float,
    kept: dict[int, pl.DataFrame],
    lost: int = 0,
) -> Simulation:
    """The outcome from the books; ``lost`` calls were given to replay and could not be."""
    import polars as pl

    def frame(name: str, shape: tuple[int, ...]) -> pl.DataFrame:
        columns = book.table(name, level)
        size = int(np.prod(shape))
        return pl.DataFrame(
            {key: np.broadcast_to(value, shape).reshape(size) for key, value in columns.items()}
        ).fill_nan(None)

    count, types = grid.calls.shape
    start = grid.intervals.with_columns(agents=pl.Series(groups.agents.sum(axis=1)))
    several = types > 1
    keys = grid.keys.select(pl.all().name.keep()) if several else pl.DataFrame()
    return Simulation(
        inputs=inputs,
        checks=_checks(book, inputs, level, lost),
        intervals=pl.concat([start, frame("intervals", (count,))], how="horizontal"),
        overall=frame("overall", (1,)),
        types=pl.concat([keys, frame("types", (types,))], how="horizontal")
        if several
        else pl.DataFrame(),
        interval_types=pl.concat(
            [
                grid.intervals[np.repeat(np.arange(count), types)],
                keys[np.tile(np.arange(types), count)],
                frame("interval_types", (count, types)),
            ],
            how="horizontal",
        )
        if several
        else pl.DataFrame(),
        groups=pl.concat(
            [pl.DataFrame({"group": groups.names}), frame("groups", (len(groups.names),))],
            how="horizontal",
        )
        if len(groups.names) > 1
        else pl.DataFrame(),
        goals=goals,
        level=level,
        _records=kept,
    )


def _checks(book: Book, inputs: dict[str, Any], level: float, lost: int) -> tuple[Check, ...]:
    checks = []
    if lost:
        checks.append(
            Check(
                "Calls not replayed",
                "informs",
                f"{counted(lost, 'call')} to replay came at no known time, outside the demand's "
                "intervals, or with keys that it does not have",
            )
        )
    if book.replications < 2:
        checks.append(
            Check(
                "Intervals", "fails", "one replication tells nothing of chance; ask for 2 or more"
            )
        )
    unserved = float(book.ratios("overall", "unserved").estimate(level)[0])
    if unserved > 0:
        checks.append(
            Check(
                "Backlog at the end",
                "informs",
                f"{unserved:.3g} callers a replication are never served; they count as failures "
                "of the service level, not as abandoned",
            )
        )
    if inputs["when_staff_falls"] == "finish":
        over = float(np.nanmean(book.agent_s.sum()))
        busy = float(book.ratios("overall", "occupancy").x) / book.replications - over
        if over and busy / over > 0.001:
            checks.append(
                Check(
                    "Overtime",
                    "informs",
                    f"agents finish calls after their shift: {busy / 3600:.1f} hours a "
                    f"replication, {busy / over:.1%} of the agents' time",
                )
            )
    if not COMPILES:
        checks.append(
            Check(
                "Speed",
                "informs",
                "numba is not installed, so the simulation runs about a hundred times slower; "
                "pip install 'ccanalytics[simulation]'",
            )
        )
    return tuple(checks)
