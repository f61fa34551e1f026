"""Queueing formulas: numbers in, numbers out."""

from ccanalytics.queueing.erlang import (
    erlang_b,
    erlang_c,
    load_for_blocking,
    servers_for_blocking,
)
from ccanalytics.queueing.performance import Performance
from ccanalytics.queueing.queue import Queue

__all__ = [
    "Performance",
    "Queue",
    "erlang_b",
    "erlang_c",
    "load_for_blocking",
    "servers_for_blocking",
]
