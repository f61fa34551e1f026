"""Sudden changes of definition: what a column means, holds or is counted in, from one day on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.checks.finding import Finding, clean, listed
from ccanalytics.calllog.checks.look import DURATIONS
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from ccanalytics.calllog.checks.look import Look

__all__ = ["SHARE_STEP", "TIME_STEP", "appearing", "definitions"]

# A share that moves by this much, or a typical time by this factor, from one day to the next
# and stays there.
SHARE_STEP, TIME_STEP = 0.25, 1.5
_SIDE = 7
_LEAST_SIDE = 3
_LEAST_ROWS = 10
_UNITS = ((60.0, "seconds and minutes"), (1000.0, "seconds and milliseconds"))
_TOPICS = {
    "customer": "customer",
    "service": "service",
    "agent": "agent",
    "menu_s": "wait",
    "wait_s": "wait",
    "talk_s": "handle",
    "hold_s": "handle",
    "wrap_s": "handle",
    "answered_at": "handle",
    "ended_at": "handle",
}
_OF_ANSWERED = {"agent", "answered_at", "talk_s", "hold_s", "wrap_s"}
_ROUND = (("fives", "multiples of 5 s"), ("sixties", "whole minutes"), ("wholes", "whole seconds"))
_NEVER_BEFORE = 7
_LEAST_DAY = 5


def definitions(look: Look) -> list[Finding]:
    """Columns that start or stop, units, rounding, typical times and clocks that jump on a day.

    A step is a day such that all of up to seven days before it lie on one side of all of up to
    seven days from it on (three at least), and the means of the two sides differ by the stated
    size: 0.25 of a share, a factor of 1.5 of a typical (geometric mean) time.
    """
    days = look.days
    dates = days["day"].to_list()
    filled: list[_Step] = []
    units: list[_Step] = []
    rounded: list[_Step] = []
    typical: list[_Step] = []
    for column, topic in _TOPICS.items():
        base = days["answered" if column in _OF_ANSWERED else "calls"]
        step = _share_step(days[column], base)
        if step:
            filled.append(_Step(column, topic, dates[step[0]], step[1], step[2]))
    for column in DURATIONS:
        some = days[f"{column}_some"]
        step = _log_step(days[f"{column}_log"], some)
        if step:
            one = _Step(column, _TOPICS[column], dates[step[0]], step[1], step[2])
            near = [words for factor, words in _UNITS if 0.6 < one.factor / factor < 1.6]
            (units if near else typical).append(one)
        for kind, words in _ROUND:
            step = _share_step(days[f"{column}_{kind}"], some)
            if step:
                rounded.append(
                    _Step(f"{column} in {words}", _TOPICS[column], dates[step[0]], step[1], step[2])
                )
    off = _share_step(days["wait_off"], days["wait_both"])
    counts = [_Step("wait_s beside its timestamps", "wait", dates[off[0]], *off[1:])] if off else []
    return [
        _told(
            "columns that start or stop",
            filled,
            "filled in {before:.0%} of calls before, in {after:.0%} from then on",
            "figures before and after do not compare; a mean over both is of a part of the calls",
            "take days of one kind only, or export the other days again",
        ),
        _told(
            "the unit of a duration",
            units,
            "typically {before:,.3g} before, {after:,.3g} from then on: another unit",
            "sums and means mix units",
            "load one of the two parts again with the unit named in the mapping",
        ),
        _told(
            "the rounding of a duration",
            rounded,
            "{before:.0%} before, {after:.0%} from then on",
            "shares within a few seconds move with the rounding",
            "choose thresholds that suit the coarser rounding, or compare days of one kind",
        ),
        _told(
            "what the wait counts",
            counts,
            "{before:.0%} of answered calls before, {after:.0%} from then on",
            "the wait is counted from another moment: service level before and after differ "
            "without any caller noticing",
            "ask what changed on the switch that day; compute one of the two anew",
        ),
        _told(
            "typical durations from one day to the next",
            typical,
            "typically {before:,.3g} s before, {after:,.3g} s from then on",
            "a definition may have changed, or the work: a trend over that day says which only "
            "together with what is known of it",
            "ask what changed that day",
            informs=True,
        ),
    ]


class _Step:
    """One column, the day from which it differs, and its two levels."""

    def __init__(self, what: str, topic: str, day: Any, before: float, after: float) -> None:
        self.what, self.topic, self.day = what, topic, day
        self.before, self.after = before, after

    @property
    def factor(self) -> float:
        """The larger over the smaller level."""
        low, high = sorted((self.before, self.after))
        return high / low if low > 0 else float("inf")


def _told(
    name: str,
    steps: list[_Step],
    levels: str,
    consequence: str,
    remedy: str,
    *,
    informs: bool = False,
) -> Finding:
    if not steps:
        return Finding(name=name, verdict="holds", detail="no day from which it differs")
    first = steps[0]
    words = levels.format(before=first.before, after=first.after)
    more = f"; and {listed(s.what for s in steps[1:])}" if len(steps) > 1 else ""
    return Finding(
        name=name,
        verdict="informs" if informs else "fails",
        detail=f"{first.what} from {first.day:%Y-%m-%d}: {words}{more}",
        count=len(steps),
        of="column",
        examples=tuple(
            {
                "what": s.what,
                "from": f"{s.day:%Y-%m-%d}",
                "before": f"{s.before:,.3g}",
                "after": f"{s.after:,.3g}",
            }
            for s in steps[:5]
        ),
        consequences={s.topic: consequence for s in steps},
        remedy=remedy,
        care=informs,
    )


def _share_step(part: pl.Series, base: pl.Series) -> tuple[int, float, float] | None:
    """The clearest step of a daily share: row, level before, level from then on."""
    import numpy as np

    numbers, bases = part.to_numpy().astype(float), base.to_numpy().astype(float)
    kept = np.flatnonzero(bases >= _LEAST_ROWS)
    values = numbers[kept] / bases[kept]
    return _step(kept, values, lambda before, after: abs(after - before) >= SHARE_STEP)


def _log_step(logs: pl.Series, some: pl.Series) -> tuple[int, float, float] | None:
    """The clearest step of a daily geometric mean: row, level before, level from then on."""
    import numpy as np

    sums, bases = logs.fill_null(0).to_numpy().astype(float), some.to_numpy().astype(float)
    kept = np.flatnonzero(bases >= _LEAST_ROWS)
    values = sums[kept] / bases[kept]
    step = _step(kept, values, lambda before, after: abs(after - before) >= np.log(TIME_STEP))
    return None if step is None else (step[0], float(np.exp(step[1])), float(np.exp(step[2])))


def _step(rows: np.ndarray, values: np.ndarray, enough: Any) -> tuple[int, float, float] | None:
    best: tuple[float, int, float, float] | None = None
    for at in range(_LEAST_SIDE, len(values) - _LEAST_SIDE + 1):
        before, after = values[max(0, at - _SIDE) : at], values[at : at + _SIDE]
        rises = before.max() < after.min()
        falls = before.min() > after.max()
        low, high = float(before.mean()), float(after.mean())
        if (rises or falls) and enough(low, high) and (best is None or abs(high - low) > best[0]):
            best = (abs(high - low), int(rows[at]), low, high)
    return None if best is None else best[1:]


def appearing(look: Look) -> list[Finding]:
    """Outcomes, queues, services and the like that come in or go out in the middle of the log.

    A value counts if it has at least five calls a day while it is there, and is absent for a week
    or more at the log's beginning or end. A programme that starts looks like this too.
    """
    import polars as pl

    found = []
    first, last = look.span.first, look.days["day"].max()
    for name in look.few:
        daily = look.named_days(name)
        lives = (
            daily.group_by("value")
            .agg(
                since=pl.col("day").min(),
                until=pl.col("day").max(),
                calls=pl.col("calls").sum(),
            )
            .with_columns(
                lasts=(pl.col("until") - pl.col("since")).dt.total_days() + 1,
                late=(pl.col("since") - pl.lit(first)).dt.total_days() >= _NEVER_BEFORE,
                early=(pl.lit(last) - pl.col("until")).dt.total_days() >= _NEVER_BEFORE,
            )
            .filter(
                (pl.col("late") | pl.col("early"))
                & (pl.col("calls") >= _LEAST_DAY * pl.col("lasts"))
            )
            .sort("calls", descending=True)
        )
        if not lives.height:
            continue
        one = lives.row(0, named=True)
        how = f"from {one['since']:%Y-%m-%d}" if one["late"] else ""
        how += f"{' ' if how else ''}until {one['until']:%Y-%m-%d}" if one["early"] else ""
        calls = int(lives["calls"].sum())
        values = "value" if lives.height == 1 else "values"
        found.append(
            Finding(
                name=f"{name.replace('_', ' ')}s that come and go",
                verdict="informs",
                detail=f"{counted(lives.height, 'value')} in a part of the days only: "
                f"{clean(one['value'])} {how}"
                + (f", and {listed(lives['value'][1:])}" if lives.height > 1 else ""),
                count=calls,
                base=look.calls,
                of="call",
                examples=tuple(
                    {
                        name: clean(row["value"]),
                        "first day": f"{row['since']:%Y-%m-%d}",
                        "last day": f"{row['until']:%Y-%m-%d}",
                        "calls": f"{row['calls']:,}",
                    }
                    for row in lives.head(5).iter_rows(named=True)
                ),
                consequences={
                    "volume": f"totals before and after hold different {name.replace('_', ' ')}s",
                },
                remedy=f"if the {values} did begin or end then, nothing; if only the export "
                "changed, take days of one kind",
            )
        )
    return found or [
        Finding(
            name="values that come and go",
            verdict="holds",
            detail="none in the middle of the log",
        )
    ]
