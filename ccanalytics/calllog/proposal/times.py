"""In which forms moments are written: every form that reads nearly all of a column's texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from ccanalytics.calllog.sources.values import half_width, moment

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Moments", "moments_of", "of_half_days"]

_ENOUGH = 0.98
_SAMPLE, _PROBE = 5_000, 10
# A clock of 12 hours shows in so many calls, a twentieth of them at 1 to 5, and some at 12.
_MANY, _SMALL_HOUR, _SOME = 500, 5, 0.05
_DATES = {
    r"\d{4}-\d{1,2}-\d{1,2}": ("%Y-%m-%d",),
    r"\d{4}/\d{1,2}/\d{1,2}": ("%Y/%m/%d",),
    r"\d{4}\.\d{1,2}\.\d{1,2}": ("%Y.%m.%d",),
    r"\d{4}年\d{1,2}月\d{1,2}日": ("%Y年%m月%d日",),
    r"\d{1,2}/\d{1,2}/\d{4}": ("%d/%m/%Y", "%m/%d/%Y"),
    r"\d{1,2}-\d{1,2}-\d{4}": ("%d-%m-%Y", "%m-%d-%Y"),
    r"\d{1,2}\.\d{1,2}\.\d{4}": ("%d.%m.%Y", "%m.%d.%Y"),
    r"\d{1,2}/\d{1,2}/\d{2}": ("%d/%m/%y", "%m/%d/%y"),
    r"\d{1,2}\.\d{1,2}\.\d{2}": ("%d.%m.%y", "%m.%d.%y"),
    r"\d{1,2}-\d{1,2}-\d{2}": ("%d-%m-%y", "%m-%d-%y", "%y-%m-%d"),
    r"\d{1,2}-[A-Za-z]{3}-\d{4}": ("%d-%b-%Y",),
    r"\d{1,2}-[A-Za-z]{3}-\d{2}": ("%d-%b-%y",),
    r"\d{1,2} [A-Za-z]{3} \d{4}": ("%d %b %Y",),
    r"\d{1,2} [A-Za-z]{4,} \d{4}": ("%d %B %Y",),
    r"[A-Za-z]{3} \d{1,2},? \d{4}": ("%b %d, %Y", "%b %d %Y"),
    r"\d{8}": ("%Y%m%d",),
}
_CLOCKS = {
    r"\d{1,2}:\d{2}:\d{2}": "%H:%M:%S",
    r"\d{1,2}:\d{2}:\d{2}\.\d+": "%H:%M:%S%.f",
    r"\d{1,2}:\d{2}:\d{2},\d{3}": "%H:%M:%S,%3f",
    r"\d{1,2}:\d{2}": "%H:%M",
    r"\d{1,2}:\d{2}:\d{2} ?(?i:[ap]\.?m\.?|上午|下午)": "%I:%M:%S %p",
    r"\d{1,2}:\d{2} ?(?i:[ap]\.?m\.?|上午|下午)": "%I:%M %p",
    r"(?:上午|下午|(?i:[ap]m)) \d{1,2}:\d{2}:\d{2}": "%p %I:%M:%S",
    r"(?:上午|下午|(?i:[ap]m)) \d{1,2}:\d{2}": "%p %I:%M",
    r"(?:上午|下午)\d{1,2}:\d{2}:\d{2}": "%p%I:%M:%S",
    r"(?:上午|下午)\d{1,2}:\d{2}": "%p%I:%M",
    r"\d{1,2}时\d{2}分\d{2}秒": "%H时%M分%S秒",
    r"\d{1,2}\.\d{2}\.\d{2}": "%H.%M.%S",
    r"\d{6}": "%H%M%S",
}
_GAPS = (" ", "T", ", ", "")
_OFFSET = r" ?(?:Z|[+-]\d{2}:?\d{2})"


@dataclass(frozen=True)
class Moments:
    """How a column's texts read as moments.

    ``whole``: date and time; ``date`` or ``clock``: one of the two. ``forms`` are all that read
    them, more than one where day and month cannot be told apart.
    """

    part: str
    forms: tuple[str, ...]
    aware: bool
    share: float
    example: str
    first: datetime | None = None
    last: datetime | None = None


def moments_of(texts: pl.Series) -> Moments | None:
    """The form of a column of moments; None where it holds something else."""
    sample = texts.head(_SAMPLE).unique(maintain_order=True)
    if not len(sample):
        return None
    wide = half_width(sample.to_frame("v"), ["v"])["v"]
    example = str(sample[0])
    probe = wide.head(_PROBE).to_list()
    for part, forms, pattern, aware in _candidates():
        # A few texts in Python rule most forms out.
        if sum(bool(pattern.fullmatch(text)) for text in probe) < 0.8 * len(probe):
            continue
        share = wide.str.contains(f"^(?:{pattern.pattern})$").mean()
        if not isinstance(share, float) or share < _ENOUGH:
            continue
        if part == "clock":
            return Moments(part, forms, aware, share, example)
        if part == "number":
            found = _numbers(wide)
            if found is None:
                continue
            return Moments("whole", (found,), found != "excel", share, example)
        good = {form: span for form in forms if (span := _span(wide, form)) is not None}
        best = [form for form, span in good.items() if span[0] >= _ENOUGH]
        # A form that reads all is the right one, unless its twin does so too.
        perfect = [form for form in best if good[form][0] == 1.0] or best
        if perfect:
            _, first, last = good[perfect[0]]
            return Moments(part, tuple(perfect), aware, good[perfect[0]][0], example, first, last)
    return None


def of_half_days(texts: pl.Series, form: str) -> bool:
    """Whether many moments have hours of 1 to 12 alone, as on a clock of 12 hours without AM, PM.

    A centre that is open in the morning alone has no calls at 1 to 5.
    """
    import polars as pl

    if "%p" in form or not (form == "iso" or "%H" in form):
        return False
    wide = half_width(texts.drop_nulls().to_frame("v"), ["v"])
    known, _ = moment(pl.col("v"), (form,), "UTC")
    hours = wide.select(hour=known.dt.hour())["hour"].drop_nulls()
    if len(hours) < _MANY or not hours.is_between(1, 12).all() or not (hours == 12).any():
        return False
    return int((hours <= _SMALL_HOUR).sum()) > _SOME * len(hours)


@lru_cache(maxsize=1)
def _candidates() -> list[tuple[str, tuple[str, ...], re.Pattern[str], bool]]:
    iso = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?"
    found: list[tuple[str, tuple[str, ...], str, bool]] = [
        ("whole", ("iso",), iso + _OFFSET, True),
        ("whole", ("iso",), iso, False),
        ("whole", ("iso",), f"{iso}(?:{_OFFSET})?", False),
    ]
    for date, forms in _DATES.items():
        for clock, time in _CLOCKS.items():
            for gap in _GAPS:
                if gap == "" and time[1:2] not in ("H", "p"):
                    continue
                both = tuple(f"{form}{gap}{time}" for form in forms)
                found.append(("whole", both, f"{date}{gap}{clock}", False))
                if "p" not in time:
                    offset = tuple(f"{form}%z" for form in both)
                    found.append(
                        ("whole", offset, rf"{date}{gap}{clock}[+-]\d{{2}}:?\d{{2}}", True)
                    )
    found.append(("number", (), r"\d{5,13}(?:\.\d+)?", False))
    found.extend(("date", forms, date, False) for date, forms in _DATES.items())
    found.extend(("clock", (time,), clock, False) for clock, time in _CLOCKS.items())
    return [(part, forms, re.compile(pattern), aware) for part, forms, pattern, aware in found]


def _numbers(texts: pl.Series) -> str | None:
    """Epochs and Excel's days, by their size."""
    import polars as pl

    numbers = texts.cast(pl.Float64, strict=False).drop_nulls()
    if not len(numbers):
        return None
    low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]
    if 946_684_800 <= low <= high < 4_102_444_800:
        return "epoch_s"
    if 946_684_800_000 <= low <= high < 4_102_444_800_000:
        return "epoch_ms"
    # 2000 to 2100 in days, with a time of day.
    if 36_526 <= low <= high < 73_051 and (numbers != numbers.floor()).mean() > 0.5:  # type: ignore[operator]
        return "excel"
    return None


def _span(texts: pl.Series, form: str) -> tuple[float, datetime | None, datetime | None] | None:
    """Share of texts that a form reads, first and last moment."""
    import polars as pl

    try:
        value = pl.col("v")
        if "H" not in form and "I" not in form and form != "iso":
            value, form = value + " 00:00", f"{form} %H:%M"
        known, reads = moment(value, (form,), "UTC")
        frame = texts.to_frame("v").select(known=known, reads=reads)
    except pl.exceptions.PolarsError:
        return None
    share = frame["reads"].mean()
    low, high = frame["known"].min(), frame["known"].max()
    return (
        share if isinstance(share, float) else 0.0,
        low if isinstance(low, datetime) else None,
        high if isinstance(high, datetime) else None,
    )
