"""Lines, voice-menu ports and agents, planned together: a caller holds his line while he waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.demand import MEASURES, as_demand
from ccanalytics.errors import InputError
from ccanalytics.queueing.menu_states import MOST_LINES
from ccanalytics.results import Check, Result
from ccanalytics.staffing._line_model import LineModel
from ccanalytics.staffing._line_search import LineSearch, Prices
from ccanalytics.staffing._seats import Rules, check_number, check_share, counted
from ccanalytics.staffing.typical import TypicalDemand

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing.lines_measured import LinesMeasured
    from ccanalytics.staffing.shrinkage import Shrinkage

    Wholes = NDArray[np.int64]

__all__ = ["TrunkPlan", "trunks"]

_RARELY = 0.05  # of days


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
    prices = _prices(cost_per_hour, line_cost, port_cost)
    typical = demand if isinstance(demand, TypicalDemand) else None
    rows = _one_stream(demand if typical is None else typical.demand)
    model = LineModel(
        rows["calls"].to_numpy(), rows["interval_s"].to_numpy().astype(float),
        rows["aht_s"].fill_null(1.0).fill_nan(1.0).to_numpy(),
        menu, to_agent, patience, redial, goal, max_blocking, max_occupancy,
    )  # fmt: skip
    model.queue(0)  # refuses a menu, a share or a patience that is none
    chosen = None if agents is None else _given_agents(agents, model)
    there = None if lines is None else _whole("lines", lines)
    port_count = None if ports is None else _whole("ports", ports)
    if there is not None:
        _check_fit(there, chosen, port_count, f"lines={there}")
    search = LineSearch(model, rules, prices, max_port_blocking)
    options = None
    if there is not None:
        chosen = search.agents_on(there) if chosen is None else chosen
    elif chosen is not None:
        there = search.lines_for(chosen)
    else:
        there, chosen, options = search.least()
    if lines is None:
        _check_fit(there, None, port_count, f"lines needed: {there}")
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
            "solved": _solved(agents is not None, lines is not None, prices is not None),
            "callers": _callers(patience, redial),
            "day": None if typical is None else typical.describe(),
        },
    )
    told = () if typical is None else typical.checks
    seen = () if measured is None else (_against(plan.lines, measured),)
    return replace(plan, checks=(*_checks(plan, goal, search), *seen, *told))


def _prices(hour: Any, line: Any, port: Any) -> Prices | None:
    port = check_number("port_cost", port)
    if hour is None and line is None:
        return None
    if hour is None or line is None:
        missing = "cost_per_hour" if hour is None else "line_cost"
        raise InputError(
            "agents and lines are weighed by both their prices",
            f"{missing}=None",
            "give both, or neither",
        )
    found = Prices(
        check_number("cost_per_hour", hour), check_number("line_cost", line), float(port)
    )
    for name, value in (("cost_per_hour", found.hour), ("line_cost", found.line),
                        ("port_cost", found.port)):  # fmt: skip
        if value < 0:
            raise InputError("a price is 0 or more", f"{name}={value:g}")
    return found


def _one_stream(demand: Any) -> pl.DataFrame:
    rows = as_demand(demand)
    keys = [name for name in rows.columns if name not in MEASURES]
    if keys:
        raise InputError(
            "the lines of a group are planned for all its calls at once",
            f"the demand has a key: {keys[0]}",
            "choose one with where=, or add them up",
        )
    return rows


def _whole(name: str, value: Any) -> int:
    number = check_number(name, value, "give a whole number")
    least = 0 if name == "ports" else 1
    if number != int(number) or not least <= number <= MOST_LINES:
        raise InputError(
            f"this must be whole, {least} to {MOST_LINES:,}", f"{name}={value!r}"
        )  # fmt: skip
    return int(number)


def _given_agents(agents: Any, model: LineModel) -> Wholes:
    try:
        many = np.broadcast_to(np.asarray(agents, float), model.calls.shape)
    except (TypeError, ValueError) as error:
        raise InputError(
            "agents are a number, or one for each interval",
            f"agents of length {np.size(agents)}, intervals: {model.calls.size}",
        ) from error
    bad = ~np.isfinite(many) | (many != np.floor(many)) | (many < 0)
    if bad.any():
        raise InputError("agents are whole, 0 or more", f"agents={many[bad][0]:g}")
    needed = (model.load > 0) & (many == 0)
    if needed.any():
        raise InputError(
            "calls ask for an agent where none is seated",
            f"interval {int(needed.argmax()) + 1}, agents=0",
            "seat one, or leave the interval out",
        )
    return np.maximum(many, model.calls > 0).astype(np.int64)


def _check_fit(lines: int, agents: Wholes | None, ports: int | None, told: str) -> None:
    if agents is not None and (agents > lines).any():
        raise InputError(
            "there are fewer lines than agents: some could never have a caller",
            f"{told}, agents={int(agents.max())}",
            "give at least a line for every agent",
        )
    if ports is not None and ports > lines:
        raise InputError(
            "there are more voice-menu ports than lines: some could never have a caller",
            f"ports={ports}, {told}",
            "give at most as many ports as lines",
        )


def _solved(agents: bool, lines: bool, priced: bool) -> str:
    if agents and lines:
        return "Lines and agents are as given"
    if agents:
        return "Agents are as given, lines the least that do"
    if lines:
        return "Lines are as given, agents the least that do"
    if priced:
        return "No other numbers of lines and agents cost less"
    return "No other number of lines needs fewer agent-hours, and no smaller one so few"


def _callers(patience: float | None, redial: float) -> str:
    words = (
        "callers who wait without end"
        if patience is None
        else f"callers who lose patience after {patience:g} s on average"
    )
    return words + (f", {redial:.0%} of whom try again after a busy signal" if redial else "")


def _against(lines: int, measured: LinesMeasured) -> Check:
    """Hold the lines against the most seen at once: the mean day is blind to such moments."""
    peaks = measured.frame["peak_lines"].to_numpy()
    above = int((peaks > lines).sum())
    words = (
        f"on {above:,} of {counted(peaks.size, 'day')} of the log more than {lines:,} lines were "
        f"in use at once, {int(peaks.max()):,} at most: at such moments callers would meet a busy "
        "signal"
        if above
        else f"never more than {int(peaks.max()):,} lines were in use at once in the log"
    )
    few = above <= _RARELY * peaks.size
    return Check("Peaks in the log", "holds" if not above else "informs" if few else "fails", words)


def _checks(plan: TrunkPlan, goal: ServiceLevel, search: LineSearch) -> tuple[Check, ...]:
    checks = []
    some = plan.frame.filter(plan.frame["blocking"].is_not_null())
    if some.height:
        low = float(some["service_level"].to_numpy().min())
        words = f"{low:.1%} in the worst interval, {goal.share:.0%} wanted"
        met = low >= goal.share - 1e-9
        if not met:
            words += "; more lines would make it worse, since more callers would wait: seat agents"
        checks.append(Check("Service of those who get in", "holds" if met else "fails", words))
        high, most = float(some["blocking"].to_numpy().max()), search.model.max_blocking
        words = f"{high:.2%} in the worst interval, at most {most:.2%} wanted"
        checks.append(
            Check("Busy signals", "holds" if high <= most * (1 + 1e-9) else "fails", words)
        )
    if plan.textbook_blocking is not None and plan.inputs["lines"] is None:
        short = plan.lines - (plan.textbook_lines or 0)
        words = (
            f"Erlang B on menu + share × (wait + AHT) finds {plan.textbook_lines:,} lines, "
            f"{counted(abs(short), 'line')} {'fewer' if short > 0 else 'more'}: it takes the wait "
            "as known, and as if it did not come in bunches"
            if short
            else f"Erlang B on menu + share × (wait + AHT) finds the same {plan.lines:,} lines"
        )
        checks.append(Check("Textbook recipe", "informs", words))
    if plan.ports:
        lost = search.port_blocking(plan.ports)
        full = plan.ports >= plan.lines
        words = (
            f"{counted(plan.ports, 'port')}: as many as lines, so that none lacks one"
            if full
            else f"{counted(plan.ports, 'port')} lose {lost:.3%} of the calls in the menu, of its "
            f"{float(search.model.menu_load.max()):.1f} erlangs, by Erlang B"
        )
        holds = full or lost <= search.max_port_blocking * (1 + 1e-9)
        checks.append(Check("Voice-menu ports", "holds" if holds else "fails", words))
    return tuple(checks)
