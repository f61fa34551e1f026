"""Questions about what a change in the centre did, as ``CallLog`` answers them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.agents_log import nobody_known
from ccanalytics.calllog.file import one_state
from ccanalytics.calllog.scoped import ScopedLog
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

__all__ = ["InterventionsLog"]

Day = date | str


class InterventionsLog(ScopedLog):
    """The part of ``CallLog`` that asks what agents and calls were like before and after."""

    @one_state
    def agent_panel(
        self,
        every: str = "1w",
        adjust: str | Iterable[str] = ("service",),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Agents × weeks: handle time, transfers and errors, beside what such calls usually take.

        Answered calls above 0 seconds of known agents are counted. Errors are of random reviews
        alone, in the week of the call: targeted ones say nothing of calls at large.

        Parameters
        ----------
        every
            Length of the intervals; designs take weeks.
        adjust
            Key columns of calls that say what a call was about. ``usual_…`` is the sum of the
            means of such calls over the whole span, all agents together.
        start, end, where
            As :meth:`intervals` takes them; ``where={"queue": …}`` keeps second lines apart.

        Returns
        -------
        polars.DataFrame
            interval_start (aware UTC), local_start, utc_offset_s, interval_s, ``agent``,
            ``hired_on``, ``left_on``, ``team``, ``site``, ``employer``, ``cohort``,
            ``tenure_weeks`` (whole weeks since hiring, at the middle of the week; null where not
            known), ``calls``, ``handle_s``, ``log_handle`` and ``log_handle_squares`` (sums of
            logs and of their squares), ``second_line`` (sent there),
            ``usual_log_handle``, ``usual_handle_s``, ``usual_second_line``, ``items_marked`` and
            ``items_failed`` of random reviews.

        Raises
        ------
        DataError
            The log does not know who took the calls.
        """
        from ccanalytics.calllog.rollups.interventions import agent_weeks
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every

        length, matters = Every.parse(every), check_keys(adjust, "adjust")
        if "agent" not in self.columns_filled("calls"):
            raise nobody_known()
        with self._scope(start, end, where) as scope:
            return agent_weeks(scope, scope.fitted(length), matters)

    @one_state
    def assisted_calls(
        self,
        every: str = "1w",
        by: str | Iterable[str] = ("service",),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Calls handled by interval, and those in which SMS-assist was offered and accepted.

        Returns
        -------
        polars.DataFrame
            interval_start (aware UTC), local_start, utc_offset_s, interval_s, keys…, ``calls``
            (answered, above 0 s, at most a day), ``handle_s``, ``assist_offered`` and ``assisted``
            (of these, offered and accepted SMS-assist during the call).

        Raises
        ------
        DataError
            The log holds no offers during calls.
        """
        from ccanalytics.calllog.rollups.interventions import assisted
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every

        length, keys = Every.parse(every), check_keys(by, "by")
        if "call_id" not in self.columns_filled("self_service"):
            raise DataError(
                "this log does not know in which calls SMS-assist was offered",
                "column call_id of self_service is null throughout",
                "load self_service with the call of each offer",
            )
        with self._scope(start, end, where) as scope:
            return assisted(scope, scope.fitted(length), keys)
