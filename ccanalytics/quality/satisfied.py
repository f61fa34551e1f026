"""Satisfaction, with those who do not answer: response, bounds, weighting, and who is silent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level, normal_quantile
from ccanalytics.statistics.frames import as_polars, check_counts, check_known, key_columns
from ccanalytics.statistics.proportions import wilson
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Satisfaction", "satisfaction"]

_COLUMNS = ("score", "surveys", "blank", "unknown_calls", "too_recent")
_FEWEST = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Satisfaction(Result):
    """What customers said, and what may be said of those who did not.

    Attributes
    ----------
    response
        Share of those asked who gave a score.
    mean, top
        Mean score, and share with ``top_from`` or more, of those who answered.
    mean_weighted, top_weighted
        The same of all asked, if within each cell of known features the silent are like those who
        answered.
    mean_bounds, top_bounds
        Of all asked, whatever the silent think: value is the middle, low and high the limits of the
        whole range (Imbens and Manski).
    scores
        One row per ``score``: ``surveys`` and ``share`` of those who answered.
    silent
        One row per ``feature`` and ``level``: ``surveys``, ``answered``, ``response`` with limits,
        ``share`` of all asked and ``silent_share`` of the silent.
    cells
        The cells of the weighting.
    """

    surveys: int
    answered: int
    response: Estimate
    mean: Estimate
    top: Estimate
    mean_weighted: Estimate
    top_weighted: Estimate
    mean_bounds: Estimate
    top_bounds: Estimate
    scores: pl.DataFrame
    silent: pl.DataFrame
    cells: pl.DataFrame

    @property
    def top_from(self) -> float:
        """The least score that counts as satisfied."""
        return float(self.inputs["top_from"])

    def headline(self) -> str:
        """Say what those who answered think, and how little that binds the rest."""
        return (
            f"Of those asked, {self.response.value:.0%} answered; {self.top.format('{:.0%}')} of "
            f"these are satisfied ({self.top_from:g} or more), but of all asked it may be anything "
            f"from {self.top_bounds.low:.0%} to {self.top_bounds.high:.0%}."
        )

    def summary(self) -> str:
        """Give mean and share, weighted, and within bounds."""
        level = 100 * self.top.level
        return (
            f"{self.headline()} Mean score {self.mean.format('{:.2f}')}; weighted by what is known "
            f"of the calls {self.mean_weighted.format('{:.2f}')}, and "
            f"{self.top_weighted.format('{:.0%}')} satisfied. Weighting assumes that the silent "
            "think as others with such calls; the bounds assume nothing, and a mean of all asked "
            f"lies from {self.mean_bounds.low:.2f} to {self.mean_bounds.high:.2f} ({level:g}%). "
            f"{self.answered:,} of {counted(self.surveys, 'survey')}."
        )

    def table(self) -> pl.DataFrame:
        """Give the answers in words, as a report prints them."""
        import polars as pl

        rows = [
            (
                what, basis,
                *(f"{each:.2f}" if what == "mean" else f"{each:.1%}" for each in numbers),
            )
            for what, basis, *numbers in self.to_frame().iter_rows()
        ]  # fmt: skip
        names = {"mean": "mean score", "satisfied": f"{self.top_from:g} or more"}
        told = pl.DataFrame(rows, schema=["what", "of", "value", "low", "high"], orient="row")
        # Of bounds the middle is no estimate.
        bounds = pl.col("of").str.contains("whatever")
        return told.with_columns(
            pl.col("what").replace(names),
            value=pl.when(bounds).then(pl.lit("–")).otherwise("value"),
        )

    def to_frame(self) -> pl.DataFrame:
        """Give each answer to "how satisfied" with its limits."""
        import polars as pl

        rows = [
            (name, basis, *(getattr(each, part) for part in ("value", "low", "high")))
            for name, basis, each in (
                ("mean", "those who answered", self.mean),
                ("mean", "all asked, weighted", self.mean_weighted),
                ("mean", "all asked, whatever the silent think", self.mean_bounds),
                ("satisfied", "those who answered", self.top),
                ("satisfied", "all asked, weighted", self.top_weighted),
                ("satisfied", "all asked, whatever the silent think", self.top_bounds),
            )
        ]
        return pl.DataFrame(rows, schema=["what", "basis", "value", "low", "high"], orient="row")


def satisfaction(
    surveys: Any,
    *,
    scale: tuple[float, float] = (1, 5),
    top_from: float = 4,
    level: float = 0.95,
) -> Satisfaction:
    r"""Estimate satisfaction, with what the silent may do to it.

    With r the share that answers and m their mean on a scale a to b, the mean of all lies from
    r·m + (1 − r)·a to r·m + (1 − r)·b (Manski); limits of Imbens and Manski cover the true mean
    itself. Weighted (post-stratified), it is Σ (N_c/N)·m_c over cells c of the frame's keys,
    variance Σ (N_c/N)²·s_c²/n_c. Cells with fewer than 5 answers are taken together.

    Parameters
    ----------
    surveys
        Frame of ``CallLog.surveys(by)``; its keys are the known features.
    scale
        Lowest and highest score.
    top_from
        Scores from here on count as satisfied.
    level
        Of the limits.

    Raises
    ------
    InputError
        A frame without its columns, a score outside the scale.
    DataError
        Nobody was asked, or nobody answered.

    References
    ----------
    Manski (1989), Journal of Human Resources 24; Imbens & Manski (2004), Econometrica 72;
    Little & Rubin (2019), Statistical analysis with missing data, chapter 3.

    Examples
    --------
    >>> import polars as pl
    >>> told = satisfaction(pl.DataFrame({"score": [None, 5.0, 2.0], "surveys": [60, 30, 10]}))
    >>> round(told.response.value, 2), told.mean.value, round(told.top_bounds.low, 2)
    (0.4, 4.25, 0.22)
    """
    import polars as pl

    level = check_level(level)
    low, high = _scale(scale, top_from)
    rows = as_polars(surveys, "surveys", ("score", "surveys"), "log.surveys(by)")
    keys = key_columns(rows, _COLUMNS)
    for name in _COLUMNS[2:]:
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit(0, pl.Int64).alias(name))
    check_counts(rows, ["surveys", *_COLUMNS[2:]], "surveys")
    check_known(rows, ["surveys"], "surveys")
    rows = rows.with_columns(pl.col("score").cast(pl.Float64).fill_nan(None))
    outside = rows.filter((pl.col("score") < low) | (pl.col("score") > high))
    if outside.height:
        raise InputError(
            "a score lies outside the scale",
            f"score {outside['score'][0]:g}, scale {low:g} to {high:g}",
            "give the survey's own scale",
        )
    total, recent = int(rows["surveys"].sum()), int(rows["too_recent"].sum())
    said = rows.filter(pl.col("score").is_not_null(), pl.col("surveys") > 0)
    answered = int(said["surveys"].sum())
    if not answered:
        raise DataError(
            "nobody answered, so nothing is known of satisfaction",
            f"{counted(total, 'survey')}, no score"
            + (f"; {recent:,} sent too recently to judge" if recent else ""),
            "load surveys with their scores",
        )
    score, n = said["score"].to_numpy(), said["surveys"].cast(float).to_numpy()
    rate = answered / total
    response = Estimate(rate, *wilson(answered, total, level), level)
    is_top = (score >= top_from).astype(float)
    cells = _cells(rows, keys, top_from)
    return Satisfaction(
        inputs={"scale": (low, high), "top_from": top_from, "features": keys, "level": level},
        checks=_checks(rows, cells, keys, rate, recent),
        surveys=total,
        answered=answered,
        response=response,
        mean=_mean(score, n, level),
        top=Estimate(float(is_top @ n) / answered, *wilson(is_top @ n, answered, level), level),
        mean_weighted=_weighted(cells, "mean", "variance", level, (low, high)),
        top_weighted=_weighted(cells, "top", "top_variance", level, (0, 1)),
        mean_bounds=_bounds(score, n, total, (low, high), level),
        top_bounds=_bounds(is_top, n, total, (0, 1), level),
        scores=said.group_by("score").agg(pl.col("surveys").sum()).sort("score")
        .with_columns(share=pl.col("surveys") / answered),
        silent=_silent(rows, keys, level),
        cells=cells,
    )  # fmt: skip


def _scale(scale: Any, top_from: float) -> tuple[float, float]:
    try:
        low, high = (float(each) for each in scale)
    except (TypeError, ValueError) as error:
        raise InputError("a scale is two numbers", f"scale={scale!r}", "(1, 5)") from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError("a scale goes upwards", f"scale={scale!r}", "(1, 5)")
    if not low < top_from <= high:
        raise InputError(
            "scores that count as satisfied lie within the scale", f"top_from={top_from!r}", "4"
        )
    return low, high


def _moments(values: Floats, n: Floats) -> tuple[float, float]:
    mean = float(values @ n / n.sum())
    spread = float(((values - mean) ** 2) @ n)
    return mean, spread / max(float(n.sum()) - 1, 1)


def _mean(values: Floats, n: Floats, level: float) -> Estimate:
    mean, variance = _moments(values, n)
    half = normal_quantile(level) * math.sqrt(variance / n.sum())
    return Estimate(mean, mean - half, mean + half, level)


def _bounds(
    values: Floats, n: Floats, total: int, ends: tuple[float, float], level: float
) -> Estimate:
    """Limits that cover the mean of all asked, whatever the silent think."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    silent = total - float(n.sum())
    edges, errors = [], []
    for end in ends:
        mean, variance = _moments(np.append(values, end), np.append(n, silent))
        edges.append(mean)
        errors.append(math.sqrt(variance / total))
    width, wide = edges[1] - edges[0], max(errors)
    if wide <= 0:
        c = 0.0
    else:
        # From two-sided z, where nobody is silent, down to one-sided.
        c = float(
            brentq(lambda c: ndtr(c + width / wide) - ndtr(-c) - level, 0, 40)
            if level > 0 else 0
        )  # fmt: skip
    return Estimate(
        sum(edges) / 2,
        max(edges[0] - c * errors[0], ends[0]),
        min(edges[1] + c * errors[1], ends[1]),
        level,
    )


