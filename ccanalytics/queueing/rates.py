"""Arguments that run through a day: one value per interval, and rates between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.queueing.door import Array, real, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["by_interval", "piece_rates"]

_PIECES = 12
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(4)


def by_interval(arguments: dict[str, Array]) -> dict[str, Array]:
    """Every argument with one value per interval.

    Raises
    ------
    InputError
        Arrays of more than one axis, of different lengths, or of no length.
    """
    for name, array in arguments.items():
        if array.ndim > 1:
            raise InputError(
                "one day at a time: a scalar, or one value per interval",
                f"{name} has shape {array.shape}",
                "call it once per row",
            )
    lengths = {name: a.size for name, a in arguments.items() if a.ndim}
    count = max(lengths.values(), default=1)
    if count == 0 or any(length != count for length in lengths.values()):
        raise InputError(
            "these arguments do not have one value per interval",
            ", ".join(f"{name} has {length}" for name, length in lengths.items()),
            "give arrays of one length, or scalars",
        )
    return {name: np.broadcast_to(a, (count,)).astype(float) for name, a in arguments.items()}


def piece_rates(calls: Any, counted: Array | None, per: Array, steps: int | None) -> Array:
    """Calls per second, intervals by pieces: counts spread evenly, or means of a function."""
    if counted is not None:
        if steps is not None:
            raise InputError(
                "calls by interval come at an even rate",
                f"steps={steps!r} with an array of calls",
                "leave steps out, or give calls as a function of time",
            )
        return (counted / per)[:, None]
    pieces = int(
        real("steps", _PIECES if steps is None else steps, least=1, most=10_000, whole=True)
    )
    ends = np.cumsum(per)
    length = (per / pieces)[:, None, None]
    left = (ends - per)[:, None, None] + length * np.arange(pieces)[None, :, None]
    times = left + length * (1 + _POINTS) / 2
    return evaluated(calls, times) @ (_WEIGHTS / 2)


def evaluated(calls: Callable[[Any], Any], times: Array) -> Array:
    """A rate at given times, whether or not the function takes arrays; finite and not negative."""
    flat = times.reshape(-1)
    try:
        values = np.asarray(calls(flat), dtype=float)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape != flat.shape:
        values = np.array([real("calls(t)", calls(float(t))).item() for t in flat])
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        refuse(
            "calls per second must be a finite number, 0 or more",
            {"calls(t)": values, "t": flat},
            bad,
            "give a function of the seconds since the start",
        )
    return values.reshape(times.shape)
