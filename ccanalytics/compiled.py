"""Decorators of inner loops: machine code where numba is installed, plain Python elsewhere.

Results are the same either way, digit by digit; without numba they take a hundred times as long.
"""

from __future__ import annotations

import hashlib
import logging
import signal
import threading
from contextlib import suppress
from functools import cache
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


@cache
def _stamp(room: Path) -> str:
    """What the machine code was made of: a room's loops, for they call each other's functions."""
    texts = sorted(room.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in texts)).hexdigest()


def _listen() -> None:
    """Say before the first compilation that it takes its time, and let Ctrl-C wait for its end.

    Nothing is said of kept code. An interrupt inside the compiler is lost there, or comes out as
    an error of its own; it is kept until the function is compiled. A second one is not.
    """
    from numba.core import event

    class Watch(event.Listener):
        said = False
        depth = 0  # compilations under way in the main thread, ours and what they call
        handler: Any = None
        asked = False

        def on_start(self, happening: Any) -> None:
            ours = getattr(happening.data["dispatcher"], "__module__", None) or ""
            if not self.depth and not ours.startswith("ccanalytics."):
                return
            if not self.said:
                self.said = True
                logging.getLogger("ccanalytics").warning(
                    "code is being compiled for this machine, once, and the result is kept; it "
                    "takes seconds, and for the simulator up to a minute or two"
                )
            if threading.current_thread() is not threading.main_thread():
                return
            if not self.depth and callable(signal.getsignal(signal.SIGINT)):
                self.handler = signal.signal(signal.SIGINT, self._ask)
            self.depth += 1

        def on_end(self, happening: Any) -> None:
            del happening
            if not self.depth or threading.current_thread() is not threading.main_thread():
                return
            self.depth = 0 if self.asked else self.depth - 1
            if not self.depth and self.handler is not None:
                self._restore()

        def _ask(self, number: int, frame: Any) -> None:
            del number, frame
            if self.asked:
                self._restore()
            else:
                self.asked = True

        def _restore(self) -> None:
            handler, asked = self.handler, self.asked
            self.handler, self.asked = None, False
            signal.signal(signal.SIGINT, handler)
            if asked:
                handler(signal.SIGINT, None)

    event.register("numba:compile", Watch())


if COMPILES:
    with suppress(ImportError, AttributeError):  # numba calls its events experimental
        _listen()


def _kept(dispatcher: Any, function: Callable[..., Any]) -> Any:
    # numba looks at the date of the function's own file only, and would go on using machine code
    # into which an older version of another file was compiled.
    room = function.__module__.split(".")[1:2]
    with suppress(AttributeError):
        dispatcher._cache._cache_file._source_stamp = _stamp(Path(__file__).parent.joinpath(*room))  # noqa: SLF001
    return dispatcher


def _compiler(**switches: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            dispatcher = numba.njit(cache=True, nogil=True, **switches)(function)
        except RuntimeError:
            # Nowhere to keep code (a container that can only be read): compiled in every process.
            dispatcher = numba.njit(nogil=True, **switches)(function)
        decorated: Callable[..., Any] = _kept(dispatcher, function)
        return decorated

    return decorate


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays and numbers on its first call; kept on disk for the next."""
    return function if numba is None else _compiler()(function)


def compiled_in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function that makes no array, nor anything else that would have to be freed.

    Its arrays' references are not counted, and it is written into its caller: for a state of many
    arrays, counting them takes ten times as long as the steps themselves, and handing them over
    twice as long. Where numba has no such switches, both are done.
    """
    if numba is None:
        return function
    try:
        return _compiler(_nrt=False, forceinline=True)(function)
    except (KeyError, TypeError):
        return compiled(function)
