"""Columns that the log never has, or has for a part of the calls only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.checks.finding import Finding, share

if TYPE_CHECKING:
    from ccanalytics.calllog.checks.look import Look

__all__ = ["recorded", "unknown_in_part"]

# Column → topics it touches, whether they are lost without it, and what follows.
_NEEDED: dict[str, tuple[tuple[str, ...], bool, str]] = {
    "customer": (("customer",), True, "repeat callers and re-contacts cannot be counted"),
    "service": (("service",), True, "nothing can be told by service"),
    "agent": (("agent",), True, "nothing can be told by agent"),
    "menu_s": (
        (),
        False,
        "time in the voice menu is unknown, and lines are busy longer than shown",
    ),
    "wait_s": (("wait",), True, "waits and service level are unknown"),
    "talk_s": (
        ("handle",),
        True,
        "handle time is unknown; staffing needs one from elsewhere",
    ),
    "hold_s": ((), False, "hold is inside talk time, or was not recorded"),
    "wrap_s": (
        ("handle",),
        False,
        "after-call work was not recorded: agents are busy longer than shown",
    ),
    "answered_at": ((), False, "when agents were busy is unknown"),
    "ended_at": ((), False, "when lines were busy is unknown"),
}
_PART = {
    "customer": ("customer", "of calls, by callers unknown or withheld"),
    "service": ("service", "of calls that asked for an agent"),
    "agent": ("agent", "of answered calls"),
    "wait_s": ("wait", "of calls that asked for an agent"),
    "talk_s": ("handle", "of answered calls"),
}
_BASES = {
    "customer": "outcome IS NOT NULL",
    "service": "is_offered",
    "agent": "is_answered",
    "wait_s": "is_offered",
    "talk_s": "is_answered",
}
# So much of a column may be missing before figures that rest on it need care.
_CARE = 0.02


def recorded(look: Look) -> list[Finding]:
    """Columns that are null throughout."""
    if not look.calls:
        return []
    return [
        Finding(
            name=f"{column} is never recorded",
            verdict="informs",
            detail=consequence,
            count=look.calls,
            base=look.calls,
            of="call",
            consequences=dict.fromkeys(topics, consequence),
            remedy=f"export {column}, or say with every figure that it is missing",
            care=bool(topics),
            blocks=frozenset(topics) if lost else frozenset(),
        )
        for column, (topics, lost, consequence) in _NEEDED.items()
        if not look.filled[column]
    ]


def unknown_in_part(look: Look) -> list[Finding]:
    """Columns that some of the calls that should have them have not, and channels never seen."""
    found = []
    if not look.rows["self_service"]:
        nothing = "what other channels did is unknown"
        found.append(
            Finding(
                name="self-service is never recorded",
                verdict="informs",
                detail=nothing,
                consequences={"self_service": nothing},
                remedy="load the table self_service: offers of SMS-assist, web and app sessions",
                care=True,
                blocks=frozenset({"self_service"}),
            )
        )
    columns = [c for c in _PART if look.filled[c]]
    if not columns:
        return found
    counts = look.one(
        "SELECT "  # noqa: S608 - conditions of this module
        + ", ".join(
            f"count(*) FILTER ({_BASES[c]}) AS {c}_base, "
            f'count(*) FILTER ({_BASES[c]} AND "{c}" IS NULL) AS {c}_none'
            for c in columns
        )
        + " FROM base"
    )
    for column in columns:
        none, base = counts[f"{column}_none"], counts[f"{column}_base"]
        if not none:
            continue
        topic, of = _PART[column]
        found.append(
            Finding(
                name=f"{column} unknown in part",
                verdict="informs",
                detail=f"{share(none, base)} {of}: {none:,} of {base:,}",
                count=none,
                base=base,
                of="call",
                consequences={topic: "these calls are left out, and taken to be like the others"},
                remedy="ask whether the export could fill it; look whether they differ otherwise",
                # Callers who withhold their number are a fact of life, not of the export.
                care=column != "customer" and none > _CARE * base,
            )
        )
    return found
