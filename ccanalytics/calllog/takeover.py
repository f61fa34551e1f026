"""Taking staged rows over into the log: what is there already stays, the first of a key wins.

Of sources that deliver a record again whenever it changes, the newest wins instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from ccanalytics.schema import Table

__all__ = ["take_over"]

# Hashes of keys that are compared at a time; the database needs some 75 bytes for each.
_HELD_HASHES = 4_000_000


def take_over(
    connection: duckdb.DuckDBPyConnection, rows: Path, table: Table, newest: str | None = None
) -> int:
    """Insert staged rows that are not there yet, within the open transaction; how many they were.

    The first of several rows with one key wins, or the latest by the column ``newest``: then a
    later one also replaces the row in the log.

    Keys are first compared by 64-bit hashes, within the file and against those rows of the log
    whose keys lie between the file's least and greatest. A hash that occurs once is a key that
    occurs once. Only rows whose hash occurs again are compared by the key itself, so the answer is
    exact, no index slows the inserting, and what must be held is a hash a row of this file, some
    million at a time, never one of the log.
    """
    # Identifiers come from the schema alone, never from a file; paths and values are bound.
    names = ", ".join(f'"{name}"' for name in table.names)
    if newest:
        same = " AND ".join(f't."{name}" = s."{name}"' for name in table.key)
        connection.execute(
            f'DELETE FROM "{table.name}" AS t USING read_parquet(?) AS s WHERE {same} '  # noqa: S608
            f'AND s."{newest}" > t."{newest}"',
            [str(rows)],
        )
    left_out = _find_left_out(connection, rows, table, newest)
    unless = "" if not left_out else "WHERE _line NOT IN (SELECT _line FROM left_out)"
    # Each thread puts whole groups of rows down as it reads them. To keep their order as well,
    # the database would write the table a second time at the checkpoint.
    connection.execute("SET preserve_insertion_order = false")
    inserted = connection.execute(
        f'INSERT INTO "{table.name}" ({names}) SELECT {names} '  # noqa: S608
        f"FROM read_parquet(?) {unless}",
        [str(rows)],
    ).fetchall()
    connection.execute("RESET preserve_insertion_order")
    connection.execute("DROP TABLE IF EXISTS left_out")
    return int(inserted[0][0])


def _find_left_out(
    connection: duckdb.DuckDBPyConnection, rows: Path, table: Table, newest: str | None
) -> int:
    """Number the lines that are not taken over, in the temporary table ``left_out``."""
    keys = ", ".join(f'"{name}"' for name in table.key)
    hashed = f"hash({keys})"
    bounds = ", ".join(f'min("{name}"), max("{name}")' for name in table.key)
    path = str(rows)
    # Key columns are never null: the schema requires them, and a missing call_id is made.
    count, *limits = connection.execute(
        f"SELECT count(*), {bounds} FROM read_parquet(?)",  # noqa: S608
        [path],
    ).fetchall()[0]
    within = " AND ".join(f'"{name}" BETWEEN ? AND ?' for name in table.key)
    (held,) = connection.execute(f'SELECT EXISTS (SELECT 1 FROM "{table.name}")').fetchall()[0]  # noqa: S608
    connection.execute("CREATE TEMP TABLE doubtful (h UBIGINT)")
    # A part of all hashes at a time: reading the keys again is cheaper than holding all of them.
    parts = -(-count // _HELD_HASHES)
    for part in range(parts):
        connection.execute(
            f"INSERT INTO doubtful SELECT h FROM (SELECT {hashed} AS h FROM read_parquet($path)) "  # noqa: S608
            "WHERE h % $parts::UBIGINT = $part::UBIGINT GROUP BY h HAVING count(*) > 1",
            {"path": path, "parts": parts, "part": part},
        )
        if held:
            connection.execute(
                f"INSERT INTO doubtful SELECT DISTINCT h FROM "  # noqa: S608
                f'(SELECT {hashed} AS h FROM "{table.name}" WHERE {within}) '
                f"WHERE h % ?::UBIGINT = ?::UBIGINT AND h IN (SELECT h FROM "
                f"(SELECT {hashed} AS h FROM read_parquet(?)) "
                f"WHERE h % ?::UBIGINT = ?::UBIGINT)",
                [*limits, parts, part, path, parts, part],
            )
    same = " AND ".join(f't."{name}" = s."{name}"' for name in table.key)
    (some,) = connection.execute("SELECT count(*) FROM doubtful").fetchall()[0]
    found = 0
    late = f', "{newest}" AS late' if newest else ""
    first = "late DESC NULLS LAST, _line" if newest else "_line"
    if some:
        connection.execute(
            f"CREATE TEMP TABLE suspects AS SELECT _line, {keys}{late} FROM read_parquet(?) "  # noqa: S608
            f"WHERE {hashed} IN (SELECT h FROM doubtful)",
            [path],
        )
        connection.execute(
            f"CREATE TEMP TABLE left_out AS "  # noqa: S608
            f"SELECT _line FROM suspects QUALIFY row_number() OVER "
            f"(PARTITION BY {keys} ORDER BY {first}) > 1 "
            f"UNION SELECT s._line FROM suspects AS s SEMI JOIN "
            f'(SELECT {keys} FROM "{table.name}" WHERE {within}) AS t ON {same}',
            [*limits],
        )
        (found,) = connection.execute("SELECT count(*) FROM left_out").fetchall()[0]
        connection.execute("DROP TABLE suspects")
    connection.execute("DROP TABLE doubtful")
    return int(found)
