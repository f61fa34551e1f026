"""The tables of customers, contracts, the calendar and messages, as frames."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.days import BILL_DAYS
from ccanalytics.simulation.sample.population import PROVINCES, TIERS
from ccanalytics.simulation.sample.tables import _codes, _names, _stamps, _whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.days import Calendar
    from ccanalytics.simulation.sample.export import Exported
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.reminders import Reminders

__all__ = ["demand_frames"]

# What each client pays for an answered call, and loses of a month's bill when the level is missed.
_PRICES = {"Central Mobile": (2.4, 0.05), "North Mobile": (2.9, 0.10), "South Mobile": (3.1, 0.08)}
_WINDOW_DAYS = 30


def demand_frames(
    parameters: CentreParameters, exported: Exported, midnight: int
) -> Iterator[tuple[str, pl.DataFrame]]:
    """The tables on the side of customers: (table, frame), one at a time."""
    yield "customers", customers_frame(exported.population, exported.start, exported.days)
    yield "contracts", contracts_frame(parameters, exported.start)
    yield "days", days_frame(exported.calendar, exported.reminders)
    if exported.reminders.subscribers.size:
        yield (
            "subscriptions",
            subscriptions_frame(exported.reminders, exported.start, exported.days),
        )
    if (exported.reminders.invited_at >= 0).any() or exported.reminders.sent.size:
        yield "reminders", reminders_frame(exported.reminders, midnight)


def customers_frame(population: Population, start: date, days: int) -> pl.DataFrame:
    """The customers table; whoever joins after the log's end is not in it."""
    import polars as pl

    here = np.flatnonzero(population.joined < days)
    province, part = population.province[here], population.prefecture[here]
    most = max(each.prefectures for each in PROVINCES)
    prefectures = [f"{each.name}-{number + 1}" for each in PROVINCES for number in range(most)]
    left = population.left[here]
    return pl.DataFrame(
        {
            "customer": _codes("K", here + 1, 7),
            "province": _names([each.name for each in PROVINCES], province),
            "prefecture": _names(prefectures, province.astype(np.int64) * most + part),
            "tier": _names(TIERS, population.tier[here]),
            "bill_day": np.array(list(BILL_DAYS))[population.bill[here]],
            "joined_on": _dates(population.joined[here], start),
            "left_on": _dates(np.minimum(left, days), start, left < days),
        }
    )


def contracts_frame(parameters: CentreParameters, start: date) -> pl.DataFrame:
    """The contracts table: one for each client, from the year in which the log begins."""
    import polars as pl

    clients = [each.client for each in PROVINCES]
    return pl.DataFrame(
        {
            "client": clients,
            "from_on": [date(start.year, 1, 1)] * len(clients),
            "price": [_PRICES[each][0] for each in clients],
            "service_level": [parameters.goal_share] * len(clients),
            "within_s": [parameters.goal_within_s] * len(clients),
            "window_days": [_WINDOW_DAYS] * len(clients),
            "penalty": [_PRICES[each][1] for each in clients],
        }
    )


def days_frame(calendar: Calendar, reminders: Reminders) -> pl.DataFrame:
    """The days table."""
    import polars as pl

    waves: dict[int, str] = {}
    if (reminders.invited_at >= 0).any():
        for number, day in enumerate(reminders.waves.tolist(), start=1):
            name = f"wave {number}"
            waves[day] = f"{waves[day]}, {name}" if day in waves else name
    return pl.DataFrame(
        {
            "on": calendar.dates,
            "workday": calendar.workday,
            "holiday": pl.Series(calendar.holiday, dtype=pl.String),
            "make_up": calendar.make_up,
            "bill_run": [each.day in BILL_DAYS for each in calendar.dates],
            "campaign": pl.Series(
                [waves.get(day) for day in range(calendar.days)], dtype=pl.String
            ),
        }
    )


def subscriptions_frame(reminders: Reminders, start: date, days: int) -> pl.DataFrame:
    """The subscriptions table: one row per term."""
    import polars as pl

    who, begins = reminders.terms()
    here = begins < days
    who, begins = who[here], begins[here]
    ended = np.minimum(begins + reminders.term, reminders.ended[who])
    waves = (f"wave {each + 1}" for each in range(reminders.waves.size))
    sources = ["keyword", *waves, "renewal"]
    source = np.where(begins > reminders.started[who], len(sources) - 1, reminders.source[who])
    return pl.DataFrame(
        {
            "customer": _codes("K", who + 1, 7),
            "kind": ["reminders"] * who.size,
            "started_on": _dates(begins, start),
            "ended_on": _dates(ended, start, ended < days),
            "source": _names(sources, source),
        }
    )


def reminders_frame(reminders: Reminders, midnight: int) -> pl.DataFrame:
    """The reminders table: invitations with their wave, and reminders, in order of time."""
    import polars as pl

    invited = np.flatnonzero(reminders.invited_at >= 0)
    customer = np.concatenate([invited, reminders.sent])
    at = np.concatenate([reminders.invited_at[invited], reminders.sent_at])
    order = np.argsort(at, kind="stable")
    wave = np.concatenate([reminders.wave[invited], np.zeros(reminders.sent.size, np.uint8)])[order]
    waves = ["", *(f"wave {each + 1}" for each in range(reminders.waves.size))]
    return pl.DataFrame(
        {
            "customer": _codes("K", customer[order] + 1, 7),
            "kind": _names(["reminder", "invitation"], wave > 0),
            "wave": _names(waves, wave, wave > 0),
            "sent_at": _stamps(at[order].astype(np.int64) + midnight),
        }
    )


def _dates(days: NDArray[Any], start: date, known: NDArray[np.bool_] | None = None) -> pl.Series:
    import polars as pl

    since = (start - date(1970, 1, 1)) // timedelta(days=1)
    return _whole(days.astype(np.int32) + np.int32(since), known).cast(pl.Date)
