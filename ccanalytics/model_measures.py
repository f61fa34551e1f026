"""The measures that only models, simulations and estimates return; rows of the vocabulary."""

from __future__ import annotations

__all__ = ["ESTIMATED_MEASURES", "MODEL_MEASURES"]

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

# What is estimated from a log: patience, redials, presence, time of agents.
ESTIMATED_MEASURES: tuple[tuple[str, str, str, str, str], ...] = (
    ("agents_present", "Agents present", "在岗坐席", "agents", "mean number of agents present in the interval, inferred from their calls"),
    ("actual_s", "Time in the state", "实际时长", "s", "agent-seconds recorded in the state inside the interval"),
    ("scheduled_s", "Time scheduled", "排班时长", "s", "agent-seconds planned for the activity inside the interval"),
    ("patience_p25_s", "Patience, lower quartile", "耐心下四分位", "s", "by then a quarter would have given up, had nobody been answered"),
    ("patience_p50_s", "Median patience", "耐心中位数", "s", "by then half would have given up, had nobody been answered"),
    ("patience_p75_s", "Patience, upper quartile", "耐心上四分位", "s", "by then three quarters would have given up, had nobody been answered"),
    ("exponential_patience_s", "Exponential patience", "指数耐心均值", "s", "mean patience if it were exponential: total wait of all over abandonments"),
    ("reliable_s", "Reliable up to", "可信时长", "s", "wait up to which the curve of patience follows the data"),
    ("at_risk", "Still waiting", "仍在等待", "calls", "calls that had waited so long without being answered or giving up"),
    ("survival", "Share more patient", "耐心生存率", "share", "share whose patience is longer, by Kaplan and Meier"),
    ("exposure_s", "Seconds waited", "等待总时长", "s", "seconds that all callers together waited within the bin"),
    ("hazard", "Rate of giving up", "放弃强度", "", "abandonments per second waited"),
    ("distance", "Distance of the exponential law", "指数分布距离", "share", "greatest difference between the curve of patience and the exponential law"),
    ("redial", "Redials", "重拨率", "share", "of abandoned calls of known customers: the same customer called again within the window"),
    ("redial_p25_s", "Delay of redials, lower quartile", "重拨间隔下四分位", "s", "a quarter of those who call again do so by then"),
    ("redial_p50_s", "Median delay of redials", "重拨间隔中位数", "s", "half of those who call again do so by then"),
    ("redial_p75_s", "Delay of redials, upper quartile", "重拨间隔上四分位", "s", "three quarters of those who call again do so by then"),
    ("utilisation", "Utilisation", "工时利用率", "share", "handling over paid time"),
    ("shrinkage", "Shrinkage", "损耗率", "share", "paid time not spent on calls, over paid time"),
    ("adherence", "Adherence", "排班遵守率", "share", "scheduled time in which the right activity was done, over scheduled time"),
    ("conformance", "Conformance", "工时符合率", "share", "time on calls over time scheduled for calls, whenever it was"),
    ("error", "Mean absolute error", "平均绝对误差", "share", "mean over intervals of the difference between predicted and observed, sign dropped"),
    ("bias", "Bias", "偏差", "share", "mean over intervals of predicted less observed"),
    ("error_above_best", "Error above the best", "超出最优误差", "share", "mean absolute error less that of the best model, on the same days"),
)
