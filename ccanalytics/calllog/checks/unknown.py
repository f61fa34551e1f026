"""Services, agents, queues and calls that one table names and another does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.checks.finding import Finding, judged, listed
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from ccanalytics.calllog.checks.look import Look

__all__ = ["unknown_calls", "unknown_names"]

# name, table, column, table and column that should know it, what rows are, topic.
_NAMES = (
    ("services nobody knows", "calls", "service", "services", "service", "call", "service"),
    ("agents nobody knows", "calls", "agent", "agents", "agent", "call", "agent"),
    (
        "states of agents nobody knows",
        "agent_states",
        "agent",
        "agents",
        "agent",
        "spell of an agent",
        "agent",
    ),
    (
        "events of services nobody knows",
        "self_service",
        "service",
        "services",
        "service",
        "self-service event",
        "self_service",
    ),
)


def unknown_names(look: Look) -> list[Finding]:
    """Codes in calls and events that the table of such codes does not have.

    A table that is empty is not asked: the centre does not keep it here.
    """
    found = []
    for name, table, column, known, key, of, topic in _NAMES:
        if not look.rows[table] or not look.rows[known]:
            continue
        rows = look.all(
            f'SELECT "{column}", count(*) AS rows FROM "{table}" '  # noqa: S608
            f'WHERE "{column}" IS NOT NULL AND "{column}" NOT IN (SELECT "{key}" FROM "{known}") '
            f'GROUP BY ALL ORDER BY rows DESC, "{column}"'
        )
        base = look.one(f'SELECT count("{column}") AS n FROM "{table}"')["n"]  # noqa: S608
        found.append(
            judged(
                name,
                sum(row["rows"] for row in rows),
                base,
                of,
                seen=f"whose {column} is not in the table {known}",
                rows=rows,
                consequences={topic: f"they stand under codes that {known} cannot explain"},
                remedy=f"add the codes to {known}, or mend them in the export",
                more=listed(row[column] for row in rows),
            )
        )
    skills = look.one("SELECT count(*) AS n FROM agents WHERE skills IS NOT NULL AND skills <> ''")[
        "n"
    ]
    if skills and look.filled["queue"]:
        rows = look.all(
            "SELECT queue, count(*) AS rows FROM calls WHERE queue IS NOT NULL AND queue NOT IN "
            "(SELECT trim(unnest(string_split(skills, ';'))) FROM agents WHERE skills IS NOT NULL) "
            "GROUP BY queue ORDER BY rows DESC, queue"
        )
        found.append(
            judged(
                "queues nobody may serve",
                sum(row["rows"] for row in rows),
                look.filled["queue"],
                "call",
                seen="at a queue that no agent has among the skills",
                rows=rows,
                consequences={"agent": "who could take these calls is not known"},
                remedy="complete the skills in agents, or mend the queue in the export",
                more=listed(row["queue"] for row in rows),
            )
        )
    return found


def unknown_calls(look: Look) -> list[Finding]:
    """Rows of other tables whose call is not in the log, and events outside their call."""
    found = []
    for table, schema in TABLES.items():
        if table == "calls" or "call_id" not in schema.names or not look.rows[table]:
            continue
        words = f"{table.replace('_', ' ')} of unknown calls"
        key = schema.key[0] if schema.key[0] != "call_id" else "call_id"
        counts = look.one(
            "SELECT count(call_id) AS base, count(*) FILTER (call_id IS NOT NULL AND NOT EXISTS "  # noqa: S608
            f'(SELECT 1 FROM calls c WHERE c.call_id = t.call_id)) AS n FROM "{table}" t'
        )
        columns = ", ".join(f'"{name}"' for name in dict.fromkeys((key, "call_id")))
        rows = (
            look.all(
                f'SELECT {columns} FROM "{table}" t WHERE call_id IS NOT NULL AND NOT EXISTS '  # noqa: S608
                f"(SELECT 1 FROM calls c WHERE c.call_id = t.call_id) ORDER BY ALL LIMIT 5"
            )
            if counts["n"]
            else []
        )
        found.append(
            judged(
                words,
                counts["n"],
                counts["base"],
                "row with a call",
                seen="about a call that the log does not have",
                rows=rows,
                consequences={"self_service": "they cannot be told by what became of the call"}
                if table == "self_service"
                else {"agent": "they cannot be told by what became of the call"},
                remedy="load the calls of the same days, or mend the identifiers in the export",
                tolerance=0.01,
            )
        )
    if look.rows["self_service"] and look.filled["ended_at"]:
        found.append(_outside(look))
    return found


def _outside(look: Look) -> Finding:
    outside = 'e."at" < c.arrived_at - INTERVAL 5 MINUTE OR e."at" > c.ended_at + INTERVAL 5 MINUTE'
    joined = "FROM self_service e JOIN calls c USING (call_id) WHERE c.ended_at IS NOT NULL"
    counts = look.one(f"SELECT count(*) AS base, count(*) FILTER ({outside}) AS n {joined}")
    rows = (
        look.all(
            'SELECT e.event_id, e.call_id, e."at", c.arrived_at, c.ended_at '
            f'{joined} AND ({outside}) ORDER BY e."at", e.event_id LIMIT 5'
        )
        if counts["n"]
        else []
    )
    for row in rows:
        for moment in ("at", "arrived_at", "ended_at"):
            row[moment] = look.local(row[moment])
    return judged(
        "events outside their call",
        counts["n"],
        counts["base"],
        "event in a call",
        seen="over five minutes before or after the call they belong to",
        rows=rows,
        consequences={
            "self_service": "what followed an offer may have come before it",
            "volume": "one of the two clocks is wrong",
        },
        remedy="compare the clocks of the switch and of the channel on these days",
    )
