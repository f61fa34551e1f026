"""People who do not turn up: how many to schedule so that enough are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.staffing._seats import check_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["people_for"]


def people_for(agents: Any, absence: float, chance: float = 0.95) -> Any:
    """Least people to schedule so that at least ``agents`` turn up, with the chance asked for.

    Everyone is absent independently: of N scheduled, Binomial(N, 1 − absence) turn up, and N is
    the least with P(turn up ≥ agents) ≥ chance. Planned shrinkage is a matter of its own; see
    :class:`Shrinkage`.

    Parameters
    ----------
    agents
        People needed, whole; scalar or array.
    absence
        Chance that a scheduled person does not turn up, 0 to below 1.
    chance
        With which enough are there, 0–1.

    Returns
    -------
    int or array
        Of the shape of ``agents``.

    Raises
    ------
    InputError
        A percent where a share belongs, agents that are negative or not whole.

    Examples
    --------
    >>> people_for(10, absence=0.10)
    13
    >>> from scipy import stats
    >>> float(stats.binom.sf(9, 13, 0.9).round(3)), float(stats.binom.sf(9, 12, 0.9).round(3))
    (0.966, 0.889)
    """
    check_share("absence", absence, low=0, allow_one=False)
    check_share("chance", chance, low=0, allow_one=False)
    try:
        needed = np.asarray(agents, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError("agents must be numbers", f"agents={agents!r}") from error
    if not (np.isfinite(needed) & (needed >= 0) & (needed == np.floor(needed))).all():
        raise InputError("agents must be whole numbers, 0 or more", f"agents={agents!r}")
    whole = needed.astype(np.int64)
    if absence == 0:
        return int(whole) if whole.ndim == 0 else whole
    from scipy import stats

    # Of the failures before the needed-th success the law is negative binomial.
    people = whole + np.where(
        whole > 0, stats.nbinom.ppf(chance, np.maximum(whole, 1), 1 - absence), 0
    ).astype(np.int64)
    return int(people) if people.ndim == 0 else _array(people)


def _array(people: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(people)
