"""The decorators of the event loops: machine code where numba is installed, plain Python elsewhere.

Results are the same either way, digit by digit; without numba they take a hundred times as long.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COMPILES", "compiled", "compiled_in_place"]

numba: Any
try:
    import numba
except ImportError:  # the extra `simulation` is not installed
    numba = None

COMPILES = numba is not None and not numba.config.DISABLE_JIT


def _stamp() -> str:
    """What the machine code was made of: all event loops, for they call each other's functions."""
    texts = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in texts)).hexdigest()


_STAMP = _stamp() if numba is not None else ""


def _say_once() -> None:
    """Say before the first compilation that it takes its time; nothing is said of kept code."""
    from numba.core import event

    class Say(event.Listener):
        said = False

        def on_start(self, happening: Any) -> None:
            ours = getattr(happening.data["dispatcher"], "__module__", None) or ""
            if ours.startswith("ccanalytics.") and not Say.said:
                Say.said = True
                logging.getLogger("ccanalytics").warning(
                    "the simulator is being compiled for this machine; it takes up to a minute "
                    "or two, once, and the result is kept"
                )

        def on_end(self, happening: Any) -> None:
            del happening

    event.register("numba:compile", Say())


if COMPILES:
    with suppress(ImportError, AttributeError):  # numba calls its events experimental
        _say_once()


def _kept(dispatcher: Any) -> Any:
    # numba looks at the date of the function's own file only, and would go on using machine code
    # into which an older version of another file was compiled.
    with suppress(AttributeError):
        dispatcher._cache._cache_file._source_stamp = _STAMP  # noqa: SLF001
    return dispatcher


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays and numbers on its first call; kept on disk for the next."""
    if numba is None:
        return function
    decorated: Callable[..., Any] = _kept(numba.njit(cache=True, nogil=True)(function))
    return decorated


def compiled_in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function that makes no array, nor anything else that would have to be freed.

    Its arrays' references are not counted, which for a state of many arrays takes ten times as
    long as the steps themselves. Where numba has no such switch, they are counted.
    """
    if numba is None:
        return function
    try:
        decorated = numba.njit(cache=True, nogil=True, _nrt=False)(function)
    except (KeyError, TypeError):
        return compiled(function)
    kept: Callable[..., Any] = _kept(decorated)
    return kept
