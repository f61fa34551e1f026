"""The event simulator: does a plan hold when calls, handle times and patience are as they are?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError, UnsupportedError
from ccanalytics.results import Check
from ccanalytics.servicelevel import ServiceLevel
from ccanalytics.simulation.arrivals import MixedPoisson, Replay
from ccanalytics.simulation.compiled import COMPILES
from ccanalytics.simulation.groups import groups_of
from ccanalytics.simulation.plan import callers_of, check_arrivals, grid_of
from ccanalytics.simulation.replication import Setting, replicate
from ccanalytics.simulation.simulated import Book, Simulation

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.simulation.groups import Groups
    from ccanalytics.simulation.plan import Callers, Grid
    from ccanalytics.simulation.tally import Floats, Tally

__all__ = ["simulate"]

Progress = Callable[[int, int, str], None]


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
        Agents seated: a number, one number per interval, a frame with ``interval_start`` and
        ``agents`` (and ``group``), or a mapping from groups to numbers.
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
    if not (_is_number(warmup_s) and 0 <= warmup_s):
        raise InputError("the warm-up is 0 s or more", f"warmup_s={warmup_s!r}")
    if lines is not None:
        _check_whole("lines", lines, 1, most=10_000_000)
    replayed = _replayed(check_arrivals(arrivals), grid, warmup_s)
    mixed, cv = _mixed(arrivals, grid)
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
        records=records,
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
        "arrivals": _arrivals_in_words(arrivals),
        "handle_time": _laws_in_words(callers, grid, "work"),
        "patience": _laws_in_words(callers, grid, "patience"),
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
    return _result(book, grid, groups, wanted, inputs, level, kept)


def _run(
    setting: Setting, replications: int, seed: int, progress: Progress | bool | None
) -> Iterable[tuple[Tally, Floats | None]]:
    """Replications in their order, whoever computes them."""
    from contextlib import ExitStack

    import joblib

    seeds = np.random.SeedSequence(seed).spawn(replications)
    work = joblib.Parallel(return_as="generator")(
        joblib.delayed(replicate)(setting, each) for each in seeds
    )
    with ExitStack() as stack:
        say: Progress | None = progress if callable(progress) else None
        if progress is True:
            from rich.progress import Progress as Bar

            bar = stack.enter_context(Bar(transient=True))
            task = bar.add_task("simulating", total=replications)

            def say(done: int, total: int, what: str) -> None:
                del total, what
                bar.update(task, completed=done)

        for number, outcome in enumerate(work, start=1):
            yield outcome
            if say is not None:
                say(number, replications, "replications")


def _result(
    book: Book,
    grid: Grid,
    groups: Groups,
    goals: tuple[ServiceLevel, ...],
    inputs: dict[str, Any],
    level: float,
    kept: dict[int, pl.DataFrame],
) -> Simulation:
    import polars as pl

    def frame(name: str, shape: tuple[int, ...]) -> pl.DataFrame:
        columns = book.table(name, level)
        size = int(np.prod(shape))
        return pl.DataFrame(
            {key: np.broadcast_to(value, shape).reshape(size) for key, value in columns.items()}
        ).fill_nan(None)

    count, types = grid.calls.shape
    start = grid.intervals.with_columns(agents=pl.Series(groups.agents.sum(axis=1)))
    several = types > 1
    keys = grid.keys.select(pl.all().name.keep()) if several else pl.DataFrame()
    return Simulation(
        inputs=inputs,
        checks=_checks(book, inputs, level),
        intervals=pl.concat([start, frame("intervals", (count,))], how="horizontal"),
        overall=frame("overall", (1,)),
        types=pl.concat([keys, frame("types", (types,))], how="horizontal")
        if several
        else pl.DataFrame(),
        interval_types=pl.concat(
            [
                grid.intervals[np.repeat(np.arange(count), types)],
                keys[np.tile(np.arange(types), count)],
                frame("interval_types", (count, types)),
            ],
            how="horizontal",
        )
        if several
        else pl.DataFrame(),
        groups=pl.concat(
            [pl.DataFrame({"group": groups.names}), frame("groups", (len(groups.names),))],
            how="horizontal",
        )
        if len(groups.names) > 1
        else pl.DataFrame(),
        goals=goals,
        level=level,
        _records=kept,
    )


def _checks(book: Book, inputs: dict[str, Any], level: float) -> tuple[Check, ...]:
    checks = []
    if book.replications < 2:
        checks.append(
            Check(
                "Intervals", "fails", "one replication tells nothing of chance; ask for 2 or more"
            )
        )
    total = book.levels["overall"]
    unserved = float(total["unserved"].estimate(level)[0])
    if unserved > 0:
        checks.append(
            Check(
                "Backlog at the end",
                "informs",
                f"{unserved:.3g} callers a replication are never served; they count as failures "
                "of the service level, not as abandoned",
            )
        )
    if inputs["when_staff_falls"] == "finish":
        over = float(np.nanmean(book.agent_s.sum()))
        busy = float(total["occupancy"].x) / book.replications - over
        if over and busy / over > 0.001:
            checks.append(
                Check(
                    "Overtime",
                    "informs",
                    f"agents finish calls after their shift: {busy / 3600:.1f} hours a "
                    f"replication, {busy / over:.1%} of the agents' time",
                )
            )
    if not COMPILES:
        checks.append(
            Check(
                "Speed",
                "informs",
                "numba is not installed, so the simulation runs about a hundred times slower; "
                "pip install 'ccanalytics[simulation]'",
            )
        )
    return tuple(checks)


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


def _mixed(arrivals: Any, grid: Grid) -> tuple[MixedPoisson | None, Floats]:
    if not isinstance(arrivals, MixedPoisson):
        return None, grid.cv
    cv = grid.cv if arrivals.cv is None else np.full(grid.cv.shape, float(arrivals.cv))
    if arrivals.cv is None and not (cv > 0).any():
        raise InputError(
            "the demand says nothing of how uncertain its volumes are",
            "MixedPoisson(cv=None), and no column cv above 0",
            "give MixedPoisson(cv=0.1), or a column cv in the demand",
        )
    return arrivals, cv


def _replayed(arrivals: Any, grid: Grid, warmup_s: float) -> tuple[Floats, ...] | None:
    """The log's arrivals by type, in seconds from the first interval."""
    if not isinstance(arrivals, Replay):
        return None
    import polars as pl

    if warmup_s > 0:
        raise InputError(
            "no calls were recorded for the warm-up",
            f"warmup_s={warmup_s!r} with Replay",
            "begin the demand earlier instead",
        )
    first = grid.intervals["interval_start"][0]
    missing = [name for name in grid.keys.columns if name not in arrivals.calls.columns]
    if missing:
        raise InputError("the calls to replay lack a key of the demand", f"column {missing[0]!r}")
    calls = arrivals.calls.with_columns(
        _at=(pl.col("arrived_at").dt.convert_time_zone("UTC") - first).dt.total_microseconds() / 1e6
    ).filter((pl.col("_at") >= 0) & (pl.col("_at") < grid.edges[-1]))
    parts = []
    for number, name in enumerate(grid.names):
        part = calls
        for key in grid.keys.columns:
            part = part.filter(pl.col(key).eq_missing(pl.lit(grid.keys[key][number])))
        times = part["_at"].to_numpy().astype(float)
        place = np.searchsorted(grid.edges, times, side="right") - 1
        silent = np.flatnonzero((grid.aht[place, number] <= 0)) if times.size else []
        if len(silent):
            row = int(place[silent[0]])
            raise InputError(
                "calls are replayed in an interval whose demand has no handle time",
                f"{name}, row {row}: {grid.intervals['interval_start'][row]}",
                "make the demand from the same calls",
            )
        parts.append(times)
    if not sum(part.size for part in parts):
        raise DataError(
            "no call to replay lies within the demand's intervals",
            f"{arrivals.calls.height} calls",
            "take calls and demand of the same span",
        )
    return tuple(parts)


def _arrivals_in_words(arrivals: Any) -> str:
    if arrivals is None:
        return "Poisson"
    if isinstance(arrivals, Replay):
        return "as in the log"
    cv = "of the demand" if arrivals.cv is None else f"{arrivals.cv:g}"
    return (
        f"mixed Poisson, coefficient of variation {cv}, correlation {arrivals.within_day:g} within "
        f"a day and {arrivals.day_to_day:g} from day to day"
    )


def _laws_in_words(callers: Callers, grid: Grid, which: str) -> str:
    laws = getattr(callers, which)
    if which == "work":
        words = []
        for law in laws:
            text = law.describe()
            exponential = text == "exponential, mean 1 s"
            words.append("exponential" if exponential else text.split(", mean")[0])
    else:
        words = [law.describe() for law in laws]
    if len(set(words)) == 1:
        return words[0]
    return "; ".join(f"{name}: {word}" for name, word in zip(grid.names, words, strict=True))
