"""From single calls to the effect: sample centres loaded as a user would, held against their truth.

Truth is what the world itself expects: first requests that reach agents with SMS-assist before the
call and without it, or with the invitations of a wave and without them, everything else at work.
Three designs: the staggered roll-out of SMS-assist, the intention to treat of invitations by lot,
and the same as an instrument for those whom it brought. The ordinary run takes the small centre of
this folder; ``CCANALYTICS_FULL=1`` writes and loads eighty, each of a seed of its own, and prints a
table (``-s``).
"""

import datetime as dt
import json
import math
import os
from dataclasses import astuple, replace

import duckdb
import numpy as np
import polars as pl
import pytest
from scipy.special import stdtrit
from scipy.stats import binom

from ccanalytics import CallLog, deflection
from ccanalytics.simulation import CentreParameters, write_centre
from ccanalytics.simulation.sample.build import build
from ccanalytics.simulation.sample.expected import demand_of, expect
from ccanalytics.simulation.sample.services import CATALOGUE, IS_REMINDED

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
WORLDS = 80
WEEKS, SCALE, AFTER_DAYS = 78, 0.02, 42
TREATMENT, CAUSE = "sms_assist_before", "sms_before_call"


def expected_effect(truth, effect, live_on):
    """What the world expects of the very cells of which the estimate is made."""
    told = truth["service_weeks"]
    weeks = {dt.date.fromisoformat(day): j for j, day in enumerate(told["weeks"])}
    rows = {service: i for i, service in enumerate(told["services"])}
    used = [(week, weeks[week]) for week in effect.weeks["week"]]
    here, there = (
        np.array(truth["expected"]["service_weeks"][world]["requests"])
        for world in ("log", f"without_{CAUSE}")
    )
    cells = [
        (rows[unit], j) for unit in effect.live for week, j in used if week > live_on[unit]
    ]  # fmt: skip
    assert len(cells) == effect.unit_weeks
    at = tuple(np.array(cells).T)
    return here[at].sum() / there[at].sum() - 1


def estimated(folder, log):
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    rollouts = log.table("rollouts")
    effect = deflection.effect(log.panel(unit="service", every="1w"), rollouts, TREATMENT)
    live = rollouts.filter(pl.col("treatment") == TREATMENT, pl.col("unit_kind") == "service")
    return effect, expected_effect(truth, effect, dict(live.select("unit", "live_on").iter_rows()))


def test_the_interval_holds_what_the_small_centre_expects(small_centre):
    effect, truth = estimated(*small_centre)
    assert truth < -0.02
    assert effect.relative.low < truth < effect.relative.high
    assert abs(effect.relative.value - truth) < 0.03


def expected_of_waves(parameters, built, counted):
    """Per wave: what it changed in the window, per customer invited and per one it brought.

    The world's own expectation of requests, less that of the world in which nobody of this wave
    was invited or subscribed; ``counted`` turns requests into first attempts of known customers.
    """

    def requests(reminders):
        demand = demand_of(
            parameters, built.traits, built.go_live, built.volumes, built.population, reminders
        )
        told = expect(parameters, built.traits, built.go_live, demand)
        return told.requests[IS_REMINDED].sum(axis=(0, 2))

    sent, here = built.reminders, requests(built.reminders)
    factor = counted / here.sum()
    found = {}
    for wave, day in enumerate(sent.waves.tolist(), start=1):
        invited = int(((sent.wave == wave) & (sent.invited_at >= 0)).sum())
        if not invited:
            continue
        gone, kept = sent.source == wave, sent.source[sent.sent] != wave
        without = replace(
            sent,
            started=np.where(gone, -1, sent.started),
            until=np.where(gone, -1, sent.until),
            ended=np.where(gone, -1, sent.ended),
            source=np.where(gone, 0, sent.source).astype(np.uint8),
            invited_at=np.where(sent.wave == wave, -1, sent.invited_at),
            sent=sent.sent[kept],
            sent_at=sent.sent_at[kept],
        )
        window = slice(day, day + AFTER_DAYS)
        change = factor * (here - requests(without))[window].sum()
        brought = int((gone & (sent.started >= 0) & (sent.started < day + AFTER_DAYS)).sum())
        found[f"wave {wave}"] = (change / invited, change / brought)
    return found


