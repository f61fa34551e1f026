"""Frames made into cells that a design can compare: who got what when, and who did not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects.nested import Cells
from ccanalytics.statistics.effects.rollouts import treatment_of
from ccanalytics.statistics.effects.weekly import as_date
from ccanalytics.statistics.frames import as_polars, check_counts, whole_weeks
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

__all__ = ["Asked", "Prepared", "band_names", "by_lot", "cells_of", "dates_of"]

_ROLLOUTS = ("unit_kind", "unit", "treatment", "live_on")
_NEEDS = {
    "aht": ("calls", "handle_s", "log_handle", "usual_log_handle"),
    "transfers": ("calls", "second_line", "usual_second_line"),
    "errors": ("items_marked", "items_failed"),
}
_KNOTS = (2, 4, 8, 13, 20, 30, 52)  # weeks of tenure at which the curve may bend
_KINDS = ("team", "agent", "service")
_NEVER = 1_000_000


@dataclass(frozen=True)
class Asked:
    """What was asked of an effect."""

    treatment: str | None
    outcome: str
    by: str | None
    bands: tuple[int, ...]
    design: str
    unit_kind: str | None
    min_weeks: int
    level: float

    def kind_of(self, rollouts: Any) -> str:
        """Kind of unit: the one asked for, or the only one that the treatment has."""
        import polars as pl

        if self.unit_kind is not None:
            if self.unit_kind not in _KINDS:
                where = f"unit_kind={self.unit_kind!r}"
                raise InputError("no such kind of unit here", where, "one of " + ", ".join(_KINDS))
            return self.unit_kind
        dates = as_polars(rollouts, "rollouts", _ROLLOUTS, "log.table('rollouts')")
        rows = dates.filter(pl.col("unit_kind").is_in(_KINDS))
        if self.treatment is not None:
            rows = rows.filter(pl.col("treatment") == self.treatment)
        kinds = rows["unit_kind"].unique().sort().to_list()
        if len(kinds) > 1:
            what = "these roll-outs are of several kinds of units"
            raise InputError(what, ", ".join(kinds), "give unit_kind")
        return kinds[0] if kinds else "team"


@dataclass(frozen=True, eq=False)
class Prepared:
    """Cells of agents by week, beside what was done to them.

    Attributes
    ----------
    event
        Weeks since the unit went live; very negative where it never did.
    group, groups
        Code and names of the groups of ``by``; −1 for none.
    seconds
        Handle seconds of each cell.
    never
        Units that are compared and never went live in the span.
    by_score
        Whether single people got it without a lot.
    """

    name: str
    unit: str
    units: list[str]
    cluster: Ints
    person: Ints
    week: Ints
    event: Ints
    value: Floats
    weight: Floats
    seconds: Floats
    shared: Floats
    rank: Floats
    group: Ints
    groups: tuple[str, ...]
    others: tuple[str, ...]
    never: int
    by_score: bool
    remarks: tuple[tuple[str, str], ...]

    def cells(self, ahead: int, *, trend: bool = False) -> Cells:
        """As if units had gone live so many weeks earlier; ``trend`` adds one by their order."""
        shared = self.shared
        if trend:
            shared = np.column_stack([shared, self.rank * self.week])
        return Cells(
            self.value, self.weight, self.cluster, self.person, self.week, shared,
            self.event < -ahead,
        )  # fmt: skip


def dates_of(rollouts: Any, asked: Asked) -> tuple[pl.DataFrame, pl.DataFrame, str]:
    """All roll-outs, those of the treatment asked for, and its name."""
    import polars as pl

    dates = as_polars(rollouts, "rollouts", _ROLLOUTS, "log.table('rollouts')")
    kind = asked.kind_of(dates)
    mine = dates.filter(pl.col("unit_kind") == kind)
    if not mine.height:
        raise DataError(
            f"nothing went live by {kind}", f"treatment={asked.treatment!r}", "load the roll-outs"
        )
    name = treatment_of(asked.treatment, mine)
    rows = mine.filter(pl.col("treatment") == name)
    live = rows.drop_nulls("live_on").select("unit", "live_on").unique()
    twice = live.filter(live["unit"].is_duplicated()).sort("unit", "live_on")
    if twice.height:
        raise InputError(
            "a unit goes live once",
            f"{twice['unit'][0]}, {name}: {twice['live_on'][0]} and {twice['live_on'][1]}",
            "keep the day from which it was in use",
        )
    if not live.height:
        raise DataError(
            "nothing of this kind went live",
            f"treatment={name!r}, unit_kind={kind!r}",
            "load the roll-outs with their dates",
        )
    if asked.design == "randomised" and (
        "randomised" not in rows.columns or not rows["randomised"].fill_null(value=False).all()
    ):
        raise DataError(
            "no lot decided who got it, as far as the roll-outs say",
            f"treatment={name!r}: randomised is not true throughout",
            "take design='staggered'",
        )
    return dates, rows, name


def by_lot(rollouts: Any, asked: Asked) -> bool:
    """Whether the roll-outs say of all units that a lot decided."""
    _, rows, _ = dates_of(rollouts, replace(asked, design="staggered"))
    if "randomised" not in rows.columns:
        return False
    return bool(rows["randomised"].fill_null(value=False).all())


def cells_of(panel: Any, rollouts: Any, asked: Asked, *, split: bool = True) -> Prepared:
    """Check the frames, and put them in the order that a design takes.

    ``split``: other roll-outs by team may do more in one band of tenure than in another.
    """
    import polars as pl

    needs = ["local_start", "interval_s", "agent", "team", "tenure_weeks", *_NEEDS[asked.outcome]]
    if asked.by not in (None, "tenure"):
        needs.append(str(asked.by))
    frame = as_polars(panel, "panel", needs, "log.agent_panel()")
    check_counts(frame, [n for n in _NEEDS[asked.outcome] if "log" not in n], "panel")
    dates, rows, name = dates_of(rollouts, asked)
    kind = asked.kind_of(dates)
    frame, cut = whole_weeks(frame, "the weeks of the panel")
    remarks = [("Weeks cut", f"{counted(cut, 'row')} of weeks covered in part")] if cut else []
    doubled = frame.select("agent", "local_start").is_duplicated()
    if doubled.any():
        agent, at = frame.filter(doubled).select("agent", "local_start").row(0)
        raise InputError("an agent has one row a week", f"{agent!r}, {at}", "sum them up first")
    size = "items_marked" if asked.outcome == "errors" else "calls"
    frame = frame.filter(pl.col(size) > 0, pl.col(kind).is_not_null())
    frame = _with_tenure(frame, asked, remarks)
    if not frame.height:
        what = "items of random reviews" if asked.outcome == "errors" else "calls"
        raise DataError(
            f"the panel has no {what} of agents whose {kind} is known",
            f"outcome={asked.outcome!r}",
            f"load {'reviews' if asked.outcome == 'errors' else 'agents'}",
        )
    first = as_date("local_start", frame["local_start"].min())
    last = as_date("local_start", frame["local_start"].max())
    span = (last - first).days // 7 + 1
    live = {
        unit: (as_date("live_on", day) - first).days // 7
        for unit, day in rows.drop_nulls("live_on").select("unit", "live_on").iter_rows()
    }
    frame, live, left = _who(frame, kind, rows, live, span, asked, name, first)
    if left:
        remarks.append((f"{kind.capitalize()}s left out", left))
    units = frame[kind].unique().sort().to_list()
    code = {unit: k for k, unit in enumerate(units)}
    start = np.array([live.get(unit, _NEVER) for unit in units])
    cluster = _codes(frame, kind, code)
    people = {agent: k for k, agent in enumerate(frame["agent"].unique().sort().to_list())}
    week = frame.select(
        (pl.col("local_start").cast(pl.Date) - pl.lit(first)).dt.total_days() // 7
    ).to_series().to_numpy().astype(np.int64)  # fmt: skip
    value, weight = _outcome(frame, asked.outcome)
    if not np.isfinite(value).all():
        row = frame.row(int(np.argmin(np.isfinite(value))), named=True)
        raise InputError(
            "handle times and counts are finite numbers",
            f"panel: {row['agent']!r}, {row['local_start']}",
            "take the frame from log.agent_panel()",
        )
    group, groups = _grouped(frame, asked)
    shared, others = _shared(frame, dates, name, asked, first, week, kind, split=split)
    seconds = frame["handle_s"].to_numpy().astype(float) if "handle_s" in frame.columns else weight
    person = cluster if kind == "agent" else _codes(frame, "agent", people)
    capped = np.minimum(start, span)
    rank = (capped[:, None] < capped[None, :]).sum(1) / max(len(start) - 1, 1)
    lot = by_lot(dates, asked)
    return Prepared(
        name, kind, [str(u) for u in units], cluster, person, week, week - start[cluster], value,
        weight, seconds, shared, rank[cluster], group, groups, others,
        int((start >= span).sum()), kind == "agent" and not lot, tuple(remarks),
    )  # fmt: skip


def _with_tenure(frame: pl.DataFrame, asked: Asked, remarks: list[Any]) -> pl.DataFrame:
    import polars as pl

    unknown = frame.filter(pl.col("tenure_weeks").is_null())
    if unknown.height == frame.height and frame.height:
        if asked.by == "tenure":
            raise DataError(
                "no agent has a hire date, so that effects by tenure cannot be told",
                "tenure_weeks is null throughout",
                "load agents with hired_on, or ask with by=None",
            )
        remarks.append(("Tenure", "not known: newcomers who learn are not told from an effect"))
        return frame
    if unknown.height:
        who = unknown["agent"].unique().sort().to_list()
        more = f" and {len(who) - 5} more" if len(who) > 5 else ""
        remarks.append(
            ("Agents without a hire date", f"left out: {', '.join(map(str, who[:5]))}{more}")
        )
    return frame.drop_nulls("tenure_weeks")


def _who(
    frame: pl.DataFrame,
    kind: str,
    rows: pl.DataFrame,
    live: dict[str, int],
    span: int,
    asked: Asked,
    name: str,
    first: dt.date,
) -> tuple[pl.DataFrame, dict[str, int], str]:
    """Keep the units that can be compared; say which are not."""
    import polars as pl

    listed = set(rows["unit"].to_list())
    there = set(frame[kind].unique().to_list())
    waiting = [u for u in listed & there if live.get(u, _NEVER) >= span]
    unlisted = there - listed if waiting or kind == "agent" else set()
    early = {u for u in there if live.get(u, _NEVER) < 0}
    short = {u for u in there if 0 <= live.get(u, _NEVER) < asked.min_weeks}
    within = [u for u in there - early - short if live.get(u, _NEVER) < span]
    told = [
        f"{', '.join(sorted(map(str, which))[:5])}"
        f"{f' and {len(which) - 5} more' if len(which) > 5 else ''}: {why}"
        for which, why in (
            (unlisted, "the roll-outs do not name them"),
            (early, "live before the first week"),
            (short, f"fewer than {counted(asked.min_weeks, 'week')} before"),
        )
        if which
    ]
    days = f"{first} and {counted(span, 'week')} on"
    if not within:
        unknown = not (set(live) & there)
        raise DataError(
            "nothing went live within these weeks"
            if not (short or early)
            else f"no {kind} has weeks enough before it went live",
            (f"no {kind} of the roll-outs is in the panel; " if unknown else "")
            + f"treatment={name!r}, {days}"
            + (f"; {'; '.join(told)}" if told else ""),
            "take a longer span, or check the dates and names of the roll-outs",
        )
    kept = sorted(there - unlisted - early - short, key=str)
    if len(within) == 1:
        raise DataError(
            f"only one {kind} went live: its own ups and downs cannot be told from an effect",
            f"{within[0]}",
            "wait for a second one, or look at it before and after, knowing that it is weak",
        )
    if len(kept) < 4:
        raise DataError(
            f"a comparison takes four {kind}s at least",
            f"{len(kept)}: {', '.join(map(str, kept))}",
            "take more of the centre",
        )
    return (
        frame.filter(pl.col(kind).is_in(kept)),
        {u: w for u, w in live.items() if u in set(kept)},
        "; ".join(told),
    )


def _codes(frame: pl.DataFrame, column: str, code: dict[Any, int]) -> Ints:
    return np.array([code[value] for value in frame[column].to_list()], np.int64)


def _outcome(frame: pl.DataFrame, outcome: str) -> tuple[Floats, Floats]:
    """Mean of each cell, what calls of its kind usually have taken out; and its weight."""

    def column(name: str) -> Floats:
        return frame[name].to_numpy().astype(float)

    if outcome == "errors":
        return column("items_failed") / column("items_marked"), column("items_marked")
    calls = column("calls")
    if outcome == "aht":
        return (column("log_handle") - column("usual_log_handle")) / calls, calls
    usual = column("usual_second_line")
    mean = usual.sum() / calls.sum()
    return (column("second_line") - usual) / calls + mean, calls


def band_names(bands: tuple[int, ...]) -> tuple[str, ...]:
    """Name bands of tenure.

    >>> band_names((13, 52))
    ('under 13 weeks', '13 to 51 weeks', '52 weeks or more')
    """
    if not bands:
        return ("any tenure",)
    between = (f"{a} to {b - 1} weeks" for a, b in pairwise(bands))
    return (f"under {bands[0]} weeks", *between, f"{bands[-1]} weeks or more")


def _grouped(frame: pl.DataFrame, asked: Asked) -> tuple[Ints, tuple[str, ...]]:
    if asked.by is None:
        return np.full(frame.height, -1), ()
    if asked.by == "tenure":
        code = np.searchsorted(asked.bands, frame["tenure_weeks"].to_numpy(), side="right")
        return code.astype(np.int64), band_names(asked.bands)
    names = sorted({"unknown" if v is None else str(v) for v in frame[asked.by].to_list()})
    code_of = {name: k for k, name in enumerate(names)}
    values = ["unknown" if v is None else str(v) for v in frame[asked.by].to_list()]
    return np.array([code_of[v] for v in values], np.int64), tuple(names)


def _shared(
    frame: pl.DataFrame,
    dates: pl.DataFrame,
    name: str,
    asked: Asked,
    first: dt.date,
    week: Ints,
    unit: str,
    *,
    split: bool,
) -> tuple[Floats, tuple[str, ...]]:
    """A curve of tenure, and the shares of each week in which other treatments were live."""
    columns: list[Floats] = []
    known = frame["tenure_weeks"].null_count() < frame.height
    tenure = frame["tenure_weeks"].to_numpy().astype(float) if known else np.zeros(frame.height)
    if known:
        columns += [np.maximum(knot - tenure, 0) / knot for knot in _KNOTS]
        # Whoever leaves is slower than who stays, so newcomers are not like those who are there
        # already: of agents hired within the span, as a group, the level is their own.
        fresh = tenure <= week
        if unit != "agent" and 0 < fresh.sum() < fresh.size:
            columns.append(fresh.astype(float))
    band = np.searchsorted(asked.bands, tenure, side="right") if known else np.zeros(frame.height)
    others = []
    for (other, kind), rows in dates.group_by("treatment", "unit_kind", maintain_order=True):
        if other == name or kind not in ("team", "agent"):
            continue
        day = {
            unit: (as_date("live_on", on) - first).days
            for unit, on in rows.drop_nulls("live_on").select("unit", "live_on").iter_rows()
        }
        on = np.array([day.get(unit, _NEVER) for unit in frame[str(kind)].to_list()], float)
        share = np.clip(week * 7 + 7 - on, 0, 7) / 7
        if share.min(initial=1) == share.max(initial=0):
            continue
        others.append(str(other))
        if kind == "team" and split:
            some = (share * (band == b) for b in range(len(asked.bands) + 1))
            columns += [each for each in some if each.any()]
        else:
            columns.append(share)
    return np.column_stack(columns) if columns else np.zeros((frame.height, 0)), tuple(others)
