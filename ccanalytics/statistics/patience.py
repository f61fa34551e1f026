"""Patience of callers, estimated from waits of which most were cut short by an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import as_polars, check_counts, key_columns, label_of, spoken
from ccanalytics.statistics.patience_curve import PatienceCurve, curve_of
from ccanalytics.statistics.survival import KaplanMeier, kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Patience", "patience"]

_COLUMNS = ("outcome", "queued", "seconds", "calls")
_EDGES = (0.0, 5.0, 10.0, 20.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, np.inf)
_LEAST = 10  # abandonments below which nothing is told of a group's own patience
_NEAR = 0.03  # largest distance at which the exponential law passes for the curve
_QUANTILES = {"patience_p25_s": 0.25, "patience_p50_s": 0.5, "patience_p75_s": 0.75}


@dataclass(frozen=True, eq=False, kw_only=True)
class Patience(Result):
    """How long callers wait before they give up, per group.

    Attributes
    ----------
    frame
        Per group: keys, ``calls`` (that queued), ``abandoned``, ``method`` (``kaplan_meier``;
        ``exponential`` and ``pooled`` where too few gave up), quartiles ``patience_p25_s``,
        ``patience_p50_s``, ``patience_p75_s`` and ``exponential_patience_s`` with ``_low`` and
        ``_high`` (``inf``: not reached), ``distance`` of the exponential law, ``reliable_s``.
    survival
        Per group and second at which somebody gave up: keys, ``seconds``, ``at_risk``,
        ``abandoned``, ``survival``, ``survival_low``, ``survival_high``.
    hazard
        Per group and bin: keys, ``from_s``, ``to_s``, ``abandoned``, ``exposure_s``, ``hazard``
        (per second), ``hazard_low``, ``hazard_high``.
    laws
        Per group (values of its keys): what ``Queue(patience=…)`` and ``simulate(patience=…)``
        take, a :class:`PatienceCurve` or mean seconds.
    """

    frame: pl.DataFrame
    survival: pl.DataFrame
    hazard: pl.DataFrame
    laws: dict[tuple[Any, ...], PatienceCurve | float]
    keys: tuple[str, ...]

    def law(self, *values: Any) -> PatienceCurve | float:
        """The law of one group, by the values of its keys in their order; without keys, of all."""
        if values not in self.laws:
            known = "; ".join(label_of(group) for group in self.laws)
            raise InputError("there is no such group", f"{values!r}", f"one of: {known}")
        return self.laws[values]

    def quantile(self, name: str, *values: Any) -> Estimate:
        """A number of the frame with its limits, such as ``patience_p50_s``, of one group."""
        place = list(self.laws).index(values) if values in self.laws else -1
        if place < 0 or f"{name}_low" not in self.frame.columns:
            raise InputError("there is no such number", f"{name}, {values!r}", "see frame")
        row = self.frame.row(place, named=True)
        return Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"], self.inputs["level"])

    def beside_exponential(self, *values: Any) -> pl.DataFrame:
        """One group's curve as it is drawn, as far as 10 callers still waited.

        Returns
        -------
        polars.DataFrame
            ``seconds``, ``survival``, ``survival_low``, ``survival_high``, and ``exponential``:
            the share more patient if patience were exponential.
        """
        import polars as pl

        mean = self.quantile("exponential_patience_s", *values).value
        rows = self.survival
        for key, value in zip(self.keys, values, strict=True):
            rows = rows.filter(pl.col(key).eq_missing(pl.lit(value)))
        begin = pl.DataFrame({"seconds": [0.0], "survival": 1.0, "survival_low": 1.0,
                              "survival_high": 1.0})  # fmt: skip
        rows = rows.filter(pl.col("at_risk") >= _LEAST)
        return pl.concat([begin, rows.select(begin.columns)]).with_columns(
            exponential=(-pl.col("seconds") / mean).exp()
        )

    def summary(self) -> str:
        """Medians in words, the method, and what few abandonments led to."""
        rows = self.frame.sort("calls", descending=True).head(4).iter_rows(named=True)
        parts = []
        for row in rows:
            name = label_of(row[key] for key in self.keys)
            median = row["patience_p50_s"]
            told = f"after {spoken(median)}" if np.isfinite(median) else "later than seen"
            limits = _span(row["patience_p50_s_low"], row["patience_p50_s_high"])
            quarter = row["patience_p25_s"]
            parts.append(
                f"{name + ': ' if name else ''}half have given up {told} ({limits})"
                + (f", a quarter after {spoken(quarter)}" if np.isfinite(quarter) else "")
            )
        text = "; ".join(parts)
        level = 100 * self.inputs["level"]
        more = self.frame.height - len(parts)
        return (
            f"Patience, had nobody been answered. {text}"
            + (f"; and {more} smaller groups" if more > 0 else "")
            + f". Kaplan–Meier over the calls that queued, a wait that an answer ended telling "
            f"only that patience was longer; {level:g}% limits on the log-log scale."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give one row per group."""
        return self.frame


