"""Asterisk's ``queue_log``: one line an event, ``epoch|uniqueid|queue|member|EVENT|parameters``.

Every line is an event of ``queue_events``; calls and agents' states follow from the events that
the log holds (:mod:`ccanalytics.calllog.sources.queue_events`). Its quirks, and what becomes of
them:

- old logs lack trailing parameters: unknown; a wait or a talk time then follows from the moments;
- RINGNOANSWER and RINGCANCELED count in milliseconds, all else in seconds;
- ``NONE`` (for a call also ``MANAGER``, ``REALTIME``) is no name: null;
- two lines may be the same to the letter (a telephone that refused twice in a second): both are
  events, told apart by their count within their second;
- a line without an end at the end of a file copied while it was written is set aside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from ccanalytics.calllog.sources.base import Plan, Settings, Source, flag, listed
from ccanalytics.calllog.sources.opening import LINES, lines_of, opened, text_of
from ccanalytics.calllog.sources.queue_events import deriving
from ccanalytics.calllog.sources.texts import callers, digests, masked, number
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import duckdb
    import polars as pl

    from ccanalytics.calllog.readers import Opened
    from ccanalytics.calllog.reading import Rows

__all__ = ["AsteriskQueueLog"]

_LEFT = ("ABANDON", "EXITEMPTY", "EXITWITHTIMEOUT")
_DONE = ("COMPLETEAGENT", "COMPLETECALLER")
_MOVED = ("TRANSFER", "BLINDTRANSFER", "ATTENDEDTRANSFER")
_RANG = ("RINGNOANSWER", "RINGCANCELED")
# Which parameter (from 0) of which events fills a column, and by what it is divided.
_PARAMETERS: dict[str, list[tuple[tuple[str, ...], int]]] = {
    "wait_s": [(("CONNECT", *_DONE), 0), ((*_LEFT, *_MOVED), 2), (("EXITWITHKEY",), 3)],
    "talk_s": [(_DONE, 1), (_MOVED, 3)],
    "ring_s": [(_RANG, 0), (("CONNECT",), 2)],
    "position": [(_LEFT, 0), (("EXITWITHKEY",), 1)],
    "original_position": [
        ((*_DONE, "ENTERQUEUE", "EXITWITHKEY"), 2),
        (_LEFT, 1),
        (_MOVED, 4),
    ],
}
_SAID = {"wait_s": "wait", "talk_s": "talk", "ring_s": "ring"}
_KNOWN = (
    *(*_LEFT, *_DONE, *_MOVED, *_RANG, "ENTERQUEUE", "CONNECT", "EXITWITHKEY", "SYSCOMPAT"),
    *("ADDMEMBER", "REMOVEMEMBER", "AGENTLOGIN", "AGENTLOGOFF", "AGENTCALLBACKLOGIN"),
    *("AGENTCALLBACKLOGOFF", "AGENTDUMP", "PAUSE", "PAUSEALL", "UNPAUSE", "UNPAUSEALL"),
    *("CONFIGRELOAD", "QUEUESTART", "PENALTY", "DID", "INFO"),
)
_PAUSES = ("PAUSE", "PAUSEALL", "UNPAUSE", "UNPAUSEALL")
# What the info of an event may be to be kept beside pseudonyms.
_NAMELESS = {
    ("EXITWITHKEY",): r"^[0-9*#A-D]$",
    ("CONNECT",): r"^[0-9]{9,11}\.[0-9]+$",
    ("ADDMEMBER",): r"^PAUSED$",
    ("PENALTY",): r"^[0-9]{1,6}$",
    # A number that was dialled, and the dial plan's part.
    _MOVED: r"^[0-9*#]{1,6}(\|[A-Za-z0-9_-]*)?$",
}


class AsteriskQueueLog(Source):
    """Reader of ``/var/log/asterisk/queue_log`` and its rotated parts."""

    name: ClassVar[str] = "asterisk_queue_log"
    title: ClassVar[str] = "Asterisk queue_log (events, from which calls follow)"
    local_times: ClassVar[bool] = False
    raw_numbers: ClassVar[bool] = True
    cannot_tell: ClassVar[str] = (
        "A queue_log tells neither time in a menu before the queue, nor hold, after-call work, "
        "service, nor callers who never reached a queue."
    )

    def plan(self, path: Path, header: list[str], settings: Settings) -> Plan:  # noqa: ARG002
        """One field: the line, whose parts vary in number."""
        return Plan("queue_events", ["text"], LINES)

    def open(self, path: Path, settings: Settings) -> Opened:
        """Lines, numbered within their second."""
        text = text_of(path, settings)
        rows = _numbered(lines_of(text), path)
        return opened(self.plan(path, [], settings), text, rows)

    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:  # noqa: ARG002
        """Lines to events."""
        import polars as pl

        rows = rows.with_columns(_parts=pl.col("text").str.split("|"))
        part = pl.col("_parts").list
        rows = rows.with_columns(
            part.get(4, null_on_oob=True).alias("event"),
            _params=part.slice(5),
            _epoch=part.get(0).str.extract(r"^(-?[0-9]{1,12})$").cast(pl.Int64),
            call_id=_name(part.get(1, null_on_oob=True), "NONE", "MANAGER", "REALTIME"),
            queue=_name(part.get(2, null_on_oob=True), "NONE"),
            agent=_name(part.get(3, null_on_oob=True), "NONE"),
            info=part.slice(5).list.join("|"),
        )
        event = pl.col("event")
        # LINK leads to two channels (Asterisk 12 and later), where BRIDGE and APP name one thing.
        linked = (event == "ATTENDEDTRANSFER") & (part.get(5, null_on_oob=True) == "LINK")
        after = pl.when(linked).then(1).otherwise(0)
        rows = rows.with_columns(
            pl.col("_params")
            .list.get(i if i < 2 else i + after, null_on_oob=True)
            .str.strip_chars()
            .alias(f"_p{i}")
            for i in range(5)
        )
        given = {name: _given(choices) for name, choices in _PARAMETERS.items()}
        rows = rows.with_columns(
            *(value.alias(f"_text_{name}") for name, value in given.items())
        ).with_columns(number(pl.col(f"_text_{name}")).alias(name) for name in given)
        rows = rows.with_columns(
            pl.when(event.is_in(_RANG))
            .then(pl.col("ring_s") / 1000)
            .otherwise(pl.col("ring_s"))
            .alias("ring_s"),
            *(_whole(name).alias(name) for name in ("position", "original_position")),
            at=pl.from_epoch(pl.col("_epoch") * 1_000_000, time_unit="us"),
            place=pl.col("_place"),
            # A plain digest of a line would give its agent away to whoever tries them all.
            event_id=digests(rows, "_told")
            if settings.key is None
            else settings.key.pseudonyms_of("event", rows["_told"]),
            customer=pl.when(event == "ENTERQUEUE").then(callers(pl.col("_p1"))),
            info=_info() if settings.key is None else _impersonal(_info()),
        )
        open_end = pl.col("_open") & ~event.is_in(_KNOWN)
        return rows.with_columns(
            reasons=listed(
                [
                    flag("fewer than five fields", pl.col("_parts").list.len() < 5),
                    flag(
                        "the time is not a whole number of seconds since 1970",
                        pl.col("_epoch").is_null(),
                    ),
                    flag(
                        "the event is not a word in capitals",
                        ~event.str.contains(r"^[A-Z][A-Z0-9_]{0,39}$"),
                    ),
                    flag("an unknown event in a line that is cut off", open_end),
                    *(
                        flag(
                            f"{_SAID.get(name, name).replace('_', ' ')} is not a number",
                            (pl.col(f"_text_{name}") != "") & pl.col(name).is_null(),
                        )
                        for name in given
                    ),
                ]
            ),
            remarks=listed(
                [
                    flag("an event that Asterisk itself does not write", ~event.is_in(_KNOWN)),
                    flag(
                        "a wait that the line lacks (follows from the moments)",
                        event.is_in(["CONNECT", *_LEFT, "EXITWITHKEY"])
                        & pl.col("wait_s").is_null(),
                    ),
                ]
            ),
        )

    def taking_over(
        self, connection: duckdb.DuckDBPyConnection, staged: Path
    ) -> AbstractContextManager[dict[str, int]]:
        """Calls and agents' states are made anew from all events of those they concern."""
        return deriving(connection, staged)


