"""One file per export format; this list is all that the loader knows of them."""

from __future__ import annotations

from ccanalytics.calllog.sources.amazon_connect import AmazonConnect
from ccanalytics.calllog.sources.anonymous_bank import AnonymousBank
from ccanalytics.calllog.sources.asterisk_cdr import AsteriskCdr
from ccanalytics.calllog.sources.asterisk_queue_log import AsteriskQueueLog
from ccanalytics.calllog.sources.avaya_hsplit import AvayaHsplit
from ccanalytics.calllog.sources.base import Plan, Settings, Source
from ccanalytics.calllog.sources.canonical import Canonical
from ccanalytics.calllog.sources.freeswitch_cdr import FreeswitchCdr
from ccanalytics.calllog.sources.generic import Generic
from ccanalytics.calllog.sources.genesys_aggregates import GenesysAggregates
from ccanalytics.calllog.sources.mapping import Mapping, read_mapping
from ccanalytics.errors import InputError

__all__ = ["SOURCES", "Mapping", "Plan", "Settings", "Source", "find_source", "read_mapping"]

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Canonical(),
        Generic(),
        AnonymousBank(),
        AsteriskQueueLog(),
        AsteriskCdr(),
        FreeswitchCdr(),
        AmazonConnect(),
        GenesysAggregates(),
        AvayaHsplit(),
    )
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
