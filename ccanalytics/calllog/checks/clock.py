"""Clocks: hours that come twice or never, logs that did not follow a change, parts that differ."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.checks.finding import Finding, clean
from ccanalytics.calllog.checks.look import PARTS
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from ccanalytics.calllog.checks.look import Look

__all__ = ["clock_changes", "clock_of_a_part", "clock_of_half_days", "clock_shifted"]

_WINDOW = 14
_LEAST = 500
# A profile that fits an hour away at least twice as well as where it stands has moved.
_CLEARLY = 2.0
_APART = 0.02
# Log-likelihood by which a day's profile must fit an hour away better than where it stands; a
# chance of about e^-12 for each day and part.
_SURE = 12.0
_SMALL = 0.05
_LEAST_DAYS, _MOST_PARTS = 7, 50
_BY_HALF = 1.5
_REMEDY = "ask how the switch's clock is set; load the days again with the right --time-zone"
_CONSEQUENCES = {
    "volume": "calls stand in the wrong hour: the busy hour and every interval's seats move",
    "wait": "service level stands in the wrong hour",
    "self_service": "what came before and what after cannot be told",
}


def clock_of_half_days(look: Look) -> list[Finding]:
    """Calls at 1 to 12 o'clock alone: a clock of 12 hours was read as one of 24."""
    import polars as pl

    by_hour = dict(look.hours.group_by("hour").agg(pl.col("calls").sum()).iter_rows())
    name = "a clock of 12 hours"
    elsewhere = sum(calls for hour, calls in by_hour.items() if not 1 <= hour <= 12)
    small = sum(by_hour.get(hour, 0) for hour in range(1, 6))
    if look.calls < _LEAST or elsewhere or not by_hour.get(12) or small <= _SMALL * look.calls:
        return [Finding(name=name, verdict="holds", detail="hours of the whole day")]
    return [
        Finding(
            name=name,
            verdict="fails",
            detail=f"all {counted(look.calls, 'call')} arrived at 1 to 12 o'clock: afternoons "
            "seem to stand in the night",
            count=small,
            consequences=_CONSEQUENCES,
            remedy="export with hours of 0 to 23, or with AM and PM, and load into a new log",
        )
    ]


def clock_changes(look: Look) -> list[Finding]:
    """Calls in an hour that a clock change repeats or skips.

    A log in local time cannot say which of two passes a call belongs to: the loader takes the
    first, and the second stays empty. Times in a skipped hour were rejected.
    """
    import polars as pl

    hours = look.hours
    skipped = look.one(
        "SELECT count(*) AS n FROM rejects WHERE len(list_filter(reasons, "
        "lambda r: contains(r, 'does not exist'))) > 0"
    )["n"]
    passes = hours.filter(pl.len().over("local_start") > 1).sort("slot")
    pairs = passes.group_by("local_start", maintain_order=True).agg(
        pl.col("calls").first().alias("first"), pl.col("calls").last().alias("second")
    )
    merged = pairs.filter((pl.col("first") >= 5) & (pl.col("second") == 0))
    name = "calls in a repeated or skipped hour"
    if not skipped and not merged.height:
        told = (
            f"{counted(pairs.height, 'repeated hour')} told apart"
            if pairs.height
            else "no clock change in these days"
            if hours["utc_offset_s"].n_unique() == 1
            else "none"
        )
        return [Finding(name=name, verdict="holds", detail=told)]
    parts = []
    if merged.height:
        when = ", ".join(f"{d:%Y-%m-%d %H:%M}" for d in merged["local_start"][:3])
        parts.append(
            f"{counted(int(merged['first'].sum()), 'call')} of the repeated hour {when} stand in "
            "its first pass, none in its second"
        )
    if skipped:
        parts.append(f"{counted(skipped, 'row')} in an hour that never was, rejected")
    count = skipped + int(merged["first"].sum())
    return [
        Finding(
            name=name,
            verdict="informs",
            detail="; ".join(parts),
            count=count,
            base=look.calls,
            of="call",
            consequences=_CONSEQUENCES,
            remedy="export timestamps in UTC or with their offset",
        )
    ]


