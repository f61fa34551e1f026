"""What a log says of its callers: patience, redials and variation, and what it cannot tell."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ccanalytics.dates import read_dates
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.statistics.frames import as_polars, key_columns, spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from ccanalytics.statistics import Overdispersion, Patience, PatienceCurve, Redials

__all__ = ["Callers", "Unasked", "Unknown", "callers"]

_WAITS = ("outcome", "queued", "seconds", "calls")
_FEWEST, _MOST_GROUPS = 50, 6
_SHOWN_S = 3600.0  # the window of redials that the summary tells
_TOLD = ("Few abandonments", "Exponential law", "Leaving at short waits")
_FROM_LOG = 'write "none", "log", or mean seconds such as 120'


@dataclass(frozen=True, eq=False, kw_only=True)
class Unknown(Result):
    """What a log cannot tell, and why: stands in a report where the answer would."""

    what: str
    reason: str

    def summary(self) -> str:
        """The reason in a sentence."""
        return (
            f"{self.what[:1].upper()}{self.what[1:]} cannot be told from this log: {self.reason}."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give one row: what, and why."""
        import polars as pl

        return pl.DataFrame({"part": [self.what], "reason": [self.reason]})


@dataclass(frozen=True, eq=False, kw_only=True)
class Unasked(Result):
    """What was not asked for, and how to ask: stands in a report where the answer would.

    Examples
    --------
    >>> Unasked(what="No weeks ahead were asked for", remedy="set -p weeks_ahead=2").summary()
    'No weeks ahead were asked for: set -p weeks_ahead=2.'
    """

    what: str
    remedy: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()

    def summary(self) -> str:
        """Why there is nothing, and what to set."""
        return f"{self.what}: {self.remedy}."

    def to_frame(self) -> pl.DataFrame:
        """Give one row: what, and the remedy."""
        import polars as pl

        return pl.DataFrame({"what": [self.what], "remedy": [self.remedy]})


