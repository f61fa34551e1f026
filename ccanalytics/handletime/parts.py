"""Talk, hold and after-call work as parts of handle time; what a log never has is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.statistics.frames import as_polars, check_counts, key_names
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

__all__ = ["HandleParts", "parts"]

PARTS = {"talk_s": "talk", "hold_s": "hold", "wrap_s": "after-call work"}


@dataclass(frozen=True, eq=False, kw_only=True)
class HandleParts(Result):
    """What handle time is made of.

    Attributes
    ----------
    overall, rows
        One row per (key and) part: keys…, ``part`` (talk, hold, after-call work), ``known``,
        ``handled`` (calls), ``total_s``, ``mean_s`` (per handled call) and ``share`` (of handle
        time). Numbers of parts that are unknown are null.
    keys
        The key columns of ``rows``.
    unknown
        Parts that the log never has.
    """

    overall: pl.DataFrame
    rows: pl.DataFrame
    keys: tuple[str, ...]
    unknown: tuple[str, ...]

    def or_refuse(self) -> HandleParts:
        """Give the parts themselves, or refuse where the log knows but one of them.

        Raises
        ------
        DataError
            One part alone says nothing about the composition.
        """
        if self.overall["known"].sum() < 2:
            text = self.summary().rstrip(".")
            raise DataError(f"{text[0].lower()}{text[1:]}")
        return self

    def to_frame(self) -> pl.DataFrame:
        """Give a row per key and part."""
        return self.rows

    def summary(self) -> str:
        """Say what handle time is made of, and which parts nobody recorded."""
        known = self.overall.drop_nulls("share").to_dicts()
        handled = known[0]["handled"]
        missing = _listed(self.unknown)
        is_are = "is" if len(self.unknown) == 1 else "are"
        if len(known) == 1:
            row = known[0]
            return (
                f"The log has {row['part']} only: {row['mean_s']:.1f} s per handled call, over "
                f"{counted(handled, 'call')}, those of 0 s included. "
                f"{missing[:1].upper()}{missing[1:]} {is_are} unknown, not zero, so "
                "this cannot say what handle time is made of."
            )
        told = _listed(
            [f"{row['share']:.1%} is {row['part']} ({row['mean_s']:.1f} s)" for row in known]
        )
        text = (
            f"Of the time spent on a handled call, {told}, over {counted(handled, 'call')}, those "
            "of 0 s included."
        )
        if self.unknown:
            text += f" {missing[:1].upper()}{missing[1:]} {is_are} unknown, not zero."
        return text


def parts(intervals: Any, by: str | Iterable[str] = (), *, overall: Any = None) -> HandleParts:
    """Split handle time into talk, hold and after-call work.

    Parameters
    ----------
    intervals
        Frame of ``CallLog.intervals``: handled, talk_s, hold_s, wrap_s (sums, null where the log
        never has that part), and keys; polars or pandas.
    by
        Key columns to split by. ``local_start`` gives the parts over time.
    overall
        Frame of all calls, where ``intervals`` holds those of some keys only.

    Raises
    ------
    InputError
        A missing column or key, sums that are negative or not finite.
    DataError
        No handled call, or no part that is known.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"handled": [10], "talk_s": [1500.0], "hold_s": [None],
    ...     "wrap_s": [500.0]}, schema_overrides={"hold_s": pl.Float64})
    >>> parts(frame).overall["share"].to_list(), parts(frame).unknown
    ([0.75, None, 0.25], ('hold',))
    """
    frame = as_polars(intervals, "intervals", ["handled", *PARTS], "log.intervals(…)")
    check_counts(frame, ["handled", *PARTS], "intervals")
    keys = key_names(by)
    for key in keys:
        if key not in frame.columns or key in PARTS:
            raise InputError(
                "the intervals have no such key",
                f"by={key!r}",
                f"ask the log for it: log.intervals(…, by=[{key!r}])",
            )
    everything = frame
    if overall is not None:
        everything = as_polars(overall, "overall", ["handled", *PARTS], "log.intervals(…)")
        check_counts(everything, ["handled", *PARTS], "overall")
    handled = everything["handled"].sum()
    if not handled:
        raise DataError(
            "no call was handled in these intervals", counted(everything.height, "row"), ""
        )
    total = _split(everything, [])
    if not total["known"].any():
        raise DataError(
            "the log knows no part of handle time",
            "talk_s, hold_s and wrap_s are null",
            "load an export that has talk, hold or after-call time",
        )
    unknown = tuple(total.filter(~total["known"])["part"].to_list())
    return HandleParts(
        inputs={"by": keys, "intervals": frame.height},
        checks=_checks(unknown),
        overall=total,
        rows=_split(frame, keys) if keys else total,
        keys=tuple(keys),
        unknown=unknown,
    )


def _split(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    import polars as pl

    # A part is known of a group where it is known of every interval with handled calls.
    known = [
        (pl.col(name).is_not_null() | (pl.col("handled") == 0)).all()
        & pl.col(name).is_not_null().any()
        for name in PARTS
    ]
    sums = [
        pl.when(here).then(pl.col(name).sum()).alias(name)
        for name, here in zip(PARTS, known, strict=True)
    ]
    aggregated = (
        frame.group_by(keys, maintain_order=True).agg(pl.col("handled").sum(), *sums)
        if keys
        else frame.select(pl.col("handled").sum(), *sums)
    )
    long = aggregated.unpivot(
        list(PARTS), index=[*keys, "handled"], variable_name="part", value_name="total_s"
    )
    total = pl.col("total_s").sum()
    return long.with_columns(
        pl.col("part").replace_strict(PARTS),
        known=pl.col("total_s").is_not_null(),
        mean_s=pl.when(pl.col("handled") > 0).then(pl.col("total_s") / pl.col("handled")),
        share=pl.col("total_s") / (total.over(keys) if keys else total),
    ).select(*keys, "part", "known", "handled", "total_s", "mean_s", pl.col("share").fill_nan(None))


def _checks(unknown: tuple[str, ...]) -> tuple[Check, ...]:
    if not unknown:
        return (Check("parts", "holds", "talk, hold and after-call work are all recorded"),)
    told = _listed(unknown)
    return (
        Check(
            "parts",
            "informs",
            f"the log never has {told}: handle time here is what is recorded, and shares are of "
            "that",
        ),
    )


def _listed(words: Iterable[str]) -> str:
    several = list(words)
    if len(several) < 2:
        return "".join(several)
    return f"{', '.join(several[:-1])} and {several[-1]}"
