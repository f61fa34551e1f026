"""What columns of call logs are called, in English and Chinese, and how near a name comes.

Names are compared without case, spaces, signs and units; "Talk Time (sec)", ``talk_time_s`` and
``talkTime`` are one. A name that only contains a known one counts for less.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["SYNONYMS", "likeness", "plain", "unit_told"]

SYNONYMS: dict[str, tuple[str, ...]] = {
    "call_id": (
        *("call id", "unique id", "uuid", "session id", "contact id", "interaction id", "ucid"),
        *("conversation id", "record id", "call key", "linked id", "call reference", "call number"),
        *(
            "流水号",
            "呼叫流水号",
            "通话流水号",
            "呼叫编号",
            "通话编号",
            "通话标识",
            "会话编号",
            "呼叫标识",
        ),
        *("话单号", "唯一标识", "编号", "呼叫id", "通话id", "会话id", "录音流水号"),
    ),
    "customer": (
        *("customer", "caller", "caller id", "cli", "ani", "calling number", "caller number"),
        *("customer number", "phone number", "phone", "customer id", "originator", "calling party"),
        *(
            "主叫",
            "主叫号码",
            "来电号码",
            "客户号码",
            "用户号码",
            "手机号",
            "手机号码",
            "客户",
            "电话号码",
            "客户编号",
        ),
    ),
    "client": ("client", "tenant", "委托方", "租户", "甲方"),
    "line": ("line", "trunk", "trunk line", "port", "中继", "线路", "端口"),
    "line_group": ("line group", "trunk group", "trunk grp", "中继组", "线路组"),
    "site": ("site", "location", "centre", "center", "call centre", "职场", "中心", "站点", "地点"),
    "queue": (
        *("queue", "queue name", "skill", "skill name", "skill set", "split", "skill group"),
        *("acd group", "hunt group", "queue id"),
        *("队列", "队列名", "队列名称", "技能组", "技能", "技能队列", "排队队列"),
    ),
    "service": (
        *("service", "reason", "call reason", "contact reason", "call type", "topic", "category"),
        *(
            "业务",
            "业务类型",
            "服务类型",
            "来电原因",
            "咨询类型",
            "业务名称",
            "来电类型",
            "话务类型",
        ),
    ),
    "tier": (
        *("tier", "priority", "customer tier", "customer level", "segment"),
        *("优先级", "客户等级", "客户级别", "星级", "客户星级", "用户等级"),
    ),
    "arrived_at": (
        *("arrived", "arrived at", "arrival time", "arrival", "start", "start time", "call start"),
        *("started at", "call start time", "begin time", "offered time", "call time", "timestamp"),
        *("call date", "calldate", "enter queue time", "received", "received at", "date time"),
        *("initiation timestamp", "call date time", "start date", "start timestamp", "date"),
        *("start stamp", "call started", "time", "queue start", "created at", "call received"),
        *(
            "呼入时间",
            "来电时间",
            "开始时间",
            "呼叫时间",
            "进线时间",
            "呼叫开始时间",
            "通话开始时间",
            "到达时间",
        ),
        *(
            "日期",
            "呼入日期",
            "来电日期",
            "呼叫日期",
            "时间",
            "进入时间",
            "起始时间",
            "排队开始时间",
        ),
    ),
    "answered_at": (
        *("answer", "answered at", "answer time", "answered time", "connect time", "connected at"),
        *("answer stamp", "pick up time", "answered", "agent start"),
        *(
            "接听时间",
            "应答时间",
            "接通时间",
            "摘机时间",
            "人工接听时间",
            "坐席接听时间",
            "座席接听时间",
        ),
    ),
    "ended_at": (
        *("end", "ended", "ended at", "end time", "call end", "call end time", "hangup time"),
        *("disconnect time", "release time", "finish time", "end stamp", "disconnect timestamp"),
        *("结束时间", "挂机时间", "挂断时间", "释放时间", "通话结束时间", "呼叫结束时间"),
    ),
    "menu_s": (
        *("menu", "menu time", "ivr time", "ivr", "ivr duration", "vru time", "time in ivr"),
        *("ivr时长", "ivr时间", "自助时长", "语音导航时长", "菜单时长"),
    ),
    "wait_s": (
        *("wait", "wait time", "waiting time", "queue time", "time in queue", "queue duration"),
        *("queue wait", "wait duration", "speed of answer", "time to answer", "queued", "q time"),
        *(
            "等待时长",
            "等待时间",
            "排队时长",
            "排队时间",
            "等候时长",
            "等候时间",
            "等待秒数",
            "排队等待时长",
        ),
    ),
    "talk_s": (
        *("talk", "talk time", "talk duration", "conversation time", "bill sec", "billable time"),
        *("service time", "agent talk time", "agent interaction duration", "conversation duration"),
        *(
            "通话时长",
            "通话时间",
            "通话秒数",
            "服务时长",
            "人工时长",
            "交谈时长",
            "人工通话时长",
            "通话时长",
        ),
    ),
    "hold_s": (
        *("hold", "hold time", "hold duration", "on hold", "customer hold duration"),
        *("保持时长", "保持时间", "保留时长", "挂起时长"),
    ),
    "wrap_s": (
        *("wrap", "wrap up", "wrap time", "wrap up time", "acw", "acw time", "after call work"),
        *("after call work time", "after contact work duration", "after call", "post call"),
        *(
            "话后时长",
            "整理时长",
            "事后处理时长",
            "话后处理时长",
            "话后处理时间",
            "事后时长",
            "整理时间",
            "话后",
        ),
    ),
    "outcome": (
        *("outcome", "disposition", "result", "status", "call status", "call result"),
        *("call outcome", "completion", "final status", "end reason", "call disposition"),
        *(
            "结果",
            "呼叫结果",
            "状态",
            "通话状态",
            "呼叫状态",
            "接通状态",
            "处理结果",
            "接听状态",
            "是否接通",
        ),
        *("来电结果", "通话结果", "接听结果", "是否接听"),
    ),
    "agent": (
        *("agent", "agent id", "agent name", "operator", "user", "agent login", "handled by"),
        *("representative", "advisor", "server", "employee", "answered by", "login id"),
        *(
            "坐席",
            "座席",
            "工号",
            "坐席工号",
            "座席工号",
            "客服",
            "客服工号",
            "员工",
            "话务员",
            "接线员",
        ),
        *("坐席姓名", "座席姓名", "坐席编号", "员工工号", "客服姓名"),
    ),
    "parent_call_id": (
        "parent id",
        "parent call id",
        "previous contact id",
        "父呼叫",
        "主呼叫流水号",
    ),
}

_UNITS = {
    "ms": r"ms|msec|msecs|millis|milliseconds?|毫秒",
    "s": r"s|secs?|seconds?|秒数?",
    "min": r"mins?|minutes?|分钟数?|分",
    "hms": r"h+:m+(?::s+)?|时分秒",
}
_BRACKETS = re.compile(r"[(（\[【]([^)）\]】]*)[)）\]】]")


def plain(name: str) -> str:
    """A name without case, signs and units: words with one space between them."""
    text = unicodedata.normalize("NFKC", name).strip()
    text = _BRACKETS.sub(" ", text)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    text = re.sub(r"[\W_]+", " ", text).strip().lower()
    words = text.split()
    while len(words) > 1 and any(re.fullmatch(unit, words[-1]) for unit in _UNITS.values()):
        words.pop()
    if len(words) > 1 and words[-1] in ("at", "on") and words[0] not in ("arrived", "ended"):
        words.pop()
    return " ".join(words)


def unit_told(name: str) -> str | None:
    """The unit that a column's name tells: ``s``, ``ms``, ``min``, ``hms``, or None."""
    text = unicodedata.normalize("NFKC", name).lower()
    endings = [*_BRACKETS.findall(text), *re.split(r"[\W_]+", text)[-1:]]
    for unit, pattern in _UNITS.items():
        if any(re.fullmatch(pattern, ending.strip()) for ending in endings):
            return unit
    return "ms" if text.endswith("毫秒") else "s" if text.endswith("秒数") else None