@dataclass(frozen=True, eq=False, kw_only=True)
class Callers(Result):
    """What a log says of those who call; a part that it cannot tell is None, with the reason.

    Attributes
    ----------
    patience
        Of all callers who had to wait.
    by_group
        The same by the first key of the waits whose groups differ; None where none does.
    redials
        Who gave up and called again.
    variation
        How volumes vary beyond chance.
    missing
        Name of each part that is None, and why.
    """

    patience: Patience | None
    by_group: Patience | None
    redials: Redials | None
    variation: Overdispersion | None
    missing: dict[str, str]

    def law(self, asked: Any = "log") -> PatienceCurve | float | None:
        """The patience to plan with.

        Parameters
        ----------
        asked
            ``"log"``: the log's own curve (exponential where few gave up, None where too few);
            ``"none"``: None, callers wait without end; or mean seconds, as a number or text.

        Raises
        ------
        InputError
            Anything else.
        """
        if asked == "log":
            return self.patience.law() if self.patience is not None else None
        if asked is None or asked == "none":
            return None
        return _seconds(asked)

    def mean_s(self, asked: Any = "log") -> float | None:
        """The same as the mean of an exponential law, for methods that know no other."""
        if asked == "log":
            found = self.patience
            return None if found is None else found.quantile("exponential_patience_s").value
        return _seconds(asked) if asked not in (None, "none") else None

    def unknown(self, part: str) -> Unknown | None:
        """Why a part is None, such as ``redials``; None where the log tells it."""
        if part not in self.missing:
            return None
        named = {"by_group": "patience by group", "variation": "variation of volumes"}
        return Unknown(what=named.get(part, part), reason=self.missing[part], inputs=self.inputs)

    def doubts(self, asked: Any) -> tuple[Check, ...]:
        """What a plan must say of the patience asked for, as checks that travel with it."""
        if asked != "log":
            return ()
        if self.patience is None:
            words = (
                f"{self.missing['patience']}; the plan was made as if nobody gave up (Erlang C), "
                "which asks for most agents"
            )
            return (Check("Patience from the log", "fails", words),)
        few = [c for c in self.patience.checks if c.name == "Few abandonments"]
        return tuple(Check("Patience from the log", c.status, c.detail) for c in few)

    def summary(self) -> str:
        """What callers do, in a sentence each; what is not known, with the reason."""
        told = [self._of_patience(), self._of_redials(), self._of_variation()]
        return " ".join(told)

    def _of_patience(self) -> str:
        if self.patience is None:
            return f"How long callers would wait is unknown: {self.missing['patience']}."
        half = self.patience.quantile("patience_p50_s")
        quarter = self.patience.quantile("patience_p25_s")
        known = f"within {spoken(half.value)} ({_between(half.low, half.high)})"
        if not math.isfinite(half.value):
            known = "later than this log shows"
            known += f" (at least {spoken(half.low)})" if math.isfinite(half.low) else ""
        first = (
            f", a quarter within {spoken(quarter.value)}" if math.isfinite(quarter.value) else ""
        )
        return (
            f"Of callers who have to wait, half would give up {known}{first}, were none answered."
        )

    def _of_redials(self) -> str:
        import polars as pl

        if self.redials is None:
            return f"Whether they call again is unknown: {self.missing['redials']}."
        shares = self.redials.shares.filter(pl.col("redial").is_not_null())
        near = shares.filter(pl.col("window_s") <= _SHOWN_S)
        row = (near if near.height else shares).row(-1 if near.height else 0, named=True)
        return (
            f"Of known customers who gave up, {row['redial']:.0%} call again within "
            f"{spoken(row['window_s'])}."
        )

    def _of_variation(self) -> str:
        if self.variation is None:
            return f"How volumes vary is unknown: {self.missing['variation']}."
        day, within = self.variation.cv_day.value, self.variation.cv_within.value
        parts = (
            f"{day:.0%} from day to day and {within:.0%} within the day"
            if within > 0
            else f"{day:.0%}, all of it from day to day"
        )
        return (
            f"Volumes of an interval lie {self.variation.cv.value:.0%} off their usual level "
            f"beyond chance ({parts})."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give one row per part: whether the log tells it, and why not."""
        import polars as pl

        parts = ("patience", "by_group", "redials", "variation")
        return pl.DataFrame(
            [(part, part not in self.missing, self.missing.get(part, "")) for part in parts],
            schema={"part": pl.String, "known": pl.Boolean, "reason": pl.String},
            orient="row",
        )


def _between(low: float, high: float) -> str:
    return f"{spoken(low)} to {spoken(high)}" if math.isfinite(high) else f"{spoken(low)} upwards"


def _seconds(asked: Any) -> float:
    try:
        number = float(asked) if not isinstance(asked, bool) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise InputError("this is no patience", f"patience={asked!r}", _FROM_LOG)
    return number


def callers(
    waits: Any = None,
    delays: Any = None,
    demand: Any = None,
    *,
    hours: tuple[int, int] = (0, 24),
    exclude: Any = (),
    level: float = 0.95,
) -> Callers:
    """Say what a log tells of its callers; what it cannot tell is left out with its reason.

    Parameters
    ----------
    waits
        Frame of ``log.waits(by)``. Keys are looked through in their order for one that tells
        callers of different patience apart. None, where the log holds no single calls, leaves
        patience unknown.
    delays
        Frame of ``log.redials()``; None leaves redials unknown.
    demand
        Frame of ``log.demand(every)`` or ``log.intervals(every)`` without keys; None leaves
        variation unknown.
    hours, exclude
        Of the variation: first and last hour of the day, and local dates to leave out (dates, or
        text with dates and ranges).
    level
        Of the limits, 0–1.

    Raises
    ------
    InputError
        A frame of another form. What the data cannot answer raises nothing.

    Examples
    --------
    >>> import polars as pl
    >>> waits = pl.DataFrame({"outcome": ["abandoned", "answered"], "queued": [True, True],
    ...                       "seconds": [30, 30], "calls": [3, 900]})
    >>> found = callers(waits)
    >>> found.patience is None, found.law("log") is None, found.law("120")
    (True, True, 120.0)
    >>> found.missing["patience"].split(";")[0]
    'too few callers gave up for their patience to be estimated (3 of 903 that queued'
    """
    from ccanalytics.statistics import overdispersion, patience, redials

    left_out = read_dates(exclude)
    missing: dict[str, str] = {}

    def attempt(name: str, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except DataError as error:
            missing[name] = f"{error.what} ({error.where})" if error.where else error.what
            return None

    found = by_group = None
    if waits is None:
        missing["patience"] = "no waits of single calls were given"
    else:
        rows = as_polars(waits, "waits", _WAITS, "log.waits(by)")
        found = attempt("patience", lambda: _patience(rows, level, patience))
    if found is None:
        missing["by_group"] = missing["patience"]
    else:
        by_group = _by_group(rows, level, patience)
        if by_group is None:
            missing["by_group"] = "no key of these waits tells callers of different patience apart"
    again = varied = None
    if delays is None:
        missing["redials"] = "no delays were given"
    else:
        again = attempt("redials", lambda: redials(delays, level=level))
    if demand is None:
        missing["variation"] = "no demand was given"
    else:
        varied = attempt(
            "variation", lambda: overdispersion(demand, hours=hours, exclude=left_out, level=level)
        )
    checks = [
        Check(name, "fails" if part == "patience" else "informs", f"unknown: {missing[part]}")
        for part, name in (("patience", "Patience"), ("redials", "Redials"),
                           ("variation", "Variation of volumes"))
        if part in missing
    ]  # fmt: skip
    if found is not None:
        checks += [check for check in found.checks if check.name in _TOLD]
    return Callers(
        patience=found, by_group=by_group, redials=again, variation=varied, missing=missing,
        inputs={"hours": hours, "exclude": sorted(map(str, left_out)), "level": level},
        checks=tuple(checks),
    )  # fmt: skip


def _patience(rows: pl.DataFrame, level: float, estimate: Any) -> Patience:
    import polars as pl

    left = rows.filter(pl.col("outcome") == "abandoned")
    if left["calls"].sum() and left["seconds"].is_null().all():
        raise DataError(
            "the log does not know how long callers waited",
            f"{left['calls'].sum():,} gave up, after an unknown time",
        )
    found: Patience = estimate(rows, (), level=level)
    return found


def _by_group(rows: pl.DataFrame, level: float, estimate: Any) -> Patience | None:
    """Patience by the first key with two to six large groups whose medians differ."""
    import polars as pl

    left = pl.col("outcome").eq("abandoned") & pl.col("queued") & pl.col("seconds").is_not_null()
    gone = rows.filter(left)
    for key in key_columns(rows, _WAITS):
        large = (
            gone.filter(pl.col(key).is_not_null())
            .group_by(key)
            .agg(pl.col("calls").sum())
            .filter(pl.col("calls") >= _FEWEST)
        )
        told = int(large["calls"].sum()) / max(int(gone["calls"].sum()), 1)
        if not 2 <= large.height <= _MOST_GROUPS or told < 0.9:
            continue
        chosen = rows.filter(pl.col(key).is_in(large[key].to_list()))
        found: Patience = estimate(chosen, key, level=level)
        medians = found.frame.select("patience_p50_s_low", "patience_p50_s_high")
        if float(medians.to_series(0).max() or 0) > float(medians.to_series(1).min() or 0):  # type: ignore[arg-type]
            return found
    return None
