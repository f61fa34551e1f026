"""Call-centre workforce and traffic analytics over a centre's own call log."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ccanalytics.calllog import CallLog, open_log
    from ccanalytics.queueing import Queue
    from ccanalytics.results import Check, Estimate
    from ccanalytics.servicelevel import ServiceLevel

__all__ = [
    "CallLog",
    "Check",
    "Estimate",
    "Queue",
    "ServiceLevel",
    "charts",
    "deflection",
    "errors",
    "handletime",
    "open_log",
    "queueing",
    "simulation",
    "staffing",
    "statistics",
    "traffic",
]

try:
    __version__ = version("ccanalytics")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"

# Resolved on first use, so that importing one room does not load them all.
_HOMES = {
    "CallLog": "ccanalytics.calllog",
    "open_log": "ccanalytics.calllog",
    "Check": "ccanalytics.results",
    "Estimate": "ccanalytics.results",
    "Queue": "ccanalytics.queueing",
    "ServiceLevel": "ccanalytics.servicelevel",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in __all__:
        return import_module(f"ccanalytics.{name}")
    raise AttributeError(f"module 'ccanalytics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
