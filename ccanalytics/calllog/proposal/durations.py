"""In which unit durations are written: by shape, by name, by the moments beside them, by size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccanalytics.calllog.proposal.names import unit_told
from ccanalytics.calllog.sources.values import half_width, seconds

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Duration", "duration_of", "separators_of"]

_ENOUGH = 0.95
_FACTORS = {"s": 1.0, "ms": 0.001, "min": 60.0, "day": 86_400.0}
# Between these seconds lies the median of any centre's talk, wait or after-call work.
_LEAST_S, _MOST_S = 1.0, 3_600.0
_UNITS = ("s", "ms", "min", "day")


@dataclass(frozen=True)
class Duration:
    """Unit of a column of durations, why, and whether that is sure; the units it may be in."""

    unit: str
    why: str
    sure: bool
    may_be: tuple[str, ...] = ()


def separators_of(columns: list[pl.Series]) -> tuple[str, str, str] | None:
    """Decimal sign, sign of thousands and the reason, where numbers are not written with a point.

    A comma with exactly three digits behind it may be either: it counts as thousands only where
    another text of the file proves so.
    """
    import polars as pl

    texts = pl.concat(columns).unique() if columns else pl.Series(dtype=pl.String)
    proofs = (
        (",", ".", r"^\d{1,3}(\.\d{3})+,\d+$"),
        (".", ",", r"^\d{1,3}(,\d{3})+\.\d+$"),
        (".", ",", r"^\d{1,3}(,\d{3}){2,}$"),
        (",", "", r"^\d+,(\d{1,2}|\d{4,})$"),
        (".", "'", r"^\d{1,3}('\d{3})+(\.\d+)?$"),
    )
    for decimal, thousands, pattern in proofs:
        found = texts.filter(texts.str.contains(pattern))
        if len(found):
            return decimal, thousands, f"numbers such as {found[0]!r}"
    # Only groups of three: thousands, if small numbers without a comma stand beside them.
    grouped = texts.str.contains(r"^\d{1,3},\d{3}$")
    if grouped.any() and texts.str.contains(r"^\d{1,3}$").any():
        plain = texts.filter(texts.str.contains(r"^\d{4,}$"))
        if not len(plain):
            return ".", ",", f"numbers such as {texts.filter(grouped)[0]!r}, none above 999 without"
    return None


def duration_of(
    name: str, texts: pl.Series, decimal: str, thousands: str, elapsed: pl.Series | None
) -> Duration | None:
    """The unit of a column, or None where its texts are no durations.

    Parameters
    ----------
    name
        Of the column.
    texts
        Its values that are not blank.
    decimal, thousands
        Signs in its numbers.
    elapsed
        Seconds between the two moments of the row that the duration should fill, if known, as
        long as the whole column; null where blank.
    """
    import polars as pl

    wide = half_width(texts.to_frame("v"), ["v"]).rename({"v": "t"})

    def read(unit: str) -> pl.Series:
        return wide.select(seconds(pl.col("t"), unit, decimal, thousands).alias("v"))["v"]

    clocks = read("hms").is_not_null().mean()
    if isinstance(clocks, float) and clocks >= _ENOUGH:
        words = texts.str.contains(":").mean()
        shape = "H:MM:SS or MM:SS" if isinstance(words, float) and words > 0.5 else "words"
        return Duration("hms", f"values such as {texts[0]!r} are {shape}", sure=True)
    numbers = read("s")
    share = numbers.is_not_null().mean()
    if not isinstance(share, float) or share < _ENOUGH:
        return None
    numbers = numbers.drop_nulls()
    told = unit_told(name)
    proven = _by_moments(numbers if len(numbers) == len(texts) else None, elapsed)
    if proven is not None:
        return Duration(proven, "it fits the times between the row's moments", sure=True)
    if told in _FACTORS:
        return Duration(told, "the column's name tells the unit", sure=True)
    return _by_size(numbers)


def _by_moments(numbers: pl.Series | None, elapsed: pl.Series | None) -> str | None:
    """The unit in which numbers equal, or stay within and near, the seconds elapsed."""
    import polars as pl

    if numbers is None or elapsed is None or len(elapsed) != len(numbers):
        return None
    frame = pl.DataFrame({"n": numbers, "e": elapsed}).filter(
        pl.col("e").is_not_null() & (pl.col("n") > 0) & (pl.col("e") > 2)
    )
    if frame.height < 3:
        return None
    for unit, factor in _FACTORS.items():
        near = (frame["n"] * factor - frame["e"]).abs() <= (1.5 if unit != "min" else 31.0)
        if near.mean() > 0.8:  # type: ignore[operator]
            return unit
    return None


def _by_size(numbers: pl.Series) -> Duration:
    used = numbers.filter(numbers > 0)
    if not len(used):
        return Duration("s", "all values are 0, which any unit reads alike", sure=True)
    median, most = float(used.median()), float(used.max())  # type: ignore[arg-type]
    whole = bool((used == used.floor()).all())
    thousands = float(((used % 1000) == 0).mean())  # type: ignore[arg-type]
    sizes = f"median {median:,.6g}, largest {most:,.6g}"
    fits = [unit for unit in _UNITS if _LEAST_S <= median * _FACTORS[unit] <= _MOST_S]
    if not whole and most < 1 and median < 0.1:
        return Duration("day", f"fractions of a day as Excel keeps them ({sizes})", sure=True)
    if thousands >= 0.9 and most >= 10_000 and "ms" in fits and len(used) >= 5:
        return Duration("ms", f"{thousands:.0%} are multiples of 1000 ({sizes})", sure=True)
    if whole and median > _MOST_S and "ms" in fits:
        return Duration("ms", f"as seconds they would be hours ({sizes})", sure=True)
    # Calls of more than 150 minutes or with a median above 40 do not occur: these are no minutes.
    if "s" in fits and (most > 150 or median > 40) and median < 1_800:
        return Duration("s", f"of the size of seconds ({sizes})", sure=True)
    if "s" in fits and whole and most > 60:
        return Duration("s", f"whole numbers of the size of seconds ({sizes})", sure=True)
    may_be = tuple(unit for unit in ("s", "min", "ms") if unit in fits) or ("s",)
    return Duration(may_be[0], f"the size fits {' and '.join(may_be)} ({sizes})", False, may_be)


def has_clock(name: str) -> bool:
    """Whether a name speaks of a length and not of a moment."""
    return bool(re.search(r"时长|秒|dur|sec|length|wait|talk|hold|wrap|acw", name.lower()))
