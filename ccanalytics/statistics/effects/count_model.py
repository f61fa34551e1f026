"""The regression under a before-and-after comparison: weekly counts, their trend and a step."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Estimate
from ccanalytics.statistics.newey_west import Correction, correction, lag_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.statistics.effects.weekly import Weekly

__all__ = ["LEAST_CALLS", "YEAR", "CountData", "CountFit", "fit_counts", "step_at"]

YEAR = 365.2425 / 7
LEAST_CALLS = 20


@dataclass(frozen=True, eq=False)
class CountFit:
    """A fitted model: the relative effect, and what its lines are drawn from.

    ``design``, ``offset`` and ``names`` describe the weeks used and the regressors; ``lags`` is
    that of the Newey–West errors, which ``corrected`` corrects; ``std_error`` is that of the log
    of fitted over counterfactual calls, and ``influence`` what each week's residual added to it,
    scaled by the correction.
    """

    relative: Estimate
    names: list[str]
    design: NDArray[np.float64]
    beta: NDArray[np.float64]
    covariance: NDArray[np.float64]
    offset: NDArray[np.float64]
    corrected: Correction
    lags: int
    std_error: float
    influence: NDArray[np.float64]

    @property
    def plain(self) -> NDArray[np.float64]:
        """The design had nothing changed."""
        return np.where([name.startswith("effect") for name in self.names], 0, self.design)


def step_at(n: int, at: int) -> NDArray[np.float64]:
    """Give the exposure of a plain step: 0 before week ``at``, nan in it, 1 after it.

    >>> step_at(4, 1).tolist()
    [0.0, nan, 1.0, 1.0]
    """
    dose = np.where(np.arange(n) > at, 1.0, 0.0)
    dose[at] = np.nan
    return dose


@dataclass(frozen=True, eq=False)
class CountData:
    """A weekly series with the exposure to the change, working days, and exposure to others."""

    series: Weekly
    dose: NDArray[np.float64]
    days: NDArray[np.float64]
    others: dict[str, NDArray[np.float64]]

    @property
    def used(self) -> NDArray[np.bool_]:
        """Weeks that enter the regression."""
        return np.isfinite(self.dose) & (self.days > 0)

    def history(self, upto: int, at: int) -> CountData:
        """Take the weeks before ``upto``, with a plain step at ``at``."""
        return CountData(
            self.series.part(slice(0, upto)),
            step_at(upto, at),
            self.days[:upto],
            {name: other[:upto] for name, other in self.others.items()},
        )


def fit_counts(data: CountData, pairs: int, *, slope: bool, level: float) -> CountFit:
    """Fit the counts of the weeks used; see `segmented` for the model.

    Raises
    ------
    DataError
        Another change came in the same weeks, so that the two cannot be told apart.
    """
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    used = data.used
    when = np.flatnonzero(used).astype(float)
    y, x_dose = data.series.calls[used], data.dose[used]
    names, design = _design(when - when.mean(), x_dose, pairs, slope=slope)
    for name, other in data.others.items():
        if np.ptp(other[used]) > 0:
            names, design = [*names, name], np.column_stack([design, other[used]])
    if np.linalg.matrix_rank(design) < len(names):
        raise DataError(
            "the change cannot be told from another that came in the same weeks",
            ", ".join(data.others) or "the trend",
            "take units where they came apart",
        )
    offset = np.log(data.days[used])
    lags = lag_for(y.size)
    model = GLM(y, design, family=Poisson(), offset=offset)
    with warnings.catch_warnings():
        # A series without noise is fitted perfectly; without zeros on a side that is no harm.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        found = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    beta, covariance = np.asarray(found.params), np.asarray(found.cov_params())
    mu = np.asarray(found.fittedvalues)
    # Log of fitted over counterfactual calls after the change, and its gradient.
    effect = np.array([name.startswith("effect") for name in names])
    after = x_dose > 0
    without = mu[after] * np.exp(-design[after][:, effect] @ beta[effect])
    ratio = float(np.log(mu[after].sum() / without.sum()))
    gradient = (mu[after] @ design[after]) / mu[after].sum() - (
        without @ np.where(effect, 0, design[after])
    ) / without.sum()
    pearson = (y - mu) / np.sqrt(mu)
    weighted = design * np.sqrt(mu)[:, None]
    corrected = correction(weighted, pearson, gradient, lags, at=when)
    moved = weighted @ np.linalg.pinv(weighted.T @ weighted) @ gradient * pearson
    error = float(np.sqrt(gradient @ covariance @ gradient * corrected.scale))
    half = corrected.quantile(level) * error
    value, low, high = np.expm1([ratio, ratio - half, ratio + half]).tolist()
    return CountFit(
        relative=Estimate(value, low, high, level),
        names=names,
        design=design,
        beta=beta,
        covariance=covariance,
        offset=offset,
        corrected=corrected,
        lags=lags,
        std_error=error,
        influence=moved * np.sqrt(corrected.scale),
    )


def _design(
    when: NDArray[np.float64], dose: NDArray[np.float64], pairs: int, *, slope: bool
) -> tuple[list[str], NDArray[np.float64]]:
    names, columns = ["level", "trend"], [np.ones(when.size), when / YEAR]
    for k in range(1, pairs + 1):
        angle = 2 * np.pi * k * when / YEAR
        names += [f"sin{k}", f"cos{k}"]
        columns += [np.sin(angle), np.cos(angle)]
    names.append("effect")
    columns.append(dose)
    if slope:
        start = when[dose > 0].min()
        names.append("effect_growth")
        columns.append(dose * (when - start) / YEAR)
    return names, np.column_stack(columns)