def _span(low: float, high: float) -> str:
    return f"{spoken(low)} to {spoken(high)}" if np.isfinite(high) else f"{spoken(low)} upwards"


def patience(
    waits: Any,
    by: str | Iterable[str] | None = None,
    *,
    fewest: int = 50,
    edges: Iterable[float] = _EDGES,
    level: float = 0.95,
) -> Patience:
    """Estimate patience by group from value counts of waits.

    A caller who was answered was more patient than that wait: such waits are censored, not left
    out. Calls that never queued tell nothing and are not at risk. Beside the Kaplan–Meier curve
    stands the exponential law by maximum likelihood, total wait over abandonments, with limits
    from the Poisson count of abandonments. Waiting is taken to be independent of patience, as it
    is where callers do not see the queue.

    Parameters
    ----------
    waits
        Frame of ``log.waits(by)``: keys, ``outcome``, ``queued``, ``seconds``, ``calls``.
    by
        Key columns to keep apart; None keeps those of the frame.
    fewest
        Abandonments below which a group gets no curve of its own: with 10 or more it is taken as
        exponential, with fewer it borrows the curve of all groups together.
    edges
        Of the hazard's bins, in seconds.
    level
        Of the limits, 0–1.

    Raises
    ------
    DataError
        Nobody queued, or fewer than 10 abandoned in all.

    References
    ----------
    E. L. Kaplan, P. Meier (1958), JASA 53, 457–481; L. Brown et al. (2005), JASA 100, 36–50.

    Examples
    --------
    >>> import polars as pl
    >>> waits = pl.DataFrame({
    ...     "outcome": ["abandoned", "answered"] * 2, "queued": [True] * 4,
    ...     "seconds": [30, 30, 60, 60], "calls": [100, 300, 100, 100]})
    >>> found = patience(waits)
    >>> found.quantile("exponential_patience_s").value
    120.0
    >>> found.survival["survival"].round(4).to_list()
    [0.8333, 0.4167]
    """
    import polars as pl

    level = check_level(level)
    if isinstance(fewest, bool) or not isinstance(fewest, int) or fewest < _LEAST:
        raise InputError(f"fewest is a whole number, {_LEAST} or more", f"fewest={fewest!r}")
    bins = _bins(edges)
    rows = as_polars(waits, "waits", _COLUMNS, "log.waits(by)")
    check_counts(rows.filter(pl.col("seconds").is_not_null()), ["seconds", "calls"], "waits")
    found = key_columns(rows, _COLUMNS)
    keys = found if by is None else [by] if isinstance(by, str) else list(by)
    for key in keys:
        if key not in rows.columns or key in _COLUMNS[1:]:
            raise InputError("waits have no such key", f"by: {key!r}", ", ".join(found) or "none")
    unknown = int(rows.filter(pl.col("queued").fill_null(True) & pl.col("seconds").is_null())
                  ["calls"].sum())  # fmt: skip
    direct = int(rows.filter(~pl.col("queued"))["calls"].sum())
    rows = rows.filter(pl.col("queued"), pl.col("seconds").is_not_null())
    everybody = _Group(rows, level)
    if everybody.abandoned < _LEAST:
        raise DataError(
            "too few callers gave up for their patience to be estimated",
            f"{everybody.abandoned:g} of {everybody.calls:g} that queued; {_LEAST} are needed",
            "take a longer or busier span, or assume a mean patience",
        )
    groups = {
        tuple(values): _Group(part, level)
        for values, part in rows.group_by(keys, maintain_order=True)
    } if keys else {(): everybody}  # fmt: skip
    groups = dict(sorted(groups.items(), key=lambda item: tuple(str(v or "") for v in item[0])))
    if everybody.abandoned >= fewest:
        pooled: PatienceCurve | float = everybody.curve()
    else:
        pooled = everybody.exponential.value
    laws: dict[tuple[Any, ...], PatienceCurve | float] = {}
    lines, survival, hazard = [], [], []
    for values, group in groups.items():
        named = dict(zip(keys, values, strict=True))
        method, law = _law(group, pooled, fewest)
        laws[values] = law
        lines.append(named | {"method": method} | group.numbers(law, method, everybody))
        survival.append(group.curve_frame(named))
        hazard.append(group.hazard_frame(named, bins))
    kinds: dict[Any, Any] = {key: rows.schema[key] for key in keys}
    # Relaxed: a group whose key is unknown has a column of nulls.
    hazards = pl.concat(hazard, how="vertical_relaxed").cast(kinds)
    return Patience(
        frame=pl.DataFrame(lines, schema_overrides=kinds),
        survival=pl.concat(survival, how="vertical_relaxed").cast(kinds),
        hazard=hazards,
        laws=laws,
        keys=tuple(keys),
        inputs={"by": keys, "fewest": fewest, "level": level, "edges": bins.tolist()},
        checks=_checks(lines, keys, unknown, direct, hazards),
    )


