"""What the next launch would do, learnt from those that came: choice of covariates, and proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.statistics.random_effects import RandomEffects, random_effects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Foretold", "Proof", "foretell", "held_out"]

_PER_COEFFICIENT = 5  # launches for each coefficient


@dataclass(frozen=True, eq=False)
class Foretold:
    """A random-effects line, and the covariates that it uses."""

    model: RandomEffects
    names: tuple[str, ...]
    columns: tuple[int, ...]
    centre: Floats

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the covariates that it uses."""
        return tuple(self.names[k] for k in self.columns)

    def predict(self, traits: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of log ratios of units that have not gone live."""
        return self.model.predict(self.rows(traits))

    def rows(self, traits: Floats) -> Floats:
        """The constant and the covariates used, about their means."""
        chosen = traits[:, list(self.columns)] - self.centre
        return np.hstack([np.ones((len(traits), 1)), chosen])


@dataclass(frozen=True, eq=False)
class Proof:
    """The last launches, foretold from those before them.

    ``log``, ``variance``: foretold; ``same`` is the log ratio of all earlier launches together.
    """

    last: NDArray[np.int64]
    log: Floats
    variance: Floats
    degrees: int
    same: float
    used: tuple[str, ...]


def foretell(log: Floats, variance: Floats, traits: Floats, names: tuple[str, ...]) -> Foretold:
    """Fit launches on the covariates that foretell them best, one left out at a time.

    Tried are none, the first, the first two, and so on, as far as there are five launches for each
    coefficient; the one whose left-out launches are foretold with the least error weighted by
    1/(variance + variance between) is taken.
    """
    varied = [k for k in range(traits.shape[1]) if np.ptp(traits[:, k]) > 0]
    most = max(min(len(varied), log.size // _PER_COEFFICIENT - 1), 0)
    fits = (_fit(log, variance, traits, names, tuple(varied[:n])) for n in range(most + 1))
    tried = [each for each in fits if each is not None]
    # One scale for all, that of the plainest.
    weight = 1 / (variance + tried[0].model.between)
    errors = [float(weight @ _left_out(log, variance, traits, each) ** 2) for each in tried]
    return tried[int(np.argmin(errors))]


def held_out(
    log: Floats,
    variance: Floats,
    calls: Floats,
    traits: Floats,
    names: tuple[str, ...],
    order: NDArray[np.int64],
    last: int,
) -> Proof:
    """Foretell the ``last`` launches from those before them.

    ``order`` are positions by date of launch; ``calls`` those that would have come.
    """
    early, late = order[:-last], order[-last:]
    model = foretell(log[early], variance[early], traits[early], names)
    mean, spread = model.predict(traits[late])
    came = calls[early] * np.exp(log[early])
    return Proof(
        last=late,
        log=mean,
        # What is seen of a launch is its effect and the chance of its own weeks.
        variance=spread + variance[late],
        degrees=model.model.degrees,
        same=float(np.log(came.sum() / calls[early].sum())),
        used=model.used,
    )


def _fit(
    log: Floats, variance: Floats, traits: Floats, names: tuple[str, ...], columns: tuple[int, ...]
) -> Foretold | None:
    centre = traits[:, list(columns)].mean(axis=0)
    rows = np.hstack([np.ones((log.size, 1)), traits[:, list(columns)] - centre])
    if np.linalg.matrix_rank(rows) < rows.shape[1]:
        return None
    return Foretold(random_effects(log, variance, rows), names, columns, centre)


def _left_out(log: Floats, variance: Floats, traits: Floats, fit: Foretold) -> Floats:
    """Error of each launch, foretold without it: r/(1 − h) of the weighted line.

    The variance between is that of all launches.
    """
    rows, weight = fit.rows(traits), 1 / (variance + fit.model.between)
    bread = np.linalg.inv(rows.T @ (weight[:, None] * rows))
    pull = weight * np.einsum("ij,jk,ik->i", rows, bread, rows)
    # A launch that alone tells a coefficient cannot be foretold without it.
    return np.asarray((log - rows @ fit.model.beta) / np.maximum(1 - pull, 1e-9))
