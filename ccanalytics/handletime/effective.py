"""How many agents a floor is worth: effective full-time equivalents, for planning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.handletime.agents import AgentEffects
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["EffectiveAgents", "effective_agents"]

_DRAWS = 4000
_ALL = "all"


@dataclass(frozen=True, eq=False, kw_only=True)
class EffectiveAgents(Result):
    """Agents, counted as what they do of an average agent's work.

    Attributes
    ----------
    total
        Effective full-time equivalents, Σ 1/mᵢ, of an agent whose mean handle time is the average
        of agents.
    agents
        Heads.
    rows
        One row per band of tenure, and ``all``: ``tenure``, ``agents``, ``effective_agents`` with
        limits, ``efficiency`` with limits (the same per head, over that of all).
    """

    total: Estimate
    agents: int
    rows: pl.DataFrame
    draws: Mapping[str, Floats]

    def efficiency(self, heads: Mapping[str, float]) -> Estimate:
        """Give what a head of another floor does, over a head of this one.

        Handle time was measured on this floor, by heads who were equally busy; on the other it is
        longer by one over this. Pass its value to ``staffing.requirement(…, efficiency=…)``.

        Parameters
        ----------
        heads
            Band of tenure → planned heads, as ``rows`` names the bands.

        Raises
        ------
        InputError
            An unknown band, or heads that are none.

        Examples
        --------
        >>> from ccanalytics.handletime import EffectiveAgents  # bands as found in a log
        >>> floor = EffectiveAgents(inputs={"level": 0.95}, total=None, agents=4, rows=None,
        ...     draws={"up to 13 weeks": np.full(9, 0.7), "over 52 weeks": np.full(9, 1.05),
        ...            "all": np.full(9, 1.0)})
        >>> planned = floor.efficiency({"up to 13 weeks": 10, "over 52 weeks": 25})
        >>> round(planned.value, 3)
        0.95
        """
        known = [band for band in self.draws if band != _ALL]
        for band, count in heads.items():
            if band not in known:
                raise InputError(
                    "no such band of tenure", f"{band!r}", "one of " + ", ".join(map(repr, known))
                )
            if isinstance(count, bool) or not isinstance(count, (int, float)) or not count >= 0:
                raise InputError("heads are numbers, 0 or more", f"{band}: {count!r}")
        total = float(sum(heads.values()))
        if not 0 < total < float("inf"):
            raise InputError("a floor has heads", f"heads={dict(heads)!r}")
        worth = sum(count * self.draws[band] for band, count in heads.items())
        return _estimate(worth / total / self.draws[_ALL], self.inputs["level"])

    def headline(self) -> str:
        """Give the answer alone, in one sentence."""
        return (
            f"{counted(self.agents, 'agent')} do the work of {self.total.format('{:.1f}')} of "
            "average mean handle time."
        )

    def summary(self) -> str:
        """Give the answer, by band, and the method."""
        words = [self.headline()]
        bands = [row for row in self.rows.iter_rows(named=True) if row["tenure"] != _ALL]
        if len(bands) > 1:
            told = "; ".join(
                f"{row['tenure']}: {counted(row['agents'], 'head')}, each worth "
                f"{row['efficiency']:.2f}" for row in bands
            )  # fmt: skip
            words.append(f"By tenure, of the mean head: {told}.")
        words.append(
            "Effective agents are the sum of 1 over relative mean handle time (Gans et al. 2010), "
            "drawn from what empirical Bayes leaves open; heads are taken as equally busy."
        )
        return " ".join(words)

    def to_frame(self) -> pl.DataFrame:
        """Give the bands."""
        return self.rows


def effective_agents(effects: AgentEffects, *, seed: int = 1) -> EffectiveAgents:
    """Count agents as what they do of an average agent's work: Σ 1/mᵢ.

    mᵢ is the mean handle time of agent *i* on like calls over the average of agents. A floor with
    many newcomers has heads worth less than one; a planner who measured handle time on this floor
    and plans another one (a hiring wave, an attrition) needs :meth:`EffectiveAgents.efficiency`.

    Parameters
    ----------
    effects
        Of :func:`agents` on ``scale="mean"``; with ``people``, bands of tenure are told apart.
        Those of a short span are of the floor as it is: agents of the whole span count once each.
    seed
        Of the draws.

    Raises
    ------
    InputError
        Effects on logs: staffing needs means.

    References
    ----------
    Gans, Liu, Mandelbaum, Shen & Ye (2010), Service times in call centers: agent heterogeneity and
    learning, IMS Collections 6, 99–123.

    Examples
    --------
    >>> import datetime as dt, polars as pl
    >>> from ccanalytics.handletime import agents
    >>> rows = [(dt.date(2024, 1, 1), 604800, f"a{i}", 4000, 4000 * m, 4000 * 1.8 * m**2,
    ...          4000 * 5.0, 4000 * 25.5) for i, m in enumerate([100.0, 100.0, 100.0, 200.0])]
    >>> cells = pl.DataFrame(rows, orient="row", schema=["local_start", "interval_s", "agent",
    ...     "timed_calls", "timed_s", "timed_ss", "timed_logs", "timed_logs2"])
    >>> floor = effective_agents(agents(cells, scale="mean"))
    >>> round(floor.total.value, 1)  # 125 s on average: 3 × 1.25 + 0.625
    4.4
    """
    import polars as pl

    if not isinstance(effects, AgentEffects):
        raise InputError(
            "this must be the answer of handletime.agents", f"got {type(effects).__name__}"
        )
    if effects.scale != "mean":
        raise InputError(
            "staffing needs means, and these effects are of logs",
            f"scale={effects.scale!r}",
            'handletime.agents(…, scale="mean")',
        )
    level = effects.inputs["level"]
    worth = 1 / effects.draws(_DRAWS, seed)
    # Names in the order of the frame that the draws have, too.
    bands = effects.rows["tenure"].to_list()
    names = [*dict.fromkeys(sorted({b for b in bands if b}, key=_order)), _ALL]
    draws, rows = {}, []
    for name in names:
        some = np.array([name in (_ALL, band) for band in bands])
        draws[name] = worth[:, some].mean(axis=1)
        rows.append((name, int(some.sum())))
    frame = []
    for name, heads in rows:
        whole = _estimate(draws[name] * heads, level)
        each = _estimate(draws[name] / draws[_ALL], level)
        frame.append(
            (name, heads, whole.value, whole.low, whole.high, each.value, each.low, each.high)
        )
    schema = [
        "tenure", "agents", "effective_agents", "effective_agents_low", "effective_agents_high",
        "efficiency", "efficiency_low", "efficiency_high",
    ]  # fmt: skip
    few = int((~effects.rows["enough"]).sum())
    checks = []
    if few:
        checks.append(
            Check("few calls", "informs",
                  f"{counted(few, 'agent')} with few calls count nearly as the average of their "
                  "band")
        )  # fmt: skip
    checks.append(
        Check("heads", "informs",
              "every agent of the span counts as one head; who works part time, or came or left "
              "within the span, counts as much as others")
    )  # fmt: skip
    return EffectiveAgents(
        inputs={
            "level": level,
            "seed": seed,
            **{k: effects.inputs[k] for k in ("by", "by_tenure")},
        },
        checks=tuple(checks),
        total=_estimate(draws[_ALL] * len(bands), level),
        agents=len(bands),
        rows=pl.DataFrame(frame, schema=schema, orient="row"),
        draws=draws,
    )


def _order(band: str) -> tuple[int, str]:
    """Short tenure first, unknown last."""
    for place, start in enumerate(("up to", "13", "over")):
        if band.startswith(start):
            return place, band
    return 9, band


def _estimate(draws: Floats, level: float) -> Estimate:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(draws.mean()), float(low), float(high), level)
