"""Which model of waiting foretells abandonment: hour by hour, against what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import as_polars, check_counts

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["MODELS", "AbandonmentModels", "abandonment_models"]

MODELS = {
    "erlang_c": "Erlang C, in which nobody gives up",
    "erlang_c_wait": "Erlang C's wait longer than the log's patience",
    "erlang_a": "Erlang A, exponential patience",
    "own_patience": "M/M/n+G, the log's own patience",
    "constant": "One share for every interval, that of the time before",
}
_NEEDS = ("interval_start", "local_start", "interval_s", "offered", "abandoned", "aht_s",
          "agents_present")  # fmt: skip
_FEWEST_DAYS = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class AbandonmentModels(Result):
    """Errors of the models, on intervals that were not used for fitting.

    Attributes
    ----------
    scores
        Per model: ``model``, ``error`` (mean absolute error of the share who abandon) with
        ``error_low``, ``error_high``, ``bias`` (mean of predicted less observed), and
        ``error_above_best`` with limits: how much worse than the winner, on the same days.
    intervals
        Per interval scored: ``interval_start``, ``local_start``, ``offered``,
        ``agents_present``, observed ``abandonment``, and a column per model.
    winner
        The model with the least error.
    noise
        The error that a model with the right probability would have: chance alone.
    """

    scores: pl.DataFrame
    intervals: pl.DataFrame
    winner: str
    noise: float

    def error(self, model: str) -> Estimate:
        """Mean absolute error of one model with its limits."""
        rows = self.scores.filter(self.scores["model"] == model)
        if not rows.height:
            raise InputError("no such model", f"{model!r}", "one of " + ", ".join(MODELS))
        row = rows.row(0, named=True)
        return Estimate(row["error"], row["error_low"], row["error_high"], self.inputs["level"])

    def summary(self) -> str:
        """The winner, the errors, and how they were made."""
        import polars as pl

        rivals = self.scores.filter(
            pl.col("model") != self.winner, pl.col("error_above_best_low") <= 0
        )["model"]
        named = ("erlang_c", "erlang_a", "own_patience")
        among = self.scores.filter(pl.col("model").is_in(named))["model"][0]
        last = self.scores["model"][-1]
        best = MODELS[self.winner] + (
            "" if self.winner in named else f" (of the queueing models: {MODELS[among]})"
        )
        return (
            f"Closest to what happened: {best}"
            + (
                f" (not clearly ahead of: {'; '.join(MODELS[m] for m in rivals)})"
                if len(rivals)
                else ""
            )
            + f". It misses the share of callers who give up in an interval by "
            f"{self._points(self.winner)}, where chance alone would leave {100 * self.noise:.1f}; "
            f"furthest off is {MODELS[last]}, by {self._points(last)}. Scored on "
            f"{self.intervals.height:,} intervals with at least {self.inputs['min_calls']:g} "
            "offered calls that were not used for fitting, each as a queue of its own in steady "
            "state with its calls as they came."
        )

    def _points(self, model: str) -> str:
        found = self.error(model)
        return (
            f"{100 * found.value:.1f} points on average ({100 * found.level:g}% interval "
            f"{100 * found.low:.1f} to {100 * found.high:.1f})"
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the scores, the best first."""
        return self.scores


