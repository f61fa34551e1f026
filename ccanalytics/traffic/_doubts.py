"""Doubts that a profile carries: a short span, unusual days, volumes that vary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.results import Check
from ccanalytics.traffic._door import days

if TYPE_CHECKING:
    import polars as pl

__all__ = ["span", "spread", "unusual"]

_KINDS = {
    "zero": (
        "Days without calls",
        "their weekday usually has calls: closed, or a gap in the log? They count as zero "
        "in every mean here",
    ),
    "high": (
        "Unusually busy days",
        "far above the median of their weekday; they raise its mean",
    ),
    "low": (
        "Unusually quiet days",
        "far below the median of their weekday: a holiday, or a fault",
    ),
    "partial": ("Days seen in part", "their totals are not compared"),
}


def span(daily: pl.DataFrame) -> list[Check]:
    """Say of a short log how often it saw each weekday."""
    if daily.height >= 28:
        return []
    times = -(-daily.height // 7)
    seen = "once" if times == 1 else f"{times} times at most"
    span = "1 day" if daily.height == 1 else f"{daily.height} days"
    words = f"{span}, so each weekday was seen {seen}: too few to tell a habit from an accident"
    return [Check("Span of the log", "fails", words)]


def unusual(daily: pl.DataFrame) -> list[Check]:
    """Name the days that stand out."""
    import polars as pl

    found = []
    for kind, (name, words) in _KINDS.items():
        dates = daily.filter(pl.col("kind") == kind)["date"].to_list()
        if dates:
            found.append(Check(name, "informs", f"{days(dates)}: {words}"))
    if not found:
        found.append(Check("Unusual days", "holds", "no day stands out within its weekday"))
    return found


def spread(quantile: list[float], weeks: float) -> Check:
    """Tell whether volumes vary more than chance."""
    name = "Variation of volume"
    low, middle, high = quantile
    if middle != middle:  # noqa: PLR0124  (nan)
        return Check(name, "informs", "too few weeks, or too few calls, to tell")
    if middle < 1.2:
        words = f"chance alone: variance over mean is {middle:.1f}, near Poisson's 1"
        return Check(name, "holds", words)
    return Check(
        name,
        "fails",
        f"more than chance: within one weekday and time of day the variance is {middle:.1f} times "
        f"the mean (quartiles {low:.1f} to {high:.1f}; 1 would be pure chance), so agents for "
        "the mean fall short on many days"
        + (f"; with {weeks:.0f} weeks this reads rather too low" if weeks < 8 else ""),
    )
