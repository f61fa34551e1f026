"""Calls and agents' states from the queue events that a log holds.

What follows from the events of a call or of an agent is made anew whenever new events of them come
in: taken out as the events before told it, put in as all events tell it now. So rotated files give
the same calls whichever order they are loaded in, and rows of other sources stay untouched.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

__all__ = ["deriving"]

# A visit is one stay of a call in one queue: from ENTERQUEUE to what ends it. Events of a visit are
# found by call and queue, in the order of their second and of their place in it.
_VISITS = """
CREATE OR REPLACE TEMP TABLE told_visits AS
WITH ordered AS (
    SELECT e.*, row_number() OVER w AS n,
        count(*) FILTER (WHERE event = 'ENTERQUEUE') OVER w AS visit
    FROM queue_events AS e SEMI JOIN touched_calls USING (call_id)
    WINDOW w AS (PARTITION BY call_id, queue ORDER BY "at", place,
        CASE event WHEN 'ENTERQUEUE' THEN 0 WHEN 'CONNECT' THEN 1 ELSE 2 END, event_id)
), entered AS (
    SELECT call_id, queue, min("at") AS first_at FROM ordered
    WHERE event = 'ENTERQUEUE' GROUP BY ALL
), placed AS (
    -- The rest of a second that a rotation cut apart may stand before its beginning.
    SELECT o.*, CASE WHEN o.visit = 0 AND o."at" >= first_at THEN 1 ELSE o.visit END AS stay
    FROM ordered AS o LEFT JOIN entered USING (call_id, queue)
)
SELECT call_id, queue, stay,
    min("at") FILTER (WHERE event = 'ENTERQUEUE') AS arrived_at,
    min(place) FILTER (WHERE event = 'ENTERQUEUE') AS place,
    any_value(customer) FILTER (WHERE event = 'ENTERQUEUE') AS customer,
    min("at") FILTER (WHERE event = 'CONNECT') AS connected_at,
    arg_min(agent, n) FILTER (WHERE event = 'CONNECT') AS agent,
    arg_min(wait_s, n) FILTER (WHERE event = 'CONNECT') AS connect_wait_s,
    arg_min(struct_pack(event := event, "at" := "at", wait_s := wait_s, talk_s := talk_s), n)
        FILTER (WHERE event IN ('COMPLETEAGENT', 'COMPLETECALLER', 'TRANSFER', 'BLINDTRANSFER',
            'ATTENDEDTRANSFER')) AS done,
    arg_min(struct_pack(event := event, "at" := "at", wait_s := wait_s), n)
        FILTER (WHERE event IN ('ABANDON', 'EXITEMPTY', 'EXITWITHTIMEOUT', 'EXITWITHKEY'))
        AS gone
FROM placed GROUP BY ALL;
"""

_CALLS = """
CREATE OR REPLACE TEMP TABLE told_calls AS
WITH numbered AS (
    SELECT *, row_number() OVER (PARTITION BY call_id ORDER BY arrived_at, place, queue) AS visit
    FROM told_visits WHERE stay > 0
)
SELECT
    CASE visit WHEN 1 THEN call_id ELSE call_id || '/' || visit END AS call_id,
    customer, queue, arrived_at, connected_at AS answered_at,
    CASE WHEN connected_at IS NOT NULL THEN done."at" ELSE gone."at" END AS ended_at,
    CASE WHEN connected_at IS NOT NULL
        THEN coalesce(connect_wait_s, done.wait_s, epoch(connected_at) - epoch(arrived_at))
        ELSE coalesce(gone.wait_s, epoch(gone."at") - epoch(arrived_at)) END AS wait_s,
    CASE WHEN connected_at IS NOT NULL
        THEN coalesce(done.talk_s, epoch(done."at") - epoch(connected_at)) END AS talk_s,
    CASE WHEN connected_at IS NOT NULL THEN 'answered'
        WHEN gone.event = 'ABANDON' THEN 'abandoned'
        WHEN gone.event IS NOT NULL THEN 'overflowed' END AS outcome,
    agent,
    CASE WHEN connected_at IS NULL OR done.event IS NULL THEN NULL
        WHEN done.event LIKE '%TRANSFER' THEN 'other' ELSE 'none' END AS transfer,
    CASE WHEN visit = 2 THEN call_id WHEN visit > 2 THEN call_id || '/' || (visit - 1)
        END AS parent_call_id,
    CASE WHEN connected_at IS NOT NULL AND done.event = 'COMPLETEAGENT' THEN 'agent'
        WHEN connected_at IS NOT NULL AND done.event = 'COMPLETECALLER' THEN 'caller'
        WHEN connected_at IS NULL AND gone.event = 'ABANDON' THEN 'caller' END AS ended_by
