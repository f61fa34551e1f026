"""How often calls go wrong: shares of items and of reviews, each sample by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import (
    as_polars,
    check_counts,
    check_known,
    key_columns,
    key_names,
)
from ccanalytics.statistics.proportions import wilson
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

__all__ = ["ErrorRates", "error_rates"]

_SUMS = ("items_failed_nn", "items_failed_xn", "items_failed_xx")
_COUNTS = (
    *("reviews", "reviews_failed", "items_marked", "items_failed", *_SUMS),
    *("unmarked", "repeated", "unknown_calls"),
)
_TIME = ("interval_start", "local_start", "utc_offset_s", "interval_s")
_SAMPLES = ("random", "targeted", "unknown")
RANKS_NOBODY = 30
"""Reviews below which an interval is too wide to tell one agent from another."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ErrorRates(Result):
    """Errors that reviews found, random and targeted samples apart.

    Attributes
    ----------
    overall
        One row per ``sampled``: ``reviews``, ``reviews_failed``, ``critical_error`` (their share)
        with limits, ``items_marked``, ``items_failed``, ``item_error`` with limits that know that
        items of one review are alike, and ``design_effect`` (by how much that widens the variance).
    groups
        The same by the keys of the frame.
    at_large
        Share of items wrong in all calls, each stratum with its own share of them; None without
        ``calls``.
    critical_at_large
        The same of reviews with a critical error.
    """

    overall: pl.DataFrame
    groups: pl.DataFrame
    at_large: Estimate | None
    critical_at_large: Estimate | None
    keys: tuple[str, ...]

    def of(self, sampled: str, what: str = "item_error") -> Estimate | None:
        """The share of one sample, with its limits; None if there is no such review."""
        rows = self.overall.filter(self.overall["sampled"] == sampled)
        if not rows.height or rows[what][0] is None:
            return None
        value, low, high = (float(rows[name][0]) for name in (what, f"{what}_low", f"{what}_high"))
        return Estimate(value, low, high, self.inputs["level"])

    def headline(self) -> str:
        """Say how often calls reviewed at random went wrong."""
        item, critical = self.of("random"), self.of("random", "critical_error")
        if item is None:
            return "No call was reviewed at random, so how often calls go wrong is not known."
        told = "" if critical is None else (
            f", and {critical.format('{:.1%}')} of calls had a critical error"
        )  # fmt: skip
        return (
            f"Of what reviewers looked at in calls chosen at random, {item.format('{:.1%}')} was "
            f"wrong{told}."
        )

    def summary(self) -> str:
        """Give the shares by sample, and what they may be said of."""
        words = [self.headline()]
        other = self.of("targeted")
        row = self.overall.filter(self.overall["sampled"] == "random")
        if row.height:
            seen = row["reviews"][0]
            told = "" if seen is None else f"{counted(seen, 'random review')}, "
            words.append(f"{told}{counted(row['items_marked'][0], 'item')}.")
        if other is not None:
            words.append(
                f"In calls chosen for a reason it was {other.format('{:.1%}')}: these say nothing "
                "of calls at large, and are kept apart."
            )
        if self.at_large is not None:
            words.append(
                "Weighted by the calls that each stratum took, "
                f"{self.at_large.format('{:.1%}')} of items are wrong at large."
            )
        words.append(
            "Wilson intervals; items of one review are taken together. What counts is what "
            "reviewers marked: errors that they miss are not in it."
        )
        return " ".join(words)

    def samples(self) -> pl.DataFrame:
        """Give the samples without what only a check needs, for reading."""
        gone = ["design_effect", "unmarked", "repeated", "unknown_calls"]
        rows = self.overall.drop(gone)
        known = rows["critical_error"].count()
        return rows if known else rows.drop("reviews_failed", *_with("critical_error"))

    def table(self, sampled: str = "random") -> pl.DataFrame:
        """Give the groups of one sample, the most errors first; people by name: not a ranking."""
        rows = self.groups.filter(self.groups["sampled"] == sampled)
        names = ["reviews", "items_marked", "items_failed", *_with("item_error")]
        if not rows["critical_error"].is_null().all():
            names += ["reviews_failed", *_with("critical_error")]
        people = {"agent", "reviewer"} & set(self.keys)
        order = list(self.keys) if people else ["item_error", *self.keys]
        flags = [not people, *(False for _ in order[1:])]
        names = [name for name in names if name != "reviews" or rows["reviews"].count()]
        rows = rows.select(*self.keys, *names)
        return rows.sort(order, descending=flags, nulls_last=True) if order else rows

    def to_frame(self) -> pl.DataFrame:
        """Give groups and samples."""
        return self.groups


