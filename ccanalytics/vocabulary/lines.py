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
    (
        "expected_peak_lines",
        "Most lines at once, expected",
        "预期最大同时占线",
        "lines",
        "median of the simulated days' most lines at once",
    ),
    ("inside", "Inside the band", "落在区间内", "", "whether the figure lies within its limits"),
    # planned
    ("mean_menu_s", "Mean time in the menu", "菜单平均时长", "s", "over all calls that got in"),
    ("to_agent", "Go on to an agent", "转人工比例", "share", "of all calls that got in"),
    ("ports", "Voice-menu ports", "语音菜单端口", "lines", "callers that the voice menu can hear"),
    (
        "menu_load",
        "Menu load",
        "菜单负荷",
        "erlangs",
        "calls × mean seconds in the voice menu / interval length",
    ),
    (
        "service_level_of_all",
        "Service level of all callers",
        "全部来电服务水平",
        "share",
        "as the service level, with calls that met a busy signal counted as not served",
    ),
    (
        "overflow_erlangs",
        "Turned away",
        "溢出话务量",
        "erlangs",
        "mean load that a full group of lines turns away: erlangs offered × blocking",
    ),
    (
        "peakedness",
        "Peakedness",
        "峰度比",
        "",
        "variance over mean of the calls that a stream would keep on endless lines; 1 at random",
    ),
    (
        "lost",
        "Lost in the end",
        "最终呼损率",
        "share",
        "calls that find their own group and the common one full",
    ),
    (
        "lines_alone",
        "Lines by itself",
        "单独所需中继",
        "lines",
        "lines that the group needs without a common group (Erlang B)",
    ),
    (
        "contact_rate",
        "Contact rate",
        "人均呼叫率",
        "",
        "calls per subscriber in a month of average length (30.44 days)",
    ),
    (
        "calls_per_day",
        "Calls a day",
        "日均来电",
        "calls",
        "calls over days",
    ),
    (
        "season",
        "Season",
        "季节指数",
        "",
        "calls of a month, by day and subscriber, over those of an average month",
    ),
    (
        "busy_calls",
        "Calls of the busiest interval",
        "最忙时段来电",
        "calls",
        "calls of a mean day that come in its busiest interval",
    ),
)
