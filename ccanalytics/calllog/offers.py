"""Questions about invitations, subscriptions and reminders, as ``CallLog`` answers them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.arguments import positive
from ccanalytics.calllog.file import LogFile, one_state

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    import polars as pl

    from ccanalytics.calllog.rollups.scope import Scope

__all__ = ["OffersLog"]

Day = date | str


class OffersLog(LogFile):
    """The part of ``CallLog`` that asks about invitations and reminders.

    Messages that belong to a wave are invitations, all others are reminders.
    """

    if TYPE_CHECKING:

        def _scope(
            self,
            start: Day | None,
            end: Day | None,
            where: Mapping[str, Any] | None,
            *,
            until_over: bool = False,
        ) -> AbstractContextManager[Scope]: ...

    @one_state
    def offers(
        self,
        kind: str | None = None,
        subscription: str | None = None,
        *,
        before_days: int = 28,
        lead_days: int = 14,
        after_days: int = 21,
        quiet_s: float = 86400,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Customers × waves of invitations: who was invited, and who was not before the window end.

        A wave counts if its windows lie within the log. In it are customers since before the first
        wave, still there on the wave's day: those it invited, and as controls those who had not
        been invited until the end of its window, be it by a later wave or never.

        Parameters
        ----------
        kind, subscription
            Kind of the invitations and of the subscriptions they lead to; default: all.
        before_days, lead_days, after_days
            Days of the windows: before, just before, and from the wave's own day on.
        quiet_s
            As :meth:`panel` takes it: first attempts are counted.
        start, end, where
            As :meth:`intervals` takes them; ``where`` chooses calls.

        Returns
        -------
        polars.DataFrame
            ``customer``, ``wave``, ``assigned``, ``before``, ``lead``, ``after`` (first attempts
            in each window), ``taken`` and ``taken_before`` (subscribed within the window, and on
            the day before it), ``left`` (within the window).

        Raises
        ------
        DataError
            The log holds no customers, invitations or subscriptions, or none of this kind, or no
            wave whose windows lie within it.
        """
        from ccanalytics.calllog.rollups.offers import offers
        from ccanalytics.calllog.rollups.people import People

        days = positive([before_days, lead_days, after_days], "days of a window", whole=True)
        (quiet,) = positive([quiet_s], "quiet_s")
        with self._scope(start, end, where) as scope:
            before, lead, after = (int(each) for each in days)
            return offers(People(scope), kind, subscription, before, lead, after, quiet)
