"""Clients: dedicated against shared seats, and the staff that leaves most after penalties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._pool_search import best_staff
from ccanalytics.staffing._pool_tables import PoolTables, Portfolio
from ccanalytics.staffing._seats import Rules, check_number, check_share, counted
from ccanalytics.staffing._site_demand import sites_of
from ccanalytics.staffing.contracts import Contract, check_definition, contracts_of
from ccanalytics.staffing.shrinkage import shrinkage_share
from ccanalytics.staffing.sites import arrangements_of

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing._pool_search import Outcome
    from ccanalytics.staffing._site_demand import Sites
    from ccanalytics.staffing.shrinkage import Shrinkage

    Wholes = NDArray[np.int64]

__all__ = ["ClientPlans", "client_plans"]

_MOST_SEARCHED = 5  # clients: 31 pools, 52 ways to share
_LIVABLE = 0.92
_FEW = 100  # calls of a window below which a normal law of its service is rough


@dataclass(frozen=True, eq=False, kw_only=True)
class ClientPlans(Result):
    """Ways to seat agents for several clients, each with its most profitable staff.

    Money is over the span of the demand (a day, if that is a typical day), penalties as expected.

    Attributes
    ----------
    frame
        Per arrangement: ``pools``, ``seats`` (most agents of any interval, added over pools),
        ``agent_hours``, ``occupancy``, ``service_level`` (of all calls, each by its client's
        definition), ``revenue``, ``cost``, ``penalty``, ``profit``, and ``profit_gained`` against
        the first arrangement.
    clients
        Per arrangement and client: ``pool``, ``calls``, ``target_service_level``,
        ``service_level``, ``missed`` (chance that a window misses the goal), ``revenue``,
        ``penalty``.
    agents
        Per arrangement, pool and interval: ``agents``.
    frontier
        Per arrangement, the efficient plans from cheap to good: ``cost``, ``occupancy``,
        ``service_level``, ``penalty``, ``profit``, and whether it is the ``chosen`` one.
    """

    frame: pl.DataFrame
    clients: pl.DataFrame
    agents: pl.DataFrame
    frontier: pl.DataFrame

    @property
    def best(self) -> dict[str, Any]:
        """The row of the most profitable arrangement."""
        return self.frame.row(int(self.frame["profit"].arg_max() or 0), named=True)

    def summary(self) -> str:
        """The most profitable arrangement, what it brings, and against which other."""
        best, first = self.best, self.frame.row(0, named=True)
        answer = (
            f"{best['arrangement'].capitalize()} seats leave most: a {_result(best['profit'])} "
            f"(revenue {best['revenue']:,.0f}, seats {best['cost']:,.0f}, "
            f"expected penalties {best['penalty']:,.0f})"
        )
        if best is not first and best["arrangement"] != first["arrangement"]:
            hours = first["agent_hours"] - best["agent_hours"]
            answer += (
                f", {best['profit_gained']:,.0f} more than {first['arrangement']} seats, with "
                f"{abs(hours):,.0f} agent-hours {'fewer' if hours >= 0 else 'more'}"
            )
        days, keep = counted(self.inputs["days"], "day"), self.inputs["keep"]
        kept = f" while every promise is kept with a chance of {keep:.0%}" if keep else ""
        return (
            f"{answer}. Agents are busy {best['occupancy']:.1%} of the time, and "
            f"{best['service_level']:.1%} of calls are served as their contracts promise to count. "
            f"Over {days}; staff of every interval chosen so that revenue less seats less expected "
            f"penalties is greatest{kept}; {self.inputs['model']}, every interval in steady state."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the arrangements."""
        return self.frame

    def table(self) -> pl.DataFrame:
        """Give the arrangements as a table to read."""
        return self.frame.drop("profit_gained")

    def client_table(self) -> pl.DataFrame:
        """Give the clients of the most profitable arrangement as a table to read."""
        rows = self.clients.filter(self.clients["arrangement"] == self.best["arrangement"])
        return rows.drop("arrangement")


