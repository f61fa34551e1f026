"""Speed against quality: agents or teams by relative handle time and by what reviews found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level, normal_quantile
from ccanalytics.statistics.frames import alike, as_polars, check_counts, check_known, over_a_day_in
from ccanalytics.statistics.random_effects import random_effects
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Frontier", "frontier"]

_FEWEST = 6
_TOLD = 0.2
_CALLS = ("handled", "handle_s", "expected_s", "off_ss")


@dataclass(frozen=True, eq=False, kw_only=True)
class Frontier(Result):
    """How handle time and errors go together over agents or teams.

    Attributes
    ----------
    frame
        One row per key: ``handled``, ``items_marked`` (in random reviews), ``relative_aht``
        and ``item_error`` as they are, with limits; ``relative_aht_shrunk`` and
        ``item_error_shrunk``: drawn to the mean by as much as chance moves them; ``efficient``: no
        other is both faster and makes fewer errors, by the shrunk figures.
    correlation
        Spearman's, of the shrunk figures: below 0 the faster make more errors; nan where less than
        a fifth of the spread of errors is more than chance.
    reliability, reliability_aht
        Share of the spread of errors, and of handle times, that is not chance.
    left_out
        Keys without handled calls, or without a random review.
    """

    frame: pl.DataFrame
    correlation: Estimate
    reliability: float
    reliability_aht: float
    left_out: int
    key: str

    def headline(self) -> str:
        """Say whether speed costs quality."""
        r, what = self.correlation, self.key
        if not np.isfinite(r.value):
            return (
                f"Reviews cannot tell {what}s apart: nearly all of their spread may be chance, so "
                "whether speed costs quality is not known."
            )
        told = "(rank correlation " + r.format("{:.2f}").replace("-", "−") + ")"
        if r.high < 0:
            return f"Faster {what}s make more errors {told}."
        if r.low > 0:
            return f"Faster {what}s make fewer errors {told}."
        return f"That faster {what}s make more errors, or fewer, is not seen {told}."

    def summary(self) -> str:
        """Give the correlation, what is chance, and how to read the frontier."""
        n = int(self.frame["efficient"].sum())
        return (
            f"{self.headline()} {counted(self.frame.height, self.key)}; handle time relative to "
            "calls of the same kind, errors from random reviews, both drawn to the mean by as much "
            f"as chance moves them: {self.reliability:.0%} of the spread of errors and "
            f"{self.reliability_aht:.0%} of that of handle times is more than chance. "
            f"{counted(n, 'lies', 'lie')} on the frontier, where nobody else is both faster and "
            "better: a description of these calls, not a ranking of people."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the rows."""
        return self.frame


