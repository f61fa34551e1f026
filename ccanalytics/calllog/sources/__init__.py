"""One file per export format; this list is all that the loader knows of them."""

from __future__ import annotations

from ccanalytics.calllog.sources.anonymous_bank import AnonymousBank
from ccanalytics.calllog.sources.base import Plan, Settings, Source
from ccanalytics.calllog.sources.canonical import Canonical
from ccanalytics.calllog.sources.generic import Generic
from ccanalytics.calllog.sources.mapping import Mapping, read_mapping
from ccanalytics.errors import InputError

__all__ = ["SOURCES", "Mapping", "Plan", "Settings", "Source", "find_source", "read_mapping"]

SOURCES: dict[str, Source] = {
    source.name: source for source in (Canonical(), Generic(), AnonymousBank())
}


def find_source(name: str) -> Source:
    """The source of that name."""
    try:
        return SOURCES[name]
    except (KeyError, TypeError) as error:
        raise InputError(
            "no such source",
            f"source={name!r}",
            "choose one of "
            + "; ".join(f"{source.name}: {source.title}" for source in SOURCES.values()),
        ) from error
