"""Where an answer comes from: what the log holds, its fingerprint, versions."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import ccanalytics
from ccanalytics.errors import LogError

if TYPE_CHECKING:
    from pathlib import Path

    from ccanalytics.calllog.checks import LogCheck

__all__ = ["describe", "fingerprint", "versions"]

_PACKAGES = (
    "duckdb",
    "polars",
    "pandas",
    "pyarrow",
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
    from ccanalytics.calllog import CallLog

    return CallLog(path).check()


def fingerprint(path: Path) -> str:
    """SHA-256 of the log's bytes, as ``sha256sum`` prints it.

    Raises
    ------
    LogError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise LogError(f"the log cannot be read: {reason}", str(path), "") from error