def error_rates(
    reviews: Any, *, calls: Any = None, by: Iterable[str] | None = None, level: float = 0.95
) -> ErrorRates:
    """Estimate how often calls go wrong from the counts of reviews, each sample by itself.

    The share of items is p = Σx/Σn over reviews; its variance is that of a ratio over reviews,
    D·p(1 − p)/Σn, and its limits are Wilson's at Σn/D items (D at least 1). The share of reviews
    with an error in a critical item has Wilson's limits as it is. With ``calls`` the random sample
    is weighted to all calls: p = Σ W_h·p_h, W_h the stratum's share of calls (Horvitz and
    Thompson, within strata drawn alike), variance Σ W_h²·p_h(1 − p_h)/(n_h − 1).

    Parameters
    ----------
    reviews
        Frame of ``CallLog.reviews(by)``; polars or pandas.
    calls
        Frame of the keys of ``reviews`` and ``answered`` or ``calls``: calls that each stratum
        took, such as ``CallLog.agent_calls()``; None for no weighting.
    by
        Keys to group by; default: all of the frame.
    level
        Of the limits.

    Raises
    ------
    InputError
        A frame without its columns, negative counts, more errors than items.
    DataError
        No item was marked at all.

    References
    ----------
    Wilson (1927), JASA 22; Horvitz & Thompson (1952), JASA 47; Cochran (1977), Sampling
    techniques, chapters 5 and 9.

    Examples
    --------
    >>> import polars as pl
    >>> seen = pl.DataFrame({"sampled": ["random", "targeted"], "reviews": [20, 10],
    ...     "reviews_failed": [3, 4], "items_marked": [20, 10], "items_failed": [3, 4]})
    >>> print(error_rates(seen).of("random").format("{:.3f}"))
    0.150 (95% interval 0.052 to 0.360)
    """
    import polars as pl

    level = check_level(level)
    needs = ("sampled", "reviews", "items_marked", "items_failed")
    frame = as_polars(reviews, "reviews", needs, "log.reviews(by)")
    keys = key_columns(frame, [*_TIME, "sampled", *_COUNTS])
    chosen = keys if by is None else key_names(by)
    if set(chosen) - set(keys):
        raise InputError(
            "the frame has no such key",
            f"by={chosen!r}",
            "one of " + (", ".join(keys) or "none: ask log.reviews for some"),
        )
    for name in _SUMS:
        # Without the sums every item is a review of its own.
        if name not in frame.columns:
            frame = frame.with_columns(
                pl.col("items_marked" if name == _SUMS[0] else "items_failed").alias(name)
            )
    for name in ("unmarked", "repeated", "unknown_calls"):
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(0, pl.Int64).alias(name))
    if "reviews_failed" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.Int64).alias("reviews_failed"))
    check_counts(frame, [n for n in _COUNTS if n != "reviews_failed"], "reviews")
    check_counts(frame.drop_nulls("reviews_failed"), ["reviews_failed"], "reviews")
    check_known(frame, ["reviews", "items_marked", "items_failed"], "reviews")
    _check_shares(frame)
    if not frame["items_marked"].sum():
        raise DataError(
            "no item of any review was marked",
            f"{counted(int(frame['unmarked'].sum()), 'item')} without a mark",
            "load reviews with passed filled in",
        )
    frame = frame.with_columns(pl.col("sampled").fill_null("unknown"))
    # A review of five items stands in five rows of a frame by item: what is of reviews is then
    # not to be summed over items.
    by_item = "item" in keys or "critical" in keys
    overall = _shares(frame, [], level, whole=not by_item)
    groups = _shares(frame, chosen, level, whole=not by_item)
    large = critical = None
    checks = list(_checks(frame, overall, groups, chosen, by_item=by_item))
    if calls is not None:
        large, critical, more = _at_large(frame, calls, keys, level)
        checks += more
    return ErrorRates(
        inputs={"by": chosen, "level": level, "weighted": calls is not None},
        checks=tuple(checks),
        overall=overall,
        groups=groups,
        at_large=large,
        critical_at_large=critical,
        keys=tuple(chosen),
    )


def _check_shares(frame: pl.DataFrame) -> None:
    for part, whole in (("items_failed", "items_marked"), ("reviews_failed", "reviews")):
        bad = frame.filter(frame[part] > frame[whole])
        if bad.height:
            row = bad.row(0, named=True)
            raise InputError(
                "more were wrong than were looked at",
                f"{part}={row[part]}, {whole}={row[whole]}",
                "look at how the two were counted",
            )


