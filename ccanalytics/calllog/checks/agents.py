"""Agents in two calls at once: an exact sweep over each agent's calls, in the database."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.checks.finding import EXAMPLES, Finding, clean, judged

if TYPE_CHECKING:
    from ccanalytics.calllog.checks.look import Look

__all__ = ["agents"]

_SLACK_MS = 1000
# Calls that began up to a day before a span may reach into it.
_BACK = timedelta(days=1)
# Each call beside the latest end of all earlier calls of the same agent: of conversation (hold
# included), and of after-call work.
_SWEPT = f"""
WITH spells AS (
    SELECT agent, call_id, arrived_at, answered_at, answered_ms AS s,
        answered_ms + CAST(round((talk_s + coalesce(hold_s, 0)) * 1000) AS BIGINT) AS t,
        answered_ms + CAST(round(handle_s * 1000) AS BIGINT) AS w
    FROM base WHERE is_answered AND agent IS NOT NULL AND answered_ms IS NOT NULL AND talk_s > 0
        AND arrived_at >= ? AND arrived_at < ?),
swept AS (
    SELECT *, max(t) OVER before AS t0, max(w) OVER before AS w0, lag(call_id) OVER byagent AS other
    FROM spells WINDOW byagent AS (PARTITION BY agent ORDER BY s, call_id),
        before AS (PARTITION BY agent ORDER BY s, call_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
seen AS (
    SELECT agent, call_id, other, answered_at, s < t0 - {_SLACK_MS} AS twice,
        s >= t0 - {_SLACK_MS} AND s < w0 - {_SLACK_MS} AS wrap,
        (least(t, t0) - s) / 1000 AS both_s, (w0 - s) / 1000 AS wrap_s
    FROM swept WHERE arrived_at >= ?)
"""  # noqa: S608 - a number of this module


def agents(look: Look) -> list[Finding]:
    """Answered calls that begin while their agent is still in another (over a second's overlap).

    An overlap with the conversation of another call is told apart from one with its after-call
    work alone: the next call may cut wrap-up short, or the switch books it by a fixed time.
    """
    if not (look.filled["agent"] and look.filled["talk_s"] and look.filled["answered_at"]):
        return []
    base = 0
    twice: Counter[str] = Counter()
    wrap: Counter[str] = Counter()
    worst: dict[str, list[dict[str, Any]]] = {"twice": [], "wrap": []}
    for first, last in look.chunks():
        span = [first - _BACK, last, first]
        rows = look.all(
            _SWEPT  # noqa: S608 - constants of this module
            + "SELECT agent, count(*) AS n, count(*) FILTER (twice) AS twice, "
            "count(*) FILTER (wrap) AS wrap FROM seen GROUP BY agent",
            span,
        )
        for row in rows:
            base += row["n"]
            twice[row["agent"]] += row["twice"]
            wrap[row["agent"]] += row["wrap"]
        for kind, seconds in (("twice", "both_s"), ("wrap", "wrap_s")):
            if any(row[kind] for row in rows):
                worst[kind] += look.all(
                    _SWEPT
                    + f"SELECT agent, call_id, other, answered_at, {seconds} AS overlap_s "
                    + f"FROM seen WHERE {kind} ORDER BY overlap_s DESC, call_id LIMIT {EXAMPLES}",
                    span,
                )
    return [
        _told(
            look,
            "agents in two calls at once",
            twice,
            base,
            worst["twice"],
            "answered while their agent was still talking in another call",
            {
                "handle": "one of the two calls is longer in the log than it was, or not the "
                "agent's",
                "agent": "agents look busier than a person can be",
            },
            "ask whether transfers and consultations keep both calls open, whether a code is "
            "shared by several people, and whether all clocks agree",
        ),
        _told(
            look,
            "after-call work into the next call",
            wrap,
            base,
            worst["wrap"],
            "answered during the after-call work of the call before",
            {"handle": "after-call work is longer in the log than it was"},
            "ask whether the switch books a fixed wrap-up time or counts until the next state",
        ),
    ]


def _told(
    look: Look,
    name: str,
    counts: Counter[str],
    base: int,
    rows: list[dict[str, Any]],
    seen: str,
    consequences: dict[str, str],
    remedy: str,
) -> Finding:
    rows = sorted(rows, key=lambda row: -row["overlap_s"])[:EXAMPLES]
    for row in rows:
        row["answered_at"] = look.local(row["answered_at"])
    most = [f"{clean(agent)} {n:,}" for agent, n in counts.most_common(3) if n]
    return judged(
        name,
        counts.total(),
        base,
        "answered call of a known agent",
        seen=seen,
        rows=rows,
        consequences=consequences,
        remedy=remedy,
        more=f"most often {', '.join(most)}" if most else "",
    )
