"""Units by weeks, checked at the door: who went live when, and who can serve as control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects.two_way import told_apart
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["LEADS", "NEVER", "Panel", "told"]

NEVER = 1_000_000  # week in which a unit goes live that never does
LEADS = 8  # weeks before going live on which a design is tried
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Panel:
    """Weekly counts of units, of which some went live.

    Attributes
    ----------
    calls
        Units × weeks.
    event
        Units × weeks: weeks since going live, negative before.
    untreated, treated
        Cells (units × weeks) before going live; cells after the week of going live, in weeks in
        which some unit is untreated.
    others
        Other changes × units × weeks: shares of the week, 0–1.
    left_out
        Unit → why it takes no part.
    outside
        Weeks: calls of units that the roll-out cannot reach; None where none is named.
    """

    calls: Floats
    event: NDArray[np.int64]
    untreated: Floats
    treated: Bools
    others: Floats
    units: list[str]
    weeks: list[dt.date]
    left_out: dict[str, str]
    min_weeks: int
    outside: Floats | None = None

    @classmethod
    def of(
        cls,
        calls: Any,
        live: Any,
        units: Any,
        weeks: Any,
        others: Any = None,
        min_weeks: int = 8,
        *,
        outside: Any = (),
        least_live: int = 2,
    ) -> Panel:
        """Check the arrays, leave out units that cannot take part, and refuse what cannot be.

        Raises
        ------
        InputError
            Arrays that do not fit each other, or counts that cannot be.
        DataError
            Another change cannot be told from this one; nothing, or fewer units than
            ``least_live``, went live within the span; no unit is without it while others are
            live; or fewer than four units in all.
        """
        table = np.asarray(calls, float)
        names, days = [str(u) for u in units], list(weeks)
        start = np.asarray(live, np.int64)
        if table.shape != (len(names), len(days)) or start.shape != (len(names),):
            raise InputError(
                "calls are units × weeks, with one week of going live for each unit",
                f"calls {table.shape}, {start.size} dates, {len(names)} units, {len(days)} weeks",
            )
        if not np.isfinite(table).all() or (table < 0).any():
            raise InputError("counts are 0 or more", "calls holds a negative or unknown one")
        other_names = list(others or {})
        more = np.zeros((len(other_names), *table.shape))
        for k, other in enumerate(other_names):
            more[k] = others[other]
        left: dict[str, str] = {}
        keep = np.ones(len(names), bool)
        apart_units = _outside(outside, names, start)
        for i, name in enumerate(names):
            before = int(min(max(start[i], 0), len(days)))
            if apart_units[i]:
                left[name] = "it is out of the roll-out's reach, and held against the controls"
            elif start[i] < 0:
                left[name] = "it was live before the first week"
            elif start[i] < len(days) and before < min_weeks:
                left[name] = f"only {counted(before, 'week')} before it went live"
            elif not table[i, :before].any():
                left[name] = "no call before it went live"
            keep[i] = name not in left
        chosen = [n for n, k in zip(names, keep, strict=True) if k]
        event = np.arange(len(days))[None, :] - start[keep, None]
        untreated = (event < 0).astype(float)
        known = untreated.sum(axis=0) > 0
        treated = (event >= 1) & known[None, :]
        _refuse(start[keep], treated, chosen, days, left, least_live)
        apart = _apart(untreated, treated, more[:, keep], other_names)
        return cls(
            table[keep], event, untreated, treated, apart, chosen, days, left, min_weeks,
            table[apart_units].sum(axis=0) if apart_units.any() else None,
        )  # fmt: skip

    @property
    def start(self) -> NDArray[np.int64]:
        """Units: position of the week of going live; beyond the span for those that never do."""
        return np.asarray(-self.event[:, 0])

    @property
    def goes_live(self) -> Bools:
        """Units that go live within the span."""
        return np.asarray(self.event.max(axis=1) >= 0)

    def base(self, ahead: int = 0) -> Floats:
        """Cells that may foretell: more than ``ahead`` weeks before going live."""
        base = (self.event < -ahead).astype(float)
        base[~self.goes_live] = 1.0
        return base

    def leads(self) -> Bools:
        """Cells in the weeks before going live, of units with weeks enough before those."""
        had = self.base(LEADS).sum(axis=1) >= min(self.min_weeks, 4)
        near = (self.event >= -LEADS) & (self.event < 0)
        return np.asarray(near & (self.goes_live & had)[:, None])


def _outside(outside: Any, names: list[str], start: NDArray[np.int64]) -> Bools:
    """Units named as out of reach, which must exist and never have gone live."""
    if isinstance(outside, str):
        outside = (outside,)
    elif outside is None:
        outside = ()
    elif not hasattr(outside, "__iter__"):
        raise InputError("outside names units", f"outside={outside!r}", "such as ['T01']")
    wanted = {str(each) for each in outside}
    for name in sorted(wanted):
        if name not in names:
            raise InputError("no such unit", f"outside={name!r}", "name units of the panel")
        if start[names.index(name)] < NEVER:
            raise InputError(
                "a unit that goes live is within the roll-out's reach", f"outside={name!r}"
            )
    return np.array([name in wanted for name in names])


def _refuse(
    start: NDArray[np.int64],
    treated: Bools,
    names: list[str],
    days: list[Any],
    left: dict[str, str],
    least_live: int,
) -> None:
    if len(names) < 4:
        raise DataError(
            "there are too few units for a comparison between them",
            f"{counted(len(names), 'unit')}; left out: {told(left)}",
            "a comparison before and after needs one",
        )
    if not treated.any():
        within = bool(((start >= 0) & (start < len(days))).any())
        raise DataError(
            "no unit is without the treatment while others have it"
            if within
            else "nothing went live within these weeks",
            f"{days[0]} to {days[-1]}; left out: {told(left)}",
            "take a longer span, or compare before and after",
        )
    if treated.any(axis=1).sum() < least_live:
        raise DataError(
            "only one unit went live: its own ups and downs cannot be told from an effect",
            f"{names[int(np.argmax(treated.any(axis=1)))]}; left out: {told(left)}",
            "take design='synthetic_control' or 'structural', compare it before and after, or "
            "wait for a second one",
        )


def _apart(untreated: Floats, treated: Bools, others: Floats, names: list[str]) -> Floats:
    """Other changes that move before this one; one that came with it is refused."""
    apart = told_apart(untreated, others)
    for other, each, seen in zip(names, others, apart, strict=True):
        before = (each * untreated).sum(axis=1) / untreated.sum(axis=1)
        if not seen and np.any(np.abs(each - before[:, None])[treated] > _SAME):
            raise DataError(
                "another roll-out came to the same units in the same weeks, and the two cannot "
                "be told apart",
                str(other),
                "call both one treatment, with the day of the first",
            )
    return np.asarray(others[apart])


def told(left: dict[str, str]) -> str:
    """Say which units were left out, and why."""
    if not left:
        return "none"
    by_reason: dict[str, list[str]] = {}
    for unit, why in left.items():
        by_reason.setdefault(why, []).append(unit)
    return "; ".join(
        f"{', '.join(units[:5])}{f' and {len(units) - 5} more' if len(units) > 5 else ''}: {why}"
        for why, units in by_reason.items()
    )
