"""The tables of what stands behind the first line, as frames: tickets and line groups."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ccanalytics.simulation.sample.services import CATALOGUE
from ccanalytics.simulation.sample.tables import _codes, _names, _stamps
from ccanalytics.simulation.sample.tickets import OWNERS

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from ccanalytics.simulation.sample.lines import Lines
    from ccanalytics.simulation.sample.tickets import Tickets

__all__ = ["line_groups_frame", "tickets_frame"]


def tickets_frame(tickets: Tickets, midnight: int) -> pl.DataFrame:
    """The tickets table."""
    import numpy as np
    import polars as pl

    return pl.DataFrame(
        {
            "ticket": _codes("T", np.arange(1, tickets.call.size + 1), 7),
            "call_id": _codes("C", tickets.call + 1, 8),
            "customer": _codes("K", tickets.customer + 1, 7, tickets.customer >= 0),
            "service": _names([each.code for each in CATALOGUE], tickets.service),
            "opened_at": _stamps(tickets.opened + midnight),
            "closed_at": _stamps(tickets.closed + midnight, tickets.closed >= 0),
            "reopened": tickets.reopened,
            "owner": _names(OWNERS, tickets.owner),
        }
    )


def line_groups_frame(lines: Lines, start: date) -> pl.DataFrame:
    """The line_groups table: a row wherever the number of lines changes."""
    import polars as pl

    rows = [
        (site, group, count, start + timedelta(days=day))
        for site, group, count, day in lines.rows()
    ]
    kinds = {
        "site": pl.String,
        "line_group": pl.String,
        "lines": pl.Int64,
        "from_on": pl.Date,
    }
    return pl.DataFrame(rows, schema=kinds, orient="row")
