"""Who shares agents with whom: sites, tiers and clients of one log, answered together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import CcanalyticsError, DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import Rules, counted
from ccanalytics.staffing.clients import client_plans
from ccanalytics.staffing.contracts import read_contracts
from ccanalytics.staffing.merging import merge_order
from ccanalytics.staffing.shared_out import shared_out
from ccanalytics.staffing.site_overflow import site_overflow
from ccanalytics.staffing.sites import site_plans
from ccanalytics.staffing.tier_rules import tier_rules
from ccanalytics.staffing.tiers import tier_promise
from ccanalytics.staffing.typical import typical_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["Sharing", "read_groups", "sharing"]

_PARTS = ("site", "tier", "client")
_WORDS = {
    "site": "at which site calls were answered",
    "tier": "which tier callers belong to",
    "client": "whose customers the callers are",
}
_LIVABLE = 0.92


@dataclass(frozen=True, eq=False, kw_only=True)
class Sharing(Result):
    """What a log says of sharing agents; a part that it cannot tell is named with the reason.

    Attributes
    ----------
    parts
        ``site_calls``, ``sites``, ``merging``, ``overflow``, ``tier_calls``, ``tiers``, ``rules``,
        ``client_calls``, ``clients``, and ``clients_free``, where a promise is kept only as far as
        that pays: each a Result of its own.
    missing
        Name of each part that is not there, and why.
    day
        The day that all of it is about, in words.
    """

    parts: Mapping[str, Result]
    missing: Mapping[str, str]
    day: str

    def part(self, name: str) -> Any:
        """One of the parts.

        Raises
        ------
        DataError
            This log cannot tell it; the message says why.
        """
        if name in self.parts:
            return self.parts[name]
        raise DataError(self.missing.get(name, "there is no such part"))

    def summary(self) -> str:
        """What sharing brings, in a sentence for sites, tiers and clients each."""
        told = []
        if "sites" in self.parts:
            told.append(self._of_sites())
        if "tiers" in self.parts:
            told.append(self._of_tiers())
        if "clients" in self.parts:
            told.append(self._of_clients())
        for key, whole in (("site", "sites"), ("tier", "tiers"), ("client", "clients")):
            if whole not in self.parts:
                reason = self.missing[whole]
                told.append(f"Of {key}s nothing can be said: {reason}.")
        if self.parts:
            which = f"an {self.day}" if self.day.startswith("average") else self.day
            told.append(f"All of it for {which}; {self.inputs['goal']}.")
        return " ".join(told)

    def _of_sites(self) -> str:
        plans = self.parts["sites"]
        first, last = plans.frame.row(0, named=True), plans.frame.row(-1, named=True)  # type: ignore[attr-defined]
        share = last["agent_hours_saved"] / first["agent_hours"]
        hot = (
            f", but agents would then be busy {last['occupancy']:.0%} of the time"
            if last["occupancy"] > _LIVABLE
            else ""
        )
        return (
            f"Answering together, the {counted(first['pools'], 'site')} would take "
            f"{last['agent_hours_saved']:,.0f} agent-hours a day fewer than apart ({share:.1%}) "
            f"and {counted(last['seats_saved'], 'seat')} fewer{hot}."
        )

    def _of_tiers(self) -> str:
        rows = self.parts["tiers"].at_agents().to_dicts()  # type: ignore[attr-defined]
        first, last = rows[0], rows[-1]
        return (
            f"Answering {first['tier']} first at the peak would raise its service level from "
            f"{first['service_level_alike']:.0%} to {first['service_level']:.0%} and take that of "
            f"{last['tier']} to {last['service_level']:.0%}."
        )

    def _of_clients(self) -> str:
        plans = self.parts["clients"]
        best, first = plans.best, plans.frame.row(0, named=True)  # type: ignore[attr-defined]
        left = f"a {'profit' if best['profit'] >= 0 else 'loss'} of {abs(best['profit']):,.0f}"
        if best["arrangement"] == first["arrangement"]:
            return f"For the clients, {best['arrangement']} seats leave most: {left} a day."
        return (
            f"For the clients, {best['arrangement']} seats leave {left} a day, "
            f"{best['profit_gained']:,.0f} better than {first['arrangement']} ones."
        )

    def to_frame(self) -> pl.DataFrame:
        """Every part, whether it is known, and why not."""
        import polars as pl

        names = [*self.parts, *self.missing]
        return pl.DataFrame(
            {
                "part": names,
                "known": [name in self.parts for name in names],
                "reason": [self.missing.get(name, "") for name in names],
            }
        )


def read_groups(text: str) -> dict[str, str] | None:
    """Read groups of sites from text; empty text is no groups.

    Parameters
    ----------
    text
        Such as ``"south = Cantonese, west = Mandarin, east = Mandarin"``.

    Raises
    ------
    InputError
        A part without a site or without a group.

    Examples
    --------
    >>> read_groups("south = Cantonese, west=Mandarin")
    {'south': 'Cantonese', 'west': 'Mandarin'}
    """
    if not isinstance(text, str):
        raise InputError(
            "groups of sites are read from text", f"text={text!r}", 'write "south = Cantonese, …"'
        )
    found: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, sign, group = (piece.strip() for piece in part.partition("="))
        if not (name and sign and group):
            raise InputError(
                "groups of sites cannot be read", f"{part!r}", 'write "south = Cantonese, west = …"'
            )
        found[name] = group
    return found or None


def sharing(
    demands: Mapping[str, Any],
    contracts: Any,
    goal: ServiceLevel,
    *,
    days: Mapping[str, Any],
    groups: Mapping[str, str] | None = None,
    bound: float = 0.0,
    tiers: str = "",
    head_start_s: float = 30.0,
    cost_per_hour: float = 20.0,
    shared_premium: float = 0.0,
    keep: float = 0.9,
    cv: float = 0.0,
    patience: float | None = None,
    simulated_patience: Any = None,
    handle_time: Any = None,
    max_occupancy: float | None = None,
    shrinkage: Any = 0.0,
    replications: int = 50,
    seed: int = 1,
) -> Sharing:
    """Answer for a log what sharing agents brings: between sites, tiers and clients.

    All of it for an average day. A part that the log cannot tell is left out with its reason.

    Parameters
    ----------
    demands
        ``"site"``, ``"tier"``, ``"client"`` → the demand by that key, or None where the log has
        none.
    contracts
        The contracts table of the log.
    goal
        Service level for sites, and promised to the first tier.
    days
        Arguments of :func:`~ccanalytics.staffing.typical_day`, such as ``time_zone``, ``weekdays``.
    groups, bound
        Of :func:`~ccanalytics.staffing.merge_order`.
    tiers
        Tiers from the first to the last, separated by commas; empty: the rarest first.
    head_start_s
        Seconds that the first tier counts as having waited.
    cost_per_hour, shared_premium, keep, cv
        Of :func:`~ccanalytics.staffing.client_plans`.
    patience
        Mean patience in seconds for formulas, None: callers wait without end.
    simulated_patience, handle_time
        Laws for the simulations.
    max_occupancy, shrinkage
        As for a requirement.
    replications, seed
        Of the simulations.
    """
    rules = Rules(goal, shrinkage, patience, max_occupancy)
    parts: dict[str, Result] = {}
    missing: dict[str, str] = {}
    names: list[str] = []
    plan: dict[str, Any] = {"patience": patience, "max_occupancy": max_occupancy}
    shown: dict[str, Any] = {"handle_time": handle_time, "replications": replications, "seed": seed}

    def day(key: str) -> Any:
        if demands.get(key) is None:
            raise DataError(f"the log does not say {_WORDS[key]}")
        parts[f"{key}_calls"] = known = shared_out(demands[key], key)
        typical = typical_day(known.demand, **days)
        names.append(typical.describe())
        return _with_calls(typical.demand, key)

    def sites() -> None:
        rows = day("site")
        parts["sites"] = site_plans(
            rows, goal, bound=bound, shrinkage=shrinkage, cost_per_hour=cost_per_hour,
            arrangements=_arrangements(groups), **plan,
        )  # fmt: skip
        parts["merging"] = merge_order(
            rows, goal, groups=groups, bound=bound, shrinkage=shrinkage,
            cost_per_hour=cost_per_hour, **plan,
        )  # fmt: skip
        joined = {**plan, "patience": simulated_patience}
        try:
            # Planned with the mean patience, simulated with the law.
            agents = _apart(rows, rules)
            parts["overflow"] = site_overflow(rows, goal, agents=agents, **joined, **shown)
        except InputError as error:
            missing["overflow"] = error.what

    def tier() -> None:
        rows = day("tier")
        order = _order(rows, tiers)
        whole = _whole(rows)
        agents = rules.agents_for(whole["calls"], whole["interval_s"], whole["aht_s"])
        peak = whole.row(int(agents.argmax()), named=True)
        own = rows.filter(rows["interval_start"] == peak["interval_start"])
        calls = dict(own.select("tier", "calls").rows())
        parts["tiers"] = tier_promise(
            {name: calls.get(name, 0.0) for name in order},
            peak["interval_s"], peak["aht_s"], goal,
        )  # fmt: skip
        parts["rules"] = tier_rules(
            rows, whole.select("interval_start").with_columns(agents=agents), goal,
            {order[0]: head_start_s}, patience=simulated_patience, **shown,
        )  # fmt: skip

    def client() -> None:
        rows = day("client")
        terms = read_contracts(contracts)
        have = set(rows["client"])
        terms = tuple(term for term in terms if term.client in have)
        for name, chance in (("clients", keep), ("clients_free", 0.0)):
            parts[name] = client_plans(
                rows, terms, cost_per_hour=cost_per_hour, shared_premium=shared_premium,
                keep=chance, cv=cv, shrinkage=shrinkage, **plan,
            )  # fmt: skip

    for name, build, listed in (
        ("site", sites, ("sites", "merging", "overflow")),
        ("tier", tier, ("tiers", "rules")),
        ("client", client, ("clients", "clients_free")),
    ):
        try:
            build()
        except DataError as error:
            _note(missing, parts, (f"{name}_calls", *listed), error)
        except InputError as error:
            if name != "client" or "contract" not in str(error):
                raise
            _note(missing, parts, listed, error)
    return Sharing(
        parts=parts,
        missing=missing,
        day=names[0] if names else "",
        inputs={
            "goal": goal.describe(),
            "patience": patience,
            "max_occupancy": max_occupancy,
            "cost_per_hour": cost_per_hour,
            "head_start_s": head_start_s,
            "replications": replications,
            "seed": seed,
        },
        checks=_checks(parts),
    )


def _note(
    missing: dict[str, str], parts: dict[str, Result], names: tuple[str, ...],
    error: CcanalyticsError,
) -> None:  # fmt: skip
    reason = error.what + (f" ({error.where})" if isinstance(error, InputError) else "")
    missing.update({name: reason for name in names if name not in parts})


def _with_calls(demand: pl.DataFrame, key: str) -> pl.DataFrame:
    """Rows of the keys that have calls on this day, every one in every interval."""
    import polars as pl

    busy = demand.group_by(key).agg(pl.col("calls").sum()).filter(pl.col("calls") > 0)[key]
    grid = demand.select("interval_start", "interval_s").unique("interval_start")
    columns = [name for name in demand.columns if name not in ("calls", "aht_s", "cv", key)]
    clock = demand.select(columns).unique("interval_start").drop("interval_s")
    return (
        grid.join(pl.DataFrame({key: busy}), how="cross")
        .join(
            demand.select("interval_start", key, "calls", "aht_s"),
            on=["interval_start", key],
            how="left",
        )
        .join(clock, on="interval_start", how="left")
        .with_columns(pl.col("calls").fill_null(0.0))
        .sort(key, "interval_start")
    )


def _arrangements(groups: Mapping[str, str] | None) -> dict[str, Any] | None:
    if not groups:
        return None
    return {"separate": "separate", "pooled by group": dict(groups)}


def _apart(rows: pl.DataFrame, rules: Rules) -> dict[str, Any]:
    """Agents of every site by itself."""
    import polars as pl

    return {
        str(name): rules.agents_for(
            part["calls"].to_numpy(),
            part["interval_s"].to_numpy(),
            part["aht_s"].fill_null(1.0).to_numpy(),
        )
        for (name,), part in rows.sort("interval_start").group_by(
            [pl.col("site")], maintain_order=True
        )
    }


def _whole(rows: pl.DataFrame) -> pl.DataFrame:
    """All tiers together, interval by interval."""
    import polars as pl

    work = (pl.col("calls") * pl.col("aht_s").fill_null(0.0)).sum()
    return (
        rows.group_by("interval_start", "interval_s")
        .agg(pl.col("calls").sum(), _work=work)
        .with_columns(
            aht_s=pl.when(pl.col("calls") > 0)
            .then(pl.col("_work") / pl.col("calls"))
            .otherwise(1.0)
        )
        .drop("_work")
        .sort("interval_start")
    )


def _order(rows: pl.DataFrame, tiers: str) -> list[str]:
    """Tiers from the first to the last: as asked, the others after them, the rarest first."""
    import polars as pl

    calls = rows.group_by("tier").agg(pl.col("calls").sum()).sort("calls", "tier")
    known = [str(name) for name in calls["tier"]]
    asked = [piece.strip() for piece in tiers.split(",") if piece.strip()]
    for name in asked:
        if name not in known:
            raise InputError(
                "there is no such tier", f"tiers: {name!r}", "the log has " + ", ".join(known)
            )
    return [*asked, *(name for name in known if name not in asked)]


def _checks(parts: Mapping[str, Result]) -> tuple[Check, ...]:
    """Doubts of the parts that bear on the whole."""
    found: list[Check] = []
    for name in ("site_calls", "sites", "tier_calls", "client_calls", "clients"):
        if name in parts:
            found += [check for check in parts[name].checks if check.status == "fails"]
    calls = parts.get("site_calls")
    if calls is not None and getattr(calls, "unknown", 0.0) > 0:
        found.append(
            Check(
                "Sites today",
                "informs",
                "calls that nobody answered have no site, so sites may already share a queue: "
                "apart is then what it would take if they did not",
            )
        )
    return tuple(found)
