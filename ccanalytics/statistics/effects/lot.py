"""Was the lot a lot: balance before, a placebo outcome, leaving, and the lot drawn anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.results import Check, Estimate
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.statistics.effects.trial import Trial, jackknife, means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.statistics.effects.trial_rows import Rows

    Floats = NDArray[np.float64]

__all__ = ["lot_checks", "p_value"]

_ALARM = 0.05  # chance that a sound lot fails any of the tests
_DRAWN = 1500  # rows up to which lots are drawn; of more, the lot's mean and variance are exact


def lot_checks(
    rows: Rows, per: str, word: str, level: float
) -> tuple[list[Check], Estimate | None, bool]:
    """Falsify the lot: checks, the placebo estimate, and whether none of them fails.

    The tests share a chance of 5% of failing a sound lot (Bonferroni).
    """
    tests = {}
    balance = _balance(rows, per)
    if balance is not None:
        tests["balance"] = balance
    placebo, chance = _placebo(rows, per, level)
    if placebo is not None:
        tests["placebo"] = chance
    left = _left(rows)
    if left is not None:
        tests["left"] = left[1]
    bar = _ALARM / max(len(tests), 1)
    checks = []
    if balance is None:
        detail = "nothing is known from the time before"
        checks.append(Check("Balance before", "informs", detail))
    else:
        what = "calls before" + (" and take-up before" if rows.taken_before is not None else "")
        detail = (
            f"{what} are alike in both arms (joint p {balance:.2f})"
            if balance >= bar
            else f"{what} differ between the arms more than a lot would have it (joint p "
            f"{balance:.2g}): those {word} were others, and the estimate holds that difference"
        )
        checks.append(Check("Balance before", "holds" if balance >= bar else "fails", detail))
    if placebo is not None:
        seen = f"{signed(placebo.value)}, {signed(placebo.low)} to {signed(placebo.high)}"
        detail = (
            f"no effect just before anybody was {word} ({seen})"
            if chance >= bar
            else f"an 'effect' also appears just before anybody was {word} ({seen})"
        )
        checks.append(Check("Placebo before", "holds" if chance >= bar else "fails", detail))
    if left is not None:
        gap, chance = left
        detail = (
            f"{signed(gap)} more of those {word} left within the window, against the controls"
            f" (p {chance:.2g})"
        )
        checks.append(Check("Leaving", "holds" if chance >= bar else "fails", detail))
    return checks, placebo, all(chance >= bar for chance in tests.values())


def _difference(trial: Trial, columns: list[Floats]) -> tuple[Floats, Floats, int]:
    """Difference of means of several columns between the arms, each row counting once."""
    once = Trial(trial.subject, trial.stratum, trial.assigned, np.ones(trial.weight.size))

    def quantities(totals: Floats) -> Floats:
        parts = [means(totals, 1 + k) for k in range(len(columns))]
        return np.stack([(w * (t - c)).sum(axis=-1) for w, t, c in parts], axis=-1)

    found = jackknife(once, columns, quantities)
    return found.value, found.covariance, trial.subjects


def _balance(rows: Rows, per: str) -> float | None:
    """Joint p-value of all that is known from before: Hotelling's T²."""
    from scipy.special import fdtrc

    columns = []
    if per == "before":
        columns.append(np.log(rows.trial.weight))
    else:
        columns += [each for each in (rows.before, rows.lead) if each is not None]
    if rows.taken_before is not None:
        columns.append(rows.taken_before)
    columns = [each for each in columns if np.ptp(each) > 0]
    if not columns:
        return None
    value, covariance, n = _difference(rows.trial, columns)
    square = float(value @ np.linalg.pinv(covariance) @ value)
    rank = int(np.linalg.matrix_rank(covariance))
    if not rank or n <= rank:
        return None
    return float(fdtrc(rank, n - rank, square * (n - rank) / (rank * (n - 1))))


