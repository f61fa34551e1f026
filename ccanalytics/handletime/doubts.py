"""Doubts about a distribution of handle times: the law, short calls, and what is taken together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.handletime.valuecounts import OTHER
from ccanalytics.results import Check
from ccanalytics.statistics import wilson

if TYPE_CHECKING:
    from ccanalytics.handletime.lognormal import Lognormal
    from ccanalytics.handletime.valuecounts import ValueCounts

__all__ = ["doubts", "fit_in_words", "taken_together"]


def taken_together(keys: list[str], others: int, most: int | None) -> tuple[Check, ...]:
    """Say how many keys stand together, where there are more than one can look at."""
    if not others:
        return ()
    told = f"those with most calls ({most:,}) one by one, the other {others:,} together"
    return (Check(f"many values of {', '.join(keys)}", "informs", f"{told} as {OTHER!r}"),)


def doubts(
    times: ValueCounts, law: Lognormal | None, short_s: float, floor_s: float, level: float
) -> tuple[Check, ...]:
    """Gather what speaks for and against the law and the intervals."""
    checks = []
    if law is not None:
        checks.append(
            Check(
                "lognormal law",
                "holds" if law.ks <= 0.05 else "fails",
                f"its share differs from the counted one by at most {law.ks:.1%} at any length "
                f"from {floor_s:g} s (up to 2% is close, 5% rough)",
            )
        )
        short, _ = wilson(times.count_upto(short_s), times.size, level)
        expected = float(law.cdf(short_s))
        share = times.count_upto(short_s) / times.size
        if short > max(2 * expected, 0.01):
            checks.append(
                Check(
                    "short calls",
                    "fails",
                    f"{share:.1%} of calls take at most {short_s:g} s where the law of the longer "
                    f"ones would put {expected:.1%}: callers cut off, wrong numbers, or agents "
                    "who hang up; listen to some",
                )
            )
    checks.append(
        Check(
            "independence",
            "informs",
            "intervals take calls as independent; days that are slow as a whole make the truth "
            "less certain than they say",
        )
    )
    return tuple(checks)


def fit_in_words(distance: float) -> str:
    """Say how well a law fits, by its largest distance in points of share."""
    if distance <= 0.02:
        return "closely follow"
    return "roughly follow" if distance <= 0.05 else "do not follow"