def _bins(edges: Iterable[float]) -> Floats:
    bins = np.asarray(list(edges), float)
    if bins.ndim != 1 or bins.size < 2 or bins[0] < 0 or not (np.diff(bins) > 0).all():
        raise InputError("edges must rise from 0 or more", f"edges={bins.tolist()!r}"[:80])
    return bins


def _law(
    group: _Group, pooled: PatienceCurve | float, fewest: int
) -> tuple[str, PatienceCurve | float]:
    if group.abandoned >= fewest and group.calls > fewest:
        return "kaplan_meier", group.curve()
    if group.abandoned >= _LEAST:
        return "exponential", group.exponential.value
    return "pooled", pooled


class _Group:
    """Value counts of one group's waits, and what follows from them."""

    def __init__(self, rows: pl.DataFrame, level: float) -> None:
        left = (rows["outcome"] == "abandoned").to_numpy()
        self.seconds = rows["seconds"].cast(float).to_numpy()
        self.count = rows["calls"].cast(float).to_numpy()
        self.left = np.where(left, self.count, 0.0)
        self.calls, self.abandoned = float(self.count.sum()), float(self.left.sum())
        self.level = level
        # Whole seconds were rounded: who left at t had left by t + ½.
        self.half = 0.5 if (self.seconds == np.floor(self.seconds)).all() else 0.0

    @property
    def km(self) -> KaplanMeier:
        return kaplan_meier(self.seconds, self.left, self.count - self.left, self.level)

    @property
    def exponential(self) -> Estimate:
        """Total wait over abandonments."""
        from scipy.special import chdtri

        total, gone, tail = float(self.count @ self.seconds), self.abandoned, (1 - self.level) / 2
        value, high = (
            (total / gone, 2 * total / chdtri(2 * gone, 1 - tail)) if gone else [np.inf] * 2
        )
        return Estimate(
            value, 2 * total / float(chdtri(2 * gone + 2, tail)), float(high), self.level
        )

    def curve(self) -> PatienceCurve:
        return curve_of(self.km, self.seconds + self.half, self.left, self.count, self.half)

    def numbers(self, law: PatienceCurve | float, method: str, everybody: _Group) -> dict[str, Any]:
        """The group's row: its own where it has any, of all together where it borrows them."""
        told = everybody if method == "pooled" else self
        km, exponential = told.km, told.exponential
        row: dict[str, Any] = {"calls": int(self.calls), "abandoned": int(self.abandoned)}
        for name, share in _QUANTILES.items():
            if method == "exponential":
                scale = -float(np.log1p(-share))
                found = Estimate(*(scale * v for v in (exponential.value, exponential.low,
                                                       exponential.high)))  # fmt: skip
            else:
                found = km.quantile(share)
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        name = "exponential_patience_s"
        row |= {name: exponential.value, f"{name}_low": exponential.low,
                f"{name}_high": exponential.high}  # fmt: skip
        reliable = law.reliable_s if isinstance(law, PatienceCurve) else None
        inside = km.seconds <= (reliable or np.inf)
        gap = np.abs(km.survival - np.exp(-(km.seconds + told.half) / exponential.value))
        row["distance"] = float(gap[inside].max(initial=0.0)) if method != "exponential" else None
        row["reliable_s"] = reliable
        return row

    def curve_frame(self, named: dict[str, Any]) -> pl.DataFrame:
        import polars as pl

        km = self.km
        return pl.DataFrame(
            {"seconds": km.seconds, "at_risk": km.at_risk, "abandoned": km.events,
             "survival": km.survival, "survival_low": km.low, "survival_high": km.high}
        ).select(*(pl.lit(v).alias(k) for k, v in named.items()), pl.all())  # fmt: skip

    def hazard_frame(self, named: dict[str, Any], bins: Floats) -> pl.DataFrame:
        import polars as pl
        from scipy.special import chdtri

        at = self.seconds[:, None]
        low, high = bins[:-1], bins[1:]
        inside = ((at >= low) & (at < high)).astype(float)
        if self.half:
            # Of those rounded to an edge, half had left before it and half after.
            inside = (inside + ((at > low) & (at <= high)) + ((at == low) & (low == bins[0]))) / 2
        gone = self.left @ inside
        spent = self.count @ np.clip(at - low, 0.0, high - low)
        tail = (1 - self.level) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            fewest = np.where(gone > 0, chdtri(2 * np.maximum(gone, 0.5), 1 - tail) / 2, 0.0)
            rates = [gone / spent, fewest / spent, chdtri(2 * gone + 2, tail) / 2 / spent]
        hazard, least, most = (np.where(spent > 0, rate, np.nan) for rate in rates)
        return pl.DataFrame(
            {"from_s": low, "to_s": high, "abandoned": gone, "exposure_s": spent,
             "hazard": hazard, "hazard_low": least, "hazard_high": most}
        ).with_columns(pl.col("hazard", "hazard_low", "hazard_high").fill_nan(None)).select(
            *(pl.lit(v).alias(k) for k, v in named.items()), pl.all()
        )  # fmt: skip