def _placebo(rows: Rows, per: str, level: float) -> tuple[Estimate | None, float]:
    """The estimate for the calls just before, those further back as covariate."""
    from scipy.special import stdtr, stdtrit

    if rows.lead is None or rows.before is None or not rows.lead.sum():
        return None, 1.0
    keep = rows.before > 0 if per == "before" else np.ones(rows.before.size, bool)
    _, who = np.unique(rows.trial.subject[keep], return_inverse=True)
    weight = rows.before[keep] if per == "before" else np.ones(int(keep.sum()))
    trial = Trial(who, rows.trial.stratum[keep], rows.trial.assigned[keep], weight)
    lead, before = rows.lead[keep], rows.before[keep]
    ahead = before if per == "subject" else np.zeros(lead.size)
    theta = trial.slope(lead / weight, ahead)

    def quantities(totals: Floats) -> Floats:
        share, y1, y0 = means(totals, 1)
        _, x1, x0 = means(totals, 2)
        mean = (share * (y0 + theta * (x1 - x0))).sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log((share * y1).sum(axis=-1) / mean)[..., None])

    found = jackknife(trial, [lead, weight * ahead], quantities)
    error, degrees = found.error(0), found.degrees(0)
    if not np.isfinite(found.value[0]) or error <= 0:
        return None, 1.0
    ends = found.value[0] + np.array([0, -1, 1]) * stdtrit(degrees, 0.5 + level / 2) * error
    chance = 2 * float(stdtr(degrees, -abs(found.value[0]) / error))
    value, low, high = np.expm1(ends).tolist()
    return Estimate(value, low, high, level), chance


def _left(rows: Rows) -> tuple[float, float] | None:
    """Share who left within the window, of those assigned less of controls, and its p-value."""
    from scipy.special import stdtr

    if rows.left is None or not rows.left.any():
        return None
    value, covariance, n = _difference(rows.trial, [rows.left])
    error = float(np.sqrt(covariance[0, 0]))
    return float(value[0]), 2 * float(stdtr(n - 1, -abs(value[0]) / error)) if error > 0 else 1.0


def p_value(trial: Trial, y: Floats, draws: int, seed: int) -> float:
    """Chance of a change so large if the lot did nothing: the lot drawn anew within each stratum.

    A stratum's lot is drawn among those who were there, whatever came of earlier ones. Of many
    rows the lot's own mean and variance, which are exact, stand for draws.
    """
    from scipy.special import ndtr

    if trial.assigned.size > _DRAWN:
        return 2 * float(ndtr(-abs(_deviate(trial, y))))
    rng = np.random.default_rng(seed)
    seen, drawn = 0.0, np.zeros(draws)
    total = 0.0
    for s in range(trial.strata):
        mine = trial.stratum == s
        lot, w, calls = trial.assigned[mine], trial.weight[mine], y[mine]
        order = np.argsort(rng.random((draws, lot.size)), axis=1)
        lots = np.vstack([lot[None], lot[order]])
        ours, theirs = lots @ w, (~lots) @ w
        gap = lots @ calls - ours * ((~lots) @ calls) / theirs
        share = float(w[lot].sum())
        seen += float(gap[0] / ours[0]) * share
        drawn += gap[1:] / ours[1:] * share
        total += share
    return float((1 + (np.abs(drawn) >= abs(seen) * (1 - 1e-12)).sum()) / (draws + 1))


def _deviate(trial: Trial, y: Floats) -> float:
    """The change over its standard deviation under the lot: hypergeometric, by stratum."""
    gap, variance = 0.0, 0.0
    rate = y.sum() / trial.weight.sum()
    for s in range(trial.strata):
        mine = trial.stratum == s
        lot, rest = trial.assigned[mine], y[mine] - rate * trial.weight[mine]
        n, ours = lot.size, int(lot.sum())
        rest = rest - rest.mean()
        gap += n / (n - ours) * float(rest[lot].sum())
        variance += n / (n - ours) * ours * float((rest**2).sum()) / (n - 1)
    return gap / float(np.sqrt(variance)) if variance > 0 else 0.0
