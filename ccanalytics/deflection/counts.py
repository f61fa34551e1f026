"""Counts of the funnel at the door: none exceeds what it is a part of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.deflection.channels import name_of
from ccanalytics.deflection.shares import SHARES
from ccanalytics.errors import InputError
from ccanalytics.results import Check

if TYPE_CHECKING:
    import polars as pl

__all__ = ["check_parts", "known_delivery"]

_PLACE = ("channel", "stage")


def check_parts(frame: pl.DataFrame) -> None:
    """Refuse counts that exceed what they are a part of; the first row is named."""
    import polars as pl

    for top, bottom in SHARES.values():
        if bottom == "eligible" or top not in frame.columns:
            continue  # what is eligible is a matter of definition, and only noted
        wrong = frame.filter(pl.col(top) > pl.col(bottom))
        if wrong.height:
            row = wrong.row(0, named=True)
            raise InputError(
                f"more were {top} than {bottom}",
                f"{row['channel']} {row['stage']}: {top}={row[top]}, {bottom}={row[bottom]}",
                "look at how the two were counted",
            )


def known_delivery(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Check]]:
    """Make delivery unknown where more was completed than delivered: it was not recorded."""
    import polars as pl

    short = (pl.col("completed") > pl.col("delivered")).any().over(_PLACE)
    places = frame.filter(short).select(_PLACE).unique().sort(_PLACE).rows()
    frame = frame.with_columns(
        pl.when(~short.fill_null(False)).then("delivered").alias("delivered")
    )
    if not places:
        return frame, []
    told = ", ".join(name_of(*place) for place in places)
    words = f"{told}: more was completed than noted as delivered, so delivery is taken as unknown"
    return frame, [Check("delivery", "informs", words)]
