"""What each cause does to the queue: redials, abandoned calls, waiting; the queue run without it.

Fewer or shorter calls mean less waiting, fewer abandoned calls and so fewer redials: what is
offered falls by more than what is wanted. Staff are held as they were, since nobody would have
planned for what is not there.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.learning import ALL_CAUSES
from ccanalytics.simulation.sample.queue_effects import (
    KNOWN,
    effects_of,
    known_or_null,
    nothing_known,
    totals,
)
from ccanalytics.simulation.sample.replays import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from ccanalytics.simulation.sample.floor import Floor
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people import Crew
    from ccanalytics.simulation.sample.pool import Attempts, Requests
    from ccanalytics.simulation.sample.programme import Programme
    from ccanalytics.simulation.sample.replays import Replays

__all__ = ["QUEUE_MEANINGS", "REQUESTED", "WORLDS", "QueueTruth"]

# Counted worlds of requests, and the cause whose absence each shows.
REQUESTED = {
    "web_only": "sms_before_call",
    "sms_only": "web",
    "without_reminders": "reminders",
    "neither": "sms_before_call_and_web",
}
# Worlds of people: the causes that are at work in each.
WORLDS = {
    "log": ALL_CAUSES,
    **{f"without_{cause}": ALL_CAUSES - {cause} for cause in sorted(ALL_CAUSES)},
    "none": frozenset(),
}

QUEUE_MEANINGS: dict[str, str] = {
    "offered": "the queue with and without each channel, over the span: attempts offered (first "
    "requests, redials and follow-up calls), answered, abandoned, agents' seconds and waiting; "
    "log is what this log counts, log_again and worlds are means over runs; removed is the world "
    "without the channel less the world with it; …_share of counts: over the world without it",
    "offered.runs": "each run keeps who asks for an agent, when, and how long that call takes, and "
    "the staff; it draws anew the callers' patience, redials and follow-up calls, the same in "
    "every world. Most runs are fixed by the size of the log; runs stop when every effect that so "
    "many can tell is known",
    "…_error": "standard error of the number beside it: of the mean over runs, from their spread "
    "day by day. What the draw of requests itself adds is in expected.counted",
    "unknown": f"effects whose error is over {KNOWN:.0%} of their size are null; at_most bounds "
    "their size: the mean over runs and three standard errors",
}


class QueueTruth:
    """Gathers worlds one by one, and runs their queues while the caller goes on.

    Of the worlds that lack a channel two are in memory at most: the one that is run, and the one
    that the caller makes meanwhile.
    """

    def __init__(self, replays: Replays) -> None:
        self._replays = replays
        self._behind = ThreadPoolExecutor(1)
        self._jobs: list[Future[None]] = []
        self._channels: dict[str, Any] = {"worlds": {}, "removed": {}}
        self._people: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._behind.shutdown(cancel_futures=True)

    def without_channel(self, cause: str, requests: Requests) -> None:
        """Add the world that lacks a channel, by the requests that come there."""
        self._wait()
        self._run(self._without_channel, cause, requests)

    def without_assist(self) -> None:
        """Add the world without SMS-assist during the call."""
        log = self._replays.requests
        self.without_channel("sms_during_call", replace(log, saved_s=np.zeros_like(log.saved_s)))

    def without_people(
        self, parameters: CentreParameters, crew: Crew, programme: Programme
    ) -> None:
        """Add the worlds whose people lack a cause."""
        for name, causes in WORLDS.items():
            if name != "log":
                self._run(self._without_cause, name, parameters, crew, programme, causes)

    def told(
        self, parameters: CentreParameters, attempts: Attempts
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The truth about channels and about people, beside what the log counts."""
        self._wait()
        if not attempts.entry.size:
            return {}, {}
        days = self._replays.days
        log = {"days": days, **totals(counted(parameters, attempts, 0, days)[None])}
        again = {"log": log, "log_again": self._replays.log_totals()}
        return {**again, **self._channels}, {**again, **self._people}

    def _run(self, job: Callable[..., None], *arguments: Any) -> None:
        self._jobs.append(self._behind.submit(job, *arguments))

    def _wait(self) -> None:
        for job in self._jobs:
            job.result()
        self._jobs.clear()

    def _without_channel(self, cause: str, requests: Requests) -> None:
        told = self._compare(requests, self._replays.floor, sign=-1)
        self._channels["worlds"][f"without_{cause}"] = told["world"]
        self._channels["removed"][cause] = told["effect"]

    def _without_cause(
        self,
        name: str,
        parameters: CentreParameters,
        crew: Crew,
        programme: Programme,
        causes: frozenset[str],
    ) -> None:
        floor = self._replays.floor.paced(parameters, crew, programme, causes)
        told = self._compare(self._replays.requests, floor, sign=1)
        self._people[name] = {**told["world"], "effect": told["effect"]}

    def _compare(self, requests: Requests, floor: Floor, sign: int) -> dict[str, Any]:
        there, log = self._replays.compare(requests, floor)
        made, most = len(there), self._replays.most_runs
        if not made:
            why = (
                "the queue was not run again: in a log of this size that takes the extra "
                "`simulation`"
            )
            return {"world": {"runs": 0}, "effect": nothing_known(why)}
        found = {
            name: (sign * value, error) for name, (value, error) in effects_of(log, there).items()
        }
        why = f"not known to {KNOWN:.0%} after {made} runs, of {most} at most"
        return {
            "world": {"runs": made, **totals(there)},
            "effect": known_or_null(found, why),
        }
