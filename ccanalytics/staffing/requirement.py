"""The requirement: the least agents per interval that meet the goal, seated and scheduled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ccanalytics.demand import MEASURES, as_demand
from ccanalytics.errors import DataError, InputError, UnsupportedError
from ccanalytics.results import Check
from ccanalytics.staffing import _doubts
from ccanalytics.staffing._days import LOCAL
from ccanalytics.staffing._methods import METHOD_WORDS, Plan, Volume, find, is_exponential
from ccanalytics.staffing._motion import refuse_overlaps
from ccanalytics.staffing._seats import Rules, check_number
from ccanalytics.staffing.required import SINGLE_DAYS, Requirement
from ccanalytics.staffing.typical import TypicalDemand

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing.shrinkage import Shrinkage

__all__ = ["Requirement", "requirement", "volume_of"]

Method = Literal["stationary", "lagged", "modified", "iterative", "simulated"]
Over = Literal["interval", "day"]


def requirement(
    demand: Any,
    goal: ServiceLevel,
    method: Method = "stationary",
    *,
    shrinkage: float | Shrinkage = 0.0,
    efficiency: float = 1.0,
    patience: Any = None,
    max_occupancy: float | None = None,
    max_abandonment: float | None = None,
    min_agents: int = 0,
    over: Over = "interval",
    cv: float | Literal["demand"] | None = None,
    chance: float | None = None,
    absence: float = 0.0,
    show_up: float = 0.95,
    handle_time: Any = None,
    replications: int = 400,
    seed: int = 1,
    progress: Any = None,
) -> Requirement:
    r"""Give the least agents per interval that meet the goal and every bound.

    The load of an interval is R = calls × handle time / length. What the methods take it for:

    ==============  ==============================================================================
    ``stationary``  a queue that has been at R for ever (SIPP)
    ``lagged``      the same at the load one handle time earlier (Lag SIPP)
    ``modified``    the same at the mean load that endless agents would carry (MOL)
    ``iterative``   the queue in motion, M(t)/M/n(t)+M: the chance of every number of calls is
                    carried from interval to interval, and each interval takes the least agents
                    with which its own calls meet the goal
    ``simulated``   the same by the event simulator, with any law of handle times and patience
    ==============  ==============================================================================

    Least means that with n − 1 the goal, or a bound, fails. Scheduled agents are ⌈n/(1 −
    shrinkage)⌉, rounded to 1e-9 before the ceiling, and then as many more as ``absence`` asks for.
    An interval without calls needs ``min_agents``.

    Parameters
    ----------
    demand
        A :class:`TypicalDemand`, or a frame with interval_start (aware), calls, aht_s, interval_s
        and any keys (``log.demand``, a forecast). The answer is sorted by key and time. Methods
        other than ``stationary`` begin each stretch without a gap as if its first interval had
        lasted.
    goal
        The service level wanted.
    method
        See above.
    shrinkage
        Share of paid time in which an agent is not there to take calls, 0 to below 1, or a
        :class:`Shrinkage` of named components.
    efficiency
        What a head of the floor planned does of the work of a head of the floor on which handle
        time was measured (``EffectiveAgents.efficiency``): below 1 with more newcomers. Handle
        time is divided by it.
    patience
        Mean seconds until a waiting caller leaves (exponential, Erlang A); None for callers who
        never leave (Erlang C); or a law with ``.sf``. A list is refused: it could be means by row,
        or a sample.
    max_occupancy, max_abandonment
        Bounds beside the goal, shares 0–1 (occupancy 0.05 or more); none by default.
    min_agents
        Fewest agents in any interval.
    over
        ``interval``: the goal holds in each; ``day``: over all calls of a local day (and key), at
        least agent-hours.
    cv
        Coefficient of variation of the volume about its forecast, a gamma factor of mean 1: a
        number, or ``"demand"`` for the column of the frame. The service level is then what callers
        meet on average, busy days counting for their calls.
    chance
        With which the rate is one at which the goal holds; needs ``cv``. None asks for the goal on
        average.
    absence, show_up
        Chance that a scheduled person does not turn up, and with which enough shall be there.
    handle_time
        For ``simulated``: law or sample that gives the shape; see
        :func:`~ccanalytics.simulation.simulate`. None is exponential.
    replications, seed
        For ``simulated``.
    progress
        For ``simulated``: called as ``progress(runs done, most runs, what)``.

    Raises
    ------
    InputError
        A frame of another form, a share outside its range, an unknown method.
    DataError
        An empty frame, or a goal that no number of agents reaches.
    UnsupportedError
        What a method cannot answer, with the one that can.

    References
    ----------
    L. Green, P. Kolesar, J. Soares (2001), Operations Research 49, 549–564; O. Jennings, A.
    Mandelbaum, W. Massey, W. Whitt (1996), Management Science 42, 1383–1394; Z. Feldman, A.
    Mandelbaum, W. Massey, W. Whitt (2008), Management Science 54, 324–338; G. Jongbloed, G. Koole
    (2001), Applied Stochastic Models in Business and Industry 17, 307–318.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> from ccanalytics import ServiceLevel
    >>> frame = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 9, tzinfo=timezone.utc)],
    ...     "interval_s": [1800], "calls": [100], "aht_s": [180.0]})
    >>> need = requirement(frame, ServiceLevel(0.80, within=20), shrinkage=0.30)
    >>> need.frame["required_agents"][0], need.frame["scheduled_agents"][0]
    (14, 20)
    >>> patient = requirement(frame, ServiceLevel(0.80, within=20), patience=120, cv=0.2)
    >>> patient.frame["required_agents"][0], round(patient.frame["service_level"][0], 4)
    (13, 0.8394)
    """
    import polars as pl

    _choose("method", method, get_args(Method))
    _choose("over", over, get_args(Over))
    rules = Rules(
        goal, shrinkage, patience, max_occupancy, max_abandonment, min_agents, absence, show_up
    )
    typical = demand if isinstance(demand, TypicalDemand) else None
    given = demand if typical is None else typical.demand
    rows = as_demand(given)
    if rows.height == 0:
        raise DataError("the demand frame is empty", "0 rows", "widen start and end")
    keys = tuple(key for key in rows.columns if key not in (*MEASURES, *LOCAL))
    rows = rows.sort([*keys, "interval_start"])
    if method != "stationary":
        refuse_overlaps(rows, keys)
    if not 0.1 <= check_number("efficiency", efficiency) <= 10:
        raise InputError(
            "a head does between a tenth and ten times the work of another",
            f"efficiency={efficiency!r}",
            "1 for a floor like the one measured",
        )
    rows = rows.with_columns(pl.col("aht_s") / efficiency)
    volume = volume_of(rows, cv, chance)
    _refuse(method, rules, over, volume, handle_time)
    plan = find(
        Plan(rows, keys, rules, method, over, volume, handle_time, replications, seed, progress)
    )
    rules.refuse_implausible(plan.agents, rows)
    some = (rows["calls"].to_numpy() > 0) & (plan.agents > 0)
    calls, per, aht = (rows[c].to_numpy() for c in ("calls", "interval_s", "aht_s"))
    told = [
        pl.Series(name, np.where(some, plan.measures[name], np.nan)).fill_nan(None)
        for name in plan.measures
    ]
    frame = rows.with_columns(
        pl.Series("load", np.where(calls > 0, calls * np.nan_to_num(aht) / per, 0.0)),
        *([pl.Series("effective_load", plan.load)] if plan.load is not None else []),
        pl.Series("required_agents", plan.agents),
        pl.Series("scheduled_agents", rules.scheduled(plan.agents)),
        *told,
    )
    caution, rests = _one_day(typical, rules)
    return Requirement(
        frame=frame,
        goal=goal,
        keys=keys,
        name="" if typical is None else typical.name,
        days="" if typical is None else typical.describe_days(),
        caution=caution,
        lacks="" if typical is None else typical.lacks,
        hours="" if typical is None else typical.describe_hours(),
        inputs={
            **rules.inputs(),
            "efficiency": efficiency,
            "method": method,
            "method_words": METHOD_WORDS[method],
            "model": rules.words() + plan.words(),
            "over": over,
            "cv": cv,
            "chance": chance,
            "replications": replications if method == "simulated" else None,
            "seed": seed if method == "simulated" else None,
        },
        checks=(
            _doubts.gaps(frame, keys),
            *(_doubts.moving(frame, keys) if method == "stationary" else plan.checks),
            *_doubts.reordered(given, keys),
            *_doubts.short_intervals(frame, method),
            *_doubts.patient(patience),
            *(_doubts.varied(frame) if cv is None and method != "simulated" else []),
            *rests,
            *(() if typical is None else typical.checks),
        ),
    )


def _choose(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(
            f"no such {name}" if name == "method" else "no such choice",
            f"{name}={value!r}",
            "choose " + " or ".join(repr(each) for each in known),
        )


def volume_of(rows: pl.DataFrame, cv: Any, chance: float | None) -> Volume | None:
    """How uncertain each row's volume is, from what was asked; checked."""
    if cv is None:
        if chance is not None:
            raise InputError(
                "a chance needs to know how uncertain the volume is",
                f"chance={chance!r}, cv=None",
                'give cv, such as 0.1, or "demand" for the column of the frame',
            )
        return None
    if isinstance(cv, str):
        if cv != "demand" or "cv" not in rows.columns:
            raise InputError(
                "the demand has no coefficient of variation",
                f"cv={cv!r}",
                'give a number, or "demand" with a frame that has the column cv',
            )
        # Counts vary by chance too, 1/√calls; only what exceeds it is uncertainty of the rate.
        seen = rows["cv"].fill_null(0.0).to_numpy()
        chance_alone = 1 / np.maximum(rows["calls"].to_numpy(), 1e-9)
        values = np.sqrt(np.maximum(seen**2 - chance_alone, 0.0))
    else:
        number = check_number("cv", cv)
        if not 0 <= number <= 2:
            raise InputError("a coefficient of variation is 0 to 2", f"cv={cv!r}", "such as 0.1")
        values = np.full(rows.height, number)
    if chance is not None:
        number = check_number("chance", chance)
        if not 0 < number < 1:
            raise InputError("a chance lies between 0 and 1", f"chance={chance!r}", "such as 0.9")
    return Volume(values, chance)


