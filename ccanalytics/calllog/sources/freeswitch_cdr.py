"""FreeSWITCH's call detail records (mod_cdr_csv), with mod_callcenter's variables where written.

The default template has fifteen columns and no header; another template's columns are read from a
header, or named with ``columns``. Quirks, and what becomes of them:

- *answered* means that something answered: an agent, an extension, a menu. With ``cc_queue`` the
  variables of mod_callcenter tell which; without, it is remarked where no other leg is named;
- a queue call has a row for the caller and one for the agent: the agent's is set aside;
- the wait is duration − billsec, exact also where times are noted to the minute;
- the same uuid may be written twice: the first row is taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from ccanalytics.calllog.masking import LETTERS
from ccanalytics.calllog.reading import Layout
from ccanalytics.calllog.sources.base import Plan, Settings, Source, flag, listed, to_utc
from ccanalytics.calllog.sources.opening import delimited
from ccanalytics.calllog.sources.records import Orders, find_order
from ccanalytics.calllog.sources.texts import callers, moments, number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from ccanalytics.calllog.pseudonyms import Endpoint
    from ccanalytics.calllog.readers import Opened

__all__ = ["FreeswitchCdr"]

_TIME = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2} \d{1,2}:\d\d")
_CAUSE = re.compile(r"[A-Z][A-Z0-9_]+")
_DEFAULT = (
    *("caller_id_name", "caller_id_number", "destination_number", "context", "start", "answer"),
    *("end", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid", "accountcode"),
)
_CODECS = ("read_codec", "write_codec")
_QUEUE = (
    *("cc_queue", "cc_agent", "cc_side", "cc_cause", "cc_cancel_reason"),
    *("cc_queue_joined_epoch", "cc_queue_answered_epoch", "cc_queue_terminated_epoch"),
    "cc_queue_canceled_epoch",
)
_EPOCHS = {"joined": 0, "answered": 0, "terminated": 0, "canceled": 0}
_ORDERS = Orders(
    "FreeSWITCH's call detail records",
    {"the default template": (*_DEFAULT, *_CODECS), "the template without codecs": _DEFAULT},
    {
        "start_stamp": "start",
        "answer_stamp": "answer",
        "end_stamp": "end",
        "effective_caller_id_number": "effective_caller_id_number",
    },
    ("start", "duration", "billsec", "hangup_cause", "uuid"),
    {
        "start": lambda text: bool(_TIME.match(text)),
        "answer": lambda text: not text or bool(_TIME.match(text)),
        "end": lambda text: bool(_TIME.match(text)),
        "duration": str.isdigit,
        "billsec": str.isdigit,
        "hangup_cause": lambda text: bool(_CAUSE.fullmatch(text)),
    },
)
# What a row that is set aside may show.
_IMPERSONAL = (
    *("start", "answer", "end", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid"),
    *("context", *_CODECS, *(name for name in _QUEUE if name != "cc_agent")),
)
_CALLER_LEFT = ("ORIGINATOR_CANCEL", "NORMAL_CLEARING", "NO_ANSWER", "ALLOTTED_TIMEOUT")
_SENT_ON = ("TIMEOUT", "NO_AGENT_TIMEOUT", "EXIT_WITH_KEY")


class FreeswitchCdr(Source):
    """Reader of ``Master.csv`` and of other templates with a header."""

    name: ClassVar[str] = "freeswitch_cdr"
    title: ClassVar[str] = "FreeSWITCH call detail records (CSV), mod_callcenter's included"
    raw_numbers: ClassVar[bool] = True
    endpoints: ClassVar[Mapping[str, Endpoint]] = {"client": "account", "line": "dialled"}
    takes_columns: ClassVar[bool] = True
    cannot_tell: ClassVar[str] = (
        "FreeSWITCH's call records tell neither hold, after-call work nor service; queue, menu and "
        "agent only where mod_callcenter's variables are written."
    )

    def plan(self, path: Path, header: list[str], settings: Settings) -> Plan:  # noqa: ARG002
        """Find out the order of the columns."""
        names, has_header, note = find_order(path, settings, Layout(), _ORDERS)
        layout = Layout(header=has_header)
        return Plan("calls", [f"_{name}" for name in names], layout, (note,) if note else ())

    def open(self, path: Path, settings: Settings) -> Opened:
        """Delimited text, with or without a header."""
        return delimited(path, self.plan(path, [], settings), settings)

    def persons(self, plan: Plan, settings: Settings) -> dict[str, str] | None:
        """All but what is known to say nothing of anybody, if it is what it should be."""
        told = {} if settings.key is None else dict.fromkeys(plan.fields, LETTERS)
        named = {name: "customer" for name in plan.fields if name[1:] not in _IMPERSONAL}
        return {**told, **named}

    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:
        """Legs to calls."""
        import polars as pl

        zone = settings.time_zone or "UTC"
        known = (*_DEFAULT, *_QUEUE)
        rows = rows.with_columns(
            pl.lit("").alias(f"_{name}") for name in known if f"_{name}" not in plan.fields
        ).with_columns(pl.col(f"_{name}").str.strip_chars() for name in known)
        rows = rows.with_columns(
            **{f"_at_{n}": moments(pl.col(f"_{n}")) for n in ("start", "answer", "end")},
            **{f"_n_{n}": number(pl.col(f"_{n}")) for n in ("duration", "billsec")},
            **{f"_cc_{n}": _epoch(pl.col(f"_cc_queue_{n}_epoch")) for n in _EPOCHS},
        ).with_columns(
            **{f"_utc_{n}": to_utc(pl.col(f"_at_{n}"), zone) for n in ("start", "answer", "end")}
        )
        in_queue = pl.col("_cc_joined").is_not_null()
        exact = pl.col("_start").str.contains(r"\d:\d{2}:\d{2}")
        answered = (
            pl.when(in_queue)
            .then(pl.col("_cc_answered").is_not_null())
            .otherwise(pl.col("_answer") != "")
        )
        cause = pl.col("_hangup_cause").str.to_uppercase()
        canceled = pl.col("_cc_cancel_reason").str.to_uppercase().is_in(_SENT_ON)
        outcome = (
            pl.when(answered)
            .then(pl.lit("answered"))
            .when(in_queue & canceled)
            .then(pl.lit("overflowed"))
            .when(in_queue | cause.is_in(_CALLER_LEFT))
            .then(pl.lit("abandoned"))
            .otherwise(pl.lit("blocked"))
        )
        rang = pl.col("_n_duration") - pl.col("_n_billsec")
        left = pl.coalesce("_cc_canceled", "_cc_terminated")
        over = pl.coalesce("_cc_terminated", "_utc_end")
        wait = (
            pl.when(in_queue & answered)
            .then(_seconds(pl.col("_cc_answered") - pl.col("_cc_joined")))
            .when(in_queue)
            .then(_seconds(left - pl.col("_cc_joined")))
            .when(answered)
            .then(rang)
            .when(outcome == "abandoned")
            .then(pl.col("_n_duration"))
        )
        menu = _seconds(pl.col("_cc_joined") - pl.col("_utc_start"))
        agents_leg = pl.col("_cc_side").str.to_lowercase() == "agent"
        return rows.with_columns(
            call_id=_text("_uuid"),
            customer=callers(pl.col("_caller_id_number")),
            client=_text("_accountcode"),
            line=_text("_destination_number"),
            queue=_text("_cc_queue"),
            arrived_at=pl.col("_utc_start"),
            answered_at=pl.when(in_queue)
            .then(pl.col("_cc_answered"))
            .when(exact & answered)
            .then(pl.col("_utc_answer")),
            ended_at=pl.when(in_queue | exact).then(over),
            menu_s=pl.when(in_queue & exact & (menu >= 0)).then(menu),
            wait_s=wait,
            talk_s=pl.when(in_queue & answered)
            .then(_seconds(pl.col("_cc_terminated") - pl.col("_cc_answered")))
            .when(answered)
            .then(pl.col("_n_billsec")),
            outcome=outcome,
            agent=pl.when(answered & in_queue).then(_text("_cc_agent")),
            reasons=listed(
                [
                    flag("the agent's leg of a queue call: the caller's row holds it", agents_leg),
                    *(
                        flag(
                            f"{n} is not a time of the form YYYY-MM-DD HH:MM[:SS]",
                            pl.col(f"_at_{n}").is_null()
                            & ((pl.col(f"_{n}") != "") | (n == "start")),
                        )
                        for n in ("start", "answer", "end")
                    ),
                    *(
                        flag(
                            f"{n} is a time that does not exist: the clocks were put forward",
                            pl.col(f"_at_{n}").is_not_null() & pl.col(f"_utc_{n}").is_null(),
                        )
                        for n in ("start", "answer", "end")
                    ),
                    *(
                        flag(f"{n} is not a number of seconds", pl.col(f"_n_{n}").is_null())
                        for n in ("duration", "billsec")
                    ),
                    *(
                        flag(f"{n} is negative", pl.col(f"_n_{n}") < 0)
                        for n in ("duration", "billsec")
                    ),
                    flag("billsec is longer than duration", rang < 0),
                    *(
                        flag(
                            f"cc_queue_{n}_epoch is not a whole number of seconds",
                            (pl.col(f"_cc_queue_{n}_epoch") != "")
                            & ~pl.col(f"_cc_queue_{n}_epoch").str.contains(r"^[0-9]{1,12}$"),
                        )
                        for n in _EPOCHS
                    ),
                    flag("the hangup cause is missing", cause == ""),
                ]
            ),
            remarks=listed(
                [
                    flag(
                        "times without seconds: arrivals are known to the minute",
                        pl.col("_at_start").is_not_null() & ~exact,
                    ),
                    flag(
                        "answered, but by a person or by the switch: not told",
                        answered & ~in_queue & (pl.col("_bleg_uuid") == ""),
                    ),
                    flag("not connected by the network: counted as blocked", outcome == "blocked"),
                    flag(
                        "joined the queue before the call began: menu unknown",
                        in_queue & (menu < 0),
                    ),
                ]
            ),
        )


def _text(name: str) -> pl.Expr:
    import polars as pl

    return pl.when(pl.col(name) != "").then(pl.col(name))


def _epoch(text: pl.Expr) -> pl.Expr:
    """An epoch second as a moment; 0 means never."""
    import polars as pl

    value = text.str.extract(r"^([0-9]{1,12})$").cast(pl.Int64)
    return pl.from_epoch(pl.when(value > 0).then(value) * 1_000_000, time_unit="us")


def _seconds(duration: pl.Expr) -> pl.Expr:
    return duration.dt.total_microseconds() / 1e6
