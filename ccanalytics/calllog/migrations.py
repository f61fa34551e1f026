"""Bringing a log of an older schema up to today's.

Most of what a new schema brings is tables, columns and views besides. Those are not written down
here: they are what an empty log of today has and the older one lacks. A step of its own is needed
only where rows have to be moved or changed; it turns schema *n* into *n* + 1 and stands in
:data:`STEPS` under *n*.

Nothing here opens a file or minds being killed: the store hands over a private copy of the log,
throws it away if anything fails, and lets it take the log's place when it is whole. So a step may
commit as it pleases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.database import in_memory
from ccanalytics.calllog.tables import create_tables, quoted
from ccanalytics.errors import LogError
from ccanalytics.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import duckdb

__all__ = ["STEPS", "copy_name", "migrate"]

# Schema n → what moves its rows into schema n + 1, before tables and columns are added.
# 1 → 2 and 2 → 3 only add tables.
STEPS: dict[int, Callable[[duckdb.DuckDBPyConnection], None]] = {}


def copy_name(log: Path, version: int) -> Iterator[Path]:
    """Names for the copy that is kept: centre.schema1.duckdb, then centre.schema1.2.duckdb, …."""
    yield log.with_name(f"{log.stem}.schema{version}{log.suffix}")
    for number in range(2, 1000):
        yield log.with_name(f"{log.stem}.schema{version}.{number}{log.suffix}")


def migrate(connection: duckdb.DuckDBPyConnection, version: int, log: Path) -> None:
    """Turn the attached log of that schema into one of today's.

    Raises
    ------
    LogError
        If the log holds something that cannot be brought up.
    """
    for step in range(version, SCHEMA_VERSION):
        if step in STEPS:
            STEPS[step](connection)
    _complete(connection, log)
    connection.execute("UPDATE meta SET schema_version = ?", [SCHEMA_VERSION])


def _complete(connection: duckdb.DuckDBPyConnection, log: Path) -> None:
    """Add the tables, columns, sequences and views that an empty log of today has besides."""
    with in_memory() as fresh:
        create_tables(fresh)
        wanted = _columns(fresh)
        tables = _definitions(fresh, "tables", "table")
        sequences = _definitions(fresh, "sequences", "sequence")
        views = _definitions(fresh, "views", "view")
    # A view that selects every column of a table remembers which they were.
    for name in views:
        connection.execute(f"DROP VIEW IF EXISTS {quoted(name)}")
    held_sequences = _definitions(connection, "sequences", "sequence")
    for name, sql in sequences.items():
        if name not in held_sequences:
            connection.execute(sql)
    held_tables, held = _definitions(connection, "tables", "table"), _columns(connection)
    for name, sql in tables.items():
        if name not in held_tables:
            connection.execute(sql)
    for (table, column), (kind, default, null) in wanted.items():
        if table not in held_tables or (table, column) in held:
            continue
        if not null and not default:
            raise _stuck(log, f"column {column} of {table} is required, and no step fills it")
        connection.execute(
            f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(column)} {kind}"
            + (f" DEFAULT {default}" if default else "")
        )
        if not null:
            connection.execute(
                f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(column)} SET NOT NULL"
            )
    for sql in views.values():
        connection.execute(sql)
    _check(connection, wanted, log)


def _check(
    connection: duckdb.DuckDBPyConnection,
    wanted: dict[tuple[str, str], tuple[str, str | None, bool]],
    log: Path,
) -> None:
    """Every table has exactly today's columns; tables of the user's own are left alone."""
    held = _columns(connection)
    tables = {table for table, _ in wanted}
    for key in sorted({k for k in held if k[0] in tables} | set(wanted)):
        if held.get(key) != wanted.get(key):
            raise _stuck(log, f"column {key[1]} of {key[0]} is not today's, and no step changes it")


def _stuck(log: Path, reason: str) -> LogError:
    return LogError(
        f"the call log cannot be brought to schema {SCHEMA_VERSION}: {reason}",
        str(log),
        "it stays as it was; load the exports again into a new log",
    )


def _columns(
    connection: duckdb.DuckDBPyConnection,
) -> dict[tuple[str, str], tuple[str, str | None, bool]]:
    """(table, column) → type, default, whether it may be null."""
    rows = connection.execute(
        "SELECT c.table_name, c.column_name, c.data_type, c.column_default, c.is_nullable "
        "FROM duckdb_columns() c JOIN duckdb_tables() t USING (database_name, schema_name, "
        "table_name) WHERE database_name = current_database() AND schema_name = 'main' "
        "ORDER BY c.table_oid, c.column_index"
    ).fetchall()
    return {(table, column): (kind, default, null) for table, column, kind, default, null in rows}


def _definitions(connection: duckdb.DuckDBPyConnection, what: str, one: str) -> dict[str, str]:
    """Name → the statement that makes it."""
    shown = " AND NOT internal" if what != "sequences" else ""
    rows = connection.execute(
        f"SELECT {one}_name, sql FROM duckdb_{what}() "  # noqa: S608 - the words are ours
        f"WHERE database_name = current_database() AND schema_name = 'main'{shown} "
        f"ORDER BY {one}_oid"
    ).fetchall()
    return dict(rows)
