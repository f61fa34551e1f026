"""How calls come: by chance, by chance around an uncertain rate, or as they came in the log."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CERTAIN = 1e-6  # a coefficient of variation below which the rate is taken as known

__all__ = ["MixedPoisson", "Replay", "Stream", "rate_factors"]


@dataclass(frozen=True, kw_only=True)
class MixedPoisson:
    r"""Poisson arrivals whose rate itself is uncertain: calls of an interval ~ Poisson(λ·B).

    B is gamma with mean 1 and the coefficient of variation ``cv``; the factors of different
    intervals are joined by a Gaussian copula. With Z the normal score of an interval,
    corr(Z, Z′) = ``within_day`` for two intervals of one day, and
    ``within_day`` · ``day_to_day``:sup:`d` for intervals d days apart. Types of calls vary
    independently of each other.

    Parameters
    ----------
    cv
        Coefficient of variation of the rate; ``None`` takes the demand's column ``cv``.
    within_day
        Correlation of the normal scores within a day, 0–1; 1: the whole day is busier or quieter
        by one factor.
    day_to_day
        Correlation of one day's level with the next day's, 0–1.

    Notes
    -----
    Poisson-gamma (Jongbloed & Koole 2001), joined as in NORTA (Cario & Nelson 1997). A count has
    variance/mean = 1 + cv²·λ.

    Examples
    --------
    >>> MixedPoisson(cv=0.1).within_day
    1.0
    """

    cv: float | None = None
    within_day: float = 1.0
    day_to_day: float = 0.0

    def __post_init__(self) -> None:
        if self.cv is not None and not (_number(self.cv) and 0 <= self.cv <= 10):
            raise InputError(
                "a coefficient of variation is a number from 0 to 10",
                f"cv={self.cv!r}",
                "write 10% as 0.1",
            )
        for name in ("within_day", "day_to_day"):
            value = getattr(self, name)
            if not (_number(value) and 0 <= value <= 1):
                raise InputError("a correlation here lies from 0 to 1", f"{name}={value!r}")


class Replay:
    """The log's own arrivals, the same in every replication; handle times and patience are drawn.

    They hold whoever called again; ``redial`` and the like would add such calls a second time.

    Parameters
    ----------
    calls
        Frame (polars or pandas) with ``arrived_at``, aware timestamps, and the demand's key
        columns if it has any, such as ``log.table("calls")`` filtered to the calls wanted.

    Raises
    ------
    InputError
        No column ``arrived_at``, or times without a zone.
    """

    def __init__(self, calls: Any) -> None:
        import polars as pl

        if not isinstance(calls, pl.DataFrame):
            import narwhals.stable.v2 as nw

            try:
                calls = nw.from_native(calls, eager_only=True).to_polars()
            except TypeError as error:
                raise InputError(
                    "arrivals to replay must be a polars or pandas frame",
                    f"got {type(calls).__name__}",
                ) from error
        if "arrived_at" not in calls.columns:
            raise InputError(
                "arrivals to replay need the column arrived_at",
                f"columns {', '.join(calls.columns)}",
                'give log.table("calls")',
            )
        kind = calls.schema["arrived_at"]
        if not isinstance(kind, pl.Datetime) or kind.time_zone is None:
            raise InputError("arrived_at must be a timestamp with a time zone", f"it is {kind}")
        self.given = calls.height
        self.calls = calls.filter(pl.col("arrived_at").is_not_null()).sort("arrived_at")

    def __repr__(self) -> str:
        return f"Replay({self.calls.height} arrivals)"


def _number(value: object) -> bool:
    return (
        isinstance(value, (int, float, np.integer, np.floating))
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def rate_factors(
    cv: Floats, day: NDArray[np.int64], mixed: MixedPoisson, rng: np.random.Generator
) -> Floats:
    """A factor with mean 1 per interval, gamma with these coefficients of variation."""
    from scipy.special import gammaincinv, ndtr

    days = int(day[-1]) + 1
    steps = rng.standard_normal(days)
    level = np.empty(days)
    level[0] = steps[0]
    keep, fresh = mixed.day_to_day, math.sqrt(1 - mixed.day_to_day**2)
    for each in range(1, days):
        level[each] = keep * level[each - 1] + fresh * steps[each]
    own = rng.standard_normal(cv.size)
    score = math.sqrt(mixed.within_day) * level[day] + math.sqrt(1 - mixed.within_day) * own
    factor = np.ones(cv.size)
    some = cv > _CERTAIN
    shape = 1 / cv[some] ** 2
    factor[some] = gammaincinv(shape, ndtr(np.clip(score[some], -8, 8))) / shape
    return factor


class Stream:
    """Poisson arrivals of one type at a rate that is constant within each bin.

    Arrivals of rate 1, their clock turned by the inverse of the cumulative rate: the same draws
    serve every rate, so scenarios with more or fewer calls share their randomness.
    """

    def __init__(self, bounds: Floats, calls: Floats, rng: np.random.Generator) -> None:
        # Operational time at each bound; bins without calls stand still.
        self._bounds = bounds
        self._clock = np.concatenate([[0.0], np.cumsum(calls)])
        self._rng = rng
        self._waiting = np.empty(0)
        self._last = 0.0

    def until(self, time: float) -> Floats:
        """Arrivals up to ``time`` that were not given out before, in order."""
        target = float(np.interp(time, self._bounds, self._clock))
        while self._last <= target:
            missing = target - self._last
            count = int(missing + 6 * math.sqrt(missing) + 16)
            more = self._last + np.cumsum(self._rng.standard_exponential(count))
            self._waiting = np.concatenate([self._waiting, more])
            self._last = float(more[-1])
        cut = int(np.searchsorted(self._waiting, target, side="right"))
        now, self._waiting = self._waiting[:cut], self._waiting[cut:]
        return _turn(now, self._clock, self._bounds)


def _turn(operational: Floats, clock: Floats, bounds: Floats) -> Floats:
    """Times at which the cumulative rate reaches these values."""
    rising = np.concatenate([[True], np.diff(clock) > 0])
    if rising.all():
        return np.interp(operational, clock, bounds)
    # Where nothing comes, the cumulative rate is flat: an arrival belongs to the bin that follows.
    place = np.searchsorted(clock, operational, side="left") - 1
    place = np.clip(place, 0, clock.size - 2)
    step = clock[place + 1] - clock[place]
    share = np.where(step > 0, (operational - clock[place]) / np.where(step > 0, step, 1), 0)
    return bounds[place] + share * (bounds[place + 1] - bounds[place])
