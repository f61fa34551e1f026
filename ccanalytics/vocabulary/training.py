"""Measures of what was done for agents: tools, courses and coaching, and what they changed."""

__all__ = ["TRAINING_MEASURES"]

# name, label, label in Chinese, unit, definition
TRAINING_MEASURES: tuple[tuple[str, str, str, str, str], ...] = (
    ("tenure_weeks", "Weeks since hiring", "入职周数", "", "whole weeks at the middle of the week"),
    (
        "log_handle",
        "Logs of handle time",
        "处理时长对数和",
        "",
        "sum over calls of the logarithm of their seconds",
    ),
    (
        "log_handle_squares",
        "Squares of logs of handle time",
        "处理时长对数平方和",
        "",
        "sum over calls of the square of the logarithm of their seconds",
    ),
    (
        "usual_log_handle",
        "Logs that are usual",
        "同类通话时长对数和",
        "",
        "sum over calls of the mean logarithm of calls of their kind, all agents together",
    ),
    (
        "usual_handle_s",
        "Handle time that is usual",
        "同类通话处理时长",
        "s",
        "sum over calls of the mean handle time of calls of their kind, all agents together",
    ),
    (
        "usual_second_line",
        "Transfers that are usual",
        "同类通话转接数",
        "calls",
        "sum over calls of the share of calls of their kind that is sent to the second line",
    ),
    (
        "share_of_failed",
        "Share of items wrong",
        "占差错项比例",
        "share",
        "items wrong of this kind, over all items wrong",
    ),
    (
        "assist_offered",
        "SMS-assist offered in the call",
        "呼中推送通话数",
        "calls",
        "handled calls in which SMS-assist was offered",
    ),
    (
        "assisted",
        "SMS-assist accepted in the call",
        "呼中接受通话数",
        "calls",
        "handled calls in which SMS-assist was accepted",
    ),
    (
        "relative_without",
        "Change if left out",
        "剔除后变化",
        "share",
        "the estimated change without this unit",
    ),
    (
        "change_s",
        "Change per call",
        "每通变化",
        "s",
        "seconds of handle time per call that it changed; negative: shorter",
    ),
    (
        "change_share",
        "Change, share of all",
        "比例变化",
        "share",
        "share of calls or items by which it changed; negative: fewer",
    ),
    ("points", "Points", "分数", "", "points of the test, on its own scale"),
    ("hires", "Newcomers", "新员工数", "", "agents hired within the log"),
    ("score_before", "Score before", "培训前分数", "", "points in the test before the course"),
    ("score_after", "Score after", "培训后分数", "", "points in the test after the course"),
    (
        "score_expected",
        "Expected without it",
        "无培训预期分数",
        "",
        "points after that agents of such a score before would have had without the course",
    ),
    ("money", "Money", "金额", "", "in the log's currency"),
    (
        "net",
        "Benefit less cost",
        "净收益",
        "",
        "worth of freed hours up to the week less the cost of the course, in the log's currency",
    ),
)
