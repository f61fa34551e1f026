"""Measures of invitations, reminders and who leaves."""

__all__ = ["OFFER_MEASURES"]

# name, label, label in Chinese, unit, definition
OFFER_MEASURES: tuple[tuple[str, str, str, str, str], ...] = (
    ("messages", "Messages", "短信数", "", "invitations or reminders sent"),
    ("customers", "Customers", "客户数", "", "customers, or customers times days where days add up"),
    ("unknown", "To unknown customers", "未知客户", "", "sent to customers the log does not know"),
    ("assigned", "Invited", "受邀", "", "customers whom the wave invited"),
    ("controls", "Not invited yet", "未受邀", "", "customers not invited until the window was over"),
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
    ("estimate", "Estimate", "估计", "", "shares are 0–1; calls are per customer in the window"),
    ("customer_days", "Customer-days", "客户日", "", "customers times days on which they were there"),
    ("left", "Left", "离网", "", "customers who left on these days"),
    (
        "leaving",
        "Leaving within 30 days",
        "30天离网率",
        "share",
        "1 − exp(−30 × those who left / customer-days)",
    ),
)
