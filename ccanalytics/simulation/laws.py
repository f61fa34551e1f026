"""Handle times and patience as things to draw from: a mean, a law, or a sample of the log."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Law", "Never", "Tap", "delay_of", "law_of"]

_BLOCK = 1024  # draws at once of a law whose draws depend on how many are asked for
_LEAST_DELAY_S = 1e-3


class Law(Protocol):
    """Something that draws times of 0 or more."""

    mean: float
    """Mean in seconds; ``inf`` for callers who never give up."""

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """So many independent times."""

    def describe(self) -> str:
        """The law in words."""


class Never:
    """Endless patience."""

    mean = math.inf

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Infinite times, without using any randomness."""
        del rng
        return np.full(count, np.inf)

    def describe(self) -> str:
        """In words."""
        return "endless"


class Exponential:
    """Exponential with a mean."""

    def __init__(self, mean: float) -> None:
        self.mean = mean

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Exponential times."""
        times = rng.standard_exponential(count)
        times *= self.mean
        return times

    def describe(self) -> str:
        """In words."""
        return f"exponential, mean {self.mean:g} s"


class Frozen:
    """A frozen law of scipy.stats, or one of its new-style distributions."""

    def __init__(self, law: Any, mean: float, name: str) -> None:
        self._law, self.mean, self._name = law, mean, name
        self._new_style = not hasattr(law, "rvs")
        # Some laws mix several random arrays, so that 16 draws are not 5 and then 11. A law that
        # cannot be drawn from is refused here.
        once, twice = np.random.default_rng(0), np.random.default_rng(0)
        parts = np.concatenate([self.draw(5, twice), self.draw(11, twice)])
        self.one_by_one = bool(np.array_equal(self.draw(16, once), parts))

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Times by the law's own generator; a negative or undefined one is refused."""
        if self._new_style:
            times = np.asarray(self._law.sample(count, rng=rng), float)
        else:
            times = np.asarray(self._law.rvs(size=count, random_state=rng), float)
        if times.shape != (count,) or (times.size and not times.min() >= 0):
            raise InputError(
                "this law gives times that are negative or not numbers",
                f"{self._name}={self.describe()}",
                "use a law on 0 and above, such as a lognormal or a gamma",
            )
        return times

    def describe(self) -> str:
        """In words."""
        # A law that says of itself what it is, such as a curve estimated from a log.
        label = getattr(self._law, "label", None)
        if isinstance(label, str):
            return f"{label}, mean {self.mean:,.0f} s"
        kind = getattr(getattr(self._law, "dist", None), "name", type(self._law).__name__)
        return f"{kind}, mean {self.mean:g} s"


