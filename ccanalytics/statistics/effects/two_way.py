"""Poisson counts of units by periods: level of the unit × level of the period × other changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["fitted", "shifts", "told_apart"]

_STEPS, _NEAR = 5000, 1e-9


def shifts(calls: Floats, used: Floats, others: Floats) -> Floats:
    """What other changes did to the calls: their factor in all cells, by the model of `fitted`."""
    if not len(others):
        return np.ones((*used.shape[:-2], *calls.shape))
    return _fit(calls, used, others)[1]


def fitted(calls: Floats, used: Floats, others: Floats) -> Floats:
    """Expected calls by the model that the used cells fit best, in all cells.

    log μᵢₜ = αᵢ + λₜ + Σₖ βₖ·otherₖᵢₜ by Poisson maximum likelihood. With two sets of levels the
    maximum is where the fitted sums of every unit and period equal the counted ones, which
    proportional fitting finds; β follows by Newton steps in between.

    Parameters
    ----------
    calls
        Units × periods.
    used
        … × units × periods, 1 where a cell is used: each leading index is a fit of its own.
    others
        Changes × units × periods, shares 0–1.

    Raises
    ------
    DataError
        The fit does not settle.
    """
    return _fit(calls, used, others)[0]


def _fit(calls: Floats, used: Floats, others: Floats) -> tuple[Floats, Floats]:
    counted = calls * used
    of_unit, of_period = counted.sum(-1), counted.sum(-2)
    period = of_period / np.maximum(used.sum(-2), 1)
    beta = np.zeros((*used.shape[:-2], len(others)))
    shift = np.ones_like(used)
    for _ in range(_STEPS):
        weight = used * shift
        unit = of_unit / np.maximum(np.einsum("...it,...t->...i", weight, period), 1e-300)
        fresh = of_period / np.maximum(np.einsum("...it,...i->...t", weight, unit), 1e-300)
        moved = np.max(np.abs(fresh - period) / np.maximum(period, 1e-300))
        period = fresh
        if len(others):
            mean = unit[..., :, None] * period[..., None, :] * shift
            missed = np.einsum("kit,...it->...k", others, counted - mean * used)
            size = np.einsum("kit,...it->...k", others**2, mean * used)
            step = np.clip(missed / np.maximum(size, 1e-300), -0.5, 0.5)
            beta = beta + step
            shift = np.exp(np.einsum("...k,kit->...it", beta, others))
            moved = max(moved, float(np.max(np.abs(step))))
        if moved < _NEAR:
            return np.asarray(unit[..., :, None] * period[..., None, :] * shift), shift
    raise DataError(
        "the levels of units and weeks cannot be told apart from the other changes",
        f"no settled fit after {_STEPS:,} steps",
        "leave out units that changed in the same weeks, or estimate the changes together",
    )


def told_apart(used: Floats, others: Floats) -> NDArray[np.bool_]:
    """Whether each other change moves within the used cells beyond units and periods."""
    found = np.zeros(len(others), bool)
    for k, share in enumerate(others):
        rest = share * used
        for _ in range(200):
            rest = rest - used * (rest.sum(1) / np.maximum(used.sum(1), 1))[:, None]
            rest = rest - used * (rest.sum(0) / np.maximum(used.sum(0), 1))[None, :]
        found[k] = float((rest**2).sum()) > 1e-3
    return found
