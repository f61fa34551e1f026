"""From what a channel completed to what can be banked: every step, each with its kind of truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.deflection.channels import name_of
from ccanalytics.deflection.funnel import Funnel
from ccanalytics.deflection.value import Value
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.statistics.effects import PanelEffect
from ccanalytics.statistics.effects.weekly import as_date
from ccanalytics.statistics.frames import as_polars

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PLACES", "Waterfall", "waterfall"]

PLACES = {
    "sms_assist_before": ("sms", "before_call"),
    "web_hall": ("web", "own_initiative"),
    "app": ("app", "own_initiative"),
}
"""Roll-outs of services, and where their contacts stand in the funnel."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Waterfall(Result):
    """Hours a week at every step from gross deflection to hours that can be banked.

    Attributes
    ----------
    frame
        One row per step: ``step``, ``known`` (counted, estimated or planned), ``hours`` with
        limits, all a week.
    channel
        Channel and stage, in words.
    """

    frame: pl.DataFrame
    channel: str

    def summary(self) -> str:
        """Say what of the gross figure remains at each step, and why."""
        first, last = self.frame.row(0, named=True), self.frame.row(-1, named=True)
        hours = {row["step"]: row["hours"] for row in self.frame.iter_rows(named=True)}
        so = ", and" if self.shown else "; likewise"
        return (
            f"{self.channel}, hours a week: {first['hours']:,.1f} of handling were completed in "
            f"the channel, {hours['not asked again']:,.1f} of them not asked again; "
            f"{self._went()}{so} {_limited(last)} {last['step']}. The first two are counted from "
            "the channel's own records at the handle time of these services, the third is "
            "estimated against services that were not live; seated and paid hours hold waiting "
            "and breaks besides handling, so they may be more."
        )

    @property
    def shown(self) -> bool:
        """Whether the data can show that any hours went."""
        row = self._removed()
        return bool(row["hours_low"] > 0 or row["hours_high"] < 0)

    def _removed(self) -> dict[str, Any]:
        return self.frame.filter(self.frame["step"] == "really removed").row(0, named=True)

    def _went(self) -> str:
        row = _limited(self._removed())
        if self.shown:
            return f"{row} really went from the agents"
        return f"the data cannot show that any went from the agents, the estimate is {row}"

    def to_frame(self) -> pl.DataFrame:
        """Give the steps."""
        return self.frame


def _limited(row: dict[str, Any]) -> str:
    """Hours with their limits."""
    number, low, high = (f"{row[f'hours{end}']:,.1f}" for end in ("", "_low", "_high"))
    return f"{number} ({low} to {high})".replace("-", "−")


def waterfall(funnel: Funnel, effect: PanelEffect, worth: Value, panel: Any) -> Waterfall:
    """Set what a channel completed beside what it removed, freed, and lets bank.

    Gross is completed contacts × the handle time of the services concerned, net is gross × (1 −
    leakage at the funnel's window); what really went is the effect's handle hours; seated, paid and
    shift hours are those of :func:`value`.

    Parameters
    ----------
    funnel
        Of :func:`funnel`, over the same span as the panel.
    effect
        Of :func:`effect`; its roll-out says which rows of the funnel are meant.
    worth
        Of :func:`worth`: that effect in a typical week.
    panel
        The frame from which the effect was estimated: contacts are spread over its weeks from the
        first going live on.

    Raises
    ------
    InputError
        Answers of another kind.
    DataError
        A roll-out that removes no call by its contacts; or the funnel has no completed contact of
        this channel, or cannot tell its leakage.
    """
    import polars as pl

    kinds = {"funnel": Funnel, "effect": PanelEffect, "worth": Value}
    for (name, kind), given in zip(kinds.items(), (funnel, effect, worth), strict=True):
        if not isinstance(given, kind):
            raise InputError(
                f"{name} is another answer",
                f"got {type(given).__name__}",
                f"give what deflection.{name} returned",
            )
    treatment = effect.inputs.get("treatment", "")
    if treatment not in PLACES:
        raise DataError(
            "this roll-out takes no call away by its contacts",
            f"treatment={treatment!r}",
            "one of " + ", ".join(PLACES),
        )
    weeks = _weeks(effect, as_polars(panel, "panel", ["local_start"], "log.panel(unit=…)"))
    place = PLACES[treatment]
    if place not in funnel.places:
        raise DataError(
            "the funnel holds no contacts of this channel",
            name_of(*place),
            "load its self-service records",
        )
    row = (
        funnel.totals.filter(
            (pl.col("channel") == place[0])
            & (pl.col("stage") == place[1])
            & (pl.col("window_days") == funnel.window_days)
        )
        .row(0, named=True)
    )  # fmt: skip
    leak = funnel.share("leakage", *place)
    if not row["completed"] or leak is None:
        raise DataError(
            "no contact of this channel was completed and followed",
            f"{name_of(*place)}: {row['completed'] or 0} completed",
            "take a longer log, or a shorter window",
        )
    each = worth.inputs["removed_aht_s"].value / 3600 / weeks
    gross = row["completed"] * each
    rows: list[tuple[str, str, float, float | None, float | None]] = [
        ("completed in the channel", "counted", gross, None, None),
        ("not asked again", "counted", gross * (1 - leak.value), gross * (1 - leak.high),
         gross * (1 - leak.low)),
    ]  # fmt: skip
    names = {
        "handle hours avoided": ("really removed", "estimated"),
        "seated hours freed": ("seated hours freed", "planned"),
        "paid hours freed": ("paid hours freed", "planned"),
        "paid hours that shifts drop": ("paid hours that shifts drop", "planned"),
    }
    rows += [
        (*names[step], hours, low, high) for step, hours, low, high in worth.waterfall().iter_rows()
    ]
    schema = {
        "step": pl.String, "known": pl.String, "hours": pl.Float64, "hours_low": pl.Float64,
        "hours_high": pl.Float64,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Waterfall(
        inputs={"treatment": treatment, "weeks": weeks, "window_days": funnel.window_days},
        checks=_checks(frame),
        frame=frame,
        channel=name_of(*place),
    )


def _weeks(effect: PanelEffect, panel: pl.DataFrame) -> int:
    """Weeks from the first going live to the end of the panel."""
    weeks = [day.toordinal() for day in effect.weeks["week"]]
    last = max(
        (as_date("local_start", stamp).toordinal() for stamp in panel["local_start"].drop_nulls()),
        default=max(weeks),
    )
    # The week of the first going live is not among those of the effect.
    return (last - min(weeks)) // 7 + 2


def _checks(frame: pl.DataFrame) -> tuple[Check, ...]:
    """Whether the estimate can be the channel's work at all."""
    gross = float(frame["hours"][0])
    row = frame.filter(frame["step"] == "really removed").row(0, named=True)
    if row["hours_low"] > gross:
        return (
            Check("More removed than completed", "fails",
                  f"at least {row['hours_low']:,.1f} hours went where the channel completed "
                  f"{gross:,.1f}: something else took calls away in the same weeks"),
        )  # fmt: skip
    return (
        Check("More removed than completed", "holds",
              f"the channel completed {gross:,.1f} hours, the limits of what went are "
              f"{row['hours_low']:,.1f} to {row['hours_high']:,.1f}"),
    )  # fmt: skip
