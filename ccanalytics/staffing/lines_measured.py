"""Lines in use as the log has them: peaks, busy hours, and what it cannot know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import counted, on_day

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LinesMeasured", "lines_measured", "read_weekdays"]


@dataclass(frozen=True, eq=False, kw_only=True)
class LinesMeasured(Result):
    """Daily peaks and busy-hour loads.

    Attributes
    ----------
    frame
        That of ``log.busy_hours()``, one row per day (and key).
    """

    frame: pl.DataFrame

    @property
    def peak(self) -> dict[str, Any]:
        """The day with most lines at once."""
        return self.frame.sort("peak_lines", descending=True, maintain_order=True).row(
            0, named=True
        )

    @property
    def lower_bound(self) -> bool:
        """Whether calls that held lines are known to be absent from the log."""
        return any(c.name == "Calls that the log leaves out" for c in self.checks)

    def summary(self) -> str:
        """Most at once (at least so many, where calls are absent), and the busy hours."""
        top = self.peak
        bound = "At least" if self.lower_bound else "At most"
        hours = self.frame["consistent_hour"].unique()
        load = self.frame["consistent_hour_erlangs"]
        own = self.frame["busiest_hour_erlangs"]
        when = f"from {hours[0]:%H:%M}" if hours.len() == 1 else "each group at its own time"
        return (
            f"{bound} {counted(top['peak_lines'], 'line')} were in use at once, on "
            f"{on_day(top['day'])}. In the time-consistent busy hour, {when}, "
            f"{float(load.mean()):.1f} erlangs on average over "  # type: ignore[arg-type]
            f"{counted(self.frame['day'].n_unique(), 'day')} ({float(load.max()):.1f} on the "  # type: ignore[arg-type]
            f"worst); in each day's own busiest hour {float(own.mean()):.1f}. A call holds its "  # type: ignore[arg-type]
            "line from arrival to end: menu, wait and talk."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the days."""
        return self.frame


def lines_measured(
    busy_hours: pl.DataFrame, days: pl.DataFrame, by_line: Any = None
) -> LinesMeasured:
    """Put daily peaks and busy hours into words, with what the log cannot know.

    Parameters
    ----------
    busy_hours
        Frame of ``log.busy_hours()``.
    days
        Frame of ``log.intervals("1d")``.
    by_line
        Frame of ``log.lines("1mo", by="line")``, where the log names lines: two calls at once on
        one line show that its times overlap.

    Returns
    -------
    LinesMeasured

    Raises
    ------
    DataError
        No day has any line in use.
    """
    if not busy_hours.height:
        raise DataError("no line was in use on these days", "0 rows", "widen start and end")
    checks = []
    for column, words in (
        (
            "contained",
            "no call is recorded as completed in the voice menu; where the menu completes calls, "
            "they held lines that nobody can count from this log, so that the total number of "
            "lines cannot be known: every figure of lines is a lower bound",
        ),
        (
            "blocked",
            "no call is recorded as having met a busy signal: whether lines were short cannot be "
            "known from this log; ask the carrier for its counts",
        ),
    ):
        if not days[column].fill_null(0).sum():
            name = "Calls that the log leaves out" if column == "contained" else "Busy signals"
            checks.append(Check(name, "informs" if column == "blocked" else "fails", words))
    if by_line is not None and "line" in by_line.columns:
        known = by_line.filter(by_line["line"].is_not_null())
        twice = known.filter(known["peak_lines"] > 1)["line"].n_unique()
        if twice:
            total = known["line"].n_unique()
            words = (
                f"on {twice} of {counted(total, 'line')} two calls are recorded at once: ends are "
                "noted late, and peaks may be too high by as much"
            )
            checks.append(Check("Two calls on one line", "informs", words))
    return LinesMeasured(frame=busy_hours, inputs={}, checks=tuple(checks))


def read_weekdays(text: str) -> tuple[int, ...]:
    """Weekdays from a text, 1 Monday to 7 Sunday.

    >>> read_weekdays("7 1 2 3 4")
    (1, 2, 3, 4, 7)
    """
    words = str(text).replace(",", " ").split()
    if not words or not all(word in "1234567" and len(word) == 1 for word in words):
        raise InputError(
            "weekdays are numbers from 1, Monday, to 7, Sunday", f"{text!r}", 'such as "1 2 3 4 5"'
        )
    return tuple(sorted({int(word) for word in words}))
