"""The quality file of one agent: what is known of their calls, each figure with its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics import smallcells
from ccanalytics.errors import DataError, InputError
from ccanalytics.quality.errors_found import RANKS_NOBODY, error_rates
from ccanalytics.results import Check, Result
from ccanalytics.statistics.checking import check_level, normal_quantile
from ccanalytics.statistics.frames import as_polars, check_counts, check_numbers, over_a_day_in
from ccanalytics.statistics.proportions import wilson
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["AgentFile", "agent_file"]

_CALLS = ("answered", "handled", "handle_s", "expected_s", "off_ss", "transferred")
# Not held against the centre: which calls an agent takes, and which are looked at for a reason.
_UNLIKE = ("average handle time", "items wrong, calls chosen for a reason")
_REVIEWED = ("items wrong, calls chosen at random", "calls with a critical error")
_CONTACTS = ("agent", "first_contacts", "again", "window_days")
_TICKETS = ("agent", "state", "reopened", "tickets")
_NUMBERS = ("score", "surveys", "first_contacts", "again", "window_days", "tickets")
Line = tuple[str, str, float | None, float | None, float | None, float | None, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class AgentFile(Result):
    """One agent's page.

    Attributes
    ----------
    agent
        The agent's code, as the log has it.
    lines
        One row per measure: ``measure``, ``unit``, ``value`` with limits, ``centre`` (the same of
        all agents together), ``basis`` (how many it rests on), ``differs``: the limits leave the
        centre out. Figures on too few are null.
    trainings
        ``course``, ``on``, ``hours``.
    hidden
        Lines whose figures are not shown because they rest on too few.
    """

    agent: str
    lines: pl.DataFrame
    trainings: pl.DataFrame
    hidden: int

    def headline(self) -> str:
        """Say what differs from the centre, if anything does."""
        out = self.lines.filter(self.lines["differs"])
        calls = int(self.lines["basis"][0])
        begin = f"Agent {self.agent}, {counted(calls, 'answered call')}:"
        if not out.height:
            return f"{begin} nothing differs from the centre by more than chance."
        told = []
        for row in out.iter_rows(named=True):
            side = "above" if row["value"] > row["centre"] else "below"
            told.append(
                f"{row['measure']} {_told(row['value'], row['unit'])}, {side} the centre's "
                f"{_told(row['centre'], row['unit'])}"
            )
        return f"{begin} {'; '.join(told)}."

    def summary(self) -> str:
        """Give what differs, and how the page may be used."""
        less = f" {_figures(self.hidden)} not shown, being of too few." if self.hidden else ""
        n = self.trainings.height
        courses = counted(n, "training") if n else "No training"
        return (
            f"{self.headline()} {courses}.{less} Limits are {100 * self.inputs['level']:g}%; of so "
            "many lines one in twenty differs by chance. The page is for a talk with the agent, "
            "not for a ranking."
        )

    def table(self) -> pl.DataFrame:
        """Give the lines in words, as a report prints them."""
        import polars as pl

        few = f"<{self.inputs['least']}"
        rows = [
            (
                row["measure"][:1].upper() + row["measure"][1:],
                _told(row["value"], row["unit"]),
                "–" if row["low"] is None
                else f"{_told(row['low'], row['unit'])} to {_told(row['high'], row['unit'])}",
                _told(row["centre"], row["unit"]),
                few if row["basis"] is None else f"{row['basis']:,}",
                "yes" if row["differs"] else "",
            )
            for row in self.lines.iter_rows(named=True)
        ]  # fmt: skip
        names = ["measure", "the agent", "limits", "the centre", "rests on", "differs"]
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    def to_frame(self) -> pl.DataFrame:
        """Give the lines."""
        return self.lines


def _told(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    form = {"share": "{:.1%}", "s": "{:,.0f} s", "calls": "{:,.0f}"}.get(unit, "{:,.2f}")
    return form.format(value)


def agent_file(
    agent: str | None, calls: Any, *, reviews: Any = None, surveys: Any = None,
    contacts: Any = None, tickets: Any = None, trainings: Any = None, relative: Any = None,
    top_from: float = 4, least: int | None = None, level: float = 0.95,
) -> AgentFile:  # fmt: skip
    """Gather one agent's figures, each with limits and beside the centre's.

    Parameters
    ----------
    agent
        The agent's code; None for the one with the most answered calls.
    calls
        Frame of ``CallLog.agent_calls()``.
    reviews, surveys, contacts, tickets
        Frames of ``CallLog.reviews(["agent"])``, ``surveys(["agent"])``,
        ``resolutions([days], ["agent"])`` and ``tickets(["agent"])``; None where there are none.
    trainings
        Frame of ``CallLog.table("trainings")``.
    relative
        Frame of ``agent``, ``relative_aht`` and ``relative_aht_sd`` from a model; None for the
        plain ratio to calls of the same kind.
    top_from
        Scores from here on count as satisfied.
    least
        Figures that rest on fewer are not shown; default: as
        :func:`ccanalytics.smallcells.least` has it in force.
    level
        Of the limits.

    Raises
    ------
    InputError
        An agent who is not in ``calls``.
    DataError
        No agent took a call.
    """
    import polars as pl

    level = check_level(level)
    few = smallcells.least() if least is None else smallcells.check(least)
    frame = as_polars(calls, "calls", ("agent", *_CALLS), "log.agent_calls()")
    check_counts(frame, _CALLS, "calls")
    frame = frame.filter(pl.col("agent").is_not_null(), pl.col("answered") > 0)
    if not frame.height:
        raise DataError("the log knows of no agent who took a call", "", "load calls with agents")
    if agent is None:
        agent = str(frame.sort("answered", "agent", descending=[True, False])["agent"][0])
    mine = frame.filter(pl.col("agent") == agent)
    if not mine.height:
        raise InputError(
            "there is no such agent with answered calls",
            f"agent={agent!r}",
            f"codes look like {frame['agent'][0]!r}",
        )
    lines: list[Line] = _of_calls(frame, mine, agent, relative, level)
    for told, what, needs, source, lines_of in (
        (reviews, "reviews", ("agent",), "log.reviews(['agent'])", _of_reviews),
        (surveys, "surveys", ("agent", "score", "surveys"), "log.surveys(['agent'])", None),
        (contacts, "contacts", _CONTACTS, "log.resolutions([7], ['agent'])", _of_contacts),
        (tickets, "tickets", _TICKETS, "log.tickets(['agent'])", _of_tickets),
    ):
        if told is None:
            continue
        rows = as_polars(told, what, needs, source)
        check_numbers(rows, [name for name in needs if name in _NUMBERS])
        if lines_of is None:
            lines += _of_surveys(rows, agent, top_from, level)
        else:
            lines += lines_of(rows, agent, level)
    schema = {
        "measure": pl.String, "unit": pl.String, "value": pl.Float64, "low": pl.Float64,
        "high": pl.Float64, "centre": pl.Float64, "basis": pl.Int64,
    }  # fmt: skip
    told = pl.DataFrame(lines, schema=schema, orient="row")
    small = (pl.col("basis") > 0) & (pl.col("basis") < few)
    hidden = told.filter(small).height
    told = told.with_columns(
        *(pl.when(~small).then(pl.col(name)).alias(name) for name in ("value", "low", "high")),
        pl.when(~small).then("basis").alias("basis"),
    )
    outside = (pl.col("centre") < pl.col("low")) | (pl.col("centre") > pl.col("high"))
    unlike = pl.col("measure").is_in(_UNLIKE)
    unsure = pl.col("measure").is_in(_REVIEWED) & (pl.col("basis") < RANKS_NOBODY)
    told = told.with_columns(differs=outside.fill_null(value=False) & ~unlike & ~unsure)
    courses = pl.DataFrame(schema={"course": pl.String, "on": pl.Date, "hours": pl.Float64})
    if trainings is not None:
        names = ("agent", "course", "on", "hours")
        courses = as_polars(trainings, "trainings", names, 'log.table("trainings")')
        courses = courses.filter(pl.col("agent") == agent).select(names[1:]).sort("on")
    return AgentFile(
        inputs={"agent": agent, "top_from": top_from, "least": few, "level": level},
        checks=(*over_a_day_in(mine, "calls of agents"), *_checks(told, hidden, few)),
        agent=agent,
        lines=told,
        trainings=courses,
        hidden=hidden,
    )


def _checks(lines: pl.DataFrame, hidden: int, few: int) -> tuple[Check, ...]:
    import polars as pl

    checks = []
    row = lines.filter(pl.col("measure") == _REVIEWED[0])
    if row.height:
        n = lines.filter(pl.col("measure") == _REVIEWED[1])["basis"]
        seen = n[0] if n.len() and n[0] is not None else None
        if seen is not None and seen < RANKS_NOBODY:
            checks.append(
                Check("random reviews", "fails",
                      f"{counted(int(seen), 'review')}: too few to tell the agent from others")
            )  # fmt: skip
    if hidden:
        checks.append(
            Check("small numbers", "informs",
                  f"{_figures(hidden)} not shown, being of fewer than {few}")
        )  # fmt: skip
    return tuple(checks)


def _share(name: str, x: float, n: float, whole: tuple[float, float], level: float) -> list[Line]:
    if not n:
        return [(name, "share", None, None, None, whole[0] / whole[1] if whole[1] else None, 0)]
    low, high = wilson(x, n, level)
    return [(name, "share", x / n, low, high, whole[0] / whole[1], round(n))]


def _sum(frame: pl.DataFrame, *names: str) -> list[float]:
    return [float(frame[name].sum()) for name in names]


def _of_calls(
    frame: pl.DataFrame, mine: pl.DataFrame, agent: str, relative: Any, level: float
) -> list[Line]:
    import polars as pl

    answered, moved, handled = _sum(mine, "answered", "transferred", "handled")
    all_answered, all_moved, all_handled = _sum(frame, "answered", "transferred", "handled")
    lines: list[Line] = [("calls answered", "calls", answered, None, None, None, round(answered))]
    time, expected, off = _sum(mine, "handle_s", "expected_s", "off_ss")
    if handled > 1 and expected > 0:
        ratio, error = time / expected, np.sqrt(off) / expected
        if relative is not None:
            names = ("agent", "relative_aht", "relative_aht_sd")
            rows = as_polars(relative, "relative", names, "a model of handle time")
            rows = rows.filter(pl.col("agent") == agent)
            if rows.height:
                ratio, error = float(rows[names[1]][0]), float(rows[names[2]][0])
        half = normal_quantile(level) * error
        mean, all_mean = time / handled, float(frame["handle_s"].sum()) / all_handled
        spread = normal_quantile(level) * np.sqrt(off) / handled
        lines += [
            ("average handle time", "s", mean, mean - spread, mean + spread, all_mean,
             round(handled)),
            ("handle time relative to such calls", "", ratio, ratio - half, ratio + half, 1.0,
             round(handled)),
        ]  # fmt: skip
    return lines + _share("transferred", moved, answered, (all_moved, all_answered), level)


def _of_reviews(frame: pl.DataFrame, agent: str, level: float) -> list[Line]:
    import polars as pl

    lines: list[Line] = []
    if not frame.height or not frame["items_marked"].sum():
        return lines
    found = error_rates(frame, by=["agent"], level=level)
    for sampled, words in (("random", "at random"), ("targeted", "for a reason")):
        whole = found.overall.filter(pl.col("sampled") == sampled)
        mine = found.groups.filter(pl.col("sampled") == sampled, pl.col("agent") == agent)
        if not whole.height:
            continue
        name = f"items wrong, calls chosen {words}"
        if not mine.height or mine["item_error"][0] is None:
            lines.append((name, "share", None, None, None, whole["item_error"][0], 0))
            continue
        row, every = mine.row(0, named=True), whole.row(0, named=True)
        n = row["items_marked"] if row["reviews"] is None else row["reviews"]
        lines.append(
            (name, "share", row["item_error"], row["item_error_low"], row["item_error_high"],
             every["item_error"], n)
        )  # fmt: skip
        if sampled == "random" and row["critical_error"] is not None:
            lines.append(
                ("calls with a critical error", "share", row["critical_error"],
                 row["critical_error_low"], row["critical_error_high"], every["critical_error"],
                 row["reviews"])
            )  # fmt: skip
    return lines


def _of_surveys(frame: pl.DataFrame, agent: str, top_from: float, level: float) -> list[Line]:
    import polars as pl

    mine = frame.filter(pl.col("agent") == agent)
    said = [each.filter(pl.col("score").is_not_null()) for each in (mine, frame)]
    top = [float(each.filter(pl.col("score") >= top_from)["surveys"].sum()) for each in said]
    n = [float(each["surveys"].sum()) for each in said]
    asked = [float(each["surveys"].sum()) for each in (mine, frame)]
    return [
        *_share("surveys answered", n[0], asked[0], (n[1], asked[1]), level),
        *_share("satisfied, of those who answered", top[0], n[0], (top[1], n[1]), level),
    ]


def _of_contacts(frame: pl.DataFrame, agent: str, level: float) -> list[Line]:
    import polars as pl

    days = int(frame["window_days"].min()) if frame.height else 0  # type: ignore[arg-type]
    frame = frame.filter(pl.col("window_days") == days)
    n, again = _sum(frame.filter(pl.col("agent") == agent), "first_contacts", "again")
    every, more = _sum(frame, "first_contacts", "again")
    name = f"first contacts not asked again within {counted(days, 'day')}"
    return _share(name, n - again, n, (every - more, every), level)


def _figures(number: int) -> str:
    return counted(number, "figure is", "figures are")


def _of_tickets(frame: pl.DataFrame, agent: str, level: float) -> list[Line]:
    import polars as pl

    told = frame.filter(pl.col("reopened").is_not_null())
    once = told.filter((pl.col("state") == "closed") | pl.col("reopened"))
    mine = once.filter(pl.col("agent") == agent)
    back = [float(each.filter(pl.col("reopened"))["tickets"].sum()) for each in (mine, once)]
    n = [float(each["tickets"].sum()) for each in (mine, once)]
    return _share("tickets opened again", back[0], n[0], (back[1], n[1]), level)
