"""Simulated calls in the columns of the canonical table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.tally import OUTCOMES, RECORD_FIELDS

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.simulation.groups import Groups
    from ccanalytics.simulation.plan import Grid

__all__ = ["records_frame"]


def records_frame(
    rows: NDArray[np.float64], grid: Grid, groups: Groups, replication: int
) -> pl.DataFrame:
    """Calls that arrived within the demand's span, in order of arrival."""
    import polars as pl

    rows = rows[(rows[:, 0] >= 0) & (rows[:, 0] < grid.edges[-1])]
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    field = {name: rows[:, place] for place, name in enumerate(RECORD_FIELDS)}
    kind = field["kind_of_call"].astype(np.int64)
    outcome = field["outcome"].astype(np.int64)
    answered, queued = outcome == 0, (outcome == 0) | (outcome == 1) | (outcome == 4)
    first = grid.intervals["interval_start"][0]

    def moment(seconds: NDArray[np.float64], known: NDArray[np.bool_]) -> pl.Series:
        whole = np.rint(np.where(known, seconds, 0) * 1e6).astype(np.int64)
        series = pl.Series(whole).cast(pl.Duration("us")) + first
        return pl.select(pl.when(pl.Series(known)).then(series)).to_series()

    def seconds(values: NDArray[np.float64], known: NDArray[np.bool_]) -> pl.Series:
        return pl.select(
            pl.when(pl.Series(known)).then(pl.Series(np.where(known, values, 0.0)))
        ).to_series()

    # Whoever still waited at closing time went without being served.
    names = np.array([*OUTCOMES[:4], "abandoned"])
    left_menu = outcome == 2
    menu_end = np.where(queued, field["joined"], field["left_queue"])
    served_by = pl.Series([*groups.names, None], dtype=pl.String)
    group = field["group"].astype(np.int64)
    frame = pl.DataFrame(
        {
            "call_id": [f"{replication}-{number}" for number in range(len(rows))],
            "arrived_at": moment(field["arrived"], np.ones(len(rows), bool)),
            "answered_at": moment(field["left_queue"], answered),
            "ended_at": moment(field["ended"], np.isfinite(field["ended"])),
            "menu_s": seconds(menu_end - field["arrived"], queued | left_menu),
            "wait_s": seconds(field["left_queue"] - field["joined"], queued),
            "talk_s": seconds(field["ended"] - field["left_queue"], answered),
            "outcome": names[outcome],
            "attempt": np.array(["first", "redial", "reconnect"])[field["kind"].astype(np.int64)],
            "agent_group": served_by[np.where(group < 0, len(groups.names), group)],
        }
    )
    if grid.keys.width:
        frame = pl.concat([frame, grid.keys[kind]], how="horizontal")
    return frame
