"""Churn as a guardrail: whether those invited, or subscribed, leave more often than others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import as_kinds, as_polars, check_counts, check_known
from ccanalytics.statistics.rate_ratio import rate_ratio

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.statistics.effects.effect import Grade

__all__ = ["Churn", "churn"]

_COLUMNS = ("on", "invited", "subscribed", "customers", "left")
_BLOCK_DAYS = 7
_YEAR = 365.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Churn(Result):
    """Who leaves: the rate of leaving of invited and of subscribed customers, over that of others.

    Attributes
    ----------
    invited, subscribed
        Rate of leaving over that of customers not invited yet, and not subscribed, on the same
        days: 1 is no difference, above 1 they leave more often. None: cannot be compared.
    rates
        One row per comparison and group: ``compared``, ``group``, ``customer_days``, ``left``,
        ``leaving`` (share leaving within a year) with limits.
    limit
        Ratio from which the guardrail is broken.
    grade, reason
        Of the comparison of those invited.
    """

    invited: Estimate | None
    subscribed: Estimate | None
    rates: pl.DataFrame
    limit: float
    grade: Grade
    reason: str

    def headline(self) -> str:
        """Give the answer alone, in words."""
        invited = self._told(self.invited, "invited")
        return f"Churn: {invited}; {self._told(self.subscribed, 'subscribed')}."

    def summary(self) -> str:
        """Give the answer, its grade with the reason, and the method."""
        return (
            f"{self.headline()} Grade: {self.grade}, since {self.reason}. Rates of leaving of "
            "customers who were there on the same days, within weeks (Mantel–Haenszel)."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give customer-days, leavers and the share leaving within a year, by group."""
        return self.rates

    def _told(self, ratio: Estimate | None, who: str) -> str:
        if ratio is None:
            return f"whether those {who} leave more often cannot be said"
        seen = f"{ratio.low:.2f} to {ratio.high:.2f} times as often, estimate {ratio.value:.2f}"
        if ratio.low > self.limit:
            return f"those {who} leave more often than the guardrail of {self.limit:g} ({seen})"
        if ratio.low > 1:
            return f"those {who} leave more often ({seen})"
        if ratio.high < 1:
            return f"those {who} leave less often ({seen})"
        return f"no difference in leaving that the data can show of those {who} ({seen})"


def churn(
    leaving: Any, *, by_lot: bool | None = None, limit: float = 1.1, level: float = 0.95
) -> Churn:
    """Compare how often customers leave: invited against not yet, subscribed against not.

    The first is what the invitation did if a lot drew the order of the waves; the second compares
    people who chose.

    Parameters
    ----------
    leaving
        Frame of ``CallLog.leaving()``.
    by_lot
        Whether a lot drew the waves; None: not known.
    limit
        Ratio of rates from which the guardrail counts as broken.
    level
        Level of the limits.

    Raises
    ------
    InputError
        A frame without its columns, one that holds something else, or a limit that is none.
    DataError
        Nobody left, or neither comparison has both groups on the same days.
    """
    import polars as pl

    level = check_level(level)
    frame = as_polars(leaving, "leaving", _COLUMNS, "log.leaving()")
    check_counts(frame, ["customers", "left"], "leaving")
    check_known(frame, _COLUMNS, "leaving")
    frame = as_kinds(frame, "leaving", {"on": "date", "invited": "truth", "subscribed": "truth"})
    real = isinstance(limit, (int, float)) and not isinstance(limit, bool)
    if not real or not 0 < limit < float("inf"):
        raise InputError("a ratio of rates is above 0", f"limit={limit!r}", "such as 1.1")
    if not frame.height or not frame["left"].sum():
        raise DataError("nobody left within the log", "left: 0", "take more of the log")
    first = frame["on"].min()
    blocks = frame.with_columns(_block=(pl.col("on") - first).dt.total_days() // _BLOCK_DAYS)
    ratios: dict[str, Estimate | None] = {}
    rows, why = [], []
    for group in ("invited", "subscribed"):
        wide = blocks.group_by("_block").agg(
            e1=pl.col("left").filter(pl.col(group)).sum(),
            t1=pl.col("customers").filter(pl.col(group)).sum(),
            e0=pl.col("left").filter(~pl.col(group)).sum(),
            t0=pl.col("customers").filter(~pl.col(group)).sum(),
        )
        both = wide.filter(pl.col("t1") > 0, pl.col("t0") > 0)
        for name, e, t in ((group, "e1", "t1"), (f"not {group}", "e0", "t0")):
            rows.append((group, name, *_share(int(both[e].sum()), int(both[t].sum()), level)))
        try:
            d1, t1, d0, t0 = (wide[c].to_numpy() for c in ("e1", "t1", "e0", "t0"))
            ratios[group] = rate_ratio(d1, t1, d0, t0, level)
        except DataError as error:
            ratios[group] = None
            why.append(Check(f"Those {group}", "informs", f"cannot be compared: {error.what}"))
    names = ["compared", "group", "customer_days", "left", "leaving", "leaving_low", "leaving_high"]
    grade, reason = _graded(by_lot, ratios["invited"])
    return Churn(
        inputs={"by_lot": by_lot, "limit": limit, "level": level},
        checks=(*_guard(ratios, limit), *why),
        invited=ratios["invited"],
        subscribed=ratios["subscribed"],
        rates=pl.DataFrame(rows, schema=names, orient="row"),
        limit=limit,
        grade=grade,
        reason=reason,
    )


def _share(
    left: int, days: int, level: float
) -> tuple[int, int, float | None, float | None, float | None]:
    """Share leaving within a year at this rate, 1 − exp(−365·rate), with exact Poisson limits."""
    import numpy as np
    from scipy.special import gammaincinv

    if not days:
        return days, left, None, None, None
    tail = (1 - level) / 2
    low = float(gammaincinv(left, tail)) if left else 0.0
    high = float(gammaincinv(left + 1, 1 - tail))
    found = [float(-np.expm1(-_YEAR * count / days)) for count in (left, low, high)]
    return days, left, found[0], found[1], found[2]


def _guard(ratios: dict[str, Estimate | None], limit: float) -> tuple[Check, ...]:
    ratio = ratios["invited"]
    if ratio is None:
        return ()
    name, seen = "Guardrail", f"{ratio.low:.2f} to {ratio.high:.2f}, limit {limit:g}"
    if ratio.low > limit:
        return (Check(name, "fails", f"those invited leave more often than allowed ({seen})"),)
    if ratio.high > limit:
        return (Check(name, "informs", f"neither kept nor broken for certain ({seen})"),)
    return (Check(name, "holds", f"those invited leave no more often than allowed ({seen})"),)


def _graded(by_lot: bool | None, ratio: Estimate | None) -> tuple[Grade, str]:
    if ratio is None:
        return "weak", "those invited and those not yet are never seen on the same days"
    if by_lot:
        return "strong", "a lot decided who was invited when"
    if by_lot is None:
        return "moderate", "it is not known whether a lot decided who was invited when"
    return "weak", "no lot decided who was invited when"
