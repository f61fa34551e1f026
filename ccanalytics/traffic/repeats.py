"""Repeat callers: of the callers we know, how many call again, and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.statistics import wilson
from ccanalytics.statistics.checking import check_level
from ccanalytics.traffic._door import as_polars, check_counts

if TYPE_CHECKING:
    import polars as pl

__all__ = ["RepeatCallers", "repeat_callers"]

# A share of fewer calls leads no sentence; one of fewer than this is told with its limits.
_FIRM, _FEW = 30, 100


@dataclass(frozen=True, eq=False, kw_only=True)
class RepeatCallers(Result):
    """Share of calls after which the same customer called again, per group and window.

    Attributes
    ----------
    shares
        The keys of the roll-up, ``window_s``, ``followed``, ``again``, ``recontact`` with
        ``recontact_low`` and ``recontact_high``; null where no call could be followed.
    keys
        Names of the key columns.
    """

    shares: pl.DataFrame
    keys: tuple[str, ...]

    def summary(self) -> str:
        """Shares in words, group by group, and the definition."""
        import polars as pl

        known = self.shares.filter(pl.col("followed") > 0)
        windows = known["window_s"].unique().sort().to_list()
        parts = []
        if self.keys:
            # The group with most calls, and the one that calls again most; the chart has them all.
            told = pl.concat(
                [
                    self.firm(windows[-1]).sort(name, descending=True).head(1)
                    for name in ("followed", "recontact")
                ]
            ).select(self.keys)
            known = known.join(told, on=self.keys, how="semi", nulls_equal=True)
        for window in windows:
            rows = known.filter(pl.col("window_s") == window).sort("followed", descending=True)
            shares = [
                f"{row['recontact']:.1%} of {self.label(row)}{_limits(row)}"
                for row in rows.iter_rows(named=True)
            ]
            if shares:
                parts.append(f"within {words(window)} after {_listed(shares)}")
        level = f"{100 * self.inputs['level']:g}%"
        return (
            f"The same customer called again {'; '.join(parts)}. Only calls of known customers "
            f"whose window ended inside the log are counted "
            f"({self._followed():,} for the shortest window); limits are Wilson's at {level}."
        )

    def firm(self, window_s: float) -> pl.DataFrame:
        """Give the groups with 30 followed calls or more; the largest, where none has."""
        import polars as pl

        rows = self.shares.filter(pl.col("window_s") == window_s, pl.col("followed") > 0)
        most = rows["followed"].to_numpy().max(initial=0)
        return rows.filter(pl.col("followed") >= min(_FIRM, most))

    def _followed(self) -> int:
        shortest = self.shares.filter(self.shares["window_s"] == self.shares["window_s"].min())
        return int(shortest["followed"].sum())

    def label(self, row: dict[str, Any]) -> str:
        """Name the group of a row by its keys."""
        names = [
            "unknown" if row[key] is None
            # Outcomes are the project's own words; other keys are the centre's.
            else str(row[key]).replace("_", " ") if key == "outcome" else str(row[key])
            for key in self.keys
        ]  # fmt: skip
        return f"the {', '.join(names)} calls" if names else "all calls"

    def to_frame(self) -> pl.DataFrame:
        """Give the shares: one row per group and window."""
        return self.shares


def repeat_callers(recontacts: Any, *, level: float = 0.95) -> RepeatCallers:
    """Give the share of calls that the same customer followed with another, with limits.

    Parameters
    ----------
    recontacts
        Frame of ``log.recontacts(within_s=(…), by=(…))``: keys, window_s, followed, again.
    level
        Of Wilson's limits, 0–1.

    Raises
    ------
    DataError
        No call of a known customer could be followed to the end of a window.
    InputError
        Missing columns, or more calls again than were followed.

    Examples
    --------
    >>> import polars as pl
    >>> counts = pl.DataFrame({"outcome": ["abandoned"], "window_s": [3600], "followed": [100],
    ...                        "again": [10]})
    >>> repeat_callers(counts).shares.select(pl.col("recontact_low", "recontact_high").round(4))
    shape: (1, 2)
    ┌───────────────┬────────────────┐
    │ recontact_low ┆ recontact_high │
    │ ---           ┆ ---            │
    │ f64           ┆ f64            │
    ╞═══════════════╪════════════════╡
    │ 0.0552        ┆ 0.1744         │
    └───────────────┴────────────────┘
    """
    import polars as pl

    check_level(level)
    measures = ("window_s", "followed", "again")
    rows = as_polars(
        recontacts,
        "the frame of repeat calls",
        measures,
        "take it from log.recontacts(within_s=(600, 3600, 86400))",
    )
    check_counts(rows, measures)
    rows = rows.with_columns(pl.col("followed", "again").fill_null(0))
    if not rows["followed"].sum():
        raise DataError(
            "repeat calls cannot be counted: no call of a known customer could be followed to "
            "the end of a window",
            "followed is 0 throughout",
            "load a source that says who called, or a longer span",
        )
    if rows.filter(pl.col("again") > pl.col("followed")).height:
        raise InputError("more calls again than were followed", "column again", "check the counts")
    keys = tuple(name for name in rows.columns if name not in measures)
    low, high = wilson(rows["again"].to_numpy(), rows["followed"].to_numpy(), level)
    shares = rows.select(
        *keys,
        *measures,
        (pl.col("again") / pl.col("followed")).fill_nan(None).alias("recontact"),
        pl.Series("recontact_low", low).fill_nan(None),
        pl.Series("recontact_high", high).fill_nan(None),
    ).sort(*keys, "window_s", nulls_last=True)
    unknown = shares.filter(pl.col("followed") == 0).select(*keys).unique() if keys else None
    checks = [
        Check(
            "Independence of calls",
            "informs",
            "taken for granted: a customer who calls often stands in the counts often, so the "
            "limits are somewhat too narrow",
        ),
        Check(
            "Unknown callers",
            "informs",
            "a share is too low where a customer's next call does not say who called",
        ),
    ]
    if unknown is not None and unknown.height:
        names = ", ".join(sorted(" ".join(map(str, row)) for row in unknown.iter_rows()))
        checks.append(Check("Groups never followed", "informs", f"no known customers in: {names}"))
    return RepeatCallers(shares=shares, keys=keys, inputs={"level": level}, checks=tuple(checks))


def words(seconds: float) -> str:
    """Write a window as it is said.

    >>> words(600), words(3600), words(604800)
    ('10 min', '1 h', '7 days')
    """
    if seconds % 86400 == 0 and seconds > 86400:
        return f"{seconds / 86400:.0f} days"
    if seconds % 3600 == 0:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 60:.0f} min" if seconds % 60 == 0 else f"{seconds:g} s"


def _limits(row: dict[str, Any]) -> str:
    """Say, of few calls, how little their share tells."""
    if row["followed"] >= _FEW:
        return ""
    low, high = row["recontact_low"], row["recontact_high"]
    return f" ({row['followed']:,.0f} of them only; {low:.0%} to {high:.0%})"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
