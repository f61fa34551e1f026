"""Tickets: what a call leaves to be done by a department, closed after a while, or still open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr, ndtri

from ccanalytics.simulation.sample.luck import luck, root_of
from ccanalytics.simulation.sample.services import CATALOGUE, IS_BILLING, IS_FAULT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.answered import Answered
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.records import CallRecords

__all__ = ["OWNERS", "TICKET_MEANINGS", "Tickets", "draw_tickets"]

OWNERS = ("back office", "billing", "network")
_OPENS, _CLOSES, _AGAIN, _WHEN, _CLOSES_AGAIN = range(5)
_CHUNK = 1 << 20

TICKET_MEANINGS: dict[str, str] = {
    "tickets": "opened: in the log, and expected of its answered calls; by owner, the law of the "
    "time to the first closing (lognormal, mean and median in seconds) and the tickets open at the "
    "log's end, counted and expected of those opened (reopened ones left out of the expectation); "
    "reopened: within the log, of closed_once tickets",
}


@dataclass(frozen=True, eq=False)
class Tickets:
    """Tickets in order of opening; ``closed`` is −1 while open, ``call`` the call's place."""

    call: NDArray[np.int32]
    service: NDArray[np.uint8]
    customer: NDArray[np.int32]
    opened: NDArray[np.int64]
    closed: NDArray[np.int64]
    reopened: NDArray[np.bool_]
    owner: NDArray[np.int64]
    truth: dict[str, Any]


def draw_tickets(
    parameters: CentreParameters, calls: CallRecords, answered: Answered, span_s: int, seed: int
) -> Tickets:
    """Tickets of the answered calls, each with luck of its own."""
    p, root = parameters, root_of(seed, "tickets")
    chance = np.where(IS_FAULT, p.ticket_fault, p.ticket)
    parts, expected = [np.zeros(0, np.int64)], 0.0
    for begin in range(0, answered.size, _CHUNK):
        few = slice(begin, begin + _CHUNK)
        wanted = chance[calls.service[answered.call[few]]]
        expected += float(wanted.sum())
        parts.append(begin + np.flatnonzero(luck(root, answered.key[few], _OPENS) < wanted))
    row = np.concatenate(parts)
    call, key = answered.call[row], answered.key[row]
    opened = answered.at[row].astype(np.int64) + calls.talk_s[call] + calls.hold_s[call]
    order = np.argsort(opened, kind="stable")
    order = order[opened[order] < span_s]
    call, key, opened = call[order], key[order], opened[order]
    service = calls.service[call]
    owner = np.where(IS_FAULT, 2, np.where(IS_BILLING, 1, 0))[service]
    median = p.ticket_median_s * np.where(owner == 2, p.ticket_network, 1.0)

    def lasts(draw: int) -> NDArray[np.int64]:
        normal = ndtri(np.clip(luck(root, key, draw), 1e-9, 1 - 1e-9))
        return np.maximum(np.rint(median * np.exp(p.ticket_log_sd * normal)), 60).astype(np.int64)

    once = opened + lasts(_CLOSES)
    delay = -np.log1p(-luck(root, key, _WHEN)) * p.ticket_reopened_s
    again = once + 60 + np.rint(delay).astype(np.int64)
    reopened = (luck(root, key, _AGAIN) < p.ticket_reopened) & (again < span_s)
    closed = np.where(reopened, again + lasts(_CLOSES_AGAIN), once)
    closed = np.where(closed < span_s, closed, -1)
    left = np.log((span_s - opened) / median) / max(p.ticket_log_sd, 1e-9)
    still = 1 - ndtr(left)
    return Tickets(
        call=call,
        service=service,
        customer=calls.customer[call],
        opened=opened,
        closed=closed,
        reopened=reopened,
        owner=owner,
        truth={
            "opened": {"counted": int(call.size), "expected": expected},
            "closed_once": int((once < span_s).sum()),
            "reopened": int(reopened.sum()),
            "owners": {
                name: {
                    "tickets": int((owner == each).sum()),
                    "median_s": float(each_median),
                    "mean_s": float(each_median * np.exp(p.ticket_log_sd**2 / 2)),
                    "open_at_end": int((closed[owner == each] < 0).sum()),
                    "open_at_end_expected": float(still[owner == each].sum()),
                }
                for each, name in enumerate(OWNERS)
                for each_median in [p.ticket_median_s * (p.ticket_network if each == 2 else 1.0)]
            },
            "services": {
                each.code: float(share) for each, share in zip(CATALOGUE, chance, strict=True)
            },
        },
    )
