"""The canonical tables and columns: what a call log holds, in which unit, and what null means.

This is the one definition. The store makes its tables from it, the ``ccanalytics`` format is its
written form, the sample centre writes it, and ``data/README.md`` prints it (a test compares).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["OUTCOMES", "SCHEMA_VERSION", "TABLES", "Column", "Kind", "Table", "dictionary"]

# 2 has customers, subscriptions, days, contracts, schedules, assessments and articles besides;
# 3 has tickets and line_groups.
SCHEMA_VERSION = 3

Kind = Literal["text", "timestamp", "date", "seconds", "number", "whole", "flag"]

OUTCOMES: dict[str, str] = {
    "answered": "an agent took the call",
    "abandoned": "the caller hung up while waiting for an agent",
    "left_menu": "the caller hung up in the voice menu, having asked for nobody",
    "contained": "the voice menu completed what the caller wanted",
    "diverted": "the caller accepted another channel (such as an SMS) before reaching the queue",
    "blocked": "no line was free: a busy signal",
    "overflowed": "the call was sent on to another queue or centre",
    "call_back": "the caller accepted a call-back",
}


@dataclass(frozen=True)
class Column:
    """A column: its kind of value, what it means, and its unit or the values it may take."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table: one row per what, identified by which columns."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)


def _text(name: str, meaning: str, *values: str, required: bool = False) -> Column:
    return Column(name, "text", meaning, required, values)


def _at(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, "timestamp", meaning, required)


