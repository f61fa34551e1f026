"""The event simulator: whether a plan holds when calls, handle times and patience are real."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError, UnsupportedError
from ccanalytics.servicelevel import ServiceLevel
from ccanalytics.simulation.book import Book
from ccanalytics.simulation.given import (
    arrivals_in_words,
    laws_in_words,
    replayed_times,
    uncertain_rates,
)
from ccanalytics.simulation.groups import groups_of
from ccanalytics.simulation.plan import callers_of, check_arrivals, grid_of
from ccanalytics.simulation.replication import Setting, replicate
from ccanalytics.simulation.simulated import simulation_of

if TYPE_CHECKING:
    from ccanalytics.simulation.arrivals import MixedPoisson, Replay
    from ccanalytics.simulation.plan import Grid
    from ccanalytics.simulation.simulated import Simulation
    from ccanalytics.simulation.tally import Floats, Tally

__all__ = ["simulate"]

Progress = Callable[[int, int, str], None]
_MOST_CALLS = 1e10  # a replication; an hour or so of one core


def simulate(
    demand: Any,
    agents: Any,
    *,
    goals: ServiceLevel | Iterable[ServiceLevel] = (),
    patience: Any = None,
    handle_time: Any = None,
    arrivals: MixedPoisson | Replay | None = None,
    lines: int | None = None,
    menu: Any = None,
    redial: Any = None,
    redial_blocked: Any = None,
    reconnect: Any = None,
    skills: Any = None,
    routing: Any = None,
    priority: Any = None,
    head_start: Any = None,
    when_staff_falls: str = "finish",
    closing: str = "serve",
    warmup_s: float = 0.0,
    replications: int = 100,
    seed: int = 1,
    level: float = 0.95,
    records: bool = False,
    progress: Progress | bool | None = None,
) -> Simulation:
    """Simulate a centre call by call, and give each figure with its confidence interval.

    Parameters
    ----------
    demand
        Demand frame: ``interval_start``, ``interval_s``, ``calls``, ``aht_s``, optional ``cv``.
        Intervals must join without gap or overlap. Key columns make types of calls, named by
        their values (several keys are joined by " / "); every type needs the same intervals.
    agents
        Agents seated: a number, one number per interval (of a demand in order of time), a frame
        with ``interval_start`` and
        ``agents`` (and ``group``), the frame of a requirement, or a mapping from groups to
        numbers.
    goals
        Service levels to be counted.
    patience
        ``None`` (callers never give up), mean seconds (exponential), a frozen scipy.stats law, or
        a sample: observed seconds, or a frame of value counts (``seconds``, ``calls``). A mapping
        from types gives each its own; so do ``handle_time``, ``menu`` and the three ways to call
        again.
    handle_time
        Law or sample that gives the *shape*; it is scaled to ``aht_s`` of the interval in which
        the call arrived. ``None``: exponential.
    arrivals
        ``None`` (Poisson at the interval's rate), :class:`MixedPoisson`, or :class:`Replay` of
        the log's own arrivals.
    lines
        Calls in the system at most, voice menu included; more get a busy signal. ``None``: endless.
    menu
        :class:`Menu`, the voice menu before the queue.
    redial, redial_blocked, reconnect
        :class:`Retry`: callers who abandoned, met a busy signal, or were served, and call again.
        Every later attempt counts as an arrival of its own, in its own interval.
    skills
        Mapping from groups to the types they may serve; by default all serve all.
    routing
        Mapping from types to groups, in the order in which a call looks for an idle agent; by
        default the order of ``agents``.
    priority
        Mapping from types to whole numbers: a free agent takes the smallest first. Default 0.
        A call in progress is never interrupted for another.
    head_start
        Mapping from types to seconds that count as waited already, among equal priorities.
    when_staff_falls
        ``"finish"``: agents finish the call at hand (the overtime is booked). ``"rejoin"``: the
        calls begun last go back to the head of their queue, with the rest of their handle time
        and a patience drawn anew.
    closing
        ``"serve"``: callers who wait at the end are served by the agents of the last interval.
        ``"leave"``: they are sent away; they count as ``unserved``, and as failures of a goal.
    warmup_s
        Seconds that run before the first interval at its rates, uncounted. Otherwise the centre
        starts empty.
    replications
        Independent runs; at least 2 for intervals.
    seed
        Same seed, same answer, whatever the number of cores. Scenarios with one seed see the same
        callers (common random numbers): the same first attempts with the same patience and work.
    level
        Level of the confidence intervals.
    records
        Whether to keep every call; see :meth:`Simulation.calls`.
    progress
        Called as ``progress(done, total, what)``; ``True`` draws a bar on standard error.

    Returns
    -------
    Simulation
        Frames by interval, overall, by type and by group.

    Raises
    ------
    InputError
        Names the argument, the row and the remedy.
    UnsupportedError
        A virtual service level with skills, priorities or hand-backs.

    Notes
    -----
    Replications run through ``joblib``, one after the other unless told otherwise:
    ``with joblib.parallel_config(backend="loky", n_jobs=2): simulate(…)``, or
    ``backend="dask"`` for a Dask cluster. One group and one priority is served first come, first
    served at one heap operation a call; else events are simulated one by one. Memory grows with
    intervals, not with calls, unless records are kept.

    Examples
    --------
    100 calls a half-hour, 180 s each, 14 agents, endless patience; Erlang C says 88.8%.

    >>> from datetime import datetime, UTC
    >>> import polars as pl
    >>> from ccanalytics import ServiceLevel, simulation
    >>> demand = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 9, tzinfo=UTC)],
    ...     "interval_s": [180_000.0], "calls": [10_000.0], "aht_s": [180.0],
    ... })
    >>> goal = ServiceLevel(0.8, within=20)
    >>> found = simulation.simulate(demand, 14, goals=goal, warmup_s=3600, replications=10)
    >>> met = found.service_level()
    >>> met.low < 0.88835 < met.high
    True
    """
    grid = grid_of(demand)
    groups = groups_of(grid, agents, skills, routing, priority, head_start)
    _refuse_bare_mean(handle_time)
    callers = callers_of(grid.names, handle_time, patience, menu, redial, redial_blocked, reconnect)
    wanted = _goals(goals)
    _check_choices(when_staff_falls, closing, level)
    _check_whole("replications", replications, 1)
    _check_whole("seed", seed, 0)
    if not (_is_number(warmup_s) and warmup_s >= 0):
        raise InputError("the warm-up is 0 s or more", f"warmup_s={warmup_s!r}")
    if lines is not None:
        _check_whole("lines", lines, 1, most=10_000_000)
    if not isinstance(records, (bool, np.bool_)):
        raise InputError("records are kept or not", f"records={records!r}", "give True or False")
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise InputError(
            "progress is a function of (done, total, what)", f"progress={progress!r}", "or True"
        )
    _refuse_endless(grid, float(warmup_s))
    replayed = replayed_times(check_arrivals(arrivals), grid, warmup_s)
    mixed, cv = uncertain_rates(arrivals, grid)
    rejoin = when_staff_falls == "rejoin"
    if any(goal.counting == "virtual" for goal in wanted) and (rejoin or not groups.is_one_queue):
        raise UnsupportedError(
            "the virtual wait is known for one queue in order of arrival only",
            "counting='virtual'",
            "use another counting, or one group without priorities",
        )
    book = Book(grid, groups, wanted)
    setting = Setting(
        bounds=np.concatenate([[-float(warmup_s)], grid.edges, [np.inf]]),
        calls=grid.calls,
        aht=np.where(grid.aht > 0, grid.aht, 1.0),
        cv=cv,
        day=grid.day,
        mixed=mixed,
        replayed=replayed,
        callers=callers,
        groups=groups,
        lines=lines or 0,
        within=np.array(book.thresholds, float),
        rejoin=rejoin,
        closing=closing,
        records=bool(records),
    )
    kept = {}
    for number, (tally, rows) in enumerate(_run(setting, replications, seed, progress)):
        book.add(tally)
        if rows is not None:
            from ccanalytics.simulation.records import records_frame

            kept[number] = records_frame(rows, grid, groups, number)
    inputs = {
        "replications": replications,
        "seed": seed,
        "arrivals": arrivals_in_words(arrivals),
        "handle_time": laws_in_words(callers, grid, "work"),
        "patience": laws_in_words(callers, grid, "patience"),
        "lines": lines,
        "menu": menu,
        "redial": redial,
        "redial_blocked": redial_blocked,
        "reconnect": reconnect,
        "skills": skills,
        "routing": routing,
        "priority": priority,
        "head_start": head_start,
        "when_staff_falls": when_staff_falls,
        "closing": closing,
        "warmup_s": float(warmup_s),
        "level": level,
    }
    lost = 0
    if replayed is not None:
        lost = arrivals.given - sum(times.size for times in replayed)  # type: ignore[union-attr]
    return simulation_of(book, grid, groups, wanted, inputs, level, kept, lost)


def _run(
    setting: Setting, replications: int, seed: int, progress: Progress | bool | None
) -> Iterable[tuple[Tally, Floats | None]]:
    """Replications in their order, whoever computes them."""
    from contextlib import ExitStack

    try:
        import joblib
    except ImportError as error:
        raise UnsupportedError(
            "the simulator runs its replications through joblib, which is not installed",
            "simulate(…)",
            "pip install 'ccanalytics[simulation]'",
        ) from error

    seeds = np.random.SeedSequence(seed).spawn(replications)
    try:
        workers = joblib.Parallel(return_as="generator")
    except ValueError as error:
        raise UnsupportedError(
            "this backend of joblib does not hand out results one by one",
            f"parallel_config(backend={_backend()!r})",
            "take backend='loky', 'threading' or 'dask'",
        ) from error
    work = workers(joblib.delayed(replicate)(setting, each) for each in seeds)
    with ExitStack() as stack:
        say: Progress | None = progress if callable(progress) else None
        if progress is True:
            from rich.console import Console
            from rich.progress import Progress as Bar

            bar = stack.enter_context(Bar(transient=True, console=Console(stderr=True)))
            task = bar.add_task("simulating", total=replications)

            def say(done: int, total: int, what: str) -> None:
                del total, what
                bar.update(task, completed=done)

        for number, outcome in enumerate(work, start=1):
            yield outcome
            if say is not None:
                say(number, replications, "replications")


def _backend() -> str:
    """Name the backend of joblib that is set, not the address of its object."""
    from joblib.parallel import get_active_backend

    return type(get_active_backend()[0]).__name__.removesuffix("Backend").lower()


def _goals(goals: Any) -> tuple[ServiceLevel, ...]:
    if isinstance(goals, ServiceLevel):
        return (goals,)
    try:
        wanted = tuple(goals)
    except TypeError:
        wanted = (goals,)
    for goal in wanted:
        if not isinstance(goal, ServiceLevel):
            raise InputError(
                "a goal must be a ServiceLevel", f"goals: {goal!r}", "ServiceLevel(0.8, within=20)"
            )
    return wanted


def _refuse_bare_mean(handle_time: Any) -> None:
    values = handle_time.values() if isinstance(handle_time, dict) else [handle_time]
    for value in values:
        if isinstance(value, (int, float, np.integer, np.floating)):
            raise InputError(
                "the mean handle time is the demand's aht_s; handle_time gives its shape",
                f"handle_time={value!r}",
                "leave it out (exponential), or give a law, such as scipy.stats.lognorm(s=0.9)",
            )


def _refuse_endless(grid: Grid, warmup_s: float) -> None:
    """A unit that slipped, such as a warm-up in nanoseconds, is not run for days."""
    inside = float(grid.calls.sum())
    warm = float(grid.calls[0].sum()) * warmup_s / float(grid.edges[1])
    if inside + warm > _MOST_CALLS:
        raise InputError(
            f"more than {_MOST_CALLS:,.0f} calls a replication are not simulated",
            f"demand: {inside:.3g} calls, and {warm:.3g} in warmup_s={warmup_s:g}",
            "give calls per interval, and seconds",
        )


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, (int, float, np.integer, np.floating))
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def _check_whole(name: str, value: Any, least: int, most: int | None = None) -> None:
    if (
        isinstance(value, (bool, np.bool_))
        or not isinstance(value, (int, np.integer))
        or value < least
        or (most is not None and value > most)
    ):
        top = f" to {most:,}" if most is not None else " or more"
        raise InputError(f"this must be a whole number, {least}{top}", f"{name}={value!r}")


def _check_choices(when_staff_falls: Any, closing: Any, level: Any) -> None:
    for name, value, known in (
        ("when_staff_falls", when_staff_falls, ("finish", "rejoin")),
        ("closing", closing, ("serve", "leave")),
    ):
        if value not in known:
            raise InputError("no such rule", f"{name}={value!r}", "choose " + " or ".join(known))
    if not (_is_number(level) and 0 < level < 1):
        raise InputError(
            "the level of an interval lies between 0 and 1", f"level={level!r}", "such as 0.95"
        )
