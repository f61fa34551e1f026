"""Calling silent and dissatisfied customers first: the work it makes, and the calls it saves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects import OfferEffect, randomised
from ccanalytics.statistics.frames import as_polars, check_counts
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Outreach", "outreach"]

_NEEDS = ("customer", "contacted", "before", "after")


@dataclass(frozen=True, eq=False, kw_only=True)
class Outreach(Result):
    """What contacting customers takes and saves.

    Attributes
    ----------
    effect
        Change of their calls; see :class:`~ccanalytics.statistics.effects.OfferEffect`.
    contacts
        How many were made.
    contact_hours
        Hours that they took.
    saved_hours
        Hours of handling less, of all who were contacted, in the time that ``after`` covers.
    net_hours
        Saved less spent.
    """

    effect: OfferEffect
    contacts: int
    contact_hours: float
    saved_hours: Estimate
    net_hours: Estimate

    def headline(self) -> str:
        """Give the answer alone."""
        net = self.net_hours
        if net.low > 0:
            says = f"saves {net.value:,.0f} hours more than it takes"
        elif net.high < 0:
            says = f"takes {-net.value:,.0f} hours more than it saves"
        else:
            says = "is not shown to save more hours than it takes, nor fewer"
        return (
            f"Contacting {counted(self.contacts, 'customer')} took {self.contact_hours:,.0f} hours "
            f"and {says} ({100 * net.level:g}% interval {net.low:,.0f} to {net.high:,.0f})."
        ).replace("-", "−")

    def summary(self) -> str:
        """Give the answer, and the effect on calls that it rests on."""
        return f"{self.headline()} {self.effect.summary()}"

    def to_frame(self) -> pl.DataFrame:
        """Give hours spent, saved and left over."""
        import polars as pl

        rows: list[tuple[str, float, float | None, float | None]] = [
            ("contacts", self.contact_hours, None, None),
            ("saved", self.saved_hours.value, self.saved_hours.low, self.saved_hours.high),
            ("net", self.net_hours.value, self.net_hours.low, self.net_hours.high),
        ]
        return pl.DataFrame(rows, schema=["item", "hours", "hours_low", "hours_high"], orient="row")


def outreach(
    customers: Any,
    *,
    contact_s: float,
    aht_s: float,
    by_lot: bool | None = None,
    level: float = 0.95,
    seed: int = 1,
) -> Outreach:
    """Weigh outreach to customers, such as the silent or the dissatisfied, by a comparison.

    Contacts take contacts × contact_s; they save calls removed × aht_s. Whoever is contacted since
    they called much would call less anyway: the comparison is with customers like them who were not
    contacted, calls before as covariate, within each ``wave`` where the frame has one.

    Parameters
    ----------
    customers
        A row per customer (and wave): ``customer``, ``contacted`` (true or false), ``before`` and
        ``after`` (calls in equal spans, for both groups from the same day on), optionally ``wave``.
        No table of a log says who was contacted for this reason; the list comes from whoever
        called them, and the calls from ``CallLog.table("calls")``.
    contact_s, aht_s
        Seconds of a contact, and mean handle time of a call.
    by_lot
        Whether a lot decided who was contacted; None: not known.
    level, seed
        Of the limits, 0–1; of the lot drawn anew for the p-value.

    Raises
    ------
    InputError
        A frame without its columns, or seconds below 0.
    DataError
        Nobody contacted, or nobody left alone.

    Examples
    --------
    >>> import polars as pl
    >>> rng = np.random.default_rng(1)
    >>> lot = rng.random(4000) < 0.5
    >>> frame = pl.DataFrame({
    ...     "customer": [f"c{k}" for k in range(4000)], "contacted": lot,
    ...     "before": rng.poisson(2.0, 4000), "after": rng.poisson(np.where(lot, 1.5, 2.0)),
    ... })
    >>> found = outreach(frame, contact_s=60, aht_s=200, by_lot=True)
    >>> found.net_hours.low > 0, found.effect.grade
    (True, 'strong')
    """
    import polars as pl

    level = check_level(level)
    for name, value in (("contact_s", contact_s), ("aht_s", aht_s)):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 <= value < np.inf:
            raise InputError("seconds are 0 or more", f"{name}={value!r}")
    frame = as_polars(customers, "customers", _NEEDS, "a list of customers, see the docstring")
    check_counts(frame, ["before", "after"], "customers")
    if frame.schema["contacted"] != pl.Boolean or frame["contacted"].null_count():
        raise InputError(
            "contacted says true or false of each customer", f"it holds {frame['contacted'].dtype}"
        )
    contacted = frame["contacted"].to_numpy()
    contacts = int(contacted.sum())
    if not contacts or contacts == frame.height:
        raise DataError(
            "nobody to compare with",
            f"{contacts} of {frame.height} were contacted",
            "leave some customers alone, drawn by lot",
        )
    effect = randomised(
        frame["after"].to_numpy(),
        contacted,
        subject=frame["customer"].to_list(),
        stratum=frame["wave"].to_list() if "wave" in frame.columns else None,
        before=frame["before"].to_numpy(),
        by_lot=by_lot,
        name="Outreach",
        unit="customer",
        word="contacted",
        level=level,
        seed=seed,
    )
    hours = contacts * contact_s / 3600
    saved = effect.removed
    ends = [x * aht_s / 3600 for x in (saved.value, saved.low, saved.high)]
    remark = Check(
        "What is counted",
        "informs",
        "hours of handling in the time that the frame covers; satisfaction and customers who stay "
        "are not in it",
    )
    return Outreach(
        effect=effect,
        contacts=contacts,
        contact_hours=hours,
        saved_hours=Estimate(ends[0], ends[1], ends[2], level),
        net_hours=Estimate(ends[0] - hours, ends[1] - hours, ends[2] - hours, level),
        checks=(*effect.checks, remark),
        inputs={"contact_s": contact_s, "aht_s": aht_s, "by_lot": by_lot, "level": level},
    )
