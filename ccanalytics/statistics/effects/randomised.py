"""Offers by lot: intention to treat, and the effect on those who took it up because of the lot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Check, Estimate
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.falsifications import POWER
from ccanalytics.statistics.effects.lot import lot_checks, p_value
from ccanalytics.statistics.effects.offer_effect import OfferEffect
from ccanalytics.statistics.effects.trial import Jackknife, Trial, fieller, jackknife, means
from ccanalytics.statistics.effects.trial_rows import Rows
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.statistics.effects.effect import Grade

    Floats = NDArray[np.float64]

__all__ = ["randomised"]

_FEWEST = 10  # subjects in either arm below which an answer is weak
_WEAK = 10.0  # F of a first stage below which an instrument is weak (Staiger and Stock 1997)
_STRENGTH = "Strength of the lot"
_CHANGE, _LOG, _MEAN, _TAKEN, _ABOVE, _BELOW = range(6)


def randomised(
    after: Any,
    assigned: Any,
    *,
    subject: Any = None,
    stratum: Any = None,
    before: Any = None,
    lead: Any = None,
    taken: Any = None,
    taken_before: Any = None,
    left: Any = None,
    per: str = "subject",
    design: str = "randomised",
    name: str = "the offer",
    unit: str = "customer",
    word: str = "assigned",
    by_lot: bool | None = None,
    level: float = 0.95,
    draws: int = 1999,
    seed: int = 1,
) -> OfferEffect:
    r"""Estimate what an offer did to counts, of all assigned and of those who took it up.

    With strata s (waves, say), assigned T and controls C, their means ȳ, and weights ω by the
    assigned of each stratum, the intention to treat is

    ITT = Σ ω_s (ȳ_Ts − ȳ_Cs) − θ Σ ω_s (x̄_Ts − x̄_Cs),

    x being the calls before and θ their slope within strata and arms (Deng et al. 2013); it is a
    share of the mean without the offer, ȳ_C + θ(x̄_T − x̄_C). With take-up d the complier effect is
    ITT / Σ ω_s (d̄_Ts − d̄_Cs) (two-stage least squares with the lot as instrument), its limits
    those of Anderson and Rubin (1949). Errors are clustered by subject (jackknife).

    Parameters
    ----------
    after
        Calls after the assignment, one entry per row: subject × stratum.
    assigned
        Whether the subject was assigned in this stratum; controls of a stratum are those who were
        not until its window was over.
    subject, stratum
        Codes or names; default: every row another subject, all rows one stratum.
    before, lead
        Calls before the assignment, and in the time just before it (held out for the placebo).
    taken, taken_before
        Share of take-up, 0–1, in the window after and just before the assignment.
    left
        Whether the subject left within the window.
    per
        ``subject``: calls each, those before as covariate. ``before``: calls over those before,
        for units of very different size with calls enough.
    design
        ``randomised``, or ``encouraged``: a lot decided who was invited, not who used it.
    name, unit, word
        What is offered, to whom, and what that makes them, in words.
    by_lot
        Whether a lot decided; None: not known.
    level, draws, seed
        Level of the limits; how often the lot is drawn anew for the p-value; seed of that.

    Raises
    ------
    InputError
        Columns of different lengths, counts that are negative, take-up outside 0–1.
    DataError
        No stratum with both assigned and controls, fewer than two subjects in an arm, no call.

    References
    ----------
    A. Deng, Y. Xu, R. Kohavi, T. Walker (2013), Improving the sensitivity of online controlled
    experiments, WSDM. T. W. Anderson, H. Rubin (1949), Ann. Math. Stat. 20. G. W. Imbens,
    J. D. Angrist (1994), Econometrica 62.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> lot = rng.random(4000) < 0.5
    >>> took = lot & (rng.random(4000) < 0.5)
    >>> calls = rng.poisson(np.where(took, 0.5, 1.0))
    >>> found = randomised(calls, lot, taken=took, by_lot=True)
    >>> round(found.relative.value, 2), round(found.complier_relative.value, 2), found.grade
    (-0.22, -0.46, 'moderate')
    """
    from scipy.special import stdtrit

    level = check_level(level)
    rows = Rows.of(after, assigned, subject, stratum, before, lead, taken, taken_before, left, per)
    trial = rows.trial
    covariate = rows.covariate if per == "subject" else None
    told = _quantities(rows, rows.after, covariate)
    found, takes = told.found, told.takes
    degrees = found.degrees(_CHANGE)
    deviate = float(stdtrit(degrees, 0.5 + level / 2))

    def estimate(which: int) -> Estimate:
        value, half = float(found.value[which]), deviate * found.error(which)
        return Estimate(value, value - half, value + half, level)

    change, control = estimate(_CHANGE), estimate(_MEAN)
    ratio = np.array([0, -1, 1]) * deviate * found.error(_LOG) + found.value[_LOG]
    value, low, high = np.expm1(ratio).tolist()
    relative = Estimate(value, low, high, level)
    total = float(trial.weight[trial.assigned].sum())
    removed = Estimate(-total * change.value, -total * change.high, -total * change.low, level)

    take_up = estimate(_TAKEN) if takes else None
    strength, complier, complier_relative = None, None, None
    if takes:
        error = found.error(_TAKEN)
        alike = error <= 1e-9 * abs(found.value[_TAKEN])  # no chance in it but rounding
        strength = np.inf if alike else float(found.value[_TAKEN] / error) ** 2
        complier = _ratio(found, _CHANGE, _TAKEN, deviate, level)
        if complier is not None:
            complier_relative = _ratio(found, _ABOVE, _BELOW, deviate, level)
    errors = {"change": found.error(_CHANGE), "relative": found.error(_LOG)}
    if takes:
        errors["take_up"] = found.error(_TAKEN)
        errors["complier"] = _error(found, _CHANGE, _TAKEN)
        errors["complier_relative"] = _error(found, _ABOVE, _BELOW)

    checks, placebo, sound = lot_checks(rows, per, word, level)
    if takes and strength is not None:
        checks.append(_strength(strength))
    fewest = min(_different(trial, arm) for arm in (True, False))
    grade, reason = _graded(by_lot, sound, fewest, checks, design, unit, word)
    if rows.cut:
        checks.append(Check("Strata left out", "informs", rows.cut))
    mean = float(found.value[_MEAN])
    return OfferEffect(
        inputs={"per": per, "design": design, "by_lot": by_lot, "level": level, "draws": draws},
        checks=tuple(checks),
        name=name,
        unit=unit,
        word=word,
        design=design,
        assigned=int(trial.assigned.sum()),
        controls=int((~trial.assigned).sum()),
        subjects=trial.subjects,
        strata=trial.strata,
        control_mean=control,
        change=change,
        relative=relative,
        removed=removed,
        take_up=take_up,
        f_statistic=strength,
        complier=complier,
        complier_relative=complier_relative,
        errors=errors,
        p_value=p_value(trial, told.adjusted, draws, seed),
        detectable=(deviate + POWER) * found.error(_CHANGE) / mean if mean > 0 else np.inf,
        tightened=told.tightened,
        placebo=placebo,
        by_stratum=_by_stratum(rows, told, level),
        grade=grade,
        reason=reason,
        degrees=degrees,
        method=_method(per, covariate is not None, trial, unit, word),
    )


@dataclass(frozen=True, eq=False)
class _Told:
    found: Jackknife
    takes: bool
    adjusted: Floats
    tightened: float
    quantities: Any
    sums: list[Floats]


def _quantities(rows: Rows, y: Floats, x: Floats | None) -> _Told:
    """Change, log ratio, mean without, take-up, and the two sides of the complier's ratio.

    Take-up that is a share of a unit's customers moves its calls in proportion; of single
    subjects who took it up or did not, compliers' calls without it are told from those who did not.
    """
    trial = rows.trial
    each = y / trial.weight
    taken = rows.taken
    takes = taken is not None
    d = taken if taken is not None else np.zeros(y.size)
    yes_or_no = bool(np.isin(d, (0, 1)).all())
    without = y * (1 - d)
    ahead = x if x is not None else np.zeros(y.size)
    theta = trial.slope(each, ahead)
    theta_without = trial.slope(without / trial.weight, ahead)
    sums = [y, trial.weight * d, without, trial.weight * ahead]

    def quantities(totals: Floats) -> Floats:
        weight, y1, y0 = means(totals, 1)
        _, d1, d0 = means(totals, 2)
        _, n1, n0 = means(totals, 3)
        _, x1, x0 = means(totals, 4)
        mean = y0 + theta * (x1 - x0)
        change = (weight * (y1 - mean)).sum(axis=-1)
        level = (weight * mean).sum(axis=-1)
        if yes_or_no:
            below = -(weight * (n1 - n0 - theta_without * (x1 - x0))).sum(axis=-1)
        else:
            below = (weight * (mean * d1 - y1 * d0)).sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.log((weight * y1).sum(axis=-1) / level)
        moved = (weight * (d1 - d0)).sum(axis=-1)
        return np.stack([change, log, level, moved, change, below], axis=-1)

    adjusted = y - theta * trial.weight * ahead
    found = jackknife(trial, sums, quantities)
    if not np.isfinite(found.value[_LOG]):
        raise DataError("those assigned, or their controls, made no call at all", "", "more data")
    plain = trial.spread(each)
    rest = trial.spread(each - theta * ahead)
    return _Told(found, takes, adjusted, 1 - rest / plain if plain > 0 else 0.0, quantities, sums)


def _ratio(
    found: Jackknife, above: int, below: int, deviate: float, level: float
) -> Estimate | None:
    pair = [above, below]
    limits = fieller(
        float(found.value[above]),
        float(found.value[below]),
        found.covariance[np.ix_(pair, pair)],
        deviate,
    )
    if limits is None:
        return None
    return Estimate(float(found.value[above] / found.value[below]), *limits, level)


def _error(found: Jackknife, above: int, below: int) -> float:
    a, b = found.value[[above, below]]
    if not b:
        return np.inf
    slope = np.array([1 / b, -a / b**2])
    return float(np.sqrt(slope @ found.covariance[np.ix_([above, below], [above, below])] @ slope))


def _by_stratum(rows: Rows, told: _Told, level: float) -> Any:
    """The same for each stratum by itself; limits by the normal law."""
    import polars as pl
    from scipy.special import ndtri

    trial, found = rows.trial, []
    for s, name in enumerate(rows.names):
        mine = trial.stratum == s
        _, who = np.unique(trial.subject[mine], return_inverse=True)
        part = Trial(who, np.zeros(who.size, np.int64), trial.assigned[mine], trial.weight[mine])
        one = jackknife(part, [each[mine] for each in told.sums], told.quantities)
        ends = one.value[_LOG] + np.array([0, -1, 1]) * ndtri(0.5 + level / 2) * one.error(_LOG)
        value, low, high = np.expm1(ends).tolist()
        n = int(part.assigned.sum())
        take = float(one.value[_TAKEN]) if told.takes else None
        mean = float(one.value[_MEAN])
        found.append((name, n, who.size - n, mean, value, low, high, take))
    names = [
        "stratum", "assigned", "controls", "control_mean",
        "relative", "relative_low", "relative_high", "take_up",
    ]  # fmt: skip
    return pl.DataFrame(found, schema=names, orient="row")


def _strength(strength: float) -> Check:
    if strength >= _WEAK:
        far = f"F {strength:,.0f}" if strength < 1e6 else "all assigned alike"
        detail = f"the lot moved take-up clearly ({far})"
        return Check(_STRENGTH, "holds", detail)
    return Check(
        _STRENGTH,
        "fails",
        f"the lot hardly moved take-up (F {strength:.1f}, below 10): what the offer did to those "
        "who took it up is hardly known, whatever the estimate",
    )


def _graded(
    by_lot: bool | None,
    sound: bool,
    fewest: int,
    checks: list[Check],
    design: str,
    unit: str,
    word: str,
) -> tuple[Grade, str]:
    broken = [check for check in checks if check.status == "fails"]
    if not sound:
        return "weak", (
            f"the lot shows no balance ({broken[0].name.lower()}): those {word} already differed "
            "from the controls"
        )
    if fewest < _FEWEST:
        return "weak", f"only {counted(fewest, unit)} stand in the smaller arm"
    if by_lot is False:
        return "weak", f"no lot decided who was {word}"
    if design == "encouraged" and any(check.name == _STRENGTH for check in broken):
        return "weak", "the lot hardly moved take-up, and the answer is about those it moved"
    if by_lot is None:
        return "moderate", f"it is not known whether a lot decided who was {word}"
    if not any(check.status == "holds" and "Balance" in check.name for check in checks):
        return "moderate", "nothing from the time before shows whether the lot was fair"
    if broken:
        return "moderate", (
            f"a lot decided who was {word} and their calls before are in balance, but "
            f"{broken[0].name[:1].lower()}{broken[0].name[1:]} fails"
        )
    return "strong", f"a lot decided who was {word}, and calls before are in balance"


def _different(trial: Trial, arm: bool) -> int:
    return len(np.unique(trial.subject[trial.assigned == arm]))


def _method(per: str, tightened: bool, trial: Trial, unit: str, word: str) -> str:
    how = f"Calls per {unit}" if per == "subject" else "Calls over those before"
    with_ = ", calls before as covariate" if tightened else ""
    within = f", compared within {counted(trial.strata, 'stratum', 'strata')}"
    return (
        f"{how} of those {word} and of controls{with_}{within}; errors clustered by {unit} "
        "(jackknife); who took it up by two-stage least squares, limits of Anderson and Rubin."
    )
