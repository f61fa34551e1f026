"""Questions about invitations, subscriptions and reminders, as ``CallLog`` answers them."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.arguments import positive
from ccanalytics.calllog.file import one_state
from ccanalytics.calllog.scoped import ScopedLog
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from ccanalytics.calllog.rollups.people import People

__all__ = ["OffersLog"]

Day = date | str


class OffersLog(ScopedLog):
    """The part of ``CallLog`` that asks about invitations and reminders.

    Messages that belong to a wave are invitations, all others are reminders.
    """

    @contextmanager
    def _people(
        self, start: Day | None, end: Day | None, where: Mapping[str, Any] | None
    ) -> Iterator[People]:
        """Customers of the whole log, and the days asked for."""
        from ccanalytics.calllog.rollups.people import People

        with self._scope(start, end, where) as asked, self._scope(None, None, where) as scope:
            yield People(scope, asked.span)

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

        days = positive([before_days, lead_days, after_days], "days of a window", whole=True)
        (quiet,) = positive([quiet_s], "quiet_s")
        with self._people(start, end, where) as people:
            before, lead, after = (int(each) for each in days)
            return offers(people, kind, subscription, before, lead, after, quiet)

    @one_state
    def reminded(
        self,
        kind: str | None = None,
        subscription: str | None = None,
        *,
        up_to_days: int = 14,
        around_days: int = 28,
        quiet_s: float = 86400,
        start: Day | None = None,
        end: Day | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Customers and their first attempts by day since a reminder, and of those never reminded.

        Parameters
        ----------
        kind, subscription
            Kind of the reminders and of the subscriptions; default: all.
        up_to_days
            Days after a reminder that are counted, its own included, if no other comes.
        around_days
            Days before and after the end of a subscription's last term that are counted.
        quiet_s
            As :meth:`panel` takes it: first attempts are counted.
        start, end, where
            As :meth:`intervals` takes them; ``where`` chooses calls.

        Returns
        -------
        polars.DataFrame
            One row per ``state``, ``on`` (local date), ``bill_day``, ``day`` and ``weeks``:
            ``customers``, ``calls``. States: ``reminded`` (``day`` since the last reminder, 0 its
            own; ``weeks`` from the first subscription to that reminder; of reminders until the
            next one, or for ``up_to_days``, in which the subscription did not end), ``expired``
            (``day`` from the end of the last term, negative before it, of those who stayed
            customers), and ``never subscribed``. Reminded and expired may hold the same day of a
            customer.

        Raises
        ------
        DataError
            The log holds no customers, reminders or subscriptions, or none of this kind.
        """
        from ccanalytics.calllog.rollups.reminded import reminded

        days = positive([up_to_days, around_days], "days of a window", whole=True)
        (quiet,) = positive([quiet_s], "quiet_s")
        with self._people(start, end, where) as people:
            up_to, around = (int(each) for each in days)
            return reminded(people, kind, subscription, up_to, around, quiet)

    @one_state
    def leaving(
        self,
        kind: str | None = None,
        subscription: str | None = None,
        *,
        start: Day | None = None,
        end: Day | None = None,
    ) -> pl.DataFrame:
        """Customers by day, and who left on it: invited yet or not, subscribed or not.

        Parameters
        ----------
        kind, subscription
            Kind of the invitations and of the subscriptions; default: all.
        start, end
            As :meth:`intervals` takes them. The last day is left out: who left on it is not known.

        Returns
        -------
        polars.DataFrame
            ``on``, ``invited``, ``subscribed``, ``customers`` (there on that day), ``left`` (of
            these, no longer there on the next).

        Raises
        ------
        DataError
            The log does not know who left, or holds no customers, invitations or subscriptions.
        """
        from ccanalytics.calllog.rollups.reminded import leaving

        if "left_on" not in self.columns_filled("customers"):
            raise DataError(
                "this log does not know who left, so churn cannot be guarded",
                "column left_on of customers is null throughout",
                "load customers with the day on which they left",
            )
        with self._people(start, end, None) as people:
            return leaving(people, kind, subscription)

    @one_state
    def reminder_facts(self) -> pl.DataFrame:
        """What the log holds of invitations and reminders, by kind and wave.

        Returns
        -------
        polars.DataFrame
            ``kind``, ``wave`` (null: a reminder), ``first_on`` and ``last_on`` (UTC dates),
            ``messages``, ``customers``, ``unknown`` (messages to customers whom the log does not
            know). Empty if it holds none.
        """
        from ccanalytics.calllog.rollups.reminded import facts

        with self._engine() as engine:
            return facts(engine)
