"""Amazon Connect's contact records (CTR): JSON, one a line, or one array; plain or gzipped.

A contact is delivered at least once, and again whenever it changes: of several records of one
ContactId that with the latest LastUpdateTimestamp is the contact, within a file and across loads.
An older one is a duplicate; a later one takes the place of that in the log, and is remarked.
Its quirks, and what becomes of them:

- abandoned is a contact that was queued and never reached an agent;
- one that was never queued was left in the menu: whether the menu served it is not told;
- chats, tasks and e-mails are no calls, nor are outbound contacts: set aside, with that reason;
- AgentInteractionDuration has no hold in it; hold and after-call work stand beside it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from ccanalytics.calllog.masking import masked_whole
from ccanalytics.calllog.reading import Layout
from ccanalytics.calllog.sources.base import Plan, Settings, Source, flag, listed
from ccanalytics.calllog.sources.json_records import Odd, inside, json_rows, parsed
from ccanalytics.calllog.sources.opening import opened, text_of
from ccanalytics.calllog.sources.texts import callers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import duckdb
    import polars as pl

    from ccanalytics.calllog.pseudonyms import Endpoint
    from ccanalytics.calllog.readers import Opened

__all__ = ["AmazonConnect"]

_TEXTS = {
    "call_id": ("ContactId",),
    "parent_call_id": ("PreviousContactId",),
    "customer": ("CustomerEndpoint", "Address"),
    "line": ("SystemEndpoint", "Address"),
    "queue": ("Queue", "Name"),
    "agent": ("Agent", "Username"),
    "_channel": ("Channel",),
    "_method": ("InitiationMethod",),
    "_reason": ("DisconnectReason",),
}
_TIMES = {
    "arrived_at": ("InitiationTimestamp",),
    "ended_at": ("DisconnectTimestamp",),
    "updated_at": ("LastUpdateTimestamp",),
    "answered_at": ("Agent", "ConnectedToAgentTimestamp"),
    "_queued_at": ("Queue", "EnqueueTimestamp"),
    "_left_at": ("Queue", "DequeueTimestamp"),
    "_moved_at": ("TransferCompletedTimestamp",),
}
_NUMBERS = {
    "wait_s": ("Queue", "Duration"),
    "talk_s": ("Agent", "AgentInteractionDuration"),
    "hold_s": ("Agent", "CustomerHoldDuration"),
    "wrap_s": ("Agent", "AfterContactWorkDuration"),
}
_LONGEST_TEXT = 1000
_CHANNELS = ("VOICE", "CHAT", "TASK", "EMAIL")
_OUTBOUND = ("OUTBOUND", "EXTERNAL_OUTBOUND", "MONITOR")
_ISO = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$"


class AmazonConnect(Source):
    """Reader of contact records."""

    name: ClassVar[str] = "amazon_connect"
    title: ClassVar[str] = "Amazon Connect contact records (JSON, one a line or an array)"
    local_times: ClassVar[bool] = False
    raw_numbers: ClassVar[bool] = True
    endpoints: ClassVar[Mapping[str, Endpoint]] = {"line": "dialled"}
    newest: ClassVar[str | None] = "updated_at"
    cannot_tell: ClassVar[str] = (
        "Amazon Connect's contact records tell neither service nor whether a menu served its "
        "caller; calls refused for want of lines are not in them."
    )

    def plan(self, path: Path, header: list[str], settings: Settings) -> Plan:  # noqa: ARG002
        """One field: the record."""
        return Plan("calls", ["text"], Layout(header=False))

    def open(self, path: Path, settings: Settings) -> Opened:
        """Records of lines or of an array."""
        text = text_of(path, settings)
        rows = json_rows(text)
        return opened(self.plan(path, [], settings), text, rows)

    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:  # noqa: ARG002
        """Records to calls."""
        import polars as pl

        read = [_record(text) for text in rows["text"]]
        schema: dict[str, Any] = {
            **dict.fromkeys([*_TEXTS, *_TIMES], pl.String),
            **dict.fromkeys(_NUMBERS, pl.Float64),
            "_wrong": pl.List(pl.String),
        }
        frame = pl.concat(
            [rows.select("_line", "_raw"), pl.DataFrame(read, schema=schema, orient="row")],
            how="horizontal",
        ).with_columns(_moment(name).alias(f"_t_{name}") for name in _TIMES)
        unread = [
            pl.when(pl.col(name).is_not_null() & pl.col(f"_t_{name}").is_null()).then(
                pl.lit(f"{path[-1]} is not an ISO 8601 timestamp with Z or an offset")
            )
            for name, path in _TIMES.items()
        ]
        # Of a record that cannot be read, what is missing from it says nothing.
        whole = (pl.col("_wrong").list.len() == 0) & ~pl.any_horizontal(
            one.is_not_null() for one in unread
        )
        frame = frame.with_columns(
            *(one.alias(f"_unread_{number}") for number, one in enumerate(unread)), _whole=whole
        ).with_columns(pl.col(f"_t_{name}").alias(name) for name in _TIMES)
        connected, queued = pl.col("answered_at").is_not_null(), pl.col("_queued_at").is_not_null()
        channel, method = pl.col("_channel"), pl.col("_method")
        menu = _seconds("_queued_at", "arrived_at")
        outcome = (
            pl.when(connected)
            .then(pl.lit("answered"))
            .when(queued)
            .then(pl.lit("abandoned"))
            .otherwise(pl.lit("left_menu"))
        )
        readable = pl.col("_whole")
        reasons = listed(
            [
                pl.col("_wrong"),
                *(pl.col(f"_unread_{number}") for number in range(len(unread))),
                pl.when(readable & (channel != "VOICE")).then(
                    pl.format("not a call: its channel is {}", _known_channel(settings))
                ),
                flag("Channel is missing", readable & channel.is_null()),
                flag("ContactId is missing", readable & pl.col("call_id").is_null()),
                pl.when(readable & method.is_in(_OUTBOUND)).then(
                    pl.format("no call that came in: InitiationMethod is {}", method)
                ),
                flag(
                    "the contact has not ended: it has no DisconnectTimestamp",
                    readable & ~connected & pl.col("ended_at").is_null(),
                ),
            ]
        )
        return frame.with_columns(
            customer=callers(pl.col("customer")),
            outcome=outcome,
            menu_s=pl.when(queued & (menu >= 0)).then(menu),
            wait_s=pl.when(queued).then(
                pl.coalesce(
                    "wait_s",
                    pl.when(pl.col("_left_at").is_not_null()).then(
                        _seconds("_left_at", "_queued_at")
                    ),
                )
            ),
            talk_s=pl.when(connected).then(pl.col("talk_s")),
            hold_s=pl.when(connected).then(pl.col("hold_s")),
            wrap_s=pl.when(connected).then(pl.col("wrap_s")),
            agent=pl.when(connected).then(pl.col("agent")),
            transfer=pl.when(connected & pl.col("_moved_at").is_not_null())
            .then(pl.lit("other"))
            .when(connected)
            .then(pl.lit("none")),
            ended_by=pl.col("_reason").replace_strict(
                {"CUSTOMER_DISCONNECT": "caller", "AGENT_DISCONNECT": "agent"},
                default=pl.when(pl.col("_reason").is_not_null()).then(pl.lit("system")),
                return_dtype=pl.String,
            ),
            reasons=reasons,
            remarks=listed(
                [
                    flag("never queued: counted as left in the menu", outcome == "left_menu"),
                    flag("queued before it was begun: menu time unknown", queued & (menu < 0)),
                    flag(
                        "no LastUpdateTimestamp: a later delivery cannot replace it",
                        pl.col("updated_at").is_null(),
                    ),
                ]
            ),
        )

    @contextmanager
    def taking_over(
        self, connection: duckdb.DuckDBPyConnection, staged: Path
    ) -> Iterator[dict[str, int]]:
        """Count what later deliveries replace, and how many records were older ones."""
        replaced, within = connection.execute(
            "SELECT (SELECT count(*) FROM calls AS t WHERE EXISTS (SELECT 1 FROM read_parquet(?) "
            "AS s WHERE s.call_id = t.call_id AND s.updated_at > t.updated_at)), "
            "(SELECT count(*) - count(DISTINCT call_id) FROM read_parquet(?))",
            [str(staged), str(staged)],
        ).fetchall()[0]
        remarks: dict[str, int] = {}
        if replaced:
            remarks["a later delivery of a contact in the log: took its place"] = int(replaced)
        if within:
            remarks["delivered more than once in the file: the latest was taken"] = int(within)
        yield remarks


def _record(text: str) -> tuple[Any, ...]:
    """The fields of a record, in the order of the schema, and what is wrong with it."""
    value, why = parsed(text)
    width = len(_TEXTS) + len(_TIMES) + len(_NUMBERS)
    if why or not isinstance(value, dict):
        odd = f"holds {value.what}" if isinstance(value, Odd) else "is no object"
        return (*[None] * width, [why or f"the record {odd}"])
    wrong: list[str] = []
    fields: list[Any] = []
    for path in (*_TEXTS.values(), *_TIMES.values()):
        found = inside(value, *path)
        if found is not None and not isinstance(found, str):
            wrong.append(f"{path[-1]} is {_said(found)} where text is expected")
            found = None
        elif found is not None and len(found) > _LONGEST_TEXT:
            wrong.append(f"{path[-1]} is longer than {_LONGEST_TEXT} characters")
            found = None
        fields.append((found.strip() or None) if found else None)
    for path in _NUMBERS.values():
        found = inside(value, *path)
        if found is not None and (isinstance(found, bool) or not isinstance(found, (int, float))):
            wrong.append(f"{path[-1]} is {_said(found)} where a number is expected")
            found = None
        fields.append(float(found) if found is not None else None)
    return (*fields, wrong)


def _said(value: Any) -> str:
    if isinstance(value, Odd):
        return value.what
    return {str: "text", bool: "true or false", dict: "an object", list: "a list"}.get(
        type(value), "a number"
    )


def _moment(name: str) -> pl.Expr:
    import polars as pl

    text = pl.col(name)
    tidy = pl.when(text.str.contains(_ISO)).then(text.str.replace(r"Z$", "+00:00"))
    return tidy.str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us", time_zone="UTC"
    ).dt.replace_time_zone(None)


def _known_channel(settings: Settings) -> pl.Expr:
    """The channel as a reason shows it: with a key, one that Amazon does not know is masked."""
    import polars as pl

    channel = pl.col("_channel").str.slice(0, 20)
    if settings.key is None:
        return channel
    return pl.when(channel.is_in(_CHANNELS)).then(channel).otherwise(masked_whole(channel))


def _seconds(late: str, early: str) -> pl.Expr:
    import polars as pl

    return (pl.col(late) - pl.col(early)).dt.total_microseconds() / 1e6
