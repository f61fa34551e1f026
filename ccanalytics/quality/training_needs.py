"""What random reviews find wrong, and which of it a course is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError
from ccanalytics.results import Estimate
from ccanalytics.statistics.frames import as_kinds, as_polars
from ccanalytics.statistics.proportions import wilson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

__all__ = ["needs_of"]


def needs_of(
    course: str,
    reviews: Any,
    covers: Mapping[str, str] | Iterable[str] | None,
    level: float,
    refused: dict[str, str],
) -> tuple[pl.DataFrame | None, Estimate | None]:
    """Items of random reviews, how often they fail, and which the course is about."""
    import polars as pl

    if reviews is None:
        refused["needs"] = "no reviews were given"
        return None, None
    frame = as_polars(reviews, "reviews", ("item", "passed", "sampled"), "log.table('reviews')")
    frame = as_kinds(frame, "reviews", {"passed": "truth"})
    random = frame.filter(pl.col("sampled") == "random").drop_nulls(["item", "passed"])
    if not random.height:
        refused["needs"] = (
            "no calls were reviewed at random; targeted ones do not tell what is needed"
        )
        return None, None
    items = (
        random.group_by("item")
        .agg(
            pl.len().cast(pl.Int64).alias("items_marked"),
            (~pl.col("passed")).sum().cast(pl.Int64).alias("items_failed"),
        )
        .sort("items_failed", "item", descending=[True, False])
    )
    failed = int(items["items_failed"].sum())
    ends = [
        wilson(f, n, level=level)
        for f, n in items.select("items_failed", "items_marked").iter_rows()
    ]
    items = items.with_columns(
        (pl.col("items_failed") / pl.col("items_marked")).alias("item_error"),
        pl.Series("item_error_low", [low for low, _ in ends], dtype=pl.Float64),
        pl.Series("item_error_high", [high for _, high in ends], dtype=pl.Float64),
        (pl.col("items_failed") / max(failed, 1)).alias("share_of_failed"),
    )
    if covers is None:
        refused["needs"] = "which items the course is about was not said"
        return items, None
    mine = _covered(course, covers)
    unknown = mine - set(items["item"].to_list())
    if unknown:
        raise InputError(
            "the reviews have no such item",
            f"covers: {', '.join(sorted(unknown))}",
            "one of " + ", ".join(sorted(items["item"].to_list())),
        )
    items = items.with_columns(pl.col("item").is_in(list(mine)).alias("covered"))
    about = int(items.filter("covered")["items_failed"].sum())
    if not failed:
        return items, None
    low, high = wilson(about, failed, level=level)
    return items, Estimate(about / failed, low, high, level)


def _covered(course: str, covers: Mapping[str, str] | Iterable[str]) -> set[str]:
    from collections.abc import Mapping as AMapping

    if isinstance(covers, str):
        return {covers}
    if isinstance(covers, AMapping):
        return {str(item) for item, about in covers.items() if about == course}
    return {str(item) for item in covers}