def _checks(
    lines: list[dict[str, Any]], keys: list[str], unknown: int, direct: int, hazard: pl.DataFrame
) -> tuple[Check, ...]:
    import polars as pl

    checks = []
    for method, words in (
        ("exponential", "too few gave up for a curve; taken as exponential, with its wide limits"),
        ("pooled", "too few gave up for any estimate; they borrow the patience of all groups"),
    ):
        names = [label_of(row[k] for k in keys) or "all calls" for row in lines
                 if row["method"] == method]  # fmt: skip
        if names:
            checks.append(Check("Few abandonments", "fails", f"{'; '.join(names)}: {words}"))
    far = [row for row in lines if row["method"] == "kaplan_meier"]
    if far:
        worst = max(far, key=lambda row: row["distance"])
        near = worst["distance"] <= _NEAR
        name = label_of(worst[key] for key in keys)
        checks.append(
            Check(
                "Exponential law",
                "holds" if near else "fails",
                f"the curve is at most {worst['distance']:.3f} from exponential with mean "
                f"{worst['exponential_patience_s']:,.0f} s"
                + (f" ({name})" if name else "")
                + ("" if near else "; staffing.seats_by_patience tells what that costs in seats"),
            )
        )
    short = hazard.filter(pl.col("to_s") <= 10)
    long = hazard.filter(pl.col("from_s") >= 10)
    rates = [float(f["abandoned"].sum()) / max(float(f["exposure_s"].sum()), 1e-9)
             for f in (short, long)]  # fmt: skip
    if short.height and rates[1] > 0:
        checks.append(
            Check(
                "Leaving at short waits",
                "informs",
                f"in the first 10 s callers leave {rates[0] / rates[1]:.1f} times as fast as later",
            )
        )
    checks.append(
        Check(
            "Calls that tell nothing of patience",
            "informs",
            f"{direct:,} never queued"
            + (f"; of {unknown:,} the wait is unknown" if unknown else ""),
        )
    )
    return tuple(checks)