def _seconds(name: str, meaning: str) -> Column:
    return Column(name, "seconds", meaning)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "calls",
            "one call at one queue",
            ("call_id",),
            (
                _text(
                    "call_id",
                    "identifies the call; where the source has none, a digest of the source row",
                    required=True,
                ),
                _text("customer", "who called; null when withheld or not recorded"),
                _text("client", "whose customers they are, in an outsourced centre"),
                _text("line", "the line or voice-menu port that carried the call"),
                _text("line_group", "the trunk group or unit of that line"),
                _text("site", "the building"),
                _text("queue", "the queue, split or skill"),
                _text("service", "what the call was about"),
                _text("tier", "the customer's tier or priority"),
                _at(
                    "arrived_at", "when the call came in; decides its interval (UTC)", required=True
                ),
                _at("answered_at", "when an agent took the call (UTC); null if none did"),
                _at("ended_at", "when the line was free again (UTC)"),
                _seconds("menu_s", "time in the voice menu before the queue"),
                _seconds("wait_s", "time in the queue, of answered and abandoned calls alike"),
                _seconds("talk_s", "time in conversation, hold excluded where hold_s is known"),
                _seconds("hold_s", "time the caller was put on hold by the agent"),
                _seconds("wrap_s", "after-call work"),
                _text("outcome", "what became of the call", *OUTCOMES, required=True),
                _text("agent", "who took the call"),
                _text("transfer", "where the agent sent it", "none", "second_line", "other"),
                _text("parent_call_id", "the call this one continues"),
                _text("ended_by", "who hung up", "caller", "agent", "system"),
            ),
        ),
        Table(
            "self_service",
            "one contact with a channel other than an agent, or one offer of it",
            ("event_id",),
            (
                _text("event_id", "identifies the event", required=True),
                _text("customer", "whose contact it was"),
                _text("channel", "the channel", "sms", "web", "app", "menu", required=True),
                _text(
                    "stage",
                    "when in the contact it happened",
                    "before_call",
                    "during_call",
                    "own_initiative",
                    "reminder",
                    required=True,
                ),
                _text("service", "what it was about"),
                _text("call_id", "the call it happened in, if any"),
                _at("at", "when it was offered or begun (UTC)", required=True),
                Column(
                    "accepted", "flag", "the offer was taken up, or the session was entered", True
                ),
                Column("delivered", "flag", "what was asked for was delivered (the SMS arrived)"),
                Column("completed", "flag", "the customer got what they came for, in the channel"),
            ),
        ),
        Table(
            "services",
            "one service that customers call about",
            ("service",),
            (
                _text("service", "code of the service", required=True),
                _text("name", "its name in English"),
                _text("name_zh", "its name in Chinese"),
                _text("kind", "asking or doing", "query", "transaction"),
                Column("sms_assist_before_on", "date", "SMS-assist before the call from this day"),
                Column("sms_assist_during_on", "date", "SMS-assist during the call from this day"),
                Column("sms_hall_on", "date", "offered in the SMS hall from this day"),
                Column("web_hall_on", "date", "offered in the web hall from this day"),
                Column("app_on", "date", "offered in the app from this day"),
            ),
        ),
        Table(
            "customers",
            "one customer of the centre's clients",
            ("customer",),
            (
                _text("customer", "code of the customer, as in calls", required=True),
                _text("province", "where the customer lives"),
                _text("prefecture", "the part of the province"),
                _text("tier", "the customer's tier today"),
                Column("bill_day", "whole", "day of the month on which the bill comes out"),
                Column("joined_on", "date", "first day as a customer"),
                Column("left_on", "date", "day on which the customer left; null while one"),
            ),
        ),
        Table(
            "subscriptions",
            "one spell in which a customer takes proactive messages",
            ("customer", "kind", "started_on"),
            (
                _text("customer", "who subscribed", required=True),
                _text("kind", "to which messages", required=True),
                Column("started_on", "date", "first day", True),
                Column("ended_on", "date", "day on which it ended; null while it runs"),
                _text("source", "what led to it: a wave's name, or a keyword sent unasked"),
            ),
        ),
        Table(
            "days",
            "one day of the centre's calendar",
            ("on",),
            (
                Column("on", "date", "the day", True),
                Column("workday", "flag", "people work: a weekday no holiday, or a make-up day"),
                _text("holiday", "name of the public holiday, if it is one"),
                Column("make_up", "flag", "a weekend day worked in exchange for a holiday"),
                Column("bill_run", "flag", "bills come out for some customers"),
                _text("campaign", "the mass mailing of the day, if there was one"),
            ),
        ),
        Table(
            "contracts",
            "what one client has agreed with the centre for a period",
            ("client", "from_on"),
            (
                _text("client", "whose calls they are", required=True),
                Column("from_on", "date", "first day of the period", True),
                Column("price", "number", "paid per answered call, in the log's currency"),
                Column("service_level", "number", "share of offered calls answered in time, 0–1"),
                _seconds("within_s", "what in time means"),
                Column("window_days", "whole", "days over which the service level is taken"),
                Column("penalty", "number", "share of a window's bill lost when it is missed, 0–1"),
            ),
        ),
        Table(
            "agents",
            "one person who takes calls",
            ("agent",),
            (
                _text("agent", "code of the agent", required=True),
                Column("hired_on", "date", "first day of work"),
                Column("left_on", "date", "last day of work; null while employed"),
                _text("site", "the building"),
                _text("employer", "who pays the agent"),
                _text("team", "the team"),
                _text("cohort", "the intake the agent was trained with"),
                _text("skills", "queues the agent may serve, separated by semicolons"),
            ),
        ),
        Table(
            "agent_states",
            "one spell of an agent in one state",
            ("agent", "started_at"),
            (
                _text("agent", "code of the agent", required=True),
                _text(
                    "state",
                    "what the agent was doing",
                    "available",
                    "handling",
                    "wrap",
                    "break",
                    "meeting",
                    "training",
                    "other",
                    required=True,
                ),
                _at("started_at", "start of the spell (UTC)", required=True),
                _at("ended_at", "end of the spell (UTC)"),
            ),
        ),
        Table(
            "schedules",
            "one planned activity of an agent",
            ("agent", "started_at"),
            (
                _text("agent", "code of the agent", required=True),
                _text(
                    "activity",
                    "what was planned",
                    "calls",
                    "break",
                    "meeting",
                    "training",
                    "other",
                    required=True,
                ),
                _at("started_at", "planned start (UTC)", required=True),
                _at("ended_at", "planned end (UTC)"),
            ),
        ),
        Table(
            "reminders",
            "one proactive message sent",
            ("customer", "kind", "sent_at"),
            (
                _text("customer", "to whom", required=True),
                _text("kind", "which reminder", required=True),
                _text("wave", "the mass mailing it belonged to"),
                _at("sent_at", "when (UTC)", required=True),
            ),
        ),
        Table(
            "rollouts",
            "one treatment going live for one unit",
            ("unit_kind", "unit", "treatment"),
            (
                _text("unit_kind", "what is treated: service, province, team, …", required=True),
                _text("unit", "which one", required=True),
                _text("treatment", "what went live", required=True),
                Column("planned_on", "date", "the day it was planned for"),
                Column("live_on", "date", "the day it went live"),
                Column("randomised", "flag", "whether chance decided who got it when"),
            ),
        ),
        Table(
            "reviews",
            "one item of one quality review",
            ("review_id", "item"),
            (
                _text("review_id", "identifies the review", required=True),
                _text("call_id", "the call reviewed"),
                _text("agent", "the agent reviewed"),
                _text("reviewer", "who reviewed"),
                _text("item", "what was looked at", required=True),
                Column("passed", "flag", "whether it was right"),
                Column("critical", "flag", "whether an error here fails the whole call"),
                _text("sampled", "how the call was chosen", "random", "targeted"),
                _at("at", "when it was reviewed (UTC)"),
            ),
        ),
        Table(
            "surveys",
            "one invitation to rate a call",
            ("call_id", "channel"),
            (
                _text("call_id", "the call rated", required=True),
                _text("channel", "how the customer was asked", required=True),
                _at("sent_at", "when the customer was asked (UTC)"),
                _at("answered_at", "when the customer answered (UTC); null: no answer"),
                Column("score", "number", "the rating, on the survey's own scale"),
            ),
        ),
        Table(
            "trainings",
            "one course taken by one agent",
            ("agent", "course", "on"),
            (
                _text("agent", "code of the agent", required=True),
                _text("course", "which course", required=True),
                Column("on", "date", "first day of the course", True),
                Column("hours", "number", "hours of training"),
                Column("cost", "number", "cost of this seat, without wages, in the log's currency"),
            ),
        ),
        Table(
            "assessments",
            "one test taken by one agent",
            ("agent", "instrument", "at"),
            (
                _text("agent", "code of the agent", required=True),
                _text("instrument", "which test", required=True),
                _text("course", "the course that the test is to judge"),
                _text("occasion", "when in respect to the course", "pre", "post", "delayed"),
                _at("at", "when (UTC)", required=True),
                Column("score", "number", "the result, on the test's own scale"),
            ),
        ),
        Table(
            "articles",
            "one article of the knowledge base opened by an agent",
            ("agent", "article", "at"),
            (
                _text("agent", "code of the agent", required=True),
                _text("call_id", "the call during which it was opened"),
                _text("article", "code of the article", required=True),
                _at("at", "when (UTC)", required=True),
            ),
        ),
        Table(
            "tickets",
            "one matter that a call left open, until it is closed",
            ("ticket",),
            (
                _text("ticket", "identifies the ticket", required=True),
                _text("call_id", "the call that opened it"),
                _text("customer", "whose matter it is"),
                _text("service", "what it is about"),
                _at("opened_at", "when it was opened (UTC)", required=True),
                _at("closed_at", "when it was last closed (UTC); null while open"),
                Column("reopened", "flag", "closed once, and opened again"),
                _text("owner", "the department that must close it"),
            ),
        ),
        Table(
            "line_groups",
            "the lines of one trunk group from a day on",
            ("line_group", "from_on"),
            (
                _text("site", "the building in which its lines end"),
                _text("line_group", "the trunk group, as in calls", required=True),
                Column("lines", "whole", "calls that it can carry at once, queued ones included"),
                Column("from_on", "date", "first day with so many lines", True),
            ),
        ),
    )
}


def dictionary() -> str:
    """The data dictionary in Markdown, as ``data/README.md`` prints it."""
    kinds = {
        "text": "text",
        "timestamp": "timestamp, UTC",
        "date": "date, local",
        "seconds": "seconds",
        "number": "number",
        "whole": "whole number",
        "flag": "true or false",
    }
    parts = []
    for table in TABLES.values():
        parts.append(
            f"### {table.name}\n\nOne row is {table.row}. Key: {', '.join(table.key)}.\n\n"
            "| column | kind | meaning |\n|---|---|---|"
        )
        for column in table.columns:
            values = f": {', '.join(column.values)}" if column.values else ""
            needed = ", required" if column.required else ""
            parts[-1] += (
                f"\n| {column.name} | {kinds[column.kind]}{needed} | {column.meaning}{values} |"
            )
        if table.name == "calls":
            meanings = (f"- `{name}`: {meaning}" for name, meaning in OUTCOMES.items())
            parts.append("What the outcomes mean:\n\n" + "\n".join(meanings))
    return "\n\n".join(parts) + "\n"
