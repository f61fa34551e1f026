"""Which factor moved a mix: shares of cells as products of terms, one for each factor."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Factors", "split_of"]


class Factors:
    """Cells of several factors; which of them agree in which factors is found once."""

    def __init__(self, kinds: pl.DataFrame) -> None:
        self.names = kinds.columns
        self._groups = {
            some: _groups(kinds, some)
            for size in range(1, len(self.names) + 1)
            for some in combinations(self.names, size)
        }

    def terms(self, calls: Floats) -> Floats:
        """Give factors × cells: terms whose product over factors is each cell's share of calls.

        With N_S the calls that agree with a cell in the factors S, a factor's term is
        Π_S (N_{S∪f} / N_S)^w over the sets S of other factors, w = |S|!(K−|S|−1)!/K!
        (Das Gupta 1993, chapter 5). Cells without calls have terms of 0.
        """
        names = self.names
        agree = {(): np.full(calls.size, calls.sum())} | {
            some: np.bincount(of, weights=calls)[of] for some, of in self._groups.items()
        }
        terms = np.ones((len(names), calls.size))
        for k, factor in enumerate(names):
            others = [name for name in names if name != factor]
            for size in range(len(others) + 1):
                weight = _weight(size, len(names))
                for some in combinations(others, size):
                    whole = agree[some]
                    part = agree[tuple(n for n in names if n in some or n == factor)]
                    ratio = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
                    terms[k] *= ratio**weight
        return terms


def split_of(before: Floats, after: Floats) -> Floats:
    """Give factors × cells: what each factor's change adds to the change of the cell's share.

    Each factor's term changes while of the others any set has changed already, averaged over all
    orders; the sum over factors is the change of the share, exactly.
    """
    count = before.shape[0]
    added = np.zeros_like(before)
    for k in range(count):
        others = [j for j in range(count) if j != k]
        for size in range(count):
            for some in combinations(others, size):
                rest = [before[j] if j not in some else after[j] for j in others]
                fixed = np.prod(rest, axis=0) if rest else np.ones(before.shape[1])
                added[k] += _weight(size, count) * fixed * (after[k] - before[k])
    return added


def _weight(size: int, count: int) -> float:
    return factorial(size) * factorial(count - size - 1) / factorial(count)


def _groups(kinds: pl.DataFrame, some: tuple[str, ...]) -> NDArray[np.int64]:
    """Number the values of some factors, one number for each cell."""
    from polars import Int64

    keys = kinds.select(some)
    numbered = keys.unique(maintain_order=True).with_row_index("_group")
    joined = keys.join(numbered, on=list(some), how="left", nulls_equal=True, maintain_order="left")
    return joined["_group"].cast(Int64).to_numpy()
