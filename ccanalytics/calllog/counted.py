"""Questions to what a switch counted itself, where its export tells no single call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.file import LogFile
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import polars as pl

    from ccanalytics.calllog.engine import Engine
    from ccanalytics.calllog.timegrid import Every

__all__ = ["CountedLog"]


class CountedLog(LogFile):
    """A log that may hold counts of intervals beside calls, or instead of them."""

    def interval_counts(
        self,
        every: str | None = None,
        by: str | Iterable[str] = ("queue",),
        *,
        start: date | str | None = None,
        end: date | str | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """What the switch itself counted (Genesys Cloud aggregates, Avaya hsplit), added up.

        Unlike :meth:`CallLog.intervals`, intervals of which nothing was told are not there, and
        there are neither percentiles nor exact busy seconds nor counts within any threshold but
        the switch's own: they cannot be told without single calls.

        Parameters
        ----------
        every
            Length, as for :meth:`CallLog.intervals`; default: as they were counted.
        by
            ``queue``, ``media``, both, or none.
        start, end
            Local days, ``end`` excluded.
        where
            Column (``queue``, ``media``) → value or list of values.

        Returns
        -------
        polars.DataFrame
            ``interval_start`` (aware UTC), ``local_start``, ``utc_offset_s``, ``interval_s``, the
            keys, the columns of the table ``interval_counts`` (null where any of the rows added up
            does not tell it; ``within_s`` where all have the same), ``asa_s``, ``aht_s``, and
            ``counted_intervals``: how many rows were added up.
        """
        from ccanalytics.calllog.rollups.counted import COUNTED_KEYS, counted_intervals, told_of
        from ccanalytics.calllog.rollups.scope import Scope, check_keys, check_where, span_of
        from ccanalytics.calllog.timegrid import Every

        keys = check_keys(by, "by", COUNTED_KEYS)
        chosen = check_where(where, COUNTED_KEYS)
        with self._engine() as engine:
            told = told_of(engine)
            if not told:
                raise DataError(
                    "the log holds no counts of intervals",
                    engine.place,
                    "load such an export first (genesys_aggregates, avaya_hsplit)",
                )
            first, last, zone = told["first"], told["last"], engine.time_zone
            span = span_of((first, last), zone, start, end, "counts")
            scope = Scope(engine, zone, span, chosen, first, last)
            length = Every.parse(every) if every is not None else _own_length(engine)
            return counted_intervals(scope, scope.fitted(length), keys, told)

    def _counted_only(self) -> bool:
        """Whether the log holds counts of intervals, and no calls."""
        with self._engine() as engine:
            return engine.holds("interval_counts") and not engine.holds("calls")

    def _counted_demand(
        self,
        every: str,
        by: str | Iterable[str],
        calls: str,
        start: date | str | None,
        end: date | str | None,
        where: Mapping[str, Any] | None,
    ) -> pl.DataFrame:
        """Demand as :meth:`CallLog.demand` gives it, from counts of intervals."""
        import polars as pl

        from ccanalytics.calllog.rollups.counted import COUNTED_KEYS
        from ccanalytics.calllog.rollups.scope import check_keys

        if calls != "offered":
            raise DataError(
                "counts of intervals tell the offered contacts alone", f"calls={calls!r}"
            )
        keys = check_keys(by, "by", COUNTED_KEYS)
        self._check_one_media(keys, where)
        frame = self.interval_counts(every, keys, start=start, end=end, where=where)
        if frame["offered"].null_count():
            raise DataError(
                "the export does not tell how many contacts were offered",
                f"{frame['offered'].null_count()} of {frame.height} intervals",
                "export nOffered (Genesys Cloud) or callsoffered (Avaya) too",
            )
        handled = pl.when(pl.col("aht_s").is_not_null()).then(pl.coalesce("handled", "answered"))
        total = pl.when(pl.col("aht_s").is_not_null()).then(pl.col("handle_s")).sum()
        overall = pl.when(handled.sum() > 0).then(total / handled.sum())
        own = pl.when(pl.col("aht_s") > 0).then(pl.col("aht_s"))
        return frame.select(
            "interval_start",
            "local_start",
            "utc_offset_s",
            "interval_s",
            *keys,
            pl.col("offered").cast(pl.Float64).alias("calls"),
            own.fill_null(overall.over(keys) if keys else overall).alias("aht_s"),
            pl.lit(None, pl.Int64).alias("over_a_day"),
        )

    def _check_one_media(self, keys: list[str], where: Mapping[str, Any] | None) -> None:
        """Chats and calls have no common handle time: one must be chosen, or each told apart."""
        if "media" in keys or (where and "media" in where):
            return
        with self._engine() as engine:
            found = _values(engine, "media")
        if len(found) > 1:
            raise DataError(
                "the counts are of several media",
                ", ".join(map(str, found)),
                'choose one with where={"media": "voice"}, or group by media',
            )


def _values(engine: Engine, column: str) -> list[Any]:
    """The values of a column of the counts, in order."""
    from ccanalytics.calllog.rollups.scope import collect

    rows = engine.table("interval_counts").group_by(column).agg(nw.len().alias("_n"))
    return collect(rows)[column].sort().to_list()


def _own_length(engine: Engine) -> Every:
    """The length in which the switch counted, if it is one."""
    from ccanalytics.calllog.timegrid import Every

    lengths = _values(engine, "interval_s")
    if len(lengths) == 1 and lengths[0] % 60 == 0:
        return Every.parse("1d" if lengths[0] == 86400 else f"{lengths[0] / 60:.0f}min")
    raise DataError(
        "the counts are of intervals of several lengths",
        ", ".join(f"{seconds:g} s" for seconds in lengths[:5]),
        "say how long the intervals should be, such as every='1h'",
    )
