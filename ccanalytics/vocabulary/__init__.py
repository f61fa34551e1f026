"""Every measure once: its name, its label in English and Chinese, its unit and its definition.

Frames name their columns by it, charts label their axes from it, and reports print the
definitions of what they used. A column that is not here is a key, or a mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ccanalytics.errors import InputError
from ccanalytics.vocabulary.calls import CALL_MEASURES
from ccanalytics.vocabulary.contacts import CONTACT_MEASURES
from ccanalytics.vocabulary.handling import HANDLING_MEASURES
from ccanalytics.vocabulary.lines import LINE_MEASURES
from ccanalytics.vocabulary.models import ESTIMATED_MEASURES, MODEL_MEASURES
from ccanalytics.vocabulary.offers import OFFER_MEASURES
from ccanalytics.vocabulary.people import PEOPLE_MEASURES
from ccanalytics.vocabulary.quality import QUALITY_MEASURES
from ccanalytics.vocabulary.sites import SITE_MEASURES
from ccanalytics.vocabulary.training import TRAINING_MEASURES
from ccanalytics.vocabulary.value import VALUE_MEASURES

__all__ = ["MEASURES", "TERMS", "Measure", "counted", "measure", "term"]


@dataclass(frozen=True)
class Measure:
    """A measure: ``unit`` is s, calls, contacts, share, erlangs, agents, lines, hours, customers,
    customer-days, messages, reviews, items, tickets, weeks, or empty."""

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
        *CALL_MEASURES,
        *LINE_MEASURES,
        *MODEL_MEASURES,
        *SITE_MEASURES,
        *ESTIMATED_MEASURES,
        *VALUE_MEASURES,
        *HANDLING_MEASURES,
        *PEOPLE_MEASURES,
        *CONTACT_MEASURES,
        *OFFER_MEASURES,
        *QUALITY_MEASURES,
        *TRAINING_MEASURES,
    )
}

_CLOSED = re.compile(r"^closed_(\d+)h$")
_GOAL = re.compile(r"^service_level_(\d+)$")
_LIMIT = re.compile(r"^(.+)_(low|high)$")
_SQUARES = re.compile(r"^(.+)_(nn|xn|xx)$")
_SUMS = re.compile(r"^(touched|others)_(s|ss)$")
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
    match = _CLOSED.match(name)
    if match:
        (hours,) = match.groups()
        return Measure(
            name,
            f"Closed within {hours} h",
            f"{hours}小时内办结",
            "share",
            f"share of tickets closed within {hours} hours, open ones followed so far",
        )
    match = _SQUARES.match(name)
    if match:
        told, part = measure(match.group(1)), {"nn": "n²", "xn": "x·n", "xx": "x²"}[match.group(2)]
        return replace(
            told,
            name=name,
            label=f"{told.label}, {part}",
            label_zh=f"{told.label_zh} {part}",
            unit="",
            definition=f"sum over customers, or reviews, of {part}, where x of n is: "
            f"{told.definition}",
        )
    match = _SUMS.match(name)
    if match:
        told, squared = measure(match.group(1)), match.group(2) == "ss"
        return replace(
            told,
            name=name,
            label=f"{told.label}, {'seconds squared' if squared else 'seconds'}",
            label_zh=f"{told.label_zh}{'秒数平方' if squared else '秒数'}",
            unit="" if squared else "s",
            definition=f"sum of {'squares of ' if squared else ''}handle times: {told.definition}",
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
    "knowledge_base": ("Knowledge base", "知识库"),
    "coaching": ("Coaching", "辅导"),
    "menu": ("Voice menu", "语音菜单"),
    # queues and the sources of subscriptions, as the sample centre names them
    "hotline": ("Hotline", "热线"),
    "second_line": ("Second line", "二线"),
    "keyword": ("Keyword sent unasked", "主动发送指令"),
    "renewal": ("Renewal", "续订"),
    "invitation": ("Invitation", "邀请短信"),
    "reminder": ("Reminder", "提醒短信"),
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
