"""Importing as if a package that is only of use to others were not installed."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

__all__ = ["without"]


@contextmanager
def without(name: str) -> Iterator[None]:
    """Make ``import name`` fail within; a package already imported stays.

    >>> import importlib
    >>> with without("antigravity"):
    ...     try:
    ...         importlib.import_module("antigravity")
    ...     except ImportError:
    ...         print("not here")
    not here
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = cast("ModuleType", None)
    try:
        yield
    finally:
        del sys.modules[name]
