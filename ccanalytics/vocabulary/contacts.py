"""Measures of self-service, effects, handle time and repeat calls."""

__all__ = ["CONTACT_MEASURES"]

# name, label, label in Chinese, unit, definition
CONTACT_MEASURES: tuple[tuple[str, str, str, str, str], ...] = (
    # self-service
    ("eligible", "Eligible", "可分流", "calls", "contacts that could have been offered it"),
    ("sent", "Offered the channel", "推送", "contacts", "offers made, or sessions begun"),
    ("accepted", "Accepted", "接受", "contacts", "offers taken up, or sessions entered"),
    ("delivered", "Delivered", "送达", "contacts", "accepted, and what was asked for arrived"),
    (
        "completed",
        "Completed",
        "完成",
        "contacts",
        "the customer got what they came for, in the channel",
    ),
    ("acceptance", "Acceptance", "接受率", "share", "accepted over offers made"),
    ("completion", "Completion", "完成率", "share", "completed over accepted"),
    (
        "leakage",
        "Leakage",
        "回流率",
        "share",
        "of completed contacts followed to the end of the window: the same customer asked an "
        "agent about the same service within it",
    ),
    (
        "gross_deflection",
        "Gross deflection",
        "毛分流率",
        "share",
        "completed over eligible; many of them would not have called",
    ),
    (
        "net_deflection",
        "Net deflection",
        "净分流率",
        "share",
        "gross deflection × (1 − leakage); not calls saved: some would never have called",
    ),
    ("delivery", "Delivery", "送达率", "share", "delivered over accepted"),
    (
        "share_of_sent",
        "Share of offers",
        "占推送比例",
        "share",
        "contacts that reached this step, over offers made or sessions begun",
    ),
    # effects
    (
        "first_attempts",
        "First attempts",
        "首次呼叫",
        "calls",
        "offered calls of customers who had not asked for that service in the 24 hours before",
    ),
    (
        "relative",
        "Change",
        "变化",
        "share",
        "change of calls over the weeks after, as a share of what would have come without it",
    ),
    (
        "removed_per_week",
        "Calls removed a week",
        "每周减少",
        "calls",
        "calls that would have come less those that did, a week",
    ),
    (
        "stands_out",
        "Stands out",
        "显著",
        "",
        "the change remains once all are looked at together (Benjamini–Hochberg)",
    ),
    # handle time
    (
        "mean_s",
        "Mean",
        "均值",
        "s",
        "mean over the answered calls that took more than 0 seconds",
    ),
    (
        "median_s",
        "Median",
        "中位数",
        "s",
        "half of the answered calls that took more than 0 seconds took longer",
    ),
    ("sd_s", "Standard deviation", "标准差", "s", "of the same calls as the mean"),
    ("p90_s", "90th percentile", "九成位", "s", "a tenth of the same calls took longer"),
    (
        "short_share",
        "Short calls",
        "短通话占比",
        "share",
        "answered calls of at most 10 seconds, or the limit named beside it, over all answered",
    ),
    (
        "zero_share",
        "Calls of 0 seconds",
        "零时长占比",
        "share",
        "answered calls of 0 seconds over all answered",
    ),
    (
        "per_quarter",
        "Change a quarter",
        "季度变化",
        "share",
        "change of the typical handle time in a quarter of a year, by its trend",
    ),
    (
        "per_year",
        "Change a year",
        "年度变化",
        "share",
        "change of the typical handle time in a year, by its trend",
    ),
    (
        "recontacted",
        "Asked an agent again",
        "回流",
        "contacts",
        "of the contacts followed: the same customer asked an agent about the same service",
    ),
    # repeat calls
    (
        "followed",
        "Followed",
        "可跟踪",
        "contacts",
        "of known customers, and early enough for the window to end within the log",
    ),
    (
        "again",
        "Called again",
        "重复来电",
        "calls",
        "of the calls followed: again in the window",
    ),
    (
        "recontact",
        "Calls again",
        "重复来电率",
        "share",
        "of calls followed to the end of the window: the same customer called again within it",
    ),
)
