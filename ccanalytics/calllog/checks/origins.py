"""Where the rows come from: whether persons are pseudonyms, and what a format never tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.checks.finding import Finding
from ccanalytics.calllog.pseudonyms import held
from ccanalytics.calllog.report import AS_THEY_CAME
from ccanalytics.calllog.sources import SOURCES

if TYPE_CHECKING:
    from ccanalytics.calllog.checks.look import Look

__all__ = ["cannot_tell", "persons"]


def persons(look: Look) -> list[Finding]:
    """Whether identifiers of customers and agents are pseudonyms."""
    kept = held(look.connection)
    if kept is None:
        return []
    if kept[0] == "keyed":
        told = "customers and agents are stored as keyed pseudonyms"
        return [Finding(name="persons", verdict="holds", detail=told)]
    return [
        Finding(
            name="persons",
            verdict="informs",
            detail=AS_THEY_CAME,
            remedy="load into a new log with a key (ccanalytics key FILE) to have pseudonyms",
        )
    ]


def cannot_tell(look: Look) -> list[Finding]:
    """What the formats that were loaded never tell."""
    return [
        Finding(
            name="what the format cannot tell",
            verdict="informs",
            detail=SOURCES[row["source"]].cannot_tell,
        )
        for row in look.all("SELECT DISTINCT source FROM loads ORDER BY source")
        if row["source"] in SOURCES and SOURCES[row["source"]].cannot_tell
    ]
