"""What an empty log consists of: the ledger of loads, the canonical tables, the views on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.schema import LONGEST_HANDLE_S, SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    import duckdb

__all__ = ["LEDGER", "VIEWS", "create_log", "create_tables", "quoted"]

_TYPES = {
    "text": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "seconds": "DOUBLE",
    "number": "DOUBLE",
    "whole": "BIGINT",
    "flag": "BOOLEAN",
}

LEDGER = """
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
CREATE TABLE adjustments (
    load BIGINT NOT NULL, "table" VARCHAR NOT NULL, "rows" BIGINT NOT NULL);
CREATE TABLE identifiers (kept VARCHAR NOT NULL, key_check VARCHAR);
CREATE TABLE forgotten (
    "at" TIMESTAMP NOT NULL, before DATE NOT NULL, "table" VARCHAR NOT NULL,
    "rows" BIGINT NOT NULL);
"""

# What every roll-up starts from: whole epoch numbers and the handful of conditions that all share.
VIEWS = f"""
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
        THEN talk_s + coalesce(hold_s, 0) + coalesce(wrap_s, 0) END AS recorded_s,
    CASE WHEN recorded_s <= {LONGEST_HANDLE_S} THEN recorded_s END AS handle_s
FROM calls;
CREATE VIEW events AS
SELECT *, epoch_us("at") // 1000000 AS at_epoch FROM self_service;
CREATE VIEW counted AS
SELECT *, epoch_us(started_at) // 1000000 AS started_epoch FROM interval_counts;
"""  # noqa: S608 - a number of the schema


def quoted(name: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables and views of a log, all of them empty."""
    connection.execute(LEDGER)
    for table in TABLES.values():
        columns = ", ".join(
            f"{quoted(c.name)} {_TYPES[c.kind]}{' NOT NULL' if c.required else ''}"
            for c in table.columns
        )
        connection.execute(f"CREATE TABLE {quoted(table.name)} ({columns})")
    connection.execute(VIEWS)


def create_log(connection: duckdb.DuckDBPyConnection, time_zone: str, package_version: str) -> None:
    """Make an empty log of today's schema."""
    create_tables(connection)
    connection.execute(
        "INSERT INTO meta VALUES (?, ?, ?, now() AT TIME ZONE 'UTC')",
        [SCHEMA_VERSION, package_version, time_zone],
    )
