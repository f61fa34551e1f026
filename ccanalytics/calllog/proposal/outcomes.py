"""What codes of outcomes mean: words of the trade in English and Chinese, and those that could
mean two things, which are left to the user."""

from __future__ import annotations

import re
import unicodedata

from ccanalytics.schema import OUTCOMES

__all__ = ["Meaning", "looks_like_outcomes", "meaning"]

Meaning = tuple[str, ...]

_SURE: dict[str, str] = {
    "answered": "answered answer connected completed complete handled success served agent "
    "handledbyagent answeredcall completecaller completeagent 接通 已接 已接听 已接通 接听 应答 "
    "已应答 人工接听 人工接通 正常接听 坐席接听 座席接听 成功接通 已接来电 呼入已接",
    "abandoned": "abandoned abandon abandonedinqueue callerabandoned hungupinqueue lost missed "
    "unanswered abandonedcall queueabandoned customerabandoned missedcall 放弃 已放弃 "
    "排队放弃 主叫放弃 客户放弃 队列放弃 排队挂断 排队中放弃 等待放弃",
    "left_menu": "leftmenu ivrabandoned ivrhangup abandonedinivr menuhangup ivrabandon ivr放弃 "
    "ivr挂断 自助放弃 导航放弃 ivr中挂断 未转人工",
    "contained": "contained selfservice ivrcompleted ivrcontained selfserved 自助完成 "
    "自助服务 自助办结 ivr完成",
    "blocked": "blocked busy congestion linebusy alltrunksbusy 占线 忙音 遇忙 线路忙 "
    "阻塞 拥塞 中继忙",
    "overflowed": "overflow overflowed overflowout 溢出 队列溢出 转移溢出",
    "call_back": "callback callbackrequested callbackscheduled 回呼 预约回呼 回拨 预约回拨",
    "diverted": "diverted smssent deflected 转短信 短信引导",
}
_UNSURE: dict[str, Meaning] = {
    "noanswer": ("abandoned", "blocked"),
    "呼损": ("abandoned", "blocked"),
    "未接": ("abandoned", "left_menu"),
    "未接听": ("abandoned", "left_menu"),
    "未接通": ("abandoned", "blocked"),
    "未应答": ("abandoned", "blocked"),
    "无应答": ("abandoned", "blocked"),
    "失败": ("blocked", "abandoned"),
    "failed": ("blocked", "abandoned"),
    "failure": ("blocked", "abandoned"),
    "transferred": ("answered", "overflowed"),
    "转接": ("answered", "overflowed"),
    "转出": ("overflowed", "answered"),
    "voicemail": ("call_back", "contained"),
    "留言": ("call_back", "contained"),
    "hangup": ("abandoned", "left_menu"),
    "挂断": ("abandoned", "left_menu"),
    "cancel": ("abandoned", "left_menu"),
    "cancelled": ("abandoned", "left_menu"),
    "timeout": ("abandoned", "overflowed"),
    "超时": ("abandoned", "overflowed"),
    "否": ("abandoned", "left_menu"),
    "no": ("abandoned", "left_menu"),
    "n": ("abandoned", "left_menu"),
    "false": ("abandoned", "left_menu"),
    "0": ("abandoned", "left_menu"),
}
_YES = ("是", "yes", "y", "true", "1")
_KNOWN = {word: name for name, words in _SURE.items() for word in words.split()} | {
    name.replace("_", ""): name for name in OUTCOMES
}
_MOST_CODES = 60


def _plain(code: str) -> str:
    text = unicodedata.normalize("NFKC", code).lower()
    return re.sub(r"[\W_]+", "", text)


def meaning(code: str, column: str) -> Meaning:
    """What a code means: one outcome if sure, several to choose from, none if unknown.

    Examples
    --------
    >>> meaning("接通", "呼叫结果"), meaning("NO ANSWER", "disposition")
    (('answered',), ('abandoned', 'blocked'))
    """
    text = _plain(code)
    if text in _KNOWN:
        return (_KNOWN[text],)
    if text in _YES and re.search(r"answer|接通|接听|应答", column.lower()):
        return ("answered",)
    return _UNSURE.get(text, ())


def looks_like_outcomes(codes: list[str], column: str) -> float:
    """The share of a column's codes that are words for outcomes; 0 for too many codes."""
    if not codes or len(codes) > _MOST_CODES:
        return 0.0
    return sum(bool(meaning(code, column)) for code in codes) / len(codes)
