"""Durations that disagree with the timestamps of the same call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.checks.finding import Finding, judged, share

if TYPE_CHECKING:
    from ccanalytics.calllog.checks.look import Look

__all__ = ["durations"]

# Rounded seconds differ by up to one; and where this many calls are off by little, tell, not fail.
_SLACK_S = 1.0
_LITTLE_S = 5.0
_MANY = 0.01
_PAIRS = (
    (
        "wait against timestamps",
        "wait_s + coalesce(menu_s, 0) - (answered_ms - arrived_ms) / 1000",
        "wait_s + answered_ms",
        "whose wait is not answer less arrival less menu",
        {"wait": "wait and service level depend on which of the two is right"},
        "ask where the wait starts and ends on this switch: in the menu, in the queue, at ringing",
    ),
    (
        "talk and hold against timestamps",
        "talk_s + coalesce(hold_s, 0) - (ended_ms - answered_ms) / 1000",
        "talk_s + ended_ms + answered_ms",
        "whose talk and hold is not end less answer",
        {"handle": "handle time depends on which of the two is right"},
        "ask whether talk holds ringing, transfers or after-call work on this switch",
    ),
)


def durations(look: Look) -> list[Finding]:
    """The share of answered calls whose durations and moments differ by over a second, and by how
    much: a few are told, 1% and more of over five seconds fail."""
    found = []
    for name, gap, known, seen, consequences, remedy in _PAIRS:
        sums = look.one(
            f"SELECT count(*) AS base, count(*) FILTER (abs(gap) > {_SLACK_S}) AS n, "  # noqa: S608
            f"count(*) FILTER (abs(gap) > {_LITTLE_S}) AS far, "
            f"approx_quantile(gap, 0.5) FILTER (abs(gap) > {_SLACK_S}) AS middle, "
            f"avg(gap) AS mean FROM (SELECT {gap} AS gap FROM base "
            f"WHERE is_answered AND {known} IS NOT NULL)"
        )
        rows = (
            look.all(
                f"SELECT call_id, arrived_at, answered_at, ended_at, menu_s, wait_s, "  # noqa: S608
                f"talk_s, hold_s, round({gap}, 1) AS differs_s FROM base "
                f"WHERE is_answered AND abs({gap}) > {_SLACK_S} "
                f"ORDER BY abs({gap}) DESC, call_id LIMIT 5"
            )
            if sums["n"]
            else []
        )
        for row in rows:
            for moment in ("arrived_at", "answered_at", "ended_at"):
                row[moment] = look.local(row[moment])
        more = ""
        if sums["n"]:
            more = (
                f"half of these by {sums['middle']:+,.0f} s or more; over {_LITTLE_S:g} s "
                f"{share(sums['far'], sums['base'])}; on the mean of all {sums['mean']:+,.1f} s"
            )
        one = judged(
            name,
            sums["n"],
            sums["base"],
            "answered call",
            seen=f"{seen}, by over {_SLACK_S:g} s",
            rows=rows,
            consequences=consequences,
            remedy=remedy,
            more=more,
            # Only what differs by much, in many calls, moves a figure.
            tolerance=0.0 if sums["far"] >= _MANY * max(sums["base"], 1) else 2.0,
        )
        found.append(one)
    return found
