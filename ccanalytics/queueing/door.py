"""The door: every argument is checked here, once, before any formula sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Array", "broadcast", "first_bad", "plain", "real", "refuse"]

Array = NDArray[np.float64]


def real(
    name: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    whole: bool = False,
    remedy: str = "",
) -> Array:
    """``value`` as a float array, every element finite and inside the limits.

    Raises
    ------
    InputError
        Not a number, not finite, or outside the limits; the message names the argument, the
        element's position and its value.
    """
    array = _numeric(name, value)
    rule, ok = "be a finite number", np.isfinite(array)
    if least is not None:
        rule, ok = f"be {least:g} or more", ok & (array >= least)
    if above is not None:
        rule, ok = f"be above {above:g}", ok & (array > above)
    if most is not None:
        rule, ok = f"{rule} and at most {most:g}", ok & (array <= most)
    if below is not None:
        rule, ok = f"{rule} and below {below:g}", ok & (array < below)
    if whole:
        rule, ok = f"{rule} and whole", ok & (array == np.floor(array))
    if not ok.all():
        refuse(f"{name} must {rule}", {name: array}, ~ok, remedy or _hint(array, ok, most, below))
    return array


def _numeric(name: str, value: Any) -> Array:
    remedy = "give a number, or an array of numbers"
    if value is None or isinstance(value, (bool, str, bytes)):
        raise InputError(f"{name} must be a number", f"{name}={value!r}", remedy)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers", f"{name}={value!r}", remedy) from error
    if array.dtype == object:
        # Decimals and fractions are numbers; None, text and lists of unequal length are not.
        for index, item in np.ndenumerate(array):
            if (
                item is None
                or isinstance(item, (bool, str, bytes))
                or not hasattr(item, "__float__")
            ):
                raise InputError(
                    f"{name} must be numbers", f"{_place(name, index)}={item!r}", remedy
                )
        array = array.astype(float)
    if array.dtype.kind not in "iuf":
        raise InputError(f"{name} must be a number", f"{name}={value!r} is {array.dtype}", remedy)
    return array.astype(float)


def _hint(array: Array, ok: NDArray[np.bool_], most: float | None, below: float | None) -> str:
    limit = most if most is not None else below
    if limit != 1:
        return ""
    value = float(array[~ok].flat[0])
    if 1 < value <= 100:
        return f"shares run from 0 to 1, so {value:g}% is {value / 100:g}"
    return "shares run from 0 to 1"


def _place(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def first_bad(bad: NDArray[np.bool_]) -> tuple[int, ...]:
    """Position of the first element that is bad."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))


def refuse(what: str, values: Mapping[str, Any], bad: Any, remedy: str = "") -> None:
    """Raise :class:`InputError` for the first bad element, with the values that led to it."""
    bad = np.asarray(bad)
    index = first_bad(bad)
    parts = []
    for name, value in values.items():
        array = np.asarray(value, dtype=float)
        if array.shape == bad.shape:
            parts.append(f"{_place(name, index)}={array[index]:.10g}")
        else:
            at = np.broadcast_to(array, bad.shape)[index]
            parts.append(f"{name}={at:.10g}")
    where = ", ".join(parts)
    if index and not any(p.startswith(f"{n}[") for p, n in zip(parts, values, strict=True)):
        where += f", element {list(index)}"
    count = int(bad.sum())
    if count > 1:
        where += f"; {count} such elements"
    raise InputError(what, where, remedy)


def broadcast(**arguments: Array) -> tuple[tuple[int, ...], dict[str, Array]]:
    """The common shape, and every argument flattened to it.

    Raises
    ------
    InputError
        The shapes do not fit together; the message names them all.
    """
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arguments.values()))
    except ValueError as error:
        shapes = ", ".join(f"{k} {v.shape}" for k, v in arguments.items() if v.ndim and k[0] != "_")
        raise InputError(
            "these arrays do not fit together",
            shapes,
            "give arrays of one shape, or scalars",
        ) from error
    flat = {
        name: np.broadcast_to(array, shape).reshape(-1).astype(float, copy=False)
        for name, array in arguments.items()
    }
    return shape, flat


def plain(values: NDArray[Any], shape: tuple[int, ...]) -> Any:
    """A Python number for scalars in, an array of ``shape`` otherwise."""
    if shape == ():
        return values.reshape(-1)[0].item()
    return values.reshape(shape)