class Sample:
    """Times that were observed, drawn again with replacement, by their weights if there are any."""

    def __init__(self, seconds: Floats, weights: Floats | None) -> None:
        self._seconds = seconds
        if weights is None:
            self._steps = None
            self.mean = float(seconds.mean())
        else:
            total = np.cumsum(weights)
            self._steps = total / total[-1]
            self.mean = float(np.average(seconds, weights=weights))

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Observed times, each as likely as it was frequent."""
        if self._steps is None:
            return self._seconds[rng.integers(0, self._seconds.size, count)]
        places = np.searchsorted(self._steps, rng.random(count), side="right")
        return self._seconds[np.minimum(places, self._seconds.size - 1)]

    def describe(self) -> str:
        """In words."""
        return f"sample of {self._seconds.size:,} observed times, mean {self.mean:.6g} s"


class Tap:
    """Draws of one law from one stream: the same ones, however many are asked for at a time."""

    def __init__(self, law: Law, rng: np.random.Generator) -> None:
        self.law, self._rng = law, rng
        self._left = np.empty(0)

    def draw(self, count: int) -> Floats:
        """The next draws."""
        if getattr(self.law, "one_by_one", True):
            return self.law.draw(count, self._rng)
        blocks = [self._left]
        blocks += [
            self.law.draw(_BLOCK, self._rng)
            for _ in range(math.ceil((count - self._left.size) / _BLOCK))
        ]
        drawn = np.concatenate(blocks)
        self._left = drawn[count:]
        return drawn[:count]


def delay_of(value: Any, name: str) -> Law:
    """A law of the time until a caller calls again: above 0, or time would stand still."""
    if value is None or (isinstance(value, (float, np.floating)) and math.isinf(value)):
        raise InputError(
            "a call that comes again needs a delay", f"{name}={value!r}", "give seconds"
        )
    law = law_of(value, name)
    if law.mean < _LEAST_DELAY_S:
        raise InputError(
            "a delay lasts a millisecond or more on average",
            f"{name}={value!r}",
            "give seconds until the caller calls again",
        )
    return law


def law_of(value: Any, name: str, *, scaled: bool = False) -> Law:
    """A law from what the user gave for the argument ``name``.

    Parameters
    ----------
    value
        ``None`` (endless), mean seconds (exponential), a frozen or new-style scipy.stats law, an
        array of observed seconds, or a frame with ``seconds`` and ``calls`` (value counts).
    scaled
        Whether the law is scaled to another mean: it must then have one, above 0 and finite.
    """
    if value is None:
        return Never()
    if isinstance(value, (bool, np.bool_)):
        raise InputError("this must be seconds, a law or observed times", f"{name}={value!r}")
    if isinstance(value, (int, float, np.integer, np.floating)):
        mean = float(value)
        if not (math.isfinite(mean) and mean > 0):
            raise InputError(
                "a mean time must be finite and above 0 seconds",
                f"{name}={value!r}",
                "use None for callers who never give up" if "patience" in name else "give seconds",
            )
        return Exponential(mean)
    if hasattr(value, "rvs") or (hasattr(value, "sample") and hasattr(value, "cdf")):
        return _frozen(value, name, scaled=scaled)
    return _sample(value, name, scaled=scaled)


def _frozen(value: Any, name: str, *, scaled: bool) -> Law:
    if isinstance(value, type) or (hasattr(value, "rvs") and not hasattr(value, "dist")):
        raise InputError(
            "this law has no parameters yet",
            f"{name}={getattr(value, 'name', value)!r}",
            "freeze it, such as scipy.stats.lognorm(s=0.9, scale=120)",
        )
    try:
        mean = float(value.mean())
    except (TypeError, ValueError, NotImplementedError) as error:
        raise InputError("this law does not tell its mean", f"{name}: {error}") from error
    if scaled and not (math.isfinite(mean) and mean > 0):
        raise InputError(
            "this law has no finite mean above 0, so it cannot be scaled to a handle time",
            f"{name}: mean {mean:g}",
            "choose a law with a mean, or cut its tail",
        )
    return Frozen(value, mean, name)


def _sample(value: Any, name: str, *, scaled: bool) -> Law:
    weights = None
    names = getattr(value, "columns", None)
    if names is not None and not callable(names):
        if "seconds" not in names:
            raise InputError(
                "a frame of observed times needs a column of seconds",
                f"{name}: columns {', '.join(map(str, names))}",
                "name it 'seconds', and how often each occurred 'calls'",
            )
        seconds = _numbers(value, "seconds", name)
        weights = _numbers(value, "calls", name) if "calls" in names else None
    else:
        seconds = _numbers(value, None, name)
    if seconds.ndim != 1 or not seconds.size:
        raise InputError(
            "observed times must be a list of seconds, one or more",
            f"{name}: shape {seconds.shape}",
        )
    bad = ~(np.isfinite(seconds) & (seconds >= 0))
    if bad.any():
        place = int(np.argmax(bad))
        raise InputError(
            "an observed time must be finite and 0 seconds or more",
            f"{name}, row {place}: {seconds[place]:g}",
            "leave out times that were not observed to their end",
        )
    if weights is not None:
        bad = ~(np.isfinite(weights) & (weights >= 0))
        if bad.any() or not weights.sum() > 0:
            place = int(np.argmax(bad)) if bad.any() else 0
            raise InputError(
                "how often a time occurred must be finite, 0 or more, and not always 0",
                f"{name}: column 'calls', row {place}: {weights[place]:g}",
            )
    law = Sample(seconds, weights)
    if scaled and law.mean <= 0:
        raise InputError("all observed times are 0", name, "give handle times above 0")
    return law


def _numbers(value: Any, column: str | None, name: str) -> Floats:
    """Numbers as floats; texts, truth values and durations are not taken for seconds."""
    try:
        array = np.asarray(value if column is None else value[column])
        if array.dtype == object:  # whole numbers with gaps, decimals
            kinds = {type(each) for each in array.ravel().tolist()}
            if not kinds & {str, bytes, bool, np.bool_}:
                array = array.astype(float)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        kind = type(value).__name__ if array.dtype == object else f"values of {array.dtype}"
        raise InputError(
            "this must be seconds as numbers, a law of scipy.stats, or observed times",
            f"{name}: {kind}" if column is None else f"{name}: column {column!r}, {kind}",
            "give durations as seconds",
        )
    return array.astype(float)
