"""Lines, voice-menu ports and agents, planned together: a caller holds his line while he waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError
from ccanalytics.results import Result
from ccanalytics.staffing._line_inputs import check_fit, given_agents, one_stream, prices, whole
from ccanalytics.staffing._line_model import LineModel
from ccanalytics.staffing._line_search import LineSearch
from ccanalytics.staffing._line_words import against, checks_of, solved, told_callers
from ccanalytics.staffing._seats import Rules, check_share, counted
from ccanalytics.staffing.lines_measured import LinesMeasured
from ccanalytics.staffing.typical import TypicalDemand

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing.shrinkage import Shrinkage

__all__ = ["TrunkPlan", "trunks"]


@dataclass(frozen=True, eq=False, kw_only=True)
class TrunkPlan(Result):
    """Lines, ports and agents for every interval of a demand.

    Attributes
    ----------
    lines, ports
        Of the whole span. ``ports`` is 0 where there is no voice menu.
    frame
        Per interval: ``calls``, ``aht_s``, ``menu_load`` and ``load`` (erlangs of first attempts
        in the menu and at the agents), ``agents``, ``blocking``, ``service_level``,
        ``wait_probability``, ``asa_s``, ``abandonment``, ``occupancy``, ``in_menu`` and
        ``lines_busy`` (means).
    options
        What was weighed: per number of lines the least agents in the most demanding interval
        (``agents``), ``agent_hours``, ``scheduled_hours``, ``cost``. One row if lines or agents
        were given.
    textbook_lines
        What Erlang B on menu + share·(ASA + AHT) finds; None where agents alone could not keep up.
    textbook_blocking
        The joint model's blocking at those lines, in the worst interval.
    """

    frame: pl.DataFrame
    options: pl.DataFrame
    lines: int
    ports: int
    textbook_lines: int | None
    textbook_blocking: float | None

    @property
    def agents(self) -> int:
        """Agents in the interval that needs most."""
        return int(self.frame["agents"].max() or 0)  # type: ignore[arg-type]

    @property
    def cost(self) -> float | None:
        """Of agents, lines and ports over the span; None without prices."""
        found = self.options.filter(self.options["lines"] == self.lines)["cost"]
        return found.item() if found.len() else None

    @property
    def busiest(self) -> dict[str, Any]:
        """The interval with the greatest load of menu and agents together."""
        load = self.frame["menu_load"] + self.frame["load"]
        return self.frame.row(int(load.arg_max() or 0), named=True)

    @property
    def worst(self) -> dict[str, Any]:
        """The interval with most blocking."""
        some = self.frame.filter(self.frame["blocking"].is_not_null())
        rows = some if some.height else self.frame
        return rows.sort("blocking", descending=True, nulls_last=True).row(0, named=True)

    def summary(self) -> str:
        """The numbers in words, what they bring, and the model."""
        row, asked = self.worst, self.inputs
        many = self.frame.height > 1
        who = counted(self.agents, "agent") + (" at most" if many else "")
        ports = f", {counted(self.ports, 'voice-menu port')}" if self.ports else ""
        price = "" if self.cost is None else f" at a cost of {self.cost:,.0f}"
        head = f"{counted(self.lines, 'line')}{ports} and {who}{price}"
        if asked["day"]:
            head += f" for an {asked['day']}"
        if row["blocking"] is None:
            return f"{head}: no calls, no lines needed."
        level = self.frame["service_level"].drop_nulls().to_numpy().min()
        got = (
            f"{row['blocking']:.2%} of calls meet a busy signal"
            + (" in the worst interval" if many else "")
            + f", and of those who get in {level:.1%}"
            + (" or more" if many else "")
            + f" are served as wanted ({asked['goal']})"
        )
        beside = (
            ""
            if asked["lines"] is not None or self.textbook_lines in (None, self.lines)
            else f" The textbook recipe, Erlang B on the mean time a line is held, says "
            f"{counted(self.textbook_lines, 'line')}, which block {self.textbook_blocking:.2%}."
        )
        return (
            f"{head}: {got}.{beside} {asked['solved']}; lines, voice menu and agents jointly "
            f"(Srinivasan, Talim and Wang), {asked['callers']}."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the intervals."""
        return self.frame

    def table(self) -> pl.DataFrame:
        """Give every interval as a table to read, by the wall clock."""
        import polars as pl

        start = "local_start" if "local_start" in self.frame.columns else "interval_start"
        at = pl.col(start).dt.strftime("%H:%M") if self.inputs["day"] else pl.col(start)
        figures = (
            "calls", "menu_load", "load", "agents", "blocking", "service_level", "asa_s",
            "abandonment", "occupancy", "in_menu", "lines_busy",
        )  # fmt: skip
        kept = [c for c in figures if c != "abandonment" or self.inputs["patience"] is not None]
        # Of a hundred-thousandth and less nothing is to be read.
        small = pl.col("blocking", "service_level").round(5)
        return self.frame.with_columns(small).select(at.alias("interval"), *kept)

    def weighed(self) -> pl.DataFrame:
        """Give the options as a table to read, with their cost if there are prices."""
        priced = self.options["cost"].null_count() == 0
        return self.options if priced else self.options.drop("cost")


