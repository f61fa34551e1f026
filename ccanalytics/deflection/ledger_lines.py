"""The lines of the ledger, each made of counts with its base and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.deflection.channels import name_of, named_places
from ccanalytics.deflection.handled import longer_by
from ccanalytics.deflection.shares import REMOVING_STAGES
from ccanalytics.results import Check, Estimate
from ccanalytics.statistics import wilson
from ccanalytics.statistics.checking import normal_quantile
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.deflection.funnel import Funnel

__all__ = ["ledger_checks", "lines_of", "opened", "unrecorded"]

_PLACE = ("channel", "stage")
_BASES = {
    "sent": "offers or sessions",
    "accepted": "taken up",
    "eligible": "eligible contacts",
    "followed": "completed, followed",
    "failed_followed": "not completed, followed",
}
_SHARES = {
    "acceptance": ("accepted", "sent"),
    "completion": ("completed", "accepted"),
    "gross_deflection": ("completed", "eligible"),
    "leakage": ("recontacted", "followed"),
    "net_deflection": ("completed", "eligible"),
    "failed_recontact": ("failed_recontacted", "failed_followed"),
}


def opened(frame: pl.DataFrame) -> pl.DataFrame:
    """Add up episodes by the place where they begin."""
    import polars as pl

    return (
        frame.group_by(*_PLACE)
        .agg(pl.col("episodes", "settled", "reached", "agent_s").sum())
        .filter(pl.col("episodes") > 0)
        .with_columns(
            agent_hours=pl.col("agent_s") / 3600,
            settled_share=pl.col("settled") / pl.col("episodes"),
            reached_share=pl.col("reached") / pl.col("episodes"),
        )
        .drop("agent_s")
        .sort("episodes", *_PLACE, descending=[True, False, False])
    )


def lines_of(
    funnel: Funnel, frame: pl.DataFrame, place: tuple[str, str], level: float
) -> list[dict[str, Any]]:
    """Give the lines of one channel and stage."""
    totals = funnel.totals
    at = totals.filter(
        (totals["channel"] == place[0])
        & (totals["stage"] == place[1])
        & (totals["window_days"] == funnel.window_days)
    ).row(0, named=True)
    lines = []
    for name, (_, bottom) in _SHARES.items():
        if at.get(name) is not None:
            found = Estimate(at[name], at[f"{name}_low"], at[f"{name}_high"], level)
            lines.append(_line(name, found, "share", at[bottom], _BASES[bottom]))
    rows = frame.filter((frame["channel"] == place[0]) & (frame["stage"] == place[1]))
    if place[1] == "during_call":
        return [*lines, *_assists(rows, level)]
    if place[1] not in REMOVING_STAGES or not rows.height:
        return lines
    touched = int(rows["touched"].sum())
    lines += [
        _line(
            "failed_calls", Estimate(touched, touched, touched, level), "calls", touched, "calls"
        ),
        _line(
            "failed_hours",
            _exact(float(rows["touched_s"].sum()) / 3600, level),
            "h",
            touched,
            "calls",
        ),
    ]
    longer = longer_by(rows, level)
    if longer is not None:
        lines.append(_line("failed_longer_s", longer[0], "s", longer[1], "calls compared"))
    watched = int(rows["watched"].sum())
    if watched:
        lines.append(_line("called_more", _change(rows, level), "per contact", watched, "contacts"))
    seen = int(rows["looked_back"].sum())
    if seen:
        x = int(rows["from_elsewhere"].sum())
        found = Estimate(x / seen, *wilson(x, seen, level), level)
        lines.append(_line("from_elsewhere", found, "share", seen, "completed, looked back on"))
    return lines


def _assists(rows: pl.DataFrame, level: float) -> list[dict[str, Any]]:
    found = longer_by(rows, level) if rows.height else None
    if found is None:
        return []
    change, n = found
    taken = int(rows["touched"].sum())
    value, low, high = (x * taken / 3600 for x in (change.value, change.low, change.high))
    hours = Estimate(value, low, high, level)
    return [
        _line("assist_longer_s", change, "s", n, "calls compared"),
        _line("assist_hours", hours, "h", taken, "calls that took it"),
    ]


def _change(rows: pl.DataFrame, level: float) -> Estimate:
    """After less before, per contact; the variance is over customers."""
    n = float(rows["watched"].sum())
    value = (float(rows["asked_after"].sum()) - float(rows["asked_before"].sum())) / n
    nn, xn, xx = (float(rows[f"change_{part}"].sum()) for part in ("nn", "xn", "xx"))
    error = np.sqrt(max(xx - 2 * value * xn + value**2 * nn, 0.0)) / n
    half = normal_quantile(level) * float(error)
    return Estimate(value, value - half, value + half, level)


def _line(name: str, found: Estimate, unit: str, base: int, base_of: str) -> dict[str, Any]:
    return {
        "line": name,
        "value": found.value,
        "value_low": found.low,
        "value_high": found.high,
        "unit": unit,
        "base": base,
        "base_of": base_of,
    }


def _exact(value: float, level: float) -> Estimate:
    return Estimate(float(value), float(value), float(value), level)


def ledger_checks(frame: pl.DataFrame) -> list[Check]:
    """Say what the lines leave open."""
    taken, unknown = (int(frame[name].sum()) for name in ("taken_up", "unknown"))
    checks = []
    if unknown:
        checks.append(
            Check(
                "unknown customers",
                "fails" if unknown > taken / 2 else "informs",
                f"{unknown:,} of {taken:,} contacts taken up ({unknown / taken:.0%}) have no known "
                "customer: what came after them is not seen",
            )
        )
    if frame.height:
        checks += [
            Check(
                "handle time",
                "informs",
                "calls after a failed contact, and calls with an assist, are compared with others "
                "of the same service: an association, since callers were not chosen by lot",
            ),
            Check(
                "induced contacts",
                "informs",
                "a log cannot tell a call that the channel caused from one that would have come "
                "anyway: both are in the calls brought, which bound it from above",
            ),
        ]
    return checks


def unrecorded(funnel: Funnel, rollouts: Any, services: Any) -> list[Check]:
    """Say which channels the log names without a record of any."""
    live = named_places(rollouts, services)
    missing = {place: n for place, n in live.items() if place not in funnel.places}
    if not missing:
        return []
    told = "; ".join(
        f"{name_of(*place)} (live for {counted(n, 'service')})" for place, n in missing.items()
    )
    return [
        Check(
            "channels without a record",
            "fails",
            f"{told}: named in the log, but no contact of it was loaded, so nothing here says what "
            "it does",
        )
    ]
