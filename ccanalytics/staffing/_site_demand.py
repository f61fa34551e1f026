"""Demand by site, tier or client, as arrays: a row each, a column per interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.demand import MEASURES, as_demand
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Sites", "sites_of"]


@dataclass(frozen=True, eq=False)
class Sites:
    """Calls, and seconds of work, of every site (rows) in every interval (columns)."""

    names: list[str]
    starts: pl.Series
    per: Floats
    calls: Floats
    work: Floats

    def joined(self, members: Floats) -> tuple[Floats, Floats]:
        """Calls and handle times of pools; ``members`` has a row per pool, a column per site."""
        calls, work = members @ self.calls, members @ self.work
        with np.errstate(invalid="ignore", divide="ignore"):
            return calls, np.where(calls > 0, work / calls, 1.0)


def sites_of(demand: Any, site: str) -> Sites:
    """Read a demand frame with one key column that names the site."""
    import polars as pl

    if not isinstance(site, str):
        raise InputError("the column of names is one text", f"{site!r}", "such as 'site'")
    rows = as_demand(_coded(demand, site))
    keys = [name for name in rows.columns if name not in MEASURES]
    if site not in keys:
        raise InputError(
            f"the demand does not say which {site} a row belongs to",
            f"site={site!r}, keys: {', '.join(keys) or 'none'}",
            f"take log.demand(every, by=[{site!r}])",
        )
    if len(keys) > 1:
        others = ", ".join(key for key in keys if key != site)
        raise InputError(
            f"{site}s are planned for one kind of calls at a time",
            f"further keys: {others}",
            "choose one with where=, or add them up",
        )
    if rows[site].null_count():
        number = rows[site].is_null().arg_true()[0]
        raise InputError(
            f"a row belongs to no {site}",
            f"{rows['interval_start'][number]}, {site}=null",
            f"leave it out, or name its {site}",
        )
    known = rows[site].unique().cast(pl.String).sort()
    numbers = pl.DataFrame({site: known}).with_row_index("_s")
    row = (
        rows.select(pl.col(site).cast(pl.String))
        .join(numbers, on=site, how="left", maintain_order="left")["_s"]
        .to_numpy()
    )
    starts = rows["interval_start"].unique().sort()
    column = np.searchsorted(starts.to_physical().to_numpy(),
                             rows["interval_start"].to_physical().to_numpy())  # fmt: skip
    shape = (known.len(), starts.len())
    calls, work = np.zeros(shape), np.zeros(shape)
    calls[row, column] = rows["calls"].to_numpy()
    work[row, column] = calls[row, column] * rows["aht_s"].fill_null(0.0).fill_nan(0.0).to_numpy()
    per = np.zeros(shape[1])
    length = rows["interval_s"].to_numpy()
    per[column] = length
    uneven = per[column] != length
    if uneven.any():
        raise InputError(
            f"{site}s differ in the length of an interval",
            f"{rows['interval_start'][int(uneven.argmax())]}",
            "roll all of them up to one length",
        )
    empty = calls.sum(axis=1) == 0
    if empty.any():
        more = f" and {int(empty.sum()) - 1} more" if empty.sum() > 1 else ""
        raise InputError(
            f"a {site} without calls cannot be planned",
            f"{site}={known[int(empty.argmax())]!r}{more}",
            "leave it out of the demand",
        )
    return Sites(known.to_list(), starts, per, calls, work)


def _coded(demand: Any, site: str) -> Any:
    """Write the names of sites as codes: millions of rows are sorted sooner."""
    import polars as pl

    if isinstance(demand, pl.DataFrame) and demand.schema.get(site) == pl.String:
        return demand.with_columns(pl.col(site).cast(pl.Categorical))
    return demand
