"""What happened: one DuckDB file, one reader per export format, checks and roll-ups."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ccanalytics.calllog.log import CallLog
    from ccanalytics.calllog.opening import open_log
    from ccanalytics.calllog.report import FileLoad, LoadReport
    from ccanalytics.calllog.sources import SOURCES, Source

__all__ = ["SOURCES", "CallLog", "FileLoad", "LoadReport", "Source", "open_log"]

_HOMES = {
    "CallLog": "log",
    "open_log": "opening",
    "FileLoad": "report",
    "LoadReport": "report",
    "SOURCES": "sources",
    "Source": "sources",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"ccanalytics.calllog.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'ccanalytics.calllog' has no attribute {name!r}")
