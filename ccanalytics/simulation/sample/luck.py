"""Chance that belongs to a call, not to the order in which calls are dealt with.

Each draw is a function of the call's own key, so that a call meets the same luck in every world,
whoever else calls or answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Evenly", "luck", "root_of", "stream"]


def root_of(seed: int, name: str) -> int:
    """The root of a component's luck, by its name."""
    stream = np.random.SeedSequence([seed, *name.encode()])
    return int(stream.generate_state(1, np.uint64)[0])


def stream(seed: int, name: str) -> np.random.Generator:
    """A component's own random numbers, by its name."""
    return np.random.default_rng([seed, *name.encode()])


def luck(root: int, key: NDArray[Any], draw: int = 0) -> NDArray[np.float64]:
    """A number in [0, 1) for each key: splitmix64 (Steele, Lea & Flood 2014) of key and draw."""
    golden = 0x9E3779B97F4A7C15
    with np.errstate(over="ignore"):
        mixed = key.astype(np.uint64) * np.uint64(golden)
        mixed += np.uint64((root + draw * 0xD1342543DE82EF95) % 2**64)
        mixed ^= mixed >> np.uint64(30)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(27)
        mixed *= np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53)


class Evenly:
    """Draws that are spread evenly over their law, in random order.

    Stands for a ``numpy.random.Generator`` where a table of luck is made: a table shared by many
    calls then has the law's own mean, whatever the seed.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def random(self, size: int, dtype: Any = np.float64) -> NDArray[Any]:
        """Uniform on [0, 1)."""
        return self._rng.permutation((np.arange(size) + 0.5) / size).astype(dtype)

    def standard_normal(self, size: int, dtype: Any = np.float64) -> NDArray[Any]:
        """Standard normal."""
        return np.asarray(ndtri(self.random(size)), dtype)

    def standard_exponential(self, size: int, dtype: Any = np.float64) -> NDArray[Any]:
        """Exponential with mean 1."""
        return np.asarray(-np.log1p(-self.random(size)), dtype)
