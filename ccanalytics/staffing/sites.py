"""Sites: what answering together saves, for any way of putting them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import Rules, check_number, check_share, counted
from ccanalytics.staffing._site_demand import sites_of

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing._site_demand import Sites
    from ccanalytics.staffing.shrinkage import Shrinkage

    Floats = NDArray[np.float64]

__all__ = ["SitePlans", "arrangements_of", "bound_shares", "site_plans"]

_LIVABLE = 0.92  # occupancy beyond which agents have hardly a breath between calls


@dataclass(frozen=True, eq=False, kw_only=True)
class SitePlans(Result):
    """Several arrangements of the same sites, and what each takes.

    Attributes
    ----------
    frame
        Per arrangement: ``pools``, ``seats`` (the sum over pools of the most agents of any
        interval), ``agent_hours`` (seated), ``scheduled_hours``, ``occupancy`` (of the whole time
        seated) and ``busiest_occupancy`` (of the busiest interval), ``service_level`` (of all
        calls), ``cost``, and what it saves against the first: ``seats_saved``,
        ``agent_hours_saved``, ``cost_saved``; ``square_root_hours`` is the square-root law's
        guess from the first arrangement.
    pools
        Per arrangement and pool: ``sites``, ``calls``, ``seats``, ``agent_hours``.
    """

    frame: pl.DataFrame
    pools: pl.DataFrame

    def summary(self) -> str:
        """What each arrangement takes, in words."""
        rows = list(self.frame.iter_rows(named=True))
        told = "; ".join(
            f"{row['arrangement']}: {counted(row['seats'], 'seat')} and {row['agent_hours']:,.0f} "
            f"agent-hours in {counted(row['pools'], 'pool')}, agents busy {row['occupancy']:.1%} "
            "of the time"
            for row in rows
        )
        best = min(rows, key=lambda row: row["agent_hours"])
        saved = (
            f"{best['arrangement'].capitalize()} takes {best['agent_hours_saved']:,.0f} agent-hours"
            f" ({best['agent_hours_saved'] / rows[0]['agent_hours']:.1%}) and "
            f"{counted(best['seats_saved'], 'seat')} fewer than {rows[0]['arrangement']}. "
            if best is not rows[0] and rows[0]["agent_hours"]
            else ""
        )
        return (
            f"{saved}{told[:1].upper()}{told[1:]}. {self.inputs['goal']}, {self.inputs['model']}, "
            f"every interval by itself; {self.inputs['bound_words']}."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the arrangements."""
        return self.frame

    def table(self) -> pl.DataFrame:
        """Give the arrangements as a table to read: what was not asked is left out."""
        wanted = ("pools", "seats", "agent_hours", "scheduled_hours", "cost", "occupancy",
                  "busiest_occupancy", "service_level")  # fmt: skip
        known = [name for name in wanted if not self.frame[name].is_null().all()]
        return self.frame.select("arrangement", *known)


