"""The model of learning: cells with a week of work, their columns, and what is read from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.handletime.learningcurve import KNOTS, Hats, doublings
from ccanalytics.handletime.levels import indicators, within_agents
from ccanalytics.results import Check, Estimate
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.handletime.agentcells import AgentCells
    from ccanalytics.handletime.levels import WithinAgents

    Floats = NDArray[np.float64]

__all__ = ["FEWEST", "LearningModel", "leavers_pace", "spread_doubts", "student"]

FEWEST = 3
"""Fewest agents on either side of tenured."""


def student(degrees: Floats, level: float) -> Floats:
    """Give the quantiles of Student's t for two-sided limits."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(degrees, 0.5 + level / 2), float)


@dataclass(frozen=True, eq=False)
class LearningModel:
    """Cells with a tenure, their columns (law, hats, kinds, intervals) and normal equations."""

    cells: AgentCells
    used: NDArray[np.bool_]
    tenure: Floats
    hats: Hats
    sums: WithinAgents
    nuisance: NDArray[np.int64]
    newcomers: int
    tenured: int
    tenured_weeks: float

    @property
    def hats_at(self) -> NDArray[np.int64]:
        """Columns of the hats."""
        return np.arange(1, self.hats.weeks.size)

    @classmethod
    def of(
        cls, cells: AgentCells, hired: Floats, asked: list[float], tenured: float
    ) -> LearningModel:
        """Give each cell its week of work, and gather the equations."""
        from scipy import sparse

        starts = np.array([(each - cells.starts[0]).days for each in cells.starts], float)
        # Who came within the interval was there from then on. His week of work is that of the
        # middle: 1 for a first week from its Monday.
        begun = np.maximum(starts[cells.period], hired[cells.agent])
        middle = (begun + starts[cells.period] + cells.days) / 2
        tenure = np.maximum((middle - hired[cells.agent]) / 7 + 0.5, 1.0)
        used = ~np.isnan(tenure)
        agent, calls, tenure_used = cells.agent[used], cells.calls[used], tenure[used]
        new, old = (np.unique(agent[some]).size for some in
                    (tenure_used < tenured, tenure_used >= tenured))  # fmt: skip
        _refuse(new, old, tenured, int((~np.isnan(hired)).sum()))
        knots = np.unique([*(k for k in KNOTS if k < tenured), *asked, tenured])
        hats = Hats.supported(knots, tenure_used, agent, calls)
        if hats.weeks.size < 2:
            raise DataError(
                "too few agents were seen at any tenure",
                f"{counted(new, 'newcomer')}",
                "take a longer span",
            )
        columns = sparse.hstack(
            [
                sparse.csr_array(doublings(tenure_used, tenured)[:, None]),
                sparse.csr_array(hats.columns(tenure_used)),
                indicators(cells.kind[used], cells.kinds),
                indicators(cells.period[used], len(cells.starts)),
            ],
            format="csr",
        )
        # Agents without tenure leave; those who stay are numbered anew.
        kept, places = np.unique(agent, return_inverse=True)
        sums = within_agents(places, kept.size, calls, cells.logs[used] / calls, columns)
        return cls(
            cells, used, tenure, hats, sums,
            np.arange(hats.weeks.size, columns.shape[1]), new, old, tenured,
        )  # fmt: skip

    def told(self, theta: Floats, half: Floats, naive: Floats) -> pl.DataFrame:
        """The curve at its knots, with agents and calls seen near each."""
        import polars as pl

        agent, calls = self.cells.agent[self.used], self.cells.calls[self.used]
        near = self.hats.columns(self.tenure[self.used]) > 0.25
        whole = np.append(theta, 0.0), np.append(half, 0.0), np.append(naive, 0.0)
        rows = {
            "weeks_worked": self.hats.weeks,
            "relative_time": np.exp(whole[0]),
            "relative_time_low": np.exp(whole[0] - whole[1]),
            "relative_time_high": np.exp(whole[0] + whole[1]),
            "naive": np.exp(whole[2]),
            "learners": [np.unique(agent[n]).size for n in near.T] + [self.tenured],
            "timed_calls": [
                *(int(calls[n].sum()) for n in near.T),
                int(calls[self.tenure[self.used] >= self.tenured_weeks].sum()),
            ],
        }
        return pl.DataFrame(rows)


def _refuse(new: int, old: int, tenured: float, known: int) -> None:
    if not known:
        raise DataError(
            "no agent with calls has a day of hiring, so nobody's tenure is known",
            "hired_on is null throughout",
            "load a table of agents with hired_on",
        )
    if new < FEWEST:
        raise DataError(
            "too few newcomers to tell how people learn",
            f"{counted(new, 'agent')} with calls before {tenured:g} weeks of work",
            f"at least {FEWEST} are needed; take a longer span",
        )
    if old < FEWEST:
        raise DataError(
            "too few tenured agents to tell learning from what changed for all",
            f"{counted(old, 'agent')} with calls after {tenured:g} weeks of work",
            f"at least {FEWEST} are needed; lower tenured_weeks if learning ends sooner",
        )


def leavers_pace(
    model: LearningModel, beta: Floats, left: Floats, level: float
) -> tuple[Estimate | None, int]:
    """Level of those who left over that of those who stayed, tenure held."""
    from ccanalytics.statistics.random_effects import random_effects

    cells, used = model.cells, model.used
    kept = np.unique(cells.agent[used])
    last = (cells.starts[-1] - cells.starts[0]).days + cells.days
    gone = left[kept] < last - 1
    levels = model.sums.levels(beta, [*model.hats_at, *model.nuisance])
    square, degrees = cells.within
    variance = max(square / max(degrees, 1.0), 1e-12) / model.sums.weight
    count = int(gone.sum())
    if min(count, int((~gone).sum())) < FEWEST:
        return None, count
    rows = np.column_stack([np.ones(kept.size), gone])
    found = random_effects(levels, variance, rows)
    wide = float(student(np.array([found.degrees], float), level)[0])
    middle, half = float(found.beta[1]), wide * float(np.sqrt(found.covariance[1, 1]))
    value, low, high = (float(np.exp(middle + k * half)) for k in (0, -1, 1))
    return Estimate(value, low, high, level), count


def spread_doubts(model: LearningModel) -> tuple[Check, ...]:
    """Say where means fall faster or slower than typical times, since spreads differ."""
    cells = model.cells
    square = np.maximum(cells.logs2 - cells.logs**2 / cells.calls, 0.0)
    new = model.used & (model.tenure < min(13.0, model.tenured_weeks / 2))
    old = model.used & (model.tenure >= model.tenured_weeks)
    parts = []
    for some in (new, old):
        degrees = (cells.calls[some] - 1).sum()
        if degrees < 100:
            return ()
        parts.append(float(square[some].sum() / degrees))
    factor = float(np.exp((parts[0] - parts[1]) / 2))
    if abs(factor - 1) < 0.03:
        return ()
    return (
        Check("means and typical times", "informs",
              f"times of newcomers spread {'more' if factor > 1 else 'less'} on logs: their "
              f"mean is about {factor:.2f} times what the typical time says"),
    )  # fmt: skip
