"""Overflow between sites, simulated: each for itself, calls sent on to others, and all as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import Rules, counted
from ccanalytics.staffing._site_demand import sites_of

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.results import Estimate
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["SiteOverflow", "site_overflow"]

_MEASURES = ("service_level", "asa_s", "abandonment", "occupancy")
_MOST_SITES = 40


@dataclass(frozen=True, eq=False, kw_only=True)
class SiteOverflow(Result):
    """The same people and the same callers under several ways of sending calls on.

    Attributes
    ----------
    frame
        Per arrangement: ``agent_hours``, ``links`` (from one site to another), ``service_level``,
        ``asa_s``, ``abandonment``, ``occupancy``, each with ``_low`` and ``_high``.
    sites
        Per arrangement and site: ``calls``, ``service_level``, ``asa_s`` with limits.
    """

    frame: pl.DataFrame
    sites: pl.DataFrame

    def service_level(self, arrangement: str) -> Estimate:
        """Service level of one arrangement over all calls."""
        from ccanalytics.results import Estimate

        rows = self.frame.filter(self.frame["arrangement"] == arrangement)
        if not rows.height:
            known = ", ".join(self.frame["arrangement"])
            raise InputError("no such arrangement", f"{arrangement!r}", known)
        row = rows.row(0, named=True)
        return Estimate(
            row["service_level"], row["service_level_low"], row["service_level_high"],
            self.inputs["level"],
        )  # fmt: skip

    def summary(self) -> str:
        """What sending calls on brings, and which share of pooling's gain it has."""
        rows = self.frame.to_dicts()
        told = "; ".join(
            f"{row['arrangement']} {self.service_level(row['arrangement']).format('{:.1%}')}"
            for row in rows
        )
        first, last = rows[0], rows[-1]
        gain = last["service_level"] - first["service_level"]
        words = ""
        for row in rows[1:-1]:
            if gain > 0.001:
                share = (row["service_level"] - first["service_level"]) / gain
                words += (
                    f" {row['arrangement'].capitalize()} has {share:.0%} of what "
                    f"{last['arrangement']} brings."
                )
        return (
            f"With the same agents, calls served in time: {told}.{words} "
            f"{self.inputs['goal']}; {self.inputs['replications']} simulated spans, the same "
            "callers in every arrangement."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the arrangements."""
        return self.frame

    def table(self) -> pl.DataFrame:
        """Give the arrangements as a table to read."""
        return self.frame.select(
            "arrangement", "links", "service_level", "service_level_low", "service_level_high",
            "asa_s", "occupancy",
        )  # fmt: skip


def site_overflow(
    demand: Any,
    goal: ServiceLevel,
    arrangements: Mapping[str, Any] | None = None,
    *,
    agents: Mapping[str, Any] | None = None,
    site: str = "site",
    patience: Any = None,
    max_occupancy: float | None = None,
    handle_time: Any = None,
    replications: int = 50,
    seed: int = 1,
    level: float = 0.95,
) -> SiteOverflow:
    """Simulate how sites that help each other do, between separate and pooled.

    A call looks for an idle agent at its own site, then at the sites it may be sent to, in that
    order. If nobody is idle it waits; whoever becomes free at one of these sites takes, of the
    callers he may take, the one who has waited longest, of his own site or not.

    Parameters
    ----------
    demand
        Frame of ``log.demand(every, by=["site"])``; intervals that join.
    goal
        Service level to be counted, and, where ``agents`` are not given, planned for.
    arrangements
        Name → ``"separate"``, ``"chain"`` (each site sends calls to the next), ``"pooled"``, or a
        mapping from sites to lists of the sites that help. Default: these three.
    agents
        Site → agents, a number or one per interval. None: the requirement of every site by itself.
    site
        Column that names the site.
    patience, max_occupancy
        As for :func:`~ccanalytics.staffing.site_plans`.
    handle_time, replications, seed, level
        As for :func:`~ccanalytics.simulation.simulate`.

    Returns
    -------
    SiteOverflow

    Raises
    ------
    InputError
        A site without calls, or one that does not exist, more than 40 sites, agents of some sites
        only, or anything that the simulator refuses.

    Notes
    -----
    Callers are the same in every arrangement (common random numbers), so that differences are
    surer than the limits of each figure say. Sending calls on only after some seconds of waiting
    is not simulated: the simulator offers a waiting call to every agent with the skill at once.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> from ccanalytics import ServiceLevel
    >>> frame = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 9, tzinfo=timezone.utc)] * 3,
    ...     "interval_s": [36_000.0] * 3, "calls": [600.0] * 3, "aht_s": [180.0] * 3,
    ...     "site": ["a", "b", "c"]})
    >>> found = site_overflow(frame, ServiceLevel(0.8, 20), replications=10)
    >>> levels = found.frame["service_level"].to_list()
    >>> levels[0] < levels[1] < levels[2]
    True
    """
    import polars as pl

    from ccanalytics.simulation import simulate

    rules = Rules(goal, 0.0, patience, max_occupancy)
    sites = sites_of(demand, site)
    names = sites.names
    if len(names) > _MOST_SITES:
        raise InputError(
            f"at most {_MOST_SITES} sites are simulated side by side",
            f"{len(names)} sites",
            "leave out the small ones, or take site_plans",
        )
    chosen = _helpers(arrangements, names)
    seated = _agents(agents, sites, rules)
    frame = pl.concat(
        pl.DataFrame(
            {
                "interval_start": sites.starts,
                "interval_s": sites.per,
                "calls": sites.calls[k],
                "aht_s": sites.joined(_row(k, len(names)))[1][0],
                site: name,
            }
        )
        for k, name in enumerate(names)
    )
    rows, parts = [], []
    checks: tuple[Check, ...] = ()
    for name, helpers in chosen.items():
        run = simulate(
            frame, seated, goals=goal, patience=patience, handle_time=handle_time,
            skills={at: [one for one in names if at == one or at in helpers[one]] for at in names},
            routing={one: [one, *helpers[one]] for one in names},
            replications=replications, seed=seed, level=level,
        )  # fmt: skip
        checks = checks or run.checks
        whole = run.overall.row(0, named=True)
        rows.append(
            {
                "arrangement": name,
                "links": sum(len(each) for each in helpers.values()),
                "agent_hours": float(sum((seated[at] * sites.per).sum() for at in names)) / 3600,
                **{f"{m}{end}": whole[f"{m}{end}"] for m in _MEASURES
                   for end in ("", "_low", "_high")},
            }
        )  # fmt: skip
        # One site has no types of its own: its figures are those of the whole.
        table = (
            run.types if len(names) > 1 else run.overall.with_columns(pl.lit(names[0]).alias(site))
        )
        parts.append(
            table.select(
                pl.lit(name).alias("arrangement"),
                pl.col(site),
                pl.col("arrived").alias("calls"),
                *(f"{m}{end}" for m in _MEASURES[:2] for end in ("", "_low", "_high")),
            )
        )
    return SiteOverflow(
        frame=pl.DataFrame(rows, infer_schema_length=None),
        sites=pl.concat(parts),
        inputs={
            "goal": goal.describe(),
            "sites": len(names),
            "patience": patience,
            "replications": replications,
            "seed": seed,
            "level": level,
        },
        checks=checks,
    )


def _row(k: int, count: int) -> Any:
    import numpy as np

    return np.eye(count)[[k]]


def _helpers(arrangements: Any, names: list[str]) -> dict[str, dict[str, list[str]]]:
    """Name → site → the sites that help it, in their order."""
    if arrangements is None:
        ways: dict[str, Any] = {"separate": "separate", "overflow to the next site": "chain"}
        arrangements = (ways if len(names) > 2 else {"separate": "separate"}) | {"pooled": "pooled"}
    if not isinstance(arrangements, Mapping) or not arrangements:
        raise InputError("arrangements have names", f"arrangements={arrangements!r}",
                         'such as {"separate": "separate", "help": {"a": ["b"]}}')  # fmt: skip
    others = {name: [*names[k + 1 :], *names[:k]] for k, name in enumerate(names)}
    found: dict[str, dict[str, list[str]]] = {}
    for label, way in arrangements.items():
        if isinstance(way, Mapping):
            helpers = {name: _listed(way.get(name, []), label) for name in names}
            given = [*map(str, way), *(one for each in helpers.values() for one in each)]
            for one in given:
                if one not in names:
                    raise InputError(
                        "this arrangement names a site that the demand does not have",
                        f"{label!r}: {one!r}",
                        f"one of: {', '.join(names[:8])}",
                    )
            for name, each in helpers.items():
                if name in each or len(set(each)) < len(each):
                    raise InputError(
                        "a site is helped by others, each named once",
                        f"{label!r}: {name!r}: {each}",
                    )
            found[str(label)] = helpers
        elif way == "separate":
            found[str(label)] = {name: [] for name in names}
        elif way == "chain":
            found[str(label)] = {name: others[name][:1] for name in names}
        elif way == "pooled":
            found[str(label)] = others
        else:
            raise InputError("no such arrangement", f"{label!r}: {way!r}",
                             "'separate', 'chain', 'pooled', or sites → helping sites")  # fmt: skip
    return found


def _listed(value: Any, label: str) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Sequence):
        raise InputError("helping sites are a list of names", f"{label!r}: {value!r}")
    return [str(one) for one in value]


def _agents(agents: Any, sites: Any, rules: Rules) -> dict[str, Any]:
    """Agents of every site by interval."""
    import numpy as np

    if agents is None:
        _, aht = sites.joined(np.eye(len(sites.names)))
        per = np.broadcast_to(sites.per, aht.shape)
        planned = rules.agents_for(sites.calls, per, aht)
        return dict(zip(sites.names, planned, strict=True))
    if not isinstance(agents, Mapping):
        raise InputError(
            "agents are given for every site of the demand",
            f"agents={agents!r}",
            "a mapping from sites to agents, such as {'north': 12, 'south': 8}",
        )
    if set(map(str, agents)) != set(sites.names):
        missing = sorted(set(sites.names) ^ set(map(str, agents)))
        raise InputError(
            "agents are given for every site of the demand, and for no other",
            f"{counted(len(missing), 'site')}: {', '.join(missing[:5])}",
            "a mapping from sites to agents",
        )
    return {
        name: np.broadcast_to(np.asarray(agents[name]), sites.per.shape) for name in sites.names
    }
