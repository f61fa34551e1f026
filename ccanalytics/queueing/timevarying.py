"""A day in motion: calls and agents that change by the interval, solved without steady state."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ccanalytics.errors import InputError, UnsupportedError
from ccanalytics.queueing.by_arrival import Transient
from ccanalytics.queueing.course import MOST_CALLS, Course, run
from ccanalytics.queueing.curve import is_law
from ccanalytics.queueing.door import Array, real, refuse
from ccanalytics.queueing.rates import by_interval, piece_rates

__all__ = ["transient"]


def transient(
    calls: Any,
    per: Any,
    aht: Any,
    agents: Any,
    patience: Any = None,
    lines: Any = None,
    *,
    start: Any = "empty",
    when_staff_falls: Literal["rejoin"] = "rejoin",
    steps: int | None = None,
) -> Transient:
    r"""A queue through a day: M(t)/M/n(t)+M, on endless or finite lines, from interval to interval.

    The chance p(k) of k calls in the system obeys the Kolmogorov forward equations

        p(k)′ = λ(t)·p(k − 1) − [λ(t) + d(k)]·p(k) + d(k + 1)·p(k + 1),
        d(k) = min(k, n(t))·μ + (k − n(t))⁺·θ,   no arrivals from k = lines on,

    which are solved to about 1e-10. Nothing is stationary here: a queue that has built up in one
    interval is still there in the next, and load lags behind the calls by about one handle time.

    Parameters
    ----------
    calls
        Calls by interval (a scalar or one axis), 0 or more, at an even rate within the interval;
        or a function of the seconds since the start that gives calls per *second*.
    per
        Length of each interval in seconds; scalar or by interval.
    aht
        Average handle time in seconds, scalar or by interval; a new value holds for all calls
        in progress.
    agents
        Agents by interval, whole numbers, 0 or more; they change at once.
    patience
        ``None`` (callers never give up) or mean seconds (exponential), scalar or by interval.
    lines
        Most calls in the system, those in service included, scalar or by interval; at least as
        many as agents. ``None`` for endless lines. Calls in the system when lines fall stay.
    start
        Calls in the system at the start: ``"empty"``, ``"steady"`` (the steady state of the
        first interval), a whole number, or the chances of 0, 1, 2 … calls.
    when_staff_falls
        What becomes of calls in progress above the new number of agents. ``"rejoin"``: they go
        back to the head of the queue, which is what the equations say; their callers may give up
        there, and for the answered it is the first answer that counts.
    steps
        For a function: pieces of even rate per interval (12 if not given). The error falls with
        its square.

    Returns
    -------
    Transient
        Arrays by interval.

    Raises
    ------
    InputError
        A number out of its range, arrays of different length, fewer lines than agents, a start
        that is no distribution, a steady state that does not exist.
    UnsupportedError
        Agents who finish their call before they leave, patience that is not exponential, or a
        backlog beyond 50,000 calls.

    References
    ----------
    L. Green, P. Kolesar and W. Whitt, Production and Operations Management 16 (2007);
    A. Ingolfsson, E. Akhmetshina, S. Budge, Y. Li and X. Wu, INFORMS J. Computing 19 (2007).

    Examples
    --------
    Calls double at once; an hour later the queue is still not what it will be when steady.

    >>> import ccanalytics as cc
    >>> day = transient([100, 200, 200], per=1800, aht=180, agents=[14, 22, 22], start="steady")
    >>> day.wait_probability.round(3)
    array([0.174, 0.392, 0.544])
    >>> day.service_level(cc.ServiceLevel(0.80, within=20)).round(3)
    array([0.89 , 0.72 , 0.575])
    >>> round(cc.Queue(200, 1800, 180).performance(22).wait_probability, 3)
    0.568
    """
    _check_rule(when_staff_falls)
    if patience is not None and is_law(patience):
        raise UnsupportedError(
            "with demand that changes an exact answer is known for exponential patience only",
            f"patience={patience!r}",
            "give mean seconds, or simulate",
        )
    given = {
        "per": real("per", per, above=0, remedy="give the interval's length in seconds"),
        "aht": real("aht", aht, above=0, remedy="give mean handle time in seconds"),
        "agents": real("agents", agents, least=0, whole=True),
    }
    if not callable(calls):
        given["calls"] = real("calls", calls, least=0)
    if patience is not None:
        remedy = "give mean seconds, or None for endless patience"
        given["patience"] = real("patience", patience, above=0, remedy=remedy)
    if lines is not None:
        remedy = "leave lines out, or None, for endless lines"
        given["lines"] = real("lines", lines, least=0, whole=True, most=MOST_CALLS, remedy=remedy)
    v = by_interval(given)
    n = v["agents"]
    if "lines" in v and (n > v["lines"]).any():
        refuse(
            "each agent needs a line",
            {"agents": n, "lines": v["lines"]},
            n > v["lines"],
            "give at least as many lines as agents",
        )
    if (n > MOST_CALLS).any():
        real("agents", n, least=0, most=MOST_CALLS, remedy="simulate a part of such a centre")
    course = Course(
        rates=piece_rates(calls, v.get("calls"), v["per"], steps),
        seconds=v["per"],
        agents=n,
        service=1 / v["aht"],
        patience=1 / v["patience"] if "patience" in v else np.zeros(n.size),
        lines=v.get("lines", np.full(n.size, np.inf)),
    )
    first = _start(course, start)
    _check_size(course, float(first @ np.arange(first.size)))
    parts, end = run(course, first)
    return Transient(
        inputs={
            "calls": calls,
            "per": per,
            "aht": aht,
            "agents": agents,
            "patience": patience,
            "lines": lines,
            "start": start,
            "when_staff_falls": when_staff_falls,
            "steps": steps,
        },
        _course=course,
        _parts=parts,
        _end=end,
    )


def _check_rule(rule: str) -> None:
    if rule == "finish":
        raise UnsupportedError(
            "agents who finish their call before they leave have no exact answer here: the chain "
            "knows how many calls there are, not how many agents still owe the end of one",
            "when_staff_falls='finish'",
            "take 'rejoin', which differs for about one handle time after staff falls, or simulate",
        )
    if rule != "rejoin":
        raise InputError(
            "no such rule for calls in progress",
            f"when_staff_falls={rule!r}",
            "give 'rejoin'",
        )


def _check_size(course: Course, calls: float) -> None:
    """Refuse what a fluid shows to grow beyond the state space, before any work is done."""
    level = calls
    rows = zip(
        course.rates.mean(axis=1),
        course.seconds,
        course.agents * course.service,
        course.patience,
        course.lines,
        strict=True,
    )
    for i, (rate, seconds, out, own, lines) in enumerate(rows):
        if own:  # the queue runs towards where as many give up as come in excess
            aim = (rate - out) / own
            level = max(aim + (level - aim) * np.exp(-own * seconds), 0.0)
        else:
            level = max(level + (rate - out) * seconds, 0.0)
        level = min(level, lines)
        if level > MOST_CALLS:
            raise UnsupportedError(
                f"more than {MOST_CALLS:,} calls would be in the system at once",
                f"interval {i}: about {level:,.0f}",
                "give more agents, finite lines or patience, or simulate",
            )


def _start(course: Course, start: Any) -> Array:
    """The distribution at the start."""
    if isinstance(start, str):
        if start == "empty":
            return np.ones(1)
        if start == "steady":
            return _steady(course)
        raise InputError(
            "no such start",
            f"start={start!r}",
            "give 'empty', 'steady', a number of calls, or the chances of 0, 1, 2 … calls",
        )
    values = real("start", start, least=0)
    if values.ndim == 0:
        at = real("start", values, least=0, most=MOST_CALLS, whole=True)
        p = np.zeros(int(at) + 1)
        p[-1] = 1.0
    elif values.ndim == 1 and abs(values.sum() - 1) < 1e-9:
        p = values / values.sum()
    else:
        raise InputError(
            "the start is no distribution",
            f"start has shape {values.shape} and sum {values.sum():.10g}",
            "give the chances of 0, 1, 2 … calls in the system, which sum to 1",
        )
    most = course.lines[0]
    if np.isfinite(most) and p.size - 1 > most and p[int(most) + 1 :].any():
        raise InputError(
            "more calls at the start than lines",
            f"lines={most:g}, calls up to {int(np.flatnonzero(p)[-1])}",
            "give more lines, or fewer calls",
        )
    return p


def _steady(course: Course) -> Array:
    """The steady state of the first piece."""
    rate, n = float(course.rates[0, 0]), float(course.agents[0])
    if rate == 0:
        return np.ones(1)
    most = float(course.lines[0])
    if course.patience[0] == 0 and rate >= n * course.service[0]:
        if not np.isfinite(most):
            raise InputError(
                "the first interval has no steady state: more calls come than agents can handle",
                f"load {rate / course.service[0]:.6g} erlangs, agents={n:g}",
                "start empty, or give patience, lines or more agents",
            )
        if n == 0:
            return np.eye(int(most) + 1)[-1]
    top = min(max(n, rate / course.service[0]) + 100, most)
    while True:
        with np.errstate(divide="ignore"):
            steps = np.log(rate / course.deaths(0, np.arange(1, top + 1)))
        logs = np.concatenate([[0.0], np.cumsum(steps)])
        if top >= most or logs[-1] < logs.max() - 60:
            break
        top = min(2 * top, most)
        if top > MOST_CALLS:
            raise UnsupportedError(
                f"the steady state of the first interval reaches beyond {MOST_CALLS:,} calls",
                f"load {rate / course.service[0]:.6g} erlangs, agents={n:g}",
                "start empty",
            )
    p = np.exp(logs - logs.max())
    return p / p.sum()
