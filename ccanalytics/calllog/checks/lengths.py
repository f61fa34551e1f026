"""Durations of nothing, of hours, and of more than a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.checks.finding import Finding, judged
from ccanalytics.calllog.checks.look import DURATIONS

if TYPE_CHECKING:
    from ccanalytics.calllog.checks.look import Look

__all__ = ["lengths"]

_LONG_S, _DAY_S = 7200.0, 86400.0
_TOPIC = {"menu_s": "wait", "wait_s": "wait"}


def lengths(look: Look) -> list[Finding]:
    """Talk of zero seconds in answered calls; durations over 2 hours; over a day.

    Zero is suspect where it should have been null. Above a day a sum is ruled by one row.
    """
    names = [c for c in DURATIONS if look.filled[c]]
    if not names:
        return []
    any_long = " OR ".join(f"{c} > {_LONG_S}" for c in names)
    any_day = " OR ".join(f"{c} > {_DAY_S}" for c in names)
    some = " + ".join(f"coalesce({c}, 0)" for c in names)
    counts = look.one(
        f"SELECT count(*) AS calls, count(*) FILTER ({any_long}) AS long, "  # noqa: S608
        f"count(*) FILTER ({any_day}) AS day, "
        "count(*) FILTER (is_answered AND talk_s IS NOT NULL) AS talked, "
        "count(*) FILTER (is_answered AND talk_s = 0) AS nothing, "
        f"sum({some}) FILTER ({any_long}) / nullif(sum({some}), 0) AS weight FROM base"
    )
    columns = "call_id, arrived_at, outcome, agent, " + ", ".join(names)
    greatest = f"greatest({', '.join(f'coalesce({c}, 0)' for c in names)})"
    touched = {
        _TOPIC.get(c, "handle"): "single rows weigh as much as hundreds of others" for c in names
    }
    no_time = "such a call counts as a call, and in no handle time"
    never = {topic: no_time if topic == "handle" else why for topic, why in touched.items()}
    found = []
    if look.filled["talk_s"]:
        found.append(
            judged(
                "talk of zero seconds",
                counts["nothing"],
                counts["talked"],
                "answered call with a talk time",
                seen="with a talk time of 0 s",
                rows=_rows(look, columns, "is_answered AND talk_s = 0", "arrived_at"),
                consequences={"handle": "means that hold them are lower than handling is"},
                remedy="ask whether 0 means unknown; if so, export it as an empty field",
                tolerance=0.02,
            )
        )
    weight = counts["weight"] or 0.0
    found.append(
        judged(
            "durations over 2 hours",
            counts["long"],
            counts["calls"],
            "call",
            seen="with a part that lasts over 2 h",
            rows=_rows(look, columns, any_long, f"{greatest} DESC"),
            consequences=touched,
            remedy="look at these calls: an agent who forgot to log out, or a line left open?",
            more=f"they hold {100 * weight:.1f}% of all time" if counts["long"] else "",
            tolerance=0.0 if weight > 0.02 else 2.0,
        )
    )
    found.append(
        judged(
            "durations over a day",
            counts["day"],
            counts["calls"],
            "call",
            seen="with a part that lasts over 24 h",
            rows=_rows(look, columns, any_day, f"{greatest} DESC"),
            consequences=never,
            remedy="ask for the unit: milliseconds read as seconds look like this",
            tolerance=0.0,
        )
    )
    return found


def _rows(look: Look, columns: str, condition: str, order: str) -> list[dict[str, object]]:
    rows = look.all(
        f"SELECT {columns} FROM base WHERE {condition} ORDER BY {order}, call_id LIMIT 5"  # noqa: S608
    )
    for row in rows:
        row["arrived_at"] = look.local(row["arrived_at"])
    return rows
