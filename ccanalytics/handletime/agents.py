"""Agents beside each other: like calls compared, luck taken out, ranks with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.agentcells import (
    AgentCells,
    agent_cells,
    hired_days,
    listed,
    some_names,
)
from ccanalytics.handletime.agenteffects import Effects, log_effects, mean_effects
from ccanalytics.results import Check, Result
from ccanalytics.statistics.checking import check_level, normal_quantile
from ccanalytics.statistics.random_effects import RandomEffects, random_effects
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["AgentEffects", "agents"]

BANDS = (13.0, 52.0)
_WORDS = {"log": "typical handle time", "mean": "mean handle time"}
_DRAWS = 4000
_FUNNEL = (0.95, 0.998)


@dataclass(frozen=True, eq=False, kw_only=True)
class AgentEffects(Result):
    """How much longer or shorter each agent takes than others on the same calls.

    Attributes
    ----------
    rows
        One row per agent, by name: ``agent``, ``timed_calls``, ``relative_time`` with limits
        (empirical Bayes: handle time over that of an average agent on the same calls), ``observed``
        (the same before luck was taken out), ``weight`` (of what was observed, 0–1),
        ``expected_aht_s`` (mean of an average agent on the same calls), ``rank`` with limits (1 is
        the shortest), ``slowest_tenth`` and ``fastest_tenth`` (probabilities), ``beyond_luck``,
        ``enough`` (``min_calls`` or more), ``tenure`` (band of weeks of work, where the days of
        hiring are given). Ranks and the two probabilities are null where there are not enough
        calls.
    funnel
        Rows of ``timed_calls``, and of ``luck_95_low`` … ``luck_998_high``: between which limits an
        average agent with so many calls is observed.
    beyond
        How many agents differ from the average beyond luck.
    luck
        Share of the variance between raw means of agents that luck makes, 0–1.
    lasting
        Standard deviation of true differences between agents, as a share of handle time.
    scale
        ``log`` or ``mean``.
    """

    rows: pl.DataFrame
    funnel: pl.DataFrame
    beyond: int
    luck: float
    lasting: float
    scale: str
    fit: RandomEffects

    def headline(self) -> str:
        """Give the answer alone, in one sentence."""
        ranked = int(self.rows["enough"].sum())
        verb = "differs" if self.beyond == 1 else "differ"
        return (
            f"{self.beyond} of {counted(ranked, 'agent')} {verb} in {_WORDS[self.scale]} beyond "
            f"luck; luck makes {self.luck:.0%} of the spread of raw means."
        )

    def summary(self) -> str:
        """Give the answer, the true spread, and the method."""
        by = ", ".join(self.inputs["by"]) or "all calls alike"
        return (
            f"{self.headline()} True differences have a standard deviation of {self.lasting:.0%} "
            f"of handle time. Agents are compared on like calls ({by}) in like intervals; each is "
            "drawn to "
            f"{'agents of like tenure' if self.inputs['by_tenure'] else 'the average'} by as much "
            f"as luck moved it (empirical Bayes), on "
            f"{'logs' if self.scale == 'log' else 'means, as staffing needs'}. Limits are "
            f"{100 * self.inputs['level']:g}%; beyond luck are those that stand out among all "
            "(Benjamini–Hochberg)."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give one row per agent, in the order of their names: this is no league table."""
        return self.rows

    def draws(self, count: int = _DRAWS, seed: int = 1) -> Floats:
        """Draw relative handle times of all agents at once: draws × agents."""
        return _draws(self.fit, self.inputs["middle"], self.scale, count, seed)