FROM numbered;
"""

# Logged in while in any queue; handling from CONNECT to the call's end; paused while in any queue.
# A CONNECT whose end was never logged lasts until the agent's next one, at the latest.
_STATES = """
CREATE OR REPLACE TEMP TABLE told_states AS
WITH mine AS (
    SELECT e.* FROM queue_events AS e SEMI JOIN touched_agents USING (agent)
), taken AS (
    SELECT agent, call_id, "at", place, lead("at") OVER (PARTITION BY agent ORDER BY "at", place)
        AS next_at
    FROM mine WHERE event = 'CONNECT'
), ended AS (
    SELECT t.agent, t.call_id, t."at" AS taken_at, least(min(m."at"), any_value(next_at)) AS "at"
    FROM taken AS t LEFT JOIN mine AS m ON m.agent = t.agent AND m.call_id = t.call_id
        AND m."at" >= t."at" AND m.event IN ('COMPLETEAGENT', 'COMPLETECALLER', 'TRANSFER',
            'BLINDTRANSFER', 'ATTENDEDTRANSFER')
    GROUP BY ALL
), marks AS (
    SELECT agent, 'in' AS what, coalesce(queue, '') AS part, "at", place,
        CASE WHEN event IN ('ADDMEMBER', 'AGENTLOGIN', 'AGENTCALLBACKLOGIN') THEN 1 ELSE 0 END
        AS value, NULL AS why
    FROM mine WHERE event IN ('ADDMEMBER', 'AGENTLOGIN', 'AGENTCALLBACKLOGIN', 'REMOVEMEMBER',
        'AGENTLOGOFF', 'AGENTCALLBACKLOGOFF')
    UNION ALL
    SELECT agent, 'pause', coalesce(queue, ''), "at", place,
        CASE WHEN event LIKE 'UN%' OR event = 'REMOVEMEMBER' THEN 0 ELSE 1 END,
        CASE WHEN event LIKE 'PAUSE%' THEN lower(info) END
    FROM mine WHERE event IN ('PAUSE', 'PAUSEALL', 'UNPAUSE', 'UNPAUSEALL', 'REMOVEMEMBER')
        OR (event = 'ADDMEMBER' AND info = 'PAUSED')
    UNION ALL
    SELECT agent, 'talk', call_id, "at", place, 1, NULL FROM taken
    UNION ALL
    SELECT agent, 'talk', call_id, "at", 0, 0, NULL FROM ended
    WHERE "at" > taken_at
    UNION ALL
    SELECT agent, 'talk', call_id, "at", 2147483647, 0, NULL FROM ended
    WHERE "at" = taken_at
), steps AS (
    SELECT agent, what, "at", place, why, value - coalesce(lag(value) OVER (
        PARTITION BY agent, what, part ORDER BY "at", place), 0) AS step FROM marks
), seconds AS (
    SELECT agent, "at",
        coalesce(sum(step) FILTER (WHERE what = 'in'), 0) AS logged_in,
        coalesce(sum(step) FILTER (WHERE what = 'pause'), 0) AS paused,
        coalesce(sum(step) FILTER (WHERE what = 'talk'), 0) AS talking,
        arg_max(why, place) AS why
    FROM steps GROUP BY ALL
), running AS (
    SELECT agent, "at", sum(logged_in) OVER w AS logged_in, sum(paused) OVER w AS paused,
        sum(talking) OVER w AS talking, last_value(why IGNORE NULLS) OVER w AS why
    FROM seconds WINDOW w AS (PARTITION BY agent ORDER BY "at")
), named AS (
    SELECT agent, "at", CASE WHEN talking > 0 THEN 'handling'
        WHEN paused > 0 THEN CASE
            WHEN why LIKE '%lunch%' OR why LIKE '%break%' THEN 'break'
            WHEN why LIKE '%meeting%' THEN 'meeting'
            WHEN why LIKE '%training%' THEN 'training' ELSE 'other' END
        WHEN logged_in > 0 THEN 'available' END AS state FROM running
), changed AS (
    SELECT * FROM named QUALIFY state IS DISTINCT FROM
        lag(state) OVER (PARTITION BY agent ORDER BY "at")
)
SELECT agent, state, "at" AS started_at,
    lead("at") OVER (PARTITION BY agent ORDER BY "at") AS ended_at
