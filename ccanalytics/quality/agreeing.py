"""Do reviewers agree: kappa, PABAK and Krippendorff's alpha of marks given to the same items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import as_polars, check_counts, check_known
from ccanalytics.statistics.proportions import wilson
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Agreement", "agreement"]

_DRAWS = 2000
_FEW = 30
_POOR, _FAIR = 0.4, 0.667
_SOURCE = "log.review_pairs()"


@dataclass(frozen=True, eq=False, kw_only=True)
class Agreement(Result):
    """How far two reviewers of the same call agree.

    Attributes
    ----------
    agreed
        Share of pairs of marks that agree.
    kappa, pabak, alpha
        Agreement beyond chance; kappa is nan where every mark is the same.
    items
        One row per item: ``pairs``, ``agreed`` with limits, ``failed`` (share of all its marks),
        ``kappa``, ``pabak`` and ``alpha``, each with limits.
    reviewers
        One row per pair of reviewers: ``reviewer``, ``other``, ``pairs``, ``agreed`` with limits,
        ``failed`` and ``other_failed`` (the share that each marked wrong), ``stricter_p`` (chance
        of so great a difference if both were alike: McNemar's exact test).
    """

    pairs: int
    agreed: Estimate
    kappa: Estimate
    pabak: Estimate
    alpha: Estimate
    items: pl.DataFrame
    reviewers: pl.DataFrame

    def headline(self) -> str:
        """Say whether two reviewers of the same call say the same."""
        k = self.kappa
        if not np.isfinite(k.value):
            return "Every mark is the same, so agreement beyond chance cannot be told."
        if k.low >= _FAIR:
            word = "agree well"
        elif k.high < _POOR:
            word = "hardly agree"
        elif k.low >= _POOR:
            word = "agree fairly"
        else:
            word = (
                "agree, but how well is not sure" if k.high >= _FAIR else "agree poorly to fairly"
            )
        return (
            f"Reviewers of the same call {word}: {self.agreed.format('{:.0%}')} of marks are the "
            f"same, kappa {k.format('{:.2f}')}."
        )

    def summary(self) -> str:
        """Give the three measures and what they allow for."""
        if not np.isfinite(self.kappa.value):
            return (
                f"{self.headline()} Of {counted(self.pairs, 'pair')} of marks "
                f"{self.agreed.format('{:.0%}')} agree; kappa and Krippendorff's alpha are not "
                "defined where no mark differs from another."
            )
        return (
            f"{self.headline()} Of {counted(self.pairs, 'pair')} of marks. Krippendorff's alpha is "
            f"{self.alpha.format('{:.2f}')}; PABAK, which takes errors and right marks as equally "
            f"likely, {self.pabak.format('{:.2f}')}. Where errors are rare, kappa is low though "
            "most marks agree, because chance alone would make them agree."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the items."""
        return self.items


def agreement(pairs: Any, *, level: float = 0.95, seed: int = 1) -> Agreement:
    """Measure how far reviewers agree beyond chance on marks of the same items.

    With p_o the share of pairs that agree and p_e that which the reviewers' own shares of errors
    would make agree by chance, Cohen's kappa is (p_o − p_e)/(1 − p_e), limits by the delta method
    (statsmodels); PABAK is 2·p_o − 1, limits Wilson's of p_o. Krippendorff's nominal alpha is
    1 − (n − 1)·Σ_{c≠k} o_ck / Σ_{c≠k} n_c·n_k over coincidences o, each pair of a call marked by m
    reviewers weighing 1/(m − 1); limits by drawing pairs again.

    Parameters
    ----------
    pairs
        Frame of ``CallLog.review_pairs()``: ``passed``, ``other_passed``, ``pairs``; with
        ``item``, ``reviewer``, ``other`` and ``raters`` where known.
    level
        Of the limits.
    seed
        Of the draws behind alpha's limits.

    Raises
    ------
    DataError
        No call was marked by two reviewers.

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20; Byrt, Bishop & Carlin (1993),
    Journal of Clinical Epidemiology 46; Krippendorff (2004), Content analysis, chapter 11.

    Examples
    --------
    >>> import polars as pl
    >>> seen = pl.DataFrame({"passed": [True, True, False, False],
    ...     "other_passed": [True, False, True, False], "pairs": [20, 5, 10, 15]})
    >>> found = agreement(seen)
    >>> print(f"{found.kappa.value:.2f} {found.pabak.value:.2f} {found.alpha.value:.3f}")
    0.40 0.40 0.400
    """
    import polars as pl

    level = check_level(level)
    rows = as_polars(pairs, "pairs", ("passed", "other_passed", "pairs"), _SOURCE)
    check_counts(rows, ["pairs"], "pairs")
    check_known(rows, ["pairs"], "pairs")
    rows = rows.drop_nulls(["passed", "other_passed"]).filter(pl.col("pairs") > 0)
    if not rows.height:
        raise DataError(
            "no call was marked by two reviewers, so their agreement is not known",
            "no pair of marks",
            "have some calls reviewed twice, each by two reviewers",
        )
    for name, value in (("item", "all"), ("reviewer", None), ("other", None)):
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit(value, pl.String).alias(name))
    if "raters" not in rows.columns:
        rows = rows.with_columns(raters=pl.lit(2, pl.Int64))
    # Whose reviewers are not counted were two.
    rows = rows.with_columns(pl.col("raters").fill_null(2))
    if (rows["raters"] < 2).any():
        raise InputError(
            "a pair of marks has two reviewers at least",
            "raters below 2",
            f"take it from {_SOURCE}",
        )
    rng = np.random.default_rng(seed)
    agreed, kappa, pabak, alpha = _measured(rows, level, rng)
    total = int(rows["pairs"].sum())
    items = []
    for (item,), part in rows.group_by(["item"], maintain_order=True):
        found = _measured(part, level, rng)
        row = {"item": item, "pairs": int(part["pairs"].sum()), "failed": _failed(part)}
        for name, one in zip(("agreed", "kappa", "pabak", "alpha"), found, strict=True):
            row |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
        items.append(row)
    frame = pl.DataFrame(items, infer_schema_length=None).with_columns(
        pl.selectors.float().fill_nan(None)
    )
    return Agreement(
        inputs={"level": level, "seed": seed},
        checks=_checks(rows, total, kappa),
        pairs=total,
        agreed=agreed,
        kappa=kappa,
        pabak=pabak,
        alpha=alpha,
        items=frame.sort("item"),
        reviewers=_reviewers(rows, level),
    )