def client_plans(
    demand: Any,
    contracts: Iterable[Contract],
    arrangements: Mapping[str, Any] | None = None,
    *,
    cost_per_hour: float,
    client: str = "client",
    shared_premium: float = 0.0,
    goal: ServiceLevel | None = None,
    keep: float = 0.0,
    cv: float = 0.0,
    patience: Any = None,
    max_occupancy: float | None = None,
    shrinkage: float | Shrinkage = 0.0,
) -> ClientPlans:
    r"""Find the staff with the greatest expected profit, for dedicated and for shared seats.

    Profit is what clients pay, less the hours of agents, less the penalties to expect. A window of
    a contract misses its goal with the chance Φ(−m/s), where m is the mean of the calls served in
    time less the share promised of all, and s² its variance, in which waits that come in bunches
    count (see Notes). Agents of a shared pool take the calls of all its clients in their order.

    Parameters
    ----------
    demand
        Frame of ``log.demand(every, by=["client"])``, or of a typical day. Its days stand for all
        days of windows longer than a day.
    contracts
        One :class:`Contract` for every client of the demand.
    arrangements
        Name → ``"dedicated"``, ``"shared"``, or a mapping from clients to pools (who is not named
        has seats of their own). Default: both extremes, and, for at most five clients, the best of
        all ways to pool them where it is neither.
    cost_per_hour
        Price of a paid hour of an agent, in the currency of the contracts.
    client
        Column that names the client.
    shared_premium
        Share by which an hour of an agent who knows several clients costs more, 0 or more.
    goal
        A service level that the house promises itself in every interval besides. It must be counted
        as the contracts count.
    keep
        Chance (0–1) with which every window of every contract must be kept, however dear; 0: what
        pays most, even if that is to miss.
    cv
        How uncertain a day's volume is: standard deviation over mean, the same factor all day.
    patience, max_occupancy, shrinkage
        As for :func:`~ccanalytics.staffing.site_plans`; shrinkage makes an hour dearer, unrounded.

    Returns
    -------
    ClientPlans

    Raises
    ------
    InputError
        A client without calls or without a contract, a contract that contradicts itself or the
        goal, an arrangement with a client who does not exist; each is named.

    Notes
    -----
    The binomial variance of a service level is several times too small, because a full queue fails
    many calls in a row; the variance used is that of the stationary queue. Against simulation the
    standard deviation was 0 to 10% too small. Intervals are taken as independent. The search looks
    at plans of the efficient frontier, then moves single agents and pairs of them; with few
    intervals it finds the optimum of every plan there is (tested), with many it may stop short.
    Agents of a client's own beside a shared pool have no formula: simulate them with ``skills``.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> from ccanalytics import ServiceLevel
    >>> frame = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 9, tzinfo=timezone.utc)] * 2,
    ...     "interval_s": [1800] * 2, "calls": [60.0, 40.0], "aht_s": [180.0] * 2,
    ...     "client": ["North", "South"]})
    >>> goal = ServiceLevel(0.80, within=20)
    >>> terms = {"goal": goal, "window": "day", "price_per_call": 2.0, "penalty": 40.0}
    >>> found = client_plans(frame, [Contract(client="North", **terms),
    ...                              Contract(client="South", **terms)], cost_per_hour=15.0)
    >>> found.frame.select("arrangement", "seats").rows()
    [('dedicated', 18), ('shared', 15)]
    """
    rules = Rules(goal, shrinkage, patience, max_occupancy) if goal is not None else None
    price = check_number("cost_per_hour", cost_per_hour)
    if price <= 0:
        raise InputError("an hour of an agent has a price above 0", f"cost_per_hour={price:g}")
    if check_number("shared_premium", shared_premium) < 0:
        raise InputError("a premium is 0 or more", f"shared_premium={shared_premium!r}")
    if not 0 <= check_number("cv", cv) <= 2:
        raise InputError("a coefficient of variation is 0 to 2", f"cv={cv!r}", "write 10% as 0.1")
    check_share("keep", keep, low=0, allow_one=False)
    if max_occupancy is not None:
        check_share("max_occupancy", max_occupancy, low=0, allow_one=True)
    sites = sites_of(demand, client)
    terms = contracts_of(contracts, sites.names)
    if goal is not None:
        for contract in terms.values():
            check_definition(contract, goal)
    portfolio = Portfolio(
        sites.names, list(terms.values()), sites.per, sites.calls, sites.work,
        _day_numbers(demand, sites), patience, max_occupancy, goal,
        price / (1 - shrinkage_share(shrinkage)), float(shared_premium), float(cv), float(keep),
    )  # fmt: skip
    chosen = _chosen(arrangements, sites.names)
    known: dict[tuple[int, ...], _Pool] = {}

    def pool(members: tuple[int, ...]) -> _Pool:
        if members not in known:
            known[members] = _Pool(PoolTables(portfolio, members))
        return known[members]

    if arrangements is None and 2 < len(sites.names) <= _MOST_SEARCHED:
        best = _best_partition(len(sites.names), lambda members: pool(members).best.score)
        if 1 < len(best) < len(sites.names):
            named = [" + ".join(sites.names[k] for k in members) for members in best]
            chosen["partly shared"] = {
                sites.names[k]: name
                for name, members in zip(named, best, strict=True)
                for k in members
            }
    plans = {
        name: [(label, pool(members)) for label, members in _pools(way, sites.names)]
        for name, way in chosen.items()
    }
    from ccanalytics.staffing._client_frames import frames_of

    frame, by_client, agents, frontier = frames_of(plans, portfolio, sites.starts)
    model = Rules(next(iter(terms.values())).goal, 0.0, patience, max_occupancy).words()
    return ClientPlans(
        frame=frame,
        clients=by_client,
        agents=agents,
        frontier=frontier,
        inputs={
            "contracts": tuple(terms.values()),
            "cost_per_hour": price,
            "shared_premium": shared_premium,
            "goal": goal.describe() if goal else None,
            "keep": keep,
            "cv": cv,
            "patience": patience,
            "max_occupancy": max_occupancy,
            "shrinkage": shrinkage_share(shrinkage),
            "days": portfolio.days,
            "model": rules.words() if rules else model,
        },
        checks=_checks(frame, by_client, portfolio),
    )


