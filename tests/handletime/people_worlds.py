"""Small centres with agents who learn, differ and leave: sums by agent and week, drawn fast."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from ccanalytics.simulation.sample.learning import newness
from ccanalytics.simulation.sample.parameters import CentreParameters

MONDAY = dt.date(2023, 1, 2)
SIGMA = 0.88


@dataclass(frozen=True)
class World:
    frame: pl.DataFrame
    people: pl.DataFrame
    slow: np.ndarray
    codes: list


def world(
    seed,
    law="exponential",
    rate=0.88,
    positions=30,
    weeks=78,
    calls=60,
    spread=0.13,
    leaving_slow=0.35,
    drift=0.03,
    flat=52,
):
    """Positions held one after another, as in the sample centre; the season is common to all.

    ``law``: ``exponential`` and ``power`` are the sample centre's, each newcomer with an excess of
    his own; ``wright`` is T_k = T₁ k^(log₂ rate) until week ``flat``, the same for all; ``none``.
    """
    rng = np.random.default_rng([seed, 77])
    p = CentreParameters(learning_power=float(law == "power"))
    people = []
    for position in range(positions):
        hired = -int(rng.integers(60, 400))
        while hired < weeks:
            slow = rng.standard_normal()
            excess = p.novice_least - 1 + (p.novice_most - p.novice_least) * rng.random()
            stay = rng.exponential(110 * np.exp(-leaving_slow * slow))
            # Memoryless: who held the position when the log began leaves as any other.
            left = max(hired, 0) + max(4, round(stay / 4) * 4)
            people.append((position, hired, min(left, weeks + 1), slow, excess))
            hired = left
    _, hired, left, slow, excess = (np.array(each) for each in zip(*people, strict=True))
    at = np.arange(weeks)
    present = (at[None, :] >= hired[:, None]) & (at[None, :] < left[:, None])
    who, week = np.nonzero(present)
    worked = week - hired[who] + 1  # ordinal week of work
    if law in ("exponential", "power"):
        days = 7 * worked - 4
        learnt = np.log1p(excess[who] * newness(p, days, excess[who]))
    elif law == "wright":
        learnt = np.log(rate) * np.log2(np.minimum(worked, flat))
    else:
        learnt = np.zeros(who.size)
    season = np.cumsum(rng.normal(0, 0.01, weeks))
    own = spread * slow
    level = 5 + own[who] + learnt + season[week] + drift * rng.standard_normal(who.size)
    rows = []
    for kind, (share, more) in enumerate(((0.7, 0.0), (0.3, 0.5))):
        n = rng.poisson(calls * share, who.size)
        mean = level + more + SIGMA * rng.standard_normal(who.size) / np.sqrt(np.maximum(n, 1))
        square = SIGMA**2 * rng.chisquare(np.maximum(n - 1, 1)) * (n > 1)
        cv2 = np.expm1(SIGMA**2)
        second = np.exp(level + more + SIGMA**2 / 2)
        total = second * np.maximum(
            n + np.sqrt(cv2 * np.maximum(n, 1)) * rng.standard_normal(who.size), 0.1
        )
        rows.append(
            pl.DataFrame(
                {
                    "_week": week, "agent": who, "service": f"S{kind}", "timed_calls": n,
                    "timed_s": total, "timed_ss": n * second**2 * (1 + cv2),
                    "timed_logs": n * mean, "timed_logs2": n * mean**2 + square,
                }
            )
        )  # fmt: skip
    codes = [f"a{i:03d}" for i in range(hired.size)]
    frame = (
        pl.concat(rows)
        .filter(pl.col("timed_calls") > 0)
        .with_columns(
            local_start=pl.lit(MONDAY).cast(pl.Datetime("us")) + pl.duration(weeks=pl.col("_week")),
            interval_s=pl.lit(604800),
            agent=pl.col("agent").replace_strict(dict(enumerate(codes))),
        )
        .drop("_week")
    )
    told = pl.DataFrame(
        {
            "agent": codes,
            "hired_on": [MONDAY + dt.timedelta(weeks=int(h)) for h in hired],
            "left_on": [
                MONDAY + dt.timedelta(weeks=int(x), days=-1) if x < weeks else None for x in left
            ],
        },
        schema_overrides={"left_on": pl.Date},
    )
    return World(frame, told, slow, codes)


def typical(week, law="exponential"):
    """Log of typical handle time of newcomers in a week of work, over tenured."""
    p = CentreParameters(learning_power=float(law == "power"))
    even = (np.arange(2000) + 0.5) / 2000
    excess = p.novice_least - 1 + (p.novice_most - p.novice_least) * even
    left = newness(p, np.full(2000, round(7 * week - 4)), excess)
    return float(np.log1p(excess * left).mean())