def clock_shifted(look: Look) -> list[Finding]:
    """A day from which the day's profile stands an hour earlier or later than before.

    The shares of the hours of the two weeks before and after each day are compared, as they stand
    and moved by an hour: the distance is half the sum of absolute differences of shares.
    """
    import numpy as np

    name = "the clock from one day to the next"
    days, counts = _matrix(look.hours)
    window = min(_WINDOW, len(days) // 2)
    if window < 5 or counts.sum() < 2 * _LEAST:
        detail = f"too little to compare: {counted(len(days), 'day')}"
        return [Finding(name=name, verdict="holds", detail=detail)]
    sums = np.vstack([np.zeros(24), np.cumsum(counts, axis=0)])
    best: tuple[float, int, int] | None = None
    for at in range(5, len(days) - 4):
        # Whole weeks on both sides where there are that many, so that weekdays weigh alike.
        back = min(window, at)
        ahead = min(window, len(days) - at)
        both = min(back, ahead) // 7 * 7 or min(back, ahead)
        before, after = sums[at] - sums[at - both], sums[at + both] - sums[at]
        if min(before.sum(), after.sum()) < _LEAST:
            continue
        p, q = before / before.sum(), after / after.sum()
        stands = np.abs(p - q).sum() / 2
        moved = {s: np.abs(np.roll(p, s) - q).sum() / 2 for s in (-1, 1)}
        s = min(moved, key=lambda k: moved[k])
        if stands > _CLEARLY * moved[s] and stands - moved[s] > _APART:
            ratio = stands - moved[s]
            if best is None or ratio > best[0]:
                best = (float(ratio), at, s)
    if best is None:
        detail = f"the hours keep their shares over {counted(len(days), 'day')}"
        return [Finding(name=name, verdict="holds", detail=detail, base=len(days), of="day")]
    _, at, s = best
    change = _change_near(look, days[at])
    follows = f", where the centre's clocks changed ({change:%Y-%m-%d})" if change else ""
    way = "later" if s > 0 else "earlier"
    return [
        Finding(
            name=name,
            verdict="fails",
            detail=f"from about {days[at]:%Y-%m-%d}{follows} calls come an hour {way} than "
            "before, at every time of day: the log's clock was not set as the centre's",
            count=len(days) - at,
            base=len(days),
            of="day",
            consequences=_CONSEQUENCES,
            remedy=_REMEDY,
        )
    ]


def _change_near(look: Look, day: Any) -> Any:
    """The day on which the zone's offset changes within three days of this one."""
    import polars as pl

    offsets = look.hours.group_by("day", maintain_order=True).agg(pl.col("utc_offset_s").last())
    moved = offsets.filter(pl.col("utc_offset_s") != pl.col("utc_offset_s").shift(1))["day"]
    return next((d for d in moved if abs(d - day) <= timedelta(days=3)), None)


def _matrix(hours: pl.DataFrame) -> tuple[list[Any], np.ndarray]:
    """Days with calls, and their calls by local hour."""
    import polars as pl

    wide = (
        hours.group_by("day", "hour")
        .agg(pl.col("calls").sum())
        .pivot("hour", index="day", values="calls")
        .fill_null(0)
        .sort("day")
    )
    for hour in range(24):
        if str(hour) not in wide.columns:
            wide = wide.with_columns(pl.lit(0, dtype=pl.Int64).alias(str(hour)))
    counts = wide.select([str(h) for h in range(24)]).to_numpy().astype(float)
    kept = counts.sum(axis=1) > 0
    return [d for d, k in zip(wide["day"], kept, strict=True) if k], counts[kept]


def clock_of_a_part(look: Look) -> list[Finding]:
    """Days on which one line group, site, queue or client stands an hour beside its own pattern.

    Two kinds of evidence. Events in calls (an SMS offered during the call) that lie about an hour
    away from their calls, in most of a part's calls of the day: the clock is wrong. Without such
    events, a day's calls that fit the part's usual hours far better when moved by an hour, while
    the other parts stand as usual: it may be.
    """
    import polars as pl

    parts = [p for p in PARTS if 1 < look.few.get(p, 0) <= _MOST_PARTS]
    if not parts:
        return []
    # Joined once for all parts; a temporary table of this connection alone.
    look.connection.execute(
        "CREATE OR REPLACE TEMP TABLE event_lags AS SELECT c.line_group, c.site, c.queue, "
        'c.client, g.day, epoch(c.arrived_at) - epoch(e."at") AS lag FROM self_service e '
        "JOIN calls c USING (call_id) "
        "JOIN grid_of_days g ON g.unit = CAST(epoch(c.arrived_at) AS BIGINT) // ?",
        [look.with_days()],
    )
    looked = 0
    sure, unsure = [], []
    for part in parts:
        told = _by_events(look, part)
        frame = look.hours_of(part)
        daily = frame.group_by("value", "day").agg(pl.col("calls").sum())
        counts_of = {(value, day): calls for value, day, calls in daily.iter_rows()}
        sure += [one | {"calls": counts_of[place]} for place, one in told.items() if one["hours"]]
        for (value,), own in sorted(frame.group_by("value"), key=lambda group: str(group[0])):
            days, counts = _matrix(own.select("day", "hour", "calls"))
            looked += len(days)
            unsure += [
                {"part": part, "value": value, "day": days[i], "hours": s, "calls": n}
                for i, s, n in _moved_days(counts)
                if (value, days[i]) not in told
            ]
    # A day on which several parts move alike is a day of another kind, not a clock.
    alike = Counter((one["part"], one["day"]) for one in unsure)
    unsure = [one for one in unsure if alike[one["part"], one["day"]] == 1]
    name, seen = "the clock of a part of the centre", sure or unsure
    if not seen:
        detail = f"none of {looked:,} days of a line group, site, queue or client stands apart"
        return [Finding(name=name, verdict="holds", detail=detail, base=looked, of="day of a part")]
    first = max(seen, key=lambda one: one["calls"])
    way = "fast" if first["hours"] > 0 else "slow"
    return [
        Finding(
            name=name,
            verdict="fails" if sure else "informs",
            detail=f"{counted(len(seen), 'day')} of a part {'' if sure else 'may '}"
            f"{'stand' if not sure or len(seen) > 1 else 'stands'} apart; the largest: "
            f"{first['part'].replace('_', ' ')} {clean(first['value'])} on "
            f"{first['day']:%Y-%m-%d}, {abs(first['hours'])} h {way} "
            f"({counted(first['calls'], 'call')}"
            + (", by the events in them)" if sure else ", by their usual hours)"),
            count=sum(one["calls"] for one in seen),
            base=look.calls,
            of="call",
            examples=tuple(
                {
                    "part": one["part"],
                    "value": clean(one["value"]),
                    "day": f"{one['day']:%Y-%m-%d}",
                    "clock": f"{one['hours']:+d} h",
                    "calls": f"{one['calls']:,}",
                }
                for one in seen[:5]
            ),
            consequences=_CONSEQUENCES,
            remedy=_REMEDY,
        )
    ]


def _moved_days(counts: np.ndarray) -> list[tuple[int, int, int]]:
    """Days whose calls fit their part's usual hours far better an hour away: row, hours, calls.

    By likelihood, and by the distance of shares as in :func:`clock_shifted`, so that neither a
    few calls nor a day of another shape passes for a clock.
    """
    import numpy as np

    if len(counts) < _LEAST_DAYS:
        return []
    usual = np.median(counts, axis=0) + 0.1 * counts.mean(axis=0)
    usual = (usual + 0.002 * usual.sum()) / (1.048 * usual.sum())
    logs = np.log(usual)
    shares = counts / counts.sum(axis=1, keepdims=True)
    stands = np.abs(shares - usual).sum(axis=1)
    found = []
    for s in (-1, 1):
        moved = np.abs(shares - np.roll(usual, s)).sum(axis=1)
        far = (counts @ (np.roll(logs, s) - logs) > _SURE) & (stands > _BY_HALF * moved)
        found += [(int(i), s, int(counts[i].sum())) for i in np.flatnonzero(far)]
    return found


def _by_events(look: Look, part: str) -> dict[tuple[Any, Any], dict[str, Any]]:
    """Per value of a part and day: by how many whole hours its calls stand after their events."""
    rows = look.all(
        f"SELECT {part} AS value, day, count(*) AS events, median(lag) AS lag "  # noqa: S608
        f"FROM event_lags WHERE {part} IS NOT NULL GROUP BY ALL HAVING events >= 3 "
        "ORDER BY day, value"
    )
    return {
        (row["value"], row["day"]): {**row, "part": part, "hours": round(row["lag"] / 3600)}
        for row in rows
    }
