"""Answered calls as quality sees them: who took each, on which day, how it went."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.pool import FOLLOW_UP
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.floor import Floor
    from ccanalytics.simulation.sample.pool import Attempts, Requests
    from ccanalytics.simulation.sample.records import CallRecords

__all__ = ["Answered", "answered_calls"]


@dataclass(frozen=True, eq=False)
class Answered:
    """One entry per answered call, in order of arrival.

    ``call`` is its place among all calls, ``key`` names it in every world, ``spell`` is that of
    the floor, ``at`` the second of the answer, ``base_s`` the handle time of a typical tenured
    agent and ``log_length`` its logarithm over the service's median. ``unresolved``: the customer
    will call again. ``known``: the customer's number was seen.
    """

    call: NDArray[np.int32]
    key: NDArray[np.int64]
    person: NDArray[np.int32]
    spell: NDArray[np.int32]
    at: NDArray[np.int32]
    wait_s: NDArray[np.int32]
    handle_s: NDArray[np.int32]
    base_s: NDArray[np.float32]
    log_length: NDArray[np.float32]
    rest_share: NDArray[np.float32]
    unresolved: NDArray[np.bool_]
    known: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Number of calls."""
        return self.call.size

    @property
    def day(self) -> NDArray[np.int64]:
        """Day of the answer."""
        return self.at.astype(np.int64) // DAY_S

    def take(self, chosen: NDArray[Any] | slice) -> Answered:
        """Some of the calls."""
        return Answered(**{each.name: getattr(self, each.name)[chosen] for each in fields(self)})


def answered_calls(
    calls: CallRecords, requests: Requests, attempts: Attempts, floor: Floor
) -> Answered:
    """The answered calls of the log."""
    call = np.flatnonzero(calls.person >= 0).astype(np.int32)
    attempt = calls.attempt[call]
    request, kind = attempts.request[attempt], attempts.kind[attempt]
    spell, handle = attempts.shift[attempt], attempts.handle_s[attempt]
    own = kind >= FOLLOW_UP
    rest = requests.rest_share[request]
    pace = floor.pace[spell] * ((1 - rest) * floor.talk_pace[spell] + rest)
    base = np.where(own, handle / pace, requests.handle_s[request]).astype(np.float32)
    return Answered(
        call=call,
        key=requests.key[request] * np.int64(2) + own,
        person=calls.person[call],
        spell=spell,
        at=attempts.entry[attempt] + attempts.wait_s[attempt],
        wait_s=attempts.wait_s[attempt],
        handle_s=handle,
        base_s=base,
        log_length=np.log(np.maximum(base, 0.5) / requests.typical_s[request].astype(np.float32)),
        rest_share=rest,
        unresolved=~own & (requests.follow_up_s[request] > 0),
        known=calls.customer[call] >= 0,
    )
