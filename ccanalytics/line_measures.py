"""The measures of lines, voice-menu ports and their plans; rows of the vocabulary."""

from __future__ import annotations

__all__ = ["LINE_MEASURES"]

# name, label, label in Chinese, unit, definition
LINE_MEASURES: tuple[tuple[str, str, str, str, str], ...] = (
    # measured
    (
        "peak_lines",
        "Most lines at once",
        "最大同时占线",
        "lines",
        "most lines in use at one moment; a line given back and taken at once counts once",
    ),
    (
        "mean_lines",
        "Mean lines in use",
        "平均占线",
        "erlangs",
        "line-seconds in use over seconds: the load that the lines carried",
    ),
    (
        "lines_seen",
        "Different lines",
        "出现的中继数",
        "lines",
        "different lines of the calls that came in",
    ),
    (
        "busiest_hour",
        "Busiest hour",
        "当日最忙小时",
        "",
        "start of the day's own busiest hour, sought in quarter-hours: it moves from day to day",
    ),
    (
        "busiest_hour_erlangs",
        "Load of the busiest hour",
        "当日最忙小时话务量",
        "erlangs",
        "mean lines in use in the day's own busiest hour",
    ),
    (
        "consistent_hour",
        "Busy hour",
        "固定忙时",
        "",
        "start of the time-consistent busy hour: the hour of the clock whose mean load over the "
        "days is greatest",
    ),
    (
        "consistent_hour_erlangs",
        "Busy-hour load",
        "忙时话务量",
        "erlangs",
        "mean lines in use in the time-consistent busy hour",
    ),
    ("subscribers", "Subscribers", "用户数", "", "mean number of customers over the days"),
)
