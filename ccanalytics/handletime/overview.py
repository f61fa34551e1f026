"""Is handle time changing, and how long is it: one answer from the trend and the distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError
from ccanalytics.handletime.trend import Trend, trend
from ccanalytics.results import Result

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.handletime.distribution import HandleTimes
    from ccanalytics.results import Check

__all__ = ["Overview", "overview"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Overview(Result):
    """Whether handle time is changing, then how long calls take.

    Attributes
    ----------
    times
        The distribution.
    trend
        The trend over all calls; None where the data cannot tell one.
    refused
        Why there is no trend; empty where there is one.
    """

    times: HandleTimes
    trend: Trend | None = None
    refused: str = ""

    def trend_or_refuse(self) -> Trend:
        """Give the trend, or refuse where the data cannot tell one.

        Raises
        ------
        DataError
            Too few whole weeks; the message says how many.
        """
        if self.trend is None:
            raise DataError(self.refused)
        return self.trend

    def to_frame(self) -> pl.DataFrame:
        """Give the distribution over all calls, with the trend beside it where there is one."""
        import polars as pl

        frame = self.times.overall
        if self.trend is None:
            return frame
        return pl.concat([frame, self.trend.slopes.drop("calls")], how="horizontal")

    def summary(self) -> str:
        """Answer whether it is changing, then give mean, median and spread."""
        return f"{self.headline()} {self.times.summary()}"

    def headline(self) -> str:
        """Give the answer alone: where it goes, and how long calls take."""
        told = f"Whether handle time is changing cannot be told: {self.refused}"
        if self.trend is not None:
            told = self.trend.headline().rstrip(".")
        mean, median = self.times.mean.value, self.times.median.value
        return f"{told}; calls take {mean:.1f} s on the mean and {median:g} s on the median."


def overview(times: HandleTimes, weekly: Any, **options: Any) -> Overview:
    """Put the trend over all calls before their distribution.

    Parameters
    ----------
    times
        Of `distribution`; its part, floor and level hold for the trend, too.
    weekly
        Frame of ``CallLog.handle_times(every="1w")``, without keys.
    **options
        ``min_weeks`` and ``min_calls`` of `trend`.

    Raises
    ------
    InputError
        As `trend`.
    """
    shared = {name: times.inputs[name] for name in ("part", "floor_s", "level")}
    found, refused = None, ""
    try:
        found = trend(weekly, **shared, **options)
    except DataError as error:
        refused = str(error)
    return Overview(
        inputs={**shared, **options},
        checks=(*times.checks, *_of_span(found)),
        times=times,
        trend=found,
        refused=refused,
    )


def _of_span(found: Trend | None) -> tuple[Check, ...]:
    """Take the doubts about the length of the log; the others stand beside the trend itself."""
    wanted = ("whole weeks", "season")
    return tuple(check for check in (found.checks if found else ()) if check.name in wanted)
