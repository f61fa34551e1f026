"""Measures of why handle time changed, and of what is usual."""

__all__ = ["HANDLING_MEASURES"]

# name, label, label in Chinese, unit, definition
HANDLING_MEASURES: tuple[tuple[str, str, str, str, str], ...] = (
    ("calls_before", "Calls before", "此前呼叫", "calls", "handled calls above 0 s before the day"),
    ("calls_after", "Calls after", "此后呼叫", "calls", "handled calls above 0 s from the day on"),
    (
        "fewer_calls",
        "Fewer of the two",
        "两者较少",
        "calls",
        "calls on the side that has fewer of them, if it has any: what a comparison rests on",
    ),
    ("share_before", "Share before", "此前占比", "share", "of handled calls before the day"),
    ("share_after", "Share after", "此后占比", "share", "of handled calls from the day on"),
    ("mean_before_s", "Mean before", "此前均时", "s", "mean handle time before the day"),
    ("mean_after_s", "Mean after", "此后均时", "s", "mean handle time from the day on"),
    (
        "rate_s",
        "By its own time",
        "时长效应",
        "s",
        "seconds of the mean of all calls, since calls of this kind take another time",
    ),
    (
        "mix_s",
        "By its share",
        "结构效应",
        "s",
        "seconds of the mean of all calls, since this kind comes more or less often",
    ),
    (
        "typical_s",
        "Typical time",
        "典型时长",
        "s",
        "exponential of the mean of logs of handle time: single long calls move it little",
    ),
    (
        "adjusted_s",
        "Typical time, weekday removed",
        "剔除星期影响的典型时长",
        "s",
        "typical time less the habit of its weekday",
    ),
    (
        "ks",
        "Distance from counts",
        "最大偏差",
        "share",
        "largest distance between a law and the counted share of calls, at any length",
    ),
    (
        "position",
        "Distance from usual",
        "偏离程度",
        "",
        "0 at what is usual, −1 and 1 at the limits of such a day",
    ),
    (
        "p_value",
        "Chance of such a day",
        "偶然概率",
        "share",
        "of a value as far from usual as this, or further, where nothing changed (p-value)",
    ),
    ("level_s", "Level", "水平", "s", "mean of a stretch of days between two changes, on logs"),
    (
        "aht_change",
        "Change of level",
        "水平变化",
        "share",
        "of the level before: −0.05 is 5% shorter",
    ),
)