def _cells(rows: pl.DataFrame, keys: list[str], top_from: float) -> pl.DataFrame:
    """Cells with answers enough, the others together: asked, answered, means and variances."""
    import polars as pl

    said, n = pl.col("score").is_not_null(), pl.col("surveys")
    label = (
        pl.concat_str([pl.col(key).cast(pl.String).fill_null("unknown") for key in keys],
                      separator=", ")
        if keys else pl.lit("all")
    )  # fmt: skip
    rows = rows.with_columns(cell=label)
    many = rows.group_by("cell").agg(_a=n.filter(said).sum())
    few = many.filter(pl.col("_a") < _FEWEST)["cell"].to_list()
    rows = rows.with_columns(
        cell=pl.when(pl.col("cell").is_in(few)).then(pl.lit("others")).otherwise("cell")
    )
    top = (pl.col("score") >= top_from).cast(pl.Float64)
    answered = n.filter(said).sum()
    return (
        rows.group_by("cell")
        .agg(
            surveys=n.sum(),
            answered=answered,
            mean=(pl.col("score") * n).sum() / answered,
            _ss=(pl.col("score") ** 2 * n).sum(),
            top=(top * n).sum() / answered,
        )
        .with_columns(
            variance=(pl.col("_ss") - pl.col("answered") * pl.col("mean") ** 2)
            / (pl.col("answered") - 1).clip(1),
            top_variance=pl.col("top") * (1 - pl.col("top")),
        )
        .drop("_ss")
        .with_columns(
            pl.when(pl.col("answered") > 0).then(pl.col(name)).alias(name)
            for name in ("mean", "variance", "top", "top_variance")
        )
        .sort("surveys", "cell", descending=[True, False])
    )