def _name(text: pl.Expr, *none: str) -> pl.Expr:
    import polars as pl

    tidy = text.str.strip_chars()
    return pl.when(~tidy.is_in(["", *none])).then(tidy)


def _given(choices: list[tuple[tuple[str, ...], int]]) -> pl.Expr:
    """The text of the parameter that the event has for this column."""
    import polars as pl

    return pl.coalesce(
        pl.when(pl.col("event").is_in(events)).then(pl.col(f"_p{at}")) for events, at in choices
    )


def _whole(name: str) -> pl.Expr:
    import polars as pl

    value = pl.col(name)
    return pl.when(value.is_between(0, 1e9) & (value == value.floor())).then(value).cast(pl.Int64)


def _info() -> pl.Expr:
    """Parameters that have no column of their own, with numbers masked that could be a caller's."""
    import polars as pl

    event, url = pl.col("event"), pl.col("_p0")
    told = (
        pl.when(event.is_in([*_LEFT, *_DONE, *_RANG]))
        .then(pl.lit(None, pl.String))
        .when(event.is_in(["ENTERQUEUE", "EXITWITHKEY"]))
        .then(masked(url))
        .when((event == "CONNECT") & pl.col("_p1").str.contains(r"^[0-9]{9,11}\.[0-9]+$"))
        .then(pl.col("_p1"))
        .when(event == "CONNECT")
        .then(masked(pl.col("_p1")))
        .when(event.is_in(_MOVED))
        .then(masked(pl.concat_str(["_p0", "_p1"], separator="|", ignore_nulls=True)))
        .otherwise(masked(pl.col("info").str.strip_chars_end("|")))
    )
    return pl.when(told != "").then(told)


