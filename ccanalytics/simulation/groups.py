"""Agents: how many in each interval, in which groups, with which skills and in what order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.plan import Grid

    Floats = NDArray[np.float64]
    Wholes = NDArray[np.int64]

__all__ = ["Groups", "groups_of"]

_MOST = 1_000_000
_LARGEST = 1e9


@dataclass(frozen=True, eq=False)
class Groups:
    """G groups of like agents.

    Attributes
    ----------
    names
        Names of the groups.
    agents
        K × G agents in each interval.
    routes
        T × G: groups in the order in which a call of a type looks for an agent; −1 fills up.
    serves
        G × T: whether a group has the skill.
    priority, head_start
        By type: smaller goes first; seconds added to the wait among equals.
    """

    names: tuple[str, ...]
    agents: Wholes
    routes: Wholes
    serves: NDArray[np.bool_]
    priority: Wholes
    head_start: Floats

    @property
    def is_one_queue(self) -> bool:
        """Whether this is one group that serves all calls in order of arrival."""
        return (
            len(self.names) == 1
            and np.unique(self.priority).size == 1
            and np.unique(self.head_start).size == 1
        )


def groups_of(
    grid: Grid, agents: Any, skills: Any, routing: Any, priority: Any, head_start: Any
) -> Groups:
    """Check the agents against the demand's intervals and types."""
    count = grid.edges.size - 1
    if not grid.given_in_order:
        _refuse_a_list(agents)
    agents = _from_frame(agents, grid)
    if isinstance(agents, Mapping):
        names = tuple(str(name) for name in agents)
        if not names or len(set(names)) < len(names):
            raise InputError(
                "groups of agents need names of their own, one or more",
                f"agents: {', '.join(map(repr, agents)) or 'no group'}",
            )
        numbers = np.stack(
            [_series(each, count, f"agents[{name!r}]", grid) for name, each in agents.items()],
            axis=1,
        )
    else:
        names = ("agents",)
        numbers = _series(agents, count, "agents", grid)[:, None]
    skilled = _skills(grid, names, skills)
    routes, serves = _routes(grid, names, skilled, routing)
    return Groups(
        names=names,
        agents=numbers,
        routes=routes,
        serves=serves,
        priority=_of_types(grid, priority, "priority", 0).astype(np.int64),
        head_start=_of_types(grid, head_start, "head_start", 0.0),
    )


def _refuse_a_list(agents: Any) -> None:
    """Numbers without times may follow the rows of the demand, or the clock: nobody can tell."""
    if getattr(agents, "columns", None) is not None:
        return
    each: Any
    for each in agents.values() if isinstance(agents, Mapping) else [agents]:
        if not isinstance(each, (str, bytes)) and hasattr(each, "__len__") and np.ndim(each):
            raise InputError(
                "agents are given as a list, and the demand is not in order of time",
                "agents",
                "sort the demand by interval_start, or give agents as a frame with interval_start",
            )