@lru_cache(maxsize=100_000)
def likeness(name: str, canonical: str) -> float:
    """How near a name comes to those of a canonical column, from 0 to 1.

    Examples
    --------
    >>> likeness("Talk Time (sec)", "talk_s"), likeness("通话时长", "talk_s")
    (1.0, 1.0)
    >>> likeness("colour", "talk_s")
    0.0
    """
    found = plain(name)
    if not found:
        return 0.0
    if unit_told(name) and canonical in ("queue", "agent"):
        return 0.0  # "Queue (sec)" is a time in the queue
    if found == "queue" and canonical == "wait_s" and unit_told(name):
        return 1.0
    if name.strip().lower() == canonical or found.replace(" ", "_") == canonical:
        return 1.0
    squeezed, best = found.replace(" ", ""), 0.0
    for known in SYNONYMS.get(canonical, ()):
        key = known.replace(" ", "")
        if squeezed == key:
            return 1.0
        if not key.isascii():
            # A Chinese name within a longer one: 客服通话时长(秒).
            if key in squeezed and len(key) > 1:
                best = max(best, 0.4 + 0.5 * len(key) / len(squeezed))
            continue
        words, wanted = set(found.split()), set(known.split())
        if wanted <= words:
            best = max(best, 0.35 + 0.5 * len(wanted) / len(words))
    return round(best, 3)
