"""Queueing formulas, numbers in and numbers out: the Erlang family, patience, lines, returns.

Plain functions answer one formula each; :class:`Queue` is the one model behind them, solved for
performance, agents, calls, handle time or patience. Times are seconds, loads erlangs, shares 0–1.
"""

from ccanalytics.queueing.blocking import load_for_blocking, servers_for_blocking
from ccanalytics.queueing.by_arrival import Transient
from ccanalytics.queueing.engset import engset
from ccanalytics.queueing.erlang import erlang_b, erlang_c, extended_erlang_b
from ccanalytics.queueing.menu import MenuPerformance, MenuQueue
from ccanalytics.queueing.offered_load import OfferedLoad, modified_offered_load
from ccanalytics.queueing.overflow import (
    Overflow,
    equivalent_random,
    overflow,
    overflow_blocking,
    servers_for_overflow,
)
from ccanalytics.queueing.performance import Performance
from ccanalytics.queueing.priorities import PriorityPerformance, PriorityQueue
from ccanalytics.queueing.queue import Queue
from ccanalytics.queueing.rules import garnett, halfin_whitt, square_root_agents
from ccanalytics.queueing.timevarying import transient

__all__ = [
    "MenuPerformance",
    "MenuQueue",
    "OfferedLoad",
    "Overflow",
    "Performance",
    "PriorityPerformance",
    "PriorityQueue",
    "Queue",
    "Transient",
    "engset",
    "equivalent_random",
    "erlang_b",
    "erlang_c",
    "extended_erlang_b",
    "garnett",
    "halfin_whitt",
    "load_for_blocking",
    "modified_offered_load",
    "overflow",
    "overflow_blocking",
    "servers_for_blocking",
    "servers_for_overflow",
    "square_root_agents",
    "transient",
]
