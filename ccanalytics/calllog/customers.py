"""Questions that follow customers: who came again, self-service, and episodes of contacts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.arguments import positive
from ccanalytics.calllog.scoped import ScopedLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl


__all__ = ["CustomersLog"]

Day = date | str


class CustomersLog(ScopedLog):
    """The part of ``CallLog`` that follows customers from contact to contact."""

    def recontacts(
        self,
        within_s: Sequence[float] = (600, 3600, 86400),
        by: str | Iterable[str] = ("outcome",),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """How many customers called again within each window.

        Calls of unknown customers are left out; a window that reaches beyond the end of the log is
        not counted.

        Returns
        -------
        polars.DataFrame
            keys…, window_s, followed, again.
        """
        from ccanalytics.calllog.rollups.contacts import recontacts
        from ccanalytics.calllog.rollups.scope import check_keys

        windows = positive(within_s, "within_s")
        keys = check_keys(by, "by")
        with self._scope(start, end, where) as scope:
            return recontacts(scope, keys, windows)

    def self_service(
        self,
        recontact_days: Sequence[int] = (1, 3, 7, 14, 30),
        by: str | Iterable[str] = ("service",),
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Counts of the self-service funnel, and who asked an agent afterwards.

        Parameters
        ----------
        recontact_days
            Windows in whole days after a completed contact; one row each.
        by
            Key columns that self-service records have: ``service``, or none.
        start, end
            Local days of the contact, ``end`` excluded; default: all records, also those before
            the first call and after the last.
        where
            Column → value or list of values (None: unknown); ``service`` alone.

        Returns
        -------
        polars.DataFrame
            One row per channel, stage, key and window: ``eligible`` (calls about a service since
            the channel's first record for it, and accepted sessions of one's own initiative),
            ``sent``, ``accepted``, ``delivered``, ``completed``, ``followed`` (completed contacts
            of known customers followed to the end of the window) and ``recontacted`` (of those:
            the same customer asked for an agent about the same service within it; a call that
            another hands on is no second request, and not eligible);
            ``failed_followed`` and ``failed_recontacted``, the same of contacts that were taken up
            and not completed (none during a call). The first five do not depend on the window and
            are repeated; ``delivered`` is null where it was never noted. Then, for each share x/n
            (``acceptance``, ``completion``, ``leakage``, ``failed_recontact``), the sums over
            customers of n², x·n and x² (``…_nn``, ``…_xn``, ``…_xx``), from which the funnel makes
            intervals that know that a customer's contacts are alike. Where calls end in the voice
            menu, the rows of channel ``menu`` count calls: every one enters it, those ``contained``
            are completed, those hung up in it failed. Empty if the log has no self-service records.
        """
        import polars as pl

        from ccanalytics.calllog.rollups.funnel import COUNTS, SQUARES, self_service
        from ccanalytics.calllog.rollups.scope import check_keys, check_where

        days = [int(d) for d in positive(recontact_days, "recontact_days", whole=True)]
        days = list(dict.fromkeys(days))
        keys = check_keys(by, "by", ("service",))
        check_where(where, ("service",))
        with self._scope(start, end, where) as scope:
            if not scope.engine.holds("self_service"):
                return pl.DataFrame(
                    schema={
                        **dict.fromkeys(["channel", "stage", *keys], pl.String),
                        "window_days": pl.Int64,
                        **dict.fromkeys([*COUNTS, *SQUARES], pl.Int64),
                    }
                )
            # Contacts with a channel may come before the first call of a log and after its last.
            first, last = scope.epochs()
            first, last = first if start else -(2**62), last if end else 2**62
            return self_service(scope, keys, days, first, last)

    def uses(
        self,
        every: str = "1w",
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """How often each service was asked for in each self-service channel, by interval.

        Uses are contacts on customers' own initiative that began in the channel, and calls that
        the voice menu completed (channel ``menu``). What a new channel takes over from the others
        shows in them: :func:`ccanalytics.deflection.taken_over`.

        Parameters
        ----------
        every
            Length of intervals.
        start, end
            As :meth:`intervals` takes them.
        where
            Column → value or list of values; ``service`` alone.

        Returns
        -------
        polars.DataFrame
            interval_start (aware UTC), local_start, utc_offset_s, interval_s, ``channel``,
            ``unit`` (the service), ``uses`` and ``completed``; a row for every interval of each
            channel and service that occur, also where nothing happened.
        """
        from ccanalytics.calllog.rollups.scope import check_where
        from ccanalytics.calllog.rollups.uses import uses
        from ccanalytics.calllog.timegrid import Every

        check_where(where, ("service",))
        length = Every.parse(every)
        with self._scope(start, end, where) as scope:
            return uses(scope, scope.fitted(length))

    def episodes(
        self,
        window_days: int = 7,
        lookback_days: int = 90,
        *,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Contact episodes by the place where they begin, and what self-service led to.

        An episode is a chain of contacts of one known customer about one service, none more than
        ``window_days`` after the one before: uses of self-service, calls that end in the voice
        menu, requests for an agent. Only episodes that the log has seen begin and end are counted.

        Parameters
        ----------
        window_days
            Longest gap within an episode, and the window in which a later call belongs to a
            contact; whole days.
        lookback_days
            How far back an earlier use of self-service is looked for; whole days.
        start, end
            Local days on which an episode or contact begins, ``end`` excluded.
        where
            Column → value or list of values (None: unknown); ``service`` alone.

        Returns
        -------
        polars.DataFrame
            One row per ``channel``, ``stage`` (``agent``, ``assisted``: a request for an agent) and
            ``service``, with ``window_days`` and ``lookback_days``.

            Of episodes that begin there: ``episodes``, ``settled`` (something was completed and no
            agent asked), ``reached`` (an agent was asked), ``contacts``, ``requests``, ``agent_s``.
            Of contacts taken up: ``taken_up``, ``unknown`` (of no known customer: in nothing else
            here); ``watched`` (the log goes on for the window on both sides), ``asked_before`` and
            ``asked_after`` (an agent, within it), and sums over customers of n², x·n and x² of
            their difference (``change_…``). Of completed ones: ``looked_back`` (the log reaches so
            far back), ``used_before`` (some self-service for the same), ``from_elsewhere`` (last
            another channel or stage). Of answered calls: number, seconds and sum of squares of
            those ``touched`` (the first after a contact that failed, within the window; or with an
            assist taken) and of ``others`` (about the service since the channel's first record; or
            with an assist declined).
        """
        import polars as pl

        from ccanalytics.calllog.rollups.episodes import EPISODE_COUNTS, HANDLE_SUMS, episodes
        from ccanalytics.calllog.rollups.scope import check_where

        (window,) = positive([window_days], "window_days", whole=True)
        (lookback,) = positive([lookback_days], "lookback_days", whole=True)
        check_where(where, ("service",))
        with self._scope(start, end, where) as scope:
            if not scope.engine.holds("self_service"):
                return pl.DataFrame(
                    schema={
                        **dict.fromkeys(["channel", "stage", "service"], pl.String),
                        **dict.fromkeys(["window_days", "lookback_days"], pl.Int64),
                        **dict.fromkeys(EPISODE_COUNTS, pl.Int64),
                        **dict.fromkeys(HANDLE_SUMS, pl.Float64),
                    }
                )
            first, last = scope.epochs()
            first, last = first if start else -(2**62), last if end else 2**62
            return episodes(scope, int(window), int(lookback), first, last)
