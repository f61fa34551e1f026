"""Which model foretells who hangs up: fitted on a log's first part, scored on its second."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.staffing.abandonment_models import abandonment_models
from ccanalytics.staffing.callers import Unknown
from ccanalytics.staffing.measured import ON_CALLS
from ccanalytics.statistics.frames import as_polars

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from ccanalytics.staffing.abandonment_models import AbandonmentModels
    from ccanalytics.statistics import PatienceCurve

__all__ = ["foretold", "split_day"]

_KEPT = ("interval_start", "local_start", "interval_s", "offered", "abandoned")


def split_day(demand: Any, share: float = 0.5) -> date | None:
    """Find the local day that parts a span in two; None where there are no two days.

    Parameters
    ----------
    demand
        Frame with ``local_start``.
    share
        Of the days that lie before it, 0–1.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> days = [datetime(2025, 3, d) for d in range(1, 11)]
    >>> split_day(pl.DataFrame({"local_start": days}))
    datetime.date(2025, 3, 6)
    """
    import polars as pl

    starts = as_polars(demand, "demand", ["local_start"], "log.demand(every)")["local_start"]
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
        raise InputError("share must lie between 0 and 1", f"share={share!r}")
    if starts.dtype.base_type() not in (pl.Datetime, pl.Date, pl.Null):
        raise InputError(
            "local_start must hold times",
            f"demand: its type is {starts.dtype}",
            "take it from log.demand(every)",
        )
    days: list[date] = starts.drop_nulls().cast(pl.Date).unique().sort().to_list()
    if len(days) < 2:
        return None
    whole = (days[-1] - days[0]).days + 1
    return days[0] + timedelta(days=min(max(round(share * whole), 1), whole - 1))


def foretold(
    waits: Any, before: Any, after: Any, *, states: Any = None, inferred: Any = None,
    min_calls: float = 30, resamples: int = 1000, seed: int = 1, level: float = 0.95,
) -> AbandonmentModels | Unknown:  # fmt: skip
    """Fit patience and handle time on a log's first part, and score models on the part after it.

    Parameters
    ----------
    waits
        Frame of ``log.waits()``, of the first part.
    before, after
        Frames of ``log.intervals("1h")``, of the first part and of the second.
    states, inferred
        Frames of ``log.agent_time("1h")`` and of ``log.agents_present("1h")``, of the second part.
        States are measured and go first; without either nothing can be foretold.
    min_calls, resamples, seed, level
        As :func:`abandonment_models` takes them.

    Returns
    -------
    AbandonmentModels or Unknown
        The scores and the winner; or what these data cannot tell, and why.
    """
    import polars as pl

    first = as_polars(before, "before", [*_KEPT, "handled", "handle_s"], 'log.intervals("1h")')
    second = as_polars(after, "after", _KEPT, 'log.intervals("1h")')
    try:
        present = _present(states, inferred)
        return abandonment_models(
            second.join(present, on="interval_start", how="left").with_columns(
                aht_s=pl.lit(None, pl.Float64)
            ),
            *_patience(waits, level),
            fitted_abandonment=_share(first),
            aht_s=_handle_times(first),
            min_calls=min_calls, resamples=resamples, seed=seed, level=level,
        )  # fmt: skip
    except DataError as error:
        reason = f"{error.what} ({error.where})" if error.where else error.what
        inputs = {"min_calls": min_calls, "level": level}
        return Unknown(what="which model foretells who hangs up", reason=reason, inputs=inputs)


def _share(intervals: pl.DataFrame) -> float:
    offered, abandoned = intervals.select("offered", "abandoned").sum().row(0)
    return float(abandoned) / max(float(offered), 1.0)


def _patience(waits: Any, level: float) -> tuple[PatienceCurve, float]:
    """The log's own curve of patience, and the mean of the exponential law that fits it best."""
    from ccanalytics.statistics import PatienceCurve, patience

    fitted = patience(waits, level=level)
    law = fitted.law()
    if not isinstance(law, PatienceCurve):
        raise DataError("too few callers gave up for a curve of patience of their own")
    return law, fitted.quantile("exponential_patience_s").value


def _handle_times(intervals: pl.DataFrame) -> dict[int, float]:
    """Mean seconds by hour of the day."""
    import polars as pl

    hour = pl.col("local_start").dt.hour().alias("hour")
    mean = pl.col("handle_s").sum() / pl.col("handled").sum()
    known = intervals.group_by(hour).agg(mean).filter(pl.col("handle_s") > 0)
    if not known.height:
        raise DataError("the log does not know how long calls took")
    return dict(known.iter_rows())


def _present(states: Any, inferred: Any) -> pl.DataFrame:
    """Mean agents of each interval: measured, or else inferred from calls."""
    import polars as pl

    if states is not None:
        names = ["interval_start", "interval_s", "state", "actual_s"]
        rows = as_polars(states, "states", names, 'log.agent_time("1h")')
        rows = rows.filter(pl.col("state").is_in(ON_CALLS), pl.col("actual_s").is_not_null())
        if rows.height:
            of_time = pl.col("actual_s").sum() / pl.col("interval_s").first()
            return rows.group_by("interval_start").agg(agents_present=of_time)
    if inferred is None:
        raise DataError("the log has neither agent states nor the agent of each call")
    names = ["interval_start", "agents_present"]
    return as_polars(inferred, "inferred", names, 'log.agents_present("1h")').select(names)