def _refuse(method: str, rules: Rules, over: str, volume: Volume | None, handle_time: Any) -> None:
    if method == "iterative" and not is_exponential(rules.patience):
        raise UnsupportedError(
            "the day in motion is known for exponential patience only",
            f"method='iterative', patience={rules.patience!r}",
            "give mean seconds, or take method='simulated' or 'modified'",
        )
    if handle_time is not None and method != "simulated":
        raise UnsupportedError(
            "formulas know the mean handle time only",
            f"method={method!r} with handle_time",
            "take method='simulated'",
        )
    if over == "day" and (method in ("iterative", "simulated") or volume is not None):
        raise UnsupportedError(
            "a goal over the day is solved with a formula per interval",
            f"over='day', method={method!r}" + (", cv" if volume is not None else ""),
            "take 'stationary', 'lagged' or 'modified' without cv",
        )
    if volume is not None and volume.chance is None and method == "iterative":
        raise UnsupportedError(
            "the mean over uncertain volumes is not solved in motion",
            "method='iterative' with cv and without chance",
            "give a chance, or take 'modified' or 'simulated'",
        )


def _one_day(typical: TypicalDemand | None, rules: Rules) -> tuple[str, list[Check]]:
    """Carry along that an interval, or the peak itself, owes its agents to a single day."""
    if typical is None:
        return "", []
    from ccanalytics.staffing.spikes import found_by

    found = found_by(typical, replace(rules, absence=0.0))
    name = SINGLE_DAYS
    if found.flagged.is_empty():
        judged = found.frame["date"].count()
        words = "no interval owes its agents to one of them" if judged else "too few days to tell"
        return "", [Check(name, "holds" if judged else "informs", words)]
    words = found.first()
    return found.caution(), [Check(name, "fails", words[:1].lower() + words[1:])]
