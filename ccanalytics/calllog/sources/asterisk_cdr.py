"""Asterisk's call detail records: ``Master.csv`` of cdr_csv and of cdr_custom.

A record is one leg of a call. The order of the columns is a matter of configuration: it is given
(``columns``), or told from the content. Quirks, and what becomes of them:

- a call that a menu or a recording answered is ANSWERED too: it counts as answered by an agent only
  where another channel was reached; else it was left in the menu (in ``Queue``: abandoned);
- only ``Dial`` tells wait and talk: elsewhere the clock runs from the switch's own answer;
- one uniqueid may have several records: with ``sequence`` each has a name of its own, without it a
  digest of its row;
- times are local, unless the switch was told to write UTC (then load with ``--time-zone UTC``);
  where they and the epoch in uniqueid disagree, it is remarked.
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

__all__ = ["AsteriskCdr"]

_DISPOSITIONS = {
    "ANSWERED": "answered",
    "NO ANSWER": "abandoned",
    "BUSY": "blocked",
    "CONGESTION": "blocked",
    "FAILED": "blocked",
}
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_CSV = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
    *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
)
_CUSTOM = (
    *("clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start"),
    *("answer", "end", "duration", "billsec", "disposition", "amaflags", "accountcode"),
    *("uniqueid", "userfield"),
)
_ORDERS = Orders(
    "Asterisk's call detail records",
    {
        "cdr_csv": _CSV,
        "cdr_csv with uniqueid": (*_CSV, "uniqueid"),
        "cdr_csv with uniqueid and userfield": (*_CSV, "uniqueid", "userfield"),
        "cdr_custom": _CUSTOM,
        "cdr_custom with sequence": (*_CUSTOM, "sequence"),
    },
    {"calldate": "start", "start_time": "start", "end_time": "end", "linkedid": "linkedid"},
    ("src", "start", "duration", "billsec", "disposition"),
    {
        "start": lambda text: bool(_TIME.match(text)),
        "end": lambda text: bool(_TIME.match(text)),
        "answer": lambda text: not text or bool(_TIME.match(text)),
        "duration": str.isdigit,
        "billsec": str.isdigit,
        "disposition": lambda text: text.upper() in _DISPOSITIONS,
    },
)
# What a row that is set aside may show.
_IMPERSONAL = (
    *("start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
    *("dcontext", "lastapp", "uniqueid", "linkedid", "sequence"),
)
_QUARTER_S = 900


class AsteriskCdr(Source):
    """Reader of ``Master.csv``."""

    name: ClassVar[str] = "asterisk_cdr"
    title: ClassVar[str] = "Asterisk call detail records (Master.csv)"
    raw_numbers: ClassVar[bool] = True
    endpoints: ClassVar[Mapping[str, Endpoint]] = {"client": "account", "line": "channel"}
    takes_columns: ClassVar[bool] = True
    cannot_tell: ClassVar[str] = (
        "Asterisk's call records tell neither time in a menu, nor hold, after-call work or "
        "service; wait and talk only of calls that Dial connected."
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
        known = {*_CSV, *_CUSTOM, "sequence"}
        rows = rows.with_columns(
            pl.lit("").alias(f"_{name}") for name in known if f"_{name}" not in plan.fields
        ).with_columns(pl.col(f"_{name}").str.strip_chars() for name in known)
        rows = rows.with_columns(
            **{f"_at_{n}": moments(pl.col(f"_{n}")) for n in ("start", "answer", "end")},
            **{f"_n_{n}": number(pl.col(f"_{n}")) for n in ("duration", "billsec")},
            _app=pl.col("_lastapp").str.to_lowercase(),
            _code=pl.col("_disposition").str.to_uppercase(),
        )
        rows = rows.with_columns(
            **{f"_utc_{n}": to_utc(pl.col(f"_at_{n}"), zone) for n in ("start", "answer", "end")}
        )
        dialled, queued = pl.col("_app") == "dial", pl.col("_app") == "queue"
        reached = pl.col("_dstchannel") != ""
        plain = pl.col("_code").replace_strict(_DISPOSITIONS, default=None, return_dtype=pl.String)
        answered = plain == "answered"
        outcome = (
            pl.when(answered & ~reached & queued)
            .then(pl.lit("abandoned"))
            .when(answered & ~reached)
            .then(pl.lit("left_menu"))
            .otherwise(plain)
        )
        timed = answered & reached & dialled
        rang = pl.col("_n_duration") - pl.col("_n_billsec")
        # The epoch in uniqueid is when the channel was made: beside it the clock shows its zone.
        made = pl.col("_uniqueid").str.extract(r"(?:^|-)([0-9]{9,11})\.[0-9]+$").cast(pl.Int64)
        apart = (pl.col("_utc_start").dt.epoch("s") - made).abs()
        skipped = [
            flag(
                f"{n} is a time that does not exist: the clocks were put forward",
                pl.col(f"_at_{n}").is_not_null() & pl.col(f"_utc_{n}").is_null(),
            )
            for n in ("start", "answer", "end")
        ]
        return rows.with_columns(
            call_id=pl.when((pl.col("_uniqueid") != "") & (pl.col("_sequence") != "")).then(
                pl.concat_str("_uniqueid", pl.lit("#"), "_sequence")
            ),
            customer=callers(pl.col("_src")),
            client=_text("_accountcode"),
            line=_channel("_channel"),
            queue=pl.when(queued).then(
                pl.col("_lastdata").str.extract(r"^([^,|]+)").str.strip_chars()
            ),
            arrived_at=pl.col("_utc_start"),
            answered_at=pl.when(timed).then(pl.col("_utc_answer")),
            ended_at=pl.col("_utc_end"),
            wait_s=pl.when(timed).then(rang).when(plain == "abandoned").then(pl.col("_n_duration")),
            talk_s=pl.when(timed).then(pl.col("_n_billsec")),
            outcome=outcome,
            agent=pl.when(answered & reached).then(_channel("_dstchannel")),
            reasons=listed(
                [
                    *(
                        flag(f"{n} is not a time of the form YYYY-MM-DD HH:MM:SS", _unread(n))
                        for n in ("start", "answer", "end")
                    ),
                    *skipped,
                    *(
                        flag(f"{n} is not a number of seconds", pl.col(f"_n_{n}").is_null())
                        for n in ("duration", "billsec")
                    ),
                    *(
                        flag(f"{n} is negative", pl.col(f"_n_{n}") < 0)
                        for n in ("duration", "billsec")
                    ),
                    flag(
                        "billsec is longer than duration",
                        pl.col("_n_billsec") > pl.col("_n_duration"),
                    ),
                    flag(
                        "disposition is none that Asterisk writes",
                        plain.is_null(),
                    ),
                ]
            ),
            remarks=listed(
                [
                    flag(
                        "answered by the switch itself: counted as left in the menu",
                        outcome == "left_menu",
                    ),
                    flag(
                        "answered in a queue without an agent: counted as abandoned, wait unknown",
                        answered & ~reached & queued,
                    ),
                    flag(
                        "connected by another application than Dial: wait and talk unknown",
                        answered & reached & ~dialled,
                    ),
                    flag("FAILED: counted as blocked", pl.col("_code") == "FAILED"),
                    flag(
                        "the start and the epoch in uniqueid are hours apart: is the time zone "
                        "right?",
                        apart >= _QUARTER_S,
                    ),
                ]
            ),
        )


def _text(name: str) -> pl.Expr:
    import polars as pl

    return pl.when(pl.col(name) != "").then(pl.col(name))


def _channel(name: str) -> pl.Expr:
    """A channel without the number that makes each use of it unique."""
    import polars as pl

    bare = pl.col(name).str.replace(r"-[0-9a-fA-F]{6,}(;\d)?$", "")
    return pl.when(bare != "").then(bare)


def _unread(name: str) -> pl.Expr:
    import polars as pl

    missing = pl.col(f"_at_{name}").is_null()
    return missing if name == "start" else missing & (pl.col(f"_{name}") != "")