def _draws(fit: RandomEffects, middle: float, scale: str, count: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    luck = rng.standard_normal((count, fit.shrunk.size))
    drawn = fit.shrunk + np.sqrt(fit.shrunk_variance) * luck
    if scale == "log":
        return np.asarray(np.exp(drawn - middle))
    return np.maximum(drawn / middle, 0.05)


def agents(
    frame: Any,
    people: Any = None,
    *,
    scale: Literal["log", "mean"] = "log",
    min_calls: int = 30,
    most: int = 60,
    level: float = 0.95,
) -> AgentEffects:
    """Compare agents on like calls, with as much trust as their calls deserve.

    ``log``: αᵢ in log y = αᵢ + βₛ + γₜ + e over kinds s and intervals t, for typical times.
    ``mean``: aᵢ in E y = aᵢ·bₛ·cₜ, for staffing. What an agent of k calls shows is drawn to the
    average with weight k/(k + σ²/τ²): σ² is the variance of a call, times the over-dispersion of
    agents' intervals, τ² that of true differences (Paule and Mandel).

    Parameters
    ----------
    frame
        Frame of ``CallLog.agent_handling("1w", by=[…])``; its keys are kinds of calls.
    people
        Frame of ``CallLog.agents()``: each agent is then drawn to those of like tenure (up to 13
        weeks of work, up to 52, longer) at the end of their calls. None: to all.
    scale
        Typical times, or means.
    min_calls
        Agents with fewer calls get no rank and are named as too few to say.
    most
        Kinds to tell apart, those with most calls.
    level
        Of the limits, 0–1; 1 − level is the false discovery rate.

    Raises
    ------
    InputError
        A frame without its columns, an unknown scale.
    DataError
        Fewer than three agents with timed calls.

    References
    ----------
    Efron & Morris (1975), JASA 70, 311–319; Spiegelhalter (2005), Funnel plots for comparing
    institutional performance, Statistics in Medicine 24, 1185–1202; Goldstein & Spiegelhalter
    (1996), Journal of the Royal Statistical Society A 159, 385–443.

    Examples
    --------
    >>> import datetime as dt, polars as pl
    >>> rng = np.random.default_rng(1)
    >>> rows = []
    >>> for i in range(20):
    ...     logs = rng.normal(5 + 0.2 * (i == 7), 0.8, 400)
    ...     rows.append((dt.date(2024, 1, 1), 604800, f"a{i}", 400, logs.sum(), (logs**2).sum(),
    ...                  np.exp(logs).sum(), np.exp(2 * logs).sum()))
    >>> cells = pl.DataFrame(rows, orient="row", schema=["local_start", "interval_s", "agent",
    ...     "timed_calls", "timed_logs", "timed_logs2", "timed_s", "timed_ss"])
    >>> found = agents(cells)
    >>> found.rows.filter(pl.col("beyond_luck"))["agent"].to_list()
    ['a7']
    """
    level = check_level(level)
    if scale not in _WORDS:
        raise InputError("no such scale", f"scale={scale!r}", "log or mean")
    if isinstance(min_calls, bool) or not isinstance(min_calls, int) or min_calls < 1:
        raise InputError("this must be a whole number, 1 or more", f"min_calls={min_calls!r}")
    cells = agent_cells(frame, most)
    if len(cells.agents) < 3:
        raise DataError(
            "agents are compared with each other, and there are too few",
            f"{counted(len(cells.agents), 'agent')} with timed calls",
            "at least 3 are needed",
        )
    found = log_effects(cells) if scale == "log" else mean_effects(cells)
    band, unknown = _bands(cells, people)
    rows = _rows_of(band, len(cells.agents))
    fit = random_effects(found.effect, found.variance / found.calls, rows)
    middle = float((rows @ fit.beta).mean())
    enough = found.calls >= min_calls
    if not enough.any():
        raise DataError(
            "no agent has enough calls to say anything",
            f"most calls of an agent: {found.calls.max():,.0f}, min_calls={min_calls}",
            "take a longer span",
        )
    away = (found.effect - middle) / np.sqrt(found.variance / found.calls)
    beyond = _standing(away, enough, level)
    return AgentEffects(
        inputs={
            "scale": scale, "min_calls": min_calls, "most": most, "level": level,
            "by": cells.keys, "by_tenure": people is not None, "middle": middle,
        },
        checks=(*_checks(cells, found, enough, min_calls, unknown), *cells.checks()),
        rows=_told(fit, middle, level, scale, cells, found, enough, beyond, band),
        funnel=_funnel(found, scale, middle),
        beyond=int(beyond.sum()),
        luck=_luck(cells, found, enough, scale, middle),
        lasting=float(np.sqrt(fit.between)) / (1.0 if scale == "log" else middle),
        scale=scale,
        fit=fit,
    )  # fmt: skip


def band_words(week: float) -> str:
    """Band of tenure, in words."""
    if week <= BANDS[0]:
        return f"up to {BANDS[0]:g} weeks"
    return f"{BANDS[0]:g} to {BANDS[1]:g} weeks" if week <= BANDS[1] else f"over {BANDS[1]:g} weeks"


def _bands(cells: AgentCells, people: Any) -> tuple[list[str] | None, list[str]]:
    """Band of each agent's tenure at the end of the calls; unknown tenure is a band of its own."""
    if people is None:
        return None, []
    hired, _, unknown = hired_days(cells, listed(people))
    last = np.zeros(len(cells.agents))
    ends = np.array([(each - cells.starts[0]).days + cells.days for each in cells.starts], float)
    np.maximum.at(last, cells.agent, ends[cells.period])
    weeks = (last - hired) / 7
    return ["unknown" if np.isnan(w) else band_words(float(w)) for w in weeks], unknown


def _rows_of(band: list[str] | None, count: int) -> Floats:
    ones: Floats = np.ones((count, 1))
    if band is None:
        return ones
    names, counts = np.unique(band, return_counts=True)
    usual = names[counts.argmax()]
    # A band of one or two agents has no mean of its own: they are drawn to the largest band.
    own = [n for n, c in zip(names, counts, strict=True) if c >= 3 and n != usual]
    return np.column_stack([ones, *(np.array(band) == name for name in own)]).astype(float)


def _standing(away: Floats, enough: NDArray[np.bool_], level: float) -> NDArray[np.bool_]:
    """Benjamini and Hochberg over those with enough calls."""
    from scipy.special import ndtr
    from scipy.stats import false_discovery_control

    found = np.zeros(away.size, bool)
    adjusted = false_discovery_control(2 * ndtr(-np.abs(away[enough])))
    found[enough] = adjusted <= 1 - level
    return found


def _luck(
    cells: AgentCells, found: Effects, enough: NDArray[np.bool_], scale: str, middle: float
) -> float:
    """Share of luck in the variance of raw means, of agents with enough calls."""
    if enough.sum() < 3:
        return float("nan")
    raw = cells.by_agent(cells.logs if scale == "log" else cells.total_s) / found.calls
    if scale == "mean":
        raw = raw / raw[enough].mean()
    by_luck = float((found.variance / found.calls)[enough].mean()) / (
        1.0 if scale == "log" else middle**2
    )
    return float(min(1.0, by_luck / max(float(np.var(raw[enough], ddof=1)), 1e-300)))


def _funnel(found: Effects, scale: str, middle: float) -> pl.DataFrame:
    """Limits of luck about the average, by number of calls."""
    import polars as pl

    size = np.geomspace(max(found.calls.min(), 1.0), found.calls.max(), 80)
    error = np.sqrt(found.variance / size)
    columns = {"timed_calls": size}
    for level, name in zip(_FUNNEL, ("luck_95", "luck_998"), strict=True):
        for side, end in ((-1, "low"), (1, "high")):
            edge = side * normal_quantile(level) * error
            columns[f"{name}_{end}"] = (
                np.exp(edge) if scale == "log" else np.maximum(1 + edge / middle, 0.0)
            )
    return pl.DataFrame(columns)


def _told(
    fit: RandomEffects,
    middle: float,
    level: float,
    scale: str,
    cells: AgentCells,
    found: Effects,
    enough: NDArray[np.bool_],
    beyond: NDArray[np.bool_],
    band: list[str] | None,
) -> pl.DataFrame:
    import polars as pl

    wide = normal_quantile(level) * np.sqrt(fit.shrunk_variance)
    edges = [fit.shrunk + k * wide for k in (0, -1, 1)]
    log = scale == "log"
    relative = [np.exp(e - middle) if log else np.maximum(e / middle, 0.0) for e in edges]
    noise = found.variance / found.calls
    drawn = _draws(fit, middle, scale, _DRAWS, 1)[:, enough]
    ranks = drawn.argsort(axis=1).argsort(axis=1) + 1
    tenth = max(1, round(0.1 * drawn.shape[1]))
    tails = np.quantile(ranks, [(1 - level) / 2, (1 + level) / 2], axis=0, method="nearest")
    middling = fit.shrunk[enough].argsort().argsort() + 1

    def ranked(values: Any, kind: Any) -> pl.Series:
        full = np.full(enough.size, np.nan)
        full[enough] = values
        return pl.Series(full).fill_nan(None).cast(kind)

    return pl.DataFrame(
        {
            "agent": cells.agents,
            "timed_calls": found.calls.astype(np.int64),
            "relative_time": relative[0],
            "relative_time_low": relative[1],
            "relative_time_high": relative[2],
            "observed": np.exp(found.effect - middle) if log else found.effect / middle,
            "weight": fit.between / (fit.between + noise),
            "expected_aht_s": found.expected_s,
            "rank": ranked(middling, pl.Int64),
            "rank_low": ranked(tails[0], pl.Int64),
            "rank_high": ranked(tails[1], pl.Int64),
            "slowest_tenth": ranked((ranks > drawn.shape[1] - tenth).mean(axis=0), pl.Float64),
            "fastest_tenth": ranked((ranks <= tenth).mean(axis=0), pl.Float64),
            "beyond_luck": pl.Series(beyond),
            "enough": pl.Series(enough),
            "tenure": pl.Series(
                band if band is not None else [None] * enough.size, dtype=pl.String
            ),
        }
    ).sort("agent")


def _checks(
    cells: AgentCells,
    found: Effects,
    enough: NDArray[np.bool_],
    min_calls: int,
    unknown: list[str],
) -> tuple[Check, ...]:
    checks = []
    if not enough.all():
        names = [agent for agent, some in zip(cells.agents, enough, strict=True) if not some]
        one = int((found.calls == 1).sum())
        more = f" ({counted(one, 'agent')} with a single call)" if one else ""
        checks.append(
            Check("too few to say", "informs",
                  f"{counted(len(names), 'agent')} with fewer than {min_calls} calls{more} get no "
                  f"rank: {some_names(names)}")
        )  # fmt: skip
    groups = int(found.group.max()) + 1
    if groups > 1:
        checks.append(
            Check("calls shared", "informs",
                  f"{groups} groups of agents share no kind of call; each agent is compared with "
                  "those of the same group")
        )  # fmt: skip
    if found.dispersion > 1.2:
        checks.append(
            Check("agents' weeks differ", "informs",
                  f"intervals of one agent vary {found.dispersion:.1f} times as much as single "
                  "calls would make; limits allow for it")
        )  # fmt: skip
    if unknown:
        checks.append(
            Check("agents without a day of hiring", "informs",
                  f"{counted(len(unknown), 'agent')} stand in a band of their own: "
                  f"{some_names(unknown)}")
        )  # fmt: skip
    checks.append(
        Check("what calls have in common", "informs",
              "kinds of calls are told apart as far as the keys do; who is given the hard calls of "
              "a kind looks slow. Read it beside quality and transfers")
    )  # fmt: skip
    return tuple(checks)