def frontier(
    calls: Any, reviews: Any, *, by: str = "agent", relative: Any = None, level: float = 0.95
) -> Frontier:
    """Set handle time beside errors, agent by agent or team by team.

    Relative handle time is Σ time/Σ expected, standard error √(Σ off²)/Σ expected; the share of
    items wrong in random reviews has variance D·p̄(1 − p̄)/n, with the common p̄ and design effect D.
    Each is drawn to the mean by empirical Bayes (weight ω²/(ω² + v)). Limits of Spearman's ρ are
    tanh(artanh ρ ∓ z·√((1 + ρ²/2)/(n − 3))).

    Parameters
    ----------
    calls
        Frame of ``CallLog.agent_calls([by])``.
    reviews
        Frame of ``CallLog.reviews([by])``; random ones alone are used.
    by
        The key that both have.
    relative
        Frame of ``by``, ``relative_aht`` and ``relative_aht_sd`` from a model, in place of the
        plain ratio; None for that.
    level
        Of the limits.

    Raises
    ------
    InputError
        A frame without its columns.
    DataError
        Fewer than six keys with both.

    References
    ----------
    Bonett & Wright (2000), Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations, Psychometrika 65; Paule & Mandel (1982).
    """
    import polars as pl

    level = check_level(level)
    time = as_polars(calls, "calls", (by, *_CALLS), f"log.agent_calls(['{by}'])")
    check_counts(time, _CALLS, "calls")
    check_known(time, _CALLS, "calls")
    seen = as_polars(
        reviews,
        "reviews",
        (by, "sampled", "items_marked", "items_failed"),
        f"log.reviews(['{by}'])",
    )
    check_counts(seen, ["items_marked", "items_failed"], "reviews")
    check_known(seen, ["items_marked", "items_failed"], "reviews")
    time = alike(time, by, seen, "calls")
    random = alike(seen, by, time, "reviews").filter(pl.col("sampled") == "random")
    design = _common_design(random)
    random = random.group_by(by).agg(pl.col("items_marked", "items_failed").sum())
    rows = (
        time.group_by(by).agg(pl.col(_CALLS).sum()).join(random, on=by, how="full", coalesce=True)
    )
    everyone = rows.filter(pl.col(by).is_not_null())
    rows = everyone.filter(
        pl.col("handled") > 1, pl.col("expected_s") > 0, pl.col("items_marked") > 0
    )
    rows = rows.sort(by)
    left = everyone.height - rows.height
    if rows.height < _FEWEST:
        raise DataError(
            f"too few {by}s have both handled calls and random reviews to hold one against the "
            "other",
            f"{rows.height} of {everyone.height}",
            "take a longer span, or group by agent",
        )
    pace = rows["handle_s"] / rows["expected_s"]
    error = rows["off_ss"].sqrt() / rows["expected_s"]
    if relative is not None:
        names = (by, "relative_aht", "relative_aht_sd")
        told = as_polars(relative, "relative", names, "a model of handle time").select(names)
        check_counts(told, names[1:], "relative")
        told = alike(told, by, rows, "relative")
        both = rows.select(by).join(told, on=by, how="left")
        if both.null_count().sum_horizontal().item():
            raise InputError("relative lacks some", f"{by}s with calls and reviews", "give all")
        pace, error = both["relative_aht"], both["relative_aht_sd"]
    y, v = pace.to_numpy().astype(float), np.maximum(error.to_numpy().astype(float), 1e-6) ** 2
    n, x = (rows[name].cast(float).to_numpy() for name in ("items_marked", "items_failed"))
    common = float(x.sum() / n.sum())
    wrong = x / n
    spread = np.maximum(design * common * (1 - common) / n, 1e-12)
    one = np.ones((y.size, 1))
    fast, poor = random_effects(y, v, one), random_effects(wrong, spread, one)
    z = normal_quantile(level)
    frame = rows.select(
        by, pl.col("handled").cast(pl.Int64), pl.col("items_marked").cast(pl.Int64),
        relative_aht=pl.Series(y), relative_aht_low=pl.Series(y - z * np.sqrt(v)),
        relative_aht_high=pl.Series(y + z * np.sqrt(v)),
        item_error=pl.Series(wrong),
        item_error_low=pl.Series(_wilson(x, n, design, level)[0]),
        item_error_high=pl.Series(_wilson(x, n, design, level)[1]),
        relative_aht_shrunk=pl.Series(fast.shrunk), item_error_shrunk=pl.Series(poor.shrunk),
        efficient=pl.Series(_efficient(fast.shrunk, poor.shrunk)),
    )  # fmt: skip
    reliability = poor.between / (poor.between + float(spread.mean()))
    checks = [
        Check(
            "spread of errors", "holds" if reliability >= 0.5 else "fails",
            f"{reliability:.0%} of it is more than chance"
            + ("" if reliability >= 0.5 else ": shrunk figures stand close together, and the "
               "correlation is seen weaker than it is"),
        ),
        Check("cause", "informs",
              "who is fast differs in more than speed (tenure, shifts, calls): that a person would "
              "err less by taking longer is not shown"),
    ]  # fmt: skip
    if left:
        checks.append(
            Check("left out", "informs",
                  f"{counted(left, by)} without two handled calls or without a random review")
        )  # fmt: skip
    return Frontier(
        inputs={"by": by, "level": level, "modelled": relative is not None},
        checks=(*over_a_day_in(time, "calls of agents"), *checks),
        frame=frame,
        correlation=_spearman(fast.shrunk, poor.shrunk, level, told=reliability >= _TOLD),
        reliability=reliability,
        reliability_aht=fast.between / (fast.between + float(v.mean())),
        left_out=left,
        key=by,
    )


def _wilson(x: Floats, n: Floats, design: float, level: float) -> tuple[Floats, Floats]:
    from ccanalytics.statistics.proportions import wilson

    low, high = wilson(x / design, n / design, level)
    return np.asarray(low), np.asarray(high)


def _common_design(random: pl.DataFrame) -> float:
    """Design effect of items within reviews, over all reviews together; 1 or more."""
    names = ("items_failed_nn", "items_failed_xn", "items_failed_xx")
    if set(names) - set(random.columns) or not random["items_marked"].sum():
        return 1.0
    n, x = float(random["items_marked"].sum()), float(random["items_failed"].sum())
    nn, xn, xx = (float(random[name].sum()) for name in names)
    p = x / n
    if not 0 < p < 1:
        return 1.0
    return max((xx - 2 * p * xn + p * p * nn) / (n * p * (1 - p)), 1.0)


def _efficient(time: Floats, wrong: Floats) -> NDArray[np.bool_]:
    """No other is at most as slow and at most as wrong, and better in one."""
    no_slower = time[None, :] <= time[:, None]
    no_worse = wrong[None, :] <= wrong[:, None]
    better = (time[None, :] < time[:, None]) | (wrong[None, :] < wrong[:, None])
    return np.asarray(~(no_slower & no_worse & better).any(axis=1))


def _spearman(x: Floats, y: Floats, level: float, *, told: bool) -> Estimate:
    from scipy.stats import spearmanr

    if not told or np.ptp(x) < 1e-9 or np.ptp(y) < 1e-9:
        return Estimate(math.nan, math.nan, math.nan, level)
    r = float(spearmanr(x, y).statistic)
    half = normal_quantile(level) * math.sqrt((1 + r * r / 2) / (x.size - 3))
    middle = math.atanh(min(max(r, -0.999999), 0.999999))
    return Estimate(r, math.tanh(middle - half), math.tanh(middle + half), level)