def _with(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def _shares(frame: pl.DataFrame, keys: list[str], level: float, *, whole: bool) -> pl.DataFrame:
    """Shares with limits by keys and sample, the samples in their order."""
    import polars as pl

    fails = pl.col("reviews_failed")
    rows = frame.group_by(*keys, "sampled").agg(
        pl.col("reviews", "items_marked", "items_failed", *_SUMS).sum(),
        pl.col("unmarked", "repeated", "unknown_calls").sum(),
        reviews_failed=pl.when(fails.null_count() == 0).then(fails.sum()),
    )
    place = pl.col("sampled").replace_strict(
        list(_SAMPLES), range(len(_SAMPLES)), default=len(_SAMPLES), return_dtype=pl.Int8
    )
    rows = rows.sort(*keys, place)
    n, x = (rows[name].cast(pl.Float64).to_numpy() for name in ("items_marked", "items_failed"))
    design = _design(rows)
    if keys:
        # A few reviews say little of how alike their items are: the whole sample says it for them.
        common = frame.group_by("sampled").agg(pl.col("items_marked", "items_failed", *_SUMS).sum())
        common = common.select("sampled", _common=pl.Series(_design(common)))
        all_of = rows.select("sampled").join(common, on="sampled", how="left")["_common"].to_numpy()
        few = rows["reviews"].to_numpy() < RANKS_NOBODY
        design = np.where(few, np.maximum(design, all_of), design)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(n > 0, x / n, np.nan)
    low, high = wilson(x / design, n / design, level)
    rows = rows.with_columns(
        item_error=pl.Series(share), item_error_low=pl.Series(low), item_error_high=pl.Series(high),
        design_effect=pl.Series(design),
    )  # fmt: skip
    seen = rows["reviews"].cast(pl.Float64).to_numpy()
    failed = rows["reviews_failed"].cast(pl.Float64).fill_null(0).to_numpy()
    lower, upper = wilson(np.minimum(failed, seen), seen, level)
    with np.errstate(invalid="ignore", divide="ignore"):
        of_reviews = np.where(seen > 0, failed / seen, np.nan)
    rows = rows.with_columns(
        critical_error=pl.Series(of_reviews),
        critical_error_low=pl.Series(lower),
        critical_error_high=pl.Series(upper),
    )
    limits = [*_with("item_error"), *_with("critical_error")]
    rows = rows.with_columns(pl.col(limits).fill_nan(None))
    if not whole:
        rows = rows.with_columns(
            pl.lit(None, pl.Int64).alias(name) for name in ("reviews", "reviews_failed")
        )
    known = pl.col("reviews_failed").is_not_null()
    rows = rows.with_columns(
        pl.when(known).then(pl.col(name)).alias(name) for name in _with("critical_error")
    )
    return rows.select(
        *keys, "sampled", "reviews", "reviews_failed", *_with("critical_error"),
        "items_marked", "items_failed", *_with("item_error"), "design_effect",
        "unmarked", "repeated", "unknown_calls",
    )  # fmt: skip


def _design(rows: pl.DataFrame) -> Any:
    """By how much the variance of x/n over reviews exceeds that of single items; 1 or more."""
    import polars as pl

    n, x = (rows[name].cast(pl.Float64).to_numpy() for name in ("items_marked", "items_failed"))
    nn, xn, xx = (rows[name].cast(pl.Float64).to_numpy() for name in _SUMS)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = x / n
        variance = (xx - 2 * p * xn + p * p * nn) / n**2
        found = variance / (p * (1 - p) / n)
    return np.where(np.isfinite(found), np.maximum(found, 1.0), 1.0)


def _at_large(
    frame: pl.DataFrame, calls: Any, keys: list[str], level: float
) -> tuple[Estimate | None, Estimate | None, list[Check]]:
    import polars as pl

    strata = [key for key in keys if key not in ("item", "critical", "reviewer")]
    if not strata:
        raise InputError(
            "calls are weighted by strata, and the reviews have none",
            f"keys: {', '.join(keys) or 'none'}",
            "ask for log.reviews(['agent'])",
        )
    weights = as_polars(calls, "calls", strata, "log.agent_calls()")
    name = next((n for n in ("answered", "calls", "handled") if n in weights.columns), None)
    if name is None:
        raise InputError("the frame calls has no calls", ", ".join(weights.columns), "answered")
    check_counts(weights, [name], "calls")
    size = weights.group_by(strata).agg(pl.col(name).sum().cast(pl.Float64).alias("_w"))
    drawn = frame.filter(pl.col("sampled") == "random").group_by(strata).agg(
        pl.col("items_marked", "items_failed", *_SUMS, "reviews").sum(),
        pl.col("reviews_failed").sum() if not frame["reviews_failed"].null_count() else pl.lit(None)
        .cast(pl.Int64).alias("reviews_failed"),
    )  # fmt: skip
    rows = size.join(drawn, on=strata, how="left", nulls_equal=True)
    total = float(rows["_w"].sum())
    seen = rows.filter((pl.col("items_marked") > 0) & (pl.col("_w") > 0))
    if not seen.height:
        return None, None, []
    unseen = 1 - float(seen["_w"].sum()) / total
    checks = [
        Check(
            "calls nobody was drawn from",
            "holds" if unseen < 0.02 else "fails",
            f"{unseen:.1%} of calls are of strata without a random review"
            + ("" if unseen < 0.02 else ": they are taken to be like the others"),
        )
    ]
    share = seen["_w"].to_numpy() / float(seen["_w"].sum())
    large = _weighted(
        share, seen["items_failed"].to_numpy() / seen["items_marked"].to_numpy(),
        seen["items_marked"].to_numpy() / _design(seen), level,
    )  # fmt: skip
    critical = None
    if "item" not in keys and "critical" not in keys and not seen["reviews_failed"].null_count():
        critical = _weighted(
            share, seen["reviews_failed"].to_numpy() / seen["reviews"].to_numpy(),
            seen["reviews"].to_numpy(), level,
        )  # fmt: skip
    return large, critical, checks


def _weighted(share: Any, p: Any, n: Any, level: float) -> Estimate:
    """Σ W·p with limits: Wilson's at the number of trials that would give its variance.

    v = p(1 − p)/(n − 1) within a stratum (Cochran 1977, 5.10), which is right on the mean however
    small n is; below two trials there is none, and that of all strata together is taken.
    """
    value = float(share @ p)
    own = n >= 2
    within = np.where(own, p * (1 - p), value * (1 - value)) / np.where(own, n - 1, n)
    variance = float((share**2 * within).sum())
    trials = value * (1 - value) / variance if variance > 0 else float(n.sum())
    low, high = wilson(value * trials, trials, level)
    return Estimate(value, low, high, level)


def _checks(
    frame: pl.DataFrame, overall: pl.DataFrame, groups: pl.DataFrame, keys: list[str],
    *, by_item: bool,
) -> list[Check]:  # fmt: skip
    import polars as pl

    checks = []
    for name, status, one, more in (
        ("unmarked", "informs", "item without a mark is left out",
         "items without a mark are left out"),
        ("repeated", "informs", "review of a call that was reviewed before counts once",
         "reviews of calls that were reviewed before count once"),
        ("unknown_calls", "fails", "review is of a call that the log does not hold",
         "reviews are of calls that the log does not hold"),
    ):  # fmt: skip
        number = int(overall[name].sum())
        if number and not (by_item and name != "unmarked"):
            told = counted(number, one, more)
            if name == "unknown_calls":
                told += "; keys of the call are unknown for them"
            checks.append(Check(name.replace("_", " "), status, told))  # type: ignore[arg-type]
    unknown = frame.filter(pl.col("sampled") == "unknown")
    if unknown["items_marked"].sum():
        checks.append(
            Check("how calls were chosen", "fails",
                  f"not told of {counted(int(unknown['items_marked'].sum()), 'item')}: they are in "
                  "neither sample")
        )  # fmt: skip
    if not (frame["sampled"] == "random").any():
        checks.append(
            Check("random sample", "fails",
                  "there is none: calls chosen for a reason say nothing of calls at large")
        )  # fmt: skip
    people = [key for key in keys if key in ("agent", "reviewer")]
    mine = groups.filter(pl.col("sampled") == "random")
    if people and mine.height:
        small = mine.filter(pl.col("items_marked") > 0)
        base = small["reviews"] if small["reviews"].null_count() == 0 else small["items_marked"]
        few = int((base < RANKS_NOBODY).sum())
        if few:
            spread = f"five reviews, all right, leave up to {wilson(0, 5)[1]:.0%} possible"
            checks.append(
                Check(
                    "few reviews", "fails",
                    f"{counted(few, people[0])} of {small.height:,} "
                    f"{'has' if few == 1 else 'have'} fewer than {RANKS_NOBODY} random reviews: "
                    f"they rank nobody ({spread} as errors)",
                )
            )  # fmt: skip
    return checks
