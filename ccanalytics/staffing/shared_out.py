"""Calls of an unknown site, tier or client, shared out over the known ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.demand import MEASURES
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SharedOut", "shared_out"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SharedOut(Result):
    """Demand in which every call has its key.

    Attributes
    ----------
    demand
        The demand frame, without rows of an unknown key.
    key
        The key column.
    unknown
        Share of calls whose key was not known.
    """

    demand: pl.DataFrame
    key: str
    unknown: float

    def summary(self) -> str:
        """How many calls of which key, and how many were shared out."""
        rows = self.to_frame()
        told = ", ".join(
            f"{row[self.key]} {row['calls']:,.0f}" for row in rows.iter_rows(named=True)
        )
        return f"Calls by {self.key}: {told}. " + (
            f"{self.unknown:.1%} of them have no {self.key} in the log and were shared out over "
            "these as the known calls of the same time of day are."
            if self.unknown
            else f"Every call has its {self.key}."
        )

    def to_frame(self) -> pl.DataFrame:
        """Calls and handle time by key, the most calls first."""
        import polars as pl

        work = (pl.col("calls") * pl.col("aht_s").fill_null(0)).sum()
        return (
            self.demand.group_by(self.key)
            .agg(pl.col("calls").sum(), aht_s=work / pl.col("calls").sum())
            .sort("calls", self.key, descending=[True, False])
        )


def shared_out(demand: Any, key: str, *, fewest: int = 2) -> SharedOut:
    """Share out the calls whose key is unknown, in proportion to the known ones.

    A log knows some keys only once somebody answered (the site), or once a caller waited (the
    tier). Calls without the key are given to the keys in proportion to the known calls of the same
    time of day over all days, which is right where having no key says nothing of which it was.

    Parameters
    ----------
    demand
        Frame of ``log.demand(every, by=[key])``.
    key
        The key column, null where unknown.
    fewest
        Keys with calls that there must be.

    Raises
    ------
    DataError
        Fewer such keys: there is nothing to compare.
    InputError
        No such column.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> at = datetime(2025, 3, 3, 9, tzinfo=timezone.utc)
    >>> frame = pl.DataFrame({"interval_start": [at] * 3, "interval_s": [1800] * 3,
    ...     "site": ["a", "b", None], "calls": [30.0, 10.0, 4.0], "aht_s": [200.0, 100.0, None]})
    >>> shared_out(frame, "site").demand.select("site", "calls").rows()
    [('a', 33.0), ('b', 11.0)]
    """
    import polars as pl

    if not isinstance(demand, pl.DataFrame):
        import narwhals.stable.v2 as nw

        try:
            demand = nw.from_native(demand, eager_only=True).to_polars()
        except TypeError as error:
            raise InputError(
                "demand must be a polars or pandas frame", f"got {type(demand).__name__}"
            ) from error
    for name in ("interval_start", "calls", "aht_s"):
        if name not in demand.columns:
            raise InputError(
                "the demand frame lacks a column",
                f"column {name!r}",
                "take log.demand(every, by=[…])",
            )
    if not isinstance(key, str) or key not in demand.columns:
        raise InputError("the demand has no such key", f"key={key!r}", f"log.demand(by=[{key!r}])")
    known = demand.filter(pl.col(key).is_not_null())
    with_calls = known.group_by(key).agg(pl.col("calls").sum()).filter(pl.col("calls") > 0)
    if with_calls.height < fewest:
        raise DataError(
            f"the log tells {'no' if not with_calls.height else 'only one'} {key} apart, so there "
            "is nothing to compare",
            f"column {key} of calls",
            f"load calls with their {key}",
        )
    keys = [name for name in known.columns if name not in MEASURES and name != key]
    clock = pl.col("local_start" if "local_start" in demand.columns else "interval_start")
    lost = demand.filter(pl.col(key).is_null() & (pl.col("calls") > 0)).select(
        *keys, "interval_start", _lost="calls"
    )
    known = known.filter(pl.col(key).is_in(with_calls[key].implode()))
    unknown = float(lost["_lost"].sum())
    total = unknown + float(known["calls"].sum())
    if unknown:
        known = known.with_columns(_clock=clock.dt.time())
        at_time = pl.col("calls").sum().over([*keys, key, "_clock"])
        all_time = pl.col("calls").sum().over([*keys, key])
        known = known.with_columns(_own=at_time, _all=all_time).with_columns(
            _share=pl.col("_own") / pl.col("_own").sum().over([*keys, "interval_start"]),
            _rest=pl.col("_all") / pl.col("_all").sum().over([*keys, "interval_start"]),
        )
        share = pl.when(pl.col("_share").is_nan()).then("_rest").otherwise("_share")
        work = (pl.col("calls") * pl.col("aht_s")).sum() / pl.col("calls").sum()
        usual = known.filter(pl.col("aht_s").is_not_null()).group_by(key).agg(_usual=work)
        known = (
            known.join(lost, on=[*keys, "interval_start"], how="left", maintain_order="left")
            .with_columns(calls=pl.col("calls") + pl.col("_lost").fill_null(0.0) * share)
            .join(usual, on=key, how="left", maintain_order="left")
            .with_columns(aht_s=pl.coalesce("aht_s", "_usual"))
            .drop("_clock", "_own", "_all", "_share", "_rest", "_lost", "_usual")
        )
    share_of = unknown / total if total else 0.0
    checks = (
        (
            Check(
                f"Unknown {key}",
                "fails" if share_of > 0.3 else "informs",
                f"{share_of:.1%} of calls have no {key} in the log; they are shared out as the "
                "known calls of the same time of day",
            ),
        )
        if unknown
        else ()
    )
    return SharedOut(
        demand=known,
        key=key,
        unknown=share_of,
        inputs={"key": key, "fewest": fewest},
        checks=checks,
    )
