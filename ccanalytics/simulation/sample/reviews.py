"""Quality reviews: calls chosen at random or for a reason, items marked by fallible reviewers.

Targeted reviews look at long calls and at calls that customers complained of, where more is
wrong; what they find says little of calls at large. Reviewers differ in strictness, miss errors
and see some that are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit

from ccanalytics.simulation.sample.learning import error_chance, skill
from ccanalytics.simulation.sample.luck import luck

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.answered import Answered
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people import Crew
    from ccanalytics.simulation.sample.programme import Programme
    from ccanalytics.simulation.sample.surveys import Surveys

__all__ = ["ITEMS", "Reviews", "draw_reviews", "item_chance", "marked_chance"]


@dataclass(frozen=True)
class Item:
    """What a reviewer looks at; ``harder`` is the logit by which it goes wrong more often."""

    name: str
    critical: bool
    harder: float


ITEMS = (
    Item("identified the customer", critical=True, harder=-0.3),
    Item("understood the request", critical=False, harder=0.1),
    Item("gave the right answer", critical=True, harder=0.3),
    Item("clear and courteous", critical=False, harder=-0.4),
    Item("recorded the call", critical=False, harder=0.2),
)
_PERIOD_DAYS = 28
_CHOSEN, _TARGET, _TWICE, _REVIEWER, _DELAY, _WRONG, _MARK = 0, 1, 2, 3, 4, 10, 30
_LONG_SHARE = 0.97


@dataclass(frozen=True, eq=False)
class Reviews:
    """One entry per review; ``wrong`` and ``marked`` are reviews × items."""

    row: NDArray[np.int64]
    reviewer: NDArray[np.int64]
    targeted: NDArray[np.bool_]
    at: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    marked: NDArray[np.bool_]
    strictness: NDArray[np.float64]


def item_chance(
    parameters: CentreParameters, crew: Crew, programme: Programme, answered: Answered
) -> NDArray[np.float64]:
    """Calls × items: the chance that each item is wrong."""
    skills = skill(parameters, crew, programme, answered.person, answered.day)
    return np.stack(
        [error_chance(parameters, skills.error + i.harder, answered.log_length) for i in ITEMS],
        axis=1,
    )


def marked_chance(
    parameters: CentreParameters, wrong: NDArray[Any], strictness: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """The chance that a reviewer marks an item wrong, given whether it is."""
    p = parameters
    finds, false = (
        logit(np.clip(each, 1e-6, 1 - 1e-6)) for each in (p.reviewer_finds, p.reviewer_false)
    )
    return np.asarray(expit(np.where(wrong, finds, false) + strictness))


def draw_reviews(
    parameters: CentreParameters,
    crew: Crew,
    programme: Programme,
    answered: Answered,
    surveys: Surveys,
    span_s: int,
    scale: float,
    root: int,
) -> Reviews:
    """Random and targeted reviews of the log's answered calls."""
    p = parameters
    count = max(2, round(p.reviewers * scale))
    rng = np.random.default_rng(root)
    strictness = p.reviewer_logit_sd * rng.standard_normal(1_000)[:count]
    random = _random(p, answered, root)
    targeted = _targeted(p, answered, surveys, round(p.targeted * random.size), root)
    targeted = np.setdiff1d(targeted, random)  # not what has been looked at anyway
    again = random[luck(root, answered.key[random], _TWICE) < p.reviewed_twice]
    row = np.concatenate([random, targeted, again])
    second = np.arange(row.size) >= random.size + targeted.size
    chance = luck(root, answered.key[row], _REVIEWER)
    reviewer = (chance * count).astype(np.int64)
    # A repeated review is by another reviewer.
    reviewer = np.where(second, (reviewer + 1) % count, reviewer)
    some = answered.take(row)
    days = 1 + np.rint(4 * luck(root, some.key, _DELAY)).astype(np.int64) + second
    at = (some.day + days) * 86_400 + 9 * 3600 + np.rint(chance * 8 * 3600).astype(np.int64)
    items = range(len(ITEMS))
    wrong_luck = np.stack([luck(root, some.key, _WRONG + each) for each in items], axis=1)
    mark_luck = np.stack([luck(root, some.key * 2 + second, _MARK + each) for each in items], 1)
    wrong = wrong_luck < item_chance(p, crew, programme, some)
    marked = mark_luck < marked_chance(p, wrong, strictness[reviewer][:, None])
    kept = np.flatnonzero(at < span_s)
    order = kept[np.lexsort((row[kept], at[kept]))]
    is_targeted = (np.arange(row.size) >= random.size) & ~second
    return Reviews(
        row[order],
        reviewer[order],
        is_targeted[order],
        at[order],
        wrong[order],
        marked[order],
        strictness,
    )


def _random(p: CentreParameters, answered: Answered, root: int) -> NDArray[np.int64]:
    """So many calls of each agent in each four weeks, by lot."""
    periods = int(answered.day.max(initial=0)) // _PERIOD_DAYS + 1
    index = answered.person.astype(np.int64) * periods + answered.day // _PERIOD_DAYS
    size = np.bincount(index)
    wanted = round(p.reviews_a_month)
    chance = luck(root, answered.key, _CHOSEN)
    # More than enough of each cell, so that only these need to be sorted.
    near = np.flatnonzero(chance * size[index] < 6 * wanted + 20)
    near = near[np.lexsort((chance[near], index[near]))]
    first = np.searchsorted(index[near], np.arange(size.size))
    place = np.arange(near.size) - first[index[near]]
    return np.sort(near[place < wanted])


def _targeted(
    p: CentreParameters, answered: Answered, surveys: Surveys, wanted: int, root: int
) -> NDArray[np.int64]:
    """Long calls, and calls whose customer complained, by lot among them."""
    if not answered.size:
        return np.zeros(0, np.int64)
    long = np.flatnonzero(answered.handle_s >= np.quantile(answered.handle_s, _LONG_SHARE))
    unhappy = surveys.row[(surveys.answered_at >= 0) & (surveys.score <= 2)]

    def by_lot(among: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        chance = luck(root, answered.key[among], _TARGET)
        return among[np.argsort(chance, kind="stable")[:count]]

    chosen = by_lot(long, round(wanted * p.targeted_long))
    return np.unique(np.concatenate([chosen, by_lot(unhappy, wanted - chosen.size)]))
