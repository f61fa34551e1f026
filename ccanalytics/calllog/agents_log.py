"""Questions about the work of single agents, as ``CallLog`` answers them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.file import one_state
from ccanalytics.calllog.scoped import ScopedLog
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

__all__ = ["AgentsLog", "nobody_known"]

Day = date | str


class AgentsLog(ScopedLog):
    """The part of ``CallLog`` that asks how single agents handle calls, and who they are."""

    @one_state
    def agent_handling(
        self,
        every: str = "1w",
        by: str | Iterable[str] = ("service",),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Answered calls by agent, interval and keys: counts, and sums of handle time.

        A call is timed if its handle time is known, 1 s or more, and no more than a day. All
        others are counted by the reason for which they are not; those whose agent is unknown stand
        in rows of their own.

        Parameters
        ----------
        every
            Length of an interval: ``1d``, ``1w``, ``1mo``, or shorter.
        by
            Key columns of calls, beside the agent: what makes calls alike.
        start, end, where
            As :meth:`intervals` takes them.

        Returns
        -------
        polars.DataFrame
            ``interval_start`` (aware UTC), ``local_start``, ``utc_offset_s``, ``interval_s``,
            ``agent``, keys…, ``timed_calls``; of these ``second_line`` (sent there; null where
            the log never says), ``timed_s`` and ``timed_ss`` (sums of seconds and of squares),
            ``timed_logs`` and ``timed_logs2`` (of natural logs of seconds); of the others
            ``untimed``, ``negative_times``, ``zero_times`` (below 1 s), ``over_a_day``. It is what
            :func:`ccanalytics.handletime.learning_curve` and
            :func:`ccanalytics.handletime.agents` take.

        Raises
        ------
        DataError
            The log does not know who took the calls.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.agent_handling import agent_handling
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every

        keys, length = check_keys(by, "by"), Every.parse(every)
        filled = self.columns_filled("calls")
        if "agent" not in filled:
            raise nobody_known()
        with self._scope(start, end, where) as scope:
            frame = agent_handling(scope, scope.fitted(length), keys)
        if "transfer" not in filled:
            frame = frame.with_columns(second_line=pl.lit(None, pl.Int64))
        return frame

    @one_state
    def agents(
        self,
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Everyone whom the table of agents or the calls know, and from when to when they worked.

        Returns
        -------
        polars.DataFrame
            ``agent``, ``hired_on``, ``left_on``, ``site``, ``employer``, ``team``, ``cohort`` (null
            where not known), ``listed`` (stands in the table of agents), ``answered`` (calls in
            the span), ``first_on`` and ``last_on`` (local days of the first and last of them),
            ``seen_from`` and ``seen_until`` (first and last day of the span, the same in all
            rows). Who has no ``hired_on`` has no tenure: models name and leave out such agents.

        Raises
        ------
        DataError
            The log knows agents neither from calls nor from a table.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.agent_handling import agents_seen

        listed = self.table("agents").drop("skills")
        with self._scope(start, end, where) as scope:
            seen, zone, span = agents_seen(scope), scope.time_zone, scope.span
        if not seen.height and not listed.height:
            raise nobody_known()
        moments = {
            f"{side}_on": pl.from_epoch(f"{side}_s")
            .dt.replace_time_zone("UTC")
            .dt.convert_time_zone(zone)
            .dt.date()
            for side in ("first", "last")
        }
        seen = seen.with_columns(answered=pl.col("answered").cast(pl.Int64), **moments)
        return (
            listed.with_columns(listed=pl.lit(value=True))
            .join(seen.drop("first_s", "last_s"), on="agent", how="full", coalesce=True)
            .with_columns(
                pl.col("listed").fill_null(value=False),
                pl.col("answered").fill_null(0),
                seen_from=pl.lit(span.first),
                seen_until=pl.lit(span.last) - pl.duration(days=1),
            )
            .sort("agent")
        )


def nobody_known() -> DataError:
    """The refusal of what a log without agents cannot tell."""
    return DataError(
        "this log does not know who took the calls",
        "column agent is null throughout",
        "load a source with the agent of each call",
    )
