"""Taking staged rows over into the log: what is there already stays, the first of a key wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from ccanalytics.schema import Table

__all__ = ["take_over"]


def take_over(connection: duckdb.DuckDBPyConnection, rows: Path, table: Table) -> int:
    """Insert staged rows that are not there yet, within the open transaction; how many they were.

    Keys are first compared by 64-bit hashes, within the file and against those rows of the log
    whose keys lie between the file's least and greatest. A hash that occurs once is a key that
    occurs once. Only rows whose hash occurs again are compared by the key itself, so the answer is
    exact, no index slows the inserting, and what must be held is a hash a row of this file, never
    one of the log (and that may go to disk).
    """
    # Identifiers come from the schema alone, never from a file; paths and values are bound.
    names = ", ".join(f'"{name}"' for name in table.names)
    left_out = _find_left_out(connection, rows, table)
    unless = "" if not left_out else "WHERE _line NOT IN (SELECT _line FROM left_out)"
    inserted = connection.execute(
        f'INSERT INTO "{table.name}" ({names}) SELECT {names} '  # noqa: S608
        f"FROM read_parquet(?) {unless}",
        [str(rows)],
    ).fetchall()
    connection.execute("DROP TABLE IF EXISTS left_out")
    return int(inserted[0][0])


def _find_left_out(connection: duckdb.DuckDBPyConnection, rows: Path, table: Table) -> int:
    """Number the lines that are not taken over, in the temporary table ``left_out``."""
    keys = ", ".join(f'"{name}"' for name in table.key)
    hashed = f"hash({keys})"
    bounds = ", ".join(f'min("{name}"), max("{name}")' for name in table.key)
    path = str(rows)
    # Key columns are never null: the schema requires them, and a missing call_id is made.
    limits = connection.execute(f"SELECT {bounds} FROM read_parquet(?)", [path]).fetchall()[0]  # noqa: S608
    within = " AND ".join(f'"{name}" BETWEEN ? AND ?' for name in table.key)
    connection.execute(
        f"CREATE TEMP TABLE doubtful AS "  # noqa: S608
        f"SELECT h FROM (SELECT {hashed} AS h FROM read_parquet(?)) GROUP BY h HAVING count(*) > 1",
        [path],
    )
    connection.execute(
        f"INSERT INTO doubtful SELECT DISTINCT h FROM "  # noqa: S608
        f'(SELECT {hashed} AS h FROM "{table.name}" WHERE {within}) '
        f"WHERE h IN (SELECT {hashed} FROM read_parquet(?))",
        [*limits, path],
    )
    same = " AND ".join(f't."{name}" = s."{name}"' for name in table.key)
    (some,) = connection.execute("SELECT count(*) FROM doubtful").fetchall()[0]
    found = 0
    if some:
        connection.execute(
            f"CREATE TEMP TABLE suspects AS SELECT _line, {keys} FROM read_parquet(?) "  # noqa: S608
            f"WHERE {hashed} IN (SELECT h FROM doubtful)",
            [path],
        )
        connection.execute(
            f"CREATE TEMP TABLE left_out AS "  # noqa: S608
            f"SELECT _line FROM suspects WHERE _line NOT IN "
            f"(SELECT min(_line) FROM suspects GROUP BY {keys}) "
            f"UNION SELECT s._line FROM suspects AS s SEMI JOIN "
            f'(SELECT {keys} FROM "{table.name}" WHERE {within}) AS t ON {same}',
            [*limits],
        )
        (found,) = connection.execute("SELECT count(*) FROM left_out").fetchall()[0]
        connection.execute("DROP TABLE suspects")
    connection.execute("DROP TABLE doubtful")
    return int(found)