def _table(rows: pl.DataFrame) -> Floats:
    """2 × 2: passed or not by the one, and by the other."""
    table = np.zeros((2, 2))
    for mine, other, n in rows.select("passed", "other_passed", "pairs").iter_rows():
        table[int(not mine), int(not other)] += n
    return table


def _failed(rows: pl.DataFrame) -> float:
    table = _table(rows)
    return float((table[1].sum() + table[:, 1].sum()) / (2 * table.sum()))


def _measured(
    rows: pl.DataFrame, level: float, rng: np.random.Generator
) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    table = _table(rows)
    total, same = float(table.sum()), float(np.trace(table))
    agreed = Estimate(same / total, *wilson(same, total, level), level)
    pabak = Estimate(2 * agreed.value - 1, 2 * agreed.low - 1, 2 * agreed.high - 1, level)
    return agreed, _kappa(table, level), pabak, _alpha(rows, level, rng)


def _kappa(table: Floats, level: float) -> Estimate:
    nothing = Estimate(float("nan"), float("nan"), float("nan"), level)
    by_chance = float((table.sum(0) * table.sum(1)).sum() / table.sum() ** 2)
    if by_chance >= 1:
        return nothing
    from statsmodels.stats.inter_rater import cohens_kappa

    found = cohens_kappa(table, return_results=True)
    found.alpha = 1 - level
    half = found.kappa_upp - found.kappa
    return Estimate(
        float(found.kappa), float(max(found.kappa - half, -1)), float(min(found.kappa + half, 1)),
        level,
    )  # fmt: skip


def _alpha(rows: pl.DataFrame, level: float, rng: np.random.Generator) -> Estimate:
    passed, other = (rows[name].cast(int).to_numpy() for name in ("passed", "other_passed"))
    n = rows["pairs"].cast(float).to_numpy()
    weight = 1 / (rows["raters"].cast(float).to_numpy() - 1)
    value = float(_alpha_of(n[None, :] * weight, passed, other)[0])
    drawn = rng.multinomial(int(n.sum()), n / n.sum(), size=_DRAWS) * weight
    spread = _alpha_of(drawn, passed, other)
    spread = spread[np.isfinite(spread)]
    if not spread.size or not np.isfinite(value):
        return Estimate(value, float("nan"), float("nan"), level)
    low, high = np.quantile(spread, [0.5 - level / 2, 0.5 + level / 2])
    return Estimate(value, float(low), float(high), level)


def _alpha_of(weights: Floats, passed: Any, other: Any) -> Floats:
    """Alpha per row of weights; nan where all marks are the same."""
    right = weights @ (passed + other)
    values = 2 * weights.sum(axis=1)
    differ = 2 * (weights @ (passed != other))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - (values - 1) * differ / (2 * right * (values - right)))


def _reviewers(rows: pl.DataFrame, level: float) -> pl.DataFrame:
    import polars as pl
    from scipy.stats import binomtest

    told = []
    for (mine, other), part in rows.group_by(["reviewer", "other"], maintain_order=True):
        table = _table(part)
        total, same = float(table.sum()), float(np.trace(table))
        low, high = wilson(same, total, level)
        strict, loose = int(table[1, 0]), int(table[0, 1])
        p = float(binomtest(strict, strict + loose).pvalue) if strict + loose else 1.0
        told.append(
            (mine, other, int(total), same / total, low, high, table[1].sum() / total,
             table[:, 1].sum() / total, p)
        )  # fmt: skip
    schema = {
        "reviewer": pl.String, "other": pl.String, "pairs": pl.Int64,
        **dict.fromkeys(
            ["agreed", "agreed_low", "agreed_high", "failed", "other_failed", "stricter_p"],
            pl.Float64,
        ),
    }  # fmt: skip
    return pl.DataFrame(told, schema=schema, orient="row").sort("reviewer", "other")


def _checks(rows: pl.DataFrame, total: int, kappa: Estimate) -> tuple[Check, ...]:
    import polars as pl

    checks = []
    if not np.isfinite(kappa.value):
        checks.append(Check("marks", "fails", "all are the same: kappa and alpha are not defined"))
    few = rows.group_by("item").agg(pl.col("pairs").sum()).filter(pl.col("pairs") < _FEW)
    if few.height:
        verb = "has" if few.height == 1 else "have"
        checks.append(
            Check("few pairs", "fails",
                  f"{counted(few.height, 'item')} {verb} fewer than {_FEW}: limits are wide")
        )  # fmt: skip
    if rows["item"].n_unique() > 1:
        checks.append(
            Check("marks of one review", "informs",
                  f"the {total:,} pairs of all items together come from fewer calls; where items "
                  "of a call go wrong together, limits are too narrow")
        )  # fmt: skip
    if (rows["raters"] > 2).any():
        checks.append(
            Check("more than two reviewers", "informs",
                  "pairs of such a call are drawn as if independent: limits are too narrow")
        )  # fmt: skip
    return tuple(checks)
