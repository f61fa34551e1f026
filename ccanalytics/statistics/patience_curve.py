"""A smooth law of patience: what Kaplan and Meier saw, made fit for a queue and a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.statistics.survival import KaplanMeier

    Floats = NDArray[np.float64]

__all__ = ["PatienceCurve", "curve_of"]

_MOST_KNOTS = 40
_LEAST_EVENTS = 25  # between knots
_RELIABLE = 50  # callers still waiting, below whom the curve is not followed
_DENSE = 64  # points between knots for drawing by inversion


class PatienceCurve:
    """Patience as callers showed it: any ``.sf`` argument of queues and simulations takes it.

    The cumulative hazard −log S is a monotone cubic (Fritsch and Carlson) through its estimate at
    ``knots``, and goes on in a straight line beyond the last: an exponential tail, because few
    waited so long.

    Parameters
    ----------
    knots
        Seconds, rising, above 0.
    cumulative
        −log of the share that waits longer, at each knot; not falling.
    tail
        Rate per second at which callers leave after the last knot, above 0.

    Examples
    --------
    >>> curve = PatienceCurve([60.0, 120.0], [0.5, 1.0], tail=1 / 120)
    >>> curve.sf(np.array([0.0, 120.0, 240.0])).round(4).tolist()
    [1.0, 0.3679, 0.1353]
    >>> from ccanalytics import Queue
    >>> exact = Queue(100, 1800, 180, patience=120).performance(11).abandonment
    >>> abs(Queue(100, 1800, 180, patience=curve).performance(11).abandonment - exact) < 1e-9
    True
    """

    label = "as callers of the log show it"

    def __init__(self, knots: Any, cumulative: Any, tail: float) -> None:
        from scipy.interpolate import PchipInterpolator

        at, height = np.asarray(knots, float), np.asarray(cumulative, float)
        good = at.ndim == 1 and at.shape == height.shape and at.size > 0
        if not good or not (np.isfinite(at).all() and np.isfinite(height).all()):
            raise InputError("knots and heights must be lists of numbers of one length", "", "")
        if at[0] <= 0 or (np.diff(at) <= 0).any():
            raise InputError("knots must rise from above 0 seconds", f"knots={at.tolist()!r}"[:80])
        if height[0] < 0 or (np.diff(height) < 0).any():
            raise InputError("a cumulative hazard never falls", f"cumulative={height!r}"[:80])
        if not (np.isfinite(tail) and tail > 0):
            raise InputError("the tail needs a rate above 0 per second", f"tail={tail!r}")
        self.knots: Floats = np.concatenate([[0.0], at])
        self._height = np.concatenate([[0.0], height])
        self._spline = PchipInterpolator(self.knots, self._height)
        self.tail = float(tail)
        steps = np.linspace(self.knots[:-1], self.knots[1:], _DENSE, endpoint=False, axis=1)
        self._dense = np.append(steps.ravel(), self.knots[-1])
        self._dense_height = np.maximum.accumulate(self._spline(self._dense))

    def __repr__(self) -> str:
        return f"PatienceCurve({self.knots.size - 1} knots to {self.reliable_s:g} s)"

    @property
    def reliable_s(self) -> float:
        """Seconds up to which it follows the data; beyond, the tail is exponential."""
        return float(self.knots[-1])

    def cumulative_hazard(self, seconds: Any) -> Any:
        """−log of the share that waits longer than this."""
        x = np.maximum(np.asarray(seconds, float), 0.0)
        inside = self._spline(np.minimum(x, self.knots[-1]))
        beyond = np.maximum(x - self.knots[-1], 0.0) * self.tail
        value = np.maximum(inside, 0.0) + beyond
        return float(value) if value.ndim == 0 else value

    def sf(self, seconds: Any) -> Any:
        """Share whose patience is longer than this."""
        value = np.exp(-np.asarray(self.cumulative_hazard(seconds)))
        return float(value) if value.ndim == 0 else value

    def cdf(self, seconds: Any) -> Any:
        """Share whose patience is at most this, to full precision also where it is small."""
        value = -np.expm1(-np.asarray(self.cumulative_hazard(seconds)))
        return float(value) if value.ndim == 0 else value

    def _time(self, cumulative: Floats) -> Floats:
        inside = np.interp(cumulative, self._dense_height, self._dense)
        return inside + np.maximum(cumulative - self._height[-1], 0.0) / self.tail

    def quantile(self, share: Any) -> Any:
        """Seconds by which this share has left."""
        p = np.asarray(share, float)
        if not ((p >= 0) & (p < 1)).all():
            raise InputError("a share is 0 to below 1", f"share={share!r}")
        value = self._time(-np.log1p(-p))
        return float(value) if value.ndim == 0 else value

    def mean(self) -> float:
        """Mean patience in seconds; it leans on the tail, so that medians are safer."""
        from scipy.integrate import simpson

        area = float(simpson(np.exp(-self._dense_height), x=self._dense))
        return area + float(np.exp(-self._height[-1])) / self.tail

    def sample(self, shape: Any = (), *, rng: Any = None) -> Any:
        """Draw patience at random, in seconds; ``rng`` is a generator or a seed."""
        generator = np.random.default_rng(rng)
        return self._time(generator.standard_exponential(shape))


def curve_of(
    km: KaplanMeier, seconds: Floats, events: Floats, calls: Floats, half: float
) -> PatienceCurve:
    """The curve through an estimate.

    A knot follows the last when ``_LEAST_EVENTS`` or a fortieth of all have left in between; the
    last stands where ``_RELIABLE`` still wait. The tail's rate is that of those who left late: a
    tenth of all before the last knot, and all after it. ``half`` is what rounding added to times.
    """
    trusted = (km.at_risk >= _RELIABLE) & (km.survival > 0)
    if not trusted.any():
        raise DataError(
            "too few callers waited for a curve of patience",
            f"never more than {int(km.at_risk.max(initial=0))} at risk",
            "take a longer span or fewer groups",
        )
    times, left = km.seconds[trusted], np.cumsum(km.events[trusted])
    step = max(_LEAST_EVENTS, left[-1] / _MOST_KNOTS)
    group = np.ceil(left / step - 1e-9)
    ends = np.flatnonzero(np.append(np.diff(group) > 0, True))
    if ends.size > 1 and left[ends[-1]] - left[ends[-2]] < step / 2:
        ends = np.delete(ends, -2)
    height = -np.log(km.survival[trusted][ends])
    late = float(times[np.searchsorted(left, 0.9 * left[-1])])
    waiting = float((calls * np.maximum(seconds - late, 0.0)).sum())
    gone = float(events[seconds > late].sum())
    rate = gone / waiting if gone and waiting else float(height[-1] / (times[ends[-1]] + half))
    return PatienceCurve(times[ends] + half, height, rate)
