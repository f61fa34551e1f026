"""Worlds of customers and units in the form of ``log.offers()``, and the truth of each window."""

from __future__ import annotations

import numpy as np
import polars as pl

BEFORE, LEAD, AFTER = 12, 12, 14


def offers_of(worlds, i, *, before=BEFORE, lead=LEAD, after=AFTER):
    """World ``i`` as customers × waves, and the true change per assigned and relative."""
    world, calls = worlds.world(i), worlds.world(i).calls()
    truth = worlds.truth(i, "waves")
    parts, with_, without = [], 0.0, 0.0
    for wave in np.unique(world.wave):
        day = int(world.wave_day[world.wave == wave][0])
        stop = day + after
        if day < before + lead or stop > calls.shape[1]:
            continue
        now = world.wave == wave
        for arm, who in (
            (True, np.flatnonzero(now)),
            (False, np.flatnonzero(world.wave_day >= stop)),
        ):
            parts.append(
                pl.DataFrame(
                    {
                        "customer": who,
                        "wave": f"wave {wave}",
                        "assigned": arm,
                        "before": calls[who, day - lead - before : day - lead].sum(axis=1),
                        "lead": calls[who, day - lead : day].sum(axis=1),
                        "after": calls[who, day:stop].sum(axis=1),
                        "taken": world.subscribed_on[who] < stop,
                        "taken_before": world.subscribed_on[who] < day,
                    }
                )
            )
        if (world.wave_day >= stop).any():
            with_ += truth.expected[now, day:stop].sum()
            without += truth.expected_without[now, day:stop].sum()
    return pl.concat(parts), with_ / without - 1


def brought_relative(worlds, i, *, before=BEFORE, lead=LEAD, after=AFTER):
    """True relative effect on those whom a wave brought to subscribe, in their windows."""
    world, truth = worlds.world(i), worlds.truth(i, "waves")
    with_, without = 0.0, 0.0
    for wave in np.unique(world.wave):
        mine = world.wave == wave
        day = int(world.wave_day[mine][0])
        stop = day + after
        if day < before + lead or stop > len(worlds.days) or not (world.wave_day >= stop).any():
            continue
        brought = mine & (world.subscribed_on == day) & (world.own_on > day)
        with_ += truth.expected[brought, day:stop].sum()
        without += truth.expected_without[brought, day:stop].sum()
    return with_ / without - 1