def site_plans(
    demand: Any,
    goal: ServiceLevel,
    arrangements: Mapping[str, Any] | None = None,
    *,
    site: str = "site",
    bound: float | Mapping[str, float] = 0.0,
    patience: Any = None,
    max_occupancy: float | None = None,
    min_agents: int = 0,
    shrinkage: float | Shrinkage = 0.0,
    cost_per_hour: float | None = None,
) -> SitePlans:
    r"""Set ways of putting sites together side by side.

    A pool answers the calls of its sites as one queue: its load is the sum of theirs, and the
    agents on top of the load grow with its square root only, n ≈ R + β√R. That law, with β taken
    from the first arrangement, stands beside the exact figures as a cross-check.

    Parameters
    ----------
    demand
        Frame of ``log.demand(every, by=["site"])``.
    goal
        The service level wanted in every interval of every pool.
    arrangements
        Name → ``"separate"``, ``"pooled"``, or a mapping from sites to pools (sites that it does
        not name stay by themselves). Default: both extremes. The first is what others are held
        against.
    site
        Column that names the site.
    bound
        Share of a site's calls that no other site may answer (dialect, licence, skill), 0–1; one
        number, or a mapping from sites. They get agents of their own at their site, which is what
        the least flexible centre needs: see Notes.
    patience, max_occupancy, min_agents, shrinkage
        As for :func:`~ccanalytics.staffing.requirement`.
    cost_per_hour
        Price of a scheduled hour.

    Returns
    -------
    SitePlans

    Raises
    ------
    InputError
        A site without calls, an arrangement that names a site which does not exist, intervals of
        different length.

    Notes
    -----
    With bound calls the truth lies between two plans: agents who take only bound or only free
    calls (given here), and agents of one pool who take everything (the same with ``bound=0``).
    Agents of two kinds come near the second (Wallace and Whitt 2005); the simulator tells how near
    (``simulate`` with ``skills``).

    References
    ----------
    W. Whitt, Understanding the efficiency of multi-server service systems, Management Science 38
    (1992), 708–723; R. Wallace, W. Whitt, Manufacturing & Service Operations Management 7 (2005).

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> from ccanalytics import ServiceLevel
    >>> frame = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 9, tzinfo=timezone.utc)] * 250,
    ...     "interval_s": [1800] * 250, "calls": [100.0] * 250, "aht_s": [180.0] * 250,
    ...     "site": [f"site {k:03}" for k in range(250)]})
    >>> found = site_plans(frame, ServiceLevel(0.80, within=20))
    >>> found.frame["seats"].to_list()
    [3500, 2512]
    """
    import polars as pl

    rules = Rules(goal, shrinkage, patience, max_occupancy, None, min_agents)
    if cost_per_hour is not None:
        cost_per_hour = check_number("cost_per_hour", cost_per_hour)
        if cost_per_hour < 0:
            raise InputError("a price is 0 or more", f"cost_per_hour={cost_per_hour:g}")
    sites = sites_of(demand, site)
    names = sites.names
    own = bound_shares(bound, names)
    chosen = arrangements_of(arrangements, names)
    tables, pools = [], []
    first: dict[str, Any] | None = None
    for name, pool_of in chosen.items():
        table, by_pool, beta = _plan(sites, pool_of, own, rules, cost_per_hour)
        if first is None:
            first = {**table, "beta": beta}
        table["square_root_hours"] = table.pop("_load_hours") + first["beta"] * table.pop("_roots")
        for what in ("seats", "agent_hours", "cost"):
            both = None not in (table[what], first[what])
            table[f"{what}_saved"] = first[what] - table[what] if both else None
        tables.append({"arrangement": name, **table})
        pools.append(by_pool.select(pl.lit(name).alias("arrangement"), pl.all()))
    frame = pl.DataFrame(tables, infer_schema_length=None)
    shares = sorted(set(own.values()))
    words = (
        "every site may answer every call of its pool"
        if shares == [0.0]
        else f"{shares[0]:.0%} of calls are bound to their site"
        if len(shares) == 1
        else f"{shares[0]:.0%} to {shares[-1]:.0%} of calls are bound to their site"
    )
    return SitePlans(
        frame=frame,
        pools=pl.concat(pools),
        inputs={
            **rules.inputs(),
            "model": rules.words(),
            "sites": len(names),
            "bound": bound,
            "bound_words": words,
            "cost_per_hour": cost_per_hour,
        },
        checks=_checks(frame, own),
    )


def bound_shares(bound: Any, names: list[str]) -> dict[str, float]:
    """Give every site its share of bound calls, checked."""
    if isinstance(bound, Mapping):
        unknown = sorted(set(map(str, bound)) - set(names))
        if unknown:
            raise InputError(
                "there is no such site", f"bound: {unknown[0]!r}", f"one of: {', '.join(names[:8])}"
            )
        shares = {name: bound.get(name, 0.0) for name in names}
    else:
        shares = dict.fromkeys(names, bound)
    for name, share in shares.items():
        check_share(f"bound of {name!r}" if isinstance(bound, Mapping) else "bound", share,
                    low=0, allow_one=True)  # fmt: skip
    return {name: float(share) for name, share in shares.items()}


def arrangements_of(arrangements: Any, names: list[str]) -> dict[str, dict[str, str]]:
    """Give every arrangement as a mapping from sites to pools, checked."""
    if arrangements is None:
        arrangements = {"separate": "separate", "pooled": "pooled"}
    if not isinstance(arrangements, Mapping) or not arrangements:
        raise InputError(
            "arrangements have names",
            f"arrangements={arrangements!r}",
            'such as {"separate": "separate", "two": {"a": "north", "b": "north"}}',
        )
    chosen = {}
    for name, way in arrangements.items():
        if isinstance(way, Mapping):
            unknown = sorted(set(map(str, way)) - set(names))
            if unknown:
                raise InputError(
                    "this arrangement names a site that the demand does not have",
                    f"{name!r}: {unknown[0]!r}",
                    f"one of: {', '.join(names[:8])}" + (" …" if len(names) > 8 else ""),
                )
            chosen[str(name)] = {each: str(way.get(each, each)) for each in names}
        elif way == "separate":
            chosen[str(name)] = {each: each for each in names}
        elif way == "pooled":
            chosen[str(name)] = dict.fromkeys(names, "all sites")
        else:
            raise InputError(
                "no such arrangement", f"{name!r}: {way!r}",
                "'separate', 'pooled', or a mapping from sites to pools",
            )  # fmt: skip
    return chosen


