"""Counted calls over foretold ones, and the same with each unit left out in turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Foretold", "Ratios", "jackknife", "leave_one_out"]


@dataclass(frozen=True, eq=False)
class Ratios:
    """Log ratio of counted to foretold calls, its error, and the same without each unit.

    ``foretold`` holds the calls foretold in the ``cells`` that are compared, 0 elsewhere.
    """

    log: float
    left_out: Floats
    foretold: Floats
    cells: Bools
    error: float
    degrees: float

    def half(self, level: float) -> float:
        """Half the width of the limits, on the log."""
        from scipy.special import stdtrit

        return float(stdtrit(self.degrees, 0.5 + level / 2)) * self.error

    def relative(self, level: float) -> Estimate:
        """Counted over foretold calls, less 1, with its limits."""
        half = self.half(level)
        value, low, high = np.expm1([self.log, self.log - half, self.log + half]).tolist()
        return Estimate(value, low, high, level)


def jackknife(left_out: Floats) -> tuple[float, float]:
    """Standard error by leaving out one unit at a time, and its degrees of freedom.

    The degrees are 2(Σv)²/Σv² over the units' squared pulls v: Satterthwaite's (Σσ²)²/Σσ⁴, which
    few large units make small; one less than the units at most. Normal pulls would allow 3 in
    place of 2: with 3 the limits of 20 units covered 93.5% of 600 worlds, with 2 94.7%.
    """
    known = left_out[np.isfinite(left_out)]
    pulls = (known - known.mean()) ** 2 if known.size else known
    total, square = float(pulls.sum()), float((pulls**2).sum())
    error = float(np.sqrt((pulls.size - 1) / max(pulls.size, 1) * total))
    found = 2 * total**2 / square if square > 0 else np.inf
    return error, float(np.clip(found, 1.0, max(pulls.size - 1, 1)))


def leave_one_out(units: int) -> Floats:
    """Give 1 + units rows of who is kept: all, then all but each in turn."""
    return np.vstack([np.ones(units), 1 - np.eye(units)])


@dataclass(frozen=True, eq=False)
class Foretold:
    """Calls that would have come: by all units, then without each unit in turn.

    ``foretold`` is (1 + units) × units × weeks, nan where nothing is foretold; the first may be 1
    where a design does not leave units out. ``weight`` is what each cell counts where ``calls`` are
    means (units × weeks); None: 1.
    """

    calls: Floats
    foretold: Floats
    weight: Floats | None = field(default=None, kw_only=True)

    def ratios(self, cells: Bools) -> Ratios:
        """Compare some cells; those for which nothing is foretold are in no sum.

        Raises
        ------
        DataError
            No call came, or none is foretold, in all of them.
        """
        log, left_out, mean, some = self.logs(cells)
        error, degrees = jackknife(left_out)
        return Ratios(log, left_out, mean, some, error, degrees)

    def logs(self, cells: Bools) -> tuple[float, Floats, Floats, Bools]:
        """The log ratio, those without each unit, calls foretold, and the cells compared."""
        keep = leave_one_out(len(self.calls))[: len(self.foretold)]
        some = cells[None] * keep[:, :, None] * np.isfinite(self.foretold)
        mean = np.where(some > 0, self.foretold, 0.0)
        if self.weight is not None:
            some, mean = some * self.weight, mean * self.weight
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (self.calls[None] * some).sum(axis=(-1, -2)) / mean.sum(axis=(-1, -2))
            logs = np.log(ratio)
        if not np.isfinite(logs[0]):
            raise DataError("no call came in the weeks that are compared")
        return float(logs[0]), logs[1:], mean[0], np.asarray(some[0] > 0)
