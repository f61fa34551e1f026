"""The Anonymous Bank: the telephone centre of an Israeli bank, 1999, call by call.

Collected by the Technion's service engineering group (I. Guedj, A. Mandelbaum). Seventeen columns
separated by tabs, local time. Its quirks, and what becomes of them:

- outcome ``PHANTOM``: no call; rejected with that reason;
- ``HANG`` with a queue time of 0: left in the voice menu; above 0: abandoned;
- ``0:00:00`` with a duration of 0 means "never happened": null;
- a negative ``vru_time``: menu time unknown, remarked; the call keeps its arrival;
- ``NO_SERVER``: agent unknown; customer 0 and priority 0: unknown (callers who did not queue);
- types come with stray blanks; times after midnight belong to the next day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ccanalytics.calllog.reading import Layout
from ccanalytics.calllog.sources.base import (
    Plan,
    Sample,
    Settings,
    Source,
    after_midnight,
    flag,
    listed,
    to_utc,
)
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

__all__ = ["AnonymousBank"]

_HEADER = [
    *("vru+line", "call_id", "customer_id", "priority", "type", "date"),
    *("vru_entry", "vru_exit", "vru_time", "q_start", "q_exit", "q_time"),
    *("outcome", "ser_start", "ser_exit", "ser_time", "server"),
]
_TYPES = ("PS", "PE", "IN", "NE", "NW", "TT", "AA")


class AnonymousBank(Source):
    """Reader of the monthly text files."""

    name: ClassVar[str] = "anonymous_bank"
    title: ClassVar[str] = "Anonymous Bank of the Technion (monthly text files)"
    time_zone: ClassVar[str | None] = "Asia/Jerusalem"

    def layout(self, settings: Settings) -> Layout:  # noqa: ARG002
        """Tabs, no quotation marks, one header line."""
        return Layout(delimiter="\t", quote=None)

    def plan(self, path: Path, header: list[str], settings: Settings) -> Plan:
        """Accept the seventeen known columns and nothing else."""
        if [name.strip() for name in header] != _HEADER:
            raise InputError(
                "the first line is not that of an Anonymous Bank file",
                f"{path}, line 1",
                "choose the source that fits, or write a mapping for --source generic",
            )
        return Plan("calls", _HEADER, self.layout(settings))

    def persons(self, plan: Plan, settings: Settings) -> dict[str, str] | None:  # noqa: ARG002
        """Customers and agents."""
        return {"customer_id": "customer", "server": "agent"}

    def recognises(self, sample: Sample) -> tuple[float, str] | None:
        """By its header."""
        first = sample.lines[0].split("\t") if sample.lines else []
        if [name.strip() for name in first] != _HEADER:
            return None
        return 1.0, "its header is that of the Anonymous Bank"

    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:  # noqa: ARG002
        """Seventeen text fields to the columns of calls."""
        import polars as pl

        zone = settings.time_zone or self.time_zone
        assert zone is not None  # noqa: S101 - for the type checker
        text = pl.col(_HEADER).str.strip_chars()
        day = pl.col("date").str.to_datetime("%y%m%d", strict=False, time_unit="us")
        rows = rows.with_columns(text).with_columns(_day=day)
        rows = rows.with_columns(
            pl.col("vru_time", "q_time", "ser_time").cast(pl.Int64, strict=False).name.prefix("_"),
            *(
                (pl.col("_day") + _clock(name)).alias(f"_{name}")
                for name in ("vru_entry", "vru_exit", "q_exit", "ser_start", "ser_exit")
            ),
        )
        # Moments after the arrival that carry an earlier time of day are the next day's.
        rows = rows.with_columns(
            after_midnight(pl.col(f"_{name}"), pl.col("_vru_entry")).alias(f"_{name}")
            for name in ("vru_exit", "q_exit", "ser_start", "ser_exit")
        )
        outcome = pl.col("outcome")
        queued, served = pl.col("_q_time") > 0, outcome == "AGENT"
        # A service without a time was noted as 0:00:00; the agent's clock cannot be used then.
        timed = served & ~((pl.col("ser_start") == "0:00:00") & (pl.col("_ser_time") == 0))
        released = (
            pl.when(timed)
            .then(pl.col("_ser_exit"))
            .when(queued)
            .then(pl.col("_q_exit"))
            .otherwise(pl.col("_vru_exit"))
        )
        answered = (
            pl.when(timed)
            .then(pl.col("_ser_start"))
            .when(served & queued)
            .then(pl.col("_q_exit"))
            .when(served)
            .then(pl.col("_vru_exit"))
        )
        skipped = "a time that does not exist: the clocks were put forward"
        arrived_utc = to_utc(pl.col("_vru_entry"), zone)
        return rows.with_columns(
            call_id=pl.lit(None, pl.String),
            customer=pl.when(pl.col("customer_id") != "0").then(pl.col("customer_id")),
            line=pl.col("vru+line"),
            line_group=pl.col("vru+line").str.head(4),
            service=pl.when(pl.col("type").is_in(_TYPES)).then(pl.col("type")),
            tier=pl.when(queued & (pl.col("priority") != "")).then(pl.col("priority")),
            arrived_at=arrived_utc,
            answered_at=to_utc(answered, zone),
            ended_at=pl.max_horizontal(arrived_utc, to_utc(released, zone)),
            menu_s=pl.when(pl.col("_vru_time") >= 0).then(pl.col("_vru_time")).cast(pl.Float64),
            wait_s=pl.when(served | queued).then(pl.col("_q_time")).cast(pl.Float64),
            talk_s=pl.when(served).then(pl.col("_ser_time")).cast(pl.Float64),
            agent=pl.when(served & (pl.col("server") != "NO_SERVER")).then(pl.col("server")),
            outcome=pl.when(served)
            .then(pl.lit("answered"))
            .when((outcome == "HANG") & queued)
            .then(pl.lit("abandoned"))
            .when(outcome == "HANG")
            .then(pl.lit("left_menu")),
            reasons=listed(
                [
                    flag("PHANTOM: not a call", outcome == "PHANTOM"),
                    flag("unknown outcome", ~outcome.is_in(["AGENT", "HANG", "PHANTOM"])),
                    flag("unknown type", ~pl.col("type").is_in(_TYPES)),
                    flag("date is not of the form yymmdd", pl.col("_day").is_null()),
                    flag(
                        "vru_entry is not a time of day",
                        pl.col("_day").is_not_null() & pl.col("_vru_entry").is_null(),
                    ),
                    *(
                        flag(f"{name} is not a whole number", pl.col(f"_{name}").is_null())
                        for name in ("vru_time", "q_time", "ser_time")
                    ),
                    flag("negative q_time", pl.col("_q_time") < 0),
                    flag("negative ser_time", pl.col("_ser_time") < 0),
                    flag(skipped, pl.col("_vru_entry").is_not_null() & arrived_utc.is_null()),
                ]
            ),
            remarks=listed(
                [
                    flag("negative menu time: set to unknown", pl.col("_vru_time") < 0),
                    flag(
                        "answered by an agent of no name", served & pl.col("server").eq("NO_SERVER")
                    ),
                    flag("answered without a service time", served & ~timed),
                ]
            ),
        )


def _clock(name: str) -> pl.Expr:
    """A time of day ``H:MM:SS`` as a duration; null where it is none."""
    import polars as pl

    parts = pl.col(name).str.extract_groups(r"^([0-9]{1,2}):([0-5][0-9]):([0-5][0-9])$")
    hours = parts.struct.field("1").cast(pl.Int64)
    return pl.when(hours < 24).then(
        pl.duration(
            hours=hours,
            minutes=parts.struct.field("2").cast(pl.Int64),
            seconds=parts.struct.field("3").cast(pl.Int64),
        )
    )