def _result(money: float) -> str:
    """Write what is left, by its name.

    >>> _result(1200.4), _result(-30.0)
    ('profit of 1,200', 'loss of 30')
    """
    return f"{'profit' if round(money) >= 0 else 'loss'} of {abs(money):,.0f}"


class _Pool:
    """One pool with its tables, its best staff and its frontier."""

    def __init__(self, tables: PoolTables) -> None:
        self.tables = tables
        self.best: Outcome
        self.frontier: list[Outcome]
        self.best, self.frontier = best_staff(tables)


def _chosen(arrangements: Any, names: list[str]) -> dict[str, dict[str, str]]:
    words = {"dedicated": "separate", "shared": "pooled"}
    given = {"dedicated": "dedicated", "shared": "shared"} if arrangements is None else arrangements
    if isinstance(given, Mapping):
        given = {
            name: words.get(way, way) if isinstance(way, str) else way
            for name, way in given.items()
        }
    return arrangements_of(given, names)


def _pools(way: Mapping[str, str], names: list[str]) -> list[tuple[str, tuple[int, ...]]]:
    labels = list(dict.fromkeys(way[name] for name in names))
    return [
        ("all clients" if label == "all sites" else label,
         tuple(k for k, name in enumerate(names) if way[name] == label))
        for label in labels
    ]  # fmt: skip


