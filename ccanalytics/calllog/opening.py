"""Open a log by its path, whichever kind it is."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ccanalytics.calllog.arguments import check_path
from ccanalytics.calllog.log import CallLog
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

__all__ = ["open_log", "opened"]


def open_log(path: str | os.PathLike[str] | None = None) -> CallLog:
    """A DuckDB file in this process, or a folder of Parquet tables on Spark.

    Parameters
    ----------
    path
        A file, a folder on this machine, or the address of one such as ``s3a://bucket/centre``.
        Default: the environment's ``CCANALYTICS_LOG``.

    Notes
    -----
    A folder is opened by :meth:`CallLog.on_spark` in the session that is active, or else in one
    that Spark's own configuration describes (``spark-defaults.conf``, ``PYSPARK_SUBMIT_ARGS``):
    without any, on the cores of this machine.

    Examples
    --------
    >>> from ccanalytics import open_log
    >>> open_log("centre.duckdb")
    CallLog('centre.duckdb')
    """
    chosen = path if path is not None else os.environ.get("CCANALYTICS_LOG")
    if chosen is None or not _is_folder(chosen):
        return CallLog(path)
    text = os.fspath(chosen)
    if "://" not in text:
        _check_tables(text)
    # Without a scheme Spark would look in the cluster's own file system.
    return CallLog.on_spark(_session(), text if "://" in text else f"file://{Path(text).resolve()}")


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[CallLog]:
    """The log for a few questions; a Spark that was not running before is stopped afterwards.

    It would keep its share of a cluster from the notebook that runs next.
    """
    if not _is_folder(path):
        yield CallLog(path)
        return
    before = _active()
    try:
        yield open_log(path)
    finally:
        session = _active()
        if before is None and session is not None:
            session.stop()


def _is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether this is a folder of tables, or the address of one."""
    check_path(path, "path")
    text = os.fspath(path)
    try:
        return "://" in text or Path(text).is_dir()
    except (OSError, ValueError):  # the log itself says what is wrong with its path
        return False


def _check_tables(folder: str) -> None:
    """Refuse a folder on this machine that is no log, before Spark takes its time to start."""
    from ccanalytics.calllog.spark_engine import tables_in

    try:
        with os.scandir(folder) as entries:
            names = [(one.name, one.is_dir()) for one in entries]
    except OSError:  # Spark says what it cannot read
        return
    tables_in([each for each in names if not each[0].startswith((".", "_"))], folder)


def _active() -> SparkSession | None:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise InputError(
            "a folder of Parquet tables is read by Spark, which is not installed",
            f"{error.name} is missing",
            "pip install 'ccanalytics[spark]'; it needs Java 17 or newer",
        ) from error
    return SparkSession.getActiveSession()


def _session() -> SparkSession:
    active = _active()
    if active is not None:
        return active
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("ccanalytics")
    try:
        with warnings.catch_warnings():
            # Spark warns that pandas 3 is new to it; no pandas is used here.
            warnings.simplefilter("ignore", FutureWarning)
            return builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    except (PySparkException, RuntimeError, OSError) as error:
        raise InputError(
            "Spark does not start",
            " ".join(str(error).split())[:200],
            "it needs Java 17 or newer: see JAVA_HOME",
        ) from error
