"""Measures of what removed calls are worth, and of claims held against their own figures."""

__all__ = ["VALUE_MEASURES"]

# name, label, label in Chinese, unit, definition
VALUE_MEASURES: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "calls_without",
        "Calls without the channel",
        "无该渠道的呼叫",
        "calls",
        "calls that would come if the channel were not there",
    ),
    (
        "calls_with",
        "Calls with the channel",
        "有该渠道的呼叫",
        "calls",
        "calls that come although the channel is there",
    ),
    (
        "load_without",
        "Load without the channel",
        "无该渠道的话务量",
        "erlangs",
        "calls without the channel times their handle time, per second",
    ),
    (
        "load_with",
        "Load with the channel",
        "有该渠道的话务量",
        "erlangs",
        "calls with the channel times their handle time, per second",
    ),
    (
        "agents_without",
        "Agents without the channel",
        "无该渠道的坐席",
        "agents",
        "least agents that meet the goal for the calls without the channel",
    ),
    (
        "agents_with",
        "Agents with the channel",
        "有该渠道的坐席",
        "agents",
        "least agents that meet the goal for the calls with the channel",
    ),
    (
        "service_level_without",
        "Service level without the channel",
        "无该渠道的服务水平",
        "share",
        "of the calls without the channel, with the agents that they need",
    ),
    (
        "service_level_kept",
        "Service level at the same seats",
        "坐席不变的服务水平",
        "share",
        "of the calls with the channel, with the agents that they would need without it",
    ),
    ("hours", "Hours", "小时", "hours", "hours of the step named beside it"),
    (
        "items",
        "Items",
        "件数",
        "contacts",
        "contacts that an account says were diverted",
    ),
    (
        "base_low",
        "Base at the highest share",
        "最高占比对应的基数",
        "calls",
        "calls that would have come, if the items are the highest share claimed",
    ),
    (
        "base_high",
        "Base at the lowest share",
        "最低占比对应的基数",
        "calls",
        "calls that would have come, if the items are the lowest share claimed",
    ),
    (
        "base_per_day",
        "Base a day",
        "日均基数",
        "calls",
        "the base at the highest share, a day of the time claimed",
    ),
    (
        "base_per_agent_day",
        "Base a day and agent",
        "人均日基数",
        "calls",
        "the base at the highest share, a day and agent at work",
    ),
)
