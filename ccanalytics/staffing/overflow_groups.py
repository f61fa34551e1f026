"""Groups of lines that overflow to a common one: what is turned away comes in bunches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.queueing import (
    erlang_b,
    overflow,
    overflow_blocking,
    servers_for_blocking,
    servers_for_overflow,
)
from ccanalytics.queueing.overflow import Method, Overflow
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import check_number, check_share, counted
from ccanalytics.staffing.callers import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

__all__ = ["OverflowPlan", "groups_measured", "no_line_groups", "overflow_plan"]

_METHODS = {
    "wilkinson": "Equivalent random theory (Wilkinson)",
    "hayward": "Hayward's formula",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class OverflowPlan(Result):
    """Primary groups, and the common group that takes what they turn away.

    Attributes
    ----------
    frame
        Per ``line_group``: ``load`` offered, ``lines``, ``blocking`` (turned away by the group),
        ``overflow_erlangs`` and ``peakedness`` of what it turns away, ``lost`` (share of its calls
        that meet a busy signal in the end), ``lines_alone`` (what it would need by itself).
    common
        Lines of the common group.
    stream
        What comes to the common group: mean, variance, peakedness.
    random_common
        Lines that Erlang B would give the common group if its calls came at random.
    pooled_lines
        Lines of one group for all calls at the same blocking.
    """

    frame: pl.DataFrame
    common: int
    stream: Overflow
    random_common: int
    pooled_lines: int

    @property
    def lines(self) -> int:
        """Lines in all."""
        return int(self.frame["lines"].sum()) + self.common

    @property
    def blocking(self) -> float:
        """Share of all calls that meet a busy signal in the end."""
        load = self.frame["load"].to_numpy()
        return float(load @ self.frame["lost"].to_numpy() / load.sum()) if load.sum() else 0.0

    def summary(self) -> str:
        """Lines of the common group, why Erlang B is not enough, and what sharing saves."""
        groups, method = self.frame.height, _METHODS[self.inputs["method"]]
        who = counted(groups, "group") + (" turns" if groups == 1 else " turn")
        sums = (
            f"{counted(self.lines, 'line')} in all, against "
            f"{int(self.frame['lines_alone'].sum()):,} for groups by themselves and "
            f"{self.pooled_lines:,} for one group of all"
        )
        if not self.common:
            enough = self.blocking <= self.inputs["max_blocking"] * (1 + 1e-9)
            needed = "is needed" if enough else "is there"
            return (
                f"No common group {needed}: {who} away {self.blocking:.2%} of all calls. {sums}. "
                f"{method}."
            )
        bunched = (
            f" (taken as random, {counted(self.random_common, 'line')} would seem to do)"
            if self.common != self.random_common
            else ""
        )
        return (
            f"{who} away {self.stream.mean:.2f} erlangs of peakedness "
            f"{self.stream.peakedness:.2f}; {counted(self.common, 'common line')} keep the busy "
            f"signal to {self.blocking:.2%} of all calls{bunched}. {sums}. {method}; what groups "
            "turn away is taken as independent."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the groups."""
        return self.frame

    def table(self) -> pl.DataFrame:
        """Give the groups as a table to read: of a hundred-thousandth nothing is to be read."""
        shares = [self.frame[name].round(5) for name in ("blocking", "overflow_erlangs", "lost")]
        return self.frame.with_columns(shares)


def overflow_plan(
    groups: Mapping[str, tuple[float, int]],
    *,
    max_blocking: float = 0.01,
    common: int | None = None,
    method: Method = "wilkinson",
) -> OverflowPlan:
    """Size the common group that takes the overflow of several groups of lines.

    Each primary group turns away M = R·B erlangs with variance V; streams of independent groups
    add both. The common group needs the least lines that keep the share of *all* calls lost to
    ``max_blocking``.

    Parameters
    ----------
    groups
        Name → (offered erlangs, lines).
    max_blocking
        Greatest share of all calls that meet a busy signal in the end.
    common
        Lines of the common group, if they are there already; None solves for them.
    method
        ``"wilkinson"`` (exact for one primary group) or ``"hayward"``.

    Returns
    -------
    OverflowPlan

    Raises
    ------
    InputError
        No groups, loads or lines out of their range, or a share that is none.

    Notes
    -----
    Losses are shared among groups in proportion to what each turns away: the common group's
    blocking is taken as the same for all. Callers hold a line of the common group as long as one
    of their own.

    References
    ----------
    R. I. Wilkinson, Bell System Technical Journal 35 (1956), 421–514; A. A. Fredericks, Bell
    System Technical Journal 59 (1980), 805–827.

    Examples
    --------
    >>> plan = overflow_plan({"a": (10, 10), "b": (6, 8)}, common=5, method="hayward")
    >>> round(plan.stream.mean, 5), round(plan.stream.variance, 5)
    (2.87708, 5.73485)
    """
    import polars as pl

    if not hasattr(groups, "items") or not groups:
        raise InputError(
            "groups are a mapping from names to erlangs and lines",
            f"groups={groups!r}",
            'such as {"north": (20.5, 24), "south": (8.0, 12)}',
        )
    check_share("max_blocking", max_blocking, low=0, allow_one=False)
    if not max_blocking:
        raise InputError("a blocking of 0 takes endless lines", "max_blocking=0", "such as 0.001")
    names = [str(name) for name in groups]
    load, lines = np.array([_group(name, pair) for name, pair in groups.items()], float).T
    turned = overflow(load, lines)
    means, variances = np.asarray(turned.mean), np.asarray(turned.variance)
    stream = Overflow(float(means.sum()), float(variances.sum()))
    total = float(load.sum())
    z = float(stream.peakedness)
    if isinstance(method, str) and method == "wilkinson":
        z = max(z, 1.0)  # but for rounding it is
    # Of the stream no more may be lost than max_blocking of all calls.
    share = max_blocking * total / stream.mean if stream.mean else 1.0
    if common is not None:
        common = _whole("common", common)
    elif share >= 1:
        common = 0
    else:
        common = int(servers_for_overflow(stream.mean, z, share, method=method))
    further = float(overflow_blocking(stream.mean, z, common, method=method))
    frame = pl.DataFrame(
        {
            "line_group": names,
            "load": load,
            "lines": lines.astype(np.int64),
            "blocking": np.atleast_1d(erlang_b(load, lines)),
            "overflow_erlangs": means,
            "peakedness": np.atleast_1d(turned.peakedness),
            "lost": np.atleast_1d(erlang_b(load, lines)) * further,
            "lines_alone": np.atleast_1d(servers_for_blocking(load, max_blocking)),
        }
    )
    random_common = 0 if share >= 1 else int(servers_for_blocking(stream.mean, share))
    plan = OverflowPlan(
        frame=frame,
        common=common,
        stream=stream,
        random_common=random_common,
        pooled_lines=int(servers_for_blocking(total, max_blocking)) if total else 0,
        inputs={"max_blocking": max_blocking, "method": method, "common": common},
    )
    met = plan.blocking <= max_blocking * (1 + 1e-9)
    worst = frame.sort("lost", descending=True).row(0, named=True)
    words = (
        f"{plan.blocking:.2%} of all calls, at most {max_blocking:.2%} wanted; most in "
        f"{worst['line_group']}, {worst['lost']:.2%}"
    )
    bunched = (
        f"a stream of peakedness {stream.peakedness:.2f} needs more lines than random calls, which "
        f"would need {random_common:,}"
    )
    checks = [Check("Busy signals", "holds" if met else "fails", words)]
    if common:
        checks.append(Check("Overflow comes in bunches", "informs", bunched))
    return replace(plan, checks=tuple(checks))


