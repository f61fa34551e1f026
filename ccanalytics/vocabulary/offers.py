"""Measures of invitations, reminders and who leaves."""

__all__ = ["OFFER_MEASURES"]

# name, label, label in Chinese, unit, definition
OFFER_MEASURES: tuple[tuple[str, str, str, str, str], ...] = (
    ("messages", "Messages", "短信数", "messages", "invitations or reminders sent"),
    (
        "customers",
        "Customers",
        "客户数",
        "customers",
        "customers, or customers times days where several days are added up",
    ),
    ("assigned", "Invited", "受邀", "customers", "customers whom the wave invited"),
    (
        "controls",
        "Not invited yet",
        "未受邀",
        "customers",
        "customers not invited until the window was over",
    ),
    (
        "control_mean",
        "Calls without",
        "对照话务",
        "calls",
        "first attempts per customer in the window that those invited would have made",
    ),
    (
        "take_up",
        "Took it up",
        "接受比例",
        "share",
        "who subscribed within the window because they were invited, over those invited",
    ),
    (
        "calls_each",
        "Calls each",
        "人均变化",
        "calls",
        "change of first attempts per customer in the window, against those not invited yet",
    ),
    (
        "customer_days",
        "Customer-days",
        "客户日",
        "customer-days",
        "customers times days on which they were there",
    ),
    ("left", "Left", "离网", "customers", "customers who left on these days"),
    (
        "leaving",
        "Leaving within a year",
        "年离网率",
        "share",
        "at this rate: 1 − exp(−365 × those who left / customer-days)",
    ),
)
