"""First-contact resolution: whose matter was settled by the first contact with an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import (
    as_polars,
    check_counts,
    check_known,
    key_columns,
    key_names,
)
from ccanalytics.statistics.proportions import wilson
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

__all__ = ["Resolution", "first_contact_resolution"]

_COUNTS = (
    *("first_contacts", "again", "transferred", "transferred_again"),
    *("unwatched", "unknown_customers"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Resolution(Result):
    """Share of first contacts after which nobody asked again.

    Attributes
    ----------
    windows
        One row per window: ``window_days``, ``first_contacts``, ``again``, ``resolution`` (1 less
        their share) with limits, ``transfer_rate`` and, of those transferred,
        ``transferred_resolution`` with limits; ``unwatched``.
    groups
        The same by key, for the window asked for, the most contacts first.
    """

    windows: pl.DataFrame
    groups: pl.DataFrame
    keys: tuple[str, ...]
    names: Mapping[str, str | None]

    def within(self, days: int | None = None) -> Estimate:
        """First-contact resolution for one window; default: the one asked for."""
        days = self.inputs["window_days"] if days is None else days
        row = self.windows.filter(self.windows["window_days"] == days)
        if not row.height:
            known = ", ".join(map(str, self.windows["window_days"].to_list()))
            raise InputError("no such window", f"days={days!r}", f"one of {known}")
        names = ("resolution", "resolution_low", "resolution_high")
        value, low, high = (float(row[name][0]) for name in names)
        return Estimate(value, low, high, self.inputs["level"])

    def headline(self) -> str:
        """Say how many matters the first contact settled."""
        return (
            f"After {self.within().format('{:.1%}')} of first contacts the customer did not ask "
            f"again about the same service within {counted(self.inputs['window_days'], 'day')}."
        )

    def summary(self) -> str:
        """Give the windows, and the share among those transferred."""
        row = self.windows.filter(self.windows["window_days"] == self.inputs["window_days"]).row(
            0, named=True
        )
        others = ", ".join(
            f"{each['resolution']:.1%} within {counted(each['window_days'], 'day')}"
            for each in self.windows.iter_rows(named=True)
            if each["window_days"] != self.inputs["window_days"] and each["first_contacts"]
        )
        moved = row["transferred_resolution"]
        told = (
            "" if moved is None else
            f" {row['transfer_rate']:.1%} were transferred; of these {moved:.1%} did not ask again."
        )  # fmt: skip
        return (
            f"{self.headline()} {others + '. ' if others else ''}"
            f"{counted(row['first_contacts'], 'first contact')} of known customers, followed to "
            f"the end of the window; Wilson intervals.{told} Not asking again is not the same as "
            "being settled: who gave up, or asked elsewhere, counts as settled too."
        )  # fmt: skip

    def table(self) -> pl.DataFrame:
        """Give the windows without most limits, for reading."""
        limits = ["transferred_resolution_low", "transferred_resolution_high"]
        return self.windows.drop(*limits, "transferred", "transferred_again", "unknown_customers")

    def to_frame(self) -> pl.DataFrame:
        """Give the windows."""
        return self.windows


def first_contact_resolution(
    contacts: Any,
    *,
    window_days: int = 7,
    by: Iterable[str] | None = None,
    level: float = 0.95,
    names: Mapping[str, str | None] | None = None,
) -> Resolution:
    """Estimate the share of first contacts after which the customer did not ask again.

    1 − again/contacts with Wilson limits, for every window of the frame.

    Parameters
    ----------
    contacts
        Frame of ``CallLog.resolutions(window_days, by)``; polars or pandas.
    window_days
        The window of the groups and of the headline.
    by
        Keys to group by; default: all of the frame.
    level
        Of the limits.
    names
        Names of keys, for the words.

    Raises
    ------
    InputError
        A frame without its columns, a window that it does not hold.
    DataError
        No first contact could be followed.

    Examples
    --------
    >>> import polars as pl
    >>> seen = pl.DataFrame({"window_days": [7], "first_contacts": [1000], "again": [90],
    ...     "transferred": [50], "transferred_again": [10], "unwatched": [30],
    ...     "unknown_customers": [40]})
    >>> print(first_contact_resolution(seen).within().format("{:.3f}"))
    0.910 (95% interval 0.891 to 0.926)
    """
    import polars as pl

    level = check_level(level)
    rows = as_polars(contacts, "contacts", ("window_days", *_COUNTS), "log.resolutions()")
    check_counts(rows, _COUNTS, "contacts")
    check_known(rows, ["first_contacts", "again"], "contacts")
    keys = key_columns(rows, ["window_days", *_COUNTS])
    chosen = keys if by is None else key_names(by)
    if set(chosen) - set(keys):
        raise InputError("the frame has no such key", f"by={chosen!r}", ", ".join(keys))
    known = sorted(rows["window_days"].unique().to_list())
    if window_days not in known:
        raise InputError(
            "the frame does not hold this window",
            f"window_days={window_days!r}",
            "one of " + ", ".join(map(str, known)),
        )
    mine = rows.filter(pl.col("window_days") == window_days)
    if not mine["first_contacts"].sum():
        raise DataError(
            "no first contact can be followed to the end of the window",
            f"{int(mine['unwatched'].sum()):,} answered calls too near to an end of the log, "
            f"{int(mine['unknown_customers'].sum()):,} of unknown customers",
            "take a shorter window, or more of the log",
        )
    checks = []
    for name, what in (
        ("unwatched", "answered calls are too near to an end of the log to be followed"),
        ("unknown_customers", "answered calls are of unknown customers"),
    ):
        number = int(mine[name].sum())
        if number:
            checks.append(
                Check(name.replace("_", " "), "informs", f"{number:,} {what}, and left out")
            )
    services = (
        "service" in keys and mine.filter(pl.col("service").is_null())["first_contacts"].sum()
    )
    if services:
        checks.append(
            Check("unknown service", "informs",
                  f"{services:,} first contacts are about no known service: they count as about "
                  "one and the same")
        )  # fmt: skip
    groups = _shares(mine, chosen, level) if chosen else _shares(mine, ["window_days"], level)
    flags = [True, *(False for _ in chosen)]
    people = "agent" in chosen
    return Resolution(
        inputs={"window_days": window_days, "by": chosen, "level": level},
        checks=tuple(checks),
        windows=_shares(rows, ["window_days"], level).sort("window_days"),
        groups=groups.sort(chosen)
        if people
        else groups.sort("first_contacts", *chosen, descending=flags),
        keys=tuple(chosen),
        names=names or {},
    )


def _shares(rows: pl.DataFrame, keys: list[str], level: float) -> pl.DataFrame:
    import polars as pl

    sums = rows.group_by(keys).agg(pl.col(_COUNTS).sum())
    n, x, m, y = (
        sums[name].cast(float).to_numpy()
        for name in ("first_contacts", "again", "transferred", "transferred_again")
    )
    low, high = wilson(n - x, n, level)
    lower, upper = wilson(m - y, m, level)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = sums.with_columns(
            resolution=pl.Series(1 - x / n),
            resolution_low=pl.Series(low),
            resolution_high=pl.Series(high),
            transfer_rate=pl.Series(m / n),
            transferred_resolution=pl.Series(1 - y / m),
            transferred_resolution_low=pl.Series(lower),
            transferred_resolution_high=pl.Series(upper),
        )
    shares = [name for name in found.columns if name not in (*keys, *_COUNTS)]
    return found.select(
        *keys,
        "first_contacts",
        "again",
        *shares[:3],
        "transferred",
        "transferred_again",
        *shares[3:],
        "unwatched",
        "unknown_customers",
    ).with_columns(pl.col(shares).fill_nan(None))
