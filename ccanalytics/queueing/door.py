"""The door: every argument is checked here, once, before any formula sees it."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Array", "broadcast", "first_bad", "flag", "plain", "real", "refuse"]

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
    finite = np.isfinite(array)
    if not finite.all():
        why = "fill missing values, or leave them out"
        refuse(f"{name} must be a finite number", {name: array}, ~finite, remedy or why)
    rules, ok = [], finite
    if least is not None:
        rules.append(f"{least:g} or more")
        ok = ok & (array >= least)
    if above is not None:
        rules.append(f"above {above:g}")
        ok = ok & (array > above)
    if most is not None:
        rules.append(f"at most {most:,g}")
        ok = ok & (array <= most)
    if below is not None:
        rules.append(f"below {below:,g}")
        ok = ok & (array < below)
    if whole:
        rules.append("whole")
        ok = ok & (array == np.floor(array))
    if not ok.all():
        rule = " and ".join(rules)
        hint = remedy or _hint(array, ok, most, below) or f"give a number that is {rule}"
        refuse(f"{name} must be {rule}", {name: array}, ~ok, hint)
    return array


_REMEDY = "give a number, or an array of numbers"


def _numeric(name: str, value: Any) -> Array:
    if value is None or isinstance(value, (bool, np.bool_, str, bytes)):
        raise InputError(f"{name} must be a number", f"{name}={value!r}", _REMEDY)
    if np.ma.is_masked(value):
        where = _place(name, first_bad(np.ma.getmaskarray(value)))
        raise InputError(
            f"{name} must be numbers without gaps", f"{where} is masked", "fill the masked places"
        )
    try:
        # As objects, a flag or a text among the numbers of a list keeps its kind.
        array = np.asarray(value, dtype=object if isinstance(value, (list, tuple)) else None)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers", f"{name}={value!r}", _REMEDY) from error
    if array.dtype == object:
        return _from_objects(name, array)
    if array.dtype.kind not in "iuf":
        raise InputError(f"{name} must be a number", f"{name}={value!r} is {array.dtype}", _REMEDY)
    return array.astype(float)


def _from_objects(name: str, array: NDArray[Any]) -> Array:
    """Decimals and fractions are numbers; flags, None, text and ragged lists are not."""
    result = np.empty(array.shape)
    for index, item in np.ndenumerate(array):
        number = isinstance(item, (Real, Decimal)) and not isinstance(item, (bool, np.bool_))
        if not number:
            where = f"{_place(name, index)}={item!r}"
            raise InputError(f"{name} must be numbers", where, _REMEDY)
        try:
            result[index] = float(item)
        except OverflowError as error:
            raise InputError(
                f"{name} must be a finite number",
                f"{_place(name, index)} is beyond 1e308",
                "give a number of the size that it has in life",
            ) from error
    return result


def flag(name: str, value: Any) -> bool:
    """``value`` as a flag; a text or a number is not one."""
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{name} is yes or no", f"{name}={value!r}", "give True or False")
    return bool(value)


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
