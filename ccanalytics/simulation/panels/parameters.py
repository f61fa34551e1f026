"""What small worlds are made of: every cause a named number with its unit and its meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ccanalytics.errors import InputError, share_hint

__all__ = ["DESIGNS", "PanelParameters", "RollOut", "cause", "check_causes", "described"]

DESIGNS: dict[str, dict[str, float | None]] = {
    "staggered": {
        "first": 0.25,
        "last": 0.75,
        "waves": None,
        "never": 0.2,
        "compliance": 1,
        "own_use": 0,
    },
    "before_after": {
        "first": 0.5,
        "last": 0.5,
        "waves": 1,
        "never": 0,
        "compliance": 1,
        "own_use": 0,
    },
    "randomised": {
        "first": 0.5,
        "last": 0.5,
        "waves": 1,
        "never": 0.5,
        "compliance": 0.6,
        "own_use": 0,
    },
    "encouragement": {
        "first": 0.2,
        "last": 0.8,
        "waves": 6,
        "never": 0,
        "compliance": 0.4,
        "own_use": 0.1,
    },
}
"""What a design fills in where a roll-out leaves it open."""


def cause(default: float | None, unit: str, meaning: str) -> Any:
    """A field with its unit and meaning as metadata."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class PanelParameters:
    """The causes of demand in small worlds, each with a default; ``describe()`` lists them.

    A cause is switched off by its own number (0, or 1 for a factor), and every other cause keeps
    the random numbers it had. Logarithmic spreads are of factors with mean 1.

    Raises
    ------
    InputError
        A number outside what its unit allows; the message names it.

    Examples
    --------
    >>> PanelParameters(unit_memory=1.2)
    Traceback (most recent call last):
        ...
    ccanalytics.errors.InputError: a memory lies between 0 and 1, 1 excluded (unit_memory=1.2)
    """

    calls_per_week: float = cause(
        20_000, "calls", "first attempts of all units in an ordinary week"
    )
    zipf_exponent: float = cause(1.0, "number", "unit sizes fall as (rank + shift)^-exponent")
    zipf_shift: float = cause(2.5, "number", "shift of the rank in the unit sizes")

    saturday: float = cause(0.90, "factor", "volume of a Saturday over that of a weekday")
    sunday: float = cause(0.85, "factor", "volume of a Sunday over that of a weekday")
    month_start: float = cause(1.10, "factor", "volume on days 1 to 3 of a month over other days")
    festival: float = cause(0.82, "factor", "volume in the seven days from Spring Festival's eve")
    season: float = cause(0.05, "log amplitude", "yearly wave that all units share")
    season_peak: float = cause(0.0, "share", "when in the year it peaks, 0 at New Year")
    season_unit_sd: float = cause(
        0.0, "log sd", "yearly wave of each unit's own, per sine and cosine"
    )

    growth: float = cause(0.03, "log per year", "growth of subscribers")
    trend: float = cause(0.0, "log per year", "change of calls per subscriber")
    trend_unit_sd: float = cause(0.02, "log per year sd", "differences of that trend between units")

    dispersion_cv: float = cause(0.04, "cv", "gamma factor of each unit and period, without memory")
    unit_sd: float = cause(0.05, "log sd", "shocks of each unit, an AR(1) process")
    unit_memory: float = cause(0.60, "memory", "correlation of those between neighbouring periods")
    common_sd: float = cause(0.05, "log sd", "shocks that all units share, an AR(1) process")
    common_memory: float = cause(
        0.50, "memory", "correlation of those between neighbouring periods"
    )

    abandonment: float = cause(0.06, "share", "offered calls abandoned at the planned load")
    congestion: float = cause(4.0, "number", "odds of abandoning grow as (load / planned)^this")
    redial: float = cause(0.5, "share", "abandoned attempts that are followed by another")
    spill_over: float = cause(0.0, "share", "calls removed from a unit that turn up at other units")

    handle_median_s: float = cause(110, "s", "median handle time of a typical unit")
    handle_unit_sd: float = cause(0.25, "log sd", "spread of units' medians around the typical")
    handle_log_sd: float = cause(0.90, "log sd", "handle time within a unit and period (lognormal)")
    handle_period_sd: float = cause(
        0.02, "log sd", "noise of a unit's median from period to period"
    )
    handle_trend: float = cause(0.0, "log per year", "change of all medians")

    def __post_init__(self) -> None:
        check_causes(self)
        if self.calls_per_week <= 0 or self.handle_median_s <= 0:
            name = "calls_per_week" if self.calls_per_week <= 0 else "handle_median_s"
            raise InputError("this parameter must be above 0", f"{name}={getattr(self, name)!r}")
        if self.redial >= 1 and self.abandonment > 0:
            raise InputError(
                "callers who never stop redialling leave no finite load",
                f"redial={self.redial!r}",
                "take a share below 1",
            )
        if self.abandonment >= 1:
            raise InputError("somebody must be answered", f"abandonment={self.abandonment!r}")

    def describe(self) -> dict[str, dict[str, Any]]:
        """Every parameter with its value, unit and meaning."""
        return described(self)