def _from_frame(agents: Any, grid: Grid) -> Any:
    """Agents by interval (and group) out of a frame, matched by the start of the interval."""
    import polars as pl

    if not isinstance(agents, pl.LazyFrame) and getattr(agents, "columns", None) is None:
        return agents
    if not isinstance(agents, pl.DataFrame):
        import narwhals.stable.v2 as nw

        try:
            agents = nw.from_native(agents, eager_only=True).to_polars()
        except TypeError as error:
            raise InputError(
                "agents must be numbers, a polars or a pandas frame",
                f"got {type(agents).__name__}",
                "collect a lazy frame first",
            ) from error
    if "agents" not in agents.columns and "required_agents" in agents.columns:
        agents = agents.rename({"required_agents": "agents"})  # a requirement as it is
    for needed in ("interval_start", "agents"):
        if needed not in agents.columns:
            raise InputError(
                "the frame of agents lacks a column",
                f"column {needed!r}",
                "it needs interval_start and agents, and group if there are several",
            )
    stamp = agents.schema["interval_start"]
    if not isinstance(stamp, pl.Datetime) or stamp.time_zone is None:
        raise InputError("interval_start must be a timestamp with a time zone", f"it is {stamp}")
    kind = agents.schema["agents"]
    if not kind.is_numeric() and kind != pl.Null:
        raise InputError("agents must be numbers", f"column 'agents' is {kind}")
    starts = grid.intervals["interval_start"]
    agents = agents.with_columns(
        pl.col("interval_start").dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    )
    # Other intervals than the demand's are a roster of another day; between its bounds, a mistake.
    end = starts[-1] + timedelta(seconds=float(grid.edges[-1] - grid.edges[-2]))
    odd = agents.filter(
        pl.col("interval_start").is_between(starts[0], end, closed="left")
        & ~pl.col("interval_start").is_in(starts.implode())
    )
    if odd.height:
        raise InputError(
            "the frame of agents changes within an interval of the demand",
            f"{odd['interval_start'][0]}, and {odd.height - 1} more",
            "make both frames of the same intervals",
        )

    def numbers(part: pl.DataFrame, name: str) -> list[Any]:
        twice = part.filter(pl.col("interval_start").is_duplicated())
        if twice.height:
            raise InputError(
                "an interval stands twice in the frame of agents",
                f"{name}: {twice['interval_start'][0]}",
                "if its rows are several groups, name their column 'group'",
            )
        known = dict(zip(part["interval_start"], part["agents"], strict=True))
        for row, at in enumerate(starts):
            if at not in known:
                raise InputError(
                    "the frame of agents lacks an interval of the demand",
                    f"{name}: interval {row}, {at}",
                    "give every interval, with 0 agents where nobody works",
                )
        return [known[at] for at in starts]

    if "group" not in agents.columns:
        return numbers(agents, "agents")
    return {
        str(key[0]): numbers(part, f"group {key[0]!r}")
        for key, part in agents.group_by(["group"], maintain_order=True)
    }


def _series(value: Any, count: int, name: str, grid: Grid) -> Wholes:
    try:
        numbers = np.asarray(value)
        if numbers.dtype == object:  # a null among numbers, which the check below names by its row
            kinds = {type(each) for each in numbers.ravel().tolist()}
            numbers = numbers if kinds & {str, bytes, bool} else numbers.astype(float)
    except (TypeError, ValueError):
        numbers = np.asarray(None)
    if value is None or numbers.dtype.kind not in "iuf":
        raise InputError(
            "agents must be numbers", f"{name}={value!r}", "give whole numbers, 0 or more"
        )
    numbers = numbers.astype(float)
    if numbers.ndim == 0:
        numbers = np.full(count, float(numbers))
    if numbers.shape != (count,):
        have = numbers.shape[0] if numbers.ndim == 1 else numbers.shape
        short = isinstance(have, int) and have < count
        lacks = f", row {have}: {grid.intervals['interval_start'][have]} has none" if short else ""
        raise InputError(
            f"agents are given for {have} intervals, the demand has {count}",
            name + lacks,
            "give one number for all, or one per interval of the demand",
        )
    bad = ~(np.isfinite(numbers) & (numbers >= 0) & (numbers == np.rint(numbers)))
    bad |= numbers > _MOST
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"agents must be whole numbers from 0 to {_MOST:,}",
            f"{name}, row {row}, {grid.intervals['interval_start'][row]}: {numbers[row]:g}",
            "round a fractional requirement up first",
        )
    return numbers.astype(np.int64)


