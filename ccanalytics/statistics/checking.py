"""Checks at the door that estimates share: the level of an interval, and arrays of counts."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_level", "counts", "normal_quantile"]


def check_level(level: object) -> float:
    """Check the level of an interval: a share strictly between 0 and 1.

    >>> check_level(0.9)
    0.9
    """
    number = isinstance(level, (int, float, np.integer, np.floating))
    if isinstance(level, bool) or not number:
        raise InputError(
            "the level of an interval must be a number", f"level={level!r}", "write 0.95 for 95%"
        )
    value = float(level)  # type: ignore[arg-type]
    if not 0 < value < 1:
        hint = f"write {value / 100:g} for {value:g}%" if 1 < value < 100 else "such as 0.95"
        raise InputError(
            "the level of an interval is a share between 0 and 1", f"level={level!r}", hint
        )
    return value


def normal_quantile(level: float) -> float:
    """Give the standard normal deviate z of a two-sided interval at ``level``.

    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    from scipy.special import ndtri

    return float(ndtri(0.5 + check_level(level) / 2))


def counts(name: str, values: Any) -> NDArray[np.float64]:
    """Check counts, finite and 0 or more, and give them as an array of floats.

    Raises
    ------
    InputError
        Text, a flag, nan, infinity or a negative count; the message names the first such value.
    """
    array = np.asarray(values)
    if array.dtype == object and not any(
        value is None or isinstance(value, (bool, str)) for value in array.flat
    ):
        with contextlib.suppress(TypeError, ValueError):  # whole numbers beyond 64 bits, Decimal
            array = array.astype(float)
    if array.dtype.kind not in "iuf":
        raise InputError(
            "counts must be numbers", f"{name}={_short(values)}", "give numbers, 0 or more"
        )
    array = array.astype(float)
    wrong = ~(np.isfinite(array) & (array >= 0))
    if wrong.any():
        first = float(array[wrong].flat[0])
        why = "is not finite" if not math.isfinite(first) else "is negative"
        raise InputError(f"a count {why}", f"{name}={first:g}", "give a finite number, 0 or more")
    return array


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"
