"""The file: opening it for a moment, waiting while another process writes, its version.

DuckDB lets no second process in beside a writer. So nobody keeps a connection: readers open the
file read-only for one question, a load holds it only for its final commit, and whoever meets a
lock waits.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ccanalytics.errors import InputError, LogError
from ccanalytics.schema import SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

__all__ = ["Store", "check_time_zone"]

_TYPES = {
    "text": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "seconds": "DOUBLE",
    "number": "DOUBLE",
    "whole": "BIGINT",
    "flag": "BOOLEAN",
}
_PAUSE_S = 0.05
# A file of another kind must not make the database fetch a reader for it.
_CONFIG = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}

_LEDGER = """
CREATE TABLE meta (
    schema_version INTEGER NOT NULL, package_version VARCHAR NOT NULL,
    time_zone VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL);
CREATE SEQUENCE load_numbers;
CREATE TABLE loads (
    load BIGINT NOT NULL DEFAULT nextval('load_numbers'), file VARCHAR NOT NULL,
    source VARCHAR NOT NULL, "table" VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL,
    settings VARCHAR NOT NULL, "read" BIGINT NOT NULL, loaded BIGINT NOT NULL,
    duplicates BIGINT NOT NULL, rejected BIGINT NOT NULL, "at" TIMESTAMP NOT NULL);
CREATE TABLE rejects (
    load BIGINT NOT NULL, line BIGINT NOT NULL, raw VARCHAR NOT NULL, reasons VARCHAR[] NOT NULL);
