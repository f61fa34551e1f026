"""Every measure once: its name, its label in English and Chinese, its unit and its definition.

Frames name their columns by it, charts label their axes from it, and reports print the
definitions of what they used. A column that is not here is a key, or a mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ccanalytics.errors import InputError
from ccanalytics.model_measures import ESTIMATED_MEASURES, MODEL_MEASURES
from ccanalytics.site_measures import SITE_MEASURES

__all__ = ["MEASURES", "TERMS", "Measure", "counted", "measure", "term"]


@dataclass(frozen=True)
class Measure:
    """A measure: ``unit`` is s, calls, contacts, share, erlangs, agents, lines, hours, or empty."""

    name: str
    label: str
    label_zh: str
    unit: str
    definition: str

    @property
    def axis(self) -> str:
        """Label with its unit, for the axis of a chart."""
        unit = {"s": "seconds", "share": "share", "": ""}.get(self.unit, self.unit)
        return f"{self.label} ({unit})" if unit and unit not in self.label.lower() else self.label


MEASURES: dict[str, Measure] = {
    name: Measure(name, label, label_zh, unit, definition)
    for name, label, label_zh, unit, definition in (
        # what happened in an interval
        ("arrived", "Arrived", "呼入", "calls", "all calls that came in, whatever became of them"),
        (
            "offered",
            "Offered",
            "人工请求",
            "calls",
            "calls that asked for an agent: answered, abandoned, overflowed or called back",
        ),
        ("answered", "Answered", "接通", "calls", "calls that an agent took"),
        ("abandoned", "Abandoned", "放弃", "calls", "calls whose caller hung up while waiting"),
        (
            "left_menu",
            "Left in the menu",
            "菜单放弃",
            "calls",
            "calls whose caller hung up in the voice menu, having asked for nobody",
        ),
        ("contained", "Contained", "自助完成", "calls", "calls completed in the voice menu"),
        (
            "diverted",
            "Diverted",
            "分流",
            "calls",
            "calls whose caller accepted another channel before the queue",
        ),
        ("blocked", "Blocked", "呼损", "calls", "calls that met a busy signal"),
        ("waited", "Waited", "排队", "calls", "offered calls with a wait above 0 seconds"),
        (
            "handled",
            "Handled with known time",
            "已处理",
            "calls",
            "answered calls whose handle time is known",
        ),
        ("menu_s", "Menu time", "菜单时长", "s", "sum of time in the voice menu"),
        ("wait_s", "Waiting time", "等待时长", "s", "sum of waits of all offered calls"),
        ("answered_wait_s", "Wait of the answered", "接通等待", "s", "sum over answered calls"),
        ("abandoned_wait_s", "Wait of the abandoned", "放弃等待", "s", "sum over abandoned calls"),
        ("talk_s", "Talk time", "通话时长", "s", "sum of talk time of answered calls"),
        ("hold_s", "Hold time", "保持时长", "s", "sum of hold time of answered calls"),
        ("wrap_s", "After-call work", "话后整理", "s", "sum of after-call work of answered calls"),
        (
            "handle_s",
            "Handle time",
            "处理时长",
            "s",
            "sum of talk, hold and after-call work of answered calls",
        ),
        ("mean_wait_s", "Mean wait", "平均等待", "s", "mean wait of all offered calls"),
        ("asa_s", "Average speed of answer", "平均应答速度", "s", "mean wait of answered calls"),
        ("wait_p50_s", "Median wait", "等待中位数", "s", "half of the offered calls waited longer"),
        ("wait_p90_s", "90th percentile of wait", "等待九成位", "s", "a tenth waited longer"),
        (
            "aht_s",
            "Average handle time",
            "平均处理时长",
            "s",
            "talk, hold and after-call work over answered calls whose handle time is known",
        ),
        (
            "agent_busy_s",
            "Agents busy",
            "坐席占用",
            "s",
            "agent-seconds of handling that fall inside the interval, whenever the call arrived",
        ),
        (
            "line_busy_s",
            "Lines busy",
            "中继占用",
            "s",
            "line-seconds in use that fall inside the interval, whenever the call arrived",
        ),
        (
            "service_level",
            "Service level",
            "服务水平",
            "share",
            "share of calls served in time, by the counting named beside it",
        ),
        (
            "abandonment",
            "Abandonment",
            "放弃率",
            "share",
            "abandoned over offered; in a model, over all arrivals",
        ),
        ("blocking", "Blocking", "呼损率", "share", "blocked over all arrivals"),
        (
            "busy_s",
            "Busy",
            "占用时长",
            "s",
            "agent- or line-seconds in use inside the interval, whenever the call arrived",
        ),
        # demand and staffing
        ("calls", "Calls", "话务量", "calls", "calls of an interval, as planning counts them"),
        ("cv", "Variation of volume", "变异系数", "", "standard deviation over mean of the volume"),
        ("interval_s", "Interval", "间隔", "s", "length of the interval"),
        ("load", "Offered load", "话务负荷", "erlangs", "calls × handle time / interval length"),
        (
            "required_agents",
            "Required agents",
            "需求坐席",
            "agents",
            "least number of agents seated at once that meets the goal",
        ),
        (
            "scheduled_agents",
            "Scheduled agents",
            "排班人数",
            "agents",
            "required agents divided by one less shrinkage",
        ),
        (
            "occupancy",
            "Occupancy",
            "占用率",
            "share",
            "handling over handling and available: how busy a seated agent is",
        ),
        (
            "wait_probability",
            "Chance of waiting",
            "等待概率",
            "share",
            "share of the calls that entered which find every agent busy",
        ),
        ("asa", "Average speed of answer", "平均应答速度", "s", "mean wait of answered calls"),
        ("mean_wait", "Mean wait", "平均等待", "s", "mean wait of all calls that entered"),
        (
            "queue_length",
            "Queue length",
            "排队长度",
            "calls",
            "mean number of callers waiting at any moment",
        ),
        (
            "covered_agents",
            "Covered by shifts",
            "班次覆盖",
            "agents",
            "agents whom the shifts seat in the interval",
        ),
        ("spare_agents", "To spare", "富余坐席", "agents", "agents on shift beyond those needed"),
        ("uncovered_agents", "Uncovered", "缺口坐席", "agents", "agents needed beyond the shifts"),
        (
            "required_without",
            "Required without that day",
            "剔除该日后需求",
            "agents",
            "required agents when one day is left out of the mean",
        ),
        (
            "dispersion",
            "Dispersion of volume",
            "离散度",
            "",
            "variance over mean of the calls within weekday and time of day; 1 for Poisson",
        ),
        *MODEL_MEASURES,
        *SITE_MEASURES,
        *ESTIMATED_MEASURES,
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
}

_GOAL = re.compile(r"^service_level_(\d+)$")
_LIMIT = re.compile(r"^(.+)_(low|high)$")
_WITHIN = re.compile(r"^(answered|abandoned)_in_([0-9.e+-]+)s$")


def measure(name: str) -> Measure:
    """The measure of that name.

    Counts within a threshold, the service levels of further goals, and limits are told from their
    name.

    >>> measure("answered_in_20s").label
    'Answered within 20 s'
    """
    if name in MEASURES:
        return MEASURES[name]
    match = _WITHIN.match(name)
    if match:
        what, seconds = match.groups()
        zh = "接通" if what == "answered" else "放弃"
        return Measure(
            name,
            f"{what.capitalize()} within {seconds} s",
            f"{seconds}秒内{zh}",
            "calls",
            f"calls {what} after a wait of at most {seconds} seconds",
        )
    match = _GOAL.match(name)
    if match:
        told, number = MEASURES["service_level"], match.group(1)
        return replace(
            told, name=name, label=f"{told.label} {number}", label_zh=f"{told.label_zh}{number}"
        )
    match = _LIMIT.match(name)
    if match:
        told, lower = measure(match.group(1)), match.group(2) == "low"
        which, zh = ("lower", "下限") if lower else ("upper", "上限")
        return replace(
            told,
            name=name,
            label=f"{told.label}, {which} limit",
            label_zh=told.label_zh + zh,
            definition=f"{which} limit of the confidence interval of: {told.definition}",
        )
    raise InputError("no such measure", f"{name!r}", "see ccanalytics.vocabulary.MEASURES")


TERMS: dict[str, tuple[str, str]] = {
    # what goes live, as roll-outs and services name it
    "sms_assist_before": ("SMS-assist before the call", "呼前短信助理"),
    "sms_assist_during": ("SMS-assist during the call", "呼中短信助理"),
    "sms_hall": ("SMS hall", "短信营业厅"),
    "web_hall": ("Web channel", "网上营业厅"),
    "app": ("App", "手机客户端"),
    "menu": ("Voice menu", "语音菜单"),
    # queues and the sources of subscriptions, as the sample centre names them
    "hotline": ("Hotline", "热线"),
    "second_line": ("Second line", "二线"),
    "keyword": ("Keyword sent unasked", "主动发送指令"),
    "renewal": ("Renewal", "续订"),
}
"""Codes that logs hold and readers meet in sentences: English and Chinese."""


def term(code: str) -> str:
    """Give a code in words; one that is not known loses its underscores only.

    >>> term("sms_assist_before"), term("price_change")
    ('SMS-assist before the call', 'price change')
    """
    return TERMS[code][0] if code in TERMS else str(code).replace("_", " ")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun, singular or plural.

    >>> counted(1, "week"), counted(2300, "row"), counted(2, "day's call", "days' calls")
    ('1 week', '2,300 rows', "2 days' calls")
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
