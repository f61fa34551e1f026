"""Scores before and after, of those who got something and of those who did not.

A low score is part low skill, part bad luck, and luck does not repeat: whoever scored lowest gains
by the next test without anybody's help (regression to the mean). Those who were left alone show by
how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Estimate
from ccanalytics.statistics.checking import check_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["BeforeAfter", "ancova"]


@dataclass(frozen=True)
class BeforeAfter:
    """Gains of those who got it, and what of them it gave.

    Attributes
    ----------
    gain
        Mean after less mean before of those who got it: what a comparison without others says.
    untreated_gain
        The same of those who did not.
    slope
        Points after per point before, of those who did not: 1 would be no regression to the mean.
    regression
        Gain of those who got it that comes from their place below (or above) the mean alone:
        (1 − slope)·(mean before of those who did not − mean before of those who did).
    expected_gain
        Gain that they would have had without it: regression, and what moved everybody.
    effect
        The rest: by analysis of covariance.
    jump
        The effect if the line may have another slope on each side; None with too few.
    error, degrees
        Standard error of the effect, and degrees of freedom of its limits.
    """

    treated: int
    untreated: int
    before: float
    untreated_before: float
    gain: Estimate
    untreated_gain: Estimate
    slope: Estimate
    regression: float
    expected_gain: float
    effect: Estimate
    jump: Estimate | None
    error: float
    degrees: float


def ancova(before: Any, after: Any, treated: Any, *, level: float = 0.95) -> BeforeAfter:
    """Compare those who got something with those who did not, at the same score before.

    afterᵢ = a + b·beforeᵢ + effect·treatedᵢ. Where the score before decided who got it, this is
    unbiased as long as the line is straight: chance in the score before is the same on both sides.
    Standard errors allow for unequal spread (HC2), with the degrees of freedom of Bell and
    McCaffrey (2002), which few treated make small.

    Parameters
    ----------
    before, after
        Scores, one of each per person.
    treated
        Whether the person got it.
    level
        Of the limits, 0–1.

    Raises
    ------
    InputError
        Arrays of different lengths, or scores that are not finite.
    DataError
        Fewer than two who got it, or fewer than three who did not; or scores before that are all
        alike.

    References
    ----------
    Bell & McCaffrey (2002), Bias reduction in standard errors for linear regression with
    multi-stage samples, Survey Methodology 28. Imbens & Kolesár (2016), Review of Economics and
    Statistics 98. Barnett, van der Pols & Dobson (2005), Regression to the mean, International
    Journal of Epidemiology 34.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> skill = rng.normal(70, 8, 400)
    >>> before, after = (skill + rng.normal(0, 6, 400) for _ in range(2))
    >>> low = before < np.quantile(before, 0.2)
    >>> found = ancova(before, after, low)
    >>> found.gain.low > 3, found.effect.excludes_zero
    (True, False)
    """
    from scipy.special import stdtrit

    level = check_level(level)
    x, y, d = np.asarray(before, float), np.asarray(after, float), np.asarray(treated, bool)
    if not x.shape == y.shape == d.shape or x.ndim != 1:
        raise InputError(
            "one score before, one after and one mark a person",
            f"{x.size}, {y.size} and {d.size} of them",
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("scores are finite numbers", "before or after holds an unknown one")
    some, rest = int(d.sum()), int((~d).sum())
    if some < 2 or rest < 3:
        raise DataError(
            "too few to compare",
            f"{some} who got it, {rest} who did not, with a score before and after",
            "test those who are left alone as well, before and after",
        )
    if np.ptp(x[~d]) == 0:
        raise DataError("scores before are all alike", f"{x[~d][0]:g}", "nothing tells the slope")

    def within(t: float, value: float, error: float) -> Estimate:
        return Estimate(value, value - t * error, value + t * error, level)

    def gained(which: Bools) -> Estimate:
        change = y[which] - x[which]
        error = float(change.std(ddof=1)) / np.sqrt(change.size)
        t = float(stdtrit(change.size - 1, 0.5 + level / 2))
        return within(t, float(change.mean()), float(error))

    centred = x - x[d].mean()
    design = np.column_stack([d.astype(float), np.ones(x.size), centred])
    value, error, degrees = _fitted(design, y, 0)
    alone = np.column_stack([centred[~d], np.ones(rest)])
    slope, slope_error, slope_degrees = _fitted(alone, y[~d], 0)
    jump = None
    if some >= 4 and rest >= 4 and np.ptp(x[d]) > 0:
        # At the middle between the two sides: the cut, where there is one.
        cut = _cut(x, d)
        apart = np.column_stack([d, np.ones(x.size), x - cut, (x - cut) * d]).astype(float)
        height, its, free = _fitted(apart, y, 0)
        jump = within(float(stdtrit(free, 0.5 + level / 2)), height, its)
    gain, others = gained(d), gained(~d)
    away = float(x[~d].mean() - x[d].mean())
    return BeforeAfter(
        treated=some,
        untreated=rest,
        before=float(x[d].mean()),
        untreated_before=float(x[~d].mean()),
        gain=gain,
        untreated_gain=others,
        slope=within(float(stdtrit(slope_degrees, 0.5 + level / 2)), slope, slope_error),
        regression=(1 - slope) * away,
        expected_gain=gain.value - value,
        effect=within(float(stdtrit(degrees, 0.5 + level / 2)), value, error),
        jump=jump,
        error=error,
        degrees=degrees,
    )


def _cut(x: Floats, d: Bools) -> float:
    """The score that parts the two best: those who got it below, or the means' middle."""
    if x[d].max() <= x[~d].min():
        return float((x[d].max() + x[~d].min()) / 2)
    return float((x[d].mean() + x[~d].mean()) / 2)


def _fitted(design: Floats, y: Floats, which: int) -> tuple[float, float, float]:
    """A coefficient of least squares, its HC2 error and Bell and McCaffrey's degrees."""
    inverse = np.linalg.pinv(design.T @ design)
    beta = inverse @ design.T @ y
    rest = y - design @ beta
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    pull = design @ inverse[which] / np.sqrt(np.maximum(1 - leverage, 1e-9))
    error = float(np.sqrt(((pull * rest) ** 2).sum()))
    # (Σλ)²/Σλ² of the matrix pᵢ(δᵢⱼ − hᵢⱼ)pⱼ, without making it.
    square = pull**2
    some = inverse @ (design.T * square) @ design
    total = float((square * (1 - leverage)).sum())
    second = float((square**2 * (1 - 2 * leverage)).sum() + np.trace(some @ some))
    return float(beta[which]), error, max(total**2 / second, 1.0) if second > 0 else 1.0