def _weighted(
    cells: pl.DataFrame, value: str, variance: str, level: float, ends: tuple[float, float]
) -> Estimate:
    import polars as pl

    some = cells.filter(pl.col("answered") > 0)
    share = some["surveys"].cast(float).to_numpy() / float(some["surveys"].sum())
    m, n = some[value].to_numpy(), some["answered"].cast(float).to_numpy()
    pooled = float(some[variance].to_numpy() @ n / n.sum())
    # A cell in which all say the same has no variance of its own to trust.
    spread = np.maximum(some[variance].to_numpy(), 0.25 * pooled)
    mean = float(share @ m)
    half = normal_quantile(level) * math.sqrt(float((share**2 * spread / n).sum()))
    return Estimate(mean, max(mean - half, ends[0]), min(mean + half, ends[1]), level)


def _silent(rows: pl.DataFrame, keys: list[str], level: float) -> pl.DataFrame:
    import polars as pl

    total = float(rows["surveys"].sum())
    quiet = float(rows.filter(pl.col("score").is_null())["surveys"].sum())
    parts = []
    for key in keys:
        part = rows.group_by(pl.col(key).cast(pl.String).fill_null("unknown").alias("level")).agg(
            surveys=pl.col("surveys").sum(),
            answered=pl.col("surveys").filter(pl.col("score").is_not_null()).sum(),
        )
        part = part.filter(pl.col("surveys") > 0).sort("level")
        low, high = wilson(part["answered"].to_numpy(), part["surveys"].to_numpy(), level)
        asked, said = pl.col("surveys"), pl.col("answered")
        parts.append(
            part.select(
                pl.lit(key).alias("feature"), "level",
                asked.cast(pl.Int64), said.cast(pl.Int64),
                response=said / asked, response_low=pl.Series(low), response_high=pl.Series(high),
                share=asked / total,
                silent_share=(asked - said) / quiet if quiet else pl.lit(None, pl.Float64),
            )
        )  # fmt: skip
    numbers = ("response", "response_low", "response_high", "share", "silent_share")
    schema = {
        "feature": pl.String, "level": pl.String, "surveys": pl.Int64, "answered": pl.Int64,
        **dict.fromkeys(numbers, pl.Float64),
    }  # fmt: skip
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _checks(
    rows: pl.DataFrame, cells: pl.DataFrame, keys: list[str], rate: float, recent: int
) -> tuple[Check, ...]:
    import polars as pl

    checks = [
        Check(
            "response", "holds" if rate >= 0.7 else "fails",
            f"{rate:.0%} answered" + ("" if rate >= 0.7 else
            ": what the silent think can outweigh every other doubt"),
        )
    ]  # fmt: skip
    blank, unknown = int(rows["blank"].sum()), int(rows["unknown_calls"].sum())
    if blank:
        noun = counted(blank, "survey was", "surveys were")
        checks.append(
            Check("answers without a score", "informs",
                  f"{noun} answered without a score, and {'counts' if blank == 1 else 'count'} as "
                  "silent")
        )  # fmt: skip
    if unknown:
        noun = counted(unknown, "survey is", "surveys are")
        checks.append(
            Check("unknown calls", "fails",
                  f"{noun} of calls that the log does not hold; nothing is known of these but the "
                  "score")
        )  # fmt: skip
    if recent:
        checks.append(
            Check("sent too recently", "informs", f"{counted(recent, 'survey')} may still be "
                  "answered, and are left out")
        )  # fmt: skip
    if not keys:
        checks.append(
            Check("weighting", "fails", "no feature of the calls was given: nothing to weight by")
        )
    else:
        total = int(rows["surveys"].sum())
        others = cells.filter(pl.col("cell") == "others")
        empty = cells.filter(pl.col("answered") == 0)
        if others.height:
            checks.append(
                Check("small cells", "informs",
                      f"{int(others['surveys'].sum()) / total:.1%} of surveys are in "
                      f"cells with fewer than {_FEWEST} answers, taken together")
            )  # fmt: skip
        if empty.height:
            checks.append(
                Check("cells without an answer", "fails",
                      f"{int(empty['surveys'].sum()) / total:.1%} of surveys: taken to "
                      "be like the others")
            )  # fmt: skip
    return tuple(checks)