def _best_partition(count: int, profit: Any) -> list[tuple[int, ...]]:
    """Pools with the greatest profit in all, over every way to share."""
    best: dict[int, tuple[float, list[tuple[int, ...]]]] = {0: (0.0, [])}
    for mask in range(1, 2**count):
        lowest, part = mask & -mask, mask
        while part:
            if part & lowest:
                members = tuple(k for k in range(count) if part >> k & 1)
                rest, pools = best[mask ^ part]
                total = rest + profit(members)
                if mask not in best or total > best[mask][0] + 1e-9:
                    best[mask] = (total, [*pools, members])
            part = (part - 1) & mask
    return best[2**count - 1][1]


def _day_numbers(demand: Any, sites: Sites) -> Wholes:
    """Local day of every interval, from 0."""
    import polars as pl

    if not isinstance(demand, pl.DataFrame):
        import narwhals.stable.v2 as nw

        demand = nw.from_native(demand, eager_only=True).to_polars()
    clock = "local_start" if "local_start" in demand.columns else "interval_start"
    at = demand.select(
        pl.col("interval_start").dt.convert_time_zone("UTC").dt.cast_time_unit("us"),
        _day=pl.col(clock).dt.date(),
    ).unique("interval_start")
    days = pl.DataFrame({"interval_start": sites.starts}).join(
        at, on="interval_start", how="left", maintain_order="left"
    )["_day"]
    return days.rank("dense").to_numpy().astype(np.int64) - 1


def _checks(frame: pl.DataFrame, clients: pl.DataFrame, portfolio: Portfolio) -> tuple[Check, ...]:
    best = frame.row(int(frame["profit"].arg_max() or 0), named=True)
    checks = []
    rows = clients.filter(clients["arrangement"] == best["arrangement"])
    cheap = rows.filter(rows["missed"] > 0.5)["client"].to_list()
    promised = [c.client for c in portfolio.contracts if not c.penalised]
    short = rows.filter(rows["missed"] > 1 - portfolio.keep + 1e-9)["client"].to_list()
    if portfolio.keep:
        words = (
            f"{', '.join(short)}: no staff that was found keeps the promise with a chance of "
            f"{portfolio.keep:.0%}"
            if short
            else f"every window of every contract is kept with a chance of {portfolio.keep:.0%} or "
            "more"
        )
        checks.append(Check("Promises", "fails" if short else "holds", words))
    elif cheap:
        words = (
            f"{', '.join(cheap)}: the goal is missed more often than not; by these prices and "
            "penalties it pays to miss it"
        )
        checks.append(Check("Promises", "fails", words))
    else:
        words = "the most profitable staff keeps every contract more often than not"
        checks.append(Check("Promises", "holds", words))
    if promised and not portfolio.keep:
        words = (
            f"{', '.join(promised)}: nothing is lost when the goal is missed, so nothing is done "
            "for it"
        )
        checks.append(Check("Penalties", "informs", words))
    if best["occupancy"] > _LIVABLE:
        words = (
            f"{best['arrangement']}: agents would be busy {best['occupancy']:.1%} of the time, "
            f"above {_LIVABLE:.0%}; set max_occupancy and look again"
        )
        checks.append(Check("Occupancy", "fails", words))
    small = [
        contract.client
        for contract, calls in zip(portfolio.contracts, portfolio.calls, strict=True)
        if contract.penalised and _window_calls(contract, calls, portfolio) < _FEW
    ]
    if small:
        words = (
            f"{', '.join(small)}: fewer than {_FEW} calls a window, so that the chance to miss it "
            "is rough"
        )
        checks.append(Check("Small windows", "informs", words))
    if not portfolio.cv and any(c.penalised and c.window_days for c in portfolio.contracts):
        words = (
            "the mean volume is taken as certain; give cv, and busier days than that enter the "
            "penalties"
        )
        checks.append(Check("Volume", "informs", words))
    return tuple(checks)


def _window_calls(contract: Contract, calls: Any, portfolio: Portfolio) -> float:
    some = calls[calls > 0]
    if contract.window_days == 0:
        return float(some.mean())
    return float(calls.sum()) / portfolio.days * contract.window_days
