"""Numbers that others computed: METHODS of the field on their own worked data.

The worked data are not part of this project: tests that need them read them from the folder
``reference`` beside the real records.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from ccanalytics.errors import InputError
from ccanalytics.statistics.effects import (
    NEVER,
    group_time_effects,
    synthetic_difference,
    two_by_two,
)

REFERENCE = Path(os.environ.get("CCANALYTICS_REAL_DATA", "")).parent / "reference"


def mean(frame, by=None):
    """Mean effects weighted by the units of the groups."""
    weighted = (pl.col("effect") * pl.col("units")).sum() / pl.col("units").sum()
    if by is None:
        return frame.select(weighted).item()
    return frame.group_by(by).agg(weighted).sort(by)["effect"].to_list()


def test_two_by_two():
    treated, control = np.array([[10, 15], [11, 18]]), np.array([[9, 12], [10, 13]])
    y = np.vstack([treated, control])
    table = group_time_effects(y, [1, 1, NEVER, NEVER])
    assert table.filter(table["event"] == 0)["effect"].item() == pytest.approx(3.0)
    assert synthetic_difference(y, [True, True, False, False], 1, kind="did") == pytest.approx(3.0)
    found = two_by_two([10, 11], [15, 18], [9, 10], [12, 13])
    assert found.effect.value == pytest.approx(3.0)
    assert found.error == pytest.approx(1.7321, abs=5e-5)
    assert found.p_value == pytest.approx(0.1583, abs=5e-5)
    cells = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 2, axis=0)
    design = np.column_stack([np.ones(8), cells, cells.prod(axis=1)])
    fit = sm.OLS([9, 10, 12, 13, 10, 11, 15, 18], design).fit()
    assert fit.conf_int()[3] == pytest.approx([found.effect.low, found.effect.high])
    assert fit.pvalues[3] == pytest.approx(found.p_value)


@pytest.fixture(scope="module")
def counties():
    rows = pl.read_csv(REFERENCE / "mpdta.csv").sort("countyreal", "year")
    wide = rows.pivot(on="year", index="countyreal", values="lemp").sort("countyreal")
    first = rows.unique("countyreal").sort("countyreal")["first.treat"].to_numpy()
    return wide.drop("countyreal").to_numpy(), np.where(first == 0, NEVER, first - 2003)


@pytest.mark.real
def test_group_time_effects_of_callaway_and_santanna(counties):
    table = group_time_effects(*counties, controls="never")
    for group, printed in {
        2004: [-0.0105, -0.0704, -0.1373, -0.1008],
        2006: [0.0065, -0.0028, -0.0046, -0.0412],
        2007: [0.0305, -0.0027, -0.0311, -0.0261],
    }.items():
        mine = table.filter(pl.col("group") == group - 2003)
        got = mine["effect"].to_list()
        if group == 2004:
            assert got[1:] == pytest.approx(printed, abs=5e-5)
        else:  # before going live the reference takes steps from year to year
            assert got[-2 if group == 2006 else -1 :] == pytest.approx(
                printed[-2 if group == 2006 else -1 :], abs=5e-5
            )
            early = np.diff(got[: group - 2003])
            assert early == pytest.approx(printed[: group - 2004], abs=5e-5)
    live = table.filter(pl.col("event") >= 0)
    assert mean(live) == pytest.approx(-0.0399513, abs=5e-8)
    dynamic = mean(live, "event")
    assert dynamic == pytest.approx([-0.01993, -0.05096, -0.13726, -0.10081], abs=5e-6)
    assert np.mean(dynamic) == pytest.approx(-0.07724, abs=5e-6)
    groups = live.group_by("group").agg(pl.col("effect").mean(), pl.col("units").first())
    groups = groups.sort("group")
    assert groups["effect"].to_list() == pytest.approx([-0.07975, -0.02291, -0.02605], abs=5e-6)
    assert mean(groups) == pytest.approx(-0.03102, abs=5e-6)


@pytest.mark.real
@pytest.mark.parametrize("controls", ["never", "not_yet"])
def test_group_time_effects_agree_with_another_library(counties, controls):
    library = pytest.importorskip("diff_diff")
    y, live = counties
    units, years = y.shape
    rows = pl.DataFrame(
        {
            "unit": np.repeat(np.arange(units), years),
            "year": np.tile(np.arange(years), units),
            "y": y.ravel(),
            "first": np.repeat(np.where(live == NEVER, 0, live), years),
        }
    ).to_pandas()
    theirs = library.CallawaySantAnna(
        control_group={"never": "never_treated", "not_yet": "not_yet_treated"}[controls],
        base_period="universal",
    ).fit(rows, outcome="y", unit="unit", time="year", first_treat="first")
    table = group_time_effects(y, live, controls=controls)
    for group, period, event, _, effect in table.iter_rows():
        if event >= 0:
            found = theirs.group_time_effects[(group, period)]
            assert effect == pytest.approx(found["effect"], abs=1e-9)
    assert mean(table.filter(pl.col("event") >= 0)) == pytest.approx(theirs.overall_att, abs=1e-9)


@pytest.fixture(scope="module")
def states():
    rows = pl.read_csv(REFERENCE / "california_prop99.csv", separator=";")
    wide = rows.pivot(on="Year", index="State", values="PacksPerCapita").sort("State")
    return wide.drop("State").to_numpy(), (wide["State"] == "California").to_numpy()


@pytest.mark.real
@pytest.mark.parametrize(
    ("kind", "printed"),
    [("synthetic_did", -15.6038), ("synthetic_control", -19.6197), ("did", -27.3491)],
)
def test_californian_cigarettes(states, kind, printed):
    assert synthetic_difference(*states, 19, kind=kind) == pytest.approx(printed, abs=5e-5)


@pytest.mark.real
def test_californian_placebo_error(states):
    control = states[0][~states[1]]
    each = np.eye(len(control), dtype=bool)
    placebos = [synthetic_difference(control, mine, 19) for mine in each]
    # Published from random draws of controls; here each control once.
    assert np.std(placebos, ddof=1) == pytest.approx(9.8, abs=0.5)


def test_what_cannot_be_compared():
    y = np.ones((4, 6))
    with pytest.raises(InputError, match="no base"):
        group_time_effects(y, [0, 3, NEVER, NEVER])
    with pytest.raises(InputError, match="no such controls"):
        group_time_effects(y, [3, 3, NEVER, NEVER], controls="always")
    with pytest.raises(InputError, match="units × periods"):
        group_time_effects(y, [3, 3])
    with pytest.raises(InputError, match="four samples"):
        two_by_two([], [1], [1], [1, 2])
    with pytest.raises(InputError, match="the least"):
        synthetic_difference(y, [True, False, False, False], 6)