def _skills(grid: Grid, names: tuple[str, ...], skills: Any) -> dict[str, list[str]]:
    if skills is None:
        return {name: list(grid.names) for name in names}
    if not isinstance(skills, Mapping):
        raise InputError(
            "skills must map each group to its types of calls",
            f"skills={skills!r}",
            "write skills={'general': ['sales', 'service']}",
        )
    for name in skills:
        if name not in names:
            raise InputError(
                "these skills are of no group", f"skills: {name!r}", f"groups are {names}"
            )
    known: dict[str, list[str]] = {}
    for name in names:
        if name not in skills:
            raise InputError(
                "a group has no skills", f"group {name!r}", "list the types it may serve"
            )
        wanted = _listed(skills[name], f"skills of {name!r}")
        for one in wanted:
            if one not in grid.names:
                raise InputError(
                    "a skill for which there are no calls",
                    f"skills of {name!r}: {one!r}",
                    "the demand has " + ", ".join(map(repr, grid.names)),
                )
        known[name] = wanted
    for kind in grid.names:
        if not any(kind in each for each in known.values()):
            row = int(np.argmax(grid.calls[:, grid.names.index(kind)] > 0))
            raise InputError(
                "nobody has the skill for these calls",
                f"{kind!r}, first in row {row}: {grid.intervals['interval_start'][row]}",
                "give it to a group, or leave these calls out of the demand",
            )
    return known


def _listed(given: Any, name: str) -> list[str]:
    """One name, or several."""
    if isinstance(given, str):
        return [given]
    try:
        return list(given)
    except TypeError:
        raise InputError("this must be a list of names", f"{name}: {given!r}") from None


def _routes(
    grid: Grid, names: tuple[str, ...], skilled: dict[str, list[str]], routing: Any
) -> tuple[Wholes, NDArray[np.bool_]]:
    if routing is not None and not isinstance(routing, Mapping):
        raise InputError("routing must map each type of call to its groups", f"{routing!r}")
    if routing:
        for kind in routing:
            if kind not in grid.names:
                raise InputError("there is no such type of call", f"routing: {kind!r}")
    routes = np.full((len(grid.names), len(names)), -1, np.int64)
    serves = np.zeros((len(names), len(grid.names)), bool)
    for t, kind in enumerate(grid.names):
        able = [name for name in names if kind in skilled[name]]
        order = (
            able
            if not routing or kind not in routing
            else _listed(routing[kind], f"routing of {kind!r}")
        )
        for name in order:
            if name not in able:
                raise InputError(
                    "calls are routed to a group without the skill",
                    f"routing of {kind!r}: {name!r}",
                )
            if order.count(name) > 1:
                raise InputError("a route names each group once", f"routing of {kind!r}: {order}")
        if not order:
            raise InputError("a route needs a group", f"routing of {kind!r}: {order}")
        for place, name in enumerate(order):
            routes[t, place] = names.index(name)
            serves[names.index(name), t] = True
    return routes, serves


def _of_types(grid: Grid, value: Any, name: str, default: float) -> Floats:
    """Numbers by type; types that a mapping leaves out get the default."""
    if value is None:
        return np.full(len(grid.names), float(default))
    if not isinstance(value, Mapping):
        raise InputError(
            f"{name} must map types of calls to numbers", f"{name}={value!r}", "such as {'vip': 0}"
        )
    for kind, number in value.items():
        if kind not in grid.names:
            raise InputError(
                "there is no such type of call",
                f"{name}: {kind!r}",
                "the demand has " + ", ".join(map(repr, grid.names)),
            )
        real = isinstance(number, (int, float, np.integer, np.floating))
        if isinstance(number, bool) or not real or not abs(number) <= _LARGEST:
            raise InputError(
                "this must be a number, and at most a thousand million",
                f"{name}[{kind!r}]={number!r}",
            )
        if name == "priority" and number != int(number):
            raise InputError("a priority is a whole number", f"{name}[{kind!r}]={number!r}")
        if name == "head_start" and number < 0:
            raise InputError("a head start is 0 s or more", f"{name}[{kind!r}]={number!r}")
    return np.array([float(value.get(kind, default)) for kind in grid.names])