def _group(name: Any, pair: Any) -> tuple[float, int]:
    try:
        load, lines = pair
    except (TypeError, ValueError) as error:
        raise InputError(
            "a group has erlangs and lines", f"{name!r}: {pair!r}", "such as (20.5, 24)"
        ) from error
    load = check_number(f"load of {name!r}", load)
    if load < 0:
        raise InputError("a load is 0 erlangs or more", f"{name!r}: {load:g}")
    return load, _whole(f"lines of {name!r}", lines)


def _whole(name: str, value: Any) -> int:
    number = check_number(name, value)
    if number < 0 or number != int(number):
        raise InputError("lines are whole, 0 or more", f"{name}={value!r}")
    return int(number)


def groups_measured(
    busy_hours: pl.DataFrame, lines: pl.DataFrame, given: str = ""
) -> dict[str, tuple[float, int]]:
    """Give groups with their busy-hour load and their lines, as the log has them.

    Parameters
    ----------
    busy_hours
        Frame of ``log.busy_hours("line_group")``: the mean load of each group's busy hour.
    lines
        Frame of ``log.lines(every, "line_group")``: ``lines`` of the table of line groups where
        the log has it, else the most seen in use.
    given
        Lines instead of these, such as ``"AA01 12, AA02 10"``.

    Returns
    -------
    dict
        Name → (erlangs, lines), for :func:`overflow_plan`. Calls of no group are left out.

    Raises
    ------
    InputError
        ``given`` names a group that the log does not have, or no number.
    """
    import polars as pl

    for name, frame, column in (
        ("busy_hours", busy_hours, "consistent_hour_erlangs"), ("lines", lines, "peak_lines"),
    ):  # fmt: skip
        if not isinstance(frame, pl.DataFrame) or not {"line_group", column} <= set(frame.columns):
            raise InputError(
                f"a frame with line_group and {column} is needed",
                f"{name}: {type(frame).__name__}",
                "give log.busy_hours('line_group') and log.lines('1d', 'line_group')",
            )
    load = (
        busy_hours.filter(pl.col("line_group").is_not_null())
        .group_by("line_group", maintain_order=True)
        .agg(pl.col("consistent_hour_erlangs").mean())
    )
    there = pl.col("peak_lines").max()
    if "lines" in lines.columns:
        there = pl.col("lines").last().fill_null(there)
    has = dict(lines.group_by("line_group").agg(there.alias("lines")).iter_rows())
    chosen = _read_lines(given)
    unknown = sorted(set(chosen) - set(load["line_group"]))
    if unknown:
        raise InputError(
            "the log has no such line group",
            f"{unknown[0]!r}",
            "one of: " + ", ".join(map(repr, load["line_group"][:8])),
        )
    return {
        name: (float(erlangs or 0.0), int(chosen.get(name, has.get(name) or 0)))
        for name, erlangs in load.iter_rows()
    }


def no_line_groups() -> Unknown:
    """Stand where a plan of groups would, for a log that names none."""
    return Unknown(
        what="overflow between line groups", reason="no call names its line group", inputs={}
    )


def _read_lines(text: str) -> dict[str, int]:
    """Names, each with its number of lines.

    >>> _read_lines("AA01 12, north west 10")
    {'AA01': 12, 'north west': 10}
    """
    found = {}
    for part in filter(None, (word.strip() for word in str(text).split(","))):
        name, _, number = part.rpartition(" ")
        if not name or not number.isdigit():
            raise InputError(
                "this is no line group with its lines", f"{part!r}", 'such as "AA01 12, AA02 10"'
            )
        found[name.strip()] = int(number)
    return found
