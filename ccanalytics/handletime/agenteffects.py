"""Handle time of agents over that of others on the same calls: effects and how noisy they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.handletime.levels import indicators, within_agents

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.handletime.agentcells import AgentCells

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

__all__ = ["Effects", "log_effects", "mean_effects"]

_ROUNDS = 200
_CLOSE = 1e-8


@dataclass(frozen=True, eq=False)
class Effects:
    """One number an agent, with its variance were chance alone at work.

    Attributes
    ----------
    effect
        On logs a difference from 0, on means a ratio to 1.
    expected_s
        Mean seconds of an average agent on the same calls.
    calls
        Timed calls.
    variance
        Of one call, over-dispersion included: the variance of an effect is this over calls.
    dispersion
        Variance of an agent's intervals over what single calls would make, 1 or more.
    group
        Agents of one group are compared, through kinds of calls that they share.
    """

    effect: Floats
    expected_s: Floats
    calls: Floats
    variance: float
    dispersion: float
    group: Places


def log_effects(cells: AgentCells) -> Effects:
    """Levels of agents in log yᵢₛₜ = αᵢ + βₛ + γₜ + e, by least squares over calls."""
    from scipy import sparse

    count = len(cells.agents)
    columns = sparse.hstack(
        [
            sparse.csr_array(np.zeros((cells.agent.size, 0))),
            indicators(cells.kind, cells.kinds),
            indicators(cells.period, len(cells.starts)),
        ],
        format="csr",
    )
    y = cells.logs / cells.calls
    if columns.shape[1]:
        sums = within_agents(cells.agent, count, cells.calls, y, columns, whole=True)
        beta = sums.whole()
        mix = np.asarray(columns @ beta).ravel()
        levels = sums.levels(beta, np.arange(columns.shape[1]))
    else:
        mix = np.zeros(y.size)
        levels = cells.by_agent(cells.logs) / cells.by_agent(cells.calls)
    rest = y - mix - levels[cells.agent]
    square, _ = cells.within
    variance, dispersion = _spread(
        cells, square + float(cells.calls @ rest**2), rest, columns.shape[1] + count
    )
    means = mean_effects(cells)
    levels = levels - _mean_of_group(levels, means.group)
    return Effects(
        levels, means.expected_s, means.calls, variance * dispersion, dispersion, means.group
    )


def mean_effects(cells: AgentCells) -> Effects:
    """Factors of agents in mean yᵢₛₜ = aᵢ·bₛ·cₜ, such that the sums of each level come out."""
    count, kinds, periods = len(cells.agents), cells.kinds, len(cells.starts)
    n, total = cells.calls, cells.total_s
    a, b, c = np.ones(count), np.ones(kinds), np.ones(periods)
    levels = ((cells.kind, b), (cells.period, c), (cells.agent, a))
    sums = [np.bincount(at, total, x.size) for at, x in levels]
    a *= total.sum() / n.sum()
    for _ in range(_ROUNDS):
        before = a.copy()
        for (at, level), wanted in zip(levels, sums, strict=True):
            fitted = n * a[cells.agent] * b[cells.kind] * c[cells.period]
            level[:] *= wanted / np.maximum(np.bincount(at, fitted, level.size), 1e-300)
        if np.abs(a / before - 1).max() < _CLOSE:
            break
    calls = cells.by_agent(n)
    fit = a[cells.agent] * b[cells.kind] * c[cells.period]
    group = _groups(cells)
    middle = _mean_of_group(a, group)
    expected = cells.by_agent(n * fit) / a * middle / calls
    square = (cells.squares_s - 2 * fit * total + n * fit**2) / fit**2
    rest = total / (n * fit) - 1
    variance, dispersion = _spread(
        cells, float(np.maximum(square, 0).sum()), rest, count + kinds + periods - 2
    )
    return Effects(a / middle, expected, calls, variance * dispersion, dispersion, group)


def _groups(cells: AgentCells) -> Places:
    """Number agents such that those who share no kind of call, not even by others, differ."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    size = len(cells.agents) + cells.kinds
    shape, links = (size, size), np.ones(cells.agent.size)
    graph = sparse.coo_array((links, (cells.agent, len(cells.agents) + cells.kind)), shape=shape)
    _, label = connected_components(graph, directed=False)
    return np.unique(label[: len(cells.agents)], return_inverse=True)[1].astype(np.int64)


def _mean_of_group(values: Floats, group: Places) -> Floats:
    return np.asarray((np.bincount(group, values) / np.bincount(group))[group])


def _spread(cells: AgentCells, square: float, rest: Floats, parameters: int) -> tuple[float, float]:
    """Variance of a call, and by how much more an agent's intervals vary than calls would make."""
    n = cells.calls
    degrees = float(n.sum()) - parameters
    if degrees < 1:
        raise DataError(
            "there are too few calls to tell agents apart",
            f"{n.sum():,.0f} calls, {parameters} levels of agents, kinds and intervals",
            "take a longer span, or fewer keys",
        )
    variance = max(square / degrees, 1e-12)
    place = cells.agent * len(cells.starts) + cells.period
    groups, at = np.unique(place, return_inverse=True)
    size = np.bincount(at, n)
    mean = np.bincount(at, n * rest) / size
    spare = groups.size - len(cells.agents) - len(cells.starts) + 1
    if spare < 1:
        return variance, 1.0
    return variance, max(1.0, float(size @ mean**2) / variance / spare)
