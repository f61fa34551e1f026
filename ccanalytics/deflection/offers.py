"""Offers by lot: what an offer to some customers, or a roll-out by lot, did to calls."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects import randomised as by_subject
from ccanalytics.statistics.effects.rollouts import days_of, in_a_row, refuse_twice, treatment_of
from ccanalytics.statistics.effects.weekly import as_date
from ccanalytics.statistics.frames import (
    as_polars,
    check_counts,
    check_known,
    check_numbers,
    whole_weeks,
)
from ccanalytics.vocabulary import term

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.statistics.effects.offer_effect import OfferEffect

    Floats = NDArray[np.float64]

__all__ = ["encouraged", "randomised"]

_OFFERS = ("customer", "wave", "assigned", "after")
_PANEL = ("local_start", "interval_s", "unit")
_ROLLOUTS = ("unit_kind", "unit", "treatment", "live_on")
_SOURCE = "log.offers(kind=…), or log.panel(unit=…, every='1w') with log.table('rollouts')"
_LEAST = 4  # fewest weeks after going live


def randomised(
    frame: Any, rollouts: Any = None, treatment: str | None = None, **options: Any
) -> OfferEffect:
    """Estimate what an offer drawn by lot did, of all assigned and of those who took it up.

    Parameters
    ----------
    frame
        Of ``CallLog.offers()``: customers × waves, those not yet invited being the control. Or of
        ``CallLog.panel(unit=…, every="1w")`` together with ``rollouts``, where a lot decided
        which units went live and when.
    rollouts
        Of ``CallLog.table("rollouts")``, for units.
    treatment
        What went live; may be left out where there is only one.
    **options
        ``use``: frame with local_start, unit and use (share 0–1), for the effect of use;
        ``unit_kind`` and ``count``, as :func:`effect` takes them; ``window_weeks``: weeks after
        going live that are compared (default: all, or until the next units go live); and
        ``name``, ``by_lot``, ``level``, ``draws``, ``seed`` of
        :func:`ccanalytics.statistics.effects.randomised`. Of units, ``by_lot`` is what the
        roll-outs say.

    Raises
    ------
    InputError
        A frame without its columns, or an option that is not known.
    DataError
        Nobody was assigned, or everybody at once, so that there is no control.
    """
    return _estimate("randomised", frame, rollouts, treatment, options)


def encouraged(
    frame: Any, rollouts: Any = None, treatment: str | None = None, **options: Any
) -> OfferEffect:
    """Estimate what use does, where a lot decided who was encouraged: the wave is an instrument.

    Arguments and errors are those of :func:`randomised`. Whoever uses the channel anyway is in
    both arms; the answer is about those whom the encouragement brought to use it, and holds if
    being encouraged works through use alone.
    """
    return _estimate("encouraged", frame, rollouts, treatment, options)


def _estimate(
    design: str, frame: Any, rollouts: Any, treatment: str | None, options: dict[str, Any]
) -> OfferEffect:
    known = {"by_lot", "level", "draws", "seed", "name"}
    mine = {"use", "unit_kind", "count", "window_weeks"} if rollouts is not None else set()
    if strange := sorted(options.keys() - known - mine):
        some = ", ".join(sorted(known | mine))
        raise InputError("there is no such option", ", ".join(strange), f"one of {some}")
    own = {key: options[key] for key in known & options.keys()}
    if rollouts is None:
        rows = as_polars(frame, "frame", _OFFERS, _SOURCE)
        return _customers(
            design, rows, {"name": term(treatment or "invitation"), "word": "invited", **own}
        )
    choices = {key: options[key] for key in mine & options.keys()}
    stack = _Stack.of(frame, rollouts, treatment, **choices)
    return by_subject(
        stack.after,
        stack.assigned,
        subject=stack.unit,
        stratum=stack.stratum,
        before=stack.before,
        lead=stack.lead,
        taken=stack.taken,
        per="before",
        design=design,
        unit=stack.kind,
        word="that went live",
        **{"name": term(stack.treatment), "by_lot": stack.by_lot, **own},
    )


def _customers(design: str, rows: pl.DataFrame, own: dict[str, Any]) -> OfferEffect:
    import polars as pl

    numbers = [c for c in ("after", "before", "lead") if c in rows.columns]
    check_counts(rows, numbers, "frame")
    check_known(rows, _OFFERS, "frame")
    shares = {"taken", "taken_before", "left"} & set(rows.columns)
    check_numbers(rows, sorted(c for c in shares if not isinstance(rows.schema[c], pl.Boolean)))
    if not rows.height:
        raise DataError("nobody was invited", "the frame has no row", "load reminders with waves")
    given: dict[str, Any] = {
        name: rows[name].to_numpy()
        for name in ("before", "lead", "taken", "taken_before", "left")
        if name in rows.columns and not rows[name].null_count()
    }
    return by_subject(
        rows["after"].to_numpy(),
        rows["assigned"].to_numpy(),
        subject=rows["customer"].rank("dense").to_numpy(),
        stratum=rows["wave"].to_numpy(),
        design=design,
        **given,
        **own,
    )


@dataclass(frozen=True, eq=False)
class _Stack:
    """Units × dates of going live: those that went live then, and those that had not for long."""

    unit: NDArray[np.int64]
    stratum: NDArray[np.str_]
    assigned: NDArray[np.bool_]
    before: Floats
    lead: Floats
    after: Floats
    taken: Floats | None
    treatment: str
    kind: str
    by_lot: bool | None

    @classmethod
    def of(
        cls,
        panel: Any,
        rollouts: Any,
        treatment: str | None,
        *,
        use: Any = None,
        unit_kind: str = "service",
        count: str = "first_attempts",
        window_weeks: int | None = None,
    ) -> _Stack:
        import polars as pl

        weeks = as_polars(panel, "panel", [*_PANEL, count], "log.panel(unit=…, every='1w')")
        check_counts(weeks, [count], "panel")
        weeks, _ = whole_weeks(weeks, "the weeks of the panel")
        dates = as_polars(rollouts, "rollouts", _ROLLOUTS, "log.table('rollouts')")
        dates = dates.filter(pl.col("unit_kind") == unit_kind)
        name = treatment_of(treatment, dates)
        dates = dates.filter(pl.col("treatment") == name).drop_nulls("live_on")
        refuse_twice(dates, weeks)
        check_known(weeks.drop_nulls("unit"), [count], "panel")
        stamps = weeks["local_start"].unique().sort()
        units = weeks["unit"].drop_nulls().unique().sort()
        calls = _wide(weeks, count, units, stamps)
        used = None
        if use is not None:
            share = as_polars(use, "use", ["local_start", "unit", "use"], "a frame of shares")
            check_counts(share, ["use"], "use")
            check_known(share, ["use"], "use")
            if share.select("unit", "local_start").is_duplicated().any():
                raise InputError("a unit has one use a week", "use", "drop the duplicates")
            used = _wide(share, "use", units, stamps)
        first, last = in_a_row(days_of(stamps))[0], len(stamps)
        live = np.full(len(units), 2 * last)
        whole = live.copy()  # the first week that is live throughout
        place = {unit: i for i, unit in enumerate(units)}
        for unit, day in dates.select("unit", "live_on").iter_rows():
            if unit in place:
                days = (as_date("live_on", day) - first).days
                live[place[unit]], whole[place[unit]] = days // 7, -(-days // 7)
        window = _window(live, last, window_weeks)
        parts: dict[str, list[Any]] = {k: [] for k in ("u", "s", "z", "b", "l", "a", "t")}
        for start in np.unique(whole[(live > 0) & (whole < last)]).tolist():
            stop = min(start + window, last)
            now = (whole == start) & (live > 0)
            later = live >= stop
            begin = int(live[now].min())
            lead = begin // 2
            for arm, who in ((True, np.flatnonzero(now)), (False, np.flatnonzero(later))):
                rows = calls[who]
                parts["u"].append(who)
                parts["s"].append(np.full(who.size, str(first + dt.timedelta(weeks=start))))
                parts["z"].append(np.full(who.size, arm))
                parts["b"].append(rows[:, : begin - lead].sum(axis=1))
                parts["l"].append(rows[:, begin - lead : begin].sum(axis=1))
                parts["a"].append(rows[:, start:stop].sum(axis=1))
                if used is not None:
                    parts["t"].append(used[who, start:stop].mean(axis=1))
        if not parts["u"]:
            where = f"treatment={name!r}, {len(stamps)} whole weeks"
            raise DataError("nothing went live within the log", where, "take more of the log")
        joined: dict[str, Any] = {
            key: np.concatenate(each) if each else None for key, each in parts.items()
        }
        lots = dates["randomised"].to_list() if "randomised" in dates.columns else [None]
        return cls(
            unit=joined["u"],
            stratum=joined["s"],
            assigned=joined["z"],
            before=joined["b"],
            lead=joined["l"],
            after=joined["a"],
            taken=joined["t"],
            treatment=name,
            kind=unit_kind,
            by_lot=None if None in lots else all(lots),
        )


def _window(live: NDArray[np.int64], last: int, asked: int | None) -> int:
    """Weeks that are compared: those asked for, or until the next units go live."""
    if asked is not None:
        if isinstance(asked, bool) or not isinstance(asked, int) or asked < 1:
            raise InputError("window_weeks is a whole number, 1 or more", f"{asked!r}", "")
        return asked
    dates = np.unique(live[(live > 0) & (live < last)])
    gaps = np.diff(dates)
    return max(int(gaps.min()), _LEAST) if gaps.size else last


def _wide(frame: pl.DataFrame, column: str, units: pl.Series, stamps: pl.Series) -> Floats:
    """Units × weeks; a week without a row is one without a call."""
    import polars as pl

    rows = frame.select(
        u=pl.col("unit").replace_strict(units, range(len(units)), default=None),
        w=pl.col("local_start").replace_strict(stamps, range(len(stamps)), default=None),
        v=pl.col(column).cast(pl.Float64),
    ).drop_nulls()
    table = np.zeros((len(units), len(stamps)))
    table[rows["u"].to_numpy(), rows["w"].to_numpy()] = rows["v"].to_numpy()
    return table
