"""Formats that a source knows: then no mapping is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ccanalytics.calllog.sources import SOURCES
from ccanalytics.calllog.sources.base import Sample

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["recognised"]

_SURE = 0.9
# Formats told by the shape of their lines, for sources that have no hook of their own.
_SHAPES: dict[str, tuple[str, str]] = {
    "asterisk_queue_log": (
        r"\d{9,11}\|[^|]*\|[^|]*\|[^|]*\|[A-Z_]+(\|.*)?",
        "lines of epoch|call|queue|agent|EVENT are Asterisk's queue_log",
    ),
    "asterisk_cdr": (
        r'.*,"?(ANSWERED|NO ANSWER|BUSY|FAILED|CONGESTION)"?,"?(DOCUMENTATION|BILLING|OMIT)"?.*',
        "disposition and amaflags are those of Asterisk's CDR",
    ),
    "freeswitch_cdr": (
        r".*,\"?[A-Z]+(_[A-Z]+)+\"?,\"?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}.*",
        "a hang-up cause and a uuid side by side are FreeSWITCH's CDR",
    ),
    "amazon_connect": (
        r'\s*\{.*"(AWSContactTraceRecordFormatVersion|InitiationMethod)".*',
        "members of the objects are those of Amazon Connect's contact records",
    ),
}


def recognised(
    path: Path, lines: tuple[str, ...], names: list[str] | None = None
) -> tuple[str, str] | None:
    """The source that knows a file, and why; None if none does."""
    sample = Sample(path, lines, tuple(names or ()))
    best: tuple[float, str, str] | None = None
    for source in SOURCES.values():
        told = source.recognises(sample)
        if told is not None and (best is None or told[0] > best[0]):
            best = (told[0], source.name, told[1])
    for name, (shape, why) in _SHAPES.items():
        if name in SOURCES and lines:
            share = sum(bool(re.fullmatch(shape, line[:4000])) for line in lines[:50]) / len(
                lines[:50]
            )
            if best is None or share > best[0]:
                best = (share, name, why)
    if best is None or best[0] < _SURE:
        return None
    return best[1], best[2]
