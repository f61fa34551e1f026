"""Questions about quality: reviews, surveys, tickets, and whether a contact settled the matter."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.arguments import positive
from ccanalytics.calllog.file import one_state
from ccanalytics.calllog.scoped import ScopedLog
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from ccanalytics.calllog.rollups.scope import Scope

__all__ = ["QualityLog"]

Day = date | str
_DAY = 86400


class QualityLog(ScopedLog):
    """The part of ``CallLog`` that asks how good calls were."""

    @one_state
    def reviews(
        self,
        by: str | Iterable[str] = ("item",),
        every: str | None = None,
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Reviews and their items by how the call was chosen: random and targeted ones apart.

        A call reviewed again in the same sample counts once, by its first review;
        :meth:`review_pairs` compares the marks.

        Parameters
        ----------
        by
            ``item``, ``critical``, ``reviewer``; ``agent`` (the review's, else the call's) and
            columns of the table of agents; ``service``, ``queue``, ``tier`` of the call.
        every
            Length of intervals of the review's time, as :meth:`intervals` takes it; reviews
            outside the days of the log's calls are then left out. Default: all together.
        start, end
            Local days of the review, ``end`` excluded.
        where
            As :meth:`intervals` takes it; reviews of unknown calls are then left out.

        Returns
        -------
        polars.DataFrame
            (interval_start, local_start, utc_offset_s, interval_s if ``every`` is given), keys…,
            ``sampled`` (``random``, ``targeted``, ``unknown``); ``reviews`` and of these
            ``reviews_failed`` (an error in a critical item; null where the log never says what is
            critical); ``items_marked`` and ``items_failed``, with the sums over reviews of n², x·n
            and x² (``items_failed_…``); ``unmarked`` items, ``repeated`` reviews, and
            ``unknown_calls``: reviews whose call the log does not hold, which are counted.

        Raises
        ------
        DataError
            The log holds no reviews.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.reviewed import REVIEW_KEYS, reviews
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.timegrid import Every

        keys = check_keys(by, "by", REVIEW_KEYS)
        length = Every.parse(every) if every is not None else None
        critical = "critical" in self._needed("reviews", "review_id, item, passed and sampled")
        with self._scope(start, end, where) as scope:
            span = _within(scope, start, end)
            told = reviews(scope, length and scope.fitted(length), keys, *span)
        if not critical:
            told = told.with_columns(reviews_failed=pl.lit(None, pl.Int64))
        return told

    @one_state
    def review_pairs(
        self,
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Marks that two reviewers gave the same item of the same call.

        Returns
        -------
        polars.DataFrame
            ``item``, ``reviewer`` and ``other`` (in the order of their names), ``raters`` (who
            marked this item of the call), ``passed`` and ``other_passed``, ``pairs``. Empty if no
            call was reviewed twice.

        Raises
        ------
        DataError
            The log holds no reviews, or does not say who reviewed.
        """
        from ccanalytics.calllog.rollups.reviewed import review_pairs

        self._needed("reviews", "review_id, call_id, reviewer, item and passed")
        with self._scope(start, end, where) as scope:
            return review_pairs(scope, *_within(scope, start, end))

    @one_state
    def surveys(
        self,
        by: str | Iterable[str] = ("service", "wait"),
        *,
        waits_s: Sequence[int] = (20, 60, 180),
        settle_days: int = 3,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Surveys by what is known of the call, whether they were answered or not.

        Parameters
        ----------
        by
            ``channel``; ``service``, ``queue``, ``tier``, ``agent``, ``transfer`` of the call and
            columns of the table of agents; ``wait``: the band of its wait.
        waits_s
            Upper ends of those bands, whole seconds.
        settle_days
            Surveys sent later than this before the end of the log may still be answered: they are
            left out and counted.
        start, end
            Local days on which they were sent, ``end`` excluded.

        Returns
        -------
        polars.DataFrame
            keys…, ``score`` (null: no score was given), ``surveys``, ``blank`` (answered without a
            score), ``unknown_calls`` (of calls that the log does not hold), ``too_recent``.

        Raises
        ------
        DataError
            The log holds no surveys.
        """
        from ccanalytics.calllog.rollups.scope import check_keys
        from ccanalytics.calllog.rollups.surveyed import SURVEY_KEYS, surveys

        keys = check_keys(by, "by", SURVEY_KEYS)
        edges = sorted({int(each) for each in positive(waits_s, "waits_s", whole=True)})
        (settle,) = positive([settle_days], "settle_days", whole=True)
        self._needed("surveys", "call_id, channel, sent_at, answered_at and score")
        with self._scope(start, end, where) as scope:
            span = _within(scope, start, end)
            return surveys(scope, keys, edges, int(settle) * _DAY, *span)

    @one_state
    def tickets(
        self,
        by: str | Iterable[str] = ("service", "owner"),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Tickets by whole hours until they were (last) closed, or open until the records end.

        Parameters
        ----------
        by
            ``service``, ``owner``; ``agent`` of the call that opened it, and columns of the table
            of agents.
        start, end
            Local days on which they were opened, ``end`` excluded.
        where
            ``service`` alone.

        Returns
        -------
        polars.DataFrame
            keys…, ``state`` (``closed``, ``open``; ``closed before opened`` and ``opened after the
            end`` are records that cannot be right), ``reopened`` (null: not told), ``hours`` (of
            closed ones begun hours, so that 24 means within a day; of open ones full hours),
            ``tickets``. Records end with their last moment, or with the last call if that is
            earlier.

        Raises
        ------
        DataError
            The log holds no tickets.
        """
        from ccanalytics.calllog.rollups.scope import check_keys, check_where
        from ccanalytics.calllog.rollups.tickets import TICKET_KEYS, tickets

        keys = check_keys(by, "by", TICKET_KEYS)
        check_where(where, ("service",))
        self._needed("tickets", "ticket, opened_at and closed_at")
        with self._scope(start, end, where) as scope:
            return tickets(scope, keys, *_within(scope, start, end))

    @one_state
    def tickets_opened(
        self,
        every: str = "1w",
        by: str | Iterable[str] = (),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Tickets opened in each interval, beside the calls answered in it.

        Parameters
        ----------
        by
            ``service``, or none.
        where
            ``service`` alone: tickets and calls of these.

        Returns
        -------
        polars.DataFrame
            interval_start (aware UTC), local_start, utc_offset_s, interval_s, keys…, ``tickets``,
            ``reopened`` (of these, later), ``answered``; intervals without any are there.

        Raises
        ------
        DataError
            The log holds no tickets.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.scope import check_keys, check_where
        from ccanalytics.calllog.rollups.tickets import tickets_opened
        from ccanalytics.calllog.timegrid import Every

        keys = check_keys(by, "by", ("service",))
        check_where(where, ("service",))
        length = Every.parse(every)
        self._needed("tickets", "ticket, opened_at and closed_at")
        calls = self.intervals(every, keys, start=start, end=end, where=where)  # type: ignore[attr-defined]
        with self._scope(start, end, where) as scope:
            opened = tickets_opened(scope, scope.fitted(length), keys)
        grid = ["interval_start", "local_start", "utc_offset_s", "interval_s", *keys]
        told: pl.DataFrame = (
            calls.select(*grid, "answered")
            .join(opened, on=["interval_start", *keys], how="left", nulls_equal=True)
            .with_columns(pl.col("tickets", "reopened").fill_null(0))
            .select(*grid, "tickets", "reopened", "answered")
        )
        return told

    @one_state
    def resolutions(
        self,
        window_days: Sequence[int] = (1, 3, 7, 14, 30),
        by: str | Iterable[str] = ("service",),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """First contacts with an agent, and whether the customer asked for one again.

        A contact is an answered call of a known customer about a service; it is a first one if no
        other of the same customer and service was answered in the window before. Asked again is
        who asked for an agent about it within the window after, whatever became of that call.
        Calls that continue another (a leg at the second line) are no contacts of their own.

        Parameters
        ----------
        window_days
            Windows in whole days; one row each.
        by
            ``service``, ``queue``, ``tier``, ``transfer``, ``agent`` of the first contact and
            columns of the table of agents.

        Returns
        -------
        polars.DataFrame
            keys…, ``window_days``, ``first_contacts``, ``again``, ``transferred`` and
            ``transferred_again`` (of these), ``unwatched`` (answered calls whose window reaches
            beyond the log on either side: not judged), ``unknown_customers`` (answered calls of
            no known customer: not judged).
        """
        from ccanalytics.calllog.rollups.resolution import RESOLUTION_KEYS, resolutions
        from ccanalytics.calllog.rollups.scope import check_keys

        days = positive(window_days, "window_days", whole=True)
        keys = check_keys(by, "by", RESOLUTION_KEYS)
        with self._scope(start, end, where) as scope:
            windows = [int(each) * _DAY for each in days]
            return resolutions(scope, keys, windows, *scope.epochs())

    @one_state
    def agent_calls(
        self,
        by: str | Iterable[str] = ("agent",),
        case: str | Iterable[str] = ("service", "tier"),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Answered calls of each agent, with the time that others take for calls of the same kind.

        Parameters
        ----------
        by
            ``agent``, or columns of the table of agents.
        case
            Columns of calls that make a kind: ``service``, ``queue``, ``tier``, ``client``,
            ``site``, ``line_group``; none for no adjustment.

        Returns
        -------
        polars.DataFrame
            keys…, ``answered``, ``handled`` (time known, a day at most), ``over_a_day`` (longer:
            in no time), ``handle_s``, ``expected_s`` (the mean of each
            handled call's kind, summed: handle_s/expected_s is the time relative to it),
            ``off_ss`` (sum of squares of calls about that mean), ``transferred``.
        """
        from ccanalytics.calllog.rollups.agents import AGENT_KEYS
        from ccanalytics.calllog.rollups.resolution import CASE_KEYS, agent_calls
        from ccanalytics.calllog.rollups.scope import check_keys

        keys, kind = check_keys(by, "by", AGENT_KEYS), check_keys(case, "case", CASE_KEYS)
        if not keys:
            keys = ["agent"]
        with self._scope(start, end, where) as scope:
            return agent_calls(scope, keys, kind, *scope.epochs())

    def _needed(self, table: str, columns: str) -> list[str]:
        """Columns of a table that are filled; refused if there is no row."""
        filled = self.columns_filled(table)
        if not filled:
            raise DataError(
                f"the log holds no {table}",
                f"the table {table} is empty",
                f"load {table} with {columns}",
            )
        return filled


def _within(scope: Scope, start: Day | None, end: Day | None) -> tuple[int, int]:
    """Epoch seconds asked for: records may come before the first call and after the last."""
    first, last = scope.epochs()
    return first if start else -(2**62), last if end else 2**62