def abandonment_models(
    intervals: Any, law: Any, mean_patience: float, *, fitted_abandonment: float,
    aht_s: Any = None, min_calls: float = 30, resamples: int = 1000, seed: int = 1,
    level: float = 0.95,
) -> AbandonmentModels:  # fmt: skip
    """Score models of abandonment on intervals they have not seen.

    Erlang C predicts that nobody abandons and is scored so. Beside it stands what its wait would
    lead to if callers met it with the log's patience, P(patience < wait), which is 1 where Erlang
    C's queue grows without end. Agents may be a fraction: predictions are drawn in a straight line
    between whole numbers, at least one.

    Parameters
    ----------
    intervals
        What happened, in time not used for fitting: ``interval_start``, ``local_start``,
        ``interval_s``, ``offered``, ``abandoned``, ``aht_s``, and ``agents_present``.
    law
        Patience fitted on other time: anything ``Queue(patience=…)`` takes.
    mean_patience
        Of the exponential law fitted on that time, in seconds.
    fitted_abandonment
        Share who abandoned in that time: the yardstick of the ``constant`` model.
    aht_s
        Handle time in seconds fitted on that time, a number or a mapping of hour of the day to
        seconds; None takes each interval's own.
    min_calls
        Intervals with fewer offered calls are left out: their shares are mostly chance.
    resamples, seed
        Of the bootstrap, which draws whole local days.
    level
        Of the limits, 0–1.

    Raises
    ------
    DataError
        Fewer than ten days with such intervals.
    """
    import polars as pl

    level = check_level(level)
    rows = as_polars(intervals, "intervals", _NEEDS, "log.intervals and log.agents_present")
    check_counts(rows.filter(pl.col("agents_present").is_not_null()),
                 ["offered", "abandoned", "agents_present"], "intervals")  # fmt: skip
    if isinstance(resamples, bool) or not isinstance(resamples, int) or resamples < 100:
        raise InputError("resamples is a whole number, 100 or more", f"resamples={resamples!r}")
    seen = rows.filter(pl.col("offered") > 0).height
    rows = rows.filter(pl.col("offered") >= min_calls, pl.col("agents_present") > 0)
    rows = (
        rows.with_columns(_aht(aht_s))
        .filter(pl.col("_aht") > 0)
        .with_columns(_load=pl.col("offered") * pl.col("_aht") / pl.col("interval_s"))
        .sort("interval_start")
    )
    days = rows["local_start"].dt.date().to_numpy()
    if np.unique(days).size < _FEWEST_DAYS:
        raise DataError(
            "there are too few days to score models on",
            f"{np.unique(days).size} days have intervals with {min_calls:g} offered calls",
            "take a longer span, longer intervals or a smaller min_calls",
        )
    offered = rows["offered"].cast(float).to_numpy()
    observed = rows["abandoned"].cast(float).to_numpy() / offered
    told = _predictions(rows, law, mean_patience, fitted_abandonment)
    misses = np.abs(np.stack([told[m] for m in MODELS]) - observed)
    bias = (np.stack([told[m] for m in MODELS]) - observed).mean(axis=1)
    means = misses.mean(axis=1)
    drawn = _by_day(misses, days, resamples, seed)
    best = int(np.argmin(means))
    ends = [(1 - level) / 2, (1 + level) / 2]
    limits = np.quantile(drawn, ends, axis=0)
    above = np.quantile(drawn - drawn[:, [best]], ends, axis=0)
    scores = pl.DataFrame(
        {"model": list(MODELS), "error": means, "error_low": limits[0], "error_high": limits[1],
         "bias": bias, "error_above_best": means - means[best], "error_above_best_low": above[0],
         "error_above_best_high": above[1]}
    ).sort("error")  # fmt: skip
    p = np.clip(told[list(MODELS)[best]], 1e-6, 1 - 1e-6)
    noise = float(np.sqrt(2 / np.pi * p * (1 - p) / offered).mean())
    winner = list(MODELS)[best]
    unstable = float(np.mean(rows["_load"].to_numpy() >= rows["agents_present"].to_numpy()))
    return AbandonmentModels(
        scores=scores,
        intervals=rows.select(
            "interval_start", "local_start", "offered", "agents_present"
        ).with_columns(abandonment=pl.Series(observed),
                       **{m: pl.Series(v) for m, v in told.items()}),
        winner=winner,
        noise=noise,
        inputs={"mean_patience": mean_patience, "law": repr(law), "min_calls": min_calls,
                "fitted_abandonment": fitted_abandonment, "aht_s": aht_s, "level": level,
                "resamples": resamples, "seed": seed},
        checks=(
            Check("Agents", "informs", "as the frame gives them; where they were inferred from "
                  "calls, agents who idled at the edges of a spell are missed"),
            Check("Overload", "informs", f"{unstable:.1%} of the intervals offer at least as many "
                  "erlangs as there are agents: Erlang C's queue has no end there"),
            Check("Intervals left out", "informs",
                  f"{seen - rows.height:,} of {seen:,} with calls had too few of them, or no agent "
                  "or handle time"),
            Check("Winner against a constant", "fails" if winner == "constant" else "holds",
                  "the share of the time before foretells better than any queue" if
                  winner == "constant" else "a queue foretells better than the share of the time "
                  "before"),
        ),
    )  # fmt: skip


