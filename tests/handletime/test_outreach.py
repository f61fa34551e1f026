"""Outreach: hours by hand, regression to the mean held apart, and what is refused."""

import numpy as np
import polars as pl
import pytest

from ccanalytics import handletime
from ccanalytics.errors import DataError, InputError


def customers(seed=1, n=6000, saves=0.3, worst=False):
    rng = np.random.default_rng(seed)
    rate = rng.gamma(2, 0.7, n)
    before = rng.poisson(rate)
    lot = rng.random(n) < 0.5
    contacted = lot & (before >= 2) if worst else lot
    after = rng.poisson(rate * np.where(contacted, 1 - saves, 1))
    names = [f"c{k}" for k in range(n)]
    return pl.DataFrame(
        {"customer": names, "contacted": contacted, "before": before, "after": after}
    )


def test_hours_spent_and_saved():
    frame = customers()
    found = handletime.outreach(frame, contact_s=120, aht_s=240, by_lot=True)
    assert found.contact_hours == pytest.approx(frame["contacted"].sum() * 120 / 3600)
    assert found.saved_hours.value == pytest.approx(found.effect.removed.value * 240 / 3600)
    assert found.net_hours.value == pytest.approx(found.saved_hours.value - found.contact_hours)
    assert found.effect.relative.low < -0.3 < found.effect.relative.high
    assert found.to_frame()["item"].to_list() == ["contacts", "saved", "net"]


def test_who_called_most_would_have_called_less_anyway():
    frame = customers(saves=0.0, worst=True).filter(pl.col("before") >= 2)
    mine = frame.filter("contacted")
    assert mine["after"].mean() < mine["before"].mean() - 0.5
    found = handletime.outreach(frame, contact_s=120, aht_s=240, by_lot=True)
    assert not found.effect.relative.excludes_zero


def test_what_cannot_be_told_is_refused():
    frame = customers(n=50)
    with pytest.raises(DataError, match="nobody to compare with"):
        handletime.outreach(frame.filter("contacted"), contact_s=1, aht_s=1)
    with pytest.raises(InputError, match="true or false"):
        handletime.outreach(
            frame.with_columns(pl.col("contacted").cast(pl.Int64)), contact_s=1, aht_s=1
        )
    with pytest.raises(InputError, match="contact_s"):
        handletime.outreach(frame, contact_s=-1, aht_s=1)
    with pytest.raises(InputError, match="lacks a column"):
        handletime.outreach(frame.drop("before"), contact_s=1, aht_s=1)
