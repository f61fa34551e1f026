"""Agents in two calls at once: an exact sweep over each agent's calls, in the database."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.checks.finding import EXAMPLES, Finding, clean, judged

if TYPE_CHECKING:
    from datetime import datetime

    from ccanalytics.calllog.checks.look import Look

__all__ = ["agents"]

_SLACK_MS = 1000
# Calls that began up to a day before a span may reach into it.
_BACK = timedelta(days=1)
# Each call beside the latest end of all earlier calls of the same agent: of conversation (hold
# included), and of after-call work. Whole numbers alone are sorted; names come in for examples.
_SWEPT = f"""
WITH spells AS (
    SELECT {{agent}}, arrived_at, answered_ms AS s,
        answered_ms + CAST(round((talk_s + coalesce(hold_s, 0)) * 1000) AS BIGINT) AS t,
        answered_ms + CAST(round(recorded_s * 1000) AS BIGINT) AS w
    FROM base WHERE is_answered AND agent IS NOT NULL AND answered_ms IS NOT NULL AND talk_s > 0
        AND arrived_at >= ? AND arrived_at < ? {{only}}),
swept AS (
    SELECT *, max(t) OVER before AS t0, max(w) OVER before AS w0 {{other}}
    FROM spells WINDOW byagent AS (PARTITION BY agent ORDER BY s),
        before AS (PARTITION BY agent ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
seen AS (
    SELECT *, s < t0 - {_SLACK_MS} AS twice,
        s >= t0 - {_SLACK_MS} AND s < w0 - {_SLACK_MS} AS wrap,
        (least(t, t0) - s) / 1000 AS both_s, (w0 - s) / 1000 AS wrap_s
    FROM swept WHERE arrived_at >= ?)
"""  # noqa: S608 - a number of this module
_COUNTS = (
    _SWEPT.format(agent="hash(agent) AS agent", only="", other="")
    + """
SELECT agent, count(*) AS n, count(*) FILTER (twice) AS twice, count(*) FILTER (wrap) AS wrap,
    max(both_s) FILTER (twice) AS worst_twice, max(wrap_s) FILTER (wrap) AS worst_wrap
FROM seen GROUP BY agent"""
)
_ROWS = (
    _SWEPT.format(
        agent="agent, call_id, answered_at",
        only="AND list_contains(?::UBIGINT[], hash(agent))",
        other=", lag(call_id) OVER byagent AS other",
    )
    + """
SELECT agent, call_id, other, answered_at, {seconds} AS overlap_s
FROM seen WHERE {kind} ORDER BY overlap_s DESC, call_id LIMIT ?"""
)


def agents(look: Look) -> list[Finding]:
    """Answered calls that begin while their agent is still in another (over a second's overlap).

    An overlap with the conversation of another call is told apart from one with its after-call
    work alone: the next call may cut wrap-up short, or the switch books it by a fixed time.
    """
    if not (look.filled["agent"] and look.filled["talk_s"] and look.filled["answered_at"]):
        return []
    base = 0
    counts: dict[str, Counter[int]] = {"twice": Counter(), "wrap": Counter()}
    # Overlap, agent and span of the longest ones.
    worst: dict[str, list[tuple[float, int, list[datetime]]]] = {"twice": [], "wrap": []}
    for first, last in look.chunks():
        span = [first - _BACK, last, first]
        for row in look.all(_COUNTS, span):
            base += row["n"]
            for kind, held in counts.items():
                if row[kind]:
                    held[row["agent"]] += row[kind]
                    worst[kind].append((row[f"worst_{kind}"], row["agent"], span))
        for kind, some in worst.items():
            worst[kind] = sorted(some, key=lambda one: one[:2], reverse=True)[:EXAMPLES]
    examples = {
        kind: _longest(look, worst[kind], kind, seconds)
        for kind, seconds in (("twice", "both_s"), ("wrap", "wrap_s"))
    }
    most = [code for held in counts.values() for code, _ in held.most_common(3)]
    names = {
        row["code"]: row["agent"]
        for row in look.all(
            "SELECT hash(agent) AS code, any_value(agent) AS agent FROM calls "
            "WHERE list_contains(?::UBIGINT[], hash(agent)) GROUP BY code",
            [most],
        )
    }
    return [
        _told(
            look,
            "agents in two calls at once",
            counts["twice"],
            base,
            examples["twice"],
            names,
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
            counts["wrap"],
            base,
            examples["wrap"],
            names,
            "answered during the after-call work of the call before",
            {"handle": "after-call work is longer in the log than it was"},
            "ask whether the switch books a fixed wrap-up time or counts until the next state",
        ),
    ]


def _longest(
    look: Look, worst: list[tuple[float, int, list[datetime]]], kind: str, seconds: str
) -> list[dict[str, Any]]:
    """The longest overlaps, with names: one query for each span of time that has some."""
    spans: dict[datetime, list[datetime]] = {span[2]: span for _, _, span in worst}
    rows = []
    for first, (back, last, _) in spans.items():
        codes = [code for _, code, span in worst if span[2] == first]
        rows += look.all(
            _ROWS.format(seconds=seconds, kind=kind), [back, last, codes, first, EXAMPLES]
        )
    return sorted(rows, key=lambda row: -row["overlap_s"])[:EXAMPLES]


def _told(
    look: Look,
    name: str,
    counts: Counter[int],
    base: int,
    rows: list[dict[str, Any]],
    names: dict[int, str],
    seen: str,
    consequences: dict[str, str],
    remedy: str,
) -> Finding:
    for row in rows:
        row["answered_at"] = look.local(row["answered_at"])
    most = [f"{clean(names[code])} {n:,}" for code, n in counts.most_common(3)]
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
