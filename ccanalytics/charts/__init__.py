"""Charts: a Result in, a plotly Figure out. They compute nothing.

Every public module of this folder but ``theme`` is a room of charts; what its ``__all__`` names
is found here too, as ``charts.NAME``. `ccanalytics.charts.theme` says how to write one.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

_ROOMS = tuple(
    sorted(
        room.name
        for room in iter_modules(__path__)
        if room.name != "theme" and not room.name.startswith("_")
    )
)


def __getattr__(name: str) -> Any:
    # Resolved on first use: plotly is imported by the chart that needs it, not by this line.
    if name in {*_ROOMS, "theme"}:
        return import_module(f"{__name__}.{name}")
    if not name.startswith("_"):
        for room in _ROOMS:
            module = import_module(f"{__name__}.{room}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no chart {name!r}")


def __dir__() -> list[str]:
    charts = [name for room in _ROOMS for name in import_module(f"{__name__}.{room}").__all__]
    return sorted([*charts, *_ROOMS, "theme"])