def first_attempts(log, services):
    """Offered calls of known customers who had not asked for the same in the day before."""
    with duckdb.connect(str(log.path), read_only=True) as connection:
        ((count,),) = connection.execute(
            """
            SELECT count(*) FROM (
                SELECT arrived_at, lag(arrived_at) OVER (
                    PARTITION BY customer, service ORDER BY arrived_at, call_id) AS before
                FROM calls WHERE customer IS NOT NULL AND list_contains($1, service)
                    AND outcome IN ('answered', 'abandoned', 'overflowed', 'call_back'))
            WHERE before IS NULL OR arrived_at - before > INTERVAL 1 DAY
            """,
            [services],
        ).fetchall()
    return count


def offered_by_lot(parameters, seed, log):
    """What invitations by lot did to reminded queries, of all and of takers, and what is true."""
    built = build(parameters, dt.date(2024, 1, 1), WEEKS, SCALE, seed)
    services = [each.code for each, asked in zip(CATALOGUE, IS_REMINDED, strict=True) if asked]
    frame = log.offers(after_days=AFTER_DAYS, where={"service": services})
    true = expected_of_waves(parameters, built, first_attempts(log, services))
    waves = dict(frame.filter("assigned").group_by("wave").len().iter_rows())
    weights = np.array(list(waves.values()))
    everybody, takers = (np.array([true[wave] for wave in waves]) * weights[:, None]).sum(
        axis=0
    ) / weights.sum()
    rolled = deflection.randomised(frame, by_lot=True)
    moved = deflection.encouraged(frame, by_lot=True)
    return (
        ("randomised", everybody, rolled.change, rolled.errors["change"], rolled.grade),
        ("encouraged", takers, moved.complier, moved.errors["complier"], moved.grade),
    )


@pytest.mark.skipif(not FULL, reason="eighty centres take half an hour (CCANALYTICS_FULL=1)")
def test_eighty_centres(tmp_path):
    # Many reply and much is answered, so that a centre so small can show it.
    parameters = CentreParameters(opt_in=0.5, reminder_prevents=0.6)
    rows = []
    for seed in range(1, WORLDS + 1):
        folder = tmp_path / f"centre{seed}"
        write_centre(folder, weeks=WEEKS, scale=SCALE, seed=seed, parameters=parameters)
        log = CallLog(tmp_path / f"{seed}.duckdb")
        log.load(folder, "ccanalytics", identifiers="as_they_are")
        effect, truth = estimated(folder, log)
        logs = [math.log1p(x) for x in (truth, *astuple(effect.relative)[:3])]
        error = (logs[3] - logs[2]) / 2 / float(stdtrit(effect.degrees, 0.975))
        rows.append((seed, "staggered", *logs, error, effect.grade))
        for design, true, found, error, grade in offered_by_lot(parameters, seed, log):
            rows.append((seed, design, true, *astuple(found)[:3], error, grade))
        for row in rows[-3:]:
            print(*row, flush=True)
        for each in tmp_path.rglob("*"):
            if each.is_file():
                each.unlink()
    names = ["seed", "design", "true", "found", "low", "high", "error", "grade"]
    table = pl.DataFrame(rows, schema=names, orient="row")
    for (design,), mine in table.group_by(["design"], maintain_order=True):
        off = (mine["found"] - mine["true"]).to_numpy()
        held = int(mine.select(pl.col("true").is_between("low", "high").sum()).item())
        spread = off.std(ddof=1)
        print(
            f"{design}: {held} of {WORLDS} hold the truth; truth {mine['true'].mean():+.4f}, bias "
            f"{off.mean():+.4f}, error/spread {mine['error'].mean() / spread:.2f}; "
            f"weak in {(mine['grade'] == 'weak').sum()}"
        )
        # Fewer would come by chance once in 40 studies of an interval that holds 95%.
        assert held >= binom.ppf(0.025, WORLDS, 0.95)
        assert abs(off.mean()) <= 0.05 * abs(mine["true"].mean()) + 2 * spread / WORLDS**0.5
