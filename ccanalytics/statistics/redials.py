"""How many of those who gave up call again, and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import as_polars, check_counts, key_columns, label_of, spoken
from ccanalytics.statistics.survival import kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["Redials", "redials"]

_COLUMNS = ("seconds", "again", "calls")
_HOUR = 3600.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Redials(Result):
    """Share of abandoned callers who called again, by window, and their delays.

    Attributes
    ----------
    shares
        Per group and window: keys, ``window_s``, ``calls`` (abandoned, of known customers),
        ``redial`` with ``redial_low`` and ``redial_high``; null beyond what the log follows.
    delays
        Per group: keys, ``redial_p25_s``, ``redial_p50_s``, ``redial_p75_s`` of the delay among
        those who call again within the longest window.
    laws
        Per group (values of its keys): a frame ``seconds``, ``calls`` of the delays within the
        longest window, as ``simulation.Retry`` takes observed times.
    """

    shares: pl.DataFrame
    delays: pl.DataFrame
    laws: dict[tuple[Any, ...], pl.DataFrame]
    keys: tuple[str, ...]

    def summary(self) -> str:
        """Shares in words, and the definition."""
        import polars as pl

        most = self.shares.group_by(self.keys or [pl.lit(0)], maintain_order=True).agg(
            pl.col("calls").first()
        )
        top = most.sort("calls", descending=True).head(1)
        rows = self.shares
        if self.keys:
            rows = rows.join(top.select(self.keys), on=self.keys, how="semi", nulls_equal=True)
        row = rows.row(0, named=True)
        known = rows.filter(pl.col("redial").is_not_null())
        told = "no window ends within this log"
        if known.height:
            # An hour is what people ask for; else the longest window.
            at = known["window_s"].to_list()
            main = at.index(_HOUR) if _HOUR in at else len(at) - 1
            first = known.row(main, named=True)
            limits = Estimate(first["redial"], first["redial_low"], first["redial_high"],
                              self.inputs["level"])  # fmt: skip
            told = f"{limits.format('{:.1%}')} within {spoken(first['window_s'])}"
            others = [
                f"{each['redial']:.1%} within {spoken(each['window_s'])}"
                for place, each in enumerate(known.iter_rows(named=True))
                if place != main
            ]
            told += "; " + ", ".join(others) if others else ""
        name = label_of(row[key] for key in self.keys)
        return (
            f"Of {row['calls']:,} abandoned calls of known customers{' of ' + name if name else ''}"
            f", the same customer called again: {told}. Kaplan–Meier over the time to the next "
            "arrival, those cut off by the end of the log being followed until then."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the shares."""
        return self.shares


def redials(
    delays: Any, within_s: Sequence[float] = (60, 600, 3600, 86400), *, level: float = 0.95
) -> Redials:
    """Estimate redialling from the delays of ``log.redials(by)``.

    Parameters
    ----------
    delays
        Keys, ``seconds``, ``again``, ``calls``; where ``again`` is false the delay is at least
        ``seconds``.
    within_s
        Windows in seconds.
    level
        Of the limits, 0–1. They take calls as independent, which several of one customer are not.

    Raises
    ------
    DataError
        No abandoned call of a known customer.

    Examples
    --------
    >>> import polars as pl
    >>> seen = pl.DataFrame({"seconds": [30, 3600], "again": [True, False], "calls": [40, 60]})
    >>> redials(seen, [60]).shares["redial"].to_list()
    [0.4]
    """
    import polars as pl

    level = check_level(level)
    windows = sorted({float(w) for w in within_s})
    if not windows or not all(np.isfinite(w) and w > 0 for w in windows):
        raise InputError("windows are seconds above 0, one or more", f"within_s={within_s!r}")
    rows = as_polars(delays, "delays", _COLUMNS, "log.redials(by)")
    check_counts(rows, ["seconds", "calls"], "delays")
    if not rows["calls"].sum():
        raise DataError(
            "no abandoned call is of a known customer, so nobody can be seen calling again",
            "",
            "load a source with the customer of each call",
        )
    keys = key_columns(rows, _COLUMNS)
    parts = {tuple(v): f for v, f in rows.group_by(keys, maintain_order=True)} if keys else {
        (): rows
    }  # fmt: skip
    shares, delayed, laws = [], [], {}
    for values, part in parts.items():
        named = dict(zip(keys, values, strict=True))
        seconds, calls = part["seconds"].cast(float).to_numpy(), part["calls"].to_numpy()
        again = part["again"].to_numpy()
        km = kaplan_meier(seconds, np.where(again, calls, 0), np.where(again, 0, calls), level)
        reach, counted = float(seconds.max()), int(calls.sum())
        for window in windows:
            at = km.at(window)
            known = window <= reach
            limits = (1 - at.value, 1 - at.high, 1 - at.low) if known else (None,) * 3
            shares.append(named | {"window_s": window, "calls": counted} | dict(
                zip(("redial", "redial_low", "redial_high"), limits, strict=True)))  # fmt: skip
        inside = km.seconds <= windows[-1]
        drop = -np.diff(np.concatenate([[1.0], km.survival[inside]]))
        law = pl.DataFrame({"seconds": km.seconds[inside], "calls": drop * counted})
        laws[values] = law.filter(pl.col("calls") > 0)
        steps = np.cumsum(drop) / drop.sum() if drop.sum() > 0 else None
        delayed.append(named | {
            f"redial_p{p}_s": None if steps is None
            else float(km.seconds[inside][np.searchsorted(steps, p / 100 - 1e-12)])
            for p in (25, 50, 75)
        })  # fmt: skip
    kinds: dict[str, Any] = {key: rows.schema[key] for key in keys}
    numbers = dict.fromkeys(("redial", "redial_low", "redial_high"), pl.Float64)
    return Redials(
        shares=pl.DataFrame(shares, schema_overrides=kinds | numbers),
        delays=pl.DataFrame(
            delayed, schema_overrides=kinds | {f"redial_p{p}_s": pl.Float64 for p in (25, 50, 75)}
        ),
        laws=laws,
        keys=tuple(keys),
        inputs={"within_s": windows, "level": level},
        checks=(
            Check(
                "Callers left out",
                "informs",
                "only customers whom the log knows are followed; if it knows those who redial "
                "better than others, the shares are too high",
            ),
        ),
    )