def trunks(
    demand: Any,
    goal: ServiceLevel,
    *,
    menu: float = 0.0,
    to_agent: float = 1.0,
    max_blocking: float = 0.01,
    agents: Any = None,
    lines: int | None = None,
    ports: int | None = None,
    max_port_blocking: float = 0.001,
    patience: float | None = None,
    redial: float = 0.0,
    max_occupancy: float | None = None,
    shrinkage: float | Shrinkage = 0.0,
    cost_per_hour: float | None = None,
    line_cost: float | None = None,
    port_cost: float = 0.0,
    measured: LinesMeasured | None = None,
) -> TrunkPlan:
    r"""Plan lines, voice-menu ports and agents: what is given is kept, the rest is solved for.

    * ``agents`` given: the least lines that keep the busy signal rare.
    * ``lines`` given: the least agents, interval by interval, that meet the goal and the limit.
    * neither: the number of lines at which agents and lines together cost least; without prices
      the fewest agent-hours, and of those the fewest lines. For n agents fewer lines shorten the
      queue and more lines shorten the busy signal, so that each L has its least n; from a certain
      L on no plan can be cheaper, which ends the search with a proof.
    * both: what they bring.

    Ports follow from Erlang B on the load of the voice menu: the least that lose no more than
    ``max_port_blocking`` of the calls that have a line; never more than lines.

    Parameters
    ----------
    demand
        Frame of ``log.demand(every, calls="arrived")``, or the :class:`TypicalDemand` of it: calls
        that come in, and the handle time of those who reach an agent; no key column. The same
        lines serve every interval.
    goal
        Service level of the calls for an agent that got in. Blocked calls have their own limit.
    menu
        Mean seconds in the voice menu.
    to_agent
        Share of calls that go on to an agent, 0–1.
    max_blocking
        Greatest share of calls that meet a busy signal, in every interval.
    agents
        Agents seated: a number, or one per interval.
    lines, ports
        Numbers that are there.
    max_port_blocking
        Greatest share of calls with a line that find every port taken.
    patience
        Mean seconds until a caller gives up (exponential); None: never.
    redial
        Share of the calls that meet a busy signal and try again at once (extended Erlang B).
    max_occupancy
        Agents never busier than this share of their time.
    shrinkage
        As for :func:`~ccanalytics.staffing.requirement`.
    cost_per_hour
        Price of a scheduled agent-hour.
    line_cost, port_cost
        Price of one line, and of one port, over the time that the demand covers.
    measured
        What the log has seen, for a check: on how many days more lines were in use at once.

    Returns
    -------
    TrunkPlan

    Raises
    ------
    InputError
        Fewer lines than agents, ports above lines, lines that block too much however many agents,
        agents who cannot handle the calls that lines let in, one price without the other, a goal
        that counts blocked calls, key columns.

    Notes
    -----
    A steady state in every interval, callers at random, exponential handle times. The model holds
    a line through after-call work as well, which errs to the safe side.

    References
    ----------
    R. Srinivasan, J. Talim and J. Wang, Performance analysis of a call center with interactive
    voice response units, TOP 12 (2004).

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> from ccanalytics import ServiceLevel
    >>> hour = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 10, tzinfo=timezone.utc)],
    ...     "interval_s": [3600], "calls": [600.0], "aht_s": [180.0]})
    >>> plan = trunks(hour, ServiceLevel(0.80, within=20), menu=60, to_agent=0.7, agents=22)
    >>> plan.lines, plan.textbook_lines, plan.ports
    (64, 61, 21)
    """
    import polars as pl

    rules = Rules(goal, shrinkage, patience, max_occupancy)
    if goal.include_blocked:
        raise InputError(
            "blocked calls have a limit of their own here",
            "goal: include_blocked=True",
            "leave it out of the goal, and give max_blocking",
        )
    for name, share in (("max_blocking", max_blocking), ("max_port_blocking", max_port_blocking)):
        check_share(name, share, low=0, allow_one=False)
        if not share:
            raise InputError("a blocking of 0 takes endless lines", f"{name}=0", "such as 0.001")
    check_share("redial", redial, low=0, allow_one=True)
    if measured is not None and not isinstance(measured, LinesMeasured):
        raise InputError(
            "what the log has seen comes from lines_measured",
            f"measured: {type(measured).__name__}",
            "give lines_measured(log.busy_hours(), log.intervals('1d')), or None",
        )
    paid = prices(cost_per_hour, line_cost, port_cost)
    typical = demand if isinstance(demand, TypicalDemand) else None
    rows = one_stream(demand if typical is None else typical.demand)
    model = LineModel(
        rows["calls"].to_numpy(), rows["interval_s"].to_numpy().astype(float),
        rows["aht_s"].fill_null(1.0).fill_nan(1.0).to_numpy(),
        menu, to_agent, patience, redial, goal, max_blocking, max_occupancy,
    )  # fmt: skip
    model.queue(0)  # refuses a menu, a share or a patience that is none
    chosen = None if agents is None else given_agents(agents, model)
    there = None if lines is None else whole("lines", lines)
    port_count = None if ports is None else whole("ports", ports)
    if there is not None:
        check_fit(there, chosen, port_count, f"lines={there}")
    search = LineSearch(model, rules, paid, max_port_blocking)
    options = None
    if there is not None:
        chosen = search.agents_on(there) if chosen is None else chosen
    elif chosen is not None:
        there = search.lines_for(chosen)
    else:
        there, chosen, options = search.least()
    if lines is None:
        check_fit(there, None, port_count, f"lines needed: {there}")
    if port_count is None:
        port_count = search.ports(there)
    textbook = search.textbook(chosen)
    measures = model.measures(chosen, there)
    frame = rows.select(name for name in rows.columns if name != "cv").with_columns(
        menu_load=pl.Series(model.menu_load),
        load=pl.Series(model.load),
        agents=pl.Series(chosen, dtype=pl.Int64),
        **{name: pl.Series(values, dtype=pl.Float64) for name, values in measures.items()},
    )
    plan = TrunkPlan(
        frame=frame,
        options=pl.DataFrame(options or [search.option(chosen, there)], infer_schema_length=None),
        lines=there,
        ports=port_count,
        textbook_lines=textbook,
        textbook_blocking=search.worst_blocking(chosen, textbook),
        inputs={
            **rules.inputs(),
            "menu": menu,
            "to_agent": to_agent,
            "max_blocking": max_blocking,
            "agents": agents,
            "lines": lines,
            "ports": ports,
            "max_port_blocking": max_port_blocking,
            "redial": redial,
            "cost_per_hour": cost_per_hour,
            "line_cost": line_cost,
            "port_cost": port_cost,
            "solved": solved(agents is not None, lines is not None, paid is not None),
            "callers": told_callers(patience, redial),
            "day": None if typical is None else typical.describe(),
        },
    )
    told = () if typical is None else typical.checks
    seen = () if measured is None else (against(plan.lines, measured),)
    return replace(plan, checks=(*checks_of(plan, goal, search), *seen, *told))
