"""One queue: agents, lines, patience, callers who return. Erlang B, C and A are its corners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError, UnsupportedError
from ccanalytics.queueing import inverse, least
from ccanalytics.queueing.door import Array, broadcast, flag, plain, real
from ccanalytics.queueing.flow import Flow, check_load, read
from ccanalytics.queueing.goals import asked
from ccanalytics.queueing.performance import Performance

if TYPE_CHECKING:
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["Queue"]


class Queue:
    r"""Poisson calls, exponential handle times, agents alike, first come first served.

    Every argument may be a scalar or an array; arrays broadcast. With λ = calls/per, μ = 1/aht
    and R = λ/μ erlangs the model is the birth–death queue of which the classics are corners:

    ======================================  ==========================================
    patience None, endless lines            Erlang C (M/M/n)
    mean patience, endless lines            Erlang A (M/M/n+M)
    law of patience, endless lines          M/M/n+G (Baccelli and Hebuterne)
    finite lines                            M/M/n/N, M/M/n/N+M; lines = agents: Erlang B
    redial, redial_blocked, reconnect       Erlang X: the fixed point of arrivals
    ======================================  ==========================================

    Parameters
    ----------
    calls
        Calls per interval, 0 or more; first attempts where callers return. ``None`` if it is
        what :meth:`calls_for` is to find.
    per
        Length of the interval in seconds.
    aht
        Average handle time in seconds. ``None`` if it is what :meth:`aht_for` is to find.
    patience
        ``None`` (callers never give up), mean seconds (exponential; may be an array), or one
        law: anything with ``.sf(x)``, ``.ccdf(x)`` or ``.sf.evaluate(x)`` in seconds. A law that
        has no ``.cdf`` as well tells shares of those who leave early to 1e-16 only, so that a tiny
        abandonment is right to 1e-16 and not to twelve digits.
    lines
        Most calls in the system, those in service included, at most 1e9; ``None`` for endless
        lines.
    redial
        Share of those who gave up that call again, 0–1.
    redial_blocked
        Share of those who met a busy signal that call again, 0–1.
    reconnect
        Share of those answered that call again (1 − first-call resolution), below 1.

    Raises
    ------
    InputError
        An argument that is not a finite number in its range, or arrays that do not broadcast.
    UnsupportedError
        A general law of patience with finite lines, which has no exact answer.

    Notes
    -----
    Callers who return are taken as further Poisson calls: λ* = λ + redial·λ*·P(abandon) +
    redial_blocked·λ*·P(block) + reconnect·λ*·P(answer), everything else at λ*.

    References
    ----------
    C. Palm (1957); O. Garnett, A. Mandelbaum and M. Reiman, MSOM 4 (2002); F. Baccelli and
    G. Hebuterne (1981); S. Zeltyn and A. Mandelbaum, Queueing Systems 51 (2005); S. Ding,
    M. Remerova, R. van der Mei and B. Zwart (2013).

    Examples
    --------
    >>> from ccanalytics import ServiceLevel
    >>> queue = Queue(calls=100, per=1800, aht=180)
    >>> queue.agents_for(ServiceLevel(0.80, within=20))
    14
    >>> round(queue.performance(14).asa, 3)
    7.836
    >>> Queue(calls=[0, 1000], per=3600, aht=300, patience=180).agents_for(
    ...     ServiceLevel(0.80, within=20)
    ... )
    array([ 0, 84])
    """

    def __init__(
        self,
        calls: Any,
        per: Any,
        aht: Any,
        patience: Any = None,
        lines: Any = None,
        redial: Any = 0.0,
        redial_blocked: Any = 0.0,
        reconnect: Any = 0.0,
    ) -> None:
        self.inputs = {
            "calls": calls,
            "per": per,
            "aht": aht,
            "patience": patience,
            "lines": lines,
            "redial": redial,
            "redial_blocked": redial_blocked,
            "reconnect": reconnect,
        }
        arrays, self._law = read(self.inputs)
        self._shape, flat = broadcast(**arrays)
        check_load(flat, self._shape)
        self._arrays = {name: a for name, a in arrays.items() if not name.startswith("_")}

    def __repr__(self) -> str:
        given = ", ".join(
            f"{name}={value!r}"
            for name, value in self.inputs.items()
            if name in ("calls", "per", "aht") or not (value is None or value == 0.0)
        )
        return f"Queue({given})"

    def _flow(self, **further: Array) -> tuple[tuple[int, ...], Flow, dict[str, Array]]:
        """The demand, flat and broadcast with further arrays, which may replace missing ones."""
        filler = {name: np.ones(()) for name in ("calls", "aht") if name not in self._arrays}
        own = {**self._arrays, **filler, "_": np.empty(self._shape)}
        shape, flat = broadcast(**own, **further)
        fields: dict[str, Any] = {name: flat[name] for name in own if name != "_"}
        if self._law is not None:
            fields["patience"] = self._law
        return shape, Flow(**fields), flat

    def _asked(self, goal: ServiceLevel | None, *most: Any) -> dict[str, Array]:
        patient = "patience" not in self._arrays and self._law is None
        return asked(goal, *most, lines="lines" in self._arrays, patient=patient)

    def _need(self, *names: str) -> None:
        for name in names:
            if name not in self._arrays:
                raise InputError(f"this needs {name}", f"{name}=None", f"give {name} to Queue")

    def performance(self, agents: Any) -> Performance:
        """Steady state with a given number of agents.

        Parameters
        ----------
        agents
            0 or more, scalar or array; whole if lines are finite, else whole or real.

        Returns
        -------
        Performance
            Its attributes have the shape of all arguments together.

        Raises
        ------
        InputError
            Agents that are not finite numbers, or more of them than lines.

        Examples
        --------
        >>> p = Queue(calls=48, per=60, aht=60, patience=120).performance(50)
        >>> round(p.wait_probability, 6), round(p.abandonment, 7), round(p.mean_wait, 5)
        (0.467774, 0.0309122, 3.70947)
        """
        self._need("calls", "aht")
        shape, flow, flat = self._flow(agents=real("agents", agents, least=0))
        n = flat["agents"]
        flow.check_lines(n, shape)
        steady, factor = flow.steady(n)
        return Performance(
            inputs={**self.inputs, "agents": agents},
            _flow=flow,
            _agents=n,
            _steady=steady,
            _factor=factor,
            _shape=shape,
        )

    def agents_for(
        self,
        goal: ServiceLevel | None = None,
        *,
        max_occupancy: Any = None,
        max_abandonment: Any = None,
        max_asa: Any = None,
        max_blocking: Any = None,
        fractional: bool = False,
    ) -> Any:
        """Least number of agents that meets the goal and every limit given.

        With patience this may be below the offered load. Every answer is proved: it meets what is
        asked, and one agent fewer does not.

        Parameters
        ----------
        goal
            A service level, or ``None`` if a limit is given.
        max_occupancy
            Greatest share of time that agents are busy, 0–1; scalar or array, as all limits.
        max_abandonment
            Greatest share of arrivals that give up, 0–1.
        max_asa
            Longest average speed of answer in seconds.
        max_blocking
            Greatest share of arrivals that meet a busy signal, 0–1; needs finite lines.
        fractional
            The real-valued requirement instead of the whole number above it.

        Returns
        -------
        int, float or array
            Agents; no calls need none.

        Raises
        ------
        InputError
            Nothing asked for, a limit out of its range, or a goal that no number reaches.
        UnsupportedError
            A fractional requirement with finite lines.

        Examples
        --------
        >>> from ccanalytics import ServiceLevel
        >>> queue = Queue(calls=1000, per=3600, aht=300)
        >>> queue.agents_for(ServiceLevel(0.80, within=20))
        91
        >>> queue.agents_for(ServiceLevel(0.80, within=20), max_occupancy=0.85)
        99
        >>> round(queue.agents_for(ServiceLevel(0.80, within=20), fractional=True), 3)
        90.689
        """
        self._need("calls", "aht")
        fractional = flag("fractional", fractional)
        if fractional and "lines" in self._arrays:
            raise UnsupportedError(
                "waiting places come whole, so a fractional requirement has no meaning here",
                "fractional=True with finite lines",
                "ask for whole agents, or leave lines out",
            )
        limits = self._asked(goal, max_occupancy, max_abandonment, max_asa, max_blocking)
        shape, flow, flat = self._flow(**limits)
        result = least.agents(flow, goal, {name: flat[name] for name in limits}, shape, fractional)
        return plain(result if fractional else result.astype(np.int64), shape)

    def calls_for(
        self,
        agents: Any,
        goal: ServiceLevel | None = None,
        *,
        max_occupancy: Any = None,
        max_abandonment: Any = None,
        max_asa: Any = None,
        max_blocking: Any = None,
    ) -> Any:
        """Most calls per interval up to which so many agents meet the goal and every limit.

        The queue's own ``calls`` play no part and may be ``None``. Where callers return, first
        attempts are meant. The limits are those of :meth:`agents_for`.

        Returns
        -------
        float or array
            Calls per interval; 0 without agents, ``inf`` where any number would do.

        Examples
        --------
        >>> from ccanalytics import ServiceLevel
        >>> queue = Queue(calls=None, per=1800, aht=180)
        >>> round(queue.calls_for(14, ServiceLevel(0.80, within=20)), 3)
        108.685
        """
        self._need("aht")
        return self._greatest(
            "calls", agents, goal, max_occupancy, max_abandonment, max_asa, max_blocking
        )

    def aht_for(
        self,
        agents: Any,
        goal: ServiceLevel | None = None,
        *,
        max_occupancy: Any = None,
        max_abandonment: Any = None,
        max_asa: Any = None,
        max_blocking: Any = None,
    ) -> Any:
        """Longest average handle time up to which so many agents meet the goal and every limit.

        The queue's own ``aht`` plays no part and may be ``None``. The limits are those of
        :meth:`agents_for`.

        Returns
        -------
        float or array
            Seconds; 0 without agents, ``inf`` where any handle time would do.

        Examples
        --------
        >>> from ccanalytics import ServiceLevel
        >>> queue = Queue(calls=100, per=1800, aht=None)
        >>> round(queue.aht_for(14, ServiceLevel(0.80, within=20)), 3)
        194.864
        """
        self._need("calls")
        return self._greatest(
            "aht", agents, goal, max_occupancy, max_abandonment, max_asa, max_blocking
        )

    def _greatest(self, what: str, agents: Any, goal: ServiceLevel | None, *most: Any) -> Any:
        limits = self._asked(goal, *most)
        n = real("agents", agents, least=0)
        shape, flow, flat = self._flow(agents=n, **limits)
        flow.check_lines(flat["agents"], shape)
        given = {name: flat[name] for name in limits}
        return plain(inverse.greatest(what, flow, goal, given, flat["agents"]), shape)

    def patience_for(
        self,
        agents: Any,
        goal: ServiceLevel | None = None,
        *,
        max_occupancy: Any = None,
        max_abandonment: Any = None,
        max_asa: Any = None,
        max_blocking: Any = None,
    ) -> Any:
        """Mean patience (exponential) at which the goal, or the one limit given, is just met.

        It answers two questions: how patient callers must be for so few to give up, and which
        patience explains what was observed. Shorter patience means more abandonment, and shorter
        waits for the others; so this is the least patience that keeps ``max_abandonment``, and
        the greatest that keeps ``max_asa``, ``max_occupancy`` or ``max_blocking``. The queue's own
        patience plays no part.

        Returns
        -------
        float or array
            Mean patience in seconds.

        Raises
        ------
        InputError
            Not exactly one thing asked for, or no patience (or more than one) gives it.

        Examples
        --------
        >>> queue = Queue(calls=48, per=60, aht=60)
        >>> round(queue.patience_for(50, max_abandonment=0.0309122491621922), 6)
        120.0
        """
        self._need("calls", "aht")
        limits = asked(
            goal,
            max_occupancy,
            max_abandonment,
            max_asa,
            max_blocking,
            lines="lines" in self._arrays,
            patient=False,
        )
        if len(limits) + (goal is not None) != 1:
            raise InputError(
                "one thing at a time decides the patience",
                "got " + ", ".join([*(["goal"] if goal else []), *limits]),
                "give the goal or one max_ limit",
            )
        n = real("agents", agents, above=0)
        shape, flow, flat = self._flow(agents=n, **limits)
        flow.check_lines(flat["agents"], shape)
        given = {name: flat[name] for name in limits}
        return plain(inverse.patience(flow, goal, given, flat["agents"], shape), shape)
