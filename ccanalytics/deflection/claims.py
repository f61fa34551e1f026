"""A claim of deflection held against itself: what its figures imply, and whether they fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Claim", "check_claim"]

_MONTH_DAYS = 30.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Claim(Result):
    """A claim, and each way of reading it.

    Attributes
    ----------
    frame
        Per reading: ``reading``, ``items``; the base that would make the share true,
        ``base_low`` at the highest share and ``base_high`` at the lowest, ``base_per_day`` and
        ``base_per_agent_day`` at the highest; ``removes_calls``; ``fits`` and ``reason``.
    plausible
        Calls that the base can be, from what was stated; None where nothing was.
    """

    frame: pl.DataFrame
    plausible: tuple[float, float] | None

    @property
    def consistent(self) -> bool | None:
        """Whether some reading fits; None where there is nothing to hold the claim against."""
        if self.plausible is None:
            return None
        return bool(self.frame["fits"].any())

    def share_of(self, base: float, reading: int = 0) -> float:
        """Give the share that a reading's items are of some base, such as all calls of the time."""
        if not _number("base", base) > 0:
            raise InputError("a base is above 0", f"base={base!r}")
        if isinstance(reading, bool) or reading not in range(self.frame.height):
            raise InputError(
                "no such reading", f"reading={reading!r}", f"from 0 to {self.frame.height - 1}"
            )
        return float(self.frame["items"][reading]) / base

    def summary(self) -> str:
        """Whether the figures fit together, and which base makes them true."""
        first = self.frame.row(0, named=True)
        share = _share_words(self.inputs["share"])
        words = (
            f"{first['items']:,.0f} items are {share} of traffic only where "
            f"{_between(first['base_low'], first['base_high'])} would have come in "
            f"{self.inputs['days']:g} days, {first['base_per_day']:,.0f} a day. "
        )
        if self.plausible is None:
            return words + (
                "Neither the calls of the time nor the staff is stated, so nothing speaks for or "
                "against it: ask for the base."
            )
        low, high = self.plausible
        where = self.inputs["plausible_from"]
        fitting = self.frame.filter(self.frame["fits"])
        if fitting.height and fitting["reading"][0] == first["reading"]:
            return words + f"That fits {where}."
        if fitting.height:
            row = fitting.row(0, named=True)
            base = _between(row["base_low"], row["base_high"])
            return words + (
                f"That does not fit {where}; read as {row['reading']}, {row['items']:,.0f} of "
                f"{base}, it does."
            )
        at = self.share_of(low), self.share_of(high)
        least = first["base_low"] / high, first["base_high"] / low
        return words + (
            f"That does not fit {where}: of {_between(low, high)} the items are "
            f"{min(at):.1%} to {max(at):.1%}. The claim is true only of a part of traffic, "
            f"{min(least):.0%} to {max(least):.0%} of it, which it does not name."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the readings."""
        return self.frame

    def table(self) -> pl.DataFrame:
        """Give the readings as a table to read: what each implies, and why it fits or not."""
        shown = ["reading", "items", "base_low", "base_high", "base_per_day", "base_per_agent_day"]
        low, high = self.inputs["share"]
        once = {"base_high"} if low == high else set()
        known = [
            name
            for name in shown
            if name not in once and self.frame[name].null_count() < self.frame.height
        ]
        return self.frame.select(*known, "reason")


def check_claim(
    items: float,
    share: float | tuple[float, float],
    *,
    days: float,
    during_calls: float = 0.0,
    items_are: float | None = None,
    calls: float | None = None,
    staff: float | None = None,
    present: float = 2 / 3,
    calls_per_agent_month: tuple[float, float] = (1000.0, 3000.0),
    shorter: float | None = None,
) -> Claim:
    """Hold a published or a vendor's claim against its own figures.

    The base is items / share. Assists during a call remove no call, so a reading that counts them
    fits nothing; "x items, y% of all diversions" may mean that x / y were diverted in all.

    Parameters
    ----------
    items
        Said to have been diverted in the time: contacts, not customers.
    share
        Of traffic that this is said to be, 0–1; a pair for words such as "nearly 7%".
    days
        Length of the time.
    during_calls
        Items given during calls, which may or may not be meant.
    items_are
        Share of all diversions that ``items`` are, where the account says so.
    calls
        Calls of the time as stated, the diverted ones included.
    staff, present, calls_per_agent_month
        Where calls are not stated: agents, the share of them at work on a day, and the fewest and
        most calls that one at work takes in 30 days (assumptions, shown in the answer).
    shorter
        Handle time of a diverted call over that of all calls, if "traffic" may be erlangs.

    Raises
    ------
    InputError
        A figure that cannot be.

    Examples
    --------
    >>> claim = check_claim(110_000, (0.065, 0.07), days=300, during_calls=50_000,
    ...                     items_are=0.49, staff=345)
    >>> [round(base) for base in claim.frame.select("base_low", "base_high").row(0)]
    [1571429, 1692308]
    >>> claim.consistent
    True
    """
    import polars as pl

    low, high = _pair("share", share)
    _number("items", items, above=0)
    _number("days", days, above=0)
    _number("during_calls", during_calls)
    if not high < 1:
        raise InputError("traffic that remains needs a share below 1", f"share={share!r}")
    if items_are is not None and not 0 < _number("items_are", items_are, above=0) <= 1:
        raise InputError("the items are a share of diversions, up to 1", f"items_are={items_are!r}")
    plausible, told = _plausible(calls, staff, present, calls_per_agent_month, days)
    at_work = None if staff is None else staff * present
    rows = []
    for name, count, removes in _readings(items, during_calls, items_are):
        base = count / high, count / low
        if not np.isfinite(base).all():
            raise InputError("the base has no end", f"items={items!r}, share={share!r}")
        fits, reason = _verdict(base, removes, plausible)
        rows.append(
            {
                "reading": name,
                "items": float(count),
                "base_low": base[0],
                "base_high": base[1],
                "base_per_day": base[0] / days,
                "base_per_agent_day": None if at_work is None else base[0] / days / at_work,
                "removes_calls": removes,
                "fits": fits,
                "reason": reason,
            }
        )
    return Claim(
        frame=pl.DataFrame(rows, schema_overrides={"base_per_agent_day": pl.Float64,
                                                   "fits": pl.Boolean}),
        plausible=plausible,
        inputs={"items": items, "share": (low, high), "days": days, "during_calls": during_calls,
                "items_are": items_are, "calls": calls, "staff": staff, "present": present,
                "calls_per_agent_month": calls_per_agent_month, "plausible_from": told},
        checks=_checks(items, during_calls, items_are, shorter, (low, high)),
    )  # fmt: skip


def _readings(
    items: float, during: float, items_are: float | None
) -> list[tuple[str, float, bool]]:
    every = [("the items alone", items, True)]
    if during:
        every.append(("the items and the assists during calls", items + during, False))
    if items_are is not None:
        every.append(("all diversions", items / items_are, True))
        if during:
            both = items / items_are + during
            every.append(("all diversions and the assists during calls", both, False))
    return every


def _verdict(
    base: tuple[float, float], removes: bool, plausible: tuple[float, float] | None
) -> tuple[bool | None, str]:
    if plausible is None:
        return None, "nothing is stated to hold it against"
    if not removes:
        return False, "assists during a call remove no call"
    if base[1] < plausible[0]:
        return False, "fewer calls than there must have been: the share would be lower"
    if base[0] > plausible[1]:
        return False, "more calls than there can have been: the share would be higher"
    return True, "the base fits"


def _plausible(
    calls: float | None, staff: float | None, present: float,
    workload: tuple[float, float], days: float,
) -> tuple[tuple[float, float] | None, str]:  # fmt: skip
    """The fewest and the most calls of the time, and where that is from, in words."""
    if calls is not None:
        _number("calls", calls, above=0)
        # Stated to so many digits: half of the last one either way.
        half = 0.5 * 10.0 ** _last_digit(calls)
        return (calls - half, calls + half), f"the {calls:,.0f} calls that are stated"
    if staff is None:
        return None, ""
    if not 0 < _number("present", present, above=0) <= 1:
        raise InputError("a share of staff is at work, up to 1", f"present={present!r}")
    least, most = _pair("calls_per_agent_month", workload)
    at_work = _number("staff", staff, above=0) * present
    months = days / _MONTH_DAYS
    return (at_work * months * least, at_work * months * most), (
        f"a staff of {staff:,.0f} of whom {at_work:,.0f} are at work and take {least:,.0f} to "
        f"{most:,.0f} calls each a month"
    )


def _last_digit(number: float) -> int:
    """Power of ten of the last digit that is not 0, the second at the latest: 2,300,000 → 5."""
    whole = round(number)
    least = max(len(str(whole)) - 2, 0)
    return next((power for power in range(least) if whole % 10 ** (power + 1)), least)


def _checks(
    items: float, during: float, items_are: float | None, shorter: float | None,
    share: tuple[float, float],
) -> tuple[Check, ...]:  # fmt: skip
    checks = [
        Check("Items", "informs", "contacts, not customers, and not calls that would have come: "
              "some would never have called, some call all the same"),
    ]  # fmt: skip
    if during:
        checks.append(
            Check("Assists during calls", "informs",
                  f"{during:,.0f} shorten calls and remove none: whoever counts them as traffic "
                  "removed counts them wrongly")
        )  # fmt: skip
    if items_are is not None:
        checks.append(
            Check("Share of diversions", "informs",
                  f"if {items:,.0f} are {items_are:.0%} of all diversions, "
                  f"{items / items_are - items:,.0f} came by other routes; the figure may as well "
                  "be the share of offers that were accepted")
        )  # fmt: skip
    if shorter is not None:
        _number("shorter", shorter, above=0)
        low, high = (np.array(share) * shorter).tolist()
        checks.append(
            Check("Traffic in erlangs", "informs",
                  f"of calls {shorter:.0%} as long as the average, {_share_words(share)} of calls "
                  f"are {_share_words((low, high))} of erlangs")
        )  # fmt: skip
    return tuple(checks)


def _pair(name: str, given: Any) -> tuple[float, float]:
    pair = given if isinstance(given, (tuple, list)) else (given, given)
    if len(pair) != 2:
        raise InputError("a number, or the lowest and the highest", f"{name}={given!r}")
    low, high = (_number(name, each, above=0) for each in pair)
    if low > high:
        raise InputError("the lowest comes first", f"{name}={given!r}")
    return low, high


def _number(name: str, given: Any, above: float | None = None) -> float:
    real = isinstance(given, (int, float, np.number)) and not isinstance(given, bool)
    if not real or not np.isfinite(given) or given < 0 or (above is not None and given <= above):
        least = "above 0" if above is not None else "0 or more"
        raise InputError(f"this is a number {least}", f"{name}={given!r}")
    return float(given)


def _share_words(share: tuple[float, float]) -> str:
    low, high = share
    return f"{100 * low:.3g}%" if low == high else f"{100 * low:.3g}% to {100 * high:.3g}%"


def _between(low: float, high: float) -> str:
    same = round(low) == round(high)
    return f"{low:,.0f} calls" if same else f"{low:,.0f} to {high:,.0f} calls"
