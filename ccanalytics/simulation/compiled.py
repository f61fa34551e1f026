"""The decorator of the event loops: machine code where numba is installed, plain Python elsewhere.

Results are the same either way, digit by digit; without numba they take a hundred times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COMPILES", "compiled"]

try:
    import numba
except ImportError:  # the extra `simulation` is not installed
    numba = None

COMPILES = numba is not None and not numba.config.DISABLE_JIT


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays and numbers on its first call; kept on disk for the next."""
    if numba is None:
        return function
    decorated: Callable[..., Any] = numba.njit(cache=True, nogil=True)(function)
    return decorated
