"""The canonical tables: consistent, in the store as they are told, and described."""

import duckdb
import pytest

from ccanalytics import schema
from ccanalytics.schema import OUTCOMES, TABLES

KINDS = {
    "text": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "seconds": "DOUBLE",
    "number": "DOUBLE",
    "whole": "BIGINT",
    "flag": "BOOLEAN",
}
# What every issue and model builds on (the project's design, and the call log's first form).
PROMISED = {
    "calls": "call_id customer client line line_group site queue service tier arrived_at menu_s "
    "wait_s talk_s hold_s wrap_s outcome agent transfer parent_call_id ended_by",
    "self_service": "event_id customer channel stage service call_id at accepted delivered "
    "completed",
    "services": "service name name_zh kind sms_assist_before_on sms_assist_during_on sms_hall_on "
    "web_hall_on app_on",
    "agents": "agent hired_on left_on site employer team cohort skills",
    "agent_states": "agent state started_at ended_at",
    "reminders": "customer kind wave sent_at",
    "rollouts": "unit_kind unit treatment planned_on live_on randomised",
    "reviews": "review_id call_id agent reviewer item passed critical sampled at",
    "surveys": "call_id channel sent_at answered_at score",
    "trainings": "agent course on hours cost",
    "tickets": "ticket call_id customer service opened_at closed_at reopened owner",
    "line_groups": "site line_group lines from_on",
}


@pytest.mark.parametrize("table", PROMISED)
def test_the_promised_columns_are_there(table):
    assert set(PROMISED[table].split()) <= set(TABLES[table].names)


def test_the_promised_outcomes_are_there():
    promised = "answered abandoned left_menu blocked contained diverted overflowed call_back"
    assert sorted(OUTCOMES) == sorted(promised.split())
    assert TABLES["calls"].column("outcome").values == tuple(OUTCOMES)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_a_table_is_consistent(table):
    assert TABLES[table.name] is table
    assert len(set(table.names)) == len(table.names)
    assert table.key
    assert set(table.key) <= set(table.names)
    for name in table.key:
        assert table.column(name).required, "what identifies a row must be known"
    for column in table.columns:
        assert column.kind in KINDS
        assert column.meaning
        assert column.name == column.name.lower()
        # Seconds end in _s and nothing else does; moments end in _at or are "at".
        assert (column.kind == "seconds") == column.name.endswith("_s"), column.name
        assert (column.kind == "timestamp") == (column.name == "at" or column.name.endswith("_at"))
        if column.kind == "date":
            assert column.name == "on" or column.name.endswith("_on")
        assert not column.values or column.kind == "text"


def test_a_column_that_is_not_there_is_no_column():
    with pytest.raises(StopIteration):
        TABLES["calls"].column("no such column")


def test_the_store_has_the_tables_of_the_schema(make_log):
    log = make_log()
    with duckdb.connect(str(log.path), read_only=True) as connection:
        for table in TABLES.values():
            held = connection.execute(
                "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
                "WHERE table_name = ? ORDER BY ordinal_position",
                [table.name],
            ).fetchall()
            assert [(name, kind) for name, kind, _ in held] == [
                (column.name, KINDS[column.kind]) for column in table.columns
            ]
            needed = {name for name, _, nullable in held if nullable == "NO"}
            assert needed == {column.name for column in table.columns if column.required}
        version = connection.execute("SELECT schema_version FROM meta").fetchall()
    assert version == [(schema.SCHEMA_VERSION,)]


def test_the_dictionary_describes_every_column():
    text = schema.dictionary()
    for table in TABLES.values():
        part = text.split(f"### {table.name}\n")[1].split("\n### ")[0]
        lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
        assert [line.split(" | ")[0].removeprefix("| ") for line in lines] == list(table.names)
        for column, line in zip(table.columns, lines, strict=True):
            assert column.meaning in line
            assert all(value in line for value in column.values)
            assert ("required" in line.split(" | ")[1]) == column.required