FROM changed QUALIFY state IS NOT NULL;
"""

_CALL_COLUMNS = (
    *("call_id", "customer", "queue", "arrived_at", "answered_at", "ended_at", "wait_s", "talk_s"),
    *("outcome", "agent", "transfer", "parent_call_id", "ended_by"),
)
_STATE_COLUMNS = ("agent", "state", "started_at", "ended_at")


@contextmanager
def deriving(connection: duckdb.DuckDBPyConnection, staged: Path) -> Iterator[dict[str, int]]:
    """Take out what the events so far told of those concerned; put in what all events tell."""
    for table, column in (("touched_calls", "call_id"), ("touched_agents", "agent")):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({column} VARCHAR)")
        connection.execute(
            f"INSERT INTO {table} SELECT DISTINCT {column} FROM read_parquet(?) "  # noqa: S608
            f"WHERE {column} IS NOT NULL",
            [str(staged)],
        )
    if connection.execute("SELECT EXISTS (SELECT 1 FROM queue_events)").fetchall()[0][0]:
        _tell(connection)
        _take_out(connection, "calls", "told_calls", _CALL_COLUMNS)
        _take_out(connection, "agent_states", "told_states", _STATE_COLUMNS)
    remarks: dict[str, int] = {}
    yield remarks
    _tell(connection)
    connection.execute("DELETE FROM told_calls WHERE outcome IS NULL")
    made = _put_in(connection, "calls", "told_calls", _CALL_COLUMNS)
    _put_in(connection, "agent_states", "told_states", _STATE_COLUMNS)
    still_open, unknown = connection.execute(
        "SELECT count(*) FILTER (WHERE stay > 0 AND connected_at IS NULL AND gone IS NULL), "
        "count(DISTINCT call_id) FILTER (WHERE stay = 0 AND (connected_at IS NOT NULL OR "
        "done IS NOT NULL OR gone IS NOT NULL)) FROM told_visits"
    ).fetchall()[0]
    told = (
        ("calls made from their events (counted by call)", made),
        ("calls still open after this load, not among the calls (counted by call)", still_open),
        ("calls without their ENTERQUEUE, not among the calls (counted by call)", unknown),
    )
    remarks.update({remark: rows for remark, rows in told if rows})
    for table in ("touched_calls", "touched_agents", "told_visits", "told_calls", "told_states"):
        connection.execute(f"DROP TABLE temp.{table}")


def _tell(connection: duckdb.DuckDBPyConnection) -> None:
    for statement in (_VISITS, _CALLS, _STATES):
        connection.execute(statement)


def _take_out(
    connection: duckdb.DuckDBPyConnection, table: str, told: str, columns: tuple[str, ...]
) -> None:
    # Only a row that is to the letter what the events told: others are another source's.
    same = " AND ".join(f't."{c}" IS NOT DISTINCT FROM s."{c}"' for c in columns)
    connection.execute(f'DELETE FROM "{table}" AS t USING {told} AS s WHERE {same}')  # noqa: S608


def _put_in(
    connection: duckdb.DuckDBPyConnection, table: str, told: str, columns: tuple[str, ...]
) -> int:
    names = ", ".join(f'"{c}"' for c in columns)
    same = " AND ".join(f't."{c}" = s."{c}"' for c in TABLES[table].key)
    inserted = connection.execute(
        f'INSERT INTO "{table}" ({names}) SELECT {names} FROM {told} AS s '  # noqa: S608
        f'WHERE NOT EXISTS (SELECT 1 FROM "{table}" AS t WHERE {same})'
    ).fetchall()
    return int(inserted[0][0])
