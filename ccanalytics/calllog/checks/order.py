"""Orders of events that cannot be: answered before it arrived, a wait longer than the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.checks.finding import Finding, judged

if TYPE_CHECKING:
    from ccanalytics.calllog.checks.look import Look

__all__ = ["order"]

# Clocks that round to seconds differ by up to one.
_SLACK_MS = 1000
_ALL = {"wait": "waits of these calls are wrong", "handle": "handle times of these may be wrong"}
# name, condition, what has to be known, base, what is seen.
_ORDERS = (
    (
        "answered before it arrived",
        "answered_ms < arrived_ms - {slack}",
        "answered_ms IS NOT NULL",
        "call with a time of answer",
        "answered before the call came in",
    ),
    (
        "ended before it was answered",
        "ended_ms < answered_ms - {slack}",
        "ended_ms + answered_ms IS NOT NULL",
        "call with times of answer and end",
        "over before an agent took the call",
    ),
    (
        "wait longer than the call",
        "wait_s * 1000 > ended_ms - arrived_ms + {slack}",
        "wait_s + ended_ms IS NOT NULL",
        "call with a wait and an end",
        "waiting longer than the call lasted",
    ),
    (
        "handled without an answer",
        "NOT is_answered AND (talk_s > 0 OR answered_ms IS NOT NULL OR agent IS NOT NULL)",
        "NOT is_answered",
        "call that nobody answered",
        "with talk time, a time of answer or an agent all the same",
    ),
)


def order(look: Look) -> list[Finding]:
    """Moments of one call against each other; two that differ by a second or less agree."""
    counts = look.one(
        "SELECT "  # noqa: S608 - conditions of this module
        + ", ".join(
            f"count(*) FILTER ({known}) AS b{i}, "
            f"count(*) FILTER ({known} AND {wrong.format(slack=_SLACK_MS)}) AS n{i}"
            for i, (_, wrong, known, _, _) in enumerate(_ORDERS)
        )
        + " FROM base"
    )
    found = []
    for i, (name, wrong, _, of, seen) in enumerate(_ORDERS):
        rows = (
            look.all(
                "SELECT call_id, outcome, arrived_at, answered_at, ended_at, wait_s, talk_s "  # noqa: S608
                f"FROM base WHERE {wrong.format(slack=_SLACK_MS)} ORDER BY arrived_at LIMIT 5"
            )
            if counts[f"n{i}"]
            else []
        )
        for row in rows:
            for moment in ("arrived_at", "answered_at", "ended_at"):
                row[moment] = look.local(row[moment])
        found.append(
            judged(
                name,
                counts[f"n{i}"],
                counts[f"b{i}"],
                of,
                seen=seen,
                rows=rows,
                consequences=_ALL,
                remedy="ask which clock or which field of the switch is meant, and load again",
            )
        )
    return found
