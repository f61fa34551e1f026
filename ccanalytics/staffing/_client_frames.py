"""Frames of client plans: arrangements, clients, agents by interval, and the frontier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from ccanalytics.staffing._pool_search import Outcome
    from ccanalytics.staffing._pool_tables import Portfolio

__all__ = ["frames_of"]


def frames_of(
    plans: Mapping[str, Sequence[tuple[str, Any]]], portfolio: Portfolio, starts: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Frames of arrangements, of clients, of agents, and of the frontier."""
    import polars as pl

    rows, clients, agents, frontier = [], [], [], []
    for name, pools in plans.items():
        members = [pool.tables.members for _, pool in pools]
        whole = _whole([pool.best for _, pool in pools], members, portfolio)
        rows.append(
            {
                "arrangement": name,
                "pools": len(pools),
                "seats": sum(int(pool.best.agents.max()) for _, pool in pools),
                **whole,
            }
        )
        for label, pool in pools:
            clients += [
                {
                    "arrangement": name,
                    "client": portfolio.names[member],
                    "pool": label,
                    "calls": float(portfolio.calls[member].sum()),
                    "target_service_level": portfolio.contracts[member].goal.share,
                    "service_level": float(pool.best.levels[k]),
                    "missed": float(pool.best.missed[k]),
                    "revenue": float(pool.best.bills[k]),
                    "penalty": float(pool.best.penalties[k]),
                }
                for k, member in enumerate(pool.tables.members)
            ]
            agents.append(
                pl.DataFrame({"interval_start": starts, "agents": pool.best.agents}).select(
                    pl.lit(name).alias("arrangement"), pl.lit(label).alias("pool"), pl.all()
                )
            )
        points = [
            _whole(list(each), members, portfolio)
            for each in zip(*(pool.frontier for _, pool in pools), strict=True)
        ]
        kept = {(round(p["cost"], 6), round(p["service_level"], 9)): p for p in points}
        frontier += [{"arrangement": name, **point, "chosen": False} for point in kept.values()]
        frontier.append({"arrangement": name, **whole, "chosen": True})
    table = pl.DataFrame(rows, infer_schema_length=None)
    table = table.with_columns(profit_gained=pl.col("profit") - table["profit"][0])
    order = {name: k for k, name in enumerate(portfolio.names)}
    by_client = pl.DataFrame(clients, infer_schema_length=None)
    position = by_client["client"].replace_strict(order, return_dtype=pl.Int64)
    by_client = (
        by_client.with_columns(_p=position, _a=pl.col("arrangement").rle_id())
        .sort("_a", "_p", maintain_order=True)
        .drop("_a", "_p")
    )
    edge = pl.DataFrame(frontier, infer_schema_length=None).sort(
        pl.col("arrangement").rle_id(), "cost", maintain_order=True
    )
    return table, by_client, pl.concat(agents), edge


def _whole(
    outcomes: Sequence[Outcome], members: Sequence[Sequence[int]], portfolio: Portfolio
) -> dict[str, float]:
    """Totals of an arrangement."""
    hours = sum(one.hours for one in outcomes)
    calls = portfolio.calls.sum(axis=1)
    served = sum(
        float(one.levels @ calls[list(who)]) for one, who in zip(outcomes, members, strict=True)
    )
    revenue = float(np.sum([one.bills.sum() for one in outcomes]))
    penalty = float(np.sum([one.penalties.sum() for one in outcomes]))
    cost = float(np.sum([one.cost for one in outcomes]))
    return {
        "agent_hours": hours,
        "occupancy": sum(one.busy_hours for one in outcomes) / hours if hours else 0.0,
        "service_level": served / float(calls.sum()),
        "revenue": revenue,
        "cost": cost,
        "penalty": penalty,
        "profit": revenue - cost - penalty,
    }