def _plan(
    sites: Sites,
    pool_of: dict[str, str],
    own: dict[str, float],
    rules: Rules,
    cost_per_hour: float | None,
) -> tuple[dict[str, Any], pl.DataFrame, float]:
    """One arrangement: its totals, its pools, and the β of the square-root law in it."""
    import polars as pl

    names, members = _members(pool_of, own)
    calls, aht = sites.joined(members)
    per = np.broadcast_to(sites.per, calls.shape)
    agents = rules.agents_for(calls, per, aht)
    busy, level = _served(calls, per, aht, agents, rules)
    hours = sites.per / 3600
    offered = np.where(calls > 0, calls * aht / per, 0.0)
    seated, scheduled = agents @ hours, rules.scheduled(agents) @ hours
    pools = pl.DataFrame(
        {
            "pool": names,
            "sites": (members > 0).sum(axis=1),
            "calls": calls.sum(axis=1),
            "seats": agents.max(axis=1),
            "agent_hours": seated,
            "scheduled_hours": scheduled,
        }
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        occupancy = np.where(agents > 0, busy / agents, 0.0)
    roots, load_hours = float((np.sqrt(offered) @ hours).sum()), float((offered @ hours).sum())
    total = float(seated.sum())
    paid = float(scheduled.sum())
    table = {
        "pools": len(names),
        "seats": int(pools["seats"].sum()),
        "agent_hours": total,
        "scheduled_hours": paid,
        "occupancy": float((busy @ hours).sum()) / total if total else None,
        "busiest_occupancy": float(occupancy.max(initial=0.0)),
        "service_level": float((level * calls).sum() / calls.sum()),
        "cost": None if cost_per_hour is None else paid * cost_per_hour,
        "_load_hours": load_hours,
        "_roots": roots,
    }
    return table, pools, (total - load_hours) / roots if roots else 0.0


def _members(pool_of: dict[str, str], own: dict[str, float]) -> tuple[list[str], Floats]:
    """Name the pools, and give the share of each site's calls that they take."""
    sites = list(pool_of)
    names = list(dict.fromkeys(pool_of.values()))
    members = np.zeros((len(names), len(sites)))
    for column, site in enumerate(sites):
        members[names.index(pool_of[site]), column] = 1.0
    # Alone, a site answers all its calls with the same agents, bound or not.
    together = members.sum(axis=1) > 1
    tied = [c for c, s in enumerate(sites) if own[s] and together[names.index(pool_of[s])]]
    for column in tied:
        bound = np.zeros((1, len(sites)))
        bound[0, column] = own[sites[column]]
        members[:, column] *= 1 - own[sites[column]]
        members = np.vstack([members, bound])
        names.append(f"{sites[column]} (bound)")
    kept = members.sum(axis=1) > 0
    return [name for name, keep in zip(names, kept, strict=True) if keep], members[kept]


def _served(
    calls: Floats, per: Floats, aht: Floats, agents: Any, rules: Rules
) -> tuple[Floats, Floats]:
    """Busy agents and service level; each combination of numbers is computed once."""
    from ccanalytics.queueing import Queue

    busy, level = np.zeros(calls.shape), np.ones(calls.shape)
    some = (calls > 0) & (agents > 0)
    if some.any():
        table = np.column_stack([each[some] for each in (calls, per, aht, agents)])
        order = np.lexsort(table.T)
        new = np.r_[True, (np.diff(table[order], axis=0) != 0).any(axis=1)]
        stands, of = order[new], np.empty(order.size, np.intp)
        of[order] = np.cumsum(new) - 1
        own = table[stands].T
        queue = Queue(own[0], own[1], own[2], patience=rules.patience)
        found = queue.performance(own[3])
        busy[some] = np.asarray(found.occupancy)[of] * agents[some]
        level[some] = np.asarray(found.service_level(rules.goal))[of]
    return busy, level


def _checks(frame: pl.DataFrame, own: dict[str, float]) -> tuple[Check, ...]:
    checks = []
    hot = frame.filter(frame["occupancy"] > _LIVABLE)
    if hot.height:
        row = hot.sort("occupancy").row(-1, named=True)
        words = (
            f"{row['arrangement']}: agents would be busy {row['occupancy']:.1%} of the time, "
            f"above {_LIVABLE:.0%}, with hardly a breath between calls; set max_occupancy and look "
            "again"
        )
        checks.append(Check("Occupancy", "fails", words))
    else:
        most = float(frame["occupancy"].to_numpy().max())
        words = f"at most {most:.1%}; above {_LIVABLE:.0%} there is hardly a breath between calls"
        checks.append(Check("Occupancy", "holds", words))
    hours = frame["agent_hours"].to_numpy()
    off = float(np.abs(frame["square_root_hours"].to_numpy() / np.maximum(hours, 1e-9) - 1).max())
    words = (
        f"n = R + β√R with β of the first arrangement is off by {off:.1%} of the agent-hours at "
        "most"
    )
    checks.append(Check("Square-root law", "holds" if off < 0.1 else "informs", words))
    if any(own.values()):
        words = (
            "bound calls have agents of their own here; agents who take both kinds need fewer, "
            "down to those of bound=0"
        )
        checks.append(Check("Bound calls", "informs", words))
    return tuple(checks)
