"""The measures that only models and simulations return; rows of the vocabulary."""

from __future__ import annotations

__all__ = ["MODEL_MEASURES"]

# name, label, label in Chinese, unit, definition
MODEL_MEASURES: tuple[tuple[str, str, str, str, str], ...] = (
    ("agents", "Agents", "坐席", "agents", "agents seated in the interval"),
    ("lines", "Lines", "中继线", "lines", "calls that the centre can hold at once"),
    (
        "lines_busy",
        "Lines in use",
        "占用中继",
        "lines",
        "mean number of lines in use at any moment",
    ),
    ("in_menu", "In the menu", "菜单中", "calls", "mean number of calls in the voice menu"),
    (
        "modified_load",
        "Modified offered load",
        "修正负荷",
        "erlangs",
        "mean number of calls in progress with endless agents: load as it lags behind the calls",
    ),
    (
        "modified_load_least",
        "Modified load, least",
        "修正负荷最小值",
        "erlangs",
        "least modified offered load within the interval",
    ),
    (
        "modified_load_greatest",
        "Modified load, greatest",
        "修正负荷最大值",
        "erlangs",
        "greatest modified offered load within the interval",
    ),
    (
        "fresh",
        "Fresh calls",
        "新呼叫",
        "calls",
        "simulated attempts that follow no other: neither redial nor reconnect",
    ),
    (
        "unserved",
        "Unserved",
        "未服务",
        "calls",
        "simulated callers who still waited when the centre closed, or for ever",
    ),
    (
        "cut_off",
        "Cut off",
        "中断",
        "calls",
        "answered calls handed back when agents left, whose callers then gave up",
    ),
    (
        "abandoned_mean_wait_s",
        "Mean wait of the abandoned",
        "放弃平均等待",
        "s",
        "mean wait of the callers who gave up",
    ),
    (
        "busy_agents",
        "Busy agents",
        "忙碌坐席",
        "agents",
        "mean number of agents on a call at any moment, those after their shift included",
    ),
    (
        "lines_held",
        "Lines held",
        "占线",
        "lines",
        "mean number of lines in use at any moment; 0 where neither lines nor a menu are given",
    ),
)
