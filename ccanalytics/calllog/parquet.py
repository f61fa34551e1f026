"""A DuckDB log written as a folder of Parquet tables, which Spark and others read."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ccanalytics.calllog.arguments import check_path
from ccanalytics.calllog.tables import quoted
from ccanalytics.errors import InputError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    import duckdb

__all__ = ["write_parquet"]

# What says where the rows come from, beside the canonical tables. Rejected rows stay behind: they
# are raw text.
_BOOKS = ("meta", "loads", "remarks")
# Spark reads names with these as patterns, and the database some of them as options.
_PATTERNS = "*?[]{}\\"


def write_parquet(
    connection: duckdb.DuckDBPyConnection, folder: str | os.PathLike[str]
) -> dict[str, int]:
    """Write ``folder/TABLE/data_N.parquet`` for each table with rows; rows by table.

    The rows stream through the database in their order. The folder appears when it is complete.

    Raises
    ------
    InputError
        The folder is there and not empty, or cannot be written.
    """
    import duckdb

    check_path(folder, "folder")
    target = Path(os.path.realpath(Path(folder).expanduser()))
    if set(str(target)) & set(_PATTERNS):
        raise InputError(
            "Spark would read this name as a pattern", str(target), f"do without {_PATTERNS}"
        )
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InputError("this is there already", str(target), "name a folder that is new or empty")
    rows = {}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            work.chmod(0o755 & ~_umask())
            for name in (*TABLES, *_BOOKS):
                written = _write(connection, name, work / name)
                if written:
                    rows[name] = written
            work.replace(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except (OSError, duckdb.IOException) as error:
        said = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError("the folder cannot be written", str(target), said) from error
    return rows


def _write(connection: duckdb.DuckDBPyConnection, name: str, place: Path) -> int:
    """One table in files of a size that several machines can share; none if it is empty."""
    (count,) = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchall()[0]  # noqa: S608
    if count:
        columns = ", ".join(map(quoted, TABLES[name].names)) if name in TABLES else "*"
        place.mkdir()
        rows = connection.sql(f"SELECT {columns} FROM {quoted(name)}")  # noqa: S608
        rows.to_parquet(str(place / "data_0.parquet"), compression="zstd")
    return int(count)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
