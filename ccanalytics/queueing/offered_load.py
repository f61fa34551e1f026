"""The load that agents would carry if there were enough of them: modified offered load."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.queueing.door import Array, real, refuse
from ccanalytics.queueing.rates import by_interval, piece_rates
from ccanalytics.results import Result

if TYPE_CHECKING:
    import polars as pl

__all__ = ["OfferedLoad", "modified_offered_load"]


def modified_offered_load(
    calls: Any, per: Any, aht: Any, *, start: Any = "empty", steps: int | None = None
) -> OfferedLoad:
    r"""Mean number of busy agents through a day if there were always a free one.

    m(t) = E ∫ λ(u) du over the last handle time before t, the mean of the Poisson number of calls
    in progress with endless agents. With exponential handle times m′ = λ − μm, so that within a
    stretch of even rate λ, R = λ/μ,

        m(t) = R + (m(0) − R)·e^{−μt},  its mean over τ: R + (m(0) − R)·(1 − e^{−μτ})/(μτ).

    Load follows the calls about one handle time later, and its peaks are lower: staffing by m
    instead of by calls × AHT keeps the chance of waiting level through the day.

    Parameters
    ----------
    calls
        Calls by interval (a scalar or one axis), 0 or more, at an even rate within the interval;
        or a function of the seconds since the start that gives calls per *second*.
    per
        Length of each interval in seconds; scalar or by interval.
    aht
        Average handle time in seconds, scalar or by interval; a new value holds for all calls in
        progress.
    start
        ``"empty"``, ``"steady"`` (the first interval's calls had come for long), or the calls in
        progress at the start.
    steps
        For a function: pieces of even rate per interval (12 if not given).

    Returns
    -------
    OfferedLoad
        ``mean``, ``greatest``, ``least`` and ``end`` by interval, in erlangs.

    Raises
    ------
    InputError
        A number out of its range, arrays of different length, or no such start.

    References
    ----------
    O. Jennings, A. Mandelbaum, W. Massey and W. Whitt, Management Science 42 (1996); S. Eick,
    W. Massey and W. Whitt, Management Science 39 (1993).

    Examples
    --------
    >>> load = modified_offered_load([100, 200, 100], per=1800, aht=180, start="steady")
    >>> load.mean.round(2), load.greatest.round(2)
    (array([10., 19., 11.]), array([10., 20., 20.]))
    """
    given = {
        "per": real("per", per, above=0, remedy="give the interval's length in seconds"),
        "aht": real("aht", aht, above=0, remedy="give mean handle time in seconds"),
    }
    if not callable(calls):
        given["calls"] = real("calls", calls, least=0)
    v = by_interval(given)
    rates = piece_rates(calls, v.get("calls"), v["per"], steps)
    pieces = rates.shape[1]
    load = rates * v["aht"][:, None]
    x = np.broadcast_to((v["per"] / pieces / v["aht"])[:, None], load.shape)
    first = _start(start, load)
    fall = np.exp(-x).reshape(-1)
    target = load.reshape(-1)
    edges = np.empty(target.size + 1)
    edges[0] = first
    for j in range(target.size):  # R + (m − R)e⁻ˣ, written as a mean of the two
        edges[j + 1] = edges[j] * fall[j] + target[j] * (1 - fall[j])
    begin, end = edges[:-1].reshape(load.shape), edges[1:].reshape(load.shape)
    kept = -np.expm1(-x) / x
    # Within a piece m runs straight from one value towards R: its extremes are at the ends.
    return OfferedLoad(
        inputs={"calls": calls, "per": per, "aht": aht, "start": start, "steps": steps},
        mean=(begin * kept + load * (1 - kept)).mean(axis=1),
        greatest=np.maximum(begin, end).max(axis=1),
        least=np.minimum(begin, end).min(axis=1),
        end=end[:, -1].copy(),
        offered=load.mean(axis=1),
        _edges=edges,
        _load=target,
        _times=np.concatenate(
            [[0.0], np.cumsum(np.repeat(v["per"] / pieces, pieces))],
        ),
        _aht=np.repeat(v["aht"], pieces),
        _seconds=v["per"],
    )


def _start(start: Any, load: Array) -> float:
    if isinstance(start, str):
        if start == "empty":
            return 0.0
        if start == "steady":
            return float(load[0, 0])
        raise InputError(
            "no such start", f"start={start!r}", "give 'empty', 'steady' or calls in progress"
        )
    value = real("start", start, least=0)
    if value.ndim:
        raise InputError("one start for the day", f"start={start!r}", "give a scalar")
    return float(value)


@dataclass(frozen=True, eq=False, kw_only=True)
class OfferedLoad(Result):
    """Modified offered load by interval, in erlangs.

    Attributes
    ----------
    mean, greatest, least, end
        Of m(t) over the interval, and at its last moment.
    offered
        Calls × AHT / length of the interval, for comparison.
    """

    mean: Array
    greatest: Array
    least: Array
    end: Array
    offered: Array
    _edges: Array = field(repr=False)
    _load: Array = field(repr=False)
    _times: Array = field(repr=False)
    _aht: Array = field(repr=False)
    _seconds: Array = field(repr=False)

    def at(self, times: Any) -> Any:
        """Load m(t) at seconds since the start, within the day; scalar or array.

        >>> load = modified_offered_load(100, per=1800, aht=180)
        >>> round(load.at(180), 4)
        6.3212
        """
        t = real("times", times, least=0)
        outside = t > self._times[-1]
        if outside.any():
            remedy = f"the day ends after {self._times[-1]:g} s"
            refuse("times must lie inside the day", {"times": t}, outside, remedy)
        j = np.clip(np.searchsorted(self._times, t, side="right") - 1, 0, self._load.size - 1)
        fall = np.exp(-(t - self._times[j]) / self._aht[j])
        value = self._edges[j] * fall + self._load[j] * (1 - fall)
        return float(value) if t.ndim == 0 else value

    def to_frame(self) -> pl.DataFrame:
        """One row per interval: load as offered, and the mean, least and greatest of m(t)."""
        import polars as pl

        return pl.DataFrame(
            {
                "interval_s": self._seconds,
                "load": self.offered,
                "modified_load": self.mean,
                "modified_load_least": self.least,
                "modified_load_greatest": self.greatest,
            }
        )

    def summary(self) -> str:
        """The answer in words, then the model."""
        top, plain = int(self.greatest.argmax()), int(self.offered.argmax())
        return (
            f"The load peaks at {self.greatest[top]:.4g} erlangs in interval {top + 1} of "
            f"{self.mean.size:,}; by calls × AHT the peak is {self.offered[plain]:.4g} in interval "
            f"{plain + 1}. Model: M(t)/M/∞, modified offered load with exponential handle times."
        )
