"""Least squares within agents: each agent's own level stands for what is lasting about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

__all__ = ["Within", "WithinAgents", "indicators", "within_agents"]

_DENSE = 4_000_000  # numbers up to which a full matrix is quicker than a sparse one


@dataclass(frozen=True, eq=False)
class Within:
    """Coefficients of some columns, and how they move when one agent is left out.

    Attributes
    ----------
    beta
        All coefficients, those of interest first.
    covariance
        Of the coefficients of interest, agents being clusters: how each agent moves them, times how
        they move without that agent. Of one coefficient this is CR2 (Bell & McCaffrey 2002), which
        has no bias where calls are independent; the sandwich is too narrow, and the jackknife too
        wide, where few agents carry a coefficient.
    degrees
        Degrees of freedom by coefficient of interest: agents that carry it, less 1.
    """

    beta: Floats
    covariance: Floats
    degrees: Floats

    @property
    def errors(self) -> Floats:
        """Standard errors of the coefficients of interest."""
        return np.sqrt(np.diag(self.covariance))


@dataclass(frozen=True, eq=False)
class WithinAgents:
    """Normal equations, agent by agent, after each agent's mean is taken out.

    Attributes
    ----------
    squares, products
        Agents × columns × columns, and agents × columns.
    weight, sums, of_y
        By agent: sum of weights, of weighted columns, of weighted y.
    """

    squares: Floats
    products: Floats
    weight: Floats
    sums: Floats
    of_y: Floats

    def fit(self, wanted: Any, others: Any) -> Within:
        """Fit some columns; limits are worked out for those wanted."""
        names = np.concatenate([np.asarray(wanted, int), np.asarray(others, int)])
        squares = self.squares[:, names[:, None], names]
        products = self.products[:, names]
        whole, right = squares.sum(axis=0), products.sum(axis=0)
        # A level that one agent alone has seen has no equation without them.
        ridge = 1e-9 * max(float(np.trace(whole)) / len(names), 1e-9) * np.eye(len(names))
        inverse = np.linalg.inv(whole + ridge)
        beta = inverse @ right
        count = len(wanted)
        without = np.linalg.solve(whole + ridge - squares, (right - products)[..., None])
        rows = inverse[:count]
        gone = beta[:count] - without[:, :count, 0]
        added = (products - squares @ beta) @ rows.T
        covariance = (added.T @ gone + gone.T @ added) / 2
        if np.linalg.eigvalsh(covariance)[0] <= 0:  # of few agents: the jackknife is never so
            covariance = gone.T @ gone
        carried = np.einsum("kp,gpq,kq->gk", rows, squares, rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            degrees = carried.sum(axis=0) ** 2 / (carried**2).sum(axis=0) - 1
        return Within(beta, covariance, np.clip(np.nan_to_num(degrees, nan=1.0), 1.0, None))

    def whole(self) -> Floats:
        """Coefficients of all columns, without limits."""
        squares, right = self.squares.sum(axis=0), self.products.sum(axis=0)
        ridge = 1e-9 * max(float(np.trace(squares)) / len(right), 1e-9) * np.eye(len(right))
        return np.linalg.solve(squares + ridge, right)

    def levels(self, beta: Floats, columns: Any) -> Floats:
        """Level of each agent, given the coefficients of these columns."""
        return np.asarray((self.of_y - self.sums[:, np.asarray(columns, int)] @ beta) / self.weight)

    def between(self, columns: Any) -> Floats:
        """Coefficients without levels of agents: all people's calls as if one had taken them."""
        names = np.asarray(columns, int)
        sums = self.sums[:, names]
        raw = (self.squares[:, names[:, None], names]).sum(axis=0)
        raw = raw + np.einsum("gp,gq->pq", sums, sums / self.weight[:, None])
        right = self.products[:, names].sum(axis=0) + sums.T @ (self.of_y / self.weight)
        total, mean = self.weight.sum(), sums.sum(axis=0)
        middle = raw - np.outer(mean, mean) / total
        ridge = 1e-9 * max(float(np.trace(middle)) / len(names), 1e-9) * np.eye(len(names))
        return np.linalg.solve(middle + ridge, right - mean * self.of_y.sum() / total)


def indicators(places: Places, size: int) -> Any:
    """Sparse columns of levels, the first left out."""
    from scipy import sparse

    some = places > 0
    rows = np.flatnonzero(some)
    shape = (places.size, size - 1)
    return sparse.csr_array((np.ones(rows.size), (rows, places[some] - 1)), shape=shape)


def within_agents(
    agent: Places, count: int, weight: Floats, y: Floats, columns: Any, *, whole: bool = False
) -> WithinAgents:
    """Gather the normal equations; rows stand in the order of agents.

    With ``whole`` the equations of all agents are summed at once, where nobody is left out.
    """
    rows, width = columns.shape
    matrix = columns.toarray() if rows * width <= _DENSE else columns.tocsr()
    edges = np.searchsorted(agent, np.arange(count + 1))
    held = 1 if whole else count
    squares, products = np.zeros((held, width, width)), np.zeros((held, width))
    sums = np.zeros((count, width))
    total = np.bincount(agent, weight, count).astype(float)
    of_y = np.bincount(agent, weight * y, count).astype(float)
    for g in range(count):
        place = slice(edges[g], edges[g + 1])
        part, w = matrix[place], weight[place]
        weighted = part * w[:, None] if isinstance(part, np.ndarray) else part.multiply(w[:, None])
        square = part.T @ weighted
        sums[g] = np.asarray(weighted.sum(axis=0)).ravel()
        at = 0 if whole else g
        products[at] += part.T @ (w * y[place]) - sums[g] * of_y[g] / total[g]
        full = square if isinstance(square, np.ndarray) else square.toarray()
        squares[at] += full - np.outer(sums[g], sums[g]) / total[g]
    return WithinAgents(squares, products, total, sums, of_y)