def _aht(aht_s: Any) -> pl.Expr:
    import polars as pl

    if aht_s is None:
        return pl.col("aht_s").cast(pl.Float64).alias("_aht")
    if hasattr(aht_s, "items"):
        hour = pl.col("local_start").dt.hour().cast(pl.Int64)
        known = {int(k): float(v) for k, v in aht_s.items()}
        return hour.replace_strict(known, default=None, return_dtype=pl.Float64).alias("_aht")
    return pl.lit(float(aht_s)).alias("_aht")


def _predictions(
    rows: pl.DataFrame, law: Any, mean_patience: float, constant: float
) -> dict[str, Floats]:
    """Per model, the share who abandon in each interval."""
    from ccanalytics.queueing import Queue

    calls, per = (rows[n].cast(float).to_numpy() for n in ("offered", "interval_s"))
    aht, agents = rows["_aht"].to_numpy(), rows["agents_present"].to_numpy()
    low = np.maximum(np.floor(agents), 1.0)
    part = np.clip(agents - low, 0.0, 1.0)

    def drawn(of_agents: Any) -> Floats:
        first, second = of_agents(low.astype(np.int64)), of_agents(low.astype(np.int64) + 1)
        return np.asarray(first * (1 - part) + second * part)

    def queue(patience: Any) -> Any:
        return lambda n: Queue(calls, per, aht, patience=patience).performance(n).abandonment

    return {
        "erlang_c": np.zeros(calls.size),
        "erlang_c_wait": drawn(lambda n: _outlasted(calls * aht / per, aht, n, law)),
        "erlang_a": drawn(queue(mean_patience)),
        "own_patience": drawn(queue(law)),
        "constant": np.full(calls.size, float(constant)),
    }


def _outlasted(load: Floats, aht: Floats, agents: NDArray[np.int64], law: Any) -> Floats:
    """P(patience < wait) by Erlang C: the wait is exponential with rate (n − R)/aht if any."""
    from ccanalytics.queueing import erlang_c

    stable = load < agents
    chance = np.ones(load.size)
    chance[stable] = erlang_c(load[stable], agents[stable])
    # At the wait's own quantiles the law of patience is averaged: E F(W) for W exponential.
    nodes, weights = np.polynomial.laguerre.laggauss(40)
    mean = np.where(stable, aht / np.where(stable, agents - load, 1.0), np.inf)
    left = np.ones(load.size)
    if stable.any():
        survive = np.asarray(law.sf(mean[stable][:, None] * nodes))
        left[stable] = 1 - survive @ weights
    return np.clip(chance * left, 0.0, 1.0)


def _by_day(misses: Floats, days: Any, resamples: int, seed: int) -> Floats:
    """Mean errors of the models (columns) over days drawn with replacement (rows)."""
    _, of_day = np.unique(days, return_inverse=True)
    many = int(of_day.max()) + 1
    sums = np.stack([np.bincount(of_day, weights=m, minlength=many) for m in misses], axis=1)
    sizes = np.bincount(of_day, minlength=many).astype(float)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(many, np.full(many, 1 / many), size=resamples).astype(float)
    return np.asarray((draws @ sums) / (draws @ sizes)[:, None])