def _impersonal(info: pl.Expr) -> pl.Expr:
    """Of that, what names nobody: keys pressed, calls, reasons of pauses; no channel or address."""
    import polars as pl

    kept = pl.lit(value=False)
    for events, form in _NAMELESS.items():
        kept = kept | (pl.col("event").is_in(events) & info.str.contains(form))
    # Of a pause's reason, which anyone may type, the word that tells the state, or its code.
    reason = info.str.extract(r"((?i:lunch|break|meeting|training)|^[0-9]{1,4}$)")
    return pl.when(pl.col("event").is_in(_PAUSES)).then(reason).when(kept).then(info)


def _numbered(blocks: Iterator[Rows], path: Path) -> Iterator[Rows]:
    """Lines with their place within their second, and what tells an event from any other.

    ``_told`` leaves the caller's number out, so that no digest of it gets into the log.
    """
    import polars as pl

    # Of the last second of the block before: its text, how many lines, how often each was told.
    second, carried = "", 0
    told_before: dict[str, int] = {}
    first = True
    for rows in blocks:
        good = rows.good
        if first and good.height and not good["text"].head(50).str.contains(r"^-?[0-9]+\|").any():
            raise InputError(
                "this is not a queue_log of Asterisk",
                f"{path}, line {good['_line'][0]}",
                "its lines have the form epoch|uniqueid|queue|member|EVENT|parameters",
            )
        first = first and not good.height
        parts = pl.col("text").str.splitn("|", 6)
        good = good.with_columns(
            _epoch_text=parts.struct.field("field_0"),
            _head=pl.concat_str(
                [parts.struct.field(f"field_{i}") for i in range(5)],
                separator="|",
                ignore_nulls=True,
            ),
            _told=pl.when(parts.struct.field("field_4") != "ENTERQUEUE").then(
                masked(pl.col("text"), after=r"^[^|]*\|[^|]*\|")
            ),
        ).with_columns(pl.col("_told").fill_null(pl.col("_head")))
        good = good.with_columns(_run=pl.col("_epoch_text").rle_id())
        same = (pl.col("_run") == 0) & (pl.col("_epoch_text") == second)
        before = pl.when(same).then(
            pl.col("_told").replace_strict(told_before, default=0, return_dtype=pl.Int64)
            if told_before
            else 0
        )
        good = good.with_columns(
            _place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("_run")
            + pl.when(same).then(carried).otherwise(0),
            _nth=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("_run", "_told")
            + before.fill_null(0),
            _open=(pl.col("_line") == rows.open_line) if rows.open_line else pl.lit(value=False),
        )
        if good.height:
            last = good.filter(pl.col("_run") == good["_run"][-1])
            more = last["_epoch_text"][0] == second and last["_run"][0] == 0
            second, carried = last["_epoch_text"][0], last["_place"].to_list()[-1]
            counts = dict(last.group_by("_told").agg(pl.col("_nth").max()).iter_rows())
            told_before = {**(told_before if more else {}), **counts}
        good = good.with_columns(_told=pl.concat_str("_told", pl.col("_nth").cast(pl.String)))
        yield replace(rows, good=good)