CREATE TABLE remarks (load BIGINT NOT NULL, remark VARCHAR NOT NULL, "rows" BIGINT NOT NULL);
"""

# What every roll-up starts from: whole epoch numbers and the handful of conditions that all share.
_BASE = """
CREATE VIEW base AS
SELECT *,
    epoch_us(arrived_at) // 1000000 AS arrived_epoch,
    CAST(epoch_us(answered_at) // 1000 AS BIGINT) AS answered_ms,
    CAST(epoch_us(arrived_at) // 1000 AS BIGINT) AS arrived_ms,
    CAST(epoch_us(ended_at) // 1000 AS BIGINT) AS ended_ms,
    outcome = 'answered' AS is_answered,
    outcome = 'abandoned' AS is_abandoned,
    outcome IN ('answered', 'abandoned', 'overflowed', 'call_back') AS is_offered,
    CASE WHEN outcome = 'answered'
        THEN talk_s + coalesce(hold_s, 0) + coalesce(wrap_s, 0) END AS handle_s
FROM calls;
CREATE VIEW events AS
SELECT *, epoch_us("at") // 1000000 AS at_epoch FROM self_service;
CREATE VIEW counted AS
SELECT *, epoch_us(started_at) // 1000000 AS started_epoch FROM interval_counts;
"""


def check_time_zone(name: str, where: str = "time_zone") -> str:
    """The name itself if it is a known IANA time zone; an InputError otherwise."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise InputError(
            "no such time zone",
            f"{where}={name!r}",
            "give an IANA name such as Asia/Shanghai or Europe/London",
        ) from error
    return name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Store:
    """One DuckDB file, opened for a moment at a time.

    Parameters
    ----------
    path
        The file.
    wait_s
        How many seconds to wait while another process writes before giving up.
    """

    def __init__(self, path: Path, wait_s: float = 10.0) -> None:
        self.path = path
        self.wait_s = wait_s

    def is_new(self) -> bool:
        """Whether there is no log yet, or only what a first load left that was killed."""
        if not self.path.exists():
            return True
        connection = self._open(read_only=True)
        with self._speaking(connection):
            return _is_empty(connection)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the log read-only for one question."""
        if not self.path.exists():
            raise LogError(
                "there is no call log here",
                str(self.path),
                "load an export first: ccanalytics load FILE --source NAME --log FILE",
            )
        connection = self._open(read_only=True)
        with self._speaking(connection):
            self._check_version(connection)
            yield connection

    @contextmanager
    def writing(self, time_zone: str, package_version: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the log for one transaction, all of it or nothing; a new log is made in it."""
        parent = self.path.parent
        if not parent.is_dir():
            raise LogError(
                "the folder for the call log does not exist", str(parent), "create it first"
            )
        connection = self._open(read_only=False)
        with self._speaking(connection):
            connection.execute("BEGIN")
            # A file without any table is new, or what a first load left that was killed.
            if _is_empty(connection):
                _create(connection, check_time_zone(time_zone), package_version)
            self._check_version(connection)
            yield connection
            # Closing without this rolls back.
            connection.execute("COMMIT")

    @contextmanager
    def _speaking(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Close the connection at the end, and say what a damaged file means."""
        import duckdb

        try:
            yield
        except (
            duckdb.IOException,
            duckdb.FatalException,
            duckdb.InternalException,
            duckdb.SerializationException,
            duckdb.TransactionException,
        ) as error:
            raise self._unreadable(error) from error
        finally:
            connection.close()

    def _open(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        import duckdb

        if self.path.is_dir():
            raise LogError("this is a folder, not a call log", str(self.path), "name a file in it")
        if "?" in str(self.path):
            # DuckDB takes what follows for options, and writes elsewhere.
            raise LogError(
                "the database cannot use a path with a question mark", str(self.path), "rename it"
            )
        deadline = time.monotonic() + self.wait_s
        while True:
            try:
                connection = duckdb.connect(
                    str(self.path), read_only=read_only, config=dict(_CONFIG)
                )
            except (duckdb.IOException, duckdb.ConnectionException) as error:
                text = str(error)
                if "lock" not in text.lower() and "different configuration" not in text:
                    raise self._unreadable(error) from error
                if time.monotonic() > deadline:
                    raise LogError(
                        f"the call log is in use by another process, also after waiting "
                        f"{self.wait_s:g} s",
                        str(self.path),
                        "close the other program (or wait for its load to end) and try again",
                    ) from error
                time.sleep(_PAUSE_S)
            except duckdb.Error as error:
                raise self._unreadable(error) from error
            else:
                connection.execute("SET TimeZone = 'UTC'")
                return connection

    def _unreadable(self, error: Exception) -> LogError:
        text = str(error).lower()
        if (
            "not a valid duckdb" in text
            or "in-memory" in text
            or "serialization" in text
            or "corrupt" in text
        ):
            return LogError(
                "this file is not a call log",
                str(self.path),
                "name the DuckDB file that 'ccanalytics load --log' made",
            )
        return LogError(
            "the call log cannot be opened",
            str(self.path),
            f"the database says: {str(error).splitlines()[0]}",
        )

    def _check_version(self, connection: duckdb.DuckDBPyConnection) -> None:
        import duckdb

        if _is_empty(connection):
            raise LogError(
                "this call log is empty: its first load did not come to its end",
                str(self.path),
                "load the export again",
            )
        try:
            ((version, _),) = connection.execute(
                "SELECT schema_version, time_zone FROM meta"
            ).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException, ValueError) as error:
            raise LogError(
                "this database is not a call log of ccanalytics",
                str(self.path),
                "name the file that 'ccanalytics load --log' made",
            ) from error
        if version > SCHEMA_VERSION:
            raise LogError(
                f"the call log has schema {version}, newer than the {SCHEMA_VERSION} that this "
                "version of ccanalytics knows",
                str(self.path),
                "upgrade ccanalytics",
            )
        if version < SCHEMA_VERSION:
            raise LogError(
                f"the call log has schema {version}; this version of ccanalytics writes and reads "
                f"{SCHEMA_VERSION}",
                str(self.path),
                "load the exports again into a new log",
            )


def _create(connection: duckdb.DuckDBPyConnection, time_zone: str, package_version: str) -> None:
    """Make the tables and views of an empty log, within the open transaction."""
    connection.execute(_LEDGER)
    for table in TABLES.values():
        columns = ", ".join(
            f"{_quoted(c.name)} {_TYPES[c.kind]}{' NOT NULL' if c.required else ''}"
            for c in table.columns
        )
        connection.execute(f"CREATE TABLE {_quoted(table.name)} ({columns})")
    connection.execute(_BASE)
    connection.execute(
        "INSERT INTO meta VALUES (?, ?, ?, now() AT TIME ZONE 'UTC')",
        [SCHEMA_VERSION, package_version, time_zone],
    )


def _is_empty(connection: duckdb.DuckDBPyConnection) -> bool:
    return not connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall()[0][0]
