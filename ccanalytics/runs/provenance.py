"""Where an answer comes from: what the log holds, its fingerprint, versions."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import ccanalytics

if TYPE_CHECKING:
    from pathlib import Path

    from ccanalytics.calllog.checks import LogCheck

__all__ = ["describe", "fingerprint", "state", "versions"]

_PACKAGES = (
    "duckdb",
    "polars",
    "pandas",
    "pyarrow",
    "pyspark",
    "numpy",
    "scipy",
    "statsmodels",
    "plotly",
    "pyworkforce",
    "ortools",
)


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of what it computes with, where installed."""
    found = {"python": platform.python_version(), "ccanalytics": ccanalytics.__version__}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def describe(path: Path) -> LogCheck:
    """Open the log for a moment and say what it holds: whoever is refused learns it at once."""
    from ccanalytics.calllog.opening import opened

    with opened(path) as log:
        return log.summary()


def fingerprint(path: Path) -> str:
    """Digest of what was loaded, in order; two logs of the same files share it.

    Raises
    ------
    LogError
        If the log cannot be read.
    """
    from ccanalytics.calllog.opening import opened

    with opened(path) as log:
        return log.fingerprint()


def state(path: Path) -> list[tuple[str, int, int]]:
    """Name, time of change and size of the log's file, or of every file in its folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = [(str(file), file.stat()) for file in files]
    return [(name, one.st_mtime_ns, one.st_size) for name, one in found]