@dataclass(frozen=True, kw_only=True)
class RollOut:
    """One treatment: what it does to calls, and which units get it when.

    The calls of unit i in period t are multiplied by 1 + effectᵢ·doseₜ, where
    dose = own use + (1 − own use)·compliance·shape, and the shape, by periods e since going live,
    is (1 − exp(−(e + 1)/build_up))·2^(−e/half_life), or ``anticipation`` in the ``early`` periods
    before. Fields left at None are filled in by the design (`DESIGNS`).

    Raises
    ------
    InputError
        A number outside what its unit allows; the message names it.

    Examples
    --------
    >>> RollOut(effect=-10)
    Traceback (most recent call last):
        ...
    ccanalytics.errors.InputError: an effect lies above -1 (effect=-10): write a fall by 10% as -0.1
    """

    effect: float = cause(-0.10, "relative", "change of calls at full dose, mean over units")
    treatment: str = "sms_assist"
    effect_sd: float = cause(0.0, "log sd", "spread of 1 + effect between units")
    by_group: float = cause(0.0, "log", "1 + effect of the first unit over that of the last")
    build_up: float = cause(0.0, "periods", "time constant of the build-up; 0: at once")
    half_life: float = cause(0.0, "periods", "halving time of the effect; 0: it stays")
    early: float = cause(0.0, "whole periods", "periods before going live that already react")
    anticipation: float = cause(0.5, "share", "of the dose, in those periods")
    first: float | None = cause(None, "share", "of the span, after which the first unit goes live")
    last: float | None = cause(None, "share", "of the span, after which the last one does")
    waves: float | None = cause(None, "whole number", "distinct dates; None: one per unit")
    never: float | None = cause(None, "share", "units that never go live")
    by_size: float = cause(
        0.0, "correlation", "1: bigger units first; -1: smaller first; 0: chance"
    )
    trend_gap: float = cause(0.0, "log per year", "trend of the first unit less that of the last")
    compliance: float | None = cause(None, "share", "who take it up once live, of those who do not")
    own_use: float | None = cause(None, "share", "who use it anyway, at the middle of the span")
    own_use_sd: float = cause(0.0, "logit per year sd", "growth of that use, different by unit")
    confounding: float = cause(0.0, "log per logit", "trend of calls that comes with that growth")
    handle_effect: float = cause(0.0, "relative", "change of mean handle time at full dose")

    def __post_init__(self) -> None:
        if not isinstance(self.treatment, str) or not self.treatment:
            raise InputError("a treatment needs a name", f"treatment={self.treatment!r}")
        check_causes(self)
        if self.first is not None and self.last is not None and self.first > self.last:
            raise InputError(
                "the first unit goes live after the last",
                f"first={self.first!r}, last={self.last!r}",
            )
        if self.confounding and not self.own_use_sd:
            raise InputError(
                "what does not grow differently confounds nothing",
                f"confounding={self.confounding!r}, own_use_sd={self.own_use_sd!r}",
                "give own_use_sd= as well",
            )
        if self.waves is not None and self.waves < 1:
            raise InputError("there is at least one wave", f"waves={self.waves!r}")

    def filled(self, design: str) -> RollOut:
        """Fill in what the design decides where this roll-out leaves it open."""
        open_ = {k: v for k, v in DESIGNS[design].items() if getattr(self, k) is None}
        if design in ("randomised", "encouragement") and (self.by_size or self.trend_gap):
            raise InputError(
                f"a design that is {design} leaves the order to chance",
                f"by_size={self.by_size!r}, trend_gap={self.trend_gap!r}",
                "leave both at 0, or take design='staggered'",
            )
        use = self.own_use if self.own_use is not None else DESIGNS[design]["own_use"]
        if (self.own_use_sd or self.confounding) and use in (0, 1):
            raise InputError(
                "own use grows, and confounds, only where some use it by themselves",
                f"own_use={use!r}, own_use_sd={self.own_use_sd!r}",
                "give own_use= between 0 and 1",
            )
        if open_.get("last") is not None and self.first is not None:
            open_["last"] = max(self.first, open_["last"] or 0)
        if open_.get("first") is not None and self.last is not None:
            open_["first"] = min(self.last, open_["first"] or 0)
        return replace(self, **open_)  # type: ignore[arg-type]

    def describe(self) -> dict[str, dict[str, Any]]:
        """Every parameter with its value, unit and meaning."""
        return described(self)


def described(what: Any) -> dict[str, dict[str, Any]]:
    """Give every field that is a cause, with its value, unit and meaning."""
    return {
        each.name: {"value": getattr(what, each.name), **each.metadata}
        for each in fields(what)
        if each.metadata
    }


def check_causes(what: Any) -> None:
    """Refuse a cause outside what its unit allows."""
    for each in fields(what):
        value = getattr(what, each.name)
        if not each.metadata or (value is None and each.default is None):
            continue
        unit, place = each.metadata["unit"], f"{each.name}={value!r}"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InputError("a parameter must be a number", place, "give it as a number")
        if not math.isfinite(value):
            raise InputError("a parameter must be finite", place)
        if unit == "relative":
            if value <= -1:
                hint = f"write a fall by {-value:g}% as {value / 100:g}" if value < -1 else ""
                raise InputError("an effect lies above -1", place, hint)
        elif unit == "correlation":
            if abs(value) > 1:
                raise InputError("a correlation lies between -1 and 1", place)
        elif unit not in ("log", "log per year", "log per logit") and value < 0:
            raise InputError("a parameter must not be negative", place)
        if unit == "share" and value > 1:
            raise InputError(
                "a share must lie between 0 and 1",
                place,
                share_hint(value, "give a share from 0 to 1"),
            )
        if unit == "memory" and value >= 1:
            raise InputError("a memory lies between 0 and 1, 1 excluded", place)
        if unit.startswith("whole") and value != round(value):
            raise InputError("this parameter must be a whole number", place)
