"""Calls that are in the log more than once under different names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.checks.finding import EXAMPLES, Finding, judged

if TYPE_CHECKING:
    from ccanalytics.calllog.checks.look import Look

__all__ = ["duplicates"]

# name, what is equal, which calls are compared, what they are, seen.
_SAME = (
    (
        "same customer in the same second",
        "hash(customer, arrived_epoch)",
        "customer IS NOT NULL",
        "call of a known customer",
        "from a customer who had another call in the same second",
    ),
    (
        "same line in the same second",
        "hash(line, arrived_epoch)",
        "line IS NOT NULL AND outcome <> 'blocked'",
        "call on a known line",
        "on a line that took another call in the same second",
    ),
    (
        "calls exported twice",
        "hash(arrived_epoch, queue, service, outcome, agent, round(wait_s), round(talk_s))",
        "agent IS NOT NULL AND talk_s > 0",
        "call of a known agent",
        "equal to another in second, queue, service, outcome, agent, wait and talk",
    ),
)
_NEEDS = {0: ("customer",), 1: ("line",), 2: ("agent", "talk_s")}
_BETWEEN = "arrived_at >= ? AND arrived_at < ?"


def duplicates(look: Look) -> list[Finding]:
    """Pairs that share what two calls cannot share; each call beyond the first is counted.

    Rows with the same identifier were told apart on the way in; these have different ones: an
    export joined with its own copy, or two exports that name calls differently.
    """
    found = []
    for i, (name, key, known, of, seen) in enumerate(_SAME):
        if not all(look.filled[column] for column in _NEEDS[i]):
            continue
        base = count = 0
        rows: list[dict[str, object]] = []
        for span in look.chunks():
            sums = look.one(
                "SELECT coalesce(sum(n), 0)::BIGINT AS base, "  # noqa: S608
                "coalesce(sum(n - 1), 0)::BIGINT AS more, "
                "list(h) FILTER (n > 1)[:3] AS some FROM (SELECT "
                f"{key} AS h, count(*) AS n FROM base WHERE {known} AND {_BETWEEN} GROUP BY h)",
                span,
            )
            base += sums["base"]
            count += sums["more"]
            if sums["more"] and len(rows) < EXAMPLES:
                rows += look.all(
                    "SELECT call_id, customer, line, arrived_at, outcome, agent, wait_s, talk_s "  # noqa: S608
                    f"FROM base WHERE {known} AND {_BETWEEN} AND list_contains(?, {key}) "
                    f"ORDER BY {key}, call_id LIMIT {EXAMPLES}",
                    [*span, sums["some"]],
                )
        for row in rows:
            row["arrived_at"] = look.local(row["arrived_at"])  # type: ignore[arg-type]
        found.append(
            judged(
                name,
                count,
                base,
                of,
                seen=seen,
                rows=rows,
                consequences={
                    "volume": "calls are counted twice",
                    "customer": "copies look like calls again at once",
                },
                remedy="ask whether two exports overlap under different identifiers; load one",
            )
        )
    return found
